package aggregate_test

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// observe evaluates a message from example.com under a record.
func observe(t testing.TB, record string, spf, dkim authres.Status) aggregate.Observation {
	zone, err := dnstest.Parse(fmt.Sprintf(`{"_dmarc.example.com": {"TXT": [[%q]]}}`, record))
	require.NoError(t, err)
	author, err := dmarc.AuthorOf("example.com")
	require.NoError(t, err)
	v := dmarc.Verifier{Resolver: zone}
	r := v.Verify(context.Background(), author, dmarc.SPFIdentifier(spf, "example.com"), dmarc.DKIMIdentifier(dkim, "example.com", "s"))
	return aggregate.Observation{
		Time: noon, SourceIP: netip.MustParseAddr("192.0.2.1"), DMARC: r, EnvelopeFrom: "example.com",
		SPF: aggregate.SPFResult{Domain: "example.com", Result: spf}, DKIM: []aggregate.DKIMResult{{Domain: "example.com", Selector: "s", Result: dkim}},
	}
}

func collector(maxRows int) *aggregate.Collector {
	return &aggregate.Collector{Store: aggregate.NewMemory(maxRows), OrgName: "Receiver", Email: "dmarc@receiver.example", Submitter: "receiver.example"}
}

const rejectRecord = "v=DMARC1; p=reject; rua=mailto:rua@example.com"

// due returns the one report that is due, written and read back strictly.
func due(t *testing.T, c *aggregate.Collector) aggregate.Report {
	t.Helper()
	ctx := context.Background()
	list, err := c.Reports(ctx, noon.Add(24*time.Hour))
	require.NoError(t, err)
	require.Len(t, list, 1)
	r, err := list[0].Report(ctx)
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, aggregate.Write(&b, aggregate.RFC9990, &list[0].Header, list[0].Records(ctx)))
	require.NoError(t, validate(b.Bytes()))
	back, err := (&aggregate.Parser{Strict: true}).Read(&b)
	require.NoError(t, err)
	require.Equal(t, *r, back)
	return back
}

func TestCollector(t *testing.T) {
	ctx, c := context.Background(), collector(0)
	o := observe(t, rejectRecord, authres.Fail, authres.Pass)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 250 {
				if err := c.Add(ctx, o); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	list, err := c.Reports(ctx, noon)
	require.NoError(t, err)
	require.Empty(t, list, "the day is not over")
	r := due(t, c)
	require.Equal(t, time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), r.Begin)
	require.Equal(t, time.Date(2026, 11, 21, 23, 59, 59, 0, time.UTC), r.End)
	require.Len(t, r.ReportID, 32)
	require.Equal(t, aggregate.Policy{Domain: "example.com", P: "reject", SP: "reject", NP: "reject", ADKIM: "r", ASPF: "r", FO: "0", Testing: "n", Method: dmarc.TreeWalk}, r.Policy)
	require.Equal(t, []aggregate.Record{{
		SourceIP: netip.MustParseAddr("192.0.2.1"), Count: 2000, Disposition: aggregate.DispositionPass, DKIM: authres.Pass, SPF: authres.Fail,
		HeaderFrom: "example.com", EnvelopeFrom: "example.com",
		AuthDKIM: []aggregate.DKIMResult{{Domain: "example.com", Selector: "s", Result: authres.Pass}},
		AuthSPF:  []aggregate.SPFResult{{Domain: "example.com", Scope: "mfrom", Result: authres.Fail}},
	}}, r.Records)

	list, err = c.Reports(ctx, noon.Add(24*time.Hour))
	require.NoError(t, err)
	require.Equal(t, "rua@example.com", list[0].RUA[0].Address)
	require.NoError(t, list[0].Delete(ctx))
	list, err = c.Reports(ctx, noon.Add(24*time.Hour))
	require.NoError(t, err)
	require.Empty(t, list)
}

