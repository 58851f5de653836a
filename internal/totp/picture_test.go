package totp

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// A session that did not begin the set-up reads no picture of its secret: an intruder, who has no
// fresh proof, would know every later code.
func TestPictureIsForTheSessionThatBegan(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.below.Join("ada")
		hers, other := by(id), by(id)
		hers.Session, other.Session = "hers", "other"
		began, err := w.Enrol(t.Context(), hers)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Pending(t.Context(), other); !errors.Is(err, errNotPending) {
			t.Errorf("another session: %v", err)
		}
		if again, err := w.Pending(t.Context(), hers); err != nil || !cmp.Equal(again, began) {
			t.Errorf("the session that began: %+v, %v", again, err)
		}
		if _, err := w.Enrol(t.Context(), other); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Pending(t.Context(), hers); !errors.Is(err, errNotPending) {
			t.Errorf("the session whose set-up was replaced: %v", err)
		}

		// A set-up from before sessions were noted can be confirmed, and no session reads it.
		secret := []byte("12345678901234567890")
		sealed, err := w.seal(t.Context(), d, id, secret)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Exec(t.Context(), `UPDATE totp SET secret = $1 WHERE account = $2`, sealed, string(id)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Pending(t.Context(), other); !errors.Is(err, errNotPending) {
			t.Errorf("an older set-up: %v", err)
		}
		if err := w.Confirm(t.Context(), by(id), w.code(encode(secret), 0)); err != nil {
			t.Errorf("an older set-up is not confirmed: %v", err)
		}
	})
}

// A layer that is on keeps nothing of the session that set it up.
func TestConfirmedSecretStandsAlone(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	id := w.below.Join("ada")
	c := by(id)
	c.Session = "hers"
	e, err := w.Enrol(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Confirm(t.Context(), by(id), w.code(e.Secret, 0)); err != nil {
		t.Fatal(err)
	}
	var sealed []byte
	if err := w.DB.QueryRow(t.Context(), `SELECT secret FROM totp WHERE account = $1`, string(id)).Scan(&sealed); err != nil {
		t.Fatal(err)
	}
	if plain, err := w.open(t.Context(), w.DB, id, sealed); err != nil || encode(plain) != e.Secret {
		t.Errorf("the row holds %d bytes, %v", len(plain), err)
	}
}
