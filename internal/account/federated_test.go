package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
)

// newcomer is person1 without a password.
func newcomer(name string) NewAccount {
	in := person1(name)
	in.Password = ""
	return in
}

// federate makes the account of a newcomer.
func (w *world) federate(in NewAccount) (id ID, err error) {
	ctx := context.Background()
	n, err := w.NewFederated(ctx, in)
	if err != nil {
		return "", err
	}
	return id, w.DB.Tx(ctx, func(tx *db.Tx) error {
		id, err = w.CreateFederated(ctx, tx, n)
		return err
	})
}

// passwordless makes an account without a password.
func (w *world) passwordless(name string) ID {
	w.t.Helper()
	id, err := w.federate(newcomer(name))
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// has says whether the account has a password, and fails unless all that tells it agrees.
func (w *world) has(id ID) bool {
	w.t.Helper()
	ctx := context.Background()
	p, err := w.Profile(ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	lines, err := w.Security(ctx, id)
	if err != nil || lines["password"].Enabled != p.HasPassword {
		w.t.Errorf("the profile says %t, the security page %+v; %v", p.HasPassword, lines["password"], err)
	}
	return p.HasPassword
}

// An account without a password from its first day to its last. No password signs in, and what
// refuses one costs and answers what a wrong password does.
func TestAccountWithoutAPassword(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		if err := d.Own(); err != nil { // profiles are kept in memory
			t.Fatal(err)
		}
		w := newWorld(t, d)
		id := w.passwordless("ada")
		st, err := w.State(ctx, id)
		if err != nil || st.Status != Active || st.Role != User || w.has(id) {
			t.Fatalf("%+v, %v", st, err)
		}
		if p, err := w.Profile(ctx, id); err != nil || p.Email != "ada@example.org" || p.Username != "ada" || p.FirstName != "Ada" {
			t.Errorf("%+v, %v", p, err)
		}
		for _, guess := range []string{"", "none", goodPassword, strings.Repeat("\x00", 32)} {
			for _, identifier := range []string{"ada", "ada@example.org"} {
				before := w.hasher.done.Load()
				if _, err := w.CheckPassword(ctx, identifier, guess); !errors.Is(err, ErrCredentials) {
					t.Errorf("%q opens it: %v", guess, err)
				}
				if n := w.hasher.done.Load() - before; n != 1 {
					t.Errorf("%q cost %d hashes", guess, n)
				}
			}
			if err := w.CheckPasswordOf(ctx, id, guess); !errors.Is(err, ErrCredentials) {
				t.Errorf("%q is a fresh proof: %v", guess, err)
			}
		}
		if _, err := w.ReplacePassword(ctx, id, "", goodPassword); !errors.Is(err, ErrCredentials) {
			t.Errorf("the empty password is replaced: %v", err)
		}
		// The keys move on, and it still has none.
		old := w.rotateAll()
		if err := w.Ring.RewrapAll(ctx, w.Ring.Rewraps(), nil); err != nil {
			t.Fatal(err)
		}
		w.destroy(old)
		if w.has(id) {
			t.Error("a rotation gave it a password")
		}
		if parts := w.exportOf(id); !strings.Contains(parts["account.json"], `"password"`) {
			t.Errorf("the archive: %s", parts["account.json"])
		}
		if err := w.Deactivate(ctx, id); err != nil {
			t.Fatal(err)
		}
		if err := d.Tx(ctx, func(tx *db.Tx) error { _, err := w.Activate(ctx, tx, id); return err }); err != nil || w.has(id) {
			t.Errorf("deactivated and activated: %v", err)
		}
		// It gets one, and then it is as any other.
		p, err := w.FirstPassword(ctx, id, "/new_password", goodPassword)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Tx(ctx, func(tx *db.Tx) error { return w.SetPassword(ctx, tx, p) }); err != nil {
			t.Fatal(err)
		}
		if _, err := w.CheckPassword(ctx, "ada", goodPassword); err != nil || !w.has(id) {
			t.Errorf("its first password: %v", err)
		}
		if got := code(d.Tx(ctx, func(tx *db.Tx) error { return w.SetPassword(ctx, tx, p) })); got != "invalid_credentials" {
			t.Errorf("a first password once more: %q", got)
		}
		// A reset sets one as well.
		reset := w.passwordless("reset")
		if w.has(reset) {
			t.Error("it has a password")
		}
		if p, err = w.NewPassword(ctx, reset, "/password", goodPassword); err != nil {
			t.Fatal(err)
		}
		if err := d.Tx(ctx, func(tx *db.Tx) error { return w.SetPassword(ctx, tx, p) }); err != nil || !w.has(reset) {
			t.Errorf("after a reset: %v", err)
		}
		if err := w.Delete(ctx, id); err != nil {
			t.Fatal(err)
		}
		w.goneFor(id, "ada")
		if again := w.passwordless("ada"); again == id {
			t.Error("a new account has the old id")
		}
	})
}

