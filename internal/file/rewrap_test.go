package file

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/keyring"
)

// rotateAndWalk replaces the blob key, takes every walk to its end, and returns the old key's id.
func (w *world) rotateAndWalk() (old string) {
	w.t.Helper()
	ctx := w.t.Context()
	key, err := w.Ring.Active(ctx, keyring.Blob)
	if err == nil {
		_, err = w.Ring.Rotate(ctx, keyring.Blob)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.below.Advance(keyring.Settle + time.Minute)
	if err := w.Ring.RewrapAll(ctx, w.Ring.Rewraps(), nil); err != nil {
		w.t.Fatal(err)
	}
	return key.ID
}

func TestRewrap(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var all []Entry
		for i := range 3 {
			all = append(all, w.mustUpload(ada, "", upFile{"f", "", strings.Repeat("x", i)}))
		}
		old := w.rotateAndWalk()
		if err := w.Ring.Destroy(t.Context(), keyring.Blob, old); err != nil {
			t.Fatal(err)
		}
		for i, e := range all {
			if a := w.call(ada, "GET", "/files/"+e.ID+"/content", nil); a.StatusCode != http.StatusOK || len(a.body) != i {
				t.Errorf("after the old key is gone: %d %s", a.StatusCode, a.body)
			}
		}
	})
}

// A damaged key of one object holds up neither the walk nor the end of the old key.
func TestRewrapGoesPastDamage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var all []Entry
		for range 3 {
			all = append(all, w.mustUpload(ada, "", upFile{"f", "", "xyz"}))
		}
		if _, err := d.Exec(t.Context(), `UPDATE blobs SET wrapped = (SELECT wrapped FROM blobs ORDER BY id DESC LIMIT 1) WHERE id = (SELECT MIN(id) FROM blobs)`); err != nil {
			t.Fatal(err)
		}
		old := w.rotateAndWalk()
		if n, err := w.Ring.Damaged(t.Context()); n != 1 || err != nil {
			t.Errorf("Damaged = %d, %v, want 1", n, err)
		}
		if err := w.Ring.Destroy(t.Context(), keyring.Blob, old); err != nil {
			t.Fatal(err)
		}
		opened := 0
		for _, e := range all {
			if a := w.call(ada, "GET", "/files/"+e.ID+"/content", nil); a.StatusCode == http.StatusOK {
				opened++
			}
		}
		if opened != 2 {
			t.Errorf("%d of 2 undamaged files open without the old key", opened)
		}
	})
}

// A small file waits in its upload while others of the form come in. A rotation that ends
// meanwhile leaves no key of it behind.
func TestRotationDuringAnUpload(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		u := w.NewUpload(ada)
		if err := u.Add(ctx, "small", "text/plain", strings.NewReader("small")); err != nil {
			t.Fatal(err)
		}
		old := w.rotateAndWalk()
		entries, err := u.Publish(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Ring.Destroy(ctx, keyring.Blob, old); err != nil {
			t.Fatal(err)
		}
		if a := w.call(ada, "GET", "/files/"+entries[0].ID+"/content", nil); a.StatusCode != http.StatusOK {
			t.Errorf("after the old key is gone: %d %s", a.StatusCode, a.body)
		}
	})
}
