package file

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// trash moves entries into the trash.
func (w *world) trash(entries ...Entry) {
	w.t.Helper()
	for _, e := range entries {
		if a := w.call(ada, "DELETE", "/files/"+e.ID, nil); a.StatusCode != http.StatusNoContent {
			w.t.Fatalf("delete %s: %d %s", e.Name, a.StatusCode, a.body)
		}
		w.below.Advance(time.Second)
	}
}

// inTrash returns the trash, page by page.
func (w *world) inTrash() (items []Trashed) {
	w.t.Helper()
	for cursor := ""; ; {
		var page struct {
			Items      []Trashed
			NextCursor string `json:"next_cursor"`
		}
		a := w.call(ada, "GET", "/trash?limit=2&cursor="+cursor, nil)
		if a.json(w.t, &page); a.StatusCode != http.StatusOK {
			w.t.Fatalf("trash: %d %s", a.StatusCode, a.body)
		}
		items = append(items, page.Items...)
		if cursor = page.NextCursor; cursor == "" {
			return items
		}
	}
}

func (w *world) mustRestore(id string) (e Entry) {
	w.t.Helper()
	a := w.call(ada, "POST", "/trash/"+id+"/restore", nil)
	if a.json(w.t, &e); a.StatusCode != http.StatusOK {
		w.t.Fatalf("restore: %d %s", a.StatusCode, a.body)
	}
	return e
}

// drained wants that nothing of ada's is left, in rows and in objects.
func (w *world) drained() {
	w.t.Helper()
	w.below.RunJobs()
	w.nothing("at the end")
	for _, table := range []string{"file_versions", "file_gone", "thumbnails"} {
		if n := w.rows(table); n != 0 {
			w.t.Errorf("%d rows of %s are left", n, table)
		}
	}
	var used int64
	if err := w.DB.QueryRow(context.Background(), `SELECT COALESCE(SUM(bytes), 0) FROM content_usage`).Scan(&used); err != nil || used != 0 {
		w.t.Errorf("%d bytes are counted: %v", used, err)
	}
}

// What is deleted lies in the trash, out of reach of every other operation with all below
// it, and comes back as it was: same id, place, times and content.
func TestTrash(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		a := w.mustFolder(ada, "", "a")
		b := w.mustFolder(ada, a.ID, "b")
		deep := w.mustUpload(ada, b.ID, upFile{"deep.txt", "text/plain", "deep"})
		top := w.mustUpload(ada, "", upFile{"top.txt", "text/plain", "top"})
		w.below.Advance(time.Minute)
		deleted := w.below.Now().Truncate(time.Millisecond).UTC()
		w.trash(top, b)
		for _, e := range []Entry{top, b, deep} {
			w.unreachable(t, "in the trash", e)
		}
		items := w.inTrash()
		if len(items) != 2 || items[0].ID != b.ID || items[1].ID != top.ID {
			t.Fatalf("the trash holds %+v", items)
		}
		if o := items[0].Origin; o.ID == nil || *o.ID != a.ID || !slices.Equal(o.Path, []string{"a"}) {
			t.Errorf("the folder's origin is %+v", o)
		}
		got := items[1]
		if got.Origin.ID != nil || len(got.Origin.Path) != 0 || got.Parent != nil || got.Name != "top.txt" || got.SHA256 != top.SHA256 || got.Damaged {
			t.Errorf("the file is %+v", got)
		}
		if !got.DeletedAt.Equal(deleted) || got.ExpiresAt == nil || !got.ExpiresAt.Equal(deleted.Add(720*time.Hour)) {
			t.Errorf("deleted at %v, expires at %v; want %v", got.DeletedAt, got.ExpiresAt, deleted)
		}
		if a := w.call(ada, "GET", "/trash?limit=1", nil); !strings.Contains(string(a.body), `"path":["a"]`) {
			t.Errorf("the trash as sent: %s", a.body)
		}
		var none struct{ Items []Trashed }
		w.call(bob, "GET", "/trash", nil).json(t, &none)
		for name, a := range map[string]answer{
			"another's restore": w.call(bob, "POST", "/trash/"+b.ID+"/restore", nil), "another's delete": w.call(bob, "DELETE", "/trash/"+b.ID, nil),
			"restore of what is below": w.call(ada, "POST", "/trash/"+deep.ID+"/restore", nil), "delete of what is below": w.call(ada, "DELETE", "/trash/"+deep.ID, nil),
			"restore of what is not there": w.call(ada, "POST", "/trash/"+a.ID+"/restore", nil), "delete of what is not there": w.call(ada, "DELETE", "/trash/"+a.ID, nil),
			"no id": w.call(ada, "POST", "/trash/%00/restore", nil),
		} {
			if got := a.problem(t); got != "Not Found not_found" || len(none.Items) != 0 {
				t.Errorf("%s: %s", name, got)
			}
		}
		if got := w.mustRestore(top.ID); got != top {
			t.Errorf("restored is %+v, deleted was %+v", got, top)
		}
		if got := w.mustRestore(b.ID); got.ID != b.ID || *got.Parent != a.ID || !got.ModifiedAt.Equal(b.ModifiedAt) {
			t.Errorf("restored is %+v, deleted was %+v", got, b)
		}
		if a := w.call(ada, "GET", "/files/"+deep.ID+"/content", nil); string(a.body) != "deep" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
		if got, want := byName(t, w.Service, "", "name"), []string{"a", "top.txt"}; !slices.Equal(got, want) {
			t.Errorf("the root holds %q", got)
		}
		if n := len(w.inTrash()); n != 0 {
			t.Errorf("%d entries are in the trash", n)
		}
		w.trash(top, a)
		if a := w.call(ada, "DELETE", "/trash/"+top.ID, nil); a.StatusCode != http.StatusNoContent {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
		w.below.RunJobs()
		if n := w.rows("blobs"); n != 1 {
			t.Errorf("%d blobs", n)
		}
		for range 2 { // once more there is nothing
			if a := w.call(ada, "DELETE", "/trash", nil); a.StatusCode != http.StatusNoContent {
				t.Errorf("%d %s", a.StatusCode, a.body)
			}
		}
		if n := len(w.inTrash()); n != 0 {
			t.Errorf("%d entries are in the emptied trash", n)
		}
		if a := w.call(ada, "POST", "/trash/"+a.ID+"/restore", nil); a.StatusCode != http.StatusNotFound {
			t.Errorf("restored from the emptied trash: %d", a.StatusCode)
		}
		w.drained()
	})
}

