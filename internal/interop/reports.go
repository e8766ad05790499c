package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
)

const submitter = "receiver.example"

// understood is what Mail::DMARC made of one report.
type understood struct {
	File     string            `json:"file"`
	Error    string            `json:"error,omitempty"`
	Metadata map[string]string `json:"metadata"`
	Policy   map[string]string `json:"policy"`
	Records  []understoodRow   `json:"records"`
}

type understoodRow struct {
	Row         map[string]string   `json:"row"`
	Identifiers map[string]string   `json:"identifiers"`
	Evaluated   map[string]string   `json:"evaluated"`
	Reasons     []map[string]string `json:"reasons"`
	DKIM        []map[string]string `json:"dkim"`
	SPF         []map[string]string `json:"spf"`
}

// reports has the aggregate reports that we write read by Mail::DMARC: all of them
// as RFC 7489 has them, in gzip by mail and as XML. It asks for elements without a
// namespace and so finds nothing in a report of RFC 9990, whose namespace is
// required: those it has to refuse as long as it is so, and to understand once the
// namespace is taken away.
func (w *world) reports() error {
	rnd := rand.New(rand.NewPCG(7489, 9990))
	written := map[string]*aggregate.Report{}
	for i := range count {
		r := randomReport(rnd, i)
		for _, f := range []struct {
			name string
			form aggregate.Form
			mail bool
		}{{"7489", aggregate.RFC7489, true}, {"7489", aggregate.RFC7489, false}, {"9990", aggregate.RFC9990, true}, {"9990", aggregate.RFC9990, false}} {
			var b bytes.Buffer
			name := fmt.Sprintf("report-%s-%03d", f.name, i)
			var err error
			if f.mail {
				name += ".eml"
				m := aggregate.Mail{Report: r, Form: f.form, Submitter: submitter, From: "dmarc@" + submitter, To: "rua@" + domain, Date: r.End}
				_, err = m.WriteTo(&b)
			} else {
				name += ".xml"
				err = r.WriteXML(&b, f.form)
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(w.dir, name), b.Bytes(), 0o600)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			written[name] = r
		}
	}
	out, err := w.call(nil, "perl", "maildmarc.pl")
	if err != nil {
		return err
	}
	good := map[string]int{}
	refused := 0
	var failed error
	for line := range strings.Lines(string(out)) {
		var got understood
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			return err
		}
		file, plain := strings.CutSuffix(got.File, "-plain")
		r := written[file]
		if r == nil {
			return fmt.Errorf("Mail::DMARC: unexpected file %q", got.File)
		}
		is9990 := strings.HasPrefix(file, "report-9990")
		if is9990 && !plain && strings.Contains(got.Error, `Can't call method "findnodes" on an undefined value`) {
			refused++
			continue
		}
		if want := expect(got.File, r, is9990, strings.HasSuffix(file, ".eml")); !reflect.DeepEqual(want, got) {
			text, _ := json.Marshal(want)
			failed = errors.Join(failed, fmt.Errorf("Mail::DMARC understood %s where we wrote %s", line, text))
			continue
		}
		form := "7489"
		if is9990 {
			form = "9990"
		}
		if !is9990 && plain {
			continue // the same octets as without "-plain"
		}
		good[form+filepath.Ext(got.File)]++
	}
	fmt.Printf("Mail::DMARC read of our %d aggregate reports: RFC 7489 %d mails, %d XML; RFC 9990 %d without its namespace; it found nothing in %d mails and XML with it\n",
		count, good["7489.eml"], good["7489.xml"], good["9990.xml-plain"], refused)
	read9990 := good["9990.eml"] + good["9990.xml"]
	if failed == nil && (good["7489.eml"] != count || good["7489.xml"] != count || good["9990.xml-plain"] != count || refused+read9990 != 2*count) {
		failed = errors.New("Mail::DMARC did not answer for every report")
	}
	return failed
}

