package question

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/limit/limittest"
	"coffer/internal/rest"
	"coffer/internal/session"
	"coffer/internal/token"
)

// world is the room behind its HTTP door, over the real rooms below it.
type world struct {
	*Service
	below *accounttest.World
	door  http.Handler
	t     *testing.T
	pin   *pin
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
	w.Service, err = New(Config{DB: d, Ring: b.Ring, Jobs: b.Jobs, Accounts: b.Accounts, Sessions: sessions, Events: b.Events, Now: b.Now})
	if err != nil {
		t.Fatal(err)
	}
	w.pin = &pin{on: map[account.ID]bool{}}
	sessions.AddLayer(w.pin, nil)
	api := b.API(sessions)
	b.Accounts.Routes(api)
	sessions.Routes(api)
	w.Routes(api)
	w.pin.routes(api, sessions)
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
	AttemptID    string `json:"attempt_id"`
	AttemptToken string `json:"attempt_token"`
	Layers       []struct {
		Layer    string
		Done     bool
		Question string
		Hint     string
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

// rosebud is a question that tests set up; its answer has case, space and another form.
var rosebud = Question{Question: "What did Kane say last?", Answer: "  Rose   BUD ", Hint: "a sledge"}

// on joins a person whose question is rosebud.
func (w *world) on(name string) account.ID {
	w.t.Helper()
	id := w.below.Join(name)
	if err := w.Put(w.t.Context(), by(id), rosebud); err != nil {
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

// try answers the question of an attempt.
func (w *world) try(a answer, text string) answer {
	w.t.Helper()
	return w.call("POST", "/auth/attempts/"+a.AttemptID+"/security-question", "Attempt "+a.AttemptToken, fields{"answer": text})
}

// passPin passes the other layer of an attempt.
func (w *world) passPin(a answer) answer {
	w.t.Helper()
	return w.call("POST", "/auth/attempts/"+a.AttemptID+"/pin", "Attempt "+a.AttemptToken, fields{"code": "1234"})
}

// pin is another layer, which makes no aal2: its answer is always "1234".
type pin struct {
	mu sync.Mutex
	on map[account.ID]bool
}

var _ session.Layer = (*pin)(nil)

func (p *pin) Name() string              { return "pin" }
func (p *pin) Last() bool                { return false }
func (p *pin) Assurance() (string, bool) { return "pin", false }

func (p *pin) Enabled(_ context.Context, _ db.Querier, id account.ID) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.on[id], nil
}

func (p *pin) Begin(context.Context, *db.Tx, account.ID, string) (session.Prompt, error) {
	return session.Prompt{}, nil
}

func (p *pin) routes(a *rest.API, s *session.Service) {
	type input struct {
		session.AttemptInput
		Body struct {
			Code string `json:"code"`
		}
	}
	rest.Register(a, rest.Op{Method: "POST", Path: "/auth/attempts/{id}/pin", ID: "pass-pin", Tag: "Test", Access: rest.Attempt, Summary: "Pin", Errors: []*fault.Error{account.ErrCredentials, session.ErrNotAsked}},
		func(ctx context.Context, in *input) (*session.Answer, error) {
			return session.Respond(s.Pass(ctx, in.AttemptInput, "pin", func(context.Context, *db.Tx, account.ID) error {
				if in.Body.Code != "1234" {
					return account.ErrCredentials
				}
				return nil
			}))
		})
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
