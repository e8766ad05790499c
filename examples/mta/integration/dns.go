package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/seed2385d973/mailauth/dkim"
)

// Everything is below the domain "test". keys.test has its keys on a server of its
// own, which can fail while the rest of the DNS answers.
const zoneHead = `$TTL 60
@ SOA ns.test. hostmaster.test. 1 3600 600 86400 60
@ NS ns.test.
`

// domains are the senders, by the address that their SPF record names.
var domains = []struct{ name, ip, policy string }{
	{"good.test", ipGood, "reject"},
	{"grün.test", ipGood, "reject"},
	{"victim.test", ipVictim, "reject"},
	{"careful.test", ipVictim, "quarantine"},
	{"attacker.test", ipAttacker, "none"},
	{"list.test", ipList, "none"},
	{"other.test", ipOther, "none"},
	{"receiver.test", ipReceiver, "reject"},
	{"partner.test", ipPartner, "reject"},
	{"load.test", ipGood, "reject"},
	{"keys.test", ipVictim, "reject"},
}

var aLabels = strings.NewReplacer("grün.test", "xn--grn-ioa.test")

// zone is the main zone, with the keys of the run.
func (w *world) zone() (string, error) {
	var z strings.Builder
	z.WriteString(zoneHead + "ns A " + ipServer + "\n")
	for _, d := range domains {
		name := aLabels.Replace(d.name) + "."
		fmt.Fprintf(&z, "%s MX 10 mx.%s\n%s TXT \"v=spf1 ip4:%s -all\"\n", name, name, name, d.ip)
		fmt.Fprintf(&z, "mx.%s A %s\nmx.%s TXT \"v=spf1 ip4:%s -all\"\n", name, d.ip, name, d.ip)
		fmt.Fprintf(&z, "_dmarc.%s TXT \"v=DMARC1; p=%s; rua=mailto:reports@%s\"\n", name, d.policy, strings.TrimSuffix(name, "."))
	}
	z.WriteString("*.load.test. TXT \"v=spf1 ip4:" + loadNetwork + "0/24 -all\"\n") // envelopes by which reports tell messages apart
	keys, err := w.keyRecords(func(domain string) bool { return domain != "keys.test" })
	if err != nil {
		return "", err
	}
	z.WriteString(keys)
	z.WriteString("_domainkey.keys.test. NS ns.test.\n") // and the resolver knows the port
	return z.String(), nil
}

func (w *world) keyRecords(of func(domain string) bool) (string, error) {
	var z strings.Builder
	for id, key := range w.keys {
		selector, domain, _ := strings.Cut(id, "@")
		if !of(domain) {
			continue
		}
		line, err := key.Record().ZoneLine(selector, domain)
		if err != nil {
			return "", err
		}
		z.WriteString(line + "\n")
	}
	return z.String(), nil
}

const nsdConf = `server:
	ip-address: %s@%d
	server-count: 1
	do-ip6: no
	hide-version: yes
	rrl-ratelimit: 0 # of answers to one client, which is all that there is
	rrl-whitelist-ratelimit: 0
	username: ""
	chroot: ""
	database: ""
	zonesdir: %q
	pidfile: %q
	xfrdfile: %q
	xfrdir: %q
	zonelistfile: %q
	logfile: %q
	verbosity: 1
remote-control:
	control-enable: no
`

// startNSD runs an authoritative server with these zones.
func (w *world) startNSD(name string, zones map[string]string) (*process, error) {
	var conf strings.Builder
	in := func(file string) string { return w.file(name + "/" + file) }
	fmt.Fprintf(&conf, nsdConf, ipServer, w.ports[name], in(""), in("pid"), in("xfrd.state"), in(""), in("zone.list"), in("log"))
	for zone, text := range zones {
		file := "zone" + strings.ReplaceAll(zone, ".", "_")
		if err := w.write(name+"/"+file, text); err != nil {
			return nil, err
		}
		fmt.Fprintf(&conf, "zone:\n\tname: %q\n\tzonefile: %q\n", zone, file)
	}
	if err := w.write(name+"/nsd.conf", conf.String()); err != nil {
		return nil, err
	}
	return w.runNSD(name)
}

