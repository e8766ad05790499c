package markcert_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi/markcert"
	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/stretchr/testify/require"
)

// TestVariations has other certificates of the classes of TestThreats, row/variation,
// and the error; nil is a pass. They are written by hand: see byhand_test.go.
func TestVariations(t *testing.T) {
	const otherCRL = "http://crl.example.com/other.crl"
	svg := markcerttest.SVG()
	sum, weak := sha256.Sum256(svg), sha1.Sum(svg)
	good := hashOf(sha256ID, sum[:])
	root, issuer, leaf := handRoot(byHand{}), handIssuer(byHand{}), handLeaf(byHand{}, nil)
	chain := func(certs ...[]byte) [][]byte { return certs }
	// leafWith has one extension in place of the good one; nil leaves it out.
	leafWith := func(id string, value []byte) [][]byte {
		return chain(handLeaf(byHand{extensions: map[string][]byte{id: value}}, nil), issuer)
	}
	issuerWith := func(id string, value []byte) [][]byte {
		return chain(leaf, handIssuer(byHand{extensions: map[string][]byte{id: value}}))
	}
	more := func(exts ...[]byte) [][]byte { return chain(handLeaf(byHand{more: exts}, nil), issuer) }
	moreIssuer := func(exts ...[]byte) [][]byte { return chain(leaf, handIssuer(byHand{more: exts})) }
	names := func(list ...[]byte) [][]byte { return leafWith(idNames, ext(idNames, seq(list...))) }
	purposes := func(ids ...string) []byte {
		var list [][]byte
		for _, id := range ids {
			list = append(list, oid(id))
		}
		return ext(idPurposes, seq(list...))
	}
	excluded := func(tag byte, list ...[]byte) [][]byte {
		var trees [][]byte
		for _, n := range list {
			trees = append(trees, seq(n))
		}
		return moreIssuer(critical(idConstraints, seq(tlv(tag, trees...))))
	}
	logo := func(images ...[]byte) [][]byte { return leafWith(idLogo, logoOf(images...)) }
	stamped := func(list scts) [][]byte { return chain(handLeaf(byHand{}, list), issuer) }
	month := int64(testTime.Sub(testTime.AddDate(0, -1, 0)) / time.Millisecond)
	cross := handIssuer(byHand{key: handKey(1), signer: handKey(5), issuer: dn("Other Root"), subject: dn("Root"), serial: number(77),
		extensions: map[string][]byte{idPoints: point(otherCRL)}})
	other := handRoot(byHand{key: handKey(5), subject: dn("Other Root")})
	cases := []struct {
		id    string
		chain [][]byte
		roots [][]byte // nil: root
		want  error
	}{
		{"BIM-21/good", chain(leaf, issuer), nil, nil},
		{"BIM-21/issued by the root itself", chain(handLeaf(byHand{signer: handKey(1), issuer: dn("Root")}, nil)), nil, markcert.ErrCRLIssuer},
		{"BIM-21/issued by another leaf", chain(handLeaf(byHand{signer: handKey(3), issuer: markName(str(0x0c, "Registered Mark")), subject: dn("Evil", attribute(idMark, str(0x0c, "Registered Mark")))}, nil), leaf, issuer), nil, markcert.ErrNotCA},
		{"BIM-21/trusted leaf", chain(leaf), [][]byte{leaf}, markcert.ErrUntrusted},
		{"BIM-21/trusted issuer", chain(leaf, issuer), [][]byte{issuer}, nil},
		{"BIM-21/trusted issuer, root behind it", chain(leaf, issuer, root), [][]byte{issuer}, nil},
		{"BIM-21/root of the same name with another key", chain(leaf, issuer, handRoot(byHand{key: handKey(6)})), nil, markcert.ErrSignature},
		{"BIM-21/trusted root of the same name with another key", chain(leaf, issuer), [][]byte{handRoot(byHand{key: handKey(6)})}, markcert.ErrSignature},
		{"BIM-21/cross-certificate", chain(leaf, issuer, cross), [][]byte{other}, nil},
		{"BIM-21/cross-certificate and the new root", chain(leaf, issuer, cross, other), [][]byte{other}, nil},
		{"BIM-21/cross-certificate of an untrusted root", chain(leaf, issuer, cross), nil, nil},
		{"BIM-21/both roots, only the new one trusted", chain(leaf, issuer, cross, root), [][]byte{other}, markcert.ErrForeignCertificate},
		{"BIM-21/end with an offset", chain(handLeaf(byHand{notAfter: str(0x17, "270401120000+0000")}, nil), issuer), nil, markcert.ErrCertificate},
		{"BIM-21/end in 9999", chain(handLeaf(byHand{notAfter: str(0x18, "99991231235959Z")}, nil), issuer), nil, nil},
		{"BIM-21/ends before it begins", chain(handLeaf(byHand{notBefore: utc(testTime), notAfter: utc(testTime.Add(-time.Second))}, nil), issuer), nil, markcert.ErrExpired},
		{"BIM-21/issuer without key usage", issuerWith(idUsage, nil), nil, nil},
		{"BIM-21/issuer with an empty key usage", issuerWith(idUsage, critical(idUsage, tlv(3, []byte{0}))), nil, markcert.ErrKeyUsage},
		{"BIM-21/issuer with a key usage of zeros", issuerWith(idUsage, critical(idUsage, tlv(3, []byte{7, 0}))), nil, markcert.ErrKeyUsage},
		{"BIM-21/serial number of 25 octets", chain(handLeaf(byHand{serial: tlv(2, bytes.Repeat([]byte{1}, 25))}, nil), issuer), nil, nil},
		{"BIM-21/negative serial number", chain(handLeaf(byHand{serial: tlv(2, []byte{0x80})}, nil), issuer), nil, markcert.ErrCertificate},
		{"BIM-21/issuer with a name of thousands of parts", chain(handLeaf(byHand{issuer: seq(bytes.Repeat(attribute("1.2.3", str(0x0c, "\x01")), 12_000))}, nil)), nil, markcert.ErrUntrusted},
		{"BIM-21/only the issuer", chain(issuer), nil, markcert.ErrLeafCA},

		{"BIM-22/the purpose below it", leafWith(idPurposes, purposes(idBIMI+".1")), nil, markcert.ErrKeyPurpose},
		{"BIM-22/twice", leafWith(idPurposes, purposes(idBIMI, idBIMI)), nil, markcert.ErrOtherKeyPurposes},
		{"BIM-22/none in the list", leafWith(idPurposes, purposes()), nil, markcert.ErrKeyPurpose},
		{"BIM-22/any beside it", leafWith(idPurposes, purposes(idAny, idBIMI)), nil, markcert.ErrOtherKeyPurposes},
		{"BIM-22/any beside it in the issuer", issuerWith(idPurposes, purposes(idAny, idBIMI)), nil, nil},
		{"BIM-22/precertificate, not critical", more(ext(idPoison, null)), nil, markcert.ErrPrecertificate},
		{"BIM-22/pilot in the issuer", moreIssuer(critical(idPilot, str(0x0c, "x"))), nil, markcert.ErrCriticalExtension},

		{"BIM-23/as a URI", names(str(0x86, "https://example.com/")), nil, markcert.ErrDomain},
		{"BIM-23/as a mailbox", names(str(0x81, "example.com")), nil, markcert.ErrDomain},
		{"BIM-23/as a directory name", names(tlv(0xa4, dn("example.com"))), nil, markcert.ErrDomain},
		{"BIM-23/in parts", leafWith(idNames, ext(idNames, seq(tlv(0xa2, str(0x16, "example.com"))))), nil, markcert.ErrDomain},
		{"BIM-23/leading dot", names(dnsName(".example.com")), nil, markcert.ErrDomain},
		{"BIM-23/two names in one", names(dnsName("example.com,example.org")), nil, markcert.ErrDomain},
		{"BIM-23/with a port", names(dnsName("example.com:443")), nil, markcert.ErrDomain},
		{"BIM-23/with a blank", names(dnsName("example.com ")), nil, markcert.ErrDomain},
		{"BIM-23/every selector", names(dnsName("*._bimi.example.com")), nil, markcert.ErrDomain},
		{"BIM-23/the default selector in capitals", names(dnsName("DEFAULT._BIMI.EXAMPLE.COM")), nil, nil},
		{"BIM-23/selector twice", names(dnsName("default._bimi._bimi.example.com")), nil, markcert.ErrDomain},
		{"BIM-23/bad names beside the good one", names(dnsName("*.example.com"), dnsName(""), dnsName("a b"), dnsName("example.com")), nil, nil},
		{"BIM-23/twenty thousand names before the good one", names(append(many(20_000, func(i int) string { return fmt.Sprintf("%d.a", i) }), dnsName("example.com"))...), nil, nil},
		{"BIM-23/twenty thousand bad names before the good one", names(append(many(20_000, func(int) string { return "*" }), dnsName("example.com"))...), nil, nil},
		{"BIM-23/two extensions", more(ext(idNames, seq(dnsName("example.com")))), nil, markcert.ErrCertificate},
		{"BIM-23/length not in its shortest form", leafWith(idNames, ext(idNames, append([]byte{0x30, 0x81, 0x0d}, dnsName("example.com")...))), nil, markcert.ErrCertificate},

		{"BIM-24/everything excluded", excluded(0xa1, dnsName("")), nil, markcert.ErrNameConstraints},
		{"BIM-24/excluded in capitals", excluded(0xa1, dnsName("EXAMPLE.COM")), nil, markcert.ErrNameConstraints},
		{"BIM-24/the top level excluded", excluded(0xa1, dnsName("com")), nil, markcert.ErrNameConstraints},
		{"BIM-24/what is below excluded", excluded(0xa1, dnsName("news.example.com")), nil, nil},
		{"BIM-24/a wildcard excluded", excluded(0xa1, dnsName("*.example.com")), nil, markcert.ErrNameConstraints},
		{"BIM-24/only addresses permitted", excluded(0xa0, tlv(0x87, make([]byte, 8))), nil, nil},
		{"BIM-24/other names permitted", excluded(0xa0, tlv(0xa0, oid(idNobody), tlv(0xa0, null))), nil, markcert.ErrCriticalExtension},
		{"BIM-24/with a minimum", moreIssuer(critical(idConstraints, seq(tlv(0xa0, seq(dnsName("example.com"), tlv(0x80, []byte{1})))))), nil, markcert.ErrNameConstraints},
		{"BIM-24/empty constraints", moreIssuer(critical(idConstraints, seq())), nil, markcert.ErrCertificate},
		{"BIM-24/a policy demanded that is not there", chain(handLeaf(byHand{extensions: map[string][]byte{idPolicies: nil}}, nil), handIssuer(byHand{more: [][]byte{critical(idDemands, seq(tlv(0x80, []byte{0})))}})), nil, markcert.ErrPath},

		{"BIM-25/compressed twice", logo(logoImage(zipped(svg), "", nil)), nil, markcert.ErrLogotypeGzip},
		{"BIM-25/compressed twice, hash of the image", logo(logoImage(zipped(svg), "", [][]byte{good})), nil, markcert.ErrLogotypeGzip},
		{"BIM-25/two members", logo(logoImage(svg, dataURI(append(zipped(svg[:50]), zipped(svg[50:])...)), nil)), nil, markcert.ErrLogotypeGzip},
		{"BIM-25/hash of what is compressed", logo(logoImage(zipped(svg), dataURI(zipped(svg)), nil)), nil, markcert.ErrLogotypeHash},
		{"BIM-25/hash cut short", logo(logoImage(svg, "", [][]byte{hashOf(sha256ID, sum[:16])})), nil, markcert.ErrLogotypeHash},
		{"BIM-25/empty hash", logo(logoImage(svg, "", [][]byte{hashOf(sha256ID, nil)})), nil, markcert.ErrLogotypeHash},
		{"BIM-25/one algorithm twice", logo(logoImage(svg, "", [][]byte{good, hashOf(sha256ID, make([]byte, 32))})), nil, markcert.ErrLogotypeHash},
		{"BIM-25/SHA-1 right, SHA-512 wrong", logo(logoImage(svg, "", [][]byte{hashOf(sha1ID, weak[:]), hashOf(sha512ID, make([]byte, 64))})), nil, markcert.ErrLogotypeHash},
		{"BIM-25/only SHA-3", logo(logoImage(svg, "", [][]byte{hashOf(sha3ID, make([]byte, 32))})), nil, markcert.ErrLogotypeHash},
		{"BIM-25/blank before the URI", logo(logoImage(svg, " "+dataURI(zipped(svg)), nil)), nil, markcert.ErrLogotypeURI},
		{"BIM-25/fragment", logo(logoImage(svg, dataURI(zipped(svg))+"#a", nil)), nil, markcert.ErrLogotypeURI},
		{"BIM-25/no media type in the URI", logo(logoImage(svg, strings.Replace(dataURI(zipped(svg)), "image/svg+xml", "", 1), nil)), nil, markcert.ErrLogotypeMediaType},
		{"BIM-25/parameter in the URI", logo(logoImage(svg, strings.Replace(dataURI(zipped(svg)), ";", ";charset=utf-8;", 1), nil)), nil, nil},
		{"BIM-25/two extensions", more(logoOf(logoImage(svg, "", nil))), nil, markcert.ErrCertificate},
		{"BIM-25/subject twice", leafWith(idLogo, ext(idLogo, seq(bytes.Repeat(tlv(0xa2, tlv(0xa0, seq(logoImage(svg, "", nil)))), 2)))), nil, markcert.ErrLogotype},
		{"BIM-25/empty extension", leafWith(idLogo, ext(idLogo, nil)), nil, markcert.ErrLogotype},

		{"BIM-26/timestamp first", stamped(func(e []byte, x [][]byte) [][]byte { return append([][]byte{sctList(timestamp(e, 0))}, x...) }), nil, nil},
		{"BIM-26/an extension after it was made", stamped(func(e []byte, x [][]byte) [][]byte { return append(x, sctList(timestamp(e, 0)), ext(idNobody, null)) }), nil, markcert.ErrSCT},
		{"BIM-26/of now", stamped(func(e []byte, x [][]byte) [][]byte { return append(x, sctList(timestamp(e, month))) }), nil, nil},
		{"BIM-26/of the next second", stamped(func(e []byte, x [][]byte) [][]byte { return append(x, sctList(timestamp(e, month+1000))) }), nil, markcert.ErrSCT},
		{"BIM-26/for a certificate, not a precertificate", stamped(func(e []byte, x [][]byte) [][]byte {
			return append(x, sctList(timestamp(append([]byte{0, 0}, e[34:]...), 0)))
		}), nil, markcert.ErrSCT},
		{"BIM-26/with extensions", stamped(func(e []byte, x [][]byte) [][]byte { return append(x, sctList(timestamp(e[:len(e)-2:len(e)-2], 0))) }), nil, markcert.ErrNoSCT},
		{"BIM-26/empty list", stamped(func(_ []byte, x [][]byte) [][]byte { return append(x, sctList()) }), nil, markcert.ErrNoSCT},
		{"BIM-26/a bad one and a good one", stamped(func(e []byte, x [][]byte) [][]byte { return append(x, sctList(timestamp(e[1:], 0), timestamp(e, 0))) }), nil, nil},

		{"BIM-21/mark type as INTEGER", chain(handLeaf(byHand{subject: markName(number(1))}, nil), issuer), nil, markcert.ErrCertificate},
		{"BIM-21/mark type as OCTET STRING", chain(handLeaf(byHand{subject: markName(str(4, "Registered Mark"))}, nil), issuer), nil, markcert.ErrCertificate},
		{"BIM-21/mark type with a NUL", chain(handLeaf(byHand{subject: markName(str(0x0c, "Registered Mark\x00"))}, nil), issuer), nil, markcert.ErrMarkType},
		{"BIM-21/mark type in two octets a letter", chain(handLeaf(byHand{subject: markName(str(0x1e, wide("Registered Mark")))}, nil), issuer), nil, nil},
		{"BIM-21/mark type twice, the same", chain(handLeaf(byHand{subject: markName(str(0x0c, "Registered Mark"), str(0x0c, "Registered Mark"))}, nil), issuer), nil, markcert.ErrMarkType},
	}
	for _, c := range cases {
		t.Run(c.id, func(t *testing.T) {
			roots := c.roots
			if roots == nil {
				roots = [][]byte{root}
			}
			v := byHandVerifier(t, map[string][]byte{otherCRL: handCRL{key: handKey(5), issuer: dn("Other Root")}.der()}, roots...)
			var file []byte
			for _, cert := range c.chain {
				file = append(file, pemOf(cert)...)
			}
			r := v.Verify(t.Context(), file, exampleCom)
			require.ErrorIs(t, r.Err, c.want, "%v", r.Findings)
			require.Less(t, len(r.Findings), 32)
			if c.want == nil {
				require.Equal(t, svg, r.Indicator)
			} else {
				require.NotEqual(t, authres.Pass, r.Status)
				require.Nil(t, r.Indicator)
			}
		})
	}
}

