package svgps

import "bytes"

// What the lenient profile knows beyond the schema. These are lists of what is
// known, like the schema itself: a name on none of them is an error in every
// profile.

// isActive lists elements that run, load, link or move, in whatever namespace:
// an HTML parser does not ask for the namespace. They get an error that says so;
// elements on no list are refused as well.
func isActive(local []byte) bool {
	var low [24]byte
	if len(local) > len(low) {
		return false
	}
	for i, b := range local {
		if 'A' <= b && b <= 'Z' {
			b |= 0x20
		}
		low[i] = b
	}
	switch string(low[:len(local)]) {
	case "script", "handler", "listener", "eventlistener",
		"animate", "animatecolor", "animatemotion", "animatetransform", "animation", "set", "discard", "mpath",
		"a", "image", "img", "switch", "foreignobject", "feimage", "cursor", "prefetch", "view", "color-profile", "font-face-uri", "font-face-src", "definition-src", "tref", "altglyph",
		"audio", "video", "source", "track", "iframe", "frame", "frameset", "object", "embed", "applet", "canvas", "portal",
		"link", "meta", "base", "html", "body", "head", "form", "input", "button", "math", "template", "svgscript":
		return true
	}
	return false
}

// isInertElement lists static elements of SVG 1.1 and SVG Tiny 1.2 that the
// profile left out. Filters are not among them: they are programs for the
// renderer's processor. Patterns and markers are not either: fill, stroke and
// marker are inherited, so one reference can be drawn at every element, inside
// the pattern too, and what that expands to cannot be counted without a renderer.
func isInertElement(local []byte) bool {
	switch string(local) {
	case "style", "tspan", "textPath", "tbreak", "symbol", "clipPath", "mask", "missing-glyph", "vkern":
		return true
	}
	return false
}

// isInertAttribute lists attributes, without namespace, of SVG 1.1 and SVG Tiny
// 1.2 that the schema has on no element and that only describe how to paint.
func isInertAttribute(name []byte) bool {
	switch string(name) {
	case "style", "opacity", "overflow", "enable-background", "isolation", "mix-blend-mode", "paint-order", "alignment-baseline", "baseline-shift", "dominant-baseline",
		"clip", "clip-path", "clip-rule", "clipPathUnits", "mask", "maskUnits", "maskContentUnits", "mask-type",
		"gradientTransform", "spreadMethod", "fx", "fy", "fr", "dx", "dy", "textLength", "lengthAdjust", "letter-spacing", "word-spacing", "writing-mode",
		"font", "font-size-adjust", "text-decoration", "color-interpolation", "color-interpolation-filters", "flood-color", "flood-opacity", "lighting-color", "pointer-events",
		"shape-padding", "type", "media", "startOffset", "method", "spacing", "contentStyleType", "tabindex", "aria-label", "aria-labelledby", "aria-hidden", "aria-describedby":
		return true
	}
	return bytes.HasPrefix(name, []byte("data-"))
}

// isInertNamespace reports whether elements and attributes of a foreign
// namespace are only somebody's data. None of the W3C's is, except RDF.
func isInertNamespace(uri []byte) bool {
	if string(uri) == uriRDF {
		return true
	}
	low := bytes.ToLower(uri)
	return len(low) > 0 && !bytes.Contains(low, []byte("w3.org")) && !bytes.Contains(low, []byte("xhtml")) && !bytes.Contains(low, []byte("svg"))
}

// isMetadata lists the attributes whose value no CSS parser reads: the RDFa
// ones and names.
func isMetadata(a attribute) bool {
	switch a {
	case attrAbout, attrContent, attrDatatype, attrProperty, attrRel, attrRev, attrResource, attrRole, attrTypeof,
		attrClass, attrId, attrXmlId, attrXmlLang, attrXmlSpace, attrSystemLanguage, attrRequiredFonts, attrContentScriptType,
		attrUnicode, attrGlyphName, attrG1, attrG2, attrU1, attrU2:
		return true
	}
	return false
}
