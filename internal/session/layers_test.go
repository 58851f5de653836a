package session_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/kv"
	"coffer/internal/rest"
	"coffer/internal/session"
)

// The layers of these tests: session is tested without the rooms above it.

// pin is a layer that is no second factor of its own: its answer is always "1234".
type pin struct {
	mu sync.Mutex
	on map[account.ID]bool

	last  bool // see session.Layer
	begun int  // messages that it would have sent

	meanwhile func() // happens once, while a sign-in looks which layers are on
}

var _ session.Layer = (*pin)(nil)

func (p *pin) Name() string               { return "pin" }
func (p *pin) Assurance() (string, bool)  { return "pin", false }
func (p *pin) set(id account.ID, on bool) { p.mu.Lock(); p.on[id] = on; p.mu.Unlock() }

func (p *pin) Enabled(_ context.Context, _ db.Querier, id account.ID) (bool, error) {
	p.mu.Lock()
	on, happens := p.on[id], p.meanwhile
	p.meanwhile = nil
	p.mu.Unlock()
	if happens != nil {
		happens()
	}
	return on, nil
}

func (p *pin) Begin(context.Context, *db.Tx, account.ID, string) (session.Prompt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun++
	return session.Prompt{Hint: "canary-hint"}, nil
}

func (p *pin) Last() bool { return p.last }

type layerInput struct {
	session.AttemptInput
	Body struct {
		Code string `json:"code"`
	}
}

func (p *pin) routes(a *rest.API, s *session.Service) {
	rest.Register(a, rest.Op{Method: "POST", Path: "/auth/attempts/{id}/pin", ID: "pass-pin", Tag: "Test", Access: rest.Attempt, Summary: "Pin", Errors: []*fault.Error{account.ErrCredentials, session.ErrNotAsked, session.ErrHeld}},
		func(ctx context.Context, in *layerInput) (*session.Answer, error) {
			return session.Respond(s.Pass(ctx, in.AttemptInput, "pin", func(context.Context, *db.Tx, account.ID) error {
				if in.Body.Code == "away" {
					return kv.ErrUnavailable // the layer cannot judge
				}
				if in.Body.Code != "1234" {
					return account.ErrCredentials
				}
				return nil
			}))
		})
	rest.Register(a, rest.Op{Method: "POST", Path: "/auth/attempts/{id}/pin/resend", ID: "resend-pin", Tag: "Test", Access: rest.Attempt, Summary: "Pin again", Status: 202, Errors: []*fault.Error{session.ErrNotAsked, session.ErrHeld}},
		func(ctx context.Context, in *session.AttemptInput) (*struct{}, error) {
			return nil, s.Again(ctx, *in, "pin", func(context.Context, *db.Tx, account.ID, string) (session.Prompt, error) {
				return session.Prompt{Hint: "sent again"}, nil
			})
		})
	rest.Register(a, rest.Op{Method: "POST", Path: "/fresh", ID: "fresh", Tag: "Test", Summary: "Wants a fresh proof", Access: rest.StepUp},
		func(context.Context, *struct{}) (*struct{}, error) { return nil, nil })
	rest.Register(a, rest.Op{Method: "POST", Path: "/admin-only", ID: "admin-only", Tag: "Test", Summary: "Wants an admin", Access: rest.Admin},
		func(context.Context, *noteInput) (*struct{}, error) { return nil, nil })
}

type noteInput struct {
	Body struct {
		Note string `json:"note"`
	}
}

// app is a second factor whose codes change every 30 seconds and work once, as those of an
// authenticator app do. Its rows stand in a table of its own.
type app struct{ w *world }

var _ session.Layer = (*app)(nil)

func (a *app) Name() string              { return "app" }
func (a *app) Last() bool                { return false }
func (a *app) Assurance() (string, bool) { return "otp", true }

func (a *app) Enabled(ctx context.Context, q db.Querier, id account.ID) (bool, error) {
	var n int
	err := q.QueryRow(ctx, `SELECT COUNT(*) FROM test_app WHERE account = $1`, string(id)).Scan(&n)
	return n > 0, err
}

func (a *app) Begin(context.Context, *db.Tx, account.ID, string) (session.Prompt, error) {
	return session.Prompt{}, nil
}

// setUp makes the table.
func (a *app) setUp() {
	a.w.t.Helper()
	if _, err := a.w.DB.Exec(context.Background(), `CREATE TABLE test_app (account TEXT PRIMARY KEY, last_step BIGINT NOT NULL)`); err != nil {
		a.w.t.Fatal(err)
	}
}

var errCode = fault.New(fault.Unauthenticated, "invalid_code", "That code is not right, or was used.")

func (a *app) routes(api *rest.API, s *session.Service) {
	rest.Register(api, rest.Op{Method: "POST", Path: "/auth/attempts/{id}/app", ID: "pass-app", Tag: "Test", Access: rest.Attempt, Summary: "App", Errors: []*fault.Error{errCode, session.ErrNotAsked}},
		func(ctx context.Context, in *layerInput) (*session.Answer, error) {
			if len(in.Body.Code) != 6 {
				return nil, fault.InvalidField("/code", "invalid", "Six digits.")
			}
			return session.Respond(s.Pass(ctx, in.AttemptInput, "app", func(ctx context.Context, tx *db.Tx, id account.ID) error {
				if in.Body.Code != a.w.code() {
					return errCode
				}
				n, err := tx.Exec(ctx, `UPDATE test_app SET last_step = $2 WHERE account = $1 AND last_step < $2`, string(id), a.w.step())
				if err == nil && n == 0 {
					err = errCode
				}
				return err
			}))
		})
}

func (w *world) step() int64 { return w.Now().Unix() / 30 }

// code is what the app shows now.
func (w *world) code() string { return fmt.Sprintf("%06d", 1+w.step()%999_999) }

// withApp turns the layer on and moves on to a step whose code is unspent.
func (w *world) withApp(id account.ID) {
	w.t.Helper()
	if _, err := w.DB.Exec(context.Background(), `INSERT INTO test_app (account, last_step) VALUES ($1, $2)`, string(id), w.step()); err != nil {
		w.t.Fatal(err)
	}
	w.below.Advance(30 * time.Second)
}

// withoutApp turns the layer off as its room would.
func (w *world) withoutApp(id account.ID) {
	w.t.Helper()
	err := w.DB.Tx(context.Background(), func(tx *db.Tx) error {
		if _, err := tx.Exec(context.Background(), `DELETE FROM test_app WHERE account = $1`, string(id)); err != nil {
			return err
		}
		return w.ForgetDevices(context.Background(), tx, id)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}
