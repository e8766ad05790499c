package sigtest

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew")

// TestVectors makes all vectors again: the file is what this code makes, out of
// nothing but fixed seeds.
func TestVectors(t *testing.T) {
	g := newMaker(t)
	g.rsaSignatures()
	g.rsaForgeries()
	g.rsaKeys()
	g.rsaLengths()
	g.rsaEncodings()
	g.base64()
	g.ed25519Signatures()
	g.ed25519Keys()
	g.ed25519Cofactor()
	g.confusion()

	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	require.NoError(t, enc.Encode(g.file))
	if *update {
		require.NoError(t, os.WriteFile("testdata/vectors.json", b.Bytes(), 0o644))
		return
	}
	data, err := os.ReadFile("testdata/vectors.json")
	require.NoError(t, err)
	require.True(t, bytes.Equal(b.Bytes(), data), "the file is not what the code makes: go test ./internal/sig/sigtest -update")

	count := map[string]int{}
	for _, v := range g.file.Vectors {
		count[v.Want]++
	}
	t.Logf("%d vectors: %v", len(g.file.Vectors), count)
}

// maker collects vectors.
type maker struct {
	t    *testing.T
	file VectorFile
	ids  map[string]bool
	key  *rsaKey // an ordinary one of 2048 bits
}

// digests are the two values that a vector signs.
func (g *maker) digests(algorithm string) (d [2][]byte) {
	m := g.file.Messages[algorithm]
	for i, text := range []string{m.DKIMDigest, m.SealDigest} {
		d[i], _ = hex.DecodeString(text)
	}
	return d
}

// add makes a vector whose two signatures f makes of the digests; holds says
// whether the equation holds for one.
func (g *maker) add(v Vector, f func(digest []byte) string, holds func(digest []byte, b string) bool) {
	g.t.Helper()
	require.False(g.t, g.ids[v.ID], "%s twice", v.ID)
	g.ids[v.ID] = true
	d := g.digests(v.Algorithm)
	v.DKIM, v.Seal = f(d[0]), f(d[1])
	v.Holds = holds(d[0], v.DKIM)
	require.Equal(g.t, v.Holds, holds(d[1], v.Seal), v.ID)
	require.False(g.t, v.Want == "pass" && !v.Holds, "%s: a pass of what does not hold", v.ID)
	g.file.Vectors = append(g.file.Vectors, v)
}

// b64 is f in base64.
func b64(f func(digest []byte) []byte) func([]byte) string {
	return func(d []byte) string { return base64.StdEncoding.EncodeToString(f(d)) }
}

// decode is a lenient reader of base64, for judging what holds.
func decode(b string) []byte {
	b = strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "", "=", "", "-", "+", "_", "/").Replace(b)
	out, _ := base64.RawStdEncoding.DecodeString(b)
	return out
}

func newMaker(t *testing.T) *maker {
	g := &maker{t: t, ids: map[string]bool{}, file: VectorFile{
		About: "Keys and signatures, right and wrong, for DKIM (RFC 6376, RFC 8463) and the ARC-Seal (RFC 8617). " +
			"In the messages {b} stands for the value of b=; each has the clock 2026-11-21T12:00:00Z. All keys are made for this file.",
		Good:     Record(Ed25519()),
		Messages: map[string]Messages{},
	}}
	for _, algorithm := range []string{"rsa-sha256", "ed25519-sha256"} {
		// An odd digest ends a number that has a cube root modulo a power of two.
		for n := 1; ; n++ {
			m := messages(algorithm, n)
			if isOdd(m.DKIMDigest) && isOdd(m.SealDigest) {
				g.file.Messages[algorithm] = m
				break
			}
		}
	}
	g.key = newRSAKey("ordinary", 2048, big.NewInt(65537))
	return g
}

func isOdd(digits string) bool { return strings.ContainsAny(digits[len(digits)-1:], "13579bdf") }

// messages makes the two messages and finds out what their signatures sign.
func messages(algorithm string, n int) (m Messages) {
	text := fmt.Sprintf("From: CEO <ceo@bank.example>\r\nTo: <u@victim.example>\r\nSubject: Statement %d\r\n"+
		"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\n\r\nDear customer,\r\n\r\nyour statement is ready.\r\n", n)
	mark := []byte("here")
	tags := "v=1; a=" + algorithm + "; c=relaxed/relaxed; d=bank.example; s=vector; h=from:to:subject:date; bh={bh}; b={b}"
	m.DKIM = strings.Replace(Sign(signerFunc(func(d []byte) []byte {
		m.DKIMDigest = hex.EncodeToString(d)
		return mark
	}), tags, text), base64.StdEncoding.EncodeToString(mark), "{b}", 1)

	calls := 0
	set := Set{Instance: 1, Domain: "bank.example", Selector: "vector", Results: "mx.bank.example; none",
		AMS: "i={i}; a=ed25519-sha256; c=relaxed/relaxed; d={d}; s=good; h=from:to:subject:date; bh={bh}; b={b}",
		AS:  "i={i}; a=" + algorithm + "; cv={cv}; d={d}; s={s}; b={b}"}
	m.Seal = strings.Replace(Seal(signerFunc(func(d []byte) []byte {
		if calls++; calls == 1 {
			return ed25519.Sign(Ed25519(), d)
		}
		m.SealDigest = hex.EncodeToString(d)
		return mark
	}), set, text), base64.StdEncoding.EncodeToString(mark), "{b}", 1)
	return m
}

// signerFunc is a key that is a function.
type signerFunc func(digest []byte) []byte

func (f signerFunc) Public() crypto.PublicKey { return nil }
func (f signerFunc) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	return f(digest), nil
}

// stream is as random as its name: SHA-256 over name and counter.
type stream struct {
	name string
	n    uint64
}

func (s *stream) bytes(n int) []byte {
	var out []byte
	for len(out) < n {
		s.n++
		h := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(s.name+"\x00"), s.n))
		out = append(out, h[:]...)
	}
	return out[:n]
}

// below returns a number under a limit.
func (s *stream) below(limit *big.Int) *big.Int {
	n := new(big.Int).SetBytes(s.bytes(limit.BitLen()/8 + 16))
	return n.Mod(n, limit)
}
