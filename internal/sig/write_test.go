package sig

import (
	"crypto"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
	"github.com/seed2385d973/mailauth/message"
)

// What is written is read back, and no line is longer than it must be.
func TestWriteField(t *testing.T) {
	names := strings.Split(strings.Repeat("subject:x-a-rather-long-name:", 20)+"from", ":")
	for n := range 40 {
		field := WriteField("ARC-Message-Signature", []TagText{
			{Name: "i", Value: "1"}, {Name: "a", Value: "rsa-sha256"}, {Name: "d", Value: strings.Repeat("a", n) + ".example"},
			{Name: "h", Value: strings.Join(names, ":"), Fold: ":"}, {Name: "bh", Value: strings.Repeat("A", 44)}, {Name: "b", Value: "0"},
		})
		require.True(t, strings.HasSuffix(field, "; b=0\r\n") || strings.HasSuffix(field, ";\r\n\tb=0\r\n"), field)
		for line := range strings.SplitSeq(field, "\r\n") {
			require.LessOrEqual(t, len(line), foldAt)
			require.True(t, line == "" || strings.TrimSpace(line) != "", "no line of white space")
		}
		h, err := message.ParseHeader([]byte(field))
		require.NoError(t, err)
		require.Equal(t, 1, h.Len())
		r, tags := NewReader(nil, h.Field(0).Value(), false)
		require.NoError(t, r.Err())
		require.Len(t, tags, 6)
		require.Equal(t, names, r.Message(tags, Key{}).Names)
	}
}

func TestFoldData(t *testing.T) {
	for n := range 400 {
		data := strings.Repeat("x", n)
		out := FoldData("ARC-Seal: i=1;\r\n\tb=", data)
		require.Equal(t, data, strings.Join(strings.Fields(out), ""))
		for line := range strings.SplitSeq(out, "\r\n") {
			require.LessOrEqual(t, len(line), foldAt)
		}
	}
}

type signer struct {
	public  crypto.PublicKey
	private crypto.Signer
}

func (s signer) Public() crypto.PublicKey { return s.public }
func (s signer) Sign(r io.Reader, d []byte, o crypto.SignerOpts) ([]byte, error) {
	if s.private == nil {
		return nil, errors.New("no")
	}
	return s.private.Sign(r, d, o)
}

func TestSignAndVerify(t *testing.T) {
	sum := sha256.Sum256([]byte("x"))
	a, b := sigtest.RSA(t, "rsa2048"), sigtest.RSA(t, "rsa2048b")
	for _, key := range []crypto.Signer{a, sigtest.Ed25519(), signer{a.Public(), a}, signer{sigtest.Ed25519().Public(), sigtest.Ed25519()}} {
		alg, err := AlgorithmOf(key.Public())
		require.NoError(t, err)
		text, err := Sign(key, alg, sum[:])
		require.NoError(t, err)
		data, _, ok := Base64(text)
		require.True(t, ok)
		require.NoError(t, Verify(&Record{Key: key.Public(), Bits: 2048}, alg, sum[:], data))
	}
	_, err := Sign(signer{a.Public(), b}, RSASHA256, sum[:])
	require.ErrorIs(t, err, ErrSignature, "the halves do not belong together")
	_, err = Sign(signer{a.Public(), nil}, RSASHA256, sum[:])
	require.Error(t, err)
	for name, want := range map[string]Error{"rsa512": ErrKeyShort, "rsa1016": ErrKeyShort, "rsa4104": ErrKeyLong} {
		_, err := AlgorithmOf(sigtest.RSA(t, name).Public())
		require.ErrorIs(t, err, want, name)
	}
	_, err = AlgorithmOf("a string")
	require.ErrorIs(t, err, ErrKeyType)
}

// The shared prefix of a chain: each seal covers what RFC 8617, section 5.1.1 says,
// against the slow reader of sigtest.
func TestSeals(t *testing.T) {
	text := ""
	for i := range 4 {
		_ = i
		text += "ARC-Seal: b=x;  y \r\nARC-Message-Signature:  m\r\n m\r\nARC-Authentication-Results: r\t \r\n"
	}
	h, err := message.ParseHeader([]byte(text))
	require.NoError(t, err)
	c := NewHeader(h)
	seals := c.Seals()
	input := ""
	for k := range 4 {
		as, ams, aar := 3*k, 3*k+1, 3*k+2
		input += sigtest.HeaderField(string(h.Raw(aar)), true) + sigtest.HeaderField(string(h.Raw(ams)), true)
		want := sha256.Sum256([]byte(input + "arc-seal:b=; y"))
		require.Equal(t, want, seals.Next(aar, ams, as, 3, 4))
		input += sigtest.HeaderField(string(h.Raw(as)), true)
	}
}
