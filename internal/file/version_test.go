package file

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// replaceFile uploads over a name.
func (w *world) replaceFile(parent, name, text string) Entry {
	w.t.Helper()
	body, contentType := formOf(w.t, nil, upFile{name, "text/plain", text})
	a := w.call(ada, "POST", "/files?replace=true&parent="+parent, body, "Content-Type", contentType)
	var got struct{ Items []Entry }
	if a.json(w.t, &got); a.StatusCode != http.StatusCreated || len(got.Items) != 1 {
		w.t.Fatalf("replace: %d %s", a.StatusCode, a.body)
	}
	return got.Items[0]
}

// versionsOf returns a file's versions, page by page, and their contents.
func (w *world) versionsOf(id string) (all []Version, contents []string) {
	w.t.Helper()
	for cursor := ""; ; {
		var page struct {
			Items      []Version
			NextCursor string `json:"next_cursor"`
		}
		a := w.call(ada, "GET", "/files/"+id+"/versions?limit=2&cursor="+cursor, nil)
		if a.json(w.t, &page); a.StatusCode != http.StatusOK {
			w.t.Fatalf("versions: %d %s", a.StatusCode, a.body)
		}
		all = append(all, page.Items...)
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	for _, v := range all {
		contents = append(contents, string(w.call(ada, "GET", "/files/"+id+"/versions/"+v.ID+"/content", nil).body))
	}
	return all, contents
}

func (w *world) content(id string) string {
	w.t.Helper()
	a := w.call(ada, "GET", "/files/"+id+"/content", nil)
	if a.StatusCode != http.StatusOK {
		w.t.Fatalf("content: %d %s", a.StatusCode, a.body)
	}
	return string(a.body)
}

// An upload over a name keeps what the file held. Each version is listed, read, restored and
// deleted, newest first.
func TestVersions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		folder := w.mustFolder(ada, "", "folder")
		first := w.mustUpload(ada, folder.ID, upFile{"f.txt", "text/x-one", "one"})
		var times []time.Time
		for _, text := range []string{"two", pattern(70_000), "four"} {
			w.below.Advance(time.Minute)
			times = append(times, w.below.Now().Truncate(time.Millisecond).UTC())
			e := w.replaceFile(folder.ID, "f.txt", text)
			if e.ID != first.ID || e.Size != int64(len(text)) || !e.CreatedAt.Equal(first.CreatedAt) || !e.ModifiedAt.Equal(times[len(times)-1]) {
				t.Errorf("replaced is %+v", e)
			}
		}
		versions, contents := w.versionsOf(first.ID)
		if want := []string{pattern(70_000), "two", "one"}; !slices.Equal(contents, want) {
			t.Fatalf("versions hold %.20q", contents)
		}
		v := versions[2]
		if v.Size != 3 || v.MediaType != "text/x-one" || v.SHA256 != first.SHA256 || !v.StoredAt.Equal(first.CreatedAt) || !v.ReplacedAt.Equal(times[0]) || v.Damaged {
			t.Errorf("the first version is %+v", v)
		}
		a := w.call(ada, "HEAD", "/files/"+first.ID+"/versions/"+v.ID+"/content", nil)
		if a.StatusCode != http.StatusOK || a.Header.Get("Content-Length") != "3" || !strings.Contains(a.Header.Get("Content-Disposition"), "f.txt") || a.Header.Get("Last-Modified") != first.CreatedAt.Format(http.TimeFormat) {
			t.Errorf("HEAD: %d %v", a.StatusCode, a.Header)
		}
		if a := w.call(ada, "GET", "/files/"+first.ID+"/versions/"+v.ID+"/content", nil, "Range", "bytes=1-"); string(a.body) != "ne" {
			t.Errorf("a range: %d %q", a.StatusCode, a.body)
		}
		var e Entry
		a = w.call(ada, "POST", "/files/"+first.ID+"/versions/"+v.ID+"/restore", nil)
		if a.json(t, &e); a.StatusCode != http.StatusOK || e.ID != first.ID || e.SHA256 != first.SHA256 || e.MediaType != "text/x-one" {
			t.Errorf("restore: %d %s", a.StatusCode, a.body)
		}
		if w.content(first.ID) != "one" {
			t.Errorf("restored is %q", w.content(first.ID))
		}
		versions, contents = w.versionsOf(first.ID)
		if want := []string{"four", pattern(70_000), "two"}; !slices.Equal(contents, want) {
			t.Fatalf("versions hold %.20q", contents)
		}
		if a := w.call(ada, "DELETE", "/files/"+first.ID+"/versions/"+versions[1].ID, nil); a.StatusCode != http.StatusNoContent {
			t.Errorf("delete: %d %s", a.StatusCode, a.body)
		}
		w.below.RunJobs()
		if _, contents := w.versionsOf(first.ID); !slices.Equal(contents, []string{"four", "two"}) || w.rows("blobs") != 3 || len(w.objects()) != 3 {
			t.Errorf("versions hold %.20q, %d blobs", contents, w.rows("blobs"))
		}
		var used int64
		if err := d.QueryRow(t.Context(), `SELECT bytes FROM content_usage WHERE account = $1`, string(ada)).Scan(&used); err != nil || used != 10 {
			t.Errorf("counted are %d bytes, %v; want those of the file and its versions", used, err)
		}
		other := w.mustUpload(ada, "", upFile{"other", "", "x"})
		id, is := versions[0].ID, func(who, method, path string) answer {
			return w.call(map[string]account.ID{"ada": ada, "bob": bob}[who], method, "/files/"+path, nil)
		}
		for name, a := range map[string]answer{
			"another's list": is("bob", "GET", first.ID+"/versions"), "another's content": is("bob", "GET", first.ID+"/versions/"+id+"/content"),
			"another's restore": is("bob", "POST", first.ID+"/versions/"+id+"/restore"), "another's delete": is("bob", "DELETE", first.ID+"/versions/"+id),
			"content of another file": is("ada", "GET", other.ID+"/versions/"+id+"/content"), "restore into another file": is("ada", "POST", other.ID+"/versions/"+id+"/restore"),
			"delete of another file": is("ada", "DELETE", other.ID+"/versions/"+id), "deleted": is("ada", "GET", first.ID+"/versions/"+versions[1].ID+"/content"),
			"no id": is("ada", "DELETE", first.ID+"/versions/%00"),
		} {
			if got := a.problem(t); got != "Not Found not_found" {
				t.Errorf("%s: %s", name, got)
			}
		}
		for name, a := range map[string]answer{
			"list": is("ada", "GET", folder.ID+"/versions"), "content": is("ada", "GET", folder.ID+"/versions/"+id+"/content"),
			"restore": is("ada", "POST", folder.ID+"/versions/"+id+"/restore"), "delete": is("ada", "DELETE", folder.ID+"/versions/"+id),
		} {
			if got := a.problem(t); got != "Conflict is_folder" {
				t.Errorf("%s of a folder: %s", name, got)
			}
		}
		w.trash(first) // with its versions
		if got := is("ada", "GET", first.ID+"/versions").problem(t); got != "Not Found not_found" {
			t.Errorf("versions in the trash: %s", got)
		}
		w.mustRestore(first.ID)
		if _, contents := w.versionsOf(first.ID); !slices.Equal(contents, []string{"four", "two"}) {
			t.Errorf("versions hold %.20q", contents)
		}
		for _, path := range []string{first.ID, other.ID, folder.ID} {
			if a := is("ada", "DELETE", path+"?permanent=true"); a.StatusCode != http.StatusNoContent {
				t.Errorf("%d %s", a.StatusCode, a.body)
			}
		}
		w.drained()
	})
}

