package file

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// copyOf asks for a copy and returns the answer.
func (w *world) copyOf(id, body string) (e Entry, a answer) {
	w.t.Helper()
	a = w.call(ada, "POST", "/files/"+id+"/copy", body)
	if a.StatusCode == http.StatusCreated {
		a.json(w.t, &e)
	}
	return e, a
}

// A copy is new entries with the old contents, which stay until the last of them goes.
func TestCopy(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		big := pattern(70_000)
		from := w.mustFolder(ada, "", "from")
		sub := w.mustFolder(ada, from.ID, "sub")
		w.mustFolder(ada, sub.ID, "empty")
		f := w.mustUpload(ada, from.ID, upFile{"f.txt", "text/plain", big})
		w.mustUpload(ada, sub.ID, upFile{"g.txt", "text/plain", "small"})
		w.below.Advance(time.Minute)
		now := w.below.Now().Truncate(time.Millisecond).UTC()

		beside, a := w.copyOf(f.ID, `{}`)
		if beside.ID == f.ID || beside.Name != "f (1).txt" || *beside.Parent != from.ID || beside.SHA256 != f.SHA256 || beside.MediaType != "text/plain" || !beside.CreatedAt.Equal(now) {
			t.Errorf("a copy beside: %s", a.body)
		}
		named, a := w.copyOf(f.ID, `{"name":"n.txt","parent":null}`)
		if named.Name != "n.txt" || named.Parent != nil || w.content(named.ID) != big {
			t.Errorf("a copy elsewhere: %s", a.body)
		}
		whole, a := w.copyOf(from.ID, `{}`)
		if whole.Name != "from (1)" || whole.Parent != nil {
			t.Fatalf("a copy of a folder: %s", a.body)
		}
		if got := w.names(ada, whole.ID, "name"); !slices.Equal(got, []string{"sub", "f (1).txt", "f.txt"}) {
			t.Errorf("the copy holds %q", got)
		}
		entries, _, err := w.List(t.Context(), ada, whole.ID, "name", "", 10)
		if err != nil {
			t.Fatal(err)
		}
		copied := entries[2]
		if got := w.names(ada, entries[0].ID, "name"); !slices.Equal(got, []string{"empty", "g.txt"}) {
			t.Errorf("below the copy: %q", got)
		}
		if inSub, a := w.copyOf(from.ID, `{"parent":"`+whole.ID+`","name":"again"}`); *inSub.Parent != whole.ID {
			t.Errorf("into the copy: %s", a.body)
		}
		if blobs := w.rows("blobs"); blobs != 2 {
			t.Errorf("%d objects", blobs)
		}
		usage, err := w.Contents.Usage(t.Context(), d, ada)
		if err != nil || usage.Bytes != int64(len(big)+5) || usage.Files != 4+3+3 {
			t.Errorf("counted are %+v, %v", usage, err)
		}
		for name, tc := range map[string]struct{ id, body, want string }{
			"into itself": {from.ID, `{"parent":"` + from.ID + `"}`, "Conflict folder_cycle"}, "below itself": {from.ID, `{"parent":"` + sub.ID + `"}`, "Conflict folder_cycle"},
			"into a file":  {from.ID, `{"parent":"` + f.ID + `"}`, "Unprocessable Entity validation_failed /parent:not_a_folder"},
			"into nothing": {f.ID, `{"parent":"` + newID() + `"}`, "Not Found not_found"}, "nothing": {newID(), `{}`, "Not Found not_found"},
			"a bad name": {f.ID, `{"name":"a/b"}`, "Unprocessable Entity validation_failed /name:slash"},
		} {
			if _, a := w.copyOf(tc.id, tc.body); a.problem(t) != tc.want {
				t.Errorf("%s: %s", name, a.problem(t))
			}
		}
		if got := w.call(bob, "POST", "/files/"+f.ID+"/copy", `{}`).problem(t); got != "Not Found not_found" {
			t.Errorf("another's: %s", got)
		}
		// The original goes, the copies stay; a replaced copy leaves the others as they are.
		if a := w.call(ada, "DELETE", "/files/"+from.ID+"?permanent=true", nil); a.StatusCode != http.StatusNoContent {
			t.Fatal(a.StatusCode)
		}
		w.below.RunJobs()
		w.replaceFile("", "n.txt", "other")
		if w.content(copied.ID) != big || w.content(named.ID) != "other" {
			t.Error("a copy has lost its content")
		}
		w.trashAll()
		w.drained()
	})
}

