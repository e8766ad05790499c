package main

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWebRedirects: the web of a request follows what a real fetcher would, and
// nothing else, even where the request has an answer for the rest.
func TestWebRedirects(t *testing.T) {
	const at = "https://example.com/a.svg"
	ok := webAnswer{Status: 200, Body: []byte("x")}
	for location, follows := range map[string]bool{
		"/b": true, "https://cdn.example/b": true, "//cdn.example/b": true, "https://cdn.example:443/b": true,
		"http://cdn.example/b": false, "https://127.0.0.1/b": false, "https://[::1]/b": false, "https://u:p@cdn.example/b": false,
		"https://cdn.example:8443/b": false, "https://localhost/b": false, "https://a.internal/b": false, "file:///b": false, "data:,x": false,
	} {
		w := web{at: {Status: 302, Location: location}, location: ok, "https://example.com/b": ok, "https://cdn.example/b": ok}
		body, _, err := w.Fetch(context.Background(), "example.com", at, 10)
		require.Equal(t, follows, err == nil, location)
		require.Equal(t, follows, len(body) == 1, location)
	}
	for status, follows := range map[int]bool{301: true, 302: true, 303: true, 307: true, 308: true, 300: false, 304: false, 305: false, 200: false} {
		w := web{at: {Status: status, Location: "/b"}, "https://example.com/b": ok}
		body, _, _ := w.Fetch(context.Background(), "example.com", at, 10)
		require.Equal(t, follows, len(body) == 1, status)
	}
}
