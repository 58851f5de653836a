package account

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/mail"
)

// moving is an account whose address changes, and the mails that this causes.
type moving struct {
	*world
	id ID
}

func (w *world) moving(name string) *moving {
	w.t.Helper()
	return &moving{w, w.join(person1(name))}
}

// ask asks for another address and returns the tokens of the link to it and of the undo link.
func (m *moving) ask(to string) (confirm, undo string) {
	m.t.Helper()
	if err := m.ChangeEmail(context.Background(), m.id, to, at(1)); err != nil {
		m.t.Fatal(err)
	}
	for _, l := range m.Mails() {
		switch l.Kind {
		case "change-email":
			if confirm = tokenOf(l); l.To != to {
				m.t.Errorf("the link went to %s, want %s", l.To, to)
			}
		case "change-email-notice":
			undo = tokenOf(l)
			if l.To != m.email() {
				m.t.Errorf("the notice went to %s, want %s", l.To, m.email())
			}
		default:
			m.t.Errorf("a mail %s", l.Kind)
		}
	}
	return confirm, undo
}

// move changes the address, and returns the tokens of both undo links of the address before.
func (m *moving) move(to string) (asked, done string) {
	m.t.Helper()
	before := m.email()
	confirm, asked := m.ask(to)
	p, err := m.ConfirmEmail(context.Background(), m.id, confirm)
	if err != nil || p.Email != to || p.Pending != "" {
		m.t.Fatalf("confirmed: %+v, %v", p, err)
	}
	told := map[string]string{}
	for _, l := range m.Mails() {
		told[l.Kind] = l.To
		if l.Kind == "email-changed" {
			done = tokenOf(l)
		}
	}
	if len(told) != 2 || told["email-changed"] != before || told["email-yours"] != to {
		m.t.Errorf("told %v of a move from %s to %s", told, before, to)
	}
	m.Advance(time.Minute)
	return asked, done
}

func (m *moving) email() string {
	m.t.Helper()
	p, err := m.Profile(context.Background(), m.id)
	if err != nil {
		m.t.Fatal(err)
	}
	return p.Email
}

func (m *moving) epoch() int64 {
	m.t.Helper()
	st, err := m.State(context.Background(), m.id)
	if err != nil {
		m.t.Fatal(err)
	}
	return st.SessionEpoch
}

func (m *moving) undo(token, want string) {
	m.t.Helper()
	if err := m.UndoEmail(context.Background(), token); code(err) != want {
		m.t.Errorf("undo: %v, want %q", err, want)
	}
}

// A new address counts when its link is used with a session of the account, and until then
// the old one does.
func TestChangeEmail(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada, bob := w.moving("ada"), w.moving("bob")
		ctx := t.Context()
		for _, present := range []string{"ada@example.org", "ADA@EXAMPLE.ORG", "no address"} {
			if err := w.ChangeEmail(ctx, ada.id, present, at(1)); code(err) != "validation_failed" {
				t.Errorf("to %q: %v", present, err)
			}
		}
		first, _ := ada.ask("mistyped@new.example")
		confirm, _ := ada.ask("Ada@new.example")
		if p, err := w.Profile(ctx, ada.id); err != nil || p.Email != "ada@example.org" || p.Pending != "Ada@new.example" {
			t.Errorf("a change that waits: %+v, %v", p, err)
		}
		if _, err := w.CheckPassword(ctx, "ada@new.example", goodPassword); !errors.Is(err, ErrCredentials) {
			t.Errorf("a sign-in with an address that waits: %v", err)
		}
		if _, err := w.ConfirmEmail(ctx, ada.id, first); !errors.Is(err, ErrLinkGone) {
			t.Errorf("a link that was replaced: %v", err)
		}
		if _, err := w.ConfirmEmail(ctx, bob.id, confirm); !errors.Is(err, ErrLinkGone) {
			t.Errorf("a link of another account: %v", err)
		}
		if err := w.CheckConfirmEmail(ctx, bob.id, confirm); !errors.Is(err, ErrLinkGone) {
			t.Errorf("a link of another account, looked at: %v", err)
		}
		if err := w.CheckConfirmEmail(ctx, ada.id, confirm); err != nil {
			t.Error(err)
		}
		waiting := w.apply(NewAccount{FirstName: "Eve", LastName: "E", Username: "eve", Email: "ada@NEW.example", Password: goodPassword})
		if _, err := w.ConfirmEmail(ctx, ada.id, confirm); err != nil {
			t.Fatal(err)
		}
		if got := ada.email(); got != "Ada@new.example" {
			t.Errorf("the address is %s", got)
		}
		for identifier, want := range map[string]error{"ada@new.example": nil, "ada@example.org": ErrCredentials, "ada": nil} {
			if _, err := w.CheckPassword(ctx, identifier, goodPassword); !errors.Is(err, want) {
				t.Errorf("sign-in as %s: %v, want %v", identifier, err, want)
			}
		}
		if err := w.VerifyToken(ctx, waiting.byLink()); code(err) != "link_gone" {
			t.Errorf("a sign-up of the address: %v", err)
		}
		w.Mails()
		expires, _ := ada.ask("later@new.example")
		w.Advance(w.LinkTTL)
		if got := w.profileBody(ada.id).PendingEmail; got != nil {
			t.Errorf("%s waits, and its link has expired", *got)
		}
		if _, err := w.ConfirmEmail(ctx, ada.id, expires); !errors.Is(err, ErrLinkGone) {
			t.Errorf("an expired link: %v", err)
		}
	})
}

