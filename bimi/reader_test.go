package bimi

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/seed2385d973/mailauth/bimi/svgps"
	"github.com/seed2385d973/mailauth/internal/testcase"
	msg "github.com/seed2385d973/mailauth/message"
)

func parseHeader(t testing.TB, text string) *msg.Header {
	t.Helper()
	h, err := msg.ParseHeader([]byte(text))
	require.NoError(t, err)
	return h
}

// TestReader: what a mail program may show (R1 to R3).
func TestReader(t *testing.T) {
	svg := markcerttest.SVG()
	sum := sha256.Sum256(svg)
	hash := hex.EncodeToString(sum[:])
	hostile := bytes.Replace(svg, []byte("</svg>"), []byte("<script/></svg>"), 1)
	hostileSum := sha256.Sum256(hostile)
	hostileHash := hex.EncodeToString(hostileSum[:])
	large := append(bytes.Clone(svg), bytes.Repeat([]byte("\n"), svgps.DefaultMaxSize-len(svg)+1)...)
	ar := func(rest string) string { return "Authentication-Results: mx.example; " + rest + "\r\n" }
	from := "From: News <news@shop.example.com>\r\n"
	good := " policy.indicator-hash=" + hash[56:]
	pass := "bimi=pass header.d=example.com header.selector=default policy.authority=pass policy.mark-type=\"Registered Mark\" policy.logo-preference=personal"
	field := indicatorField(svg)
	about := func(d string) string { return ar("bimi=pass header.d=" + d + " policy.authority=pass" + good) }
	for _, tt := range []struct {
		name, header string
		v            Reader
		err          error
	}{
		{"good", ar(pass+" policy.indicator-hash="+hash[56:]) + field, Reader{}, nil},
		{"whole hash, upper case", ar(pass+" policy.indicator-hash="+strings.ToUpper(hash)) + field, Reader{}, nil},
		{"seven digits", ar(pass+" policy.indicator-hash="+hash[57:]) + field, Reader{}, ErrHash},
		{"first digits", ar(pass+" policy.indicator-hash="+hash[:8]) + field, Reader{}, ErrHash},
		{"other image", ar(pass+" policy.indicator-hash="+hash[56:]) + indicatorField(hostile), Reader{}, ErrHash},
		{"no hash", ar(pass) + field, Reader{}, ErrHash},
		{"no hash, allowed", ar(pass) + field, Reader{AllowMissingHash: true}, nil},
		{"wrong hash, missing one allowed", ar(pass+" policy.indicator-hash=00000000") + field, Reader{AllowMissingHash: true}, ErrHash},
		{"no result", field, Reader{}, ErrNotTrusted},
		{"other provider's", "Authentication-Results: mx.evil.example; " + pass + "\r\n" + field, Reader{}, ErrNotTrusted},
		{"result without bimi", ar("dmarc=pass header.from=example.com") + field, Reader{}, ErrNotTrusted},
		{"two results", ar(pass) + ar(pass) + field, Reader{}, ErrAmbiguous},
		{"two results in one", ar(pass+"; "+pass) + field, Reader{}, ErrAmbiguous},
		{"two indicators", ar(pass+" policy.indicator-hash="+hash[56:]) + field + field, Reader{}, ErrAmbiguous},
		{"fail", ar("bimi=fail policy.authority=pass policy.indicator-hash="+hash[56:]) + field, Reader{}, ErrNotPass},
		{"authority demanded", ar("bimi=pass header.d=example.com policy.authority=none policy.indicator-hash="+hash[56:]) + field, Reader{RequireAuthority: true}, ErrNotPass},
		{"no indicator", ar(pass), Reader{}, ErrNoIndicator},
		{"R3 location is not followed", ar(pass) + "BIMI-Location: v=BIMI1; l=https://evil.example/x.svg\r\n", Reader{}, ErrNoIndicator},
		{"not base64", ar(pass) + "BIMI-Indicator: <svg/>\r\n", Reader{}, ErrEncoding},
		{"compressed", ar(pass) + indicatorField(gz(t, svg)), Reader{}, ErrEncoding},
		{"too large", ar(pass) + indicatorField(large), Reader{}, ErrEncoding},
		{"empty", ar(pass) + "BIMI-Indicator:\r\n", Reader{}, ErrEncoding},
		{"hostile", ar(pass+" policy.indicator-hash="+hostileHash[56:]) + indicatorField(hostile), Reader{SVG: svgps.Options{Profile: svgps.Lenient}}, ErrIndicator},
		{"about another domain", about("other.example") + field, Reader{}, ErrOtherAuthor},
		{"about a name that ends alike", about("le.com") + field, Reader{}, ErrOtherAuthor},
		{"about a domain below", about("a.shop.example.com") + field, Reader{}, ErrOtherAuthor},
		{"about a top-level domain", about("com") + field, Reader{}, ErrOtherAuthor},
		{"about nobody", ar("bimi=pass policy.authority=pass"+good) + field, Reader{}, ErrOtherAuthor},
		{"second From", ar(pass+good) + field + "From: <ceo@bank.example>\r\n", Reader{}, ErrOtherAuthor},
		{"no From", ar(pass+good) + field + "no", Reader{}, ErrOtherAuthor},
		{"two authors", ar(pass+good) + field + "only From: a@shop.example.com, ceo@bank.example\r\n", Reader{}, ErrOtherAuthor},
		{"two authors of the domain", ar(pass+good) + field + "only From: a@shop.example.com, b@shop.example.com\r\n", Reader{}, ErrOtherAuthor},
		{"From with a blank before the colon", ar(pass+good) + field + "From : <ceo@bank.example>\r\n", Reader{}, ErrOtherAuthor},
		{"capitals", ar(strings.Replace(pass, "example.com", "Example.COM", 1)+good) + field, Reader{}, nil},
	} {
		t.Run("R1 R2 "+tt.name, func(t *testing.T) {
			tt.v.AuthservIDs = []string{"mx.example"}
			text := from + tt.header
			if fields, ok := strings.CutSuffix(tt.header, "no"); ok {
				text = fields
			} else if fields, one, ok := strings.Cut(tt.header, "only "); ok {
				text = fields + one
			}
			got, err := tt.v.Read(parseHeader(t, text))
			if tt.err != nil {
				require.ErrorIs(t, err, tt.err)
				require.Zero(t, got)
				return
			}
			require.NoError(t, err)
			require.Equal(t, Indicator{SVG: svg, Author: "shop.example.com", Domain: "example.com", Selector: "default", Certified: true, MarkType: "Registered Mark", Preference: Personal}, got)
		})
	}
	_, err := new(Reader).Read(parseHeader(t, ar(pass)+field))
	require.ErrorIs(t, err, ErrNotTrusted, "the zero Reader trusts nobody")
}

