package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"coffer/client"
)

// TestShareCleansAnswers: no answer of a server moves the cursor of the terminal, whichever
// member has it.
func TestShareCleansAnswers(t *testing.T) {
	const evil = `"\u001b[2J\u009b1A"`
	answers := map[string]string{
		"GET /v1/shares":           `{"items":[{"id":` + evil + `,"kind":` + evil + `,"url":` + evil + `,"state":` + evil + `,"entry":{"id":` + evil + `,"kind":"file","name":` + evil + `}}]}`,
		"GET /v1/account/sign-ins": `{"items":[{"kind":` + evil + `,"address":` + evil + `,"device":` + evil + `,"place":` + evil + `,"methods":[` + evil + `],"flags":[` + evil + `]}]}`,
		"GET /v1/files":            `{"items":[{"id":"x","kind":"file","name":"a"}]}`,
		"POST /v1/files/x/shares":  `{"id":` + evil + `,"kind":` + evil + `,"url":` + evil + `,"state":` + evil + `}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answers[r.Method+" "+r.URL.Path])
	}))
	defer server.Close()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	path, err := sessionPath()
	if err != nil {
		t.Fatal(err)
	}
	if err := writeSession(path, keptSession{server.URL, client.Credentials{AccessToken: "a", AccessExpires: time.Now().Add(time.Hour), RefreshToken: "r"}}); err != nil {
		t.Fatal(err)
	}
	for name, run := range map[string]func() error{
		"list":           func() error { return shareListCmd{}.Run(t.Context()) },
		"list --json":    func() error { return shareListCmd{sessionFlags{JSON: true}}.Run(t.Context()) },
		"history":        func() error { return historyCmd{Limit: 1}.Run(t.Context()) },
		"history --json": func() error { return historyCmd{sessionFlags: sessionFlags{JSON: true}, Limit: 1}.Run(t.Context()) },
		"create":         func() error { return shareCreateCmd{What: "a"}.Run(t.Context()) },
	} {
		said, err := stdoutOf(t, run)
		if err != nil || said == "" || strings.ContainsAny(said, "\x1b\u009b") {
			t.Errorf("%s: %q, %v", name, said, err)
		}
	}
}

// stdoutOf returns what run writes to standard output.
func stdoutOf(t *testing.T, run func() error) (string, error) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stdout
	os.Stdout = w
	err = run()
	os.Stdout = before
	w.Close()
	said, readErr := io.ReadAll(r)
	if readErr != nil {
		t.Fatal(readErr)
	}
	return string(said), err
}
