package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// limitFiles gives ada a quota of files.
func (w *world) limitFiles(files int64) {
	w.t.Helper()
	if err := w.DB.Tx(w.t.Context(), func(tx *db.Tx) error { return w.Contents.SetQuota(w.t.Context(), tx, ada, nil, &files) }); err != nil {
		w.t.Fatal(err)
	}
}

// TestFoldersCount: folders stand beside the files in their quota, whichever way they come,
// and go with the last of what is below them.
func TestFoldersCount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		w.limitFiles(4)
		a := w.mustFolder(ada, "", "a")
		b := w.mustFolder(ada, a.ID, "b")
		w.mustUpload(ada, b.ID, upFile{"file", "", "x"})
		if u := w.usage(ada); u.Files != 1 || u.Folders != 2 {
			t.Errorf("%+v", u)
		}
		if _, err := w.Copy(ctx, ada, a.ID, Place{}); !errors.Is(err, content.ErrQuota) {
			t.Errorf("a copy of three for one place: %v", err)
		}
		// As many folders as have room, always.
		var made atomic.Int64
		var all sync.WaitGroup
		for i := range 6 {
			all.Go(func() {
				_, err := w.NewFolder(context.Background(), ada, "", fmt.Sprint(i))
				if err == nil {
					made.Add(1)
				} else if !errors.Is(err, content.ErrQuota) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if made.Load() != 1 {
			t.Errorf("%d folders have room for one", made.Load())
		}
		if got := w.call(ada, "POST", "/files/folders", `{"name":"one more"}`); got.problem(t) != "Request Entity Too Large quota_exceeded" {
			t.Errorf("%d %s", got.StatusCode, got.body)
		}
		if got := w.upload(ada, "", upFile{"one more", "", ""}); got.problem(t) != "Request Entity Too Large quota_exceeded" {
			t.Errorf("a file: %d %s", got.StatusCode, got.body)
		}
		// The trash counts. What goes for good makes room, also below a folder.
		w.trash(a)
		if u := w.usage(ada); u.Files != 1 || u.Folders != 3 {
			t.Errorf("in the trash: %+v", u)
		}
		if err := w.DeleteTrashed(ctx, ada, a.ID); err != nil {
			t.Fatal(err)
		}
		w.below.RunJobs()
		if u := w.usage(ada); u.Files != 0 || u.Folders != 1 {
			t.Errorf("deleted for good: %+v", u)
		}
		// A folder that a restore makes again needs room.
		c := w.mustFolder(ada, "", "c")
		f := w.mustUpload(ada, c.ID, upFile{"file", "", "x"})
		w.trash(f)
		if err := w.Delete(ctx, ada, c.ID); err != nil {
			t.Fatal(err)
		}
		w.limitFiles(2)
		if _, err := w.Restore(ctx, ada, f.ID); !errors.Is(err, content.ErrQuota) {
			t.Errorf("a restore that makes a folder: %v", err)
		}
		w.limitFiles(3)
		if _, err := w.Restore(ctx, ada, f.ID); err != nil {
			t.Error(err)
		}
		w.counted()
		// And the trash that is too old.
		w.trashAll()
		w.below.Advance(3000 * time.Hour)
		if err := w.purgeTrash(ctx); err != nil {
			t.Fatal(err)
		}
		w.below.RunJobs()
		if u := w.usage(ada); u.Files != 0 || u.Folders != 0 {
			t.Errorf("after the trash's time: %+v", u)
		}
	})
}

// TestReplaceAtTheQuota: at the quota of files a replacement passes that pushes the oldest
// version out, and no other.
func TestReplaceAtTheQuota(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.MaxVersions = 2
		replace := func(name, text string) answer {
			t.Helper()
			body, contentType := formOf(t, nil, upFile{name, "", text})
			return w.call(ada, "POST", "/files?replace=true", body, "Content-Type", contentType)
		}
		for _, text := range []string{"one", "two", strings.Repeat("three", 30_000)} {
			if a := replace("full", text); a.StatusCode != http.StatusCreated {
				t.Fatalf("%d %s", a.StatusCode, a.body)
			}
		}
		other := w.mustUpload(ada, "", upFile{"other", "", "x"})
		w.limitFiles(4)
		a := replace("full", "four")
		var got struct{ Items []Entry }
		if a.json(t, &got); a.StatusCode != http.StatusCreated || len(got.Items) != 1 {
			t.Fatalf("one that pushes a version out: %d %s", a.StatusCode, a.body)
		}
		all, contents := w.versionsOf(got.Items[0].ID)
		if len(all) != 2 || contents[0] != strings.Repeat("three", 30_000) || contents[1] != "two" {
			t.Errorf("%d versions: %.20q", len(all), contents)
		}
		if a := replace("other", "y"); a.problem(t) != "Request Entity Too Large quota_exceeded" || w.content(other.ID) != "x" {
			t.Errorf("one that needs another place: %d %s", a.StatusCode, a.body)
		}
		// One that is refused for bytes keeps the version that it would have pushed out.
		bytes, files := int64(len("four")+len("two")+len("x")+150_000+2), int64(4)
		if err := d.Tx(t.Context(), func(tx *db.Tx) error { return w.Contents.SetQuota(t.Context(), tx, ada, &bytes, &files) }); err != nil {
			t.Fatal(err)
		}
		if a := replace("full", strings.Repeat("five", 3)); a.problem(t) != "Request Entity Too Large quota_exceeded" {
			t.Errorf("beyond the bytes: %d %s", a.StatusCode, a.body)
		}
		if all, _ := w.versionsOf(got.Items[0].ID); len(all) != 2 {
			t.Errorf("%d versions are left", len(all))
		}
		w.counted()
	})
}

