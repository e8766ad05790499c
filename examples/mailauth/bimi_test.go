package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/seed2385d973/mailauth/dkim"
)

// ask runs one request through batch and returns its result.
func ask(t *testing.T, q map[string]any) map[string]any {
	t.Helper()
	line, err := json.Marshal(q)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, batch(context.Background(), bytes.NewReader(append(line, '\n')), &out))
	var rep struct {
		Result map[string]any
		Error  string
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &rep))
	require.Empty(t, rep.Error)
	return rep.Result
}

// TestBatchBIMI: a certified logo by way of the operations' own fields.
func TestBatchBIMI(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	pki, err := markcerttest.New(rand.NewChaCha8([32]byte{1}), now)
	require.NoError(t, err)
	b, err := pki.Issue(markcerttest.Spec{Domains: []string{"example.com"}})
	require.NoError(t, err)
	revoked, err := pki.Issue(markcerttest.Spec{Domains: []string{"example.com"}}, markcerttest.Revoked)
	require.NoError(t, err)
	web := func(b *markcerttest.Bundle, lists bool) map[string]any {
		out := map[string]any{
			"https://example.com/mark.pem":  map[string]any{"status": 302, "location": "/moved.pem"},
			"https://example.com/moved.pem": map[string]any{"status": 200, "body_b64": base64.StdEncoding.EncodeToString(b.PEM)},
			"https://example.com/logo.svg":  map[string]any{"status": 200, "content_type": "image/svg+xml", "body_b64": base64.StdEncoding.EncodeToString(markcerttest.SVG())},
		}
		if lists {
			for url, der := range b.CRLs {
				out[url] = map[string]any{"status": 200, "body_b64": base64.StdEncoding.EncodeToString(der)}
			}
		}
		return out
	}
	base := map[string]any{
		"op": "bimi", "from": "example.com", "dmarc": "pass", "now": now.Format(time.RFC3339),
		"roots_pem": string(b.Roots), "ct_keys_pem": string(b.LogKeys), "http": web(b, true),
		"dns": map[string]any{
			"_dmarc.example.com":        map[string]any{"TXT": [][]string{{"v=DMARC1; p=reject"}}},
			"default._bimi.example.com": map[string]any{"TXT": [][]string{{"v=BIMI1; l=https://example.com/logo.svg; a=https://example.com/mark.pem"}}},
			"brand._bimi.example.com":   map[string]any{"TXT": [][]string{{"v=BIMI1; l=https://example.com/logo.svg"}}},
		},
	}
	with := func(changes map[string]any) map[string]any {
		q := maps.Clone(base)
		maps.Copy(q, changes)
		return ask(t, q)
	}
	r := with(nil)
	require.Equal(t, "pass", r["result"], r["error"])
	require.Equal(t, "pass", r["authority"])
	require.Equal(t, "Registered Mark", r["mark_type"])
	require.Equal(t, "https://example.com/mark.pem", r["location"])
	require.Len(t, r["indicator_sha256"], 64)

	require.Equal(t, "pass", with(map[string]any{"http": web(b, false)})["result"], "a list that is not served is a warning")
	r = with(map[string]any{"http": web(revoked, true)})
	require.Equal(t, "fail", r["result"])
	require.Equal(t, "ErrRevoked", r["code"])
	r = with(map[string]any{"selector": "brand"})
	require.Equal(t, "pass", r["result"])
	require.Equal(t, "none", r["authority"])
	require.Equal(t, "brand", r["selector"])
	require.Equal(t, "skipped", with(map[string]any{"dmarc": "fail"})["result"])
	require.Equal(t, "temperror", with(map[string]any{"dmarc": "temperror"})["result"])
	require.Equal(t, "temperror", with(map[string]any{"http": map[string]any{}})["result"])
	require.Equal(t, "none", with(map[string]any{"from": "Some One <some.one@example.com>", "selector": "no"})["result"])

	r = with(map[string]any{"op": "mark_certificate", "pem": string(b.PEM), "domain": "example.com"})
	require.Equal(t, true, r["ok"], r["error"])
	require.Equal(t, "Registered Mark", r["mark_type"])
	require.Equal(t, []any{"example.com"}, r["domains"])
	r = with(map[string]any{"op": "mark_certificate", "pem": string(b.PEM), "domain": "example.net"})
	require.Equal(t, false, r["ok"])
	require.Equal(t, "ErrDomain", r["code"])

	// A certificate for the Organizational Domain, if the DNS says that it is that.
	r = with(map[string]any{"op": "mark_certificate", "pem": string(b.PEM), "domain": "news.example.com"})
	require.Equal(t, true, r["ok"], r["error"])
	r = with(map[string]any{"op": "mark_certificate", "pem": string(b.PEM), "domain": "news.example.com", "dns": map[string]any{}})
	require.Equal(t, "ErrDomain", r["code"])

	// The certificate alone, and its issuer beside it.
	alone := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b.Leaf.Raw}))
	issuer := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b.Intermediate.Raw}))
	r = with(map[string]any{"op": "mark_certificate", "pem": alone, "domain": "example.com"})
	require.Equal(t, "ErrUntrusted", r["code"])
	r = with(map[string]any{"op": "mark_certificate", "pem": alone, "domain": "example.com", "intermediates_pem": issuer})
	require.Equal(t, true, r["ok"], r["error"])
	r = with(map[string]any{"op": "mark_certificate", "pem": alone, "domain": "example.com", "intermediates_pem": issuer, "roots_pem": ""})
	require.Equal(t, "ErrUntrusted", r["code"], "an intermediate is not trusted by itself")

	r = ask(t, map[string]any{"op": "svg", "svg_b64": base64.StdEncoding.EncodeToString(markcerttest.SVG())})
	require.Equal(t, true, r["ok"], r["error"])
	r = ask(t, map[string]any{"op": "svg", "svg_b64": base64.StdEncoding.EncodeToString([]byte("<svg/>"))})
	require.Equal(t, false, r["ok"])
	r = ask(t, map[string]any{"op": "bimi_record", "record": "v=BIMI1; l=https://example.com/a.svg; lps=a,b; avp=Brand"})
	require.Equal(t, "v=BIMI1; l=https://example.com/a.svg; lps=a,b", r["canonical"])
	require.NotContains(t, r, "avp")
}

