// Package blobtest is the contract kit of blob: tests that every store must pass.
package blobtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"coffer/internal/blob"
)

// S3 returns the store at COFFER_TEST_S3_URL, in its own folder, and empties the folder
// afterwards. Without the variable it skips the test, or fails it when
// COFFER_TEST_REQUIRE=1.
func S3(t testing.TB) *blob.S3 {
	t.Helper()
	base := S3URL(t)
	s, err := blob.OpenS3(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.Background()
		var ids []string
		if err := s.List(ctx, "", "", func(id string, _ int64, _ time.Time) error { ids = append(ids, id); return nil }); err != nil {
			t.Errorf("clean up: %v", err)
		}
		for _, id := range ids {
			if err := s.Delete(ctx, id); err != nil {
				t.Errorf("clean up: %v", err)
			}
		}
	})
	return s
}

// S3URL returns the address of a fresh folder in the bucket of COFFER_TEST_S3_URL.
func S3URL(t testing.TB) string {
	t.Helper()
	spec := os.Getenv("COFFER_TEST_S3_URL")
	if spec == "" {
		if os.Getenv("COFFER_TEST_REQUIRE") == "1" {
			t.Fatal("COFFER_TEST_S3_URL is not set, and COFFER_TEST_REQUIRE=1 forbids to skip")
		}
		t.Skip("no S3 server: set COFFER_TEST_S3_URL, or run make test, which starts one")
	}
	path, query, _ := bytes.Cut([]byte(spec), []byte("?"))
	return fmt.Sprintf("%s/t%s?%s", path, NewID(), query)
}

// NewID returns a random id.
func NewID() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// Pattern returns n bytes that do not repeat.
func Pattern(n int) []byte {
	p := make([]byte, n)
	mrand.NewChaCha8([32]byte{byte(n)}).Read(p)
	return p
}

// sizes are lengths at and around buffers, parts and their multiples.
var sizes = []int{0, 1, 4095, 1 << 20, 8 << 20, 8<<20 + 1, 9 << 20, 16<<20 - 1, 16 << 20, 16<<20 + 1, 33 << 20}

