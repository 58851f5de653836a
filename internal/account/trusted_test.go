package account

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
)

// trust makes an address the trusted one, as its room does after the mailed link was used.
func (w *world) trust(id ID, email string) (before Trusted, err error) {
	err = w.DB.Tx(context.Background(), func(tx *db.Tx) error {
		before, err = w.SetTrusted(context.Background(), tx, id, email)
		return err
	})
	return before, err
}

func (w *world) trusted(id ID) Trusted {
	w.t.Helper()
	t, err := w.TrustedAddress(context.Background(), w.DB, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return t
}

// field returns the first field that a refusal names.
func field(err error) string {
	if refused, ok := err.(*fault.Error); ok && len(refused.Fields) == 1 {
		return refused.Fields[0].Pointer + " " + refused.Fields[0].Code
	}
	return code(err)
}

// The trusted address gets every notice, and lets nobody sign in.
func TestTrusted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.join(person1("grace"))
		if got := w.trusted(id); got != (Trusted{}) {
			t.Errorf("before: %+v", got)
		}
		if before, err := w.trust(id, "Two@second.example"); err != nil || before != (Trusted{}) {
			t.Fatalf("%+v, %v", before, err)
		}
		first := w.trusted(id)
		if first != (Trusted{"Two@second.example", w.Now().UTC()}) {
			t.Errorf("%+v", first)
		}
		if got := w.told(id); !slices.Equal(got, []string{"Two@second.example", "grace@example.org"}) {
			t.Errorf("told %q", got)
		}
		if _, err := w.CheckPassword(t.Context(), "two@second.example", goodPassword); code(err) != "invalid_credentials" {
			t.Errorf("sign-in with it: %v", err)
		}
		if found, err := w.Find(t.Context(), "two@second.example"); err != nil || found.ID != "" {
			t.Errorf("found by it: %+v, %v", found, err)
		}
		// It is no account's alone: a couple may trust one mailbox, and its owner may sign up.
		if _, err := w.trust(w.join(person1("other")), "two@second.example"); err != nil {
			t.Error(err)
		}
		in := person1("third")
		in.Email = "two@second.example"
		w.join(in)
		w.Advance(time.Hour)
		if before, err := w.trust(id, "three@second.example"); err != nil || before != first {
			t.Errorf("replaced: %+v, %v", before, err)
		}
		if got := w.told(id); !slices.Equal(got, []string{"grace@example.org", "three@second.example"}) {
			t.Errorf("told %q", got)
		}
		for _, want := range []string{"three@second.example", ""} { // the second time there is none
			if err := d.Tx(t.Context(), func(tx *db.Tx) error {
				was, err := w.DropTrusted(t.Context(), tx, id)
				if was.Email != want {
					t.Errorf("dropped %+v, want %q", was, want)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.told(id); !slices.Equal(got, []string{"grace@example.org"}) || w.trusted(id) != (Trusted{}) {
			t.Errorf("told %q after it was dropped", got)
		}
	})
}

// One mailbox is never both addresses, whatever its spelling and whichever changes last.
func TestTrustedIsNotPrimary(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		m := newWorld(t, d).moving("grace")
		for _, same := range []string{"grace@example.org", "GRACE@Example.ORG."} {
			if _, err := m.trust(m.id, same); code(err) != "trusted_is_primary" || m.trusted(m.id) != (Trusted{}) {
				t.Errorf("%s: %v", same, err)
			}
		}
		// The change was asked for before the address became trusted.
		confirm, _ := m.ask("two@second.example")
		if _, err := m.trust(m.id, "Two@second.example"); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := m.ConfirmEmail(ctx, m.id, confirm); field(err) != "/token is_trusted" || m.email() != "grace@example.org" {
				t.Errorf("confirmed: %v", err)
			}
		}
		if err := m.ChangeEmail(ctx, m.id, "TWO@SECOND.example", at(1)); field(err) != "/email is_trusted" {
			t.Errorf("asked for: %v", err)
		}
		if got := m.Mails(); len(got) != 0 {
			t.Errorf("mails of refused calls: %+v", got)
		}
		if err := d.Tx(ctx, func(tx *db.Tx) error { _, err := m.DropTrusted(ctx, tx, m.id); return err }); err != nil {
			t.Fatal(err)
		}
		if _, err := m.ConfirmEmail(ctx, m.id, confirm); err != nil { // the link was left good
			t.Errorf("after the trusted address is dropped: %v", err)
		}
	})
}

