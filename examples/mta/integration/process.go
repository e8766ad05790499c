package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a daemon in the foreground, in a process group of its own so that what
// it forks goes with it.
type process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{}
}

// start runs a daemon until stop, kill, or the end of the run. Its output goes to
// name.log. The group is noted in a file for run.sh, which kills it should this
// program not live to do so.
func (w *world) start(name, path string, args ...string) (*process, error) {
	log, err := os.OpenFile(w.file(name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p := &process{name: name, cmd: exec.Command(path, args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Dir = w.dir
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	w.noteGroup(p.cmd.Process.Pid)
	go func() {
		p.cmd.Wait()
		w.forgetGroup(p.cmd.Process.Pid)
		close(p.done)
	}()
	w.atEnd(p.kill)
	return p, nil
}

func (p *process) signal(s syscall.Signal) { syscall.Kill(-p.cmd.Process.Pid, s) }

// kill is what a kernel short of memory does.
func (p *process) kill() {
	select {
	case <-p.done: // the number may be somebody else's by now
		return
	default:
	}
	p.signal(syscall.SIGCONT)
	p.signal(syscall.SIGKILL)
	<-p.done
}

// stop asks for an orderly end, and reports whether there was one.
func (p *process) stop() bool {
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
		return true
	case <-time.After(10 * time.Second):
		p.kill()
		return false
	}
}

func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// memory is the resident set now and its peak, in KiB.
func (p *process) memory() (now, peak int) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(status)) {
		f := strings.Fields(line)
		switch {
		case len(f) < 2:
		case f[0] == "VmRSS:":
			now, _ = strconv.Atoi(f[1])
		case f[0] == "VmHWM:":
			peak, _ = strconv.Atoi(f[1])
		}
	}
	return now, peak
}

// files counts open files, to see what a hostile client leaves behind.
func (p *process) files() int {
	names, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	return len(names)
}

// cpu is the processor time used so far, user and system.
func (p *process) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(stat)[strings.LastIndexByte(string(stat), ')')+1:])
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * (time.Second / 100)
}

func (w *world) noteGroup(pid int) {
	os.WriteFile(filepath.Join(w.dir, "groups", strconv.Itoa(pid)), nil, 0o644)
}

func (w *world) forgetGroup(pid int) {
	os.Remove(filepath.Join(w.dir, "groups", strconv.Itoa(pid)))
}

// output runs a command to its end and returns what it wrote.
func output(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return string(out), err
}

// eventually asks until it is so, or the time is over.
func eventually(limit time.Duration, so func() bool) bool {
	for end := time.Now().Add(limit); ; {
		if so() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// resetPeak makes the peak of memory what it is now.
func (p *process) resetPeak() {
	os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0)
}
