package aggregate_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
)

// repeating is a document of any size: head, then piece again and again.
type repeating struct {
	head, piece string
	left        int64
	at          int
}

func (r *repeating) Read(p []byte) (int, error) {
	if r.head != "" {
		n := copy(p, r.head)
		r.head = r.head[n:]
		return n, nil
	}
	if r.left <= 0 {
		return 0, io.EOF
	}
	n := copy(p, r.piece[r.at:])
	r.at, r.left = (r.at+n)%len(r.piece), r.left-int64(n)
	return n, nil
}

func bomb(t *testing.T, head, piece string, size int64) string {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	require.NoError(t, err)
	_, err = io.Copy(w, &repeating{head: head, piece: piece, left: size})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

// allocated returns what f allocates in all, whether freed or not.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestThreats is the group REP of the threat matrix, as far as reading goes.
func TestThreats(t *testing.T) {
	blanks := strings.Repeat(" ", 4096)
	gz := bomb(t, head, blanks, 70<<20)
	small := gzipped(t, good)
	patched := func(s string, at int, value uint32) string {
		b := []byte(s)
		binary.LittleEndian.PutUint32(b[at:], value)
		return string(b)
	}
	archive := zipped(t, good)
	directory := strings.Index(archive, "PK\x01\x02")
	raise := aggregate.Parser{Limits: aggregate.Limits{Ratio: 1 << 30}}
	repeat := func(old, new string) string { return strings.Replace(good, old, new, 1) }

	type row struct {
		id, name string
		p        aggregate.Parser
		in       string
		want     error // nil: it is read
		max      uint64
	}
	rows := []row{
		{"REP-01", "ratio", aggregate.Parser{}, gz, aggregate.ErrOutput, 1 << 20},
		{"REP-01", "64 MiB out", raise, gz, aggregate.ErrOutput, 1 << 20},
		{"REP-01", "in a mail", aggregate.Parser{}, mailed("application/gzip", "r", gz), aggregate.ErrOutput, 4 << 20},
		{"REP-01", "members", aggregate.Parser{}, small + strings.Repeat(gzipped(t, blanks+blanks), 500), nil, 1 << 20},
		{"REP-01", "gzip in gzip", aggregate.Parser{}, gzipped(t, small), aggregate.ErrXML, 1 << 20},
		{"REP-01", "trailing garbage", aggregate.Parser{}, small + "garbage", nil, 1 << 20},
		{"REP-01", "trailing garbage, strict", aggregate.Parser{Strict: true}, small + "garbage", aggregate.ErrStrict, 1 << 20},
		{"REP-01", "20 MiB in", aggregate.Parser{}, strings.Repeat(" ", 21<<20), aggregate.ErrInput, 1 << 20},
		{"REP-02", "size lies", aggregate.Parser{}, patched(archive, directory+24, 1), nil, 1 << 20},
		{"REP-02", "compressed size lies", aggregate.Parser{}, patched(archive, directory+20, 1<<30), aggregate.ErrArchive, 1 << 20},
		{"REP-02", "checksum", aggregate.Parser{}, patched(archive, directory+16, 0), aggregate.ErrArchive, 1 << 20},
		{"REP-02", "comment that looks like the end", aggregate.Parser{Strict: true}, archive[:len(archive)-2] + "\x18\x00PK\x05\x06" + strings.Repeat("x", 20), nil, 1 << 20},
		{"REP-02", "junk, strict", aggregate.Parser{Strict: true}, archive + "junk", aggregate.ErrStrict, 1 << 20},
		{"REP-02", "four octets", aggregate.Parser{}, archive[:4], aggregate.ErrArchive, 1 << 20},
		{"REP-02", "entry cut short", aggregate.Parser{}, archive[:directory+4] + archive[len(archive)-22:], aggregate.ErrArchive, 1 << 20},
		{"REP-02", "directory beyond", aggregate.Parser{}, patched(archive, len(archive)-6, 1<<32-1), aggregate.ErrArchive, 1 << 20},
		{"REP-02", "directory at the end", aggregate.Parser{}, patched(archive, len(archive)-6, uint32(len(archive)-22)), aggregate.ErrArchive, 1 << 20},
		{"REP-02", "junk that looks like the end", aggregate.Parser{}, archive + "PK\x05\x06", nil, 1 << 20},
		{"REP-02", "zip64", aggregate.Parser{}, patched(archive, directory+20, 1<<32-1), aggregate.ErrArchive, 1 << 20},
		{"REP-02", "offset beyond", aggregate.Parser{}, patched(archive, directory+42, 1<<32-1), aggregate.ErrArchive, 1 << 20},
		{"REP-02", "encrypted", aggregate.Parser{}, patched(archive, directory+8, 8<<16|1), aggregate.ErrArchive, 1 << 20},
		{"REP-02", "bomb", aggregate.Parser{}, zipped(t, head+strings.Repeat(" ", 30<<20)), aggregate.ErrOutput, 2 << 20},
		{"REP-02", "2,000 members", aggregate.Parser{}, zipped(t, make([]string, 2000)...), aggregate.ErrArchive, 1 << 20},
		{"REP-02", "two reports", aggregate.Parser{}, zipped(t, good, good), aggregate.ErrArchive, 1 << 20},
		{"REP-02", "nested zip", aggregate.Parser{}, zipped(t, archive), aggregate.ErrArchive, 1 << 20},
		{"REP-02", "path", aggregate.Parser{}, archive, nil, 1 << 20}, // ../../etc/0.xml
		{"REP-04", "depth 10^5", aggregate.Parser{}, head + strings.Repeat("<a>", 1e5), aggregate.ErrLimit, 1 << 20},
		{"REP-04", "1 MiB of text", aggregate.Parser{}, repeat("Example<", strings.Repeat("x", 1<<20)+"<"), aggregate.ErrLimit, 1 << 20},
		{"REP-04", "1 MiB in CDATA", aggregate.Parser{}, repeat("Example<", "<![CDATA["+strings.Repeat("x", 1<<20)+"]]><"), aggregate.ErrLimit, 1 << 20},
		{"REP-04", "1 MiB of CDATA sections", aggregate.Parser{}, repeat("Example<", strings.Repeat("<![CDATA[xxxxxxxx]]>", 1<<16)+"<"), aggregate.ErrLimit, 8 << 20},
		{"REP-04", "1 MiB name", aggregate.Parser{}, repeat("<row>", "<"+strings.Repeat("x", 1<<20)+">"), aggregate.ErrLimit, 1 << 20},
		{"REP-04", "1 MiB attribute", aggregate.Parser{}, repeat("<row>", `<row a="`+strings.Repeat("x", 1<<20)+`">`), aggregate.ErrLimit, 1 << 20},
		{"REP-04", "10^5 attributes", aggregate.Parser{}, repeat("<row>", "<row"+strings.Repeat(` a="b"`, 1e5)+">"), aggregate.ErrXML, 1 << 20},
		{"REP-04", "p twice", aggregate.Parser{}, repeat("<p>reject</p>", "<p>none</p><p>reject</p>"), aggregate.ErrDuplicate, 1 << 20},
		{"REP-04", "metadata twice", aggregate.Parser{}, repeat("<policy_published>", "<report_metadata/><policy_published>"), aggregate.ErrDuplicate, 1 << 20},
		{"REP-04", "source_ip twice", aggregate.Parser{}, repeat("<count>", "<source_ip>192.0.2.2</source_ip><count>"), aggregate.ErrDuplicate, 1 << 20},
		{"REP-04", "unknown namespaces", aggregate.Parser{Strict: true}, repeat("</record>", `<x:a xmlns:x="urn:x"><x:row/></x:a></record>`), nil, 1 << 20},
		{"REP-04", "a foreign p", aggregate.Parser{}, repeat("<p>reject</p>", `<p>reject</p><x:p xmlns:x="urn:x">none</x:p>`), nil, 1 << 20},
		{"REP-04", "two roots", aggregate.Parser{}, good + "<feedback/>", aggregate.ErrXML, 1 << 20},
		{"REP-04", "DTD", aggregate.Parser{}, repeat("<feedback", "<!DOCTYPE feedback SYSTEM 'file:///etc/passwd'><feedback"), aggregate.ErrXML, 1 << 20},
		{"REP-04", "entities", aggregate.Parser{}, repeat("<feedback", `<!DOCTYPE f [<!ENTITY a "`+strings.Repeat("x", 1000)+`">]><feedback`), aggregate.ErrXML, 1 << 20},
		{"REP-05", "-1", aggregate.Parser{}, head + record("192.0.2.1", "-1") + tail, aggregate.ErrCount, 1 << 20},
		{"REP-05", "1e9", aggregate.Parser{}, head + record("192.0.2.1", "1e9") + tail, aggregate.ErrCount, 1 << 20},
		{"REP-05", "2^64", aggregate.Parser{}, head + record("192.0.2.1", "18446744073709551616") + tail, aggregate.ErrCount, 1 << 20},
		{"REP-05", "empty", aggregate.Parser{}, head + record("192.0.2.1", "") + tail, aggregate.ErrCount, 1 << 20},
		{"REP-05", "end before begin", aggregate.Parser{Strict: true}, repeat("1700086399", "1600000000"), aggregate.ErrStrict, 1 << 20},
		{"REP-06", "mapped", aggregate.Parser{}, head + record("::ffff:1.2.3.4", "1") + tail, nil, 1 << 20},
		{"REP-06", "prefix", aggregate.Parser{}, head + record("1.2.3.4/0", "1") + tail, aggregate.ErrSourceIP, 1 << 20},
		{"REP-06", "zone", aggregate.Parser{}, head + record("fe80::1%eth0", "1") + tail, aggregate.ErrSourceIP, 1 << 20},
		{"REP-06", "text", aggregate.Parser{}, head + record("localhost", "1") + tail, aggregate.ErrSourceIP, 1 << 20},
		{"REP-06", "leading zero", aggregate.Parser{}, head + record("192.0.02.1", "1") + tail, aggregate.ErrSourceIP, 1 << 20},
		{"REP-17", "null reverse-path", aggregate.Parser{Strict: true}, repeat("<header_from>", "<envelope_from/><header_from>"), nil, 1 << 20},
	}
	for _, c := range rows {
		t.Run(c.id+"/"+c.name, func(t *testing.T) {
			var r aggregate.Report
			var err error
			total := allocated(func() {
				in, e := c.p.Open(strings.NewReader(c.in))
				if err = e; err != nil {
					return
				}
				for rec, e := range in.Records() {
					if err = e; err == nil {
						r.Records = append(r.Records, rec)
					}
				}
				r.Header = in.Header()
			})
			if c.want != nil {
				require.ErrorIs(t, err, c.want)
			} else {
				require.NoError(t, err)
				require.Len(t, r.Records, 1)
				require.Equal(t, dmarc.PolicyReject, r.Policy.P)
			}
			require.Less(t, total, c.max+3*uint64(min(len(c.in), 1<<20)), "allocated")
		})
	}
	t.Run("REP-05/sum", func(t *testing.T) {
		r := aggregate.Report{Records: []aggregate.Record{{Count: 1 << 62}, {Count: 1 << 62}, {Count: 1 << 62}}}
		require.Equal(t, int64(1<<63-1), r.Messages())
	})
	t.Run("REP-06/unmapped", func(t *testing.T) {
		r, err := read(aggregate.Parser{}, head+record("::ffff:1.2.3.4", "1")+tail)
		require.NoError(t, err)
		require.Equal(t, "1.2.3.4", r.Records[0].SourceIP.String())
	})
	t.Run("REP-07", func(t *testing.T) {
		text := "=cmd|' /C calc'!A0<script>\r\nX: \u202e"
		r, err := read(aggregate.Parser{}, repeat("Example<", strings.ReplaceAll(text, "<", "&lt;")+"<"))
		require.NoError(t, err)
		require.Equal(t, text, r.OrgName)
	})
	t.Run("REP-08", func(t *testing.T) {
		r, err := read(aggregate.Parser{Mail: &dmarc.Result{Status: authres.Fail, Domain: "evil.example"}}, mailed("text/xml", "r", good))
		require.NoError(t, err)
		require.Equal(t, aggregate.Sender{Evaluated: true, Domain: "evil.example", DomainMismatch: true}, r.Sender)
		require.False(t, r.Sender.Believable())
	})
	t.Run("REP-17/null reverse-path differs from none", func(t *testing.T) {
		r, err := read(aggregate.Parser{}, repeat("<header_from>", "<envelope_from/><header_from>"))
		require.NoError(t, err)
		require.True(t, r.Records[0].NullReversePath)
		r, err = read(aggregate.Parser{}, good)
		require.NoError(t, err)
		require.False(t, r.Records[0].NullReversePath)
	})
}
