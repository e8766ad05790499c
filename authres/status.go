package authres

// Status is the outcome of one authentication method: the result word that
// goes into an Authentication-Results field (RFC 8601, section 2.7).
//
// The zero value is the empty string. It means that nothing was evaluated; it
// is not a pass, and it is not [None] either.
type Status string

// The registered result words. Each method uses some of them; the packages
// spf, dkim, dmarc and arc say which, and what each means there.
const (
	// None: the message or the domain asked for no authentication by this method.
	None Status = "none"
	// Pass: the method succeeded.
	Pass Status = "pass"
	// Fail: the method gave a definite negative answer.
	Fail Status = "fail"
	// SoftFail: SPF only, a negative answer that the domain does not stand behind (RFC 7208, section 8.5).
	SoftFail Status = "softfail"
	// Neutral: the domain, or a syntax problem, left the question open.
	Neutral Status = "neutral"
	// Policy: the method succeeded, but the receiver's own rules do not accept it.
	Policy Status = "policy"
	// TempError: the answer could not be had now; asking again later may give one.
	TempError Status = "temperror"
	// PermError: what the domain published, or the message itself, cannot be evaluated; asking again will not help.
	PermError Status = "permerror"
)

// String returns the word itself. The zero value prints as "unevaluated", so
// that it cannot be mistaken for a registered word in a log line.
func (s Status) String() string {
	if s == "" {
		return "unevaluated"
	}
	return string(s)
}
