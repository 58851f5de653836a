package parcel

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"coffer/internal/ipfs"
	"coffer/internal/seal"
)

// shelf is blocks by their identifiers.
type shelf map[ipfs.CID][]byte

func (s shelf) fetch(_ context.Context, c ipfs.CID) ([]byte, error) {
	b, ok := s[c]
	if !ok {
		return nil, errors.New("not there")
	}
	return b, nil
}

func (s shelf) sink() ipfs.Sink {
	return ipfs.Sink{
		Leaf: func(l ipfs.Leaf, b []byte) error { s[l.CID] = bytes.Clone(b); return nil },
		Node: func(b ipfs.Block) error { s[b.CID] = bytes.Clone(b.Data); return nil },
	}
}

// stream adds a sealed stream to the shelf.
func (s shelf) stream(t testing.TB, k Key, name string, plain []byte) ipfs.Entry {
	t.Helper()
	key, nonce := k.Stream(name)
	r, err := seal.SealRange(func(off, n int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(plain[off : off+n])), nil
	},
		int64(len(plain)), key, nonce, []byte(AAD), 0, seal.CipherSize(int64(len(plain))))
	if err != nil {
		t.Fatal(err)
	}
	node, err := ipfs.File(r, s.sink())
	if err != nil {
		t.Fatal(err)
	}
	return ipfs.Entry{Name: name, Node: node}
}

// pack makes a parcel; the manifest may be altered before it is sealed.
func pack(t testing.TB, k Key, files map[string]string, alter func(*Manifest)) (shelf, ipfs.CID) {
	t.Helper()
	s := shelf{}
	m := Manifest{Name: "trip"}
	var entries []ipfs.Entry
	for path, content := range files {
		name := fmt.Sprint(len(m.Files))
		sum := sha256.Sum256([]byte(content))
		m.Files = append(m.Files, File{Path: path, File: name, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]), Modified: time.Unix(1, 0).UTC()})
		entries = append(entries, s.stream(t, k, name, []byte(content)))
	}
	alter(&m)
	plain, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	root, err := ipfs.Dir(append(entries, s.stream(t, k, ManifestName, plain)), s.sink())
	if err != nil {
		t.Fatal(err)
	}
	return s, root.CID
}

func asItIs(*Manifest) {}

// read opens a parcel and reads all of it.
func read(ctx context.Context, s shelf, root ipfs.CID, k Key) (map[string]string, error) {
	p, err := Open(ctx, s.fetch, root, k)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, f := range p.Files {
		var b bytes.Buffer
		if err := p.Write(ctx, f, &b); err != nil {
			return nil, err
		}
		all[f.Path] = b.String()
	}
	return all, nil
}

func TestOpen(t *testing.T) {
	files := map[string]string{"a": "alpha", "sub/none": "", "sub/big": strings.Repeat("0123456789", 250_000)}
	k := NewKey()
	s, root := pack(t, k, files, asItIs)
	got, err := read(t.Context(), s, root, k)
	if err != nil || len(got) != len(files) {
		t.Fatalf("%d files, %v", len(got), err)
	}
	for path, content := range files {
		if got[path] != content {
			t.Errorf("%s differs", path)
		}
	}
	if _, err := read(t.Context(), s, root, NewKey()); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("another key: %v", err)
	}
	for c, b := range s { // each block, damaged and lost
		whole := bytes.Clone(b)
		b[len(b)/2] ^= 1
		if _, err := read(t.Context(), s, root, k); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("block %s is damaged: %v", c, err)
		}
		delete(s, c)
		if _, err := read(t.Context(), s, root, k); err == nil {
			t.Errorf("block %s is lost, and all is read", c)
		}
		s[c] = whole
	}
}

