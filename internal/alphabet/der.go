package alphabet

// DER folds octets into well-formed nested values (X.690, section 8.1): the first
// octet of an operation is a tag, opens a value that the octet 0xf0 closes, or
// names one of the pieces (identifiers of objects, media types). Lengths are
// right, unless an operation says to spoil one.
func DER(data []byte, pieces ...[]byte) []byte {
	const (
		opClose  = 0xf0
		opSpoil  = 0xf1 // of the value that is closed next: add the next octet to its length
		opPiece  = 0xf2 // an element of pieces
		opFill   = 0xf3 // as many octets as the next two say
		opEscape = 0xff
	)
	type value struct {
		tag   byte
		spoil byte
		body  []byte
	}
	stack := []value{{}}
	top := func() *value { return &stack[len(stack)-1] }
	next := func() (b byte) {
		if len(data) > 0 {
			b, data = data[0], data[1:]
		}
		return b
	}
	closeTop := func() {
		v := *top()
		stack = stack[:len(stack)-1]
		n := len(v.body) + int(int8(v.spoil))
		switch out := &top().body; {
		case n < 0x80:
			*out = append(*out, v.tag, byte(n))
		case n < 0x100:
			*out = append(*out, v.tag, 0x81, byte(n))
		case n < 0x10000:
			*out = append(*out, v.tag, 0x82, byte(n>>8), byte(n))
		default:
			*out = append(*out, v.tag, 0x83, byte(n>>16), byte(n>>8), byte(n))
		}
		top().body = append(top().body, v.body...)
	}
	for total := 0; len(data) > 0 && total < MaxText; total++ {
		switch op := next(); {
		case op == opClose:
			if len(stack) > 1 {
				closeTop()
			}
		case op == opSpoil:
			top().spoil = next()
		case op == opPiece && len(pieces) > 0:
			p := pieces[int(next())%len(pieces)]
			total += len(p)
			top().body = append(top().body, p...)
		case op == opFill:
			n := int(next())<<2 | int(next())&3
			total += n
			for i := range n {
				top().body = append(top().body, byte(i))
			}
		case op == opEscape:
			top().body = append(top().body, next())
		case op&0x20 != 0: // constructed
			if len(stack) < 64 {
				stack = append(stack, value{tag: op})
			}
		default: // primitive: as long as the low half of the next octet says
			n := min(int(next())&15, len(data))
			top().body = append(append(top().body, op, byte(n)), data[:n]...)
			data = data[n:]
		}
	}
	for len(stack) > 1 {
		closeTop()
	}
	return stack[0].body
}
