package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed2385d973/mailauth/arc"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/message"
)

// longest is how many sets the longest chain has.
const longest = 10

// chains has chains of 1 to 10 sets validated by others and by us: ours, theirs,
// and such as we and they have sealed in turns.
//
// Files are NAME-chain-nn.eml. A peer is called with "verify NAME", prints a line
// "file status" for each, and with "seal IN OUT cv", which seals one file.
func (w *world) chains() error {
	var failed error
	for _, p := range []script{
		{title: "dkimpy", command: []string{"/usr/bin/python3", "arcdkimpy.py"}},
		{title: "Mail::DKIM", command: []string{"perl", "arcmaildkim.pl"}},
	} {
		for _, who := range []string{"ours", p.title, "turns"} {
			good, err := w.chainsOf(p, strings.ReplaceAll(who, ":", ""))
			failed = errors.Join(failed, err)
			fmt.Printf("%-11s and we found %d chains intact, sealed by %s\n", p.title, good, who)
		}
	}
	return failed
}

func (w *world) chainsOf(p script, who string) (good int, err error) {
	text := "From: CEO <ceo@" + domain + ">\r\nTo: u@victim.example\r\nSubject: Statement\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@bank.example>\r\n\r\nDear  customer, \r\n\r\n"
	for i := 1; i <= longest; i++ {
		if i%3 == 0 {
			text += "-- \r\na footer\r\n"
		}
		status := "pass"
		if i == 1 {
			status = "none"
		}
		if who == "ours" || who == "turns" && i%2 == 1 {
			text, err = w.seal(text)
		} else {
			text, err = w.sealedBy(p, who, text, status)
		}
		if err != nil {
			return good, fmt.Errorf("%s: set %d by %s: %w", p.title, i, who, err)
		}
		if err := os.WriteFile(w.chain(who, i), []byte(text), 0o600); err != nil {
			return good, err
		}
		r, err := w.validate(text)
		if err != nil {
			return good, err
		}
		if r.Status != arc.Pass || len(r.Sets) != i {
			return good, fmt.Errorf("we say of %d sets by %s: %s, %w\n%q", i, who, r.Status, r.Err, text)
		}
	}
	out, err := w.call(nil, append(p.command, "verify", who)...)
	if err != nil {
		return good, err
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) != 2 || f[1] != "pass" {
			text, _ := os.ReadFile(filepath.Join(w.dir, f[0]))
			return good, fmt.Errorf("%s says of a chain by %s: %q\n%q", p.title, who, line, text)
		}
		good++
	}
	if good != longest {
		return good, fmt.Errorf("%s answered %d times of %d", p.title, good, longest)
	}
	return good, nil
}

func (w *world) chain(who string, i int) string {
	return filepath.Join(w.dir, fmt.Sprintf("%s-chain-%02d.eml", who, i))
}

func (w *world) sealer() arc.Sealer {
	return arc.Sealer{Domain: domain, Selector: "r1", Key: w.keys["r1"]}
}

func (w *world) validate(text string) (arc.Result, error) {
	zone := map[string]any{}
	for name, record := range w.dns {
		zone[name] = map[string]any{"TXT": [][]string{{record}}}
	}
	data, err := json.Marshal(zone)
	if err != nil {
		return arc.Result{}, err
	}
	z, err := dnstest.Parse(string(data))
	if err != nil {
		return arc.Result{}, err
	}
	m, err := message.Parse([]byte(text))
	if err != nil {
		return arc.Result{}, err
	}
	v := arc.Verifier{Resolver: z}
	return v.Verify(context.Background(), m), nil
}

// seal has us seal a message whose footer, if it has a new one, we have added. The
// chain is the one that arrived, without the footer.
func (w *world) seal(text string) (string, error) {
	arrived, err := w.validate(strings.TrimSuffix(text, "-- \r\na footer\r\n"))
	if err != nil {
		return "", err
	}
	if arrived.Status == arc.Fail {
		if arrived, err = w.validate(text); err != nil {
			return "", err
		}
	}
	s := w.sealer()
	d := message.Digester{Want: []message.BodyHash{s.BodyHash()}}
	if _, err := d.Write([]byte(text)); err != nil {
		return "", err
	}
	m, err := d.Finish()
	if err != nil {
		return "", err
	}
	fields, err := s.Seal(m, arrived, authres.Header{AuthservID: "mx." + domain, Results: []authres.Result{
		{Method: "arc", Status: arrived.Status},
		{Method: "dmarc", Status: authres.Pass, Properties: []authres.Property{{Type: "header", Name: "from", Value: domain}}},
	}})
	return strings.Join(fields, "") + text, err
}

// sealedBy has a peer seal a message; it wants an Authentication-Results field to
// take the results from, which is not part of the message for long.
func (w *world) sealedBy(p script, who, text, status string) (string, error) {
	in, out := who+"-in", who+"-out"
	results := "Authentication-Results: mx." + domain + "; arc=" + status + "; dmarc=pass header.from=" + domain + "\r\n"
	if err := os.WriteFile(filepath.Join(w.dir, in), []byte(results+text), 0o600); err != nil {
		return "", err
	}
	if _, err := w.call(nil, append(p.command, "seal", in, out, domain, status)...); err != nil {
		return "", err
	}
	set, err := os.ReadFile(filepath.Join(w.dir, out))
	return string(set) + text, err
}