// GET /account says whether there is a password.
func TestHasPasswordOnTheWire(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	h := w.serve()
	for id, want := range map[ID]bool{w.join(person1("ada")): true, w.passwordless("bob"): false} {
		var got struct {
			HasPassword *bool `json:"has_password"`
		}
		a := send(h, "GET", "/account", string(id), "")
		if err := json.Unmarshal([]byte(a.Body), &got); err != nil || got.HasPassword == nil || *got.HasPassword != want {
			t.Errorf("%s, want %t", a.Body, want)
		}
	}
}

// Of twenty first passwords at once one is set.
func TestFirstPasswordsAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newWorld(t, d)
		id := w.passwordless("ada")
		all := make([]Password, 20)
		for i := range all {
			var err error
			if all[i], err = w.FirstPassword(ctx, id, "/new_password", fmt.Sprint(goodPassword, i)); err != nil {
				t.Fatal(err)
			}
		}
		got := race(20, func(i int) error {
			return d.Tx(ctx, func(tx *db.Tx) error { return w.SetPassword(ctx, tx, all[i]) })
		})
		if got[""] != 1 || got["invalid_credentials"] != 19 {
			t.Errorf("%v", got)
		}
	})
}

// A writer of the database takes no password away: a column that does not open is a password
// that no guess matches. The seal of "no password" opens in its own account alone.
func TestAttackWriterOfPasswords(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		none := w.passwordless("none")
		for name, value := range map[string]string{
			"emptied": `CAST('' AS BLOB)`, "damaged": `CAST('x' AS BLOB)`, "anothers": `(SELECT o.password FROM accounts o WHERE o.id = '` + string(none) + `')`,
		} {
			id := w.join(person1(name))
			q := `UPDATE accounts SET password = ` + value + ` WHERE id = $1`
			if d.Engine() == db.PostgreSQL {
				q = strings.ReplaceAll(q, "BLOB", "BYTEA")
			}
			if n, err := d.Exec(ctx, q, string(id)); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			if !w.has(id) {
				t.Errorf("%s: the account has no password", name)
			}
			p, err := w.FirstPassword(ctx, id, "/new_password", "nine loud herons 52")
			if err != nil {
				t.Fatal(err)
			}
			if got := code(d.Tx(ctx, func(tx *db.Tx) error { return w.SetPassword(ctx, tx, p) })); got != "invalid_credentials" {
				t.Errorf("%s: a first password: %q", name, got)
			}
			if _, err := w.CheckPassword(ctx, name, goodPassword); !errors.Is(err, ErrCredentials) {
				t.Errorf("%s: %v", name, err)
			}
			if err := d.Tx(ctx, func(tx *db.Tx) error { return w.KeepAWayIn(ctx, tx, id) }); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// Values of a newcomer are those of a sign-up, but for the password. A taken username is told a
// few times, and a taken address only in the transaction that would make the account.
func TestNewFederated(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		w.join(person1("ada"))
		_, err := w.NewFederated(ctx, NewAccount{FirstName: " ", LastName: "http://x", Username: "1", Email: "x"})
		var refused []string
		for _, f := range fault.Of(err).Fields {
			refused = append(refused, f.Pointer)
		}
		if !slices.Equal(refused, []string{"/first_name", "/last_name", "/username", "/email"}) {
			t.Errorf("refused %q: %v", refused, err)
		}
		in := newcomer("bob")
		in.Username = "Ada"
		for range w.UsernameLimit.Limit {
			if _, err := w.NewFederated(ctx, in); code(err) != "username_taken" {
				t.Fatalf("%v", err)
			}
		}
		if _, err := w.NewFederated(ctx, in); code(err) != "rate_limited" {
			t.Errorf("%v", err)
		}
		in.Username = "bob"
		if _, err := w.NewFederated(ctx, in); err != nil {
			t.Errorf("a free username, after many: %v", err)
		}
		in.Email = "ADA@example.org"
		if _, err := w.federate(in); code(err) != "email_taken" {
			t.Errorf("an address that is taken: %v", err)
		}
		// A username that was taken meanwhile.
		n, err := w.NewFederated(ctx, newcomer("eve"))
		if err != nil {
			t.Fatal(err)
		}
		eve := person1("other")
		eve.Username = "eve"
		w.join(eve)
		if got := code(d.Tx(ctx, func(tx *db.Tx) error { _, err := w.CreateFederated(ctx, tx, n); return err })); got != "username_taken" {
			t.Errorf("%s", got)
		}
		if n := w.countOf(`SELECT COUNT(*) FROM accounts`); n != 2 {
			t.Errorf("%d accounts", n)
		}
	})
}

