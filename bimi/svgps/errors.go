package svgps

// Error is a constant error of this package: what a [Finding] is about, and
// the root of [Result].Err.
type Error string

// Error implements error.
func (e Error) Error() string { return string(e) }

// What the security tier finds. These are always errors.
const (
	// ErrSize: more octets than the limit, compressed or uncompressed.
	ErrSize Error = "image larger than the limit"
	// ErrGzip: the gzip layer is damaged, is not the only one, or has something after it (RFC 1952, section 2.2).
	ErrGzip Error = "gzip layer is not one sound member"
	// ErrEncoding: not UTF-8, or a character that XML 1.0 does not allow (RFC 3629, section 3).
	ErrEncoding Error = "not plain UTF-8 text"
	// ErrSyntax: not well-formed XML 1.0.
	ErrSyntax Error = "not well-formed XML"
	// ErrDuplicateAttribute: the same attribute twice on one element, also under two prefixes.
	ErrDuplicateAttribute Error = "attribute given twice"
	// ErrNamespace: a prefix without declaration, a declaration that XML namespaces forbid, or too many of them.
	ErrNamespace Error = "namespace prefix undeclared or misused"
	// ErrSubset: a document type declaration with an internal subset, or one that names a foreign document.
	ErrSubset Error = "document type declaration with entities or a foreign document"
	// ErrEntity: an entity reference other than to the five predefined entities.
	ErrEntity Error = "reference to an entity that is not predefined"
	// ErrInstruction: a processing instruction, such as xml-stylesheet.
	ErrInstruction Error = "processing instruction"
	// ErrCDATA: a CDATA section, which an HTML parser reads as something else.
	ErrCDATA Error = "CDATA section"
	// ErrComment: a comment that ends earlier for an HTML parser than for an XML parser, or is none.
	ErrComment Error = "comment that an HTML parser reads otherwise"
	// ErrDepth: elements nested deeper than the limit.
	ErrDepth Error = "elements nested too deeply"
	// ErrElements: more elements than the limit.
	ErrElements Error = "too many elements"
	// ErrAttributes: more attributes on one element than the limit.
	ErrAttributes Error = "too many attributes"
	// ErrExpansion: use elements that refer to themselves, or draw more than the limit.
	ErrExpansion Error = "use elements expand without end or beyond the limit"
	// ErrRoot: the root element is not svg in the SVG namespace.
	ErrRoot Error = "root element is not svg in the SVG namespace"
	// ErrActive: script, event handler, animation, multimedia, link, embedded image or foreign document.
	ErrActive Error = "active, linked or embedded content"
	// ErrReference: a reference to something outside the document, or one that cannot be told from it.
	ErrReference Error = "reference out of the document"
)

// What the profile tier finds. Errors in [Strict]; in [Lenient] warnings where
// the thing is known to be inert.
const (
	// ErrDoctype: a plain document type declaration.
	ErrDoctype Error = "document type declaration"
	// ErrElement: an element that the profile does not have.
	ErrElement Error = "element not in the profile"
	// ErrPlacement: an element of the profile where it may not stand.
	ErrPlacement Error = "element not allowed here"
	// ErrForeign: an element or attribute of another namespace.
	ErrForeign Error = "element or attribute of another namespace"
	// ErrAttribute: an attribute that the profile does not have on this element.
	ErrAttribute Error = "attribute not in the profile for this element"
	// ErrValue: an attribute whose value the profile does not allow.
	ErrValue Error = "attribute value not in the profile"
	// ErrRequired: baseProfile or version is missing on the root.
	ErrRequired Error = "required attribute missing"
	// ErrTitle: title missing, empty, not the first child of the root, or given twice.
	ErrTitle Error = "title missing, empty, repeated or not first"
	// ErrDesc: an empty desc.
	ErrDesc Error = "empty desc"
	// ErrText: text directly in an element that holds none.
	ErrText Error = "text not allowed here"
)

// Advice: warnings, unless [Options].Raise names them.
const (
	// ErrTitleLength: a title of more than 64 characters.
	ErrTitleLength Error = "title longer than 64 characters"
	// ErrViewBox: no viewBox, or one that is not four numbers separated by single blanks.
	ErrViewBox Error = "viewBox missing or unusual"
	// ErrNotSquare: the viewBox is not square.
	ErrNotSquare Error = "viewBox is not square"
	// ErrNoDimensions: the root has no width or no height.
	ErrNoDimensions Error = "no width or height"
	// ErrRelative: width or height of the root is relative.
	ErrRelative Error = "width or height is not absolute"
	// ErrSmall: width or height of the root is below 96 pixels.
	ErrSmall Error = "width or height below 96 pixels"
	// ErrUse: a use element; receivers disagree on the form of its reference.
	ErrUse Error = "use element"
	// ErrTarget: a reference to an id that no element has, or to an element that cannot be painted with.
	ErrTarget Error = "reference to nothing that can be drawn"
	// ErrID: the same id twice.
	ErrID Error = "id given twice"
	// ErrByteOrderMark: a UTF-8 byte order mark (RFC 3629, section 6).
	ErrByteOrderMark Error = "byte order mark"
	// ErrPrefix: SVG elements written with a namespace prefix.
	ErrPrefix Error = "SVG elements with a prefix"
)

