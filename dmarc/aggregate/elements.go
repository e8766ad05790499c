package aggregate

import (
	"fmt"
	"strings"
)

// element is an element of the format; those of feedback come first, in their order.
type element uint8

const (
	elNone element = iota
	elVersion
	elMetadata
	elPolicy
	elExtension
	elRecord

	elFeedback
	elOrgName
	elEmail
	elExtraContact
	elReportID
	elDateRange
	elError
	elGenerator
	elBegin
	elEnd
	elDomain
	elMethod
	elP
	elSP
	elNP
	elFO
	elADKIM
	elASPF
	elTesting
	elPct
	elRow
	elIdentifiers
	elAuthResults
	elSourceIP
	elCount
	elPolicyEvaluated
	elDisposition
	elDKIM
	elSPF
	elReason
	elType
	elComment
	elHeaderFrom
	elEnvelopeFrom
	elEnvelopeTo
	elSelector
	elResult
	elHumanResult
	elScope
	nElements
)

// names of the elements in their order; one string each, so that reading a name
// allocates nothing.
const allNames = " version report_metadata policy_published extension record feedback" +
	" org_name email extra_contact_info report_id date_range error generator begin end" +
	" domain discovery_method p sp np fo adkim aspf testing pct row identifiers auth_results" +
	" source_ip count policy_evaluated disposition dkim spf reason type comment" +
	" header_from envelope_from envelope_to selector result human_result scope"

var (
	elementOf    = func() map[string]element { e, _ := nameTables(); return e }()
	elementNames = func() map[string]string { _, n := nameTables(); return n }()
	elementText  = strings.Split(allNames, " ")
)

func nameTables() (map[string]element, map[string]string) {
	els, names := map[string]element{}, map[string]string{}
	for i, n := range strings.Split(allNames, " ") {
		if i > 0 {
			els[n], names[n] = element(i), n
		}
	}
	return els, names
}

func (e element) String() string {
	if int(e) < len(elementText) {
		return elementText[e]
	}
	return "element"
}

func duplicate(parent string, el element) error {
	return fmt.Errorf("%w: %s in %s", ErrDuplicate, el, parent)
}

// child returns the next element within parent, elNone for one that is not of the
// format, or more == false at parent's end.
func (r *Reader) child(parent string) (el element, more bool, err error) {
	for {
		t, err := r.xml.next()
		if err != nil {
			return 0, false, err
		}
		switch t.kind {
		case tokenText:
			if !t.blank {
				if err := r.warn(UnexpectedText, parent); err != nil {
					return 0, false, err
				}
			}
		case tokenEnd:
			return 0, false, nil
		case tokenStart:
			if t.space != r.head.Namespace && t.space != "" {
				el = elNone // an extension's
				r.xml.foreign = true
			} else {
				el = elementOf[t.name]
				r.xml.foreign = false
			}
			r.xml.current = t.name
			if t.space == "" && r.dialect == rfc9990 {
				// elementFormDefault is "qualified" there, and was not before.
				if err := r.warn(UnknownNamespace, t.name); err != nil {
					return 0, false, err
				}
			}
			return el, true, nil
		default:
			return 0, false, malformed("it ends too early")
		}
	}
}

// unknown skips an element that is not expected here. Elements of other
// namespaces may stand at the end of records (RFC 9990, section 5), and are no
// news anywhere else either.
func (r *Reader) unknown() error {
	if !r.xml.foreign || r.dialect == rfc7489 {
		if err := r.warn(UnknownElement, r.xml.current); err != nil {
			return err
		}
	}
	return r.skip()
}

// skip reads to the end of the current element.
func (r *Reader) skip() error {
	for depth := 1; depth > 0; {
		t, err := r.xml.next()
		if err != nil {
			return err
		}
		switch t.kind {
		case tokenStart:
			depth++
		case tokenEnd:
			depth--
		}
	}
	return nil
}

// text reads the text of the current element, without white space around it.
func (r *Reader) text(el element) (string, error) {
	out := ""
	for {
		t, err := r.xml.next()
		if err != nil {
			return "", err
		}
		switch t.kind {
		case tokenText:
			if len(out)+len(t.text) > maxText {
				return "", fmt.Errorf("%w: text of %s longer than %d octets", ErrLimit, el, maxText)
			}
			if out == "" {
				out = string(t.text)
			} else {
				out += string(t.text)
			}
		case tokenStart:
			r.xml.current = t.name
			if err := r.warn(UnknownElement, t.name); err != nil {
				return "", err
			}
			if err := r.skip(); err != nil {
				return "", err
			}
		case tokenEnd:
			return strings.Trim(out, " \t\r\n"), nil
		}
	}
}

// word reads the text of an element that has one of some words for it.
func (r *Reader) word(el element, words string) (string, error) {
	s, err := r.text(el)
	if err != nil {
		return "", err
	}
	if s == "" {
		return "", r.warn(EmptyElement, el.String())
	}
	w, ok := isWord(s, words)
	if ok {
		return w, nil
	}
	if w, ok = isWord(strings.ToLower(s), words); ok {
		return w, r.warn(WrongCase, el.String())
	}
	return s, r.warn(UnknownValue, el.String())
}

// isWord looks a word up in a list with a blank before and after each.
func isWord(s, words string) (string, bool) {
	if s == "" || strings.IndexByte(s, ' ') >= 0 {
		return "", false
	}
	for from := 0; ; {
		i := strings.Index(words[from:], s)
		if i < 0 {
			return "", false
		}
		i += from
		if end := i + len(s); words[i-1] == ' ' && words[end] == ' ' {
			return words[i:end], true // not a copy of the stranger's, so that none is kept alive
		}
		from = i + 1
	}
}
