package dkim

import (
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
)

// TestVariations has other inputs of the classes of TestThreats: row/variation.
func TestVariations(t *testing.T) {
	kb := sigtest.RSA(t, "rsa2048")
	ed := sigtest.Ed25519()
	rec := sigtest.Record(kb)
	_, material, _ := strings.Cut(rec, "p=")
	list := func(id, tags string) matrix { return matrix{id: id, tags: tags, status: PermError, err: ErrTagList} }
	body := "Dear customer,\r\n\r\nyour statement is ready.\r\n"
	// encoded is a point as a key record has it.
	encoded := func(first byte, middle byte, last byte) string {
		p := append([]byte{first}, []byte(strings.Repeat(string([]byte{middle}), 30)+string([]byte{last}))...)
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(p)
	}
	edTags := with(t0, "a=ed25519-sha256")
	zeros := base64.StdEncoding.EncodeToString(append([]byte{1}, make([]byte, 63)...))
	unsafeKey := func(id, record string) matrix {
		return matrix{id: id, text: "DKIM-Signature: " + strings.NewReplacer("{bh}", bodyHash(), "{b}", zeros).Replace(edTags) + "\r\n" + b0,
			zone: keyIs(record), status: PermError, err: ErrKeyUnsafe, asks: 1}
	}
	runMatrix(t, []matrix{
		// Versions and lists.
		permanent("DKS-01/plus", ErrVersion, "v=+1"),
		permanent("DKS-01/hex", ErrVersion, "v=0x1"),
		permanent("DKS-01/two", ErrVersion, "v=1 1"),
		permanent("DKS-01/comma", ErrVersion, "v=1,"),
		permanent("DKS-01/fullwidth", ErrVersion, "v=\uff11"),
		permanent("DKS-01/DKIM1", ErrVersion, "v=DKIM1"),
		{id: "DKS-01/last", tags: strings.TrimPrefix(t0, "v=1; ") + "; v=1", status: Pass, asks: 1},
		list("DKS-02/b", t0+"; b=AAAA"),
		list("DKS-02/bh", t0+"; bh=AAAA"),
		list("DKS-02/same value", t0+"; s=sel"),
		list("DKS-02/folded name", t0+"; s\r\n =sel"),
		list("DKS-02/empty twice", t0+"; q1=; q1="),
		{id: "DKS-02/other case", tags: "V=2; " + t0, status: Pass, asks: 1},
		{id: "DKS-03/B", tags: strings.Replace(t0, "b={b}", "B={b}", 1), status: PermError, err: ErrMissingTag},
		{id: "DKS-03/H", tags: strings.Replace(t0, "h=from", "H=from", 1), status: PermError, err: ErrMissingTag},
		{id: "DKS-03/BH", tags: strings.Replace(t0, "bh=", "Bh=", 1), status: PermError, err: ErrMissingTag},
		permanent("DKS-03/no s", ErrMissingTag, "-s"),
		permanent("DKS-03/no h", ErrMissingTag, "-h"),
		permanent("DKS-04/space", ErrAlgorithm, "a=rsa -sha256"),
		permanent("DKS-04/sha512", ErrAlgorithm, "a=rsa-sha512"),
		permanent("DKS-04/ecdsa", ErrAlgorithm, "a=ecdsa-sha256"),
		permanent("DKS-04/two", ErrAlgorithm, "a=rsa-sha256:ed25519-sha256"),
		permanent("DKS-04/ed25519 alone", ErrAlgorithm, "a=ed25519"),
		permanent("DKS-04/ed25519-sha1", ErrAlgorithm, "a=ed25519-sha1"),
		list("DKS-04/NUL", with(t0, "a=rsa-sha256\x00")),
		permanent("DKS-04/soft hyphen", ErrAlgorithm, "a=rsa\u00adsha256"),
		good("DKS-05/bb", "bb=foo"),
		good("DKS-05/b2", "b2=foo"),
		good("DKS-05/b_", "b_=foo"),
		{id: "DKS-05/after", tags: t0 + "; xb=foo; b9=bar", status: Pass, asks: 1},
		good("DKS-06/x=b=y", "x1=b=y"),
		{id: "DKS-07/tab", tags: strings.Replace(t0, "b={b}", "\tb\t=\t{b}", 1), status: Pass, asks: 1},
		{id: "DKS-07/in the middle", tags: strings.Replace(t0, "d=bank", "b={b}; d=bank", 1)[:len(t0)-len("; b={b}")+len("b={b}; ")], status: Pass, asks: 1},
		list("DKS-07/bare LF", strings.Replace(t0, "; s=sel", ";\n s=sel", 1)),
		list("DKS-07/bare CR", strings.Replace(t0, "; s=sel", ";\r s=sel", 1)),
		list("DKS-10/no equals", strings.Replace(t0, "; s=sel", "; foo; s=sel", 1)),
		list("DKS-10/comma", strings.Replace(t0, "; s=sel", ", s=sel", 1)+"=x;;"),
		list("DKS-10/two at the end", t0+";;"),
		list("DKS-10/space between", strings.Replace(t0, "; c=", "; ; c=", 1)),
		list("DKS-10/no name", strings.Replace(t0, "; c=", "; =x; c=", 1)),
		list("DKS-10/digit first", strings.Replace(t0, "; c=", "; 1a=x; c=", 1)),
		list("DKS-10/hyphen", strings.Replace(t0, "; c=", "; a-b=x; c=", 1)),
		list("DKS-10/name with space", strings.Replace(t0, "; c=", "; a b=x; c=", 1)),
		{id: "DKS-10/fullwidth", tags: strings.Replace(t0, "; c=", "\uff1b c=", 1), status: PermError, err: ErrAlgorithm},
		permanent("DKS-12/sender", ErrFromNotSigned, "h=sender:to"),
		permanent("DKS-12/resent", ErrFromNotSigned, "h=resent-from:to"),
		permanent("DKS-12/prefix", ErrFromNotSigned, "h=fromx:xfrom"),
		good("DKS-12/caps", "h=FROM"),
		good("DKS-12/spaces", "h= to : from "),
		good("DKS-12/folded", "h=to:\r\n from"),
		permanent("DKS-12/semicolon name", ErrHeaderNames, "h=from:"),
		permanent("DKS-12/leading colon", ErrHeaderNames, "h=:from"),
		permanent("DKS-12/split name", ErrHeaderNames, "h=fr\r\n om"),

		// l=, t=, x=, i=, q=, c=, b=, bh=.
		{id: "DKS-14a/zero", tags: with(t0, "l=0"), edit: replace(body, "anything at all\r\n"), status: Policy, err: ErrBodyLength, asks: 1},
		{id: "DKS-14a/one more octet", tags: with(t0, "l=16"), edit: replace("ready.\r\n", "ready.\r\nx"), status: Policy, err: ErrBodyLength, asks: 1},
		permanent("DKS-14d/comma", ErrLength, "l=1,000"),
		permanent("DKS-14d/exponent", ErrLength, "l=1e3"),
		permanent("DKS-14d/2^64", ErrLength, "l=18446744073709551616"),
		{id: "DKS-14d/2^63-1", tags: with(t0, "l=9223372036854775807"), status: PermError, err: ErrBodyTooShort, asks: 1},
		permanent("DKS-14d/dot", ErrLength, "l=16.0"),
		permanent("DKS-15a/now", ErrExpired, "x=1"),
		permanent("DKS-15b/equal", ErrTime, "t=4000000000; x=4000000000"),
		permanent("DKS-15d/13 digits", ErrTime, "x=1000000000000"),
		permanent("DKS-15d/negative", ErrTime, "x=-1"),
		permanent("DKS-15d/t negative", ErrTime, "t=-1"),
		permanent("DKS-15d/empty", ErrTime, "x="),
		permanent("DKS-15d/letters", ErrTime, "x=never"),
		permanent("DKS-15d/t hex", ErrTime, "t=0x5f5e1000"),
		permanent("DKS-15d/t point", ErrTime, "t=1700000000.5"),
		permanent("DKS-16a/suffix", ErrDomainMismatch, "i=@xbank.example"),
		permanent("DKS-16a/parent", ErrDomainMismatch, "i=@example"),
		permanent("DKS-16a/sibling", ErrDomainMismatch, "i=@bank.example.attack.example"),
		good("DKS-16b/quoted-printable ignores white space", "i=@ba nk.example"), // RFC 6376, section 2.11
		good("DKS-16b/quoted-printable domain", "i=@bank=2Eexample"),
		permanent("DKS-16b/NUL", ErrIdentity, "i=a=00@bank.example"),
		permanent("DKS-16b/CRLF", ErrIdentity, "i=a=0D=0Ab@bank.example"),
		permanent("DKS-16b/lower hex", ErrIdentity, "i=a=2fb@bank.example"),
		permanent("DKS-16b/brackets", ErrIdentity, "i=<a@bank.example>"),
		permanent("DKS-16b/literal", ErrIdentity, "i=a@[192.0.2.1]"),
		permanent("DKS-16b/underscore", ErrIdentity, "i=a@_x.bank.example"),
		good("DKS-16b/subdomain", "i=a@x.y.bank.example"),
		permanent("DKS-17/txt", ErrQueryMethod, "q=txt"),
		permanent("DKS-17/slash", ErrQueryMethod, "q=dns/"),
		permanent("DKS-17/space", ErrQueryMethod, "q=dns /txt"),
		good("DKS-17/twice", "q=dns/txt:dns/txt"),
		permanent("DKS-18/slash first", ErrCanonicalization, "c=/relaxed"),
		permanent("DKS-18/empty", ErrCanonicalization, "c="),
		permanent("DKS-18/colon", ErrCanonicalization, "c=relaxed:relaxed"),
		permanent("DKS-18/nowsp", ErrCanonicalization, "c=nowsp"),
		permanent("DKS-18/body case", ErrCanonicalization, "c=relaxed/Simple"),
		permanent("DKS-18/space", ErrCanonicalization, "c=relaxed / relaxed"),
		permanent("DKS-19c/padding inside", ErrSignatureData, "b=AA==AAAA"),
		permanent("DKS-19c/URL alphabet", ErrSignatureData, "b=AA-_"+strings.Repeat("A", 340)),
		permanent("DKS-19c/quotes", ErrSignatureData, "b=\"AAAA\""),
		permanent("DKS-19d/not base64", ErrBodyHashData, "bh=!!!!"),
		permanent("DKS-19d/empty", ErrBodyHashData, "bh="),
		permanent("DKS-19d/31", ErrBodyHashData, bh(31)),
		permanent("DKS-19d/33", ErrBodyHashData, bh(33)),
		permanent("DKS-19d/sha1", ErrBodyHashData, bh(20)),
		{id: "DKS-20/tab", text: sigtest.Field(kb, "DKIM-Signature\t", t0, b0) + b0, status: Pass, asks: 1},
		{id: "DKS-20/mixed", edit: replace("DKIM-Signature:", "dKiM-SiGnAtUrE:"), status: Pass, asks: 1},

		// Names.
		permanent("DKD-03/at", ErrDomain, "d=a@bank.example"),
		permanent("DKD-03/IP", ErrDomain, "d=192.0.2.1"),
		permanent("DKD-03/literal", ErrDomain, "d=[192.0.2.1]"),
		permanent("DKD-03/numeric TLD", ErrDomain, "d=bank.1"),
		permanent("DKD-03/colon", ErrDomain, "d=bank.example:25"),
		permanent("DKD-03/slash", ErrDomain, "d=bank.example/x"),
		permanent("DKD-03/quote", ErrDomain, "d=\"bank.example\""),
		permanent("DKD-03/hyphen", ErrDomain, "d=-bank.example"),
		permanent("DKD-03/s hyphen", ErrSelector, "s=-sel"),
		permanent("DKD-03/s slash", ErrSelector, "s=a/b"),
		permanent("DKD-03/s space", ErrSelector, "s=a b"),
		permanent("DKD-03/s at", ErrSelector, "s=a@b"),
		permanent("DKD-03/s quote", ErrSelector, `s="sel"`),
		permanent("DKD-04/s two dots", ErrSelector, "s=a..b"),
		permanent("DKD-04/root", ErrDomain, "d=."),
		permanent("DKD-05/s trailing dot", ErrSelector, "s=sel.x."),
		permanent("DKD-06/tab", ErrDomain, "d=bank\t.example"),
		permanent("DKD-06/s", ErrSelector, "s=se\r\n l"),
		permanent("DKD-07/ideographic space", ErrDomain, "d=ba\u3000nk.example"),
		permanent("DKD-07/s NBSP", ErrSelector, "s=se\u00a0l"),
		permanent("DKD-08/soft hyphen", ErrDomain, "d=ba\u00adnk.example"),
		permanent("DKD-08/fullwidth stop", ErrDomain, "d=bank\uff0eexample"),
		permanent("DKD-08/word joiner", ErrDomain, "d=bank\u2060.example"),
		permanent("DKD-08/fullwidth letters", ErrDomain, "d=\uff42ank.example"),
		permanent("DKD-09/kelvin", ErrDomain, "d=ban\u212a.example"),
		permanent("DKD-09/invalid UTF-8", ErrDomain, "d=ba\xe4nk.example"),
		permanent("DKD-11/com.au", ErrPublicSuffix, "d=com.au"),
		permanent("DKD-11/wildcard rule", ErrPublicSuffix, "d=foo.kobe.jp"),
		permanent("DKD-12/label 64", ErrDomain, "d="+strings.Repeat("a", 64)+".example"),
		permanent("DKD-12/name 254", ErrDomain, "d="+strings.Repeat("a.", 124)+"example"),

		// Key records.
		{id: "DKK-17/DKIM10", zone: keyIs("v=DKIM10; p=" + material), status: PermError, err: ErrNoKey, asks: 1},
		{id: "DKK-17/empty", zone: keyIs("v=; p=" + material), status: PermError, err: ErrNoKey, asks: 1},
		{id: "DKK-17/quoted", zone: keyIs(`v="DKIM1"; p=` + material), status: PermError, err: ErrNoKey, asks: 1},
		{id: "DKK-18/P", zone: keyIs("v=DKIM1; P=" + material), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "DKK-18/revoked beside a key", zone: keyIs("v=DKIM1; p=", rec), status: PermError, err: ErrMultipleKeys, asks: 1},
		{id: "DKK-18/double semicolon", zone: keyIs("v=DKIM1;; p=" + material), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "DKK-19/CRLF SP", zone: keyIs("v=DKIM1; p=" + material[:40] + "\r\n " + material[40:]), status: Pass, asks: 1},
		{id: "DKK-19/bare LF", zone: keyIs("v=DKIM1; p=" + material[:40] + "\n" + material[40:]), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "DKK-19/URL alphabet", zone: keyIs("v=DKIM1; p=" + material[:40] + "-_" + material[42:]), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "DKK-19/padding inside", zone: keyIs("v=DKIM1; p=" + material[:40] + "=" + material[41:]), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "DKK-19/NBSP", zone: keyIs("v=DKIM1; p=" + material[:40] + "\u00a0" + material[40:]), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "DKK-19/quotes", zone: keyIs(`v=DKIM1; p="` + material + `"`), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "DKK-19/PEM", zone: keyIs("v=DKIM1; p=-----BEGIN PUBLIC KEY-----" + material), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "DKK-20/k", zone: keyIs("v=DKIM1; k=rsa; k=rsa; p=" + material), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "DKK-20/unknown", zone: keyIs("v=DKIM1; x=1; x=1; p=" + material), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "DKK-21/the same twice", zone: keyIs(rec, rec), status: PermError, err: ErrMultipleKeys, asks: 1},
		{id: "DKK-21/without v", zone: keyIs("p="+material, rec), status: PermError, err: ErrMultipleKeys, asks: 1},
		{id: "DKK-22/DMARC", zone: keyIs("v=DMARC1; p=reject", rec), status: Pass, asks: 1},
		{id: "DKK-09/ed key, rsa signature", tags: edTags, key: ed, status: PermError, err: ErrKeyType, asks: 1},
		{id: "DKK-10/empty k", zone: keyIs("v=DKIM1; k=; p=" + material), status: PermError, err: ErrKeySyntax, asks: 1},
		{id: "DKK-10/unknown k", zone: keyIs("v=DKIM1; k=ecdsa; p=" + material), status: PermError, err: ErrKeyType, asks: 1},
		unsafeKey("DKK-12/y=p", encoded(0xed, 0xff, 0x7f)),
		unsafeKey("DKK-12/y=p+1", encoded(0xee, 0xff, 0x7f)),
		unsafeKey("DKK-12/y=-1", encoded(0xec, 0xff, 0x7f)),
		unsafeKey("DKK-12/y=-1, sign", encoded(0xec, 0xff, 0xff)),
		unsafeKey("DKK-12/all ones", encoded(0xff, 0xff, 0xff)),
		unsafeKey("DKK-12/zero", encoded(0, 0, 0)),
		unsafeKey("DKK-12/zero, sign", encoded(0, 0, 0x80)),
		unsafeKey("DKK-12/one, sign", encoded(1, 0, 0x80)),
		{id: "DKK-12/33 octets", tags: edTags, key: ed, zone: keyIs("v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(append([]byte{0}, ed.Public().(ed25519.PublicKey)...))), status: PermError, err: ErrKeySyntax, asks: 1},

		// Coverage.
		{id: "DKC-01/below", edit: replace("To: <u@victim.example>\r\n", "To: <u@victim.example>\r\nFrom: <ceo@evil.example>\r\n"), status: Fail, err: ErrSignature, asks: 1},
		{id: "DKC-02/reply-to", edit: top("Reply-To: <x@evil.example>\r\n"), status: Pass, asks: 1,
			check: func(t *testing.T, r Result) { require.Contains(t, r.Coverage.Uncovered, "reply-to") }},
		{id: "DKC-02/list-unsubscribe", edit: top("List-Unsubscribe: <https://evil.example>\r\n"), status: Pass, asks: 1,
			check: func(t *testing.T, r Result) { require.Contains(t, r.Coverage.Uncovered, "list-unsubscribe") }},
		{id: "DKC-02/space before colon", tags: with(t0, "h=from:to:subject:date"), edit: top("Subject : URGENT\r\n"), status: Pass, asks: 1,
			check: func(t *testing.T, r Result) {
				require.Equal(t, []string{"subject"}, r.Coverage.UncoveredDuplicates)
			}},
		{id: "DKC-04/transfer encoding", edit: top("Content-Transfer-Encoding: base64\r\n"), status: Pass, asks: 1,
			check: func(t *testing.T, r Result) { require.True(t, r.Coverage.MIMEUncovered) }},
		{id: "DKC-09/tab for space", tags: with(t0, "c=simple/simple"), edit: replace("Subject: ", "Subject:\t"), status: Fail, err: ErrSignature, asks: 1},
		{id: "DKC-09/fold", tags: with(t0, "c=simple/simple"), edit: replace("Sat, 21", "Sat,\r\n 21"), status: Fail, err: ErrSignature, asks: 1},
		{id: "DKC-09/relaxed joins nothing", edit: replace("Statement", "State ment"), status: Fail, err: ErrSignature, asks: 1},
		{id: "DKC-09/relaxed keeps case of values", edit: replace("Statement", "statement"), status: Fail, err: ErrSignature, asks: 1},
		{id: "DKC-09/NBSP is no white space", edit: replace("Dear customer", "Dear\u00a0customer"), status: Fail, err: ErrBodyHash, asks: 1},
		{id: "DKC-09/form feed is no white space", edit: replace("ready.\r\n", "ready.\f\r\n"), status: Fail, err: ErrBodyHash, asks: 1},
		{id: "DKC-10/many lines of white space", edit: replace("ready.\r\n", "ready.\r\n \r\n\t\r\n\r\n"), status: Pass, asks: 1},
		{id: "DKC-10/not at the start", edit: replace("\r\n\r\nDear", "\r\n\r\n\r\nDear"), status: Fail, err: ErrBodyHash, asks: 1},
	})
}
