package markcert

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"os"
	"strings"
	"testing"

	"github.com/seed2385d973/mailauth/internal/testcase"
	"github.com/stretchr/testify/require"
)

// TestSuiteLogotype reads every DER file of the logotype suite: extensions out of
// the appendix of RFC 9399, and a whole certificate. None of them is a BIMI logo.
func TestSuiteLogotype(t *testing.T) {
	want := map[string]struct {
		err       error
		mediaType string
		uri       string
	}{
		"rfc9399-b1-issuer-gif-extension.der":  {err: ErrNoLogotype},
		"rfc9399-b2-issuer-jpeg-extension.der": {err: ErrNoLogotype},
		"certificate-subject-png-url.der":      {mediaType: "image/png", uri: "http://www.vigilsec.com/vigilsec_logo.png"},
	}
	dir := testcase.Corpora(t, "bimi", "logotype")
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	n := 0
	for _, f := range files {
		n++
		w, ok := want[f.Name()]
		require.True(t, ok, "no answer of ours for %s", f.Name())
		data, err := os.ReadFile(dir + "/" + f.Name())
		require.NoError(t, err)
		l, err := parseLogotype(findLogotype(t, data))
		require.ErrorIs(t, err, w.err, f.Name())
		require.Equal(t, w.mediaType, l.mediaType)
		require.Equal(t, w.uri, l.uri)
		if w.err == nil {
			c := &check{v: &Verifier{}}
			_, err = c.open(l)
			require.ErrorIs(t, err, ErrLogotypeMediaType)
		}
	}
	testcase.Ran(t, "bimi/logotype", n, len(want))
}

// findLogotype returns the value of the extension in an Extension or a certificate.
func findLogotype(t *testing.T, raw []byte) []byte {
	const id = "\x2b\x06\x01\x05\x05\x07\x01\x0c"
	d := der(raw)
	var got string
	var critical bool
	var value der
	if e := d; e.extension(&got, &critical, &value) {
		require.Equal(t, id, got)
		return value
	}
	var cert, tbs, wrapped, list der
	require.True(t, d.read(tagSequence, &cert) && cert.read(tagSequence, &tbs))
	for !tbs.peek(tagConstructed | 3) {
		_, _, _, ok := tbs.any()
		require.True(t, ok)
	}
	require.True(t, tbs.read(tagConstructed|3, &wrapped) && wrapped.read(tagSequence, &list))
	for len(list) > 0 {
		require.True(t, list.extension(&got, &critical, &value))
		if got == id {
			return value
		}
	}
	t.Fatal("no logotype in the file")
	return nil
}

// el is one element of DER, for tests that write structures down.
func el(tag byte, content ...[]byte) []byte { return appendDER(nil, tag, content...) }

var (
	testHash  = el(0x30, el(0x30, el(0x06, []byte(hashSHA256)), el(0x05)), el(0x04, make([]byte, 32)))
	testType  = el(0x16, []byte("image/svg+xml"))
	testURI   = el(0x16, []byte("data:,"))
	testImage = el(0x30, el(0x30, testType, el(0x30, testHash), el(0x30, testURI)))
)

func subject(info []byte) []byte    { return el(0x30, el(0xa2, info)) }
func direct(image ...[]byte) []byte { return el(0xa0, el(0x30, image...)) }

