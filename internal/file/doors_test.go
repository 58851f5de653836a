package file

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
)

// receive stores a content as a room above does.
func (w *world) receive(a Arriving, text string) (Entry, error) {
	w.t.Helper()
	u := w.Contents.NewUpload(ada)
	stored, err := u.Store(w.t.Context(), strings.NewReader(text))
	if err != nil {
		w.t.Fatal(err)
	}
	e, err := w.Receive(w.t.Context(), ada, "session", a, func(ctx context.Context, tx *db.Tx) (content.Stored, error) { return stored, u.Settle(ctx, tx) })
	if err != nil {
		u.Abort(w.t.Context())
	}
	return e, err
}

// A room above makes its content a file: in the place that it checked, under a name that is
// numbered or replaced, and with the session that sent it or not at all.
func TestReceive(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		folder := w.mustFolder(ada, "", "folder")
		name, err := w.CheckPlace(t.Context(), ada, folder.ID, "Cafe\u0301.txt")
		if err != nil || name != "Caf\u00e9.txt" {
			t.Fatalf("%q, %v", name, err)
		}
		first, err := w.receive(Arriving{Parent: folder.ID, Name: name, MediaType: "text/plain"}, "one")
		if err != nil || first.Name != name || *first.Parent != folder.ID || first.Size != 3 || first.MediaType != "text/plain" {
			t.Fatalf("%+v, %v", first, err)
		}
		second, err := w.receive(Arriving{Parent: folder.ID, Name: name}, "two")
		if err != nil || second.ID == first.ID || second.Name != "Caf\u00e9 (1).txt" {
			t.Fatalf("%+v, %v", second, err)
		}
		third, err := w.receive(Arriving{Parent: folder.ID, Name: name, Replace: true}, "three")
		if err != nil || third.ID != first.ID || third.Name != name || third.Size != 5 {
			t.Fatalf("%+v, %v", third, err)
		}
		if a := w.call(ada, "GET", "/files/"+first.ID+"/content", nil); string(a.body) != "three" {
			t.Errorf("the file holds %q", a.body)
		}
		if versions, _, err := w.Versions(t.Context(), ada, first.ID, "", 10); err != nil || len(versions) != 1 || versions[0].Size != 3 {
			t.Errorf("versions %+v, %v", versions, err)
		}
		for _, tc := range []struct{ parent, name, want string }{
			{folder.ID, "a/b", "validation_failed"}, {first.ID, "a", "validation_failed"}, {newID(), "a", "not_found"}, {"x", "a", "not_found"},
		} {
			var known *fault.Error
			if _, err := w.CheckPlace(t.Context(), ada, tc.parent, tc.name); !errors.As(err, &known) || known.Code != tc.want {
				t.Errorf("%q in %s: %v, want %s", tc.name, tc.parent, err, tc.want)
			}
		}
		over := fault.New(fault.Unauthenticated, "unauthenticated", "Sign in first.")
		w.Hold = func(context.Context, *db.Tx, account.ID, string) error { return over }
		if _, err := w.receive(Arriving{Parent: folder.ID, Name: "late"}, "late"); !errors.Is(err, over) {
			t.Errorf("an ended session: %v", err)
		}
		if _, err := w.receive(Arriving{Parent: folder.ID, Name: name, Replace: true}, "late"); !errors.Is(err, over) {
			t.Errorf("an ended session that replaces: %v", err)
		}
		if got := w.names(ada, folder.ID, "name"); !slices.Equal(got, []string{"Caf\u00e9 (1).txt", name}) {
			t.Errorf("the folder holds %q", got)
		}
	})
}

// pathOf returns the folders above an entry.
func (w *world) pathOf(owner account.ID, id string) ([]Step, error) {
	w.t.Helper()
	key, err := w.dataKey(w.t.Context(), w.DB, owner)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.path(w.t.Context(), w.DB, key, owner, id)
}

// The way to an entry is the names of the folders above it, and there is none to what is
// deleted or another's.
func TestPath(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		a := w.mustFolder(ada, "", "a")
		b := w.mustFolder(ada, a.ID, "b")
		e := w.mustUpload(ada, b.ID, upFile{"e", "", "x"})
		for id, want := range map[string][]Step{e.ID: {{a.ID, "a"}, {b.ID, "b"}}, b.ID: {{a.ID, "a"}}, a.ID: {}} {
			if got, err := w.pathOf(ada, id); err != nil || !slices.Equal(got, want) {
				t.Errorf("the way is %v, %v; want %v", got, err, want)
			}
		}
		if _, err := w.pathOf(bob, e.ID); !errors.Is(err, errNotFound) {
			t.Errorf("another's: %v", err)
		}
		if err := w.Trash(t.Context(), ada, a.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := w.pathOf(ada, e.ID); !errors.Is(err, errNotFound) {
			t.Errorf("in the trash: %v", err)
		}
	})
}
