// Package config reads the one file that the programs smtpd, milter and report
// share. Its sample, which documents every setting, is mta.toml beside the programs'
// pages; a test reads it.
package config

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// Config is the file. After Load every default is filled in, and every relative
// file name is relative to the directory of the file.
type Config struct {
	Hostname       string   `toml:"hostname"`
	AuthservID     string   `toml:"authserv_id"`
	Mode           string   `toml:"mode"`
	OnError        string   `toml:"on_error"`
	Domains        []string `toml:"domains"`
	TrustedSealers []string `toml:"trusted_sealers"`
	BIMI           bool     `toml:"bimi"`
	LocalNetworks  []string `toml:"local_networks"`

	DNS        DNS         `toml:"dns"`
	Handling   Handling    `toml:"handling"`
	Exceptions []Exception `toml:"exception"`
	Signing    Signing     `toml:"signing"`
	Sealing    Sealing     `toml:"sealing"`
	Reports    Reports     `toml:"reports"`
	Milter     Milter      `toml:"milter"`
	SMTPD      SMTPD       `toml:"smtpd"`

	// Local is LocalNetworks, parsed.
	Local []netip.Prefix `toml:"-"`
}

// DNS says whom to ask.
type DNS struct {
	Servers []string `toml:"servers"` // host:port; none means /etc/resolv.conf
	Timeout Duration `toml:"timeout"` // of one server
	Message Duration `toml:"message"` // of all questions of one message
}

// Actions are the words of mailauth.Actions.
type Actions struct {
	NoRecord        string `toml:"no_record"`
	None            string `toml:"none"`
	Quarantine      string `toml:"quarantine"`
	Reject          string `toml:"reject"`
	TempError       string `toml:"temperror"`
	PermError       string `toml:"permerror"`
	AmbiguousAuthor string `toml:"ambiguous_author"`
}

// Handling is mailauth.Handling without its exceptions.
type Handling struct {
	Actions
	HonorReject bool `toml:"honor_reject"`
}

// Exception is mailauth.Exception. Action stands for all outcomes of a failed check
// (none, quarantine, reject) that are not named.
type Exception struct {
	Domain string `toml:"domain"`
	Action string `toml:"action"`
	Actions
}

// Key is a private key in a PEM file, and the name under which its public half is published.
type Key struct {
	Domain   string `toml:"domain"`
	Selector string `toml:"selector"`
	File     string `toml:"file"`
}

// Signing says which mail is signed, and with what.
type Signing struct {
	Keys          []Key     `toml:"key"`
	Accounts      []Account `toml:"account"`
	Authenticated *bool     `toml:"authenticated"` // sign for clients that have authenticated; default true
	Required      bool      `toml:"required"`      // refuse to pass outgoing mail for which there is no key
}

// Account says who a client that has logged in may write as. Addresses are as
// dkim.CheckSubmission takes them: "a@example.com" or "@example.com".
type Account struct {
	Login     string   `toml:"login"`
	Addresses []string `toml:"addresses"`
}

// Permitted returns the addresses of a login; ok is false if there are no accounts, so
// that nothing is to be checked.
func (s *Signing) Permitted(login string) (addresses []string, ok bool) {
	for _, a := range s.Accounts {
		if a.Login == login {
			addresses = append(addresses, a.Addresses...)
		}
	}
	return addresses, len(s.Accounts) > 0
}

// Sealing says which mail gets an ARC set.
type Sealing struct {
	Key
	Recipients []string `toml:"recipients"` // patterns of recipients' domains that are forwarded
}

// Reports says where messages are counted, and who reports them.
type Reports struct {
	Database     string `toml:"database"`
	OrgName      string `toml:"org_name"`
	Email        string `toml:"email"`
	ExtraContact string `toml:"extra_contact"`
	Submitter    string `toml:"submitter"`
	Relay        string `toml:"relay"` // host:port
	Keep         int    `toml:"keep"`  // days after which a report that cannot be sent is given up
}

// Milter is what only the milter needs.
type Milter struct {
	Listen      string   `toml:"listen"`
	SocketMode  string   `toml:"socket_mode"`
	Quarantine  string   `toml:"quarantine"`
	Connections int      `toml:"connections"`
	Timeout     Duration `toml:"timeout"`
	Shutdown    Duration `toml:"shutdown"`
}

// SMTPD is what only the server needs.
type SMTPD struct {
	Listen      string   `toml:"listen"`
	Recipients  []string `toml:"recipients"`
	Maildir     string   `toml:"maildir"`
	Mailboxes   string   `toml:"mailboxes"`
	Spool       string   `toml:"spool"`
	RejectSPF   bool     `toml:"reject_spf"`
	Certificate string   `toml:"certificate"`
	PrivateKey  string   `toml:"private_key"`
	MessageSize int64    `toml:"message_size"`
	MaxRcpt     int      `toml:"max_recipients"`
	Connections int      `toml:"connections"`
	Timeout     Duration `toml:"timeout"`
	Shutdown    Duration `toml:"shutdown"`
}

// The words of Config.Mode, Config.OnError, SMTPD.Mailboxes and Milter.Quarantine.
const (
	Observe = "observe"
	Enforce = "enforce"

	TempFail = "tempfail"
	Accept   = "accept"

	Create   = "create"
	Existing = "existing"

	Hold   = "hold"
	Header = "header"
	Refuse = "reject"
)

// Duration is a time.Duration as the file has it: "30s", "5m".
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err == nil && v <= 0 {
		err = fmt.Errorf("%q is no duration above zero", text)
	}
	*d = Duration(v)
	return err
}