// What replace does with other names: a folder's is numbered, a new one is new, and of two
// files of one name in a request the first replaces.
func TestReplaceNames(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.mustFolder(ada, "", "folder")
		old := w.mustUpload(ada, "", upFile{"old", "", "1"})
		spoilt := w.mustUpload(ada, "", upFile{"spoilt", "", "1"})
		if _, err := d.Exec(t.Context(), `UPDATE files SET details = $1 WHERE id = $2`, []byte("spoilt"), spoilt.ID); err != nil {
			t.Fatal(err)
		}
		body, contentType := formOf(t, map[string]string{"replace": "true"},
			upFile{"new", "", "a"}, upFile{"old", "", "b"}, upFile{"folder", "", "c"}, upFile{"old", "", "d"}, upFile{"spoilt", "", "e"}, upFile{"OLD", "", "f"})
		a := w.call(ada, "POST", "/files", body, "Content-Type", contentType)
		var got struct{ Items []Entry }
		if a.json(t, &got); a.StatusCode != http.StatusCreated {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
		var names []string
		for i, e := range got.Items {
			names = append(names, e.Name)
			if text := w.content(e.ID); text != string(rune('a'+i)) {
				t.Errorf("%s holds %q", e.Name, text)
			}
		}
		if want := []string{"new", "old", "folder (1)", "old (1)", "spoilt (1)", "OLD"}; !slices.Equal(names, want) || got.Items[1].ID != old.ID {
			t.Errorf("the files are %q", names)
		}
		if _, contents := w.versionsOf(old.ID); !slices.Equal(contents, []string{"1"}) {
			t.Errorf("versions hold %q", contents)
		}
		if n := w.rows("file_versions"); n != 1 {
			t.Errorf("%d versions", n)
		}
		for name, tc := range map[string]struct {
			query  string
			fields map[string]string
			want   string
		}{
			"no boolean": {"", map[string]string{"replace": "yes"}, "/replace:invalid"}, "empty": {"", map[string]string{"replace": ""}, "/replace:invalid"},
			"in the query": {"?replace=1", nil, "query.replace:invalid"}, "twice": {"?replace=true", map[string]string{"replace": "false"}, "/replace:duplicate"},
		} {
			body, contentType := formOf(t, tc.fields, upFile{"old", "", "z"})
			if got := w.call(ada, "POST", "/files"+tc.query, body, "Content-Type", contentType).problem(t); got != "Unprocessable Entity validation_failed "+tc.want {
				t.Errorf("%s: %s", name, got)
			}
		}
		if w.content(old.ID) != "b" {
			t.Error("a refused request replaced")
		}
	})
}

