package spf

import "strings"

const (
	version    = "v=spf1"
	maxRecord  = 10 << 10
	maxTerms   = 500
	maxDigits  = 128 // parts that a macro may ask for; RFC 7208, section 7.3 demands 127
	maxVisible = 0x7e
)

// isRecord reports whether a TXT record is an SPF record: it begins with the
// version, in any case (decision 10), and a space or its end follow (RFC 7208, section 4.5).
func isRecord(s string) bool {
	return len(s) >= len(version) && (s[:len(version)] == version || strings.EqualFold(s[:len(version)], version)) &&
		(len(s) == len(version) || s[len(version)] == ' ')
}

// scanTerms appends the terms of a record to buf. The whole record is read
// before anything is evaluated (RFC 7208, section 4.6). On error it says at
// which term.
func scanTerms(s string, buf []Term) (terms []Term, at string, e Error) {
	var t Term
	sc := newScanner(s)
	for sc.next(&t) {
		buf = append(buf, t)
	}
	if sc.err != "" {
		return nil, sc.at, sc.err
	}
	return buf, "", ""
}

// scanner reads the terms of a record one after another. An error anywhere
// makes the whole record one, so nothing may be done about a term before next has
// returned false and err is empty.
type scanner struct {
	s             string
	i, n          int
	redirect, exp bool
	at            string // the term of err
	err           Error
}

func newScanner(s string) scanner {
	if len(s) > maxRecord {
		return scanner{err: ErrRecordSize}
	}
	return scanner{s: s, i: len(version)}
}

// next reads a term. It returns false at the end and after an error.
func (sc *scanner) next(t *Term) bool {
	if !sc.begin() {
		return false
	}
	if n, end := scanNetworkTerm(sc.s, sc.i); end > 0 {
		*t = Term{Kind: n.kind, Qualifier: n.qualifier, Text: sc.s[sc.i:end], Network: n.prefix()}
		sc.i = end
		return true
	}
	return sc.term(t)
}

// begin goes to the next term.
func (sc *scanner) begin() bool {
	i := sc.i
	for i < len(sc.s) && sc.s[i] == ' ' {
		i++
	}
	if sc.i = i; i >= len(sc.s) {
		return false
	}
	sc.n++
	return sc.n <= maxTerms || sc.fail("", ErrTerms)
}

// term reads the term that begins here, whatever it is.
func (sc *scanner) term(t *Term) bool {
	s, i := sc.s, sc.i
	start := i
	for i < len(s) && s[i]-'!' <= maxVisible-'!' {
		i++
	}
	if i < len(s) && s[i] != ' ' {
		return sc.fail(s[start:], ErrCharacter)
	}
	sc.i = i
	*t = Term{Text: s[start:i]}
	if e := t.scan(); e != "" {
		return sc.fail(t.Text, e)
	}
	switch t.Kind {
	case Redirect:
		if sc.redirect {
			return sc.fail(t.Text, ErrDuplicate)
		}
		sc.redirect = true
	case Exp:
		if sc.exp {
			return sc.fail(t.Text, ErrDuplicate)
		}
		sc.exp = true
	}
	return true
}

func (sc *scanner) fail(at string, e Error) bool {
	sc.s, sc.at, sc.err = "", at, e
	return false
}

// scan fills t from t.Text.
func (t *Term) scan() Error {
	s := t.Text
	// A modifier is a name directly before "="; a directive has its ":" or "/"
	// first, or neither (RFC 7208, section 4.6.1).
	i := delimiter(s, 0)
	if i < len(s) && s[i] == '=' && i > 0 && isAlpha(s[0]) && isName(s[:i]) {
		return t.scanModifier(s[:i], s[i+1:])
	}
	t.Qualifier = '+'
	for i < len(s) && s[i] == '=' {
		i = delimiter(s, i+1)
	}
	switch s[0] {
	case '+', '-', '~', '?':
		t.Qualifier = s[0]
		s = s[1:]
		i--
	}
	t.Kind = mechanism(s[:i])
	arg := s[i:]
	switch t.Kind {
	case All:
		if arg != "" {
			return ErrMechanism
		}
	case Include, Exists:
		if arg == "" || arg[0] != ':' {
			return ErrDomainSpec
		}
		return t.scanDomainSpec(arg[1:])
	case PTR:
		if arg == "" {
			return ""
		}
		if arg[0] != ':' {
			return ErrMechanism
		}
		return t.scanDomainSpec(arg[1:])
	case A, MX:
		arg, e := t.scanDualLength(arg)
		if e != "" || arg == "" {
			return e
		}
		if arg[0] != ':' {
			return ErrPrefixLength
		}
		return t.scanDomainSpec(arg[1:])
	case IP4, IP6:
		if arg == "" || arg[0] != ':' {
			return ErrNetwork
		}
		return t.scanNetwork(arg[1:])
	default:
		return ErrMechanism
	}
	return ""
}

