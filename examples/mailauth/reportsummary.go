package main

import (
	"bufio"
	"cmp"
	"fmt"
	"html/template"
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/seed2385d973/mailauth/authres"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
	"github.com/seed2385d973/mailauth/dmarc/failure"
)

// summary adds reports up: who sends as us, what passes, what fails and why.
type summary struct {
	out  *bufio.Writer
	html bool

	Reports            int
	Reporters, Domains map[string]int64
	First, Last        string
	Total              tally
	Days               map[string]*tally
	Sources            map[netip.Addr]*source
	Warnings           map[string]int
	Failures           []string
}

// tally counts messages.
type tally struct{ All, Pass, DKIM, SPF, Quarantined, Rejected int64 }

func (t *tally) add(r *aggregate.Record) {
	t.All = plus(t.All, r.Count)
	if r.Aligned() {
		t.Pass = plus(t.Pass, r.Count)
	}
	if r.DKIM == authres.Pass {
		t.DKIM = plus(t.DKIM, r.Count)
	}
	if r.SPF == authres.Pass {
		t.SPF = plus(t.SPF, r.Count)
	}
	switch r.Disposition {
	case aggregate.DispositionQuarantine:
		t.Quarantined = plus(t.Quarantined, r.Count)
	case aggregate.DispositionReject:
		t.Rejected = plus(t.Rejected, r.Count)
	}
}

// plus adds what strangers counted: no more than fits.
func plus(sum, n int64) int64 {
	if sum > math.MaxInt64-n {
		return math.MaxInt64
	}
	return sum + n
}

// Percent is the share of messages that pass.
func (t *tally) Percent() int64 {
	if t.All == 0 {
		return 0
	}
	return int64(float64(t.Pass) / float64(t.All) * 100)
}

// Failed is what did not pass.
func (t *tally) Failed() int64 { return t.All - t.Pass }

type source struct {
	tally
	IP   netip.Addr
	From map[string]int64 // author domains
	Why  map[string]int64 // of failures
}

// Names lists the author domains, Reasons why messages failed, most first.
func (s *source) Names() []string   { return most(s.From, 3) }
func (s *source) Reasons() []string { return most(s.Why, 3) }

// most lists the keys with the largest values, and how many more there are.
func most(m map[string]int64, n int) []string {
	keys := sortedKeys(m)
	slices.SortStableFunc(keys, func(a, b string) int { return cmp.Compare(m[b], m[a]) })
	if len(keys) > n {
		keys = append(keys[:n:n], fmt.Sprintf("and %d more", len(keys)-n))
	}
	return keys
}

func (s *summary) aggregate(r *aggregate.Report) error {
	if s.Sources == nil {
		s.Reporters, s.Domains, s.Days = map[string]int64{}, map[string]int64{}, map[string]*tally{}
		s.Sources, s.Warnings = map[netip.Addr]*source{}, map[string]int{}
	}
	s.Reports++
	messages := r.Messages()
	name, domain := aggregate.Plain(cmp.Or(r.OrgName, r.Email, "(nameless)")), aggregate.Plain(r.Policy.Domain)
	s.Reporters[name] = plus(s.Reporters[name], messages)
	s.Domains[domain] = plus(s.Domains[domain], messages)
	date := "unknown"
	if !r.Begin.IsZero() {
		date = r.Begin.Format("2006-01-02")
		if s.First == "" || date < s.First {
			s.First = date
		}
		s.Last = max(s.Last, date)
	}
	if s.Days[date] == nil {
		s.Days[date] = &tally{}
	}
	for i := range r.Records {
		rec := &r.Records[i]
		s.Total.add(rec)
		s.Days[date].add(rec)
		src := s.Sources[rec.SourceIP]
		if src == nil {
			src = &source{IP: rec.SourceIP, From: map[string]int64{}, Why: map[string]int64{}}
			s.Sources[rec.SourceIP] = src
		}
		src.add(rec)
		from := aggregate.Plain(strings.ToLower(rec.HeaderFrom))
		src.From[from] = plus(src.From[from], rec.Count)
		if !rec.Aligned() {
			src.Why[why(rec)] = plus(src.Why[why(rec)], rec.Count)
		}
	}
	for _, w := range r.Warnings {
		s.Warnings[aggregate.Plain(w.String())]++
	}
	return nil
}