// The oldest versions go when there are too many, and when they are too old; 0 keeps none.
func TestVersionsAreBounded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.MaxVersions = 3
		f := w.mustUpload(ada, "", upFile{"f", "", "0"})
		for i := range 6 {
			w.below.Advance(time.Hour)
			w.replaceFile("", "f", fmt.Sprint(i+1))
		}
		if _, contents := w.versionsOf(f.ID); !slices.Equal(contents, []string{"5", "4", "3"}) {
			t.Errorf("versions hold %q", contents)
		}
		w.below.RunJobs()
		if blobs := w.rows("blobs"); blobs != 4 {
			t.Errorf("%d blobs", blobs)
		}
		w.below.Advance(w.VersionsKeep - time.Hour)
		kept := w.VersionsKeep
		w.VersionsKeep = 0
		if err := w.purgeVersions(t.Context()); err != nil || w.rows("file_versions") != 3 {
			t.Errorf("kept for ever: %v, %d versions", err, w.rows("file_versions"))
		}
		w.VersionsKeep = kept
		if err := w.purgeVersions(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, contents := w.versionsOf(f.ID); !slices.Equal(contents, []string{"5"}) {
			t.Errorf("after a while versions hold %q", contents)
		}
		w.MaxVersions = 0
		w.replaceFile("", "f", "7")
		w.below.RunJobs()
		if _, contents := w.versionsOf(f.ID); len(contents) != 0 || w.content(f.ID) != "7" || w.rows("blobs") != 1 {
			t.Errorf("versions hold %q, the file %q, %d blobs", contents, w.content(f.ID), w.rows("blobs"))
		}
	})
}

// A version that was changed by hand does not open as a content, nor does one of another
// file; it is shown as damaged and can be deleted.
func TestVersionsAreBound(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	for name, attack := range map[string]string{
		"blob": `blob = (SELECT blob FROM files WHERE id = $2)`, "size": `size = 3`, "entry": `entry = $2`, "stored_at": `stored_at = stored_at - 1`,
		"replaced_at": `replaced_at = replaced_at + 1`, "details": `details = (SELECT details FROM files WHERE id = $1)`, "id": `id = $2`,
	} {
		victim := w.mustUpload(ada, "", upFile{name, "text/plain", "the first content"})
		other := w.mustUpload(ada, "", upFile{"other", "text/plain", "another contents!"})
		w.replaceFile("", name, "the second content")
		set := strings.NewReplacer("$1", "'"+victim.ID+"'", "$2", "'"+other.ID+"'").Replace(attack)
		if n, err := w.DB.Exec(t.Context(), `UPDATE file_versions SET `+set+` WHERE entry = $1`, victim.ID); err != nil || n != 1 {
			t.Fatal(n, err)
		}
		id := victim.ID
		if name == "entry" {
			id = other.ID
		}
		versions, contents := w.versionsOf(id)
		if len(versions) != 1 || !versions[0].Damaged || strings.Contains(contents[0], "content") && !strings.Contains(contents[0], "internal") {
			t.Fatalf("%s: %+v %q", name, versions, contents)
		}
		path := "/files/" + id + "/versions/" + versions[0].ID
		if a := w.call(ada, "POST", path+"/restore", nil); a.StatusCode != http.StatusInternalServerError {
			t.Errorf("%s: restored: %d %s", name, a.StatusCode, a.body)
		}
		if a := w.call(ada, "DELETE", path, nil); a.StatusCode != http.StatusNoContent {
			t.Errorf("%s: deleted: %d %s", name, a.StatusCode, a.body)
		}
	}
}