// expect is what Mail::DMARC has to understand. It knows no disposition "pass" and
// takes "none" for it; who the envelope was for it has from the Subject where the record
// does not say. In place of each of several signatures it repeats the first
// element of every name that the record has.
func expect(name string, r *aggregate.Report, is9990, mail bool) understood {
	u := understood{
		File: name,
		Metadata: map[string]string{
			"org_name": r.OrgName, "email": r.Email, "extra_contact_info": r.ExtraContact, "report_id": r.ReportID,
			"begin": strconv.FormatInt(r.Begin.Unix(), 10), "end": strconv.FormatInt(r.End.Unix(), 10),
		},
		Policy: map[string]string{
			"domain": r.Policy.Domain, "adkim": string(r.Policy.ADKIM), "aspf": string(r.Policy.ASPF),
			"p": string(r.Policy.P), "sp": string(r.Policy.SP), "pct": "100",
		},
	}
	if is9990 {
		u.Policy["pct"] = ""
	}
	for _, rec := range r.Records {
		o := understoodRow{
			Row:         map[string]string{"source_ip": rec.SourceIP.String(), "count": strconv.FormatInt(rec.Count, 10)},
			Identifiers: map[string]string{"envelope_to": rec.EnvelopeTo, "envelope_from": rec.EnvelopeFrom, "header_from": rec.HeaderFrom},
			Evaluated:   map[string]string{"disposition": string(rec.Disposition), "dkim": string(rec.DKIM), "spf": string(rec.SPF)},
			Reasons:     []map[string]string{}, DKIM: []map[string]string{}, SPF: []map[string]string{},
		}
		if rec.Disposition == aggregate.DispositionPass {
			o.Evaluated["disposition"] = "none"
		}
		if rec.EnvelopeTo == "" && mail {
			o.Identifiers["envelope_to"] = submitter
		}
		for _, x := range rec.Reasons {
			o.Reasons = append(o.Reasons, map[string]string{"type": string(x.Type), "comment": x.Comment})
		}
		human := ""
		for _, d := range rec.AuthDKIM {
			human = cmp.Or(human, d.HumanResult)
		}
		for range rec.AuthDKIM {
			d := rec.AuthDKIM[0]
			o.DKIM = append(o.DKIM, map[string]string{"domain": d.Domain, "selector": d.Selector, "result": string(d.Result), "human_result": human})
		}
		for _, s := range rec.AuthSPF {
			o.SPF = append(o.SPF, map[string]string{"domain": s.Domain, "scope": s.Scope, "result": string(s.Result)})
		}
		u.Records = append(u.Records, o)
	}
	return u
}

func pick[T any](rnd *rand.Rand, list ...T) T { return list[rnd.IntN(len(list))] }

// randomReport makes a report of one to twenty records in words that both formats have.
func randomReport(rnd *rand.Rand, i int) *aggregate.Report {
	begin := time.Unix(1_760_000_000+int64(i)*86400, 0).UTC()
	r := &aggregate.Report{Header: aggregate.Header{
		OrgName: pick(rnd, "Receiver", "Müller & <Söhne>", `A "quoted" name`), Email: "dmarc@" + submitter,
		ExtraContact: pick(rnd, "", "https://receiver.example/?a=1&b=2"), Begin: begin, End: begin.Add(24*time.Hour - time.Second), Generator: "interop",
		Policy: aggregate.Policy{
			Domain: domain, P: pick(rnd, dmarc.PolicyNone, dmarc.PolicyQuarantine, dmarc.PolicyReject), SP: pick(rnd, dmarc.PolicyNone, dmarc.PolicyReject),
			NP: dmarc.PolicyReject, ADKIM: pick(rnd, dmarc.Relaxed, dmarc.Strict), ASPF: pick(rnd, dmarc.Relaxed, dmarc.Strict),
			FO: pick(rnd, "0", "1:d:s"), Testing: "n", Method: dmarc.TreeWalk,
		},
	}}
	r.ReportID = aggregate.NewReportID(submitter, &r.Header)
	for range 1 + rnd.IntN(20) {
		rec := aggregate.Record{
			SourceIP: pick(rnd, netip.AddrFrom4([4]byte{192, 0, 2, byte(rnd.Uint32())}), netip.MustParseAddr("2001:db8::25")), Count: 1 + rnd.Int64N(1_000_000),
			Disposition: pick(rnd, aggregate.DispositionNone, aggregate.DispositionPass, aggregate.DispositionQuarantine, aggregate.DispositionReject),
			DKIM:        pick(rnd, authres.Pass, authres.Fail), SPF: pick(rnd, authres.Pass, authres.Fail),
			HeaderFrom: pick(rnd, domain, "news."+domain), EnvelopeTo: pick(rnd, "", "other.example"),
			AuthSPF: []aggregate.SPFResult{{Domain: pick(rnd, domain, "bounces.example"), Scope: "mfrom",
				Result: pick(rnd, authres.None, authres.Neutral, authres.Pass, authres.Fail, authres.SoftFail, authres.TempError, authres.PermError)}},
		}
		if rec.EnvelopeFrom = pick(rnd, "", domain); rec.EnvelopeFrom == "" {
			rec.NullReversePath = true
		}
		if rnd.IntN(3) == 0 {
			rec.Reasons = []aggregate.Reason{{Type: dmarc.LocalPolicy, Comment: "arc=pass as[1].d=lists.example & <more>"}, {Type: dmarc.OtherReason}}
		}
		for k := range rnd.IntN(3) {
			rec.AuthDKIM = append(rec.AuthDKIM, aggregate.DKIMResult{
				Domain: domain, Selector: fmt.Sprintf("s%d", k), Result: pick(rnd, authres.Pass, authres.Fail, authres.TempError), HumanResult: pick(rnd, "", "body hash <did> not verify"),
			})
		}
		r.Records = append(r.Records, rec)
	}
	return r
}