// TestHostile opens parcels whose maker lies.
func TestHostile(t *testing.T) {
	for what, alter := range map[string]func(*Manifest){
		"up":            func(m *Manifest) { m.Files[0].Path = "../a" },
		"absolute":      func(m *Manifest) { m.Files[0].Path = "/a" },
		"backslash":     func(m *Manifest) { m.Files[0].Path = `..\a` },
		"dots":          func(m *Manifest) { m.Files[0].Path = "a/.../b" },
		"folder":        func(m *Manifest) { m.Folders = []string{"a/../../b"} },
		"name":          func(m *Manifest) { m.Name = ".." },
		"empty":         func(m *Manifest) { m.Files[0].Path = "" },
		"twice":         func(m *Manifest) { m.Files = append(m.Files, m.Files[0]) },
		"another file":  func(m *Manifest) { m.Files[0].File = "7" },
		"the manifest":  func(m *Manifest) { m.Files[0].File = ManifestName },
		"longer":        func(m *Manifest) { m.Files[0].Size++ },
		"shorter":       func(m *Manifest) { m.Files[0].Size-- },
		"negative":      func(m *Manifest) { m.Files[0].Size = -1 },
		"another hash":  func(m *Manifest) { m.Files[0].SHA256 = strings.Repeat("0", 64) },
		"too many":      func(m *Manifest) { m.Folders = make([]string, MaxFiles+1) },
		"another spell": func(m *Manifest) { m.Files[0].File = "00" },
	} {
		k := NewKey()
		s, root := pack(t, k, map[string]string{"a": "alpha"}, alter)
		if got, err := read(t.Context(), s, root, k); err == nil {
			t.Errorf("%s: %v", what, got)
		}
	}
}

func TestLink(t *testing.T) {
	k := NewKey()
	root := ipfs.Sum(ipfs.DagPB, []byte("x"))
	link := k.Link("https://coffer.test/sub", root)
	base, c, got, err := ParseLink(link)
	if err != nil || base != "https://coffer.test/sub" || c != root || got != k {
		t.Errorf("%s: %s, %s, %v", link, base, c, err)
	}
	for _, bad := range []string{
		"", "https://coffer.test/p/" + root.String(), strings.Replace(link, "#v1.", "#v2.", 1), link[:len(link)-1], link + "A", strings.Replace(link, "/p/", "/s/", 1),
		strings.Replace(link, "https", "javascript", 1), strings.Replace(link, "//", "//user@", 1), strings.Replace(link, root.String(), "x", 1),
	} {
		if _, _, _, err := ParseLink(bad); !errors.Is(err, ErrLink) {
			t.Errorf("%q is a link", bad)
		}
	}
}

