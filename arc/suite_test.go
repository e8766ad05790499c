// The suite's keys have 1024 bits and one has 512; the Verifier is to judge that.
//
//go:debug rsa1024min=0
package arc

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert/yaml"
	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/internal/testcase"
	"github.com/seed2385d973/mailauth/message"
)

// suiteTime lies after every t= of the suite.
var suiteTime = func() time.Time { return time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC) }

// scenario is one YAML document of the suite.
type scenario struct {
	Description string
	Tests       map[string]suiteCase
	Records     map[string]string `yaml:"txt-records"`
	Domain, Sel string
	PrivateKey  string `yaml:"privatekey"`
}

type suiteCase struct {
	Spec, Description, Message, Comment string
	CV                                  string // empty means fail
	// For signing.
	T          int64
	SigHeaders string `yaml:"sig-headers"`
	SrvID      string `yaml:"srv-id"`
	AS         string `yaml:"AS"`
	AMS        string `yaml:"AMS"`
	AAR        string `yaml:"AAR"`
}

var caseName = regexp.MustCompile(`(?m)^  ([a-z0-9_]+): *$`)

// loadSuite reads all documents of a file. Some names stand twice in one document,
// which YAML forbids; the second gets a suffix, so that both run.
func loadSuite(t *testing.T, file string) (docs []scenario) {
	t.Helper()
	data, err := os.ReadFile(testcase.Corpora(t, "arc", "valimail", file))
	require.NoError(t, err)
	for _, text := range regexp.MustCompile(`(?m)^--- *$`).Split(string(data), -1) {
		seen := map[string]int{}
		text = caseName.ReplaceAllStringFunc(text, func(line string) string {
			name := strings.Trim(line, " :")
			if seen[name]++; seen[name] > 1 {
				return "  " + name + "#" + strconv.Itoa(seen[name]) + ":"
			}
			return line
		})
		var s scenario
		require.NoError(t, yaml.Unmarshal([]byte(text), &s), file)
		docs = append(docs, s)
	}
	return docs
}

func (s *scenario) zone(t *testing.T) *dnstest.Zone {
	t.Helper()
	all := map[string]any{}
	for name, record := range s.Records {
		// The records are folded over lines as YAML text.
		all[name] = map[string]any{"TXT": [][]string{{strings.Join(strings.Split(strings.TrimSpace(record), "\n"), "")}}}
	}
	text, err := json.Marshal(all)
	require.NoError(t, err)
	z, err := dnstest.Parse(string(text))
	require.NoError(t, err)
	return z
}

// read reads a message of the suite, which is kept with LF and without a final
// line end.
func (c *suiteCase) read(t *testing.T, want ...message.BodyHash) *message.Message {
	t.Helper()
	d := message.Digester{Want: want}
	_, err := d.ReadFrom(message.CRLF(strings.NewReader(c.Message)))
	require.NoError(t, err)
	m, err := d.Finish()
	require.NoError(t, err)
	return m
}

// otherwise lists cases that we answer otherwise on purpose.
var otherwise = map[string]struct {
	want authres.Status
	why  string
}{
	"ams_fields_c_na": {Fail, "absent c= means simple/simple (RFC 6376, section 3.5); the case was signed relaxed/relaxed"},
}

// The chain validation cases. An empty cv means fail.
func TestSuiteValidation(t *testing.T) {
	docs := loadSuite(t, "arc-draft-validation-tests.yml")
	require.Len(t, docs, 10)
	n, twice, departed := 0, 0, 0
	for _, s := range docs {
		zone := s.zone(t)
		for name, c := range s.Tests {
			t.Run(name, func(t *testing.T) {
				want := authres.Status(strings.ToLower(strings.TrimSpace(c.CV)))
				if want == "" {
					want = Fail
				}
				if o, ok := otherwise[name]; ok {
					require.NotEqual(t, o.want, want, "no departure any more")
					want = o.want
					departed++
				}
				v := Verifier{Resolver: zone, Now: suiteTime}
				r := v.Verify(context.Background(), c.read(t))
				require.Equal(t, want, r.Status, "%s: %v", c.Description, r.Err)
				require.Equal(t, want == Fail, r.Err != nil)
				if want == Fail {
					require.NotEmpty(t, r.Code())
				}
			})
			if strings.Contains(name, "#") {
				twice++
			} else {
				n++
			}
		}
	}
	require.Equal(t, len(otherwise), departed)
	require.Equal(t, 3, twice)
	testcase.Ran(t, "arc/valimail-validation", n, 113)
}

// The signing cases: what a sealer writes, to the letter, when it keeps to the
// suite's order of tags.
func TestSuiteSigning(t *testing.T) {
	docs := loadSuite(t, "arc-draft-sign-tests.yml")
	require.Len(t, docs, 2)
	n := 0
	for _, s := range docs {
		block, _ := pem.Decode([]byte(s.PrivateKey))
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		require.NoError(t, err)
		zone := s.zone(t)
		for name, c := range s.Tests {
			n++
			t.Run(name, func(t *testing.T) {
				sealer := Sealer{
					Domain: s.Domain, Selector: s.Sel, Key: key,
					Fields: strings.Split(c.SigHeaders, ":"),
					Now:    func() time.Time { return time.Unix(c.T, 0) },
					order:  strings.Fields("a b bh c cv d h i s t"),
				}
				m := c.read(t, sealer.BodyHash())
				v := Verifier{Resolver: zone, Now: suiteTime}
				chain := v.Verify(context.Background(), m)
				fields, err := sealer.Seal(m, chain, collectResults(t, m, c.SrvID))
				if strings.TrimSpace(c.AS) == "" {
					require.ErrorIs(t, err, ErrChainEnded)
					return
				}
				require.NoError(t, err)
				for i, want := range []string{c.AS, c.AMS, c.AAR} {
					require.Equal(t, flat(want), flat(fields[i][strings.Index(fields[i], ":")+1:]), "%v", chain.Err)
				}
			})
		}
	}
	testcase.Ran(t, "arc/valimail-signing", n, 17)
}

// collectResults takes the results from the message's Authentication-Results
// fields of one authserv-id, as the suite's README says that a sealer finds them.
// Our Sealer never does that itself.
func collectResults(t *testing.T, m *message.Message, id string) authres.Header {
	all := authres.Header{AuthservID: id}
	for _, i := range m.Header().All("Authentication-Results") {
		h, err := authres.Parse(m.Header().Field(i).Value())
		require.NoError(t, err)
		if h.AuthservID == id {
			all.Results = append(all.Results, h.Results...)
		}
	}
	return all
}

// flat is a field's value without its folding: b= loses all white space.
func flat(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return regexp.MustCompile(`\bb=[^;]*`).ReplaceAllStringFunc(s, func(b string) string { return strings.ReplaceAll(b, " ", "") })
}