// TestLargestIndicator: what a receiver writes, a reader can read, up to the limit.
func TestLargestIndicator(t *testing.T) {
	svg := append(markcerttest.SVG(), bytes.Repeat([]byte(" "), svgps.DefaultMaxSize-len(markcerttest.SVG()))...)
	sum := sha256.Sum256(svg)
	field := indicatorField(svg)
	for line := range strings.Lines(field) {
		require.LessOrEqual(t, len(line), 101)
	}
	h := parseHeader(t, "From: a@example.com\r\nAuthentication-Results: mx; bimi=pass header.d=example.com policy.indicator-hash="+hex.EncodeToString(sum[:])+"\r\n"+field)
	got, err := (&Reader{AuthservIDs: []string{"mx"}}).Read(h)
	require.NoError(t, err)
	require.Equal(t, svg, got.SVG)
}

// TestReaderLieser: a message as a provider delivered it, who writes no hash.
func TestReaderLieser(t *testing.T) {
	dir := testcase.Corpora(t, "bimi", "lieser")
	data, err := os.ReadFile(filepath.Join(dir, "rfc6376-A.2-with_bimi.eml"))
	require.NoError(t, err)
	want, err := os.ReadFile(filepath.Join(dir, "example.svg"))
	require.NoError(t, err)
	h := parseHeader(t, string(bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))))
	v := Reader{AuthservIDs: []string{"mx5.messagingengine.com"}}
	_, err = v.Read(h)
	require.ErrorIs(t, err, ErrHash)
	v.AllowMissingHash = true
	got, err := v.Read(h)
	require.NoError(t, err)
	require.Equal(t, string(bytes.TrimRight(want, "\r\n")), string(bytes.TrimRight(got.SVG, "\r\n")))
	require.Equal(t, "example.com", got.Domain)
	require.True(t, got.Certified)
	testcase.Ran(t, "bimi/lieser", 1, 1)
}

