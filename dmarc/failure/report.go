package failure

import (
	"encoding/json"
	"net/netip"
	"strings"
	"time"
)

// Report is one failure report. Absent fields are zero.
type Report struct {
	FeedbackType string // "auth-failure"
	UserAgent    string
	Version      string
	// AuthFailure is "dmarc", or what else failed (RFC 6591, section 3.3), in lower case.
	AuthFailure string
	// IdentityAlignment lists the mechanisms that failed to authenticate an aligned
	// identity, or is the one word "none" (RFC 9991, section 4). Lower case.
	IdentityAlignment []string
	DeliveryResult    string // delivered, spam, policy, reject, other

	ReportedDomains       []string
	ReportedURIs          []string
	AuthenticationResults []string
	SourceIP              netip.Addr
	SourcePort            uint16 // RFC 6692, section 3
	// ArrivalDate is the field as written, Arrived what it says, zero if that is unclear.
	ArrivalDate        string
	Arrived            time.Time
	OriginalEnvelopeID string
	// OriginalMailFrom is without angle brackets. NullReversePath says that it was there and empty.
	OriginalMailFrom string
	NullReversePath  bool
	OriginalRcptTo   []string // without angle brackets
	ReportingMTA     string
	Incidents        uint32 // how many this one stands for; 0 if it does not say, which means 1

	DKIMDomain, DKIMIdentity, DKIMSelector string
	// CanonicalizedHeader and CanonicalizedBody are what a verifier hashed (RFC 6591, section 3.2.4).
	CanonicalizedHeader, CanonicalizedBody []byte
	SPFDNS                                 []SPFRecord

	// Original is the third part: the message that failed, or its header where
	// HeaderOnly is set. It may be dangerous: do not open it where mail is opened.
	Original   []byte
	HeaderOnly bool

	Warnings []Warning
}

// SPFRecord is one SPF record that was used (RFC 6591, section 3.2.6).
type SPFRecord struct {
	Type, Domain, Record string
	// Text is the value of the field as it was written.
	Text string
}

// OriginalHeader returns the header of the message that failed, as reported.
func (r *Report) OriginalHeader() []byte {
	for i := 0; i < len(r.Original); i++ {
		if r.Original[i] != '\n' {
			continue
		}
		rest := r.Original[i+1:]
		if len(rest) > 0 && rest[0] == '\n' || len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n' {
			return r.Original[:i+1]
		}
	}
	return r.Original
}

// MarshalJSON writes the report as an object. What is absent from the report is
// absent from it.
func (r Report) MarshalJSON() ([]byte, error) {
	out := map[string]any{"warnings": []string{}}
	set := func(name, v string) {
		if v != "" {
			out[name] = v
		}
	}
	list := func(name string, v []string) {
		if len(v) > 0 {
			out[name] = v
		}
	}
	set("feedback_type", r.FeedbackType)
	set("user_agent", r.UserAgent)
	set("version", r.Version)
	set("auth_failure", r.AuthFailure)
	list("identity_alignment", r.IdentityAlignment)
	if len(r.ReportedDomains) > 0 {
		set("reported_domain", r.ReportedDomains[0])
	}
	if r.SourceIP.IsValid() {
		out["source_ip"] = r.SourceIP.String()
	}
	set("arrival_date", r.ArrivalDate)
	if r.OriginalMailFrom != "" || r.NullReversePath {
		out["original_mail_from"] = r.OriginalMailFrom
	}
	list("original_rcpt_to", r.OriginalRcptTo)
	set("original_envelope_id", r.OriginalEnvelopeID)
	set("authentication_results", strings.Join(r.AuthenticationResults, "\n"))
	set("delivery_result", r.DeliveryResult)
	set("dkim_domain", r.DKIMDomain)
	set("dkim_identity", r.DKIMIdentity)
	set("dkim_selector", r.DKIMSelector)
	var spf []string
	for _, s := range r.SPFDNS {
		spf = append(spf, s.Text)
	}
	list("spf_dns", spf)
	set("original_headers", string(r.OriginalHeader()))
	if r.Incidents > 0 {
		out["incidents"] = r.Incidents
	}
	var warnings []string
	for _, w := range r.Warnings {
		warnings = append(warnings, w.String())
	}
	list("warnings", warnings)
	return json.Marshal(out)
}
