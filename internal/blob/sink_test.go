package blob

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
)

// All bytes reach the disk, whether they stay in the page cache or not, also after short
// writes.
func TestSinkDropsWhatIsBehind(t *testing.T) {
	want := make([]byte, behind+3*step+77)
	rand.Read(want)
	for _, keep := range []int64{0, step, 1 << 40} {
		f, err := os.Create(filepath.Join(t.TempDir(), "f"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		size, err := fill(t.Context(), f, bytes.NewReader(want), keep)
		if err != nil || size != int64(len(want)) {
			t.Fatalf("keep %d: %d, %v", keep, size, err)
		}
		if got, err := os.ReadFile(f.Name()); err != nil || !bytes.Equal(got, want) {
			t.Errorf("keep %d: %d bytes became %d, %v", keep, len(want), len(got), err)
		}
	}
}
