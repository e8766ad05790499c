package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/examples/internal/sample"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

// TestCommand runs the cases of testdata: "args" is the command line, in which
// $MSG, $LF and $ZONE are files with the sample message, the same with LF line ends,
// and the sample's zone; stdin, stdout, stderr and status are what they are called.
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
