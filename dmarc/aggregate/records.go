package aggregate

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// The words of the format; see isWord.
const (
	policyWords      = " none quarantine reject "
	dispositionWords = " none pass quarantine reject "
	alignedWords     = " pass fail "
	modeWords        = " r s "
	testingWords     = " y n "
	methodWords      = " psl treewalk "
	dkimWords        = " none pass fail policy neutral temperror permerror "
	spfWords         = " none pass fail softfail policy neutral temperror permerror "
	scopeWords       = " mfrom helo "
	reasonWords      = " local_policy mailing_list other policy_test_mode trusted_forwarder forwarded sampled_out "
)

// What one record may hold. RFC 9990, section 3.1.3 has at most 100 signatures.
const (
	maxDKIM    = 256
	maxSPF     = 64
	maxReasons = 64
)

// group reads the children of an element that occur once each: read is called
// for each of those in allowed, and returns its error. Those in needed must be there.
func (r *Reader) group(parent element, allowed, needed []element, read func(element) error) error {
	var seen [nElements]bool
	for {
		el, more, err := r.child(parent.String())
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if !contains(allowed, el) {
			if err := r.unknown(); err != nil {
				return err
			}
			continue
		}
		if seen[el] && !repeatable(parent, el) {
			return duplicate(parent.String(), el)
		}
		seen[el] = true
		if err := read(el); err != nil {
			return err
		}
	}
	for _, el := range needed {
		if !seen[el] {
			if err := r.warn(MissingElement, el.String()); err != nil {
				return err
			}
		}
	}
	return nil
}

func contains(list []element, el element) bool {
	for _, e := range list {
		if e == el {
			return true
		}
	}
	return false
}

func repeatable(parent, el element) bool {
	return el == elReason || el == elError || parent == elAuthResults
}

// only warns of an element that one of the two formats does not have.
func (r *Reader) only(d dialect, el element) error {
	if r.dialect != d {
		return r.warn(RemovedElement, el.String())
	}
	return nil
}

func (r *Reader) textInto(dst *string, el element) (err error) {
	*dst, err = r.text(el)
	return err
}

func wordInto[W ~string](r *Reader, dst *W, el element, words string) error {
	w, err := r.word(el, words)
	*dst = W(w)
	return err
}

var (
	metadataElements = []element{elOrgName, elEmail, elExtraContact, elReportID, elDateRange, elError, elGenerator}
	metadataNeeded   = []element{elOrgName, elEmail, elReportID, elDateRange}
	dateElements     = []element{elBegin, elEnd}
	policyElements   = []element{elDomain, elMethod, elP, elSP, elNP, elFO, elADKIM, elASPF, elTesting, elPct}
	policyNeeded     = []element{elDomain, elP}
	policyNeeded7489 = []element{elDomain, elP, elSP, elPct, elFO}
	recordElements   = []element{elRow, elIdentifiers, elAuthResults}
	rowElements      = []element{elSourceIP, elCount, elPolicyEvaluated}
	rowNeeded        = []element{elPolicyEvaluated} // the others are errors
	evalElements     = []element{elDisposition, elDKIM, elSPF, elReason}
	evalNeeded       = []element{elDisposition, elDKIM, elSPF}
	reasonElements   = []element{elType, elComment}
	reasonNeeded     = []element{elType}
	idElements       = []element{elHeaderFrom, elEnvelopeFrom, elEnvelopeTo}
	idNeeded         = []element{elHeaderFrom}
	idNeeded7489     = []element{elHeaderFrom, elEnvelopeFrom}
	authElements     = []element{elDKIM, elSPF}
	authNeeded7489   = []element{elSPF}
	dkimElements     = []element{elDomain, elSelector, elResult, elHumanResult}
	dkimNeeded       = []element{elDomain, elSelector, elResult}
	dkimNeeded7489   = []element{elDomain, elResult}
	spfElements      = []element{elDomain, elScope, elResult, elHumanResult}
	spfNeeded        = []element{elDomain, elResult}
	spfNeeded7489    = []element{elDomain, elScope, elResult}
)

func (r *Reader) pick(for9990, for7489 []element) []element {
	if r.dialect == rfc7489 {
		return for7489
	}
	return for9990
}

