package svgps

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	head = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" version="1.2" baseProfile="tiny-ps" viewBox="0 0 100 100" width="100" height="100">`
	tail = `</svg>`
)

// image is a sound indicator with body behind its title.
func image(body string) string { return head + "<title>Brand</title>" + body + tail }

func gz(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// verdict is one row of a table: what strict and lenient say. nil is accepted;
// warn must be among the findings of the strict run.
type verdict struct {
	name    string
	in      string
	strict  error
	lenient error
	warn    Error
}

func run(t *testing.T, rows []verdict) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			for profile, want := range map[Profile]error{Strict: row.strict, Lenient: row.lenient} {
				got := Check([]byte(row.in), Options{Profile: profile})
				if want == nil {
					require.NoError(t, got.Err, "profile %d: %v", profile, got.Findings)
					require.Equal(t, !got.Compressed, string(got.SVG) == row.in)
				} else {
					require.ErrorIs(t, got.Err, want, "profile %d: %v", profile, got.Findings)
					require.Nil(t, got.SVG)
				}
			}
			if row.warn != "" {
				require.True(t, has(Check([]byte(row.in), Options{}), row.warn))
			}
		})
	}
}

// TestChecklist has a row for each point of the BIMI checklist's section on SVG.
func TestChecklist(t *testing.T) {
	big := func(n int) string { return image("<!--" + strings.Repeat("x", n-len(image("<!---->"))) + "-->") }
	run(t, []verdict{
		{"H1/plain", image(""), nil, nil, ""},
		{"H1/not-xml", "GIF89a", ErrSyntax, ErrSyntax, ""},
		{"H1/empty", "", ErrSyntax, ErrSyntax, ""},
		{"H1/root-namespace", strings.Replace(image(""), "2000/svg", "2000/SVG", 1), ErrRoot, ErrRoot, ""},
		{"H1/root-without-namespace", "<svg><title>x</title></svg>", ErrRoot, ErrRoot, ""},
		{"H1/prefixed", strings.NewReplacer("xmlns=", "xmlns:s=", "<svg", "<s:svg", "</svg", "</s:svg", "<title", "<s:title", "</title", "</s:title").Replace(image("")), nil, nil, ErrPrefix},
		{"H1/two-roots", image("") + image(""), ErrSyntax, ErrSyntax, ""},
		{"H2/entity", `<!DOCTYPE svg [<!ENTITY a "x">]>` + image(""), ErrSubset, ErrSubset, ""},
		{"H2/empty-subset", `<!DOCTYPE svg []>` + image(""), ErrSubset, ErrSubset, ""},
		{"H2/plain-doctype", `<!DOCTYPE svg>` + image(""), ErrDoctype, nil, ""},
		{"H2/w3c-doctype", `<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">` + image(""), ErrDoctype, nil, ""},
		{"H2/foreign-doctype", `<!DOCTYPE svg SYSTEM "https://evil.example/x.dtd">` + image(""), ErrSubset, ErrSubset, ""},
		{"H2/entity-reference", image("<text>&nbsp;</text>"), ErrEntity, ErrEntity, ""},
		{"H3/no-version", strings.Replace(image(""), ` version="1.2"`, "", 1), ErrRequired, nil, ""},
		{"H3/no-profile", strings.Replace(image(""), ` baseProfile="tiny-ps"`, "", 1), ErrRequired, nil, ""},
		{"H3/other-profile", strings.Replace(image(""), `tiny-ps`, "tiny", 1), ErrValue, nil, ""},
		{"H4/missing", head + tail, ErrTitle, nil, ""},
		{"H4/empty", head + "<title/>" + tail, ErrTitle, nil, ""},
		{"H4/blank", head + "<title> \n\t</title>" + tail, ErrTitle, nil, ""},
		{"H4/zero-width", head + "<title>\u200b\u00a0</title>" + tail, ErrTitle, nil, ""},
		{"H4/second", head + "<desc>x</desc><title>x</title>" + tail, ErrTitle, nil, ""},
		{"H4/twice", image("<title>again</title>"), ErrTitle, nil, ""},
		{"H4/markup-inside", head + "<title><g/></title>" + tail, ErrPlacement, ErrPlacement, ""},
		{"H4/64", head + "<title>" + strings.Repeat("ä", 64) + "</title>" + tail, nil, nil, ""},
		{"H4/65", head + "<title>" + strings.Repeat("ä", 65) + "</title>" + tail, nil, nil, ErrTitleLength},
		{"H5/absent", image(""), nil, nil, ""},
		{"H5/empty", image("<desc/>"), ErrDesc, nil, ""},
		{"H6/all", image(`<defs><linearGradient id="a"><stop offset="0"/></linearGradient><radialGradient id="b"/><solidColor id="c"/></defs><desc>d</desc><metadata>m</metadata><g><path d="M0 0"/><rect/><circle/><line/><ellipse/><polyline/><polygon/><textArea>t</textArea><text>t</text></g><use href="#a"/>`), nil, nil, ""},
		{"H6/tspan", image("<text>a<tspan>b</tspan></text>"), ErrElement, nil, ""},
		{"H6/clipPath", image("<clipPath/>"), ErrElement, nil, ""},
		{"H6/style", image("<style>rect{fill:red}</style>"), ErrElement, nil, ""},
		{"H6/filter", image("<filter/>"), ErrElement, ErrElement, ""},
		{"H6/unknown", image("<blink/>"), ErrElement, ErrElement, ""},
		{"H6/font", image("<defs><font/></defs>"), ErrPlacement, nil, ""},
		{"H6/case", image("<RECT/>"), ErrElement, ErrElement, ""},
		{"H7/image", image("<image/>"), ErrActive, ErrActive, ""},
		{"H7/switch", image("<switch/>"), ErrActive, ErrActive, ""},
		{"H7/animate", image("<animate/>"), ErrActive, ErrActive, ""},
		{"H7/set", image("<set/>"), ErrActive, ErrActive, ""},
		{"H7/a", image("<a/>"), ErrActive, ErrActive, ""},
		{"H7/video", image("<video/>"), ErrActive, ErrActive, ""},
		{"H8/gradient", image("<linearGradient><rect/></linearGradient>"), ErrPlacement, nil, ""},
		{"H8/title-in-g", image("<g><title>x</title></g>"), ErrPlacement, nil, ""},
		{"H8/metadata-in-defs", image("<defs><metadata/></defs>"), ErrPlacement, nil, ""},
		{"H8/in-path", image("<path><path/></path>"), ErrPlacement, nil, ""},
		{"H8/text-in-g", image("<g>x</g>"), ErrText, nil, ""},
		{"H8/text-in-svg", image("x"), ErrText, nil, ""},
		{"H8/nested-svg", image(`<svg version="1.2" baseProfile="tiny-ps"/>`), ErrPlacement, nil, ""},
		{"H9/style", image(`<rect style="fill:red"/>`), ErrAttribute, nil, ""},
		{"H9/root-x", strings.Replace(image(""), "<svg", `<svg x="0px"`, 1), ErrAttribute, nil, ""},
		{"H9/root-overflow", strings.Replace(image(""), "<svg", `<svg overflow="visible"`, 1), ErrAttribute, nil, ""},
		{"H9/opacity", image(`<rect opacity="1"/>`), ErrAttribute, nil, ""},
		{"H9/clip-path", image(`<rect clip-path="none"/>`), ErrAttribute, nil, ""},
		{"H9/gradientTransform", image(`<linearGradient gradientTransform="rotate(45)"/>`), ErrAttribute, nil, ""},
		{"H9/elsewhere", image(`<circle width="1"/>`), ErrAttribute, nil, ""},
		{"H9/unknown", image(`<rect colour="red"/>`), ErrAttribute, ErrAttribute, ""},
		{"H9/zoomAndPan", strings.Replace(image(""), "<svg", `<svg zoomAndPan="magnify"`, 1), ErrValue, nil, ""},
		{"H9/aspect", strings.Replace(image(""), "<svg", `<svg preserveAspectRatio="xMidYMid meet"`, 1), nil, nil, ""},
		{"H9/aspect-other", strings.Replace(image(""), "<svg", `<svg preserveAspectRatio="xMinYMin"`, 1), ErrValue, nil, ""},
		{"H9/editable", image(`<text editable="simple">x</text>`), ErrValue, nil, ""},
		{"H9/font-weight-root", strings.Replace(image(""), "<svg", `<svg font-weight="inherit"`, 1), ErrValue, nil, ""},
		{"H9/both-ids", image(`<rect id="a" xml:id="b"/>`), ErrAttribute, nil, ""},
		{"H9/id", image(`<rect id="1"/>`), ErrValue, nil, ""},
		{"H9/class", image(`<rect class="a b"/><rect class=""/>`), ErrValue, nil, ""},
		{"H9/lang", image(`<g xml:lang="en-GB" xml:space="preserve"/><g xml:lang=""/>`), nil, nil, ""},
		{"H9/lang-bad", image(`<g xml:lang="e_"/>`), ErrValue, nil, ""},
		{"H9/enum-spaces", image(`<g fill-rule=" evenodd "/>`), nil, nil, ""},
		{"H10/use-href", image(`<g id="a"/><use href="#a"/>`), nil, nil, ErrUse},
		{"H10/use-xlink", image(`<g id="a"/><use xlink:href="#a"/>`), nil, nil, ErrUse},
		{"H10/use-two", image(`<g id="a"/><g id="b"/><use href="#a" xlink:href="#b"/>`), ErrReference, ErrReference, ""},
		{"H10/use-external", image(`<use href="a.svg#a"/>`), ErrReference, ErrReference, ""},
		{"H10/use-empty", image(`<use href=""/>`), ErrReference, ErrReference, ""},
		{"H10/use-pointer", image(`<use href="#xpointer(id(a))"/>`), ErrReference, ErrReference, ""},
		{"H10/use-dangling", image(`<use href="#a"/>`), nil, nil, ErrTarget},
		{"H10/use-ambiguous", image(`<g id="a"/><g id="a"/><use href="#a"/>`), ErrReference, ErrReference, ErrID},
		{"H10/href-elsewhere", image(`<rect href="#a"/>`), ErrActive, ErrActive, ""},
		{"H10/xlink-elsewhere", image(`<rect xlink:href="#a"/>`), ErrActive, ErrActive, ""},
		{"H10/gradient-xlink", image(`<linearGradient id="a"/><linearGradient xlink:href="#a"/>`), ErrAttribute, nil, ""},
		{"H10/paint", image(`<linearGradient id="a"/><rect fill="url(#a)" stroke="url( '#a' ) red"/>`), nil, nil, ""},
		{"H10/paint-external", image(`<rect fill="url(a.svg#a)"/>`), ErrReference, ErrReference, ""},
		{"H10/paint-escaped", image(`<rect fill="u\72l(https://evil.example/)"/>`), ErrReference, ErrReference, ""},
		{"H10/paint-by-number", image(`<rect fill="&#117;rl(https&#58;//evil.example/)"/>`), ErrReference, ErrReference, ""},
		{"H10/paint-function", image(`<rect fill="image-set(&quot;x&quot;)"/>`), ErrReference, ErrReference, ""},
		{"H10/paint-comment", image(`<rect fill="url/**/(#a)"/>`), ErrReference, ErrReference, ""},
		{"H10/colours", image(`<rect fill="rgb(1,2,3)" transform="matrix(1 0 0 1 0 0) rotate (45)"/>`), nil, nil, ""},
		{"H10/rdfa-url", image(`<g about="https://evil.example/"/>`), ErrReference, ErrReference, ""},
		{"H10/rdfa-words", image(`<g property="dc:title" role="img" content="(Brand)"/>`), nil, nil, ""},
		{"H10/xml-base", image(`<g xml:base="https://evil.example/"/>`), ErrReference, ErrReference, ""},
		{"H10/style-url", image(`<rect style="fill:url(https://evil.example/)"/>`), ErrAttribute, ErrReference, ""},
		{"H10/style-local", image(`<linearGradient id="a"/><rect style="fill:url(#a)"/>`), ErrAttribute, nil, ""},
		{"H10/sheet-import", image(`<style>@import "x";</style>`), ErrElement, ErrReference, ""},
		{"H10/sheet-escape", image(`<style>rect{fill:u\72l(x)}</style>`), ErrElement, ErrReference, ""},
		{"H11/itself", image(`<g id="a"><use href="#a"/></g>`), ErrExpansion, ErrExpansion, ""},
		{"H11/root", strings.Replace(image(`<use href="#r"/>`), "<svg", `<svg id="r"`, 1), ErrExpansion, ErrExpansion, ""},
		{"H11/mutual", image(`<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>`), ErrExpansion, ErrExpansion, ""},
		{"H11/laughs", image(laughs(10, 10)), ErrExpansion, ErrExpansion, ""},
		{"H11/chain-16", image(laughs(17, 1)), nil, nil, ""},
		{"H11/chain-17", image(laughs(18, 1)), ErrExpansion, ErrExpansion, ""},
		{"H11/pattern", image(`<pattern id="a"><rect fill="url(#a)"/></pattern>`), ErrElement, ErrElement, ""},
		{"H11/marker", image(`<marker id="a"/>`), ErrElement, ErrElement, ""},
		{"H11/clip", image(`<clipPath id="a"><rect/></clipPath><g clip-path="url(#a)"/><g style="clip-path:url(#a)"/>`), ErrElement, nil, ""},
		{"H11/clip-itself", image(`<clipPath id="a"><rect clip-path="url(#a)"/></clipPath>`), ErrElement, ErrExpansion, ""},
		{"H11/mask-laughs", image(masks(10, 10)), ErrElement, ErrExpansion, ""},
		{"H11/clip-by-sheet", image(`<style>rect{clip-path:url(#a)}</style><clipPath id="a"><rect/></clipPath>`), ErrElement, ErrExpansion, ""},
		{"H11/gradient-by-sheet", image(`<style>rect{fill:url(#a)}</style><linearGradient id="a"/>`), ErrElement, nil, ""},
		{"H11/gradients", image(`<linearGradient id="a" xlink:href="#b"/><linearGradient id="b" xlink:href="#a"/>`), ErrAttribute, ErrExpansion, ""},
		{"H11/paint-with-shape", image(`<g id="a"/><rect fill="url(#a)"/>`), nil, nil, ErrTarget},
		{"H12/32768", big(32768), nil, nil, ""},
		{"H12/32769", big(32769), ErrSize, ErrSize, ""},
		{"H13/square", strings.Replace(image(""), "0 0 100 100", "0 0 100 200", 1), nil, nil, ErrNotSquare},
		{"H13/no-viewBox", strings.Replace(image(""), ` viewBox="0 0 100 100"`, "", 1), nil, nil, ErrViewBox},
		{"H13/odd-viewBox", strings.Replace(image(""), "0 0 100 100", "0 0 Inf 100", 1), nil, nil, ErrViewBox},
		{"H14/absent", strings.Replace(image(""), ` width="100" height="100"`, "", 1), nil, nil, ErrNoDimensions},
		{"H14/relative", strings.Replace(image(""), ` width="100"`, ` width="100%"`, 1), nil, nil, ErrRelative},
		{"H14/small", strings.Replace(image(""), ` width="100"`, ` width="95px"`, 1), nil, nil, ErrSmall},
		{"H14/millimetres", strings.Replace(image(""), ` width="100"`, ` width="30mm"`, 1), nil, nil, ""},
		{"H15/gzip", string(gz(t, []byte(image("")))), nil, nil, ""},
		{"H15/gzip-twice", string(gz(t, gz(t, []byte(image(""))))), ErrGzip, ErrGzip, ""},
		{"H16/foreign", image(`<x:meta xmlns:x="urn:x"/>`), ErrForeign, nil, ""},
		{"H16/foreign-attribute", image(`<g xmlns:x="urn:x" x:label="a"/>`), ErrForeign, nil, ""},
		{"H16/foreign-in-metadata", image(`<metadata><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" r:about="http://example.com/"/></metadata>`), ErrForeign, nil, ""},
		{"H16/foreign-own-attributes", image(`<x:meta xmlns:x="urn:x" colour="red" about="https://example.com/"/>`), ErrForeign, nil, ""},
		{"H16/foreign-own-handler", image(`<x:meta xmlns:x="urn:x" onload="x"/>`), ErrForeign, ErrActive, ""},
		{"H16/foreign-own-script", image(`<x:meta xmlns:x="urn:x" a="javascript:x"/>`), ErrForeign, ErrReference, ""},
		{"H16/foreign-own-style", image(`<x:meta xmlns:x="urn:x" style="a:url(https://evil.example/)"/>`), ErrForeign, ErrReference, ""},
		{"H16/foreign-unprefixed", image(`<x xmlns="urn:x"/>`), ErrForeign, ErrForeign, ""},
		{"H16/no-namespace", image(`<rect xmlns=""/>`), ErrForeign, ErrForeign, ""},
		{"H16/foreign-script", image(`<x:script xmlns:x="urn:x"/>`), ErrActive, ErrActive, ""},
		{"H16/mathml", image(`<m:mi xmlns:m="http://www.w3.org/1998/Math/MathML"/>`), ErrForeign, ErrForeign, ""},
	})
}