// Folders that are gone are made again by name, one that is there is used, a taken name is
// numbered, and a tree does not become too deep.
func TestRestorePlaces(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		a := w.mustFolder(ada, "", "a")
		b := w.mustFolder(ada, a.ID, "b")
		var files []Entry
		for range 3 {
			e := w.mustUpload(ada, b.ID, upFile{"f.txt", "", "x"})
			files = append(files, e)
			w.trash(e) // one name three times
		}
		w.trash(b)
		first := w.mustRestore(files[0].ID)
		if *first.Parent == b.ID || first.Name != "f.txt" {
			t.Errorf("%+v", first)
		}
		if got, err := w.pathOf(ada, first.ID); err != nil || len(got) != 2 || got[0] != (Step{a.ID, "a"}) || got[1].Name != "b" {
			t.Errorf("restored to %v, %v", got, err)
		}
		if second := w.mustRestore(files[1].ID); *second.Parent != *first.Parent || second.Name != "f (1).txt" {
			t.Errorf("%+v", second)
		}
		if again := w.mustRestore(b.ID); *again.Parent != a.ID || again.Name != "b (1)" {
			t.Errorf("%+v", again)
		}
		// b is there again, under another name and in another place, and by its id.
		root := ""
		if _, err := w.Update(t.Context(), ada, b.ID, Change{Parent: &root}); err != nil {
			t.Fatal(err)
		}
		if third := w.mustRestore(files[2].ID); *third.Parent != b.ID || third.Name != "f.txt" {
			t.Errorf("%+v", third)
		}
		// A file has the name of a folder that is gone.
		gone := w.mustFolder(ada, "", "gone")
		lone := w.mustUpload(ada, gone.ID, upFile{"lone", "", "x"})
		w.trash(lone)
		if err := w.Delete(t.Context(), ada, gone.ID); err != nil {
			t.Fatal(err)
		}
		w.mustUpload(ada, "", upFile{"gone", "", "x"})
		if got, err := w.pathOf(ada, w.mustRestore(lone.ID).ID); err != nil || len(got) != 1 || got[0].Name != "gone (1)" {
			t.Errorf("restored to %v, %v", got, err)
		}
		// A folder that is deeper by now.
		low, high := w.mustFolder(ada, "", "low"), w.mustFolder(ada, "", "high")
		bottom := high
		for range 10 {
			bottom = w.mustFolder(ada, bottom.ID, "h")
		}
		if _, err := w.Update(t.Context(), ada, high.ID, Change{Parent: &low.ID}); err != nil {
			t.Fatal(err)
		}
		w.trash(high)
		chain := w.mustFolder(ada, "", "chain")
		for range 55 {
			chain = w.mustFolder(ada, chain.ID, "c")
		}
		if _, err := w.Update(t.Context(), ada, low.ID, Change{Parent: &chain.ID}); err != nil {
			t.Fatal(err)
		}
		if got := w.call(ada, "POST", "/trash/"+high.ID+"/restore", nil).problem(t); got != "Conflict too_deep" {
			t.Errorf("too deep: %s", got)
		}
		if _, err := w.Update(t.Context(), ada, low.ID, Change{Parent: &root}); err != nil {
			t.Fatal(err)
		}
		w.mustRestore(high.ID)
		if _, err := w.Get(t.Context(), ada, bottom.ID); err != nil {
			t.Errorf("what is at the bottom: %v", err)
		}
	})
}

