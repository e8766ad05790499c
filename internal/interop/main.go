// Command interop has 200 generated messages that we sign verified by other
// people's DKIM implementations, and verifies what they sign: go-msgauth, which
// this module requires, dkimpy, Mail::DKIM and libopendkim. It does the same with
// ARC chains, and has Mail::DMARC read the aggregate reports that we write. "make
// interop" installs what it needs and runs it; run.sh lists the packages. A program
// that is missing is an error: a check that did not run must not look like one that passed.
package main

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/message"
)

const count = 200

//go:embed peers/*.py peers/*.pl
var scripts embed.FS

// world is the domain that everybody signs for.
type world struct {
	dir  string
	keys map[string]*dkim.Key // by selector
	dns  map[string]string    // TXT by name
}

const domain = "bank.example"

func main() {
	log.SetFlags(0)
	dir, err := os.MkdirTemp("", "interop")
	if err != nil {
		log.Fatal(err)
	}
	err = run(dir)
	os.RemoveAll(dir)
	if err != nil {
		log.Fatal("interop: ", err)
	}
}

func run(dir string) error {
	w := &world{dir: dir, keys: map[string]*dkim.Key{}, dns: map[string]string{}}
	for selector, kind := range map[string]dkim.KeyKind{"r1": dkim.RSA2048, "r2": dkim.RSA3072, "ed": dkim.Ed25519} {
		key, err := dkim.GenerateKey(kind)
		if err != nil {
			return err
		}
		w.keys[selector] = key
		w.dns[selector+"._domainkey."+domain] = key.Record().String()
		if err := os.WriteFile(filepath.Join(dir, selector+".pem"), key.PEM(), 0o600); err != nil {
			return err
		}
		if pem := key.PKCS1(); pem != nil {
			if err := os.WriteFile(filepath.Join(dir, selector+".pkcs1"), pem, 0o600); err != nil {
				return err
			}
		}
	}
	zone, err := json.Marshal(w.dns)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "dns.json"), zone, 0o600); err != nil {
		return err
	}
	for _, name := range []string{"dkimpy.py", "maildkim.pl", "arcdkimpy.py", "arcmaildkim.pl", "maildmarc.pl"} {
		text, err := scripts.ReadFile("peers/" + name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return err
		}
	}
	rnd := rand.New(rand.NewPCG(6376, 8463))
	for i := range count {
		text := generate(rnd, i)
		if err := os.WriteFile(w.path("plain", i), []byte(text), 0o600); err != nil {
			return err
		}
		signed, err := w.sign(rnd, i, text)
		if err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
		if err := os.WriteFile(w.path("ours", i), []byte(signed), 0o600); err != nil {
			return err
		}
	}
	var failed error
	for _, p := range []peer{goMsgauth{}, script{"dkimpy", []string{"/usr/bin/python3", "dkimpy.py"}, true}, script{"Mail::DKIM", []string{"perl", "maildkim.pl"}, false}, openDKIM{}} {
		failed = errors.Join(failed, w.meet(p))
	}
	return errors.Join(failed, w.chains(), w.reports())
}

func (w *world) path(who string, i int) string {
	return filepath.Join(w.dir, fmt.Sprintf("%s-%03d.eml", who, i))
}

var pairs = []string{"relaxed/relaxed", "simple/simple", "relaxed/simple", "simple/relaxed"}

// sign puts one RSA and one Ed25519 signature on top.
func (w *world) sign(rnd *rand.Rand, i int, text string) (string, error) {
	rsa := dkim.Signer{Domain: domain, Selector: []string{"r1", "r2"}[i%2], Canonicalization: pairs[i%4]}
	ed := dkim.Signer{Domain: domain, Selector: "ed", Canonicalization: pairs[rnd.IntN(4)]}
	rsa.Key, ed.Key = w.keys[rsa.Selector], w.keys["ed"]
	switch rnd.IntN(4) {
	case 0:
		rsa.Identity = "a=b@news." + domain
	case 1:
		rsa.Fields = []string{"subject", "from", "x-tag", "date", "to"}
	case 2:
		rsa.Expires = 1000 * 3600 * 1e9
	}
	fields, err := dkim.Sign(strings.NewReader(text), rsa, ed)
	return fields + text, err
}

