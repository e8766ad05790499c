package mailauth_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/internal/dnsfault"
	"github.com/seed2385d973/mailauth/internal/testcase"
)

// TestDNSFaults is the lattice of DNS faults (CMP-12, DNS-06, DNS-07, DNS-10): every question
// that a message asks meets every fault in turn, through the real client and a server
// on loopback. What the evaluation makes of it is the section "verdicts" of each case
// of testdata/lattice, for a person to read: the verdict without a fault, then for each
// question what differs from it ("=": nothing), and by which faults; "no answer" stands for
// all those that say nothing about the zone (dnsfault.Fault.Transient).
//
// Besides, no fault that says nothing about the zone moves a verdict anywhere but to
// temperror, and none at all makes a message pass that did not.
func TestDNSFaults(t *testing.T) {
	for _, c := range testcase.Load(t, "testdata/lattice", caseKeys...) {
		t.Run(c.Name, func(t *testing.T) {
			w := load(t, c)
			base := faulty(t, w, "", dnsfault.None)
			require.Equal(t, verdict(w.evaluate(t)), base.words, "the client and the zone itself agree")
			var out strings.Builder
			fmt.Fprintf(&out, "%s\n", strings.Join(base.words, "  "))
			for i, cells := range everyFault(t, w, base.r.Queries) {
				q := base.r.Queries[i]
				fmt.Fprintf(&out, "\n%s\n", q)
				lines := map[string][]string{}
				var order []string
				for _, cell := range cells {
					require.Contains(t, cell.questions, q)
					require.LessOrEqual(t, len(cell.questions), 40)
					checkFault(t, c, q, base, cell)
					d := differences(base.words, cell.words)
					if lines[d] == nil {
						order = append(order, d)
					}
					lines[d] = append(lines[d], string(cell.fault))
				}
				for _, d := range order {
					fmt.Fprintf(&out, "  %s: %s\n", faultList(lines[d]), d)
				}
			}
			for _, q := range base.questions {
				if !slices.Contains(base.r.Queries, q) {
					require.Equal(t, base.words, faulty(t, w, q, dnsfault.ServFail).words, "%s was asked ahead", q)
				}
			}
			c.Check(t, "verdicts", out.String())
		})
	}
}

// faultList names the faults of a line, those that say nothing about the zone by one
// name if they are all there.
func faultList(faults []string) string {
	all := strings.Join(faults, " ") + " "
	var transient strings.Builder
	for _, f := range dnsfault.All() {
		if f.Transient() {
			transient.WriteString(string(f) + " ")
		}
	}
	return strings.TrimSpace(strings.Replace(all, transient.String(), "no answer ", 1))
}

// cell is what one fault at one question leads to.
type cell struct {
	fault     dnsfault.Fault
	r         *mailauth.Result
	words     []string
	questions []string
}

func faulty(t testing.TB, w *world, question string, f dnsfault.Fault) cell {
	s := dnsfault.Serve(t, w.zone, question, f)
	defer s.Close()
	r := w.with(s.Resolver()).evaluate(t)
	return cell{f, r, verdict(r), s.Questions()}
}

// everyFault lets each question meet each fault: in rows by question, in the order of dnsfault.All.
func everyFault(t testing.TB, w *world, questions []string) [][]cell {
	all := dnsfault.All()
	rows := make([][]cell, len(questions))
	var wg sync.WaitGroup
	places := make(chan struct{}, 8)
	for i, q := range questions {
		rows[i] = make([]cell, len(all))
		for j, f := range all {
			wg.Add(1)
			places <- struct{}{}
			go func() {
				defer wg.Done()
				rows[i][j] = faulty(t, w, q, f)
				<-places
			}()
		}
	}
	wg.Wait()
	return rows
}

