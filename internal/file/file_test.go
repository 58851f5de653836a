package file

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

func TestFolderStory(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var photos Entry
		a := w.call(ada, "POST", "/files/folders", map[string]any{"name": "Photos"})
		if a.json(t, &photos); a.StatusCode != http.StatusCreated {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
		if photos.Kind != Folder || photos.Name != "Photos" || photos.Parent != nil || photos.Size != 0 || photos.CreatedAt.IsZero() {
			t.Errorf("folder: %+v", photos)
		}
		cat := w.mustUpload(ada, photos.ID, upFile{"cat.png", "image/png", "meow"})
		sum := sha256.Sum256([]byte("meow"))
		want := Entry{
			ID: cat.ID, Kind: File, Name: "cat.png", Parent: &photos.ID, Size: 4, MediaType: "image/png",
			SHA256: hex.EncodeToString(sum[:]), CreatedAt: cat.CreatedAt, ModifiedAt: cat.CreatedAt,
		}
		var got Entry
		if w.call(ada, "GET", "/files/"+cat.ID, nil).json(t, &got); !cmp.Equal(got, want) {
			t.Error(cmp.Diff(want, got))
		}
		w.below.Advance(time.Minute)
		for _, step := range []struct {
			body   string
			name   string
			parent string
		}{
			{`{"name":"dog.png"}`, "dog.png", photos.ID},
			{`{"parent":null}`, "dog.png", ""},
			{`{"parent":"` + photos.ID + `","name":"cat.png"}`, "cat.png", photos.ID},
			{`{"parent":""}`, "cat.png", ""},
			{`{}`, "cat.png", ""},
		} {
			a := w.call(ada, "PATCH", "/files/"+cat.ID, step.body)
			var e Entry
			a.json(t, &e)
			at := ""
			if e.Parent != nil {
				at = *e.Parent
			}
			if a.StatusCode != http.StatusOK || e.Name != step.name || at != step.parent {
				t.Errorf("PATCH %s: %d %s", step.body, a.StatusCode, a.body)
			}
			if !e.ModifiedAt.After(cat.ModifiedAt) || !e.CreatedAt.Equal(cat.CreatedAt) {
				t.Errorf("PATCH %s: created %v, modified %v", step.body, e.CreatedAt, e.ModifiedAt)
			}
		}
		if got := w.call(ada, "GET", "/files/"+cat.ID+"/content", nil); string(got.body) != "meow" {
			t.Errorf("after moving about: %d %q", got.StatusCode, got.body)
		}
		if a := w.call(ada, "DELETE", "/files/"+cat.ID+"?permanent=true", nil); a.StatusCode != http.StatusNoContent {
			t.Errorf("DELETE: %d %s", a.StatusCode, a.body)
		}
		if got := w.call(ada, "GET", "/files/"+cat.ID, nil).problem(t); got != "Not Found not_found" {
			t.Error(got)
		}
	})
}

