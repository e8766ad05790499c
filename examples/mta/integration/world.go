package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"

	"github.com/seed2385d973/mailauth/dkim"
)

// world is everything that runs: two name servers, a resolver, two Postfix and what
// filters for them. All of it lives below one directory and on loopback addresses.
type world struct {
	dir  string // of this run; removed by run.sh
	bin  string // our programs
	ends []func()

	ports map[string]int
	keys  map[string]*dkim.Key // by selector@domain

	nameServer, keyServer, resolver *process
	postfix                         map[string]*postfix
	milters                         map[string]*milter
	ledger                          map[[2]string]int64 // final answers by milter and author domain
}

// The senders, told apart by SPF.
const (
	ipServer   = "127.0.0.1" // whatever listens, and the names' servers
	ipGood     = "127.0.0.2"
	ipVictim   = "127.0.0.3"
	ipAttacker = "127.0.0.4"
	ipList     = "127.0.0.5"
	ipOther    = "127.0.0.6" // a list that nobody trusts
	ipReceiver = "127.0.0.7" // what the receiver sends from, and its users
	ipPartner  = "127.0.0.8"
)

func (w *world) file(name string) string { return filepath.Join(w.dir, name) }

func (w *world) atEnd(f func()) { w.ends = append(w.ends, f) }

// end stops everything, the last one first.
func (w *world) end() {
	for _, f := range slices.Backward(w.ends) {
		f()
	}
	w.ends = nil
}

func (w *world) write(name, text string) error {
	if err := os.MkdirAll(filepath.Dir(w.file(name)), 0o755); err != nil {
		return err
	}
	return os.WriteFile(w.file(name), []byte(text), 0o644)
}

// choosePorts finds ports that nobody uses, for TCP and UDP. They are all held until
// all are found, so that they differ.
func (w *world) choosePorts(names ...string) error {
	w.ports = map[string]int{}
	for _, name := range names {
		for try := 0; ; try++ {
			l, err := net.Listen("tcp", ipServer+":0")
			if err != nil {
				return err
			}
			defer l.Close()
			port := l.Addr().(*net.TCPAddr).Port
			u, err := net.ListenPacket("udp", fmt.Sprintf("%s:%d", ipServer, port))
			if err != nil {
				if try < 20 {
					continue
				}
				return err
			}
			defer u.Close()
			w.ports[name] = port
			break
		}
	}
	return nil
}

func (w *world) address(name string) string { return fmt.Sprintf("%s:%d", ipServer, w.ports[name]) }

func (w *world) listening(name string) bool {
	c, err := net.Dial("tcp", w.address(name))
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// makeKey generates a key of the run, for signing here and as a file for a program.
func (w *world) makeKey(domain, selector string, kind dkim.KeyKind) error {
	key, err := dkim.GenerateKey(kind)
	if err != nil {
		return err
	}
	w.keys[selector+"@"+domain] = key
	return w.write(w.keyFile(domain, selector), string(key.PEM()))
}

func (w *world) keyFile(domain, selector string) string {
	return filepath.Join("keys", domain, selector+".pem")
}

func (w *world) signer(domain, selector string) dkim.Signer {
	return dkim.Signer{Domain: domain, Selector: selector, Key: w.keys[selector+"@"+domain]}
}

func mustRead(name string) []byte {
	b, err := os.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return b
}
