package session_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/kv"
)

func TestSignInLimits(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.below.Join("ada")
		w.below.Join("eve")
		b := w.browser()
		wrong := fields{"password": "wrong otters 41"}
		// Right passwords are no failures, however many.
		for range 12 {
			b.signIn("ada")
		}
		for range 9 {
			w.is(b.attempt("ada", wrong), 401, "invalid_credentials")
		}
		b.signIn("ada")
		w.is(b.attempt(" Ada", wrong), 401, "invalid_credentials")
		for _, name := range []string{"ada", "Ada", "ADA "} {
			got := w.is(b.attempt(name), 429, "rate_limited")
			if got.Header.Get("Retry-After") == "" || got.Header.Get("RateLimit") == "" || got.Header.Get("RateLimit-Policy") == "" {
				t.Errorf("%s: headers %v", name, got.Header)
			}
		}
		// Guesses at the username do not show at the address: nobody learns that they belong
		// together. The address has its own ten, however it is spelt.
		for i := range 10 {
			w.is(b.attempt([]string{"ada@canary.example", "ADA@CANARY.example"}[i%2], wrong), 401, "invalid_credentials")
		}
		w.is(b.attempt("ada@canary.example"), 429, "rate_limited")
		// Another account from here, this one from elsewhere.
		w.is(b.attempt("eve"), 201, "")
		b.addr = "192.0.2.8"
		w.is(b.attempt("ada"), 201, "")
		b.addr = "192.0.2.7"
		w.is(b.attempt("ada"), 429, "rate_limited")
		w.below.Advance(30 * time.Minute)
		w.is(b.attempt("ada"), 201, "")
	})
}

// Guesses at the same moment count as well.
func TestGuessesAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.below.Join("ada")
		b := w.browser()
		got := race(30, func(i int) string {
			return said(b.request(true, "POST", "/auth/sign-in", "", fields{"identifier": "ada", "password": fmt.Sprint("guess ", i)}))
		})
		if got["401 invalid_credentials"] > 10 || got["401 invalid_credentials"]+got["429 rate_limited"] != 30 {
			t.Errorf("answers %v, want at most ten that were looked at", got)
		}
	})
}

// One address may fail a hundred times, whoever it asks for.
func TestAddressLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), inMemory)
	w.below.Join("ada")
	b := w.browser()
	for i := range 100 {
		w.is(b.attempt(fmt.Sprint("nobody", i)), 401, "invalid_credentials")
	}
	w.is(b.attempt("ada"), 429, "rate_limited")
	b.addr = "192.0.2.8"
	w.is(b.attempt("ada"), 201, "")
	// An IPv6 network is one address.
	b.addr = "[2001:db8::1]"
	for i := range 100 {
		b.addr = fmt.Sprintf("[2001:db8::%x]", i+1)
		w.is(b.attempt(fmt.Sprint("nobody", i)), 401, "invalid_credentials")
	}
	b.addr = "[2001:db8::ffff]"
	w.is(b.attempt("ada"), 429, "rate_limited")
	b.addr = "[2001:db8:0:1::1]"
	w.is(b.attempt("ada"), 201, "")
}

// Whether a name is somebody's shows in nothing: not in status, body or headers, before
// the limit, at it or past it, however the name is spelt (security.md row 10).
func TestUnknownNamesLookTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), inMemory)
	w.below.Join("ada")
	spellings := func(name string) []string {
		return []string{name, strings.ToUpper(name), " " + name + " ", strings.Replace(name, ".example", ".example.", 1)}
	}
	known := append(spellings("ada"), spellings("ada@canary.example")...)
	unknown := append(spellings("bob"), spellings("bob@canary.example")...)
	for from, half := range [][2]int{{0, 4}, {4, 8}} {
		a, b := w.browser(), w.browser()
		a.addr, b.addr = fmt.Sprintf("192.0.2.%d", 10+from), fmt.Sprintf("192.0.2.%d", 20+from)
		for round := range 4 {
			for i := half[0]; i < half[1]; i++ {
				got := a.attempt(known[i], fields{"password": "wrong otters 41"})
				want := b.attempt(unknown[i], fields{"password": "wrong otters 41"})
				if got.Status != want.Status {
					t.Errorf("round %d, %q: %s, %q: %s", round, known[i], said(got), unknown[i], said(want))
				}
				if diff := cmp.Diff(refusal(want), refusal(got)); diff != "" {
					t.Errorf("round %d, %q: %s", round, known[i], diff)
				}
			}
		}
	}
}