// TestXML decides each place where encoding/xml or an HTML parser differs.
func TestXML(t *testing.T) {
	both := func(name, in string, err error, warn Error) verdict { return verdict{name, in, err, err, warn} }
	decl := `<?xml version="1.0" encoding="UTF-8"?>`
	run(t, []verdict{
		both("declaration", decl+image(""), nil, ""),
		both("declaration-single-quotes", `<?xml version='1.0' encoding='utf-8' standalone='yes' ?>`+"\n"+image(""), nil, ""),
		both("declaration-late", " "+decl+image(""), ErrSyntax, ""),
		both("declaration-inside", image(decl), ErrSyntax, ""),
		both("declaration-twice", decl+decl+image(""), ErrSyntax, ""),
		both("declaration-no-version", `<?xml encoding="UTF-8"?>`+image(""), ErrSyntax, ""),
		both("declaration-1.1", `<?xml version="1.1"?>`+image(""), ErrSyntax, ""),
		both("declaration-order", `<?xml version="1.0" standalone="no" encoding="UTF-8"?>`+image(""), ErrSyntax, ""),
		both("declaration-no-blank", `<?xml version="1.0"encoding="UTF-8"?>`+image(""), ErrSyntax, ""),
		both("declaration-latin1", `<?xml version="1.0" encoding="iso-8859-1"?>`+image(""), ErrEncoding, ""),
		both("declaration-utf7", `<?xml version="1.0" encoding="UTF-7"?>`+image(""), ErrEncoding, ""),
		both("declaration-standalone", `<?xml version="1.0" standalone="maybe"?>`+image(""), ErrSyntax, ""),
		both("bom", "\xef\xbb\xbf"+decl+image(""), nil, ErrByteOrderMark),
		both("bom-inside", image("\ufeff"), ErrText, "").profile(nil),
		both("utf-16", "\xff\xfe<\x00s\x00v\x00g\x00", ErrEncoding, ""),
		both("utf-16-without-mark", "<\x00s\x00v\x00g\x00", ErrEncoding, ""),
		both("nul", image("\x00"), ErrEncoding, ""),
		both("control", image("\x08"), ErrEncoding, ""),
		both("invalid-utf-8", image("<text>\xc0\xaf</text>"), ErrEncoding, ""),
		both("surrogate", image("<text>\xed\xa0\x80</text>"), ErrEncoding, ""),
		both("noncharacter", image("<text>\uffff</text>"), ErrEncoding, ""),
		both("duplicate", image(`<rect x="1" x="1"/>`), ErrDuplicateAttribute, ""),
		both("duplicate-by-namespace", image(`<use xmlns:l="http://www.w3.org/1999/xlink" l:href="#a" xlink:href="#a"/>`), ErrDuplicateAttribute, ""),
		both("duplicate-foreign", image(`<g xmlns:a="urn:x" xmlns:b="urn:x" a:q="1" b:q="1"/>`), ErrDuplicateAttribute, ""),
		both("duplicate-declaration", image(`<g xmlns:a="urn:x" xmlns:a="urn:y"/>`), ErrDuplicateAttribute, ""),
		both("prefix-element", image(`<q:rect/>`), ErrNamespace, ""),
		both("prefix-attribute", image(`<rect q:x="1"/>`), ErrNamespace, ""),
		both("prefix-out-of-scope", image(`<g xmlns:s="http://www.w3.org/2000/svg"/><s:g/>`), ErrNamespace, ""),
		both("prefix-later-in-tag", image(`<s:g fill="red" xmlns:s="http://www.w3.org/2000/svg"/>`), nil, ErrPrefix),
		both("prefix-emptied", image(`<g xmlns:s=""/>`), ErrNamespace, ""),
		both("prefix-xml", image(`<g xmlns:xml="urn:x"/>`), ErrNamespace, ""),
		both("prefix-xml-right", image(`<g xmlns:xml="http://www.w3.org/XML/1998/namespace" xml:lang="en"/>`), nil, ""),
		both("prefix-for-xml", image(`<g xmlns:x="http://www.w3.org/XML/1998/namespace"/>`), ErrNamespace, ""),
		both("prefix-xmlns", image(`<g xmlns:xmlns="urn:x"/>`), ErrNamespace, ""),
		both("prefix-for-xmlns", image(`<g xmlns:x="http://www.w3.org/2000/xmlns/"/>`), ErrNamespace, ""),
		both("prefix-element-xmlns", image(`<xmlns:g/>`), ErrNamespace, ""),
		both("namespace-by-number", strings.Replace(image(""), "2000/svg", "2000/sv&#103;", 1), ErrNamespace, ""),
		both("colon-first", image(`<:g/>`), ErrSyntax, ""),
		both("colon-last", image(`<g:/>`), ErrSyntax, ""),
		both("colon-twice", image(`<g xlink:a:b="1"/>`), ErrSyntax, ""),
		both("root-second", image("")+"<svg/>", ErrSyntax, ""),
		both("text-before", "x"+image(""), ErrSyntax, ""),
		both("text-after", image("")+"x", ErrSyntax, ""),
		both("reference-after", image("")+"&#32;", ErrSyntax, ""),
		both("comment-after", image("")+"\n<!-- x -->\n", nil, ""),
		both("cdata", image("<text><![CDATA[x]]></text>"), ErrCDATA, ""),
		both("cdata-before", "<![CDATA[x]]>"+image(""), ErrSyntax, ""),
		both("cdata-open", image("<text><![CDATA[x"), ErrCDATA, ""),
		both("cdata-end", image("<text>]]></text>"), ErrSyntax, ""),
		both("comment-dashes", image("<!-- a -- b -->"), ErrSyntax, ""),
		both("comment-open", image("<!-- a "), ErrSyntax, ""),
		both("comment-three-dashes", image("<!-- a --->"), ErrSyntax, ""),
		both("comment-empty", image("<!---->"), nil, ""),
		both("comment-html-1", image("<!--> <script/> -->"), ErrComment, ""),
		both("comment-html-2", image("<!---> <script/> -->"), ErrComment, ""),
		both("instruction", `<?xml-stylesheet href="x.css"?>`+image(""), ErrInstruction, ""),
		both("instruction-inside", image("<?php x ?>"), ErrInstruction, ""),
		both("instruction-open", image("<?php x "), ErrSyntax, ""),
		both("instruction-nameless", image("<? x ?>"), ErrSyntax, ""),
		both("doctype-after", image("")+"<!DOCTYPE svg>", ErrSyntax, ""),
		both("doctype-twice", "<!DOCTYPE svg><!DOCTYPE svg>"+image(""), ErrSyntax, "").first(ErrDoctype),
		both("doctype-small", "<!doctype svg>"+image(""), ErrSyntax, ""),
		both("doctype-garbage", "<!DOCTYPE svg FOO>"+image(""), ErrSyntax, ""),
		both("doctype-public-alone", `<!DOCTYPE svg PUBLIC "x">`+image(""), ErrSyntax, ""),
		both("entity-declaration-outside", `<!ENTITY a "b">`+image(""), ErrSyntax, ""),
		both("references", image(`<text>&lt;&gt;&amp;&quot;&apos;&#65;&#x1F600;</text>`), nil, ""),
		both("reference-open", image("<text>&lt</text>"), ErrSyntax, ""),
		both("reference-empty", image("<text>&;</text>"), ErrSyntax, ""),
		both("reference-nul", image("<text>&#0;</text>"), ErrSyntax, ""),
		both("reference-control", image("<text>&#x8;</text>"), ErrSyntax, ""),
		both("reference-surrogate", image("<text>&#xD800;</text>"), ErrSyntax, ""),
		both("reference-huge", image("<text>&#99999999999999999999;</text>"), ErrSyntax, ""),
		both("reference-empty-number", image("<text>&#;</text>"), ErrSyntax, ""),
		both("reference-capital-x", image("<text>&#X41;</text>"), ErrSyntax, ""),
		both("reference-blank", image("<g>&#32;</g>"), nil, ""),
		both("attribute-lt", image(`<rect x="<"/>`), ErrSyntax, ""),
		both("attribute-unquoted", image(`<rect x=1/>`), ErrSyntax, ""),
		both("attribute-bare", image(`<rect x/>`), ErrSyntax, ""),
		both("attribute-no-blank", image(`<rect x="1"y="1"/>`), ErrSyntax, ""),
		both("attribute-slash", image(`<rect/x="1"/>`), ErrSyntax, ""),
		both("attribute-open", image(`<rect x="1`), ErrSyntax, ""),
		both("tag-blank", image(`< rect/>`), ErrSyntax, ""),
		both("tag-open", image("<rect"), ErrSyntax, ""),
		both("tag-ends", head+"<", ErrSyntax, ""),
		both("end-wrong", image("<g></h>"), ErrSyntax, ""),
		both("end-longer", image("<g></gg>"), ErrSyntax, ""),
		both("end-blank", image("<g></g\n>"), nil, ""),
		both("end-attribute", image(`<g></g x="1">`), ErrSyntax, ""),
		both("end-extra", image("")+"</svg>", ErrSyntax, ""),
		both("end-missing", head, ErrSyntax, ""),
		both("end-prefix", image(`<s:g xmlns:s="http://www.w3.org/2000/svg"></g>`), ErrSyntax, ""),
		both("name-unicode", image(`<g id="größe"/>`), nil, ""),
	})
}

