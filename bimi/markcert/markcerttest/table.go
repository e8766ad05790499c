package markcerttest

import (
	"bytes"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"time"
)

// row is one line of the table of defects: what the checklist calls it, what a
// strict verifier makes of it, and how it is made.
type row struct {
	name                       Defect
	item, severity, code, what string
	apply                      func(*plan)
}

var rows = []row{
	// The file.
	{WithRoot, "I1", "", "", "the root is in the file too: legal", func(b *plan) {
		b.chain = func(c [][]byte) [][]byte { return append(c, b.p.root.Raw) }
	}},
	{CRLF, "I3", "", "", "lines end in CRLF, as some authorities write them: legal", func(b *plan) {
		b.text = func(t []byte) []byte { return bytes.ReplaceAll(t, []byte("\n"), []byte("\r\n")) }
	}},
	{ExplanatoryText, "I3", "", "", "text around the blocks: legal", func(b *plan) {
		b.text = func(t []byte) []byte {
			return append(append([]byte("subject: Example Inc.\n"), t...), "end of file\n"...)
		}
	}},
	{WrongOrder, "I1", "failure", "ErrOrder", "the issuer stands before the mark certificate", func(b *plan) {
		b.chain = func(c [][]byte) [][]byte { return [][]byte{c[1], c[0]} }
	}},
	{DuplicateCertificate, "I2", "failure", "ErrDuplicateCertificate", "the issuer is there twice", func(b *plan) {
		b.chain = func(c [][]byte) [][]byte { return append(c, c[1]) }
	}},
	{SecondLeaf, "I2", "failure", "ErrSeveralLeaves", "a second mark certificate follows", func(b *plan) {
		b.secondLeaf()
	}},
	{ForeignCertificate, "I2", "failure", "ErrForeignCertificate", "an authority that is no part of the path follows", func(b *plan) {
		b.foreign()
	}},
	{PrivateKeyBlock, "I3", "failure", "ErrPEMLabel", "a block that is no certificate", func(b *plan) {
		b.text = func(t []byte) []byte {
			return append(t, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"...)
		}
	}},
	{BrokenBase64, "I3", "failure", "ErrPEM", "a block is not base64", func(b *plan) {
		b.text = func(t []byte) []byte { return bytes.Replace(t, []byte("\nMII"), []byte("\nM*I"), 1) }
	}},
	{ElevenCertificates, "I4", "failure", "ErrTooManyCertificates", "one certificate more than the limit of ten", func(b *plan) {
		b.chain = func(c [][]byte) [][]byte { return slices.Repeat(c[:1], 11) }
	}},
	{OversizedFile, "I4", "failure", "ErrTooLarge", "one octet more than 256 KiB", func(b *plan) {
		b.text = func(t []byte) []byte { return append(t, bytes.Repeat([]byte("x"), 256<<10+1-len(t))...) }
	}},
	{MissingIntermediate, "I5", "failure", "ErrUntrusted", "the issuer is not in the file; with a pool of intermediates legal", func(b *plan) {
		b.chain = func(c [][]byte) [][]byte { return c[:1] }
	}},
	{NotACertificate, "I2", "failure", "ErrCertificate", "the first block holds something else", func(b *plan) {
		b.chain = func(c [][]byte) [][]byte { return [][]byte{tlv(0x30, tlv(0x02, []byte{1})), c[1]} }
	}},
	// The path.
	{OtherRoot, "J1", "failure", "ErrUntrusted", "the root is of another authority", func(b *plan) {
		b.otherRoot("Another Root")
	}},
	{SameNameRoot, "J1", "failure", "ErrSignature", "the issuer is signed by a stranger under the name of the trusted root", func(b *plan) {
		b.interSigner = b.p.otherKey
	}},
	{SelfSigned, "J1", "failure", "ErrUntrusted", "the mark certificate issued itself", func(b *plan) {
		b.selfSigned, b.chain = true, func(c [][]byte) [][]byte { return c[:1] }
	}},
	{LeafSignature, "J1", "failure", "ErrSignature", "the last octet of the signature is changed", func(b *plan) {
		b.flipLeaf = true
	}},
	{IntermediateSignature, "J1", "failure", "ErrSignature", "the last octet of the issuer's signature is changed", func(b *plan) {
		b.flipInter = true
	}},
	{LeafSignedByStranger, "J1", "failure", "ErrSignature", "the mark certificate only names its issuer", func(b *plan) {
		b.leafSigner = b.p.otherKey
	}},
	{Expired, "J2", "failure", "ErrExpired", "the mark certificate ended a second ago", func(b *plan) {
		b.leaf.NotBefore, b.leaf.NotAfter, b.log.at = b.p.now.AddDate(0, -6, 0), b.p.now.Add(-time.Second), b.p.now.AddDate(0, -6, 0)
	}},
	{NotYetValid, "J2", "failure", "ErrNotYetValid", "the mark certificate begins in a second", func(b *plan) {
		b.leaf.NotBefore, b.leaf.NotAfter = b.p.now.Add(time.Second), b.p.now.AddDate(0, 6, 0)
	}},
	{IntermediateExpired, "J2", "failure", "ErrExpired", "the issuer ended a second ago", func(b *plan) {
		b.inter.NotAfter = b.p.now.Add(-time.Second)
	}},
	{IntermediateNotYetValid, "J2", "failure", "ErrNotYetValid", "the issuer begins in a second", func(b *plan) {
		b.inter.NotBefore = b.p.now.Add(time.Second)
	}},
	{RootExpired, "J2", "failure", "ErrExpired", "the trusted root ended a second ago", func(b *plan) {
		b.expiredRoot()
	}},
	{IntermediateNotCA, "J1", "failure", "ErrNotCA", "the issuer says that it is no authority", func(b *plan) {
		b.inter.IsCA, b.inter.MaxPathLen, b.inter.MaxPathLenZero = false, -1, false
	}},
	{IntermediateNoBasicConstraints, "J1", "failure", "ErrNotCA", "the issuer does not say that it is an authority", func(b *plan) {
		b.inter.IsCA, b.inter.BasicConstraintsValid = false, false
	}},
	{PathLength, "J1", "failure", "ErrPathLength", "a second issuer below one that allows none", func(b *plan) {
		b.secondIntermediate()
	}},
	{IntermediateNoCertSign, "J1", "failure", "ErrKeyUsage", "the issuer's key usage does not include signing certificates", func(b *plan) {
		b.inter.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageCRLSign
	}},
	{IntermediateEmptyKeyUsage, "J1", "failure", "ErrKeyUsage", "the issuer's key usage includes nothing", func(b *plan) {
		b.inter.KeyUsage = 0
		b.inter.ExtraExtensions = append(b.inter.ExtraExtensions, critical(15, tlv(0x03, []byte{0}))...)
	}},
	{ReissuedRoot, "J1", "", "", "the file ends with another certificate of the trusted root, which has expired: legal", func(b *plan) {
		b.chain = func(c [][]byte) [][]byte { return append(c, b.oldRoot().Raw) }
	}},
	{CrossCertificate, "J1", "", "", "the file ends with one that a stranger issued for the trusted root: legal", func(b *plan) {
		b.chain = func(c [][]byte) [][]byte { return append(c, b.crossRoot().Raw) }
	}},
	{RenewedRoot, "J1", "", "", "an expired certificate of the root is trusted beside the good one: legal", func(b *plan) {
		b.roots = []*x509.Certificate{b.oldRoot(), b.p.root}
	}},
	{ExcludedName, "J1", "failure", "ErrNameConstraints", "the issuer's name constraints exclude the domain", func(b *plan) {
		b.inter.ExcludedDNSDomains, b.inter.PermittedDNSDomainsCritical = []string{"example.com"}, true
	}},
	{NotPermittedName, "J1", "failure", "ErrNameConstraints", "the issuer's name constraints permit another domain only", func(b *plan) {
		b.inter.PermittedDNSDomains, b.inter.PermittedDNSDomainsCritical = []string{"example.org"}, true
	}},
	{DirectoryNameConstraint, "J1", "failure", "ErrNameConstraints", "name constraints, not critical, of a kind that crypto/x509 ignores", func(b *plan) {
		b.inter.ExtraExtensions = append(b.inter.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 30}, Value: tlv(0x30, tlv(0xa0, tlv(0x30, tlv(0xa4, tlv(0x30)))))})
	}},
	{WildcardConstraint, "J1", "failure", "ErrNameConstraints", "the issuer's name constraints exclude a wildcard, which is no name", func(b *plan) {
		b.inter.ExcludedDNSDomains, b.inter.PermittedDNSDomainsCritical = []string{"*.example.com"}, true
	}},
	{UnknownCritical, "J4", "failure", "ErrCriticalExtension", "a critical extension that nobody knows", func(b *plan) {
		b.leaf.ExtraExtensions = append(b.leaf.ExtraExtensions, pkix.Extension{Id: oidUnknown, Critical: true, Value: tlv(0x05)})
	}},
	{IntermediateUnknownCritical, "J4", "failure", "ErrCriticalExtension", "the same in the issuer", func(b *plan) {
		b.inter.ExtraExtensions = append(b.inter.ExtraExtensions, pkix.Extension{Id: oidUnknown, Critical: true, Value: tlv(0x05)})
	}},
	{UnknownExtension, "J4", "", "", "an unknown extension that is not critical: legal", func(b *plan) {
		b.leaf.ExtraExtensions = append(b.leaf.ExtraExtensions, pkix.Extension{Id: oidUnknown, Value: tlv(0x05)})
	}},
	{PilotCritical, "J4", "warning", "ErrPilot", "the pilot identifier, critical: known, and out of use", func(b *plan) {
		b.leaf.ExtraExtensions = append(b.leaf.ExtraExtensions, pkix.Extension{Id: oidPilot, Critical: true, Value: tlv(0x0c, []byte("Mark Certificate"))})
	}},
	{Precertificate, "J4", "failure", "ErrPrecertificate", "the poison of a precertificate", func(b *plan) {
		b.leaf.ExtraExtensions = append(b.leaf.ExtraExtensions, pkix.Extension{Id: oidPoison, Critical: true, Value: tlv(0x05)})
	}},
	{WeakRSAKey, "J6", "failure", "ErrWeakKey", "an RSA key of 1024 bits", func(b *plan) {
		b.leafPub = rsaOf(1024)
	}},
	{RSA2047, "J6", "failure", "ErrWeakKey", "an RSA key one bit short of 2048", func(b *plan) {
		b.leafPub = rsaOf(2047)
	}},
	{RSA2048, "J6", "", "", "an RSA key of 2048 bits: legal", func(b *plan) {
		b.leafPub = rsaOf(2048)
	}},
	{RSA8192, "J6", "", "", "the largest RSA key that is looked at: legal", func(b *plan) {
		b.leafPub = rsaOf(8192)
	}},
	{RSA8193, "J6", "failure", "ErrWeakKey", "an RSA key too large to bother with", func(b *plan) {
		b.leafPub = rsaOf(8193)
	}},
	{CurveP521, "J6", "failure", "ErrWeakKey", "a curve outside P-256 and P-384", func(b *plan) {
		b.leafPub = b.curve(elliptic.P521())
	}},
	{CurveP384, "J6", "", "", "a key on P-384: legal", func(b *plan) {
		b.leafPub = b.curve(elliptic.P384())
	}},
	{WeakIssuerKey, "J6", "failure", "ErrWeakKey", "the issuer has a key on P-224", func(b *plan) {
		b.weakIssuer()
	}},
	{SHA1Signature, "J6", "failure", "ErrSignatureAlgorithm", "signed with SHA-1", func(b *plan) {
		b.leaf.SignatureAlgorithm = x509.ECDSAWithSHA1
	}},
	// The profile.
	{LeafCA, "J5", "failure", "ErrLeafCA", "the mark certificate is an authority", func(b *plan) {
		b.leaf.IsCA, b.leaf.SubjectKeyId = true, []byte{1}
	}},
	{LeafCertSign, "J5", "failure", "ErrKeyUsage", "the mark certificate may sign certificates", func(b *plan) {
		b.leaf.KeyUsage |= x509.KeyUsageCertSign
	}},
	{NoBasicConstraints, "J5", "", "", "no basic constraints and no key usage: legal", func(b *plan) {
		b.leaf.BasicConstraintsValid, b.leaf.KeyUsage = false, 0
	}},
	{NoKeyPurpose, "J3", "failure", "ErrKeyPurpose", "no extended key usage", func(b *plan) {
		b.leaf.UnknownExtKeyUsage = nil
	}},
	{AnyKeyPurpose, "J3", "failure", "ErrKeyPurpose", "the extended key usage is any", func(b *plan) {
		b.leaf.UnknownExtKeyUsage, b.leaf.ExtKeyUsage = nil, []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	}},
	{ServerKeyPurpose, "J3", "failure", "ErrKeyPurpose", "a TLS certificate with a logo", func(b *plan) {
		b.leaf.UnknownExtKeyUsage, b.leaf.ExtKeyUsage = nil, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}},
	{ExtraKeyPurpose, "J3", "failure", "ErrOtherKeyPurposes", "TLS server beside the right purpose", func(b *plan) {
		b.leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}},
	{IntermediateKeyPurpose, "J3", "failure", "ErrKeyPurpose", "the issuer is limited to TLS servers", func(b *plan) {
		b.inter.UnknownExtKeyUsage, b.inter.ExtKeyUsage = nil, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}},
	{IntermediateAnyKeyPurpose, "J3", "failure", "ErrKeyPurpose", "the issuer lists any purpose but not this one", func(b *plan) {
		b.inter.UnknownExtKeyUsage, b.inter.ExtKeyUsage = nil, []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	}},
	{IntermediateNoKeyPurpose, "J3", "", "", "the issuer lists no purposes: legal", func(b *plan) {
		b.inter.UnknownExtKeyUsage = nil
	}},
	{NoPolicy, "J7", "warning", "ErrPolicy", "the general certificate policy is missing", func(b *plan) {
		b.leaf.Policies = nil
	}},
	{Lifetime398, "J8", "", "", "valid for 398 days: legal", func(b *plan) {
		b.leaf.NotAfter = b.leaf.NotBefore.AddDate(0, 0, 398).Add(-time.Second)
	}},
	{LongLifetime, "J8", "warning", "ErrLifetime", "valid for a second more than 398 days", func(b *plan) {
		b.leaf.NotAfter = b.leaf.NotBefore.AddDate(0, 0, 398)
	}},
	{NoTrademark, "J9", "warning", "ErrSubject", "a registered mark without the country of its registration", func(b *plan) {
		b.leaf.Subject.ExtraNames = b.leaf.Subject.ExtraNames[1:]
	}},
	{NoMarkType, "J10", "failure", "ErrMarkType", "the mark type is missing", func(b *plan) {
		b.leaf.Subject.ExtraNames = b.leaf.Subject.ExtraNames[:2]
	}},
	{UnknownMarkType, "J10", "failure", "ErrMarkType", "a mark type that does not exist", func(b *plan) {
		b.leaf.Subject.ExtraNames[2].Value = "Pending Registration Mark"
	}},
	{TwoMarkTypes, "J10", "failure", "ErrMarkType", "two mark types", func(b *plan) {
		b.leaf.Subject.ExtraNames = append(b.leaf.Subject.ExtraNames, pkix.AttributeTypeAndValue{Type: oidMarkType, Value: "Government Mark"})
	}},
	// The names.
	{NoNames, "M1", "failure", "ErrDomain", "no subject alternative names", func(b *plan) {
		b.sans = nil
	}},
	{CommonNameOnly, "M1", "failure", "ErrDomain", "the domain is the common name only", func(b *plan) {
		b.sans, b.leaf.Subject.CommonName = nil, "example.com"
	}},
	{OtherDomain, "M3", "failure", "ErrDomain", "the name of another domain", func(b *plan) {
		b.sans = [][]byte{tlv(0x82, []byte("other.example"))}
	}},
	{Wildcard, "M4", "failure", "ErrDomain", "a wildcard", func(b *plan) {
		b.sans = [][]byte{tlv(0x82, []byte("*.example.com")), tlv(0x82, []byte("*.com"))}
	}},
	{NameWithNUL, "M1", "failure", "ErrDomain", "a name that a C program would cut short", func(b *plan) {
		b.sans = [][]byte{tlv(0x82, []byte("example.com\x00.attack.example"))}
	}},
	{NamesTrailing, "J1", "failure", "ErrCertificate", "octets behind the subject alternative names, in the same extension", func(b *plan) {
		b.afterSANs = tlv(0x30, tlv(0x82, []byte("other.example")))
	}},
	{NameWithFinalDot, "M1", "failure", "ErrDomain", "a name in another spelling", func(b *plan) {
		b.sans = [][]byte{tlv(0x82, []byte("example.com."))}
	}},
	{UnicodeName, "M1", "failure", "ErrCertificate", "a name that is not an IA5String", func(b *plan) {
		b.sans = [][]byte{tlv(0x82, []byte("ex\u00e4mple.com"))}
	}},
	{UpperCaseName, "M1", "", "", "upper case: the same name", func(b *plan) {
		b.sans = [][]byte{tlv(0x82, []byte("EXAMPLE.COM"))}
	}},
	{MailName, "M1", "warning", "ErrSAN", "a mail address beside the domain name", func(b *plan) {
		b.sans = append(b.sans, tlv(0x81, []byte("brand@example.com")))
	}},
	// The logotype.
	{NoLogotype, "N1", "failure", "ErrNoLogotype", "no logotype extension", func(b *plan) {
		b.logo = nil
	}},
	{LogotypeCritical, "N1", "failure", "ErrLogotype", "the extension is critical", func(b *plan) {
		b.logo.critical = true
	}},
	{LogotypeIndirect, "N1", "failure", "ErrLogotypeIndirect", "a reference to a file on the web", func(b *plan) {
		b.logo.indirect, b.logo.uris = true, []string{"https://example.com/logo.der"}
	}},
	{IssuerLogo, "N1", "failure", "ErrNoLogotype", "the logo is the issuer's", func(b *plan) {
		b.logo.choice = 1
	}},
	{LogotypeTrailing, "N1", "failure", "ErrLogotype", "octets after the extension", func(b *plan) {
		b.logo.mangle = func(v []byte) []byte { return append(v, 0) }
	}},
	{LogotypeLongLength, "N1", "failure", "ErrLogotype", "a length that is not in its shortest form", func(b *plan) {
		b.logo.mangle = func(v []byte) []byte {
			n := len(v) - 4
			return append([]byte{0x30, 0x83, 0, byte(n >> 8), byte(n)}, v[4:]...)
		}
	}},
	{NoImage, "N2", "failure", "ErrLogotypeCount", "an empty list of images", func(b *plan) {
		b.logo.images = 0
	}},
	{TwoImages, "N2", "failure", "ErrLogotypeCount", "two images", func(b *plan) {
		b.logo.images = 2
	}},
	{TwoURIs, "N2", "failure", "ErrLogotypeCount", "two URIs of one image", func(b *plan) {
		b.logo.uris = []string{"data:image/svg+xml;base64,", "data:image/svg+xml;base64,"}
	}},
	{RemoteLogo, "N2", "failure", "ErrLogotypeURI", "the image is on the web", func(b *plan) {
		b.logo.uris = []string{"https://example.com/logo.svg"}
	}},
	{LogoNotBase64, "N3", "failure", "ErrLogotypeURI", "the data is not base64", func(b *plan) {
		b.logo.uris = []string{"data:image/svg+xml;base64,H4sI*"}
	}},
	{LogoMediaType, "N3", "failure", "ErrLogotypeMediaType", "an image in PNG", func(b *plan) {
		b.logo.mediaType, b.logo.uriType = "image/png", "image/png"
	}},
	{LogoMediaTypeDiffers, "N3", "failure", "ErrLogotypeMediaType", "the URI has another media type", func(b *plan) {
		b.logo.uriType = "text/html"
	}},
	{RegisteredMediaType, "N3", "", "", "the media type of RFC 9399: legal", func(b *plan) {
		b.logo.mediaType, b.logo.uriType = "image/svg+xml+gzip", "image/svg+xml+gzip"
	}},
	{LogoUncompressed, "N3", "failure", "ErrLogotypeGzip", "the image is not compressed", func(b *plan) {
		b.logo.plain = true
	}},
	{LogoTwoMembers, "N8", "failure", "ErrLogotypeGzip", "two members of gzip", func(b *plan) {
		z, _ := compress(b.logo.svg)
		b.logo.data = append(z, z...)
	}},
	{LogoTruncated, "N8", "failure", "ErrLogotypeGzip", "gzip without its end", func(b *plan) {
		z, _ := compress(b.logo.svg)
		b.logo.data = z[:len(z)-4]
	}},
	{LogoCompressedTwice, "N8", "failure", "ErrLogotypeGzip", "gzip within gzip, hashed between them", func(b *plan) {
		z, _ := compress(b.logo.svg)
		b.logo = newLogo(z)
	}},
	{LogoBomb, "N8", "failure", "ErrLogotypeSize", "10 KiB that unpack to 10 MiB", func(b *plan) {
		b.logo = newLogo(make([]byte, 10<<20))
	}},
	{HashMismatch, "N5", "failure", "ErrLogotypeHash", "the hash is of another image", func(b *plan) {
		b.logo.hashes[0].sum = make([]byte, 32)
	}},
	{SecondHashMismatch, "N5", "failure", "ErrLogotypeHash", "one hash matches, another does not", func(b *plan) {
		b.logo.hashes = append(b.logo.hashes, hash{oidSHA1, make([]byte, 20)})
	}},
	{HashUnknown, "N5", "failure", "ErrLogotypeHash", "no hash of a known algorithm", func(b *plan) {
		b.logo.hashes = []hash{{oidUnknown, make([]byte, 32)}}
	}},
	{HashUnknownBeside, "N5", "", "", "a hash of an unknown algorithm beside a good one: legal", func(b *plan) {
		b.logo.hashes = append(b.logo.hashes, hash{oidUnknown, make([]byte, 32)})
	}},
	{HashSHA1, "N6", "warning", "ErrLogotypeSHA1", "SHA-1 alone, as most real certificates have it", func(b *plan) {
		b.logo.hashes = []hash{{oidSHA1, sha1Of(b.logo.svg)}}
	}},
	{HashWithoutParameters, "N7", "", "", "no parameters in the algorithm identifier: legal", func(b *plan) {
		b.logo.bare = true
	}},
	// Transparency.
	{NoSCT, "L1", "failure", "ErrNoSCT", "no timestamp", func(b *plan) {
		b.log.none = true
	}},
	{SCTMalformed, "L1", "failure", "ErrNoSCT", "the list is cut short", func(b *plan) {
		b.log.malformed = true
	}},
	{SeventeenSCTs, "L1", "failure", "ErrNoSCT", "one timestamp more than the limit of 16", func(b *plan) {
		b.log.count = 17
	}},
	{SixteenSCTs, "L1", "", "", "16 timestamps: legal", func(b *plan) {
		b.log.count = 16
	}},
	{SCTSignature, "L2", "failure", "ErrSCT", "the timestamp is for another certificate", func(b *plan) {
		b.log.badSig = true
	}},
	{SCTUnknownLog, "L3", "failure", "ErrSCT", "the timestamp of a log that nobody knows", func(b *plan) {
		b.log.key = b.p.otherKey
	}},
	{SCTFuture, "L4", "failure", "ErrSCT", "the timestamp is an hour ahead", func(b *plan) {
		b.log.at = b.p.now.Add(time.Hour)
	}},
	// Revocation.
	{NoCRLPoint, "K1", "failure", "ErrNoCRLPoint", "the mark certificate names no revocation list", func(b *plan) {
		b.crl.none = true
	}},
	{IntermediateNoCRLPoint, "K6", "failure", "ErrNoCRLPoint", "its issuer names none", func(b *plan) {
		b.top.none = true
	}},
	{LDAPPoint, "K1", "failure", "ErrNoCRLPoint", "a list that only LDAP could get", func(b *plan) {
		b.crl.urls = []string{"ldap://ldap.example.com/cn=crl"}
	}},
	{CRLUnavailable, "K5", "temporary", "ErrCRLUnavailable", "the list is not served", func(b *plan) {
		b.crl.unserved = true
	}},
	{IntermediateCRLUnavailable, "K6", "temporary", "ErrCRLUnavailable", "the issuer's list is not served", func(b *plan) {
		b.top.unserved = true
	}},
	{Revoked, "K3", "failure", "ErrRevoked", "the mark certificate is revoked", func(b *plan) {
		b.crl.revoked = true
	}},
	{OnHold, "K3", "failure", "ErrRevoked", "on hold is revoked", func(b *plan) {
		b.crl.revoked, b.crl.reason = true, 6
	}},
	{RemovedInFullCRL, "K3", "failure", "ErrRevoked", "removeFromCRL means something in delta lists only", func(b *plan) {
		b.crl.revoked, b.crl.reason = true, 8
	}},
	{IntermediateRevoked, "K6", "failure", "ErrRevoked", "the issuer is revoked", func(b *plan) {
		b.top.revoked = true
	}},
	{CRLGarbage, "K3", "temporary", "ErrCRL", "what is served is no list", func(b *plan) {
		b.crl.raw = []byte("<html>not found</html>")
	}},
	{CRLOversized, "K4", "temporary", "ErrCRL", "one octet more than 5 MiB is served", func(b *plan) {
		b.crl.raw = make([]byte, 5<<20+1)
	}},
	{CRLIssuer, "K3", "temporary", "ErrCRLIssuer", "the list of another authority", func(b *plan) {
		b.crl.issuer, b.crl.key = b.p.root, b.p.rootKey
	}},
	{CRLSignature, "K3", "temporary", "ErrCRLSignature", "the list is signed by a stranger", func(b *plan) {
		b.crl.key = b.p.otherKey
	}},
	{CRLNotSigner, "K3", "temporary", "ErrCRLSignature", "the issuer may not sign lists", func(b *plan) {
		b.inter.KeyUsage = x509.KeyUsageCertSign
	}},
	{CRLStale, "K3", "temporary", "ErrCRLTime", "the next list was due a second ago", func(b *plan) {
		b.crl.this, b.crl.next = b.p.now.AddDate(0, 0, -7), b.p.now.Add(-time.Second)
	}},
	{CRLFuture, "K3", "temporary", "ErrCRLTime", "the list begins in a second", func(b *plan) {
		b.crl.this = b.p.now.Add(time.Second)
	}},
	{CRLDelta, "K3", "temporary", "ErrCRLScope", "a delta list", func(b *plan) {
		b.crl.extensions = critical(27, tlv(0x02, []byte{1}))
	}},
	{CRLIndirect, "K3", "temporary", "ErrCRLScope", "an indirect list", func(b *plan) {
		b.crl.extensions = critical(28, tlv(0x30, tlv(0x84, []byte{0xff})))
	}},
	{CRLOnlyAuthorities, "K3", "temporary", "ErrCRLScope", "the list is about authorities", func(b *plan) {
		b.crl.extensions = critical(28, tlv(0x30, tlv(0x82, []byte{0xff})))
	}},
	{CRLOnlyAttributes, "K3", "temporary", "ErrCRLScope", "the list is about attribute certificates", func(b *plan) {
		b.crl.extensions = critical(28, tlv(0x30, tlv(0x85, []byte{0xff})))
	}},
	{CRLOnlyUsers, "K6", "temporary", "ErrCRLScope", "the issuer's list is about certificates that are no authorities", func(b *plan) {
		b.top.extensions = critical(28, tlv(0x30, tlv(0x81, []byte{0xff})))
	}},
	{CRLSomeReasons, "K3", "temporary", "ErrCRLScope", "the list is about some reasons only", func(b *plan) {
		b.crl.extensions = critical(28, tlv(0x30, tlv(0x83, []byte{6, 0x40})))
	}},
	{CRLOtherPoint, "K3", "temporary", "ErrCRLScope", "the list is for another distribution point", func(b *plan) {
		b.crl.extensions = critical(28, tlv(0x30, tlv(0xa0, tlv(0xa0, tlv(0x86, []byte("http://crl.example.com/other.crl"))))))
	}},
	{CRLThisPoint, "K3", "", "", "the list names its distribution point: legal", func(b *plan) {
		b.crl.extensions = critical(28, tlv(0x30, tlv(0xa0, tlv(0xa0, tlv(0x86, []byte(b.crl.urls[0])))), tlv(0x81, []byte{0xff})))
	}},
	{CRLUnknownCritical, "K3", "temporary", "ErrCRLScope", "the list has a critical extension that nobody knows", func(b *plan) {
		b.crl.extensions = []pkix.Extension{{Id: oidUnknown, Critical: true, Value: tlv(0x05)}}
	}},
	{CRLUnknownCriticalEntry, "K3", "temporary", "ErrCRLScope", "an entry of the list has one", func(b *plan) {
		b.crl.entry = []pkix.Extension{{Id: oidUnknown, Critical: true, Value: tlv(0x05)}}
	}},
	{CRLIndirectEntry, "K3", "temporary", "ErrCRLScope", "an entry is of another issuer's certificate", func(b *plan) {
		b.crl.entry = critical(29, tlv(0x30, tlv(0x82, []byte("other.example"))))
	}},
}
