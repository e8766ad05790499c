package arc

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
)

// The rows of the threat matrix about ARC. Those that need DMARC and a trust list
// (ARC-01, ARC-02, ARC-03 and ARC-15 end to end, CMP-08) stand in the root package, too.
func TestThreats(t *testing.T) {
	z := zone(t)
	row := func(id string, text string, want error, sealers ...string) {
		t.Helper()
		t.Run(id, func(t *testing.T) {
			r := verify(t, z, text)
			if want == nil {
				require.NoError(t, r.Err)
				require.Equal(t, Pass, r.Status)
				require.Equal(t, sealers, r.Sealers())
				return
			}
			require.Equal(t, Fail, r.Status)
			if want != someError {
				require.ErrorIs(t, r.Err, want)
			}
			require.NotEmpty(t, r.Code())
			require.Nil(t, r.Sealers())
			for i := range r.Sets {
				_, ok := r.Sets[i].Results()
				require.False(t, ok, "ARC-03: the results of a chain that fails are out of reach")
				require.False(t, r.Sets[i].RemoteIP().IsValid())
			}
			require.Zero(t, r.Vouch("bank.example", func(string) bool { return true }, nil))
		})
	}
	with := func(change func(*sigtest.Set)) string {
		s := attack(1)
		change(&s)
		return sigtest.Seal(ka(t), s, b0)
	}
	good := with(func(*sigtest.Set) {})

	row("ARC-01", good, nil, "attack.example")

	// The inner set is of another message: its seal covers ARC fields only.
	inner := sigtest.Seal(ed(), sigtest.Set{Instance: 1, Domain: "lists.example", Selector: "sel",
		Results: "mx.lists.example; dmarc=pass header.from=bank.example"}, strings.Replace(b0, "Statement", "Lunch", 1))
	fake := sigtest.Seal(ka(t), attack(2), strings.Join(fields(inner)[:3], "")+b0)
	row("ARC-02", fake, nil, "attack.example", "lists.example")
	t.Run("ARC-02/oldest-pass", func(t *testing.T) {
		r := verify(t, z, fake)
		require.Equal(t, 2, r.OldestPass)
		require.ErrorIs(t, r.Sets[1].MessageErr, ErrSignature)
		only := func(d string) func(string) bool { return func(s string) bool { return s == d } }
		require.Zero(t, r.Vouch("bank.example", only("lists.example"), nil))
	})

	row("ARC-03/alone", "ARC-Authentication-Results: i=1; mx.attack.example; dmarc=pass header.from=bank.example\r\n"+b0, ErrSetIncomplete)
	row("ARC-03/bad", strings.Replace(good, "CEO", "Ceo", 1), ErrSignature)

	second := sigtest.Seal(ka(t), attack(2), good)
	third := sigtest.Seal(ka(t), attack(3), second)
	row("ARC-05/gap", strings.Join(append(append([]string{}, fields(third)[:3]...), fields(third)[6:]...), "")+"\r\n"+body(third), ErrSetGap)
	row("ARC-05/two", good[:strings.Index(good, "From:")]+good, ErrSetDuplicate)
	for _, i := range []string{"0", "01", "-1", "51", "999999999999999999999", "1 1", "+1", "\u0661", ""} {
		row("ARC-05/seal i="+i, with(func(s *sigtest.Set) { s.AS = strings.Replace(sigtest.AS, "{i}", i, 1) }), ErrInstance)
		row("ARC-05/signature i="+i, with(func(s *sigtest.Set) { s.AMS = strings.Replace(sigtest.AMS, "{i}", i, 1) }), ErrInstance)
		row("ARC-05/results i="+i, with(func(s *sigtest.Set) { s.AAR = strings.Replace(sigtest.AAR, "{i}", i, 1) }), ErrInstance)
	}
	row("ARC-05/i missing", with(func(s *sigtest.Set) { s.AS = strings.Replace(sigtest.AS, "i={i}; ", "", 1) }), ErrInstance)
	row("ARC-05/i twice in AAR", with(func(s *sigtest.Set) { s.AAR = "i=1; i=1; {results}" }), ErrInstance)
	row("ARC-05/two i in AAR", with(func(s *sigtest.Set) { s.AAR = "i=1; i = 2 ; {results}" }), ErrInstance)

	row("ARC-08", with(func(s *sigtest.Set) { s.AS = strings.Replace(sigtest.AS, "b={b}", "h=from; b={b}", 1) }), ErrSealNames)

	for _, h := range []string{"from:arc-seal", "from:ARC-Seal:to", "from:arc-message-signature"} {
		row("ARC-09/"+h, with(func(s *sigtest.Set) { s.AMS = strings.Replace(sigtest.AMS, "from:to:subject:date", h, 1) }), ErrARCSigned)
	}

	row("ARC-10/no From", with(func(s *sigtest.Set) { s.AMS = strings.Replace(sigtest.AMS, "from:to:", "to:", 1) }), ErrFromNotSigned)
	row("ARC-10/l=0", with(func(s *sigtest.Set) { s.AMS = strings.Replace(sigtest.AMS, "bh=", "l=0; bh=", 1) }), ErrBodyLength)

	weak := attack(1)
	weak.Selector = "weak"
	row("ARC-11/512", sigtest.Seal(sigtest.RSA(t, "rsa512"), weak, b0), ErrKeyShort)
	for name, old := range map[string]string{"seal": sigtest.AS, "signature": sigtest.AMS} {
		set := func(tags string) func(*sigtest.Set) {
			return func(s *sigtest.Set) {
				if name == "seal" {
					s.AS = tags
				} else {
					s.AMS = tags
				}
			}
		}
		row("ARC-11/sha1 "+name, with(set(strings.Replace(old, "a={a}", "a=rsa-sha1", 1))), ErrSHA1)
		row("ARC-11/k and a "+name, with(set(strings.Replace(old, "s={s}", "s=ed", 1))), ErrKeyType)
		row("ARC-11/unknown a "+name, with(set(strings.Replace(old, "a={a}", "a=RSA-SHA256", 1))), ErrAlgorithm)
	}

	for name, field := range map[string]string{
		"cv": "ARC-Seal: i=1; cv\r\n", "empty": "ARC-Seal:\r\n", "blank": "ARC-Seal: \r\n", "semicolon": "ARC-Seal: ;\r\n",
		"no colon in set": "ARC-Seal: i=1\r\n", "4096 bit": "ARC-Seal: i=1; cv=none; a=rsa-sha256; d=attack.example; s=sel; b=" + strings.Repeat("QUJD", 170) + "\r\n",
	} {
		row("ARC-12/"+name, field+strings.Join(fields(good)[1:], "")+"\r\n"+body(good), someError)
	}
	t.Run("ARC-12/methods", func(t *testing.T) {
		r := verify(t, z, with(func(s *sigtest.Set) {
			s.Results = "mx.attack.example; dara=pass header.from=bank.example; (null)=pass; dmarc=fail header.from=bank.example"
		}))
		require.Equal(t, Pass, r.Status)
		require.Zero(t, r.Vouch("bank.example", func(string) bool { return true }, nil).Instance)
	})

	failed := attack(2)
	failed.CV, failed.Alone = "fail", true
	ended := sigtest.Seal(ka(t), failed, good)
	row("ARC-15/newest", ended, ErrChainFailed)
	row("ARC-15", sigtest.Seal(ka(t), attack(3), ended), ErrChainValidation)

	row("ARC-19/AMS simple", with(func(s *sigtest.Set) { s.AMS = strings.Replace(sigtest.AMS, "relaxed/relaxed", "simple/simple", 1) }), nil, "attack.example")
	row("ARC-19/AS says simple", with(func(s *sigtest.Set) { s.AS = strings.Replace(sigtest.AS, "b=", "c=simple/simple; b=", 1) }), nil, "attack.example")
	row("ARC-19/unknown", with(func(s *sigtest.Set) { s.AMS = strings.Replace(sigtest.AMS, "relaxed/relaxed", "foo/bar", 1) }), ErrCanonicalization)

	forged := attack(1)
	forged.Domain = "bank.example"
	row("ARC-20", sigtest.Seal(ka(t), forged, b0), ErrSignature)

	for name, x := range map[string]struct {
		tags string
		want error
	}{
		"twice":       {"a={a}; " + sigtest.AS, ErrTagList},
		"b twice":     {"b=QUJD; " + sigtest.AS, ErrTagList},
		"unknown":     {"zz=1; " + sigtest.AS, nil},
		"upper case":  {strings.Replace(sigtest.AS, "d={d}", "D={d}", 1), ErrMissingTag},
		"empty tag":   {strings.Replace(sigtest.AS, "; cv", ";; cv", 1), ErrTagList},
		"trailing ;":  {sigtest.AS + ";", nil},
		"leading ;":   {";" + sigtest.AS, ErrTagList},
		"upper cv":    {strings.Replace(sigtest.AS, "{cv}", "NONE", 1), nil},
		"unknown cv":  {strings.Replace(sigtest.AS, "{cv}", "nonee", 1), ErrChainValidation},
		"public d":    {strings.Replace(sigtest.AS, "{d}", "co.uk", 1), ErrPublicSuffix},
		"dot in d":    {strings.Replace(sigtest.AS, "{d}", "attack.example.", 1), ErrDomain},
		"star":        {strings.Replace(sigtest.AS, "{s}", "*", 1), ErrSelector},
		"future":      {"t=1795262400; " + sigtest.AS, ErrFuture},
		"an hour":     {"t=1795258800; " + sigtest.AS, nil},
		"13 digits":   {"t=1795262400000; " + sigtest.AS, ErrTime},
		"octets":      {"zz=\xff; " + sigtest.AS, ErrTagList},
		"i at end":    {strings.Replace(sigtest.AS, "i={i}; ", "", 1) + "; i={i}", nil},
		"bh and x":    {"bh=QUJD; x=1; " + sigtest.AS, nil},
		"b is absent": {strings.Replace(sigtest.AS, "; b={b}", "", 1), ErrMissingTag},
	} {
		text := with(func(s *sigtest.Set) { s.AS = x.tags })
		if x.want == nil {
			row("ARC-23/"+name, text, nil, "attack.example")
		} else {
			row("ARC-23/"+name, text, x.want)
		}
	}
}