// profile sets what lenient says; first what strict says.
func (v verdict) profile(lenient error) verdict { v.lenient = lenient; return v }
func (v verdict) first(strict error) verdict    { v.strict = strict; return v }

func TestGzip(t *testing.T) {
	ok := gz(t, []byte(image("")))
	spaces := func(n int) []byte { return []byte(image(strings.Repeat(" ", n-len(image(""))))) }
	bomb := gz(t, make([]byte, 1<<20))
	for _, tt := range []struct {
		name string
		in   []byte
		o    Options
		want error
	}{
		{"plain", ok, Options{}, nil},
		{"at-limit", gz(t, spaces(DefaultMaxSize)), Options{}, nil},
		{"past-limit", gz(t, spaces(DefaultMaxSize+1)), Options{}, ErrSize},
		{"bomb", bomb, Options{}, ErrSize},
		{"bomb-ratio", bomb, Options{MaxSize: 64 << 20}, ErrGzip},
		{"compressed-at-limit", ok, Options{MaxCompressed: len(ok)}, nil},
		{"compressed-past-limit", ok, Options{MaxCompressed: len(ok) - 1}, ErrSize},
		{"two-members", append(bytes.Clone(ok), ok...), Options{}, ErrGzip},
		{"trailing", append(bytes.Clone(ok), 0), Options{}, ErrGzip},
		{"truncated", ok[:len(ok)-1], Options{}, ErrGzip},
		{"checksum", append(bytes.Clone(ok[:len(ok)-5]), ok[len(ok)-5]^1, ok[len(ok)-4], ok[len(ok)-3], ok[len(ok)-2], ok[len(ok)-1]), Options{}, ErrGzip},
		{"header", []byte{0x1f, 0x8b}, Options{}, ErrGzip},
		{"twice", gz(t, ok), Options{}, ErrGzip},
		{"ratio-below-free-output", gz(t, spaces(DefaultMaxSize)), Options{MaxSize: 1 << 20}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Check(tt.in, tt.o)
			require.True(t, got.Compressed)
			require.ErrorIs(t, got.Err, tt.want)
			require.Equal(t, tt.want == nil, got.SVG != nil)
		})
	}
}