// Damaged entries go through the trash, and what has no readable origin goes to the root.
func TestTrashOfDamagedEntries(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		in := w.mustFolder(ada, "", "in")
		for _, column := range []string{"name", "details", "origin", "trashed_at"} {
			e := w.mustUpload(ada, in.ID, upFile{column, "", "x"})
			spoil := func() {
				set := column + ` = CAST($1 AS BLOB)`
				if d.Engine() == db.PostgreSQL {
					set = column + ` = $1`
				}
				args := []any{[]byte("spoilt"), e.ID}
				if column == "trashed_at" {
					set, args = `trashed_at = trashed_at + $1`, []any{1, e.ID}
				}
				if n, err := d.Exec(t.Context(), `UPDATE files SET `+set+` WHERE id = $2`, args...); err != nil || n != 1 {
					t.Fatal(n, err)
				}
			}
			late := column == "origin" || column == "trashed_at"
			if !late {
				spoil()
			}
			w.trash(e)
			if late {
				spoil()
			}
			if items := w.inTrash(); len(items) != 1 || !items[0].Damaged {
				t.Errorf("%s: %+v", column, items)
			}
			got := w.mustRestore(e.ID)
			if late != (got.Parent == nil) || late == got.Damaged {
				t.Errorf("%s: restored is %+v", column, got)
			}
			w.trash(got)
			if a := w.call(ada, "DELETE", "/trash/"+e.ID, nil); a.StatusCode != http.StatusNoContent {
				t.Errorf("%s: %d %s", column, a.StatusCode, a.body)
			}
		}
		w.trash(in)
		if err := w.EmptyTrash(t.Context(), ada); err != nil {
			t.Fatal(err)
		}
		w.drained()
	})
}

// A writer of the database who names a folder that stands, or the whole tree, as the trash has
// nothing of it deleted.
func TestTrashIsNoEntry(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		folder := w.mustFolder(ada, "", "folder")
		w.mustUpload(ada, folder.ID, upFile{"kept.txt", "", "kept"})
		for _, id := range []string{folder.ID, ""} {
			for _, use := range []func(){
				func() {
					if a := w.call(ada, "DELETE", "/trash", nil); a.StatusCode != http.StatusNoContent {
						t.Fatalf("%d %s", a.StatusCode, a.body)
					}
				},
				func() {
					w.trash(w.mustUpload(ada, "", upFile{"gone.txt", "", "gone"}))
					if items := w.inTrash(); len(items) != 1 {
						t.Errorf("the trash: %+v", items)
					}
				},
			} {
				w.trash(w.mustUpload(ada, "", upFile{"first.txt", "", "first"}))
				if _, err := d.Exec(t.Context(), `UPDATE file_trash SET folder = $1`, id); err != nil {
					t.Fatal(err)
				}
				use()
				w.below.RunJobs()
				if got := w.names(ada, folder.ID, "name"); len(got) != 1 || got[0] != "kept.txt" {
					t.Errorf("%q: in the folder: %q", id, got)
				}
				if got := w.names(ada, "", "name"); len(got) != 1 || got[0] != "folder" {
					t.Errorf("%q: at the root: %q", id, got)
				}
			}
		}
	})
}

