package bimi

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
)

// TestLint has item S1: what goes wrong between a form in a DNS editor and the wire.
func TestLint(t *testing.T) {
	const good = "v=BIMI1; l=https://example.com/a.svg; a=https://example.com/a.pem"
	for _, tt := range []struct {
		name    string
		texts   []string
		kinds   string
		failure bool
	}{
		{"good", []string{good}, "", false},
		{"nothing", nil, "no_record", true},
		{"two", []string{good, good}, "several_records", true},
		{"wildcard", []string{good, "v=spf1 -all"}, "wildcard_txt", false},
		{"only a wildcard", []string{"v=spf1 -all"}, "wildcard_txt no_record", true},
		{"case", []string{"v=bimi1; l=https://example.com/a.svg"}, "version no_record", true},
		{"order", []string{"l=https://example.com/a.svg; v=BIMI1"}, "version no_record", true},
		{"blanks in the version", []string{"v = BIMI1 ;l=https://example.com/a.svg;a=https://example.com/a.pem;"}, "", false},
		{"no semicolon", []string{"v=BIMI1 l=https://example.com/a.svg"}, "version no_record", true},
		{"another version", []string{"v=BIMI12; l=https://example.com/a.svg"}, "version no_record", true},
		{"quotes", []string{`"` + good + `"`}, "quotes no_record", true},
		{"escaped", []string{`v=BIMI1; l=https://example.com/a.svg\; a=`}, "location", true},
		{"declined", []string{"v=BIMI1; l=;"}, "declined", false},
		{"no evidence", []string{"v=BIMI1; l=https://example.com/a.svg"}, "no_evidence", false},
		{"avp", []string{good + "; avp=Brand"}, "avp", false},
		{"lps", []string{good + "; lps=a,,b"}, "prefix", true},
		{"lps for all", []string{good + "; lps="}, "lps_all", false},
		{"port", []string{"v=BIMI1; l=https://example.com:8443/a.svg; a=https://example.com/a.pem"}, "port", true},
	} {
		t.Run("S1 "+tt.name, func(t *testing.T) {
			var kinds []string
			failure := false
			for _, f := range Lint(tt.texts) {
				kinds = append(kinds, f.Kind)
				failure = failure || f.Failure
				require.NotEmpty(t, f.String())
			}
			require.Equal(t, tt.kinds, strings.Join(kinds, " "))
			require.Equal(t, tt.failure, failure)
		})
	}
}

// TestStrings: the record builder refuses what a receiver would not read, and cuts
// the rest into strings that a zone can hold.
func TestStrings(t *testing.T) {
	r := Record{Location: "https://example.com/" + strings.Repeat("a", 300) + ".svg", Evidence: "https://example.com/a.pem", Prefixes: []string{"a", "b"}, Preference: Personal}
	list, err := r.Strings()
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Len(t, list[0], 255)
	back, err := ParseRecord(strings.Join(list, ""))
	require.NoError(t, err)
	require.Equal(t, r, back)
	for _, bad := range []Record{{}, {Location: "http://example.com/a.svg"}, {Location: "https://example.com/a.svg; a=https://evil.example/"}, {Evidence: "https://example.com/a.pem"}} {
		_, err := bad.Strings()
		require.Error(t, err)
	}
	list, err = Decline().Strings()
	require.NoError(t, err)
	require.Equal(t, []string{"v=BIMI1; l=; a="}, list)
}