// Run runs the contract. open returns an empty store.
func Run(t *testing.T, open func(t *testing.T) blob.Store) {
	t.Run("what goes in comes out", func(t *testing.T) { roundTrip(t, open(t)) })
	t.Run("ranges", func(t *testing.T) { ranges(t, open(t)) })
	t.Run("absence", func(t *testing.T) { absence(t, open(t)) })
	t.Run("never replaces", func(t *testing.T) { neverReplaces(t, open(t)) })
	t.Run("one winner", func(t *testing.T) { oneWinner(t, open(t)) })
	t.Run("a failing reader leaves nothing", func(t *testing.T) { failingReader(t, open(t)) })
	t.Run("a cancelled Put leaves nothing", func(t *testing.T) { cancelled(t, open(t)) })
	t.Run("list", func(t *testing.T) { list(t, open(t)) })
	t.Run("odd ids", func(t *testing.T) { oddIDs(t, open(t)) })
	t.Run("public objects", func(t *testing.T) { public(t, open(t)) })
	t.Run("ping", func(t *testing.T) {
		if err := open(t).Ping(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// MustPut stores p under a new id.
func MustPut(t testing.TB, s blob.Store, p []byte) string {
	t.Helper()
	id := NewID()
	n, err := s.Put(t.Context(), id, bytes.NewReader(p))
	if err != nil || n != int64(len(p)) {
		t.Fatalf("Put of %d bytes = %d, %v", len(p), n, err)
	}
	return id
}

// Read returns a range of an object.
func Read(t testing.TB, s blob.Store, id string, off, n int64) ([]byte, error) {
	t.Helper()
	r, size, err := s.Get(t.Context(), id, off, n)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	// A buffer that grows is copied each time, and the race detector follows each copy.
	got := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	_, err = got.ReadFrom(r)
	return got.Bytes(), err
}

// Nothing fails the test if the store holds an object under id.
func Nothing(t testing.TB, s blob.Store, id string) {
	t.Helper()
	if got, err := Read(t, s, id, 0, -1); !errors.Is(err, blob.ErrMissing) {
		t.Errorf("Get = %d bytes, %v; want ErrMissing", len(got), err)
	}
	for _, have := range ids(t, s, "") {
		if have == id {
			t.Error("List shows what was never stored")
		}
	}
}

func ids(t testing.TB, s blob.Store, after string) []string { return idsIn(t, s, "", after) }

func idsIn(t testing.TB, s blob.Store, folder, after string) (all []string) {
	t.Helper()
	err := s.List(context.Background(), folder, after, func(id string, _ int64, _ time.Time) error {
		all = append(all, id)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func roundTrip(t *testing.T, s blob.Store) {
	for _, n := range sizes {
		want := Pattern(n)
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"plain":       func(r io.Reader) io.Reader { return r },
			"only a Read": func(r io.Reader) io.Reader { return struct{ io.Reader }{r} },
			"EOF at once": iotest.DataErrReader,
		} {
			if n > 20<<20 && name != "plain" {
				continue // the cases below test the boundaries
			}
			id := NewID()
			size, err := s.Put(t.Context(), id, wrap(bytes.NewReader(want)))
			if err != nil || size != int64(n) {
				t.Fatalf("%s: Put of %d bytes = %d, %v", name, n, size, err)
			}
			if got, err := Read(t, s, id, 0, -1); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %d bytes came back as %d, error %v", name, n, len(got), err)
			}
		}
	}
}

func ranges(t *testing.T, s blob.Store) {
	const size = 5000
	p := Pattern(size)
	id := MustPut(t, s, p)
	for _, r := range [][2]int64{
		{0, 0}, {0, 1}, {0, size}, {0, size + 1}, {0, -1}, {1, -1}, {1, 10}, {4999, 1}, {4999, 2}, {4999, -1},
		{5000, 0}, {5000, 1}, {5000, -1}, {6000, 0}, {6000, 10}, {6000, -1}, {2500, 1 << 40},
	} {
		from := min(r[0], size)
		to := int64(size)
		if r[1] >= 0 {
			to = min(size, from+r[1])
		}
		got, err := Read(t, s, id, r[0], r[1])
		if err != nil || !bytes.Equal(got, p[from:to]) {
			t.Errorf("Get(%d, %d) = %d bytes, %v; want %d", r[0], r[1], len(got), err, to-from)
		}
		body, whole, err := s.Get(t.Context(), id, r[0], r[1])
		if err != nil || whole != size {
			t.Fatalf("Get(%d, %d) tells a size of %d, %v; want %d", r[0], r[1], whole, err, size)
		}
		body.Close()
	}
	if _, err := Read(t, s, id, -1, 1); err == nil {
		t.Error("a negative offset was accepted")
	}
	empty := MustPut(t, s, nil)
	for _, n := range []int64{-1, 0, 1} {
		if got, err := Read(t, s, empty, 0, n); err != nil || len(got) > 0 {
			t.Errorf("Get(0, %d) of an empty object = %d bytes, %v", n, len(got), err)
		}
	}
}

func absence(t *testing.T, s blob.Store) {
	id := NewID()
	for _, n := range []int64{-1, 0, 1} {
		if _, err := Read(t, s, id, 0, n); !errors.Is(err, blob.ErrMissing) {
			t.Errorf("Get(0, %d) of nothing = %v, want ErrMissing", n, err)
		}
	}
	if err := s.Delete(t.Context(), id); err != nil {
		t.Errorf("deleting nothing: %v", err)
	}
	id = MustPut(t, s, []byte("x"))
	if err := s.Delete(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	Nothing(t, s, id)
	if _, err := s.Put(t.Context(), id, bytes.NewReader([]byte("y"))); err != nil {
		t.Errorf("a deleted id can be used again: %v", err)
	}
}

func neverReplaces(t *testing.T, s blob.Store) {
	for _, n := range []int{10, 17 << 20} {
		id := MustPut(t, s, []byte("first"))
		if _, err := s.Put(t.Context(), id, bytes.NewReader(Pattern(n))); !errors.Is(err, blob.ErrExists) {
			t.Errorf("second Put of %d bytes = %v, want ErrExists", n, err)
		}
		if got, err := Read(t, s, id, 0, -1); string(got) != "first" {
			t.Errorf("the object became %d bytes, %v", len(got), err)
		}
	}
}

func oneWinner(t *testing.T, s blob.Store) {
	const racers = 8
	id := NewID()
	var wg sync.WaitGroup
	errs := make([]error, racers)
	for i := range racers {
		wg.Go(func() {
			_, errs[i] = s.Put(t.Context(), id, bytes.NewReader(bytes.Repeat([]byte{byte(i)}, 100_000)))
		})
	}
	wg.Wait()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner >= 0:
			t.Errorf("both %d and %d won", winner, i)
		case err == nil:
			winner = i
		case !errors.Is(err, blob.ErrExists):
			t.Errorf("racer %d: %v, want ErrExists", i, err)
		}
	}
	got, err := Read(t, s, id, 0, -1)
	if winner < 0 || err != nil || !bytes.Equal(got, bytes.Repeat([]byte{byte(winner)}, 100_000)) {
		t.Errorf("winner %d; the object holds %d bytes, %v", winner, len(got), err)
	}
}

func failingReader(t *testing.T, s blob.Store) {
	broken := errors.New("the client went away")
	for _, n := range []int{0, 1, 1<<20 + 5, 16 << 20, 17 << 20, 33 << 20} {
		for name, r := range map[string]io.Reader{
			"Read":    io.MultiReader(bytes.NewReader(Pattern(n)), iotest.ErrReader(broken)),
			"WriteTo": writerTo{bytes.NewReader(Pattern(n)), broken},
		} {
			id := NewID()
			if _, err := s.Put(t.Context(), id, r); !errors.Is(err, broken) || errors.Is(err, blob.ErrUnavailable) {
				t.Errorf("%s broken after %d bytes: %v, want the reader's own error", name, n, err)
			}
			Nothing(t, s, id)
		}
	}
}

// writerTo writes the content of r and then fails; as a plain reader it does the same.
type writerTo struct {
	r   *bytes.Reader
	err error
}

func (w writerTo) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err == io.EOF {
		err = w.err
	}
	return n, err
}

func (w writerTo) WriteTo(to io.Writer) (int64, error) {
	n, err := w.r.WriteTo(to)
	if err == nil {
		err = w.err
	}
	return n, err
}

func cancelled(t *testing.T, s blob.Store) {
	for _, n := range []int64{0, 1 << 20, 17 << 20} {
		ctx, cancel := context.WithCancel(t.Context())
		id := NewID()
		r := io.MultiReader(bytes.NewReader(Pattern(int(n))), &onRead{cancel}, bytes.NewReader([]byte("rest")))
		if _, err := s.Put(ctx, id, r); !errors.Is(err, context.Canceled) || errors.Is(err, blob.ErrUnavailable) {
			t.Errorf("cancelled after %d bytes: %v, want context.Canceled", n, err)
		}
		Nothing(t, s, id)
		cancel()
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	id := MustPut(t, s, []byte("x"))
	if _, _, err := s.Get(ctx, id, 0, -1); !errors.Is(err, context.Canceled) {
		t.Errorf("Get under a cancelled context: %v", err)
	}
	if err := s.Delete(ctx, id); !errors.Is(err, context.Canceled) {
		t.Errorf("Delete under a cancelled context: %v", err)
	}
	err := s.List(ctx, "", "", func(string, int64, time.Time) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("List under a cancelled context: %v", err)
	}
}

// onRead is an empty reader that calls fn on Read.
type onRead struct{ fn func() }

func (r *onRead) Read([]byte) (int, error) { r.fn(); return 0, io.EOF }

func list(t *testing.T, s blob.Store) {
	if got := ids(t, s, ""); len(got) > 0 {
		t.Fatalf("an empty store lists %v", got)
	}
	before := time.Now().Add(-time.Minute)
	var want []string
	for range 40 {
		want = append(want, MustPut(t, s, []byte("abc")))
	}
	slices.Sort(want)
	if got := ids(t, s, ""); !slices.Equal(got, want) {
		t.Errorf("List = %v, want %v", got, want)
	}
	for _, at := range []int{0, 17, 39} {
		if got := ids(t, s, want[at]); !slices.Equal(got, want[at+1:]) {
			t.Errorf("List after number %d = %d ids, want %d", at, len(got), len(want)-at-1)
		}
	}
	err := s.List(t.Context(), "", "", func(id string, size int64, at time.Time) error {
		if size != 3 || at.Before(before) || at.After(time.Now().Add(time.Minute)) {
			t.Errorf("%s: size %d, time %v", id, size, at)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	enough, seen := errors.New("enough"), 0
	err = s.List(t.Context(), "", "", func(string, int64, time.Time) error { seen++; return enough })
	if !errors.Is(err, enough) || seen != 1 {
		t.Errorf("List went on after fn failed: %d calls, %v", seen, err)
	}
}

func oddIDs(t *testing.T, s blob.Store) {
	for _, id := range []string{"", "abc", "-abc", "a-bc", "../../etc", "ab/cd", "ABCD", "abcg", "abcd.tmp", "ab\x00d", string(bytes.Repeat([]byte("a"), 65))} {
		if _, err := s.Put(t.Context(), id, bytes.NewReader(nil)); err == nil {
			t.Errorf("Put took the id %q", id)
		}
		if _, _, err := s.Get(t.Context(), id, 0, -1); err == nil || errors.Is(err, blob.ErrMissing) {
			t.Errorf("Get took the id %q", id)
		}
		if err := s.Delete(t.Context(), id); err == nil {
			t.Errorf("Delete took the id %q", id)
		}
	}
	for _, id := range []string{"0190a000-0000-7000-8000-000000000000", "abcd", string(bytes.Repeat([]byte("f"), 64))} {
		if _, err := s.Put(t.Context(), id, bytes.NewReader(nil)); err != nil {
			t.Errorf("Put refused the id %q: %v", id, err)
		}
	}
}

// public objects keep the contract under their readable place. List shows them in their folder alone.
func public(t *testing.T, s blob.Store) {
	ctx, folder := t.Context(), NewID()
	small, large := blob.Public("avatars", folder, "64"), blob.Public("avatars", folder, "512")
	if small != "avatars/"+folder+"/64.webp" {
		t.Errorf("Public = %q", small)
	}
	for _, id := range []string{small, large} {
		if n, err := s.Put(ctx, id, bytes.NewReader([]byte(id))); err != nil || n != int64(len(id)) {
			t.Fatalf("Put = %d, %v", n, err)
		}
		if _, err := s.Put(ctx, id, bytes.NewReader(nil)); !errors.Is(err, blob.ErrExists) {
			t.Errorf("a second Put = %v, want ErrExists", err)
		}
	}
	broken := errors.New("the client went away")
	other := blob.Public("avatars", NewID(), "64")
	if _, err := s.Put(ctx, other, iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("Put of a broken reader = %v", err)
	}
	if _, err := Read(t, s, other, 0, -1); !errors.Is(err, blob.ErrMissing) {
		t.Errorf("what was not stored = %v, want ErrMissing", err)
	}
	if all := ids(t, s, ""); len(all) > 0 {
		t.Errorf("List shows %v", all)
	}
	MustPut(t, s, []byte("abc"))
	for after, want := range map[string][]string{"": {large, small}, large: {small}, small: nil, "avatars/": {large, small}, "avatars0": nil} {
		if got := idsIn(t, s, "avatars", after); !slices.Equal(got, want) {
			t.Errorf("List behind %q shows %v, want %v", after, got, want)
		}
	}
	if all := idsIn(t, s, "others", ""); len(all) > 0 {
		t.Errorf("List of an absent folder shows %v", all)
	}
	for _, folder := range []string{"..", "ab", "avatars/", "tmp", "avatars/" + folder} {
		if err := s.List(ctx, folder, "", func(string, int64, time.Time) error { return nil }); err == nil {
			t.Errorf("List took the folder %q", folder)
		}
	}
	if err := s.Delete(ctx, small); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(t, s, small, 0, -1); !errors.Is(err, blob.ErrMissing) {
		t.Errorf("a deleted object = %v, want ErrMissing", err)
	}
	if got, err := Read(t, s, large, 1, 6); err != nil || string(got) != "vatars" {
		t.Errorf("the object beside it = %q, %v", got, err)
	}
	for range 2 {
		if err := s.Delete(ctx, large); err != nil {
			t.Errorf("Delete = %v", err)
		}
	}
	for _, id := range []string{
		"avatars/../64.webp", "avatars/" + folder + "/../64.webp", "../avatars/" + folder + "/64.webp", "/avatars/" + folder + "/64.webp", "avatars/" + folder + "/64.png",
		"ab/" + folder + "/64.webp", "tmp/" + folder + "/64.webp", "avatars/" + folder + "/a/64.webp", "avatars//64.webp", "avatars/" + folder + "/.webp", "avatars/" + folder + "/64.webp\n",
	} {
		if _, err := s.Put(ctx, id, bytes.NewReader(nil)); !errors.Is(err, blob.ErrID) {
			t.Errorf("Put took the id %q: %v", id, err)
		}
		if err := s.Delete(ctx, id); !errors.Is(err, blob.ErrID) {
			t.Errorf("Delete took the id %q: %v", id, err)
		}
	}
}
