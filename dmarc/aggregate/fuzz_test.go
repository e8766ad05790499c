package aggregate_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dmarc/aggregate"
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

// FuzzXML is F19 of the threat matrix.
func FuzzXML(f *testing.F) {
	for _, s := range []string{
		good, head + tail, strings.ReplaceAll(good, "><", ">\n<!-- x --><"), strings.Replace(good, "Example<", "<![CDATA[x]]>&#65;<", 1),
		strings.Replace(good, "<feedback", "<!DOCTYPE feedback [<!ENTITY a 'b'>]><feedback", 1), strings.NewReplacer("</", "</d:", "<?", "<?", "<", "<d:", "xmlns=", "xmlns:d=").Replace(good),
		strings.Replace(good, ` xmlns="urn:ietf:params:xml:ns:dmarc-2.0"`, "", 1), good[:200],
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		checkRead(t, append([]byte("<"), bytes.TrimPrefix(data, []byte("<"))...))
	})
}

// FuzzOpen is F20: archives and mails.
func FuzzOpen(f *testing.F) {
	for _, s := range []string{
		gzipped(f, good), zipped(f, good), zipped(f, "", "Hello.", good), mailed("application/gzip", "r.xml.gz", gzipped(f, good)), mailed("text/xml", "r.xml", good),
		gzipped(f, good) + gzipped(f, " "), "\r\n" + gzipped(f, good) + "\r\n", gzipped(f, gzipped(f, good)), zipped(f, zipped(f, good)), zipped(f, good)[:80],
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(checkRead)
}
