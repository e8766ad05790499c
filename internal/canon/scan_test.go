package canon

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Each length of white space, of each octet and of both.
func TestWSPLen(t *testing.T) {
	for n := range 70 {
		for _, kind := range []string{" ", "\t", " \t", "\t ", "   \t", "        \t", "\t        "} {
			run := strings.Repeat(kind, n)[:n]
			for _, behind := range []string{"", "x", "\r\n", "\x00", "xxxxxxxxxxxxxxxxxx", "x         "} {
				require.Equal(t, n, wspLen([]byte(run+behind)), "%q", run+behind)
			}
		}
	}
}

// Lines of one length, which one function passes over by their length, with line
// ends that are none: as many CRs as LFs are no proof that they belong together.
func TestLinesOfOneLength(t *testing.T) {
	c := checker{TB: t}
	line := strings.Repeat("b", 30)
	for lines := 2; lines < 8; lines++ {
		good := strings.Repeat(line+"\r\n", lines)
		c.check(good)
		c.check(good[:len(good)-1])
		c.check(good[:len(good)-2])
		c.check(strings.Repeat("b\r"+line+"\n", lines))        // each LF without its CR
		c.check(strings.Repeat("b\n"+line+"\r", lines))        // each CR without its LF
		c.check(strings.Repeat(line+"\n\r", lines))            // the wrong way round
		c.check(strings.Repeat(line+"\r\n", lines) + "\r\r\n") // one too many
		for i := range good {
			for _, odd := range []string{"\r", "\n", "\nbb\r", "\rbb\n", "\n\r", "\r\n", "\r\r", "b"} {
				if i+len(odd) <= len(good) {
					c.check(good[:i] + odd + good[i+len(odd):])
				}
			}
		}
	}
}
