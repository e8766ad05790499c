//go:build browser

package browser

import (
	"bufio"
	"context"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const hostile = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><title>quiet</title>` +
	`<rect width="64" height="64" fill="#c00"/><script>document.documentElement.setAttribute("id", "owned")</script></svg>`

// chromium runs the browser without a window and returns what it prints.
func chromium(t *testing.T, args ...string) string {
	t.Helper()
	name := os.Getenv("CHROMIUM")
	if name == "" {
		name = "chromium"
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	// The browser's own sandbox needs rights that a container rarely gives.
	common := []string{"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
		"--no-first-run", "--disable-background-networking", "--user-data-dir=" + t.TempDir()}
	out, err := exec.CommandContext(ctx, name, append(common, args...)...).Output()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return string(out)
}

// inbox starts the example on its own messages and returns its address.
func inbox(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "inbox")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	run := exec.Command(program, "-addr", addr, "-authserv-id", "mx.example", "../testdata")
	stderr, err := run.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = run.Process.Kill(); _ = run.Wait() })
	line, err := bufio.NewReader(stderr).ReadString('\n')
	if err != nil || !strings.Contains(line, addr) {
		t.Fatalf("inbox did not start: %q %v", line, err)
	}
	return "http://" + addr + "/"
}

// TestScreenshot: the good logos are drawn, the hostile one is not.
func TestScreenshot(t *testing.T) {
	at := inbox(t)
	file := filepath.Join(t.TempDir(), "page.png")
	chromium(t, "--window-size=800,900", "--screenshot="+file, at)
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if keep := os.Getenv("SCREENSHOT"); keep != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(keep, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[[3]uint32]int{}
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, b, _ := img.At(x, y).RGBA()
			seen[[3]uint32{r >> 8, g >> 8, b >> 8}]++
		}
	}
	if n := seen[[3]uint32{0x00, 0xaa, 0x66}]; n < 300 {
		t.Errorf("the certified logo is not drawn: %d green pixels", n)
	}
	if n := seen[[3]uint32{0x11, 0x55, 0xaa}]; n < 300 {
		t.Errorf("the self-asserted logo is not drawn: %d blue pixels", n)
	}
	if n := seen[[3]uint32{0xcc, 0x00, 0x00}]; n != 0 {
		t.Errorf("the hostile logo is drawn: %d red pixels", n)
	}
	dom := chromium(t, "--dump-dom", at)
	if n := strings.Count(dom, "<img "); n != 2 {
		t.Errorf("%d pictures in the page, want 2", n)
	}
	if strings.Contains(dom, "<script") || !strings.Contains(dom, "&lt;script&gt;alert(1)") {
		t.Error("a subject became markup")
	}
}

// TestPolicy: under the headers with which the inbox serves a logo, not even an
// image that the validator would have refused can run when it is opened by itself.
// Without them it does, or the test would prove nothing.
func TestPolicy(t *testing.T) {
	at := inbox(t)
	dom := chromium(t, "--dump-dom", at)
	_, rest, ok := strings.Cut(dom, `<img src="/`)
	if !ok {
		t.Fatal("no picture in the page")
	}
	path, _, _ := strings.Cut(rest, `"`)
	resp, err := http.Get(at + path)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
	serve := func(policy string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "image/svg+xml")
			if policy != "" {
				w.Header().Set("Content-Security-Policy", policy)
			}
			_, _ = io.WriteString(w, hostile)
		}))
		defer s.Close()
		return chromium(t, "--dump-dom", s.URL)
	}
	if dom := serve(""); !strings.Contains(dom, `id="owned"`) {
		t.Fatalf("the hostile image does not even run without a policy: %s", dom)
	}
	if dom := serve(resp.Header.Get("Content-Security-Policy")); strings.Contains(dom, `id="owned"`) || !strings.Contains(dom, "<rect") {
		t.Errorf("the hostile image runs under the logo's policy: %s", dom)
	}
}
