// Package accounttest gives the tests of rooms the world below them: real accounts over
// the ground of limittest, and an API for their operations.
package accounttest

import (
	"context"
	"net/url"
	"strconv"
	"testing"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/limit/limittest"
	"coffer/internal/rest"
)

// Password is that of every account of [World.Join].
const Password = "seven quiet otters 41"

// BaseURL is where the server of these tests says it is.
const BaseURL = limittest.BaseURL

// World is accounts and all that lies below them.
type World struct {
	*limittest.Ground
	Events   *event.Log
	Accounts *account.Service
}

// New returns a fresh world over d. Hashing passwords costs next to nothing in it.
func New(t testing.TB, d *db.DB, in limittest.Setup) *World {
	t.Helper()
	w := &World{Ground: limittest.New(t, d, in)}
	w.Events = event.New(w.Mailer, w.Now)
	c := account.Config{
		DB: d, Ring: w.Ring, Jobs: w.Jobs, KV: w.KV, Limit: w.Limits, Mail: w.Mailer, Events: w.Events, Now: w.Now, Log: w.Log, BaseURL: BaseURL, Hashers: 4, HashQueue: 1000,
	}
	c.Argon = account.Argon2Params{MemoryKiB: 64, Time: 1, Threads: 1}
	limittest.Defaults(t, &c.Settings)
	var err error
	if w.Accounts, err = account.New(c); err != nil {
		t.Fatal(err)
	}
	return w
}

// API returns an API whose tokens auth judges. The test fails when an operation answers
// what it does not declare.
func (w *World) API(auth rest.Authenticator) *rest.API {
	w.T.Helper()
	base, err := url.Parse(BaseURL)
	if err != nil {
		w.T.Fatal(err)
	}
	c := rest.Config{
		Title: "Coffer", Version: "1", BaseURL: base, Auth: auth, Log: w.Log, Now: w.Now,
		Undeclared: func(operation string, f *fault.Error) {
			w.T.Errorf("%s answers %s, which it does not declare", operation, f.Code)
		},
	}
	limittest.Defaults(w.T, &c.Settings)
	return rest.New(c)
}

// Join makes an account whose address is name@canary.example.
func (w *World) Join(name string) account.ID {
	w.T.Helper()
	id, err := w.Accounts.Create(context.Background(), account.NewAccount{
		FirstName: "Ada", LastName: "Lovelace", Username: name, Email: name + "@canary.example", Password: Password,
	}, account.User)
	if err != nil {
		w.T.Fatal(err)
	}
	return id
}

// ForgetCounted deletes an account, and returns what the one transaction of it cost. It is
// called once in a world, after the rooms were made; work is that of [dbtest.CountedSQLite].
func (w *World) ForgetCounted(id account.ID, work func() dbtest.Work) dbtest.Work {
	w.T.Helper()
	var before dbtest.Work
	w.Accounts.Keep("the last room", account.Keeper{Forget: func(context.Context, *db.Tx, account.ID) error { // the first in the transaction
		before = work()
		return nil
	}})
	if err := w.Accounts.Forget(w.T.Context(), id); err != nil {
		w.T.Fatal(err)
	}
	return work().Less(before)
}

// Federate makes an account without a password, whose address is name@canary.example.
func (w *World) Federate(name string) (id account.ID) {
	w.T.Helper()
	ctx := context.Background()
	n, err := w.Accounts.NewFederated(ctx, account.NewAccount{FirstName: "Ada", LastName: "Lovelace", Username: name, Email: name + "@canary.example"})
	if err == nil {
		err = w.DB.Tx(ctx, func(tx *db.Tx) error {
			id, err = w.Accounts.CreateFederated(ctx, tx, n)
			return err
		})
	}
	if err != nil {
		w.T.Fatal(err)
	}
	return id
}

// Address gives an account a further address, sealed as account seals it.
func (w *World) Address(id account.ID, kind, email string, verified bool) {
	w.T.Helper()
	ctx := context.Background()
	key, err := w.Accounts.DataKey(ctx, w.DB, id)
	if err != nil {
		w.T.Fatal(err)
	}
	place, at := "unverified", (*int64)(nil)
	if verified {
		now := w.Now().UnixMilli()
		place, at = strconv.FormatInt(now, 10), &now
	}
	if _, err := w.DB.Exec(ctx, `INSERT INTO addresses (account, kind, email, verified_at) VALUES ($1, $2, $3, $4)`,
		string(id), kind, key.Seal("addresses", "email", string(id)+" "+kind+" "+place, []byte(email)), at); err != nil {
		w.T.Fatal(err)
	}
}

// Named authenticates the account that the Authorization header names, whatever it is.
type Named struct{}

var _ rest.Authenticator = Named{}

// Authenticate implements rest.Authenticator.
func (Named) Authenticate(_ context.Context, q *rest.Sent) (rest.Caller, error) {
	if q.Authorization == "" {
		return rest.Caller{}, fault.New(fault.Unauthenticated, "unauthenticated", "Sign in.")
	}
	return rest.Caller{Account: q.Authorization, Session: "s-" + q.Authorization}, nil
}

// StepUp implements rest.Authenticator: each proof is fresh.
func (Named) StepUp(context.Context, rest.Caller, bool) error { return nil }

// Alive implements rest.Authenticator: no session ends.
func (Named) Alive(context.Context, rest.Caller) error { return nil }

// Still implements rest.Authenticator: no role changes.
func (Named) Still(_ context.Context, c rest.Caller) (rest.Caller, error) { return c, nil }

// Refusals implements rest.Authenticator.
func (Named) Refusals(rest.Op) []*fault.Error { return nil }