func TestFindings(t *testing.T) {
	in := strings.ReplaceAll(image("\r\n<rect ä=\"1\"/>\n <g>ü<rect onclick=\"\"/></g>"), "ä", "colour")
	got := Check([]byte(in), Options{})
	require.Len(t, got.Findings, 3)
	require.Equal(t, Finding{SeverityError, TierProfile, ErrAttribute, 2, 7, "rect@colour", ""}, got.Findings[0])
	require.Equal(t, Finding{SeverityError, TierProfile, ErrText, 3, 5, "g", ""}, got.Findings[1])
	require.Equal(t, Finding{SeverityError, TierSecurity, ErrActive, 3, 12, "rect@onclick", ""}, got.Findings[2])
	require.EqualError(t, got.Err, "svg: line 2, column 7: rect@colour: attribute not in the profile for this element")
	require.Equal(t, "line 3, column 12: rect@onclick: active, linked or embedded content ("+ErrActive.Advice()+")", got.Findings[2].String())

	t.Run("bounded", func(t *testing.T) {
		got := Check([]byte(image(strings.Repeat("<rect/>x", 1000))), Options{})
		require.Len(t, got.Findings, maxListed)
		got = Check([]byte(image(strings.Repeat(`<use href="#x"/>`, 1000))), Options{})
		require.NoError(t, got.Err)
		require.Len(t, got.Findings, maxListed)
		require.Len(t, got.Warnings(), maxListed)
	})
	t.Run("error-after-many-warnings", func(t *testing.T) {
		require.ErrorIs(t, Check([]byte(image(strings.Repeat(`<use href="#x"/>`, 100)+"<script/>")), Options{}).Err, ErrActive)
	})
	t.Run("printable", func(t *testing.T) {
		for _, in := range []string{
			image(`<g id="a` + strings.Repeat("ü", 100) + "\n\x7f\u202e\"/>"),
			image("<größe/>"),
			image(`<g fill-rule="&#13;&#10;X: y"/>`),
			image(`<g fill-rule="&quot;) (&lt;script&gt;"/>`),
		} {
			got := Check([]byte(in), Options{})
			require.Error(t, got.Err)
			for _, b := range []byte(got.Err.Error() + got.Findings[0].String()) {
				require.True(t, b >= ' ' && b < 0x7f, "%q", got.Err)
			}
		}
	})
	t.Run("facts", func(t *testing.T) {
		got := Check([]byte(image("<g><g><rect/></g></g>")), Options{})
		require.NoError(t, got.Err)
		require.True(t, got.OK())
		require.Equal(t, "Brand", got.Title)
		require.Equal(t, [4]float64{0, 0, 100, 100}, got.ViewBox)
		require.Equal(t, 5, got.Elements)
		require.Equal(t, 4, got.Depth)
		require.Equal(t, len(got.SVG), got.Size)
	})
	t.Run("title-comments", func(t *testing.T) {
		require.Equal(t, "A & B", Check([]byte(head+"<title> A <!-- x -->&amp; B\n</title>"+tail), Options{}).Title)
	})
}

