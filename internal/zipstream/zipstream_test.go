package zipstream

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// newZip begins a zip that a test ends.
func newZip(t testing.TB, to io.Writer) *Writer {
	t.Helper()
	z, err := New(to, t.Name())
	t.Cleanup(z.Free)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// TestZip: archive/zip reads what the writer wrote: paths, times and contents, also of more
// entries than the first form of zip counts.
func TestZip(t *testing.T) {
	var b bytes.Buffer
	z := newZip(t, &b)
	at := time.Date(2026, 2, 3, 4, 5, 7, 0, time.UTC)
	var want []string
	how := Store
	add := func(path, body string, folder bool) {
		t.Helper()
		if folder {
			want = append(want, path+"/ ")
			if err := z.Folder(path, at); err != nil {
				t.Fatal(err)
			}
			return
		}
		want = append(want, path+" "+body)
		w, err := z.File(path, at, how)
		if err == nil {
			_, err = io.WriteString(w, body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	add("first", "1", false)
	add("a", "", true)
	add("a/b", "", true)
	add("a/b/näive", "deep", false)
	add("a/b2", "", true)
	add("a/after", "x", false)
	add("ab", "", true)
	add("ab/c", "", false)
	add("none/x", "in a folder that never comes", false)
	add("none/in", "", true)
	add("none/in/y", "", false)
	add("a/late", "in one that is left", false)
	how = Deflate
	add("packed", strings.Repeat("long ", 3000), false)
	add("again", strings.Repeat("longer ", 3000), false)
	how = Store
	add("last", strings.Repeat("long ", 3000), false)
	how = Deflate
	add("in pieces", strings.Repeat("some words that are alike, ", 10_000), false)
	add("just a piece", strings.Repeat("x", pieceSize), false)
	how = Store
	for i := range 70_000 {
		add(fmt.Sprint(i), "", false)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil || len(r.File) != len(want) {
		t.Fatalf("%v", err)
	}
	for i, f := range r.File {
		body := ""
		if i < 20 {
			o, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			raw, err := io.ReadAll(o)
			if err != nil {
				t.Fatal(err)
			}
			body = string(raw)
		}
		if small := f.CompressedSize64 < 500; f.UncompressedSize64 > 500 && small != (f.Name == "packed" || f.Name == "again" || f.Name == "just a piece") && f.Name != "in pieces" {
			t.Errorf("%s takes %d bytes of %d", f.Name, f.CompressedSize64, f.UncompressedSize64)
		}
		if got := f.Name + " " + body; got != want[i] || !f.Modified.Equal(at) || f.NonUTF8 {
			t.Fatalf("%q at %s, want %q", got, f.Modified, want[i])
		}
	}
}

// holes writes zeros as a hole of a file.
type holes struct{ *os.File }

func (h holes) Write(p []byte) (int, error) {
	if len(p) == 1<<20 {
		_, err := h.Seek(int64(len(p)), io.SeekCurrent)
		return len(p), err
	}
	return h.File.Write(p)
}

// TestZip64: a content of more than 4 GiB, and one behind it.
func TestZip64(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := newZip(t, holes{f})
	zeros := make([]byte, 1<<20)
	w, err := z.File("large", time.Unix(1e9, 0), Store)
	for i := 0; i < 4097 && err == nil; i++ {
		_, err = w.Write(zeros)
	}
	if err == nil {
		w, err = z.File("small", time.Unix(1e9, 0), Store)
	}
	if err == nil {
		_, err = io.WriteString(w, "otters")
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(f, info.Size())
	if err != nil || len(r.File) != 2 || r.File[0].UncompressedSize64 != 4097<<20 {
		t.Fatalf("%+v: %v", r, err)
	}
	o, err := r.File[1].Open()
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(o); string(body) != "otters" || err != nil {
		t.Errorf("%q: %v", body, err)
	}
}

// TestZip64Deflated: a content of more than 4 GiB that takes little in the zip.
func TestZip64Deflated(t *testing.T) {
	var b bytes.Buffer
	z := newZip(t, &b)
	for _, name := range []string{"large", "small"} {
		w, err := z.File(name, time.Unix(1e9, 0), Deflate)
		if err == nil {
			_, err = io.WriteString(w, "otters")
		}
		if err != nil {
			t.Fatal(err)
		}
		if name == "large" {
			z.last.size += 1 << 32 // as if so much had been written
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil || len(r.File) != 2 || r.File[0].UncompressedSize64 != 1<<32+6 || r.File[0].CompressedSize64 > 100 {
		t.Fatalf("%+v: %v", r, err)
	}
	o, err := r.File[1].Open()
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(o); string(body) != "otters" || err != nil {
		t.Errorf("%q: %v", body, err)
	}
}

// heap returns the bytes of what is alive, without what pools hold.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestDeflatedTakesLittle: a stream that stalls holds no compressor, neither behind a packed
// content nor in the middle of one.
func TestDeflatedTakesLittle(t *testing.T) {
	const streams = 100
	for name, bytes := range map[string]int{"behind": 0, "inside": 300_000} {
		before := heap()
		held := make([]*Writer, streams)
		for i := range held {
			held[i] = newZip(t, io.Discard)
			w, err := held[i].File("account.json", time.Now(), Deflate)
			if err == nil {
				_, err = w.Write(make([]byte, 1000+bytes))
			}
			if err == nil && bytes == 0 {
				_, err = held[i].File("picture", time.Now(), Store)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if each := (heap() - before) / streams; each > 100<<10 {
			t.Errorf("%s: a zip takes %d KiB", name, each>>10)
		}
		for _, z := range held {
			if err := z.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestDirectoryTakesLittle: the lines of many entries, also below many folders with long names.
func TestDirectoryTakesLittle(t *testing.T) {
	deep := ""
	for range 63 {
		deep += strings.Repeat("x", 255) + "/"
	}
	random := rand.NewChaCha8([32]byte{1})
	for name, above := range map[string]string{"flat": "photos/", "deep": deep} {
		z, before, entries := newZip(t, io.Discard), heap(), int64(50_000)
		if name == "deep" {
			entries /= 10
		}
		for i := range entries {
			w, err := z.File(fmt.Sprintf("%sIMG_%08d.jpg", above, i*7), time.Unix(int64(1e9+i*13), 0), Store)
			if err == nil {
				_, err = w.Write(binary.AppendUvarint(nil, random.Uint64()))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		took := heap() - before
		t.Logf("%s: %d bytes an entry, counted %d", name, took/entries, z.taken/entries)
		if took > entries*40 || took > 2*z.taken {
			t.Errorf("%s: %d entries take %d bytes, and %d are counted", name, entries, took, z.taken)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMemoryIsBounded: zips together keep no more than the memory has, and one owner's leave
// room for another's.
func TestMemoryIsBounded(t *testing.T) {
	m := newMemory(300 << 10)
	use := func(owner string) (held []*share) {
		for {
			s := m.of(owner)
			if err := s.Hold(1 << 10); err == ErrFull {
				return held
			} else if err != nil {
				t.Fatal(err)
			}
			held = append(held, s)
		}
	}
	first := use("first")
	second := use("second")
	if len(first) != 200 || len(second) != 66 {
		t.Errorf("the first has %d of 300, the second %d", len(first), len(second))
	}
	if more := use("first"); len(more) != 0 {
		t.Errorf("the first has %d more", len(more))
	}
	if third := use("third"); len(third) != 22 || m.taken > m.most {
		t.Errorf("the third has %d, all %d", len(third), m.taken)
	}
	for _, s := range append(first, second...) {
		s.Free()
		s.Free()
	}
	if fourth := use("fourth"); len(fourth) != 2*(300-22)/3 || len(m.owners) != 2 {
		t.Errorf("a fourth has %d of what the others left, of %d owners", len(fourth), len(m.owners))
	}
}

// TestFullMemory: a zip that may keep no more fails and gets no end; what it kept is free for
// the next one.
func TestFullMemory(t *testing.T) {
	var b bytes.Buffer
	z, err := New(&b, t.Name())
	if err != nil {
		t.Fatal(err)
	}
	z.Free()
	z.memory = newMemory(1 << 20)
	n := 0
	for err == nil {
		_, err = z.File(strings.Repeat("é", n%90)+fmt.Sprint(n*n*n), time.Unix(int64(n*n), 0), Store)
		n++
	}
	if err != ErrFull || n < 10_000 || z.taken > z.memory.most*2/3 {
		t.Errorf("%d entries took %d: %v", n, z.taken, err)
	}
	if _, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len())); err == nil {
		t.Error("the broken zip opens")
	}
	z.Free()
	if z.memory.taken != 0 || z.Hold(int(z.memory.most/2)) != nil {
		t.Errorf("%d stay counted", z.memory.taken)
	}
}

// TestPathBeginsTheOneBefore: a path that is the beginning of the one before it is kept whole, also
// where a block of the directory ends between the two.
func TestPathBeginsTheOneBefore(t *testing.T) {
	var b bytes.Buffer
	z := newZip(t, &b)
	var want []string
	add := func(path string) (ended bool) {
		t.Helper()
		before := len(z.dir.blocks) // the line of an entry is kept when the next one begins
		want = append(want, path)
		var err error
		if name, folder := strings.CutSuffix(path, "/"); folder {
			err = z.Folder(name, time.Unix(1e9, 0))
		} else {
			_, err = z.File(path, time.Unix(1e9, 0), Store)
		}
		if err != nil {
			t.Fatal(err)
		}
		return len(z.dir.blocks) > before
	}
	for _, path := range []string{"ab/c", "ab", "a", "a22", "a2/", "a2/b", "a2", "a2"} {
		add(path)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for inside, between := 0, 0; inside == 0 || between == 0; {
		path := fmt.Sprintf("%016x", random.Uint64())
		if add(path + "c") {
			between++
		}
		if add(path) {
			inside++
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil || len(r.File) != len(want) {
		t.Fatalf("%v", err)
	}
	for i, f := range r.File {
		if f.Name != want[i] {
			t.Fatalf("%q, want %q", f.Name, want[i])
		}
		o, err := f.Open()
		if err == nil {
			err = o.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
