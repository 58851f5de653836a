package blob_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"coffer/internal/blob"
	"coffer/internal/blob/blobtest"
)

// A full disk is the store's trouble, and leaves nothing. The limit on file size stands in
// for it: the kernel refuses the write in the middle, in a process of its own.
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
