package blob_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coffer/internal/blob"
	"coffer/internal/blob/blobtest"
)

// refusing is a store that cannot remove the objects of a kind.
type refusing struct {
	blob.Store
	stuck func(id string) bool
	away  error // of Ping
	asked int
}

func (r *refusing) Delete(ctx context.Context, id string) error {
	r.asked++
	if r.stuck(id) {
		return errors.New("operation not permitted")
	}
	return r.Store.Delete(ctx, id)
}

func (r *refusing) Ping(context.Context) error { return r.away }

// A walk removes what no record names and is old, in a folder or beside all folders, past a thousand
// objects that cannot be removed and come first. A store that is away ends it early.
func TestRemoveOrphans(t *testing.T) {
	root := t.TempDir()
	d := openDir(t, root)
	names := []string{}
	for i := range 1000 {
		names = append(names, fmt.Sprintf("00%04d", i))
	}
	kept := map[string]bool{"77aa": true, blob.Public("avatars", "77aa", "64"): true}
	for _, id := range append(names, "77aa", "77ab", blob.Public("avatars", "77aa", "64"), blob.Public("avatars", "77ab", "64"), blob.Public("avatars", "77ac", "64")) {
		path := filepath.Join(root, id[:2], id)
		if strings.Contains(id, "/") {
			path = filepath.Join(root, filepath.FromSlash(id))
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	young := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(root, "avatars", "77ac", "64.webp"), young, young.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	known := func(_ context.Context, ids []string) (map[string]bool, error) { return kept, nil }
	now := time.Now().Add(7*24*time.Hour + time.Minute)
	s := &refusing{Store: d, stuck: func(id string) bool { return strings.HasPrefix(id, "00") }, away: blob.ErrUnavailable}

	old := now.Add(-7 * 24 * time.Hour)
	if err := blob.RemoveOrphans(t.Context(), s, "", now, old.Add(time.Second), known); err != nil || s.asked != 0 {
		t.Errorf("a database that is known for less than a week: %d are asked for, %v", s.asked, err)
	}
	if err := blob.RemoveOrphans(t.Context(), s, "", time.Now(), old, known); err != nil || s.asked != 0 {
		t.Errorf("young objects: %d are asked for, %v", s.asked, err)
	}
	if err := blob.RemoveOrphans(t.Context(), s, "", now, old, known); !errors.Is(err, blob.ErrUnavailable) || s.asked != 8 {
		t.Errorf("a store that is away: %d are asked for, %v", s.asked, err)
	}
	s.away = nil
	err := blob.RemoveOrphans(t.Context(), s, "", now, old, known)
	if err == nil || !strings.Contains(err.Error(), "and 992 more") {
		t.Errorf("a walk that left something says %v", err)
	}
	blobtest.Nothing(t, d, "77ab")
	if _, err := blobtest.Read(t, d, "77aa", 0, -1); err != nil {
		t.Errorf("an object with a record: %v", err)
	}
	if err := blob.RemoveOrphans(t.Context(), s, "avatars", now, old, known); err != nil {
		t.Error(err)
	}
	blobtest.Nothing(t, d, blob.Public("avatars", "77ab", "64"))
	for _, id := range []string{"77aa", "77ac"} {
		if _, err := blobtest.Read(t, d, blob.Public("avatars", id, "64"), 0, -1); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}
