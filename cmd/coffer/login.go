package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"coffer/client"
	"coffer/client/drop/disk"
)

// The session of this machine's user is in a file that only the user can read. A password is
// never in it, nor in a command line: other users can see those.

// loginCmd opens a session and keeps it.
type loginCmd struct {
	Server string `env:"COFFER_SERVER" default:"${server}" placeholder:"URL" help:"The Coffer server. Default ${server}."`
	Name   string `arg:"" optional:"" help:"E-mail or username; the command asks for it."`
}

// Run signs in: with the password, then with what else the account asks for.
func (c loginCmd) Run(ctx context.Context) error {
	if err := mayCarryPasswords(c.Server); err != nil {
		return err
	}
	path, err := sessionPath()
	if err != nil {
		return err
	}
	switch kept, err := readSession(path); {
	case err == nil:
		return fmt.Errorf("you are signed in at %s; \"coffer logout\" ends that", kept.Server)
	case !errors.Is(err, errSignedOut):
		return err
	}
	t := newTerminal()
	if c.Name == "" {
		if c.Name, err = t.ask(ctx, "E-mail or username: "); err != nil {
			return asked(ctx, err)
		}
	}
	password, err := t.password(ctx, "Password: ")
	if err != nil {
		return err
	}
	kept := keptSession{Server: strings.TrimRight(c.Server, "/")}
	person, err := kept.client(path)
	if err != nil {
		return err
	}
	device, _ := os.Hostname() // a session has a name of its own without one
	_, left, err := person.SignIn(ctx, client.SignIn{Identifier: strings.TrimSpace(c.Name), Password: password, DeviceName: device})
	for err == nil && left != nil {
		left, err = c.pass(ctx, t, left)
	}
	if err != nil {
		return unreachable(ctx, kept.Server, err)
	}
	_, err = fmt.Fprintf(t.out, "signed in at %s\n", kept.Server)
	return err
}

// pass answers the next layer, and returns what is left. A person may answer again.
func (c loginCmd) pass(ctx context.Context, t *terminal, left *client.Challenge) (*client.Challenge, error) {
	for _, l := range left.Layers {
		if l.Done {
			continue
		}
		question, body := layerQuestion(l)
		if body == nil {
			return nil, fmt.Errorf("this account asks for %s, which this command cannot give; sign in with a browser", l.Name)
		}
		for {
			answer, err := t.hidden(ctx, question)
			if errors.Is(err, io.EOF) {
				err = fmt.Errorf("standard input ended before the answer to %s", l.Name)
			}
			if err != nil {
				return nil, asked(ctx, err)
			}
			_, next, err := left.Pass(ctx, l.Name, body(strings.TrimSpace(answer)))
			if code := client.Code(err); t.inIs && (code == "invalid_code" || code == "wrong_answer") {
				t.note("%s", disk.Clean(err.Error()))
				continue
			}
			return next, err
		}
	}
	return nil, errors.New("the server asks for more, and does not say for what")
}

// layerQuestion returns how to ask for a layer, and how its answer goes to the server; nil for
// a layer that a terminal cannot answer.
func layerQuestion(l client.Layer) (question string, body func(answer string) any) {
	switch l.Name {
	case client.TOTP:
		return "Code of the authenticator app: ", func(s string) any { return client.TOTPCode{Code: s} }
	case client.EmailOTP:
		return fmt.Sprintf("Code from the mail to %s: ", disk.Clean(l.SentTo)), func(s string) any { return client.EmailCode{Code: s} }
	case client.SMS:
		return fmt.Sprintf("Code from the text message to %s: ", disk.Clean(l.SentTo)), func(s string) any { return client.SMSCode{Code: s} }
	case client.SecurityQuestion:
		hint := ""
		if l.Hint != "" {
			hint = fmt.Sprintf(" (%s)", disk.Clean(l.Hint))
		}
		return fmt.Sprintf("%s%s: ", disk.Clean(l.Question), hint), func(s string) any { return client.SecurityAnswer{Answer: s} }
	}
	return "", nil
}

