package markcert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Log is a transparency log.
type Log struct {
	// Description is a name for people.
	Description string
	// Key is its public key: ECDSA P-256 or RSA of at least 2048 bits (RFC 6962, section 2.1.4).
	Key crypto.PublicKey
	// From and Until bound the timestamps that count; zero means no bound.
	From, Until time.Time
}

// Logs is an immutable set of transparency logs; safe for concurrent use. The
// zero value knows none.
type Logs struct {
	logs map[[sha256.Size]byte]Log
}

// NewLogs makes a set of logs, with nothing of the built-in one in it.
func NewLogs(logs ...Log) (*Logs, error) {
	s := &Logs{logs: make(map[[sha256.Size]byte]Log, len(logs))}
	for _, l := range logs {
		raw, err := x509.MarshalPKIXPublicKey(l.Key)
		if err != nil {
			return nil, fmt.Errorf("%w: log %s", ErrWeakKey, printable(l.Description))
		}
		if err := acceptableKey(l.Key); err != nil {
			return nil, fmt.Errorf("log %s: %w", printable(l.Description), err)
		}
		// The log's identifier is the hash of its key (RFC 6962, section 3.2).
		s.logs[sha256.Sum256(raw)] = l
	}
	return s, nil
}

// ParseLogs makes a set of the PUBLIC KEY blocks of a PEM file, without bounds of time.
func ParseLogs(pem []byte) (*Logs, error) {
	blocks, err := splitPEM(pem, 1000, "PUBLIC KEY")
	if err != nil {
		return nil, err
	}
	logs := make([]Log, len(blocks))
	for i, b := range blocks {
		if logs[i].Key, err = x509.ParsePKIXPublicKey(b); err != nil {
			return nil, fmt.Errorf("%w: log %d", ErrWeakKey, i+1)
		}
		logs[i].Description = fmt.Sprintf("log %d", i+1)
	}
	return NewLogs(logs...)
}

// gorgonKey is the key of the one log that mark certificates are logged to.
const gorgonKey = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEbEiWluJDIqWi8JbeCSfR3V2k/a5s9XtZv+HU5u/gU9NSYnWGwEoEW6IK7n6LehfrJL3znCUAC0ayEaeiFQuibA=="

// DefaultLogs returns the built-in set: the log of the approved list for mark
// certificates, DigiCert Gorgon, usable since 9 July 2021.
func DefaultLogs() *Logs { return defaultLogs() }

var defaultLogs = sync.OnceValue(func() *Logs {
	raw, _ := base64.StdEncoding.DecodeString(gorgonKey)
	key, err := x509.ParsePKIXPublicKey(raw)
	if err != nil {
		return &Logs{} // cannot happen; a test looks
	}
	s, err := NewLogs(Log{Description: "DigiCert Gorgon", Key: key, From: time.Date(2021, time.July, 9, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		return &Logs{}
	}
	return s
})

// SCT is an embedded signed certificate timestamp (RFC 6962, section 3.2).
type SCT struct {
	// LogID is the hash of the log's key.
	LogID [sha256.Size]byte
	// Log is the description of the log; "" for an unknown one.
	Log string
	// Time is when the log promised to publish the certificate.
	Time time.Time
	// Verified: the signature is the log's.
	Verified bool

	timestamp  uint64
	extensions []byte
	algorithm  [2]byte // hash, signature
	signature  []byte
}

// parseSCTs reads the value of the SCT list extension: an OCTET STRING with a
// SignedCertificateTimestampList (RFC 6962, section 3.3). An SCT of a version other than v1
// is well-formed and says nothing; it is left out.
func parseSCTs(value []byte) ([]SCT, error) {
	bad := func(what string) ([]SCT, error) { return nil, fmt.Errorf("%w: %s", ErrNoSCT, what) }
	var list der
	d := der(value)
	if !d.read(tagOctetString, &list) || len(d) != 0 {
		return bad("list is not an OCTET STRING")
	}
	rest, ok := vector16((*[]byte)(&list))
	if !ok || len(list) != 0 || len(rest) == 0 {
		return bad("malformed list")
	}
	var out []SCT
	for n := 0; len(rest) > 0; n++ {
		if n == MaxSCTs {
			return bad(fmt.Sprintf("more than %d", MaxSCTs))
		}
		b, ok := vector16(&rest)
		if !ok || len(b) == 0 {
			return bad("malformed list")
		}
		if b[0] != 0 {
			continue
		}
		var s SCT
		if b = b[1:]; len(b) < len(s.LogID)+8 {
			return bad("malformed timestamp")
		}
		b = b[copy(s.LogID[:], b):]
		s.timestamp, b = binary.BigEndian.Uint64(b), b[8:]
		if s.extensions, ok = vector16(&b); !ok || len(b) < 2 {
			return bad("malformed timestamp")
		}
		s.algorithm, b = [2]byte(b), b[2:]
		if s.signature, ok = vector16(&b); !ok || len(b) != 0 {
			return bad("malformed timestamp")
		}
		if s.timestamp < 1<<53 {
			s.Time = time.UnixMilli(int64(s.timestamp)).UTC()
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return bad("of no known version")
	}
	return out, nil
}

// vector16 reads a vector with a length of two octets (RFC 5246's presentation language).
func vector16(b *[]byte) ([]byte, bool) {
	if len(*b) < 2 {
		return nil, false
	}
	n := int((*b)[0])<<8 | int((*b)[1])
	if len(*b)-2 < n {
		return nil, false
	}
	v := (*b)[2 : 2+n : 2+n]
	*b = (*b)[2+n:]
	return v, true
}

// precertTBS returns the TBSCertificate that the logs have signed: that of the
// certificate without the SCT list extension (RFC 6962, section 3.2). Everything else is kept octet
// for octet, so no detail of the encoding can get lost; only the lengths around
// the removed extension are written anew.
func precertTBS(tbs []byte) ([]byte, error) {
	bad := fmt.Errorf("%w: TBSCertificate", ErrCertificate)
	var seq, wrapped, list der
	d := der(tbs)
	if !d.read(tagSequence, &seq) || len(d) != 0 {
		return nil, bad
	}
	var before []byte
	for !seq.peek(tagConstructed | 3) {
		_, _, whole, ok := seq.any()
		if !ok {
			return nil, bad
		}
		before = append(before, whole...)
	}
	if !seq.read(tagConstructed|3, &wrapped) || len(seq) != 0 || !wrapped.read(tagSequence, &list) || len(wrapped) != 0 || len(list) == 0 {
		return nil, bad // an empty list is none (RFC 5280, section 4.1), and not what is left of one
	}
	var kept []byte
	for len(list) > 0 {
		var id string
		var critical bool
		var value, whole der
		e := list
		if !list.element(tagSequence, &whole) || !e.extension(&id, &critical, &value) {
			return nil, bad
		}
		if id != sctListID {
			kept = append(kept, whole...)
		}
	}
	if len(kept) > 0 {
		before = appendDER(before, tagConstructed|3, appendDER(nil, tagSequence, kept))
	}
	return appendDER(nil, tagSequence, before), nil
}

// sctListID is the content of oidSCTList.
const sctListID = "\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x02"

// verify checks the timestamp's signature (RFC 6962, section 3.2) over the precertificate.
func (s *SCT) verify(key crypto.PublicKey, issuerKeyHash [sha256.Size]byte, tbs []byte) bool {
	const v1, certificateTimestamp, precertEntry = 0, 0, 1
	if len(tbs) >= 1<<24 {
		return false
	}
	signed := make([]byte, 0, 64+len(tbs)+len(s.extensions))
	signed = append(signed, v1, certificateTimestamp)
	signed = binary.BigEndian.AppendUint64(signed, s.timestamp)
	signed = binary.BigEndian.AppendUint16(signed, precertEntry)
	signed = append(signed, issuerKeyHash[:]...)
	signed = append(signed, byte(len(tbs)>>16), byte(len(tbs)>>8), byte(len(tbs)))
	signed = append(signed, tbs...)
	signed = binary.BigEndian.AppendUint16(signed, uint16(len(s.extensions)))
	signed = append(signed, s.extensions...)
	sum := sha256.Sum256(signed)
	const sha256ID, rsaID, ecdsaID = 4, 1, 3
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		return s.algorithm == [2]byte{sha256ID, ecdsaID} && ecdsa.VerifyASN1(k, sum[:], s.signature)
	case *rsa.PublicKey:
		return s.algorithm == [2]byte{sha256ID, rsaID} && rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], s.signature) == nil
	}
	return false
}

