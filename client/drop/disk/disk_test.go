package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coffer/client/drop"
)

// write makes files below dir: path → content; a path that ends with "/" is a folder.
func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o777); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// read is the opposite of write.
func read(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if d.IsDir() {
			if entries, err := os.ReadDir(path); err == nil && len(entries) == 0 {
				files[name+"/"] = ""
			}
			return nil
		}
		b, err := os.ReadFile(path)
		files[name] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func openSource(t testing.TB, path string) *Source {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func openTarget(t testing.TB, dir string) *Target {
	t.Helper()
	target, err := OpenTarget(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { target.Close() })
	return target
}

func itemOf(s *Source) drop.Item {
	return drop.Item{Name: s.info.Name, Kind: s.info.Kind, Size: s.info.Size}
}

func begin(t testing.TB, target *Target, s *Source) *Part {
	t.Helper()
	p, err := target.Begin(itemOf(s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// copyTo brings a part to n bytes, in pieces.
func copyTo(t testing.TB, p *Part, s *Source, n int64, piece int) {
	t.Helper()
	b := make([]byte, piece)
	for at := p.Bytes(); at < n; at = p.Bytes() {
		k, err := s.ReadAt(b[:min(int64(piece), n-at)], at)
		if err != nil && err != io.EOF {
			t.Fatal(err)
		}
		if _, err := p.WriteAt(b[:k], at); err != nil {
			t.Fatal(err)
		}
	}
}

func finish(t testing.TB, p *Part, existing Existing, want string) {
	t.Helper()
	if name, err := p.Finish(existing); err != nil || name != want {
		t.Fatalf("finished as %q, %v, want %q", name, err, want)
	}
}

var sample = map[string]string{
	"a.txt": "alpha", "empty": "", "sub/b.bin": strings.Repeat("b", 5000), "sub/deep/er/c": "c", "sub/z-empty": "", "hollow/": "", "sub/hollow/": "", "z": "end",
}

// TestFolder sends a folder: the same names, contents, times and empty folders arrive.
func TestFolder(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	dir := filepath.Join(from, "trip")
	write(t, dir, sample)
	then := time.UnixMilli(1_600_000_000_123)
	if err := os.Chtimes(filepath.Join(dir, "sub/b.bin"), then, then); err != nil {
		t.Fatal(err)
	}
	s := openSource(t, dir)
	if s.info.Name != "trip" || s.info.Kind != drop.Folder || s.info.Files != 6 {
		t.Fatalf("%+v", s)
	}
	p := begin(t, openTarget(t, to), s)
	copyTo(t, p, s, s.info.Size, 700)
	if got := read(t, to); got["trip/a.txt"] != "" || len(got) == 0 {
		t.Errorf("before the end the folder has its name: %v", got)
	}
	finish(t, p, Refuse, "trip")
	want := map[string]string{}
	for name, content := range sample {
		want["trip/"+name] = content
	}
	if diff := cmp.Diff(want, read(t, to)); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(filepath.Join(to, "trip/sub/b.bin")); err != nil || !info.ModTime().Equal(then) {
		t.Errorf("%v, %v", info.ModTime(), err)
	}
	// The stream does not depend on when or where it is made.
	again := openSource(t, filepath.Join(to, "trip"))
	one, two := make([]byte, s.info.Size), make([]byte, s.info.Size)
	if _, err := s.ReadAt(one, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := again.ReadAt(two, 0); err != nil || again.info.Size != s.info.Size || !bytes.Equal(one, two) {
		t.Errorf("the copy has another stream: %d bytes and %d, %v", s.info.Size, again.info.Size, err)
	}
}

// TestResume draws folders and files, cuts the transfer anywhere several times, opens the
// part anew each time, and ends with the same content.
func TestResume(t *testing.T) {
	root := t.TempDir()
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		from, to := filepath.Join(root, fmt.Sprint(round, "from")), filepath.Join(root, fmt.Sprint(round, "to"))
		path := filepath.Join(from, "item")
		random := rand.New(rand.NewPCG(1, uint64(round)))
		content := func(n int) string {
			b := make([]byte, n)
			for i := range b {
				b[i] = byte(random.Uint32())
			}
			return string(b)
		}
		if rapid.Bool().Draw(rt, "folder") {
			files := map[string]string{"../item/": ""}
			for i := range rapid.IntRange(0, 12).Draw(rt, "files") {
				name := strings.Repeat("d/", rapid.IntRange(0, 3).Draw(rt, "depth")) + fmt.Sprint("f", i)
				files[name] = content(rapid.SampledFrom([]int{0, 0, 1, 63, 64, 65, 1000}).Draw(rt, "size"))
			}
			write(t, path, files)
		} else {
			write(t, from, map[string]string{"item": content(rapid.IntRange(0, 3000).Draw(rt, "size"))})
		}
		s := openSource(t, path)
		want := make([]byte, s.info.Size)
		if _, err := s.ReadAt(want, 0); err != nil && err != io.EOF {
			rt.Fatal(err)
		}
		const chunk = 64
		for range rapid.IntRange(0, 4).Draw(rt, "cuts") {
			target := openTarget(t, to)
			p := begin(t, target, s)
			if held := p.Bytes(); held < s.info.Size { // whole chunks only, as Receive does
				if err := p.Truncate(held / chunk * chunk); err != nil {
					rt.Fatal(err)
				}
			}
			have := make([]byte, p.Bytes())
			if _, err := p.ReadAt(have, 0); err != nil && err != io.EOF || !bytes.Equal(have, want[:len(have)]) {
				rt.Fatalf("the part holds something else after %d bytes: %v", len(have), err)
			}
			copyTo(t, p, s, rapid.Int64Range(p.Bytes(), s.info.Size).Draw(rt, "until"), chunk)
			if rapid.Bool().Draw(rt, "back") {
				if err := p.Truncate(rapid.Int64Range(0, p.Bytes()).Draw(rt, "to")); err != nil {
					rt.Fatal(err)
				}
			}
			now := p.Bytes()
			if p.Close(); target.Close() != nil {
				rt.Fatal("not closed")
			}
			if q := begin(t, openTarget(t, to), s); q.Bytes() != now {
				rt.Fatalf("%d bytes are held after the next start, were %d", q.Bytes(), now)
			} else {
				q.Close()
			}
		}
		p := begin(t, openTarget(t, to), s)
		copyTo(t, p, s, s.info.Size, chunk)
		finish(t, p, Refuse, "item")
		if diff := cmp.Diff(read(t, from), read(t, to)); diff != "" {
			rt.Fatal(diff)
		}
		os.RemoveAll(from)
		os.RemoveAll(to)
	})
}

func TestExisting(t *testing.T) {
	for _, c := range []struct {
		what        string
		there, sent map[string]string
		existing    Existing
		want        string // "" is ErrExists
		after       map[string]string
	}{
		{"free", nil, map[string]string{"x": "new"}, Refuse, "x", map[string]string{"x": "new"}},
		{"refuse", map[string]string{"x": "old"}, map[string]string{"x": "newer"}, Refuse, "", map[string]string{"x": "old", "x.coffer-part": "newer"}},
		{"both", map[string]string{"x": "old", "x (2)": "two"}, map[string]string{"x": "newer"}, KeepBoth, "x (3)", map[string]string{"x": "old", "x (2)": "two", "x (3)": "newer"}},
		{"replace", map[string]string{"x": "old"}, map[string]string{"x": "newer"}, Replace, "x", map[string]string{"x": "newer"}},
		{"a folder for a file", map[string]string{"x": "old"}, map[string]string{"x/y": "newer"}, Refuse, "", nil},
		{"a folder beside a file", map[string]string{"x": "old"}, map[string]string{"x/y": "newer"}, KeepBoth, "x (2)", map[string]string{"x": "old", "x (2)/y": "newer"}},
		{"a folder replaces a file", map[string]string{"x": "old"}, map[string]string{"x/y": "newer"}, Replace, "x", map[string]string{"x/y": "newer"}},
		{"a file replaces a folder", map[string]string{"x/y": "old"}, map[string]string{"x": "newer"}, Replace, "x", map[string]string{"x": "newer"}},
		{"a folder replaces a folder", map[string]string{"x/y": "old", "x/z": "old"}, map[string]string{"x/y": "newer"}, Replace, "x", map[string]string{"x/y": "newer"}},
		{"folders never mix", map[string]string{"x/z": "old"}, map[string]string{"x/y": "newer"}, KeepBoth, "x (2)", map[string]string{"x/z": "old", "x (2)/y": "newer"}},
		{"an empty folder is taken too", map[string]string{"x/": ""}, map[string]string{"x/y": "newer"}, KeepBoth, "x (2)", map[string]string{"x/": "", "x (2)/y": "newer"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			from, to := t.TempDir(), t.TempDir()
			write(t, to, c.there)
			write(t, from, c.sent)
			s := openSource(t, filepath.Join(from, "x"))
			p := begin(t, openTarget(t, to), s)
			copyTo(t, p, s, s.info.Size, 64)
			name, err := p.Finish(c.existing)
			if name != c.want || (c.want == "") != errors.Is(err, ErrExists) {
				t.Fatalf("got %q, %v, want %q", name, err, c.want)
			}
			p.Close()
			if c.after != nil {
				if diff := cmp.Diff(c.after, read(t, to)); diff != "" {
					t.Error(diff)
				}
			}
			if c.want == "" { // the part goes on under another rule
				p := begin(t, openTarget(t, to), s)
				if p.Bytes() != s.info.Size {
					t.Errorf("%d bytes are held", p.Bytes())
				}
				finish(t, p, KeepBoth, "x (2)")
			}
		})
	}
}

// TestSame runs a receive again: what is there whole is not brought twice, and what merely is
// as long does not change.
func TestSame(t *testing.T) {
	for _, kind := range []string{"x", "x/y"} {
		from, to := t.TempDir(), t.TempDir()
		write(t, from, map[string]string{kind: "same words"})
		s := openSource(t, filepath.Join(from, "x"))
		p := begin(t, openTarget(t, to), s)
		copyTo(t, p, s, s.info.Size, 64)
		finish(t, p, Refuse, "x")

		p = begin(t, openTarget(t, to), s)
		if held, _ := p.Size(); held != s.info.Size || !p.Claims() {
			t.Errorf("%s: %d bytes are held", kind, held)
		}
		b := make([]byte, s.info.Size)
		if _, err := p.ReadAt(b, 0); err != nil || !bytes.HasSuffix(b, []byte("same words")) {
			t.Errorf("%s: %q, %v", kind, b, err)
		}
		finish(t, p, KeepBoth, "x")

		write(t, to, map[string]string{kind: "other word"})
		if s.info.Kind == drop.Folder { // the same time too, or the header differs in length
			info, _ := os.Stat(filepath.Join(from, kind))
			if err := os.Chtimes(filepath.Join(to, kind), info.ModTime(), info.ModTime()); err != nil {
				t.Fatal(err)
			}
		}
		p = begin(t, openTarget(t, to), s)
		if p.Bytes() != s.info.Size {
			t.Errorf("%s: %d bytes are claimed", kind, p.Bytes())
		}
		if err := p.Truncate(0); err != nil || p.Bytes() != 0 {
			t.Errorf("%s: %d, %v", kind, p.Bytes(), err)
		}
		copyTo(t, p, s, s.info.Size, 64)
		finish(t, p, KeepBoth, "x (2)")
		if diff := cmp.Diff(map[string]string{kind: "other word", strings.Replace(kind, "x", "x (2)", 1): "same words"}, read(t, to)); diff != "" {
			t.Error(diff)
		}
	}
}

// TestLocked lets many receives of one name run at once: none writes into another's part,
// and exactly one gets the name.
func TestLocked(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	write(t, from, sample)
	for i, path := range []string{"sub/b.bin", "sub"} {
		s := openSource(t, filepath.Join(from, path))
		var all sync.WaitGroup
		names := make([]string, 16)
		for i := range names {
			all.Go(func() {
				target := openTarget(t, to)
				p, err := target.Begin(itemOf(s))
				if err != nil {
					t.Error(err)
					return
				}
				if err := p.Truncate(0); err != nil { // claims nothing
					t.Error(err)
				}
				copyTo(t, p, s, s.info.Size, 100)
				if names[i], err = p.Finish(KeepBoth); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		got := map[string]bool{}
		for _, n := range names {
			got[n] = true
		}
		if !got[s.info.Name] || len(got) != len(names) {
			t.Errorf("names: %v", names)
		}
		if files := read(t, to); len(files) != []int{16, 64}[i] {
			t.Errorf("%d files: %v", len(files), names)
		}
		os.RemoveAll(to)
	}
}

// TestLinks plants links where a receive writes: nothing is written through one.
func TestLinks(t *testing.T) {
	from, to, else_ := t.TempDir(), t.TempDir(), t.TempDir()
	write(t, from, map[string]string{"file": "hostile", "dir/a/b": "hostile", "dir/c": strings.Repeat("hostile", 100)})
	write(t, else_, map[string]string{"precious": "precious", "p2": "precious", "folder/b": "precious"})
	link := func(call func(string, string) error, old, new string) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, new)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := call(filepath.Join(else_, old), filepath.Join(to, new)); err != nil {
			if runtime.GOOS == "windows" {
				t.Skipf("Windows lets only some users make links: %v", err)
			}
			t.Fatal(err)
		}
	}
	file, dir := openSource(t, filepath.Join(from, "file")), openSource(t, filepath.Join(from, "dir"))
	for round, plant := range []func(){
		func() { link(os.Symlink, "precious", "file.coffer-part") },
		func() { link(os.Link, "precious", "file.coffer-part") },
		func() { link(os.Symlink, "precious", "file") },
		func() { link(os.Symlink, "folder", "dir.coffer-part") },
		func() { link(os.Symlink, "precious", "dir.coffer-part/header") },
		func() { link(os.Link, "precious", "dir.coffer-part/header") },
		func() { link(os.Symlink, "folder", "dir.coffer-part/content") },
		func() { // a part with a true header, and links in its content
			p := begin(t, openTarget(t, to), dir)
			copyTo(t, p, dir, dir.layout.length+10, 64)
			p.Close()
			os.RemoveAll(filepath.Join(to, "dir.coffer-part/content/a"))
			link(os.Symlink, "folder", "dir.coffer-part/content/a")
		},
		func() {
			p := begin(t, openTarget(t, to), dir)
			copyTo(t, p, dir, dir.layout.length+10, 64)
			p.Close()
			os.Remove(filepath.Join(to, "dir.coffer-part/content/c"))
			link(os.Link, "p2", "dir.coffer-part/content/c")
		},
	} {
		plant()
		for _, s := range []*Source{file, dir} {
			p := begin(t, openTarget(t, to), s)
			copyTo(t, p, s, s.info.Size, 64)
			if _, err := p.Finish(KeepBoth); err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		}
		if diff := cmp.Diff(map[string]string{"precious": "precious", "p2": "precious", "folder/b": "precious"}, read(t, else_)); diff != "" {
			t.Fatalf("round %d: %s", round, diff)
		}
		os.RemoveAll(to)
	}
}

// TestHostileHeader refuses a stream before anything of it is a file.
func TestHostileHeader(t *testing.T) {
	for _, header := range []string{
		`{"files":[["../escaped",3,1]],"dirs":[]}`, `{"files":[["a/../../escaped",3,1]],"dirs":[]}`, `{"files":[["/escaped",3,1]],"dirs":[]}`,
		`{"files":[["ok",3,1]],"dirs":["../escaped"]}`, `{"files":[["a",1,1],["a",2,1]],"dirs":[]}`, `{"files":[["a",4,1]],"dirs":[]}`, `no header`,
	} {
		to := t.TempDir()
		target := openTarget(t, filepath.Join(to, "in"))
		stream := append([]byte{0, 0, 0, byte(len(header))}, header+"abc"...)
		p, err := target.Begin(drop.Item{Name: "x", Kind: drop.Folder, Size: int64(len(stream))})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.WriteAt(stream, 0); !errors.Is(err, ErrUnsafe) {
			t.Errorf("%s: %v", header, err)
		}
		if _, err := p.Finish(Refuse); err == nil {
			t.Errorf("%s: finished", header)
		}
		p.Close()
		if diff := cmp.Diff(map[string]string{"in/": ""}, read(t, to)); diff != "" {
			t.Errorf("%s: %s", header, diff)
		}
	}
	if _, err := openTarget(t, t.TempDir()).Begin(drop.Item{Name: "../x", Kind: drop.File, Size: 1}); !errors.Is(err, ErrUnsafe) {
		t.Errorf("a file ../x: %v", err)
	}
}

func TestPartOrder(t *testing.T) {
	p, err := openTarget(t, t.TempDir()).Begin(drop.Item{Name: "x", Kind: drop.File, Size: 10})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.WriteAt([]byte("abc"), 0); err != nil {
		t.Fatal(err)
	}
	for _, off := range []int64{0, 2, 4, -1} {
		if _, err := p.WriteAt([]byte("x"), off); !errors.Is(err, ErrOrder) {
			t.Errorf("at %d: %v", off, err)
		}
	}
	if _, err := p.WriteAt(make([]byte, 8), 3); !errors.Is(err, ErrOrder) {
		t.Errorf("beyond the end: %v", err)
	}
	if _, err := p.Finish(Refuse); err == nil {
		t.Error("a part of 3 bytes is finished as 10")
	}
	b := make([]byte, 10)
	if n, err := p.ReadAt(b, 0); n != 3 || err != io.EOF || string(b[:3]) != "abc" {
		t.Errorf("%d, %v", n, err)
	}
}

// TestHiddenItem: what arrives without a question is in sight and configures nothing: in a home
// folder a new .ssh would. Inside a folder of its own a hidden file stays what it is.
func TestHiddenItem(t *testing.T) {
	send, out := t.TempDir(), t.TempDir()
	write(t, send, map[string]string{".profile": "evil", ".ssh/authorized_keys": "evil", "project/.env": "mine"})
	for _, c := range []struct{ name, want string }{{".profile", "_.profile"}, {".ssh", "_.ssh"}, {"project", "project"}} {
		s := openSource(t, filepath.Join(send, c.name))
		p := begin(t, openTarget(t, out), s)
		copyTo(t, p, s, s.Info().Size, 100)
		finish(t, p, Refuse, c.want)
	}
	want := map[string]string{"_.profile": "evil", "_.ssh/authorized_keys": "evil", "project/.env": "mine"}
	if diff := cmp.Diff(want, read(t, out)); diff != "" {
		t.Error(diff)
	}
}
