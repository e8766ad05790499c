package arc

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
	"github.com/seed2385d973/mailauth/message"
)

// setOf seals a message once more, with changes to the tags of the two signatures.
func setOf(instance int, text string, changes ...func(*sigtest.Set)) string {
	s := sigtest.Set{Instance: instance, Domain: "lists.example", Selector: "sel", AS: sigtest.AS, AMS: sigtest.AMS}
	for _, c := range changes {
		c(&s)
	}
	return sigtest.Seal(ed(), s, text)
}

func as(old, to string) func(*sigtest.Set) {
	return func(s *sigtest.Set) { s.AS = strings.Replace(s.AS, old, to, 1) }
}

func ams(old, to string) func(*sigtest.Set) {
	return func(s *sigtest.Set) { s.AMS = strings.Replace(s.AMS, old, to, 1) }
}

// Of two fields of one instance the upper one is described, whichever of the three it is.
func TestDuplicatesDescribed(t *testing.T) {
	z := zone(t)
	good, other := chainOf(1, b0), sigtest.Seal(ka(t), attack(1), b0)
	for i, name := range []string{sealName, signatureName, resultsName} {
		for _, text := range []string{fields(good)[i] + other, strings.Replace(other, "From:", fields(good)[i]+"From:", 1)} {
			r := verify(t, z, text)
			require.ErrorIs(t, r.Err, ErrSetDuplicate)
			require.ErrorContains(t, r.Err, name)
			require.Equal(t, 1, r.FailedInstance)
			upper := "attack.example"
			if strings.HasPrefix(text, fields(good)[i]) {
				upper = "lists.example"
			}
			switch name {
			case sealName:
				require.Equal(t, upper, r.set(1).Seal.Domain)
			case signatureName:
				require.Equal(t, upper, r.set(1).Message.Domain)
			}
		}
	}
	// Which of two seals is the newest is not for the lower one to say.
	failed := setOf(1, b0, as("cv={cv}", "cv=fail"))
	require.ErrorIs(t, verify(t, z, fields(good)[0]+failed).Err, ErrSetDuplicate)
	require.ErrorIs(t, verify(t, z, fields(failed)[0]+good).Err, ErrChainFailed)
}

// What has no instance gives the chain none.
func TestInstanceOfJunk(t *testing.T) {
	z := zone(t)
	for field, want := range map[string]error{
		"ARC-Seal: junk\r\n":                                    ErrTagList,
		"ARC-Seal: i=0; cv=none\r\n":                            ErrInstance,
		"ARC-Message-Signature: junk\r\n":                       ErrTagList,
		"ARC-Message-Signature: i=51; a=rsa-sha256\r\n":         ErrInstance,
		"ARC-Authentication-Results: mx.example; none\r\n":      ErrInstance,
		"ARC-Authentication-Results: =1; mx.example; none\r\n":  ErrInstance,
		"ARC-Authentication-Results: i 1; mx.example; none\r\n": ErrInstance,
		"ARC-Authentication-Results: 1; mx.example; none\r\n":   ErrInstance,
		"ARC-Authentication-Results: i=1;i=1\r\n":               ErrInstance,
	} {
		r := verify(t, z, field+b0)
		require.ErrorIs(t, r.Err, want, field)
		require.Zero(t, r.Instance, field)
		require.Zero(t, r.FailedInstance, field)
	}
	r := verify(t, z, strings.Replace(chainOf(1, b0), "Results: i=1", "Results: i=7", 1))
	require.ErrorIs(t, r.Err, ErrSetGap)
	require.Equal(t, 7, r.Instance)
	require.Zero(t, r.FailedInstance)
}

