package message

import (
	"cmp"
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"hash"
	"slices"
	"strings"

	"github.com/seed2385d973/mailauth/internal/canon"
	"github.com/seed2385d973/mailauth/internal/taglist"
)

// Canonicalization is one of the two algorithms of RFC 6376, section 3.4. The
// zero value is Simple, as c= absent means.
type Canonicalization uint8

// The algorithms.
const (
	Simple Canonicalization = iota
	Relaxed
)

// String returns the word of c=: "simple" or "relaxed".
func (c Canonicalization) String() string {
	switch c {
	case Simple:
		return "simple"
	case Relaxed:
		return "relaxed"
	}
	return "unknown"
}

// WholeBody is the BodyHash.Length of a signature without l=.
const WholeBody int64 = -1

// BodyHash names one digest of the body. The zero value is of no use: it is the
// digest of nothing by no hash.
type BodyHash struct {
	Canonicalization Canonicalization
	Hash             crypto.Hash // crypto.SHA256 or crypto.SHA1
	Length           int64       // l=: octets of the canonical body that are hashed; negative: all
}

func (b BodyHash) normal() BodyHash {
	if b.Length < 0 {
		b.Length = WholeBody
	}
	return b
}

// Digest is a body digest that was taken.
type Digest struct {
	Sum       []byte
	Canonical int64 // octets of the whole canonical body; less than the Length asked for if l= was too large, Sum then is of all of it
}

type request struct {
	BodyHash
	sum       [sha256.Size]byte
	canonical int64
}

// body is what happens to the octets of a body.
type body struct {
	requests []request
	streams  [2]*stream // by Canonicalization; nil if nobody wants it
	ends     canon.LineEnds
	size     int64
}

// want adds a digest unless it is there already. One that cannot be taken, an
// unknown hash or a SHA-1 nobody allowed, is left out.
func (b *body) want(h BodyHash, allowSHA1 bool) {
	h = h.normal()
	if h.Hash != crypto.SHA256 && (h.Hash != crypto.SHA1 || !allowSHA1) || h.Canonicalization > Relaxed {
		return
	}
	for i := range b.requests {
		if b.requests[i].BodyHash == h {
			return
		}
	}
	b.requests = append(b.requests, request{BodyHash: h})
}

// fromSignatures wants the digests that the signature fields of h need. A field
// that is malformed asks for nothing: its verifier reports it without one.
func (b *body) fromSignatures(h *Header, allowSHA1 bool) {
	for _, k := range [...]struct {
		name string
		max  int
	}{{"DKIM-Signature", MaxDKIMSignatures}, {"ARC-Message-Signature", MaxARCSignatures}} {
		all := h.All(k.name)
		for _, i := range all[:min(len(all), k.max)] {
			if bh, ok := signatureBodyHash(h.Field(i).Value()); ok {
				b.want(bh, allowSHA1)
			}
		}
	}
}

// signatureBodyHash reads a=, c= and l= of a signature field (RFC 6376, section
// 3.5). What the other tags hold is its verifier's to judge.
func signatureBodyHash(value string) (h BodyHash, ok bool) {
	h.Length = WholeBody
	if len(value) > taglist.MaxLength {
		return h, false
	}
	rest, more := value, true
	for n := 0; more; n++ {
		var tag string
		tag, rest, more = strings.Cut(rest, ";")
		name, text, isTag := strings.Cut(tag, "=")
		if !isTag || n == taglist.MaxTags {
			if n > 0 && !more && taglist.Trim(tag) == "" {
				break // the list ended in ";"
			}
			return h, false
		}
		switch taglist.Trim(name) {
		case "a":
			switch taglist.Trim(text) {
			case "rsa-sha256", "ed25519-sha256":
				h.Hash = crypto.SHA256
			case "rsa-sha1":
				h.Hash = crypto.SHA1
			default:
				return h, false
			}
		case "c":
			_, c, _ := strings.Cut(taglist.Trim(text), "/") // "relaxed" alone is relaxed/simple
			switch c {
			case "relaxed":
				h.Canonicalization = Relaxed
			case "simple", "":
				h.Canonicalization = Simple
			default:
				return h, false
			}
		case "l":
			if h.Length, ok = parseLength(taglist.Trim(text)); !ok {
				return h, false
			}
		}
	}
	return h, h.Hash != 0
}

