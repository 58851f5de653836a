package totp

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/db"
	"coffer/internal/limit/limittest"
	"coffer/internal/rest"
	"coffer/internal/session"
	"coffer/internal/token"
)

// world is the room over the real rooms below it.
type world struct {
	*Service
	below *accounttest.World
	t     *testing.T
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
	w.Service = New(Config{DB: d, Accounts: b.Accounts, Sessions: sessions, Events: b.Events, Now: b.Now})
	return w
}

// enabled gives an account the layer and moves on to a step whose code is unspent.
func (w *world) enabled(id account.ID) (secret string) {
	w.t.Helper()
	e, err := w.Enrol(w.t.Context(), by(id))
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.Confirm(w.t.Context(), by(id), w.code(e.Secret, 0)); err != nil {
		w.t.Fatal(err)
	}
	w.below.Advance(period * time.Second)
	return e.Secret
}

// code is what an app shows for secret, so many steps from now.
func (w *world) code(secret string, steps int64) string {
	w.t.Helper()
	code, err := hotp.GenerateCodeCustom(secret, uint64(w.Now().Unix()/period+steps), hotp.ValidateOpts{Digits: otp.DigitsSix})
	if err != nil {
		w.t.Fatal(err)
	}
	return code
}

// wrong is a code that no step near now has.
func (w *world) wrong(secret string) string {
	for n := 0; ; n++ {
		code := fmt.Sprintf("%06d", n)
		if code != w.code(secret, 0) && code != w.code(secret, -1) {
			return code
		}
	}
}

// use spends a code as an attempt does.
func (w *world) use(id account.ID, code string) error {
	return w.DB.Tx(context.Background(), func(tx *db.Tx) error { return w.spend(context.Background(), tx, id, code) })
}

func (w *world) isOn(id account.ID) bool {
	w.t.Helper()
	on, err := w.Enabled(w.t.Context(), w.DB, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return on
}

// by is a caller with an ordinary session of an account.
func by(id account.ID) rest.Caller { return rest.Caller{Account: string(id), AAL: session.AAL1} }
