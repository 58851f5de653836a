package file

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// unreachable wants every route to answer for an entry as if it had never been.
func (w *world) unreachable(t *testing.T, why string, e Entry) {
	t.Helper()
	mine := w.mustFolder(ada, "", "mine")
	for name, a := range map[string]answer{
		"get":     w.call(ada, "GET", "/files/"+e.ID, nil),
		"content": w.call(ada, "GET", "/files/"+e.ID+"/content", nil),
		"rename":  w.call(ada, "PATCH", "/files/"+e.ID, `{"name":"back"}`),
		"move":    w.call(ada, "PATCH", "/files/"+e.ID, `{"parent":null}`),
		"both":    w.call(ada, "PATCH", "/files/"+e.ID, `{"parent":"`+mine.ID+`","name":"back"}`),
		"into":    w.call(ada, "PATCH", "/files/"+mine.ID, `{"parent":"`+e.ID+`"}`),
		"folder":  w.call(ada, "POST", "/files/folders", `{"name":"in","parent":"`+e.ID+`"}`),
		"list":    w.call(ada, "GET", "/files?parent="+e.ID, nil),
		"sorted":  w.call(ada, "GET", "/files?sort=size&parent="+e.ID, nil),
		"upload":  w.upload(ada, e.ID, upFile{"a", "", "a"}),
		"delete":  w.call(ada, "DELETE", "/files/"+e.ID, nil),
	} {
		if got := a.problem(t); got != "Not Found not_found" {
			t.Errorf("%s: %s of %s: %d %s", why, name, e.Name, a.StatusCode, a.body)
		}
	}
	if err := w.Delete(t.Context(), ada, mine.ID); err != nil {
		t.Error(err)
	}
}

// Entries below a deleted folder are gone from the answer on, before any job has run.
func TestDeletedAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		top := w.mustFolder(ada, "", "top")
		below := []Entry{top}
		for i := range 5 {
			parent := below[len(below)-1].ID
			file := w.mustUpload(ada, parent, upFile{fmt.Sprint("file ", i), "", "x"})
			below = append(below, file, w.mustFolder(ada, parent, fmt.Sprint("folder ", i)))
		}
		u := w.NewUpload(ada) // under way
		if err := u.Add(t.Context(), "late", content.UnknownType, strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
		if a := w.call(ada, "DELETE", "/files/"+top.ID+"?permanent=true", nil); a.StatusCode != http.StatusNoContent {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
		for _, e := range below {
			w.unreachable(t, "deleted", e)
		}
		if _, err := u.Publish(t.Context(), below[2].ID); err != errNotFound {
			t.Errorf("Publish = %v", err)
		}
		u.Abort(t.Context())
		if w.rows("files") < 10 {
			t.Error("the rows are gone already: the test has seen nothing")
		}
		again := w.mustFolder(ada, "", "top")
		if again.Name != "top" {
			t.Errorf("the name of a deleted folder is still taken: %q", again.Name)
		}
		w.below.RunJobs()
		for _, e := range below {
			w.unreachable(t, "settled", e)
		}
		w.below.RunJobs()
		if files, gone, blobs, objects := w.rows("files"), w.rows("file_gone"), w.rows("blobs"), len(w.objects()); files != 1 || gone+blobs+int64(objects) != 0 {
			t.Errorf("left: %d files, %d notes, %d blobs, %d objects", files, gone, blobs, objects)
		}
		if n := w.rows("file_folders"); n > 2 {
			t.Errorf("%d counts of folders are left", n)
		}
	})
}

