package drop

import (
	"encoding/hex"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/limit"
)

// rejectedKey is the key of the limit that counts guesses of the nth address.
func (w *world) rejectedKey(drop string, n int) string {
	w.t.Helper()
	index, err := w.Index(w.t.Context(), "drop.address", drop+" "+limit.AddrKey(address(n)))
	if err != nil {
		w.t.Fatal(err)
	}
	return drop + " " + hex.EncodeToString(index)
}

// closedTo reports whether the guesses of the nth address have closed the drop to it.
func (w *world) closedTo(drop string, n int) bool {
	w.t.Helper()
	return code(w.Limit.Ask(w.t.Context(), w.reject, w.rejectedKey(drop, n))) == "rate_limited"
}

// guess joins, and says what a guest says up to its tag.
func (w *world) guess(h *end, host member, n int) (token, rid string, e *end) {
	w.t.Helper()
	token, rid, err := w.Join(w.t.Context(), address(n), host.Name)
	if err != nil {
		w.t.Fatal(err)
	}
	e = w.dial(host.Name, token)
	e.want("welcome")
	for range 2 {
		e.say(`{"t":"msg","to":"` + host.RID + `","body":{}}`)
		h.want("msg")
	}
	return token, rid, e
}

// cut breaks a guest's connection, and waits until the server knows.
func (w *world) cut(e *end, drop, rid string) {
	w.t.Helper()
	e.conn.CloseNow()
	eventually(w.t, 5*time.Second, func() bool { return w.local(drop, rid) == nil }, "a socket that was cut goes on")
	eventually(w.t, 5*time.Second, func() bool {
		p, err := findPerson(w.t.Context(), w.DB, drop, rid)
		return err != nil || !p.Here
	}, "a guest that was cut counts as here")
}

// A guest that lost its connection, or that the server sent away, comes back with its token. Nothing
// was wrong with its code, so nothing counts. Nor does it when its host would let it in meanwhile.
func TestGuestThatIsCutIsNoGuess(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.reject.Limit, w.comeBack = 1, time.Hour // the test ends it itself
		o, host := w.openDrop()
		h := w.dial(o.Name, o.Token)
		h.want("welcome")

		var lapsing []*socket
		token, rid, e := w.guess(h, host, 1)
		lapsing = append(lapsing, w.local(host.Drop, rid))
		w.cut(e, host.Drop, rid)
		back := w.dial(o.Name, token)
		back.want("welcome")
		h.say(`{"t":"admit","rid":"` + rid + `"}`)
		eventually(t, 5*time.Second, func() bool { return w.member(o.Name, token).Admitted }, "it is not let in")

		_, away, e := w.guess(h, host, 2)
		lapsing = append(lapsing, w.local(host.Drop, away))
		w.cut(e, host.Drop, away)
		h.say(`{"t":"admit","rid":"` + away + `"}`)
		eventually(t, 5*time.Second, func() bool {
			_, err := findPerson(t.Context(), d, host.Drop, away)
			return err != nil
		}, "a guest that nothing will let in keeps its place")

		token, _, e = w.guess(h, host, 3)
		w.reconnectAll()
		e.want("reconnect")
		if code := e.closes(); code != closeRestart {
			t.Errorf("close code %d", code)
		}
		w.dial(o.Name, o.Token).want("welcome")
		w.dial(o.Name, token).want("welcome")

		for _, c := range lapsing {
			c.lapse()
		}
		for n, what := range []string{1: "it came back", 2: "its host let it in", 3: "the server sent it away"} {
			if n > 0 && w.closedTo(host.Drop, n) {
				t.Errorf("a guess is counted, but %s", what)
			}
		}
	})
}

// A guest that the server sends away before its tag gives its place back at once: its device joins anew.
func TestSentAwayBeforeItsTag(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	o, host := w.openDrop()
	for n := range 2 * maxTogether {
		token, rid, err := w.Join(t.Context(), address(1), o.Name)
		if err != nil {
			t.Fatalf("join %d: %v", n, err)
		}
		e := w.dial(o.Name, token)
		e.want("welcome")
		w.reconnectAll()
		e.want("reconnect")
		e.closes()
		eventually(t, 5*time.Second, func() bool {
			_, err := findPerson(t.Context(), w.DB, host.Drop, rid)
			return err != nil
		}, "it keeps its place")
	}
}

// However many sockets a guest has, its token is worth one guess.
func TestTokenIsOneGuess(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.reject.Limit, w.comeBack = 2, 500*time.Millisecond
	o, host := w.openDrop()
	h := w.dial(o.Name, o.Token)
	h.want("welcome")
	token, rid, _ := w.guess(h, host, 1)
	second := w.dial(o.Name, token) // takes the place of the first
	second.want("welcome")
	w.cut(second, host.Drop, rid)
	third := w.dial(o.Name, token)
	third.want("welcome")
	w.cut(third, host.Drop, rid)
	eventually(t, comeBack+5*time.Second, func() bool {
		_, err := findPerson(t.Context(), w.DB, host.Drop, rid)
		return err != nil
	}, "it is never forgotten")
	time.Sleep(100 * time.Millisecond)
	if w.closedTo(host.Drop, 1) {
		t.Error("one token counts twice")
	}
	if err := w.Limit.Take(t.Context(), w.reject, w.rejectedKey(host.Drop, 1)); err != nil {
		t.Fatal(err)
	}
	eventually(t, 5*time.Second, func() bool { return w.closedTo(host.Drop, 1) }, "it counts for nothing")
}

// A guest that is let in while its new socket is on the way hears what members hear.
func TestAdmittedOnTheWay(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	o, host := w.openDrop()
	token, rid, err := w.Join(t.Context(), address(1), o.Name)
	if err != nil {
		t.Fatal(err)
	}
	var e *end
	if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { // holds the socket up, behind the look at its member
		if _, err := tx.Exec(t.Context(), `UPDATE drops SET expires_at = expires_at WHERE id = $1`, host.Drop); err != nil {
			return err
		}
		e = w.dial(o.Name, token)
		_, err := admitGuest(t.Context(), tx, host.Drop, rid, w.lateBefore())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	e.want("welcome")
	eventually(t, 5*time.Second, func() bool { c := w.local(host.Drop, rid); return c != nil && c.admitted.Load() }, "it waits for ever")
}