// transparency judges the embedded timestamps.
func (c *check) transparency() {
	if c.v.Transparency == TransparencyOff {
		c.add(Warning, ErrSCTUnchecked, 0, "switched off")
		return
	}
	value, _, ok := extension(c.leaf, oidSCTList)
	if !ok {
		c.add(Failure, ErrNoSCT, 0, "")
		return
	}
	scts, err := parseSCTs(value)
	if err != nil {
		c.fail(0, err)
		return
	}
	c.result.SCTs, c.result.Transparency = scts, Present
	if c.v.Transparency == SCTPresenceOnly {
		c.add(Warning, ErrSCTUnchecked, 0, "presence only")
		return
	}
	if len(c.path) < 2 {
		return // the issuer's key is part of what is signed; its absence has failed already
	}
	c.verifySCTs(scts)
}

// verifySCTs demands one timestamp that a known log has made, in the log's time
// and not in the future.
func (c *check) verifySCTs(scts []SCT) {
	tbs, err := precertTBS(c.leaf.RawTBSCertificate)
	if err != nil {
		c.fail(0, err)
		return
	}
	issuerKeyHash := sha256.Sum256(c.path[1].RawSubjectPublicKeyInfo)
	logs := c.v.logs()
	var earliest time.Time
	var why []string
	for i := range scts {
		s := &scts[i]
		log, known := logs.logs[s.LogID]
		s.Log = log.Description
		reason := ""
		switch {
		case !known:
			reason = "unknown log " + base64.StdEncoding.EncodeToString(s.LogID[:])
		case s.Time.IsZero() || !s.Time.Before(c.now.Add(time.Second)): // c.now is cut to the second
			reason = "timestamp in the future"
		case s.Time.Before(log.From) || !log.Until.IsZero() && s.Time.After(log.Until):
			reason = "timestamp outside the time of " + log.Description
		case !s.verify(log.Key, issuerKeyHash, tbs):
			reason = "signature of " + log.Description + " does not verify"
		default:
			s.Verified = true
			if earliest.IsZero() || s.Time.Before(earliest) {
				earliest = s.Time
			}
			continue
		}
		if !slices.Contains(why, reason) {
			why = append(why, reason)
		}
	}
	if earliest.IsZero() {
		c.result.Transparency = Bad
		c.add(Failure, ErrSCT, 0, why[0])
		return
	}
	c.result.Transparency = Good
	for _, w := range why {
		c.add(Note, ErrSCTUnchecked, 0, w)
	}
	if c.root != nil && !c.root.NotBeforeMax.IsZero() && earliest.After(c.root.NotBeforeMax) {
		c.add(Failure, ErrRootConstraint, 0, "logged after the root's last day "+c.root.NotBeforeMax.Format(time.DateOnly))
	}
}
