package dkim

import (
	"context"
	"crypto"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
	"github.com/seed2385d973/mailauth/message"
)

// The base message and tags of the threat matrix.
const (
	b0 = "From: CEO <ceo@bank.example>\r\n" +
		"To: <u@victim.example>\r\n" +
		"Subject: Statement\r\n" +
		"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\n" +
		"Message-ID: <1@bank.example>\r\n" +
		"MIME-Version: 1.0\r\n" +
		"Content-Type: text/plain\r\n" +
		"\r\n" +
		"Dear customer,\r\n\r\nyour statement is ready.\r\n"

	t0 = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=bank.example; s=sel; h=from:to:subject:date; bh={bh}; b={b}"
	t1 = "v=1; a=rsa-sha256; c=relaxed/relaxed; d=bank.example; s=sel; h=from:from:to:subject:subject:date; bh={bh}; b={b}"
)

var clock = func() time.Time { return time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC) }

// with returns a tag list with the tag of change replaced, or with it put in
// front of bh if there is none; "-v" removes v. Several changes may be given.
func with(tags string, changes ...string) string {
	list := strings.Split(tags, "; ")
	for _, change := range changes {
		name, _, _ := strings.Cut(strings.TrimPrefix(change, "-"), "=")
		at, found := 0, false
		for i, t := range list {
			if strings.HasPrefix(t, "bh=") && !found {
				at = i
			}
			if strings.HasPrefix(t, name+"=") {
				at, found = i, true
			}
		}
		switch {
		case strings.HasPrefix(change, "-"):
			list = append(list[:at:at], list[at+1:]...)
		case found:
			list[at] = change
		default:
			list = append(list[:at:at], append([]string{change}, list[at:]...)...)
		}
	}
	return strings.Join(list, "; ")
}

// zone is the DNS of a case: TXT records by name, without the final dot.
type zone map[string][]string

func (z zone) resolver(t testing.TB) *dnstest.Zone {
	t.Helper()
	all := map[string]any{}
	for name, records := range z {
		switch {
		case len(records) == 1 && strings.HasPrefix(records[0], "error:"):
			all[name] = map[string]any{"error": strings.TrimPrefix(records[0], "error:")}
		case len(records) == 1 && strings.HasPrefix(records[0], "cname:"):
			all[name] = map[string]any{"CNAME": strings.TrimPrefix(records[0], "cname:")}
		default:
			txt := [][]string{}
			for _, r := range records {
				txt = append(txt, []string{r})
			}
			all[name] = map[string]any{"TXT": txt}
		}
	}
	text, err := json.Marshal(all)
	require.NoError(t, err)
	r, err := dnstest.Parse(string(text))
	require.NoError(t, err)
	return r
}

// world is where the cases live: bank.example has KB, attack.example has KA.
type world struct {
	kb, ka crypto.Signer
	zone   zone
}

func newWorld(t testing.TB) *world {
	w := &world{kb: sigtest.RSA(t, "rsa2048"), ka: sigtest.RSA(t, "rsa2048b")}
	w.zone = zone{
		"sel._domainkey.bank.example":   {sigtest.Record(w.kb)},
		"sel._domainkey.attack.example": {sigtest.Record(w.ka)},
		"attack.example":                {"v=spf1 ip4:192.0.2.1 -all"},
		"bank.example":                  {"v=spf1 -all"},
	}
	return w
}

func parse(t testing.TB, text string) *message.Message {
	t.Helper()
	d := message.Digester{AllowSHA1: true}
	_, err := d.Write([]byte(text))
	require.NoError(t, err)
	m, err := d.Finish()
	require.NoError(t, err)
	return m
}

// verify returns the results and the questions asked.
func (w *world) verify(t testing.TB, v Verifier, text string) ([]Result, []string) {
	t.Helper()
	r := w.zone.resolver(t)
	if v.Resolver == nil {
		v.Resolver = r
	}
	if v.Now == nil {
		v.Now = clock
	}
	results := v.Verify(context.Background(), parse(t, text))
	for _, r := range results {
		require.Equal(t, r.Status == Pass, r.Err == nil, "Err is nil exactly on pass")
		if r.Err != nil {
			require.NotEmpty(t, r.Code(), "%v", r.Err)
		}
	}
	return results, r.Queries()
}

// matrix is a row of the threat matrix with one signature.
type matrix struct {
	id     string
	tags   string        // default t0
	key    crypto.Signer // default KB
	edit   func(string) string
	text   string // the whole message, instead of tags, key and edit
	zone   zone
	v      Verifier
	status authres.Status
	err    error
	first  int // junk signatures above the one that counts
	asks   int // how many questions; negative: do not care
	check  func(*testing.T, Result)
}

func runMatrix(t *testing.T, rows []matrix) {
	w := newWorld(t)
	ids := map[string]bool{}
	for _, row := range rows {
		require.False(t, ids[row.id], "row %s twice", row.id)
		ids[row.id] = true
		t.Run(row.id, func(t *testing.T) {
			w := *w
			if row.zone != nil {
				z := zone{}
				for n, r := range w.zone {
					z[n] = r
				}
				for n, r := range row.zone {
					z[n] = r
				}
				w.zone = z
			}
			key := row.key
			if key == nil {
				key = w.kb
			}
			tags := row.tags
			if tags == "" {
				tags = t0
			}
			text := row.text
			if text == "" {
				text = sigtest.Sign(key, tags, b0)
			}
			if row.edit != nil {
				edited := row.edit(text)
				require.NotEqual(t, text, edited, "the edit did nothing")
				text = edited
			}
			results, asked := w.verify(t, row.v, text)
			require.Len(t, results, 1+row.first)
			r := results[row.first]
			require.Equal(t, row.status, r.Status, "%v", r.Err)
			if row.err != nil {
				require.ErrorIs(t, r.Err, row.err)
			} else {
				require.Equal(t, Pass, r.Status, "a row that is no pass names its error")
			}
			if row.asks >= 0 {
				require.Len(t, asked, row.asks, "questions: %v", asked)
			}
			if row.check != nil {
				row.check(t, r)
			}
		})
	}
}

func replace(old, new string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, new, 1) }
}

func top(field string) func(string) string {
	return func(s string) string { return field + s }
}
