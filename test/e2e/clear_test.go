package e2e

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // "pgx" of database/sql

	"coffer/client"
	"coffer/internal/blob"
)

// The server is killed while the job removes a deleted folder's content. After a restart
// all of it goes, and nothing else.
func TestKilledWhileAFolderIsCleared(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		ctx := t.Context()
		s := start(t, in)
		ada, bob := s.member(t).signIn(t), s.member(t).signIn(t)
		big, sub, _ := bigFolder(t, ada)
		kept := map[string]string{} // content by id
		keep := func(c *client.Client, name, content string) {
			t.Helper()
			stored, err := c.Upload(ctx, "", client.Source{Name: name, Content: strings.NewReader(content)})
			if err != nil {
				t.Fatal(err)
			}
			kept[stored[0].ID] = content
		}
		keep(ada, "beside", "small")
		keep(ada, "beside, large", largeContent)
		q := s.database(t)
		count := func(query string) (n int) {
			t.Helper()
			if err := q.QueryRowContext(ctx, query).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := count(`SELECT COUNT(*) FROM files`); n != 3004 {
			t.Fatalf("%d entries, want 3004", n)
		}
		if err := ada.DeleteFileForGood(ctx, big.ID); err != nil {
			t.Fatal(err)
		}
		keep(bob, "after", "acknowledged before the kill")
		for count(`SELECT COUNT(*) FROM files`) > 3000+len(kept) && ctx.Err() == nil { // until the first batch is deleted
		}
		s.kill()
		left := count(`SELECT COUNT(*) FROM files`) - len(kept)
		t.Logf("killed with %d entries left", left)
		if left == 0 {
			t.Fatal("the job ended before the kill: the folder is too small for this machine")
		}
		// The worker's lease lapses, without a minute's wait.
		if _, err := q.ExecContext(ctx, `UPDATE jobs SET run_at = 0 WHERE kind IN ('file.clear', 'content.purge')`); err != nil {
			t.Fatal(err)
		}
		s.start()
		for e, err := range ada.Files(ctx, "", "") {
			if err != nil || kept[e.ID] == "" {
				t.Errorf("the root shows %q, %v", e.Name, err)
			}
		}
		if _, err := ada.File(ctx, sub.ID); client.Status(err) != 404 {
			t.Errorf("a folder below the deleted one: %v", err)
		}
		wait(t, "the rest is gone", func() bool {
			return count(`SELECT COUNT(*) FROM file_gone`) == 0 && count(`SELECT COUNT(*) FROM files`) == len(kept) && count(`SELECT COUNT(*) FROM blobs`) == len(kept)
		})
		size := 0
		for id, want := range kept {
			c := ada
			if want == "acknowledged before the kill" {
				c = bob
			}
			if got := content(t, c, id); string(got) != want {
				t.Errorf("a file beside the folder has %d bytes, want %d", len(got), len(want))
			}
			size += len(want)
		}
		if n := count(`SELECT CAST(SUM(size) AS BIGINT) FROM blobs`); n != size {
			t.Errorf("the accounts hold %d bytes, want %d", n, size)
		}
		if n := count(`SELECT COUNT(*) FROM blob_contents`); n != len(kept)-1 {
			t.Errorf("%d contents in SQL, want %d", n, len(kept)-1)
		}
		if n := s.objects(t); n != 1 {
			t.Errorf("%d objects in the store, want 1", n)
		}
	})
}

// setting is a variable of the server's environment.
func (s *server) setting(name string) string {
	for _, e := range s.env {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}

// database opens the server's database directly.
func (s *server) database(t *testing.T) *sql.DB {
	t.Helper()
	driver, source := "pgx", s.setting("COFFER_DATABASE_URL")
	if source == "" {
		driver, source = "sqlite", "file:"+filepath.Join(s.data, "coffer.db")+"?_busy_timeout=4000"
	}
	d, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// objects counts the objects in the server's store.
func (s *server) objects(t *testing.T) (n int) {
	t.Helper()
	if s.setting("COFFER_BLOBS") == "" {
		err := filepath.WalkDir(filepath.Join(s.data, "blobs"), func(_ string, e os.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() {
				n++
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	store, err := blob.Open(t.Context(), s.setting("COFFER_BLOBS"))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.List(t.Context(), "", "", func(string, int64, time.Time) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}