// TestReceivers: the options of known receivers raise warnings to errors.
func TestReceivers(t *testing.T) {
	relative := []byte(strings.Replace(image(""), ` width="100"`, ` width="100%"`, 1))
	small := []byte(strings.Replace(image(""), ` width="100"`, ` width="20"`, 1))
	without := []byte(strings.Replace(image(""), ` width="100" height="100"`, "", 1))
	large := []byte(image(strings.Repeat(" ", 17<<10)))
	for _, tt := range []struct {
		name string
		o    Options
		in   []byte
		want error
	}{
		{"Gmail/relative", Gmail(), relative, ErrRelative},
		{"Gmail/small", Gmail(), small, ErrSmall},
		{"Gmail/without", Gmail(), without, nil},
		{"Apple/relative", Apple(), relative, ErrRelative},
		{"Apple/small", Apple(), small, nil},
		{"Fastmail/large", Fastmail(), large, ErrSize},
		{"Draft/relative", Options{}, relative, nil},
		{"Draft/large", Options{}, large, nil},
	} {
		t.Run(tt.name, func(t *testing.T) { require.ErrorIs(t, Check(tt.in, tt.o).Err, tt.want) })
	}
}

// TestPrograms: what drawing programs write when nobody tells them about the
// profile is refused in strict and shown in lenient.
func TestPrograms(t *testing.T) {
	run(t, []verdict{
		{"Illustrator", `<?xml version="1.0" encoding="utf-8"?>
<!-- Generator: Adobe Illustrator 28.0.0, SVG Export Plug-In . SVG Version: 6.00 Build 0)  -->
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg version="1.1" id="Layer_1" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" x="0px" y="0px"
	 viewBox="0 0 100 100" style="enable-background:new 0 0 100 100;" xml:space="preserve">
<style type="text/css">
	.st0{fill:#FFFFFF;stroke:url(#SVGID_1_);font-variant:normal}
</style>
<linearGradient id="SVGID_1_" gradientUnits="userSpaceOnUse" x1="0" y1="0" x2="1" y2="1" gradientTransform="matrix(1 0 0 -1 0 18)"><stop offset="0" style="stop-color:#000000"/></linearGradient>
<clipPath id="SVGID_2_"><rect width="1" height="1"/></clipPath>
<g opacity="0.5" style="clip-path:url(#SVGID_2_);"><rect class="st0" width="96" height="96"/></g>
</svg>`, ErrDoctype, nil, ""},
		{"Inkscape", `<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<svg xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:cc="http://creativecommons.org/ns#" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
   xmlns:svg="http://www.w3.org/2000/svg" xmlns="http://www.w3.org/2000/svg" xmlns:sodipodi="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd"
   xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" width="100mm" height="100mm" viewBox="0 0 100 100" version="1.1" id="svg8" inkscape:version="0.92.4">
  <defs id="defs2" />
  <sodipodi:namedview id="base" pagecolor="#ffffff" inkscape:pageopacity="0.0" inkscape:window-maximized="1" />
  <metadata id="metadata5"><rdf:RDF><cc:Work rdf:about=""><dc:format>image/svg+xml</dc:format><dc:type rdf:resource="http://purl.org/dc/dcmitype/StillImage" /><dc:title></dc:title></cc:Work></rdf:RDF></metadata>
  <g inkscape:label="Layer 1" inkscape:groupmode="layer" id="layer1"><rect style="opacity:1;fill:#ff0000;stroke-width:0.26;font-variant-ligatures:normal" id="rect10" width="50" height="50" x="1" y="2" /></g>
</svg>`, ErrValue, nil, ""},
	})
}

// TestSecurityStays: no combination of options accepts what the security tier refuses.
func TestSecurityStays(t *testing.T) {
	o := Options{Profile: Lenient, MaxSize: 1 << 30, MaxDepth: 1 << 30, MaxElements: 1 << 30, MaxAttributes: 1 << 30, MaxExpansion: 1 << 30, MaxCompressed: 1 << 30}
	for _, e := range allErrors() {
		if e.tier() == TierSecurity {
			require.Equal(t, SeverityError, o.severity(e, true), e.Code())
		}
	}
	require.ErrorIs(t, Check([]byte(image("<script/>")), o).Err, ErrActive)
	require.ErrorIs(t, Check([]byte(image(`<g id="a"><use href="#a"/></g>`)), o).Err, ErrExpansion)
}