// A refused copy leaves no entry and no reference: too many entries, too deep, damaged, beyond
// the quota.
func TestCopyRefusals(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	ctx := t.Context()
	root := w.mustFolder(ada, "", "root")
	f := w.mustUpload(ada, root.ID, upFile{"f", "", "x"})
	before := func() string { return fmt.Sprint(w.rows("files"), w.rows("blobs")) }
	want := before()
	refused := func(what, id, body, problem string) {
		t.Helper()
		if _, a := w.copyOf(id, body); a.problem(t) != problem {
			t.Errorf("%s: %s", what, a.problem(t))
		}
		if got := before(); got != want {
			t.Errorf("%s: %s rows, before it %s", what, got, want)
		}
	}
	spoil := func(column string) {
		t.Helper()
		if _, err := w.DB.Exec(ctx, `UPDATE files SET `+column+` = $1 WHERE id = $2`, []byte("spoilt"), f.ID); err != nil {
			t.Fatal(err)
		}
	}
	spoil("details")
	refused("damaged", root.ID, `{}`, "Conflict damaged")
	refused("damaged itself", f.ID, `{}`, "Conflict damaged")
	if err := w.Delete(ctx, ada, f.ID); err != nil {
		t.Fatal(err)
	}
	w.below.RunJobs()
	f = w.mustUpload(ada, root.ID, upFile{"f", "", "x"})
	want = before()
	if err := w.DB.Tx(ctx, func(tx *db.Tx) error { one := int64(1); return w.Contents.SetQuota(ctx, tx, ada, nil, &one) }); err != nil {
		t.Fatal(err)
	}
	refused("quota of files", root.ID, `{}`, "Request Entity Too Large quota_exceeded")
	if err := w.DB.Tx(ctx, func(tx *db.Tx) error {
		many := int64(math.MaxInt32)
		return w.Contents.SetQuota(ctx, tx, ada, nil, &many)
	}); err != nil {
		t.Fatal(err)
	}
	// Names that do not open are copied under the name that they are shown by.
	for range 2 {
		f = w.mustUpload(ada, root.ID, upFile{"f", "", "x"})
		spoil("name")
	}
	if c, a := w.copyOf(root.ID, `{}`); !slices.Equal(w.names(ada, c.ID, "name"), []string{"damaged", "damaged (1)", "f"}) {
		t.Errorf("%d %q", a.StatusCode, w.names(ada, c.ID, "name"))
	}
	chain := w.mustFolder(ada, "", "chain")
	for range 62 {
		chain = w.mustFolder(ada, chain.ID, "c")
	}
	want = before()
	refused("too deep", root.ID, `{"parent":"`+chain.ID+`"}`, "Conflict too_deep")
}

// A copy of 10,000 entries is made, one of more is refused.
func TestCopyOfMany(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	ctx := t.Context()
	top := w.mustFolder(ada, "", "top")
	sub := w.mustFolder(ada, top.ID, "sub")
	fill := func(n int) {
		t.Helper()
		err := w.changeNames(ctx, ada, func(c *changing) error {
			names := newNaming(c.key, ada, sub.ID)
			for i := range n {
				r := &row{ID: newID(), Parent: sub.ID, Kind: Folder, Height: 1, CreatedAt: 1, ModifiedAt: 1}
				r.sealDetails(c.key, details{mediaType: content.UnknownType})
				names.want(r, fmt.Sprintf("%d %d", n, i))
			}
			return c.insert(ctx, names)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	fill(MaxCopied - 2)
	if c, a := w.copyOf(top.ID, `{}`); c.ID == "" {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	if n := w.rows("files"); n != 2*MaxCopied {
		t.Errorf("%d entries", n)
	}
	fill(1)
	if _, a := w.copyOf(top.ID, `{}`); a.problem(t) != "Conflict too_many_entries" {
		t.Errorf("one more: %s", a.problem(t))
	}
	if n := w.rows("files"); n != 2*MaxCopied+1 {
		t.Errorf("%d entries", n)
	}
}

// A copy that is made while its original is deleted for good is whole or is not there.
func TestCopyRaces(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		for i := range 6 {
			from := w.mustFolder(ada, "", fmt.Sprint("from ", i))
			w.mustUpload(ada, from.ID, upFile{"a", "", "content"})
			name := fmt.Sprint("to ", i)
			made := make([]Entry, 2)
			copying := func(j int) func(*Service) error {
				return func(s *Service) (err error) { made[j], err = s.Copy(ctx, ada, from.ID, Place{Name: &name}); return err }
			}
			done := w.race(copying(0), func(s *Service) error { return s.Delete(ctx, ada, from.ID) }, copying(1))
			if !done[1] {
				t.Errorf("round %d: the original was not deleted", i)
			}
			w.below.RunJobs()
			for j, e := range made {
				if done[2*j] != (e.ID != "") {
					t.Errorf("round %d: copied %v, %+v", i, done, e)
				}
				if e.ID == "" {
					continue
				}
				below, _, err := w.List(ctx, ada, e.ID, "name", "", 10)
				if err != nil || len(below) != 1 || w.content(below[0].ID) != "content" {
					t.Errorf("round %d: the copy holds %+v, %v", i, below, err)
				}
			}
			if n := len(w.names(ada, "", "name")); n > 0 && !strings.HasPrefix(w.names(ada, "", "name")[0], "to ") {
				t.Errorf("round %d: %q", i, w.names(ada, "", "name"))
			}
		}
		w.trashAll()
		w.drained()
	})
}