// someError stands for whichever of the package's errors.
const someError Error = "any"

func body(text string) string {
	_, b, _ := strings.Cut(text, "\r\n\r\n")
	return b
}

// ownSetVerifies checks a seal over the three topmost fields, with no code of the package's hashing.
func ownSetVerifies(t *testing.T, text string) bool {
	f := fields(text)
	input := ""
	for _, i := range []int{2, 1} {
		input += sigtest.HeaderField(f[i], true)
	}
	m := read(t, strings.Join(f[:3], "")+b0)
	var set set
	_, err := set.readSeal(m.Header().Field(0).Value(), false, nil)
	require.NoError(t, err)
	k := set.as.key
	value := m.Header().Field(0).Value()
	input += strings.TrimSuffix(sigtest.HeaderField("ARC-Seal:"+value[:k.Start]+value[k.End:], true), "\r\n")
	sum := sha256.Sum256([]byte(input))
	return ed25519.Verify(ed().Public().(ed25519.PublicKey), sum[:], k.Data)
}

// ARC-16: our sealer marks a broken chain, and its seal covers its own set only,
// whatever is wrong with the others.
func TestThreatsSealBroken(t *testing.T) {
	z := zone(t)
	good := sigtest.Seal(ka(t), attack(1), b0)
	aar := fields(good)[2]
	for name, text := range map[string]string{
		"body":        good + "more\r\n",
		"two seals":   fields(good)[0] + good,
		"no seal":     strings.Join(fields(good)[1:], "") + "\r\n" + body(good),
		"AAR alone":   aar + b0,
		"junk":        "ARC-Seal: junk\r\nARC-Seal: i=7; cv=pass\r\n" + good,
		"51 seals":    strings.Repeat("ARC-Seal: i=3; cv=none\r\n", 51) + good,
		"bad results": "ARC-Authentication-Results: \x00\r\n" + good,
	} {
		t.Run(name, func(t *testing.T) {
			arrived := verify(t, z, text)
			require.Equal(t, Fail, arrived.Status)
			out, err := seal(t, sealer(), z, text)
			require.NoError(t, err)
			f := fields(out)
			require.Contains(t, f[0], "cv=fail")
			// Alone, with cv read as none and the instance as it is, the seal is good over its own set.
			r := read(t, strings.Join(f[:3], "")+b0)
			c := collect(r.Header(), maxInstance)
			require.True(t, c.ended)
			after := verify(t, z, out)
			if !errors.Is(after.Err, ErrTooManySets) {
				require.Equal(t, Fail, after.Status)
			}
			require.True(t, ownSetVerifies(t, out), "the seal covers its own set only")
			_, err = seal(t, sealer(), z, out)
			if !errors.Is(after.Err, ErrTooManySets) {
				require.ErrorIs(t, err, ErrChainEnded, "after cv=fail nothing is added")
			}
		})
	}
}

