package aggregate_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

func uris(t *testing.T, list ...string) []dmarc.URI {
	t.Helper()
	var out []dmarc.URI
	for _, text := range list {
		u, err := dmarc.ParseURI(text)
		require.NoError(t, err, text)
		out = append(out, u)
	}
	return out
}

// TestExternalReportsCorpus runs the case of the conformance data that package
// dmarc has no use for.
func TestExternalReportsCorpus(t *testing.T) {
	var suite struct {
		Cases []struct {
			ID       string
			Domain   string `json:"policy_domain"`
			RUA      []string
			DNS      json.RawMessage
			Accepted []string
		} `json:"external_reports"`
	}
	testcase.ReadJSON(t, filepath.Join(testcase.Corpora(t, "dmarc", "stalwart"), "cases.json"), &suite)
	n := 0
	for _, c := range suite.Cases {
		n++
		var accepted, list []string
		for _, a := range c.RUA {
			list = append(list, "mailto:"+a)
		}
		k := aggregate.Checker{Resolver: dnstest.MustParse(string(c.DNS))}
		for _, d := range k.Check(context.Background(), c.Domain, aggregate.RUA, uris(t, list...)) {
			accepted = append(accepted, d.To...)
		}
		require.Equal(t, c.Accepted, accepted, c.ID)
	}
	testcase.Ran(t, "dmarc-reports/external/stalwart", n, 1)
}

func TestCheck(t *testing.T) {
	long := strings.Repeat("a", 60) + "." + strings.Repeat("b", 60) + "." + strings.Repeat("c", 60) + "." + strings.Repeat("d", 20) + ".example"
	cases := map[string]struct {
		zone, from string
		uri        string
		tag        aggregate.Tag
		want       aggregate.Destination // To, External, Status, Err
		queries    int
	}{
		"same name": {"", "example.com", "mailto:a@example.com", aggregate.RUA, aggregate.Destination{To: []string{"a@example.com"}, Status: authres.Pass}, 0},
		"same organization": {"_dmarc.example.com TXT v=DMARC1", "sub.example.com", "mailto:a@mail.example.com", aggregate.RUA,
			aggregate.Destination{To: []string{"a@mail.example.com"}, Status: authres.Pass}, -1},
		"agreed": {"blue.example.com._report._dmarc.red.example.net TXT v=DMARC1", "blue.example.com", "mailto:a@red.example.net", aggregate.RUA,
			aggregate.Destination{To: []string{"a@red.example.net"}, External: true, Status: authres.Pass}, -1},
		"agreed, with semicolon": {`blue.example.com._report._dmarc.red.example.net TXT "v=DMARC1;"`, "blue.example.com", "mailto:a@red.example.net", aggregate.RUA,
			aggregate.Destination{To: []string{"a@red.example.net"}, External: true, Status: authres.Pass}, -1},
		"wildcard": {"*._report._dmarc.red.example.net TXT v=DMARC1", "blue.example.com", "mailto:a@red.example.net", aggregate.RUA,
			aggregate.Destination{To: []string{"a@red.example.net"}, External: true, Status: authres.Pass}, -1},
		"no record": {"", "blue.example.com", "mailto:a@red.example.net", aggregate.RUA, aggregate.Destination{External: true, Status: authres.Fail, Err: aggregate.ErrUnauthorized}, -1},
		"no such record": {"blue.example.com._report._dmarc.red.example.net TXT v=spf1", "blue.example.com", "mailto:a@red.example.net", aggregate.RUA,
			aggregate.Destination{External: true, Status: authres.Fail, Err: aggregate.ErrUnauthorized}, -1},
		"v not first": {`blue.example.com._report._dmarc.red.example.net TXT "x=y; v=DMARC1"`, "blue.example.com", "mailto:a@red.example.net", aggregate.RUA,
			aggregate.Destination{External: true, Status: authres.Fail, Err: aggregate.ErrUnauthorized}, -1},
		"override": {`blue.example.com._report._dmarc.red.example.net TXT "v=DMARC1; rua=mailto:b@red.example.net"`, "blue.example.com", "mailto:a@red.example.net", aggregate.RUA,
			aggregate.Destination{To: []string{"b@red.example.net"}, External: true, Status: authres.Pass}, -1},
		"override elsewhere": {`blue.example.com._report._dmarc.red.example.net TXT "v=DMARC1; rua=mailto:b@victim.example"`, "blue.example.com", "mailto:a@red.example.net", aggregate.RUA,
			aggregate.Destination{External: true, Status: authres.Fail, Err: aggregate.ErrOverride}, -1},
		"override below": {`blue.example.com._report._dmarc.red.example.net TXT "v=DMARC1; rua=mailto:b@x.red.example.net"`, "blue.example.com", "mailto:a@red.example.net", aggregate.RUA,
			aggregate.Destination{External: true, Status: authres.Fail, Err: aggregate.ErrOverride}, -1},
		"override unusable": {`blue.example.com._report._dmarc.red.example.net TXT "v=DMARC1; rua=nonsense"`, "blue.example.com", "mailto:a@red.example.net", aggregate.RUA,
			aggregate.Destination{External: true, Status: authres.Fail, Err: aggregate.ErrOverride}, -1},
		"override of the other tag": {`blue.example.com._report._dmarc.red.example.net TXT "v=DMARC1; rua=mailto:b@victim.example"`, "blue.example.com", "mailto:a@red.example.net", aggregate.RUF,
			aggregate.Destination{To: []string{"a@red.example.net"}, External: true, Status: authres.Pass}, -1},
		"ruf": {`blue.example.com._report._dmarc.red.example.net TXT "v=DMARC1; ruf=mailto:b@red.example.net"`, "blue.example.com", "mailto:a@red.example.net", aggregate.RUF,
			aggregate.Destination{To: []string{"b@red.example.net"}, External: true, Status: authres.Pass}, -1},
		"no answer": {`{"blue.example.com._report._dmarc.red.example.net": {"error": "servfail"}}`, "blue.example.com", "mailto:a@red.example.net", aggregate.RUA,
			aggregate.Destination{External: true, Status: authres.TempError, Err: aggregate.ErrDNS}, -1},
		"no answer about the organization": {`{"_dmarc.example.net": {"error": "timeout"}, "*": {"TXT": [["v=DMARC1"]]}}`, "blue.example.com", "mailto:a@red.example.net", aggregate.RUA,
			aggregate.Destination{Status: authres.TempError, Err: aggregate.ErrDNS}, -1},
		"name too long": {"", long, "mailto:a@red.example.net", aggregate.RUA, aggregate.Destination{External: true, Status: authres.Fail, Err: aggregate.ErrUnauthorized}, -1},
		"scheme":        {"", "example.com", "https://example.com/x", aggregate.RUA, aggregate.Destination{Status: authres.Fail, Err: aggregate.ErrScheme}, 0},
		"under one suffix": {"_dmarc.com TXT v=DMARC1", "a.com", "mailto:a@b.com", aggregate.RUA,
			aggregate.Destination{External: true, Status: authres.Fail, Err: aggregate.ErrUnauthorized}, -1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if c.zone != "" && c.zone[0] != '{' {
				owner, rest, _ := strings.Cut(c.zone, " ")
				c.zone = owner + ". " + rest
			}
			if c.zone == "" {
				c.zone = "{}"
			}
			z := dnstest.MustParse(c.zone)
			k := aggregate.Checker{Resolver: z}
			got := k.Check(context.Background(), c.from, c.tag, uris(t, c.uri))
			require.Len(t, got, 1)
			require.Equal(t, c.want.To, got[0].To)
			require.Equal(t, c.want.External, got[0].External)
			require.Equal(t, c.want.Status, got[0].Status)
			require.ErrorIs(t, got[0].Err, c.want.Err)
			if c.queries >= 0 {
				require.Len(t, z.Queries(), c.queries)
			}
		})
	}
}

