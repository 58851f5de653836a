package disk

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func plainNames() *names {
	return newNames(func(s string) (string, error) { return safeName(s, false) }, func(s string) string { return s })
}

func TestHeader(t *testing.T) {
	for _, c := range []struct {
		what, raw string
		content   int64
		want      bool
	}{
		{"one file", `{"files":[["a",3,1]],"dirs":[]}`, 3, true},
		{"nothing", `{"files":[],"dirs":[]}`, 0, true},
		{"folders first", `{"dirs":["e"],"files":[["a",0,-1]]}`, 0, true},
		{"a later version's member", `{"files":[["a",3,1]],"modes":{"a":[1]},"dirs":[]}`, 3, true},
		{"no dirs", `{"files":[["a",3,1]]}`, 3, true},
		{"no files", `{"dirs":[]}`, 0, false},
		{"shorter", `{"files":[["a",2,1]],"dirs":[]}`, 3, false},
		{"longer", `{"files":[["a",4,1]],"dirs":[]}`, 3, false},
		{"less than nothing", `{"files":[["a",4,1],["b",-1,1]],"dirs":[]}`, 3, false},
		{"an overflow", `{"files":[["a",9223372036854775807,1],["b",9223372036854775807,1],["c",5,1]],"dirs":[]}`, 3, false},
		{"a fraction", `{"files":[["a",3.0,1]],"dirs":[]}`, 3, false},
		{"an exponent", `{"files":[["a",3e0,1]],"dirs":[]}`, 3, false},
		{"text for a size", `{"files":[["a","3",1]],"dirs":[]}`, 3, false},
		{"two members", `{"files":[["a",3]],"dirs":[]}`, 3, false},
		{"four members", `{"files":[["a",3,1,0]],"dirs":[]}`, 3, false},
		{"files twice", `{"files":[["a",3,1]],"files":[]}`, 3, false},
		{"more behind", `{"files":[["a",3,1]],"dirs":[]} {}`, 3, false},
		{"cut", `{"files":[["a",3,1]]`, 3, false},
		{"a list", `[]`, 0, false},
		{"null", `null`, 0, false},
		{"empty", ``, 0, false},
		{"deep", `{"files":` + strings.Repeat("[", 1<<20), 0, false},
		{"broken text", "{\"files\":[[\"a\xff\",3,1]],\"dirs\":[]}", 3, false},
		{"up", `{"files":[["../a",3,1]],"dirs":[]}`, 3, false},
		{"absolute", `{"files":[["/a",3,1]],"dirs":[]}`, 3, false},
		{"a backslash", `{"files":[["a\\b",3,1]],"dirs":[]}`, 3, false},
		{"NUL", `{"files":[["a\u0000",3,1]],"dirs":[]}`, 3, false},
		{"twice", `{"files":[["a",3,1],["a",0,1]],"dirs":[]}`, 3, false},
		{"file and folder", `{"files":[["a",3,1]],"dirs":["a"]}`, 3, false},
		{"an empty folder up", `{"files":[],"dirs":["a/../../b"]}`, 0, false},
	} {
		l, err := parseHeader([]byte(c.raw), 4+int64(len(c.raw))+c.content, plainNames())
		if (err == nil) != c.want || (err != nil && !errors.Is(err, ErrUnsafe)) || (l == nil) != (err != nil) {
			t.Errorf("%s: %v, %v, want %t", c.what, l, err, c.want)
		}
	}
}