// Code returns the name of the constant, such as "ErrActive", and "" for an
// Error that is none of this package's.
func (e Error) Code() string {
	code, _ := e.describe()
	return code
}

// Advice returns what a publisher can do about the finding, "" for an Error
// that is none of this package's.
func (e Error) Advice() string {
	_, advice := e.describe()
	return advice
}

// describe holds code and advice side by side, so that neither is forgotten.
func (e Error) describe() (code, advice string) {
	switch e {
	case ErrSize:
		return "ErrSize", "simplify paths, round coordinates and drop editor data until the uncompressed file is small enough"
	case ErrGzip:
		return "ErrGzip", "compress the file once with gzip, or publish it uncompressed"
	case ErrEncoding:
		return "ErrEncoding", "save the file as UTF-8 without control characters"
	case ErrSyntax:
		return "ErrSyntax", "write well-formed XML 1.0; an XML editor shows the place"
	case ErrDuplicateAttribute:
		return "ErrDuplicateAttribute", "keep one of the two"
	case ErrNamespace:
		return "ErrNamespace", "declare each prefix once on the root element, or remove what uses it"
	case ErrSubset:
		return "ErrSubset", "remove the document type declaration and write entities out"
	case ErrEntity:
		return "ErrEntity", "write the character itself"
	case ErrInstruction:
		return "ErrInstruction", "remove it; only the XML declaration at the very start is allowed"
	case ErrCDATA:
		return "ErrCDATA", "write the text with &lt; and &amp; instead"
	case ErrComment:
		return "ErrComment", "remove the comment"
	case ErrDepth:
		return "ErrDepth", "ungroup nested groups"
	case ErrElements:
		return "ErrElements", "merge shapes into fewer paths"
	case ErrAttributes:
		return "ErrAttributes", "remove attributes that change nothing"
	case ErrExpansion:
		return "ErrExpansion", "draw the shapes directly instead of with use"
	case ErrRoot:
		return "ErrRoot", `begin with <svg xmlns="http://www.w3.org/2000/svg" version="1.2" baseProfile="tiny-ps">`
	case ErrActive:
		return "ErrActive", "remove it; an indicator is a still picture without scripts, links, animation or embedded images"
	case ErrReference:
		return "ErrReference", "refer only to an id of the same file, as in url(#name)"
	case ErrDoctype:
		return "ErrDoctype", "remove the document type declaration"
	case ErrElement:
		return "ErrElement", "convert it to plain shapes or remove it"
	case ErrPlacement:
		return "ErrPlacement", "move it to where the profile has it, or remove it"
	case ErrForeign:
		return "ErrForeign", "remove what the drawing program left of its own data"
	case ErrAttribute:
		return "ErrAttribute", "remove it, or write what it does with attributes of the profile"
	case ErrValue:
		return "ErrValue", "use a value that the profile allows"
	case ErrRequired:
		return "ErrRequired", `add version="1.2" baseProfile="tiny-ps" to the svg element`
	case ErrTitle:
		return "ErrTitle", "put one title with the name of the brand as the first element in svg"
	case ErrDesc:
		return "ErrDesc", "describe the image or remove the element"
	case ErrText:
		return "ErrText", "remove the text or put it into a text element"
	case ErrTitleLength:
		return "ErrTitleLength", "shorten the title to 64 characters"
	case ErrViewBox:
		return "ErrViewBox", `write a square viewBox with blanks between the numbers, such as "0 0 100 100"`
	case ErrNotSquare:
		return "ErrNotSquare", "make the viewBox square with the image in its middle; it is shown in a square or circle"
	case ErrNoDimensions:
		return "ErrNoDimensions", "some receivers want absolute width and height of at least 96 pixels"
	case ErrRelative:
		return "ErrRelative", "give width and height in pixels"
	case ErrSmall:
		return "ErrSmall", "give width and height of at least 96 pixels"
	case ErrUse:
		return "ErrUse", "draw the shape again; receivers disagree whether href or xlink:href is the right form"
	case ErrTarget:
		return "ErrTarget", "correct the name or remove the reference"
	case ErrID:
		return "ErrID", "give each element its own id"
	case ErrByteOrderMark:
		return "ErrByteOrderMark", "save the file as UTF-8 without byte order mark"
	case ErrPrefix:
		return "ErrPrefix", "make the SVG namespace the default one; some receivers look for plain <svg"
	}
	return "", ""
}

// tier says which constants may ever be warnings: the security tier never.
func (e Error) tier() Tier {
	switch e {
	case ErrSize, ErrGzip, ErrEncoding, ErrSyntax, ErrDuplicateAttribute, ErrNamespace, ErrSubset,
		ErrEntity, ErrInstruction, ErrCDATA, ErrComment, ErrDepth, ErrElements, ErrAttributes,
		ErrExpansion, ErrRoot, ErrActive, ErrReference:
		return TierSecurity
	case ErrDoctype, ErrElement, ErrPlacement, ErrForeign, ErrAttribute, ErrValue, ErrRequired,
		ErrTitle, ErrDesc, ErrText:
		return TierProfile
	}
	return TierAdvice
}
