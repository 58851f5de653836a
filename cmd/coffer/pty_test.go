//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// person is a terminal with a command behind it.
type person struct {
	t     *testing.T
	pty   *os.File // the side of the person
	other *os.File // the side of the command
	cmd   *exec.Cmd

	mu   sync.Mutex
	seen bytes.Buffer
}

// atTerminal runs coffer at a terminal.
func atTerminal(t *testing.T, args ...string) *person {
	t.Helper()
	pty, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { pty.Close() })
	if err := unix.IoctlSetPointerInt(int(pty.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(pty.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { other.Close() })
	p := &person{t: t, pty: pty, other: other, cmd: exec.Command("coffer", args...)}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = other, other, other
	p.cmd.Dir = t.TempDir()
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := pty.Read(b)
			p.mu.Lock()
			p.seen.Write(b[:n])
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return p
}

func (p *person) screen() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen.String()
}

// sees waits until the terminal shows a text.
func (p *person) sees(text string) {
	p.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if strings.Contains(p.screen(), text) {
			return
		}
	}
	p.t.Fatalf("the terminal does not show %q:\n%s", text, p.screen())
}

func (p *person) types(text string) {
	p.t.Helper()
	if _, err := p.pty.WriteString(text); err != nil {
		p.t.Fatal(err)
	}
}

// ends waits for the command and returns its status.
func (p *person) ends() int {
	p.t.Helper()
	done := make(chan error, 1)
	go func() { done <- p.cmd.Wait() }()
	select {
	case err := <-done:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			p.t.Fatal(err)
		}
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(20 * time.Second):
		p.t.Fatalf("the command does not end:\n%s", p.screen())
		return 0
	}
}

// echoes reports whether the terminal shows what is typed.
func (p *person) echoes() bool {
	p.t.Helper()
	state, err := unix.IoctlGetTermios(int(p.other.Fd()), unix.TCGETS)
	if err != nil {
		p.t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// TestCodeIsHidden types a code at a terminal: it is not shown.
func TestCodeIsHidden(t *testing.T) {
	p := atTerminal(t, "receive", "--server", "http://127.0.0.1:1", "Red Fox")
	p.sees("Code of red-fox: ")
	for end := time.Now().Add(10 * time.Second); p.echoes() && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	p.types("271828\n")
	p.sees("no server answers at http://127.0.0.1:1")
	if status := p.ends(); status != 1 {
		t.Errorf("status %d", status)
	}
	if strings.Contains(p.screen(), "271828") || strings.Contains(p.screen(), "2718") {
		t.Errorf("the code is shown:\n%s", p.screen())
	}
	if !p.echoes() {
		t.Error("the terminal stays without echo")
	}
}

// TestInterruptedAtCode presses Ctrl-C at the question: the terminal shows again what is
// typed.
func TestInterruptedAtCode(t *testing.T) {
	p := atTerminal(t, "receive", "--server", "http://127.0.0.1:1", "red-fox")
	p.sees("Code of red-fox: ")
	for end := time.Now().Add(10 * time.Second); p.echoes() && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	p.types("\x03")
	if status := p.ends(); status != exitInterrupt {
		t.Errorf("status %d:\n%s", status, p.screen())
	}
	if !p.echoes() {
		t.Error("the terminal stays without echo")
	}
}
