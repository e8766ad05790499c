package spf

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseRecord(t *testing.T) {
	for _, c := range []struct {
		text, canonical string
		err             Error
	}{
		{"v=spf1", "v=spf1", ""},
		{"V=SPF1   ", "v=spf1", ""},
		{"v=spf1 +MX A:Colo.Example.COM/28 -ALL", "v=spf1 mx a:Colo.Example.COM/28 -all", ""},
		{"v=spf1 a/32//128 mx//64 a/0//0 ptr ptr:x.example.", "v=spf1 a mx//64 a/0//0 ptr ptr:x.example.", ""},
		{"v=spf1 ip4:192.0.2.9/32 ip4:192.0.2.9/24 ip6:2001:DB8:0::1/128 ip6:::ffff:192.0.2.9", "v=spf1 ip4:192.0.2.9 ip4:192.0.2.9/24 ip6:2001:db8::1 ip6:::ffff:192.0.2.9", ""},
		{"v=spf1 ~include:%{l1r+-}._spf.%{d} ?exists:%{iR}.x.example Redirect=%{d2} EXP=e.example", "v=spf1 ~include:%{l1r+-}._spf.%{d} ?exists:%{iR}.x.example redirect=%{d2} exp=e.example", ""},
		{"v=spf1 X-y_z.1=%{c}%{t}/: moo=", "v=spf1 x-y_z.1=%{c}%{t}/: moo=", ""},
		{"v=spf1 a:foo/24.example.com/24 a:1-2.a-b a:x.9a", "v=spf1 a:foo/24.example.com/24 a:1-2.a-b a:x.9a", ""},

		{"", "", ErrVersion},
		{"v=spf1.", "", ErrVersion},
		{" v=spf1", "", ErrVersion},
		{"v=spf1 all:x.example", "", ErrMechanism},
		{"v=spf1 all/8", "", ErrMechanism},
		{"v=spf1 -redirect=x.example", "", ErrMechanism},
		{"v=spf1 =x", "", ErrMechanism},
		{"v=spf1 1x=y", "", ErrMechanism},
		{"v=spf1 -", "", ErrMechanism},
		{"v=spf1 --all", "", ErrMechanism},
		{"v=spf1 include", "", ErrDomainSpec},
		{"v=spf1 include:", "", ErrDomainSpec},
		{"v=spf1 include/24", "", ErrDomainSpec},
		{"v=spf1 include:x.example/24", "", ErrDomainSpec},
		{"v=spf1 exists:museum", "", ErrDomainSpec},
		{"v=spf1 exists:museum.", "", ErrDomainSpec},
		{"v=spf1 exists:x.123", "", ErrDomainSpec},
		{"v=spf1 exists:x.-a", "", ErrDomainSpec},
		{"v=spf1 exists:x.a-", "", ErrDomainSpec},
		{"v=spf1 exists:x.a_b", "", ErrDomainSpec},
		{"v=spf1 exists:x..", "", ErrDomainSpec},
		{"v=spf1 exists:%{d}x", "", ErrDomainSpec},
		{"v=spf1 exists:%{d}.", "", ErrDomainSpec},
		{"v=spf1 ptr/24", "", ErrMechanism},
		{"v=spf1 redirect=", "", ErrDomainSpec},
		{"v=spf1 exp=", "", ErrDomainSpec},
		{"v=spf1 ip4", "", ErrNetwork},
		{"v=spf1 ip4:2001:db8::1", "", ErrNetwork},
		{"v=spf1 ip6:2001:db8::1::", "", ErrNetwork},
		{"v=spf1 ip6:2001:db8::1/", "", ErrPrefixLength},
		{"v=spf1 x=%(d)", "", ErrMacro},
		{"v=spf1 x=\x7f", "", ErrCharacter},
		{"v=spf1\x00", "", ErrVersion},
		{"v=spf1 a\n", "", ErrCharacter},
	} {
		t.Run(c.text, func(t *testing.T) {
			r, err := ParseRecord(c.text)
			if c.err != "" {
				require.ErrorIs(t, err, c.err)
				require.ErrorIs(t, err, ErrSyntax)
				require.Equal(t, Record{}, r)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.canonical, r.String())
			require.Equal(t, c.text, r.Text())
		})
	}
}

// Each limit of a record: at it, and one past it.
func TestRecordLimits(t *testing.T) {
	_, err := ParseRecord("v=spf1" + strings.Repeat(" a", maxTerms))
	require.NoError(t, err)
	_, err = ParseRecord("v=spf1" + strings.Repeat(" a", maxTerms+1))
	require.ErrorIs(t, err, ErrTerms)
	long := "v=spf1 x=" + strings.Repeat("y", maxRecord)
	_, err = ParseRecord(long[:maxRecord])
	require.NoError(t, err)
	_, err = ParseRecord(long[:maxRecord+1])
	require.ErrorIs(t, err, ErrRecordSize)
	_, err = ParseRecord("v=spf1 exists:%{d128}")
	require.NoError(t, err)
	_, err = ParseRecord("v=spf1 exists:%{d129}")
	require.ErrorIs(t, err, ErrMacro)
}

func TestTerms(t *testing.T) {
	r, err := ParseRecord("v=spf1 -a:x.example/24//64 ip6:2001:db8::/32 ra=postmaster redirect=_spf.%{d}")
	require.NoError(t, err)
	terms := r.Terms()
	require.Equal(t, Term{Kind: A, Qualifier: '-', IP4Length: 24, IP6Length: 64, Text: "-a:x.example/24//64", DomainSpec: "x.example"}, terms[0])
	require.Equal(t, netip.MustParsePrefix("2001:db8::/32"), terms[1].Network)
	require.Equal(t, "ra", terms[2].Name())
	require.Equal(t, "postmaster", terms[2].DomainSpec)
	require.True(t, terms[2].Kind.IsModifier())
	require.True(t, terms[3].HasMacro())
	require.False(t, terms[0].HasMacro())
	require.Equal(t, "_spf.%{d}", r.Modifier(Redirect))
	require.Empty(t, r.Modifier(Exp))
	require.Empty(t, r.Modifier(A))
	terms[0].Kind = MX
	require.Equal(t, A, r.Terms()[0].Kind, "the slice is the caller's")
	require.Equal(t, "v=spf1", Record{}.Text())
	require.Equal(t, "unknown", Kind(99).String())
	for k := All; k <= Unknown; k++ {
		require.Equal(t, k == Include || k == A || k == MX || k == PTR || k == Exists || k == Redirect, k.Queries(), k.String())
	}
}
