package dmarc

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/seed2385d973/mailauth/authres"
)

// Code returns the name of the constant at the root of Err, such as
// "ErrNotAligned"; "" if there is none.
func (r *Result) Code() string {
	var e Error
	if errors.As(r.Err, &e) {
		return e.Code()
	}
	return ""
}

// AmbiguousAuthor reports whether the result is PermError because the message has
// no author domain that could be relied on (decision 6): none, more than one, or
// a header in which another reader could see another. Treating such a message as
// one whose domain has no policy would let any forger through.
func (r *Result) AmbiguousAuthor() bool {
	return r.Status == authres.PermError &&
		(strings.HasPrefix(r.Code(), "ErrFrom") || errors.Is(r.Err, ErrNoAuthor))
}

type jsonPublished struct {
	P     Policy `json:"p"`
	SP    Policy `json:"sp,omitempty"`
	NP    Policy `json:"np,omitempty"`
	ADKIM Mode   `json:"adkim"`
	ASPF  Mode   `json:"aspf"`
	T     string `json:"t"`
	PSD   PSD    `json:"psd"`
	Pct   string `json:"pct,omitempty"`
}

// MarshalJSON writes the result as the object that the command mailauth prints
// for dmarc: result, domain, policy_domain, org_domain, method, published,
// policy, spf_aligned, dkim_aligned, override, code and error. What is not
// known or does not apply is absent; published has the defaults of adkim, aspf, t
// and psd filled in.
func (r Result) MarshalJSON() ([]byte, error) {
	out := struct {
		Result       string         `json:"result"`
		Domain       string         `json:"domain,omitempty"`
		PolicyDomain string         `json:"policy_domain,omitempty"`
		OrgDomain    string         `json:"org_domain,omitempty"`
		Method       Method         `json:"method,omitempty"`
		Published    *jsonPublished `json:"published,omitempty"`
		Policy       Policy         `json:"policy,omitempty"`
		SPFAligned   bool           `json:"spf_aligned"`
		DKIMAligned  bool           `json:"dkim_aligned"`
		Override     OverrideReason `json:"override,omitempty"`
		Code         string         `json:"code,omitempty"`
		Error        string         `json:"error"`
	}{
		Result: string(r.Status), Domain: r.Domain, PolicyDomain: r.PolicyDomain,
		OrgDomain: r.OrganizationalDomain, Method: r.Method, Policy: r.Policy,
		SPFAligned: r.SPFAligned, DKIMAligned: r.DKIMAligned, Code: r.Code(),
	}
	if !r.Record.IsZero() {
		p := &jsonPublished{
			P: r.Record.P, SP: r.Record.SP, NP: r.Record.NP,
			ADKIM: r.Record.ADKIM, ASPF: r.Record.ASPF, T: "n", PSD: r.Record.PSD,
		}
		if r.Record.T {
			p.T = "y"
		}
		if r.Record.Pct >= 0 {
			p.Pct = strconv.Itoa(r.Record.Pct)
		}
		out.Published = p
	}
	if r.Override != nil {
		out.Override = r.Override.Reason
	}
	if r.Err != nil {
		out.Error = r.Err.Error()
	}
	return json.Marshal(out)
}