// TestCheck has the items S2 to S5: one run, every receiver, in words.
func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name     string
		mark     string
		defects  []markcerttest.Defect
		change   func(w *world)
		shows    string // initials of the receivers that show it
		missing  string // what Apple misses
		findings string // kinds, all of them
	}{
		{"ready", "", nil, func(*world) {}, "AFGA", "", "svg svg content_type"},
		{"common mark", "Prior Use Mark", nil, func(*world) {}, "AFG", "a mark certificate that is accepted: mark type not acceptable", "svg svg content_type"},
		{"no evidence", "", nil, func(w *world) { w.dns["default._bimi.example.com"] = "v=BIMI1; l=" + svgURL }, "AF",
			"a mark certificate (VMC or CMC), named in a= of the BIMI record", "no_evidence svg svg content_type"},
		{"no policy", "", nil, func(w *world) { w.dns["_dmarc.example.com"] = "v=DMARC1; p=none" }, "",
			"p=quarantine or p=reject, and no sp=none, in the DMARC records of the domain and of its organizational domain", "svg svg content_type"},
		{"no DMARC", "", nil, func(w *world) { delete(w.dns, "_dmarc.example.com") }, "", "a DMARC record; without one nothing can pass DMARC", "svg svg content_type"},
		{"pct", "", nil, func(w *world) { w.dns["_dmarc.example.com"] = "v=DMARC1; p=reject; pct=50" }, "AFA", "", "svg svg content_type"},
		{"sp", "", nil, func(w *world) { w.dns["_dmarc.example.com"] = "v=DMARC1; p=reject; sp=none" }, "",
			"p=quarantine or p=reject, and no sp=none, in the DMARC records of the domain and of its organizational domain", "svg svg content_type"},
		{"t", "", nil, func(w *world) { w.dns["_dmarc.example.com"] = "v=DMARC1; p=reject; t=y" }, "", "a DMARC policy that is in force: take away t=y", "svg svg content_type"},
		{"quarantine, pct", "", nil, func(w *world) { w.dns["_dmarc.example.com"] = "v=DMARC1; p=quarantine; pct=50" }, "",
			"a DMARC policy for all messages: take away pct, or set pct=100", "svg svg content_type"},
		{"alias", "", nil, func(w *world) {
			w.dns["bimi.example.net"] = w.dns["default._bimi.example.com"]
			w.dns["default._bimi.example.com"] = "cname bimi.example.net"
		}, "AFGA", "", "alias svg svg content_type"},
		{"no record", "", nil, func(w *world) { delete(w.dns, "default._bimi.example.com") }, "", "a BIMI record", "no_record"},
		{"hosting", "", nil, func(w *world) { delete(w.web.files, pemURL) }, "", "a file that can be fetched by https from anywhere", "svg svg content_type hosting"},
		{"expired", "", []markcerttest.Defect{markcerttest.Expired}, func(*world) {}, "", "a mark certificate that is accepted: certificate has expired", "svg svg content_type certificate"},
		{"other image", "", nil, func(w *world) {
			w.web.files[svgURL] = []byte(strings.Replace(string(markcerttest.SVG()), "</title>", "!</title>", 1))
		}, "AFGA", "", "svg svg content_type different"},
	} {
		t.Run("S2 S3 S5 "+tt.name, func(t *testing.T) {
			w := newWorld(t, markcerttest.Spec{MarkType: tt.mark}, tt.defects...)
			tt.change(w)
			c := Checker{Resolver: records(t, w.dns), Fetcher: w.web, Now: clock, Certificates: w.v.Certificates}
			r, err := c.Check(context.Background(), "example.com", "")
			require.NoError(t, err)
			shows, missing := "", ""
			for _, x := range r.Receivers {
				require.Equal(t, x.Shows, x.Missing == "", x.Name)
				if x.Shows {
					shows += x.Name[:1]
				}
				missing = x.Missing
			}
			require.Equal(t, tt.shows, shows)
			require.Equal(t, tt.missing, missing)
			require.Equal(t, tt.shows != "", r.Ready())
			var kinds []string
			for _, f := range r.Findings {
				kinds = append(kinds, f.Kind)
			}
			require.Equal(t, tt.findings, strings.Join(kinds, " "), "%v", r.Findings)
			asked := map[string]int{}
			for _, u := range w.web.asked {
				asked[u]++
				require.Equal(t, 1, asked[u], u)
			}
		})
	}
	var c Checker
	_, err := c.Check(context.Background(), "a..b", "")
	require.ErrorIs(t, err, ErrAuthor)
	_, err = c.Check(context.Background(), "example.com", "a_b")
	require.ErrorIs(t, err, ErrSelectorName)
}

// TestCheckMessage is the part of item S2 that only a message shows.
func TestCheckMessage(t *testing.T) {
	const field = "BIMI-Selector: v=BIMI1; s=brand\r\n"
	for _, tt := range []struct {
		name, header string
		sig          Signature
		change       func(*Message)
		selector     string
		shows        string
		finding      string
		missing      string // what Gmail misses
	}{
		{"good", field, signed(0), nil, "brand", "AFGA", "", ""},
		{"no selector", "", signed(), nil, "default", "AFGA", "", ""},
		{"selector not signed", field, signed(1), nil, "default", "AFGA", "warning: BIMI-Selector field not signed (fix: name BIMI-Selector in h= of the domain's own DKIM signature)", ""},
		{"selector malformed", "BIMI-Selector: brand\r\n", signed(0), nil, "default", "AFGA",
			"warning: malformed BIMI-Selector field (fix: write BIMI-Selector: v=BIMI1; s=default with the selector in its place, or leave the field away)", ""},
		{"two selectors", field + field, signed(0, 1), nil, "default", "", "failure: more than one BIMI-Selector field (fix: write the field once)", "a single BIMI-Selector field"},
		{"DMARC failed", "", signed(), func(m *Message) { m.DMARC.Status = authres.Fail }, "default", "", "", "a pass of DMARC: sign the message with the author's domain"},
		{"SPF only", "", signed(), spfOnly, "default", "AF", "", "a DKIM signature of the domain itself or of its organization"},
		{"testing key", "", signed(), func(m *Message) { m.Signatures[0].Testing = true }, "default", "", "", "a DKIM signature of the domain that covers the whole message, with a key that is not in test mode"},
	} {
		t.Run("S2 "+tt.name, func(t *testing.T) {
			w := newWorld(t, markcerttest.Spec{})
			w.dns["brand._bimi.example.com"] = w.dns["default._bimi.example.com"]
			m := mail(t, w.dns, "example.com", tt.header, tt.sig)
			if tt.change != nil {
				tt.change(m)
			}
			c := Checker{Resolver: records(t, w.dns), Fetcher: w.web, Now: clock, Certificates: w.v.Certificates}
			r, err := c.CheckMessage(context.Background(), m)
			require.NoError(t, err)
			require.Equal(t, tt.selector, r.Selector)
			shows, finding := "", ""
			for _, x := range r.Receivers {
				if x.Shows {
					shows += x.Name[:1]
				}
			}
			for _, f := range r.Findings {
				if f.Kind == "selector" {
					finding = f.String()
				}
			}
			require.Equal(t, tt.shows, shows)
			require.Equal(t, tt.finding, finding)
			require.Equal(t, tt.missing, r.Receivers[2].Missing)
		})
	}
	_, err := new(Checker).CheckMessage(context.Background(), &Message{})
	require.ErrorIs(t, err, ErrAuthor)
}
