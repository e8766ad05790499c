package mailauth_test

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seed2385d973/mailauth"
	"github.com/seed2385d973/mailauth/bimi"
	"github.com/seed2385d973/mailauth/bimi/markcert/markcerttest"
	"github.com/seed2385d973/mailauth/dnsutil/dnstest"
	"github.com/seed2385d973/mailauth/message"
)

// onePage is a web of one document.
type onePage struct {
	url   string
	body  []byte
	asked int
}

func (w *onePage) Fetch(_ context.Context, _, url string, _ int64) ([]byte, string, error) {
	w.asked++
	if url != w.url {
		return nil, "", errors.New("404")
	}
	return w.body, "image/svg+xml", nil
}

func (w *onePage) FetchCRL(context.Context, string) ([]byte, error) {
	w.asked++
	return nil, errors.New("404")
}

func bimiZone(t *testing.T, policy string) *dnstest.Zone {
	t.Helper()
	z, err := dnstest.Parse(fmt.Sprintf(`{
		"bank.example": {"TXT": [["v=spf1 ip4:192.0.2.1 -all"]]},
		"_dmarc.bank.example": {"TXT": [["v=DMARC1; p=%s"]]},
		"default._bimi.bank.example": {"TXT": [["v=BIMI1; l=https://bank.example/logo.svg"]]}}`, policy))
	require.NoError(t, err)
	return z
}

func bimiMessage(header string) *mailauth.Message {
	return &mailauth.Message{
		Session: mailauth.Session{IP: netip.MustParseAddr("192.0.2.1"), HELO: "mx.bank.example", MailFrom: "a@bank.example", Receiver: "mx.example"},
		Data:    strings.NewReader(header + "From: <news@bank.example>\r\nSubject: x\r\n\r\nbody\r\n"),
	}
}

// TestBIMI: the whole way of a message, from its octets to the fields to add.
func TestBIMI(t *testing.T) {
	web := &onePage{url: "https://bank.example/logo.svg", body: markcerttest.SVG()}
	e := &mailauth.Evaluator{Resolver: bimiZone(t, "reject"), BIMI: &bimi.Verifier{Fetcher: web}}
	r, err := e.Evaluate(context.Background(), bimiMessage("BIMI-Indicator: forged\r\n"))
	require.NoError(t, err)
	require.Equal(t, bimi.Pass, r.BIMI.Status, "%v", r.BIMI.Err)
	require.Equal(t, []int{0}, r.Strip)
	require.Len(t, r.HeaderFields, 3)
	require.Contains(t, strings.ReplaceAll(r.HeaderFields[0], "\r\n", ""), "bimi=pass header.d=bank.example header.selector=default")
	require.True(t, strings.HasPrefix(r.HeaderFields[2], "BIMI-Indicator:"))
	require.Contains(t, r.Queries, "TXT default._bimi.bank.example.")
	require.Contains(t, r.Explain(), "BIMI     pass: an indicator of")
	data, err := json.Marshal(r)
	require.NoError(t, err)
	require.Contains(t, string(data), `"bimi":{"result":"pass","domain":"bank.example","selector":"default","location":"https://bank.example/logo.svg","authority":"none"`)

	// What the receiver adds is what the reader at the other end believes.
	delivered := strings.Join(r.HeaderFields, "") + "From: <news@bank.example>\r\n"
	logo, err := (&bimi.Reader{AuthservIDs: []string{"mx.example"}}).Read(parseHeader(t, delivered))
	require.NoError(t, err)
	require.Equal(t, markcerttest.SVG(), logo.SVG)
}

// TestBIMINotEligible: a message that is not eligible costs no question and no
// request; what it forges is stripped all the same, as it is without BIMI (Q1).
func TestBIMINotEligible(t *testing.T) {
	forged := "bimi-location : x\r\nSubject: a\r\nBIMI-Logo-Preference: x\r\nBIMI-Selector: v=BIMI1; s=a\r\n"
	web := &onePage{}
	for name, e := range map[string]*mailauth.Evaluator{
		"policy none": {Resolver: bimiZone(t, "none"), BIMI: &bimi.Verifier{Fetcher: web}},
		"no BIMI":     {Resolver: bimiZone(t, "reject")},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := e.Evaluate(context.Background(), bimiMessage(forged))
			require.NoError(t, err)
			require.Equal(t, []int{0, 2}, r.Strip)
			require.Len(t, r.HeaderFields, 1)
			require.Zero(t, web.asked)
			require.NotContains(t, strings.Join(r.Queries, " "), "_bimi")
			require.NotContains(t, strings.Join(e.Resolver.(*dnstest.Zone).Queries(), " "), "_bimi")
			if e.BIMI == nil {
				require.Nil(t, r.BIMI)
				return
			}
			require.Equal(t, bimi.Skipped, r.BIMI.Status)
			require.Contains(t, r.HeaderFields[0], "bimi=skipped")
		})
	}
}

// TestBIMIKeyPolicy is row BIM-27 of the threat matrix: a DKIM key that is refused
// is refused before BIMI, whatever stands behind the logo. With the key accepted the
// same message passes, with the selector that the signature covers.
func TestBIMIKeyPolicy(t *testing.T) { t.Run("BIM-27", keyPolicy) }

func keyPolicy(t *testing.T) {
	zone, err := dnstest.Parse(keyRecords(t).Replace(`
_dmarc.bank.example. TXT "v=DMARC1; p=reject"
sel._domainkey.bank.example. TXT {kb}
brand._bimi.bank.example. TXT "v=BIMI1; l=https://bank.example/logo.svg"
`))
	require.NoError(t, err)
	msg := sign(t, "kb d=bank.example s=sel h=from:subject:bimi-selector",
		"BIMI-Selector: v=BIMI1; s=brand\r\nFrom: <news@bank.example>\r\nSubject: x\r\n\r\nbody\r\n")
	web := &onePage{url: "https://bank.example/logo.svg", body: markcerttest.SVG()}
	e := &mailauth.Evaluator{Resolver: zone, BIMI: &bimi.Verifier{Fetcher: web, RequireDKIM: true}}
	evaluate := func() *mailauth.Result {
		r, err := e.Evaluate(context.Background(), &mailauth.Message{Session: mailauth.Session{Time: receipt}, Data: strings.NewReader(msg)})
		require.NoError(t, err)
		return r
	}
	r := evaluate()
	require.Equal(t, bimi.Pass, r.BIMI.Status, "%v", r.BIMI.Err)
	require.Equal(t, "brand", r.BIMI.Selector)
	web.asked = 0
	e.DKIM.KeyPolicy = func(crypto.PublicKey) error { return errors.New("known to be compromised") }
	r = evaluate()
	require.Equal(t, bimi.Skipped, r.BIMI.Status)
	require.Zero(t, web.asked)
}

func parseHeader(t *testing.T, text string) *message.Header {
	t.Helper()
	h, err := message.ParseHeader([]byte(text))
	require.NoError(t, err)
	return h
}
