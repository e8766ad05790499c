package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/examples/internal/sample"
)

// askOne sends one request to batch and returns its result.
func askOne(t *testing.T, request map[string]any) map[string]any {
	t.Helper()
	line, err := json.Marshal(request)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, batch(context.Background(), bytes.NewReader(append(line, '\n')), &out))
	var reply struct {
		Result map[string]any
		Error  string
	}
	require.NoError(t, json.Unmarshal(out.Bytes(), &reply))
	require.Empty(t, reply.Error)
	return reply.Result
}

// TestSealAndARC: what op seal writes op arc finds intact, and evaluate is told
// whom to trust. The command seals the same.
func TestSealAndARC(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	record := "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
	dns := map[string]any{
		"sel._domainkey.lists.example": map[string]any{"TXT": [][]string{{record}}},
		"_dmarc.bank.example":          map[string]any{"TXT": [][]string{{"v=DMARC1; p=reject"}}},
		"bank.example":                 map[string]any{"TXT": [][]string{{"v=spf1 ip4:192.0.2.1 -all"}}},
	}
	message := "From: <a@bank.example>\r\nSubject: x\r\n\r\nHello\r\n"
	request := func(op, message string, more map[string]any) map[string]any {
		q := map[string]any{
			"id": "1", "op": op, "dns": dns, "now": "2026-11-21T10:00:00Z",
			"message_b64": []byte(message), "ip": "192.0.2.1", "helo": "mail.bank.example", "mail_from": "b@bank.example",
		}
		for k, v := range more {
			q[k] = v
		}
		return q
	}
	none := askOne(t, request("arc", message, nil))
	require.Equal(t, map[string]any{"result": "none", "error": ""}, none)

	sealed := askOne(t, request("seal", message, map[string]any{
		"domain": "lists.example", "selector": "sel", "key_pem": text, "authserv_id": "mx.lists.example",
	}))
	fields := sealed["fields"].([]any)
	require.Len(t, fields, 3)
	require.True(t, strings.HasPrefix(fields[0].(string), "ARC-Seal: i=1;"))
	require.Contains(t, fields[2], "mx.lists.example; spf=pass")
	message = fields[0].(string) + fields[1].(string) + fields[2].(string) + message

	chain := askOne(t, request("arc", message, map[string]any{"ip": "192.0.2.9"}))
	require.Equal(t, map[string]any{
		"result": "pass", "instance": 1.0, "oldest_pass": 0.0, "sealers": []any{"lists.example"}, "trusted": false, "error": "",
	}, chain)
	for _, trusted := range [][]string{{}, {"lists.example"}} {
		r := askOne(t, request("evaluate", message, map[string]any{
			"ip": "192.0.2.9", "options": map[string]any{"trusted_sealers": trusted, "honor_reject": true},
		}))
		if len(trusted) == 0 {
			require.Equal(t, "reject", r["action"])
			require.NotContains(t, r["dmarc"], "override")
		} else {
			require.Equal(t, "accept", r["action"])
			require.Equal(t, "local_policy", r["dmarc"].(map[string]any)["override"])
			require.Equal(t, true, r["arc"].(map[string]any)["trusted"])
		}
	}

	dir := t.TempDir()
	write := func(name string, data []byte) string {
		p := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(p, data, 0o600))
		return p
	}
	zone, err := json.Marshal(dns)
	require.NoError(t, err)
	var out, errs bytes.Buffer
	args := []string{
		"seal", "-dns", write("dns.json", zone), "-now", "2026-11-21T10:00:00Z", "-domain", "lists.example", "-selector", "sel",
		"-key", write("key.pem", []byte(text)), write("m.eml", sample.Message()),
	}
	require.Zero(t, run(context.Background(), args, nil, &out, &errs), errs.String())
	require.True(t, strings.HasSuffix(out.String(), string(sample.Message())))
	forwarded := write("f.eml", out.Bytes())
	out.Reset()
	require.Zero(t, run(context.Background(), []string{"arc", "-trust", "lists.example", "-dns", filepath.Join(dir, "dns.json"), forwarded}, nil, &out, &errs))
	require.Contains(t, out.String(), "ARC      pass: the chain of 1 is intact, sealed by lists.example")
}
