package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"coffer/internal/ipfs"
	"coffer/internal/parcel"
	"coffer/internal/seal"
)

// pack makes the blocks of a parcel of files, whose content is their path.
func pack(t *testing.T, k parcel.Key, paths ...string) (blocks map[string][]byte, root ipfs.CID) {
	t.Helper()
	blocks = map[string][]byte{}
	sink := ipfs.Sink{
		Leaf: func(l ipfs.Leaf, b []byte) error { blocks[l.CID.String()] = bytes.Clone(b); return nil },
		Node: func(b ipfs.Block) error { blocks[b.CID.String()] = bytes.Clone(b.Data); return nil },
	}
	stream := func(name string, plain []byte) ipfs.Entry {
		key, nonce := k.Stream(name)
		r, err := seal.SealRange(func(off, n int64) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(plain[off : off+n])), nil
		}, int64(len(plain)), key, nonce, []byte(parcel.AAD), 0, seal.CipherSize(int64(len(plain))))
		if err != nil {
			t.Fatal(err)
		}
		node, err := ipfs.File(r, sink)
		if err != nil {
			t.Fatal(err)
		}
		return ipfs.Entry{Name: name, Node: node}
	}
	m := parcel.Manifest{Name: "trip"}
	var entries []ipfs.Entry
	for i, path := range paths {
		sum := sha256.Sum256([]byte(path))
		m.Files = append(m.Files, parcel.File{Path: path, File: fmt.Sprint(i), Size: int64(len(path)), SHA256: hex.EncodeToString(sum[:])})
		entries = append(entries, stream(fmt.Sprint(i), []byte(path)))
	}
	plain, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	node, err := ipfs.Dir(append(entries, stream(parcel.ManifestName, plain)), sink)
	if err != nil {
		t.Fatal(err)
	}
	return blocks, node.CID
}

// TestOpenKeepsApart opens a parcel with names that some file systems take for one. No file
// replaces another, with --force or without.
func TestOpenKeepsApart(t *testing.T) {
	k := parcel.NewKey()
	blocks, root := pack(t, k, "read.me", "READ.ME", "sub/a", "Sub/a")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(blocks[filepath.Base(r.URL.Path)])
	}))
	defer server.Close()
	for _, force := range []bool{false, true} {
		dir := t.TempDir()
		if said, err := stdoutOf(t, func() error { return openCmd{Link: k.Link(server.URL, root), Out: dir, Force: force}.Run(t.Context()) }); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		for at, want := range map[string]string{"read.me": "read.me", "READ (2).ME": "READ.ME", "sub/a": "sub/a", "Sub (2)/a": "Sub/a"} {
			if got, err := os.ReadFile(filepath.Join(dir, "trip", at)); err != nil || string(got) != want {
				t.Errorf("%s: %q, %v", at, got, err)
			}
		}
	}
}