// Two first sign-ins at once make one account, whatever usernames they chose. What the caller
// wrote beside a refused one is undone.
func TestCreateFederatedAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newWorld(t, d)
		all := make([]Newcomer, 20)
		for i := range all {
			in := newcomer("ada")
			in.Username = fmt.Sprint("ada", i%7)
			var err error
			if all[i], err = w.NewFederated(ctx, in); err != nil {
				t.Fatal(err)
			}
		}
		got := race(20, func(i int) error {
			return d.Tx(ctx, func(tx *db.Tx) error { _, err := w.CreateFederated(ctx, tx, all[i]); return err })
		})
		if got[""] != 1 || got["email_taken"] != 19 {
			t.Errorf("%v", got)
		}
		for _, table := range []string{"accounts", "addresses", "account_keys"} {
			if n := w.countOf(`SELECT COUNT(*) FROM ` + table); n != 1 {
				t.Errorf("%d rows of %s", n, table)
			}
		}
	})
}

// A stranger signed up under a newcomer's address. The newcomer's first sign-in with another
// service ends that, and the account keeps nothing of it (security.md row 44).
func TestAttackSignUpBeforeANewcomer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d, generous)
		var links []applied
		for i := range 3 {
			links = append(links, w.applyFrom(at(i), plant(person1("victim"))))
		}
		id := w.passwordless("victim")
		for _, l := range links {
			for what, p := range map[string]Proof{"link": l.byLink(), "code": l.byCode()} {
				if got := code(w.verify(ctx, p)); got == "" {
					t.Errorf("their %s makes an account", what)
				}
			}
		}
		for _, identifier := range []string{"victim", "victim@example.org", "mallory"} {
			if _, err := w.CheckPassword(ctx, identifier, planted); !errors.Is(err, ErrCredentials) {
				t.Errorf("the planted password opens %q: %v", identifier, err)
			}
		}
		if p, err := w.Profile(ctx, id); err != nil || p.FirstName != "Ada" || p.Username != "victim" || p.HasPassword {
			t.Errorf("%+v, %v", p, err)
		}
		for _, table := range []string{"sign_ups", "sign_up_proofs"} {
			if n := w.countOf(`SELECT COUNT(*) FROM ` + table); n != 0 {
				t.Errorf("%d rows of %s", n, table)
			}
		}
	})
}

// A sign-up that is proven and a first sign-in with another service at the same moment make one
// account.
func TestCreateFederatedAgainstASignUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		w := newWorld(t, d, generous)
		for i := range 8 {
			name := fmt.Sprint("ada", i)
			l := w.apply(person1(name))
			in := newcomer(name)
			in.Username = name + "x"
			n, err := w.NewFederated(ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			got := race(2, func(k int) error {
				if k == 0 {
					return w.VerifyToken(ctx, l.byLink())
				}
				return d.Tx(ctx, func(tx *db.Tx) error { _, err := w.CreateFederated(ctx, tx, n); return err })
			})
			if got[""] != 1 || got["link_gone"]+got["email_taken"] != 1 {
				t.Errorf("%v", got)
			}
		}
		if n := w.countOf(`SELECT COUNT(*) FROM accounts`); n != 8 {
			t.Errorf("%d accounts", n)
		}
	})
}

func TestFreeUsername(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.join(person1("ada"))
		for _, tt := range []struct {
			from []string
			want string
		}{
			{[]string{"grace.hopper@example.org"}, "grace.hopper"},
			{[]string{"Grace+news@example.org"}, "grace"},
			{[]string{"ada@example.org"}, `ada\d{6}`},
			{[]string{"", "Zoë Müller"}, "zoe.muller"},
			{[]string{"x@example.org", "Ada Lovelace"}, "ada.lovelace"},
			{[]string{"1984@example.org", "李", "♥"}, `user\d{6}`},
			{nil, `user\d{6}`},
			{[]string{strings.Repeat("long", 30) + "@example.org"}, "(long){6}lo"},
			{[]string{"-._@example.org", "__init__.py"}, `init__\.py`},
		} {
			got, err := w.FreeUsername(t.Context(), tt.from...)
			if _, ok := parseUsername(got); err != nil || !ok || !regexp.MustCompile("^"+tt.want+"$").MatchString(got) {
				t.Errorf("%q: %q, %v, want %s", tt.from, got, err, tt.want)
			}
		}
	})
}

// keys is a room with ways in: a row for each.
type keys struct{ w *world }