// An entry of another account and one that never was are answered alike, on every route.
func TestForeignIsAbsent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		folder := w.mustFolder(bob, "", "secret")
		file := w.mustUpload(bob, folder.ID, upFile{"plan.txt", "text/plain", "attack at dawn"})
		mine := w.mustUpload(ada, "", upFile{"mine.txt", "text/plain", "x"})
		absent := newID()
		form := func(parent string) func() answer {
			return func() answer { return w.upload(ada, parent, upFile{"a", "", "a"}) }
		}
		call := func(method, path string, body any) func() answer {
			return func() answer { return w.call(ada, method, path, body) }
		}
		for _, id := range []string{folder.ID, file.ID, absent, "x", "%2e%2e", "%00", "%ff", strings.Repeat("a", 60)} {
			for name, do := range map[string]func() answer{
				"get":     call("GET", "/files/"+id, nil),
				"content": call("GET", "/files/"+id+"/content", nil),
				"patch":   call("PATCH", "/files/"+id, `{"name":"stolen"}`),
				"move":    call("PATCH", "/files/"+mine.ID, `{"parent":"`+id+`"}`),
				"folder":  call("POST", "/files/folders", `{"name":"in","parent":"`+id+`"}`),
				"delete":  call("DELETE", "/files/"+id, nil),
				"list":    call("GET", "/files?parent="+id, nil),
				"upload":  form(id),
			} {
				want := "Not Found not_found"
				switch { // package rest refuses what is no text
				case name == "list" && id == "%00":
					want = "Unprocessable Entity validation_failed query.parent:invalid_characters"
				case name == "list" && id == "%ff":
					want = "Unprocessable Entity validation_failed query.parent:invalid_utf8"
				}
				if got := do(); got.problem(t) != want {
					t.Errorf("%s of %s: %d %s", name, id, got.StatusCode, got.body)
				}
			}
		}
		for name, a := range map[string]answer{
			"move":   w.call(ada, "PATCH", "/files/"+mine.ID, `{"parent":"\u0000"}`),
			"folder": w.call(ada, "POST", "/files/folders", `{"name":"in","parent":"\u0000"}`),
			"form":   w.upload(ada, "\x00", upFile{"a", "", "a"}),
			"bytes":  w.upload(ada, "\xff", upFile{"a", "", "a"}),
			"long":   w.upload(ada, strings.Repeat("a", 1000), upFile{"a", "", "a"}),
		} {
			if got := a.problem(t); got != "Not Found not_found" {
				t.Errorf("%s to what is no id: %s", name, got)
			}
		}
		if got := w.names(bob, folder.ID, "name"); !slices.Equal(got, []string{"plan.txt"}) {
			t.Errorf("bob's folder holds %v", got)
		}
		if got := w.call(ada, "GET", "/files/"+mine.ID, nil); !strings.Contains(string(got.body), `"parent":null`) {
			t.Errorf("a refused move moved: %s", got.body)
		}
	})
}

func TestTakenNamesAreNumbered(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for _, want := range []string{"a.txt", "a (1).txt", "a (2).txt"} {
			if got := w.mustUpload(ada, "", upFile{"a.txt", "", "x"}); got.Name != want {
				t.Errorf("upload: %q, want %q", got.Name, want)
			}
		}
		for _, want := range []string{"b.d", "b.d (1)"} {
			if got := w.mustFolder(ada, "", "b.d"); got.Name != want {
				t.Errorf("folder: %q, want %q", got.Name, want)
			}
		}
		// A file and a folder share the names; so do a rename and a move.
		if got := w.mustFolder(ada, "", "a.txt"); got.Name != "a.txt (1)" {
			t.Errorf("folder over a file: %q", got.Name)
		}
		f := w.mustUpload(ada, "", upFile{"c.txt", "", "x"})
		var e Entry
		if w.call(ada, "PATCH", "/files/"+f.ID, `{"name":"a.txt"}`).json(t, &e); e.Name != "a (3).txt" {
			t.Errorf("rename to a taken name: %q", e.Name)
		}
		in := w.mustFolder(ada, "", "in")
		w.mustUpload(ada, in.ID, upFile{"a (3).txt", "", "x"})
		if w.call(ada, "PATCH", "/files/"+f.ID, `{"parent":"`+in.ID+`"}`).json(t, &e); e.Name != "a (3) (1).txt" {
			t.Errorf("move to a taken name: %q", e.Name)
		}
		// Its own name is not taken by itself.
		if w.call(ada, "PATCH", "/files/"+f.ID, `{"name":"a (3) (1).txt"}`).json(t, &e); e.Name != "a (3) (1).txt" {
			t.Errorf("rename to its own name: %q", e.Name)
		}
		// Canonically equal is equal; another case is another name.
		w.mustUpload(ada, in.ID, upFile{"e\u0301.txt", "", "x"})
		if got := w.mustUpload(ada, in.ID, upFile{"\u00e9.txt", "", "x"}); got.Name != "\u00e9 (1).txt" {
			t.Errorf("NFC: %q", got.Name)
		}
		if got := w.mustUpload(ada, in.ID, upFile{"\u00c9.txt", "", "x"}); got.Name != "\u00c9.txt" {
			t.Errorf("case: %q", got.Name)
		}
	})
}

// Numbers stay distinct and the search for one stays short when a run is long.
func TestLongRunsOfNumbers(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	seen := map[string]bool{}
	for i := range 120 {
		e := w.mustFolder(ada, "", "n")
		if seen[e.Name] {
			t.Fatalf("%q twice", e.Name)
		}
		if seen[e.Name] = true; i > 0 && e.Name != fmt.Sprintf("n (%d)", i) {
			t.Fatalf("number %d is %q", i, e.Name)
		}
	}
}

