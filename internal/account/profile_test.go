package account

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
)

func ptr(s string) *string { return &s }

func TestProfile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		id := w.join(person1("grace"))
		created := w.Now().UTC()
		got, err := w.Change(ctx, id, Changes{FirstName: ptr(" Grace "), Bio: ptr("I count\r\nmoths"), Username: ptr("Amazing.Grace"), Lang: ptr("DE")})
		if err != nil {
			t.Fatal(err)
		}
		want := Profile{ID: id, Email: "grace@example.org", Username: "amazing.grace", FirstName: "Grace", LastName: "Lovelace",
			Bio: "I count\nmoths", Lang: "de", Role: User, HasPassword: true, CreatedAt: created}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("answer: %s", diff)
		}
		read, err := w.Profile(ctx, id)
		if diff := cmp.Diff(want, read); err != nil || diff != "" {
			t.Errorf("read: %v %s", err, diff)
		}
		if _, err := w.CheckPassword(ctx, "amazing.grace", goodPassword); err != nil {
			t.Errorf("sign-in under the new name: %v", err)
		}
		if _, err := w.CheckPassword(ctx, "grace", goodPassword); !errors.Is(err, ErrCredentials) {
			t.Errorf("sign-in under the old name: %v", err)
		}
		if _, err := w.Change(ctx, id, Changes{Username: ptr("amazing.grace"), Bio: ptr("")}); err != nil {
			t.Errorf("one's own name again: %v", err)
		}
		if _, err := w.Profile(ctx, "nobody"); !errors.Is(err, ErrNotFound) {
			t.Errorf("nobody: %v", err)
		}
		if _, err := w.Change(ctx, "nobody", Changes{Bio: ptr("x")}); !errors.Is(err, ErrNotFound) {
			t.Errorf("change of nobody: %v", err)
		}
	})
}

func TestRefusedChangesChangeNothing(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t))
	w.join(person1("other"))
	id := w.join(person1("grace"))
	before, err := w.Profile(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Change(ctx, id, Changes{FirstName: ptr("Fine"), LastName: ptr(""), Username: ptr("@"), Lang: ptr("xx"), Bio: ptr("\x00")})
	var fields []string
	for _, f := range fault.Of(err).Fields {
		fields = append(fields, f.Pointer+" "+f.Code)
	}
	want := []string{"/last_name required", "/username invalid_username", "/bio invalid_characters", "/language unsupported_language"}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Error(diff)
	}
	if _, err := w.Change(ctx, id, Changes{FirstName: ptr("Fine"), Username: ptr("other")}); code(err) != "username_taken" {
		t.Errorf("got %v, want username_taken", err)
	}
	after, err := w.Profile(ctx, id)
	if diff := cmp.Diff(before, after); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

// Two changes of different fields at once must both stand.
func TestChangesAtOnceBothStand(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.join(person1("grace"))
		changes := []Changes{{FirstName: ptr("One")}, {LastName: ptr("Two")}, {Bio: ptr("Three")}, {Lang: ptr("de")}}
		got := race(len(changes), func(i int) error {
			_, err := w.Change(t.Context(), id, changes[i])
			return err
		})
		if got[""] != len(changes) {
			t.Fatalf("%v", got)
		}
		p, err := w.Profile(t.Context(), id)
		if err != nil || p.FirstName != "One" || p.LastName != "Two" || p.Bio != "Three" || p.Lang != "de" {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

func TestSignInSummaryAndVersion(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		id := w.join(person1("grace"))
		before := 0
		signIn := func() {
			t.Helper()
			err := w.DB.Tx(ctx, func(tx *db.Tx) error {
				first, err := w.SignedIn(ctx, tx, id)
				if before++; first != (before == 1) {
					t.Errorf("sign-in %d: first is %t", before, first)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		firstAt := w.Now().UTC()
		signIn()
		w.Advance(time.Hour)
		signIn()
		p, err := w.Profile(ctx, id)
		if err != nil || p.SignIns != 2 || !p.SignedInBeforeAt.Equal(firstAt) || !p.SignedInAt.Equal(firstAt.Add(time.Hour)) {
			t.Errorf("%+v, %v", p, err)
		}
		if err := w.DB.Tx(ctx, func(tx *db.Tx) error { return w.InvalidateSessions(ctx, tx, id, "") }); err != nil {
			t.Fatal(err)
		}
		if st, err := w.State(ctx, id); err != nil || st.SessionEpoch != 2 {
			t.Errorf("%+v, %v; want version 2", st, err)
		}
		if err := w.DB.Tx(ctx, func(tx *db.Tx) error { return w.InvalidateSessions(ctx, tx, "nobody", "") }); !errors.Is(err, ErrNotFound) {
			t.Errorf("nobody: %v", err)
		}
	})
}
