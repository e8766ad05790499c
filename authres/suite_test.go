package authres

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed2385d973/mailauth/internal/testcase"
	"github.com/stretchr/testify/require"
)

// suite is the format of corpora/authres.
type suite struct {
	Cases []struct {
		ID, Title, Header string
		Expect            struct {
			Valid       bool
			AuthservID  string `json:"authserv_id"`
			Version     *int
			ResultCount *int `json:"result_count"`
			Results     []struct {
				Index         int
				Method        string
				MethodVersion *int `json:"method_version"`
				Result        string
				Reason        string
				Props         []struct{ Ptype, Property, Value string }
				AsString      string `json:"as_string_without_comments"`
			}
		}
	}
	Serialised []struct{ Title, Header string }
}

// differently lists the cases that the suite, transcribed from a library that is
// lenient here and there, calls valid, and the grammar does not (RFC 8601,
// section 2.2). ParseLenient accepts each of them, with these warnings.
var differently = map[string]struct {
	reason   string
	warnings []Warning
}{
	"authres-py-15": {`":" is not allowed in a token: the IPv6 address has to be quoted`, []Warning{WarnValue}},
	"authres-py-20": {"a propspec has a ptype", []Warning{WarnProperty, WarnProperty, WarnProperty}},
	"authres-py-22": {`"/" is not allowed in a token, and a propspec has a ptype`, []Warning{WarnValue, WarnProperty, WarnProperty, WarnProperty}},
	"authres-py-23": {`a ";" too many makes a domain name a result, a propspec has a ptype, and nothing stands behind the last ";"`, []Warning{WarnResult, WarnProperty, WarnEmpty}},
}

func value(t *testing.T, field string) string {
	t.Helper()
	name, value, ok := strings.Cut(field, ":")
	require.True(t, ok && strings.EqualFold(name, "Authentication-Results"), field)
	return strings.TrimSuffix(value, "\r\n")
}

func runSuite(t *testing.T, elem ...string) (parsed, serialised int) {
	var s suite
	testcase.ReadJSON(t, testcase.Corpora(t, elem...), &s)
	for _, c := range s.Cases {
		t.Run(c.ID, func(t *testing.T) {
			v := value(t, c.Header)
			h, err := Parse(v)
			lenient, findings, lerr := ParseLenient(v)
			require.NoError(t, lerr)
			if d, ok := differently[c.ID]; ok {
				require.ErrorIs(t, err, ErrSyntax, d.reason)
				var got []Warning
				for _, f := range findings {
					got = append(got, f.Warning)
				}
				require.Equal(t, d.warnings, got)
				h = lenient
			} else {
				require.True(t, c.Expect.Valid)
				require.NoError(t, err)
				require.Equal(t, h, lenient)
				require.Empty(t, findings)
			}
			if c.Expect.AuthservID != "" {
				require.Equal(t, c.Expect.AuthservID, h.AuthservID)
			}
			if c.Expect.Version != nil {
				require.Equal(t, *c.Expect.Version, h.Version)
			}
			if c.Expect.ResultCount != nil {
				require.Len(t, h.Results, *c.Expect.ResultCount)
			}
			for _, w := range c.Expect.Results {
				r := h.Results[w.Index]
				if w.Method != "" {
					require.Equal(t, w.Method, r.Method)
					require.Equal(t, Status(w.Result), r.Status)
					require.Equal(t, w.Reason, r.Reason)
				}
				if w.MethodVersion != nil {
					require.Equal(t, *w.MethodVersion, r.Version)
				}
				for i, p := range w.Props {
					require.Equal(t, Property{p.Ptype, p.Property, p.Value}, r.Properties[i])
				}
				if w.AsString != "" {
					r.Comment = ""
					out := Header{AuthservID: "x", Results: []Result{r}}.String()
					require.Equal(t, "x; "+w.AsString, strings.ReplaceAll(out, "\r\n", ""))
				}
			}
		})
		parsed++
	}
	for _, c := range s.Serialised {
		t.Run(c.Title, func(t *testing.T) {
			v := strings.TrimPrefix(value(t, c.Header), " ")
			h, err := Parse(v)
			require.NoError(t, err)
			// Version 1 and a comment behind "none" are not written.
			v = strings.NewReplacer(" 1; none", "; none", "none (SPF not checked for localhost)", "none", " (yummy.example.net)", "").Replace(v)
			require.Equal(t, v, strings.ReplaceAll(h.String(), "\r\n", ""))
		})
		serialised++
	}
	return parsed, serialised
}

func TestSuiteRFC8601(t *testing.T) {
	n, _ := runSuite(t, "authres", "rfc8601", "cases.json")
	testcase.Ran(t, "authres/rfc8601", n, 11)
}

func TestSuiteAuthresPy(t *testing.T) {
	n, m := runSuite(t, "authres", "authres-py", "cases.json")
	testcase.Ran(t, "authres/authres-py", n+m, 23+17)
}

func TestErrorCode(t *testing.T) {
	for _, e := range []Error{ErrSyntax, ErrVersion, ErrLength, ErrResults, ErrProperties, ErrAuthservID, ErrName} {
		require.True(t, strings.HasPrefix(e.Code(), "Err"), string(e))
	}
	require.Empty(t, Error("other").Code())
	_, err := Parse("mx 2; none")
	var e Error
	require.True(t, errors.As(err, &e))
	require.Equal(t, "ErrVersion", e.Code())
}
