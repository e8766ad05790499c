package main

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed2385d973/mailauth/dkim"
)

const (
	loadMessages = 1000
	loadClients  = 20
	loadNetwork  = "127.0.1."
)

// parcel is one message of the load and what became of it. Each has a reverse-path
// domain of its own, which stands in the reports, so that it is known of each message
// how often it was counted.
type parcel struct {
	mail
	id       string
	envelope string
	forged   bool

	attempts int
	late     int // attempts that were deferred, or lost, after the end of data
	last     answer
}

// killed sends 1,000 messages, every tenth of them forged, from 20 clients that come
// again as a sender's queue does, and kills the milter twice meanwhile.
//
// What has to hold of the reports: the milter counts a message in the database, in a
// transaction, before it answers. One that is killed between the two has counted a
// message whose client is then told to come again, and which is counted again when it
// does: two evaluations, two observations. So each message is counted at least once,
// and at most once more for each time that it was deferred after the end of its data.
func killed(t *test) {
	load, err := t.w.load("killed", loadMessages)
	t.must(err)
	filter := t.w.milters["mortal"]
	var done atomic.Int64
	var wg sync.WaitGroup
	queue := make(chan *parcel, len(load))
	for _, p := range load {
		queue <- p
	}
	close(queue)
	begin := time.Now()
	for range loadClients {
		wg.Go(func() {
			for p := range queue {
				t.w.persist(p, begin.Add(100*time.Second))
				done.Add(1)
			}
		})
	}
	for _, part := range []int64{loadMessages * 3 / 10, loadMessages * 7 / 10} {
		for done.Load() < part && time.Since(begin) < 60*time.Second {
			time.Sleep(time.Millisecond)
		}
		filter.kill()
		t.say("killed after %d messages, at %.1f s", done.Load(), time.Since(begin).Seconds())
		time.Sleep(700 * time.Millisecond)
		t.must(filter.run())
	}
	wg.Wait()
	took := time.Since(begin)
	p := t.w.postfix["receiver"]
	t.want(eventually(20*time.Second, func() bool { return p.queued("incoming", "active", "deferred") == 0 }), "the queue is not empty")

	arrived := map[string][]delivered{}
	for _, d := range p.maildir() {
		if v := d.values("Message-ID"); len(v) == 1 {
			id := strings.TrimSpace(v[0])
			arrived[id] = append(arrived[id], d)
		}
	}
	attempts, late, deferred, accepted, refused := 0, 0, 0, 0, 0
	var shown bool
	for _, m := range load {
		attempts += m.attempts
		late += m.late
		if m.attempts > 1 {
			deferred++
		}
		copies := arrived[m.id]
		if m.forged {
			if t.want(m.last.after == endOfData && strings.HasPrefix(m.last.reply, "550 5.7."), "forged %s: %s", m.envelope, m.last) {
				refused++
			}
			t.want(len(copies) == 0, "forged %s was delivered", m.envelope)
			continue
		}
		if t.want(m.last.ok(), "%s: %s", m.envelope, m.last) {
			accepted++
		}
		if !t.want(len(copies) == 1, "%s was delivered %d times", m.envelope, len(copies)) {
			continue
		}
		t.labelled(copies[0], receiver, "spf=pass", "dmarc=pass")
		if m.late > 0 && !shown {
			shown = true
			t.show("delivered, one of those that came again", copies[0])
		}
	}
	for _, d := range p.held() {
		t.want(!strings.Contains(d.header(), "load.test"), "something is on hold")
	}
	t.say("%d messages in %.1f s: %d accepted and delivered once, each evaluated; %d forged ones refused with 550", len(load), took.Seconds(), accepted, refused)
	t.say("%d attempts; %d messages came again, %d times after the end of their data", attempts, deferred, late)
	t.want(deferred > 0, "nothing was disturbed: the kills tested nothing")

	rows, err := t.w.report(filter)
	t.must(err)
	counted := map[string]int64{}
	var total int64
	for _, r := range rows {
		counted[r.EnvelopeFrom] += r.Count
		total += r.Count
	}
	again := int64(0)
	for _, m := range load {
		n := counted[m.envelope]
		delete(counted, m.envelope)
		t.want(n >= 1, "%s is in no report", m.envelope)
		t.want(n <= int64(1+m.late), "%s was counted %d times, and deferred %d times after its data", m.envelope, n, m.late)
		again += max(0, n-1)
	}
	t.want(len(counted) == 0, "reports about messages that nobody sent: %v", counted)
	t.want(total == int64(len(load))+again, "%d messages in the reports", total)
	t.say("the reports count %d: each message once, and %d a second time, which was counted when the milter was killed before it could answer", total, again)
}

// load makes messages: all but every tenth are load.test's, half of these signed.
func (w *world) load(port string, n int) ([]*parcel, error) {
	all := make([]*parcel, n)
	for i := range all {
		p := &parcel{forged: i%10 == 9, envelope: fmt.Sprintf("m%04d.load.test", i)}
		l := letter{from: "a@load.test", to: "b@receiver.test", subject: fmt.Sprint("Message ", i), body: strings.Repeat("A line of the message's body, as there are many.\r\n", 40)}
		ip := fmt.Sprint(loadNetwork, 1+i%loadClients)
		if p.forged {
			ip = ipAttacker
		} else if i%2 == 0 {
			l.signers = []dkim.Signer{w.signer("load.test", "s1")}
		}
		text, id, err := l.text()
		if err != nil {
			return nil, err
		}
		p.id = id
		p.mail = mail{port: port, from: ip, helo: "mx.load.test", mailFrom: "a@" + p.envelope, to: []string{"b@receiver.test"}, data: text}
		all[i] = p
	}
	return all, nil
}

// persist sends until the answer is final or the time is over.
func (w *world) persist(p *parcel, end time.Time) {
	for time.Now().Before(end) {
		p.attempts++
		a, err := w.deliver(p.mail)
		p.last = a
		if err == nil && a.final() {
			return
		}
		if a.after == endOfData {
			p.late++
		}
		time.Sleep(50 * time.Millisecond)
	}
}
