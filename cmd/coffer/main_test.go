package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"coffer/client"
	"coffer/internal/account"
)

// TestMain lets scripts run this test binary as coffer.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"coffer": main})
}

// TestScripts runs the command line in scripts. Each script has an empty folder, an
// environment without settings, and $ADDR, a free address.
func TestScripts(t *testing.T) {
	commands := dropCommands()
	commands["reachable"], commands["garble"] = reachable, garble
	commands["stored"], commands["guest"] = stored, guest
	settings := defaultSettings(t)
	commands["member"] = func(ts *testscript.TestScript, _ bool, args []string) { makeMember(t, ts, settings, args[0], args[1]) }
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			env.Setenv("ADDR", l.Addr().String())
			return l.Close()
		},
		Cmds: commands,
	})
}

// reachable waits until the server at an address answers: it has greeted by then.
func reachable(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 || neg {
		ts.Fatalf("usage: reachable HOST:PORT")
	}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		res, err := http.Get("http://" + args[0] + "/healthz")
		if err == nil {
			ts.Check(res.Body.Close())
			return
		}
	}
	ts.Fatalf("nothing answers at %s", args[0])
}

// makeMember makes an account in a data folder of which no server knows yet.
func makeMember(t *testing.T, ts *testscript.TestScript, s Settings, data, name string) {
	s.moveTo(ts.MkAbs(data))
	s.Account.Argon.MemoryKiB, s.Account.Argon.Time = 64, 1
	a, err := openApp(t.Context(), &s, slog.New(slog.DiscardHandler))
	ts.Check(err)
	defer a.close()
	_, err = a.accounts.Create(t.Context(), account.NewAccount{
		FirstName: name, LastName: name, Username: name, Email: name + "@example.org", Password: forgetPassword,
	}, account.User)
	ts.Check(err)
}

// TestDotenvYields shows that the environment overrides the file.
func TestDotenvYields(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile(".env", []byte("COFFER_LOG_LEVEL=debug\nCOFFER_PASSWORD_MIN=20\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("COFFER_PASSWORD_MIN", "15")
	t.Setenv("COFFER_LOG_LEVEL", "")
	os.Unsetenv("COFFER_LOG_LEVEL")
	env := readDotenv(".env")
	if env.err != nil {
		t.Fatal(env.err)
	}
	got := fmt.Sprint(os.Getenv("COFFER_LOG_LEVEL"), " ", os.Getenv("COFFER_PASSWORD_MIN"), " ", len(env.values))
	if want := "debug 15 1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestPlainError: a server's words cannot fake a line, or erase one.
func TestPlainError(t *testing.T) {
	faked := &client.Error{Status: 404, Code: "x", Detail: "no\x1b[2K\r\n3 entries lead to 3 of 3 checkpoints"}
	if got := plainError(fmt.Errorf("verify: %w", faked)); strings.ContainsAny(got, "\x1b\r\n") || !strings.Contains(got, "no_") {
		t.Errorf("%q", got)
	}
	if got := plainError(errors.New("two\nlines")); got != "two\nlines" {
		t.Errorf("%q", got)
	}
}