func TestRaceOfOneName(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		const racers = 20
		got := make([]string, racers)
		var wg sync.WaitGroup
		for i := range racers {
			wg.Go(func() {
				if i%2 == 0 {
					got[i] = w.mustUpload(ada, "", upFile{"same.txt", "", fmt.Sprint(i)}).Name
					return
				}
				f := w.mustUpload(ada, "", upFile{fmt.Sprintf("own %d", i), "", fmt.Sprint(i)})
				name := "same.txt"
				e, err := w.Update(context.Background(), ada, f.ID, Change{Name: &name})
				if err != nil {
					t.Error(err)
				}
				got[i] = e.Name
			})
		}
		wg.Wait()
		want := []string{"same.txt"}
		for i := 1; i < racers; i++ {
			want = append(want, fmt.Sprintf("same (%d).txt", i))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("names %v, want %v", got, want)
		}
	})
}

func TestCycles(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		a := w.mustFolder(ada, "", "a")
		b := w.mustFolder(ada, a.ID, "b")
		c := w.mustFolder(ada, b.ID, "c")
		for _, to := range []string{a.ID, b.ID, c.ID} {
			if got := w.call(ada, "PATCH", "/files/"+a.ID, `{"parent":"`+to+`"}`).problem(t); got != "Conflict folder_cycle" {
				t.Errorf("into %s: %s", to, got)
			}
		}
		f := w.mustUpload(ada, "", upFile{"f", "", "x"})
		if got := w.call(ada, "PATCH", "/files/"+a.ID, `{"parent":"`+f.ID+`"}`).problem(t); got != "Unprocessable Entity validation_failed /parent:not_a_folder" {
			t.Errorf("into a file: %s", got)
		}
		if got := w.names(ada, "", "name"); !slices.Equal(got, []string{"a", "f"}) {
			t.Errorf("the root holds %v", got)
		}
	})
}

// Two moves that are each good and together make a cycle: one of them loses, always.
func TestRaceForACycle(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for range 20 {
			a, b := w.mustFolder(ada, "", "a"), w.mustFolder(ada, "", "b")
			var errs [2]error
			var wg sync.WaitGroup
			for i, move := range [2][2]Entry{{a, b}, {b, a}} {
				wg.Go(func() { _, errs[i] = w.Update(context.Background(), ada, move[0].ID, Change{Parent: &move[1].ID}) })
			}
			wg.Wait()
			lost := 0
			for _, err := range errs {
				if errors.Is(err, errCycle) {
					lost++
				} else if err != nil {
					t.Fatal(err)
				}
			}
			if lost != 1 {
				t.Fatalf("%d of two moves were refused: %v", lost, errs)
			}
		}
	})
}

func TestDepth(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		top := w.mustFolder(ada, "", "1")
		last := top
		for i := 2; i <= MaxDepth; i++ {
			last = w.mustFolder(ada, last.ID, fmt.Sprint(i))
		}
		if got := w.call(ada, "POST", "/files/folders", `{"name":"65","parent":"`+last.ID+`"}`).problem(t); got != "Conflict too_deep" {
			t.Errorf("folder: %s", got)
		}
		if got := w.upload(ada, last.ID, upFile{"f", "", "x"}).problem(t); got != "Conflict too_deep" {
			t.Errorf("upload: %s", got)
		}
		into := w.mustFolder(ada, "", "into")
		if got := w.call(ada, "PATCH", "/files/"+top.ID, `{"parent":"`+into.ID+`"}`).problem(t); got != "Conflict too_deep" {
			t.Errorf("move of a tall tree: %s", got)
		}
		a := w.call(ada, "DELETE", "/files/"+top.ID+"?permanent=true", nil)
		if w.below.RunJobs(); a.StatusCode != http.StatusNoContent || w.rows("files") != 1 || w.rows("file_gone") != 0 {
			t.Errorf("delete of 64 levels: %d, %d rows left", a.StatusCode, w.rows("files"))
		}
	})
}