// TestCollectorGroups: another policy or day is another report, another result another row.
func TestCollectorGroups(t *testing.T) {
	ctx, c := context.Background(), collector(0)
	one := observe(t, rejectRecord, authres.Fail, authres.Pass)
	other := observe(t, "v=DMARC1; p=none; rua=mailto:rua@example.com", authres.Fail, authres.Pass)
	tomorrow := one
	tomorrow.Time = noon.Add(24 * time.Hour)
	moved := observe(t, "v=DMARC1; p=reject; rua=mailto:new@example.com", authres.Pass, authres.Pass)
	for _, o := range []aggregate.Observation{one, other, tomorrow, moved} {
		require.NoError(t, c.Add(ctx, o))
	}
	list, err := c.Reports(ctx, noon.Add(72*time.Hour))
	require.NoError(t, err)
	require.Len(t, list, 3)
	ids := map[string]bool{}
	rows := 0
	for _, p := range list {
		ids[p.Header.ReportID] = true
		r, err := p.Report(ctx)
		require.NoError(t, err)
		if rows += len(r.Records); len(r.Records) == 2 {
			require.Equal(t, "new@example.com", p.RUA[0].Address, "the latest rua counts")
		}
	}
	require.Len(t, ids, 3)
	require.Equal(t, 4, rows)
	for _, silent := range []string{"v=DMARC1; p=reject", "v=spf1"} {
		require.NoError(t, c.Add(ctx, observe(t, silent, authres.Fail, authres.Fail)))
	}
	list, err = c.Reports(ctx, noon.Add(72*time.Hour))
	require.NoError(t, err)
	require.Len(t, list, 3, "nobody asked for these")
}

// TestCollectorFull: what does not fit is counted apart, and said in the report.
func TestCollectorFull(t *testing.T) {
	ctx, c := context.Background(), collector(2)
	for i := range 5 {
		o := observe(t, rejectRecord, authres.Fail, authres.Pass)
		o.SourceIP = netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
		if err := c.Add(ctx, o); i < 2 {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, aggregate.ErrFull)
		}
	}
	o := observe(t, rejectRecord, authres.Fail, authres.Pass)
	require.NoError(t, c.Add(ctx, o), "a row that is there goes on counting")
	r := due(t, c)
	require.Equal(t, int64(3), r.Messages())
	require.Len(t, r.Errors, 1)
	require.Contains(t, r.Errors[0], "3 further messages")
}

// TestDisposition: RFC 9990, section 3.1.1.9, and decision 19.
func TestDisposition(t *testing.T) {
	pass, fail := authres.Pass, authres.Fail
	rua := "; rua=mailto:rua@example.com"
	for name, c := range map[string]struct {
		record   string
		dkim     authres.Status
		done     aggregate.Disposition
		override *dmarc.Override
		want     aggregate.Disposition
		reasons  []aggregate.Reason
	}{
		"pass under reject":     {"v=DMARC1; p=reject" + rua, pass, "none", nil, "pass", nil},
		"pass under none":       {"v=DMARC1; p=none" + rua, pass, "none", nil, "none", nil},
		"pass under test":       {"v=DMARC1; p=quarantine; t=y" + rua, pass, "none", nil, "pass", nil},
		"fail under none":       {"v=DMARC1; p=none" + rua, fail, "none", nil, "none", nil},
		"fail under quarantine": {"v=DMARC1; p=quarantine" + rua, fail, "quarantine", nil, "quarantine", nil},
		"fail under reject":     {"v=DMARC1; p=reject" + rua, fail, "reject", nil, "reject", nil},
		"not rejected":          {"v=DMARC1; p=reject" + rua, fail, "quarantine", nil, "quarantine", []aggregate.Reason{{Type: "local_policy", Comment: "not rejected on p=reject alone (RFC 9989, section 7.4)"}}},
		"let through":           {"v=DMARC1; p=reject" + rua, fail, "none", nil, "none", []aggregate.Reason{{Type: "local_policy"}}},
		"test mode":             {"v=DMARC1; p=quarantine; t=y" + rua, fail, "none", nil, "none", []aggregate.Reason{{Type: "policy_test_mode"}}},
		"test mode, reject":     {"v=DMARC1; p=reject; t=y" + rua, fail, "quarantine", nil, "quarantine", []aggregate.Reason{{Type: "policy_test_mode"}}},
		"override": {"v=DMARC1; p=reject" + rua, fail, "none", &dmarc.Override{Reason: dmarc.LocalPolicy, Comment: "arc=pass"}, "none",
			[]aggregate.Reason{{Type: "local_policy", Comment: "arc=pass"}}},
		"temperror": {"v=DMARC1; p=reject" + rua, authres.TempError, "none", nil, "none", []aggregate.Reason{{Type: "other", Comment: "dmarc=temperror"}}},
	} {
		t.Run(name, func(t *testing.T) {
			k := collector(0)
			o := observe(t, c.record, fail, c.dkim)
			o.Disposition, o.DMARC.Override = c.done, c.override
			require.NoError(t, k.Add(context.Background(), o))
			rec := due(t, k).Records[0]
			require.Equal(t, c.want, rec.Disposition)
			require.Equal(t, c.reasons, rec.Reasons)
		})
	}
}