// TestBatchBIMIMessage: with a message, and within evaluate.
func TestBatchBIMIMessage(t *testing.T) {
	q := map[string]any{
		"op": "evaluate", "ip": "192.0.2.1", "mail_from": "a@example.com", "helo": "mx.example.com",
		"message_b64": base64.StdEncoding.EncodeToString([]byte("From: <a@example.com>\r\n\r\nx\r\n")),
		"options":     map[string]any{"bimi": true},
		"http":        map[string]any{"https://example.com/l.svg": map[string]any{"body_b64": base64.StdEncoding.EncodeToString(markcerttest.SVG())}},
		"dns": map[string]any{
			"example.com":               map[string]any{"TXT": [][]string{{"v=spf1 ip4:192.0.2.1 -all"}}},
			"_dmarc.example.com":        map[string]any{"TXT": [][]string{{"v=DMARC1; p=reject"}}},
			"default._bimi.example.com": map[string]any{"TXT": [][]string{{"v=BIMI1; l=https://example.com/l.svg"}}},
		},
	}
	r := ask(t, q)
	require.Equal(t, "pass", r["bimi"].(map[string]any)["result"])
	require.Contains(t, r["authentication_results"], "bimi=pass")
	q["op"] = "bimi"
	require.Equal(t, "pass", ask(t, q)["result"])
	q["op"], q["options"] = "evaluate", map[string]any{}
	r = ask(t, q)
	require.NotContains(t, r, "bimi")
	require.False(t, strings.Contains(r["authentication_results"].(string), "bimi"))
}

// TestBIMICheck: what a publisher reads about a self-asserted logo.
func TestBIMICheck(t *testing.T) {
	dir := t.TempDir()
	zone, pages := filepath.Join(dir, "zone.json"), filepath.Join(dir, "web.json")
	require.NoError(t, os.WriteFile(zone, []byte(`{
		"example.com": {"CAA": [[0, "issuevmc", "ca.example"]]},
		"_dmarc.example.com": {"TXT": [["v=DMARC1; p=reject"]]},
		"default._bimi.example.com": {"TXT": [["v=BIMI1; l=https://example.com/logo.svg"]]}}`), 0o600))
	text, err := json.Marshal(map[string]any{
		"https://example.com/logo.svg":  map[string]any{"status": 302, "location": "/moved.svg"},
		"https://example.com/moved.svg": map[string]any{"status": 200, "content_type": "image/svg+xml", "body_b64": base64.StdEncoding.EncodeToString(markcerttest.SVG())},
	})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(pages, text, 0o600))
	var out, errs bytes.Buffer
	require.Zero(t, run(context.Background(), []string{"bimi", "-check", "-dns", zone, "-http", pages, "example.com"}, strings.NewReader(""), &out, &errs), errs.String())
	require.Equal(t, `default._bimi.example.com, beside mail that passes DMARC by DKIM:
  Any that follows the drafts  shows the logo
  Fastmail                     shows the logo
  Gmail                        does not: it misses a mark certificate (VMC or CMC), named in a= of the BIMI record
  Apple Mail                   does not: it misses a mark certificate (VMC or CMC), named in a= of the BIMI record
indicator https://example.com/logo.svg: 216 octets of image/svg+xml, redirected to https://example.com/moved.svg
issuevmc lets only ca.example issue a mark certificate for example.com
warning: no evidence: receivers that demand a mark certificate show nothing
    fix: get a mark certificate and name it in a=
warning: the indicator is behind a redirect: https://example.com/moved.svg
    fix: publish the last URL itself: a receiver may follow fewer redirects, or none
warning: line 1, column 1: svg: no width or height: no width
    fix: some receivers want absolute width and height of at least 96 pixels
warning: line 1, column 1: svg: no width or height: no height
    fix: some receivers want absolute width and height of at least 96 pixels
`, out.String())
}

// TestBIMICheckMessage: a message whose signature forgets BIMI-Selector.
func TestBIMICheckMessage(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(p, []byte(text), 0o600))
		return p
	}
	key := exampleKey(t)
	text := "From: <news@example.com>\r\nBIMI-Selector: v=BIMI1; s=brand\r\n\r\nbody\r\n"
	field, err := dkim.Sign(strings.NewReader(text), dkim.Signer{Domain: "example.com", Selector: "sel", Key: key, Fields: []string{"From", "From"}})
	require.NoError(t, err)
	zone := write("zone.txt", `_dmarc.example.com. TXT "v=DMARC1; p=reject"
sel._domainkey.example.com. TXT "`+key.Record().String()+`"
default._bimi.example.com. TXT "v=BIMI1; l=https://example.com/logo.svg"
`)
	var out, errs bytes.Buffer
	require.Zero(t, run(context.Background(), []string{"bimi", "-check", "-dns", zone, "-http", write("web.json", "{}"), write("m.eml", field+text)}, strings.NewReader(""), &out, &errs), errs.String())
	require.Contains(t, out.String(), "default._bimi.example.com, beside mail that passes DMARC by DKIM:\n")
	require.Contains(t, out.String(), "warning: BIMI-Selector field not signed\n    fix: name BIMI-Selector in h= of the domain's own DKIM signature\n")
}
