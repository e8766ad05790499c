// Command msgauth is go-msgauth's DKIM verifier behind the requests of "mailauth
// batch", for the comparison in internal/differential.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	msgauth "github.com/emersion/go-msgauth/dkim"
)

func main() {
	log.SetFlags(0)
	in := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		if err == nil {
			err = answer(out, line)
		}
		if err != nil {
			log.Fatal("msgauth: ", err)
		}
	}
}

func answer(out *json.Encoder, line []byte) error {
	var q struct {
		Message []byte `json:"message_b64"`
		DNS     map[string]struct {
			TXT [][]string
		} `json:"dns"`
	}
	if err := json.Unmarshal(line, &q); err != nil {
		return err
	}
	result, text := verify(q.Message, func(name string) ([]string, error) {
		for n, node := range q.DNS {
			if strings.EqualFold(n, strings.TrimSuffix(name, ".")) {
				var all []string
				for _, strs := range node.TXT {
					all = append(all, strings.Join(strs, ""))
				}
				return all, nil
			}
		}
		return nil, fmt.Errorf("no such name: %s", name)
	})
	return out.Encode(map[string]string{"result": result, "text": text})
}

func verify(message []byte, lookup func(string) ([]string, error)) (result, text string) {
	defer func() {
		if p := recover(); p != nil { // a peer that breaks has no opinion
			result, text = "exception", fmt.Sprint(p)
		}
	}()
	list, err := msgauth.VerifyWithOptions(bytes.NewReader(message), &msgauth.VerifyOptions{LookupTXT: lookup})
	switch {
	case err != nil:
		return "exception", err.Error()
	case len(list) == 0:
		return "none", ""
	case list[0].Err != nil:
		return "fail", list[0].Err.Error()
	}
	return "pass", ""
}
