package dkim

import (
	"context"
	"crypto"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
)

func TestCheckKey(t *testing.T) {
	w := newWorld(t)
	good := w.zone["sel._domainkey.bank.example"][0]
	ed := sigtest.Record(sigtest.Ed25519())
	const name = "sel._domainkey.bank.example"
	for _, c := range []struct {
		name   string
		zone   zone
		public crypto.PublicKey
		err    error
		want   []FindingKind
		broken bool
	}{
		{"good", nil, w.kb.Public(), nil, nil, false},
		{"not compared", nil, nil, nil, nil, false},
		{"missing", zone{name: {"cname:none.example"}}, nil, ErrNoKey, []FindingKind{KeyDelegated, KeyMissing}, true},
		{"servfail", zone{name: {"error:servfail"}}, nil, ErrKeyUnavailable, []FindingKind{KeyUnavailable}, true},
		{"timeout", zone{name: {"error:timeout"}}, nil, ErrKeyUnavailable, []FindingKind{KeyUnavailable}, true},
		{"two", zone{name: {good, ed}}, nil, ErrMultipleKeys, []FindingKind{KeySeveral}, true},
		{"SPF beside it", zone{name: {good, "v=spf1 -all"}}, w.kb.Public(), nil, []FindingKind{KeyForeign}, false},
		{"only SPF", zone{name: {"v=spf1 -all"}}, nil, ErrNoKey, []FindingKind{KeyForeign, KeyMissing}, true},
		{"another key", nil, w.ka.Public(), nil, []FindingKind{KeyOther}, true},
		{"Ed25519 signs, RSA published", nil, sigtest.Ed25519().Public(), nil, []FindingKind{KeyOther}, true},
		{"Ed25519", zone{name: {ed}}, sigtest.Ed25519().Public(), nil, []FindingKind{KeyRSAMissing}, false},
		{"RSA signs, Ed25519 published", zone{name: {ed}}, w.kb.Public(), nil, []FindingKind{KeyRSAMissing, KeyOther}, true},
		{"revoked", zone{name: {RevokedRecord}}, w.kb.Public(), ErrKeyRevoked, []FindingKind{KeyRevoked}, true},
		{"cut", zone{name: {good[:255]}}, nil, ErrKeySyntax, []FindingKind{KeyMalformed}, true},
		{"1024 bits", zone{name: {sigtest.Record(sigtest.RSA(t, "rsa1024"))}}, nil, nil, []FindingKind{KeyWeak}, false},
		{"1016 bits", zone{name: {sigtest.Record(sigtest.RSA(t, "rsa1016"))}}, nil, ErrKeyShort, []FindingKind{KeyShort}, true},
		{"4104 bits", zone{name: {sigtest.Record(sigtest.RSA(t, "rsa4104"))}}, nil, ErrKeyLong, []FindingKind{KeyUnusable}, true},
		{"testing", zone{name: {strings.Replace(good, "k=", "t=y; k=", 1)}}, nil, nil, []FindingKind{KeyTesting}, false},
		{"strict", zone{name: {strings.Replace(good, "k=", "t=s; k=", 1)}}, nil, nil, []FindingKind{KeyStrict}, false},
		{"no version", zone{name: {strings.TrimPrefix(good, "v=DKIM1; ")}}, nil, nil, []FindingKind{KeyNoVersion}, false},
		{"only sha1", zone{name: {strings.Replace(good, "k=", "h=sha1; k=", 1)}}, nil, ErrKeyHash, []FindingKind{KeyForbids}, true},
		{"both hashes", zone{name: {strings.Replace(good, "k=", "h=sha1:sha256; k=", 1)}}, nil, nil, nil, false},
		{"other service", zone{name: {strings.Replace(good, "k=", "s=tlsrpt; k=", 1)}}, nil, ErrKeyService, []FindingKind{KeyForbids}, true},
		{"unknown type", zone{name: {strings.Replace(good, "k=rsa", "k=mldsa", 1)}}, nil, ErrKeyType, []FindingKind{KeyForbids}, true},
		{"delegated", zone{name: {"cname:k.host.example"}, "k.host.example": {good}}, w.kb.Public(), nil, []FindingKind{KeyDelegated}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			z := zone{name: {good}}
			for n, r := range c.zone {
				z[n] = r
			}
			r := z.resolver(t)
			got := CheckKey(context.Background(), r, "Bank.example", "SEL", c.public)
			require.Equal(t, name+".", got.Name)
			if c.err == nil {
				require.NoError(t, got.Err)
			} else {
				require.ErrorIs(t, got.Err, c.err)
			}
			var kinds []FindingKind
			for _, f := range got.Findings {
				kinds = append(kinds, f.Kind)
				require.NotEmpty(t, f.Detail)
				require.NotEmpty(t, f.Fix)
			}
			require.Equal(t, c.want, kinds)
			require.Equal(t, c.broken, !got.OK())
			require.Len(t, r.Queries(), 1, "one question")
		})
	}
	require.False(t, KeyCheck{}.OK())
	require.ErrorIs(t, CheckKey(context.Background(), nil, "bank.example", "sel", nil).Err, ErrNoResolver)
	bad := CheckKey(context.Background(), nil, "bank", "sel", nil)
	require.ErrorIs(t, bad.Err, ErrDomain)
	require.False(t, bad.OK())
	require.ErrorIs(t, CheckKey(context.Background(), nil, "bank.example", "a b", nil).Err, ErrSelector)
}