// Names and passwords that nobody can have are wrong like others, or too long for all.
func TestOddCredentials(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.below.Join("ada")
		b := w.browser()
		for i, name := range []string{"", " ", "@", "ada\x00", "a@b@c", "ada' OR '1'='1", "\u202eada", strings.Repeat("a", 320), "ada@canary.example\r\nBcc: x@y.example"} {
			b.addr = fmt.Sprintf("192.0.2.%d", 100+i)
			if got := b.attempt(name); said(got) != "401 invalid_credentials" {
				t.Errorf("%q: %d %s", name, got.Status, got.Raw)
			}
		}
		b.addr = "192.0.2.200"
		w.is(b.attempt(strings.Repeat("a", 321)), 422, "validation_failed")
		w.is(b.attempt("ada", fields{"password": ""}), 401, "invalid_credentials")
		w.is(b.attempt("ada", fields{"password": strings.Repeat("a", 5000)}), 422, "validation_failed")
		for name, more := range map[string]fields{
			"device_name too long": {"device_name": strings.Repeat("a", 101)}, "refresh_in": {"refresh_in": "url"},
			"device_token too long": {"device_token": strings.Repeat("a", 101)},
		} {
			if got := b.attempt("ada", more); said(got) != "422 validation_failed" {
				t.Errorf("%s: %d %s", name, got.Status, got.Raw)
			}
		}
		for _, body := range []string{`{"identifier":"ada","password":"x","role":"admin"}`, `{"identifier":"ada","Identifier":"eve","password":"x"}`, `{"identifier":"ada","identifier":"eve","password":"x"}`, `{`, `[]`} {
			if got := b.send("POST", "/auth/sign-in", "", body); got.Status != 400 && got.Status != 422 {
				t.Errorf("%s: %d %s", body, got.Status, got.Raw)
			}
		}
		b.signIn("ada")
	})
}

// recorder notes every key and value that is stored.
type recorder struct {
	kv.Store
	mu      sync.Mutex
	written strings.Builder
}

func (r *recorder) note(key string, value []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.written.WriteString(key + "\n" + string(value) + "\n")
}

func (r *recorder) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	r.note(key, value)
	return r.Store.Put(ctx, key, value, ttl)
}

func (r *recorder) Add(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error) {
	r.note(key, nil)
	return r.Store.Add(ctx, key, delta, ttl)
}

// Whoever reads the stores and the log learns who signed in from nowhere, and no secret.
func TestStoresAndLogTellNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var store recorder
		w := newWorld(t, d, func(s *setup) {
			s.KV = func(now func() time.Time) kv.Store { store.Store = kv.NewSQL(d, now); return &store }
		})
		id := w.layered("ada")
		b := w.browser()
		b.agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0 canary-agent"
		c := b.attempt("ada@canary.example", inBody, fields{"device_name": "canary-name", "remember_device": true})
		b.pass(c, "pin", "0")
		b.pass(c, "pin", "1234")
		got := w.is(b.pass(c, "app", w.code()), 201, "")
		w.is(b.attempt("ada@canary.example", fields{"password": "canary password 41"}), 401, "invalid_credentials")
		w.is(b.attempt("nobody@canary.example"), 401, "invalid_credentials")
		open := b.attempt("ada", fields{"device_name": "canary-name"})
		next := b.trade(got.RefreshToken)
		w.is(b.trade(strings.Replace(got.RefreshToken, "cr1.", "cr1.x", 1)), 401, "invalid_refresh_token")
		w.as(b, got)
		w.below.Advance(time.Minute)
		sql := w.dump("sessions", "attempts", "devices", "kv")
		if !strings.Contains(sql, got.SessionID) || !strings.Contains(sql, open.AttemptID) {
			t.Fatal("the dump is empty")
		}
		if !strings.Contains(store.written.String(), "session:"+got.SessionID) {
			t.Fatal("nothing was written to the key store")
		}
		secrets := []string{got.AccessToken, got.RefreshToken, got.DeviceToken, next.RefreshToken, next.AccessToken, c.AttemptToken, open.AttemptToken}
		w.silent(sql, secrets...)
		w.silent(store.written.String(), secrets...)
		// A session's record names nobody.
		if strings.Contains(store.written.String(), string(id)) {
			t.Error("the key store names an account")
		}
		w.is(b.trade(got.RefreshToken), 401, "invalid_refresh_token") // a reuse is logged
		if !strings.Contains(w.log.String(), "used refresh token") {
			t.Fatal("the log is empty")
		}
		w.silent(strings.ReplaceAll(w.log.String(), base, ""), secrets...)
	})
}

// as looks at the owner's own lists, which do say where and by what.
func (w *world) as(b *browser, s reply) {
	w.t.Helper()
	got := b.send("GET", "/sessions/"+s.SessionID, "Bearer "+s.AccessToken, nil)
	for _, want := range []string{"canary-name", b.addr, "Firefox"} {
		if !strings.Contains(got.Raw, want) {
			w.t.Errorf("the owner is not told %q: %s", want, got.Raw)
		}
	}
}