func (w *world) runNSD(name string) (*process, error) {
	p, err := w.start(name, "nsd", "-d", "-c", w.file(name+"/nsd.conf"))
	if err != nil {
		return nil, err
	}
	if !eventually(10*time.Second, func() bool { return !p.alive() || w.listening(name) }) || !p.alive() {
		return nil, fmt.Errorf("%s does not listen: see %s", name, w.file(name+".log"))
	}
	return p, nil
}

// The resolver has no network but loopback: its root is ours, too. It must not keep
// what it learned about a server that was down for as long as it would in the world.
const unboundConf = `server:
	interface: %s
	port: %d
	do-ip6: no
	access-control: 127.0.0.0/8 allow
	do-not-query-localhost: no
	username: ""
	chroot: ""
	directory: %q
	pidfile: %q
	use-syslog: no
	logfile: ""
	do-daemonize: no
	num-threads: 1
	module-config: "iterator"
	local-zone: "test." nodefault
	infra-host-ttl: 1
	infra-keep-probing: yes
	hide-version: yes
remote-control:
	control-enable: no
`

const stub = "stub-zone:\n\tname: %q\n\tstub-addr: %s@%d\n\tstub-prime: no\n"

func (w *world) startDNS() (err error) {
	zone, err := w.zone()
	if err != nil {
		return err
	}
	w.nameServer, err = w.startNSD("names", map[string]string{".": zoneHead + "test. NS ns.test.\nns.test. A " + ipServer + "\n", "test": zone})
	if err != nil {
		return err
	}
	keys, err := w.keyRecords(func(domain string) bool { return domain == "keys.test" })
	if err != nil {
		return err
	}
	w.keyServer, err = w.startNSD("keyserver", map[string]string{"_domainkey.keys.test": zoneHead + keys})
	if err != nil {
		return err
	}
	conf := fmt.Sprintf(unboundConf, ipServer, w.ports["resolver"], w.dir, w.file("unbound.pid"))
	conf += fmt.Sprintf(stub, ".", ipServer, w.ports["names"]) + fmt.Sprintf(stub, "test.", ipServer, w.ports["names"]) +
		fmt.Sprintf(stub, "_domainkey.keys.test.", ipServer, w.ports["keyserver"])
	if err := w.write("unbound.conf", conf); err != nil {
		return err
	}
	return w.startResolver()
}

func (w *world) startResolver() (err error) {
	w.resolver, err = w.start("unbound", "unbound", "-d", "-p", "-c", w.file("unbound.conf"))
	if err != nil {
		return err
	}
	if !eventually(10*time.Second, func() bool { return !w.resolver.alive() || w.listening("resolver") }) || !w.resolver.alive() {
		log, _ := os.ReadFile(w.file("unbound.log"))
		return fmt.Errorf("unbound does not listen: %s", log)
	}
	return nil
}

// makeKeys generates every key of the run.
func (w *world) makeKeys() error {
	w.keys = map[string]*dkim.Key{}
	for _, k := range []struct {
		domain, selector string
		kind             dkim.KeyKind
	}{
		{"good.test", "s1", dkim.Ed25519},
		{"xn--grn-ioa.test", "s1", dkim.Ed25519},
		{"victim.test", "s1", dkim.RSA2048},
		{"attacker.test", "s1", dkim.RSA2048},
		{"keys.test", "s1", dkim.RSA2048},
		{"keys.test", "s2", dkim.RSA2048},
		{"keys.test", "s3", dkim.Ed25519},
		{"load.test", "s1", dkim.Ed25519},
		{"load.test", "r1", dkim.RSA2048},
		{"list.test", "arc", dkim.RSA2048},
		{"other.test", "arc", dkim.RSA2048},
		{"receiver.test", "rsa1", dkim.RSA2048},
		{"receiver.test", "rsa2", dkim.RSA2048}, // the next one, for SIGHUP
		{"receiver.test", "ed1", dkim.Ed25519},
		{"partner.test", "rsa1", dkim.RSA2048},
	} {
		if err := w.makeKey(k.domain, k.selector, k.kind); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) resolverAddress() string {
	return net.JoinHostPort(ipServer, fmt.Sprint(w.ports["resolver"]))
}
