package pin

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/pinning/pinningtest"
)

// TestFetched pins at a provider that fetches from the server's own gateway. That shows the
// blocks while the provider's queue has them, and not before.
func TestFetched(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		psa := w.withPSA()
		shown := func(p Pin, want bool) {
			t.Helper()
			if _, ok := w.block(w.root(p)); ok != want {
				t.Errorf("the gateway shows the root: %v, want %v", ok, want)
			}
		}
		ends := func(p Pin) {
			t.Helper()
			w.holds(p.ID, "psa", Sending, reasonWaiting)
			shown(p, true)
			if got := psa.Roots(); slices.Contains(got, *p.CID) {
				t.Errorf("it has %v before it fetched", got)
			}
			w.later(10 * time.Minute)
			w.holds(p.ID, "psa", Verified, "")
			if got := psa.Roots(); !slices.Contains(got, *p.CID) {
				t.Errorf("it has %v", got)
			}
		}
		id, _ := w.tree()
		first := w.pin(id, `"targets":["psa"]`)
		w.run()
		first = w.get(first.ID)
		ends(first)
		if got := w.get(first.ID); got.State != Verified || !slices.Equal(w.kinds(), []string{"pin"}) {
			t.Errorf("%+v, %v", got, w.kinds())
		}

		// One that no other provider has takes the same way by the operator's copy.
		w.kubo.Misbehave(pinningtest.Faults{Status: http.StatusServiceUnavailable})
		second := w.pin(w.upload(w.ada, "", "b", pattern(2_500_000)), atKubo)
		w.run()
		second = w.holds(second.ID, "kubo", Sending, "unreachable")
		shown(second, false)
		if n, err := w.CopyAll(t.Context(), "psa"); err != nil || n != 1 {
			t.Fatalf("%d, %v", n, err)
		}
		w.run()
		ends(second)

		// A removal ends the request.
		w.kubo.Misbehave(pinningtest.Faults{})
		for _, p := range []Pin{first, second} {
			w.call(w.ada, "DELETE", "/pins/"+p.ID, "", http.StatusAccepted)
		}
		w.run()
		if n := w.rows("pins"); n != 0 || len(psa.Roots()) != 0 {
			t.Errorf("%d pins, %v", n, psa.Roots())
		}
	})
}

// TestNeverFetched: a request that stays in the provider's queue fails after three days, and the
// gateway shows the blocks no more.
func TestNeverFetched(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	psa := w.withPSA()
	psa.Misbehave(pinningtest.Faults{Queued: true})
	p := w.pin(w.upload(w.ada, "", "a", pattern(5_000)), `"targets":["psa"]`)
	w.run()
	p = w.holds(p.ID, "psa", Sending, reasonWaiting)
	if at := w.at(p, "psa"); at.GatewayURL != "" || w.targets["psa"].Gateway == "" {
		t.Errorf("its gateway cannot have it yet: %+v", at)
	}
	for range 71 {
		w.later(time.Hour)
	}
	w.holds(p.ID, "psa", Sending, reasonWaiting)
	for range 3 {
		w.later(time.Hour)
	}
	w.holds(p.ID, "psa", Failed, reasonStuck)
	if _, ok := w.block(w.root(p)); ok {
		t.Error("the gateway shows what failed")
	}
}
