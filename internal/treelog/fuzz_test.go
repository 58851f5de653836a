package treelog

import (
	"encoding/json"
	"testing"
)

// FuzzEntry: what is read has one form, which is the one that was read.
func FuzzEntry(f *testing.F) {
	for n := range int64(4) {
		f.Add(entry(n).AppendTo(nil))
	}
	f.Add([]byte(`{"n":0}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseEntry(b)
		if err != nil {
			return
		}
		other, err := json.Marshal(e)
		if err != nil || string(other) != string(b) || e.Check() != nil {
			t.Errorf("%s was read, and is written %s, %v", b, other, err)
		}
	})
}

// FuzzCheckpoint: only what the key signed is opened, and a file of notes is read or refused.
func FuzzCheckpoint(f *testing.F) {
	key := keyOf(seed(1), origin)
	good := sign(f, Checkpoint{origin, 7, LeafHash(nil)}, seed(1))
	f.Add(good)
	f.Add(append([]byte(key.String()+"\n\n"), good...))
	f.Add([]byte(origin + "\n7\n\n— x\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := OpenCheckpoint(b, []Key{key}); err == nil && (c.Size != 7 || c.Root != LeafHash(nil) || c.Origin != origin) {
			t.Errorf("%q opened as %v", b, c)
		}
		notes, keys, err := SplitNotes(b)
		if err != nil {
			return
		}
		for _, note := range notes {
			if again, _, err := SplitNotes(note); err != nil || len(again) != 1 || string(again[0]) != string(note) {
				t.Errorf("%q is not one note: %q, %v", note, again, err)
			}
		}
		for _, k := range keys {
			if again, err := ParseKey(k.String()); err != nil || again.String() != k.String() {
				t.Errorf("%s: %v", k, err)
			}
		}
	})
}

// FuzzProof: a proof as JSON brings it shows nothing but the truth.
func FuzzProof(f *testing.F) {
	leaves := numbered(21)
	tiles := stored{}
	tiles.grow(f, 0, leaves)
	tree := tiles.tree(21)
	root, err := tree.Root()
	if err != nil {
		f.Fatal(err)
	}
	old, err := tiles.tree(13).Root()
	if err != nil {
		f.Fatal(err)
	}
	inclusion, _ := tree.Inclusion(9)
	growth, _ := tree.Consistency(13)
	type proof struct {
		N      int64
		Hashes []Hash
	}
	for _, p := range []proof{{9, inclusion}, {13, growth}, {}} {
		b, err := json.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var p proof
		if json.Unmarshal(b, &p) != nil {
			return
		}
		if CheckInclusion(p.Hashes, 21, root, p.N, leaves[9]) == nil && p.N != 9 {
			t.Errorf("leaf 9 stands at %d", p.N)
		}
		if CheckConsistency(p.Hashes, 21, root, p.N, old) == nil && p.N != 13 {
			t.Errorf("the tree of 13 has %d leaves", p.N)
		}
	})
}
