package session_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/kv"
	"coffer/internal/kv/kvtest"
	"coffer/internal/limit/limittest"
	"coffer/internal/session"
	"coffer/internal/token"
)

const (
	password = accounttest.Password
	base     = accounttest.BaseURL
)

var b64 = base64.RawURLEncoding

// world is sessions and a few layers behind their HTTP door, over the real rooms below.
type world struct {
	*session.Service
	below *accounttest.World
	t     testing.TB
	door  http.Handler
	pin   *pin
	app   *app
	log   bytes.Buffer
}

// setup is what a world may be made of in another way.
type setup struct {
	limittest.Setup
	config    session.Config
	accessTTL time.Duration
}

func newWorld(t testing.TB, d *db.DB, change ...func(*setup)) *world {
	t.Helper()
	w := &world{t: t}
	in := setup{}
	in.Log = slog.New(slog.NewTextHandler(&w.log, nil))
	limittest.Defaults(t, &in.config.Settings)
	for _, c := range change {
		c(&in)
	}
	w.below = accounttest.New(t, d, in.Setup)
	c, b := in.config, w.below
	tc := token.Config{KV: b.KV, Ring: b.Ring, Accounts: b.Accounts, Now: b.Now, BaseURL: base}
	limittest.Defaults(t, &tc.Settings)
	tc.AccessTTL = cmp.Or(in.accessTTL, tc.AccessTTL)
	tokens, err := token.New(tc)
	if err != nil {
		t.Fatal(err)
	}
	c.DB, c.Ring, c.Limit, c.Jobs, c.Accounts, c.Events, c.Tokens, c.Now, c.Log = d, b.Ring, b.Limits, b.Jobs, b.Accounts, b.Events, tokens, b.Now, b.Log
	if w.Service, err = session.New(c); err != nil {
		t.Fatal(err)
	}
	w.app, w.pin = &app{w}, &pin{on: map[account.ID]bool{}}
	w.AddLayer(w.app, nil)
	w.AddLayer(w.pin, nil)
	api := b.API(w.Service)
	w.Accounts.Routes(api)
	tokens.Routes(api)
	w.Routes(api)
	w.app.setUp()
	w.app.routes(api, w.Service)
	w.pin.routes(api, w.Service)
	w.door = api.Handler()
	return w
}

// inMemory keeps what is short-lived in this process: for tests of many limits.
func inMemory(s *setup) {
	s.KV = func(now func() time.Time) kv.Store { return kv.NewMemory(now) }
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
			s.KV = func(func() time.Time) kv.Store { return store }
		})...))
	})
}

// recordName is the key store's name of a session.
func recordName(id string) string { return "session:" + id }

// bump makes every session of an account die.
func (w *world) bump(id account.ID) {
	w.t.Helper()
	err := w.DB.Tx(context.Background(), func(tx *db.Tx) error { return w.Accounts.InvalidateSessions(context.Background(), tx, id, "") })
	if err != nil {
		w.t.Fatal(err)
	}
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