// password asks for a password; spaces in it count.
func (t *terminal) password(ctx context.Context, question string) (string, error) {
	s, err := t.hidden(ctx, question)
	if errors.Is(err, io.EOF) {
		err = errors.New("standard input ended before the password")
	}
	if err != nil {
		return "", asked(ctx, err)
	}
	return s, nil
}

// mayCarryPasswords refuses a server that would get passwords in clear over a network.
func mayCarryPasswords(server string) error {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" {
		return fmt.Errorf("--server: %q is not an address such as https://files.example.org", disk.Clean(server))
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme == "http" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("--server: %s would get the password in clear; use https", disk.Clean(u.Redacted()))
	}
	return nil
}

// logoutCmd ends the session.
type logoutCmd struct {
	Local bool `help:"Remove the session from this machine even if the server does not answer."`
}

// Run ends the session at the server and here.
func (c logoutCmd) Run(ctx context.Context) error {
	path, err := sessionPath()
	if err != nil {
		return err
	}
	kept, err := readSession(path)
	if err != nil {
		return err
	}
	person, err := kept.client(path)
	if err != nil {
		return err
	}
	t := newTerminal()
	if err := person.SignOut(ctx); err != nil && !c.Local {
		return unreachable(ctx, kept.Server, fmt.Errorf("the session is still there: %w", err))
	} else if err != nil {
		t.note("the server did not end the session; end it among your devices")
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_, err = fmt.Fprintf(t.out, "signed out at %s\n", kept.Server)
	return err
}

// errSignedOut says that this machine has no session.
var errSignedOut = errors.New("you are not signed in; \"coffer login\" does that")

// keptSession is the content of the file.
type keptSession struct {
	Server      string             `json:"server"`
	Credentials client.Credentials `json:"credentials"`
}

// sessionPath is where the session of this user is.
func sessionPath() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("there is no folder for the session: %w", err)
	}
	return filepath.Join(dir, "coffer", "session.json"), nil
}

// readSession reads the session; errSignedOut without one. It refuses a file that others can
// read: they may have the session already.
func readSession(path string) (s keptSession, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, errSignedOut
	}
	if err != nil {
		return s, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return s, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return s, fmt.Errorf("%s: others can read it; end the session among your devices, and remove the file", path)
	}
	if err := json.NewDecoder(f).Decode(&s); err != nil {
		return s, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// client returns a client that continues the session, and keeps its changes in the file.
func (s keptSession) client(path string) (*client.Client, error) {
	return client.New(s.Server, client.WithCredentials(s.Credentials), client.WithUserAgent("coffer/"+version()),
		client.WithSave(func(_ context.Context, creds client.Credentials) error {
			if creds.AccessToken == "" && creds.RefreshToken == "" {
				if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
					return err
				}
				return nil
			}
			return writeSession(path, keptSession{s.Server, creds})
		}))
}

// writeSession replaces the file in one step, so that a reader sees one session whole.
func writeSession(path string, s keptSession) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "session-*") // for the user alone
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if err = errors.Join(json.NewEncoder(f).Encode(s), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// signedIn continues the session of coffer login. server, if not "", must be its server.
func signedIn(server string) (*client.Client, keptSession, error) {
	path, err := sessionPath()
	if err != nil {
		return nil, keptSession{}, err
	}
	kept, err := readSession(path)
	if err != nil {
		return nil, kept, err
	}
	if server = strings.TrimRight(server, "/"); server != "" && server != kept.Server {
		return nil, kept, fmt.Errorf("you are signed in at %s, not at %s", kept.Server, disk.Clean(server))
	}
	person, err := kept.client(path)
	return person, kept, err
}

// refused is what a command says when the server of a session refuses.
func (s keptSession) refused(ctx context.Context, err error) error {
	if errors.Is(err, client.ErrSignedOut) {
		return errors.New("the session has ended; \"coffer login\" opens another")
	}
	return unreachable(ctx, s.Server, err)
}
