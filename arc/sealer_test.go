package arc

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
)

// Sealing a chain 50 times and once more.
func TestSealFifty(t *testing.T) {
	z := zone(t)
	text := b0
	for i := 1; i <= 50; i++ {
		var err error
		text, err = seal(t, sealer(), z, text)
		require.NoError(t, err)
	}
	v := Verifier{Resolver: z, Now: clock, MaxSets: 50}
	r := v.Verify(context.Background(), read(t, text))
	require.NoError(t, r.Err)
	require.Len(t, r.Sets, 50)
	require.Zero(t, r.OldestPass)
	_, err := seal(t, sealer(), z, text)
	require.ErrorIs(t, err, ErrInstances)
	// By our own limit of 20 the chain is a fail, but nobody else need find it so.
	s := sealer()
	m := read(t, text, s.BodyHash())
	_, err = s.Seal(m, verify(t, z, text), someResults)
	require.ErrorIs(t, err, ErrUncertain)
}

// Every key and canonicalization, over a message that arrived sealed or not.
func TestSealThenVerify(t *testing.T) {
	z := zone(t)
	for _, c := range []string{"", "relaxed", "relaxed/simple", "simple/relaxed", "simple", "simple/simple", "relaxed/relaxed"} {
		for _, k := range []struct {
			d   string
			key crypto.Signer
		}{{"lists.example", ed()}, {"bank.example", kb(t)}, {"bank.example", device{kb(t)}}} {
			for _, text := range []string{b0, chainOf(3, b0), "From: a@b.example\r\n\r\n", "Subject: no From\r\n\r\nx"} {
				s := Sealer{Domain: k.d, Selector: "sel", Key: k.key, Now: clock, Canonicalization: c}
				out, err := seal(t, s, z, text)
				require.NoError(t, err)
				r := verify(t, z, out)
				require.NoError(t, r.Err, "%s %s\n%s", c, k.d, out)
				for _, f := range fields(out)[:3] {
					for line := range strings.SplitSeq(f, "\r\n") {
						require.LessOrEqual(t, len(line), 100, line)
					}
				}
				require.True(t, strings.HasPrefix(fields(out)[0], "ARC-Seal: i="))
				require.True(t, strings.HasPrefix(fields(out)[1], "ARC-Message-Signature: i="))
			}
		}
	}
}

// device is a key that is known by its interface only.
type device struct{ crypto.Signer }

// liar signs with another key than it shows.
type liar struct{ public, private crypto.Signer }

func (l liar) Public() crypto.PublicKey { return l.public.Public() }
func (l liar) Sign(r io.Reader, d []byte, o crypto.SignerOpts) ([]byte, error) {
	return l.private.Sign(r, d, o)
}

type broken struct{ crypto.Signer }

func (broken) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the token is gone")
}

