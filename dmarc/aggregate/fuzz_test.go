package aggregate_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dmarc/aggregate"
	"github.com/seed2385d973/mailauth/internal/alphabet"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

// checkRead: whatever the octets are, a report that is read is within its limits,
// and is the same whatever the chunks are; strict accepts no more than lenient.
func checkRead(t *testing.T, data []byte) {
	p := aggregate.Parser{Limits: aggregate.Limits{Input: 1 << 20, Output: 1 << 20, Records: 100}}
	r, err := p.Read(bytes.NewReader(data))
	if err != nil {
		require.Equal(t, aggregate.Report{}, r)
	}
	again, errAgain := p.Read(&halves{data: data})
	require.Equal(t, err == nil, errAgain == nil)
	require.Equal(t, r, again)
	p.Strict = true
	if _, strict := p.Read(bytes.NewReader(data)); strict == nil {
		require.NoError(t, err)
		require.Empty(t, r.Warnings)
	}
	require.LessOrEqual(t, len(r.Records), 100)
	require.LessOrEqual(t, len(r.Warnings), 64)
	for _, rec := range r.Records {
		require.True(t, rec.SourceIP.IsValid() && !rec.SourceIP.Is4In6() && rec.SourceIP.Zone() == "")
		require.GreaterOrEqual(t, rec.Count, int64(0))
		require.LessOrEqual(t, len(rec.HeaderFrom), 3*4096)
	}
	_, err = r.MarshalJSON()
	require.NoError(t, err)
}

type halves struct{ data []byte }

func (h *halves) Read(p []byte) (int, error) {
	n := copy(p, h.data[:min(len(h.data), 7)])
	if h.data = h.data[n:]; n == 0 {
		return bytes.NewReader(nil).Read(p)
	}
	return n, nil
}

// FuzzXML is F19: report XML, well-formed and nearly so.
func FuzzXML(f *testing.F) {
	a := alphabet.Report()
	for _, s := range []string{
		good, head + tail, strings.ReplaceAll(good, "><", ">\n<!-- x --><"), strings.Replace(good, "Example<", "<![CDATA[x]]>&#65;<", 1),
		strings.Replace(good, "<feedback", "<!DOCTYPE feedback [<!ENTITY a 'b'>]><feedback", 1), strings.NewReplacer("</", "</d:", "<?", "<?", "<", "<d:", "xmlns=", "xmlns:d=").Replace(good),
		strings.Replace(good, ` xmlns="urn:ietf:params:xml:ns:dmarc-2.0"`, "", 1), good[:200],
	} {
		a.Seed(f.Add, s)
	}
	for _, s := range testcase.Samples("dmarc-reports", "*", "*.xml") {
		a.Seed(f.Add, s)
	}
	for _, s := range testcase.Samples("dmarc-reports", "parsedmarc", "aggregate*", "*.xml") {
		a.Seed(f.Add, s)
	}
	f.Fuzz(func(t *testing.T, data []byte, folded bool) {
		data = []byte(a.Text(data, folded))
		checkRead(t, append([]byte("<"), bytes.TrimPrefix(data, []byte("<"))...))
	})
}

// The forms of the input of FuzzOpen besides the file itself.
const (
	formMail   = 1 // folded by the alphabet of mail
	formPacked = 2 // instructions to a packer
	forms      = 3
)

// pack makes a file by instructions, one octet each and its arguments: what is put
// into what, and what is broken afterwards.
func pack(data []byte) []byte {
	next := func() (b byte) {
		if len(data) > 0 {
			b, data = data[0], data[1:]
		}
		return b
	}
	file := []byte(good)
	for steps := 0; len(data) > 0 && steps < 12 && len(file) < 1<<18; steps++ {
		var b bytes.Buffer
		switch next() % 12 {
		case 0:
			w, _ := gzip.NewWriterLevel(&b, gzip.HuffmanOnly)
			w.Name = strings.Repeat("x", int(next())&3)
			w.Write(file)
			w.Close()
			file = b.Bytes()
		case 1, 2: // with members before and behind
			w := zip.NewWriter(&b)
			others := next()
			for i := range 8 {
				h := &zip.FileHeader{Name: []string{"r.xml", "../../x", "d/", "r.xml.gz", "__MACOSX/r", "a.txt", "", "\xff"}[next()&7], Method: uint16(next()&1) * 8}
				member, err := w.CreateHeader(h)
				if err != nil {
					break
				}
				if i == int(others>>5) {
					member.Write(file)
					break
				}
				if others>>i&1 == 0 {
					member.Write([]byte("text"))
				}
			}
			w.Close()
			file = b.Bytes()
		case 3:
			file = []byte(mailed([]string{"application/gzip", "text/xml", "application/zip", "application/octet-stream"}[next()&3], []string{"r.xml.gz", "r.xml", "r.zip", ""}[next()&3], string(file)))
		case 4: // one octet changed
			if at := int(next())<<8 | int(next()); len(file) > 0 {
				file[at%len(file)] ^= next() | 1
			}
		case 5: // one of the last, where a zip has its directory
			if at := int(next()); len(file) > 0 {
				file[len(file)-1-at%len(file)] = next()
			}
		case 6:
			file = file[:len(file)-int(next())*len(file)/256]
		case 7:
			file = append(file, file[:len(file)/(1+int(next()&7))]...)
		case 8:
			file = append([]byte{"\r\n \x00"[next()&3]}, file...)
		case 9:
			file = append(file, make([]byte, int(next())*16)...)
		case 10: // the sizes in the local header
			if at := 14 + int(next())&15; at < len(file) {
				file[at] = next()
			}
		case 11:
			file = append(file, bytes.Repeat([]byte(record("192.0.2.1", "1")), int(next())&15)...)
		}
	}
	return file
}

// FuzzOpen is F20: archives and mails, and archives in mails.
func FuzzOpen(f *testing.F) {
	a := alphabet.Mail()
	for _, s := range []string{"\x00", "\x01\x00", "\x02\x40\x00\x01\x00\x01", "\x00\x03\x00\x00", "\x01\x00\x00\x01\x03\x02\x02", "\x00\x00\x00\x00", "\x01\x00\x00\x01\x05\x10\xff", "\x01\x00\x00\x00\x0a\x04\xff", "\x00\x00\x06\x40", "\x0b\x0f\x09\xff\x00"} {
		f.Add([]byte(s), uint8(formPacked))
	}
	for _, s := range append(testcase.Samples("dmarc-reports", "mail-dmarc", "*"), testcase.Samples("dmarc-reports", "parsedmarc", "aggregate*", "*")...) {
		f.Add([]byte(s), uint8(0))
	}
	for _, s := range []string{
		gzipped(f, good), zipped(f, good), zipped(f, "", "Hello.", good), mailed("application/gzip", "r.xml.gz", gzipped(f, good)), mailed("text/xml", "r.xml", good),
		gzipped(f, good) + gzipped(f, " "), "\r\n" + gzipped(f, good) + "\r\n", gzipped(f, gzipped(f, good)), zipped(f, zipped(f, good)), zipped(f, good)[:80],
	} {
		f.Add([]byte(s), uint8(0))
	}
	f.Add(a.Unfold(mailed("text/xml", "r.xml", good)), uint8(formMail))
	f.Add(a.Unfold(mailed("application/gzip", "r.xml.gz", gzipped(f, good))), uint8(formMail))
	f.Fuzz(func(t *testing.T, data []byte, form uint8) {
		switch form % forms {
		case formMail:
			data = []byte(a.Fold(data))
		case formPacked:
			data = pack(data)
		}
		checkRead(t, data)
	})
}
