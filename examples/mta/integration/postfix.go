package main

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// postfix is one instance: a master with its own configuration, queue and log.
type postfix struct {
	w          *world
	name, host string
	domain     string // whose mail it delivers, into the Maildir boxes/all
	send       string // the address that it sends from
	services   []service
	transport  map[string]string // domain or address: next hop; everything else has none
	aliases    map[string]string
	extra      string
}

// service is one port of an instance, so that one queue serves several filters.
type service struct {
	port    string   // its name in world.ports
	options []string // "name=value"
}

const mainCF = `compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file = %[1]s/mail.log
maillog_file_prefixes = %[1]s
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = %[2]s
mydomain = %[3]s
myorigin = %[3]s
mydestination =
mynetworks =
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = %[3]s
virtual_mailbox_maps = inline:{ { @%[3]s = all/ } }
virtual_mailbox_base = %[1]s/boxes
virtual_mailbox_limit = 0
virtual_uid_maps = static:%[4]d
virtual_gid_maps = static:%[5]d
virtual_minimum_uid = 1
virtual_alias_maps = texthash:%[1]s/aliases
transport_maps = texthash:%[1]s/transport
default_transport = error:5.1.2 no such domain here
smtp_bind_address = %[6]s
smtp_tls_security_level = none
smtp_host_lookup = native
disable_dns_lookups = yes
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_client_connection_count_limit = 0
smtpd_recipient_limit = 1000
message_size_limit = 60000000
minimal_backoff_time = 2s
maximal_backoff_time = 4s
queue_run_delay = 2s
smtp_connection_cache_on_demand = no
in_flow_delay = 0
milter_protocol = 6
milter_default_action = tempfail
milter_connect_timeout = 10s
milter_command_timeout = 20s
milter_content_timeout = 60s
milter_macro_daemon_name = %[2]s
`

const masterCF = `cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
local unix - n n - - local
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`

func (p *postfix) dir() string { return p.w.file("postfix-" + p.name) }

func (p *postfix) start() error {
	box, err := user.Lookup("nobody")
	if err != nil {
		return err
	}
	uid, _ := strconv.Atoi(box.Uid)
	gid, _ := strconv.Atoi(box.Gid)
	owner, err := user.Lookup("postfix")
	if err != nil {
		return err
	}
	daemon, _ := strconv.Atoi(owner.Uid)
	for _, d := range []struct {
		name  string
		owner int
	}{{"etc", 0}, {"queue", 0}, {"data", daemon}, {"boxes", uid}} {
		name := filepath.Join(p.dir(), d.name)
		if err := os.MkdirAll(name, 0o755); err != nil {
			return err
		}
		if err := os.Chown(name, d.owner, -1); err != nil {
			return err
		}
	}
	base := "postfix-" + p.name
	var transport, aliases, master strings.Builder
	for k, v := range p.transport {
		fmt.Fprintf(&transport, "%s %s\n", k, v)
	}
	for k, v := range p.aliases {
		fmt.Fprintf(&aliases, "%s %s\n", k, v)
	}
	master.WriteString(masterCF)
	for _, s := range p.services {
		fmt.Fprintf(&master, "%s inet n - n - - smtpd\n  -o syslog_name=postfix/%s\n", p.w.address(s.port), s.port)
		for _, o := range s.options {
			fmt.Fprintf(&master, "  -o { %s }\n", strings.Replace(o, "=", " = ", 1))
		}
	}
	for name, text := range map[string]string{
		"transport": transport.String(), "aliases": aliases.String(), "etc/master.cf": master.String(),
		"etc/main.cf": fmt.Sprintf(mainCF, p.dir(), p.host, p.domain, uid, gid, p.send) + p.extra,
	} {
		if err := p.w.write(base+"/"+name, text); err != nil {
			return err
		}
	}
	if out, err := output("postfix", "-c", filepath.Join(p.dir(), "etc"), "start"); err != nil {
		return fmt.Errorf("%w\n%s\n%s", err, out, p.log())
	}
	pid := p.pid()
	if pid == 0 {
		return fmt.Errorf("postfix %s has no master: %s", p.name, p.log())
	}
	p.w.noteGroup(pid)
	p.w.atEnd(func() { // the master leads its group
		syscall.Kill(-pid, syscall.SIGKILL)
		p.w.forgetGroup(pid)
	})
	for _, s := range p.services {
		if !eventually(10*time.Second, func() bool { return p.w.listening(s.port) }) {
			return fmt.Errorf("postfix %s does not listen for %s: %s", p.name, s.port, p.log())
		}
	}
	return nil
}

func (p *postfix) pid() int {
	b, _ := os.ReadFile(filepath.Join(p.dir(), "queue/pid/master.pid"))
	n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return n
}

func (p *postfix) log() string {
	b, _ := os.ReadFile(filepath.Join(p.dir(), "mail.log"))
	return string(b)
}

// maildir reads all messages that were delivered.
func (p *postfix) maildir() []delivered { return readMaildir(filepath.Join(p.dir(), "boxes/all")) }

// queued counts the messages in a queue: incoming, active, deferred or hold.
func (p *postfix) queued(queues ...string) int { return len(p.queueFiles(queues...)) }

func (p *postfix) queueFiles(queues ...string) (files []string) {
	for _, q := range queues {
		filepath.WalkDir(filepath.Join(p.dir(), "queue", q), func(path string, d os.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				files = append(files, path)
			}
			return nil
		})
	}
	slices.Sort(files)
	return files
}

// held returns the messages in the hold queue, which is where Postfix puts what a
// filter quarantines.
func (p *postfix) held() []delivered {
	var all []delivered
	for _, f := range p.queueFiles("hold") {
		text, err := output("postcat", "-c", filepath.Join(p.dir(), "etc"), "-q", "-h", "-b", filepath.Base(f))
		if err == nil {
			all = append(all, delivered{file: f, data: text})
		}
	}
	return all
}

// release lets a held message go on, as an administrator does.
func (p *postfix) release(d delivered) error {
	_, err := output("postsuper", "-c", filepath.Join(p.dir(), "etc"), "-H", filepath.Base(d.file))
	return err
}