// verify is our own verifier. It returns how many signatures there are and the
// first error.
func (w *world) verify(text []byte) (int, error) {
	zone := map[string]any{}
	for name, record := range w.dns {
		zone[name] = map[string]any{"TXT": [][]string{{record}}}
	}
	data, err := json.Marshal(zone)
	if err != nil {
		return 0, err
	}
	z, err := dnstest.Parse(string(data))
	if err != nil {
		return 0, err
	}
	m, err := message.Parse(text)
	if err != nil {
		return 0, err
	}
	v := dkim.Verifier{Resolver: z}
	results := v.Verify(context.Background(), m)
	for _, r := range results {
		if r.Err != nil {
			return len(results), fmt.Errorf("%s: %w", r.Signature.Algorithm, r.Err)
		}
	}
	return len(results), nil
}

// peer is another implementation.
type peer interface {
	name() string
	// verifies returns, for each message of ours, what it says of the RSA and the
	// Ed25519 signature: "pass", or "none" where it does not know the algorithm.
	verifies(w *world) (map[string][2]string, error)
	// signs writes NAME-nnn.eml for each plain message.
	signs(w *world) error
	ed25519() bool
}

// meet runs both directions with one peer.
func (w *world) meet(p peer) error {
	answers, err := p.verifies(w)
	if err != nil {
		return fmt.Errorf("%s: %w", p.name(), err)
	}
	var good [2]int
	var failed error
	for i := range count {
		a := answers[filepath.Base(w.path("ours", i))]
		for k, word := range a {
			switch {
			case word == "pass":
				good[k]++
			case k == 1 && !p.ed25519():
			default:
				text, _ := os.ReadFile(w.path("ours", i))
				failed = errors.Join(failed, fmt.Errorf("%s says %q of signature %d of our message %d:\n%q", p.name(), word, k, i, text))
			}
		}
	}
	if err := p.signs(w); err != nil {
		return fmt.Errorf("%s: signing: %w", p.name(), err)
	}
	theirs := 0
	for i := range count {
		text, err := os.ReadFile(w.path(p.name(), i))
		if err != nil {
			return err
		}
		if n, err := w.verify(text); err != nil || n == 0 {
			failed = errors.Join(failed, fmt.Errorf("we say of message %d of %s: %d signatures, %v\n%q", i, p.name(), n, err, text))
			continue
		}
		theirs++
	}
	fmt.Printf("%-11s verified %d RSA and %d Ed25519 signatures of ours; we verified %d messages of theirs\n", p.name(), good[0], good[1], theirs)
	return failed
}

// script is a peer in another language. It is called with "verify" or "sign".
type script struct {
	title   string
	command []string
	ed      bool
}

func (s script) name() string  { return s.title }
func (s script) ed25519() bool { return s.ed }

func (s script) verifies(w *world) (map[string][2]string, error) {
	out, err := w.call(nil, append(s.command, "verify", domain)...)
	if err != nil {
		return nil, err
	}
	answers := map[string][2]string{}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) != 3 {
			return nil, fmt.Errorf("unexpected line %q", line)
		}
		answers[f[0]] = [2]string{f[1], f[2]}
	}
	return answers, nil
}

func (s script) signs(w *world) error {
	_, err := w.call(nil, append(s.command, "sign", domain, s.title)...)
	return err
}

// call runs a program in the directory with the messages.
func (w *world) call(stdin []byte, command ...string) ([]byte, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir, cmd.Stdin = w.dir, bytes.NewReader(stdin)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, errs.String())
	}
	return out, nil
}