// why says in words what a failing record tells.
func why(r *aggregate.Record) string {
	var out []string
	for _, d := range r.AuthDKIM {
		if d.Result == authres.Pass {
			out = append(out, "DKIM passes for "+d.Domain+", which is not aligned")
		} else {
			out = append(out, "DKIM of "+d.Domain+": "+string(d.Result))
		}
		if len(out) == 3 {
			break
		}
	}
	if len(r.AuthDKIM) == 0 {
		out = append(out, "no DKIM signature")
	}
	for _, x := range r.AuthSPF {
		if x.Result == authres.Pass {
			out = append(out, "SPF passes for "+x.Domain+", which is not aligned")
		} else {
			out = append(out, strings.TrimSuffix("SPF of "+x.Domain, " of ")+": "+string(x.Result))
		}
	}
	for _, x := range r.Reasons {
		if x.Type != "" {
			out = append(out, "overridden: "+string(x.Type))
		}
	}
	return aggregate.Plain(strings.Join(out, "; "))
}

func (s *summary) failure(r *failure.Report) error {
	what := strings.Join(r.IdentityAlignment, " and ")
	if what == "" {
		what = cmp.Or(r.AuthFailure, "authentication")
	}
	line := fmt.Sprintf("%s: mail from %s", cmp.Or(strings.Join(r.ReportedDomains, ", "), "(no domain)"), cmp.Or(r.OriginalMailFrom, "<>"))
	if r.SourceIP.IsValid() {
		line += " at " + r.SourceIP.String()
	}
	line += " failed " + what
	if r.DeliveryResult != "" {
		line += ", delivery: " + r.DeliveryResult
	}
	s.Failures = append(s.Failures, aggregate.Plain(line))
	return nil
}

// BySize lists the sources, those with the most messages first.
func (s *summary) BySize() []*source {
	var out []*source
	for _, src := range s.Sources {
		out = append(out, src)
	}
	slices.SortFunc(out, func(a, b *source) int {
		return cmp.Or(cmp.Compare(b.All, a.All), a.IP.Compare(b.IP))
	})
	return out
}

func (s *summary) finish() error {
	if s.html {
		return page(s)
	}
	w := s.out
	if s.Reports > 0 {
		fmt.Fprintf(w, "%d aggregate reports from %s\nabout %s, %s to %s\n\n", s.Reports, strings.Join(most(s.Reporters, 5), ", "),
			strings.Join(most(s.Domains, 5), ", "), cmp.Or(s.First, "?"), cmp.Or(s.Last, "?"))
		t := &s.Total
		fmt.Fprintf(w, "%d messages: %d pass DMARC (%d%%), %d by DKIM, %d by SPF; %d fail, of which %d quarantined, %d rejected\n\n",
			t.All, t.Pass, t.Percent(), t.DKIM, t.SPF, t.Failed(), t.Quarantined, t.Rejected)
		fmt.Fprintf(w, "%-39s %9s %5s %9s %9s  %s\n", "source", "messages", "pass", "by DKIM", "by SPF", "sends as")
		for _, src := range s.BySize() {
			fmt.Fprintf(w, "%-39s %9d %4d%% %9d %9d  %s\n", src.IP, src.All, src.Percent(), src.DKIM, src.SPF, strings.Join(src.Names(), ", "))
			for _, reason := range src.Reasons() {
				fmt.Fprintf(w, "    fails: %s\n", reason)
			}
		}
	}
	if len(s.Failures) > 0 {
		fmt.Fprintf(w, "\n%d failure reports\n", len(s.Failures))
		for _, f := range s.Failures {
			fmt.Fprintf(w, "    %s\n", f)
		}
	}
	if len(s.Warnings) > 0 {
		fmt.Fprint(w, "\nThe reports depart from the format they claim (reports that do):\n")
		for _, k := range sortedKeys(s.Warnings) {
			fmt.Fprintf(w, "    %s (%d)\n", k, s.Warnings[k])
		}
	}
	return nil
}

