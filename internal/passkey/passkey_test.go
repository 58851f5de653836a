package passkey

import (
	"slices"
	"strings"
	"testing"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/session"
)

// A passkey's life: added, told, listed, used, named and removed.
func TestLife(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.below.Join("ada")
		c := w.caller("ada")
		w.below.Told()
		o, err := w.BeginRegistration(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		if o.RP != (Entity{ID: "coffer.test", Name: "Coffer"}) || o.User.Name != "ada" || o.User.DisplayName != "Ada Lovelace" || o.Attestation != "none" ||
			o.Selection != (Selection{"required", true, "required"}) || len(o.Exclude) != 0 || len(o.Params) != 5 || o.Timeout != 300_000 || strings.Contains(o.User.ID, c.Account) {
			t.Errorf("the options %+v", o)
		}
		if raw, err := b64.DecodeString(o.Challenge); err != nil || len(raw) != 32 {
			t.Errorf("the challenge %q: %v", o.Challenge, err)
		}
		k := w.newKey()
		k.flags |= eligible | backedUp
		k.maker = [16]byte{0xba, 0xda, 0x55, 0x66, 0xa7, 0xaa, 0x40, 0x1f, 0xbd, 0x96, 0x45, 0x61, 0x9a, 0x55, 0x12, 0x0d}
		p := w.add(c, k, "")
		if p.Name != "1Password" || p.Provider != "1Password" || !p.Synced || !p.BackedUp || p.LastUsedAt != nil || !p.CreatedAt.Equal(w.Now()) {
			t.Errorf("added %+v", p)
		}
		if told := w.below.Told(); !slices.Equal(told, []string{"ada@canary.example passkey-added"}) {
			t.Errorf("told %q", told)
		}
		second := w.newKey()
		w.add(c, second, " Blue key ")
		w.below.Told()
		// The options of the next one exclude both.
		if o, err = w.BeginRegistration(ctx, c); err != nil || len(o.Exclude) != 2 || o.Exclude[0].ID != b64.EncodeToString(k.id) || !slices.Equal(o.Exclude[0].Transports, []string{"internal", "hybrid"}) {
			t.Errorf("excluded %+v, %v", o, err)
		}

		k.flags &^= backedUp // the copy is gone: that is noted
		k.count = 6
		out, err := w.signIn(k)
		if err != nil || out.Opened.AAL != session.AAL2 || !slices.Equal(out.Opened.AMR, []string{"swk", "user", "mfa"}) || string(out.Opened.Account) != c.Account {
			t.Fatalf("sign in: %+v, %v", out.Opened, err)
		}
		if out, err := w.signIn(second); err != nil || !slices.Equal(out.Opened.AMR, []string{"hwk", "user", "mfa"}) {
			t.Errorf("the second: %+v, %v", out.Opened, err)
		}
		all, err := w.List(ctx, account.ID(c.Account))
		if err != nil || len(all) != 2 || all[0].ID != p.ID || all[0].BackedUp || !all[0].Synced || all[0].LastUsedAt == nil || all[1].Name != "Blue key" || all[1].Provider != "" {
			t.Errorf("the list %+v, %v", all, err)
		}

		if named, err := w.Rename(ctx, c, p.ID, "Ärger\u200dlos"); err != nil || named.Name != "Ärger\u200dlos" {
			t.Errorf("rename: %+v, %v", named, err)
		}
		for name, why := range map[string]string{"": "required", "   ": "required", "\u200b": "invalid", "a\nb": "invalid", "a\u202eb": "invalid", strings.Repeat("ä", 65): "too_long"} {
			if _, err := w.Rename(ctx, c, p.ID, name); code(err) != "validation_failed" || !strings.Contains(err.Error(), why) {
				t.Errorf("the name %q: %v, want %s", name, err, why)
			}
		}
		if told := w.below.Told(); len(told) != 0 {
			t.Errorf("told %q", told)
		}

		_, err = w.Rename(ctx, w.stranger(), p.ID, "mine")
		w.wants("a stranger renames", err, "not_found")
		w.wants("a stranger removes", w.Remove(ctx, w.stranger(), p.ID), "not_found")
		w.below.Told()
		if err := w.Remove(ctx, c, p.ID); err != nil {
			t.Fatal(err)
		}
		if told := w.below.Told(); !slices.Equal(told, []string{"ada@canary.example passkey-removed"}) {
			t.Errorf("told %q", told)
		}
		_, err = w.signIn(k)
		w.wants("a passkey that was removed", err, "invalid_passkey")
		w.wants("removed twice", w.Remove(ctx, c, p.ID), "not_found")
		if told := w.below.Told(); len(told) != 0 {
			t.Errorf("told %q", told)
		}
	})
}

