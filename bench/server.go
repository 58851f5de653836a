package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a measured server.
type process struct {
	cmd  *exec.Cmd
	addr string
}

func freeAddr() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic("internal error: no free port: " + err.Error())
	}
	defer l.Close()
	return l.Addr().String()
}

// launch starts a program and waits until probe answers 200 at its address.
func launch(addr, probe string, env []string, name string, args ...string) (*process, time.Duration, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = append(plainEnv(), env...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, 0, err
	}
	p := &process{cmd, addr}
	for time.Since(begin) < 20*time.Second {
		if res, err := http.Get("http://" + addr + probe); err == nil {
			res.Body.Close()
			return p, time.Since(begin), nil
		}
		time.Sleep(time.Millisecond)
	}
	p.stop()
	return nil, 0, fmt.Errorf("%s does not answer: %s", name, errs.String())
}

// coffer starts the server on a data folder. Its limits are lifted; all other settings are
// the shipped ones.
func (b *bench) coffer(data string, env ...string) (*process, time.Duration, error) {
	return b.cofferOf(b.binary, data, env...)
}

func (b *bench) cofferOf(binary, data string, env ...string) (*process, time.Duration, error) {
	addr := freeAddr()
	env = append([]string{
		"COFFER_ADDR=" + addr, "COFFER_DATA=" + b.path(data), "COFFER_LOG_LEVEL=error",
		"COFFER_LIMIT_SIGN_UP=1000000/1s", "COFFER_LIMIT_SIGN_IN_ADDRESS=1000000/1s", "COFFER_LIMIT_SIGN_IN_ACCOUNT=1000000/1s",
		"COFFER_LIMIT_SIGN_IN_PAIR=1000000/1s", "COFFER_LIMIT_MAIL_RECIPIENT=1000000/1s", "COFFER_LIMIT_MAIL_ADDRESS=1000000/1s",
	}, env...)
	return launch(addr, "/healthz", env, binary, "serve")
}

func (p *process) stop() {
	if p.cmd.Process == nil {
		return
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	p.cmd.Wait()
}

// kill ends a program without data to save.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// memory returns a field of /proc/PID/status in bytes: VmRSS is the current size, VmHWM the
// peak.
func (p *process) memory(field string) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	m := regexp.MustCompile(field + `:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		return 0
	}
	kib, _ := strconv.ParseInt(string(m[1]), 10, 64)
	return kib << 10
}

// cpu returns the processor seconds of the process.
func (p *process) cpu() float64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	// The name, in brackets, may contain blanks. User and system time are fields 14 and 15.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	const ticks = 100 // per second, as the kernel reports them
	return (user + system) / ticks
}

// resetPeak restarts VmHWM from the present size.
func (p *process) resetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0)
}

// call sends JSON and reads JSON; a status of 400 or more is an error.
func (p *process) call(method, path, authorization string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, "http://"+p.addr+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 400 {
		return fmt.Errorf("%s %s: %s %s", method, path, res.Status, raw)
	}
	return decode(raw, out)
}

func decode(raw []byte, out any) error {
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}

// signedIn is the part of a sign-in's answer that the bench needs.
type signedIn struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
}

const (
	benchMail     = "bench@example.org"
	benchPassword = "correct horse battery staple"
)

// newcomer signs a user up; the code comes from the outbox.
func (b *bench) newcomer(p *process, data string) error {
	if err := p.call("POST", "/v1/auth/sign-up", "", map[string]any{
		"first_name": "Bench", "last_name": "Mark", "username": "bench", "email": benchMail, "password": benchPassword,
	}, nil); err != nil {
		return err
	}
	link := regexp.MustCompile(`verify-email#token=([\w.-]+)`)
	for range 500 {
		mails, _ := filepath.Glob(b.path(data, "outbox", "*.eml"))
		slices.Sort(mails)
		for _, name := range slices.Backward(mails) {
			raw, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			text := strings.ReplaceAll(strings.ReplaceAll(string(raw), "=\r\n", ""), "=3D", "=")
			if m := link.FindStringSubmatch(text); m != nil {
				return p.call("POST", "/v1/auth/verify-email", "", map[string]any{"token": m[1], "password": benchPassword}, nil)
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	return errors.New("no mail came")
}

// world is a server with one account, for a group of rows.
func (b *bench) world(data string, env ...string) (*process, signedIn, error) {
	return b.worldOf(b.binary, data, env...)
}

func (b *bench) worldOf(binary, data string, env ...string) (*process, signedIn, error) {
	p, _, err := b.cofferOf(binary, data, env...)
	if err != nil {
		return nil, signedIn{}, err
	}
	b.later(p.stop)
	if err := b.newcomer(p, data); err != nil {
		return nil, signedIn{}, err
	}
	s, err := p.signIn()
	return p, s, err
}

func (p *process) signIn() (signedIn, error) {
	var s signedIn
	err := p.call("POST", "/v1/auth/sign-in", "", map[string]any{"identifier": benchMail, "password": benchPassword, "refresh_in": "body"}, &s)
	return s, err
}

// bareServer is the limit of P1: net/http alone, writing the bytes of the file.
func bareServer(addr, file string) {
	body, err := os.ReadFile(file)
	if err != nil {
		panic("internal error: " + err.Error())
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/account", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(body)
	})
	panic(http.ListenAndServe(addr, mux))
}

// plainEnv is the environment without the names of services, which no program here knows.
func plainEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(pair string) bool { return strings.HasPrefix(pair, "COFFER_") })
}