// What a Sealer refuses.
func TestSealRefuses(t *testing.T) {
	z := zone(t)
	for name, c := range map[string]struct {
		change func(*Sealer)
		want   error
	}{
		"no domain":       {func(s *Sealer) { s.Domain = "" }, ErrDomain},
		"public suffix":   {func(s *Sealer) { s.Domain = "co.uk" }, ErrPublicSuffix},
		"one label":       {func(s *Sealer) { s.Domain = "example" }, ErrPublicSuffix},
		"no selector":     {func(s *Sealer) { s.Selector = "" }, ErrSelector},
		"selector":        {func(s *Sealer) { s.Selector = "a b" }, ErrSelector},
		"no key":          {func(s *Sealer) { s.Key = nil }, ErrKey},
		"short key":       {func(s *Sealer) { s.Key = sigtest.RSA(t, "rsa512") }, ErrKeyShort},
		"long key":        {func(s *Sealer) { s.Key = sigtest.RSA(t, "rsa4104") }, ErrKeyLong},
		"liar":            {func(s *Sealer) { s.Key = liar{kb(t), ka(t)} }, ErrKey},
		"broken":          {func(s *Sealer) { s.Key = broken{kb(t)} }, ErrKey},
		"c":               {func(s *Sealer) { s.Canonicalization = "Relaxed" }, ErrCanonicalization},
		"no From":         {func(s *Sealer) { s.Fields = []string{"to"} }, ErrFromNotSigned},
		"no fields":       {func(s *Sealer) { s.Fields = []string{} }, ErrFromNotSigned},
		"A-R":             {func(s *Sealer) { s.Fields = []string{"from", "Authentication-Results"} }, ErrHeaderNames},
		"ARC":             {func(s *Sealer) { s.Fields = []string{"from", "ARC-Seal"} }, ErrHeaderNames},
		"Q2 location":     {func(s *Sealer) { s.Fields = []string{"from", "BIMI-Location"} }, ErrHeaderNames},
		"Q2 indicator":    {func(s *Sealer) { s.Fields = []string{"from", "bimi-indicator"} }, ErrHeaderNames},
		"Q2 preference":   {func(s *Sealer) { s.Fields = []string{"from", "BIMI-Logo-Preference"} }, ErrHeaderNames},
		"Q2 selector":     {func(s *Sealer) { s.Fields = []string{"from", "BIMI-Selector"} }, nil},
		"not a name":      {func(s *Sealer) { s.Fields = []string{"from", "a;b"} }, ErrHeaderNames},
		"256 names":       {func(s *Sealer) { s.Fields = strings.Split(strings.Repeat("from,", 255)+"from", ",") }, nil},
		"257 names":       {func(s *Sealer) { s.Fields = strings.Split(strings.Repeat("from,", 256)+"from", ",") }, ErrHeaderNames},
		"short Ed25519":   {func(s *Sealer) { s.Key = ed25519.PrivateKey{1} }, ErrKeyUnsafe},
		"nil Ed25519":     {func(s *Sealer) { s.Key = ed25519.PrivateKey(nil) }, ErrKeyUnsafe},
		"nil RSA":         {func(s *Sealer) { s.Key = (*rsa.PrivateKey)(nil) }, ErrKey},
		"empty RSA":       {func(s *Sealer) { s.Key = &rsa.PrivateKey{} }, ErrKeyUnsafe},
		"names too long":  {func(s *Sealer) { s.Fields = []string{"from", strings.Repeat("x", 17<<10)} }, ErrHeaderNames},
		"before 1970":     {func(s *Sealer) { s.Now = func() time.Time { return time.Unix(-1, 0) } }, ErrTime},
		"1970":            {func(s *Sealer) { s.Now = func() time.Time { return time.Unix(0, 0) } }, nil},
		"12 digits":       {func(s *Sealer) { s.Now = func() time.Time { return time.Unix(1e12-1, 0) } }, nil},
		"13 digits":       {func(s *Sealer) { s.Now = func() time.Time { return time.Unix(1e12, 0) } }, ErrTime},
		"U-labels are OK": {func(s *Sealer) { s.Domain = "b\u00fccher.example" }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := sealer()
			c.change(&s)
			m := read(t, b0, s.BodyHash())
			fields, err := s.Seal(m, verify(t, z, b0), someResults)
			require.ErrorIs(t, err, c.want)
			require.Equal(t, err != nil, fields == nil)
		})
	}
}

