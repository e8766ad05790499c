package message_test

import (
	"crypto"
	"fmt"
	"io"
	"strings"

	"github.com/seed2385d973/mailauth/message"
)

const text = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=bank.example; s=sel;\r\n" +
	"\th=from:subject; bh=...; b=...\r\n" +
	"From: CEO <ceo@bank.example>\r\n" +
	"Subject: Statement\r\n" +
	"\r\n" +
	"Your  statement is ready. \r\n" +
	"\r\n"

func ExampleRead() {
	m, err := message.Read(strings.NewReader(text))
	if err != nil {
		fmt.Println(err)
		return
	}
	h := m.Header()
	for _, i := range h.All("from") {
		fmt.Printf("field %d:%s\n", i, h.Field(i).Value())
	}
	// What the message's own signature asks for has been taken.
	d, ok := m.BodyDigest(message.BodyHash{Canonicalization: message.Relaxed, Hash: crypto.SHA256, Length: message.WholeBody})
	fmt.Printf("%v %x... of %d octets, body of %d\n", ok, d.Sum[:4], d.Canonical, m.BodySize())
	// Output:
	// field 1: CEO <ceo@bank.example>
	// true 25012abf... of 26 octets, body of 30
}

// A server passes a message on while it arrives, spools it, and knows the
// header before the body is there.
func ExampleDigester() {
	var d message.Digester
	w := io.MultiWriter(io.Discard, &d) // the spool file and the digester
	for _, chunk := range []string{text[:100], text[100:170], text[170:]} {
		if _, err := io.WriteString(w, chunk); err != nil {
			fmt.Println(err)
			return
		}
		if h := d.Header(); h != nil {
			fmt.Println("fields:", h.Len())
		}
	}
	m, err := d.Finish()
	fmt.Println("body:", m.BodySize(), err)
	// Output:
	// fields: 3
	// fields: 3
	// body: 30 <nil>
}

// A signer wants a digest that no field of the message asks for, and may decide
// that when it has seen the header.
func ExampleDigester_wantFunc() {
	relaxed := message.BodyHash{Canonicalization: message.Relaxed, Hash: crypto.SHA256, Length: message.WholeBody}
	d := message.Digester{WantFunc: func(h *message.Header) []message.BodyHash {
		if len(h.All("Subject")) == 0 {
			return nil
		}
		return []message.BodyHash{relaxed}
	}}
	io.WriteString(&d, "From: ceo@bank.example\r\nSubject: Hello\r\n\r\n \r\n\r\n")
	m, err := d.Finish()
	if err != nil {
		fmt.Println(err)
		return
	}
	digest, ok := m.BodyDigest(relaxed)
	fmt.Println(ok, digest.Canonical) // a body of blank lines is empty
	// Output: true 0
}

func ExampleHeader_AmbiguousAuthor() {
	h, err := message.ParseHeader([]byte("X-Note: a\nFrom: <ceo@bank.example>\r\nFrom: <u@attack.example>\r\n\r\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range h.AmbiguousAuthor() {
		fmt.Printf("%s in field %d (%s)\n", f.Defect, f.Field, h.Field(f.Field).Name())
	}
	// Output: bare_lf in field 0 (X-Note)
}

func ExampleField_AppendCanonical() {
	h, err := message.ParseHeader([]byte("SUBJect :  A\r\n\tfolded   one \r\n\r\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%q\n", h.Field(0).AppendCanonical(nil, message.Relaxed))
	// Output: "subject:A folded one\r\n"
}

// A file from a mail store has LF line ends.
func ExampleCRLF() {
	file := strings.NewReader("From: ceo@bank.example\n\nHello\n")
	m, err := message.Read(message.CRLF(file))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Header().Len(), m.BodySize(), len(m.Defects()))
	// Output: 1 7 0
}