// TestHeaderLimits gives headers that would take much memory, or have too many entries.
func TestHeaderLimits(t *testing.T) {
	rows := make([]string, MaxEntries+1)
	for i := range rows {
		rows[i] = fmt.Sprintf(`["%d",0,0]`, i)
	}
	full := `{"files":[` + strings.Join(rows[:MaxEntries], ",") + `],"dirs":[]}`
	if _, err := parseHeader([]byte(full), 4+int64(len(full)), plainNames()); err != nil {
		t.Errorf("%d files: %v", MaxEntries, err)
	}
	over := `{"files":[` + strings.Join(rows, ",") + `],"dirs":[]}`
	if _, err := parseHeader([]byte(over), 4+int64(len(over)), plainNames()); !errors.Is(err, ErrUnsafe) {
		t.Errorf("%d files: %v", len(rows), err)
	}
	nested := `{"files":[` + strings.Repeat("[],", 5<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := parseHeader([]byte(nested), 4+int64(len(nested)), plainNames())
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; !errors.Is(err, ErrUnsafe) || taken > 64<<20 {
		t.Errorf("a header of empty rows: %v, %d MiB", err, taken>>20)
	}
	if _, err := headerLength([]byte{1, 0, 0, 1}, 1<<40); !errors.Is(err, ErrUnsafe) {
		t.Errorf("a header of 16 MiB + 1: %v", err)
	}
	if _, err := headerLength([]byte{0, 0, 0, 9}, 12); !errors.Is(err, ErrUnsafe) {
		t.Errorf("a header longer than the stream: %v", err)
	}
	if _, err := packHeader(make([]entry, MaxEntries+1), nil); !errors.Is(err, ErrTooMany) {
		t.Errorf("packing %d files: %v", MaxEntries+1, err)
	}
}

// FuzzHeader parses what a hostile sender may send: whatever is taken fits the stream, and
// no path leaves the folder or occurs twice.
func FuzzHeader(f *testing.F) {
	f.Add([]byte(`{"files":[["a/b",3,1],["c",0,-5]],"dirs":["e/f"]}`), int64(3))
	f.Add([]byte(`{"files":[["../a",3,1]],"dirs":[]}`), int64(3))
	f.Add([]byte(`{"files":[["a",9223372036854775807,1]],"x":[[[]]]}`), int64(0))
	f.Fuzz(func(t *testing.T, raw []byte, content int64) {
		size := 4 + int64(len(raw)) + max(0, min(content, 1<<50))
		l, err := parseHeader(raw, size, plainNames())
		if err != nil {
			if !errors.Is(err, ErrUnsafe) {
				t.Fatal(err)
			}
			return
		}
		at := l.length
		seen := map[string]bool{}
		for _, e := range l.files {
			if e.start != at || e.size < 0 || seen[e.path] {
				t.Fatalf("%+v at %d", e, at)
			}
			at += e.size
			seen[e.path] = true
			for part := range strings.SplitSeq(e.path, "/") {
				if safe, err := safeName(part, false); safe != part || err != nil {
					t.Fatalf("%q: %v", e.path, err)
				}
			}
		}
		for _, d := range l.folders() {
			if seen[d] {
				t.Fatalf("%q is a file and a folder", d)
			}
		}
		if at != size {
			t.Fatalf("ends at %d of %d", at, size)
		}
		// Packed again, the parsed header is the same.
		packed, err := packHeader(l.files, l.dirs)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseHeader(packed[4:], size-l.length+int64(len(packed)), plainNames())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(l.dirs, again.dirs); diff != "" || len(again.files) != len(l.files) {
			t.Fatal(diff)
		}
	})
}

// A header of a few deep paths, whose folders would take gigabytes, is refused. A hundred thousand
// files in folders of their own are not.
func TestDeepHeader(t *testing.T) {
	n := newNames(SafeName, func(name string) string { return name })
	var err error
	for i := 0; i < 60 && err == nil; i++ {
		_, err = n.place(fmt.Sprint(i)+strings.Repeat("/a", 2000), false)
	}
	if !errors.Is(err, ErrUnsafe) {
		t.Errorf("sixty paths of two thousand folders: %v", err)
	}
	n = newNames(SafeName, func(name string) string { return name })
	for i := range MaxEntries {
		if _, err := n.place(fmt.Sprintf("projects/customer-%d/letters/letter-%d.txt", i, i), false); err != nil {
			t.Fatal(i, err)
		}
	}
}