func TestDeleteTakesEverythingBelow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		top := w.mustFolder(ada, "", "top")
		sub := w.mustFolder(ada, top.ID, "sub")
		for _, in := range []string{"", top.ID, sub.ID} {
			w.mustUpload(ada, in, upFile{"f", "", "x"})
		}
		w.mustUpload(bob, "", upFile{"f", "", "x"})
		if a := w.call(ada, "DELETE", "/files/"+top.ID+"?permanent=true", nil); a.StatusCode != http.StatusNoContent {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
		w.below.RunJobs()
		if files, blobs, objects := w.rows("files"), w.rows("blobs"), len(w.objects()); files != 2 || blobs != 2 || objects != 2 {
			t.Errorf("left: %d files, %d blobs, %d objects; want 2 each", files, blobs, objects)
		}
	})
}

// Deleting a folder while files arrive in it loses none of them halfway: an upload is
// refused or its file goes with the folder.
func TestRaceOfDeleteAndUpload(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for range 10 {
			folder := w.mustFolder(ada, "", "f")
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() { w.upload(ada, folder.ID, upFile{"x", "", "x"}) })
			}
			wg.Go(func() {
				if err := w.Delete(context.Background(), ada, folder.ID); err != nil {
					t.Error(err)
				}
			})
			wg.Wait()
		}
		w.below.RunJobs()
		if files, blobs, objects := w.rows("files"), w.rows("blobs"), len(w.objects()); files != 0 || blobs != 0 || objects != 0 {
			t.Errorf("left: %d files, %d blobs, %d objects", files, blobs, objects)
		}
	})
}

func TestForget(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.mustUpload(ada, w.mustFolder(ada, "", "in").ID, upFile{"f", "", "x"})
		w.mustUpload(bob, "", upFile{"f", "", "x"})
		err := w.forget(ada)
		if err != nil {
			t.Fatal(err)
		}
		w.below.RunJobs()
		if files, blobs, objects := w.rows("files"), w.rows("blobs"), len(w.objects()); files != 1 || blobs != 1 || objects != 1 {
			t.Errorf("left: %d files, %d blobs, %d objects; want bob's", files, blobs, objects)
		}
	})
}

// An account that is gone has no files, and gets none from an upload that was under way.
func TestUploadOfAGoneAccount(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	u := w.NewUpload(ada)
	if err := u.Add(t.Context(), "f", content.UnknownType, strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.DB.Exec(t.Context(), `DELETE FROM account_keys WHERE account = $1`, string(ada)); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Publish(t.Context(), ""); !errors.Is(err, errNotFound) {
		t.Errorf("Publish = %v", err)
	}
}

func TestSorts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		natural := []string{
			"1 one", "2 two", "02 two", "10 ten", "a1", "A2", "a10", "a10b", "Ä", "file 007", "file 08", "file 100",
			"file 99999999999999999999999", "Zebra", "zoo", "ähnlich", "Überall", "日本",
		}
		shuffled := slices.Clone(natural)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		for i, name := range shuffled {
			w.mustUpload(ada, "", upFile{name, "", strings.Repeat("x", 1+i)})
			w.below.Advance(time.Second)
		}
		reversed := func(s []string) []string { s = slices.Clone(s); slices.Reverse(s); return s }
		byName := w.names(ada, "", "name")
		keys := make([]string, len(byName))
		for i, n := range byName {
			keys[i] = naturalKey(n)
		}
		if !slices.IsSorted(keys) || len(byName) != len(natural) {
			t.Errorf("by name: %q", byName)
		}
		for _, pair := range [][2]string{{"2 two", "10 ten"}, {"a1", "A2"}, {"A2", "a10"}, {"file 007", "file 08"}, {"file 08", "file 100"}, {"Zebra", "zoo"}} {
			if slices.Index(byName, pair[0]) > slices.Index(byName, pair[1]) {
				t.Errorf("by name: %q stands behind %q", pair[0], pair[1])
			}
		}
		for sort, want := range map[string][]string{
			"-name": reversed(byName), "created": shuffled, "-created": reversed(shuffled),
			"size": shuffled, "-size": reversed(shuffled), "modified": shuffled, "-modified": reversed(shuffled),
		} {
			if got := w.names(ada, "", sort); !slices.Equal(got, want) {
				t.Errorf("by %s: %q, want %q", sort, got, want)
			}
		}
	})
}

