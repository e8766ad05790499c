package spf

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

var fieldZone = dnstest.MustParse(`
v.example.      TXT "v=spf1 exists:%{l}.%{d} ip4:192.0.2.9 -all"
quiet.example.  TXT "v=spf1"
broken.example. TXT "v=spf1 foo"
`)

func TestReceivedSPF(t *testing.T) {
	cases := map[string]struct {
		session Session
		helo    bool
		want    string
	}{
		"pass": {
			session: Session{netip.MustParseAddr("192.0.2.9"), "mx.h.example", "a@v.example", "mx.example.org"},
			want: `Received-SPF: pass
 (mx.example.org: domain of
 v.example
 designates 192.0.2.9 as permitted sender)
 identity=mailfrom;
 client-ip=192.0.2.9;
 receiver=mx.example.org;
 envelope-from="a@v.example";
 helo=mx.h.example;
 mechanism="ip4:192.0.2.9"
`,
		},
		"fail at IPv6 with hostile names": {
			session: Session{netip.MustParseAddr("2001:db8::1"), "x\r\nFrom: y", `a"b` + "\x01@v.example", "evil\r\nX: y"},
			want: `Received-SPF: permerror
 (unknown: no domain name to check for 2001:db8::1)
 identity=mailfrom;
 client-ip="2001:db8::1";
 receiver=unknown;
 problem="malformed reverse-path"
`,
		},
		"quoted local-part": {
			session: Session{netip.MustParseAddr("192.0.2.10"), "a b", `"x\"y"@v.example`, ""},
			want: `Received-SPF: fail
 (unknown: domain of
 v.example
 does not designate 192.0.2.10 as permitted sender)
 identity=mailfrom;
 client-ip=192.0.2.10;
 receiver=unknown;
 envelope-from="\"x\\\"y\"@v.example";
 helo="a b";
 mechanism=-all
`,
		},
		"default": {
			session: Session{netip.MustParseAddr("192.0.2.10"), "quiet.example", "", ""}, helo: true,
			want: `Received-SPF: neutral
 (unknown: domain of
 quiet.example
 neither permits nor denies 192.0.2.10)
 identity=helo;
 client-ip=192.0.2.10;
 receiver=unknown;
 helo=quiet.example;
 mechanism=default
`,
		},
		"error": {
			session: Session{netip.MustParseAddr("192.0.2.10"), "", "a@broken.example", ""},
			want: `Received-SPF: permerror
 (unknown: error in processing domain of
 broken.example
 for 192.0.2.10)
 identity=mailfrom;
 client-ip=192.0.2.10;
 receiver=unknown;
 envelope-from="a@broken.example";
 problem="unknown mechanism or malformed term"
`,
		},
		"too long to write": {
			session: Session{netip.MustParseAddr("192.0.2.10"), strings.Repeat("h", 400), strings.Repeat("l", 400) + "@nobody.example", ""},
			want: `Received-SPF: none
 (unknown: domain of
 nobody.example
 does not say who may send for it; client is 192.0.2.10)
 identity=mailfrom;
 client-ip=192.0.2.10;
 receiver=unknown
`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			v := &Verifier{Resolver: fieldZone}
			r := v.MailFrom(t.Context(), c.session)
			if c.helo {
				r = v.HELO(t.Context(), c.session)
			}
			require.Equal(t, strings.ReplaceAll(c.want, "\n", "\r\n"), r.ReceivedSPF())
		})
	}
	require.Empty(t, Result{}.ReceivedSPF())
}

// parseReceived takes a field apart without knowing how it was written.
func parseReceived(t *testing.T, field string) map[string]string {
	t.Helper()
	field = strings.NewReplacer("\r\n", "").Replace(field)
	_, list, ok := strings.Cut(field, ")")
	require.True(t, ok, field)
	out := map[string]string{}
	for list = strings.TrimSpace(list); list != ""; {
		key, rest, ok := strings.Cut(list, "=")
		require.True(t, ok, field)
		value := ""
		if strings.HasPrefix(rest, `"`) {
			i := 1
			for ; rest[i] != '"'; i++ {
				if rest[i] == '\\' {
					i++
				}
				value += string(rest[i])
			}
			rest = rest[i+1:]
		} else {
			i := strings.IndexByte(rest+";", ';')
			value, rest = rest[:i], rest[i:]
			require.True(t, isDotAtom(value), field)
		}
		out[strings.TrimSpace(key)] = value
		list = strings.TrimSpace(strings.TrimPrefix(rest, ";"))
	}
	return out
}

// checkField holds for every field whatever the session was.
func checkField(t *testing.T, field string) {
	t.Helper()
	require.True(t, strings.HasSuffix(field, "\r\n"))
	for _, line := range strings.Split(strings.TrimSuffix(field, "\r\n"), "\r\n") {
		require.LessOrEqual(t, len(line), 998)
		require.True(t, isPrintable(line), "%q", line)
		require.NotEmpty(t, strings.TrimSpace(line))
		require.True(t, strings.HasPrefix(line, " ") || strings.HasPrefix(line, "Received-SPF: "))
	}
	parseReceived(t, field)
}
