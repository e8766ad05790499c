package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/examples/internal/sample"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

// TestCommand runs the cases of testdata: "args" is the command line, in which
// $MSG, $LF, $ZONE and $KEY are files with the sample message, the same with LF line
// ends, the sample's zone, and an Ed25519 key; stdin, stdout, stderr and status are what they are called.
func TestCommand(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		p := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(p, data, 0o600))
		return p
	}
	zone, err := os.ReadFile("../internal/sample/zone.txt")
	require.NoError(t, err)
	vars := strings.NewReplacer(
		"$MSG", file("message.eml", sample.Message()),
		"$LF", file("lf.eml", bytes.ReplaceAll(sample.Message(), []byte("\r\n"), []byte("\n"))),
		"$ZONE", file("zone.txt", zone),
		"$KEY", file("key.pem", exampleKey(t).PEM()),
		"$PEM", strings.ReplaceAll(string(exampleKey(t).PEM()), "\n", `\n`),
		"$B64", base64.StdEncoding.EncodeToString(sample.Message()),
		"$DIR", dir,
	)
	for _, c := range testcase.Load(t, "testdata", "args", "status") {
		t.Run(c.Name, func(t *testing.T) {
			var out, errs bytes.Buffer
			args := strings.Fields(vars.Replace(c.Get("args")))
			status := run(context.Background(), args, strings.NewReader(vars.Replace(string(c.File("stdin")))), &out, &errs)
			want := c.Get("status")
			if want == "" {
				want = "0"
			}
			require.Equal(t, want, string(rune('0'+status)), errs.String())
			c.Check(t, "stdout", strings.ReplaceAll(out.String(), dir, "$DIR"))
			c.Check(t, "stderr", strings.ReplaceAll(errs.String(), dir, "$DIR"))
		})
	}
}

// TestRecording: what -record kept is enough for the same verdict without the
// zone, and -replay takes nothing from elsewhere.
func TestRecording(t *testing.T) {
	dir := t.TempDir()
	msg, zone, kept := filepath.Join(dir, "message.eml"), filepath.Join(dir, "zone.txt"), filepath.Join(dir, "kept.json")
	require.NoError(t, os.WriteFile(msg, sample.Message(), 0o600))
	text, err := os.ReadFile("../internal/sample/zone.txt")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(zone, text, 0o600))
	s := sample.Session()
	command := func(want int, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		require.Equal(t, want, run(context.Background(), args, strings.NewReader(""), &out, &errs), "%v: %s", args, errs.String())
		return out.String()
	}
	verdict := command(0, "evaluate", "-json", "-dns", zone, "-record", kept, "-ip", s.IP.String(), "-helo", s.HELO, "-from", s.MailFrom, "-now", s.Time.Format(time.RFC3339), msg)
	require.Contains(t, verdict, `"dmarc"`)
	require.NoError(t, os.Remove(zone))
	require.Equal(t, verdict, command(0, "evaluate", "-json", "-replay", kept, msg))
	command(2, "evaluate", "-replay", kept, "-from", "x@example.com", msg)
}

// exampleKey is a key that everybody may know.
func exampleKey(t *testing.T) *dkim.Key {
	key, err := dkim.NewKey(ed25519.NewKeyFromSeed([]byte("a seed that everybody may know. ")))
	require.NoError(t, err)
	return key
}

// TestRoundTrip: keygen, sign, lookup and evaluate agree with each other, for
// every kind of key, and what keygen prints is a zone and a key file.
func TestRoundTrip(t *testing.T) {
	dir := t.TempDir()
	command := func(stdin string, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		require.Equal(t, 0, run(context.Background(), args, strings.NewReader(stdin), &out, &errs), "%v: %s", args, errs.String())
		return out.String()
	}
	draft := "From: a@example.org\nSubject: x\n\nHello.\n"
	var zone, sign strings.Builder
	args := []string{"sign", "-domain", "example.org", "-expires", "168h"}
	for _, kind := range []string{"ed25519", "rsa2048", "rsa3072"} {
		path := filepath.Join(dir, kind+".pem")
		zone.WriteString(command("", "keygen", "-domain", "example.org", "-selector", kind, "-type", kind, "-out", path))
		args = append(args, "-selector", kind, "-key", path)
	}
	both := command("", "keygen", "-domain", "example.org", "-selector", "both", "-pkcs1")
	path := filepath.Join(dir, "both.pem")
	require.NoError(t, os.WriteFile(path, []byte(both), 0o600))
	zone.WriteString(both[strings.Index(both, ";"):])
	args = append(args, "-selector", "both", "-key", path)
	zoneFile := filepath.Join(dir, "zone")
	zone.WriteString(command("", "records", "-ip", "192.0.2.1", "-rua", "d@example.org", "example.org"))
	require.NoError(t, os.WriteFile(zoneFile, []byte(zone.String()), 0o600))
	sign.WriteString(command(draft, args...))
	require.Equal(t, 4, strings.Count(sign.String(), "DKIM-Signature:"))
	out := command(sign.String(), "evaluate", "-dns", zoneFile, "-json", "-ip", "192.0.2.1", "-from", "a@example.org", "-")
	var result struct {
		SPF, DMARC struct{ Result string }
		DKIM       []struct{ Result, Selector, Error string }
	}
	require.NoError(t, json.Unmarshal([]byte(out), &result))
	require.Len(t, result.DKIM, 4)
	for i, want := range []string{"rsa2048", "rsa3072", "both", "ed25519"} {
		require.Equal(t, want, result.DKIM[i].Selector)
		require.Equal(t, "pass", result.DKIM[i].Result, result.DKIM[i].Error)
	}
	require.Equal(t, "pass", result.SPF.Result)
	require.Equal(t, "pass", result.DMARC.Result)
	require.Contains(t, command("", "lookup", "-dns", zoneFile, "-key", path, "example.org", "both"), "will verify")
	var errs bytes.Buffer
	require.Equal(t, 1, run(context.Background(), []string{"lookup", "-dns", zoneFile, "-key", path, "example.org", "rsa2048"}, nil, &errs, &errs))
	require.Contains(t, errs.String(), "not the public half")
	require.Equal(t, 1, run(context.Background(), []string{"keygen", "-domain", "example.org", "-selector", "x", "-out", path}, nil, &errs, &errs), "a key is never overwritten")
}

