package svgps

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestThreats: the rows of the threat matrix that concern the image. Every
// input is refused in both profiles, unless the answer says otherwise.
func TestThreats(t *testing.T) {
	const xhtml = `<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="https://evil.example/"/></foreignObject>`
	refused := []struct {
		row, name, in string
		want          error
	}{
		{"BIM-10", "script", image("<script>alert(1)</script>"), ErrActive},
		{"BIM-10", "script-prefixed", image(`<s:script xmlns:s="http://www.w3.org/2000/svg">alert(1)</s:script>`), ErrActive},
		{"BIM-10", "script-case", image("<ScRiPt>alert(1)</ScRiPt>"), ErrActive},
		{"BIM-10", "handler", image(`<handler type="application/ecmascript">alert(1)</handler>`), ErrActive},
		{"BIM-10", "cdata", image("<script><![CDATA[alert(1)]]></script>"), ErrActive},
		{"BIM-10", "cdata-in-title", head + "<title><![CDATA[><script>alert(1)</script>]]></title>" + tail, ErrCDATA},
		{"BIM-11", "onload", strings.Replace(image(""), "<svg", `<svg onload="alert(1)"`, 1), ErrActive},
		{"BIM-11", "onclick", image(`<rect onclick="alert(1)"/>`), ErrActive},
		{"BIM-11", "onclick-case", image(`<rect oNcLiCk="alert(1)"/>`), ErrActive},
		{"BIM-11", "event", image(`<rect xmlns:ev="http://www.w3.org/2001/xml-events" ev:event="click"/>`), ErrForeign},
		{"BIM-12", "a", image(`<a href="javascript:alert(1)"><rect/></a>`), ErrActive},
		{"BIM-12", "other-prefix", image(`<a xmlns:q="http://www.w3.org/1999/xlink" q:href="javascript:alert(1)"><rect/></a>`), ErrActive},
		{"BIM-12", "href-on-image", image(`<image href="https://evil.example/x.png"/>`), ErrActive},
		{"BIM-12", "href-on-use", image(`<use href="https://evil.example/x.svg#a"/>`), ErrReference},
		{"BIM-12", "use-other-prefix", image(`<use xmlns:q="http://www.w3.org/1999/xlink" q:href="data:image/svg+xml,x#a"/>`), ErrReference},
		{"BIM-12", "use-script", image("<use href=\"java&#10;script:alert(1)\"/>"), ErrReference},
		{"BIM-13", "image", image(`<image xlink:href="data:image/png;base64,AAAA"/>`), ErrActive},
		{"BIM-13", "iframe", image(xhtml), ErrActive},
		{"BIM-13", "import", image(`<style>@import url(https://evil.example/x.css);</style>`), nil},
		{"BIM-13", "style-url", image(`<rect style="fill:url(http://evil.example/#a)"/>`), nil},
		{"BIM-13", "fill-url", image(`<rect fill="url(https://evil.example/#a)"/>`), ErrReference},
		{"BIM-13", "fill-data", image(`<rect fill="url(data:image/svg+xml,x#a)"/>`), ErrReference},
		{"BIM-13", "stylesheet", `<?xml-stylesheet href="https://evil.example/x.css"?>` + image(""), ErrInstruction},
		{"BIM-16", "default-namespace", strings.Replace(image(""), "2000/svg", "1999/xhtml", 1), ErrRoot},
		{"BIM-16", "no-namespace", strings.Replace(image(""), `xmlns="http://www.w3.org/2000/svg"`, "", 1), ErrRoot},
		{"BIM-16", "svg-inside", "<x>" + image("") + "</x>", ErrRoot},
		{"BIM-16", "two-roots", image("") + image(""), ErrSyntax},
		{"BIM-16", "text-after", image("") + "<!-- -->x", ErrSyntax},
		{"BIM-18", "utf-16", "\xfe\xff\x00<\x00s\x00v\x00g", ErrEncoding},
		{"BIM-18", "utf-7", `<?xml version="1.0" encoding="UTF-7"?>` + image(""), ErrEncoding},
		{"BIM-18", "nul", image("<text>\x00</text>"), ErrEncoding},
		{"BIM-18", "invalid", image("<text>\xff</text>"), ErrEncoding},
		{"BIM-18", "gzip-twice", string(gz(t, gz(t, []byte(image(""))))), ErrGzip},
		{"BIM-18", "gzip-bomb", string(gz(t, make([]byte, 1<<20))), ErrSize},
		{"BIM-19", "size", image(strings.Repeat(" ", 32<<10)), ErrSize},
		{"BIM-19", "depth", image(strings.Repeat("<g>", 1000)), ErrDepth},
		{"BIM-19", "attributes", image("<g" + strings.Repeat(` a="1"`, 2000) + "/>"), ErrAttributes},
		{"BIM-19", "path", image(`<path d="` + strings.Repeat("M0 0", 1<<18) + `"/>`), ErrSize},
		{"BIM-19", "title", head + "<title>" + strings.Repeat("x", 1<<20) + "</title>" + tail, ErrSize},
	}
	for _, tt := range refused {
		t.Run(tt.row+"/"+tt.name, func(t *testing.T) {
			for _, p := range []Profile{Strict, Lenient} {
				got := Check([]byte(tt.in), Options{Profile: p})
				require.Error(t, got.Err)
				require.Nil(t, got.SVG)
				if tt.want != nil {
					require.ErrorIs(t, got.Err, tt.want)
				} else {
					require.True(t, has(got, ErrElement, ErrAttribute))
				}
			}
		})
	}
	for _, tt := range []struct {
		row, name, in string
		want          error
		warn          Error
	}{
		{"BIM-18", "bom", "\xef\xbb\xbf" + image(""), nil, ErrByteOrderMark},
		{"BIM-18", "gzip", string(gz(t, []byte(image("")))), nil, ""},
		{"BIM-20", "title", head + tail, ErrTitle, ""},
		{"BIM-20", "x-on-root", strings.Replace(image(""), "<svg", `<svg x="0"`, 1), ErrAttribute, ""},
		{"BIM-20", "version", strings.Replace(image(""), `version="1.2"`, "", 1), ErrRequired, ""},
		{"BIM-20", "baseProfile", strings.Replace(image(""), `baseProfile="tiny-ps"`, "", 1), ErrRequired, ""},
		{"BIM-20", "not-square", strings.Replace(image(""), "0 0 100 100", "0 0 100 50", 1), nil, ErrNotSquare},
	} {
		t.Run(tt.row+"/"+tt.name, func(t *testing.T) {
			got := Check([]byte(tt.in), Options{})
			require.ErrorIs(t, got.Err, tt.want)
			if tt.warn != "" {
				require.True(t, has(got, tt.warn))
			}
		})
	}
}