// FuzzManifest reads manifests that anybody may have written.
func FuzzManifest(f *testing.F) {
	plain, _ := Manifest{Name: "a", Files: []File{{Path: "a", File: "0", Size: 1}}}.Marshal()
	f.Add(plain)
	f.Add([]byte(`{"v":1,"name":"a","files":[{"path":"a/../b","file":"0"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseManifest(b)
		if err != nil {
			return
		}
		for _, file := range m.Files {
			for name := range strings.SplitSeq(file.Path, "/") {
				if name == "" || name == "." || name == ".." || strings.ContainsAny(name, `\/`) {
					t.Errorf("%q", file.Path)
				}
			}
		}
	})
}

// TestKeys: a name has one key and one nonce, and no two names share them.
func TestKeys(t *testing.T) {
	var k Key
	seen := map[string]string{}
	for _, name := range []string{ManifestName, "0", "1", "10"} {
		key, nonce := k.Stream(name)
		if len(key) != seal.KeySize || len(nonce) != seal.NonceSize {
			t.Errorf("%d, %d", len(key), len(nonce))
		}
		if other, twice := seen[string(key)+string(nonce)]; twice {
			t.Errorf("%s has the key of %s", name, other)
		}
		seen[string(key)+string(nonce)] = name
	}
	// As Python's hmac and hashlib make it by RFC 5869.
	if key, _ := k.Stream("0"); hex.EncodeToString(key) != "b86bc6fdce78fd6cf9a93ac6765e0aff8005ddc1bb52beb992ddfac1491e23ae" {
		t.Errorf("%x", key)
	}
}

// TestManifestSize: a manifest is as long as its names, and no longer than its readers take.
func TestManifestSize(t *testing.T) {
	m := Manifest{Name: "a&b <c>", Files: []File{{Path: "x"}}}
	plain, err := m.Marshal()
	if err != nil || !bytes.Contains(plain, []byte(`"name":"a&b <c>"`)) || !bytes.HasSuffix(plain, []byte("}")) {
		t.Errorf("%s, %v", plain, err)
	}
	for room, want := range map[int]error{0: nil, 1: ErrTooLarge} {
		m.Files[0].Path = strings.Repeat("<", MaxManifest-len(plain)+1+room)
		if long, err := m.Marshal(); err != want {
			t.Errorf("%d bytes: %v", len(long), err)
		}
	}
}

// field is a field of bytes in protobuf.
func field(tag byte, b []byte) []byte {
	return append(binary.AppendUvarint([]byte{tag}, uint64(len(b))), b...)
}

// craft makes a node of links that no builder makes.
func (s shelf) craft(names []string, to ipfs.CID, data []byte) ipfs.CID {
	var b []byte
	for _, name := range names {
		link := field(1<<3|2, to.Bytes())
		if name != "" {
			link = append(link, field(2<<3|2, []byte(name))...)
		}
		b = append(b, field(2<<3|2, link)...)
	}
	b = append(b, field(1<<3|2, data)...)
	c := ipfs.Sum(ipfs.DagPB, b)
	s[c] = b
	return c
}

// counted opens a parcel and reads its files, and returns how many blocks it fetched.
func counted(t *testing.T, s shelf, root ipfs.CID, k Key) (n int, err error) {
	t.Helper()
	const most = 50_000
	p, err := Open(t.Context(), func(ctx context.Context, c ipfs.CID) ([]byte, error) {
		if n++; n > most {
			return nil, errors.New("it fetches without end")
		}
		return s.fetch(ctx, c)
	}, root, k)
	if err != nil {
		return n, err
	}
	for _, f := range p.Files {
		if err := p.Write(t.Context(), f, io.Discard); err != nil {
			return n, err
		}
	}
	return n, nil
}

// TestEndless opens roots of a few blocks that lead through more than any reader can fetch.
func TestEndless(t *testing.T) {
	k := NewKey()
	s := shelf{}
	empty, err := ipfs.Dir(nil, s.sink())
	if err != nil {
		t.Fatal(err)
	}
	var slots []string
	for i := range 256 {
		slots = append(slots, fmt.Sprintf("%02X", i))
	}
	data := append(append([]byte{8, 5}, field(2<<3|2, bytes.Repeat([]byte{0xff}, 32))...), 5<<3, 0x22, 6<<3, 0x80, 2)
	root := empty.CID
	for range 6 {
		root = s.craft(slots, root, data)
	}
	if n, err := counted(t, s, root, k); !errors.Is(err, seal.ErrOpen) || n > maxNodes {
		t.Errorf("shards: %d blocks, %v", n, err)
	}

	for what, size := range map[string]byte{"parts of nothing": 0, "parts that turn out to be nothing": 1} {
		s, root := pack(t, k, map[string]string{"a": "alpha"}, asItIs)
		_, links, _, _, err := ipfs.Children(s[root])
		if err != nil {
			t.Fatal(err)
		}
		const parts = 5_000
		nothing := ipfs.Sum(ipfs.Raw, nil)
		s[nothing] = nil
		file := binary.AppendUvarint([]byte{8, 2, 3 << 3}, parts*uint64(size))
		file = append(file, bytes.Repeat([]byte{4 << 3, size}, parts)...)
		at := s.craft(make([]string, parts), nothing, file)
		entries := []ipfs.Entry{{Name: "0", Node: ipfs.Node{CID: at}}}
		for _, l := range links {
			if l.Name == ManifestName {
				entries = append(entries, ipfs.Entry{Name: l.Name, Node: ipfs.Node{CID: l.CID}})
			}
		}
		node, err := ipfs.Dir(entries, s.sink())
		if err != nil {
			t.Fatal(err)
		}
		if n, err := counted(t, s, node.CID, k); !errors.Is(err, seal.ErrOpen) || n > 2*someBlocks {
			t.Errorf("%s: %d blocks, %v", what, n, err)
		}
	}
}
