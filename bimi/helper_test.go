package bimi

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	msg "github.com/seed2385d973/mailauth/message"
)

// records makes a DNS of TXT records by name: texts separated by "|", or "servfail",
// "nodata", "cname target", "caa 0 issuevmc ca.example|128 other x".
func records(t testing.TB, m map[string]string) *dnstest.Zone {
	t.Helper()
	out := map[string]any{}
	for name, text := range m {
		target, alias := strings.CutPrefix(text, "cname ")
		property, caa := strings.CutPrefix(text, "caa ")
		switch {
		case caa:
			var list [][]any
			for s := range strings.SplitSeq(property, "|") {
				f := strings.SplitN(s, " ", 3)
				flags, err := strconv.Atoi(f[0])
				require.NoError(t, err)
				list = append(list, []any{flags, f[1], f[2]})
			}
			out[name] = map[string]any{"CAA": list}
		case text == "servfail":
			out[name] = map[string]any{"error": "servfail"}
		case text == "nodata":
			out[name] = map[string]any{"TXT_rcode": "nodata"}
		case alias:
			out[name] = map[string]any{"CNAME": target}
		default:
			var list [][]string
			for s := range strings.SplitSeq(text, "|") {
				list = append(list, []string{s})
			}
			out[name] = map[string]any{"TXT": list}
		}
	}
	data, err := json.Marshal(out)
	require.NoError(t, err)
	z, err := dnstest.Parse(string(data))
	require.NoError(t, err)
	return z
}

// zone is a DNS in which example.com has a DMARC record.
func zone(record string) map[string]string { return map[string]string{"_dmarc.example.com": record} }

// covers is a list of covered fields.
type covers map[int]bool

func (c covers) Covers(i int) bool { return c[i] }

// signed is a good signature of example.com that covers some fields.
func signed(fields ...int) Signature {
	c := covers{}
	for _, i := range fields {
		c[i] = true
	}
	return Signature{Status: authres.Pass, Domain: "example.com", Coverage: c}
}

// mail is a message from the domain, evaluated by DMARC in that DNS. extra is put on
// top of its header; if it has a From field that is the only one, unless it begins
// with one for a second.
func mail(t testing.TB, z map[string]string, from, extra string, sigs ...Signature) *Message {
	t.Helper()
	text := extra
	if !strings.Contains(extra, "From: a@") {
		text += "From: News <news@" + from + ">\r\n"
	}
	h, err := msg.ParseHeader([]byte(text + "Subject: x\r\n"))
	require.NoError(t, err)
	author, _ := dmarc.AuthorDomain(h)
	var ids []dmarc.Identifier
	for i := range sigs {
		if !strings.HasSuffix(from, "example.com") {
			sigs[i].Domain = from
		}
		ids = append(ids, dmarc.DKIMIdentifier(sigs[i].Status, sigs[i].Domain, "s"))
	}
	v := dmarc.Verifier{Resolver: records(t, z)}
	if from == "sub.example.com" && strings.Contains(z["_dmarc.sub.example.com"], "psd=n") {
		sigs[0].Domain = from
		ids[0] = dmarc.DKIMIdentifier(authres.Pass, from, "s")
	}
	return &Message{Header: h, Author: author, DMARC: v.Verify(context.Background(), author, ids...), Signatures: sigs}
}

// eligible is a message that is, with that header.
func eligible(t testing.TB, header string, sigs ...Signature) *Message {
	t.Helper()
	m := mail(t, zone("v=DMARC1; p=reject"), "example.com", header, sigs...)
	return m
}

// spfOnly makes SPF what a message passed by.
func spfOnly(m *Message) {
	m.Signatures = nil
	m.DMARC.DKIMAligned, m.DMARC.SPFAligned = false, true
}
