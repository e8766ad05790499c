package message

import "io"

// CRLF returns a reader of r in which every LF that is not preceded by a CR
// has one: what a file with LF line ends, as mail stores keep them, must go
// through before it is a message (decision 26). A CRLF stays as it is, and so
// does a CR alone. It must not be used on what came over SMTP: there it would
// make line ends, and header fields, that the sender's other readers do not see.
func CRLF(r io.Reader) io.Reader { return &crlf{r: r} }

type crlf struct {
	r    io.Reader
	buf  []byte // what was read and not yet returned
	mem  [4096]byte
	cr   bool // the octet before buf is a CR
	lf   bool // an LF is owed: its CR has been returned
	err  error
	zero int // reads in a row that gave nothing
}

func (c *crlf) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	for n == 0 {
		if len(c.buf) == 0 && !c.lf {
			if c.err != nil {
				return 0, c.err
			}
			k, err := c.r.Read(c.mem[:])
			c.buf, c.err = c.mem[:k], err
			if c.zero++; k > 0 {
				c.zero = 0
			} else if c.zero > maxIdle && err == nil {
				return 0, io.ErrNoProgress
			}
			continue
		}
		if c.lf {
			p[n] = '\n'
			n++
			c.lf, c.cr = false, false
		}
		for n < len(p) && len(c.buf) > 0 {
			b := c.buf[0]
			c.buf = c.buf[1:]
			if b == '\n' && !c.cr {
				p[n] = '\r'
				n++
				if n == len(p) {
					c.lf = true
					return n, nil
				}
			}
			p[n] = b
			n++
			c.cr = b == '\r'
		}
	}
	return n, nil
}