// metadata: RFC 9990, section 3.1.1.3.
func (r *Reader) metadata() error {
	h := &r.head
	return r.group(elMetadata, metadataElements, metadataNeeded, func(el element) (err error) {
		switch el {
		case elOrgName:
			if err = r.textInto(&h.OrgName, el); err == nil && h.OrgName == "" {
				err = r.warn(EmptyElement, el.String())
			}
		case elEmail:
			if err = r.textInto(&h.Email, el); err == nil && h.Email == "" {
				err = r.warn(EmptyElement, el.String())
			}
		case elExtraContact:
			err = r.textInto(&h.ExtraContact, el)
		case elReportID:
			if err = r.textInto(&h.ReportID, el); err == nil && h.ReportID == "" {
				err = r.warn(EmptyElement, el.String())
			}
		case elGenerator:
			if err = r.only(rfc9990, el); err == nil {
				err = r.textInto(&h.Generator, el)
			}
		case elError:
			s := ""
			if err = r.textInto(&s, el); err != nil {
				return err
			}
			if len(h.Errors) == 1 && r.dialect == rfc9990 {
				err = r.warn(TooMany, el.String())
			}
			if len(h.Errors) == maxReasons {
				return fmt.Errorf("%w: more than %d error elements", ErrLimit, maxReasons)
			}
			h.Errors = append(h.Errors, s)
		case elDateRange:
			err = r.dates()
		}
		return err
	})
}

// dates: RFC 9990, section 3.1.1.4.
func (r *Reader) dates() error {
	h := &r.head
	err := r.group(elDateRange, dateElements, dateElements, func(el element) error {
		s, err := r.text(el)
		if err != nil {
			return err
		}
		t, ok := seconds(s)
		if el == elBegin {
			h.Begin = t
		} else {
			h.End = t
		}
		if !ok {
			return r.warn(BadTime, el.String())
		}
		return nil
	})
	if err == nil && h.End.Before(h.Begin) && !h.End.IsZero() {
		err = r.warn(BadTime, "date_range")
	}
	return err
}

// seconds reads a time; ok says that it is written as it must be. Some senders
// count milliseconds, some write a fraction or a date; a number that stands for
// no day between 1970 and 9999 in any of these is no time.
func seconds(s string) (t time.Time, ok bool) {
	const last = 253402300799 // 9999-12-31
	whole, _, fraction := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	switch {
	case err != nil:
		for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02"} {
			if t, err := time.Parse(layout, s); err == nil && t.Unix() > 0 && t.Unix() <= last {
				return t.UTC().Truncate(time.Second), false
			}
		}
		return time.Time{}, false
	case n <= 0 || n > last*1000:
		return time.Time{}, false
	case n > last:
		return time.Unix(n/1000, 0).UTC(), false
	}
	return time.Unix(n, 0).UTC(), !fraction && s[0] != '+'
}

// policy: RFC 9990, section 3.1.1.5.
func (r *Reader) policy() error {
	p := &r.head.Policy
	return r.group(elPolicy, policyElements, r.pick(policyNeeded, policyNeeded7489), func(el element) (err error) {
		switch el {
		case elNP, elTesting, elMethod:
			err = r.only(rfc9990, el)
		case elPct:
			err = r.only(rfc7489, el)
		}
		if err != nil {
			return err
		}
		switch el {
		case elDomain:
			return r.textInto(&p.Domain, el)
		case elP:
			return wordInto(r, &p.P, el, policyWords)
		case elSP:
			return wordInto(r, &p.SP, el, policyWords)
		case elNP:
			return wordInto(r, &p.NP, el, policyWords)
		case elADKIM:
			return wordInto(r, &p.ADKIM, el, modeWords)
		case elASPF:
			return wordInto(r, &p.ASPF, el, modeWords)
		case elFO:
			return r.textInto(&p.FO, el)
		case elPct:
			if err := r.textInto(&p.Pct, el); err != nil {
				return err
			}
			if n, err := strconv.Atoi(p.Pct); err != nil || n < 0 || n > 100 {
				return r.warn(BadNumber, el.String())
			}
			return nil
		case elTesting:
			return wordInto(r, &p.Testing, el, testingWords)
		}
		return wordInto(r, &p.Method, el, methodWords)
	})
}

