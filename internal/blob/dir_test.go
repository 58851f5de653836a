package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coffer/internal/blob"
	"coffer/internal/blob/blobtest"
	"coffer/internal/fault"
)

func openDir(t testing.TB, path string) *blob.Dir {
	t.Helper()
	d, err := blob.OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDir(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store { return openDir(t, filepath.Join(t.TempDir(), "blobs")) })
}

func TestDirModes(t *testing.T) {
	root := filepath.Join(t.TempDir(), "blobs")
	blobtest.MustPut(t, openDir(t, root), []byte("x"))
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if e.IsDir() {
			want = fs.ModeDir | 0o700
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// temporaries lists the files under tmp.
func temporaries(t *testing.T, root string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root, "tmp"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Neither success nor failure leaves anything under tmp.
func TestDirLeavesNoTemporaries(t *testing.T) {
	root := t.TempDir()
	d := openDir(t, root)
	id := blobtest.MustPut(t, d, []byte("x"))
	_, err := d.Put(t.Context(), id, strings.NewReader("y"))
	if !errors.Is(err, blob.ErrExists) {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = d.Put(ctx, blobtest.NewID(), strings.NewReader("y"))
	if got := temporaries(t, root); len(got) > 0 {
		t.Errorf("left under tmp: %v", got)
	}
}

// Delete removes the leftovers of the object's unfinished Puts, and no other object's.
func TestDirDeletesUnfinished(t *testing.T) {
	root := t.TempDir()
	d := openDir(t, root)
	for _, name := range []string{"abcd.one", "abcd.two", "abcde.another"} {
		if err := os.WriteFile(filepath.Join(root, "tmp", name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Delete(t.Context(), "abcd"); err != nil {
		t.Fatal(err)
	}
	if got := temporaries(t, root); len(got) != 1 || got[0] != "abcde.another" {
		t.Errorf("left under tmp: %v", got)
	}
}

// A crash's leftovers are invisible, stay while an upload may still use them, and go after
// a day.
func TestDirSweepsLeftovers(t *testing.T) {
	root := t.TempDir()
	d := openDir(t, root)
	for name, age := range map[string]time.Duration{"abcd.young": time.Hour, "abcd.old": 25 * time.Hour} {
		path := filepath.Join(root, "tmp", name)
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	err := d.List(t.Context(), "", "", func(id string, _ int64, _ time.Time) error {
		return fmt.Errorf("a leftover is visible as %s", id)
	})
	if err != nil {
		t.Error(err)
	}
	openDir(t, root)
	if got := temporaries(t, root); len(got) != 1 || got[0] != "abcd.young" {
		t.Errorf("under tmp: %v, want only the young one", got)
	}
}

// A store that cannot write is unavailable; rest answers 503.
func TestDirUnavailable(t *testing.T) {
	root := t.TempDir()
	d := openDir(t, root)
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	_, putErr := d.Put(t.Context(), blobtest.NewID(), strings.NewReader("x"))
	_, _, getErr := d.Get(t.Context(), blobtest.NewID(), 0, -1)
	for name, err := range map[string]error{
		"Put": putErr, "Get": getErr, "Delete": d.Delete(t.Context(), blobtest.NewID()), "Ping": d.Ping(t.Context()),
		"List": d.List(t.Context(), "", "", func(string, int64, time.Time) error { return nil }),
	} {
		if !errors.Is(err, blob.ErrUnavailable) || !fault.IsUnavailable(err) {
			t.Errorf("%s = %v, want ErrUnavailable", name, err)
		}
	}
}

// A process is killed at random moments of many Puts. Each printed line acknowledges one
// object. Every acknowledged object is there, and every object is whole.
func TestDirSurvivesKills(t *testing.T) {
	root := t.TempDir()
	rounds := 10
	if os.Getenv("COFFER_TEST_LONG") == "1" {
		rounds = 200
	}
	acknowledged := map[string]bool{}
	for range rounds {
		cmd := exec.Command(os.Args[0], "-test.run=^TestPutUntilKilled$")
		cmd.Env = append(os.Environ(), "COFFER_TEST_PUT_INTO="+root)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// The moment is counted in acknowledged bytes, not by a clock.
		_, _ = io.CopyN(&ackWriter{acknowledged: acknowledged}, out, int64(33*(1+rand.IntN(40)))+rand.Int64N(33))
		_ = cmd.Process.Kill()
		_, _ = io.Copy(&ackWriter{acknowledged: acknowledged}, out)
		_ = cmd.Wait()
	}
	d, found := openDir(t, root), 0
	err := d.List(t.Context(), "", "", func(id string, size int64, _ time.Time) error {
		p, err := blobtest.Read(t, d, id, 0, -1)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(p)
		if hex.EncodeToString(sum[:16]) != id {
			t.Errorf("%s is visible and not whole: %d bytes", id, size)
		}
		delete(acknowledged, id)
		found++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(acknowledged) > 0 {
		t.Errorf("%d acknowledged objects are lost", len(acknowledged))
	}
	if found < rounds {
		t.Errorf("only %d objects in %d rounds: the killed process did not get to work", found, rounds)
	}
}

// ackWriter notes each whole line.
type ackWriter struct {
	acknowledged map[string]bool
	partial      []byte
}

func (w *ackWriter) Write(p []byte) (int, error) {
	w.partial = append(w.partial, p...)
	for {
		line, rest, ok := bytes.Cut(w.partial, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		if len(line) == 32 {
			w.acknowledged[string(line)] = true
		}
		w.partial = rest
	}
}

// TestPutUntilKilled is the process that [TestDirSurvivesKills] kills; on its own it does nothing.
func TestPutUntilKilled(t *testing.T) {
	root := os.Getenv("COFFER_TEST_PUT_INTO")
	if root == "" {
		return
	}
	d := openDir(t, root)
	for {
		p := make([]byte, rand.IntN(300_000))
		rand.NewChaCha8([32]byte(blobtestSeed())).Read(p)
		sum := sha256.Sum256(p)
		id := hex.EncodeToString(sum[:16])
		if _, err := d.Put(t.Context(), id, bytes.NewReader(p)); err != nil {
			t.Fatal(err)
		}
		fmt.Println(id)
	}
}

func blobtestSeed() []byte {
	seed := make([]byte, 32)
	for i := range seed {
		seed[i] = byte(rand.IntN(256))
	}
	return seed
}

// BenchmarkDirPut compares Put with a plain file and a sync, the disk's own limit.
func BenchmarkDirPut(b *testing.B) {
	p := blobtest.Pattern(64 << 20)
	b.Run("store", func(b *testing.B) {
		d := openDir(b, b.TempDir())
		b.SetBytes(int64(len(p)))
		for b.Loop() {
			id := blobtest.NewID()
			if _, err := d.Put(b.Context(), id, bytes.NewReader(p)); err != nil {
				b.Fatal(err)
			}
			_ = d.Delete(b.Context(), id)
		}
	})
	b.Run("file and fsync", func(b *testing.B) {
		name := filepath.Join(b.TempDir(), "f")
		b.SetBytes(int64(len(p)))
		for b.Loop() {
			f, err := os.Create(name)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := f.Write(p); err != nil {
				b.Fatal(err)
			}
			if err := errors.Join(f.Sync(), f.Close(), os.Remove(name)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
