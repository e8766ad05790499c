package main

import (
	"io"
	"os"
	"strings"
)

// story prints what Result.Explain says, in colour on a terminal.
type story struct {
	w      io.Writer
	colour bool
}

func newStory(w io.Writer) story {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return story{w: w}
	}
	info, err := f.Stat()
	return story{w: w, colour: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

// print writes the blocks that belong to the command: all of them for evaluate.
func (s story) print(text, command string) {
	wanted := map[string]string{"spf": "SPF HELO", "dkim": "DKIM", "arc": "ARC", "dmarc": "ARC DMARC Verdict", "bimi": "BIMI"}[command]
	show := true
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, " ") {
			label, _, _ := strings.Cut(line, " ")
			show = wanted == "" || strings.Contains(" "+wanted+" ", " "+label+" ")
		}
		if show {
			_, _ = io.WriteString(s.w, s.paint(line))
		}
	}
}

// paint colours the first word of a result: green where it is good, red where it is bad.
func (s story) paint(line string) string {
	if !s.colour || len(line) < 10 {
		return line
	}
	head, rest := line[:9], line[9:]
	for word, code := range map[string]string{
		"pass": "32", "accept": "32", "fail": "31", "reject": "31", "permerror": "31",
		"quarantine": "33", "defer": "33", "softfail": "33", "temperror": "33", "policy": "33",
	} {
		if tail, ok := strings.CutPrefix(rest, word); ok && tail != "" && strings.ContainsRune(":.,;", rune(tail[0])) {
			return head + "\x1b[1;" + code + "m" + word + "\x1b[0m" + tail
		}
	}
	return line
}