// ARC-17: what the message says about itself never gets into our results.
func TestThreatsForgedResults(t *testing.T) {
	text := "Authentication-Results: mx.lists.example; dmarc=pass header.from=forged.example\r\n" + b0
	out, err := seal(t, sealer(), zone(t), text)
	require.NoError(t, err)
	f := fields(out)
	require.NotContains(t, strings.Join(f[:3], ""), "forged")
	require.NotContains(t, strings.ToLower(f[1]), "authentication-results", "nor is it covered")
	r := verify(t, zone(t), out)
	results, ok := r.Sets[0].Results()
	require.True(t, ok)
	require.Equal(t, "mx.lists.example", results.AuthservID)
	require.Len(t, results.Results, 1)
	// Whatever a value holds, it stays a value.
	evil := someResults
	evil.Results = []authres.Result{{Method: "spf", Status: authres.Pass, Properties: []authres.Property{
		{Type: "smtp", Name: "mailfrom", Value: "a\r\nARC-Seal: i=1"}, {Type: "smtp", Name: "helo", Value: "x; dmarc=pass"}}}}
	s := sealer()
	m := read(t, b0, s.BodyHash())
	set, err := s.Seal(m, Result{Status: None, validated: true}, evil)
	require.NoError(t, err)
	require.NotContains(t, set[2], "ARC-Seal")
	require.Contains(t, set[2], `smtp.helo="x; dmarc=pass"`)
}

// A context that ends is like a DNS that does not answer.
func TestContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	v := Verifier{Resolver: zone(t), Now: clock}
	r := v.Verify(ctx, read(t, chainOf(2, b0)))
	require.Equal(t, Fail, r.Status)
	require.True(t, r.Temporary())
}
