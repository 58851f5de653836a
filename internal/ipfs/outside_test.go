package ipfs

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// service is the value of a variable that make test sets.
func service(t *testing.T, variable string) string {
	t.Helper()
	v := os.Getenv(variable)
	if v == "" {
		if os.Getenv("COFFER_TEST_REQUIRE") == "1" {
			t.Fatalf("%s is not set, and COFFER_TEST_REQUIRE=1 forbids to skip", variable)
		}
		t.Skipf("%s is not set: run make test, which builds what it names", variable)
	}
	return v
}

// boxo runs test/ipfs/ipfscheck.
func boxo(t *testing.T, in []byte, args ...string) string {
	t.Helper()
	cmd := exec.Command(service(t, "COFFER_TEST_IPFSCHECK"), args...)
	var complaint bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ipfscheck %v: %v: %s", args, err, &complaint)
	}
	return strings.TrimSpace(string(out))
}

// said is a node as ipfscheck prints one.
func said(n Node) string { return fmt.Sprint(n.CID, n.Total) }

func TestBoxoFiles(t *testing.T) {
	type shape struct{ chunk, width, size int }
	shapes := []shape{}
	for _, size := range []int{0, 1, ChunkSize - 1, ChunkSize, ChunkSize + 1, 2*ChunkSize - 1, 2 * ChunkSize, 2*ChunkSize + 1, 5 * ChunkSize} {
		shapes = append(shapes, shape{ChunkSize, MaxLinks, size})
	}
	for _, chunks := range []int{1023, 1024, 1025, 2048, 2049} {
		for _, more := range []int{-1, 0, 1} {
			shapes = append(shapes, shape{3, MaxLinks, 3*chunks + more}, shape{3, 4, 3*chunks + more})
		}
	}
	for _, s := range shapes {
		content := pattern(s.size)
		n, err := file(bytes.NewReader(content), Sink{}, s.chunk, s.width)
		if err != nil {
			t.Fatal(err)
		}
		if want := boxo(t, content, "file", "-chunk", fmt.Sprint(s.chunk), "-width", fmt.Sprint(s.width)); said(n) != want {
			t.Errorf("%+v: %s, boxo says %s", s, said(n), want)
		}
	}
}

func TestBoxoFolders(t *testing.T) {
	folders := map[string][]Entry{
		"empty":          nil,
		"unicode":        named("ä", "a", "Ω", "𝄞", "a b", "e\u0301", "é", "%2F", "文件.txt", strings.Repeat("長", 80)),
		"at the edge":    profileEntries(t, 21),
		"above the edge": profileEntries(t, 22),
	}
	for _, n := range []int{10, 3000, 30_000} {
		var entries []Entry
		for i := range n {
			entries = append(entries, Entry{fmt.Sprintf("%d-%d", i, i*i), Node{Sum(Raw, nil), 0, 1 << (i % 40)}})
		}
		folders[fmt.Sprint(n, " entries")] = entries
	}
	for name, entries := range folders {
		type entry struct {
			Name, CID string
			Total     int64
		}
		list := []entry{}
		for _, e := range entries {
			list = append(list, entry{e.Name, e.Node.CID.String(), e.Node.Total})
		}
		in, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		n, err := Dir(entries, Sink{})
		if err != nil {
			t.Fatal(err)
		}
		if want := boxo(t, in, "entries"); said(n) != want {
			t.Errorf("%s: %s, boxo says %s", name, said(n), want)
		}
	}
}

