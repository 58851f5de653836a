package treelog

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
)

// vectors are a small ledger with all that proves it. The web app's tests read the same file.
type vectors struct {
	About  string   `json:"about"`
	Seeds  []string `json:"seeds"` // of the signing keys, for tests alone
	Keys   []string `json:"keys"`
	Items  []Entry  `json:"items"`
	Leaves []string `json:"leaves"` // canonical JSON
	Hashes []string `json:"leaf_hashes"`

	Checkpoints []signedVector      `json:"checkpoints"`
	Forks       []signedVector      `json:"forks"` // signed, and not consistent with the ledger
	Inclusion   []inclusionVector   `json:"inclusion"`
	Consistency []consistencyVector `json:"consistency"`
}

type signedVector struct {
	Size int64  `json:"size"`
	Root string `json:"root"`
	Key  int    `json:"key"`
	Note string `json:"note"`
}

type inclusionVector struct {
	N      int64    `json:"n"`
	Size   int64    `json:"size"`
	Hashes []string `json:"hashes"`
}

type consistencyVector struct {
	From   int64    `json:"from"`
	To     int64    `json:"to"`
	Hashes []string `json:"hashes"`
}

func toHex(all []Hash) []string {
	words := make([]string, len(all))
	for i, h := range all {
		words[i] = hex.EncodeToString(h[:])
	}
	return words
}

func makeVectors(t *testing.T) []byte {
	t.Helper()
	v := vectors{About: "A ledger of 13 entries, made by internal/treelog with two fixed keys; the second signs from size 8 on. items are those of GET /v1/ledger."}
	privates := []ed25519.PrivateKey{seed(1), seed(2)}
	for _, p := range privates {
		v.Seeds = append(v.Seeds, hex.EncodeToString(p.Seed()))
		v.Keys = append(v.Keys, keyOf(p, origin).String())
	}
	tiles := stored{}
	for n := range int64(13) {
		e := entry(n)
		leaf := e.Leaf()
		v.Items = append(v.Items, e)
		v.Leaves = append(v.Leaves, string(e.AppendTo(nil)))
		v.Hashes = append(v.Hashes, hex.EncodeToString(leaf[:]))
		tiles.grow(t, n, []Hash{leaf})
	}
	signed := func(size int64, root Hash, key int) signedVector {
		return signedVector{size, hex.EncodeToString(root[:]), key, string(sign(t, Checkpoint{origin, size, root}, privates[key]))}
	}
	sizes := []int64{1, 4, 7, 8, 13}
	for _, size := range sizes {
		tree := tiles.tree(size)
		root, err := tree.Root()
		if err != nil {
			t.Fatal(err)
		}
		key := 0
		if size >= 8 {
			key = 1
		}
		v.Checkpoints = append(v.Checkpoints, signed(size, root, key))
		for n := range size {
			p, err := tree.Inclusion(n)
			if err != nil {
				t.Fatal(err)
			}
			v.Inclusion = append(v.Inclusion, inclusionVector{n, size, toHex(p)})
		}
		for _, from := range sizes {
			if from <= size {
				p, err := tree.Consistency(from)
				if err != nil {
					t.Fatal(err)
				}
				v.Consistency = append(v.Consistency, consistencyVector{from, size, toHex(p)})
			}
		}
	}
	v.Forks = append(v.Forks, signed(7, LeafHash([]byte("another history")), 0), signed(13, LeafHash([]byte("another history")), 1))
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The file that other languages read is what this package makes. COFFER_WRITE_DOCS=1 writes it.
func TestVectors(t *testing.T) {
	const path = "../../testdata/vectors/ledger/ledger.json"
	want := makeVectors(t)
	if os.Getenv("COFFER_WRITE_DOCS") == "1" {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what this package makes: COFFER_WRITE_DOCS=1 writes it", path)
	}
}