// verdict is a result in the words of the golden files.
func verdict(r *mailauth.Result) []string {
	status := func(s authres.Status, err error, code string) string {
		if code == "" {
			code = errorCode(err)
		}
		if code == "" {
			return string(s)
		}
		return string(s) + "(" + code + ")"
	}
	out := []string{"spf=" + status(r.SPF.Status, r.SPF.Err, ""), "helo=" + status(r.SPFHELO.Status, r.SPFHELO.Err, "")}
	for i := range r.DKIM {
		d := &r.DKIM[i]
		out = append(out, "dkim:"+d.Signature.Domain+"="+status(d.Status, d.Err, ""))
	}
	if r.ARC.Status != authres.None {
		out = append(out, "arc="+status(r.ARC.Status, r.ARC.Err, r.ARC.Code()))
	}
	dmarc := "dmarc=" + status(r.DMARC.Status, r.DMARC.Err, "")
	if r.DMARC.Policy != "" {
		dmarc += "/p=" + string(r.DMARC.Policy)
	}
	if r.DMARC.Override != nil {
		dmarc += "/override"
	}
	out = append(out, dmarc)
	if r.BIMI != nil {
		out = append(out, "bimi="+status(r.BIMI.Status, r.BIMI.Err, ""))
	}
	reply := r.SMTPReply()
	return append(out, fmt.Sprintf("%s %d %s", r.Action, reply.Code, reply.Enhanced))
}

func errorCode(err error) string {
	var c interface {
		error
		Code() string
	}
	if errors.As(err, &c) {
		return c.Code()
	}
	return ""
}

func differences(base, words []string) string {
	var out []string
	for i, w := range words {
		if w != base[i] {
			out = append(out, w)
		}
	}
	if out == nil {
		return "="
	}
	return strings.Join(out, "  ")
}

// checkFault holds a cell against the rules.
func checkFault(t *testing.T, c testcase.Case, q string, base, got cell) {
	t.Helper()
	at := fmt.Sprintf("%s meets %s: %v", q, got.fault, got.words)
	b, r := base.r, got.r
	if got.fault.Transient() {
		moves := func(what string, from, to authres.Status, allowed ...authres.Status) {
			if from != to {
				require.Contains(t, append(allowed, authres.TempError), to, "%s: %s", what, at)
			}
		}
		var spf []authres.Status
		if c.Name == "spf-ptr" {
			spf = []authres.Status{authres.Fail} // RFC 7208, section 5.5
		}
		moves("spf", b.SPF.Status, r.SPF.Status, spf...)
		moves("helo", b.SPFHELO.Status, r.SPFHELO.Status)
		for i := range r.DKIM {
			moves("dkim", b.DKIM[i].Status, r.DKIM[i].Status)
		}
		moves("dmarc", b.DMARC.Status, r.DMARC.Status, spf...)
		if b.ARC.Status != r.ARC.Status {
			require.True(t, r.ARC.Temporary(), at) // decision 16
		}
		if b.BIMI != nil && b.BIMI.Status != r.BIMI.Status {
			require.NotEqual(t, authres.Pass, r.BIMI.Status, at)
		}
		if b.Action != r.Action && c.Name != "spf-ptr" {
			require.Equal(t, mailauth.Defer, r.Action, at)
		}
		return
	}
	if b.SPF.Status != authres.Pass {
		require.NotEqual(t, authres.Pass, r.SPF.Status, at)
	}
	for i := range r.DKIM {
		if b.DKIM[i].Status != authres.Pass {
			require.NotEqual(t, authres.Pass, r.DKIM[i].Status, at)
		}
	}
	gone := c.Name == "psd-n" && q == "TXT _dmarc.eu.bank.example." // its comment says why
	if b.DMARC.Status != authres.Pass && !(gone && slices.Contains([]dnsfault.Fault{dnsfault.NoData, dnsfault.NXDomain}, got.fault)) {
		require.NotEqual(t, authres.Pass, r.DMARC.Status, at)
	}
	if b.DMARC.Override == nil {
		require.Nil(t, r.DMARC.Override, at)
	}
}
