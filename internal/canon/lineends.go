package canon

// LineEnds finds out whether a body that arrives in pieces has a CR or an LF
// that is not part of a CRLF. The zero value is ready to use.
type LineEnds struct {
	BareCR, BareLF bool
	cr             bool // a CR came last
}

// Write takes the next octets of the body.
func (l *LineEnds) Write(p []byte) {
	for _, c := range p {
		if c == '\n' {
			if !l.cr {
				l.BareLF = true
			}
		} else if l.cr {
			l.BareCR = true
		}
		l.cr = c == '\r'
	}
}

// Close takes note that the body has ended.
func (l *LineEnds) Close() {
	if l.cr {
		l.BareCR = true
	}
}