// The trash gives up what is too old, with everything below and all versions, and keeps the
// rest. Kept for ever, nothing expires.
func TestTrashExpires(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		old := w.mustFolder(ada, "", "old")
		w.mustUpload(ada, w.mustFolder(ada, old.ID, "below").ID, upFile{"a", "", "x"})
		many := w.mustUpload(ada, "", upFile{"many", "", "1"})
		w.replaceFile("", "many", "2")
		w.trash(old, many)
		w.below.Advance(700 * time.Hour)
		young := w.mustUpload(ada, "", upFile{"young", "", "x"})
		w.trash(young)
		w.below.Advance(30 * time.Hour)
		w.TrashKeep = 0
		if err := w.purgeTrash(t.Context()); err != nil || len(w.inTrash()) != 3 || w.inTrash()[0].ExpiresAt != nil {
			t.Fatalf("kept for ever: %v, %+v", err, w.inTrash())
		}
		w.TrashKeep = 720 * time.Hour
		if err := w.purgeTrash(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.below.RunJobs()
		if items := w.inTrash(); len(items) != 1 || items[0].ID != young.ID {
			t.Errorf("left are %+v", items)
		}
		if files, blobs, versions := w.rows("files"), w.rows("blobs"), w.rows("file_versions"); files != 1 || blobs != 1 || versions != 0 {
			t.Errorf("left: %d files, %d blobs, %d versions", files, blobs, versions)
		}
		w.below.Advance(720 * time.Hour)
		if err := w.purgeTrash(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.drained()
	})
}

// A forgotten account has no trash and no versions.
func TestForgottenTrash(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		f := w.mustUpload(ada, "", upFile{"f", "", "1"})
		w.replaceFile("", "f", "2")
		w.trash(f, w.mustFolder(ada, "", "folder"))
		w.mustUpload(ada, "", upFile{"f", "", "1"})
		w.replaceFile("", "f", "2")
		if err := w.forget(ada); err != nil {
			t.Fatal(err)
		}
		for name, a := range map[string]answer{
			"list": w.call(ada, "GET", "/trash", nil), "restore": w.call(ada, "POST", "/trash/"+f.ID+"/restore", nil),
			"delete": w.call(ada, "DELETE", "/trash/"+f.ID, nil), "empty": w.call(ada, "DELETE", "/trash", nil),
		} {
			if got := a.problem(t); got != "Not Found not_found" {
				t.Errorf("%s: %s", name, got)
			}
		}
		if _, err := d.Exec(t.Context(), `DELETE FROM account_keys WHERE account = $1`, string(ada)); err != nil {
			t.Fatal(err)
		}
		w.drained()
		if n := w.rows("file_trash") + w.rows("file_folders"); n != 0 {
			t.Errorf("%d rows are left", n)
		}
	})
}

// race runs all at once and returns how many of each had no error; absent and gone ones
// count as not done.
func (w *world) race(all ...func(s *Service) error) (done []bool) {
	w.t.Helper()
	done = make([]bool, len(all))
	nodes := []*Service{w.Service, w.otherNode()}
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i, fn := range all {
		wg.Go(func() {
			<-begin
			err := fn(nodes[i%2])
			if err != nil && !errors.Is(err, errNotFound) {
				w.t.Errorf("racer %d: %v", i, err)
			}
			done[i] = err == nil
		})
	}
	close(begin)
	wg.Wait()
	return done
}

