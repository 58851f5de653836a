package file

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"coffer/internal/blob"
	"coffer/internal/blob/blobtest"
	"coffer/internal/db/dbtest"
)

// TestS3CutMidway: the wire to the store is cut in the middle of an upload. The request is
// refused and leaves nothing, and the next one is whole.
func TestS3CutMidway(t *testing.T) {
	at, err := url.Parse(blobtest.S3URL(t))
	if err != nil {
		t.Fatal(err)
	}
	wire := dbtest.NewProxy(t, at.Host)
	at.Host = wire.Addr()
	store, err := blob.OpenS3(t.Context(), at.String())
	if err != nil {
		t.Fatal(err)
	}
	w := newWorldOn(t, dbtest.SQLite(t), store)
	body, contentType := formOf(t, nil, upFile{"large", "", pattern(20 << 20)})
	whole, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	cut := false
	rest := readFunc(func(p []byte) (int, error) {
		if !cut { // what was sent before has gone to the store, or is on its way
			cut = true
			wire.Cut()
		}
		return 0, io.EOF
	})
	half := 18 << 20 // behind the first part of S3's own
	a := w.call(ada, "POST", "/files", io.MultiReader(strings.NewReader(string(whole[:half])), rest, strings.NewReader(string(whole[half:]))), "Content-Type", contentType)
	if a.StatusCode != http.StatusServiceUnavailable || !cut {
		t.Errorf("cut in the middle: %d %s", a.StatusCode, a.body)
	}
	if u := w.usage(ada); u.Bytes != 0 || u.Files != 0 || len(w.names(ada, "", "name")) != 0 {
		t.Errorf("a cut upload leaves %+v", u)
	}
	wire.Restore(t)
	e := w.mustUpload(ada, "", upFile{"large", "", pattern(1 << 20)})
	if w.content(e.ID) != pattern(1<<20) {
		t.Error("the next one is another content")
	}
	w.below.Advance(2 * time.Hour)
	if err := w.Contents.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.below.RunJobs()
	if blobs, objects := w.rows("blobs"), len(w.objects()); blobs != 1 || objects != 1 {
		t.Errorf("%d blobs and %d objects are left", blobs, objects)
	}
}
