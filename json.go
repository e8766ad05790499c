package mailauth

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/seed2385d973/mailauth/arc"
	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/bimi"
	"github.com/seed2385d973/mailauth/dkim"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/spf"
)

// codeOf returns the name of the constant error at the root of err.
func codeOf(err error) string {
	var c interface {
		error
		Code() string
	}
	if errors.As(err, &c) {
		return c.Code()
	}
	return ""
}

// jsonARC is arc.Result's own object with what only the receiver's list can say.
type jsonARC struct {
	Result     authres.Status `json:"result"`
	Instance   int            `json:"instance,omitempty"`
	OldestPass *int           `json:"oldest_pass,omitempty"`
	Sealers    []string       `json:"sealers,omitempty"`
	Trusted    *bool          `json:"trusted,omitempty"`
	Code       string         `json:"code,omitempty"`
	Error      string         `json:"error"`
}

func (r *Result) jsonARC() jsonARC {
	j := jsonARC{Result: r.ARC.Status, Instance: r.ARC.Instance, Sealers: r.ARC.Sealers(), Code: r.ARC.Code()}
	if r.ARC.Status == arc.Pass {
		j.OldestPass, j.Trusted = &r.ARC.OldestPass, &r.ARCTrusted
	}
	if r.ARC.Err != nil {
		j.Error = r.ARC.Err.Error()
	}
	return j
}

type jsonResult struct {
	SPF     spf.Result    `json:"spf"`
	SPFHELO spf.Result    `json:"spf_helo"`
	DKIM    []dkim.Result `json:"dkim"`
	ARC     jsonARC       `json:"arc"`
	DMARC   dmarc.Result  `json:"dmarc"`
	BIMI    *bimi.Result  `json:"bimi,omitempty"`
	Action  Action        `json:"action"`
	SMTP    struct {
		Code     int    `json:"code"`
		Enhanced string `json:"enhanced"`
		Text     string `json:"text"`
	} `json:"smtp"`
	Defects               []string `json:"defects"`
	Strip                 []int    `json:"strip"`
	AuthenticationResults string   `json:"authentication_results"`
	Queries               []string `json:"queries"`
}

// MarshalJSON writes the object that the command mailauth prints for op evaluate.
// authentication_results is the field's value on one line, empty where there are no
// HeaderFields.
func (r *Result) MarshalJSON() ([]byte, error) {
	out := jsonResult{
		SPF: r.SPF, SPFHELO: r.SPFHELO,
		DKIM: r.DKIM, ARC: r.jsonARC(), DMARC: r.DMARC, BIMI: r.BIMI, Action: r.Action,
		Defects: []string{}, Strip: r.Strip, Queries: r.Queries,
	}
	if len(r.HeaderFields) > 0 {
		out.AuthenticationResults = strings.ReplaceAll(r.AuthenticationResults().String(), "\r\n", "")
	}
	reply := r.SMTPReply()
	out.SMTP.Code, out.SMTP.Enhanced, out.SMTP.Text = reply.Code, reply.Enhanced, reply.Text
	seen := map[string]bool{}
	for _, f := range r.Defects {
		if d := string(f.Defect); !seen[d] {
			seen[d] = true
			out.Defects = append(out.Defects, d)
		}
	}
	// Empty lists, not null: a reader in another language should not have to ask.
	if out.DKIM == nil {
		out.DKIM = []dkim.Result{}
	}
	if out.Strip == nil {
		out.Strip = []int{}
	}
	if out.Queries == nil {
		out.Queries = []string{}
	}
	return json.Marshal(out)
}
