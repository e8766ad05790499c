// Package filter is the milter: it speaks to Postfix and Sendmail with
// github.com/emersion/go-milter.
package filter

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/emersion/go-milter"
	"github.com/seed2385d973/mailauth/dmarc/aggregate"
	"github.com/seed2385d973/mailauth/examples/mta/internal/gate"
)

// Server serves MTAs.
type Server struct {
	Live *gate.Live
	// Counts counts messages for aggregate reports; nil counts nothing.
	Counts interface {
		Add(context.Context, aggregate.Observation) error
	}
	Log *slog.Logger

	mu      sync.Mutex
	closing bool
	lists   map[net.Listener]bool
	links   map[*link]bool
	wg      sync.WaitGroup
}

// ErrClosed is returned by Serve after Shutdown.
var ErrClosed = errors.New("filter: server closed")

// Serve serves the connections of a listener. At most milter.connections are open at
// once; further ones wait in the listener's queue.
func (s *Server) Serve(l net.Listener) error {
	defer l.Close()
	s.mu.Lock()
	if s.lists == nil {
		s.lists, s.links = map[net.Listener]bool{}, map[*link]bool{}
	}
	s.lists[l] = true
	closing := s.closing
	s.mu.Unlock()
	if closing {
		return ErrClosed
	}
	c := s.Live.Get().Config.Milter
	free := make(chan struct{}, c.Connections)
	for {
		free <- struct{}{}
		conn, err := l.Accept()
		if err != nil {
			<-free
			s.mu.Lock()
			closing := s.closing
			s.mu.Unlock()
			switch {
			case closing:
				return ErrClosed
			case passing(err):
				s.Log.Warn("no connection could be taken", "error", err)
				time.Sleep(100 * time.Millisecond)
				continue
			}
			return err
		}
		lk := newLink(conn, c.Timeout.D(), nil)
		lk.ended = func() {
			s.mu.Lock()
			delete(s.links, lk)
			s.mu.Unlock()
			<-free
			s.wg.Done()
		}
		lk.session = &session{s: s, link: lk}
		s.mu.Lock()
		if s.closing {
			s.mu.Unlock()
			conn.Close()
			<-free
			continue
		}
		s.links[lk] = true
		s.wg.Add(1)
		s.mu.Unlock()
		// A server of the library for each connection: its callbacks then know which
		// connection they belong to. It returns at once and leaves a goroutine, which
		// closes the link.
		one := milter.Server{NewMilter: func() milter.Milter { return lk.session }}
		one.Serve(&single{conn: lk})
	}
}

// passing reports whether an error of Accept says nothing about the next one: the
// client has gone already, or something is used up that others will give back.
func passing(err error) bool {
	for _, e := range []error{syscall.ECONNABORTED, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EINTR} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// single is a listener with one connection.
type single struct{ conn net.Conn }

func (s *single) Accept() (net.Conn, error) {
	if s.conn == nil {
		return nil, net.ErrClosed
	}
	c := s.conn
	s.conn = nil
	return c, nil
}

func (s *single) Close() error   { return nil }
func (s *single) Addr() net.Addr { return nil }

// Shutdown takes no further message, waits for those that are under way, and ends all
// connections; when ctx is done, at once. Nothing of the Server runs after it.
func (s *Server) Shutdown(ctx context.Context) {
	s.mu.Lock()
	s.closing = true
	for l := range s.lists {
		l.Close()
	}
	for l := range s.links {
		l.shut()
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() { s.wg.Wait(); close(done) }()
	select {
	case <-done:
		return
	case <-ctx.Done():
	}
	s.mu.Lock()
	for l := range s.links {
		l.Conn.Close()
	}
	s.mu.Unlock()
	<-done
}
