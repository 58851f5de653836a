package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/client/drop"
)

// TestChanged changes files after they were offered, in each way.
func TestChanged(t *testing.T) {
	for what, change := range map[string]func(path string) error{
		"longer":  func(p string) error { return os.WriteFile(p, []byte("alpha beta"), 0o666) },
		"shorter": func(p string) error { return os.Truncate(p, 2) },
		"as long": func(p string) error { return os.WriteFile(p, []byte("omega"), 0o666) },
		"gone":    os.Remove,
		"a folder": func(p string) error {
			return errors.Join(os.Remove(p), os.Mkdir(p, 0o777))
		},
	} {
		for _, opened := range []bool{false, true} {
			dir := filepath.Join(t.TempDir(), "trip")
			write(t, dir, sample)
			past := time.Now().Add(-time.Hour)
			if err := os.Chtimes(filepath.Join(dir, "a.txt"), past, past); err != nil {
				t.Fatal(err)
			}
			s := openSource(t, dir)
			b := make([]byte, s.info.Size)
			if opened {
				if _, err := s.ReadAt(b, 0); err != nil {
					t.Fatal(err)
				}
			}
			if s.Changed() {
				t.Errorf("%s: changed at once", what)
			}
			if err := change(filepath.Join(dir, "a.txt")); err != nil {
				t.Fatal(err)
			}
			if !s.Changed() {
				t.Errorf("%s: not noticed", what)
			}
			_, err := s.ReadAt(b, 0)
			// An open file that lost its name is still what was offered.
			if kept := opened && (what == "gone" || what == "a folder"); kept != (err == nil) || err != nil && !errors.Is(err, drop.ErrChanged) {
				t.Errorf("%s, opened before: %t: %v", what, opened, err)
			}
		}
	}
}

// TestSkipped sends no link and no pipe, and says which it left out.
func TestSkipped(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "trip")
	write(t, dir, map[string]string{"a": "a", "d/b": "b"})
	for old, new := range map[string]string{"/etc/passwd": "out", "a": "in", "d": "folder"} {
		if err := os.Symlink(old, filepath.Join(dir, new)); err != nil {
			if runtime.GOOS == "windows" {
				t.Skipf("Windows lets only some users make links: %v", err)
			}
			t.Fatal(err)
		}
	}
	s := openSource(t, dir)
	if got := strings.Join(s.Skipped, " "); got != "folder in out" || s.info.Files != 2 {
		t.Errorf("skipped %q, %d files", got, s.info.Files)
	}
	if err := os.Symlink(dir, dir+"-link"); err != nil {
		t.Fatal(err)
	}
	if named := openSource(t, dir+"-link"); named.info.Name != "trip-link" || named.info.Size != s.info.Size {
		t.Errorf("a link that was named: %+v", named)
	}
	if _, err := Open("/dev/null"); err == nil {
		t.Error("a device is offered")
	}
	if _, err := Open("/"); err == nil {
		t.Error("a folder without a name is offered")
	}
}

// TestManyFiles reads a folder of 1,000 files from 32 places at once with few files open.
func TestManyFiles(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	files := map[string]string{}
	for i := range 1000 {
		files[fmt.Sprintf("trip/%d/%d", i%10, i)] = strings.Repeat(fmt.Sprint(i), i%50)
	}
	write(t, from, files)
	s := openSource(t, filepath.Join(from, "trip"))
	want := make([]byte, s.info.Size)
	if _, err := s.ReadAt(want, 0); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for w := range 32 {
		all.Go(func() {
			b := make([]byte, 1000)
			for i := range 40 {
				off := int64((w*7919 + i*104729) % len(want))
				n, err := s.ReadAt(b, off)
				if err != nil && err != io.EOF || !bytes.Equal(b[:n], want[off:min(off+1000, s.info.Size)]) {
					t.Errorf("at %d: %d, %v", off, n, err)
					return
				}
			}
		})
	}
	all.Wait()
	if len(s.open) > maxOpen {
		t.Errorf("%d files are open", len(s.open))
	}
	p := begin(t, openTarget(t, to), s)
	copyTo(t, p, s, s.info.Size, 4096)
	finish(t, p, Refuse, "trip")
	if diff := cmp.Diff(files, read(t, to)); diff != "" {
		t.Error(diff)
	}
}

// TestOldNames sends names that receivers refuse: the sender changes them first.
func TestOldNames(t *testing.T) {
	dir := filepath.Join(t.TempDir(), `a\b`)
	write(t, dir, map[string]string{"plain": "1"})
	if err := os.WriteFile(filepath.Join(dir, `x\y`), []byte("2"), 0o666); err != nil {
		if runtime.GOOS != "linux" {
			t.Skipf("this system refuses such a name itself: %v", err)
		}
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "x_y"), []byte("3"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "br\xffken"), []byte("4"), 0o666); err != nil {
		if runtime.GOOS != "linux" {
			t.Skipf("this system refuses such a name itself: %v", err)
		}
		t.Fatal(err)
	}
	s := openSource(t, dir)
	if s.info.Name != "a_b" || len(s.Renamed) != 3 {
		t.Errorf("%q, %q", s.info.Name, s.Renamed)
	}
	to := t.TempDir()
	p := begin(t, openTarget(t, to), s)
	copyTo(t, p, s, s.info.Size, 64)
	finish(t, p, Refuse, "a_b")
	if diff := cmp.Diff(map[string]string{"plain": "1", "x_y": "2", "x_y (2)": "3", "br_ken": "4"}, read(t, filepath.Join(to, "a_b"))); diff != "" {
		t.Error(diff)
	}
}
