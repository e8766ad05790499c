package message

import (
	"io"
	"strings"

	"github.com/seed2385d973/mailauth/internal/canon"
)

// Digester is an io.Writer that reads a message in one pass, in pieces of any
// size; how it was cut makes no difference to the result. The zero value is
// ready to use, for one message. Exported fields must be set before the first
// Write, except that Want may be set until the header has ended. It is not
// safe for concurrent use; the Header and the Message it returns are.
type Digester struct {
	// AllowSHA1 also takes SHA-1 digests where a field says a=rsa-sha1, or Want
	// asks for one. A verifier must not accept them (RFC 8301, section 3.1).
	AllowSHA1 bool

	// SMTPUTF8 says that the message was transferred with that extension (RFC
	// 6531), see Header.Internationalized.
	SMTPUTF8 bool

	// Want names digests that are wanted beyond those of the message's own
	// signature fields; a signer's.
	Want []BodyHash

	// WantFunc, if not nil, is called once when the header has ended and before
	// an octet of the body is digested, and returns further digests that are
	// wanted: for who decides by the header what to sign with.
	WantFunc func(h *Header) []BodyHash

	// Limits bounds the header; the zero value is the defaults.
	Limits Limits

	limits   Limits
	text     strings.Builder // the header as far as it has come
	header   *Header
	body     body
	err      error
	message  *Message // complete when finished
	started  bool
	finished bool
}

// Write takes the next octets of the message. It keeps no reference to p. The
// error is a limit's; the Digester then stays failed. After Finish it is
// ErrFinished.
func (d *Digester) Write(p []byte) (int, error) {
	if d.finished && d.err == nil {
		return 0, ErrFinished
	}
	if d.err != nil {
		return 0, d.err
	}
	n := len(p)
	if d.header == nil {
		rest, err := d.head(p)
		if err != nil {
			d.err = err
			return 0, err
		}
		p = rest
	}
	if d.header != nil {
		d.body.write(p)
	}
	return n, nil
}

// ReadFrom writes all of r to the Digester. It returns r's error as it is, or Write's.
func (d *Digester) ReadFrom(r io.Reader) (n int64, err error) {
	if w, ok := r.(io.WriterTo); ok {
		return w.WriteTo(writerOnly{d})
	}
	buf := make([]byte, 8<<10)
	for idle := 0; ; {
		k, err := r.Read(buf)
		if idle++; k > 0 {
			idle = 0
			n += int64(k)
			if _, werr := d.Write(buf[:k]); werr != nil {
				return n, werr
			}
		}
		if idle > maxIdle && err == nil {
			return n, io.ErrNoProgress
		}
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// maxIdle is how many reads in a row may give nothing, as with bufio.
const maxIdle = 100

// writerOnly hides ReadFrom, which a WriteTo might call back.
type writerOnly struct{ io.Writer }

// head collects the header and returns what of p is behind it.
func (d *Digester) head(p []byte) (rest []byte, err error) {
	if !d.started {
		d.limits = d.Limits.withDefaults()
		d.started = true
	}
	// The block may be as large as the limit, and two octets more tell that it has ended.
	room := d.limits.HeaderSize + 2 - d.text.Len()
	in := p[:min(len(p), room)]
	end, plain := headerEnd(d.text.String(), in)
	if end < 0 {
		if len(p) >= room {
			return nil, ErrHeaderSize
		}
		d.text.Write(in)
		return nil, nil
	}
	d.text.Write(in[:end])
	text := d.text.String()
	return p[end:], d.endHeader(text[:len(text)-2], true, plain)
}

// headerEnd returns how many octets of p belong to the header that text is the
// beginning of, with the empty line that ends it, or -1 if it goes on. plain says that
// the header is all in p, and has no octet that index would have to look at.
func headerEnd(text string, p []byte) (n int, plain bool) {
	if len(text) < 2 {
		// The first line may be empty, and so end it.
		if n := 2 - len(text); len(p) >= n && text+string(p[:n]) == "\r\n" {
			return n, false
		}
	}
	// The empty line may have begun in text.
	const end = "\r\n\r\n"
	for n := min(len(end)-1, len(text)); n > 0; n-- {
		if k := len(end) - n; len(p) >= k && text[len(text)-n:] == end[:n] && string(p[:k]) == end[n:] {
			return k, false
		}
	}
	n, plain = canon.HeaderEnd(p)
	return n, plain && text == ""
}

func (d *Digester) endHeader(text string, closed, plain bool) error {
	all := &struct { // in one piece
		header  Header
		message Message
		request [1]request
	}{}
	h := &all.header
	if err := h.parse(text, closed, plain, d.limits); err != nil {
		return err
	}
	h.utf8 = h.utf8 || d.SMTPUTF8
	d.header, d.message = h, &all.message
	d.text = strings.Builder{}
	d.body.requests = all.request[:0]
	d.body.fromSignatures(h, d.AllowSHA1)
	for _, w := range d.Want {
		d.body.want(w, d.AllowSHA1)
	}
	if d.WantFunc != nil {
		for _, w := range d.WantFunc(h) {
			d.body.want(w, d.AllowSHA1)
		}
	}
	d.body.start()
	return nil
}

// Header returns the header as soon as it has ended, nil before and if it could not be read.
func (d *Digester) Header() *Header { return d.header }

// Finish ends the message and returns it. Called again it returns the same.
func (d *Digester) Finish() (*Message, error) {
	switch {
	case d.err != nil:
		return nil, d.err
	case d.finished:
		return d.message, nil
	}
	d.finished = true
	if d.header == nil {
		d.limits = d.Limits.withDefaults()
		if d.err = d.endHeader(d.text.String(), false, false); d.err != nil {
			return nil, d.err
		}
	}
	d.body.close()
	m := d.message
	m.header, m.bodySize, m.digests, m.defects = d.header, d.body.size, d.body.requests, d.header.findings
	if d.body.ends.BareLF {
		m.defects = append(m.defects[:len(m.defects):len(m.defects)], Finding{BareLF, -1})
	}
	if d.body.ends.BareCR {
		m.defects = append(m.defects[:len(m.defects):len(m.defects)], Finding{BareCR, -1})
	}
	return m, nil
}