// Two changes of one entry have one outcome, whichever comes first: an entry is restored or
// gone, never both and never neither.
func TestTrashRaces(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		restore := func(id string) func(*Service) error {
			return func(s *Service) error { _, err := s.Restore(ctx, ada, id); return err }
		}
		for i := range 8 {
			// The parent is deleted while its child is restored: the child is reachable, or it
			// lies below the parent in the trash.
			parent := w.mustFolder(ada, "", fmt.Sprint("parent ", i))
			child := w.mustUpload(ada, parent.ID, upFile{"child", "", "x"})
			w.trash(child)
			done := w.race(restore(child.ID), func(s *Service) error { return s.Trash(ctx, ada, parent.ID) })
			if !done[0] || !done[1] {
				t.Fatalf("round %d: restored, deleted: %v", i, done)
			}
			if _, err := w.Get(ctx, ada, child.ID); err != nil {
				w.mustRestore(parent.ID)
				if e, err := w.Get(ctx, ada, child.ID); err != nil || *e.Parent != parent.ID {
					t.Errorf("round %d: the child is lost: %v", i, err)
				}
			}

			// The trash is emptied, or an entry deleted for good, or too old, while it is restored twice.
			for name, end := range map[string]func(*Service) error{
				"emptied": func(s *Service) error { return s.EmptyTrash(ctx, ada) },
				"deleted": func(s *Service) error { return s.DeleteTrashed(ctx, ada, child.ID) },
				"too old": func(s *Service) error { return s.purgeTrash(ctx) },
			} {
				if e, err := w.Get(ctx, ada, child.ID); err != nil || e.Parent == nil {
					child = w.mustUpload(ada, "", upFile{"child", "", "x"})
				}
				w.trash(child)
				w.below.Advance(720 * time.Hour)
				done := w.race(restore(child.ID), end, restore(child.ID))
				if done[0] && done[2] {
					t.Errorf("round %d, %s: restored twice", i, name)
				}
				restored := done[0] || done[2]
				_, err := w.Get(ctx, ada, child.ID)
				if restored != (err == nil) {
					t.Errorf("round %d, %s: restored is %v, then %v", i, name, restored, err)
				}
				if name == "deleted" && done[1] == restored {
					t.Errorf("round %d: restored %v, deleted for good %v", i, restored, done[1])
				}
				if restored {
					if a := w.call(ada, "GET", "/files/"+child.ID+"/content", nil); string(a.body) != "x" {
						t.Errorf("round %d, %s: %d %s", i, name, a.StatusCode, a.body)
					}
				}
				w.below.RunJobs()
				if n := len(w.inTrash()); n != 0 {
					w.trashAll()
				}
			}
		}
		var lost int64
		err := d.QueryRow(ctx, `SELECT COUNT(*) FROM files f WHERE parent <> '' AND NOT EXISTS (SELECT 1 FROM files WHERE id = f.parent)
			AND NOT EXISTS (SELECT 1 FROM file_trash WHERE folder = f.parent)`).Scan(&lost)
		if err != nil || lost != 0 {
			t.Errorf("%d entries stand in no folder: %v", lost, err)
		}
		w.trashAll()
		w.drained()
	})
}

// trashAll deletes everything that ada has.
func (w *world) trashAll() {
	w.t.Helper()
	entries, _, err := w.List(context.Background(), ada, "", "name", "", 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	w.trash(entries...)
	if err := w.EmptyTrash(context.Background(), ada); err != nil {
		w.t.Fatal(err)
	}
	w.below.RunJobs()
}

// Each change of the trash, and of a file's content, is told to the owner's open pages.
func TestTrashIsTold(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	ctx := t.Context()
	var told []string
	var mu sync.Mutex
	stop := w.DB.Listen("feed", func(note string) { // on the goroutine that commits
		mu.Lock()
		defer mu.Unlock()
		told = append(told, strings.TrimPrefix(note, string(ada)+" "))
	})
	defer stop()
	folder := w.mustFolder(ada, "", "folder")
	e := w.mustUpload(ada, folder.ID, upFile{"e", "", "x"})
	files := "files " + folder.ID
	version := func() string {
		versions, _, err := w.Versions(ctx, ada, e.ID, "", 1)
		if err != nil || len(versions) != 1 {
			t.Fatal(versions, err)
		}
		return versions[0].ID
	}
	for _, step := range []struct {
		name string
		do   func() error
		want []string
	}{
		{"replace", func() error { w.replaceFile(folder.ID, "e", "y"); return nil }, []string{files}},
		{"restore a version", func() error { _, err := w.RestoreVersion(ctx, ada, e.ID, version()); return err }, []string{files}},
		{"delete a version", func() error { return w.DeleteVersion(ctx, ada, e.ID, version()) }, []string{files}},
		{"delete", func() error { return w.Trash(ctx, ada, e.ID) }, []string{files, "trash "}},
		{"restore", func() error { _, err := w.Restore(ctx, ada, e.ID); return err }, []string{files, "trash "}},
		{"delete again", func() error { return w.Trash(ctx, ada, e.ID) }, []string{files, "trash "}},
		{"delete for good", func() error { return w.DeleteTrashed(ctx, ada, e.ID) }, []string{"trash "}},
		{"delete the folder", func() error { return w.Trash(ctx, ada, folder.ID) }, []string{"files ", "trash "}},
		{"empty", func() error { return w.EmptyTrash(ctx, ada) }, []string{"trash "}},
		{"empty again", func() error { return w.EmptyTrash(ctx, ada) }, nil},
	} {
		mu.Lock()
		told = nil
		mu.Unlock()
		if err := step.do(); err != nil {
			t.Fatal(step.name, err)
		}
		mu.Lock()
		if !slices.Equal(told, step.want) {
			t.Errorf("%s: told are %q, want %q", step.name, told, step.want)
		}
		mu.Unlock()
	}
}