// A copied key: a sign count that does not grow, or another backup eligibility, is refused, and
// the owner is told once a day.
func TestCopied(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.below.Join("ada")
		c := w.caller("ada")
		k := w.newKey()
		w.add(c, k, "")
		w.below.Told()
		k.count = 9
		if _, err := w.signIn(k); err != nil { // 10
			t.Fatal(err)
		}
		for _, count := range []uint32{8, 9} { // 9 and 10 are sent
			k.count = count
			_, err := w.signIn(k)
			w.wants("an old count", err, "invalid_passkey")
		}
		if told := w.below.Told(); !slices.Equal(told, []string{"ada@canary.example passkey-cloned"}) {
			t.Errorf("told %q", told)
		}
		k.count = 1<<32 - 1 // zero is sent
		_, err := w.signIn(k)
		w.wants("a count of zero after others", err, "invalid_passkey")
		w.below.Advance(tellInterval)
		c = w.caller("ada")
		k.count = 0
		_, err = w.signIn(k)
		w.wants("an old count a day later", err, "invalid_passkey")
		if told := w.below.Told(); !slices.Equal(told, []string{"ada@canary.example passkey-cloned"}) {
			t.Errorf("told a day later: %q", told)
		}
		// The key itself goes on to work, as a fresh proof too, and a copy is refused there.
		k.count = 10
		if _, err := w.signIn(k); err != nil {
			t.Error(err)
		}
		renew := func(k *key) error {
			o, err := w.BeginRenewal(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.Renew(t.Context(), c, from, k.get(o.Challenge).pack())
			return err
		}
		w.wants("a proof with an old count", renew(k), "invalid_passkey")
		k.count++
		w.wants("a proof", renew(k), "")

		// A key that was bound to its device never becomes one that may be copied.
		bound := w.newKey()
		w.add(c, bound, "")
		w.below.Told()
		bound.flags |= eligible
		_, err = w.signIn(bound)
		w.wants("another eligibility", err, "invalid_passkey")
		if told := w.below.Told(); !slices.Equal(told, []string{"ada@canary.example passkey-cloned"}) {
			t.Errorf("told of another eligibility: %q", told)
		}

		// A key that counts nothing stays at zero.
		still := w.newKey()
		w.add(c, still, "")
		for range 3 {
			if _, err := w.send(still.get(w.challenge())); err != nil {
				t.Error(err)
			}
		}
		still.count = 5
		if _, err := w.send(still.get(w.challenge())); err != nil {
			t.Error(err)
		}
		_, err = w.send(still.get(w.challenge()))
		w.wants("a count that stands still", err, "invalid_passkey")
	})
}

// At most twenty passkeys, and one credential once, whoever owns it. Of many at once, one
// takes the last place.
func TestMost(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.below.Join("ada")
		w.below.Join("eve")
		c, eve := w.caller("ada"), w.caller("eve")
		first := w.newKey()
		w.add(c, first, "")
		for _, other := range []struct {
			name string
			by   func() (string, error)
		}{
			{"the owner", func() (string, error) {
				o, err := w.BeginRegistration(t.Context(), c)
				if err == nil {
					_, err = w.Register(t.Context(), c, first.create(o.Challenge).pack(), "")
				}
				return code(err), nil
			}},
			{"somebody else", func() (string, error) {
				o, err := w.BeginRegistration(t.Context(), eve)
				if err == nil {
					_, err = w.Register(t.Context(), eve, first.create(o.Challenge).pack(), "")
				}
				return code(err), nil
			}},
		} {
			if got, _ := other.by(); got != "passkey_exists" {
				t.Errorf("%s registers it again: %s", other.name, got)
			}
		}
		if out, err := w.signIn(first); err != nil || string(out.Opened.Account) != c.Account {
			t.Errorf("it is still its owner's: %+v, %v", out.Opened, err)
		}
		for range maxPasskeys - 2 {
			w.add(c, w.newKey(), "")
		}
		type pending struct {
			k         *key
			challenge string
		}
		free := make(chan pending, 20)
		for range cap(free) {
			o, err := w.BeginRegistration(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			free <- pending{w.newKey(), o.Challenge}
		}
		won := w.atOnce(cap(free), func() error {
			p := <-free
			_, err := w.Register(t.Context(), c, p.k.create(p.challenge).pack(), "")
			return err
		})
		if n, err := count(t.Context(), d, account.ID(c.Account)); err != nil || n != maxPasskeys || won != 1 {
			t.Errorf("%d passkeys, %d added at once, %v", n, won, err)
		}
		_, err := w.BeginRegistration(t.Context(), c)
		w.wants("one more", err, "too_many_passkeys")
	})
}