func (w *world) keys(name string) keys {
	w.t.Helper()
	k := keys{w}
	table := "test_" + name
	if _, err := w.DB.Exec(context.Background(), `CREATE TABLE `+table+` (id TEXT PRIMARY KEY, account TEXT NOT NULL, made BIGINT NOT NULL)`); err != nil {
		w.t.Fatal(err)
	}
	w.AddWayIn(WayIn{
		Count: func(ctx context.Context, q db.Querier, id ID) (n int, err error) {
			return n, q.QueryRow(ctx, `SELECT COUNT(*) FROM `+table+` WHERE account = $1`, string(id)).Scan(&n)
		},
		DropSince: func(ctx context.Context, tx *db.Tx, id ID, since time.Time) error {
			_, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE account = $1 AND made >= $2`, string(id), since.UnixMilli())
			return err
		},
	})
	return k
}

func (k keys) add(table, key string, id ID) {
	k.w.t.Helper()
	if _, err := k.w.DB.Exec(context.Background(), `INSERT INTO test_`+table+` (id, account, made) VALUES ($1, $2, $3)`, key, string(id), k.w.Now().UnixMilli()); err != nil {
		k.w.t.Fatal(err)
	}
}

// remove removes a key as a room does.
func (k keys) remove(table, key string, id ID) error {
	ctx := context.Background()
	return k.w.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM test_`+table+` WHERE id = $1`, key); err != nil {
			return err
		}
		return k.w.KeepAWayIn(ctx, tx, id)
	})
}

// The last way in stays: of an account without a password, over all rooms, and of all removals at
// once.
func TestKeepAWayIn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		k := w.keys("keys")
		w.keys("cards")
		none, some := w.passwordless("none"), w.join(person1("some"))
		left := func(id ID) int {
			return w.countOf(`SELECT (SELECT COUNT(*) FROM test_keys WHERE account = $1) + (SELECT COUNT(*) FROM test_cards WHERE account = $1)`, id)
		}
		k.add("keys", "a", some)
		if err := k.remove("keys", "a", some); err != nil {
			t.Errorf("an account with a password: %v", err)
		}
		k.add("keys", "b", none)
		k.add("cards", "c", none)
		if err := k.remove("keys", "b", none); err != nil {
			t.Errorf("one of two: %v", err)
		}
		if got := code(k.remove("cards", "c", none)); got != "last_way_in" || left(none) != 1 {
			t.Errorf("the last one: %q, %d left", got, left(none))
		}
		for i := range 19 {
			k.add([]string{"keys", "cards"}[i%2], fmt.Sprint(i), none)
		}
		got := race(20, func(i int) error {
			if i == 19 {
				return k.remove("cards", "c", none)
			}
			return k.remove([]string{"keys", "cards"}[i%2], fmt.Sprint(i), none)
		})
		if got[""] != 19 || got["last_way_in"] != 1 || left(none) != 1 {
			t.Errorf("%v, %d left", got, left(none))
		}
		// Two removals that run beside each other: the second waits for the first.
		pair, second := w.passwordless("pair"), make(chan error, 1)
		k.add("keys", "first", pair)
		k.add("cards", "second", pair)
		if err := d.Tx(t.Context(), func(tx *db.Tx) error {
			if _, err := tx.Exec(t.Context(), `DELETE FROM test_keys WHERE id = 'first'`); err != nil {
				return err
			}
			if err := w.KeepAWayIn(t.Context(), tx, pair); err != nil {
				return err
			}
			go func() { second <- k.remove("cards", "second", pair) }()
			time.Sleep(200 * time.Millisecond) // enough for one that does not wait
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if got := code(<-second); got != "last_way_in" || left(pair) != 1 {
			t.Errorf("beside another: %q, %d left", got, left(pair))
		}
		if err := w.Delete(t.Context(), none); err != nil {
			t.Fatal(err)
		}
		if got := code(k.remove("keys", "0", none)); got != "not_found" {
			t.Errorf("of an account that is gone: %q", got)
		}
	})
}

// A recovery that is stopped takes the ways in that were added since, of every room, and those
// of no other account.
func TestDropWaysSince(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		k := w.keys("keys")
		w.keys("cards")
		ada, bob := w.join(person1("ada")), w.join(person1("bob"))
		k.add("keys", "old", ada)
		w.Advance(time.Second)
		began := w.Now()
		k.add("keys", "since", ada)
		k.add("cards", "card", ada)
		k.add("cards", "bobs", bob)
		if err := d.Tx(ctx, func(tx *db.Tx) error { return w.DropWaysSince(ctx, tx, ada, began) }); err != nil {
			t.Fatal(err)
		}
		rows, err := d.Query(ctx, `SELECT id FROM test_keys UNION ALL SELECT id FROM test_cards ORDER BY id`)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := rows.Strings(); err != nil || !slices.Equal(got, []string{"bobs", "old"}) {
			t.Errorf("%q, %v", got, err)
		}
	})
}