// Two nodes do the job at once, each is cut off in the middle, and another goes on.
func TestDeletedByManyNodes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		big, small, _ := w.plant(ada, 300)
		for _, id := range []string{big, small} {
			if err := w.Delete(t.Context(), ada, id); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // each batch stands for itself; the one after it was never done
			if more, err := w.clearSome(t.Context(), ada); err != nil || !more {
				t.Fatal(more, err)
			}
		}
		other := w.otherNode()
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				s := []*Service{w.Service, other}[i%2]
				if err := s.clearAll(context.Background()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Go(func() { w.mustFolder(ada, "", "meanwhile") })
		wg.Wait()
		if gone := w.rows("file_gone"); gone != 0 {
			t.Errorf("%d notes are left", gone)
		}
		var lost int64
		err := d.QueryRow(t.Context(), `SELECT COUNT(*) FROM files f WHERE parent <> '' AND NOT EXISTS (SELECT 1 FROM files WHERE id = f.parent)`).Scan(&lost)
		if err != nil || lost != 0 {
			t.Errorf("%d entries stand in no folder: %v", lost, err)
		}
	})
}

// A forgotten account is out of reach in the transaction that forgets it.
func TestForgottenAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		in := w.mustFolder(ada, "", "in")
		f := w.mustUpload(ada, in.ID, upFile{"f", "", "x"})
		kept := w.mustUpload(bob, "", upFile{"f", "", "x"})
		if err := w.forget(ada); err != nil {
			t.Fatal(err)
		}
		for name, a := range map[string]answer{
			"get":     w.call(ada, "GET", "/files/"+f.ID, nil),
			"content": w.call(ada, "GET", "/files/"+f.ID+"/content", nil),
			"list":    w.call(ada, "GET", "/files?parent="+in.ID, nil),
			"root":    w.call(ada, "GET", "/files", nil),
			"upload":  w.upload(ada, "", upFile{"a", "", "a"}),
			"folder":  w.call(ada, "POST", "/files/folders", `{"name":"in"}`),
			"delete":  w.call(ada, "DELETE", "/files/"+f.ID, nil),
		} {
			if got := a.problem(t); got != "Not Found not_found" {
				t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
			}
		}
		w.below.RunJobs()
		if files, blobs, objects, gone := w.rows("files"), w.rows("blobs"), len(w.objects()), w.rows("file_gone"); files != 1 || blobs != 1 || objects != 1 || gone != 0 {
			t.Errorf("left: %d files, %d blobs, %d objects, %d notes; want bob's", files, blobs, objects, gone)
		}
		if a := w.call(bob, "GET", "/files/"+kept.ID, nil); a.StatusCode != http.StatusOK {
			t.Errorf("bob's: %d", a.StatusCode)
		}
	})
}

// A ring, a tree that is too deep and a file with children cannot be made here. Made by
// hand in the database they end every statement, and the log says where.
func TestRings(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var log bytes.Buffer
		w.Log = slog.New(slog.NewTextHandler(&log, nil))
		a := w.mustFolder(ada, "", "a")
		b := w.mustFolder(ada, a.ID, "b")
		c := w.mustUpload(ada, b.ID, upFile{"c", "", "x"})
		self := w.mustFolder(ada, "", "self")
		file := w.mustUpload(ada, "", upFile{"file", "", "x"})
		inFile := w.mustUpload(ada, "", upFile{"in file", "", "x"})
		set := func(id, parent string) {
			t.Helper()
			if n, err := d.Exec(t.Context(), `UPDATE files SET parent = $1 WHERE id = $2`, parent, id); err != nil || n != 1 {
				t.Fatal(n, err)
			}
		}
		set(a.ID, b.ID)
		set(self.ID, self.ID)
		set(inFile.ID, file.ID)
		for _, e := range []Entry{a, b, c, self, inFile} {
			w.unreachable(t, "ring", e)
			if told := strings.Count(log.String(), e.ID); told != 1 && e.ID != inFile.ID {
				t.Errorf("the log tells of %s %d times:\n%s", e.Name, told, &log)
			}
		}
		// A ring is below nothing. One that was deleted in part goes, whatever it holds.
		err := d.Tx(t.Context(), func(tx *db.Tx) error { return w.enqueueClear(t.Context(), tx, ada, a.ID) })
		if err != nil {
			t.Fatal(err)
		}
		w.below.RunJobs()
		set(self.ID, "") // reachable again
		if err := w.Delete(t.Context(), ada, self.ID); err != nil {
			t.Fatal(err)
		}
		if err := w.forget(ada); err != nil {
			t.Fatal(err)
		}
		w.below.RunJobs()
		if n := w.rows("files"); n != 0 {
			t.Errorf("%d entries are left", n)
		}
	})
}

