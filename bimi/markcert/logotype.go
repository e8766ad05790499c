package markcert

import (
	"fmt"
	"strings"
)

// logotype is the one image of a subject logotype as the certificate has it.
type logotype struct {
	mediaType string
	uri       string
	hashes    []logotypeHash
}

type logotypeHash struct {
	algorithm string // content of the OBJECT IDENTIFIER
	value     []byte
}

// maxHashes bounds the list of one image; there are five algorithms to list.
const maxHashes = 16

// parseLogotype reads a LogotypeExtn (RFC 9399, section 4.1) down to the one image of
// its subject logotype. Community, issuer and other logotypes only have to be
// well-formed: they are nothing to BIMI, and must not be mistaken for the subject's.
//
//	LogotypeExtn ::= SEQUENCE {
//	   communityLogos  [0] EXPLICIT SEQUENCE OF LogotypeInfo OPTIONAL,
//	   issuerLogo      [1] EXPLICIT LogotypeInfo OPTIONAL,
//	   subjectLogo     [2] EXPLICIT LogotypeInfo OPTIONAL,
//	   otherLogos      [3] EXPLICIT SEQUENCE OF OtherLogotypeInfo OPTIONAL }
//	LogotypeInfo ::= CHOICE { direct [0] LogotypeData, indirect [1] LogotypeReference }
//	LogotypeData ::= SEQUENCE { image SEQUENCE OF LogotypeImage OPTIONAL, audio [1] ... OPTIONAL }
func parseLogotype(value []byte) (logotype, error) {
	var (
		d                      = der(value)
		ext, subject, data     der
		found, hasImage, audio bool
		images, ignored        der
	)
	if !d.read(tagSequence, &ext) || len(d) != 0 {
		return logotype{}, malformed("LogotypeExtn")
	}
	last := -1
	for len(ext) > 0 {
		tag, content, _, ok := ext.any()
		n := int(tag) - tagConstructed
		if !ok || n <= last || n > 3 {
			return logotype{}, malformed("LogotypeExtn")
		}
		last = n
		inner := content
		if _, _, _, ok := inner.any(); !ok || len(inner) != 0 { // EXPLICIT: exactly one element
			return logotype{}, malformed("LogotypeExtn")
		}
		if n == 2 {
			subject, found = content, true
		}
	}
	switch {
	case !found:
		return logotype{}, ErrNoLogotype
	case subject.peek(tagConstructed | 1):
		return logotype{}, ErrLogotypeIndirect
	case !subject.read(tagConstructed, &data):
		return logotype{}, malformed("LogotypeInfo")
	}
	if !data.optional(tagSequence, &images, &hasImage) ||
		!data.optional(tagConstructed|1, &ignored, &audio) || len(data) != 0 || !hasImage && !audio {
		return logotype{}, malformed("LogotypeData")
	}
	return parseImages(images)
}

// parseImages reads the list of images, which has to hold one.
//
//	LogotypeImage ::= SEQUENCE { imageDetails LogotypeDetails, imageInfo LogotypeImageInfo OPTIONAL }
func parseImages(images der) (logotype, error) {
	var image, details, info der
	var hasInfo bool
	if len(images) == 0 {
		return logotype{}, fmt.Errorf("%w: no image", ErrLogotypeCount)
	}
	if !images.read(tagSequence, &image) {
		return logotype{}, malformed("LogotypeImage")
	}
	if len(images) != 0 {
		if !images.elements() {
			return logotype{}, malformed("LogotypeImage")
		}
		return logotype{}, fmt.Errorf("%w: several images", ErrLogotypeCount)
	}
	// Size and resolution mean nothing for a vector image; they are not interpreted.
	if !image.read(tagSequence, &details) ||
		!image.optional(tagSequence, &info, &hasInfo) || len(image) != 0 || !info.elements() {
		return logotype{}, malformed("LogotypeImage")
	}
	return parseDetails(details)
}

// parseDetails reads what there is to say about an image.
//
//	LogotypeDetails ::= SEQUENCE {
//	   mediaType IA5String,
//	   logotypeHash SEQUENCE SIZE (1..MAX) OF HashAlgAndValue,
//	   logotypeURI  SEQUENCE SIZE (1..MAX) OF IA5String }
//	HashAlgAndValue ::= SEQUENCE { hashAlg AlgorithmIdentifier, hashValue OCTET STRING }
func parseDetails(details der) (logotype, error) {
	var (
		l            logotype
		hashes, uris der
	)
	if !details.ia5(&l.mediaType) || !details.read(tagSequence, &hashes) ||
		!details.read(tagSequence, &uris) || len(details) != 0 || len(hashes) == 0 || len(uris) == 0 {
		return logotype{}, malformed("LogotypeDetails")
	}
	for len(hashes) > 0 {
		var hash, algorithm, value, params der
		var h logotypeHash
		var hasParams bool
		if !hashes.read(tagSequence, &hash) || !hash.read(tagSequence, &algorithm) ||
			!hash.read(tagOctetString, &value) || len(hash) != 0 || !algorithm.oid(&h.algorithm) ||
			// Parameters are absent or NULL: the examples of RFC 9399 have none, real certificates NULL.
			!algorithm.optional(tagNull, &params, &hasParams) || len(params) != 0 || len(algorithm) != 0 {
			return logotype{}, malformed("HashAlgAndValue")
		}
		if len(l.hashes) == maxHashes {
			return logotype{}, fmt.Errorf("%w: more than %d hashes", ErrLogotype, maxHashes)
		}
		h.value = value
		l.hashes = append(l.hashes, h)
	}
	if !uris.ia5(&l.uri) {
		return logotype{}, malformed("logotypeURI")
	}
	if len(uris) != 0 {
		if !uris.elements() {
			return logotype{}, malformed("logotypeURI")
		}
		return logotype{}, fmt.Errorf("%w: several URIs", ErrLogotypeCount)
	}
	return l, nil
}

func malformed(what string) error { return fmt.Errorf("%w: %s", ErrLogotype, what) }

// svgMediaType reports whether the media type is one under which SVG is
// embedded, and whether it is the one that RFC 9399, section 7 names for
// compressed SVG. Real certificates say image/svg+xml.
func svgMediaType(s string) (svg, registered bool) {
	switch strings.ToLower(s) {
	case "image/svg+xml+gzip":
		return true, true
	case "image/svg+xml", "image/svg+xml-gzip", "image/svg+xml-compressed":
		return true, false
	}
	return false, false
}
