// Package markcert checks mark certificates: the evidence behind a brand
// indicator, Verified Mark Certificates (VMC) and Common Mark Certificates (CMC).
//
// A mark certificate is an X.509 certificate in which an authority states that a domain may
// show a logo, with the logo inside. [Verifier.Verify] takes the file that a
// domain publishes (a PEM bundle), and says whether it is good evidence for a
// domain; if so, the result holds the image. The image is not validated as SVG here.
//
//	v := markcert.Verifier{FetchCRL: fetch}
//	r := v.Verify(ctx, file, markcert.Names{Author: "news.example.com", Organizational: "example.com"})
//	if r.Status == authres.Pass {
//		show(r.Indicator, r.MarkType)
//	}
//
// The package makes no network request. What it needs beyond the file, the
// revocation lists, it asks the caller's FetchCRL for, and only after the path
// has validated. It never reads the system's certificate pool, never follows
// "CA Issuers" URLs and never fetches a logotype: one that is not inside the certificate is refused.
//
// # What it implements
//
// draft-fetch-validation-vmc-wchuang-10 and the issuance requirements it builds
// on; RFC 7468 for the file, RFC 5280 for path and revocation, RFC 9399 for the
// logotype, RFC 2397 for the data: URI, RFC 6962 for the timestamps. Nothing of
// BIMI itself is an RFC, so every judgement that receivers make differently is
// a field of [Verifier].
//
// # Trust
//
// The built-in roots ([DefaultRoots]) are the roots of the authorities that issue mark
// certificates, as of [DefaultRootsVersion]. Certificates are public documents of their authorities; each
// embedded one was found identical in at least two independent public root
// collections for mark certificates, and counts only with the SHA-256 fingerprint that is
// pinned in the source:
//
//	DigiCert Verified Mark Root CA              504386c9...c46b42
//	GlobalSign Verified Mark Root R42           cd122cb8...4e7e0b
//	SSL.com VMC RSA Root CA 2024                8f9d1b76...4bd30d
//	SSL.com VMC ECC Root CA 2024                1b82e7f4...83598c
//	Entrust Verified Mark Root VMCR1 (legacy)   7831d95a...189617
//
// The legacy root is good only for certificates issued up to 15 November 2024.
// The announced root of GoDaddy (VMCR1, 2025) is not among them, as no copy could be compared. The
// built-in log ([DefaultLogs]) is the one of the approved list for mark
// certificates. A receiver with other views makes sets of its own with [NewRoots] and [NewLogs];
// nothing is ever merged into them.
//
// # Limits
//
// Everything is read from files that strangers wrote. An evidence document is at
// most 256 KiB ([MaxBytes]; real ones have 5 to 19 KiB) and 10 certificates ([MaxCertificates];
// real ones have 2 or 3). The image is at most 32 KiB uncompressed ([DefaultMaxIndicator], the
// profile's recommendation); compressed data is read no further than that, one
// member of gzip, nothing after it. At most 16 timestamps ([MaxSCTs]) and 16 hashes an image are looked at,
// RSA keys have 2048 to 8192 bits, a path is completed from the caller's
// intermediates with at most 50 signatures, 4 distribution points a certificate
// are tried ([MaxCRLPoints]), a revocation list has at most 5 MiB ([MaxCRLBytes]) and is walked without keeping its entries.
// No input leads to recursion; every limit has a test at it and one past it.
package markcert
