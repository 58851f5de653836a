package content

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
		var all []record
		for i := range 3 {
			all = append(all, w.mustStore(strings.Repeat("x", i), ""))
		}
		old := w.rotateAndWalk()
		if err := w.Ring.Destroy(t.Context(), keyring.Blob, old); err != nil {
			t.Fatal(err)
		}
		for i, e := range all {
			if a := w.call("GET", e.ID); a.StatusCode != http.StatusOK || len(a.body) != i {
				t.Errorf("after the old key is gone: %d %s", a.StatusCode, a.body)
			}
		}
	})
}

// A damaged key of one object holds up neither the walk nor the end of the old key.
func TestRewrapGoesPastDamage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var all []record
		for range 3 {
			all = append(all, w.mustStore("xyz", ""))
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
			if a := w.call("GET", e.ID); a.StatusCode == http.StatusOK {
				opened++
			}
		}
		if opened != 2 {
			t.Errorf("%d of 2 undamaged objects open without the old key", opened)
		}
	})
}

// A small object waits in its upload while others come in. A rotation that ends
// meanwhile leaves no key of it behind.
func TestRotationDuringAnUpload(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		u := w.NewUpload(ada)
		o, err := u.Store(ctx, strings.NewReader("small"))
		if err != nil {
			t.Fatal(err)
		}
		old := w.rotateAndWalk()
		if err := w.settle(u); err != nil {
			t.Fatal(err)
		}
		if err := w.Ring.Destroy(ctx, keyring.Blob, old); err != nil {
			t.Fatal(err)
		}
		if a := w.call("GET", w.keep(o, "").ID); a.StatusCode != http.StatusOK {
			t.Errorf("after the old key is gone: %d %s", a.StatusCode, a.body)
		}
	})
}
