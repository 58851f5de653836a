package passkey

import (
	"context"
	"testing"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/rest"
	"coffer/internal/session"
)

// door is a layer that everybody has.
type door struct{}

func (door) Name() string                                                  { return "door" }
func (door) Last() bool                                                    { return false }
func (door) Assurance() (string, bool)                                     { return "otp", true }
func (door) Enabled(context.Context, db.Querier, account.ID) (bool, error) { return true, nil }
func (door) Begin(context.Context, *db.Tx, account.ID, string) (session.Prompt, error) {
	return session.Prompt{}, nil
}

// attempt begins a sign-in that waits for the layer.
func (w *world) attempt(name string) session.AttemptInput {
	w.t.Helper()
	out, err := w.Sessions.SignIn(w.t.Context(), name, accounttest.Password, session.SessionRequest{}, from)
	if err != nil || out.Challenge == nil {
		w.t.Fatalf("sign in: %+v, %v", out, err)
	}
	return session.AttemptInput{ID: out.Challenge.AttemptID, Authorization: "Attempt " + out.Challenge.AttemptToken}
}

// challenges is how many wait in the key store.
func (w *world) challenges() (n int) {
	w.t.Helper()
	if err := w.DB.QueryRow(w.t.Context(), `SELECT COUNT(*) FROM kv WHERE key LIKE 'passkey:%'`).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// One caller must not fill the key store with challenges: not with an open sign-in, nor with a
// session. A refused beginning leaves none.
func TestAttackFill(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		w.BeginLimit.Limit = 5
		w.below.Join("ada")
		c := w.caller("ada")
		w.Sessions.AddLayer(door{}, nil)
		in := w.attempt("ada")
		for range 3 {
			_, err := w.BeginAttempt(ctx, in)
			w.wants("an attempt without passkeys", err, "not_found")
		}
		if n := w.challenges(); n != 0 {
			t.Errorf("%d challenges after refusals", n)
		}
		w.add(c, w.newKey(), "")
		for name, begin := range map[string]func() error{
			"an attempt":     func() error { _, err := w.BeginAttempt(ctx, in); return err },
			"a renewal":      func() error { _, err := w.BeginRenewal(ctx, c); return err },
			"a registration": func() error { _, err := w.BeginRegistration(ctx, c); return err },
		} {
			var err error
			for range 6 {
				err = begin()
			}
			w.wants(name, err, "rate_limited")
		}
		if n := w.challenges(); n > 6 {
			t.Errorf("%d challenges of one account", n)
		}
		// Others go on, and so does a sign-in of the same person.
		if _, err := w.BeginRegistration(ctx, w.other()); err != nil {
			t.Error(err)
		}
		w.challenge()
	})
}

// other is a caller of another account, without a session.
func (w *world) other() rest.Caller {
	w.t.Helper()
	return rest.Caller{Account: string(w.below.Join("eve")), Session: "s"}
}
