package spf

import (
	"encoding/json"
	"log/slog"
)

// Code returns the name of the constant error at the root of Err, such as
// "ErrLookups"; "" for a pass.
func (r Result) Code() string {
	if r.Err == nil {
		return ""
	}
	return rootOf(r.Err).Code()
}

// MarshalJSON writes the result as the object that the command mailauth prints
// for spf: result, identity, domain, mechanism, explanation, lookups,
// void_lookups, code and error. What does not apply is absent, but for error,
// which is empty for a pass.
func (r Result) MarshalJSON() ([]byte, error) {
	out := struct {
		Result      string   `json:"result"`
		Identity    Identity `json:"identity,omitempty"`
		Domain      string   `json:"domain,omitempty"`
		Mechanism   string   `json:"mechanism,omitempty"`
		Explanation string   `json:"explanation,omitempty"`
		Lookups     int      `json:"lookups"`
		VoidLookups int      `json:"void_lookups"`
		Code        string   `json:"code,omitempty"`
		Error       string   `json:"error"`
	}{
		Result: string(r.Status), Identity: r.Identity, Domain: r.Domain,
		Mechanism: r.Match.Mechanism, Explanation: r.Explanation,
		Lookups: r.Lookups, VoidLookups: r.VoidLookups, Code: r.Code(),
	}
	if r.Err != nil {
		out.Error = r.Err.Error()
	}
	return json.Marshal(out)
}

// LogValue implements [slog.LogValuer]: the facts of MarshalJSON, without the explanation.
func (r Result) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("result", r.Status.String()),
		slog.String("identity", string(r.Identity)),
		slog.String("domain", r.Domain),
		slog.String("mechanism", r.Match.Mechanism),
		slog.Int("lookups", r.Lookups),
		slog.Int("void_lookups", r.VoidLookups),
	}
	if r.Err != nil {
		attrs = append(attrs, slog.String("code", r.Code()), slog.String("error", r.Err.Error()))
	}
	return slog.GroupValue(attrs...)
}
