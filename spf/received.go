package spf

import (
	"strings"

	"github.com/seed2385d973/mailauth/internal/domain"
)

// maxValue bounds each value of a Received-SPF field, so that no line comes
// near the 998 octets of RFC 5322, section 2.1.1.
const maxValue = 320

// ReceivedSPF returns a complete Received-SPF field with its CRLF, to be put on
// top of the header, above the Received field of this hop (RFC 7208, section 9.1,
// with erratum 5436). It is folded before each value. What the client or the
// domain supplied goes in only as a quoted-string of printable ASCII or as an atom; a value
// that cannot be written so, or is too long, is left out. It returns "" for the
// zero Result.
func (r Result) ReceivedSPF() string {
	if r.Status == "" {
		return ""
	}
	receiver := "unknown"
	if n, err := domain.Parse(r.session.Receiver); err == nil {
		receiver = n.String()
	}
	ip := "an unknown address"
	if r.session.IP.IsValid() {
		ip = r.session.IP.Unmap().WithZone("").String()
	}
	b := make([]byte, 0, 512)
	b = append(b, "Received-SPF: "...)
	b = append(b, r.Status...)
	b = append(b, "\r\n ("...)
	b = append(b, receiver...)
	b = append(b, ": "...)
	b = r.appendStory(b, ip)
	b = append(b, ')')
	first := true
	pair := func(key, value string) {
		if value == "" || len(value) > maxValue || !isPrintable(value) {
			return
		}
		if !first {
			b = append(b, ';')
		}
		first = false
		b = append(b, "\r\n "...)
		b = append(b, key...)
		b = append(b, '=')
		b = appendValue(b, value)
	}
	pair("identity", string(r.Identity))
	if r.session.IP.IsValid() {
		pair("client-ip", ip)
	}
	pair("receiver", receiver)
	if r.Identity == MailFrom {
		pair("envelope-from", r.session.MailFrom)
	}
	pair("helo", r.session.HELO)
	switch {
	case r.Match.Mechanism != "":
		pair("mechanism", r.Match.Mechanism)
	case r.Status == Neutral:
		pair("mechanism", "default")
	}
	if r.Status == TempError || r.Status == PermError {
		pair("problem", string(rootOf(r.Err)))
	}
	return string(append(b, "\r\n"...))
}

// appendStory writes the comment. All that goes into it is a checked domain name or an address.
func (r Result) appendStory(b []byte, ip string) []byte {
	if r.Domain == "" {
		return append(append(b, "no domain name to check for "...), ip...)
	}
	before, between, after := "", "", ""
	switch r.Status {
	case Pass:
		before, between, after = "domain of", " designates ", " as permitted sender"
	case Fail:
		before, between, after = "domain of", " does not designate ", " as permitted sender"
	case SoftFail:
		before, between, after = "domain of", " probably does not designate ", " as permitted sender"
	case Neutral:
		before, between, after = "domain of", " neither permits nor denies ", ""
	case None:
		before, between, after = "domain of", " does not say who may send for it; client is ", ""
	default:
		before, between, after = "error in processing domain of", " for ", ""
	}
	// The domain and the address get lines of their own: a name may have 253 octets.
	b = append(b, before...)
	b = append(b, "\r\n "...)
	b = append(b, r.Domain...)
	b = append(b, "\r\n"...)
	b = append(b, between...)
	b = append(b, ip...)
	return append(b, after...)
}

// appendValue writes a value as a dot-atom if it is one, else as a
// quoted-string (RFC 5322, section 3.2.4).
func appendValue(b []byte, s string) []byte {
	if isDotAtom(s) {
		return append(b, s...)
	}
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		if s[i] == '"' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}

func isPrintable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > maxVisible {
			return false
		}
	}
	return true
}

// isDotAtom reports whether s is a dot-atom-text (RFC 5322, section 3.2.3).
func isDotAtom(s string) bool {
	dot := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '.' {
			if dot {
				return false
			}
			dot = true
			continue
		}
		if dot = false; !isAlpha(c) && !isDigit(c) && strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) < 0 {
			return false
		}
	}
	return !dot
}
