package file

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"coffer/internal/blob"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// Every route refuses a caller without a session.
func TestStrangersAreRefused(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	e := w.mustUpload(ada, "", upFile{"a", "", "x"})
	body, contentType := formOf(t, nil, upFile{"b", "", "x"})
	for name, a := range map[string]answer{
		"list":    w.call("", "GET", "/files", nil),
		"get":     w.call("", "GET", "/files/"+e.ID, nil),
		"content": w.call("", "GET", "/files/"+e.ID+"/content", nil),
		"folder":  w.call("", "POST", "/files/folders", `{"name":"f"}`),
		"upload":  w.call("", "POST", "/files", body, "Content-Type", contentType),
		"patch":   w.call("", "PATCH", "/files/"+e.ID, `{"name":"f"}`),
		"delete":  w.call("", "DELETE", "/files/"+e.ID, nil),
	} {
		if got := a.problem(t); got != "Unauthorized unauthenticated" {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := w.names(ada, "", "name"); len(got) != 1 || got[0] != "a" {
		t.Errorf("the root holds %v", got)
	}
}

// A client says how an entry is called and where it stands, and nothing else about it.
func TestOnlyNameAndParentCanBeSet(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	before := w.mustUpload(ada, "", upFile{"a", "", "x"})
	for _, member := range []string{
		`"id":"x"`, `"kind":"folder"`, `"size":0`, `"media_type":"text/html"`, `"sha256":"00"`, `"created_at":"2020-01-01T00:00:00Z"`,
		`"modified_at":"2020-01-01T00:00:00Z"`, `"account":"` + string(bob) + `"`, `"blob":"00"`, `"Name":"b"`, `"name":"b","name":"c"`,
	} {
		for method, path := range map[string]string{"PATCH": "/files/" + before.ID, "POST": "/files/folders"} {
			a := w.call(ada, method, path, `{"name":"b",`+member+`}`)
			if a.StatusCode != http.StatusUnprocessableEntity && a.StatusCode != http.StatusBadRequest {
				t.Errorf("%s with %s: %d %s", method, member, a.StatusCode, a.body)
			}
		}
	}
	after, err := w.Get(t.Context(), ada, before.ID)
	if err != nil || after != before {
		t.Errorf("the entry became %+v, %v", after, err)
	}
	if n := w.rows("files"); n != 1 {
		t.Errorf("%d entries", n)
	}
}

// Names that are dangerous elsewhere are refused or are just names, through every door.
func TestNamesThroughEveryDoor(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		const invalid = "Unprocessable Entity validation_failed /name:"
		for _, tc := range []struct{ json, want string }{
			{`"../x"`, invalid + "slash"},
			{`".."`, invalid + "dots"},
			{`"a\\b"`, invalid + "slash"},
			{`"a\u0000b"`, invalid + "control_character"},
			{`"a\r\nSet-Cookie: x"`, invalid + "control_character"},
			{`"a\u202egpj.exe"`, invalid + "bidi_control"},
			{`"` + strings.Repeat("n", 4096) + `"`, invalid + "too_long"},
			{`""`, invalid + "required"},
			{`" "`, invalid + "required"},
			{`"a` + "\xff" + `b"`, "Bad Request invalid_json /name:malformed"},
			{`"a\ud800b"`, "Bad Request invalid_json /name:malformed"},
			{`null`, ""}, // a folder needs a name; a rename to null is none
			{`"CON"`, ""},
			{`"aux.txt. "`, ""},
			{`"\u05e9\u05dc\u05d5\u05dd\u200f.txt"`, ""},
			{`"<img src=x onerror=alert(1)>"`, ""},
			{`"'; DROP TABLE files; --"`, ""},
			{`"%00%2e%2e"`, ""},
		} {
			f := w.mustUpload(ada, "", upFile{"f" + newID(), "", "x"})
			for name, a := range map[string]answer{
				"rename": w.call(ada, "PATCH", "/files/"+f.ID, `{"name":`+tc.json+`}`),
				"folder": w.call(ada, "POST", "/files/folders", `{"name":`+tc.json+`}`),
			} {
				switch {
				case tc.json == "null" && name == "folder":
					if a.StatusCode != http.StatusUnprocessableEntity {
						t.Errorf("a folder without a name: %d %s", a.StatusCode, a.body)
					}
				case tc.want != "":
					if got := a.problem(t); got != tc.want {
						t.Errorf("%s to %.40s: %s, want %s", name, tc.json, got, tc.want)
					}
				case a.StatusCode/100 != 2:
					t.Errorf("%s to %s: %d %s", name, tc.json, a.StatusCode, a.body)
				}
			}
		}
	})
}