// TestHalfFormsShareTheQuota: requests that do not end reserve what they announce, to the byte,
// and no more than the quota. What breaks off gives it back. Other changes count as ever.
func TestHalfFormsShareTheQuota(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		const size, n, fit = 1_100_000, 12, 4
		most := int64(5_000_000)
		if err := d.Tx(ctx, func(tx *db.Tx) error { return w.Contents.SetQuota(ctx, tx, ada, &most, nil) }); err != nil {
			t.Fatal(err)
		}
		old := w.mustUpload(ada, "", upFile{"old", "", pattern(100_000)})
		form, contentType := formOf(t, nil, upFile{"half", "", pattern(size)})
		length, cut := form.Len(), form.Len()-1000
		ends, answers := make(chan bool, fit), make(chan int)
		for range n {
			tail := io.Reader(bytes.NewReader(form.Bytes()[cut:]))
			over := make(chan struct{}) // the server has answered
			waits := readFunc(func([]byte) (int, error) {
				whole := false
				select {
				case <-over:
				default:
					select {
					case <-over:
					case whole = <-ends:
					}
				}
				if !whole {
					return 0, errors.New("broken off")
				}
				return 0, io.EOF
			})
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.http.URL+"/v1/files", io.MultiReader(bytes.NewReader(form.Bytes()[:cut]), waits, tail))
			if err != nil {
				t.Fatal(err)
			}
			req.ContentLength = int64(length)
			req.Header.Set("Authorization", string(ada))
			req.Header.Set("Content-Type", contentType)
			go func() {
				resp, err := w.http.Client().Do(req)
				close(over)
				if err != nil {
					answers <- 0
					return
				}
				resp.Body.Close()
				answers <- resp.StatusCode
			}()
		}
		for range n - fit {
			if status := <-answers; status != http.StatusRequestEntityTooLarge {
				t.Errorf("one that has no room: %d", status)
			}
		}
		if u := w.usage(ada); u.Reserved != int64(fit*length) || u.Bytes != 100_000 {
			t.Errorf("%d of %d bytes are under way: %+v", fit, length, u)
		}
		if got := w.upload(ada, "", upFile{"beside", "", pattern(600_000)}); got.problem(t) != "Request Entity Too Large quota_exceeded" {
			t.Errorf("one more: %d %s", got.StatusCode, got.body)
		}
		w.mustUpload(ada, "", upFile{"beside", "", pattern(300_000)})
		if _, err := w.Copy(ctx, ada, old.ID, Place{}); err != nil {
			t.Error(err)
		}
		body, replaceType := formOf(t, nil, upFile{"beside", "", pattern(100_001)})
		if got := w.call(ada, "POST", "/files?replace=true", body, "Content-Type", replaceType); got.StatusCode != http.StatusCreated {
			t.Errorf("a version: %d %s", got.StatusCode, got.body)
		}
		w.trash(old)
		if u := w.usage(ada); u.Reserved != int64(fit*length) || u.Bytes != 100_000+300_000+100_001 || u.Files != 4 {
			t.Errorf("with a copy, a version and the trash beside: %+v", u)
		}
		for i := range fit {
			ends <- i%2 == 0
		}
		for range fit {
			if status := <-answers; status != http.StatusCreated && status != 0 {
				t.Errorf("one that had room: %d", status)
			}
		}
		for w.usage(ada).Reserved > 0 { // the server hears of the broken ones a little later
			time.Sleep(10 * time.Millisecond)
		}
		if u := w.usage(ada); u.Bytes != 500_001+fit/2*size {
			t.Errorf("in the end: %+v", u)
		}
		w.counted()
	})
}
