package main

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"
)

// milter is a running milter with a configuration of its own; smtpd is run from the
// same kind of file.
type milter struct {
	*process
	w       *world
	name    string // of its port and its files
	program string // milter or smtpd
	config  settings
}

// settings is what the configurations of this run differ in.
type settings struct {
	host        string
	mode        string // enforce or observe
	honorReject bool
	local       []string
	trusted     []string
	keys        []string // selector@domain
	account     string   // the one address that userName may write as, if not empty
	sealing     string   // the domain of recipients whose mail is sealed with rsa1 of host's domain
	recipients  string   // of smtpd
	uncounted   bool     // without a database for reports
	unix        bool     // on a Unix-domain socket and not by TCP
}

func list(words []string) string {
	if len(words) == 0 {
		return "[]"
	}
	return `["` + strings.Join(words, `", "`) + `"]`
}

func (m *milter) toml() string {
	c := m.config
	var t strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&t, format+"\n", args...) }
	line("hostname = %q", c.host)
	line("mode = %q", c.mode)
	line("local_networks = %s", list(c.local))
	line("trusted_sealers = %s", list(c.trusted))
	line("[dns]\nservers = [%q]\ntimeout = \"2s\"\nmessage = \"6s\"", m.w.resolverAddress())
	line("[handling]\nhonor_reject = %t", c.honorReject)
	_, domain, _ := strings.Cut(c.host, ".")
	if c.sealing != "" {
		line("[sealing]\nrecipients = [%q]\ndomain = %q\nselector = \"rsa1\"\nfile = %q", c.sealing, domain, m.w.file(m.w.keyFile(domain, "rsa1")))
	}
	for _, id := range c.keys {
		selector, domain, _ := strings.Cut(id, "@")
		line("[[signing.key]]\ndomain = %q\nselector = %q\nfile = %q", domain, selector, m.w.file(m.w.keyFile(domain, selector)))
	}
	if c.account != "" {
		line("[[signing.account]]\nlogin = %q\naddresses = [%q]", userName, c.account)
	}
	if !c.uncounted {
		line("[reports]\nrelay = %q\ndatabase = %q\norg_name = \"Receiver\"\nemail = \"dmarc@%s\"", m.w.address("plain"), m.w.file(m.name+".sqlite"), domain)
	}
	if m.program == "smtpd" {
		line("[smtpd]\nlisten = \"inet:%s\"\nrecipients = [%q]\nmaildir = %q\nspool = %q", m.w.address(m.name), c.recipients, m.w.file(m.name+"-mail"), m.w.file(m.name+"-spool"))
	} else {
		line("[milter]\nlisten = %q\nsocket_mode = \"0666\"", m.w.socket(m.name))
	}
	return t.String()
}

func (m *milter) file() string { return m.name + ".toml" }

// run starts the program, or starts it again after it was killed.
func (m *milter) run() error {
	err := m.w.write(m.file(), m.toml())
	if err != nil {
		return err
	}
	if m.process, err = m.w.start(m.name, m.w.bin+"/"+m.program, "-config", m.w.file(m.file())); err != nil {
		return err
	}
	if !eventually(10*time.Second, func() bool { return !m.alive() || m.listening() }) || !m.alive() {
		return fmt.Errorf("%s %s does not listen: %s", m.program, m.name, mustRead(m.w.file(m.name+".log")))
	}
	return nil
}

func (m *milter) listening() bool {
	network, address, _ := strings.Cut(m.w.socket(m.name), ":")
	c, err := net.Dial(strings.Replace(network, "inet", "tcp", 1), address)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// socket is how Postfix names the socket of a milter.
func (w *world) socket(name string) string {
	if m := w.milters[name]; m != nil && m.config.unix {
		return "unix:" + w.file(name+".sock")
	}
	return "inet:" + w.address(name)
}

// reload writes the configuration anew and tells the program.
func (m *milter) reload() error {
	if err := m.w.write(m.file(), m.toml()); err != nil {
		return err
	}
	m.signalAndWait()
	return nil
}

// signalAndWait waits until the program has said something about the signal.
func (m *milter) signalAndWait() {
	size := func() int { return len(mustRead(m.w.file(m.name + ".log"))) }
	before := size()
	m.signal(syscall.SIGHUP)
	eventually(3*time.Second, func() bool { return size() > before })
	time.Sleep(50 * time.Millisecond)
}
