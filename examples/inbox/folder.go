package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/bimi"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/message"
)

const (
	maxMessages = 500      // listed
	maxMessage  = 32 << 20 // octets of one file
)

// letter is one message as the page shows it. Its texts are strangers'; the
// template escapes them.
type letter struct {
	Address, Subject string
	Initials         string
	Colour           int // of the initials, 0 to 7
	verdict
}

// verdict is what stands behind the picture.
type verdict struct {
	Logo      []byte // SVG, fit to be shown; nil shows the initials
	Certified bool
	Summary   string // one line
	Story     string // the whole of it
}

// LogoName is what the page calls the logo.
func (v verdict) LogoName() string {
	sum := sha256.Sum256(v.Logo)
	return hex.EncodeToString(sum[:]) + ".svg"
}

// judge decides about one message, CRLF line ends.
type judge interface {
	judge(ctx context.Context, data []byte, h *message.Header) verdict
}

// delivered believes the provider, as far as bimi.Reader does.
type delivered struct{ r bimi.Reader }

func (d delivered) judge(_ context.Context, _ []byte, h *message.Header) verdict {
	logo, err := d.r.Read(h)
	if err != nil {
		return verdict{Summary: "no logo: " + err.Error()}
	}
	v := verdict{Logo: logo.SVG, Certified: logo.Certified, Summary: "logo of " + logo.Domain}
	if v.Certified {
		v.Summary += ", certified"
	}
	return v
}

// received evaluates the message itself.
type received struct{ e *mailauth.Evaluator }

func (r received) judge(ctx context.Context, data []byte, _ *message.Header) verdict {
	res, err := r.e.Evaluate(ctx, &mailauth.Message{Data: bytes.NewReader(data)})
	if err != nil {
		return verdict{Summary: "not evaluated: " + err.Error()}
	}
	v := verdict{Summary: "dmarc=" + res.DMARC.Status.String(), Story: res.Explain()}
	if b := res.BIMI; b != nil {
		v.Logo, v.Certified = b.Indicator, b.Authority == bimi.Pass
		v.Summary += ", bimi=" + b.Status.String()
	}
	return v
}

// folder is a directory of message files.
type folder struct {
	dir   string
	judge judge
}

// read reads and judges the messages, in the order of the file names.
func (f folder) read(ctx context.Context) ([]letter, error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, err
	}
	var out []letter
	for _, e := range entries {
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if len(out) == maxMessages || ctx.Err() != nil {
			break
		}
		out = append(out, f.letter(ctx, filepath.Join(f.dir, e.Name())))
	}
	return out, ctx.Err()
}

func (f folder) letter(ctx context.Context, path string) letter {
	data, err := readFile(path)
	if err != nil {
		return letter{Address: filepath.Base(path), Initials: "?", verdict: verdict{Summary: err.Error()}}
	}
	m, err := message.Parse(data)
	if err != nil {
		return letter{Address: filepath.Base(path), Initials: "?", verdict: verdict{Summary: "unreadable: " + err.Error()}}
	}
	h := m.Header()
	l := letter{Subject: text(h, "Subject"), verdict: f.judge.judge(ctx, data, h)}
	// The address, and not the display name, which anybody can choose.
	if a, err := dmarc.AuthorDomain(h); err == nil && len(a.Mailboxes()) == 1 {
		box := a.Mailboxes()[0]
		l.Address = box.Local + "@" + box.Domain
	} else {
		l.Address, l.Logo = "an author who cannot be told", nil
	}
	l.Initials, l.Colour = initials(l.Address)
	return l
}

// readFile reads a message with CRLF line ends; stores keep LF alone.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxMessage+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxMessage {
		return nil, errors.New("message too large")
	}
	if bytes.Contains(data, []byte("\r\n")) {
		return data, nil
	}
	return io.ReadAll(message.CRLF(bytes.NewReader(data)))
}

// text is the topmost field of a name, for people.
func text(h *message.Header, name string) string {
	fields := h.All(name)
	if len(fields) == 0 {
		return ""
	}
	s := strings.TrimSpace(strings.ReplaceAll(h.Field(fields[0]).Value(), "\r\n", ""))
	if decoded, err := new(mime.WordDecoder).DecodeHeader(s); err == nil {
		s = decoded
	}
	// Characters that turn the direction of text could make the page lie.
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
}

// initials are those of the parts of a local-part, and a colour that stays the same.
func initials(address string) (string, int) {
	local, _, _ := strings.Cut(address, "@")
	var b strings.Builder
	for _, part := range strings.FieldsFunc(local, func(r rune) bool { return !unicode.IsLetter(r) }) {
		for _, r := range part {
			b.WriteRune(unicode.ToUpper(r))
			break
		}
		if b.Len() >= 2 {
			break
		}
	}
	sum := 0
	for _, r := range address {
		sum = (sum*31 + int(r)) & 0xffff
	}
	if b.Len() == 0 {
		return "?", sum % 8
	}
	return b.String(), sum % 8
}