// Uploads that replace one name at once lose nothing: each content is the file's or a
// version, and the name stands once. Restores and deletions of one version have one winner.
func TestReplaceRaces(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		replace := func(name, text string) func(*Service) error {
			return func(s *Service) error {
				u := s.NewUpload(ada)
				u.Replace = true
				if err := u.Add(ctx, name, "text/plain", strings.NewReader(text)); err != nil {
					return err
				}
				_, err := u.Publish(ctx, "")
				return err
			}
		}
		for i := range 4 {
			name := fmt.Sprint("file ", i)
			var want []string
			if i%2 == 1 {
				w.mustUpload(ada, "", upFile{name, "", "before"})
				want = append(want, "before")
			}
			var all []func(*Service) error
			for j := range 6 {
				text := fmt.Sprint("text ", j)
				all, want = append(all, replace(name, text)), append(want, text)
			}
			w.race(all...)
			names := w.names(ada, "", "name")
			if n := len(slices.DeleteFunc(names, func(n string) bool { return !strings.HasPrefix(n, name) })); n != 1 {
				t.Errorf("round %d: %d files of the name", i, n)
			}
			entries, _, err := w.List(ctx, ada, "", "-created", "", 10)
			if err != nil {
				t.Fatal(err)
			}
			e := entries[slices.IndexFunc(entries, func(e Entry) bool { return e.Name == name })]
			versions, got := w.versionsOf(e.ID)
			got = append(got, w.content(e.ID))
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("round %d: kept are %q, want %q", i, got, want)
			}
			v := versions[0].ID
			done := w.race(
				func(s *Service) error { _, err := s.RestoreVersion(ctx, ada, e.ID, v); return notThere(err) },
				func(s *Service) error { return notThere(s.DeleteVersion(ctx, ada, e.ID, v)) },
				func(s *Service) error { _, err := s.RestoreVersion(ctx, ada, e.ID, v); return notThere(err) },
			)
			if n := len(slices.DeleteFunc(done, func(won bool) bool { return !won })); n != 1 {
				t.Errorf("round %d: %d changes of one version", i, n)
			}
			w.content(e.ID)
		}
		w.trashAll()
		w.drained()
	})
}

// notThere makes an absent version an absent entry.
func notThere(err error) error {
	if err == errNoVersion {
		return errNotFound
	}
	return err
}

// A thousand files are replaced in a few statements.
func TestReplaceIsShort(t *testing.T) {
	d, work := dbtest.CountedSQLite(t)
	w := newWorld(t, d)
	for round := range 2 {
		u := w.NewUpload(ada)
		u.Replace = true
		for i := range MaxFiles {
			if err := u.Add(t.Context(), fmt.Sprint(i), "text/plain", strings.NewReader(pattern(2000))); err != nil {
				t.Fatal(err)
			}
		}
		before := work()
		entries, err := u.Publish(context.Background(), "")
		if err != nil || len(entries) != MaxFiles {
			t.Fatal(len(entries), err)
		}
		done := work().Less(before)
		t.Logf("round %d: %d steps of %d statements", round, done.Steps, done.Runs)
		if done.Runs > 3*MaxFiles/20 || done.Steps > 500_000 {
			t.Errorf("round %d: %d steps of %d statements in one transaction", round, done.Steps, done.Runs)
		}
	}
	if n := w.rows("file_versions"); n != MaxFiles {
		t.Errorf("%d versions", n)
	}
}
