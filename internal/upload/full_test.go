package upload

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coffer/internal/blob"
	"coffer/internal/blob/blobtest"
	"coffer/internal/db/dbtest"
)

// A disk that is full: an upload in one request leaves nothing, a resumable one keeps what it
// acknowledged, and both go on when there is room again.
func TestFullDisk(t *testing.T) {
	disk := blobtest.SmallDisk(t, "12")
	store, err := blob.OpenDir(filepath.Join(disk, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, make([]byte, 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, dbtest.SQLite(t))
	w.Contents.Blobs = store
	post := func(text string) answer {
		t.Helper()
		var b bytes.Buffer
		form := multipart.NewWriter(&b)
		part, err := form.CreateFormFile("file", "form")
		if err == nil {
			_, err = part.Write([]byte(text))
		}
		if err != nil || form.Close() != nil {
			t.Fatal(err)
		}
		return w.on(0, ada, "POST", "/files", &b, "Content-Type", form.FormDataContentType())
	}
	whole := pattern(6 << 20)
	if a := post(whole); a.StatusCode < 500 {
		t.Errorf("more than the disk holds: %d %s", a.StatusCode, a.body)
	}
	w.below.RunJobs()
	w.empty()

	path := w.begin(len(whole))
	if a := w.patch(path, 0, whole[:2<<20]); a.StatusCode != http.StatusNoContent {
		t.Fatalf("the first bytes: %d %s", a.StatusCode, a.body)
	}
	if a := w.patch(path, 2<<20, whole[2<<20:]); a.StatusCode < 500 {
		t.Errorf("on a full disk: %d %s", a.StatusCode, a.body)
	}
	at := w.offset(path)
	if at < 2<<20 || at >= len(whole) {
		t.Fatalf("the upload is at %d", at)
	}
	if u, err := w.Contents.Usage(t.Context(), w.DB, ada); err != nil || u.Reserved != int64(len(whole)) {
		t.Errorf("%+v, %v", u, err)
	}
	if a := post("small"); a.StatusCode != http.StatusCreated {
		t.Errorf("what SQL takes: %d %s", a.StatusCode, a.body)
	}

	if err := os.Remove(filler); err != nil { // there is room again
		t.Fatal(err)
	}
	a := w.patch(path, at, whole[at:])
	if id := a.Header.Get("Coffer-File"); id == "" || w.content(id) != whole {
		t.Errorf("the rest: %d %s", a.StatusCode, a.body)
	}
	if got := strings.Join(w.names(), " "); got != "a.bin form" {
		t.Errorf("files %s", got)
	}
}
