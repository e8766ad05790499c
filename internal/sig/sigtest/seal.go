package sigtest

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
)

// Set is an ARC set to be made; empty fields have defaults that verify.
type Set struct {
	Instance         int
	CV               string // default: none for instance 1, else pass
	Domain, Selector string
	Results          string // what follows "i=1; "
	// Templates of the three fields' values. {i}, {a}, {d}, {s}, {cv} and {results}
	// are filled in, {bh} and {b} as by [Field].
	AAR, AMS, AS string
	Alone        bool // the seal covers its own set only (RFC 8617, section 5.1.2)
}

// The templates that are used where a Set has none.
const (
	AAR = "i={i}; {results}"
	AMS = "i={i}; a={a}; c=relaxed/relaxed; d={d}; s={s}; h=from:to:subject:date; bh={bh}; b={b}"
	AS  = "i={i}; a={a}; cv={cv}; d={d}; s={s}; b={b}"
)

// Seal puts an ARC set on top of a message, right or wrong, as [Sign] signs: after
// the letter of RFC 8617, section 5.1.1, and with no code of the sealer's.
func Seal(key crypto.Signer, s Set, message string) string {
	or := func(v, def string) string {
		if v == "" {
			return def
		}
		return v
	}
	algorithm := "rsa-sha256"
	if _, ok := key.(ed25519.PrivateKey); ok {
		algorithm = "ed25519-sha256"
	}
	cv := "pass"
	if s.Instance == 1 {
		cv = "none"
	}
	fill := strings.NewReplacer("{i}", strconv.Itoa(s.Instance), "{a}", algorithm, "{d}", s.Domain, "{s}", s.Selector,
		"{cv}", or(s.CV, cv), "{results}", or(s.Results, "mx."+s.Domain+"; none"))
	aar := "ARC-Authentication-Results: " + fill.Replace(or(s.AAR, AAR)) + "\r\n"
	ams := Field(key, "ARC-Message-Signature", fill.Replace(or(s.AMS, AMS)), message)
	as := "ARC-Seal: " + fill.Replace(or(s.AS, AS))

	var input strings.Builder
	if !s.Alone {
		header, _, _ := strings.Cut(message, "\r\n\r\n")
		for _, f := range sets(header + "\r\n") {
			input.WriteString(HeaderField(f, true))
		}
	}
	input.WriteString(HeaderField(aar, true) + HeaderField(ams, true))
	input.WriteString(strings.TrimSuffix(HeaderField(emptyB.ReplaceAllString(as, "$1"), true), "\r\n"))
	signature := sign(key, "-sha256", digest("-sha256", input.String()))
	as = strings.ReplaceAll(as, "{b}", base64.StdEncoding.EncodeToString(signature)) + "\r\n"
	return as + ams + aar + message
}

var instanceTag = regexp.MustCompile(`[:;\s]i\s*=\s*([0-9]+)`)

// sets lists the ARC fields of a header in the order in which a seal covers them.
func sets(header string) []string {
	names := []string{"arc-authentication-results", "arc-message-signature", "arc-seal"}
	var found []string
	rank := map[string]string{}
	for _, f := range Fields(header) {
		name, _, _ := strings.Cut(f, ":")
		for k, n := range names {
			if strings.EqualFold(strings.TrimSpace(name), n) {
				i := 0
				if m := instanceTag.FindStringSubmatch(f[len(n):]); m != nil {
					i, _ = strconv.Atoi(m[1])
				}
				rank[f] = fmt.Sprintf("%04d %d", i, k)
				found = append(found, f)
			}
		}
	}
	sort.SliceStable(found, func(a, b int) bool { return rank[found[a]] < rank[found[b]] })
	return found
}

// Verify checks a signature over a text by a public key of [RSA] or [Ed25519].
func Verify(public crypto.PublicKey, algorithm, text string, signature []byte) bool {
	sum := digest(algorithm, text)
	switch k := public.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(k, crypto.SHA256, sum, signature) == nil
	case ed25519.PublicKey:
		return ed25519.Verify(k, sum, signature)
	}
	return false
}