func TestListRefusals(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	for query, want := range map[string]string{
		"sort=id": "query.sort", "sort=name,size": "query.sort", "limit=0": "query.limit", "limit=201": "query.limit",
		"limit=-1": "query.limit", "limit=x": "query.limit", "cursor=" + strings.Repeat("a", 1025): "query.cursor",
	} {
		a := w.call(ada, "GET", "/files?"+query, nil)
		var p struct{ Errors []struct{ Pointer string } }
		if a.json(t, &p); a.StatusCode != http.StatusUnprocessableEntity || len(p.Errors) != 1 || p.Errors[0].Pointer != want {
			t.Errorf("%.40s: %d %s", query, a.StatusCode, a.body)
		}
	}
}

// What a browser reads: names of members, an absent cursor on the last page, null at the top.
func TestShapeOfAList(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	folder := w.mustFolder(ada, "", "a")
	w.mustUpload(ada, folder.ID, upFile{"b.txt", "text/plain", "xyz"})
	var page struct {
		Items []map[string]any
		Next  *string `json:"next_cursor"`
	}
	w.call(ada, "GET", "/files", nil).json(t, &page)
	if e := page.Items[0]; len(page.Items) != 1 || page.Next != nil || e["parent"] != nil || e["kind"] != "folder" || e["name"] != "a" || e["size"] != 0.0 || e["thumbnail"] != false || e["shared"] != false || len(e) != 9 {
		t.Errorf("the root: %v, next %v", page.Items, page.Next)
	}
	w.call(ada, "GET", "/files?parent="+folder.ID, nil).json(t, &page)
	e := page.Items[0]
	if e["parent"] != folder.ID || e["kind"] != "file" || e["size"] != 3.0 || e["media_type"] != "text/plain" || e["thumbnail"] != false || e["shared"] != false || len(e) != 11 {
		t.Errorf("a file: %v", e)
	}
	for _, member := range []string{"created_at", "modified_at"} {
		if at, err := time.Parse(time.RFC3339, fmt.Sprint(e[member])); err != nil || at.Location() != time.UTC {
			t.Errorf("%s: %v, %v", member, e[member], err)
		}
	}
	w.call(ada, "DELETE", "/files/"+folder.ID, nil)
	if a := w.call(ada, "GET", "/files", nil); string(a.body) != `{"items":[]}` {
		t.Errorf("an empty folder: %s", a.body)
	}
}

