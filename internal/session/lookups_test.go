package session_test

import (
	"maps"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db/dbtest"
)

var lookUp = regexp.MustCompile(`^SELECT [^(]*? FROM (accounts|account_keys|devices|sessions|attempts)\b`)

// lookUps counts by table what fn reads one row of.
func (w *world) lookUps(fn func()) map[string]int {
	w.t.Helper()
	n := map[string]int{}
	for _, q := range dbtest.Ran(w.DB, fn) {
		if m := lookUp.FindStringSubmatch(q); m != nil {
			n[m[1]]++
		}
	}
	return n
}

// A sign-in looks its account, its remembered device, the account's data key and the
// browser's former session up once each, however it ends. A session that is opened costs one
// look-up of those that are too many.
func TestOneLookUpASignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), inMemory)
	ada, remember := w.below.Join("ada"), fields{"remember_device": true}
	b := w.browser()
	check := func(what string, status int, fn func() reply, want map[string]int) {
		t.Helper()
		var got reply
		n := w.lookUps(func() { got = fn() })
		if w.is(got, status, got.Code); !maps.Equal(n, want) {
			t.Errorf("%s: %s", what, cmp.Diff(want, n))
		}
	}
	check("the first sign-in", 201, func() reply { return b.attempt("ada", remember) },
		map[string]int{"accounts": 1, "account_keys": 1, "sessions": 1})
	check("from a remembered device", 201, func() reply { return b.attempt("ada", remember) },
		map[string]int{"accounts": 1, "account_keys": 1, "devices": 1, "sessions": 2})
	check("with a wrong password", 401, func() reply { return b.attempt("ada", fields{"password": "wrong otters 41"}) },
		map[string]int{"accounts": 1, "account_keys": 1, "devices": 1})
	w.below.Join("eve")
	check("from another account's device", 201, func() reply { return b.attempt("eve", inBody) },
		map[string]int{"accounts": 1, "account_keys": 1, "devices": 1, "sessions": 2})
	check("of nobody", 401, func() reply { return b.attempt("nobody") }, map[string]int{"accounts": 1, "devices": 1})

	w.pin.set(ada, true)
	var c reply
	check("that asks for a layer", 202, func() reply { c = w.browser().attempt("ada"); return c }, map[string]int{"accounts": 1})
	check("whose layer is passed", 201, func() reply { return w.browser().pass(c, "pin", "1234") },
		map[string]int{"accounts": 1, "account_keys": 1, "sessions": 1})
}
