package file

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/blob"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/picture"
)

// photo returns a JPEG whose bytes differ for each seed.
func photo(t testing.TB, width, height, seed int) string {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.Set(x, y, color.RGBA{uint8(x + seed), uint8(y), uint8(x * y), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// drawn returns a file's thumbnail, and wants that it is a WebP of that size.
func (w *world) drawn(id string, width, height int) []byte {
	w.t.Helper()
	a := w.call(ada, "GET", "/files/"+id+"/thumbnail", nil)
	if a.StatusCode != http.StatusOK {
		w.t.Fatalf("thumbnail: %d %s", a.StatusCode, a.body)
	}
	info, err := picture.Probe(bytes.NewReader(a.body))
	if err != nil || info.Format != picture.WebP || info.Width != width || info.Height != height {
		w.t.Errorf("the thumbnail is %+v, %v; want %d by %d", info, err, width, height)
	}
	return a.body
}

// has returns whether each of these files is said to have a thumbnail, wherever the server
// shows it.
func (w *world) has(e Entry) bool {
	w.t.Helper()
	var got Entry
	w.call(ada, "GET", "/files/"+e.ID, nil).json(w.t, &got)
	folder := ""
	if e.Parent != nil {
		folder = *e.Parent
	}
	said := []bool{got.Thumbnail}
	for _, sort := range []string{"name", "-modified", "size"} {
		entries, _, err := w.List(context.Background(), ada, folder, sort, "", 100)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, other := range entries {
			if other.ID == e.ID {
				said = append(said, other.Thumbnail)
			}
		}
	}
	found, _, err := w.Locate(context.Background(), ada, "", []string{e.ID})
	if err != nil || len(found) != 1 || len(said) != 4 {
		w.t.Fatalf("found %+v, %v; listed %v", found, err, said)
	}
	if said = slices.Compact(append(said, found[0].Thumbnail)); len(said) != 1 {
		w.t.Fatalf("%s: a thumbnail is said to be there, and not", e.Name)
	}
	return said[0]
}

// A picture gets a thumbnail after its upload; what has its content has it at once, and it
// goes with the content.
func TestThumbnails(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		folder := w.mustFolder(ada, "", "pictures")
		e := w.mustUpload(ada, folder.ID, upFile{"photo", "image/jpeg", photo(t, 1200, 600, 1)})
		small := w.mustUpload(ada, folder.ID, upFile{"small.JPG", "application/octet-stream", photo(t, 30, 40, 2)})
		text := w.mustUpload(ada, folder.ID, upFile{"note.txt", "text/plain", "no picture"})
		false1 := w.mustUpload(ada, folder.ID, upFile{"false.png", "image/png", "no picture either"})
		for _, e := range []Entry{e, small, text, false1} {
			if e.Thumbnail || w.has(e) {
				t.Errorf("%s has a thumbnail before the job ran", e.Name)
			}
		}
		var told []string
		stop := d.Listen("feed", func(note string) { told = append(told, note) })
		w.below.RunJobs()
		stop()
		if want := string(ada) + " files " + folder.ID; len(told) == 0 || strings.Trim(strings.Join(told, ","), want+",") != "" || !slices.Contains(told, want) {
			t.Errorf("the feed was told %q", told)
		}
		for _, one := range []struct {
			e    Entry
			want bool
		}{{e, true}, {small, true}, {text, false}, {false1, false}, {folder, false}} {
			if w.has(one.e) != one.want {
				t.Errorf("%s: thumbnail %v", one.e.Name, !one.want)
			}
			if got := w.call(ada, "GET", "/files/"+one.e.ID+"/thumbnail", nil); !one.want && got.problem(t) != "Not Found no_thumbnail" {
				t.Errorf("%s: %s", one.e.Name, got.body)
			}
			if got := w.call(bob, "GET", "/files/"+one.e.ID+"/thumbnail", nil).problem(t); got != "Not Found not_found" {
				t.Errorf("%s, of another: %s", one.e.Name, got)
			}
		}
		w.drawn(small.ID, 30, 40)
		webp := w.drawn(e.ID, 512, 256)
		if door, etag, err := w.Thumbnail(t.Context(), ada, e.ID); err != nil || !bytes.Equal(door, webp) || etag == "" {
			t.Errorf("the door: %d bytes, %q, %v", len(door), etag, err)
		}
		var sealed []byte
		if err := d.QueryRow(t.Context(), `SELECT picture FROM thumbnails WHERE blob = (SELECT blob FROM files WHERE id = $1)`, e.ID).Scan(&sealed); err != nil || bytes.Contains(sealed, webp[20:60]) {
			t.Errorf("the thumbnail stands in clear: %v", err)
		}

		// A copy and a restored version have the content, and so its thumbnail.
		duplicate, err := w.Copy(t.Context(), ada, e.ID, Place{})
		if err != nil || !duplicate.Thumbnail || !w.has(duplicate) {
			t.Fatalf("the copy is %+v, %v", duplicate, err)
		}
		if replaced := w.replaceFile(folder.ID, "photo", "a text"); replaced.ID != e.ID || replaced.Thumbnail || w.has(replaced) {
			t.Errorf("replaced is %+v", replaced)
		}
		versions, _ := w.versionsOf(e.ID)
		restored, err := w.RestoreVersion(t.Context(), ada, e.ID, versions[0].ID)
		if err != nil || !restored.Thumbnail || !w.has(restored) || !bytes.Equal(w.drawn(e.ID, 512, 256), webp) {
			t.Errorf("restored is %+v, %v", restored, err)
		}

		// In the trash it is the trash's.
		w.trash(e)
		if items := w.inTrash(); len(items) != 1 || !items[0].Thumbnail {
			t.Errorf("the trash holds %+v", items)
		}
		if got := w.call(ada, "GET", "/files/"+e.ID+"/thumbnail", nil).problem(t); got != "Not Found not_found" {
			t.Errorf("in the trash: %s", got)
		}
		if got := w.call(ada, "GET", "/trash/"+e.ID+"/thumbnail", nil); !bytes.Equal(got.body, webp) {
			t.Errorf("from the trash: %d %s", got.StatusCode, got.body)
		}
		for _, path := range []string{"/trash/" + small.ID, "/trash/x"} {
			if got := w.call(ada, "GET", path+"/thumbnail", nil).problem(t); got != "Not Found not_found" {
				t.Errorf("%s: %s", path, got)
			}
		}
		if got := w.call(bob, "GET", "/trash/"+e.ID+"/thumbnail", nil).problem(t); got != "Not Found not_found" {
			t.Errorf("from another's trash: %s", got)
		}
		w.mustRestore(e.ID)

		// The last reference takes it along.
		for i, one := range []Entry{e, duplicate} {
			if err := w.Delete(t.Context(), ada, one.ID); err != nil {
				t.Fatal(err)
			}
			w.below.RunJobs()
			if n := w.rows("thumbnails"); n != int64(3-i) { // false.png's, small.JPG's
				t.Errorf("%d rows of thumbnails after %d deletions", n, i+1)
			}
		}
		if err := w.forget(ada); err != nil {
			t.Fatal(err)
		}
		w.drained()
	})
}

// A browser gets a thumbnail with the headers of a content, and its cache never shows an old picture.
func TestThumbnailIsServed(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	e := w.mustUpload(ada, "", upFile{"photo.jpg", "", photo(t, 100, 100, 1)})
	w.below.RunJobs()
	path := "/files/" + e.ID + "/thumbnail"
	a := w.call(ada, "GET", path, nil)
	etag := a.Header.Get("ETag")
	for name, want := range map[string]string{
		"Content-Type": "image/webp", "Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff",
		"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "private, no-cache",
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if a := w.call(ada, "HEAD", path, nil); a.StatusCode != http.StatusOK || len(a.body) > 0 || a.Header.Get("ETag") != etag || a.Header.Get("Content-Length") == "" {
		t.Errorf("HEAD: %d %v", a.StatusCode, a.Header)
	}
	for name, tc := range map[string]struct {
		query  string
		header []string
		status int
		cache  string
	}{
		"the same":      {"", []string{"If-None-Match", etag}, http.StatusNotModified, "private, no-cache"},
		"another":       {"", []string{"If-None-Match", `"x"`}, http.StatusOK, "private, no-cache"},
		"any":           {"", []string{"If-None-Match", "*"}, http.StatusNotModified, "private, no-cache"},
		"of several":    {"", []string{"If-None-Match", `"x", W/` + etag}, http.StatusNotModified, "private, no-cache"},
		"a range":       {"", []string{"Range", "bytes=1-2"}, http.StatusOK, "private, no-cache"},
		"the content's": {"?v=" + e.SHA256, nil, http.StatusOK, "private, max-age=86400, immutable"},
		"an older one":  {"?v=" + strings.Repeat("0", 64), nil, http.StatusOK, "private, no-cache"},
	} {
		if a := w.call(ada, "GET", path+tc.query, nil, tc.header...); a.StatusCode != tc.status || a.Header.Get("Cache-Control") != tc.cache || a.Header.Get("ETag") != etag || (len(a.body) == 0) != (tc.status == http.StatusNotModified) {
			t.Errorf("%s: %d %v", name, a.StatusCode, a.Header)
		}
	}
	w.replaceFile("", "photo.jpg", photo(t, 100, 100, 2))
	w.below.RunJobs()
	if a := w.call(ada, "GET", path+"?v="+e.SHA256, nil, "If-None-Match", etag); a.StatusCode != http.StatusOK || a.Header.Get("Cache-Control") != "private, no-cache" {
		t.Errorf("another content: %d %v", a.StatusCode, a.Header)
	}
}

// A thumbnail opens for its object alone, and for its owner.
func TestThumbnailIsBound(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	var paths []string
	for i := range 2 {
		e := w.mustUpload(ada, "", upFile{"photo.jpg", "", photo(t, 100, 100, i)})
		paths = append(paths, "/files/"+e.ID+"/thumbnail")
	}
	w.below.RunJobs()
	if _, err := w.DB.Exec(t.Context(), `UPDATE thumbnails SET picture = (SELECT MIN(picture) FROM thumbnails)`); err != nil {
		t.Fatal(err)
	}
	good := 0
	for _, path := range paths {
		if a := w.call(ada, "GET", path, nil); a.StatusCode == http.StatusOK {
			good++
		} else if a.StatusCode != http.StatusInternalServerError {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	}
	if good != 1 {
		t.Errorf("%d thumbnails open, want the one in its own row", good)
	}
}

// Pictures that were there before the job, or whose job was given up, get theirs from the
// periodic work, and content that is no picture is tried once.
func TestThumbnailsOfBefore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var all []Entry
		for i := range drawMost + 3 { // more than one run of the job
			all = append(all, w.mustUpload(ada, "", upFile{"photo.jpg", "", photo(t, 8, 8, i)}))
		}
		w.mustUpload(ada, "", upFile{"false.jpg", "image/jpeg", "no picture"})
		w.mustUpload(ada, "", upFile{"big.jpg", "", "x" + strings.Repeat("\x00", thumbnailSource)})
		if _, err := d.Exec(t.Context(), `DELETE FROM jobs WHERE kind = $1`, thumbnailJob); err != nil {
			t.Fatal(err)
		}
		w.mustUpload(bob, "", upFile{"other.jpg", "", photo(t, 8, 8, 99)})
		w.below.RunJobs()
		if n := w.rows("thumbnails"); n != 1 {
			t.Fatalf("%d rows, want bob's", n)
		}
		for round, want := range []string{"the jobs of two", "nothing"} {
			if err := w.drawAll(t.Context()); err != nil {
				t.Fatal(err)
			}
			if ran := w.below.RunJobs(); (ran > 0) != (round == 0) {
				t.Errorf("round %d ran %d jobs, want %s", round, ran, want)
			}
		}
		for _, e := range all {
			if !w.has(e) {
				t.Errorf("%s has no thumbnail", e.Name)
			}
		}
		if n := w.rows("thumbnails"); n != int64(len(all)+2) { // and false.jpg's, bob's
			t.Errorf("%d rows", n)
		}
		// An account that changed is looked at again, and nothing in it is tried twice.
		w.mustFolder(ada, "", "folder")
		if err := w.drawAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		if ran := w.below.RunJobs(); ran != 1 {
			t.Errorf("%d jobs", ran)
		}
		if _, err := d.Exec(t.Context(), `DELETE FROM thumbnail_marks`); err != nil {
			t.Fatal(err)
		}
		if rows, err := w.nextPictures(t.Context(), ada); err != nil || len(rows) != 0 {
			t.Errorf("%d files are to be tried again, %v", len(rows), err)
		}
	})
}

