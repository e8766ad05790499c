package records_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/records"
)

// kinds looks a domain up and lists the kinds of the findings about SPF.
func kinds(t *testing.T, zone string) (records.Report, map[string]bool) {
	t.Helper()
	r, err := records.Lookup(context.Background(), dnstest.MustParse(zone), "x.example")
	require.NoError(t, err)
	out := map[string]bool{}
	for _, f := range r.Findings {
		if f.Protocol == "spf" {
			out[f.Kind] = true
		}
	}
	return r, out
}

// TestLimits: each limit of a record is met and passed by one.
func TestLimits(t *testing.T) {
	includes := func(n int) string {
		zone := `x.example. TXT "v=spf1`
		for i := range n {
			zone += fmt.Sprintf(" include:i%d.example", i)
		}
		zone += " -all\"\n"
		for i := range n {
			zone += fmt.Sprintf("i%d.example. TXT \"v=spf1 ip4:192.0.2.%d -all\"\n", i, i)
		}
		return zone
	}
	r, found := kinds(t, includes(9))
	require.Empty(t, found)
	require.Equal(t, 9, r.SPF.Lookups)
	_, found = kinds(t, includes(10))
	require.Equal(t, map[string]bool{"no_lookups_left": true}, found)
	_, found = kinds(t, includes(11))
	require.Equal(t, map[string]bool{"too_many_lookups": true}, found)
	// The record itself is one of those that are read.
	_, found = kinds(t, includes(records.MaxSPFRecords-1))
	require.False(t, found["not_read"])
	_, found = kinds(t, includes(records.MaxSPFRecords))
	require.True(t, found["not_read"])

	voids := func(n int) string {
		return `x.example. TXT "v=spf1` + strings.Repeat(" a:gone.example", n) + " -all\"\n"
	}
	_, found = kinds(t, voids(2))
	require.False(t, found["too_many_voids"])
	_, found = kinds(t, voids(3))
	require.True(t, found["too_many_voids"])

	exchangers := func(n int) string {
		zone := "x.example. TXT \"v=spf1 mx -all\"\n"
		for i := range n {
			zone += fmt.Sprintf("x.example. MX 1 m%d.x.example.\nm%d.x.example. A 192.0.2.%d\n", i, i, i)
		}
		return zone
	}
	r, found = kinds(t, exchangers(10))
	require.Empty(t, found)
	require.Len(t, r.SPF.Networks, 10)
	_, found = kinds(t, exchangers(11))
	require.True(t, found["too_many_mx"])

	_, found = kinds(t, `x.example. TXT "v=spf1 ip4:10.0.0.0/9 ip4:11.0.0.0/10 -all"`+"\n")
	require.Empty(t, found)
	_, found = kinds(t, `x.example. TXT "v=spf1 ip4:10.0.0.0/8 -all"`+"\n")
	require.True(t, found["too_wide"])
}
