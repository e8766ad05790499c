package dnsclient

import (
	"os"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	resolvConf = "/etc/resolv.conf"
	// maxSystem is how many of the file's servers are used, as by everybody else
	// (resolv.conf(5): MAXNS).
	maxSystem = 3
	// recheck is how often the file is looked at.
	recheck = 5 * time.Second
)

// systemServers are those of resolv.conf. The zero value has not read it yet.
type systemServers struct {
	path string // for tests; empty means resolvConf

	mu      sync.Mutex
	checked time.Time
	changed time.Time // modification time of what was read
	servers []string
}

// get returns the servers. A file that cannot be read, or names none, stands for
// the local machine (resolv.conf(5)); one that has become unreadable changes nothing.
func (s *systemServers) get() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if s.servers != nil && now.Sub(s.checked) < recheck {
		return s.servers
	}
	s.checked = now
	path := s.path
	if path == "" {
		path = resolvConf
	}
	if info, err := os.Stat(path); err == nil && (s.servers == nil || !info.ModTime().Equal(s.changed)) {
		if text, err := os.ReadFile(path); err == nil {
			s.servers, s.changed = parseResolvConf(string(text)), info.ModTime()
		}
	}
	if s.servers == nil {
		s.servers = parseResolvConf("")
	}
	return s.servers
}

func parseResolvConf(text string) []string {
	config, err := dns.ClientConfigFromReader(strings.NewReader(text))
	if err != nil || len(config.Servers) == 0 {
		return []string{"127.0.0.1", "::1"}
	}
	return config.Servers[:min(len(config.Servers), maxSystem)]
}
