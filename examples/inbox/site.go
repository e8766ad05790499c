package main

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"strings"
	"sync"
	"time"
)

//go:embed page.html
var pageText string

//go:embed style.css
var styleText string

// site is the page. The folder is read anew for each request of the list. A logo
// has its own hash for a name, so that it can never appear beside another message
// because the folder has changed meanwhile.
type site struct {
	folder folder
	host   string // the only Host it answers to, so that no other name can be pointed at it
	page   *template.Template

	mu            sync.Mutex
	logos, before map[string][]byte // by name, of the last list and the one before
}

func newSite(f folder, host string) http.Handler {
	s := &site{folder: f, host: host, page: template.Must(template.New("page").Parse(pageText))}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.list)
	mux.HandleFunc("GET /logo/{file}", s.logo)
	mux.HandleFunc("GET /style.css", s.style)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.EqualFold(r.Host, s.host) {
			http.Error(w, "unknown host", http.StatusMisdirectedRequest)
			return
		}
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

// Nothing active, nothing from elsewhere: not even an image that a page may not
// hold by the profile it was checked against can do more than be drawn.
const (
	pagePolicy = "default-src 'none'; img-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	logoPolicy = "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

func (s *site) list(w http.ResponseWriter, r *http.Request) {
	letters, err := s.folder.read(r.Context())
	if err != nil {
		http.Error(w, "the folder cannot be read", http.StatusInternalServerError)
		return
	}
	logos := map[string][]byte{}
	for _, l := range letters {
		if l.Logo != nil {
			logos[l.LogoName()] = l.Logo
		}
	}
	s.mu.Lock()
	s.logos, s.before = logos, s.logos
	s.mu.Unlock()
	w.Header().Set("Content-Security-Policy", pagePolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = s.page.Execute(w, letters)
}

// logo serves a picture of which a list has given the name.
func (s *site) logo(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	logo := s.logos[r.PathValue("file")]
	if logo == nil {
		logo = s.before[r.PathValue("file")]
	}
	s.mu.Unlock()
	if logo == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Security-Policy", logoPolicy)
	w.Header().Set("Content-Type", "image/svg+xml")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(logo))
}

func (s *site) style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write([]byte(styleText))
}
