package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The names of our servers in Authentication-Results.
const (
	receiver   = "mx.receiver.test"
	partner    = "mx.partner.test"
	opendkimID = "opendkim.partner.test"
)

// begin starts everything but smtpd, which has scenarios of its own.
func (w *world) begin() error {
	if err := os.MkdirAll(w.file("groups"), 0o755); err != nil {
		return err
	}
	// The ports of Postfix, then those of everything else.
	err := w.choosePorts("plain", "in", "submission", "cautious", "watching", "killed", "uncounted", "bare-no", "bare-reject", "bare-normalize", "partner",
		"names", "keyserver", "resolver", "enforce", "quarantine", "observe", "mortal", "no-reports", "partner-milter", "opendkim", "smtpd")
	if err != nil {
		return err
	}
	for _, f := range []func() error{w.makeKeys, w.startDNS, w.startMilters, w.startOpenDKIM, w.startLogin, w.startPostfix} {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) startMilters() error {
	w.milters = map[string]*milter{}
	ours := []string{ipServer + "/32", ipReceiver + "/32"}
	keys := []string{"rsa1@receiver.test", "ed1@receiver.test"}
	trusted := []string{"list.test", "partner.test"}
	for name, c := range map[string]settings{
		"enforce":        {host: receiver, mode: "enforce", honorReject: true, local: ours, trusted: trusted, keys: keys, unix: true, account: "user@receiver.test"},
		"quarantine":     {host: receiver, mode: "enforce", local: ours, trusted: trusted, keys: keys},
		"observe":        {host: receiver, mode: "observe", local: ours, keys: keys},
		"mortal":         {host: receiver, mode: "enforce", honorReject: true, local: ours},
		"no-reports":     {host: receiver, mode: "enforce", honorReject: true, local: ours, uncounted: true, unix: true},
		"partner-milter": {host: partner, mode: "enforce", honorReject: true, local: []string{ipPartner + "/32"}, keys: []string{"rsa1@partner.test"}, sealing: "alumni.partner.test"},
	} {
		m := &milter{w: w, name: name, program: "milter", config: c}
		w.milters[name] = m
		if err := m.run(); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) startOpenDKIM() error {
	resolver := fmt.Sprintf("server:\n\tdo-not-query-localhost: no\n\tmodule-config: \"iterator\"\n\tlocal-zone: \"test.\" nodefault\n"+
		"forward-zone:\n\tname: \".\"\n\tforward-addr: %s@%d\n", ipServer, w.ports["resolver"])
	if err := w.write("opendkim-resolver.conf", resolver); err != nil {
		return err
	}
	conf := fmt.Sprintf("Mode v\nSocket inet:%d@%s\nAuthservID %s\nAlwaysAddARHeader yes\nSyslog no\nUserID nobody\nInternalHosts 192.0.2.1\nPidFile %s\nResolverConfiguration %s\n",
		w.ports["opendkim"], ipServer, opendkimID, w.file("opendkim.pid"), w.file("opendkim-resolver.conf"))
	if err := w.write("opendkim.conf", conf); err != nil {
		return err
	}
	p, err := w.start("opendkim", "opendkim", "-f", "-x", w.file("opendkim.conf"))
	if err != nil {
		return err
	}
	if !eventually(10*time.Second, func() bool { return !p.alive() || w.listening("opendkim") }) || !p.alive() {
		return fmt.Errorf("opendkim does not listen: %s", mustRead(w.file("opendkim.log")))
	}
	return nil
}

func (w *world) startPostfix() error {
	milters := func(names ...string) string {
		for i, n := range names {
			names[i] = w.socket(n)
		}
		return "smtpd_milters=" + strings.Join(names, ", ")
	}
	users := "mynetworks=" + ipReceiver + "/32"
	w.postfix = map[string]*postfix{
		"receiver": {
			host: receiver, domain: "receiver.test", send: ipReceiver,
			services: []service{
				{"plain", []string{"mynetworks=" + ipServer + "/32"}}, // report sends through it
				{"in", []string{milters("enforce"), users}},
				{"submission", []string{milters("enforce"), "smtpd_sasl_auth_enable=yes", "smtpd_sasl_type=dovecot", "smtpd_sasl_path=" + w.loginSocket(),
					"smtpd_relay_restrictions=permit_sasl_authenticated, reject_unauth_destination"}},
				{"cautious", []string{milters("quarantine")}},
				{"watching", []string{milters("observe")}},
				{"killed", []string{milters("mortal")}},
				{"uncounted", []string{milters("no-reports")}},
				{"bare-no", []string{milters("enforce"), "smtpd_forbid_bare_newline=no", "smtpd_forbid_unauth_pipelining=no"}},
				{"bare-reject", []string{milters("enforce"), "smtpd_forbid_bare_newline=reject"}},
				{"bare-normalize", []string{milters("enforce"), "smtpd_forbid_bare_newline=normalize"}},
			},
			transport: map[string]string{"partner.test": "smtp:[" + ipServer + "]:" + fmt.Sprint(w.ports["partner"])},
			aliases:   map[string]string{"gone@receiver.test": "somebody@elsewhere.test"}, // which has no transport
			// Bounces are filtered, too: that is how they get a signature.
			extra: "internal_mail_filter_classes = bounce\nnon_smtpd_milters = " + w.socket("enforce") + "\n",
		},
		"partner": {
			host: partner, domain: "partner.test", send: ipPartner,
			services:  []service{{"partner", []string{milters("opendkim", "partner-milter"), "mynetworks=" + ipPartner + "/32"}}},
			transport: map[string]string{"receiver.test": "smtp:[" + ipServer + "]:" + fmt.Sprint(w.ports["in"])},
			aliases:   map[string]string{"you@alumni.partner.test": "you@receiver.test"},
			extra:     "virtual_alias_domains = alumni.partner.test\n",
		},
	}
	for name, p := range w.postfix {
		p.w, p.name = w, name
		if err := p.start(); err != nil {
			return err
		}
	}
	return nil
}

// logs prints the last lines of what our programs wrote.
func (w *world) logs() {
	files, _ := filepath.Glob(w.file("*.log"))
	mails, _ := filepath.Glob(w.file("postfix-*/mail.log"))
	for _, f := range append(files, mails...) {
		lines := bytes.Split(bytes.TrimSpace(mustRead(f)), []byte("\n"))
		for _, l := range lines[max(0, len(lines)-12):] {
			fmt.Printf("%s: %s\n", filepath.Base(f), l)
		}
	}
}