// TestParseLogotype is the grammar of the extension: RFC 9399, section 4.1.
func TestParseLogotype(t *testing.T) {
	details := func(parts ...[]byte) []byte { return subject(direct(el(0x30, el(0x30, parts...)))) }
	hashOf := func(algorithm ...[]byte) []byte { return el(0x30, el(0x30, algorithm...), el(0x04, []byte{1})) }
	oid := el(0x06, []byte(hashSHA256))
	long := func(tag byte, content []byte) []byte {
		return append([]byte{tag, 0x82, byte(len(content) >> 8), byte(len(content))}, content...)
	}
	hashes16, hashes17 := bytes.Repeat(testHash, maxHashes), bytes.Repeat(testHash, maxHashes+1)
	for _, tc := range []struct {
		name  string
		value []byte
		want  error
	}{
		{"subject", subject(direct(testImage)), nil},
		{"issuer before it", el(0x30, el(0xa1, direct(testImage)), el(0xa2, direct(testImage))), nil},
		{"others around it", el(0x30, el(0xa0, el(0x30)), el(0xa2, direct(testImage)), el(0xa3, el(0x30))), nil},
		{"image information", subject(direct(el(0x30, el(0x30, testType, el(0x30, testHash), el(0x30, testURI)), el(0x30, el(0x02, []byte{1}))))), nil},
		{"audio beside the image", subject(el(0xa0, el(0x30, testImage), el(0xa1))), nil},
		{"sixteen hashes", details(testType, el(0x30, hashes16), el(0x30, testURI)), nil},
		{"no parameters", details(testType, el(0x30, hashOf(oid)), el(0x30, testURI)), nil},

		{"nothing", nil, ErrLogotype},
		{"empty extension", el(0x30), ErrNoLogotype},
		{"issuer only", el(0x30, el(0xa1, direct(testImage))), ErrNoLogotype},
		{"community only", el(0x30, el(0xa0, el(0x30))), ErrNoLogotype},
		{"out of order", el(0x30, el(0xa2, direct(testImage)), el(0xa1, direct(testImage))), ErrLogotype},
		{"subject twice", el(0x30, el(0xa2, direct(testImage)), el(0xa2, direct(testImage))), ErrLogotype},
		{"unknown component", el(0x30, el(0xa2, direct(testImage)), el(0xa4, el(0x30))), ErrLogotype},
		{"universal component", el(0x30, el(0x30)), ErrLogotype},
		{"two elements in EXPLICIT", el(0x30, el(0xa2, direct(testImage), direct(testImage))), ErrLogotype},
		{"set for sequence", el(0x31, el(0xa2, direct(testImage))), ErrLogotype},
		{"indirect", subject(el(0xa1, el(0x30))), ErrLogotypeIndirect},
		{"neither direct nor indirect", subject(el(0xa2, el(0x30))), ErrLogotype},
		{"no image and no audio", subject(el(0xa0)), ErrLogotype},
		{"audio only", subject(el(0xa0, el(0xa1))), ErrLogotypeCount},
		{"empty image list", subject(direct()), ErrLogotypeCount},
		{"two images", subject(direct(testImage, testImage)), ErrLogotypeCount},
		{"image and garbage", subject(direct(testImage, []byte{1, 5})), ErrLogotype},
		{"more after the data", subject(el(0xa0, el(0x30, testImage), el(0x02, []byte{1}))), ErrLogotype},
		{"trailing octet", append(subject(direct(testImage)), 0), ErrLogotype},
		{"trailing element in the image", subject(direct(el(0x30, el(0x30, testType, el(0x30, testHash), el(0x30, testURI)), el(0x02, []byte{1})))), ErrLogotype},
		{"no hash", details(testType, el(0x30), el(0x30, testURI)), ErrLogotype},
		{"seventeen hashes", details(testType, el(0x30, hashes17), el(0x30, testURI)), ErrLogotype},
		{"hash with other parameters", details(testType, el(0x30, hashOf(oid, el(0x02, []byte{1}))), el(0x30, testURI)), ErrLogotype},
		{"no URI", details(testType, el(0x30, testHash), el(0x30)), ErrLogotype},
		{"two URIs", details(testType, el(0x30, testHash), el(0x30, testURI, testURI)), ErrLogotypeCount},
		{"URI not IA5String", details(testType, el(0x30, testHash), el(0x30, el(0x0c, []byte("data:,")))), ErrLogotype},
		{"URI with the eighth bit", details(testType, el(0x30, testHash), el(0x30, el(0x16, []byte("data:\xff")))), ErrLogotype},
		{"media type not IA5String", details(el(0x0c, []byte("image/svg+xml")), el(0x30, testHash), el(0x30, testURI)), ErrLogotype},
		{"length not shortest", long(0x30, el(0xa2, direct(testImage))), ErrLogotype},
		{"indefinite length", append([]byte{0x30, 0x80}, append(el(0xa2, direct(testImage)), 0, 0)...), ErrLogotype},
		{"length past the end", []byte{0x30, 0x7f, 0xa2, 0x00}, ErrLogotype},
		{"length of four gigabytes", []byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0xa2}, ErrLogotype},
		{"high tag", []byte{0x3f, 0x81, 0x01, 0x00}, ErrLogotype},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l, err := parseLogotype(tc.value)
			require.ErrorIs(t, err, tc.want)
			if tc.want != nil {
				require.Zero(t, l)
				return
			}
			require.Equal(t, "image/svg+xml", l.mediaType)
			require.Equal(t, "data:,", l.uri)
			require.NotEmpty(t, l.hashes)
		})
	}
}