// profileBody is what a client reads.
func (w *world) profileBody(id ID) profileBody {
	w.t.Helper()
	p, err := w.Profile(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.newProfileOutput(p).Body
}

// An address that another account has, or gets meanwhile, is not taken from it, and the
// caller learns that only with the mailed link.
func TestChangeEmailToAnothers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada := w.moving("ada")
		w.join(person1("bob"))
		if err := w.ChangeEmail(t.Context(), ada.id, "bob@example.org", at(1)); err != nil {
			t.Fatal(err)
		}
		told := map[string]string{}
		for _, l := range w.Mails() {
			told[l.Kind] = l.To
		}
		if len(told) != 2 || told["change-email-notice"] != "ada@example.org" || told["change-email-exists"] != "bob@example.org" {
			t.Errorf("told %v", told)
		}
		if p := w.profileBody(ada.id); p.PendingEmail == nil || *p.PendingEmail != "bob@example.org" {
			t.Errorf("the profile tells that the address is taken: %+v", p)
		}
		confirm, _ := ada.ask("carol@example.org")
		carol := w.join(person1("carol"))
		for range 2 { // the link stays valid
			if _, err := w.ConfirmEmail(t.Context(), ada.id, confirm); code(err) != "email_taken" {
				t.Errorf("taken meanwhile: %v", err)
			}
		}
		if mails := w.Mails(); len(mails) != 0 || ada.email() != "ada@example.org" {
			t.Errorf("a change that was refused: %s, mails %+v", ada.email(), mails)
		}
		if err := w.Forget(t.Context(), carol); err != nil {
			t.Fatal(err)
		}
		if _, err := w.ConfirmEmail(t.Context(), ada.id, confirm); err != nil {
			t.Errorf("free again: %v", err)
		}
	})
}

// Mails to a recipient are limited, and the caller cannot tell. Requests of one account are.
func TestChangeEmailLimits(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), func(c *Config) { c.MailRecipientLimit.Limit = 2 })
	ada := w.moving("ada")
	sent := map[string]int{}
	for range 10 {
		if err := w.ChangeEmail(t.Context(), ada.id, "victim@example.org", at(1)); err != nil {
			t.Fatal(err)
		}
		for _, l := range w.Mails() {
			sent[l.Kind+" "+l.To]++
		}
	}
	if sent["change-email victim@example.org"] != 2 || sent["change-email-notice ada@example.org"] != 10 {
		t.Errorf("sent %v", sent)
	}
	if err := w.ChangeEmail(t.Context(), ada.id, "victim@example.org", at(2)); code(err) != "rate_limited" {
		t.Errorf("the eleventh request of an hour: %v", err)
	}
}