// The height that is kept of each folder is the height that it has, after any changes.
func TestHeights(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	ctx := t.Context()
	random := rand.New(rand.NewPCG(3, 5))
	check := func(step int) (all []row) {
		t.Helper()
		rows, err := w.DB.Query(ctx, `SELECT `+rowColumns+` FROM files`)
		if err != nil {
			t.Fatal(err)
		}
		if all, err = scanRows(rows); err != nil {
			t.Fatal(err)
		}
		heights := map[string]int64{}
		for range MaxDepth {
			for _, r := range all {
				heights[r.ID] = max(heights[r.ID], 1)
				heights[r.Parent] = max(heights[r.Parent], heights[r.ID]+1)
			}
		}
		for _, r := range all {
			if r.Height != heights[r.ID] {
				t.Fatalf("step %d: a %s is %d levels high, kept are %d", step, r.Kind, heights[r.ID], r.Height)
			}
		}
		return all
	}
	refused := 0
	for step := range 150 {
		all := check(step)
		place := func() string {
			if len(all) == 0 || random.IntN(8) == 0 {
				return ""
			}
			return all[random.IntN(len(all))].ID
		}
		var err error
		switch parent := place(); random.IntN(6) {
		case 0, 1:
			_, err = w.NewFolder(ctx, ada, parent, "f")
		case 2:
			u := w.NewUpload(ada)
			if err = u.Add(ctx, "f", content.UnknownType, strings.NewReader("")); err == nil {
				_, err = u.Publish(ctx, parent)
			}
		case 3, 4:
			if id := place(); id != "" {
				_, err = w.Update(ctx, ada, id, Change{Parent: &parent})
			}
		case 5:
			if id := place(); id != "" && random.IntN(3) == 0 {
				if err = w.Delete(ctx, ada, id); err == nil {
					err = w.clearAccount(ctx, ada)
				}
			}
		}
		if err != nil {
			refused++ // into a file, into itself
		}
	}
	if refused > 100 {
		t.Errorf("%d of 150 changes were refused: the test did little", refused)
	}
}