// TestParseDataURI is RFC 2397, section 3.
func TestParseDataURI(t *testing.T) {
	for _, tc := range []struct{ uri, mediaType, data string }{
		{"data:image/svg+xml;base64,SGVsbG8=", "image/svg+xml", "Hello"},
		{"DATA:image/svg+xml;BASE64,SGVsbG8=", "image/svg+xml", "Hello"},
		{"data:image/svg+xml;charset=utf-8;base64,SGVsbG8=", "image/svg+xml", "Hello"},
		{"data:image/svg+xml;base64,%53GVsbG8%3d", "image/svg+xml", "Hello"},
		{"data:image/svg+xml,Hello%20%00", "image/svg+xml", "Hello \x00"},
		{"data:image/svg+xml;base64,", "image/svg+xml", ""},
		{"data:,a,b", "", "a,b"},
	} {
		m, d, err := parseDataURI(tc.uri)
		require.NoError(t, err, tc.uri)
		require.Equal(t, tc.mediaType, m)
		require.Equal(t, tc.data, string(d))
	}
	for _, uri := range []string{
		"", "data", "data:", "data:image/svg+xml;base64", "https://example.com/a,b", " data:,x", "xdata:,x",
		"data:image/svg+xml;base64,SGVsbG8", "data:image/svg+xml;base64,SGVsbG8==", "data:image/svg+xml;base64,SGVsbG9=",
		"data:image/svg+xml;base64,SGVs\nbG8=", "data:image/svg+xml;base64,SGVs%0AbG8=", "data:image/svg+xml;base64,SGVs%0D%0AbG8=",
		"data:image/svg+xml;base64,SGVs bG8=", "data:image/svg+xml;base64,SGVs#bG8=", "data:image/svg+xml;base64,SGVs%2",
		"data:image/svg+xml;base64,SGVs%zz", "data:image/svg+xml;base64;charset=utf-8,SGVsbG8=", "data:image/svg+xml;x,SGVs",
		"data:image/svg+xml;base64,SGVs_G8=", "data:,\x7f", "data:,\"", "data:image/svg+xml;base64;base64,SGVsbG8=", "data:a;;base64,",
	} {
		_, d, err := parseDataURI(uri)
		require.ErrorIs(t, err, ErrLogotypeURI, "%q", uri)
		require.Nil(t, d)
	}
}

// TestIsGzip: both octets, and no more is looked at than there is.
func TestIsGzip(t *testing.T) {
	for in, want := range map[string]bool{"": false, "\x1f": false, "\x8b": false, "\x1f\x8b": true, "\x1f\x8b\x08": true, "\x1f\x8c": false, "<\x8b": false} {
		require.Equal(t, want, isGzip([]byte(in)), "%q", in)
	}
}

// TestGunzip: one member, whole, nothing after it, never more than the limit.
func TestGunzip(t *testing.T) {
	zip := func(b []byte) []byte {
		var out bytes.Buffer
		z := gzip.NewWriter(&out)
		_, err := z.Write(b)
		require.NoError(t, err)
		require.NoError(t, z.Close())
		return out.Bytes()
	}
	good := zip([]byte("hello"))
	out, err := gunzip(good, 5)
	require.NoError(t, err)
	require.Equal(t, "hello", string(out))
	_, err = gunzip(good, 4)
	require.ErrorIs(t, err, ErrLogotypeSize)
	_, err = gunzip(zip(make([]byte, 50<<20)), 32<<10)
	require.ErrorIs(t, err, ErrLogotypeSize)
	flipped := bytes.Clone(good)
	flipped[len(flipped)-5] ^= 1 // in the checksum
	for name, b := range map[string][]byte{
		"nothing": nil, "text": []byte("<svg/>"), "truncated": good[:len(good)-1], "octet after": append(bytes.Clone(good), 0),
		"two members": append(bytes.Clone(good), good...), "checksum": flipped, "head only": good[:10],
	} {
		_, err := gunzip(b, 100)
		require.ErrorIs(t, err, ErrLogotypeGzip, name)
	}
}

