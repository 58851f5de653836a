package file

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/zipstream"
)

// zipped fetches an archive and opens it: its name, and contents by path, folders as "".
func (a answer) zipped(t testing.TB) (name string, all map[string]string) {
	t.Helper()
	if a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "application/zip" || a.Header.Get("Cache-Control") != "private, no-store" {
		t.Fatalf("%d %v %s", a.StatusCode, a.Header, a.body)
	}
	_, params, err := mime.ParseMediaType(a.Header.Get("Content-Disposition"))
	if err != nil {
		t.Fatal(err)
	}
	return params["filename"], unzip(t, a.body)
}

func chosen(ids ...string) map[string][]string { return map[string][]string{"ids": ids} }

func TestArchive(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		large := strings.Repeat("otters ", 30_000)
		papers := w.mustFolder(ada, "", "Päpers")
		deep := w.mustFolder(ada, papers.ID, "deep")
		w.mustFolder(ada, papers.ID, "empty")
		w.mustUpload(ada, papers.ID, upFile{"zero", "", ""})
		w.mustUpload(ada, deep.ID, upFile{"naïve 日本.txt", "text/plain", "small"})
		w.mustUpload(ada, deep.ID, upFile{"large", "", large})
		aux := w.mustUpload(ada, "", upFile{"aux.txt", "", "device"})
		w.mustUpload(ada, "", upFile{"not chosen", "", "x"})

		inside := map[string]string{"Päpers/": "", "Päpers/deep/": "", "Päpers/empty/": "", "Päpers/zero": "", "Päpers/deep/naïve 日本.txt": "small", "Päpers/deep/large": large}
		name, all := w.call(ada, "GET", "/files/"+papers.ID+"/archive", nil).zipped(t)
		if diff := cmp.Diff(inside, all); diff != "" || name != "Päpers.zip" {
			t.Errorf("%q %s", name, diff)
		}
		// A selection: each once, at the top, under names that every system takes.
		name, all = w.call(ada, "POST", "/files/archive", chosen(deep.ID, aux.ID, deep.ID)).zipped(t)
		want := map[string]string{"deep/": "", "deep/naïve 日本.txt": "small", "deep/large": large, "_aux.txt": "device"}
		if diff := cmp.Diff(want, all); diff != "" || name != "Coffer.zip" {
			t.Errorf("%q %s", name, diff)
		}
		name, all = w.call(ada, "GET", "/files/"+aux.ID+"/archive", nil).zipped(t)
		if diff := cmp.Diff(map[string]string{"_aux.txt": "device"}, all); diff != "" || name != "_aux.txt.zip" {
			t.Errorf("%q %s", name, diff)
		}
		if a := w.call(ada, "HEAD", "/files/"+papers.ID+"/archive", nil); a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "application/zip" || len(a.body) != 0 {
			t.Errorf("HEAD: %d %v", a.StatusCode, a.Header)
		}

		// The server refuses a choice with an absent or foreign entry before the first byte.
		many := make([]string, 1001)
		for i := range many {
			many[i] = papers.ID
		}
		if err := w.Delete(t.Context(), ada, deep.ID); err != nil {
			t.Fatal(err)
		}
		binned := w.mustFolder(ada, "", "binned")
		below := w.mustUpload(ada, binned.ID, upFile{"below", "", "x"})
		if err := w.Trash(t.Context(), ada, binned.ID); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name, want string
			got        answer
		}{
			{"another's folder", "Not Found not_found", w.call(bob, "GET", "/files/"+papers.ID+"/archive", nil)},
			{"a deleted folder", "Not Found not_found", w.call(ada, "GET", "/files/"+deep.ID+"/archive", nil)},
			{"another's among mine", "Not Found not_found", w.call(bob, "POST", "/files/archive", chosen(w.mustFolder(bob, "", "mine").ID, papers.ID))},
			{"a deleted one among others", "Not Found not_found", w.call(ada, "POST", "/files/archive", chosen(papers.ID, deep.ID))},
			{"one in the trash", "Not Found not_found", w.call(ada, "GET", "/files/"+binned.ID+"/archive", nil)},
			{"one below the trash", "Not Found not_found", w.call(ada, "POST", "/files/archive", chosen(papers.ID, below.ID))},
			{"no id", "Not Found not_found", w.call(ada, "GET", "/files/%00%ff'--/archive", nil)},
			{"nothing chosen", "Unprocessable Entity validation_failed /ids:too_few", w.call(ada, "POST", "/files/archive", `{"ids":[]}`)},
			{"too many", "Unprocessable Entity validation_failed /ids:too_many", w.call(ada, "POST", "/files/archive", chosen(many...))},
			{"no body", "Unsupported Media Type unsupported_media_type", w.call(ada, "POST", "/files/archive", nil)},
			{"unknown names", "Bad Request invalid_json /all:unknown_field", w.call(ada, "POST", "/files/archive", `{"ids":["a"],"all":true}`)},
		} {
			if got := c.got.problem(t); got != c.want || c.got.Header.Get("Content-Disposition") != "" {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
		}
		// The archive of a folder leaves out a deleted folder and all entries below it.
		delete(inside, "Päpers/deep/")
		delete(inside, "Päpers/deep/naïve 日本.txt")
		delete(inside, "Päpers/deep/large")
		if _, all := w.call(ada, "GET", "/files/"+papers.ID+"/archive", nil).zipped(t); !cmp.Equal(inside, all) {
			t.Error(cmp.Diff(inside, all))
		}
	})
}