// Times of the two signatures: told, and judged to the second.
func TestTimes(t *testing.T) {
	z := zone(t)
	now := clock().Unix()
	require.EqualValues(t, 1795255200, now)
	for _, c := range []struct {
		tag  string
		seal error
		ams  error
	}{
		{"t=1700000000", nil, nil},
		{"t=1", nil, nil},
		{"t=0", nil, nil},
		{"t=1795258800", nil, nil}, // an hour ahead
		{"t=1795258801", ErrFuture, ErrFuture},
		{"x=1795255200", nil, nil}, // now
		{"x=1795255199", nil, ErrExpired},
		{"x=0", nil, ErrExpired}, // a seal has no x=
	} {
		r := verify(t, z, setOf(1, b0, as("b=", c.tag+"; b=")))
		require.ErrorIs(t, r.Err, c.seal, c.tag)
		require.Equal(t, c.seal == nil, r.Status == Pass)
		at := r.Sets[0].Seal.Time
		r = verify(t, z, setOf(1, b0, ams("bh=", c.tag+"; bh=")))
		require.ErrorIs(t, r.Err, c.ams, c.tag)
		require.Equal(t, c.ams == nil, r.Status == Pass)
		require.Equal(t, at, r.Sets[0].Message.Time)
		switch c.tag {
		case "t=1700000000":
			require.Equal(t, time.Unix(1700000000, 0).UTC(), at)
		case "t=1":
			require.Equal(t, time.Unix(1, 0).UTC(), at)
		case "x=0":
			require.Zero(t, at)
		}
	}
}

// The name of a key that cannot exist is said to be the selector's fault.
func TestKeyNameTooLong(t *testing.T) {
	long := strings.Repeat("a.", 100) + "a"
	r := verify(t, zone(t), setOf(1, b0, as("s={s}", "s="+long), as("d={d}", "d="+strings.Repeat("b", 60)+".lists.example")))
	require.ErrorIs(t, r.Err, ErrSelector)
	r = verify(t, zone(t), setOf(1, b0, ams("s={s}", "s="+long), ams("d={d}", "d="+strings.Repeat("b", 60)+".lists.example")))
	require.ErrorIs(t, r.Err, ErrSelector)
	require.ErrorContains(t, r.Err, signatureName)
}

// A message read for another header has no digest for the newest signature.
func TestNoBodyDigest(t *testing.T) {
	v := Verifier{Resolver: zone(t), Now: clock}
	m := read(t, chainOf(1, b0))
	for _, other := range []*message.Message{nil, read(t, b0)} {
		r := v.Start(context.Background(), m.Header()).Finish(other)
		require.Equal(t, Fail, r.Status)
		require.ErrorIs(t, r.Err, ErrNoBodyDigest)
		s := sealer()
		_, err := s.Seal(read(t, chainOf(1, b0), s.BodyHash()), r, someResults)
		require.ErrorIs(t, err, ErrUncertain, "that is our mistake, not the chain's")
	}
}

// Each older signature may have a key of its own, also the oldest.
func TestKeysOfOlderSignatures(t *testing.T) {
	z, text := zone(t), b0
	for _, s := range []string{"a", "b", "c"} {
		z = z.WithAnswer(s+"._domainkey.lists.example", dnsutil.TypeTXT, dnsutil.Answer{TXT: []string{sigtest.Record(ed())}})
	}
	for i, s := range []string{"a", "b", "c"} {
		text = setOf(i+1, text, ams("s={s}", "s="+s))
	}
	r := verify(t, z, text)
	require.NoError(t, r.Err)
	require.Zero(t, r.OldestPass)
	for i := range r.Sets {
		require.NoError(t, r.Sets[i].MessageErr)
		require.Equal(t, 256, r.Sets[i].Message.KeyBits)
	}
	require.Len(t, z.Queries(), 4)
	z.Reset()
	v := Verifier{Resolver: z, Now: clock, NoOldestPass: true}
	vn := v.Start(context.Background(), read(t, text).Header())
	require.Equal(t, 2, vn.Queries())
	require.NoError(t, vn.Finish(read(t, text)).Err)
	require.Len(t, z.Queries(), 2, "the seals' and the newest signature's")
}

// Nobody vouches by a chain that was not validated to the end.
func TestVouchAborted(t *testing.T) {
	v := Verifier{Resolver: zone(t), Now: clock}
	vn := v.Start(context.Background(), read(t, sigtest.Seal(ka(t), attack(1), b0)).Header())
	vn.Abort()
	r := vn.Finish(nil)
	require.True(t, r.Temporary())
	require.Zero(t, r.Vouch("bank.example", func(string) bool { return true }, nil))
}

// Sealers are logged where they are known, and only there.
func TestLogValue(t *testing.T) {
	r := verify(t, zone(t), chainOf(2, b0))
	require.Contains(t, r.LogValue().String(), "sealers=[lists.example lists.example] oldest_pass=0")
	r = verify(t, zone(t), chainOf(2, b0)+"x")
	require.NotContains(t, r.LogValue().String(), "sealers")
	require.Contains(t, r.LogValue().String(), "code=ErrBodyHash")
}