// parseLength: 1*76DIGIT (RFC 6376, section 3.5). No body is longer than 63 bits can say.
func parseLength(s string) (n int64, ok bool) {
	if s == "" || len(s) > 76 {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		c := int64(s[i]) - '0'
		if c < 0 || c > 9 || n > (1<<63-1-c)/10 {
			return 0, false
		}
		n = n*10 + c
	}
	return n, true
}

// start sets up the canonicalizers that the requests need.
func (b *body) start() {
	slices.SortFunc(b.requests, func(x, y request) int {
		return cmp.Or(
			cmp.Compare(x.Canonicalization, y.Canonicalization),
			cmp.Compare(uint64(x.Length), uint64(y.Length)), // WholeBody is the largest
			cmp.Compare(x.Hash, y.Hash),
		)
	})
	for from, to := 0, 0; from < len(b.requests); from = to {
		c := b.requests[from].Canonicalization
		for to < len(b.requests) && b.requests[to].Canonicalization == c {
			to++
		}
		b.streams[c] = newStream(b.requests[from:to], c == Relaxed)
	}
}

// blockSize is how much of the body all look at before the next octets: few
// enough to stay in the processor's first cache.
const blockSize = 16 << 10

func (b *body) write(p []byte) {
	b.size += int64(len(p))
	for len(p) > 0 {
		q := p[:min(len(p), blockSize)]
		p = p[len(q):]
		// The hash, the slowest, first: it does not notice how slowly memory comes.
		for _, s := range b.streams {
			if s != nil {
				s.canon.Write(q)
			}
		}
		b.ends.Write(q)
	}
}

func (b *body) close() {
	b.ends.Close()
	for _, s := range b.streams {
		if s != nil {
			s.canon.Close()
			s.close()
		}
	}
	for i := range b.requests {
		r := &b.requests[i]
		r.canonical = b.streams[r.Canonicalization].n
	}
}

// stream is one canonical body: it counts its octets and hashes them, and at
// each l= takes the sum so far.
type stream struct {
	requests     []request // those that want more, by Length, whole bodies last
	sha256, sha1 hash.Hash // nil if nobody wants it
	n            int64
	canon        canon.Body
}

func newStream(requests []request, relaxed bool) *stream {
	s := &stream{requests: requests}
	for _, r := range requests {
		if r.Hash == crypto.SHA256 && s.sha256 == nil {
			s.sha256 = sha256.New()
		}
		if r.Hash == crypto.SHA1 && s.sha1 == nil {
			s.sha1 = sha1.New()
		}
	}
	s.canon.Start(s, relaxed)
	s.cut()
	return s
}

// cut takes the sums of those who want no more than what has been hashed.
func (s *stream) cut() {
	for len(s.requests) > 0 && s.requests[0].Length == s.n {
		s.take(&s.requests[0])
		s.requests = s.requests[1:]
	}
}

func (s *stream) take(r *request) {
	if r.Hash == crypto.SHA1 {
		s.sha1.Sum(r.sum[:0])
	} else {
		s.sha256.Sum(r.sum[:0])
	}
}

// Write takes canonical octets.
func (s *stream) Write(p []byte) (int, error) {
	n := len(p)
	for len(s.requests) > 0 && s.requests[0].Length >= 0 && s.requests[0].Length-s.n <= int64(len(p)) {
		k := s.requests[0].Length - s.n
		s.hash(p[:k])
		p = p[k:]
		s.cut()
	}
	s.hash(p)
	return n, nil
}

func (s *stream) hash(p []byte) {
	s.n += int64(len(p))
	if len(s.requests) == 0 {
		return // all had an l= and have got it; the octets still count
	}
	if s.sha256 != nil {
		s.sha256.Write(p)
	}
	if s.sha1 != nil {
		s.sha1.Write(p)
	}
}

func (s *stream) close() {
	for i := range s.requests {
		s.take(&s.requests[i])
	}
}
