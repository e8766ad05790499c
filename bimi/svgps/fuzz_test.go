package svgps

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"unicode"

	"github.com/seed2385d973/mailauth/internal/alphabet"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

// FuzzCheck is F17, the closure of the allow-list: what is
// accepted is read again by encoding/xml, and only elements and attributes of a
// list that is written here by hand come out, no handler, no scheme and no
// reference other than to an id.
func FuzzCheck(f *testing.F) {
	a := alphabet.SVG()
	for _, b := range slow(200) {
		a.Seed(f.Add, string(b), false)
	}
	for _, inner := range []string{
		`<use xlink:href="#a"/><rect fill="url(#a)" style="fill:red"/><x:y xmlns:x="urn:x"/>`, `<text>&#60;script&gt;</text>`, `<script>alert(1)</script>`, `<s:script xmlns:s="http://www.w3.org/2000/svg"/>`,
		`<rect onclick="x"/>`, `<a href="javascript:x"/>`, `<use xmlns:q="http://www.w3.org/1999/xlink" q:href="data:x#a"/>`, `<image href="https://x/y.png"/>`, `<foreignObject/>`, `<style>@import "x"</style>`,
		`<rect fill="url(https://x/#a)"/>`, `<linearGradient id="a"><stop offset="0" stop-color="red"/></linearGradient><path d="M0 0" fill="url(#a)"/>`, "<g><g><g/></g></g>", "<![CDATA[x]]>", "<?x y?>",
	} {
		a.Seed(f.Add, image(inner), true)
		a.Seed(f.Add, image(inner), false)
	}
	a.Seed(f.Add, "\xef\xbb\xbf<?xml version='1.0'?><!DOCTYPE svg>"+image("<style>rect{fill:url(#a)}</style>"), true)
	a.Seed(f.Add, string(gz(f, []byte(image("")))), false)
	for _, s := range testcase.Samples("bimi", "svg", "*", "*.svg*") {
		f.Add([]byte(s), false, len(s)%2 == 0)
	}
	f.Fuzz(func(t *testing.T, data []byte, folded, lenient bool) {
		data = []byte(a.Text(data, folded))
		o := Options{}
		if lenient {
			o.Profile = Lenient
		}
		got := Check(data, o)
		if (got.Err == nil) != (got.SVG != nil) && len(data) > 0 {
			t.Fatalf("err %v with %d octets", got.Err, len(got.SVG))
		}
		if len(got.Findings) > 2*maxListed {
			t.Fatalf("%d findings", len(got.Findings))
		}
		for _, b := range []byte(func() string {
			s := ""
			for _, f := range got.Findings {
				s += f.String()
			}
			return s
		}()) {
			if b < ' ' || b >= 0x7f {
				t.Fatalf("finding with octet %#x", b)
			}
		}
		if got.Err != nil {
			return
		}
		if len(got.SVG) > DefaultMaxSize {
			t.Fatalf("%d octets accepted", len(got.SVG))
		}
		// What the strict profile accepts, the lenient one accepts.
		if !lenient {
			if r := Check(data, Options{Profile: Lenient}); r.Err != nil {
				t.Fatalf("lenient refuses what strict accepts: %v", r.Err)
			}
		}
		closed(t, got.SVG, lenient)
	})
}

// closed reads an accepted image with the standard library's parser.
func closed(t *testing.T, svg []byte, lenient bool) {
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(svg, []byte("\xef\xbb\xbf"))))
	d.Strict = true
	depth, elements, roots := 0, 0, 0
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("accepted, but encoding/xml says: %v", err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			depth++
			elements++
			if depth > DefaultMaxDepth || elements > DefaultMaxElements || len(tok.Attr) > DefaultMaxAttributes {
				t.Fatal("beyond the limits")
			}
			closedElement(t, tok, lenient)
		case xml.EndElement:
			depth--
		case xml.ProcInst:
			if tok.Target != "xml" || elements > 0 {
				t.Fatalf("instruction %q", tok.Target)
			}
		case xml.Directive:
			if !lenient || bytes.ContainsAny(tok, "[") {
				t.Fatalf("directive %q", tok)
			}
		}
	}
	if roots != 1 {
		t.Fatalf("%d roots", roots)
	}
}

// The names of the draft, section 7, written down apart from the generated table.
var (
	handElements = strings.Fields("svg title desc path rect circle line ellipse polyline polygon solidColor textArea text linearGradient radialGradient stop g defs use metadata")
	handNot      = strings.Fields("script handler listener a image foreignObject iframe animate set audio video switch object embed link meta")
)

func closedElement(t *testing.T, e xml.StartElement, lenient bool) {
	listed := false
	for _, n := range handElements {
		listed = listed || e.Name.Space == uriSVG && e.Name.Local == n
	}
	if !listed && !lenient {
		t.Fatalf("element %v", e.Name)
	}
	for _, n := range handNot {
		if e.Name.Space == uriSVG && strings.EqualFold(e.Name.Local, n) {
			t.Fatalf("element %v", e.Name)
		}
	}
	seen := map[xml.Name]bool{}
	for _, a := range e.Attr {
		if seen[a.Name] {
			t.Fatalf("attribute %v twice", a.Name)
		}
		seen[a.Name] = true
		if a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns" {
			continue
		}
		local := strings.ToLower(a.Name.Local)
		if strings.HasPrefix(local, "on") && len(local) > 2 || local == "base" && a.Name.Space != "" && !lenient {
			t.Fatalf("attribute %v", a.Name)
		}
		if !lenient && (local == "style" || a.Name.Space != "" && a.Name.Space != uriXLink && a.Name.Space != "xml" && a.Name.Space != uriXML) {
			t.Fatalf("attribute %v", a.Name)
		}
		if local == "href" && (a.Name.Space == "" && e.Name.Space == uriSVG || a.Name.Space == uriXLink) {
			if !strings.HasPrefix(a.Value, "#") || len(a.Value) < 2 {
				t.Fatalf("%v = %q", a.Name, a.Value)
			}
		}
		if a.Name.Space != "" || strings.HasPrefix(local, "data-") || e.Name.Space != uriSVG {
			continue
		}
		flat := strings.ToLower(strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) || unicode.IsControl(r) {
				return -1
			}
			return r
		}, a.Value))
		for _, bad := range []string{"javascript:", "://"} {
			if strings.HasPrefix(flat, bad) || bad == "://" && strings.Contains(flat, bad) {
				t.Fatalf("%v = %q", a.Name, a.Value)
			}
		}
		for rest := flat; !isMetadata(attributeOf([]byte(a.Name.Local))); {
			_, after, ok := strings.Cut(rest, "url(")
			if !ok {
				break
			}
			if !strings.HasPrefix(strings.TrimLeft(after, `"'`), "#") {
				t.Fatalf("%v = %q", a.Name, a.Value)
			}
			rest = after
		}
	}
}