// TestSignExpires: expires is a time or a number of seconds.
func TestSignExpires(t *testing.T) {
	pem, err := json.Marshal(string(exampleKey(t).PEM()))
	require.NoError(t, err)
	for value, want := range map[string]string{
		`3600`: "x=1795258800", `"3600"`: "x=1795258800", `1795258800`: "x=1795258800", `"2026-11-21T11:00:00Z"`: "x=1795258800",
		`null`: "", `""`: "", `0`: "error", `-5`: "error", `"2026-11-21T10:00:00Z"`: "error", `"2026-11-21T09:00:00Z"`: "error", `"soon"`: "error", `1e300`: "error",
		`[]`: "error", `999999999999`: "error", `1795255200`: "error", `true`: "error",
	} {
		line := `{"id":"x","op":"sign","now":"2026-11-21T10:00:00Z","domain":"example.org","selector":"s","key_pem":` + string(pem) +
			`,"message_b64":"` + base64.StdEncoding.EncodeToString([]byte("From: a@example.org\r\n\r\n")) + `","expires":` + value + `}`
		var out bytes.Buffer
		require.NoError(t, batch(context.Background(), strings.NewReader(line), &out))
		switch want {
		case "error":
			require.Contains(t, out.String(), `"error":`, value)
		case "":
			require.NotContains(t, out.String(), "x=1", value)
			require.Contains(t, out.String(), `{"field":"DKIM-Signature: `)
		default:
			require.Contains(t, out.String(), want, value)
		}
	}
}

// TestBatchNeverExits: whatever stands on a line, there is one answer for it, in
// order, with the id where one can be read.
func TestBatchNeverExits(t *testing.T) {
	lines := []string{
		`{"id":"0","op":"bodyhash","message_b64":""}`, `junk`, `{`, `[]`, `"x"`, `null`, `{"id":5,"op":"evaluate"}`, `{"id":"7"}`,
		`{"id":"8","op":"nothing"}`, `{"id":"9","op":"evaluate","message_b64":"%%%"}`, `{"id":"10","op":"evaluate"}`,
		`{"id":"11","op":"evaluate","message_b64":"","ip":"1.2.3"}`, `{"id":"12","op":"evaluate","message_b64":"","now":"yesterday"}`,
		`{"id":"13","op":"evaluate","message_b64":"","dns":{"a":{"A":["x"]}}}`, `{"id":"14","op":"dmarc","from":"..","options":{"org_domain":"x"}}`,
		`{"id":"15","op":"bodyhash","message_b64":"","length":-1}`, `{"id":"16","op":"authres_format"}`, `{"id":"17","op":"authres","value":""}`,
		"{\"id\":\"18\",\"op\":\"from\",\"message_b64\":\"AAAA\"}", `{"id":"19","op":"org_domain","domain":"a..b"}`,
		`{"id":"20","op":"sign"}`, `{"id":"21","op":"sign","message_b64":"","key_pem":"x"}`, `{"id":"22","op":"sign","message_b64":"","headers":5}`,
	}
	var out bytes.Buffer
	require.NoError(t, batch(context.Background(), strings.NewReader(strings.Join(lines, "\n")), &out))
	got := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	require.Len(t, got, len(lines))
	for i, line := range got {
		var rep struct {
			ID     *string
			Result json.RawMessage
			Error  *string
		}
		require.NoError(t, json.Unmarshal([]byte(line), &rep), line)
		require.NotNil(t, rep.ID)
		require.True(t, (rep.Result == nil) != (rep.Error == nil), line)
		if i >= 7 {
			require.Contains(t, lines[i], `"id":"`+*rep.ID+`"`)
		}
	}
}

// TestBatchRepeats: the same request gives the same answer.
func TestBatchRepeats(t *testing.T) {
	line := `{"id":"x","op":"evaluate","message_b64":"` + base64.StdEncoding.EncodeToString(sample.Message()) +
		`","ip":"192.0.2.53","helo":"mx.alumni.example","mail_from":"b@bank.example","now":"2026-11-21T10:00:00Z",` +
		`"dns":{"*":{"TXT":[["v=spf1 a mx include:x.example -all"]]}}}` + "\n"
	var out bytes.Buffer
	require.NoError(t, batch(context.Background(), strings.NewReader(strings.Repeat(line, 20)), &out))
	answers := strings.SplitAfter(out.String(), "\n")
	for _, a := range answers[1:20] {
		require.Equal(t, answers[0], a)
	}
}
