package dmarc

// Section returns where the rule behind e stands, such as "RFC 9989, section
// 4.4"; "" where it is a limit of ours or e is no constant of this package.
func (e Error) Section() string {
	switch e {
	case ErrFromMissing, ErrFromRepeated, ErrFromHidden, ErrFromEmpty, ErrFromDomain, ErrFromDomains, ErrFromDefect, ErrNoAuthor:
		return "RFC 9989, section 5.3.1"
	case ErrFromSyntax:
		return "RFC 5322, section 3.6.2"
	case ErrNotDMARC, ErrURI:
		return "RFC 9989, section 4.7"
	case ErrDuplicateTag:
		return "RFC 6376, section 3.2"
	case ErrPolicy, ErrNoRecord:
		return "RFC 9989, section 4.10.1"
	case ErrNotAuthenticated, ErrNotAligned:
		return "RFC 9989, section 4.4"
	case ErrDNS, ErrIdentifier:
		return "RFC 9989, section 5.3.6"
	}
	return ""
}
