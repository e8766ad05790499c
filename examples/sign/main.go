// Command sign copies a message, CRLF at its line ends, from standard input to
// standard output with a DKIM-Signature field in front:
//
//	sign example.com s1 s1.pem < message.eml
package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/seed2385d973/mailauth/dkim"
)

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: sign domain selector key.pem")
	}
	pem, err := os.ReadFile(os.Args[3])
	check(err)
	key, err := dkim.ParseKey(pem)
	check(err)
	var message bytes.Buffer // a server would write its queue file here
	field, err := dkim.Sign(io.TeeReader(os.Stdin, &message), dkim.Signer{Domain: os.Args[1], Selector: os.Args[2], Key: key})
	check(err)
	fmt.Print(field, message.String())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
