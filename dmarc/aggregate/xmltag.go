package aggregate

import (
	"fmt"
	"strings"
)

func (t *tokenizer) startTag() (token, error) {
	if t.rooted && t.depth == 0 {
		return token{}, malformed("second root element")
	}
	name, err := t.readName()
	if err != nil {
		return token{}, err
	}
	if t.depth == maxDepth {
		return token{}, fmt.Errorf("%w: elements nested more than %d deep", ErrLimit, maxDepth)
	}
	t.stack[t.depth] = name
	t.depth++
	t.rooted = true
	t.attrs = t.attrs[:0]
	for {
		c, blank, err := t.space()
		if err != nil {
			return token{}, err
		}
		if c == '/' {
			if c, err = t.r.ReadByte(); err != nil {
				return token{}, readErr(err)
			}
			if c != '>' {
				return token{}, malformed("tag")
			}
			t.closing = true
		}
		if c == '>' {
			break
		}
		if !blank {
			return token{}, malformed("tag")
		}
		t.r.UnreadByte()
		if err := t.attribute(); err != nil {
			return token{}, err
		}
	}
	for _, a := range t.attrs {
		if prefix, _, found := strings.Cut(a, ":"); found && prefix != "xml" && prefix != "xmlns" && !t.declared(prefix) {
			return token{}, malformed("prefix that is not declared")
		}
	}
	prefix, local, found := strings.Cut(name, ":")
	if !found {
		prefix, local = "", name
	} else if prefix == "" || local == "" || strings.Contains(local, ":") {
		return token{}, malformed("name of an element")
	}
	for i := len(t.names) - 1; i >= 0; i-- {
		if t.names[i].prefix == prefix {
			return token{kind: tokenStart, name: local, space: t.names[i].uri}, nil
		}
	}
	if prefix != "" {
		return token{}, malformed("prefix that is not declared")
	}
	return token{kind: tokenStart, name: local}, nil
}

func (t *tokenizer) declared(prefix string) bool {
	for i := range t.names {
		if t.names[i].prefix == prefix {
			return true
		}
	}
	return false
}

func (t *tokenizer) attribute() error {
	if len(t.attrs) == maxAttributes {
		return fmt.Errorf("%w: more than %d attributes", ErrLimit, maxAttributes)
	}
	name, err := t.readName()
	if err != nil {
		return err
	}
	for _, a := range t.attrs {
		if a == name {
			return malformed("attribute occurs twice")
		}
	}
	t.attrs = append(t.attrs, name)
	c, _, err := t.space()
	if err == nil && c != '=' {
		err = malformed("attribute")
	}
	if err != nil {
		return err
	}
	quote, _, err := t.space()
	if err != nil {
		return err
	}
	if quote != '"' && quote != '\'' {
		return malformed("attribute")
	}
	t.buf = t.buf[:0]
	for {
		if c, err = t.r.ReadByte(); err != nil {
			return readErr(err)
		}
		if c == quote {
			break
		}
		if c == '<' {
			return malformed("attribute")
		}
		if len(t.buf) == maxText {
			return fmt.Errorf("%w: attribute longer than %d octets", ErrLimit, maxText)
		}
		t.buf = append(t.buf, c)
	}
	value, err := t.chars(t.buf, true)
	if err != nil {
		return err
	}
	prefix, isPrefix := strings.CutPrefix(name, "xmlns:")
	if name != "xmlns" && !isPrefix {
		return nil
	}
	if !isPrefix {
		prefix = ""
	}
	if len(t.names) == maxNames {
		return fmt.Errorf("%w: more than %d namespaces", ErrLimit, maxNames)
	}
	t.names = append(t.names, binding{prefix, string(value), t.depth})
	return nil
}

func (t *tokenizer) endTag() (token, error) {
	name, err := t.readName()
	if err != nil {
		return token{}, err
	}
	c, _, err := t.space()
	if err != nil {
		return token{}, err
	}
	if c != '>' || t.depth == 0 || t.stack[t.depth-1] != name {
		return token{}, malformed("end tag")
	}
	return t.pop(), nil
}

// pop closes the innermost element.
func (t *tokenizer) pop() token {
	for len(t.names) > 0 && t.names[len(t.names)-1].depth == t.depth {
		t.names = t.names[:len(t.names)-1]
	}
	t.depth--
	name := t.stack[t.depth]
	if i := strings.IndexByte(name, ':'); i >= 0 {
		name = name[i+1:]
	}
	return token{kind: tokenEnd, name: name}
}
