package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"coffer/client"
)

// stored uploads a file into a new folder of the person who is signed in: stored FOLDER FILE.
func stored(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: stored FOLDER FILE")
	}
	session := filepath.Join(ts.Getenv("XDG_CONFIG_HOME"), "coffer", "session.json")
	kept, err := readSession(session)
	ts.Check(err)
	c, err := kept.client(session)
	ts.Check(err)
	folder, err := c.CreateFolder(context.Background(), "", args[0])
	ts.Check(err)
	_, err = c.Upload(context.Background(), folder.ID, client.Source{Name: args[1], Content: bytes.NewReader([]byte(ts.ReadFile(args[1])))})
	ts.Check(err)
}

// guest prints the file at a link: guest LINK [PASSWORD].
func guest(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: guest LINK [PASSWORD]")
	}
	c, err := client.New("http://" + ts.Getenv("ADDR"))
	ts.Check(err)
	link := c.Link(args[0])
	if len(args) == 2 && !neg {
		ts.Check(link.Unlock(context.Background(), args[1]))
	}
	content, err := link.Download(context.Background(), "")
	if err == nil {
		var b []byte
		b, err = io.ReadAll(content.Body)
		err = errors.Join(err, content.Body.Close())
		fmt.Fprintf(ts.Stdout(), "%s", b)
	}
	switch {
	case neg && err == nil:
		ts.Fatalf("the link gives the file")
	case neg:
		fmt.Fprintln(ts.Stderr(), err)
	default:
		ts.Check(err)
	}
}

// TestUntil reads what --expires may be.
func TestUntil(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for s, want := range map[string]string{
		"30m": "2026-01-02T03:34:05Z", "12h": "2026-01-02T15:04:05Z", "7d": "2026-01-09T03:04:05Z", "2w": "2026-01-16T03:04:05Z",
		"2027-01-31T12:00:00+01:00": "2027-01-31T11:00:00Z", "": "never",
		"0d": "refused", "-1d": "refused", "d": "refused", "7": "refused", "7x": "refused", "99999d": "refused", "tomorrow": "refused", "2027-13-01": "refused", " 7d": "refused",
	} {
		at, err := until(s, now)
		got := "never"
		if err != nil {
			got = "refused"
		} else if at != nil {
			got = at.UTC().Format(time.RFC3339)
		}
		if got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
	if at, err := until("2027-01-31", now); err != nil || !at.Equal(time.Date(2027, 1, 31, 0, 0, 0, 0, time.Local)) {
		t.Errorf("a date: %v, %v", at, err)
	}
}
