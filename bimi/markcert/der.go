package markcert

// der is a cursor over DER (X.690): definite lengths in their shortest form,
// one-octet tags, nothing read past the end. Every read moves the cursor; a read
// that fails returns false and the value must then be thrown away. There is no
// recursion: the caller descends exactly as deep as the structure it expects.
type der []byte

// The tags this package meets. tagContext and tagConstructed are combined for
// the context-specific ones.
const (
	tagBoolean         = 0x01
	tagInteger         = 0x02
	tagBitString       = 0x03
	tagOctetString     = 0x04
	tagNull            = 0x05
	tagOID             = 0x06
	tagEnumerated      = 0x0a
	tagIA5String       = 0x16
	tagUTCTime         = 0x17
	tagGeneralizedTime = 0x18
	tagSequence        = 0x30
	tagContext         = 0x80
	tagConstructed     = 0xa0 // context-specific and constructed
)

// any reads the next element whatever it is: its tag, its content, and the whole
// of it with tag and length.
func (d *der) any() (tag byte, content, whole der, ok bool) {
	b := *d
	if len(b) < 2 || b[0]&0x1f == 0x1f {
		return 0, nil, nil, false
	}
	n, head := int(b[1]), 2
	if n >= 0x80 {
		// Four octets of length are 4 GiB; no input here is a thousandth of that.
		k := n & 0x7f
		if k == 0 || k > 4 || len(b) < 2+k || b[2] == 0 {
			return 0, nil, nil, false
		}
		var v uint64
		for _, c := range b[2 : 2+k] {
			v = v<<8 | uint64(c)
		}
		head += k
		if v < 0x80 || v > uint64(len(b)-head) {
			return 0, nil, nil, false
		}
		n = int(v)
	}
	if n > len(b)-head {
		return 0, nil, nil, false
	}
	*d = b[head+n:]
	return b[0], b[head : head+n : head+n], b[: head+n : head+n], true
}

// peek reports whether the next element has the tag.
func (d der) peek(tag byte) bool { return len(d) > 0 && d[0] == tag }

// read reads an element with the tag into content.
func (d *der) read(tag byte, content *der) bool {
	if !d.peek(tag) {
		return false
	}
	_, c, _, ok := d.any()
	*content = c
	return ok
}

// element reads an element with the tag, tag and length included.
func (d *der) element(tag byte, whole *der) bool {
	if !d.peek(tag) {
		return false
	}
	_, _, w, ok := d.any()
	*whole = w
	return ok
}

// optional reads the element if it is there; false only if it is there and broken.
func (d *der) optional(tag byte, content *der, present *bool) bool {
	if *present = d.peek(tag); !*present {
		return true
	}
	return d.read(tag, content)
}

// elements reads all that is left as well-formed elements; used to check what is
// not interpreted.
func (d der) elements() bool {
	for len(d) > 0 {
		if _, _, _, ok := d.any(); !ok {
			return false
		}
	}
	return true
}

// oid reads an OBJECT IDENTIFIER and returns its content octets, which serve as a
// key: two identifiers are the same exactly when their content is.
func (d *der) oid(out *string) bool {
	var c der
	if !d.read(tagOID, &c) || len(c) == 0 || c[len(c)-1]&0x80 != 0 {
		return false
	}
	for i, b := range c {
		if b == 0x80 && (i == 0 || c[i-1]&0x80 == 0) { // not the shortest form
			return false
		}
	}
	*out = string(c)
	return true
}

// ia5 reads an IA5String.
func (d *der) ia5(out *string) bool {
	var c der
	if !d.read(tagIA5String, &c) {
		return false
	}
	for _, b := range c {
		if b >= 0x80 {
			return false
		}
	}
	*out = string(c)
	return true
}

// boolean reads a BOOLEAN.
func (d *der) boolean(out *bool) bool {
	var c der
	return d.read(tagBoolean, &c) && c.bool(out)
}

// bool interprets the content of a BOOLEAN, whose true is 0xff in DER.
func (d der) bool(out *bool) bool {
	if len(d) != 1 || d[0] != 0 && d[0] != 0xff {
		return false
	}
	*out = d[0] != 0
	return true
}

// integer reads an INTEGER and returns its content, which is a key as that of oid is.
func (d *der) integer(out *der) bool { return d.read(tagInteger, out) && out.minimal() }

func (d der) minimal() bool {
	switch {
	case len(d) == 0:
		return false
	case len(d) == 1:
		return true
	}
	return !(d[0] == 0 && d[1]&0x80 == 0 || d[0] == 0xff && d[1]&0x80 != 0)
}

// extension reads one Extension of a certificate or a revocation list (RFC 5280,
// section 4.1). A critical flag that spells out its DEFAULT FALSE is not DER, but
// it changes nothing and issuers write it: it is read as what it says.
func (d *der) extension(id *string, critical *bool, value *der) bool {
	var e der
	*critical = false
	if !d.read(tagSequence, &e) || !e.oid(id) {
		return false
	}
	if e.peek(tagBoolean) && !e.boolean(critical) {
		return false
	}
	return e.read(tagOctetString, value) && len(e) == 0
}

// appendDER appends an element with the tag and the content.
func appendDER(dst []byte, tag byte, content ...[]byte) []byte {
	n := 0
	for _, c := range content {
		n += len(c)
	}
	dst = append(dst, tag)
	switch {
	case n < 0x80:
		dst = append(dst, byte(n))
	case n < 0x100:
		dst = append(dst, 0x81, byte(n))
	case n < 0x10000:
		dst = append(dst, 0x82, byte(n>>8), byte(n))
	case n < 0x1000000:
		dst = append(dst, 0x83, byte(n>>16), byte(n>>8), byte(n))
	default:
		dst = append(dst, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	for _, c := range content {
		dst = append(dst, c...)
	}
	return dst
}
