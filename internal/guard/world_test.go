package guard

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/db"
	"coffer/internal/kv"
	"coffer/internal/limit/limittest"
	"coffer/internal/rest"
	"coffer/internal/session"
	"coffer/internal/token"
)

const (
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
	chrome  = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36"
	home    = "192.0.2.7"
	away    = "203.0.113.5"
)

// world is the room over the real rooms below it, behind their HTTP door.
type world struct {
	*Service
	t        testing.TB
	below    *accounttest.World
	door     http.Handler
	ada, bob account.ID
	by       func(ctx context.Context) error // what POST /test/by does
}

func newWorld(t testing.TB, d *db.DB) *world {
	t.Helper()
	w := &world{t: t, below: accounttest.New(t, d, limittest.Setup{KV: func(now func() time.Time) kv.Store { return kv.NewMemory(now) }})}
	b := w.below
	tc := token.Config{KV: b.KV, Ring: b.Ring, Accounts: b.Accounts, Now: b.Now, BaseURL: accounttest.BaseURL}
	limittest.Defaults(t, &tc.Settings)
	tokens, err := token.New(tc)
	if err != nil {
		t.Fatal(err)
	}
	places := func(a netip.Addr) session.Place {
		return session.Place{Name: map[string]string{home: "Utrecht, Netherlands", away: "Utrecht, Netherlands", "198.51.100.9": "=Oslo"}[a.String()]}
	}
	sc := session.Config{
		DB: d, Ring: b.Ring, Limit: b.Limits, Jobs: b.Jobs, Accounts: b.Accounts, Events: b.Events, Tokens: tokens, Now: b.Now, Log: b.Log, Place: places,
	}
	limittest.Defaults(t, &sc.Settings)
	sessions, err := session.New(sc)
	if err != nil {
		t.Fatal(err)
	}
	c := Config{DB: d, Ring: b.Ring, Jobs: b.Jobs, Accounts: b.Accounts, Events: b.Events, Sessions: sessions, Now: b.Now, Log: b.Log}
	limittest.Defaults(t, &c.Settings)
	if w.Service, err = New(c); err != nil {
		t.Fatal(err)
	}
	api := b.API(sessions)
	b.Accounts.Routes(api)
	sessions.Routes(api)
	w.Routes(api)
	rest.Register(api, rest.Op{Method: "POST", Path: "/test/by", ID: "test-by", Tag: "Test", Access: rest.Session, Status: 204, Rows: "F-G5", Summary: "Run by"},
		func(ctx context.Context, _ *struct{ rest.Request }) (*struct{}, error) { return nil, w.by(ctx) })
	w.door = api.Handler()
	w.ada, w.bob = b.Join("ada"), b.Join("bob")
	return w
}

// reply is an answer, as api.md names its parts.
type reply struct {
	status int
	header http.Header
	raw    string

	Code        string   `json:"code"`
	SessionID   string   `json:"session_id"`
	AccessToken string   `json:"access_token"`
	DeviceToken string   `json:"device_token"`
	Items       []SignIn `json:"items"`
	NextCursor  string   `json:"next_cursor"`
}

// send makes one request of a client. access is an access token, "" for none.
func (w *world) send(agent, addr, method, path, access, body string) (out reply) {
	w.t.Helper()
	r := httptest.NewRequestWithContext(context.Background(), method, accounttest.BaseURL+"/v1"+path, strings.NewReader(body))
	if body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	r.RemoteAddr = addr + ":4711"
	r.Header.Set("User-Agent", agent)
	if access != "" {
		r.Header.Set("Authorization", "Bearer "+access)
	}
	rec := httptest.NewRecorder()
	w.door.ServeHTTP(rec, r)
	out = reply{status: rec.Code, header: rec.Header(), raw: rec.Body.String()}
	if strings.Contains(rec.Header().Get("Content-Type"), "json") {
		if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil {
			w.t.Errorf("%s %s: %v: %s", method, path, err, out.raw)
		}
	}
	return out
}

// is fails the test unless an answer has a status and a code.
func (w *world) is(got reply, status int, code string) reply {
	w.t.Helper()
	if got.status != status || got.Code != code {
		w.t.Fatalf("%d %s, want %d %s", got.status, got.raw, status, code)
	}
	return got
}

func (w *world) try(agent, addr, who, password string) reply {
	w.t.Helper()
	return w.send(agent, addr, "POST", "/auth/sign-in", "", `{"identifier":"`+who+`","password":"`+password+`","refresh_in":"body","remember_device":true}`)
}

func (w *world) signIn(agent, addr, who string) reply {
	w.t.Helper()
	return w.is(w.try(agent, addr, who, accounttest.Password), 201, "")
}

// history is what a session's owner reads.
func (w *world) history(access, query string) []SignIn {
	w.t.Helper()
	return w.is(w.send(firefox, home, "GET", "/account/sign-ins"+query, access, ""), 200, "").Items
}

// kinds are the kinds of happenings, the newest first.
func kinds(all []SignIn) (out []string) {
	for _, one := range all {
		out = append(out, one.Kind)
	}
	return out
}

// caller is the owner of an account, in no session.
func caller(id account.ID) rest.Caller { return rest.Caller{Account: string(id)} }

// rows counts what is kept of an account.
func (w *world) rows(id account.ID) (n int) {
	w.t.Helper()
	if err := w.DB.QueryRow(context.Background(), `SELECT COUNT(*) FROM sign_in_events WHERE account = $1`, string(id)).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) exec(q string, args ...any) {
	w.t.Helper()
	if n, err := w.DB.Exec(context.Background(), q, args...); err != nil || n == 0 {
		w.t.Fatalf("%s: %d rows, %v", q, n, err)
	}
}