func TestCheckLimits(t *testing.T) {
	list := uris(t, "mailto:a@example.com", "mailto:b@example.com", "mailto:A@example.com", "mailto:c@example.com")
	k := aggregate.Checker{Max: 2}
	got := k.Check(context.Background(), "example.com", aggregate.RUA, list)
	require.Len(t, got, 3, "the same address is asked for once")
	require.Equal(t, authres.Pass, got[1].Status)
	require.ErrorIs(t, got[2].Err, aggregate.ErrDestinations)
	// Without a Resolver nothing is sent outside.
	got = k.Check(context.Background(), "example.com", aggregate.RUA, uris(t, "mailto:a@example.net"))
	require.Equal(t, authres.TempError, got[0].Status)
	require.Empty(t, got[0].To)
	require.ErrorIs(t, k.Check(context.Background(), "a..b", aggregate.RUA, list)[0].Err, aggregate.ErrUnauthorized)
}

// TestDestinationThreats is what the group REP of the threat matrix has on destinations.
func TestDestinationThreats(t *testing.T) {
	t.Run("REP-09", func(t *testing.T) {
		for zone, want := range map[string]authres.Status{
			`{}`: authres.Fail,
			`{"bank.example._report._dmarc.other.example": {"error": "servfail"}}`:        authres.TempError,
			`{"bank.example._report._dmarc.other.example": {"TXT": [["v=DMARC1"]]}}`:      authres.Pass,
			`{"bank.example._report._dmarc.other.example": {"TXT": [["v=DMARC1 evil"]]}}`: authres.Fail,
		} {
			k := aggregate.Checker{Resolver: dnstest.MustParse(zone)}
			d := k.Check(context.Background(), "bank.example", aggregate.RUA, uris(t, "mailto:victim@other.example"))
			require.Equal(t, want, d[0].Status, zone)
			require.Equal(t, want == authres.Pass, len(d[0].To) == 1)
		}
	})
	t.Run("REP-11", func(t *testing.T) {
		for _, bad := range []string{
			"mailto:a@x.example?bcc=b@y.example", "mailto:a@x.example,b@y.example", "mailto:a%0d%0aRCPT TO:<b@y.example>@x.example",
			"mailto:a%0d%0aRCPT%20TO:%3Cb@y.example%3E@x.example", "mailto:", "mailto:" + strings.Repeat("a", 10<<10) + "@x.example",
			"mailto:a@x.example!many", "mailto:a%2Cb@y.example@x.example",
		} {
			_, err := dmarc.ParseURI(bad)
			require.ErrorIs(t, err, dmarc.ErrURI, bad)
		}
		k := aggregate.Checker{}
		for _, good := range []string{"mailto:a@x.example!10m", "MAILTO:a@x.example", "mailto:%61@x.example"} {
			d := k.Check(context.Background(), "x.example", aggregate.RUA, uris(t, good))
			require.Equal(t, []string{"a@x.example"}, d[0].To)
		}
		d := k.Check(context.Background(), "x.example", aggregate.RUA, uris(t, "https://x.example/"))
		require.ErrorIs(t, d[0].Err, aggregate.ErrScheme)
	})
	t.Run("REP-13", func(t *testing.T) {
		k := aggregate.Checker{Own: []string{"dmarc@receiver.example"}}
		d := k.Check(context.Background(), "receiver.example", aggregate.RUA, uris(t, "mailto:DMARC@receiver.example", "mailto:other@receiver.example"))
		require.ErrorIs(t, d[0].Err, aggregate.ErrOwn)
		require.Empty(t, d[0].To)
		require.Equal(t, authres.Pass, d[1].Status)
	})
}
