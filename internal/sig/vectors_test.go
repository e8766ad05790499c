package sig

import (
	hexadecimal "encoding/hex"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/internal/sig/sigtest"
)

// errorsByName are the constants that the vectors name.
var errorsByName = map[string]error{
	"pass": nil, "ErrSignature": ErrSignature, "ErrSignatureData": ErrSignatureData, "ErrTagList": ErrTagList,
	"ErrKeySyntax": ErrKeySyntax, "ErrKeyRevoked": ErrKeyRevoked, "ErrKeyType": ErrKeyType, "ErrKeyHash": ErrKeyHash,
	"ErrKeyShort": ErrKeyShort, "ErrKeyLong": ErrKeyLong, "ErrKeyUnsafe": ErrKeyUnsafe,
}

// TestVectors: the parser of key records and the verifier, without a message.
func TestVectors(t *testing.T) {
	f := sigtest.Vectors(t)
	for _, v := range f.Vectors {
		t.Run(v.ID, func(t *testing.T) {
			for _, c := range []struct{ b, digest string }{
				{v.DKIM, f.Messages[v.Algorithm].DKIMDigest}, {v.Seal, f.Messages[v.Algorithm].SealDigest},
			} {
				sum, err := hexadecimal.DecodeString(c.digest)
				require.NoError(t, err)
				r, tags := NewReader(nil, "a="+v.Algorithm+"; b="+c.b, false)
				k := r.Key(tags)
				r.CheckText(tags)
				var rec Record
				err = r.Err()
				if err == nil {
					p := Published{}
					p.Record, p.Err = ParseRecord(v.Record, Bounds{Max: v.MaxBits})
					rec = p.Record
					err = p.For(k.Algorithm)
				}
				if err == nil {
					err = Verify(&rec, k.Algorithm, sum, k.Data)
				}
				want, ok := errorsByName[v.Want]
				require.True(t, ok, v.Want)
				require.ErrorIs(t, err, want)
				switch {
				case errors.Is(err, ErrKeyLong), errors.Is(err, ErrKeyShort), errors.Is(err, ErrKeyUnsafe), errors.Is(err, ErrKeySyntax):
					require.Nil(t, rec.Key, "there is nothing to compute with, whatever it would cost")
				}
			}
		})
	}
	t.Logf("%d vectors", len(f.Vectors))
}
