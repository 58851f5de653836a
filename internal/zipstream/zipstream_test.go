package zipstream

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestZip: archive/zip reads what the writer wrote: paths, times and contents, also of more
// entries than the first form of zip counts.
func TestZip(t *testing.T) {
	var b bytes.Buffer
	z := New(&b)
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
		if small := f.CompressedSize64 < 500; f.UncompressedSize64 > 500 && small != (f.Name == "packed" || f.Name == "again") {
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
	z := New(holes{f})
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
	z := New(&b)
	for _, name := range []string{"large", "small"} {
		w, err := z.File(name, time.Unix(1e9, 0), Deflate)
		if err == nil {
			_, err = io.WriteString(w, "otters")
		}
		if err != nil {
			t.Fatal(err)
		}
		if name == "large" {
			z.entries[0].size += 1 << 32 // as if so much had been written
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

// TestZipMemory: entries below many folders with long names take no more than others.
func TestZipMemory(t *testing.T) {
	z := New(io.Discard)
	path := ""
	for range 63 {
		path += strings.Repeat("x", 255)
		if err := z.Folder(path, time.Now()); err != nil {
			t.Fatal(err)
		}
		path += "/"
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	const entries = 5000
	for i := range entries {
		if _, err := z.File(fmt.Sprint(path, i), time.Now(), Store); err != nil {
			t.Fatal(err)
		}
	}
	if after := heap(); after > before+entries*1000 {
		t.Errorf("%d entries take %d bytes", entries, after-before)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
}
