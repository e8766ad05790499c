package aggregate

import (
	"encoding/json"
	"net/netip"
	"strconv"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
)

// MarshalJSON writes the report as an object whose names are those of the XML.
// What is absent from the report is absent from it.
func (r Report) MarshalJSON() ([]byte, error) {
	p := r.Policy
	out := jsonReport{
		OrgName: r.OrgName, Email: r.Email, ExtraContact: r.ExtraContact, ReportID: r.ReportID,
		Begin: unix(r.Begin), End: unix(r.End), Version: r.Version, Errors: r.Errors, Generator: r.Generator,
		Policy: jsonPolicy{
			Domain: p.Domain, P: string(p.P), SP: string(p.SP), NP: string(p.NP), ADKIM: string(p.ADKIM), ASPF: string(p.ASPF),
			FO: p.FO, Testing: p.Testing, Method: string(p.Method),
		},
		Records: make([]jsonRecord, 0, len(r.Records)), Warnings: []string{},
	}
	if n, err := strconv.Atoi(p.Pct); err == nil {
		out.Policy.Pct = n
	} else if p.Pct != "" {
		out.Policy.Pct = p.Pct
	}
	for i := range r.Records {
		out.Records = append(out.Records, newJSONRecord(&r.Records[i]))
	}
	for _, w := range r.Warnings {
		out.Warnings = append(out.Warnings, w.String())
	}
	return json.Marshal(out)
}

// MarshalJSON writes the record as in a Report.
func (r Record) MarshalJSON() ([]byte, error) { return json.Marshal(newJSONRecord(&r)) }

func unix(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	n := t.Unix()
	return &n
}

type jsonReport struct {
	OrgName      string       `json:"org_name,omitempty"`
	Email        string       `json:"email,omitempty"`
	ExtraContact string       `json:"extra_contact_info,omitempty"`
	ReportID     string       `json:"report_id,omitempty"`
	Begin        *int64       `json:"begin,omitempty"`
	End          *int64       `json:"end,omitempty"`
	Version      string       `json:"version,omitempty"`
	Errors       []string     `json:"errors,omitempty"`
	Generator    string       `json:"generator,omitempty"`
	Policy       jsonPolicy   `json:"policy_published"`
	Records      []jsonRecord `json:"records"`
	Warnings     []string     `json:"warnings"`
}

type jsonPolicy struct {
	Domain  string `json:"domain,omitempty"`
	P       string `json:"p,omitempty"`
	SP      string `json:"sp,omitempty"`
	NP      string `json:"np,omitempty"`
	ADKIM   string `json:"adkim,omitempty"`
	ASPF    string `json:"aspf,omitempty"`
	FO      string `json:"fo,omitempty"`
	Pct     any    `json:"pct,omitempty"`
	Testing string `json:"testing,omitempty"`
	Method  string `json:"discovery_method,omitempty"`
}

type jsonRecord struct {
	SourceIP     string       `json:"source_ip"`
	Count        int64        `json:"count"`
	Disposition  string       `json:"disposition,omitempty"`
	DKIM         string       `json:"dkim,omitempty"`
	SPF          string       `json:"spf,omitempty"`
	Reasons      []jsonReason `json:"reasons,omitempty"`
	HeaderFrom   string       `json:"header_from,omitempty"`
	EnvelopeFrom *string      `json:"envelope_from,omitempty"`
	EnvelopeTo   string       `json:"envelope_to,omitempty"`
	AuthDKIM     []jsonDKIM   `json:"auth_dkim,omitempty"`
	AuthSPF      []jsonSPF    `json:"auth_spf,omitempty"`
}

type jsonReason struct {
	Type    string `json:"type,omitempty"`
	Comment string `json:"comment,omitempty"`
}

type jsonDKIM struct {
	Domain   string `json:"domain,omitempty"`
	Selector string `json:"selector,omitempty"`
	Result   string `json:"result,omitempty"`
	Human    string `json:"human_result,omitempty"`
}

type jsonSPF struct {
	Domain string `json:"domain,omitempty"`
	Scope  string `json:"scope,omitempty"`
	Result string `json:"result,omitempty"`
	Human  string `json:"human_result,omitempty"`
}

func newJSONRecord(r *Record) jsonRecord {
	out := jsonRecord{
		SourceIP: r.SourceIP.String(), Count: r.Count, Disposition: string(r.Disposition), DKIM: string(r.DKIM), SPF: string(r.SPF),
		HeaderFrom: r.HeaderFrom, EnvelopeTo: r.EnvelopeTo,
	}
	if r.EnvelopeFrom != "" || r.NullReversePath {
		from := r.EnvelopeFrom
		out.EnvelopeFrom = &from
	}
	for _, x := range r.Reasons {
		out.Reasons = append(out.Reasons, jsonReason{string(x.Type), x.Comment})
	}
	for _, d := range r.AuthDKIM {
		out.AuthDKIM = append(out.AuthDKIM, jsonDKIM{d.Domain, d.Selector, string(d.Result), d.HumanResult})
	}
	for _, s := range r.AuthSPF {
		out.AuthSPF = append(out.AuthSPF, jsonSPF{s.Domain, s.Scope, string(s.Result), s.HumanResult})
	}
	return out
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *Record) UnmarshalJSON(data []byte) error {
	var in jsonRecord
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	ip, err := netip.ParseAddr(in.SourceIP)
	if err != nil {
		return err
	}
	*r = Record{
		SourceIP: ip, Count: in.Count, Disposition: Disposition(in.Disposition), DKIM: authres.Status(in.DKIM), SPF: authres.Status(in.SPF),
		HeaderFrom: in.HeaderFrom, EnvelopeTo: in.EnvelopeTo,
	}
	if in.EnvelopeFrom != nil {
		r.EnvelopeFrom, r.NullReversePath = *in.EnvelopeFrom, *in.EnvelopeFrom == ""
	}
	for _, x := range in.Reasons {
		r.Reasons = append(r.Reasons, Reason{dmarc.OverrideReason(x.Type), x.Comment})
	}
	for _, d := range in.AuthDKIM {
		r.AuthDKIM = append(r.AuthDKIM, DKIMResult{d.Domain, d.Selector, authres.Status(d.Result), d.Human})
	}
	for _, s := range in.AuthSPF {
		r.AuthSPF = append(r.AuthSPF, SPFResult{s.Domain, s.Scope, authres.Status(s.Result), s.Human})
	}
	return nil
}