// TestCollectorThreats is what the group REP of the threat matrix has on collecting.
func TestCollectorThreats(t *testing.T) {
	ctx := context.Background()
	t.Run("REP-16", func(t *testing.T) {
		c := collector(0)
		o := observe(t, rejectRecord, authres.Fail, authres.Pass)
		require.NoError(t, c.Add(ctx, o))
		o.EnvelopeFrom, o.SPF.Domain, o.DKIM[0].Domain, o.DKIM[0].Selector = "EXAMPLE.COM", "Example.Com", "eXample.com", "S"
		o.SourceIP = netip.MustParseAddr("::ffff:192.0.2.1")
		require.NoError(t, c.Add(ctx, o))
		r := due(t, c)
		require.Len(t, r.Records, 1)
		require.Equal(t, int64(2), r.Records[0].Count)
	})
	t.Run("REP-14", func(t *testing.T) {
		c := collector(0)
		o := observe(t, rejectRecord, authres.Fail, authres.Pass)
		o.EnvelopeFrom, o.DKIM[0].Selector = "a]]>&<\x00.example", "s\ufffe\xff"
		require.NoError(t, c.Add(ctx, o))
		list, err := c.Reports(ctx, noon.Add(24*time.Hour))
		require.NoError(t, err)
		r, err := list[0].Report(ctx)
		require.NoError(t, err)
		var b bytes.Buffer
		require.NoError(t, r.WriteXML(&b, aggregate.RFC9990))
		_, err = (&aggregate.Parser{Strict: true}).Read(&b)
		require.NoError(t, err)
	})
	t.Run("REP-17", func(t *testing.T) {
		c := collector(0)
		o := observe(t, rejectRecord, authres.Fail, authres.Pass)
		o.EnvelopeFrom = ""
		require.NoError(t, c.Add(ctx, o))
		require.True(t, due(t, c).Records[0].NullReversePath)
	})
	t.Run("many signatures", func(t *testing.T) {
		c := collector(0)
		o := observe(t, rejectRecord, authres.Fail, authres.Pass)
		good := o.DKIM[0]
		o.DKIM = nil
		for i := range 200 {
			o.DKIM = append(o.DKIM, aggregate.DKIMResult{Domain: fmt.Sprintf("d%d.example", i), Selector: "s", Result: authres.Fail})
		}
		o.DKIM = append(o.DKIM, aggregate.DKIMResult{Domain: "other.example", Selector: "s", Result: authres.Pass}, good)
		require.NoError(t, c.Add(ctx, o))
		got := due(t, c).Records[0].AuthDKIM
		require.Len(t, got, 100)
		require.Equal(t, good, got[0])
		require.Equal(t, "other.example", got[1].Domain)
		require.True(t, strings.HasPrefix(got[2].Domain, "d0."))
	})
}

func BenchmarkCollectorAdd(b *testing.B) {
	ctx, c := context.Background(), collector(0)
	o := observe(b, rejectRecord, authres.Fail, authres.Pass)
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Add(ctx, o); err != nil {
			b.Fatal(err)
		}
	}
}
