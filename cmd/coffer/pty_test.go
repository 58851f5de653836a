//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// person is a terminal with a command behind it.
type person struct {
	t     *testing.T
	pty   *os.File // the side of the person
	other *os.File // the side of the command
	cmd   *exec.Cmd

	mu       sync.Mutex
	seen     bytes.Buffer
	answered int // how much was seen when asks answered last
}

// noTerminals skips a story where the system gives no pseudo-terminal. CI must give one.
func noTerminals(t *testing.T, err error) {
	t.Helper()
	if os.Getenv("COFFER_TEST_REQUIRE") == "1" {
		t.Fatal(err)
	}
	t.Skipf("this system gives no pseudo-terminal: %v", err)
}

// serving runs a server and returns its address.
func serving(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	server := exec.Command("coffer", "serve", "--addr", addr, "--data", t.TempDir(), "--log-level", "error")
	server.Stderr = os.Stderr
	server.Env = slices.DeleteFunc(os.Environ(), func(pair string) bool { return strings.HasPrefix(pair, "COFFER_") }) // names of services
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(os.Interrupt)
		_ = server.Wait()
	})
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		res, err := http.Get("http://" + addr + "/healthz")
		if err == nil {
			res.Body.Close()
			return "http://" + addr
		}
	}
	t.Fatal("the server does not answer")
	return ""
}

// coffer runs a command without a terminal.
func coffer(t *testing.T, stdin string, args ...string) (out string, status int) {
	t.Helper()
	c := exec.Command("coffer", args...)
	c.Stdin = strings.NewReader(stdin)
	b, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(b), c.ProcessState.ExitCode()
}

// atTerminal runs coffer at a terminal of 100 columns.
func atTerminal(t *testing.T, args ...string) *person {
	t.Helper()
	pty, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		noTerminals(t, err)
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
		noTerminals(t, err)
	}
	t.Cleanup(func() { other.Close() })
	if err := unix.IoctlSetWinsize(int(pty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: 100}); err != nil {
		t.Fatal(err)
	}
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
	p.seesFrom(0, text)
}

// seesFrom is sees of what came after so many bytes.
func (p *person) seesFrom(from int, text string) {
	p.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if strings.Contains(p.screen()[from:], text) {
			return
		}
	}
	p.t.Fatalf("the terminal does not show %q:\n%s", text, p.screen())
}

// hides waits until the terminal hides what is typed.
func (p *person) hides() {
	p.t.Helper()
	for end := time.Now().Add(10 * time.Second); p.echoes() && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
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

// find waits for a text that fits, and returns its group.
func (p *person) find(pattern string) string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if m := re.FindStringSubmatch(p.screen()); m != nil {
			return m[1]
		}
	}
	p.t.Fatalf("the terminal does not show %s:\n%s", pattern, p.screen())
	return ""
}

// TestSendAtTerminal shows a person the name, the code, the link, its QR code, and who took
// what. Three wrong codes void the code until the person wants another.
func TestSendAtTerminal(t *testing.T) {
	server := serving(t)
	file := filepath.Join(t.TempDir(), "photo.jpg")
	if err := os.WriteFile(file, make([]byte, 3_000_000), 0o600); err != nil {
		t.Fatal(err)
	}
	p := atTerminal(t, "send", "--server", server, "--receivers", "2", file)
	name := p.find(`Name:  (\S+)`)
	code := p.find(`Code:  ([0-9]{6})\b`)
	link := p.find(`Link:  (http\S+#v1\.[A-Za-z0-9_-]{22})`)
	p.sees("Sending photo.jpg, 3.0 MB.")
	p.sees("▀")
	p.sees("coffer receive --server " + server + " " + name)

	if out, status := coffer(t, "", "receive", "--device", "my \x1b[31mphone", "--out", t.TempDir(), link); status != 0 {
		t.Fatalf("status %d: %s", status, out)
	}
	p.sees("my _[31mphone is here.")
	p.sees("Sent and verified: photo.jpg, 3.0 MB, to my _[31mphone.")

	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	for i := range 3 {
		if out, status := coffer(t, wrong+"\n", "receive", "--server", server, name); status != exitCode {
			t.Fatalf("wrong code %d: status %d: %s", i+1, status, out)
		}
	}
	p.sees("Press Enter for a new code")
	if strings.Contains(p.screen(), "New code") {
		t.Error("a new code was drawn unasked")
	}
	p.types("\n")
	if second := p.find(`New code:  ([0-9]{6})\b`); second == code {
		t.Error("the new code is the old one")
	}
	// The server makes the address of three wrong codes wait, and the command says how long.
	if out, status := coffer(t, "", "receive", link); status != 1 || !strings.Contains(out, "try again in ") {
		t.Errorf("status %d: %s", status, out)
	}
	p.types("\x03")
	if status := p.ends(); status != exitInterrupt {
		t.Errorf("status %d:\n%s", status, p.screen())
	}
}