// One row that does not open hides no other: it is shown as damaged, and can be renamed,
// moved and deleted.
func TestDamagedEntries(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var log bytes.Buffer
		w.Log = slog.New(slog.NewTextHandler(&log, nil))
		in := w.mustFolder(ada, "", "in")
		var all []Entry
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			all = append(all, w.mustUpload(ada, in.ID, upFile{name, "text/plain", "x"}))
		}
		folder := w.mustFolder(ada, in.ID, "folder")
		below := w.mustUpload(ada, folder.ID, upFile{"below", "text/plain", "x"})
		spoil := func(column string, ids ...string) {
			t.Helper()
			for _, id := range ids {
				if n, err := d.Exec(t.Context(), `UPDATE files SET `+column+` = $1 WHERE id = $2`, []byte("spoilt"), id); err != nil || n != 1 {
					t.Fatal(n, err)
				}
			}
		}
		noName, noDetails := all[1], all[3]
		spoil("name", noName.ID, folder.ID)
		spoil("details", noDetails.ID)
		for _, sort := range []string{"name", "-name", "created", "-size", "modified"} {
			got := w.names(ada, in.ID, sort)
			slices.Sort(got)
			if want := []string{"a", "c", "d", "damaged", "damaged", "e"}; !slices.Equal(got, want) {
				t.Errorf("by %s: %v", sort, got)
			}
		}
		for _, e := range []Entry{noName, noDetails, folder} {
			var got Entry
			a := w.call(ada, "GET", "/files/"+e.ID, nil)
			if a.json(t, &got); a.StatusCode != http.StatusOK || !got.Damaged || got.Kind != e.Kind || got.Size != e.Size {
				t.Errorf("%s: %d %s", e.Name, a.StatusCode, a.body)
			}
			if told := strings.Count(log.String(), "entry="+e.ID); told != 1 {
				t.Errorf("the log tells of %s %d times", e.Name, told)
			}
		}
		if a := w.call(ada, "GET", "/files/"+all[0].ID, nil); strings.Contains(string(a.body), "damaged") {
			t.Errorf("a sound entry: %s", a.body)
		}
		for _, id := range []string{noName.ID, noDetails.ID} {
			if a := w.call(ada, "GET", "/files/"+id+"/content", nil); a.StatusCode != http.StatusInternalServerError {
				t.Errorf("content of a damaged entry: %d %q", a.StatusCode, a.body)
			}
		}
		if got := w.names(ada, folder.ID, "name"); !slices.Equal(got, []string{"below"}) {
			t.Errorf("a folder whose name does not open holds %v", got)
		}
		// A move takes along what does not open, a new name is a name.
		for _, step := range []struct{ id, body, name string }{
			{noName.ID, `{"parent":null}`, "damaged"}, {folder.ID, `{"parent":""}`, "damaged"}, {noDetails.ID, `{"parent":null}`, "d"},
			{noName.ID, `{}`, "damaged"}, {noName.ID, `{"name":"new"}`, "new"}, {folder.ID, `{"parent":"` + in.ID + `","name":"a"}`, "a (1)"},
			{noDetails.ID, `{"name":"D"}`, "D"},
		} {
			var e Entry
			a := w.call(ada, "PATCH", "/files/"+step.id, step.body)
			if a.json(t, &e); a.StatusCode != http.StatusOK || e.Name != step.name {
				t.Errorf("%s: %d %s", step.body, a.StatusCode, a.body)
			}
			if got, want := byName(t, w.Service, "", "name"), byName(t, w.otherNode(), "", "name"); !slices.Equal(got, want) {
				t.Errorf("%s: %q is kept, %q is the order", step.body, got, want)
			}
		}
		spoil("name", folder.ID)
		for _, id := range []string{noName.ID, noDetails.ID, folder.ID} {
			if a := w.call(ada, "DELETE", "/files/"+id+"?permanent=true", nil); a.StatusCode != http.StatusNoContent {
				t.Errorf("delete: %d %s", a.StatusCode, a.body)
			}
		}
		w.below.RunJobs()
		w.unreachable(t, "below a damaged folder", below)
		w.below.RunJobs()
		if got := w.names(ada, in.ID, "name"); !slices.Equal(got, []string{"a", "c", "e"}) || w.rows("blobs") != 3 {
			t.Errorf("left are %v, %d blobs", got, w.rows("blobs"))
		}
	})
}

// The memory of logged reports is bounded.
func TestReportsAreBounded(t *testing.T) {
	var r reports
	told := 0
	for range 2 {
		for i := range maxReports {
			r.once(fmt.Sprint(i), func() { told++ })
		}
	}
	if told != maxReports || len(r.told) > maxReports {
		t.Errorf("%d of %d subjects were told, %d are kept", told, maxReports, len(r.told))
	}
	r.once("one more", func() { told++ })
	if len(r.told) != 1 {
		t.Errorf("%d subjects are kept", len(r.told))
	}
}

// An account whose rows cannot be cleared holds up no other.
func TestClearingGoesPastAnAccount(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	for _, who := range []account.ID{ada, bob} {
		folder := w.mustFolder(who, "", "f")
		w.mustUpload(who, folder.ID, upFile{name: "a", content: "a"})
		if err := w.Delete(t.Context(), who, folder.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.DB.Exec(t.Context(), `UPDATE blobs SET size = 'damage' WHERE account = $1`, string(ada)); err != nil {
		t.Fatal(err)
	}
	if err := w.clearAll(t.Context()); err == nil {
		t.Error("a run that left something says nothing")
	}
	if n := w.rows("file_gone"); n != 1 {
		t.Errorf("%d accounts are left", n)
	}
}