// TestArchiveBreaksOff: an archive whose store fails on the way has no end, and its
// connection breaks. Before the first byte it is a refusal.
func TestArchiveBreaksOff(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	papers := w.mustFolder(ada, "", "papers")
	w.mustUpload(ada, papers.ID, upFile{"small", "", "otters"})
	w.mustUpload(ada, papers.ID, upFile{"large", "", strings.Repeat("otters ", 30_000)})
	objects, err := filepath.Glob(filepath.Join(w.blobs, "*", "*"))
	if err != nil || len(objects) != 1 {
		t.Fatalf("%d objects: %v", len(objects), err)
	}
	raw, err := os.ReadFile(objects[0])
	if err != nil {
		t.Fatal(err)
	}
	alter := func(at int) {
		t.Helper()
		altered := bytes.Clone(raw)
		altered[at] ^= 1
		if err := errors.Join(os.Chmod(objects[0], 0o600), os.WriteFile(objects[0], altered, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for _, at := range []int{len(raw) - 1, 100} { // in the last segment: the first ones are sent
		alter(at)
		req, err := http.NewRequestWithContext(t.Context(), "GET", w.http.URL+"/v1/files/"+papers.ID+"/archive", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", string(ada))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		got, err := io.ReadAll(res.Body)
		if res.StatusCode == http.StatusOK && err == nil {
			t.Errorf("byte %d altered: the download of %d bytes ends well", at, len(got))
		}
		if _, err := zip.NewReader(bytes.NewReader(got), int64(len(got))); err == nil {
			t.Errorf("byte %d altered: a broken archive opens", at)
		}
	}
	if err := os.Remove(objects[0]); err != nil {
		t.Fatal(err)
	}
	large := w.call(ada, "GET", "/files?parent="+papers.ID+"&sort=-size", nil)
	var page struct{ Items []Entry }
	large.json(t, &page)
	if got := w.call(ada, "GET", "/files/"+page.Items[0].ID+"/archive", nil); got.StatusCode != http.StatusInternalServerError || got.Header.Get("Content-Disposition") != "" {
		t.Errorf("a lost content alone: %d %v", got.StatusCode, got.Header)
	}
}

// TestArchiveWithoutRoom: when zips keep all that they may, an archive is refused before its
// first byte; it comes again when one of them has ended.
func TestArchiveWithoutRoom(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	papers := w.mustFolder(ada, "", "papers")
	w.mustUpload(ada, papers.ID, upFile{"small", "", "otters"})
	other, err := zipstream.New(io.Discard, string(ada))
	defer other.Free()
	for n := 64 << 20; n > 0 && err == nil; n /= 2 {
		for other.Hold(n) == nil {
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	got := w.call(ada, "GET", "/files/"+papers.ID+"/archive", nil)
	if got.problem(t) != "Service Unavailable busy" || got.Header.Get("Retry-After") == "" || got.Header.Get("Content-Disposition") != "" {
		t.Errorf("%d %v %s", got.StatusCode, got.Header, got.body)
	}
	mine := w.mustFolder(bob, "", "mine")
	w.call(bob, "GET", "/files/"+mine.ID+"/archive", nil).zipped(t)
	other.Free()
	w.call(ada, "GET", "/files/"+papers.ID+"/archive", nil).zipped(t)
}

// BenchmarkArchive is the archive of a folder of many small files.
func BenchmarkArchive(b *testing.B) {
	w := newWorld(b, dbtest.SQLite(b))
	papers := w.mustFolder(ada, "", "papers")
	const files = 10_000
	for done := 0; done < files; {
		batch := make([]upFile, 1000)
		for i := range batch {
			batch[i] = upFile{fmt.Sprintf("file %07d.txt", done), "", "otters"}
			done++
		}
		if a := w.upload(ada, papers.ID, batch...); a.StatusCode != http.StatusCreated {
			b.Fatalf("%d %s", a.StatusCode, a.body)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		w.fetch(b, "/v1/files/"+papers.ID+"/archive", nil)
	}
	b.ReportMetric(float64(files)*float64(b.N)/b.Elapsed().Seconds(), "files/s")
}
