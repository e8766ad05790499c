package markcerttest

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
)

var (
	oidSHA1   = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
)

// logo is a logotype extension before it is encoded (RFC 9399, section 4.1).
type logo struct {
	svg       []byte
	mediaType string
	uriType   string
	uris      []string // nil: the data URI of svg
	hashes    []hash
	bare      bool // AlgorithmIdentifier without parameters
	plain     bool // not compressed
	data      []byte
	images    int
	choice    byte // 2 subject, 1 issuer
	indirect  bool
	critical  bool
	mangle    func([]byte) []byte // of the encoded extension
}

type hash struct {
	id  asn1.ObjectIdentifier
	sum []byte
}

func newLogo(svg []byte) *logo {
	sum := sha256.Sum256(svg)
	return &logo{svg: svg, mediaType: "image/svg+xml", uriType: "image/svg+xml",
		hashes: []hash{{oidSHA256, sum[:]}}, images: 1, choice: 2}
}

func sha1Of(b []byte) []byte {
	sum := sha1.Sum(b)
	return sum[:]
}

// compress is deterministic: the header has no name and no time.
func compress(b []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(b); err != nil {
		return nil, err
	}
	err = z.Close()
	return out.Bytes(), err
}

func (l *logo) encode() ([]byte, error) {
	data, err := l.data, error(nil)
	if data == nil {
		if data = l.svg; !l.plain {
			if data, err = compress(l.svg); err != nil {
				return nil, fmt.Errorf("markcerttest: %w", err)
			}
		}
	}
	uris := l.uris
	if uris == nil {
		uris = []string{"data:" + l.uriType + ";base64," + base64.StdEncoding.EncodeToString(data)}
	}
	var hashes, texts [][]byte
	for _, h := range l.hashes {
		id, err := asn1.Marshal(h.id)
		if err != nil {
			return nil, fmt.Errorf("markcerttest: %w", err)
		}
		if !l.bare {
			id = append(id, 0x05, 0x00)
		}
		hashes = append(hashes, tlv(0x30, tlv(0x30, id), tlv(0x04, h.sum)))
	}
	for _, u := range uris {
		texts = append(texts, tlv(0x16, []byte(u)))
	}
	var info []byte
	if l.indirect {
		info = tlv(0xa1, tlv(0x30, hashes...), tlv(0x30, texts...))
	} else {
		details := tlv(0x30, tlv(0x16, []byte(l.mediaType)), tlv(0x30, hashes...), tlv(0x30, texts...))
		info = tlv(0xa0, tlv(0x30, bytes.Repeat(tlv(0x30, details), l.images)))
	}
	out := tlv(0x30, tlv(0xa0|l.choice, info))
	if l.mangle != nil {
		out = l.mangle(out)
	}
	return out, nil
}
