package share

import (
	"errors"
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// TestOperator: the operator finds a link by address, secret and id, and blocks it.
func TestOperator(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		sh := w.share(w.upload("", "a.txt", "hello"), Read, "")
		for _, ref := range []string{sh.URL, sh.Token, sh.ID, sh.URL + "?x", "https://elsewhere.example/s/" + sh.Token} {
			f, err := w.Find(t.Context(), ref)
			if err != nil || f.ID != sh.ID || f.Owner != "ada" || f.Kind != Read || f.State != stateOpen {
				t.Errorf("%s: %+v, %v", ref, f, err)
			}
		}
		for _, ref := range []string{"", "x", newToken(), "01890000-0000-7000-8000-000000000000"} {
			if _, err := w.Find(t.Context(), ref); !errors.Is(err, ErrNoLink) {
				t.Errorf("%q: %v", ref, err)
			}
		}
		block := func(blocked, want bool) {
			t.Helper()
			var changed bool
			if err := d.Tx(t.Context(), func(tx *db.Tx) (err error) {
				changed, err = w.Block(t.Context(), tx, sh.ID, blocked)
				return err
			}); err != nil || changed != want {
				t.Errorf("blocked %v: changed %v, %v", blocked, changed, err)
			}
		}
		block(true, true)
		block(true, false)
		if f, err := w.Find(t.Context(), sh.URL); err != nil || f.State != stateBlocked {
			t.Errorf("%+v, %v", f, err)
		}
		w.is(w.guest(sh.Token, "GET", "", ""), 404, "share_not_found")
		if s := good[Share](w, w.call(w.ada, "GET", "/shares/"+sh.ID, ""), 200); !s.Blocked || s.State != stateBlocked {
			t.Errorf("the owner sees %+v", s)
		}
		w.call(w.ada, "PATCH", "/shares/"+sh.ID, `{"note":"again"}`) // an owner does not lift it
		w.is(w.guest(sh.Token, "GET", "", ""), 404, "share_not_found")
		block(false, true)
		if f, err := w.Find(t.Context(), sh.ID); err != nil || f.State != stateOpen {
			t.Errorf("%+v, %v", f, err)
		}
		if a := w.guest(sh.Token, "GET", "", ""); a.StatusCode != 200 {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
}