// The order by name is kept, and is never older than the folder.
func TestOrderByNameFollowsChanges(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	folder := w.mustFolder(ada, "", "folder")
	check := func(want ...string) {
		t.Helper()
		if got := w.names(ada, "", "name"); !slices.Equal(got, want) {
			t.Errorf("the root holds %v, want %v", got, want)
		}
	}
	check("folder")
	b := w.mustUpload(ada, "", upFile{"b", "", "x"})
	check("folder", "b")
	name := "z"
	if _, err := w.Update(t.Context(), ada, b.ID, Change{Name: &name}); err != nil {
		t.Fatal(err)
	}
	check("folder", "z")
	if _, err := w.Update(t.Context(), ada, b.ID, Change{Parent: &folder.ID}); err != nil {
		t.Fatal(err)
	}
	check("folder")
	root := ""
	if _, err := w.Update(t.Context(), ada, b.ID, Change{Parent: &root}); err != nil {
		t.Fatal(err)
	}
	check("folder", "z")
	if err := w.Delete(t.Context(), ada, b.ID); err != nil {
		t.Fatal(err)
	}
	check("folder")
}

// A page goes on where the one before ended although its last entry is gone.
func TestPagesSurviveChanges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, sort := range []string{"name", "-name", "created", "-size"} {
			w := newWorld(t, d)
			parent := w.mustFolder(ada, "", "p"+sort).ID
			for i := range 10 {
				w.mustUpload(ada, parent, upFile{fmt.Sprintf("f%02d", i), "", strings.Repeat("x", i)})
				w.below.Advance(time.Second)
			}
			first, next, err := w.List(t.Context(), ada, parent, sort, "", 4)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Delete(t.Context(), ada, first[3].ID); err != nil {
				t.Fatal(err)
			}
			rest, end, err := w.List(t.Context(), ada, parent, sort, next, 50)
			if err != nil || len(rest) != 6 || end != "" {
				t.Errorf("by %s: %d entries behind the first four, cursor %q, %v", sort, len(rest), end, err)
			}
			if _, err := d.Exec(t.Context(), `DELETE FROM account_keys`); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestCursorsAreOfOneList(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	for range 3 {
		w.mustUpload(ada, "", upFile{"canary-name", "", "x"})
		w.mustUpload(bob, "", upFile{"canary-name", "", "x"})
	}
	in := w.mustFolder(ada, "", "in")
	_, cursor, err := w.List(t.Context(), ada, "", "name", "", 1)
	if err != nil || cursor == "" {
		t.Fatal(cursor, err)
	}
	if strings.Contains(cursor, "canary") {
		t.Error("a cursor shows a name")
	}
	for name, a := range map[string]answer{
		"another order":   w.call(ada, "GET", "/files?sort=size&cursor="+cursor, nil),
		"another folder":  w.call(ada, "GET", "/files?parent="+in.ID+"&cursor="+cursor, nil),
		"another account": w.call(bob, "GET", "/files?cursor="+cursor, nil),
		"garbage":         w.call(ada, "GET", "/files?cursor=abc", nil),
		"no base64":       w.call(ada, "GET", "/files?cursor=%21", nil),
	} {
		if got := a.problem(t); got != "Unprocessable Entity validation_failed query.cursor:invalid_cursor" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// A wrapped key opens for its object and its owner only.
func TestKeysAreBound(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	a, b := w.mustUpload(ada, "", upFile{"a", "", "aaaa"}), w.mustUpload(ada, "", upFile{"b", "", "bbbb"})
	_, err := w.DB.Exec(t.Context(), `UPDATE blobs SET wrapped = (SELECT wrapped FROM blobs WHERE id = (SELECT blob FROM files WHERE id = $1)) WHERE id = (SELECT blob FROM files WHERE id = $2)`, a.ID, b.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.call(ada, "GET", "/files/"+b.ID+"/content", nil); got.StatusCode != http.StatusInternalServerError {
		t.Errorf("a key of another object: %d", got.StatusCode)
	}
	if _, err := w.DB.Exec(t.Context(), `UPDATE files SET account = $1 WHERE id = $2`, string(bob), a.ID); err != nil {
		t.Fatal(err)
	}
	if e, err := w.Get(t.Context(), account.ID(bob), a.ID); err != nil || !e.Damaged || e.Name != damagedName || e.SHA256 != "" {
		t.Errorf("a row that was given to another account: %+v, %v", e, err)
	}
}
