package aggregate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dmarc/aggregate"
)

// TestVariations has other reports of the classes of TestThreats, row/variation: a
// good one with something replaced, and the error, or what the reader remarks.
func TestVariations(t *testing.T) {
	const report = `<?xml version="1.0"?><feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0"><version>1.0</version><report_metadata><org_name>Example</org_name><email>a@b.example</email><report_id>r1</report_id><date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata><policy_published><domain>example.com</domain><p>reject</p></policy_published><record><row><source_ip>192.0.2.1</source_ip><count>1</count><policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>example.com</header_from></identifiers><auth_results/></record></feedback>`
	warningsOf := func(r aggregate.Report) string {
		var out []string
		for _, w := range r.Warnings {
			out = append(out, fmt.Sprint(w))
		}
		return strings.Join(out, ", ")
	}
	for _, c := range []struct {
		id, old, to string
		err         error
		warnings    string
	}{
		{"REP-04/empty", "<?xml version=\"1.0\"?><feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\"><version>1.0</version><report_metadata><org_name>Example</org_name><email>a@b.example</email><report_id>r1</report_id><date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata><policy_published><domain>example.com</domain><p>reject</p></policy_published><record><row><source_ip>192.0.2.1</source_ip><count>1</count><policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>example.com</header_from></identifiers><auth_results/></record></feedback>", "", aggregate.ErrNoReport, ""},
		{"REP-04/bom", "<?", "\ufeff<?", nil, ""},
		{"REP-04/doctype", "?><", "?><!DOCTYPE feedback SYSTEM \"http://x/y\"><", aggregate.ErrXML, ""},
		{"REP-04/entity", "?><", "?><!DOCTYPE f [<!ENTITY a \"b\">]><", aggregate.ErrXML, ""},
		{"REP-04/entity-use", "Example", "&a;", aggregate.ErrXML, ""},
		{"REP-04/pi", "?><", "?><?x y?><", nil, ""},
		{"REP-04/two-roots", "k>", "k><?xml version=\"1.0\"?><feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\"><version>1.0</version><report_metadata><org_name>Example</org_name><email>a@b.example</email><report_id>r1</report_id><date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata><policy_published><domain>example.com</domain><p>reject</p></policy_published><record><row><source_ip>192.0.2.1</source_ip><count>1</count><policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>example.com</header_from></identifiers><auth_results/></record></feedback>", aggregate.ErrXML, ""},
		{"REP-04/text-after", "k>", "k>x", aggregate.ErrXML, ""},
		{"REP-04/comment", "\"><", "\"><!-- x --><", nil, ""},
		{"REP-04/comment-hyphens", "\"><", "\"><!-- a -- b --><", aggregate.ErrXML, ""},
		{"REP-04/comment-third-hyphen", "\"><", "\"><!-- a ---><", aggregate.ErrXML, ""},
		{"REP-04/late-declaration", "sion><", "sion><?xml version=\"1.0\"?><", aggregate.ErrXML, ""},
		{"REP-04/second-declaration", "?><", "?><?XML version=\"1.0\"?><", aggregate.ErrXML, ""},
		{"REP-04/pi-without-name", "?><", "?><? x?><", aggregate.ErrXML, ""},
		{"REP-04/pi-name-ends", "?><", "?><?x&y?><", aggregate.ErrXML, ""},
		{"REP-04/pi-short", "?><", "?><?x?><", nil, ""},
		{"REP-04/declaration-without-version", "version=\"1.0\"", "encoding=\"utf-8\"", aggregate.ErrXML, ""},
		{"REP-04/declaration-order", "version=\"1.0\"", "encoding=\"utf-8\" version=\"1.0\"", aggregate.ErrXML, ""},
		{"REP-04/version-twice", "version=\"1.0\"", "version=\"1.0\" version=\"1.0\"", aggregate.ErrXML, ""},
		{"REP-04/attribute-prefix-undeclared", "<row", "<row x:y=\"1\"", aggregate.ErrXML, ""},
		{"REP-04/attribute-prefix-behind", "<row", "<row x:y=\"1\" xmlns:x=\"urn:x\" xml:lang=\"en\"", nil, ""},
		{"REP-04/dup-version", "sion><", "sion><version>2.0</version><", aggregate.ErrDuplicate, ""},
		{"REP-04/dup-p", "/p><", "/p><p>none</p><", aggregate.ErrDuplicate, ""},
		{"REP-04/dup-ip", "ip><", "ip><source_ip>192.0.2.2</source_ip><", aggregate.ErrDuplicate, ""},
		{"REP-04/dup-count", "t><", "t><count>5</count><", aggregate.ErrDuplicate, ""},
		{"REP-04/dup-meta", "/report_metadata><", "/report_metadata><report_metadata><org_name>x</org_name></report_metadata><", aggregate.ErrDuplicate, ""},
		{"REP-04/dup-begin", "gin><", "gin><begin>5</begin><", aggregate.ErrDuplicate, ""},
		{"REP-04/dup-hf", "om><", "om><header_from>evil.example</header_from><", aggregate.ErrDuplicate, ""},
		{"REP-04/dup-domain", "ain><", "ain><domain>x.example</domain><", aggregate.ErrDuplicate, ""},
		{"REP-05/count-neg", "<count>", "<count>-", aggregate.ErrCount, ""},
		{"REP-05/count-big", "t>1", "t>1000000000000000000000000000000", aggregate.ErrCount, ""},
		{"REP-05/count-plus", "t>1", "t>+5", nil, "bad_number: count"},
		{"REP-05/count-hex", "t>1", "t>0x5", aggregate.ErrCount, ""},
		{"REP-05/count-empty", "t>1", "t>", aggregate.ErrCount, ""},
		{"REP-05/count-float", "t>1", "t>1.5", aggregate.ErrCount, ""},
		{"REP-05/count-2^63", "t>1", "t>9223372036854775808", aggregate.ErrCount, ""},
		{"REP-05/count-0", "t>1", "t>0", nil, "bad_number: count"},
		{"REP-06/ip-zone", "192.0.2.1", "fe80::1%eth0", aggregate.ErrSourceIP, ""},
		{"REP-06/ip-cidr", ".1", ".1/24", aggregate.ErrSourceIP, ""},
		{"REP-06/ip-text", "192.0.2.1", "localhost", aggregate.ErrSourceIP, ""},
		{"REP-06/ip-mapped", "192.0.2.1", "::ffff:1.2.3.4", nil, "mapped_ip: source_ip"},
		{"REP-06/ip-octal", "0.", "0.0", aggregate.ErrSourceIP, ""},
		{"REP-06/ip-short", "0.2.1", "2", aggregate.ErrSourceIP, ""},
		{"REP-06/ip-brackets", "192.0.2.1", "[2001:db8::1]", aggregate.ErrSourceIP, ""},
		{"REP-06/ip-port", ".1", ".1:25", aggregate.ErrSourceIP, ""},
		{"REP-06/ip-space", "192.0.2.1", " 192.0.2.1 ", nil, ""},
		{"REP-05/end-before", "700086399", "600000000", nil, "bad_time: date_range"},
		{"REP-05/begin-neg", "1700000000", "-1", nil, "bad_time: begin"},
		{"REP-05/begin-ms", "</begin><end>1700086399", "000</begin><end>1700086399000", nil, "bad_time: begin, bad_time: end"},
		{"REP-05/begin-big", "1700000000", "999999999999999999999999999999", nil, "bad_time: begin"},
		{"REP-04/no-policy", "policy_published><domain>example.com</domain><p>reject</p></policy_published><", "", nil, "missing_element: policy_published"},
		{"REP-04/no-records", "record><row><source_ip>192.0.2.1</source_ip><count>1</count><policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>example.com</header_from></identifiers><auth_results/></record><", "", nil, "no_records"},
		{"REP-04/no-meta", "report_metadata><org_name>Example</org_name><email>a@b.example</email><report_id>r1</report_id><date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata><", "", nil, "missing_element: report_metadata"},
		{"REP-04/foreign-root", "eedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\"><version>1.0</version><report_metadata><org_name>Example</org_name><email>a@b.example</email><report_id>r1</report_id><date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata><policy_published><domain>example.com</domain><p>reject</p></policy_published><record><row><source_ip>192.0.2.1</source_ip><count>1</count><policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>example.com</header_from></identifiers><auth_results/></record></feedback", "oo xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\"><version>1.0</version><report_metadata><org_name>Example</org_name><email>a@b.example</email><report_id>r1</report_id><date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata><policy_published><domain>example.com</domain><p>reject</p></policy_published><record><row><source_ip>192.0.2.1</source_ip><count>1</count><policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>example.com</header_from></identifiers><auth_results/></record></foo", aggregate.ErrNoReport, ""},
		{"REP-04/foreign-ns", "ietf:params:xml:ns:dmarc-2.0", "x", nil, "namespace, missing_element: sp, missing_element: pct, missing_element: fo, missing_element: envelope_from, missing_element: spf"},
		{"REP-04/no-ns", " xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\"", "", nil, "namespace, missing_element: sp, missing_element: pct, missing_element: fo, missing_element: envelope_from, missing_element: spf"},
		{"REP-07/hf-nul", "m>exa", "m>exa&#0;", aggregate.ErrXML, ""},
		{"REP-07/hf-ctl", "m>exa", "m>exa\x01", aggregate.ErrXML, ""},
		{"REP-07/hf-crlf", "m>example.com", "m>example.com&#13;&#10;X: y", nil, ""},
		{"REP-04/disp-junk", "non", "explod", nil, "unknown_value: disposition"},
		{"REP-04/cdata", "Example", "<![CDATA[x]]>", nil, ""},
		{"REP-04/unclosed", "</feedback>", "", aggregate.ErrXML, ""},
		{"REP-04/mismatch", "/row", "/rox", aggregate.ErrXML, ""},
		{"REP-04/invalid-utf8", "Example", "\xff", aggregate.ErrXML, ""},
		{"REP-04/latin1", "1.0\"", "1.0\" encoding=\"ISO-8859-1\"", nil, ""},
	} {
		t.Run(c.id, func(t *testing.T) {
			r, err := read(aggregate.Parser{}, strings.Replace(report, c.old, c.to, 1))
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.warnings, warningsOf(r))
		})
	}
}