// many is a list of names.
func many(n int, name func(i int) string) (out [][]byte) {
	for i := range n {
		out = append(out, dnsName(name(i)))
	}
	return out
}

// wide is a text in two octets a letter.
func wide(s string) string { return "\x00" + strings.Join(strings.Split(s, ""), "\x00") }

// TestListVariations has other revocation lists of the class of BIM-26.
func TestListVariations(t *testing.T) {
	root, issuer, leaf := handRoot(byHand{}), handIssuer(byHand{}), handLeaf(byHand{}, nil)
	serial := number(0x123456)
	scope := func(flags ...[]byte) [][]byte { return [][]byte{critical("2.5.29.28", seq(flags...))} }
	where := func(urls ...string) []byte {
		var list [][]byte
		for _, u := range urls {
			list = append(list, str(0x86, u))
		}
		return tlv(0xa0, tlv(0xa0, list...))
	}
	yes := func(n byte) []byte { return tlv(0x80|n, []byte{0xff}) }
	cases := map[string]struct {
		list []byte
		want error
	}{
		"good":                                  {handCRL{}.der(), nil},
		"another number":                        {handCRL{entries: [][]byte{revokedEntry(number(0x123457))}}.der(), nil},
		"revoked":                               {handCRL{entries: [][]byte{revokedEntry(number(1)), revokedEntry(serial)}}.der(), markcert.ErrRevoked},
		"revoked, and the list is for it alone": {handCRL{entries: [][]byte{revokedEntry(serial)}, extensions: scope(yes(1))}.der(), markcert.ErrRevoked},
		"revoked for a reason of the list's":    {handCRL{entries: [][]byte{revokedEntry(serial)}, extensions: scope(tlv(0x83, []byte{1, 0x40}))}.der(), markcert.ErrRevoked},
		"not among some reasons":                {handCRL{extensions: scope(tlv(0x83, []byte{1, 0x40}))}.der(), markcert.ErrCRLScope},
		"revoked as of later":                   {handCRL{entries: [][]byte{revokedEntry(serial, ext("2.5.29.24", str(0x18, "20300101000000Z")))}}.der(), markcert.ErrRevoked},
		"ends now":                              {handCRL{next: utc(testTime)}.der(), nil},
		"begins now":                            {handCRL{this: utc(testTime)}.der(), nil},
		"ends before it begins":                 {handCRL{this: utc(testTime.Add(-time.Hour)), next: utc(testTime.Add(-2 * time.Hour))}.der(), markcert.ErrCRLTime},
		"revoked, but stale":                    {handCRL{next: utc(testTime.Add(-time.Second)), entries: [][]byte{revokedEntry(serial)}}.der(), markcert.ErrCRLTime},
		"revoked, but forged":                   {handCRL{key: handKey(7), entries: [][]byte{revokedEntry(serial)}}.der(), markcert.ErrCRLSignature},
		"in text":                               {pemOf(handCRL{}.der()), markcert.ErrCRL},
		"octets behind it":                      {append(handCRL{}.der(), 0), markcert.ErrCRL},
		"this point among others":               {handCRL{extensions: scope(where("http://x.example/", markCRL))}.der(), nil},
		"this point in capitals":                {handCRL{extensions: scope(where(strings.ToUpper(markCRL)))}.der(), markcert.ErrCRLScope},
		"another point, not critical":           {handCRL{extensions: [][]byte{ext("2.5.29.28", seq(where("http://x.example/")))}}.der(), markcert.ErrCRLScope},
		"delta, not critical":                   {handCRL{extensions: [][]byte{ext("2.5.29.27", number(1))}}.der(), markcert.ErrCRLScope},
		"nothing in its scope":                  {handCRL{extensions: scope()}.der(), nil},
		"flags that are false":                  {handCRL{extensions: scope(tlv(0x82, []byte{0}), tlv(0x84, []byte{0}))}.der(), nil},
		"flags out of order":                    {handCRL{extensions: scope(tlv(0x84, []byte{0}), tlv(0x82, []byte{0}))}.der(), markcert.ErrCRL},
		"an extension twice":                    {handCRL{extensions: bytes2(ext("2.5.29.20", number(1)))}.der(), markcert.ErrCRL},
		"no entries in the list of them":        {handCRL{entries: [][]byte{}}.der(), markcert.ErrCRL},
	}
	for reason := range byte(11) {
		cases[fmt.Sprintf("reason %d", reason)] = struct {
			list []byte
			want error
		}{handCRL{entries: [][]byte{revokedEntry(serial, ext(idReason, tlv(10, []byte{reason})))}}.der(), markcert.ErrRevoked}
	}
	for name, c := range cases {
		t.Run("BIM-26/"+name, func(t *testing.T) {
			for _, policy := range []markcert.Revocation{markcert.RequireRevocation, markcert.BestEffortRevocation} {
				v := byHandVerifier(t, map[string][]byte{markCRL: c.list}, root)
				v.Revocation = policy
				r := v.Verify(t.Context(), append(pemOf(leaf), pemOf(issuer)...), exampleCom)
				require.ErrorIs(t, r.Err, c.want)
				switch c.want {
				case nil:
					require.Equal(t, authres.Pass, r.Status)
				case markcert.ErrRevoked:
					require.Equal(t, authres.Fail, r.Status)
				default:
					require.Equal(t, authres.TempError, r.Status, "also where a list that cannot be had is excused")
				}
			}
		})
	}
}

func bytes2(b []byte) [][]byte { return [][]byte{b, b} }