// slow lists images that are built to be slow for a naive reader, of about n octets.
func slow(n int) map[string][]byte {
	rep := func(s string) string { return strings.Repeat(s, n/len(s)) }
	numbered := func(f string) string {
		var b strings.Builder
		for i := 0; b.Len() < n; i++ {
			fmt.Fprintf(&b, f, i)
		}
		return b.String()
	}
	m := map[string]string{
		"open tags":       image(rep("<g>")),
		"empty elements":  image(rep("<g/>")),
		"attributes":      image(rep(`<g a="" b="" c="" d="" e="" f="" h="" i="" j="" k="" l="" m="" n="" o="" p="" q=""/>`)),
		"attributes late": image(rep(`<g aaaaaaa1="" aaaaaaa2="" aaaaaaa3="" aaaaaaa4="" aaaaaaa5="" aaaaaaa6="" aaaaaaa7="" aaaaaaa8=""/>`)),
		"declarations":    image(numbered(`<g xmlns:a%d="u"/>`)),
		"ids":             image(numbered(`<g id="a%d"/>`)),
		"same ids":        image(rep(`<g id="a"/>`)),
		"uses":            image(`<g id="a"/>` + rep(`<use href="#a"/>`)),
		"use chain":       image(numbered(`<g id="a%d"><use href="#a1"/></g>`)),
		"references":      image("<text>" + rep("&lt;") + "</text>"),
		"ampersands":      image("<text>" + rep("&") + "</text>"),
		"brackets":        image("<text>" + rep("]]") + "</text>"),
		"comments":        image(rep("<!---->")),
		"comment":         image("<!--" + rep("- ") + "-->"),
		"instructions":    image(rep("<?a?>")),
		"unclosed":        image("<!--" + rep("<")),
		"functions":       image(`<g transform="` + rep("scale(1)") + `"/>`),
		"parentheses":     image(`<g transform="` + rep("a(") + `"/>`),
		"spaces":          image(`<g transform="` + rep(" ") + `("/>`),
		"colons":          image(`<g role="` + rep("a:") + `"/>`),
		"colons spaced":   image(`<g role="` + rep("          :") + `"/>`),
		"viewBox":         strings.Replace(image(""), "0 0 100 100", rep("1 "), 1),
		"blank":           image(rep(" ")),
		"lines":           image(rep("<x/>\n")),
		"classes":         image(`<g class="` + rep("a ") + `"/>`),
		"names":           image("<" + rep("a") + "/>"),
		"end tags":        image("<" + rep("a") + "></" + rep("a") + ">"),
		"non-ASCII":       image("<text>" + rep("ü") + "</text>"),
		"languages":       image(`<g xml:lang="` + rep("a-") + `"/>`),
	}
	out := map[string][]byte{}
	for name, s := range m {
		out[name] = []byte(s)
	}
	return out
}

// TestAllocations: memory does not grow with what a hostile image repeats.
func TestAllocations(t *testing.T) {
	data := []byte(image(`<path d="` + strings.Repeat("M0 0L1 1", 4000) + `"/>`))
	require.Less(t, len(data), DefaultMaxSize)
	require.LessOrEqual(t, testing.AllocsPerRun(20, func() { Check(data, Options{}) }), 12.0)
	require.True(t, bytes.Equal(Check(data, Options{}).SVG, data))
}