// TestLogotypeHashes: RFC 9399, section 4.1 on which hashes count, section 7 on line ends.
func TestLogotypeHashes(t *testing.T) { t.Run("N4 N5", logotypeHashes) }

func logotypeHashes(t *testing.T) {
	image := []byte("<svg>\r\n<g/>\r</svg>\r\n")
	canonical := []byte("<svg>\n<g/>\n</svg>\n")
	all := []string{hashSHA1, hashSHA224, hashSHA256, hashSHA384, hashSHA512}
	run := func(image []byte, hashes ...logotypeHash) Result {
		c := &check{v: &Verifier{}}
		c.checkHashes(hashes, image)
		return c.result
	}
	for _, a := range all {
		require.NoError(t, run(image, logotypeHash{a, digest(a, image)}).Err)
		require.NoError(t, run(image, logotypeHash{a, digest(a, canonical)}).Err)
		require.NoError(t, run(canonical, logotypeHash{a, digest(a, canonical)}).Err)
		require.ErrorIs(t, run(canonical, logotypeHash{a, digest(a, image)}).Err, ErrLogotypeHash)
		require.ErrorIs(t, run(image, logotypeHash{a, digest(a, image)[1:]}).Err, ErrLogotypeHash)
		require.ErrorIs(t, run(image, logotypeHash{a, nil}).Err, ErrLogotypeHash)
		for _, b := range all {
			require.ErrorIs(t, run(image, logotypeHash{a, digest(a, image)}, logotypeHash{b, make([]byte, 20)}).Err, ErrLogotypeHash)
		}
	}
	require.ErrorIs(t, run(image).Err, ErrLogotypeHash)
	require.ErrorIs(t, run(image, logotypeHash{"\x2a", []byte("x")}).Err, ErrLogotypeHash)
	require.Empty(t, run(canonical, logotypeHash{hashSHA1, digest(hashSHA1, canonical)}, logotypeHash{hashSHA256, digest(hashSHA256, canonical)}).Findings)
}

// TestLogotypeMediaTypes: the four spellings, equal to the URI's whatever the case;
// and no image at all that is not compressed unless the caller says so.
func TestLogotypeMediaTypes(t *testing.T) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := z.Write([]byte("<svg/>"))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	data := base64.StdEncoding.EncodeToString(out.Bytes())
	open := func(v Verifier, mediaType, uriType, data string) ([]byte, error) {
		c := &check{v: &v}
		return c.open(logotype{mediaType: mediaType, uri: "data:" + uriType + ";base64," + data})
	}
	for _, m := range []string{"image/svg+xml", "image/svg+xml+gzip", "image/svg+xml-gzip", "image/svg+xml-compressed", "IMAGE/SVG+XML"} {
		svg, err := open(Verifier{}, m, strings.ToUpper(m), data)
		require.NoError(t, err, m)
		require.Equal(t, "<svg/>", string(svg))
	}
	for _, m := range []string{"", "image/svg", "text/xml", "image/svg+xml; charset=utf-8", " image/svg+xml"} {
		_, err := open(Verifier{}, m, m, data)
		require.ErrorIs(t, err, ErrLogotypeMediaType, m)
	}
	_, err = open(Verifier{}, "image/svg+xml+gzip", "image/svg+xml", data)
	require.ErrorIs(t, err, ErrLogotypeMediaType)
	plain := base64.StdEncoding.EncodeToString([]byte("<svg/>"))
	_, err = open(Verifier{}, "image/svg+xml", "image/svg+xml", plain)
	require.ErrorIs(t, err, ErrLogotypeGzip)
	svg, err := open(Verifier{AllowUncompressedIndicator: true}, "image/svg+xml", "image/svg+xml", plain)
	require.NoError(t, err)
	require.Equal(t, "<svg/>", string(svg))
	_, err = open(Verifier{AllowUncompressedIndicator: true, MaxIndicator: 5}, "image/svg+xml", "image/svg+xml", plain)
	require.ErrorIs(t, err, ErrLogotypeSize)
}
