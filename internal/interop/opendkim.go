package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// openDKIM works with libopendkim, through a program of ours in C. (The daemon's
// test mode drops white space at the beginning of values, as the milter protocol
// does, so that simple fails; opendkim-testmsg signs with SHA-1.)
type openDKIM struct{}

func (openDKIM) name() string  { return "OpenDKIM" }
func (openDKIM) ed25519() bool { return true }

//go:embed peers/libopendkim.c
var libopendkim []byte

func (openDKIM) verifies(w *world) (map[string][2]string, error) {
	var zone, paths strings.Builder
	for name, record := range w.dns {
		fmt.Fprintf(&zone, "%s %s\n", name, record)
	}
	err := errors.Join(
		os.WriteFile(filepath.Join(w.dir, "keys.txt"), []byte(zone.String()), 0o600),
		os.WriteFile(filepath.Join(w.dir, "libopendkim.c"), libopendkim, 0o600))
	if err != nil {
		return nil, err
	}
	if _, err := w.call(nil, "cc", "-o", "libopendkim", "libopendkim.c", "-lopendkim"); err != nil {
		return nil, err
	}
	// The library stops at the first good signature, so each gets a file of its own.
	for i := range count {
		text, err := os.ReadFile(w.path("ours", i))
		if err != nil {
			return nil, err
		}
		plain, err := os.ReadFile(w.path("plain", i))
		if err != nil {
			return nil, err
		}
		fields := strings.TrimSuffix(string(text), string(plain))
		second := strings.LastIndex(fields, "DKIM-Signature:")
		for k, field := range []string{fields[:second], fields[second:]} {
			name := fmt.Sprintf("one-%d-%03d.eml", k, i)
			if err := os.WriteFile(filepath.Join(w.dir, name), []byte(field+string(plain)), 0o600); err != nil {
				return nil, err
			}
			paths.WriteString(name + "\n")
		}
	}
	out, err := w.call([]byte(paths.String()), "./libopendkim", "verify", "keys.txt")
	if err != nil {
		return nil, err
	}
	words := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(words) != 2*count {
		return nil, fmt.Errorf("%d answers", len(words))
	}
	answers := map[string][2]string{}
	for i := range count {
		answers[filepath.Base(w.path("ours", i))] = [2]string{words[2*i], words[2*i+1]}
	}
	return answers, nil
}

func (p openDKIM) signs(w *world) error {
	var jobs strings.Builder
	for i := range count {
		selector := []string{"r1", "r2"}[i%2]
		fmt.Fprintf(&jobs, "%s %s %s.pkcs1 %d %d %s\n", filepath.Base(w.path("plain", i)), selector, selector, i/2%2, i/4%2, filepath.Base(w.path(p.name(), i)))
	}
	_, err := w.call([]byte(jobs.String()), "./libopendkim", "sign", domain)
	return err
}