// An address that comes back by its undo link, and is the trusted one now, is the primary one
// alone.
func TestTrustedAddressComesBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		m := newWorld(t, d).moving("grace")
		_, undo := m.move("two@second.example")
		if _, err := m.trust(m.id, "Grace@example.org"); err != nil {
			t.Fatal(err)
		}
		if err := m.UndoEmail(t.Context(), undo); err != nil || m.email() != "grace@example.org" || m.trusted(m.id) != (Trusted{}) {
			t.Errorf("%v: primary %s, trusted %+v", err, m.email(), m.trusted(m.id))
		}
	})
}

// Of a change of the primary address and a new trusted one at once, to one mailbox, one wins.
func TestTrustedRacesPrimary(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for _, name := range []string{"a-one", "a-two", "a-three", "a-four", "a-five", "a-six"} {
			m := w.moving(name)
			mailbox := name + "@second.example"
			confirm, _ := m.ask(mailbox)
			got := race(2, func(i int) error {
				if i == 0 {
					_, err := m.ConfirmEmail(context.WithoutCancel(t.Context()), m.id, confirm)
					return err
				}
				_, err := m.trust(m.id, mailbox)
				return err
			})
			if got[""] != 1 || (m.email() == mailbox) == (m.trusted(m.id).Email == mailbox) {
				t.Errorf("%v: primary %s, trusted %+v", got, m.email(), m.trusted(m.id))
			}
			m.Mails()
		}
	})
}

// A writer of the database can take the trusted address away, and do nothing else.
func TestAttackWriterOfTrusted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada, eve := w.join(person1("ada")), w.join(person1("eve"))
		for name, attack := range map[string]string{
			"rested sooner":         `UPDATE addresses SET verified_at = verified_at - 259200000 WHERE account = $1 AND kind = 'trusted' AND $2 <> ''`,
			"not verified":          `UPDATE addresses SET verified_at = NULL WHERE account = $1 AND kind = 'trusted' AND $2 <> ''`,
			"another account's":     `UPDATE addresses SET email = (SELECT email FROM addresses o WHERE o.account = $2 AND o.kind = 'trusted') WHERE account = $1 AND kind = 'trusted'`,
			"the primary one's":     `UPDATE addresses SET email = (SELECT email FROM addresses o WHERE o.account = $1 AND o.kind = 'primary'), verified_at = (SELECT verified_at FROM addresses o WHERE o.account = $1 AND o.kind = 'primary') WHERE account = $1 AND kind = 'trusted' AND $2 <> ''`,
			"another kind's, moved": `UPDATE addresses SET email = (SELECT email FROM addresses o WHERE o.account = $1 AND o.kind = 'further'), verified_at = (SELECT verified_at FROM addresses o WHERE o.account = $1 AND o.kind = 'further') WHERE account = $1 AND kind = 'trusted' AND $2 <> ''`,
		} {
			for _, id := range []ID{ada, eve} {
				if _, err := w.trust(id, string("two-"+id+"@second.example")); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := d.Exec(t.Context(), `DELETE FROM addresses WHERE kind = 'further'`); err != nil {
				t.Fatal(err)
			}
			w.address(ada, "further", "further@second.example", true)
			if n, err := d.Exec(t.Context(), attack, string(ada), string(eve)); err != nil || n != 1 {
				t.Fatalf("%s: %d rows, %v", name, n, err)
			}
			w.log.Reset()
			if got := w.trusted(ada); got != (Trusted{}) || !strings.Contains(w.log.String(), "the trusted address was altered") {
				t.Errorf("%s: %+v, log %s", name, got, w.log.String())
			}
		}
	})
}
