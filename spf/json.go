package spf

import (
	"encoding/json"
	"errors"
)

// Code returns the name of the constant at the root of Err, such as
// "ErrLookups"; "" if there is none.
func (r *Result) Code() string {
	var e Error
	if errors.As(r.Err, &e) {
		return e.Code()
	}
	return ""
}

// MarshalJSON writes the result as the object that the command mailauth prints
// for a check: result, identity, domain, mechanism, explanation, lookups,
// void_lookups, code and error. What is unknown is absent.
func (r Result) MarshalJSON() ([]byte, error) {
	out := struct {
		Result      string `json:"result"`
		Identity    string `json:"identity,omitempty"`
		Domain      string `json:"domain,omitempty"`
		Mechanism   string `json:"mechanism,omitempty"`
		Explanation string `json:"explanation,omitempty"`
		Lookups     int    `json:"lookups"`
		VoidLookups int    `json:"void_lookups"`
		Code        string `json:"code,omitempty"`
		Error       string `json:"error"`
	}{
		Result: string(r.Status), Identity: string(r.Identity), Domain: r.Domain,
		Mechanism: r.Match.Mechanism, Explanation: r.Explanation,
		Lookups: r.Lookups, VoidLookups: r.VoidLookups, Code: r.Code(),
	}
	if r.Err != nil {
		out.Error = r.Err.Error()
	}
	return json.Marshal(out)
}