// The states of chain and message in which nothing may be added.
func TestSealStates(t *testing.T) {
	z := zone(t)
	s := sealer()
	chain := chainOf(2, b0)
	seal := func(arrived Result, leaving string, results authres.Header) error {
		fields, err := s.Seal(read(t, leaving, s.BodyHash()), arrived, results)
		require.Equal(t, err != nil, fields == nil)
		return err
	}
	require.NoError(t, seal(verify(t, z, chain), chain, someResults))
	require.NoError(t, seal(verify(t, z, chain), chain+"a footer\r\n", someResults))
	require.NoError(t, seal(verify(t, z, chain), "X-A: b\r\n"+strings.Replace(chain, "; d=", ";\r\n\td=", 4), someResults), "folded anew")
	require.ErrorIs(t, seal(Result{}, b0, someResults), ErrNotValidated)
	require.ErrorIs(t, seal(Result{Status: Pass}, chain, someResults), ErrNotValidated)
	require.ErrorIs(t, seal(verify(t, z, b0), chain, someResults), ErrChainChanged)
	require.ErrorIs(t, seal(verify(t, z, chain), b0, someResults), ErrChainChanged)
	require.ErrorIs(t, seal(verify(t, z, chain), chainOf(1, b0), someResults), ErrChainChanged)
	require.ErrorIs(t, seal(verify(t, z, chain), strings.Replace(chain, "mx.lists", "mx.other", 1), someResults), ErrChainChanged)
	require.ErrorIs(t, seal(verify(t, nil, chain), chain, someResults), ErrUncertain)
	require.ErrorIs(t, seal(verify(t, z, b0), " X: y\r\n"+b0, someResults), ErrPrepend)
	require.ErrorIs(t, seal(verify(t, z, b0), b0, authres.Header{}), ErrResults)
	require.ErrorIs(t, seal(verify(t, z, b0), b0, authres.Header{AuthservID: "mx", Results: make([]authres.Result, 65)}), ErrResults)
	_, err := s.Seal(read(t, b0), verify(t, z, b0), someResults)
	require.ErrorIs(t, err, ErrNoBodyDigest)
	failed := Sealer{Domain: "lists.example", Selector: "sel", Key: ed(), Now: clock}
	_, err = failed.Seal(read(t, strings.Replace(chain, "i=2", "i=50", 3), s.BodyHash()), verify(t, z, chain+"x\r\n"), someResults)
	require.ErrorIs(t, err, ErrInstances, "also of a broken chain")
}

// Fields that were put on top since the message was read are covered, a signature
// for instance.
func TestSealAbove(t *testing.T) {
	z := zone(t)
	s := sealer()
	m := read(t, b0, s.BodyHash())
	above := "DKIM-Signature: v=1; a=rsa-sha256; d=lists.example; s=x; h=from; bh=; b=\r\n"
	set, err := s.Seal(m, verify(t, z, b0), someResults, above)
	require.NoError(t, err)
	require.Contains(t, strings.Join(strings.Fields(set[1]), ""), ":dkim-signature:from;")
	require.Equal(t, Pass, verify(t, z, strings.Join(set, "")+above+b0).Status)
	require.ErrorIs(t, verifyErr(t, strings.Join(set, "")+b0), ErrSignature)
	require.ErrorIs(t, verifyErr(t, strings.Join(set, "")+"From: x@y.example\r\n"+above+b0), ErrSignature, "From is over-signed")
}

// What is on top has to be whole fields, and none of a chain: ARC-16.
func TestSealAboveRefused(t *testing.T) {
	z := zone(t)
	s := sealer()
	m := read(t, b0, s.BodyHash())
	for above, want := range map[string]error{
		"X-A: b":                             ErrPrepend,
		"X-A: b\n":                           ErrPrepend,
		"X-A: b\r\n\r\n":                     ErrPrepend,
		"X-A: b\r\n\r\nX-B: c\r\n":           ErrPrepend,
		" x\r\n":                             ErrPrepend,
		"x\r\n":                              ErrPrepend,
		"X-A: b\nFrom: x@y.example\r\n":      ErrPrepend,
		"X-A: b\rFrom: x@y.example\r\n":      ErrPrepend,
		strings.Repeat("X: y\r\n", 2001):     ErrPrepend,
		fields(chainOf(1, b0))[0]:            ErrChainChanged,
		"X-A: b\r\narc-seal : i=1\r\n":       ErrChainChanged,
		"X-A: b\r\n c\r\nSubject: twice\r\n": nil,
		"":                                   nil,
	} {
		set, err := s.Seal(m, verify(t, z, b0), someResults, above)
		require.ErrorIs(t, err, want, "%.40q", above)
		require.Equal(t, err != nil, set == nil)
		if err == nil {
			require.NoError(t, verifyErr(t, strings.Join(set, "")+above+b0))
		}
	}
}

func verifyErr(t *testing.T, text string) error {
	r := verify(t, zone(t), text)
	return r.Err
}
