package sig

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/lookup"
)

// No name is made of one that is none: "sel._domainkey." would be one of its own.
func TestKeyNameOfNothing(t *testing.T) {
	sel, err := domain.ParseSelector("sel")
	require.NoError(t, err)
	d, err := domain.Parse("bank.example")
	require.NoError(t, err)
	n, err := KeyName(sel, d)
	require.NoError(t, err)
	require.Equal(t, "sel._domainkey.bank.example", n.String())
	_, err = KeyName(sel, domain.Name{})
	require.ErrorIs(t, err, domain.ErrEmpty)
	_, err = KeyName(domain.Name{}, d)
	require.Error(t, err)
}

// TestFetch says why there is no key, in words that tell the owner where to look.
func TestFetch(t *testing.T) {
	z := dnstest.MustParse(`{
		"nothing.example": {"A": ["192.0.2.1"]},
		"other.example": {"TXT": [["v=spf1 -all"], ["x"]]},
		"one.example": {"TXT": [["v=spf1 -all"]]},
		"two.example": {"TXT": [["v=DKIM1; p="], ["v=spf1 -all"], ["p=x"]]},
		"revoked.example": {"TXT": [["v=DKIM1; p="]]},
		"fault.example": {"error": "servfail"},
		"cname.example": {"CNAME": "revoked.example"}}`)
	for name, want := range map[string]struct {
		err  Error
		text string
	}{
		"nothing.example": {ErrNoKey, "no TXT record"},
		"none.example":    {ErrNoKey, "does not exist"},
		"other.example":   {ErrNoKey, "are no keys"},
		"one.example":     {ErrNoKey, "are no keys"},
		"two.example":     {ErrMultipleKeys, ": 2"},
		"revoked.example": {ErrKeyRevoked, ""},
		"fault.example":   {ErrKeyUnavailable, "SERVFAIL"},
		"cname.example":   {ErrKeyRevoked, ""},
	} {
		n, err := domain.Parse(name)
		require.NoError(t, err)
		sc, done := lookup.For(context.Background(), z, 1)
		p := Fetch(context.Background(), sc, n, Bounds{})
		done()
		require.ErrorIs(t, p.Err, want.err, name)
		require.ErrorContains(t, p.Err, want.text, name)
		require.Equal(t, want.err == ErrKeyUnavailable, Temporary(p.Err), name)
		require.Equal(t, name == "cname.example", len(p.Chain) == 1, name)
		require.ErrorIs(t, p.For(RSASHA256), want.err, name)
	}
}

// What a record says of itself comes before what is wrong with the key in it.
func TestForOfEachError(t *testing.T) {
	for _, e := range []Error{ErrKeyRevoked, ErrKeyType, ErrKeyShort, ErrKeyLong, ErrKeyUnsafe} {
		p := Published{Err: e, Record: Record{KeyType: "rsa"}}
		require.ErrorIs(t, p.For(RSASHA256), e)
		require.ErrorIs(t, p.For(Ed25519SHA256), ErrKeyType)
		p.Record.Hashes = []string{"sha1"}
		require.ErrorIs(t, p.For(RSASHA256), ErrKeyHash)
	}
	for _, e := range []Error{ErrKeyUnavailable, ErrNoResolver, ErrBudget, ErrNoKey, ErrMultipleKeys, ErrKeySyntax} {
		p := Published{Err: e, Record: Record{KeyType: "rsa", Hashes: []string{"sha1"}}}
		require.Equal(t, error(e), p.For(Ed25519SHA256), "there is no record to say anything")
		require.Equal(t, e == ErrKeyUnavailable || e == ErrNoResolver, Temporary(e))
	}
	revoked := Published{Err: ErrKeyRevoked, Record: Record{KeyType: "rsa", Revoked: true}}
	require.ErrorIs(t, revoked.For(Ed25519SHA256), ErrKeyRevoked, "a revoked key has no type")
}
