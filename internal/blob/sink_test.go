package blob

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
)

// Long objects go past the page cache where the system can, and the usual way where it
// knows the flag and then refuses: memory that is not aligned stands in for that.
func TestSinkGoesPastTheCache(t *testing.T) {
	want := make([]byte, cached+3*sinkBuffer+77)
	rand.Read(want)
	for name, shift := range map[string]int{"aligned": 0, "not aligned": 1} {
		f, err := os.Create(filepath.Join(t.TempDir(), "f"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		can := setDirect(f, true) == nil && setDirect(f, false) == nil
		buffer := func() *[]byte { b := make([]byte, sinkBuffer+shift)[shift:]; return &b }
		s := &sink{ctx: t.Context(), f: f, buf: buffer(), next: buffer()}
		if err := s.take(bytes.NewReader(want)); err != nil {
			t.Fatal(name, err)
		}
		if err := s.wait(); err != nil {
			t.Fatal(name, err)
		}
		if shift == 0 && s.direct != can {
			t.Errorf("%s: went past the cache %v, the system can %v", name, s.direct, can)
		}
		if err := s.finish(); err != nil {
			t.Fatal(name, err)
		}
		got, err := os.ReadFile(f.Name())
		if err != nil || !bytes.Equal(got, want) || s.size != int64(len(want)) {
			t.Errorf("%s: %d bytes became %d, size %d, %v", name, len(want), len(got), s.size, err)
		}
	}
}
