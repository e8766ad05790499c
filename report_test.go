package mailauth_test

import (
	"bytes"
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

// TestObservation: an evaluation becomes a row of a report that matches the format.
func TestObservation(t *testing.T) {
	ctx := context.Background()
	e := mailauth.Evaluator{Resolver: dnstest.MustParse(`{"_dmarc.bank.example": {"TXT": [["v=DMARC1; p=quarantine; rua=mailto:rua@bank.example"]]}, "example.net": {"TXT": [["v=spf1 ip4:192.0.2.53 -all"]]}}`)}
	ip := netip.MustParseAddr("192.0.2.53")
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	message := []byte("From: a@bank.example\r\nSubject: x\r\n\r\nHello.\r\n")
	r, err := e.Evaluate(ctx, &mailauth.Message{
		Session: mailauth.Session{IP: ip, HELO: "mx.example.net", MailFrom: "b@Example.NET", Time: now}, Data: bytes.NewReader(message),
	})
	require.NoError(t, err)
	c := aggregate.Collector{Store: aggregate.NewMemory(0), OrgName: "Receiver", Email: "dmarc@receiver.example", Submitter: "receiver.example"}
	require.NoError(t, c.Add(ctx, r.Observation()))
	due, err := c.Reports(ctx, now.Add(24*time.Hour))
	require.NoError(t, err)
	require.Len(t, due, 1)
	var b bytes.Buffer
	require.NoError(t, aggregate.Write(&b, aggregate.RFC9990, &due[0].Header, due[0].Records(ctx)))
	report, err := (&aggregate.Parser{Strict: true}).Read(&b)
	require.NoError(t, err)
	require.Equal(t, []aggregate.Record{{
		SourceIP: ip, Count: 1, Disposition: aggregate.DispositionQuarantine, DKIM: "fail", SPF: "fail",
		HeaderFrom: "bank.example", EnvelopeFrom: "example.net", AuthSPF: []aggregate.SPFResult{{Domain: "example.net", Scope: "mfrom", Result: "pass"}},
	}}, report.Records)
}
