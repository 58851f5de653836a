package file

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
	z := newZipWriter(&b)
	at := time.Date(2026, 2, 3, 4, 5, 7, 0, time.UTC)
	var want []string
	add := func(path, body string, folder bool) {
		t.Helper()
		if folder {
			want = append(want, path+"/ ")
			if err := z.begin(path, at, true); err != nil {
				t.Fatal(err)
			}
			return
		}
		want = append(want, path+" "+body)
		w, err := z.file(path, at)
		if err == nil {
			_, err = io.WriteString(w, body)
		}
		if err == nil {
			err = z.end()
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
	add("last", strings.Repeat("long ", 3000), false)
	for i := range 70_000 {
		add(fmt.Sprint(i), "", false)
	}
	if err := z.begin("none/x", at, false); err == nil {
		t.Error("an entry of a folder that never came")
	}
	if err := z.close(); err != nil {
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
	z := newZipWriter(holes{f})
	zeros := make([]byte, 1<<20)
	w, err := z.file("large", time.Unix(1e9, 0))
	for i := 0; i < 4097 && err == nil; i++ {
		_, err = w.Write(zeros)
	}
	if err == nil {
		err = z.end()
	}
	if err == nil {
		w, err = z.file("small", time.Unix(1e9, 0))
	}
	if err == nil {
		_, err = io.WriteString(w, "otters")
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := z.end(); err != nil {
		t.Fatal(err)
	}
	if err := z.close(); err != nil {
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

// TestZipMemory: entries below many folders with long names take no more than others.
func TestZipMemory(t *testing.T) {
	z := newZipWriter(io.Discard)
	path := ""
	for range MaxDepth - 1 {
		path += strings.Repeat("x", maxName)
		if err := z.begin(path, time.Now(), true); err != nil {
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
		if err := z.begin(fmt.Sprint(path, i), time.Now(), false); err != nil {
			t.Fatal(err)
		}
	}
	if after := heap(); after > before+entries*1000 {
		t.Errorf("%d entries take %d bytes", entries, after-before)
	}
	if err := z.close(); err != nil {
		t.Fatal(err)
	}
}

// TestSiblings: long names that are alike up to their end each get a name of their own, and
// none makes the search for the next one's longer.
func TestSiblings(t *testing.T) {
	taken := siblings{}
	seen := map[string]bool{}
	for i := range 4000 {
		name := fmt.Sprintf("%s%06d", strings.Repeat("x", maxName-6), i)
		for _, n := range []string{name, strings.ToUpper(name)} {
			got := strings.ToLower(taken.name(n, File))
			if seen[got] || len(got) > maxName {
				t.Fatalf("%q", got)
			}
			seen[got] = true
		}
	}
	for _, pair := range [][2]string{{"Μάριος", "ΜΆΡΙΟΣ"}, {"straße", "STRASSE"}, {"ſ", "S"}} {
		taken := siblings{}
		if first, second := taken.name(pair[0], File), taken.name(pair[1], File); first != pair[0] || second != pair[1]+" (1)" {
			t.Errorf("%q beside %q", second, first)
		}
	}
	for _, n := range []string{"a.txt", "A.txt", "a (1).txt", "a.TXT"} {
		seen[taken.name(n, File)] = true
	}
	if !seen["a.txt"] || !seen["A (1).txt"] || !seen["a (1) (1).txt"] || !seen["a (2).TXT"] {
		t.Error("short names are numbered otherwise")
	}
}
