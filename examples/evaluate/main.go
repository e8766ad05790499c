// Command evaluate says what SPF, DKIM and DMARC make of a built-in message,
// without asking the network anything.
package main

import (
	"bytes"
	"context"
	"fmt"
	"log"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/examples/internal/sample"
)

func main() {
	evaluator := mailauth.Evaluator{Resolver: sample.Zone()}
	result, err := evaluator.Evaluate(context.Background(), &mailauth.Message{
		Session: sample.Session(),
		Data:    bytes.NewReader(sample.Message()),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("verdict:", result.Action)
	fmt.Print("\n", result.Explain())
}
