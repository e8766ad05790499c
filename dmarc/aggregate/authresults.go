package aggregate

import (
	"fmt"

	"github.com/seed2385d973/mailauth/authres"
)

// identifiers: RFC 9990, section 3.1.1.10.
func (r *Reader) identifiers(rec *Record) error {
	return r.group(elIdentifiers, idElements, r.pick(idNeeded, idNeeded7489), func(el element) error {
		switch el {
		case elHeaderFrom:
			if err := r.textInto(&rec.HeaderFrom, el); err != nil {
				return err
			}
			if rec.HeaderFrom == "" {
				return r.warn(EmptyElement, el.String())
			}
			return nil
		case elEnvelopeTo:
			return r.textInto(&rec.EnvelopeTo, el)
		}
		err := r.textInto(&rec.EnvelopeFrom, el)
		rec.NullReversePath = rec.EnvelopeFrom == ""
		return err
	})
}

// authResults: RFC 9990, section 3.1.1.11.
func (r *Reader) authResults(rec *Record) error {
	return r.group(elAuthResults, authElements, r.pick(nil, authNeeded7489), func(el element) error {
		if el == elDKIM {
			if len(rec.AuthDKIM) == maxDKIM {
				return fmt.Errorf("%w: more than %d DKIM results", ErrLimit, maxDKIM)
			}
			if len(rec.AuthSPF) > 0 {
				if err := r.warn(MisplacedElement, "dkim"); err != nil {
					return err
				}
			}
			rec.AuthDKIM = append(rec.AuthDKIM, DKIMResult{})
			return r.dkim(&rec.AuthDKIM[len(rec.AuthDKIM)-1])
		}
		switch n := len(rec.AuthSPF); {
		case n == maxSPF:
			return fmt.Errorf("%w: more than %d SPF results", ErrLimit, maxSPF)
		case n > 0 && r.dialect == rfc9990:
			if err := r.warn(TooMany, "spf"); err != nil {
				return err
			}
		}
		rec.AuthSPF = append(rec.AuthSPF, SPFResult{})
		return r.spf(&rec.AuthSPF[len(rec.AuthSPF)-1])
	})
}

func (r *Reader) dkim(out *DKIMResult) error {
	return r.group(elDKIM, dkimElements, r.pick(dkimNeeded, dkimNeeded7489), func(el element) error {
		switch el {
		case elDomain:
			return r.textInto(&out.Domain, el)
		case elSelector:
			return r.textInto(&out.Selector, el)
		case elResult:
			return wordInto(r, &out.Result, el, dkimWords)
		}
		return r.textInto(&out.HumanResult, el)
	})
}

func (r *Reader) spf(out *SPFResult) error {
	return r.group(elSPF, spfElements, r.pick(spfNeeded, spfNeeded7489), func(el element) (err error) {
		switch el {
		case elDomain:
			return r.textInto(&out.Domain, el)
		case elScope:
			if err := wordInto(r, &out.Scope, el, scopeWords); err != nil {
				return err
			}
			if out.Scope == "helo" && r.dialect == rfc9990 {
				return r.warn(RemovedElement, "scope")
			}
			return nil
		case elResult:
			if err := wordInto(r, &out.Result, el, spfWords); err != nil {
				return err
			}
			if out.Result == authres.Policy && r.dialect == rfc7489 {
				return r.warn(RemovedElement, "result")
			}
			return nil
		}
		if err := r.only(rfc9990, el); err != nil {
			return err
		}
		return r.textInto(&out.HumanResult, el)
	})
}