// TestFarewellAtAQuestion: the end of the drop is noticed while a question is open, and there is
// nothing left to decide.
func TestFarewellAtAQuestion(t *testing.T) {
	server := serving(t)
	dir, to := t.TempDir(), t.TempDir()
	for in, content := range map[string]string{dir: "new", to: "older"} { // the same length would ask later
		if err := os.WriteFile(filepath.Join(in, "one.txt"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sender := atTerminal(t, "send", "--server", server, "--keep", filepath.Join(dir, "one.txt"))
	p := atTerminal(t, "receive", "--out", to, sender.find(`Link:  (http\S+#v1\.[A-Za-z0-9_-]{22})`))
	p.sees("one.txt exists. Keep [b]oth, [r]eplace it, or [s]kip? ")
	sender.types("\x03")
	if status := p.ends(); status != 1 {
		t.Errorf("status %d:\n%s", status, p.screen())
	}
	p.sees("the host has closed the drop")
}

// TestReceiveAtTerminal asks what becomes of a name that is taken, and types a wrong code
// before the right one.
func TestReceiveAtTerminal(t *testing.T) {
	server := serving(t)
	dir, to := t.TempDir(), t.TempDir()
	files := []string{"one.txt", "two.txt", "three.txt", "four.txt"}
	for i, name := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Repeat("new", i+1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if name != "four.txt" {
			if err := os.WriteFile(filepath.Join(to, name), []byte("old!"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	args := []string{"send", "--server", server, "--keep"}
	for _, name := range files {
		args = append(args, filepath.Join(dir, name))
	}
	sender := atTerminal(t, args...)
	name, code := sender.find(`Name:  (\S+)`), sender.find(`Code:  ([0-9]{6})\b`)

	p := atTerminal(t, "receive", "--server", server, "--out", to, strings.ToUpper(strings.ReplaceAll(name, "-", " ")))
	p.sees("Code of " + name + ": ")
	time.Sleep(50 * time.Millisecond) // until the echo is off
	p.types("12\n")
	p.sees("a code is six digits")
	for strings.Count(p.screen(), "Code of") < 2 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond)
	p.types(code + "\n")
	p.sees("You are in " + name)
	answers := map[string]string{"one.txt": "b", "two.txt": "r", "three.txt": "s"}
	for asked := 0; asked < 3; asked++ {
		for strings.Count(p.screen(), "[s]kip? ") <= asked {
			time.Sleep(time.Millisecond)
		}
		questions := regexp.MustCompile(`([a-z]+\.txt) exists\. Keep`).FindAllStringSubmatch(p.screen(), -1)
		p.types(answers[questions[asked][1]] + "\n")
	}
	if status := p.ends(); status != 0 {
		t.Errorf("status %d:\n%s", status, p.screen())
	}
	want := map[string]string{"one.txt": "old!", "one (2).txt": "new", "two.txt": "newnew", "three.txt": "old!", "four.txt": "newnewnewnew"}
	got := map[string]string{}
	entries, err := os.ReadDir(to)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(to, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got[e.Name()] = string(b)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%s", diff, p.screen())
	}
	if strings.Contains(p.screen(), code) {
		t.Error("the code is shown")
	}
	sender.types("\x03")
	if status := sender.ends(); status != 0 {
		t.Errorf("after a receiver that skipped: status %d:\n%s", status, sender.screen())
	}
}