// The owner gets the address back from each mail, whether a change waits or is done, and
// after further changes. All sessions and outstanding links end.
func TestUndoEmail(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, which := range []string{"that waits", "asked for", "done"} {
			w := newWorld(t, d)
			ada := w.moving("undo" + fmt.Sprint(len(which)))
			first := ada.email()
			confirm, undo := "", ""
			if which == "that waits" {
				confirm, undo = ada.ask("eve." + first)
			} else {
				asked, done := ada.move("eve." + first)
				ada.move("eve2." + first)
				confirm, _ = ada.ask("eve3." + first)
				undo = map[string]string{"asked for": asked, "done": done}[which]
			}
			reset := w.link(openDoor, ada.id, "")
			epoch := ada.epoch()
			if err := w.CheckUndoEmail(t.Context(), undo); err != nil {
				t.Fatal(err)
			}
			attacker := ada.email()
			ada.undo(undo, "")
			if got := ada.email(); got != first || ada.epoch() != epoch+1 {
				t.Errorf("a change %s, undone: %s, epoch %d", which, got, ada.epoch())
			}
			told := map[string]bool{}
			for _, l := range w.Mails() {
				told[l.Kind+" "+l.To] = true
			}
			if want := 1 + map[bool]int{true: 1}[attacker != first]; len(told) != want || !told["email-restored "+first] || !told["email-restored "+attacker] {
				t.Errorf("a change %s, undone: told %v", which, told)
			}
			if _, err := w.ConfirmEmail(t.Context(), ada.id, confirm); !errors.Is(err, ErrLinkGone) {
				t.Errorf("a change %s, undone: the pending link: %v", which, err)
			}
			if p := w.profileBody(ada.id); p.PendingEmail != nil {
				t.Errorf("%s waits", *p.PendingEmail)
			}
			if _, err := w.useLink(openDoor, reset); !errors.Is(err, ErrLinkGone) {
				t.Errorf("an outstanding link: %v", err)
			}
			ada.undo(undo, "link_gone")
		}
	})
}

// The attacker's own undo links die with the restoration, those of the owner outlive a
// reset, and later attacks, but not 72 hours.
func TestUndoEmailOutlivesAnAttack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada := w.moving("ada")
		before, _ := ada.move("older@example.org") // by the owner
		asked, done := ada.move("a@evil.example")
		evil, evil2 := ada.move("b@evil.example")
		if err := d.Tx(t.Context(), func(tx *db.Tx) error { return w.InvalidateSessions(t.Context(), tx, ada.id, "") }); err != nil {
			t.Fatal(err)
		}
		ada.undo(evil, "") // the attacker goes back to A, and ends no link of the owner
		if got := ada.email(); got != "a@evil.example" {
			t.Fatalf("the address is %s", got)
		}
		ada.undo(evil2, "link_gone")
		w.Mails()
		evil, _ = ada.move("c@evil.example")
		ada.undo(done, "")
		if got := ada.email(); got != "older@example.org" {
			t.Errorf("restored %s", got)
		}
		for _, token := range []string{evil, asked, done} {
			ada.undo(token, "link_gone")
		}
		if err := w.CheckUndoEmail(t.Context(), before); err != nil {
			t.Errorf("the link to the address before: %v", err)
		}
		w.Mails()
		_, last := ada.ask("d@evil.example")
		w.Advance(72*time.Hour - time.Second)
		if err := w.CheckUndoEmail(t.Context(), last); err != nil {
			t.Error(err)
		}
		w.Advance(time.Second)
		ada.undo(last, "link_gone")
	})
}

// A clock that goes back does not let an attacker's link outlive the owner's, or end it.
func TestUndoEmailWithClocksApart(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	ada := w.moving("ada")
	w.Advance(5 * time.Minute)
	confirm, asked := ada.ask("a@evil.example")
	w.Advance(-10 * time.Minute) // the node that confirms is behind the one that was asked
	if _, err := w.ConfirmEmail(t.Context(), ada.id, confirm); err != nil {
		t.Fatal(err)
	}
	done := ""
	for _, l := range w.Mails() {
		if l.Kind == "email-changed" {
			done = tokenOf(l)
		}
	}
	w.Advance(-30 * time.Minute)
	evil, evil2 := ada.move("b@evil.example")
	ada.undo(evil2, "")
	if err := w.CheckUndoEmail(t.Context(), asked); err != nil {
		t.Errorf("the owner's link: %v", err)
	}
	ada.undo(done, "")
	if got := ada.email(); got != "ada@example.org" {
		t.Errorf("restored %s", got)
	}
	ada.undo(evil, "link_gone")
}

