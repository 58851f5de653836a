package session_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/kv"
	"coffer/internal/kv/kvtest"
	"coffer/internal/limit"
	"coffer/internal/mail"
	"coffer/internal/rest"
	"coffer/internal/session"
)

const (
	password = "seven quiet otters 41"
	base     = "https://coffer.test"
)

var b64 = base64.RawURLEncoding

// world is sessions and a few layers behind their HTTP door, over the real rooms below,
// with a clock and a mailbox.
type world struct {
	*session.Service
	t     testing.TB
	clock atomic.Int64
	door  http.Handler
	pin   *pin
	app   *app
	jobs  *jobs.Queue
	log   bytes.Buffer

	mu  sync.Mutex
	box []mail.Message
}

// setup is what a world may be made of in another way.
type setup struct {
	alg    string
	store  func(now func() time.Time) kv.Store
	config session.Config
}

func (w *world) now() time.Time          { return time.UnixMilli(w.clock.Load()) }
func (w *world) advance(d time.Duration) { w.clock.Add(d.Milliseconds()) }

func newWorld(t testing.TB, d *db.DB, change ...func(*setup)) *world {
	t.Helper()
	w := &world{t: t}
	w.clock.Store(time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC).UnixMilli())
	in := setup{alg: "EdDSA", store: func(now func() time.Time) kv.Store { return kv.NewSQL(d, now) }}
	in.config.RefreshGrace = 10 * time.Second
	for _, c := range change {
		c(&in)
	}
	ring, err := keyring.Open(t.Context(), d, bytes.Repeat([]byte{5}, 32), w.now, keyring.TokenAlg(in.alg))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(&w.log, nil))
	w.jobs = jobs.New(d, jobs.Config{
		Now: w.now,
		Seal: func(ctx context.Context, b []byte) ([]byte, error) {
			return ring.Seal(ctx, keyring.Field, b, []byte("jobs"))
		},
		Open: func(ctx context.Context, b []byte) ([]byte, error) {
			return ring.Open(ctx, keyring.Field, b, []byte("jobs"))
		},
	})
	w.jobs.Handle(mail.Job, func(_ context.Context, payload []byte) error {
		var m mail.Message
		if err := json.Unmarshal(payload, &m); err != nil {
			return err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.box = append(w.box, m)
		return nil
	})
	store := in.store(w.now)
	limits := limit.New(store, ring.Index, w.now)
	accounts, err := account.New(account.Config{
		DB: d, Ring: ring, Jobs: w.jobs, KV: store, Limit: limits, Now: w.now, Log: log, BaseURL: base,
		Argon: account.Argon2Params{MemoryKiB: 64, Time: 1, Threads: 1}, Hashers: 4, HashQueue: 1000,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.app = &app{w}
	w.pin = &pin{on: map[account.ID]bool{}}
	c := in.config
	c.DB, c.KV, c.Ring, c.Limit, c.Accounts, c.Now, c.Log, c.BaseURL = d, store, ring, limits, accounts, w.now, log, base
	if c.Layers == nil {
		c.Layers = []session.Layer{w.app, w.pin}
	}
	if w.Service, err = session.New(c); err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(base)
	api := rest.New(rest.Config{Title: "Coffer", Version: "1", BaseURL: u, Log: log, Now: w.now})
	api.SetAuthenticator(w.Service)
	accounts.Routes(api)
	w.Routes(api)
	w.app.setUp()
	w.app.routes(api, w.Service)
	w.pin.routes(api, w.Service)
	w.door = api.Handler()
	return w
}

// inMemory keeps what is short-lived in this process: for tests of many limits.
func inMemory(s *setup) {
	s.store = func(now func() time.Time) kv.Store { return kv.NewMemory(now) }
}

// each runs fn on both engines, and on SQLite with the other key stores.
func each(t *testing.T, fn func(t *testing.T, w *world), change ...func(*setup)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newWorld(t, d, change...)) })
	t.Run("Memory", func(t *testing.T) { fn(t, newWorld(t, dbtest.SQLite(t), append(change, inMemory)...)) })
	t.Run("Redis", func(t *testing.T) {
		store, err := kv.OpenRedis(t.Context(), kvtest.RedisURL(t), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		fn(t, newWorld(t, dbtest.SQLite(t), append(change, func(s *setup) {
			s.store = func(func() time.Time) kv.Store { return store }
		})...))
	})
}

// join makes an account.
func (w *world) join(name string) account.ID {
	w.t.Helper()
	id, err := w.Accounts.Create(context.Background(), account.NewAccount{
		FirstName: "Ada", LastName: "Lovelace", Username: name, Email: name + "@canary.example", Password: password,
	}, account.User)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// bump makes every session of an account die.
func (w *world) bump(id account.ID) {
	w.t.Helper()
	err := w.DB.Tx(context.Background(), func(tx *db.Tx) error { return w.Accounts.Bump(context.Background(), tx, id) })
	if err != nil {
		w.t.Fatal(err)
	}
}

// mails runs every job and returns the events of what came since the last call.
func (w *world) mails() []string {
	w.t.Helper()
	for worked := true; worked; {
		var err error
		if worked, err = w.jobs.Step(context.Background()); err != nil {
			w.t.Fatal(err)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var events []string
	for _, m := range w.box {
		events = append(events, m.To+" "+m.Data["event"])
	}
	w.box = nil
	return events
}

// count returns a number that one statement asks for.
func (w *world) count(q string, args ...any) int {
	w.t.Helper()
	var n int
	if err := w.DB.QueryRow(context.Background(), q, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}
