package spf

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert/yaml"
	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/domain"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

// suite is one document of a YAML suite.
type suite struct {
	Description string
	Tests       map[string]struct {
		HELO        string
		Host        string
		MailFrom    string
		Result      any // a word, or a list of words of which any will do
		Explanation string
		Receiver    string
		Header      string
	}
	ZoneData map[string][]any
}

func readSuites(t *testing.T, path string) []suite {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var out []suite
	for _, doc := range strings.Split("\n"+string(data), "\n---") {
		var s suite
		require.NoError(t, yaml.Unmarshal([]byte(doc), &s))
		if len(s.Tests) > 0 {
			out = append(out, s)
		}
	}
	return out
}

// zone turns zone data into a fake DNS by the rules of the suites: an SPF
// record stands for a TXT record unless the name has one or "TXT: NONE", and
// TIMEOUT is what all types of the name answer that have no record there.
func (s suite) zone(t *testing.T) *dnstest.Zone {
	t.Helper()
	out := map[string]map[string]any{}
	for name, records := range s.ZoneData {
		n := map[string]any{}
		var txt, spf [][]string
		hasTXT, timeout := false, false
		for _, r := range records {
			m, ok := r.(map[string]any)
			if !ok {
				require.Equal(t, "TIMEOUT", r)
				timeout = true
				continue
			}
			for typ, v := range m {
				switch typ {
				case "SPF":
					spf = append(spf, chunks(v))
				case "TXT":
					hasTXT = true
					if v != "NONE" {
						txt = append(txt, chunks(v))
					}
				case "MX":
					l, _ := n[typ].([]any)
					n[typ] = append(l, v)
				case "CNAME":
					n[typ] = v
				default:
					l, _ := n[typ].([]any)
					n[typ] = append(l, fmt.Sprint(v))
				}
			}
		}
		if !hasTXT {
			txt = spf
		}
		if len(txt) > 0 {
			n["TXT"] = txt
		}
		if timeout {
			for _, typ := range []string{"A", "AAAA", "MX", "PTR", "TXT"} {
				if n[typ] == nil {
					n[typ+"_rcode"] = "timeout"
				}
			}
		}
		out[name] = n
	}
	text, err := json.Marshal(out)
	require.NoError(t, err)
	z, err := dnstest.Parse(string(text))
	require.NoError(t, err)
	return z
}

func chunks(v any) []string {
	l, ok := v.([]any)
	if !ok {
		return []string{fmt.Sprint(v)}
	}
	var out []string
	for _, c := range l {
		out = append(out, fmt.Sprint(c))
	}
	return out
}

// want is the words that a case accepts.
func words(v any) []string {
	if l, ok := v.([]any); ok {
		var out []string
		for _, w := range l {
			out = append(out, fmt.Sprint(w))
		}
		return out
	}
	return []string{fmt.Sprint(v)}
}

// ours are the cases that we answer otherwise than a suite, with our answer.
// Each is listed in DIVERGENCES.md.
var ours = map[string]struct{ result, explanation, why string }{
	"v-macro-ip6": {
		"fail",
		"cafe:babe::1 is queried as 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.e.b.a.b.e.f.a.c.ip6.arpa",
		"RFC 7208, section 7.4 writes the nibbles of %{i} in lower case; the suite compares without regard to case",
	},
	"default-modifier": {
		"neutral", "", "default= is from before RFC 4408: an unknown modifier (RFC 7208, section 6)",
	},
	"default-modifier-harsh": {
		"neutral", "", "the same record; the result \"ambiguous\" exists nowhere else",
	},
}

func runSuites(t *testing.T, name, path string, want int) {
	n := 0
	for _, s := range readSuites(t, path) {
		z := s.zone(t)
		for id, c := range s.Tests {
			n++
			t.Run(id, func(t *testing.T) {
				r := (&Verifier{Resolver: z}).MailFrom(t.Context(), Session{
					IP: netip.MustParseAddr(c.Host), HELO: c.HELO, MailFrom: c.MailFrom, Receiver: c.Receiver,
				})
				result, explanation := words(c.Result), c.Explanation
				if o, ok := ours[id]; ok {
					result, explanation = []string{o.result}, o.explanation
				}
				require.Contains(t, result, string(r.Status), "%s: %v", id, r.Err)
				switch explanation {
				case "":
				case "DEFAULT":
					require.Empty(t, r.Explanation)
				default:
					require.Equal(t, explanation, r.Explanation)
				}
				require.Equal(t, r.Status == Pass, r.Err == nil)
				if c.Header != "" {
					// The comment and the problem are free; the rest says the same.
					theirs := parseReceived(t, "x) "+c.Header[strings.LastIndexByte(c.Header, ')')+1:])
					delete(theirs, "problem")
					field := parseReceived(t, r.ReceivedSPF())
					delete(field, "problem")
					require.Equal(t, theirs, field)
				}
			})
		}
	}
	testcase.Ran(t, name, n, want)
}

func TestOpenSPF(t *testing.T) {
	runSuites(t, "spf/openspf-rfc7208", testcase.Corpora(t, "spf", "openspf-rfc7208", "rfc7208-tests.yml"), 203)
}

func TestPySPF(t *testing.T) {
	runSuites(t, "spf/pyspf", testcase.Corpora(t, "spf", "pyspf", "test.yml"), 16)
}

func TestMacroCases(t *testing.T) {
	var file struct {
		Cases []struct{ Template, Sender, Domain, IP, Expect string }
	}
	testcase.ReadJSON(t, testcase.Corpora(t, "spf", "mailauth", "macro-cases.json"), &file)
	n := 0
	for _, c := range file.Cases {
		n++
		t.Run(fmt.Sprintf("%02d %s", n, c.Template), func(t *testing.T) {
			local, host, e := splitSender(c.Sender)
			require.Empty(t, e)
			id := identity{local: local, sender: host, localOK: true}
			if c.IP != "" {
				id.ip = netip.MustParseAddr(c.IP)
			}
			if c.Domain == "" {
				c.Domain = host
			}
			d, err := domain.ParseQuery(c.Domain)
			require.NoError(t, err)
			got, err := id.expand(nil, c.Template, &values{domain: d}, maxExpansion)
			require.NoError(t, err)
			require.Equal(t, c.Expect, string(got))
		})
	}
	testcase.Ran(t, "spf/mailauth", n, 26)
}
