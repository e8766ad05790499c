package mailauth_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dnsutil"
	"github.com/seed2385d973/mailauth/internal/testcase"
	"github.com/seed2385d973/mailauth/message"
)

const errServfail = dnsutil.ErrServFail

func methodOf(s string) dmarc.Method { return dmarc.Method(s) }

// TestEvaluate runs the cases of testdata: whole messages with their DNS. The
// result, the story and the questions are compared to the letter.
func TestEvaluate(t *testing.T) {
	for _, c := range testcase.Load(t, "testdata", caseKeys...) {
		t.Run(c.Name, func(t *testing.T) {
			w := load(t, c)
			r := w.evaluate(t)
			c.Check(t, "want", pretty(t, r))
			c.Check(t, "story", r.Explain())
			for line := range strings.Lines(r.Explain()) {
				require.LessOrEqual(t, len(line), 100, line)
			}
		})
	}
}

// TestP7Chunks: the result is the same whatever the chunking, and whatever torture
// reader the message comes from.
func TestP7Chunks(t *testing.T) {
	for _, c := range testcase.Load(t, "testdata", caseKeys...) {
		t.Run(c.Name, func(t *testing.T) {
			w := load(t, c)
			want := pretty(t, w.evaluate(t))
			readers := map[string]func(io.Reader) io.Reader{
				"one byte": iotest.OneByteReader, "half": iotest.HalfReader, "data and EOF": iotest.DataErrReader,
			}
			for name, torture := range readers {
				r, err := w.evaluator.Evaluate(context.Background(), &mailauth.Message{Session: w.session, Data: torture(bytes.NewReader(w.message))})
				require.NoError(t, err)
				require.Equal(t, want, pretty(t, r), name)
			}
			rng := rand.New(rand.NewPCG(1, 2))
			ev := w.evaluator.Start(context.Background(), w.session)
			for rest := w.message; len(rest) > 0; {
				n := min(1+rng.IntN(97), len(rest))
				k, err := ev.Write(rest[:n])
				require.NoError(t, err)
				require.Equal(t, n, k)
				rest = rest[n:]
			}
			r, err := ev.Finish()
			require.NoError(t, err)
			require.Equal(t, want, pretty(t, r))
		})
	}
}

// TestP14SameInputSameResult: no dependence on the order of goroutines or of maps.
func TestP14SameInputSameResult(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, c := range testcase.Load(t, "testdata", caseKeys...) {
		w := load(t, c)
		want := pretty(t, w.evaluate(t))
		for _, procs := range []int{1, 16} {
			runtime.GOMAXPROCS(procs)
			for i := range 10 {
				w.evaluator.Resolver = w.zone.Shuffled(uint64(i))
				require.Equal(t, want, pretty(t, w.evaluate(t)), c.Name)
			}
		}
	}
}

// TestSpeculationChangesNothing: with and without asking ahead the result is the same.
func TestSpeculationChangesNothing(t *testing.T) {
	for _, c := range testcase.Load(t, "testdata", caseKeys...) {
		w := load(t, c)
		want := pretty(t, w.evaluate(t))
		w.evaluator.DNS.Speculative = -1
		require.Equal(t, want, pretty(t, w.evaluate(t)), c.Name)
		w.evaluator.DNS.Parallel = 1
		require.Equal(t, want, pretty(t, w.evaluate(t)), c.Name)
	}
}

// TestP9DNSErrorsMoveOnlyToTempError (CMP-12): DNS errors may move a verdict to temperror, and nowhere else.
func TestP9DNSErrorsMoveOnlyToTempError(t *testing.T) {
	for _, c := range testcase.Load(t, "testdata", caseKeys...) {
		t.Run(c.Name, func(t *testing.T) {
			w := load(t, c)
			base := w.evaluate(t)
			queries := base.Queries
			for mask := 1; mask < 1<<min(len(queries), 7); mask++ {
				zone := w.zone
				for i, q := range queries {
					if mask&(1<<i) != 0 {
						_, name, _ := strings.Cut(q, " ")
						zone = zone.WithFault(strings.TrimSuffix(name, "."), 0, errServfail)
					}
				}
				w.evaluator.Resolver = zone
				r := w.evaluate(t)
				if r.DMARC.Status != base.DMARC.Status {
					require.Equal(t, authres.TempError, r.DMARC.Status, "mask %b of %v", mask, queries)
				} else if r.DMARC.Status != authres.TempError {
					require.Equal(t, base.DMARC.Policy, r.DMARC.Policy, "mask %b of %v", mask, queries)
				}
				if r.SPF.Status != base.SPF.Status {
					require.Equal(t, authres.TempError, r.SPF.Status)
				}
				for i := range r.DKIM {
					if r.DKIM[i].Status != base.DKIM[i].Status {
						require.Equal(t, authres.TempError, r.DKIM[i].Status)
					}
				}
			}
		})
	}
}