func (t *Term) scanModifier(name, value string) Error {
	switch {
	case strings.EqualFold(name, "redirect"):
		t.Kind = Redirect
	case strings.EqualFold(name, "exp"):
		t.Kind = Exp
	default:
		t.Kind = Unknown
		t.DomainSpec = value
		_, e := scanMacroString(value, true)
		return e
	}
	return t.scanDomainSpec(value)
}

// delimiter returns the index of the first ":", "/" or "=" of s[i:], or len(s).
func delimiter(s string, i int) int {
	for i < len(s) && s[i] != ':' && s[i] != '/' && s[i] != '=' {
		i++
	}
	return i
}

func isName(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isNameChar(s[i]) {
			return false
		}
	}
	return true
}

func mechanism(name string) Kind {
	switch len(name) {
	case 1:
		if name[0]|0x20 == 'a' {
			return A
		}
	case 2:
		if strings.EqualFold(name, "mx") {
			return MX
		}
	case 3:
		if name[0]|0x20 == 'i' && name[1]|0x20 == 'p' {
			switch name[2] {
			case '4':
				return IP4
			case '6':
				return IP6
			}
			return 0
		}
		switch {
		case strings.EqualFold(name, "all"):
			return All
		case strings.EqualFold(name, "ptr"):
			return PTR
		}
	case 6:
		if strings.EqualFold(name, "exists") {
			return Exists
		}
	case 7:
		if strings.EqualFold(name, "include") {
			return Include
		}
	}
	return 0
}

// scanDualLength takes a dual-cidr-length off the end of the arguments of a or
// mx and returns the rest. It works from the end because "/" is a legal
// character of a domain-spec too (RFC 7208, section 7.1).
func (t *Term) scanDualLength(s string) (string, Error) {
	t.IP4Length, t.IP6Length = 32, 128
	i := lengthAt(s)
	if i > 0 && s[i-1] == '/' {
		n, ok := prefixLength(s[i+1:], 128)
		if !ok {
			return "", ErrPrefixLength
		}
		t.IP6Length, s = n, s[:i-1]
		i = lengthAt(s)
	}
	if i >= 0 {
		n, ok := prefixLength(s[i+1:], 32)
		if !ok {
			return "", ErrPrefixLength
		}
		t.IP4Length, s = n, s[:i]
	}
	return s, ""
}

// lengthAt returns the index of the "/" in front of the digits at the end of s, -1 if there is none.
func lengthAt(s string) int {
	i := len(s)
	for i > 0 && isDigit(s[i-1]) {
		i--
	}
	if i == len(s) || i == 0 || s[i-1] != '/' {
		return -1
	}
	return i - 1
}

// prefixLength reads "0" or digits without a leading zero, up to max.
func prefixLength(s string, max uint) (uint8, bool) {
	if s == "" || len(s) > 3 || s[0] == '0' && len(s) > 1 {
		return 0, false
	}
	var n uint
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return 0, false
		}
		n = n*10 + uint(s[i]-'0')
	}
	return uint8(n), n <= max
}

// scanDomainSpec checks a domain-spec: a macro-string that ends in a macro, or
// in a top label and perhaps a dot (RFC 7208, section 7.1). Without the demand
// for a top label "a:foo/24" and "a:foo" could not be told apart, and a typing
// error would become a name.
func (t *Term) scanDomainSpec(s string) Error {
	t.DomainSpec = s
	literal, e := scanMacroString(s, false)
	if e != "" {
		return e
	}
	if literal == len(s) {
		if s == "" {
			return ErrDomainSpec
		}
		return ""
	}
	tail := strings.TrimSuffix(s[literal:], ".")
	dot := strings.LastIndexByte(tail, '.')
	if dot < 0 || !isTopLabel(tail[dot+1:]) {
		return ErrDomainSpec
	}
	return ""
}

// isTopLabel reports whether s is letters, digits and inner hyphens, and not
// digits alone (RFC 7208, section 7.1).
func isTopLabel(s string) bool {
	if s == "" || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	digits := true
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			if digits = false; !isAlpha(s[i]) && s[i] != '-' {
				return false
			}
		}
	}
	return !digits
}

// scanMacroString checks a macro-string and returns where its last run of
// literals begins. explain allows the letters c, r and t, which RFC 7208,
// section 7.2 keeps for explanations; modifiers of other specifications may have
// them too.
func scanMacroString(s string, explain bool) (literal int, e Error) {
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '%':
			m, ok := parseMacro(s[i:])
			if !ok || !explain && m.explainOnly() {
				return 0, ErrMacro
			}
			i += m.size
			literal = i
		case c <= ' ' || c > maxVisible:
			return 0, ErrCharacter
		default:
			i++
		}
	}
	return literal, ""
}

func isDigit(c byte) bool    { return '0' <= c && c <= '9' }
func isAlpha(c byte) bool    { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isNameChar(c byte) bool { return isAlpha(c) || isDigit(c) || c == '-' || c == '_' || c == '.' }
