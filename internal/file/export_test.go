package file

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/account"
	"coffer/internal/blob"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// archive exports an account and opens the zip: contents by path, folders as "".
func (w *world) archive(who account.ID) map[string]string {
	w.t.Helper()
	var b bytes.Buffer
	if err := w.below.Accounts.Export(w.t.Context(), who, &b); err != nil {
		w.t.Fatal(err)
	}
	return unzip(w.t, b.Bytes())
}

func unzip(t testing.TB, b []byte) map[string]string {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range r.File {
		body, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(body)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if _, twice := all[f.Name]; twice {
			t.Errorf("%s stands twice", f.Name)
		}
		all[f.Name] = string(content)
	}
	return all
}

// listed returns what files.json says: unreadable by path.
func listed(t testing.TB, all map[string]string) map[string]bool {
	t.Helper()
	var lines []exportedEntry
	if err := json.Unmarshal([]byte(all["files.json"]), &lines); err != nil {
		t.Fatalf("%v in %q", err, all["files.json"])
	}
	out := map[string]bool{}
	for _, l := range lines {
		out[l.Path] = l.Unreadable
	}
	return out
}

func TestExport(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		zoe := w.below.Join("zoe")
		if got := listed(t, w.archive(zoe)); len(got) != 0 {
			t.Errorf("an empty account lists %v", got)
		}
		large := strings.Repeat("otters ", 30_000)
		papers := w.mustFolder(zoe, "", "papers")
		old := w.mustFolder(zoe, "", "old")
		inOld := w.mustFolder(zoe, old.ID, "in")
		binned := w.mustUpload(zoe, inOld.ID, upFile{"binned", "", "was here"})
		gone := w.mustUpload(zoe, "", upFile{"gone", "", "for good"})
		w.mustFolder(zoe, papers.ID, "empty")
		w.mustUpload(zoe, "", upFile{"zero", "", ""})
		w.mustUpload(zoe, papers.ID, upFile{"naïve 日本.txt", "text/plain", "small"})
		w.mustUpload(zoe, papers.ID, upFile{"large", "", large})
		w.mustUpload(ada, "", upFile{"not yours", "", "ada's"})
		first := w.mustUpload(zoe, papers.ID, upFile{"kept", "text/plain", "one"})
		for _, later := range []string{"two", large + "!"} {
			w.below.Advance(time.Hour)
			w.replace(zoe, papers.ID, upFile{"kept", "text/plain", later})
		}
		w.replace(zoe, inOld.ID, upFile{"binned", "", "is in the trash"})
		for _, id := range []string{old.ID, gone.ID} {
			if err := w.Trash(t.Context(), zoe, id); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.DeleteTrashed(t.Context(), zoe, gone.ID); err != nil {
			t.Fatal(err)
		}
		all := w.archive(zoe)
		w.exportedTrash(all["trash.json"], old, inOld, binned)
		stored := first.ModifiedAt
		versions := map[string]string{
			"versions/kept/" + stored.Format("2006-01-02 15.04.05 ") + "kept":                "one",
			"versions/kept/" + stored.Add(time.Hour).Format("2006-01-02 15.04.05 ") + "kept": "two",
			"versions/binned/" + binned.ModifiedAt.Format("2006-01-02 15.04.05 ") + "binned": "was here",
		}
		w.exportedVersions(all["versions.json"], map[string]string{"versions/kept/": first.ID, "versions/binned/": binned.ID}, versions)
		for _, part := range []string{"account.json", "files.json", "trash.json", "versions.json", "index.html"} {
			if all[part] == "" {
				t.Errorf("no %s", part)
			}
			delete(all, part)
		}
		want := map[string]string{
			"files/papers/": "", "files/papers/empty/": "", "files/zero": "", "files/papers/naïve 日本.txt": "small", "files/papers/large": large,
			"files/papers/kept": large + "!", "trash/old/": "", "trash/old/in/": "", "trash/old/in/binned": "is in the trash",
		}
		maps.Copy(want, versions)
		if diff := cmp.Diff(want, all); diff != "" {
			t.Error(diff)
		}
	})
}

// replace uploads over a name.
func (w *world) replace(who account.ID, parent string, f upFile) {
	w.t.Helper()
	body, contentType := formOf(w.t, nil, f)
	if a := w.call(who, "POST", "/files?replace=true&parent="+parent, body, "Content-Type", contentType); a.StatusCode != http.StatusCreated {
		w.t.Fatalf("replace: %d %s", a.StatusCode, a.body)
	}
}

// exportedTrash checks the list of the trash, which has one folder with a folder and a file.
func (w *world) exportedTrash(list string, all ...Entry) {
	w.t.Helper()
	var lines []exportedEntry
	if err := json.Unmarshal([]byte(list), &lines); err != nil || len(lines) != len(all) {
		w.t.Fatalf("trash.json: %s %v", list, err)
	}
	path := "trash"
	for i, l := range lines {
		path += "/" + all[i].Name
		if l.Path != path || l.ID != all[i].ID || l.Unreadable || (l.DeletedAt != nil) != (i == 0) || (l.ExpiresAt != nil) != (i == 0) || (l.Origin != nil) != (i == 0) {
			w.t.Errorf("trash.json tells %+v", l)
		}
	}
}

