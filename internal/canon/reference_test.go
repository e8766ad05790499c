package canon

import "strings"

// referenceBody is the twin of Body: one-shot, naive, and as close to the words
// of RFC 6376, sections 3.4.3 and 3.4.4, as can be.
func referenceBody(body string, relaxed bool) string {
	lines := strings.Split(body, "\r\n")
	if relaxed {
		for i, l := range lines {
			var b strings.Builder
			run := false
			for _, c := range []byte(l) {
				if c == ' ' || c == '\t' {
					run = true // reduce to one SP; ignored at the end of the line
					continue
				}
				if run {
					b.WriteByte(' ')
					run = false
				}
				b.WriteByte(c)
			}
			lines[i] = b.String()
		}
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 {
		if relaxed {
			return ""
		}
		return "\r\n"
	}
	return strings.Join(lines, "\r\n") + "\r\n"
}

// referenceRelaxedField is the twin of the header canonicalizer: the steps of
// RFC 6376, section 3.4.2, one after another over whole strings.
func referenceRelaxedField(field string) string {
	name, value, _ := strings.Cut(field, ":")
	for c := byte('A'); c <= 'Z'; c++ {
		name = strings.ReplaceAll(name, string(c), string(c+'a'-'A'))
	}
	value = strings.TrimSuffix(value, "\r\n")
	step := func(s string) string {
		s = strings.ReplaceAll(s, "\r\n", "")
		s = strings.ReplaceAll(s, "\t", " ")
		for strings.Contains(s, "  ") {
			s = strings.ReplaceAll(s, "  ", " ")
		}
		return s
	}
	return strings.TrimSuffix(step(name), " ") + ":" + strings.TrimPrefix(strings.TrimSuffix(step(value), " "), " ")
}

// referenceLineEnds says whether body has a CR or LF outside of CRLF.
func referenceLineEnds(body string) (cr, lf bool) {
	rest := strings.ReplaceAll(body, "\r\n", "")
	return strings.Contains(rest, "\r"), strings.Contains(rest, "\n")
}
