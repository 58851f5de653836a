package feed

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/limit/limittest"
)

type world struct {
	*Service
	t   *testing.T
	url string
}

func newWorld(t *testing.T, d *db.DB, change ...func(*Config)) *world {
	t.Helper()
	below := accounttest.New(t, d, limittest.Setup{})
	cfg := Config{DB: d, Pause: time.Millisecond}
	for _, c := range change {
		c(&cfg)
	}
	w := &world{Service: New(cfg), t: t}
	api := below.API(accounttest.Named{})
	w.Routes(api)
	srv := httptest.NewServer(api.Handler())
	t.Cleanup(srv.Close)
	w.url = srv.URL
	return w
}

// page opens a stream and returns its lines. The first says that the stream is open.
func (w *world) page(who account.ID) *bufio.Scanner {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", w.url+"/v1/changes", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", string(who))
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { res.Body.Close() })
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" || res.Header.Get("Cache-Control") != "no-store" {
		w.t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	lines := bufio.NewScanner(res.Body)
	if !lines.Scan() || lines.Text() != ": open" {
		w.t.Fatalf("the stream begins with %q, %v", lines.Text(), lines.Err())
	}
	return lines
}

// event reads the next event as "kind data". It skips the "anything" of a node that has
// just begun to listen.
func event(lines *bufio.Scanner) string {
	var kind string
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			kind = text
		} else if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok && kind != anything.kind {
			return kind + " " + text
		}
	}
	return "end"
}

func (w *world) tell(who account.ID, kind, id string) {
	w.t.Helper()
	if err := w.DB.Tx(w.t.Context(), func(tx *db.Tx) error { return w.Tell(w.t.Context(), tx, who, kind, id) }); err != nil {
		w.t.Fatal(err)
	}
}

func TestChanges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		first, second, other := w.page("ada"), w.page("ada"), w.page("bob")
		w.tell("ada", "files", "f1")
		for _, page := range []*bufio.Scanner{first, second} {
			if got := event(page); got != `files {"id":"f1"}` {
				t.Errorf("got %q", got)
			}
		}
		w.tell("bob", "files", "")
		if got := event(other); got != `files {"id":""}` {
			t.Errorf("bob hears %q", got)
		}
		// A change rolled back is no news.
		_ = w.DB.Tx(t.Context(), func(tx *db.Tx) error {
			if err := w.Tell(t.Context(), tx, "ada", "files", "undone"); err != nil {
				t.Error(err)
			}
			return io.EOF
		})
		w.tell("ada", "files", "f2")
		if got := event(first); got != `files {"id":"f2"}` {
			t.Errorf("got %q", got)
		}
		w.Close()
		if got := event(first); got != "end" {
			t.Errorf("after the server stopped: %q", got)
		}
	})
}

// TestOtherNode: pages receive changes made by another process.
func TestOtherNode(t *testing.T) {
	url := dbtest.PostgreSQLURL(t)
	node := func() *db.DB {
		d, err := db.Open(t.Context(), url, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		return d
	}
	page := newWorld(t, node()).page("ada")
	there := &world{Service: New(Config{DB: node()}), t: t}
	heard := make(chan string)
	go func() { heard <- event(page) }()
	for { // until the first node listens: earlier notes are a gap
		there.tell("ada", "files", "f1")
		select {
		case got := <-heard:
			if got != `files {"id":"f1"}` {
				t.Errorf("got %q", got)
			}
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// TestTogether: changes during a stream's pause are one event per subject, and many
// subjects are one event.
func TestTogether(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	c, end := w.open("ada")
	for range 1000 {
		w.hear("ada files f1")
	}
	if got := c.take(); len(got) != 1 || !got[subject{"files", "f1"}] {
		t.Errorf("got %v", got)
	}
	for n := range 10 * maxSubjects {
		w.hear("ada files " + strconv.Itoa(n))
		if len(c.waiting) > maxSubjects {
			t.Fatalf("%d subjects wait", len(c.waiting))
		}
	}
	if got := c.take(); len(got) != 1 || !got[anything] {
		t.Errorf("after too many: %v", got)
	}
	w.hear("")
	if got := c.take(); !got[anything] {
		t.Errorf("after a gap: %v", got)
	}
	end()
	w.hear("ada files f1")
	if got := c.take(); len(got) != 0 || len(w.streams) != 0 {
		t.Errorf("after its end: %v, %d accounts are watched", got, len(w.streams))
	}
}

// A writer of a PostgreSQL database can send notes, too. None of them ends the line of an
// event and begins another.
func TestAttackNoteWithLines(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	ada := w.page("ada")
	w.tell("ada", "x\ndata:{}\n\nevent:forged\ndata:{}\n\nevent:y", "1")
	w.tell("ada", "files\rretry:0", "2")
	w.tell("ada", "files", "3\n\nevent:forged\n\n")
	if got, want := event(ada), `files {"id":"3\n\nevent:forged\n\n"}`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestPulse: a stream without news shows that it lives.
func TestPulse(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), func(c *Config) { c.Pulse = time.Millisecond })
	page := w.page("ada")
	for page.Scan() {
		if page.Text() == ": still here" {
			return
		}
	}
	t.Error("no pulse")
}
