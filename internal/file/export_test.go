package file

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
		w.mustFolder(zoe, papers.ID, "empty")
		w.mustUpload(zoe, "", upFile{"zero", "", ""})
		w.mustUpload(zoe, papers.ID, upFile{"naïve 日本.txt", "text/plain", "small"})
		w.mustUpload(zoe, papers.ID, upFile{"large", "", large})
		w.mustUpload(ada, "", upFile{"not yours", "", "ada's"})
		all := w.archive(zoe)
		for _, part := range []string{"account.json", "files.json", "index.html"} {
			if all[part] == "" {
				t.Errorf("no %s", part)
			}
			delete(all, part)
		}
		want := map[string]string{
			"files/papers/": "", "files/papers/empty/": "", "files/zero": "", "files/papers/naïve 日本.txt": "small", "files/papers/large": large,
		}
		if diff := cmp.Diff(want, all); diff != "" {
			t.Error(diff)
		}
	})
}

// TestExportUnreadable: what is lost or altered is named, and keeps nothing else back.
func TestExportUnreadable(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	zoe := w.below.Join("zoe")
	content := strings.Repeat("otters ", 30_000)
	lost := w.mustUpload(zoe, "", upFile{"lost", "", content})
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
	if diff := cmp.Diff(map[string]bool{"files/lost": true, "files/altered": true, "files/whole": false}, listed(t, all)); diff != "" {
		t.Error(diff)
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
	taken := siblings{}
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
	same, seen := siblings{}, map[string]bool{}
	for range 20_000 {
		seen[same.name("otters", File)] = true
	}
	if len(seen) != 20_000 || len(same) != 20_001 { // the names, and the next number
		t.Errorf("%d names of 20,000, %d kept", len(seen), len(same))
	}
}
