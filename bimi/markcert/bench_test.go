package markcert_test

import (
	"os"
	"testing"
	"time"

	"github.com/seed2385d973/mailauth/bimi/markcert"
	tm "github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/seed2385d973/mailauth/internal/testcase"
	"github.com/stretchr/testify/require"
)

// BenchmarkVerify is one whole verification: a real chain with RSA keys of 4096
// bits, a chain of our own on P-256 with revocation, and two hostile files.
func BenchmarkVerify(b *testing.B) {
	run := func(name string, v markcert.Verifier, file []byte, names markcert.Names, want error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(file)))
			for b.Loop() {
				if r := v.Verify(b.Context(), file, names); (r.Err == nil) != (want == nil) {
					b.Fatal(r.Err)
				}
			}
		})
	}
	own := issue(b, tm.Spec{})
	v := strict(b, own)
	run("p256", v, own.PEM, exampleCom, nil)
	run("eleven", v, issue(b, tm.Spec{}, tm.ElevenCertificates).PEM, exampleCom, markcert.ErrTooManyCertificates)
	run("bomb", v, issue(b, tm.Spec{}, tm.LogoBomb).PEM, exampleCom, markcert.ErrLogotypeSize)
	real, err := os.ReadFile(testcase.Corpora(b, "bimi", "vmc", "ok-redsift-2021-entrust.pem"))
	require.NoError(b, err)
	run("rsa4096", markcert.Verifier{Revocation: markcert.RevocationOff,
		Now: func() time.Time { return time.Date(2021, 8, 1, 0, 0, 0, 0, time.UTC) }}, real, markcert.Names{Author: "redsift.com"}, nil)
}
