package share

import (
	"fmt"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
)

// A recovery that is stopped blocks the account's links that were made since it began. Older
// ones stay, and those of other accounts.
func TestStopBlocksLinks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id, folder := w.upload("", "a.txt", "hello"), w.folder("", "in")
		older := w.share(id, Read, "")
		w.below.Advance(time.Second)
		began := w.Now()
		read, request := w.share(id, Read, ""), w.share(folder, Request, "")
		stop := func(owner account.ID) {
			t.Helper()
			if err := d.Tx(t.Context(), func(tx *db.Tx) error { return w.Accounts.DropWaysSince(t.Context(), tx, owner, began) }); err != nil {
				t.Fatal(err)
			}
		}
		stop(w.bob)
		if a := w.guest(read.Token, "GET", "", ""); a.StatusCode != 200 {
			t.Errorf("a stop of another account's recovery: %d %s", a.StatusCode, a.body)
		}
		stop(w.ada)
		for _, sh := range []Share{read, request} {
			w.is(w.guest(sh.Token, "GET", "", ""), 404, "share_not_found")
			if s := good[Share](w, w.call(w.ada, "GET", "/shares/"+sh.ID, ""), 200); s.State != stateBlocked {
				t.Errorf("the owner sees %+v", s)
			}
		}
		if a := w.guest(older.Token, "GET", "", ""); a.StatusCode != 200 {
			t.Errorf("an older link: %d %s", a.StatusCode, a.body)
		}
	})
}

// A session that ended while its request ran makes no link.
func TestEndedSessionMakesNoLink(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	id := w.upload("", "a.txt", "hello")
	w.ended = map[string]error{"s-" + string(w.ada): fault.New(fault.Unauthenticated, "unauthenticated", "Sign in first.")}
	w.is(w.call(w.ada, "POST", fmt.Sprintf("/files/%s/shares", id), `{"kind":"read"}`), 401, "unauthenticated")
	if n := w.rows("shares"); n != 0 {
		t.Errorf("%d links", n)
	}
}
