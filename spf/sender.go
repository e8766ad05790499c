package spf

import (
	"strings"
	"unicode/utf8"

	"github.com/seed2385d973/mailauth/internal/domain"
)

const postmaster = "postmaster"

// splitSender takes a reverse-path apart. It returns the local-part,
// "postmaster" if there is none (RFC 7208, section 4.3), and the domain as
// written. ErrDomain: there is no domain. ErrSender: see below.
//
// What stands left of the "@" decides nothing in most checks, and clients put
// odd things there; so it is read leniently, spaces and all, as long as every
// reader would find the same "@". Where one reader could see another domain the
// answer is permerror and not a guess (RFC 7208, section 2.2).
func splitSender(s string) (local, host string, e Error) {
	if len(s) > 4*maxName+maxRoute {
		return "", "", ErrSender
	}
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7f || s[i] == '<' || s[i] == '>' {
			return "", "", ErrSender
		}
	}
	s, routed, ok := cutRoute(s)
	if !ok {
		return "", "", ErrSender
	}
	end := 0
	if strings.HasPrefix(s, `"`) {
		if end = quotedEnd(s); end < 0 {
			return "", "", ErrSender
		}
		if end < len(s) && s[end] != '@' {
			return "", "", ErrSender
		}
	} else {
		end = strings.IndexByte(s, '@')
		if end < 0 {
			end = len(s)
		}
		if strings.IndexByte(s[:end], '"') >= 0 {
			return "", "", ErrSender
		}
	}
	local = s[:end]
	// A source route is a relic that only attacks use today. Behind one, only a
	// local-part that nobody could read differently is let through.
	if routed && !isPlainLocal(local) {
		return "", "", ErrSender
	}
	if end == len(s) {
		return "", "", ErrDomain
	}
	if host = s[end+1:]; strings.IndexByte(host, '@') >= 0 {
		return "", "", ErrSender
	}
	if local == "" {
		local = postmaster
	}
	return local, host, ""
}

const maxRoute = 1024

// cutRoute takes off a source route, "@a,@b:" (RFC 5321, section 4.1.2), which
// is to be ignored (RFC 5321, appendix C). A leading "@" without a colon is an
// address with an empty local-part.
func cutRoute(s string) (rest string, routed, ok bool) {
	if !strings.HasPrefix(s, "@") {
		return s, false, true
	}
	route, rest, found := strings.Cut(s, ":")
	if !found {
		return s, false, true
	}
	for hop := range strings.SplitSeq(route, ",") {
		if !strings.HasPrefix(hop, "@") {
			return "", false, false
		}
		if _, err := domain.Parse(hop[1:]); err != nil {
			return "", false, false
		}
	}
	return rest, true, true
}

// quotedEnd returns the index behind the quoted-string at the beginning of s, -1 if it has no end.
func quotedEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// isPlainLocal reports whether a local-part is letters, digits and the few
// signs of ordinary addresses: nothing that a header field, a shell or another parser reads as syntax.
func isPlainLocal(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if !isAlpha(s[i]) && !isDigit(s[i]) && strings.IndexByte(".-_+=", s[i]) < 0 {
			return false
		}
	}
	return s[0] != '.' && s[len(s)-1] != '.' && !strings.Contains(s, "..")
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// checkable reads a domain of an identity: a multi-label host name in A-labels
// (RFC 7208, section 4.3). U-labels are converted in a reverse-path; a HELO name
// has to come in A-labels (RFC 8616, section 4).
func checkable(s string, id Identity, null bool) (domain.Name, bool) {
	parse := domain.Parse
	if id == HELO || null {
		parse = domain.ParseASCII
	}
	n, err := parse(s)
	return n, err == nil && n.Labels() > 1
}
