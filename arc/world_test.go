package arc

import (
	"context"
	"crypto"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
	"github.com/seed2385d973/mailauth/message"
)

// b0 is the base message of the threat matrix.
const b0 = "From: CEO <ceo@bank.example>\r\n" +
	"To: <u@victim.example>\r\n" +
	"Subject: Statement\r\n" +
	"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\n" +
	"Message-ID: <1@bank.example>\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: text/plain\r\n" +
	"\r\n" +
	"Dear customer,\r\n\r\nyour statement is ready.\r\n"

var clock = func() time.Time { return time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC) }

// The keys: of the attacker, of the bank, and a fast one for long chains.
func ka(t testing.TB) crypto.Signer { return sigtest.RSA(t, "rsa2048b") }
func kb(t testing.TB) crypto.Signer { return sigtest.RSA(t, "rsa2048") }
func ed() crypto.Signer             { return sigtest.Ed25519() }

// zone has a key under sel for each of the domains, and rsa2048 and the weak ones
// for attack.example.
func zone(t testing.TB) *dnstest.Zone {
	z := dnstest.MustParse("attack.example. A 192.0.2.1\n")
	for name, key := range map[string]crypto.Signer{
		"sel._domainkey.attack.example": ka(t), "sel._domainkey.bank.example": kb(t),
		"sel._domainkey.lists.example": ed(), "ed._domainkey.attack.example": ed(),
		"weak._domainkey.attack.example": sigtest.RSA(t, "rsa512"),
	} {
		z = z.WithAnswer(name, dnsutil.TypeTXT, dnsutil.Answer{TXT: []string{sigtest.Record(key)}})
	}
	return z
}

func read(t testing.TB, text string, want ...message.BodyHash) *message.Message {
	t.Helper()
	d := message.Digester{Want: want}
	_, err := d.Write([]byte(text))
	require.NoError(t, err)
	m, err := d.Finish()
	require.NoError(t, err)
	return m
}

func verify(t testing.TB, z dnsutil.Resolver, text string) Result {
	t.Helper()
	v := Verifier{Resolver: z, Now: clock}
	return v.Verify(context.Background(), read(t, text))
}

// attack is a set of attack.example that claims what the matrix has it claim.
func attack(instance int) sigtest.Set {
	return sigtest.Set{Instance: instance, Domain: "attack.example", Selector: "sel",
		Results: "mx.attack.example; dmarc=pass header.from=bank.example"}
}

// chainOf seals a message n times with one Ed25519 key.
func chainOf(n int, text string) string {
	for i := 1; i <= n; i++ {
		text = sigtest.Seal(ed(), sigtest.Set{Instance: i, Domain: "lists.example", Selector: "sel"}, text)
	}
	return text
}

// sealer is a Sealer of lists.example.
func sealer() Sealer {
	return Sealer{Domain: "lists.example", Selector: "sel", Key: ed(), Now: clock}
}

var someResults = authres.Header{AuthservID: "mx.lists.example", Results: []authres.Result{
	{Method: "dmarc", Status: authres.Pass, Properties: []authres.Property{{Type: "header", Name: "from", Value: "bank.example"}}},
}}

// seal seals a message that leaves as it arrived.
func seal(t testing.TB, s Sealer, z dnsutil.Resolver, text string) (string, error) {
	t.Helper()
	m := read(t, text, s.BodyHash())
	v := Verifier{Resolver: z, Now: clock, MaxSets: maxInstance}
	fields, err := s.Seal(m, v.Verify(context.Background(), m), someResults)
	return strings.Join(fields, "") + text, err
}

// fields cuts the header of a message.
func fields(text string) []string {
	header, _, _ := strings.Cut(text, "\r\n\r\n")
	return sigtest.Fields(header + "\r\n")
}
