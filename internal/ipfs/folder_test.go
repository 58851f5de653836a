package ipfs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// named are entries of those names, each another file.
func named(names ...string) (entries []Entry) {
	for i, name := range names {
		content := fmt.Append(nil, "content of ", name)
		entries = append(entries, Entry{name, Node{Sum(Raw, content), int64(len(content)), int64(len(content)) + int64(i)<<20}})
	}
	return entries
}

// TestDir builds folders of both forms, in any order, and finds every entry.
func TestDir(t *testing.T) {
	name := rapid.StringMatching(`[^/\x00]{1,20}`).Filter(validName)
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfNDistinct(name, 0, 200, rapid.ID).Draw(t, "names")
		most := rapid.SampledFrom([]int{len(block(directory)), shardAbove}).Draw(t, "most")
		entries := named(names...)
		blocks := shelf{}
		n, err := dir(entries, blocks.sink(), most)
		if err != nil {
			t.Fatal(err)
		}
		shuffled := slices.Clone(entries)
		rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if again, err := dir(shuffled, Sink{}, most); err != nil || again != n {
			t.Fatalf("in another order: %+v, %v, want %+v", again, err, n)
		}
		var size, total int64
		for _, e := range entries {
			l, err := blocks.find(n.CID, e.Name)
			if err != nil || l.CID != e.Node.CID || l.Size != uint64(e.Node.Total) {
				t.Fatalf("%q is found as %+v, %v", e.Name, l, err)
			}
			size, total = size+e.Node.Size, total+e.Node.Total
		}
		for _, b := range blocks {
			total += int64(len(b))
		}
		if n.Size != size || n.Total != total {
			t.Fatalf("%+v, want %d and %d bytes", n, size, total)
		}
		listed, err := blocks.entries(n.CID)
		if slices.Sort(listed); err != nil || !slices.Equal(listed, slices.Sorted(slices.Values(names))) {
			t.Fatalf("listed %q, %v", listed, err)
		}
		if l, err := blocks.find(n.CID, "no such entry "); !errors.Is(err, ErrNoEntry) {
			t.Fatalf("an entry that is not there: %+v, %v", l, err)
		}
	})
}

func TestDirThreshold(t *testing.T) {
	entries := named("a", "b", "ü")
	blocks := shelf{}
	basic, err := Dir(entries, blocks.sink())
	if err != nil {
		t.Fatal(err)
	}
	length := len(blocks[basic.CID])
	for most, want := range map[int]Kind{length: KindDirectory, length - 1: KindShard} {
		n, err := dir(entries, blocks.sink(), most)
		if err != nil {
			t.Fatal(err)
		}
		if kind, _, _, _, err := Children(blocks[n.CID]); err != nil || kind != want {
			t.Errorf("a block of %d bytes where %d may be: kind %d, %v", length, most, kind, err)
		}
	}
}

func TestDirRefuses(t *testing.T) {
	for _, names := range [][]string{{""}, {"."}, {".."}, {"a/b"}, {"a\x00"}, {"\xff"}, {"a", "b", "a"}} {
		if n, err := Dir(named(names...), Sink{}); !errors.Is(err, ErrName) {
			t.Errorf("%q: %+v, %v", names, n, err)
		}
	}
	broken := errors.New("broken")
	if _, err := dir(named("a", "b"), Sink{Node: func(Block) error { return broken }}, 0); !errors.Is(err, broken) {
		t.Errorf("a sink's error: %v", err)
	}
}

// TestEqualHashes makes a name with another name's hash, which an attacker can, and stores both.
func TestEqualHashes(t *testing.T) {
	first := "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb"
	var second string
	for i := uint64(0); !validName(second) || second == first; i++ {
		second = collide(first, i)
	}
	if murmur3(first) != murmur3(second) {
		t.Fatalf("%q and %q differ", first, second)
	}
	if _, err := Dir(named(first, second), Sink{}); err != nil {
		t.Errorf("in one block: %v", err)
	}
	if n, err := dir(named(first, second), Sink{}, 0); !errors.Is(err, ErrName) {
		t.Errorf("in shards: %+v, %v", n, err)
	}
}

// collide turns around the rounds of murmur3: behind another first half it solves for the second half
// that leads to the same state.
func collide(name string, i uint64) string {
	const c1, c2 = 0x87c37b91114253d5, 0x4cf5ad432745937f
	first := func(k uint64) uint64 { return bits.RotateLeft64(k*c1, 31) * c2 }
	second := func(k uint64) uint64 { return bits.RotateLeft64(k*c2, 33) * c1 }
	round := func(h1, h2 uint64, b []byte) (uint64, uint64) {
		h1 = (bits.RotateLeft64(h1^first(binary.LittleEndian.Uint64(b)), 27)+h2)*5 + 0x52dce729
		h2 = (bits.RotateLeft64(h2^second(binary.LittleEndian.Uint64(b[8:])), 31)+h1)*5 + 0x38495ab5
		return h1, h2
	}
	w1, w2 := round(0, 0, []byte(name))
	w1, w2 = round(w1, w2, []byte(name[16:]))
	b := fmt.Appendf(nil, "%016x", i)
	h1, h2 := round(0, 0, b)
	k1 := bits.RotateLeft64((w1-0x52dce729)*inverse(5)-h2, -27) ^ h1
	k2 := bits.RotateLeft64((w2-0x38495ab5)*inverse(5)-w1, -31) ^ h2
	b = binary.LittleEndian.AppendUint64(b, bits.RotateLeft64(k1*inverse(c2), -31)*inverse(c1))
	b = binary.LittleEndian.AppendUint64(b, bits.RotateLeft64(k2*inverse(c1), -33)*inverse(c2))
	return string(b)
}

// inverse of an odd number, by Newton's method.
func inverse(n uint64) uint64 {
	x := n
	for range 6 {
		x *= 2 - n*x
	}
	return x
}

func TestLookupRefuses(t *testing.T) {
	blocks := shelf{}
	f, err := file(bytes.NewReader(pattern(9)), blocks.sink(), 4, 2)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := Dir(named("a"), blocks.sink())
	if err != nil {
		t.Fatal(err)
	}
	sharded, err := dir(named("a"), blocks.sink(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		id    CID
		depth int
	}{{f.CID, 0}, {folder.CID, 1}, {sharded.CID, maxDepth}, {sharded.CID, -1}} {
		if l, _, err := Lookup(blocks[test.id], "a", test.depth); !errors.Is(err, ErrNode) {
			t.Errorf("%+v: %+v, %v", test, l, err)
		}
	}
	for _, id := range []CID{folder.CID, sharded.CID} {
		if l, more, err := Lookup(blocks[id], "", 0); !errors.Is(err, ErrNoEntry) || more {
			t.Errorf("the empty name: %+v, %v", l, err)
		}
	}
}