// TestP4CasesUnsignedFieldsNeverHelp (CMP-10): a header field added anywhere, unsigned,
// never turns a failure into a pass.
func TestP4CasesUnsignedFieldsNeverHelp(t *testing.T) {
	extra := []string{
		"From: <ceo@bank.example>\r\n", "X-Any: thing\r\n", "Sender: <ceo@bank.example>\r\n", "from : a@attack.example\r\n",
		"Resent-From: <ceo@bank.example>\r\n", "DKIM-Signature: v=1; a=rsa-sha256; d=bank.example; s=sel; h=from; bh=; b=\r\n",
		"Authentication-Results: mx.victim.example; dmarc=pass header.from=bank.example\r\n",
		"Received-SPF: pass (x) identity=mailfrom; envelope-from=a@bank.example\r\n",
		"ARC-Authentication-Results: i=1; mx.attack.example; dmarc=pass\r\n", "\r\n", " folded\r\n", "X-A: b\nFrom: <ceo@bank.example>\r\n",
	}
	for _, c := range testcase.Load(t, "testdata", caseKeys...) {
		t.Run(c.Name, func(t *testing.T) {
			w := load(t, c)
			base := w.evaluate(t)
			head, _, _ := bytes.Cut(w.message, []byte("\r\n\r\n"))
			starts := []int{0}
			for i := 0; i+2 < len(head); i++ {
				if head[i] == '\r' && head[i+1] == '\n' && head[i+2] != ' ' && head[i+2] != '\t' {
					starts = append(starts, i+2)
				}
			}
			original := w.message
			for _, x := range extra {
				for _, at := range starts {
					if at == 0 && len(base.HeaderFields) == 0 {
						continue // a line of white space on top becomes part of what is put above it
					}
					w.message = slicesInsert(original, at, x)
					r := w.evaluate(t)
					if base.DMARC.Status != authres.Pass {
						require.NotEqual(t, authres.Pass, r.DMARC.Status, "%q at %d", x, at)
					}
				}
			}
		})
	}
}

func slicesInsert(b []byte, at int, s string) []byte {
	return append(append(append([]byte(nil), b[:at]...), s...), b[at:]...)
}

// TestP4JunkSignatures (CMP-11): signatures that are junk do not change what an
// aligned valid one gives.
func TestP4JunkSignatures(t *testing.T) {
	junk := "DKIM-Signature: v=1; a=rsa-sha256; d=attack.example; s=sel; h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=" +
		strings.Repeat("QUJD", 85) + "\r\n"
	for _, c := range testcase.Load(t, "testdata", caseKeys...) {
		w := load(t, c)
		base := w.evaluate(t)
		if base.Author.Err() != nil {
			continue // nothing to keep
		}
		original := w.message
		for _, n := range []int{1, 10, 63} {
			w.message = slicesInsert(original, 0, strings.Repeat(junk, n))
			r := w.evaluate(t)
			require.Equal(t, base.DMARC.Status, r.DMARC.Status, "%s with %d", c.Name, n)
		}
	}
}

// TestP12Prepended (P12, CMP-06): our field on top of the message gives a message
// with exactly one field more, which is ours.
func TestP12Prepended(t *testing.T) {
	for _, c := range testcase.Load(t, "testdata", caseKeys...) {
		t.Run(c.Name, func(t *testing.T) {
			w := load(t, c)
			r := w.evaluate(t)
			before, err := message.Parse(w.message)
			require.NoError(t, err)
			after, err := message.Parse(append([]byte(strings.Join(r.HeaderFields, "")), w.message...))
			require.NoError(t, err)
			require.Equal(t, before.Header().Len()+len(r.HeaderFields), after.Header().Len())
			if len(r.HeaderFields) == 0 {
				require.Equal(t, message.LeadingSpace, before.Header().Findings()[0].Defect)
				return
			}
			f := after.Header().Field(0)
			require.True(t, f.Is("Authentication-Results"))
			got, err := authres.Parse(f.Value())
			require.NoError(t, err)
			require.Equal(t, r.AuthenticationResults().String(), got.String())
			require.Equal(t, []int{0}, authres.Forged(after.Header(), "mx.victim.example")[:1])
		})
	}
}
