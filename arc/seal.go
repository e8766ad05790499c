package arc

import (
	"crypto"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/internal/sig"
	"github.com/seed2385d973/mailauth/message"
)

// writing is a set being written.
type writing struct {
	s        *Sealer
	k        prepared
	instance int
	cv       authres.Status

	results, signature, sealed string // the three fields
}

// writeResults writes the ARC-Authentication-Results field (RFC 8617, section
// 4.1.1). All text in it is package authres's.
func (w *writing) writeResults(h authres.Header) (string, error) {
	if _, err := h.Field(); err != nil {
		return "", fmt.Errorf("%w: %w", ErrResults, err)
	}
	return resultsName + ": i=" + strconv.Itoa(w.instance) + "; " + h.String() + "\r\n", nil
}

// sign writes the ARC-Message-Signature over the message, with the fields above
// it (RFC 8617, section 4.1.2).
func (w *writing) sign(h *message.Header, bodyHash []byte, above string) error {
	names := w.s.Fields
	full, err := parse(above, string(h.Bytes()))
	if err != nil {
		return err
	}
	if names == nil {
		names = covered(full)
	}
	tags := append(w.common(""),
		sig.TagText{Name: "c", Value: w.k.header.String() + "/" + w.k.body.String()},
		sig.TagText{Name: "h", Value: strings.Join(names, ":"), Fold: ":"},
		sig.TagText{Name: "bh", Value: base64.StdEncoding.EncodeToString(bodyHash)},
	)
	unsigned := w.field(signatureName, tags)
	if len(unsigned) > sig.MaxField-2048 { // leaves room for the largest signature
		return fmt.Errorf("%w: too long for a field", ErrHeaderNames)
	}
	full, err = parse(unsigned, above, string(h.Bytes()))
	if err != nil {
		return err
	}
	forms := sig.NewHeader(full)
	value := full.Field(0).Value()
	start, end := place(value)
	digest := forms.Sum(forms.Select(nil, names, 0), w.k.header, crypto.SHA256, 0, start, end)
	w.signature, err = w.put(signatureName, unsigned, digest[:])
	return err
}

// seal writes the ARC-Seal (RFC 8617, section 5.1.1), in the case of a failed
// chain over its own set only (RFC 8617, section 5.1.2).
func (w *writing) seal(h *message.Header) error {
	tags := w.common(string(w.cv))
	unsigned := w.field(sealName, tags)
	own, err := parse(unsigned, w.signature, w.results)
	if err != nil {
		return err
	}
	forms := sig.NewHeader(own)
	seals := forms.Seals()
	if w.cv == Pass {
		c := collect(h, maxInstance)
		old := sig.NewHeader(h)
		for k := range c.sets {
			s := &c.sets[k]
			for _, i := range [...]int{s.results, s.signature, s.seal} {
				seals.Add(old.Canonical(i, message.Relaxed))
			}
		}
	}
	start, end := place(own.Field(0).Value())
	digest := seals.Next(2, 1, 0, start, end)
	w.sealed, err = w.put(sealName, unsigned, digest[:])
	return err
}

// common are the tags that both signatures have; i= comes first (decision 15).
func (w *writing) common(cv string) []sig.TagText {
	tags := make([]sig.TagText, 0, 10)
	tags = append(tags,
		sig.TagText{Name: "i", Value: strconv.Itoa(w.instance)},
		sig.TagText{Name: "a", Value: w.k.algorithm.String()},
		sig.TagText{Name: "d", Value: w.k.domain.String()},
		sig.TagText{Name: "s", Value: w.k.selector.String()},
		sig.TagText{Name: "t", Value: strconv.FormatInt(w.k.now, 10)},
	)
	if cv != "" {
		tags = append(tags, sig.TagText{Name: "cv", Value: cv})
	}
	return tags
}

// field writes a signature field. In place of b=, which is left out of the hash,
// something stands that is not empty, as a tag must not be.
func (w *writing) field(name string, tags []sig.TagText) string {
	tags = append(slices.Clone(tags), sig.TagText{Name: "b", Value: "0"})
	if w.s.order != nil {
		slices.SortFunc(tags, func(x, y sig.TagText) int {
			return slices.Index(w.s.order, x.Name) - slices.Index(w.s.order, y.Name)
		})
	}
	return sig.WriteField(name, tags)
}

// put signs and writes the field with its b=. With the simple canonicalization
// the folding of what is hashed must be that of what is written, so the signature goes
// into the very text that was hashed.
func (w *writing) put(name, unsigned string, digest []byte) (string, error) {
	b, err := sig.Sign(w.s.Key, w.k.algorithm, digest)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrKey, err)
	}
	start, end := place(unsigned[len(name)+1:])
	start, end = start+len(name)+1, end+len(name)+1
	if w.s.order == nil {
		b = sig.FoldData(unsigned[:start], b)
	}
	return unsigned[:start] + b + unsigned[end:], nil
}

// place returns where the value of b= is in a field's value.
func place(value string) (start, end int) {
	_, tags := sig.NewReader(nil, strings.TrimSuffix(value, "\r\n"), false)
	for i := range tags {
		if t := &tags[i]; t.Name == "b" {
			return t.Start, t.End
		}
	}
	return 0, 0
}

// covered lists the fields that the signature covers by default: those of
// DefaultFields and every DKIM-Signature that are there, and From once more, so
// that nobody adds a second one.
func covered(h *message.Header) []string {
	names := []string{}
	for _, n := range append(DefaultFields(), "dkim-signature") {
		for range h.All(n) {
			if len(names) < sig.MaxNames-2 {
				names = append(names, n)
			}
		}
	}
	return append(names, "from")
}

// parse reads fields as the header of a message.
func parse(parts ...string) (*message.Header, error) {
	return message.ParseHeader([]byte(strings.Join(parts, "")))
}