// Bar is one day of the chart, in units of the picture.
type Bar struct {
	X, Width, PassY, PassHeight, FailY, FailHeight int64
	Day                                            string
	tally
}

// Bars lays the chart out: 600 by 120, a bar a day.
func (s *summary) Bars() []Bar {
	days := sortedKeys(s.Days)
	if len(days) > 366 {
		days = days[len(days)-366:]
	}
	top := int64(1)
	for _, d := range days {
		top = max(top, s.Days[d].All)
	}
	var out []Bar
	step := 600 / float64(max(1, len(days)))
	for i, d := range days {
		t := s.Days[d]
		pass, fail := int64(float64(t.Pass)/float64(top)*120), int64(float64(t.Failed())/float64(top)*120)
		b := Bar{X: int64(float64(i) * step), Width: max(1, int64(step*0.8)), PassHeight: pass, FailHeight: fail, Day: d, tally: *t}
		b.PassY = 120 - pass
		b.FailY = b.PassY - fail
		out = append(out, b)
	}
	return out
}

// page writes one self-contained page. html/template escapes what strangers wrote,
// and the policy in its head forbids everything but its own style.
func page(s *summary) error {
	t, err := template.New("page").Funcs(template.FuncMap{"join": func(l []string) string { return strings.Join(l, ", ") }, "most": most, "keys": sortedKeys[int]}).Parse(pageText)
	if err != nil {
		return err
	}
	return t.Execute(s.out, s)
}

const pageText = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>DMARC reports</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em; color: #222; background: #fff }
table { border-collapse: collapse; width: 100% } th, td { padding: .3em .6em; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top; overflow-wrap: anywhere }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums } .why { color: #a33; font-size: 90% } svg { width: 100%; height: auto; background: #f6f6f6 }
.pass { fill: #3a7d44 } .fail { fill: #c0392b } .key span { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 1em }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #1b1b1b } th, td { border-color: #444 } svg { background: #262626 } .why { color: #f08a80 } }
</style></head><body>
<h1>DMARC reports</h1>
{{if .Reports}}<p>{{.Reports}} aggregate reports from {{join (most .Reporters 5)}} about {{join (most .Domains 5)}}, {{.First}} to {{.Last}}.</p>
<p><b>{{.Total.All}}</b> messages: <b>{{.Total.Pass}}</b> pass DMARC ({{.Total.Percent}}%), {{.Total.DKIM}} by DKIM, {{.Total.SPF}} by SPF; <b>{{.Total.Failed}}</b> fail, of which {{.Total.Quarantined}} were quarantined and {{.Total.Rejected}} rejected.</p>
<h2>Messages a day</h2>
<svg viewBox="0 0 600 120" role="img" aria-label="Messages a day that pass and fail">{{range .Bars}}<g><title>{{.Day}}: {{.Pass}} pass, {{.Failed}} fail</title><rect class="pass" x="{{.X}}" y="{{.PassY}}" width="{{.Width}}" height="{{.PassHeight}}"/><rect class="fail" x="{{.X}}" y="{{.FailY}}" width="{{.Width}}" height="{{.FailHeight}}"/></g>{{end}}</svg>
<p class="key"><span style="background:#3a7d44"></span>pass<span style="background:#c0392b"></span>fail</p>
<h2>Sources</h2>
<table><thead><tr><th>Source</th><th class="n">Messages</th><th class="n">Pass</th><th class="n">DKIM</th><th class="n">SPF</th><th>Sends as</th></tr></thead><tbody>
{{range .BySize}}<tr><td>{{.IP}}</td><td class="n">{{.All}}</td><td class="n">{{.Percent}}%</td><td class="n">{{.DKIM}}</td><td class="n">{{.SPF}}</td><td>{{join .Names}}{{range .Reasons}}<div class="why">{{.}}</div>{{end}}</td></tr>
{{end}}</tbody></table>
{{end}}{{if .Failures}}<h2>Failure reports</h2><ul>{{range .Failures}}<li>{{.}}</li>{{end}}</ul>
{{end}}{{if .Warnings}}<h2>Departures from the format</h2><ul>{{$w := .Warnings}}{{range keys .Warnings}}<li>{{.}} ({{index $w .}})</li>{{end}}</ul>
{{end}}</body></html>
`
