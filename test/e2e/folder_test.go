package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coffer/client"
)

// largeContent is too long for a row, so it goes to the store.
var largeContent = strings.Repeat("in the store ", 10<<10)

// bigFolder makes a folder of 3,000 files, a third of them in a sub-folder. below is both
// folders and a few of the files.
func bigFolder(t *testing.T, c *client.Client) (big, sub client.Entry, below []client.Entry) {
	t.Helper()
	ctx := t.Context()
	big, err := c.CreateFolder(ctx, "", "big")
	if err != nil {
		t.Fatal(err)
	}
	if sub, err = c.CreateFolder(ctx, big.ID, "sub"); err != nil {
		t.Fatal(err)
	}
	below = []client.Entry{big, sub}
	for _, parent := range []string{big.ID, big.ID, sub.ID} {
		files := []client.Source{{Name: "large", Content: strings.NewReader(largeContent)}}
		for range 999 {
			files = append(files, client.Source{Name: "same.txt", Content: strings.NewReader("x")})
		}
		stored, err := c.Upload(ctx, parent, files...)
		if err != nil {
			t.Fatal(err)
		}
		below = append(below, stored[0], stored[500], stored[999])
	}
	return big, sub, below
}

// A folder of thousands of files is deleted while another person writes. No request is
// refused. The folder is gone with the answer, and its content after the job.
func TestBigFolder(t *testing.T) {
	t.Parallel()
	s := start(t, alone)
	ctx := t.Context()
	ada, bob := s.member(t).signIn(t), s.member(t).signIn(t)
	big, _, below := bigFolder(t, ada)
	writing, stop := context.WithCancel(ctx)
	written := make(chan int)
	go func() {
		n := 0
		for ; writing.Err() == nil; n++ {
			if _, err := bob.CreateFolder(ctx, "", "mine"); err != nil {
				t.Errorf("somebody else's write: %v", err)
				break
			}
		}
		written <- n
	}()
	if _, err := ada.RenameFile(ctx, big.ID, "bigger"); err != nil {
		t.Error(err)
	}
	if err := ada.DeleteFileForGood(ctx, big.ID); err != nil {
		t.Error(err)
	}
	for e, err := range ada.Files(ctx, "", "") {
		t.Errorf("the root still holds %q, %v", e.Name, err)
	}
	for _, e := range below {
		_, read := ada.File(ctx, e.ID)
		_, content := ada.Download(ctx, e.ID)
		_, moved := ada.MoveFile(ctx, e.ID, "")
		_, folder := ada.CreateFolder(ctx, e.ID, "in")
		for what, err := range map[string]error{"read": read, "download": content, "move": moved, "create in": folder, "delete": ada.DeleteFile(ctx, e.ID)} {
			if client.Status(err) != http.StatusNotFound {
				t.Errorf("%s of what was below a deleted folder: %v", what, err)
			}
		}
	}
	wait(t, "nothing is left of the folder", func() bool {
		return s.left(t, `SELECT COUNT(*) FROM files WHERE kind = 'file'`)+s.left(t, `SELECT COUNT(*) FROM blobs`)+s.left(t, `SELECT COUNT(*) FROM file_gone`) == 0
	})
	stop()
	if n := <-written; n == 0 {
		t.Error("nobody wrote meanwhile: the test has seen nothing")
	}
	err := filepath.WalkDir(filepath.Join(s.data, "blobs"), func(path string, e os.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			err = fmt.Errorf("%s is left", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// left reads a number from the server's SQLite file.
func (s *server) left(t *testing.T, query string) (n int) {
	t.Helper()
	d, err := sql.Open("sqlite", "file:"+filepath.Join(s.data, "coffer.db")+"?mode=ro&_busy_timeout=4000")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
