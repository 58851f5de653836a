package account

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/keyring"
)

// A copy of the database, with its log, its queue and its short-lived values, must show
// nobody: every form of every personal value is looked for in every byte.
func TestNothingPersonalInTheDatabase(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	d, err := db.Open(ctx, "sqlite:"+filepath.Join(dir, "canary.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, d)
	canaries := map[string]string{
		"e-mail": "Canary.Mailbox@nest-canary.example", "domain": "nest-canary", "first name": "Canaryfirst", "last name": "Canarylast",
		"username": "canaryuser", "bio": "canary bio words", "password": "canary password of mine", "second username": "canarysecond",
	}
	in := NewAccount{FirstName: canaries["first name"], LastName: canaries["last name"], Username: canaries["username"],
		Email: canaries["e-mail"], Password: canaries["password"]}
	signUp, err := w.SignUp(ctx, in, at(1))
	if err != nil {
		t.Fatal(err)
	}
	canaries["sign-up token"], canaries["source"] = signUp, at(1).Addr
	look := func(when string) {
		t.Helper()
		data := readAll(t, dir)
		for what, value := range canaries {
			for _, form := range []string{value, strings.ToLower(value), hex.EncodeToString([]byte(value)), base64.StdEncoding.EncodeToString([]byte(value))} {
				if bytes.Contains(bytes.ToLower(data), bytes.ToLower([]byte(form))) {
					t.Errorf("%s: the %s stands in the database as %q", when, what, form)
				}
			}
		}
	}
	look("with the sign-up queued")
	m := w.mail("verify-email")
	canaries["token"], canaries["code"] = tokenOf(m), m.Data["code"]
	look("with the sign-up pending")
	if err := w.VerifyToken(ctx, Proof{Token: tokenOf(m), SignUp: signUp, From: at(1)}); err != nil {
		t.Fatal(err)
	}
	st, err := w.CheckPassword(ctx, canaries["e-mail"], canaries["password"])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Change(ctx, st.ID, Changes{Bio: ptr(canaries["bio"]), Username: ptr(canaries["second username"])}); err != nil {
		t.Fatal(err)
	}
	look("with the account made")
	if _, err := w.SignUp(ctx, in, at(1)); err != nil {
		t.Fatal(err)
	}
	w.mail("sign-up-exists")
	look("after somebody else tried")
	if !bytes.Contains(readAll(t, dir), []byte(st.ID)) {
		t.Error("not even the account's id is in the files: the test looks in the wrong place")
	}
}

func readAll(t *testing.T, dir string) []byte {
	t.Helper()
	var all []byte
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, path))
		all = append(all, b...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// After a rotation and the walks, everything stands under the new keys: the old ones can
// be destroyed and nobody notices.
func TestRewraps(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		id := w.join(person1("grace"))
		w.join(person1("edith"))
		waiting := w.apply(person1("waiting"))
		before, err := readAccount(ctx, d, id)
		if err != nil {
			t.Fatal(err)
		}
		oldHash, err := readPassword(ctx, d, id)
		if err != nil {
			t.Fatal(err)
		}
		oldIndex, err := w.Ring.Index(ctx, emailColumn, "grace@example.org")
		if err != nil {
			t.Fatal(err)
		}
		w.Advance(48 * 3600e9)
		for _, p := range []keyring.Purpose{keyring.Field, keyring.Pepper, keyring.Index, keyring.Code} {
			if _, err := w.Ring.Rotate(ctx, p); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.CheckPassword(ctx, "GRACE@example.org", goodPassword); err != nil {
			t.Fatalf("before the walks: %v", err)
		}
		taken := person1("grace")
		taken.Username = "another" // only the address is taken
		if _, err := w.Create(ctx, taken, User); code(err) != "account_exists" {
			t.Errorf("an address under the old index is free: %v", err)
		}
		done := map[string]int{}
		if err := w.Ring.RewrapAll(ctx, w.Ring.Rewraps(), func(name string, n int) { done[name] = n }); err != nil {
			t.Fatal(err)
		}
		for _, r := range w.Ring.Rewraps() {
			if done[r.Name] == 0 {
				t.Errorf("%s looked at no row", r.Name)
			}
		}
		after, err := readAccount(ctx, d, id)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(before.Wrapped, after.Wrapped) {
			t.Error("the data key is wrapped as before")
		}
		if hash, err := readPassword(ctx, d, id); err != nil || bytes.Equal(oldHash, hash) {
			t.Errorf("the password hash is sealed as before (%v)", err)
		}
		if _, _, err := findCredentials(ctx, d, byEmail, [2][]byte{oldIndex, oldIndex}); !errors.Is(err, ErrNotFound) {
			t.Errorf("the old index still finds the account: %v", err)
		}
		if _, err := w.CheckPassword(ctx, "grace@example.org", goodPassword); err != nil {
			t.Errorf("after the walks: %v", err)
		}
		if _, err := w.CheckPassword(ctx, "grace", goodPassword); err != nil {
			t.Errorf("by username after the walks: %v", err)
		}
		if p, err := w.Profile(ctx, id); err != nil || p.Email != "grace@example.org" {
			t.Errorf("%+v, %v", p, err)
		}
		w.Advance(-48 * 3600e9)
		if err := w.VerifyCode(ctx, waiting.byCode()); err != nil {
			t.Errorf("a code from before the rotation: %v", err)
		}
	})
}

// Forget leaves nothing that opens, whoever kept a copy of the rows.
func TestForgetShreds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		id := w.join(person1("grace"))
		if err := w.Forget(ctx, id); err != nil {
			t.Fatal(err)
		}
		for _, q := range []string{
			`SELECT COUNT(*) FROM accounts WHERE id = $1`, `SELECT COUNT(*) FROM account_keys WHERE account = $1`, `SELECT COUNT(*) FROM sign_ups WHERE id = $1`,
			`SELECT COUNT(*) FROM sign_up_proofs WHERE sign_up = $1`,
		} {
			var n int
			if err := d.QueryRow(ctx, q, string(id)).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s: %d rows, %v", q, n, err)
			}
		}
		if _, err := w.DataKey(ctx, d, id); !errors.Is(err, ErrNotFound) {
			t.Errorf("DataKey: %v", err)
		}
		if _, err := w.State(ctx, id); !errors.Is(err, ErrNotFound) {
			t.Errorf("State: %v", err)
		}
		if again := w.join(person1("grace")); again == id {
			t.Error("a new account under the old id")
		}
	})
}
