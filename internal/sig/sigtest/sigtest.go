// Package sigtest signs messages for tests: any tags, right or wrong, with keys
// that are nobody's. It shares no code with the verifiers: canonicalization and
// hashing are written a second time, slowly and after the letter of RFC 6376,
// so that a mistake in one of the two shows.
package sigtest

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"embed"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

//go:embed testdata/*.pem
var keys embed.FS

// RSA returns a test key by the name of its file: rsa512, rsa1016, rsa1024,
// rsa2048, rsa2048b, rsa2048e3 (exponent 3), rsa4096, rsa4104, rsa8192.
func RSA(t testing.TB, name string) *rsa.PrivateKey {
	t.Helper()
	data, err := keys.ReadFile("testdata/" + name + ".pem")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Ed25519 returns a test key.
func Ed25519() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte("a seed that everybody may know. "))
}

// Record returns the key record of a key, its public half as SubjectPublicKeyInfo or raw octets.
func Record(key crypto.Signer) string {
	switch k := key.Public().(type) {
	case *rsa.PublicKey:
		der, err := x509.MarshalPKIXPublicKey(k)
		if err != nil {
			panic(err)
		}
		return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
	case ed25519.PublicKey:
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(k)
	}
	panic("no such key")
}

// Sign signs a message (header, empty line, body; all with CRLF) and returns
// it with the signature field on top. In tags, which may be anything, {bh} and
// {b} stand for the values to be filled in.
func Sign(key crypto.Signer, tags, message string) string {
	return Field(key, "DKIM-Signature", tags, message) + message
}

// Field is Sign for a field of that name (white space before the colon
// included), and returns the field alone.
func Field(key crypto.Signer, name, tags, message string) string {
	header, body, _ := strings.Cut(message, "\r\n\r\n")
	header += "\r\n"
	get := func(tag string) string {
		for part := range strings.SplitSeq(tags, ";") {
			if n, v, ok := strings.Cut(part, "="); ok && strings.TrimSpace(n) == tag {
				return strings.TrimSpace(v)
			}
		}
		return ""
	}
	headCanon, bodyCanon, _ := strings.Cut(get("c"), "/")
	algorithm := get("a")

	b := Body(body, bodyCanon == "relaxed")
	if l, err := strconv.Atoi(get("l")); err == nil && l >= 0 && l <= len(b) {
		b = b[:l]
	}
	field := name + ": " + strings.ReplaceAll(tags, "{bh}", base64.StdEncoding.EncodeToString(digest(algorithm, b)))
	input := Select(header, strings.Split(get("h"), ":"), headCanon == "relaxed")
	input += strings.TrimSuffix(HeaderField(emptyB.ReplaceAllString(field, "$1"), headCanon == "relaxed"), "\r\n")
	return strings.ReplaceAll(field, "{b}", base64.StdEncoding.EncodeToString(sign(key, algorithm, digest(algorithm, input)))) + "\r\n"
}

// emptyB removes the place of the signature with the white space around it.
var emptyB = regexp.MustCompile(`(=)\s*\{b\}\s*`)

func digest(algorithm, s string) []byte {
	if strings.HasSuffix(algorithm, "-sha1") {
		h := sha1.Sum([]byte(s))
		return h[:]
	}
	h := sha256.Sum256([]byte(s))
	return h[:]
}

func sign(key crypto.Signer, algorithm string, digest []byte) []byte {
	var opts crypto.SignerOpts = crypto.SHA256
	if strings.HasSuffix(algorithm, "-sha1") {
		opts = crypto.SHA1
	}
	if _, ok := key.(ed25519.PrivateKey); ok {
		opts = crypto.Hash(0)
	}
	s, err := key.Sign(rand.Reader, digest, opts)
	if err != nil {
		panic(fmt.Sprintf("test key: %v", err))
	}
	return s
}

// Fields cuts a header block into fields, each with its CRLF.
func Fields(header string) []string {
	var fields []string
	for line := range strings.SplitAfterSeq(header, "\r\n") {
		switch {
		case line == "":
		case (line[0] == ' ' || line[0] == '\t') && len(fields) > 0:
			fields[len(fields)-1] += line
		default:
			fields = append(fields, line)
		}
	}
	return fields
}

// Select returns the canonical forms of the fields that a list of names means.
func Select(header string, names []string, relaxed bool) string {
	fields := Fields(header)
	var out strings.Builder
	for _, n := range names {
		for i := len(fields) - 1; i >= 0; i-- {
			name, _, _ := strings.Cut(fields[i], ":")
			if strings.EqualFold(strings.TrimSpace(name), strings.TrimSpace(n)) {
				out.WriteString(HeaderField(fields[i], relaxed))
				fields = append(fields[:i:i], fields[i+1:]...)
				break
			}
		}
	}
	return out.String()
}

var wsp = regexp.MustCompile(`[ \t]+`)

// HeaderField canonicalizes one field (RFC 6376, sections 3.4.1 and 3.4.2).
func HeaderField(field string, relaxed bool) string {
	if !relaxed {
		return field
	}
	name, value, _ := strings.Cut(strings.TrimSuffix(field, "\r\n"), ":")
	value = strings.ReplaceAll(value, "\r\n", "")
	value = strings.Trim(wsp.ReplaceAllString(value, " "), " ")
	return strings.ToLower(strings.TrimRight(name, " \t")) + ":" + value + "\r\n"
}

// Body canonicalizes a body (RFC 6376, sections 3.4.3 and 3.4.4).
func Body(body string, relaxed bool) string {
	if relaxed {
		lines := strings.Split(body, "\r\n")
		for i, l := range lines {
			lines[i] = strings.TrimRight(wsp.ReplaceAllString(l, " "), " ")
		}
		body = strings.Join(lines, "\r\n")
	}
	for strings.HasSuffix(body, "\r\n") {
		body = strings.TrimSuffix(body, "\r\n")
	}
	if body == "" && relaxed {
		return ""
	}
	return body + "\r\n"
}
