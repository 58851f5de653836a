package file

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
)

// TestCounts: whatever happens to an account's files at once, every object has as many
// references as files and versions refer to it, and the usage is their sum. Two nodes do it.
func TestCounts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.Contents.QuotaFiles, w.MaxVersions = 60, 2
		ctx := t.Context()
		folders := []string{"", w.mustFolder(ada, "", "a").ID, w.mustFolder(ada, "", "b").ID}
		var all sync.WaitGroup
		for g := range 4 {
			s := []*Service{w.Service, w.otherNode()}[g%2]
			rnd := rand.New(rand.NewPCG(uint64(g), 1))
			all.Go(func() {
				for i := range 40 {
					if err := randomChange(w, s, rnd, folders); err != nil {
						var f *fault.Error
						if !errors.As(err, &f) || f.Kind == fault.Internal {
							t.Errorf("%d, %d: %v", g, i, err)
						}
					}
				}
			})
		}
		all.Wait()
		w.counted()
		w.below.Advance(3000 * time.Hour)
		if err := errors.Join(w.purgeTrash(ctx), w.purgeVersions(ctx)); err != nil {
			t.Fatal(err)
		}
		w.below.RunJobs()
		w.counted()
		w.trashAll()
		w.drained()
	})
}

// randomChange does one thing to the files of ada.
func randomChange(w *world, s *Service, rnd *rand.Rand, folders []string) error {
	ctx := w.t.Context()
	folder := folders[rnd.IntN(len(folders))]
	entries, _, err := s.List(ctx, ada, folder, "created", "", 100)
	if err != nil && !errors.Is(err, errNotFound) {
		return err
	}
	trash, _, err := s.ListTrash(ctx, ada, "", 100)
	if err != nil {
		return err
	}
	var id, trashed, version string
	if len(entries) > 0 {
		id = entries[rnd.IntN(len(entries))].ID
		if versions, _, err := s.Versions(ctx, ada, id, "", 10); err == nil && len(versions) > 0 {
			version = versions[rnd.IntN(len(versions))].ID
		}
	}
	if len(trash) > 0 {
		trashed = trash[rnd.IntN(len(trash))].ID
	}
	switch rnd.IntN(12) {
	case 0, 1, 2:
		u := s.NewUpload(ada)
		u.Replace = rnd.IntN(3) > 0
		for range 1 + rnd.IntN(3) {
			if err := u.Add(ctx, fmt.Sprint("f", rnd.IntN(3)), content.UnknownType, strings.NewReader(strings.Repeat("x", rnd.IntN(90_000)))); err != nil {
				u.Abort(ctx)
				return err
			}
		}
		if _, err = u.Publish(ctx, folder); err != nil {
			u.Abort(ctx)
		}
	case 3, 4:
		to := folders[rnd.IntN(len(folders))]
		_, err = s.Copy(ctx, ada, id, Place{Parent: &to})
	case 5, 6:
		err = s.Trash(ctx, ada, id)
	case 7:
		_, err = s.Restore(ctx, ada, trashed)
	case 8:
		_, err = s.RestoreVersion(ctx, ada, id, version)
	case 9:
		err = s.DeleteVersion(ctx, ada, id, version)
	case 10:
		err = s.DeleteTrashed(ctx, ada, trashed)
	case 11:
		if err = s.Delete(ctx, ada, id); rnd.IntN(4) == 0 {
			err = errors.Join(err, s.EmptyTrash(ctx, ada))
		}
		w.below.RunJobs()
	}
	return err
}

