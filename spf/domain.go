package spf

// MailFromDomain returns the domain that [Verifier.MailFrom] will check, which is
// known before the check is done: A-labels, lower case, "" if there is none. It is
// for callers that want to ask the DNS about it meanwhile.
func (s Session) MailFromDomain() string {
	host := s.HELO
	if s.MailFrom != "" {
		var e Error
		if _, host, e = splitSender(s.MailFrom); e != "" {
			return ""
		}
	}
	n, ok := checkable(host, MailFrom, s.MailFrom == "")
	if !ok {
		return ""
	}
	return n.String()
}