// TestStrip is row BIM-28 of the threat matrix: every form that some reader takes
// for a receiver's field is found, and nothing else.
func TestStrip(t *testing.T) { t.Run("Q1 BIM-28", strip) }

func strip(t *testing.T) {
	strip := []string{
		"BIMI-Location: x", "bimi-location:x", "BIMI-INDICATOR:", "BIMI-Logo-Preference: x", "BIMI-Location : x", "BIMI-Location\t: x",
		"BIMI-Location\r\n : x", "BIMI-\x00Location: x", "BIMI-Indicator\u00a0: x", "X: y\rBIMI-Indicator: z", "X: y\nbimi-location: z",
		"BIMI\u200b-Location: x", "X: y\r\r\nBIMI-Location: z",
		"X: y\nBIMI-Location" + strings.Repeat(" ", 99) + ": z", "X: y\u2028BIMI-Location: z", "X: y\vbimi-indicator: z", " BIMI-Location: x",
	}
	keep := []string{
		"BIMI-Selector: v=BIMI1; s=x", "X-BIMI-Location: x", "Subject: BIMI-Location: x", "BIMI-Locations: x", "BIMI-Location x",
		"Subject: a\r\n BIMI-Location: x", "Subject: a\v BIMI-Location: x", "BIMI-Loc: x", "Bim: imi", "From: b@imi.example",
	}
	for _, s := range strip {
		require.True(t, ours([]byte(s+"\r\n")), "%q", s)
	}
	for _, s := range keep {
		require.False(t, ours([]byte(s+"\r\n")), "%q", s)
	}
	h := parseHeader(t, keep[0]+"\r\n"+strip[1]+"\r\n"+keep[2]+"\r\n"+strip[4]+"\r\n")
	require.Equal(t, []int{1, 3}, Strip(h))
}

// TestResultsToSign: each of the provider's results, and one more (P9, 40).
func TestResultsToSign(t *testing.T) { t.Run("P9", resultsToSign) }

func resultsToSign(t *testing.T) {
	h := parseHeader(t, "Authentication-Results: a; none\r\nSubject: x\r\nauthentication-results: b; none\r\n")
	require.Equal(t, []string{"Authentication-Results", "Authentication-Results", "Authentication-Results"}, ResultsToSign(h))
}

// FuzzReader goes with F17: an indicator comes without an error, and only then.
func FuzzReader(f *testing.F) {
	image := base64.StdEncoding.EncodeToString(markcerttest.SVG())
	sum := sha256.Sum256(markcerttest.SVG())
	pass := "bimi=pass header.d=example.com policy.authority=pass policy.indicator-hash=" + hex.EncodeToString(sum[:])
	f.Add("a@example.com", pass, image)
	f.Add("a@sub.example.com", pass, image)
	f.Add("a@example.com, b@other.example", pass, image)
	f.Add("a@example.com\r\nFrom: b@other.example", pass, image)
	f.Add("a@example.com", "bimi=pass header.d=com", image)
	f.Fuzz(func(t *testing.T, from, ar, indicator string) {
		h, err := msg.ParseHeader([]byte("From: " + from + "\r\nAuthentication-Results: mx; " + ar + "\r\nBIMI-Indicator: " + indicator + "\r\n"))
		if err != nil {
			return
		}
		got, err := (&Reader{AuthservIDs: []string{"mx"}}).Read(h)
		if (err == nil) != (len(got.SVG) > 0) {
			t.Fatal("an indicator with an error, or neither")
		}
		if err == nil && (len(h.All("From")) != 1 || got.Author != got.Domain && !strings.HasSuffix(got.Author, "."+got.Domain)) {
			t.Fatalf("a logo of %s beside %q", got.Domain, from)
		}
	})
}
