package token_test

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
	"coffer/internal/kv"
	"coffer/internal/kv/kvtest"
	"coffer/internal/limit/limittest"
	"coffer/internal/rest"
	"coffer/internal/token"
	"coffer/internal/token/tokentest"
)

const base = accounttest.BaseURL

var b64 = base64.RawURLEncoding

// world is tokens behind the operations of accounts, over the real rooms below.
type world struct {
	*token.Service
	below *accounttest.World
	t     testing.TB
	door  http.Handler
	bound bool // sessions are opened with binding
}

// setup is what a world may be made of in another way.
type setup struct {
	limittest.Setup
	ttl time.Duration
}

// authenticator lets tokens judge requests without the room session above them.
type authenticator struct{ s *token.Service }

func (a authenticator) Authenticate(ctx context.Context, q *rest.Sent) (rest.Caller, error) {
	return a.s.Authenticate(ctx, q)
}
func (a authenticator) StepUp(context.Context, rest.Caller, bool) error { return nil }
func (a authenticator) Alive(ctx context.Context, c rest.Caller) error {
	return a.s.Alive(ctx, c.Session)
}
func (a authenticator) Still(ctx context.Context, c rest.Caller) (rest.Caller, error) {
	return c, a.Alive(ctx, c)
}
func (a authenticator) Refusals(op rest.Op) (refusals []*fault.Error) { return nil }

func newWorld(t testing.TB, d *db.DB, change ...func(*setup)) *world {
	t.Helper()
	in := setup{}
	for _, c := range change {
		c(&in)
	}
	w := &world{t: t, below: accounttest.New(t, d, in.Setup)}
	b := w.below
	var err error
	c := token.Config{KV: b.KV, Ring: b.Ring, Accounts: b.Accounts, Now: b.Now, BaseURL: base}
	limittest.Defaults(t, &c.Settings)
	c.AccessTTL = cmp.Or(in.ttl, c.AccessTTL)
	if w.Service, err = token.New(c); err != nil {
		t.Fatal(err)
	}
	api := b.API(authenticator{w.Service})
	w.Accounts.Routes(api)
	w.Routes(api)
	w.door = api.Handler()
	return w
}

// each runs fn on both engines, and on SQLite with the other key stores.
func each(t *testing.T, fn func(t *testing.T, w *world), change ...func(*setup)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newWorld(t, d, change...)) })
	with := func(open func(now func() time.Time) kv.Store) func(*setup) { return func(s *setup) { s.KV = open } }
	t.Run("Memory", func(t *testing.T) {
		fn(t, newWorld(t, dbtest.SQLite(t), append(change, with(func(now func() time.Time) kv.Store { return kv.NewMemory(now) }))...))
	})
	t.Run("Redis", func(t *testing.T) {
		store, err := kv.OpenRedis(t.Context(), kvtest.RedisURL(t), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		fn(t, newWorld(t, dbtest.SQLite(t), append(change, with(func(func() time.Time) kv.Store { return store }))...))
	})
}

const month = 30 * 24 * time.Hour

// issued is an access token and what it was made of.
type issued struct {
	text   string
	life   time.Duration
	keys   *token.Keys
	holder token.Payload
}

// open makes a session of an account that ends after life, and its first token. public nil
// is a client without a key.
func (w *world) open(id account.ID, public *token.PublicKey, life time.Duration) issued {
	w.t.Helper()
	ctx := context.Background()
	st, err := w.Accounts.State(ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	var client []byte
	if public != nil {
		if client, err = token.ParseKey(public); err != nil {
			w.t.Fatal(err)
		}
	}
	i := issued{holder: token.Payload{Account: id, AAL: "aal1", AMR: []string{"pwd"}, AuthTime: w.Now().Unix(), Ver: st.SessionEpoch}}
	if i.keys, err = w.Open(ctx, client, w.bound, w.Now().Add(life)); err != nil {
		w.t.Fatal(err)
	}
	if i.text, i.life, err = w.Mint(ctx, i.keys, i.holder, w.Now().Add(life)); err != nil {
		w.t.Fatal(err)
	}
	return i
}

// issue opens a session of a month for a client with a key on crv, "" for one without.
func (w *world) issue(id account.ID, crv string) issued {
	w.t.Helper()
	if crv == "" {
		return w.open(id, nil, month)
	}
	_, public := tokentest.KeyPair(w.t, crv)
	return w.open(id, public, month)
}

// reply is an answer of the API.
type reply struct {
	Status int
	Header http.Header
	Raw    string
}

// get asks for the account of whoever sends this Authorization.
func (w *world) get(authorization string) reply {
	r := httptest.NewRequest("GET", base+"/v1/account", http.NoBody)
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	rec := httptest.NewRecorder()
	w.door.ServeHTTP(rec, r)
	return reply{rec.Code, rec.Header(), rec.Body.String()}
}

// alive reports whether a token is good, and complains about any answer that is neither yes
// nor no.
func (w *world) alive(text string) bool {
	w.t.Helper()
	got := w.get("Bearer " + text)
	if got.Status != 200 && got.Status != 401 {
		w.t.Errorf("GET /account: %d %s", got.Status, got.Raw)
	}
	return got.Status == 200
}

// refusal is an answer without what names the request.
func refusal(r reply) string {
	h := r.Header.Clone()
	h.Del("X-Request-Id")
	names, err := json.Marshal(h)
	if err != nil {
		panic(err)
	}
	var body struct {
		RequestID string `json:"request_id"`
	}
	if err := json.Unmarshal([]byte(r.Raw), &body); err != nil {
		panic(err)
	}
	return strings.ReplaceAll(r.Raw, body.RequestID, "ID") + string(names)
}

// breakable is a store that can be away.
type breakable struct {
	kv.Store
	down atomic.Bool
	deaf atomic.Bool // remembers no first use
}

// over puts b over a store in memory.
func (b *breakable) over(now func() time.Time) kv.Store {
	b.Store = kv.NewMemory(now)
	return b
}

func (b *breakable) Get(ctx context.Context, key string) ([]byte, error) {
	if b.down.Load() {
		return nil, kv.ErrUnavailable
	}
	return b.Store.Get(ctx, key)
}

func (b *breakable) Delete(ctx context.Context, key string) error {
	if b.down.Load() {
		return kv.ErrUnavailable
	}
	return b.Store.Delete(ctx, key)
}

func (b *breakable) Once(ctx context.Context, key string, made time.Time, ttl time.Duration) (bool, error) {
	if b.deaf.Load() {
		return false, kv.ErrUnavailable
	}
	return b.Store.Once(ctx, key, made, ttl)
}

func (b *breakable) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if b.down.Load() {
		return kv.ErrUnavailable
	}
	return b.Store.Put(ctx, key, value, ttl)
}