// A store that does not answer delays thumbnails, and a lost content holds up no other.
func TestThumbnailOfBrokenStore(t *testing.T) {
	root, err := blob.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	store := &unreliable{Store: root}
	w := newWorldOn(t, dbtest.SQLite(t), store)
	lost := w.mustUpload(ada, "", upFile{"lost.jpg", "", photo(t, 600, 600, 1)})
	good := w.mustUpload(ada, "", upFile{"good.jpg", "", photo(t, 600, 600, 2)})
	if err := store.Delete(t.Context(), w.objects()[0]); err != nil {
		t.Fatal(err)
	}
	store.down = true
	if worked, err := w.below.Jobs.Step(t.Context()); !worked || !errors.Is(err, blob.ErrUnavailable) {
		t.Fatalf("the job: %v, %v", worked, err)
	}
	store.down = false
	w.below.Advance(time.Minute)
	w.below.RunJobs()
	if w.has(lost) == w.has(good) || w.rows("thumbnails") != 1 {
		t.Errorf("lost %v, good %v, %d rows", w.has(lost), w.has(good), w.rows("thumbnails"))
	}
}

// unreliable is a store that can be away.
type unreliable struct {
	blob.Store
	down bool
}

func (u *unreliable) Get(ctx context.Context, id string, off, n int64) (io.ReadCloser, int64, error) {
	if u.down {
		return nil, 0, blob.ErrUnavailable
	}
	return u.Store.Get(ctx, id, off, n)
}

// A picture that is deleted while the job draws it leaves no thumbnail behind.
func TestThumbnailOfDeleted(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		e := w.mustUpload(ada, "", upFile{"photo.jpg", "", photo(t, 40, 40, 1)})
		rows, err := w.nextPictures(t.Context(), ada)
		if err != nil || len(rows) != 1 {
			t.Fatalf("%d pictures, %v", len(rows), err)
		}
		webp, err := w.drawContent(t.Context(), ada, rows[0])
		if err != nil || webp == nil {
			t.Fatalf("%d bytes, %v", len(webp), err)
		}
		if err := w.Delete(t.Context(), ada, e.ID); err != nil {
			t.Fatal(err)
		}
		if err := w.keepThumbnail(t.Context(), ada, rows[0], webp, false); err != nil || w.rows("thumbnails") != 0 {
			t.Errorf("%v, %d thumbnails", err, w.rows("thumbnails"))
		}
		if err := w.drawOne(t.Context(), ada, rows[0]); err != nil || w.rows("thumbnails") != 0 {
			t.Errorf("%v, %d thumbnails of a content that is lost", err, w.rows("thumbnails"))
		}
		if err := w.forget(ada); err != nil {
			t.Fatal(err)
		}
		w.drained()
	})
}
