package blob_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"coffer/internal/blob"
	"coffer/internal/blob/blobtest"
)

// A local user who writes into the folder cannot block a reader, or redirect it to other
// files.
func TestDirReadsRegularFilesAlone(t *testing.T) {
	root := t.TempDir()
	d := openDir(t, root)
	id := strings.Repeat("ab", 16)
	if _, err := d.Put(t.Context(), id, strings.NewReader("content")); err != nil {
		t.Fatal(err)
	}
	var path string
	err := filepath.WalkDir(root, func(p string, e os.DirEntry, err error) error {
		if err == nil && e.Name() == id {
			path = p
		}
		return err
	})
	if err != nil || path == "" {
		t.Fatalf("the object is not there: %v", err)
	}
	for name, plant := range map[string]func() error{
		"a pipe":   func() error { return syscall.Mkfifo(path, 0o600) },
		"a link":   func() error { return os.Symlink("/dev/zero", path) },
		"a folder": func() error { return os.Mkdir(path, 0o700) },
	} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := plant(); err != nil {
			t.Fatal(err)
		}
		if _, _, err := d.Get(t.Context(), id, 0, -1); err == nil || errors.Is(err, blob.ErrMissing) {
			t.Errorf("%s: got %v, want an error that is not absence", name, err)
		}
	}
}

// A full disk is the store's error and leaves nothing behind. A limit on file size stands
// in for it: the kernel refuses the write in the middle, in a separate process.
func TestDirWriteFails(t *testing.T) {
	root := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestPutBeyondTheLimit$", "-test.v")
	cmd.Env = append(os.Environ(), "COFFER_TEST_PUT_BEYOND="+root)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "refused as it must be") {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := temporaries(t, root); len(got) > 0 {
		t.Errorf("left under tmp: %v", got)
	}
}

// TestPutBeyondTheLimit is the process of [TestDirWriteFails]; on its own it does nothing.
func TestPutBeyondTheLimit(t *testing.T) {
	root := os.Getenv("COFFER_TEST_PUT_BEYOND")
	if root == "" {
		return
	}
	d := openDir(t, root)
	limit := syscall.Rlimit{Cur: 3 << 20, Max: 3 << 20}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	id := blobtest.NewID()
	_, err := d.Put(t.Context(), id, bytes.NewReader(blobtest.Pattern(9<<20)))
	if !errors.Is(err, blob.ErrUnavailable) || !errors.Is(err, syscall.EFBIG) {
		t.Fatalf("Put = %v, want ErrUnavailable because of EFBIG", err)
	}
	blobtest.Nothing(t, d, id)
	t.Log("refused as it must be")
}
