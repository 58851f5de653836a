package recovery_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/kv"
	"coffer/internal/kv/kvtest"
	"coffer/internal/limit/limittest"
	"coffer/internal/mail"
	"coffer/internal/recovery"
	"coffer/internal/rest"
	"coffer/internal/session"
	"coffer/internal/token"
	"coffer/internal/totp"
)

const (
	oldPassword = accounttest.Password
	newPassword = "nine loud herons 52"
)

// world is the room behind its HTTP door, with sessions and the authenticator app.
type world struct {
	*accounttest.World
	t        testing.TB
	back     *recovery.Service
	sessions *session.Service
	codes    *totp.Service
	door     http.Handler
	log      bytes.Buffer

	mu     sync.Mutex
	refuse error // of a layer whose beginning fails
}

func newWorld(t testing.TB, d *db.DB, store func(func() time.Time) kv.Store) *world {
	t.Helper()
	w := &world{t: t}
	w.World = accounttest.New(t, d, limittest.Setup{KV: store, Log: slog.New(slog.NewTextHandler(&w.log, nil))})
	tc := token.Config{KV: w.KV, Ring: w.Ring, Accounts: w.Accounts, Now: w.Now, BaseURL: accounttest.BaseURL}
	limittest.Defaults(t, &tc.Settings)
	tokens, err := token.New(tc)
	if err != nil {
		t.Fatal(err)
	}
	c := session.Config{DB: d, Ring: w.Ring, Limit: w.Limits, Jobs: w.Jobs, Accounts: w.Accounts, Events: w.Events, Tokens: tokens, Now: w.Now, Log: w.Log}
	limittest.Defaults(t, &c.Settings)
	if w.sessions, err = session.New(c); err != nil {
		t.Fatal(err)
	}
	w.codes = totp.New(totp.Config{DB: d, Accounts: w.Accounts, Sessions: w.sessions, Events: w.Events, Now: w.Now})
	w.sessions.AddLayer(w, off)
	rc := recovery.Config{
		DB: d, Jobs: w.Jobs, Limit: w.Limits, Mail: w.Mailer, Accounts: w.Accounts, Sessions: w.sessions, Events: w.Events, Now: w.Now, Log: w.Log,
	}
	limittest.Defaults(t, &rc.Settings)
	w.back = recovery.New(rc)
	api := w.API(w.sessions)
	for _, room := range []interface{ Routes(*rest.API) }{w.Accounts, tokens, w.sessions, w.codes, w.back} {
		room.Routes(api)
	}
	w.passable(api)
	w.door = api.Handler()
	return w
}

// The world is a layer that only an account's seal turns on. With refuse, asking for it fails.
var _ session.Layer = (*world)(nil)

func (w *world) Name() string { return "broken" }
func (w *world) Enabled(context.Context, db.Querier, account.ID) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return false, w.refuse
}
func (w *world) Begin(context.Context, *db.Tx, account.ID, string) (session.Prompt, error) {
	return session.Prompt{}, nil
}
func (w *world) Last() bool                { return false }
func (w *world) Assurance() (string, bool) { return "none", false }

// each runs fn on both engines, and on SQLite with the other key stores.
func each(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newWorld(t, d, nil)) })
	t.Run("Memory", func(t *testing.T) {
		fn(t, newWorld(t, dbtest.SQLite(t), func(now func() time.Time) kv.Store { return kv.NewMemory(now) }))
	})
	t.Run("Redis", func(t *testing.T) {
		store, err := kv.OpenRedis(t.Context(), kvtest.RedisURL(t), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		fn(t, newWorld(t, dbtest.SQLite(t), func(func() time.Time) kv.Store { return store }))
	})
}

// reply is an answer.
type reply struct {
	Status int         `json:"-"`
	Header http.Header `json:"-"`
	Raw    string      `json:"-"`

	Code   string `json:"code"`
	Errors []struct{ Pointer, Code string }

	SessionID    string   `json:"session_id"`
	AccessToken  string   `json:"access_token"`
	RefreshToken string   `json:"refresh_token"`
	DeviceToken  string   `json:"device_token"`
	AAL          string   `json:"aal"`
	AMR          []string `json:"amr"`
	AttemptID    string   `json:"attempt_id"`
	AttemptToken string   `json:"attempt_token"`
	Layers       []struct{ Layer string }
}

type fields map[string]any

// call makes one request from an address. It may be called by many goroutines.
func (w *world) call(from, method, path, authorization string, body any) reply {
	w.t.Helper()
	var text io.Reader = http.NoBody
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			w.t.Error(err)
		}
		text = bytes.NewReader(raw)
	}
	r := httptest.NewRequest(method, accounttest.BaseURL+"/v1"+path, text)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	r.RemoteAddr = from + ":4711"
	rec := httptest.NewRecorder()
	w.door.ServeHTTP(rec, r)
	out := reply{Status: rec.Code, Header: rec.Header(), Raw: rec.Body.String()}
	if strings.Contains(rec.Header().Get("Content-Type"), "json") {
		if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil {
			w.t.Errorf("%s %s: %v: %s", method, path, err, out.Raw)
		}
	}
	return out
}

