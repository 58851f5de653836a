package mailcode

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/code"
	"coffer/internal/db"
	"coffer/internal/limit/limittest"
	"coffer/internal/mail"
	"coffer/internal/rest"
	"coffer/internal/session"
	"coffer/internal/token"
)

// world is the room behind its HTTP door, over the real rooms below it.
type world struct {
	*Service
	below *accounttest.World
	door  http.Handler
	over  atomic.Int64 // refusals by limits that the door heard of
	t     *testing.T

	mu    sync.Mutex
	mails []mail.Message
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	w := &world{t: t, below: accounttest.New(t, d, limittest.Setup{})}
	b := w.below
	tc := token.Config{KV: b.KV, Ring: b.Ring, Accounts: b.Accounts, Now: b.Now, BaseURL: accounttest.BaseURL}
	limittest.Defaults(t, &tc.Settings)
	tokens, err := token.New(tc)
	if err != nil {
		t.Fatal(err)
	}
	c := session.Config{DB: d, Ring: b.Ring, Limit: b.Limits, Jobs: b.Jobs, Accounts: b.Accounts, Events: b.Events, Tokens: tokens, Now: b.Now}
	limittest.Defaults(t, &c.Settings)
	sessions, err := session.New(c)
	if err != nil {
		t.Fatal(err)
	}
	cc := code.Config{DB: d, Ring: b.Ring, Jobs: b.Jobs, Accounts: b.Accounts, Now: b.Now}
	limittest.Defaults(t, &cc.Settings)
	codes, err := code.New(cc)
	if err != nil {
		t.Fatal(err)
	}
	w.Service = New(Config{DB: d, Codes: codes, Jobs: b.Jobs, Mail: b.Mailer, Accounts: b.Accounts, Sessions: sessions, Events: b.Events, Now: b.Now})
	api := b.API(sessions)
	b.Accounts.Routes(api)
	sessions.Routes(api)
	w.Routes(api)
	api.SetDoor(rest.Door{Answered: func(_ context.Context, r rest.Refusal) {
		if r.Limited {
			w.over.Add(1)
		}
	}})
	w.door = api.Handler()
	return w
}

// answer is what the server says.
type answer struct {
	Status       int    `json:"-"`
	RetryAfter   string `json:"-"`
	Limit        string `json:"-"` // both fields of the limit
	Code         string `json:"code"`
	AccessToken  string `json:"access_token"`
	DeviceToken  string `json:"device_token"`
	AAL          string `json:"aal"`
	AMR          []string
	AttemptID    string    `json:"attempt_id"`
	AttemptToken string    `json:"attempt_token"`
	ResendAt     time.Time `json:"resend_at"`
	Layers       []struct {
		Layer    string
		Done     bool
		SentTo   string    `json:"sent_to"`
		ResendAt time.Time `json:"resend_at"`
	}
	Raw string `json:"-"`
}

func (w *world) call(method, path, authorization string, body any) answer {
	w.t.Helper()
	raw := ""
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			w.t.Error(err)
		}
		raw = string(b)
	}
	r := httptest.NewRequest(method, accounttest.BaseURL+"/v1"+path, strings.NewReader(raw))
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	rec := httptest.NewRecorder()
	w.door.ServeHTTP(rec, r)
	a := answer{Status: rec.Code, RetryAfter: rec.Header().Get("Retry-After"), Limit: rec.Header().Get("RateLimit") + " " + rec.Header().Get("RateLimit-Policy"), Raw: rec.Body.String()}
	if a.Raw != "" {
		if err := json.Unmarshal([]byte(a.Raw), &a); err != nil {
			w.t.Errorf("%s %s: %d %s: %v", method, path, rec.Code, a.Raw, err)
		}
	}
	return a
}

func (w *world) is(a answer, status int, code string) answer {
	w.t.Helper()
	if a.Status != status || a.Code != code {
		w.t.Fatalf("%d %s, want %d %q", a.Status, a.Raw, status, code)
	}
	return a
}

// on joins a person whose layer is on.
func (w *world) on(name string) account.ID {
	w.t.Helper()
	id := w.below.Join(name)
	if err := w.Enable(w.t.Context(), by(id)); err != nil {
		w.t.Fatal(err)
	}
	return id
}

type fields map[string]any

func (w *world) signIn(name string, more fields) answer {
	w.t.Helper()
	body := fields{"identifier": name, "password": accounttest.Password, "refresh_in": "body"}
	for k, v := range more {
		body[k] = v
	}
	return w.call("POST", "/auth/sign-in", "", body)
}

// try answers an attempt with a code.
func (w *world) try(a answer, text string) answer {
	w.t.Helper()
	return w.call("POST", "/auth/attempts/"+a.AttemptID+"/email-otp", "Attempt "+a.AttemptToken, fields{"code": text})
}

func (w *world) again(a answer) answer {
	w.t.Helper()
	return w.call("POST", "/auth/attempts/"+a.AttemptID+"/email-otp/resend", "Attempt "+a.AttemptToken, nil)
}

// code is that of the newest mail to a person; "" when no new one came.
func (w *world) code(name string) string {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mails = append(w.mails, w.below.Mails()...)
	for i, m := range slices.Backward(w.mails) {
		if m.Kind == message && m.To == name+"@canary.example" {
			w.mails = slices.Delete(w.mails, i, i+1)
			return m.Data["code"]
		}
	}
	return ""
}

// other is a code that is not text.
func other(text string) string {
	if text[0] == '0' {
		return "1" + text[1:]
	}
	return "0" + text[1:]
}

func (w *world) count(q string, args ...any) (n int) {
	w.t.Helper()
	if err := w.DB.QueryRow(w.t.Context(), q, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// by is a caller with an ordinary session of an account.
func by(id account.ID) rest.Caller { return rest.Caller{Account: string(id), AAL: session.AAL1} }