// record: RFC 9990, section 3.1.1.7.
func (r *Reader) record() (rec Record, err error) {
	last := elNone
	err = r.group(elRecord, recordElements, recordElements, func(el element) error {
		if el < last {
			if err := r.warn(MisplacedElement, el.String()); err != nil {
				return err
			}
		}
		last = el
		switch el {
		case elRow:
			return r.row(&rec)
		case elIdentifiers:
			return r.identifiers(&rec)
		}
		return r.authResults(&rec)
	})
	if err == nil && !rec.SourceIP.IsValid() {
		err = r.at(ErrSourceIP, "")
	}
	return rec, err
}

// at says in which record an error is.
func (r *Reader) at(e Error, detail string) error {
	if detail == "" {
		return fmt.Errorf("%w: missing in record %d", e, r.records)
	}
	return fmt.Errorf("%w: %.60q in record %d", e, detail, r.records)
}

// row: RFC 9990, section 3.1.1.8.
func (r *Reader) row(rec *Record) error {
	counted := false
	err := r.group(elRow, rowElements, rowNeeded, func(el element) error {
		if el == elPolicyEvaluated {
			return r.evaluated(rec)
		}
		s, err := r.text(el)
		if err != nil {
			return err
		}
		if el == elSourceIP {
			return r.sourceIP(rec, s)
		}
		counted = true
		return r.count(rec, s)
	})
	if err == nil && !rec.SourceIP.IsValid() {
		err = r.at(ErrSourceIP, "")
	}
	if err == nil && !counted {
		err = r.at(ErrCount, "")
	}
	return err
}

func (r *Reader) sourceIP(rec *Record, s string) error {
	ip, err := netip.ParseAddr(s)
	if err != nil || ip.Zone() != "" {
		if s == "" {
			s = "nothing"
		}
		return r.at(ErrSourceIP, s)
	}
	rec.SourceIP = ip.Unmap()
	if ip.Is4In6() {
		return r.warn(MappedIP, "source_ip")
	}
	return nil
}

// maxCount is what any reader in any language can count exactly.
const maxCount = 1<<53 - 1

func (r *Reader) count(rec *Record, s string) error {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > maxCount {
		if s == "" {
			s = "nothing"
		}
		return r.at(ErrCount, s)
	}
	rec.Count = n
	if n == 0 || s[0] == '+' {
		return r.warn(BadNumber, "count")
	}
	return nil
}

// evaluated: RFC 9990, section 3.1.1.9.
func (r *Reader) evaluated(rec *Record) error {
	last := elNone
	return r.group(elPolicyEvaluated, evalElements, evalNeeded, func(el element) error {
		if el < last {
			if err := r.warn(MisplacedElement, el.String()); err != nil {
				return err
			}
		}
		last = el
		switch el {
		case elDisposition:
			if err := wordInto(r, &rec.Disposition, el, dispositionWords); err != nil {
				return err
			}
			if rec.Disposition == DispositionPass && r.dialect == rfc7489 {
				return r.warn(RemovedElement, el.String())
			}
			return nil
		case elDKIM:
			return wordInto(r, &rec.DKIM, el, alignedWords)
		case elSPF:
			return wordInto(r, &rec.SPF, el, alignedWords)
		}
		return r.reason(rec)
	})
}

// reason: RFC 9990, section 3.1.1.14.
func (r *Reader) reason(rec *Record) error {
	if len(rec.Reasons) == maxReasons {
		return fmt.Errorf("%w: more than %d reasons", ErrLimit, maxReasons)
	}
	var out Reason
	err := r.group(elReason, reasonElements, reasonNeeded, func(el element) error {
		if el == elComment {
			return r.textInto(&out.Comment, el)
		}
		if err := wordInto(r, &out.Type, el, reasonWords); err != nil {
			return err
		}
		old := out.Type == Forwarded || out.Type == SampledOut
		if old && r.dialect == rfc9990 || out.Type == PolicyTestMode && r.dialect == rfc7489 {
			return r.warn(RemovedElement, "type")
		}
		return nil
	})
	if err == nil {
		rec.Reasons = append(rec.Reasons, out)
	}
	return err
}
