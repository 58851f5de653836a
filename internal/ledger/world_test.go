package ledger

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/db"
	"coffer/internal/limit/limittest"
	"coffer/internal/treelog"
)

// world is the room over real accounts, behind its own door.
type world struct {
	*Service
	t        testing.TB
	below    *accounttest.World
	door     http.Handler
	ada, bob account.ID
	said     *said
}

// said is the log's messages.
type said struct {
	slog.Handler
	mu    sync.Mutex
	lines []string
}

func (s *said) Handle(_ context.Context, r slog.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := r.Level.String() + " " + r.Message
	r.Attrs(func(a slog.Attr) bool { line += " " + a.Key + "=" + a.Value.String(); return true })
	s.lines = append(s.lines, line)
	return nil
}
func (s *said) Enabled(context.Context, slog.Level) bool { return true }

func (s *said) has(words string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.lines {
		if strings.Contains(line, words) {
			return true
		}
	}
	return false
}

func newWorld(t testing.TB, d *db.DB, change ...func(*Config)) *world {
	t.Helper()
	w := newProcess(t, d, change...)
	api := w.below.API(accounttest.Named{})
	w.Routes(api)
	w.door = api.Handler()
	w.ada, w.bob = w.below.Join("ada"), w.below.Join("bob")
	return w
}

// newProcess is another process at a database that may have a world. It has no door.
func newProcess(t testing.TB, d *db.DB, change ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, below: accounttest.New(t, d, limittest.Setup{}), said: &said{Handler: slog.DiscardHandler}}
	c := w.config()
	limittest.Defaults(t, &c.Settings)
	c.File = filepath.Join(t.TempDir(), "ledger", "checkpoints.txt")
	for _, f := range change {
		f(&c)
	}
	var err error
	if w.Service, err = New(c); err != nil {
		t.Fatal(err)
	}
	return w
}

// restart forgets what the process has met. It changes the settings first.
func (w *world) restart(change ...func(*Config)) {
	c := w.Config
	for _, f := range change {
		f(&c)
	}
	w.Service = &Service{Config: c, origin: w.origin, signing: w.signing}
	w.addPlaces()
}

func (w *world) config() Config {
	b := w.below
	return Config{
		DB: b.DB, Ring: b.Ring, Jobs: b.Jobs, Limit: b.Limits, Mail: b.Mailer, Accounts: b.Accounts, BaseURL: accounttest.BaseURL, Now: b.Now, Log: slog.New(w.said),
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// event is the nth of the tests.
func event(n int) Event {
	return Event{
		Kind: []Kind{Pin, Unpin, Fail}[n%3], CID: "bafkrei" + strings.Repeat("abcdefgh2345"[n%12:n%12+1], 52), Size: int64(n), Digest: sha256.Sum256(fmt.Append(nil, n)), Subject: fmt.Sprint("pin-", n),
	}
}

// add appends events one by one, a second apart.
func (w *world) add(owner account.ID, n int) {
	w.t.Helper()
	for i := range n {
		w.must(w.DB.Tx(context.Background(), func(tx *db.Tx) error {
			_, err := w.Append(context.Background(), tx, owner, event(i))
			return err
		}))
		w.below.Advance(time.Second)
	}
}

// sign makes a checkpoint and opens it.
func (w *world) sign() treelog.Checkpoint {
	w.t.Helper()
	note, err := w.Checkpoint(context.Background(), true)
	w.must(err)
	return w.open(note)
}

func (w *world) open(note []byte) treelog.Checkpoint {
	w.t.Helper()
	keys, err := w.known(context.Background())
	w.must(err)
	c, err := treelog.OpenCheckpoint(note, keys)
	w.must(err)
	return c
}

// list is the ledger as every caller gets it.
func (w *world) list() (all []treelog.Entry) {
	w.t.Helper()
	for from := ""; ; {
		var page LedgerPage
		w.get("/ledger?limit=7"+from, "", 200, &page)
		for _, e := range page.Items {
			all = append(all, treelog.Entry(e))
		}
		if page.NextCursor == "" {
			return all
		}
		from = "&from=" + page.NextCursor
	}
}

// audit compares the ledger with checkpoints.
func (w *world) audit(anchors ...treelog.Checkpoint) treelog.Report {
	w.t.Helper()
	var all []treelog.Anchor
	for _, c := range anchors {
		all = append(all, treelog.Anchor{Checkpoint: c, From: "a test"})
	}
	a := treelog.NewAudit(all)
	for _, e := range w.list() {
		a.Add(e)
	}
	return a.End()
}

func (w *world) exec(q string, args ...any) {
	w.t.Helper()
	if _, err := w.DB.Exec(context.Background(), q, args...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) count(q string, args ...any) (n int64) {
	w.t.Helper()
	w.must(w.DB.QueryRow(context.Background(), q, args...).Scan(&n))
	return n
}

// get asks the API; who is an account. It returns the answer's body.
func (w *world) get(path, who string, status int, into any) string {
	w.t.Helper()
	r := httptest.NewRequest(http.MethodGet, accounttest.BaseURL+"/v1"+path, nil)
	if who != "" {
		r.Header.Set("Authorization", who)
	}
	rec := httptest.NewRecorder()
	w.door.ServeHTTP(rec, r)
	body := rec.Body.String()
	if rec.Code != status {
		w.t.Fatalf("GET %s: %d %s, want %d", path, rec.Code, body, status)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(body), into); err != nil {
			w.t.Fatalf("GET %s: %v in %s", path, err, body)
		}
	}
	return body
}

// code asks for what is refused, and returns why.
func (w *world) code(path string, status int) string {
	w.t.Helper()
	var problem struct {
		Code string `json:"code"`
	}
	if err := json.Unmarshal([]byte(w.get(path, "", status, nil)), &problem); err != nil {
		w.t.Fatal(err)
	}
	return problem.Code
}