// folderOnDisk writes files of some shapes, and so many small ones that the folder has shards.
func folderOnDisk(t *testing.T) (dir string, files map[string][]byte) {
	t.Helper()
	dir, files = t.TempDir(), map[string][]byte{"empty": {}, "ä/Ω/deep.bin": pattern(2*ChunkSize + 7), "ä/one": []byte("1")}
	for i := range 1300 {
		files[fmt.Sprintf("many/%0200d", i)] = fmt.Append(nil, i)
	}
	for name, content := range files {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir, files
}

// build makes the blocks of a folder on disk.
func build(t *testing.T, dir string, s Sink) Node {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var entries []Entry
	for _, e := range list {
		at := filepath.Join(dir, e.Name())
		if e.IsDir() {
			entries = append(entries, Entry{e.Name(), build(t, at, s)})
			continue
		}
		content, err := os.ReadFile(at)
		if err != nil {
			t.Fatal(err)
		}
		n, err := File(bytes.NewReader(content), s)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, Entry{e.Name(), n})
	}
	n, err := Dir(entries, s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// at is what a path below a folder leads to.
func (s shelf) at(root CID, path string) (CID, error) {
	for step := range strings.SplitSeq(path, "/") {
		l, err := s.find(root, step)
		if err != nil {
			return CID{}, fmt.Errorf("%s: %w", step, err)
		}
		root = l.CID
	}
	return root, nil
}

func TestBoxoArchives(t *testing.T) {
	dir, files := folderOnDisk(t)
	blocks := shelf{}
	root := build(t, dir, blocks.sink())
	foreign := filepath.Join(t.TempDir(), "boxo.car")
	if want := boxo(t, nil, "folder", "-car", foreign, dir); said(root) != want {
		t.Fatalf("%s, boxo says %s", said(root), want)
	}
	// boxo reads ours.
	var want []string
	for name, content := range files {
		want = append(want, fmt.Sprintf("%q %d %x", name, len(content), sha256.Sum256(content)))
	}
	slices.Sort(want)
	got := strings.Split(boxo(t, blocks.archive(t, root.CID), "car"), "\n")
	if got[0] != "root "+root.CID.String() {
		t.Errorf("the archive's root: %s", got[0])
	}
	if got = got[1:]; !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("boxo reads %d files, want %d: %.500q", len(got), len(want), got)
	}
	// We read boxo's.
	archive, err := os.ReadFile(foreign)
	if err != nil {
		t.Fatal(err)
	}
	theirs, roots := unpack(t, archive)
	if len(roots) != 1 || roots[0] != root.CID || len(theirs) != len(blocks) {
		t.Errorf("boxo's archive has roots %v and %d blocks, want %d", roots, len(theirs), len(blocks))
	}
	theirs.check(t, root.CID, files)
}

// check reads the files of a folder and compares them.
func (s shelf) check(t *testing.T, root CID, files map[string][]byte) {
	t.Helper()
	for name, content := range files {
		id, err := s.at(root, name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := s.file(id); err != nil || !bytes.Equal(got.content, content) {
			t.Errorf("%s: %d bytes, %v, want %d", name, len(got.content), err, len(content))
		}
	}
}

// kubo calls the RPC of a Kubo node.
func kubo(t *testing.T, call string, query url.Values, parts ...part) []byte {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, p := range parts {
		w, err := form.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {fmt.Sprintf("form-data; name=\"file\"; filename=\"%s\"", url.QueryEscape(p.name))},
			"Content-Type":        {p.kind},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(p.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(service(t, "COFFER_TEST_KUBO_RPC")+"/api/v0/"+call+"?"+query.Encode(), form.FormDataContentType(), &body)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v: %.300s", call, resp.Status, err, out)
	}
	return out
}

// part is a file or folder in a call.
type part struct {
	name, kind string
	content    []byte
}

const (
	aFile   = "application/octet-stream"
	aFolder = "application/x-directory"
)

// added is the identifier that Kubo gives the last of the parts that it adds, and stores nothing.
func added(t *testing.T, parts ...part) string {
	t.Helper()
	var last struct{ Hash string }
	for line := range bytes.Lines(kubo(t, "add", url.Values{"only-hash": {"true"}, "pin": {"false"}, "progress": {"false"}}, parts...)) {
		if err := json.Unmarshal(line, &last); err != nil {
			t.Fatal(err)
		}
	}
	return last.Hash
}

func TestKuboAdds(t *testing.T) {
	for _, size := range []int{0, 1, ChunkSize - 1, ChunkSize, ChunkSize + 1, 2 * ChunkSize, 5*ChunkSize + 1} {
		content := pattern(size)
		n, err := File(bytes.NewReader(content), Sink{})
		if err != nil {
			t.Fatal(err)
		}
		if got := added(t, part{"file", aFile, content}); got != n.CID.String() {
			t.Errorf("%d bytes are %s, Kubo says %s", size, n.CID, got)
		}
	}
	for _, last := range []int{21, 22} {
		entries := profileEntries(t, last)
		parts := []part{{name: "folder", kind: aFolder}}
		for _, e := range entries {
			parts = append(parts, part{"folder/" + e.Name, aFile, []byte("x")})
		}
		n, err := Dir(entries, Sink{})
		if err != nil {
			t.Fatal(err)
		}
		if got := added(t, parts...); got != n.CID.String() {
			t.Errorf("the folder is %s, Kubo says %s", n.CID, got)
		}
	}
}

// TestKuboReads: Kubo takes our archive, lists and reads what it holds, and gives it back as an
// archive that we read.
func TestKuboReads(t *testing.T) {
	service(t, "COFFER_TEST_KUBO_RPC")
	dir, files := folderOnDisk(t)
	blocks := shelf{}
	root := build(t, dir, blocks.sink())
	id := root.CID.String()
	kubo(t, "dag/import", url.Values{"pin-roots": {"true"}}, part{"ours.car", aFile, blocks.archive(t, root.CID)})
	for _, name := range []string{"empty", "ä/Ω/deep.bin", "ä/one", fmt.Sprintf("many/%0200d", 7)} {
		if got := kubo(t, "cat", url.Values{"arg": {"/ipfs/" + id + "/" + name}}); !bytes.Equal(got, files[name]) {
			t.Errorf("%s: Kubo reads %d bytes, want %d", name, len(got), len(files[name]))
		}
	}
	var list struct {
		Objects []struct{ Links []struct{ Name string } }
	}
	if err := json.Unmarshal(kubo(t, "ls", url.Values{"arg": {"/ipfs/" + id + "/many"}}), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Objects) != 1 || len(list.Objects[0].Links) != 1300 {
		t.Errorf("Kubo lists %+.300v, want 1300 names", list)
	}
	theirs, roots := unpack(t, kubo(t, "dag/export", url.Values{"arg": {id}}))
	if len(roots) != 1 || roots[0] != root.CID || len(theirs) != len(blocks) {
		t.Errorf("Kubo's archive has roots %v and %d blocks, want %d", roots, len(theirs), len(blocks))
	}
	theirs.check(t, root.CID, files)
	kubo(t, "pin/rm", url.Values{"arg": {id}})
}
