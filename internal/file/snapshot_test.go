package file

import (
	"errors"
	"strings"
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// A snapshot ends at the first entry whose path goes beyond the bound: paths repeat the names
// above them, so a small tree can have long ones.
func TestSnapshotBoundsPaths(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		top := w.mustFolder(ada, "", "top").ID
		parent, length, all := top, 0, 0
		for range 5 {
			parent = w.mustFolder(ada, parent, strings.Repeat("x", 100)).ID
			length += 100
			all += length
			length++ // the slash
		}
		for _, name := range []string{"a", "b", "c"} {
			w.mustFolder(ada, parent, name)
			all += length + 1
		}
		for _, tt := range []struct {
			bounds SnapshotBounds
			want   error
			paths  int
		}{
			{SnapshotBounds{8, all}, nil, all},
			{SnapshotBounds{8, all - 1}, ErrLongPaths, 0},
			{SnapshotBounds{8, 99}, ErrLongPaths, 0},
			{SnapshotBounds{7, all}, ErrTooManyEntries, 0},
		} {
			var got []Snapped
			err := d.Tx(t.Context(), func(tx *db.Tx) (err error) {
				_, _, got, err = w.Snapshot(t.Context(), tx, ada, top, tt.bounds)
				return err
			})
			paths := 0
			for _, one := range got {
				paths += len(one.Path)
			}
			if !errors.Is(err, tt.want) || paths != tt.paths {
				t.Errorf("%+v: %d bytes, %v; want %d, %v", tt.bounds, paths, err, tt.paths, tt.want)
			}
		}
	})
}