// exportedVersions checks the list of versions: of which file each is, by the folder of its path.
func (w *world) exportedVersions(list string, files, contents map[string]string) {
	w.t.Helper()
	var lines []exportedVersion
	if err := json.Unmarshal([]byte(list), &lines); err != nil || len(lines) != len(contents) {
		w.t.Fatalf("versions.json: %s %v", list, err)
	}
	for _, l := range lines {
		folder := l.Path[:strings.LastIndexByte(l.Path, '/')+1]
		if text, ok := contents[l.Path]; !ok || l.File != files[folder] || l.Size != int64(len(text)) || l.Unreadable || l.SHA256 == "" || !l.ReplacedAt.After(l.StoredAt) {
			w.t.Errorf("versions.json tells %+v", l)
		}
	}
}

// TestExportUnreadable: what is lost or altered is named, and keeps nothing else back.
func TestExportUnreadable(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	zoe := w.below.Join("zoe")
	content := strings.Repeat("otters ", 30_000)
	lost := w.mustUpload(zoe, "", upFile{"lost", "", content})
	again := w.mustUpload(zoe, "", upFile{"again", "", content + "!"})
	w.replace(zoe, "", upFile{"again", "", "small"})
	if err := os.RemoveAll(w.blobs); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.Contents.Blobs, err = blob.OpenDir(w.blobs); err != nil {
		t.Fatal(err)
	}
	w.mustUpload(zoe, "", upFile{"altered", "", "small"})
	if _, err := w.DB.Exec(t.Context(), `UPDATE blob_contents SET content = x'00'`); err != nil {
		t.Fatal(err)
	}
	w.mustUpload(zoe, "", upFile{"whole", "", content})
	all := w.archive(zoe)
	if diff := cmp.Diff(map[string]bool{"files/lost": true, "files/again": true, "files/altered": true, "files/whole": false}, listed(t, all)); diff != "" {
		t.Error(diff)
	}
	var versions []exportedVersion
	if err := json.Unmarshal([]byte(all["versions.json"]), &versions); err != nil || len(versions) != 1 || !versions[0].Unreadable || versions[0].File != again.ID {
		t.Errorf("versions.json: %s %v", all["versions.json"], err)
	}
	if _, there := all["files/lost"]; there || all["files/whole"] != content {
		t.Errorf("the archive holds %d parts, %s of them", len(all), lost.ID)
	}
}

// TestExportBreaksOff: an archive whose store or receiver fails has no end.
func TestExportBreaksOff(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	zoe := w.below.Join("zoe")
	w.mustUpload(zoe, "", upFile{"large", "", strings.Repeat("otters ", 30_000)})
	objects, err := filepath.Glob(filepath.Join(w.blobs, "*", "*"))
	if err != nil || len(objects) != 1 {
		t.Fatalf("%d objects: %v", len(objects), err)
	}
	raw, err := os.ReadFile(objects[0])
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-1] ^= 1 // of the last segment: the first ones are sent
	if err := os.Chmod(objects[0], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(objects[0], raw, 0o600); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := w.below.Accounts.Export(t.Context(), zoe, &b); err == nil {
		t.Error("an altered end goes out as whole")
	}
	if _, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len())); err == nil {
		t.Error("an archive that broke off opens")
	}
	full := errors.New("full")
	if err := w.below.Accounts.Export(t.Context(), zoe, fullWriter{full}); !errors.Is(err, full) {
		t.Errorf("a receiver that takes nothing: %v", err)
	}
}

// fullWriter takes nothing.
type fullWriter struct{ err error }

func (w fullWriter) Write([]byte) (int, error) { return 0, w.err }

// TestArchiveNames: no name leads out of its folder, and each is free on systems that do
// not tell the cases apart.
func TestArchiveNames(t *testing.T) {
	taken := newSiblings()
	for _, c := range []struct{ name, want string }{
		{"a.txt", "a.txt"}, {"A.TXT", "A (1).TXT"}, {"a (1).txt", "a (1) (1).txt"}, {"a.txt", "a (2).txt"},
		{"..", "._"}, {".", "_"}, {"", "_ (1)"}, {`..\..\evil`, ".._.._evil"}, {"../evil", ".._evil"}, {"C:evil", "C_evil"},
		{"nul", "_nul"}, {"COM1.txt", "_COM1.txt"}, {"com¹", "_com¹"}, {"con .x", "_con .x"}, {"console", "console"},
		{"end.", "end_"}, {"end ", "end_ (1)"}, {"line\nbreak", "line_break"}, {`q?*"<>|`, "q______"},
	} {
		if got := taken.name(c.name, File); got != c.want {
			t.Errorf("%q becomes %q, want %q", c.name, got, c.want)
		}
	}
	// Many names that fall together cost what many names cost.
	same, seen := newSiblings(), map[string]bool{}
	for range 20_000 {
		seen[same.name("otters", File)] = true
	}
	if len(seen) != 20_000 || len(same.taken)+len(same.next) != 20_001 { // the names, and the next number
		t.Errorf("%d names of 20,000, %d kept", len(seen), len(same.taken)+len(same.next))
	}
}
