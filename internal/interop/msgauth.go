package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	msgauth "github.com/emersion/go-msgauth/dkim"
)

type goMsgauth struct{}

func (goMsgauth) name() string  { return "go-msgauth" }
func (goMsgauth) ed25519() bool { return true }

func (goMsgauth) verifies(w *world) (map[string][2]string, error) {
	answers := map[string][2]string{}
	lookup := func(name string) ([]string, error) { return []string{w.dns[strings.TrimSuffix(name, ".")]}, nil }
	for i := range count {
		text, err := os.ReadFile(w.path("ours", i))
		if err != nil {
			return nil, err
		}
		list, err := msgauth.VerifyWithOptions(bytes.NewReader(text), &msgauth.VerifyOptions{LookupTXT: lookup})
		if err != nil || len(list) != 2 {
			return nil, fmt.Errorf("%d signatures, %w", len(list), err)
		}
		var a [2]string
		for k, v := range list {
			if a[k] = "pass"; v.Err != nil {
				a[k] = v.Err.Error()
			}
		}
		answers[filepath.Base(w.path("ours", i))] = a
	}
	return answers, nil
}

func (p goMsgauth) signs(w *world) error {
	for i := range count {
		text, err := os.ReadFile(w.path("plain", i))
		if err != nil {
			return err
		}
		selector := []string{"r1", "r2", "ed"}[i%3]
		head, body, _ := strings.Cut(pairs[i%4], "/")
		var out bytes.Buffer
		err = msgauth.Sign(&out, bytes.NewReader(text), &msgauth.SignOptions{
			Domain: domain, Selector: selector, Signer: w.keys[selector],
			HeaderCanonicalization: msgauth.Canonicalization(head), BodyCanonicalization: msgauth.Canonicalization(body),
		})
		if err != nil {
			return err
		}
		if err := os.WriteFile(w.path(p.name(), i), out.Bytes(), 0o600); err != nil {
			return err
		}
	}
	return nil
}
