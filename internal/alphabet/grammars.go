package alphabet

import "strings"

// What several grammars have in common: domains of every kind, octets that have
// no place in any of them.
var (
	domains = []string{"bank.example", "attack.example", "mail.bank.example", "co.uk", "b\u00fccher.example", "xn--bcher-kva.example", "_x.example",
		"a..b", "192.0.2.1", "[192.0.2.1]", "localhost", strings.Repeat("a", 63), strings.Repeat("a.", 100)}
	strange = []string{"\x00", "\r", "\n", "\r\n", "\r\n ", "\x7f", "\xff", "\xc2\xa0", "\u200b", "\u3002", "\u202e", "\x1b"}
	numbers = []string{"0", "1", "01", "-1", "128", "4294967296", "9223372036854775807", "99999999999999999999", "1700000000"}
)

func join(lists ...[]string) (out Alphabet) {
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

// TagList is that of RFC 6376, section 3.2, with what DKIM-Signature and the ARC fields say in it.
func TagList() Alphabet {
	return join(characters("; =:/|@.,-_+\"\\%\tabfhisx"), strange, numbers, domains, []string{
		"v=1", "a=rsa-sha256", "a=ed25519-sha256", "a=rsa-sha1", "c=", "relaxed", "simple", "d=", "s=", "sel", "h=", "from", "From", "to", "subject",
		"dkim-signature", "arc-seal", "bh=", "b=", "i=", "l=", "t=", "x=", "q=dns/txt", "z=", "cv=none", "cv=pass", "cv=fail", "xb=", "zz=1",
		strings.Repeat("A", 43) + "=", strings.Repeat("A", 342) + "==", "AAAA", "dns/", "email", "%{d}",
	})
}

// KeyRecord is the record of RFC 6376, section 3.6.1; keys are the values of p=
// that the target knows.
func KeyRecord(keys ...string) Alphabet {
	return join(characters("; =:*-_ \tapnx!"), strange, keys, []string{
		"v=DKIM1", "v=DKIM2", "v=dkim1", "v=spf1 ", "k=", "rsa", "ed25519", "dsa", "p=", "h=", "sha1", "sha256", "s=", "email", "*", "tlsrpt", "t=", "y", "n=", "g=",
		"AAAA", "AQAB", "MIGfMA0GCSqGSIb3DQEBAQUAA4", strings.Repeat("A", 43) + "=",
	})
}

// Header is header fields and what signs and reads them (RFC 5322, section 2.2).
func Header() Alphabet {
	return join(characters(" \t:;=<>@\"(),.ab-"), strange, []string{
		"\r\n\r\n", "\r\n\t", "From", "from", "To", "Subject", "Date", "Sender", "Received", "Content-Type", "DKIM-Signature", "ARC-Seal", "ARC-Message-Signature",
		"ARC-Authentication-Results", "Authentication-Results", "BIMI-Selector", "X-A", "Fr\u043em", "From : ", "\r\nFrom: ", "\r\nSubject: ", "\r\nDKIM-Signature: ",
		"\r\nTo : ", "\ufeff", "a@bank.example", "<ceo@bank.example>", "<a@attack.example>", "v=1; a=rsa-sha256; c=simple; l=3;", "i=1; a=rsa-sha256;",
		"v=BIMI1; s=x;", strings.Repeat("x", 990), strings.Repeat("\r\n y", 40), "multipart/mixed; boundary=b", "--b", "\u00fc", "=20", "mx.victim.example; dkim=pass",
	})
}

// Body is a message body to canonicalization (RFC 6376, section 3.4).
func Body() Alphabet {
	return append(characters("\r\n \ta\x00"), "\r\n", "\r\n\r\n", " \r\n", "  \t ", "word", "\n.", "..x\r\n", "--b\r\n", "\xff", "\x7f", "\x1f", "\u00e9",
		strings.Repeat("base64Base64+/==", 4)+"\r\n", strings.Repeat("\r\n", 20), strings.Repeat(" ", 70), strings.Repeat("x", 998))
}

// From is the field of RFC 5322, section 3.6.2.
func From() Alphabet {
	return join(characters(" \t,:;<>()[]@.\"\\ab'%!=?_"), strange, domains, []string{
		"ceo@bank.example", "a@attack.example", "<ceo@bank.example>", "\"a\"", "\\\"", "=?utf-8?B?Y2VvQGJhbmsuZXhhbXBsZQ==?=", "=?utf-8?Q?a=40b=2Eexample?=", "=?utf-8?Q?=00?=",
		"@bank.example:", "Bank", "Undisclosed:", "((((((((", "))))))))", strings.Repeat("(", 16), strings.Repeat(")", 16), strings.Repeat("a", 64), ",,", ".@", "@.",
	})
}

// SPF is the record of RFC 7208, section 12.
func SPF() Alphabet {
	return join(characters(" :/=+-~?%.{}_aldx\t"), strange, numbers, domains, []string{
		"v=spf1", "v=spf10", " all", " -all", " include:", " a", " mx", " ptr", " ip4:", " ip6:", " exists:", " redirect=", " exp=", " foo=", "192.0.2.0", "192.0.02.9",
		"::ffff:192.0.2.9", "2001:db8::", "fe80::1%eth0", "/24", "/0", "/33", "//64", "//129", "/024", "%{d}", "%{ir}.%{v}", "%{l1r-}", "%{d0}", "%{p}", "%{s}", "%{C}", "%%", "%_", "%-",
		"v.example", "museum", ".com", "A", "INCLUDE:", strings.Repeat(" a", 60),
	})
}

// Macro is the macro-string of RFC 7208, section 7.1.
func Macro() Alphabet {
	return join(characters("%{}.-+,/_= rRsSlLoOdDiIpPvVhHcCtT0129xa\""), []string{
		"%{", "%{d}", "%{d2}", "%{dr}", "%{ir}.%{v}._spf.", "%{l-}", "%{L}", "%{S}", "%{p}", "%{h}", "%{d128r.-+,/_=}", "%{d129}", "%{d0}", "%%", "%_", "%-",
		"99999999999999999999", strings.Repeat("a", 63) + ".", strings.Repeat("%{i}.", 20), "\x80", "\xff", "\r\n", "\x00",
	})
}

// Results is the field of RFC 8601, section 2.2.
func Results() Alphabet {
	return join(characters(" \t;=/.@\"\\()<>,:'?ab1"), strange, domains, []string{
		"mx", "mx.victim.example", " 1", " 2", "; none", "; ", "spf=", "dkim=", "dmarc=", "arc=", "pass", "fail", "PASS", "reason=", "\"x\"", "\"", "\\\"", "(c)", " header.d=", " header.from=",
		" header.i=", " header.b=", " smtp.mailfrom=", " smtp.helo=", " policy.", "action=none", "dkim/1=", "dkim/9=", "i=1; ", "compauth=", " (sender IP is 192.0.2.1)",
		"x@attack.example", "\u00fc", "gr\xfcn", strings.Repeat("x", 300), strings.Repeat("(", 17), strings.Repeat("; a=b", 20), "dkim=pass header.d=bank.example",
	})
}

// DMARC is the record of RFC 9989, section 4.8, and the one of BIMI, which resembles it.
func DMARC() Alphabet {
	return join(characters("; =:,!/.@%-x0"), strange, numbers, []string{
		"v=DMARC1", "v=DMARC1;", "v=dmarc1;", "v=BIMI1;", " p=", " sp=", " np=", "none", "quarantine", "reject", "Reject", "junk", " adkim=", " aspf=", "r", "s", " t=", "y", "n", " psd=", "u", " fo=", "1:d:s",
		" pct=", " rf=afrf", " ri=86400", " rua=", " ruf=", "mailto:", "MAILTO:", "a@bank.example", "https://x.example/", "!10m", "%0d%0a", "?bcc=b@y", "%2c", "%21", "%40", " l=", " a=", " s=", " avp=brand",
		"https://bank.example/i.svg", "https://u:p@h/", "\u00a0",
	})
}

// SVG is the image of SVG Tiny PS.
func SVG() Alphabet {
	return join(characters("<>/ \"'=#&;:.ab0-\n"), []string{end, end, end,
		`<svg xmlns="http://www.w3.org/2000/svg" version="1.2" baseProfile="tiny-ps" viewBox="0 0 100 100">`, "<title>", "Bank", "<desc>", `<path d="M0 0h10v10z">`, `<g fill="url(#a)">`,
		`<g>`, `<rect width="1" height="1"/>`, `<linearGradient id="a">`, `<stop offset="0"/>`, `<use xlink:href="#a"/>`, `<use xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="#a"/>`, `<use href="data:x"/>`,
		`<script>`, `<s:script xmlns:s="http://www.w3.org/2000/svg">`, `<a href="javascript:x">`, `<image/>`, `<style>`, `@import "x"`, `<foreignObject>`, `<text>`, `<textArea>`, `<metadata>`, `<x:y xmlns:x="urn:x">`,
		`<rect onload="x"/>`, `<rect style="fill:url(http://x)"/>`, `<g xml:base="x">`, "<![CDATA[", "]]>", "<!-- ", " -->", "<?xml version=\"1.0\"?>", "<?x y?>", "<!DOCTYPE svg>", "<!DOCTYPE svg [<!ENTITY a 'b'>]>", "&#65;", "&#0;", "&a;", "&lt;", "&amp;",
		"\ufeff", "\x00", "\xff", "\xff\xfe", "\x1f\x8b", `<solidColor solid-color="red"/>`, `<svg>`, `<title/>`, `<g x="`, `">`, "<g><g><g><g><g><g><g><g>", `http://www.w3.org/2000/svg`, `xmlns=""`, ` x="0"`, `<text x="1">t</text>`,
	})
}

// Report is the aggregate report of RFC 9990, appendix A.
func Report() Alphabet {
	return join(characters("<>/ \"'=&;:.-0a\n"), numbers, []string{end, end, end,
		`<?xml version="1.0"?>`, `<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">`, "<feedback>", "<version>", "1.0", "<report_metadata>", "<org_name>", "<email>", "a@b.example", "<extra_contact_info>", "<report_id>", "<date_range>",
		"<begin>", "<end>", "<error>", "<generator>", "<policy_published>", "<domain>", "bank.example", "<p>", "<sp>", "<np>", "<adkim>", "<aspf>", "<fo>", "<testing>", "<discovery_method>", "none", "reject", "treewalk", "pass", "fail",
		"<record>", "<row>", "<source_ip>", "192.0.2.1", "::ffff:192.0.2.1", "fe80::1%eth0", "192.0.2.1/24", "<count>", "<policy_evaluated>", "<disposition>", "<dkim>", "<spf>", "<reason>", "<type>", "forwarded", "<comment>",
		"<identifiers>", "<header_from>", "<envelope_from>", "<envelope_to>", "<auth_results>", "<selector>", "<result>", "<human_result>", "<scope>", "mfrom", "<extension>", `<x:y xmlns:x="urn:x">`,
		"<report_metadata><org_name>x</org_name><email>a@b.example</email><report_id>r</report_id><date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata>",
		"<policy_published><domain>bank.example</domain><p>none</p></policy_published>",
		"<record><row><source_ip>192.0.2.1</source_ip><count>1</count><policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers><header_from>bank.example</header_from></identifiers><auth_results/></record>",
		"<!-- x -->", "<![CDATA[x]]>", "&#65;", "&lt;", "&x;", "<!DOCTYPE feedback [<!ENTITY a 'b'>]>", "=cmd|' /C calc'!A0", "\x1b[2J", "\u202e", "\x00", "\xff", "\ufffe", strings.Repeat("x", 4000), "<d><d><d><d><d><d><d><d>",
	})
}

// Mail is a message with parts (RFC 2045, RFC 2046), as reports are sent in.
func Mail() Alphabet {
	return join(characters(" :;=\"-/@.\tab<>()"), strange, []string{
		"\r\n\r\n", "MIME-Version: 1.0\r\n", "Content-Type: ", "multipart/mixed", "multipart/report; report-type=feedback-report", "; boundary=", "b", "--b", "--b--", "--", "\r\n--b\r\n", "\r\n--b--\r\n", "text/xml", "application/gzip",
		"application/zip", "text/plain", "message/rfc822", "message/feedback-report", "; name=r.xml", "Content-Transfer-Encoding: ", "base64", "quoted-printable", "7bit", "8bit", "=3C", "=\r\n", "PD94bWw=", "H4sI",
		"From: a@b.example\r\n", "To: c@d.example\r\n", "Subject: Report Domain: bank.example Submitter: b.example Report-ID: <r>\r\n", "Feedback-Type: ", "auth-failure\r\n", "Version: 1\r\n", "User-Agent: x/1\r\n",
		"Source-IP: ", "192.0.2.1\r\n", "Auth-Failure: ", "dmarc\r\n", "Identity-Alignment: ", "none\r\n", "Arrival-Date: ", "Sat, 21 Nov 2026 10:00:00 +0000\r\n", "Reported-Domain: ", "bank.example\r\n", "DKIM-Domain: ",
		"Original-Mail-From: ", "Authentication-Results: mx; dmarc=fail\r\n", "SPF-DNS: txt : bank.example : v=spf1\r\n", "Delivery-Result: ", "Incidents: ",
	})
}

// Domain is names and what people put into them.
func Domain() Alphabet {
	return join(characters("abz09.-_ @%*\\#:"), strange, domains, []string{
		"xn--", "xn--a", "--", "\u00df", "\u1e9e", "\u03c2", "\u0130", "\u0131", "\u212a", "\u017f", "\u00e4", "a\u0308", "\u0308", "\u05d0", "\u0661", "\u200c", "\u200d", "\u00ad", "\u2024", "\uff0e", "\uff61", "\uff41", "\U0001f600",
		"EXAMPLE", "com", "example", "uk", "github.io", "kobe.jp", strings.Repeat("b", 62), strings.Repeat("\u00e4", 20),
	})
}