// D returns the duration.
func (d Duration) D() time.Duration { return time.Duration(d) }

// Load reads and checks a file. A key that is not known is an error, for a setting
// with a typing error protects nobody.
func Load(file string) (*Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	c, err := Parse(string(text), filepath.Dir(file))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return c, nil
}

// Parse is Load for text; dir is what relative file names are relative to.
func Parse(text, dir string) (*Config, error) {
	var c Config
	md, err := toml.Decode(text, &c)
	if err != nil {
		return nil, err
	}
	if extra := md.Undecoded(); len(extra) > 0 {
		return nil, fmt.Errorf("unknown setting %q", extra[0].String())
	}
	c.defaults()
	c.paths(dir)
	if err := c.check(); err != nil {
		return nil, err
	}
	return &c, nil
}

func set[T comparable](v *T, otherwise T) {
	var zero T
	if *v == zero {
		*v = otherwise
	}
}

func (c *Config) defaults() {
	set(&c.AuthservID, c.Hostname)
	set(&c.Mode, Observe)
	set(&c.OnError, TempFail)
	if c.LocalNetworks == nil {
		c.LocalNetworks = []string{"127.0.0.0/8", "::1/128"}
	}
	set(&c.DNS.Timeout, Duration(5*time.Second))
	set(&c.DNS.Message, Duration(20*time.Second))
	if c.Signing.Authenticated == nil {
		yes := true
		c.Signing.Authenticated = &yes
	}
	set(&c.Reports.Submitter, c.Hostname)
	set(&c.Reports.Keep, 7)
	set(&c.Milter.SocketMode, "0660")
	set(&c.Milter.Quarantine, Hold)
	set(&c.Milter.Connections, 1000)
	set(&c.Milter.Timeout, Duration(10*time.Minute))
	set(&c.Milter.Shutdown, Duration(30*time.Second))
	set(&c.SMTPD.Mailboxes, Create)
	set(&c.SMTPD.MessageSize, 50<<20)
	set(&c.SMTPD.MaxRcpt, 100)
	set(&c.SMTPD.Connections, 500)
	set(&c.SMTPD.Timeout, Duration(5*time.Minute))
	set(&c.SMTPD.Shutdown, Duration(30*time.Second))
}

func (c *Config) paths(dir string) {
	files := []*string{&c.Sealing.File, &c.Reports.Database, &c.SMTPD.Maildir, &c.SMTPD.Spool, &c.SMTPD.Certificate, &c.SMTPD.PrivateKey}
	for i := range c.Signing.Keys {
		files = append(files, &c.Signing.Keys[i].File)
	}
	for _, f := range files {
		if *f != "" && !filepath.IsAbs(*f) {
			*f = filepath.Join(dir, *f)
		}
	}
}

func oneOf(setting, v string, words ...string) error {
	for _, w := range words {
		if v == w {
			return nil
		}
	}
	return fmt.Errorf("%s = %q: must be one of %q", setting, v, words)
}

func (c *Config) check() error {
	if c.Hostname == "" {
		return errors.New("hostname is missing")
	}
	for _, err := range []error{
		oneOf("mode", c.Mode, Observe, Enforce),
		oneOf("on_error", c.OnError, TempFail, Accept),
		oneOf("smtpd.mailboxes", c.SMTPD.Mailboxes, Create, Existing),
		oneOf("milter.quarantine", c.Milter.Quarantine, Hold, Header, Refuse),
	} {
		if err != nil {
			return err
		}
	}
	for _, s := range c.LocalNetworks {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return fmt.Errorf("local_networks: %w", err)
		}
		c.Local = append(c.Local, p.Masked())
	}
	for i, k := range c.Signing.Keys {
		if k.Domain == "" || k.Selector == "" || k.File == "" {
			return fmt.Errorf("signing.key %d: domain, selector and file are all needed", i+1)
		}
	}
	for i, a := range c.Signing.Accounts {
		if a.Login == "" || len(a.Addresses) == 0 {
			return fmt.Errorf("signing.account %d: login and addresses are both needed", i+1)
		}
		for _, x := range a.Addresses {
			if !strings.Contains(x, "@") {
				return fmt.Errorf("signing.account %d: %q is neither an address nor @domain", i+1, x)
			}
		}
	}
	if s := c.Sealing; len(s.Recipients) > 0 && (s.Domain == "" || s.Selector == "" || s.File == "") {
		return errors.New("sealing: domain, selector and file are all needed")
	}
	if (c.SMTPD.Certificate == "") != (c.SMTPD.PrivateKey == "") {
		return errors.New("smtpd: certificate and private_key belong together")
	}
	for _, l := range []string{c.Milter.Listen, c.SMTPD.Listen} {
		if l == "" {
			continue
		}
		if _, _, err := Network(l); err != nil {
			return err
		}
	}
	return nil
}

// Network splits "unix:/path" and "inet:host:port" into what net.Listen takes.
func Network(listen string) (network, address string, err error) {
	kind, address, ok := strings.Cut(listen, ":")
	switch {
	case ok && kind == "unix" && address != "":
		return "unix", address, nil
	case ok && kind == "inet" && strings.Contains(address, ":"):
		return "tcp", address, nil
	}
	return "", "", fmt.Errorf("listen = %q: must be unix:PATH or inet:HOST:PORT", listen)
}

// IsLocal reports whether an address is in one of local_networks.
func (c *Config) IsLocal(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	for _, p := range c.Local {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}