const home = "192.0.2.7"

func (w *world) post(path string, body fields) reply {
	w.t.Helper()
	return w.call(home, "POST", path, "", body)
}

// is fails the test unless a reply has this status and code.
func (w *world) is(got reply, status int, code string) reply {
	w.t.Helper()
	if got.Status != status || got.Code != code {
		w.t.Fatalf("%d %s, want %d %q", got.Status, got.Raw, status, code)
	}
	return got
}

func said(r reply) string { return strings.TrimSpace(fmt.Sprintf("%d %s", r.Status, r.Code)) }

// signIn opens a session, or begins an attempt.
func (w *world) signIn(name, password string, more fields) reply {
	w.t.Helper()
	body := fields{"identifier": name, "password": password, "refresh_in": "body"}
	for k, v := range more {
		body[k] = v
	}
	return w.post("/auth/sign-in", body)
}

// alive reports whether an access token is good.
func (w *world) alive(access string) bool {
	w.t.Helper()
	got := w.call(home, "GET", "/account", "Bearer "+access, nil)
	if got.Status != 200 && got.Status != 401 {
		w.t.Errorf("GET /account: %d %s", got.Status, got.Raw)
	}
	return got.Status == 200
}

// mailed returns the mails of a kind since the last call, and drops the others.
func (w *world) mailed(kind string) (found []mail.Message) {
	w.t.Helper()
	for _, m := range w.Mails() {
		if m.Kind == kind {
			found = append(found, m)
		}
	}
	return found
}

// tokenIn returns the token of the link in the only mail of a kind.
func (w *world) tokenIn(kind, page string) string {
	w.t.Helper()
	mails := w.mailed(kind)
	if len(mails) != 1 {
		w.t.Fatalf("%d mails %s", len(mails), kind)
	}
	token, ok := strings.CutPrefix(mails[0].Data["link"], accounttest.BaseURL+page+"#token=")
	if !ok || token == "" {
		w.t.Fatalf("the link %q", mails[0].Data["link"])
	}
	return token
}

// forgot asks for a reset and returns the token that is mailed.
func (w *world) forgot(name string) string {
	w.t.Helper()
	w.is(w.post("/auth/password/forgot", fields{"email": name + "@canary.example"}), 202, "")
	return w.tokenIn("reset-password", "/reset")
}

func (w *world) reset(token, password string) reply {
	w.t.Helper()
	return w.post("/auth/password/reset", fields{"token": token, "password": password, "refresh_in": "body"})
}

// deactivate deactivates the account of a session.
func (w *world) deactivate(access string) {
	w.t.Helper()
	w.is(w.call(home, "POST", "/account/deactivate", "Bearer "+access, nil), 204, "")
}

// activation asks for an activation and returns the token that is mailed.
func (w *world) activation(name, password string) string {
	w.t.Helper()
	w.is(w.post("/auth/activate", fields{"identifier": name, "password": password}), 202, "")
	return w.tokenIn("activate", "/activate")
}

func (w *world) confirm(token string) reply {
	w.t.Helper()
	return w.post("/auth/activate/confirm", fields{"token": token, "refresh_in": "body"})
}

// withApp turns the authenticator app on for an account and returns its secret.
func (w *world) withApp(id account.ID) string {
	w.t.Helper()
	e, err := w.codes.Enrol(context.Background(), rest.Caller{Account: string(id)})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.codes.Confirm(context.Background(), rest.Caller{Account: string(id)}, w.code(e.Secret)); err != nil {
		w.t.Fatal(err)
	}
	w.Advance(time.Minute)
	return e.Secret
}

func (w *world) code(secret string) string {
	w.t.Helper()
	code, err := hotp.GenerateCodeCustom(secret, uint64(w.Now().Unix()/30), hotp.ValidateOpts{Digits: otp.DigitsSix})
	if err != nil {
		w.t.Fatal(err)
	}
	return code
}

func (w *world) pass(c reply, secret string) reply {
	w.t.Helper()
	return w.call(home, "POST", "/auth/attempts/"+c.AttemptID+"/totp", "Attempt "+c.AttemptToken, fields{"code": w.code(secret)})
}

// count returns a number that one statement asks for.
func (w *world) count(q string, args ...any) (n int) {
	w.t.Helper()
	if err := w.DB.QueryRow(context.Background(), q, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) exec(q string, args ...any) {
	w.t.Helper()
	if _, err := w.DB.Exec(context.Background(), q, args...); err != nil {
		w.t.Fatal(err)
	}
}

// race runs fn n times at the same moment and counts the answers.
func race(n int, fn func(i int) string) map[string]int {
	got := make([]string, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { <-start; got[i] = fn(i) })
	}
	close(start)
	wg.Wait()
	count := map[string]int{}
	for _, g := range got {
		count[g]++
	}
	return count
}