// counted compares the counts with what they count.
func (w *world) counted() {
	w.t.Helper()
	w.below.RunJobs()
	var wrong, files, bytes, reserved, refs, sizes int64
	err := w.DB.QueryRow(w.t.Context(), `SELECT COUNT(*) FROM blobs b WHERE state = 'live' AND refs <>
		(SELECT COUNT(*) FROM files WHERE blob = b.id) + (SELECT COUNT(*) FROM file_versions WHERE blob = b.id)`).Scan(&wrong)
	if err == nil {
		err = w.DB.QueryRow(w.t.Context(), `SELECT (SELECT COUNT(*) FROM files WHERE blob IS NOT NULL) + (SELECT COUNT(*) FROM file_versions),
			(SELECT COALESCE(SUM(size), 0) FROM blobs WHERE state = 'live')`).Scan(&refs, &sizes)
	}
	if err == nil {
		err = w.DB.QueryRow(w.t.Context(), `SELECT COALESCE(SUM(files), 0), COALESCE(SUM(bytes), 0), COALESCE(SUM(reserved), 0) FROM content_usage`).Scan(&files, &bytes, &reserved)
	}
	if err != nil || wrong != 0 || files != refs || bytes != sizes || reserved != 0 || w.Contents.QuotaFiles > 0 && files > w.Contents.QuotaFiles {
		w.t.Errorf("%d objects have other references; %d files, counted %d; %d bytes, counted %d; %d reserved; %v", wrong, refs, files, sizes, bytes, reserved, err)
	}
	var folders, countedFolders int64
	if err := w.DB.QueryRow(w.t.Context(), `SELECT (SELECT COUNT(*) FROM files WHERE kind = 'folder'), (SELECT CAST(COALESCE(SUM(folders), 0) AS BIGINT) FROM content_usage)`).
		Scan(&folders, &countedFolders); err != nil || folders != countedFolders {
		w.t.Errorf("%d folders, counted %d; %v", folders, countedFolders, err)
	}
	var dangling int64
	if err := w.DB.QueryRow(w.t.Context(), `SELECT COUNT(*) FROM (SELECT blob FROM files WHERE blob IS NOT NULL UNION ALL SELECT blob FROM file_versions) r
		WHERE NOT EXISTS (SELECT 1 FROM blobs WHERE id = r.blob AND state = 'live')`).Scan(&dangling); err != nil || dangling != 0 {
		w.t.Errorf("%d files or versions refer to no live object: %v", dangling, err)
	}
}

// TestObjectsBeforeUsage: a transaction that releases objects and counts folders locks all of the objects
// before the row of usage. A copy or a pin of them at the same time does so too, and waits for no ring.
func TestObjectsBeforeUsage(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	tree := func() Entry {
		top := w.mustFolder(ada, "", "top")
		for _, name := range []string{"one", "two"} {
			in := w.mustFolder(ada, top.ID, name)
			w.mustFolder(ada, in.ID, "empty")
			w.mustUpload(ada, in.ID, upFile{"file", "", name})
		}
		return top
	}
	check := func(what string, do func() error) {
		t.Helper()
		var err error
		ran := dbtest.Ran(w.DB, func() { err = do() })
		if err != nil {
			t.Fatal(err)
		}
		object := func(q string) bool { return strings.Contains(q, "UPDATE blobs") }
		usage := func(q string) bool {
			return strings.Contains(q, "UPDATE content_usage") || strings.Contains(q, "INTO content_usage")
		}
		if at := slices.IndexFunc(ran, usage); at < 0 || !slices.ContainsFunc(ran, object) || slices.ContainsFunc(ran[at:], object) {
			t.Errorf("%s:\n%s", what, strings.Join(ran, "\n"))
		}
	}
	top := tree()
	check("copy", func() error {
		_, err := w.Copy(t.Context(), ada, top.ID, Place{})
		return err
	})
	if err := w.Delete(t.Context(), ada, top.ID); err != nil {
		t.Fatal(err)
	}
	check("clear", func() error {
		_, err := w.clearSome(t.Context(), ada)
		return err
	})
	w.trash(tree(), w.mustUpload(ada, "", upFile{"file", "", "content"}))
	w.below.Advance(w.TrashKeep + time.Hour)
	check("trash", func() error { return w.purgeTrash(t.Context()) })
}
