package dkim

// lineLength is where a field is folded: RFC 5322, section 2.1.1 wants lines of
// no more than 78 characters. A domain name that is longer stands on a line of its own.
const lineLength = 78

// fieldWriter writes a tag-list as a header field. It folds before a tag, after
// a colon of a list and anywhere in base64, which is where RFC 6376, section 3.2
// allows white space without a doubt.
type fieldWriter struct {
	buf  []byte
	line int // octets of the current line
}

func newFieldWriter(name string) *fieldWriter {
	return &fieldWriter{buf: append(make([]byte, 0, 1024), name...), line: len(name)}
}

func (w *fieldWriter) fold() {
	w.buf = append(w.buf, "\r\n "...)
	w.line = 1
}

func (w *fieldWriter) write(s string) {
	w.buf = append(w.buf, s...)
	w.line += len(s)
}

// open begins a tag; room is what has to stand on the same line.
func (w *fieldWriter) open(room int) {
	if w.line+1+room > lineLength {
		w.fold()
	} else {
		w.write(" ")
	}
}

// tag writes a whole tag on one line.
func (w *fieldWriter) tag(s string) {
	w.open(len(s) + 1)
	w.write(s)
	w.write(";")
}

// text writes dkim-quoted-printable, in which white space may stand anywhere but
// within an octet; only the local part can need it.
func (w *fieldWriter) text(name, s string) {
	w.open(len(name) + len(s) + 1)
	w.write(name)
	for len(s) > 0 {
		n := 1
		if s[0] == '=' {
			n = 3
		}
		if s[0] == '@' {
			n = len(s) // a domain name cannot be folded
		}
		if w.line+n+1 > lineLength && w.line > 1 {
			w.fold()
		}
		w.write(s[:n])
		s = s[n:]
	}
	w.write(";")
}

// list writes names separated by colons.
func (w *fieldWriter) list(tag string, names []string) {
	w.open(len(tag) + len(names[0]) + 1)
	w.write(tag)
	for i, n := range names {
		if w.line+len(n)+1 > lineLength && i > 0 {
			w.fold()
		}
		w.write(n)
		if i < len(names)-1 {
			w.write(":")
		}
	}
	w.write(";")
}

// data writes a short base64 value on one line.
func (w *fieldWriter) data(tag, s string) { w.tag(tag + s) }

// begin opens the last tag, whose value follows.
func (w *fieldWriter) begin(tag string) {
	w.fold()
	w.write(tag)
}

// value writes base64 over as many lines as it takes.
func (w *fieldWriter) value(s string) {
	for {
		n := min(len(s), lineLength-w.line)
		w.write(s[:n])
		if s = s[n:]; s == "" {
			return
		}
		w.fold()
	}
}

func (w *fieldWriter) end() string { return string(append(w.buf, '\r', '\n')) }
