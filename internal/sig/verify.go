package sig

import (
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
)

// Verify checks a signature over a header hash: RSASSA-PKCS1-v1_5 (RFC 8017,
// section 8.2.2), or Ed25519 over the hash itself (RFC 8463, section 3). The
// record must fit the algorithm.
func Verify(r *Record, a Algorithm, digest, signature []byte) error {
	switch key := r.Key.(type) {
	case *rsa.PublicKey:
		err := rsa.VerifyPKCS1v15(key, a.Hash(), digest, signature)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, rsa.ErrVerification):
			return ErrSignature
		case r.Bits < MinRSABits:
			// crypto/rsa has a floor of its own, which GODEBUG=rsa1024min=0 removes.
			return fmt.Errorf("%w: %w", ErrKeyShort, err)
		}
		return fmt.Errorf("%w: %w", ErrKeyUnsafe, err)
	case ed25519.PublicKey:
		// Verify refuses S >= L and a key that is no point of the curve.
		if len(signature) == ed25519.SignatureSize && ed25519.Verify(key, digest, signature) {
			return nil
		}
		return ErrSignature
	}
	return ErrKeyType
}