// A store that is away is 503 and loses nothing: what was asked works when it is back, and
// what was deleted meanwhile goes then.
func TestStoreIsAway(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		kept := pattern(70_000)
		keep := w.mustUpload(ada, "", upFile{"keep", "", kept})
		gone := w.mustUpload(ada, "", upFile{"gone", "", kept})
		away := w.blobs + ".away"
		if err := os.Rename(w.blobs, away); err != nil {
			t.Fatal(err)
		}
		const want = "Service Unavailable unavailable"
		if got := w.upload(ada, "", upFile{"new", "", pattern(1 << 20)}).problem(t); got != want {
			t.Errorf("upload: %s", got)
		}
		for _, header := range []string{"", "bytes=0-1", "bytes=0-0,2-2"} {
			a := w.call(ada, "GET", "/files/"+keep.ID+"/content", nil, "Range", header)
			if got := a.problem(t); got != want || a.Header.Get("Retry-After") == "" {
				t.Errorf("download %s: %s, %v", header, got, a.Header)
			}
		}
		if a := w.call(ada, "DELETE", "/files/"+gone.ID+"?permanent=true", nil); a.StatusCode != http.StatusNoContent {
			t.Errorf("delete: %d %s", a.StatusCode, a.body)
		}
		if err := w.Contents.Sweep(t.Context()); !errors.Is(err, blob.ErrUnavailable) {
			t.Errorf("a purge without a store: %v", err)
		}
		if got := w.names(ada, "", "name"); len(got) != 1 || got[0] != "keep" {
			t.Errorf("the root holds %v", got)
		}
		if err := os.Rename(away, w.blobs); err != nil {
			t.Fatal(err)
		}
		if a := w.call(ada, "GET", "/files/"+keep.ID+"/content", nil); string(a.body) != kept {
			t.Errorf("after it came back: %d %s", a.StatusCode, a.body)
		}
		w.below.RunJobs()
		if blobs, objects := w.rows("blobs"), len(w.objects()); blobs != 1 || objects != 1 {
			t.Errorf("left: %d blobs, %d objects; want the kept one", blobs, objects)
		}
	})
}

// An account that goes while an upload of its comes in: the object that arrives after the
// purge is not left behind.
func TestForgetDuringAnUpload(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		u := w.NewUpload(ada)
		midway := readFunc(func([]byte) (int, error) {
			err := w.forget(ada)
			if err == nil {
				w.below.RunJobs()
				err = io.EOF
			}
			return 0, err
		})
		if err := u.Add(t.Context(), "a", content.UnknownType, io.MultiReader(strings.NewReader(pattern(700_000)), midway)); !errors.Is(err, content.ErrExpired) {
			t.Errorf("Add = %v", err)
		}
		if _, err := u.Publish(t.Context(), ""); !errors.Is(err, content.ErrExpired) {
			t.Errorf("Publish = %v", err)
		}
		u.Abort(t.Context())
		w.nothing("after the account went")
	})
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// A dump of the database shows no name, type, hash or content, whatever the engine.
// [TestNothingReadableAtRest] looks at the files of SQLite and of the store.
func TestNothingReadableInADump(t *testing.T) {
	d := dbtest.PostgreSQL(t)
	w := newWorld(t, d)
	e := w.mustUpload(ada, w.mustFolder(ada, "", "canary-folder").ID, upFile{"canary-name.txt", "application/x-canary-type", "canary-content"})
	name := "canary-renamed"
	if _, err := w.Update(t.Context(), ada, e.ID, Change{Name: &name}); err != nil {
		t.Fatal(err)
	}
	gone := w.mustUpload(ada, "", upFile{"canary-gone", "", "x"})
	if err := w.Delete(t.Context(), ada, gone.ID); err != nil { // its job is in the queue
		t.Fatal(err)
	}
	column := func(q string) (all []string) {
		t.Helper()
		rows, err := d.Query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if all, err = rows.Strings(); err != nil {
			t.Fatal(err)
		}
		return all
	}
	found := false
	for _, table := range column(`SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = 'public'`) {
		for _, line := range column(`SELECT CAST(t AS TEXT) FROM "` + table + `" t`) {
			found = found || strings.Contains(line, e.ID)
			for _, canary := range []string{"canary", e.SHA256} {
				if strings.Contains(line, canary) || strings.Contains(line, hex.EncodeToString([]byte(canary))) {
					t.Errorf("%s shows %q: %s", table, canary, line)
				}
			}
		}
	}
	if !found {
		t.Error("not even the id of the file is in the dump: the test looks in the wrong place")
	}
}