// An undo link takes no address from another account.
func TestUndoEmailToAnothers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada := w.moving("ada")
		_, undo := ada.move("new@example.org")
		in := person1("eve")
		in.Email = "ada@example.org"
		w.join(in)
		epoch := ada.epoch()
		ada.undo(undo, "email_taken")
		if ada.email() != "new@example.org" || ada.epoch() != epoch || len(w.Mails()) != 0 {
			t.Errorf("a refused undo changed something: %s, epoch %d", ada.email(), ada.epoch())
		}
		if err := w.CheckUndoEmail(t.Context(), undo); err != nil {
			t.Errorf("the link after a refusal: %v", err)
		}
	})
}

// Of twenty uses of one link, one wins.
func TestChangeEmailAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada := w.moving("ada")
		confirm, undo := ada.ask("new@example.org")
		if got := race(20, func(int) error {
			_, err := w.ConfirmEmail(context.Background(), ada.id, confirm)
			return err
		}); got[""] != 1 || got["link_gone"] != 19 {
			t.Errorf("confirmed at once: %v", got)
		}
		epoch := ada.epoch()
		if got := race(20, func(int) error { return w.UndoEmail(context.Background(), undo) }); got[""] != 1 || got["link_gone"] != 19 {
			t.Errorf("undone at once: %v", got)
		}
		if ada.email() != "ada@example.org" || ada.epoch() != epoch+1 {
			t.Errorf("%s, epoch %d", ada.email(), ada.epoch())
		}
		w.Mails()
		// Ten accounts want one address.
		var links [10]string
		var all [10]*moving
		for i := range all {
			all[i] = w.moving(fmt.Sprintf("many%d", i))
			links[i], _ = all[i].ask("wanted@example.org")
		}
		if got := race(10, func(i int) error {
			_, err := w.ConfirmEmail(context.Background(), all[i].id, links[i])
			return err
		}); got[""] != 1 || got["email_taken"] != 9 {
			t.Errorf("one address for ten: %v", got)
		}
	})
}

// Links of the two purposes do not stand for each other.
func TestChangeEmailLinksOfAnotherPurpose(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	ada := w.moving("ada")
	confirm, undo := ada.ask("new@example.org")
	other := w.link(openDoor, ada.id, "evil@example.org")
	for _, token := range []string{confirm, other, "", strings.Repeat("A", tokenLength), undo[1:] + undo[:1]} {
		ada.undo(token, "link_gone")
	}
	for _, token := range []string{undo, other, "", confirm[1:] + confirm[:1]} {
		if _, err := w.ConfirmEmail(t.Context(), ada.id, token); !errors.Is(err, ErrLinkGone) {
			t.Errorf("confirmed with %q: %v", token, err)
		}
	}
	if ada.email() != "ada@example.org" {
		t.Error("the address changed")
	}
}

// An account whose address row was altered or deleted shows no address, and its owner gives
// another.
func TestAlteredAddressIsReplaced(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for name, attack := range map[string]string{
			"altered": `UPDATE addresses SET verified_at = verified_at + 1 WHERE account = $1`,
			"deleted": `DELETE FROM addresses WHERE account = $1`,
		} {
			ada := w.moving(name)
			if _, err := d.Exec(t.Context(), attack, string(ada.id)); err != nil {
				t.Fatal(err)
			}
			h := w.serve()
			got := send(h, "GET", "/account", string(ada.id), "")
			if got.Status != 200 || !strings.Contains(got.Body, `"email":"","email_verified":false`) {
				t.Errorf("%s: %d %s", name, got.Status, got.Body)
			}
			if archive := w.exportOf(ada.id); !strings.Contains(archive["account.json"], `"email": ""`) {
				t.Errorf("%s: the export: %s", name, archive["account.json"])
			}
			if err := w.ChangeEmail(t.Context(), ada.id, name+"@example.org", at(1)); err != nil {
				t.Fatal(err)
			}
			var link mail.Message
			for _, m := range w.Mails() {
				if link = m; m.Kind != "change-email" || m.To != name+"@example.org" {
					t.Errorf("%s: a mail %s to %s", name, m.Kind, m.To)
				}
			}
			if p, err := w.ConfirmEmail(t.Context(), ada.id, tokenOf(link)); err != nil || p.Email != name+"@example.org" {
				t.Errorf("%s: mended: %+v, %v", name, p, err)
			}
			if _, err := w.CheckPassword(t.Context(), name+"@example.org", goodPassword); err != nil {
				t.Errorf("%s: sign-in: %v", name, err)
			}
			w.Mails()
		}
	})
}
