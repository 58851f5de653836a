package parcel

import (
	"bytes"
	"context"
	"crypto/sha256"
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
