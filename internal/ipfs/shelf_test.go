package ipfs

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// shelf keeps the blocks of files and folders.
type shelf map[CID][]byte

func (s shelf) sink() Sink {
	return Sink{
		Leaf: func(l Leaf, b []byte) error { s[l.CID] = bytes.Clone(b); return nil },
		Node: func(b Block) error { s[b.CID] = bytes.Clone(b.Data); return nil },
	}
}

// archive is a CAR of all blocks.
func (s shelf) archive(t testing.TB, root CID) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := WriteCAR(&out, root)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range slices.SortedFunc(maps.Keys(s), func(a, b CID) int { return strings.Compare(a.String(), b.String()) }) {
		if err := w.Put(Block{id, s[id]}); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

// unpack is the shelf of a CAR.
func unpack(t testing.TB, archive []byte) (shelf, []CID) {
	t.Helper()
	r, err := NewCARReader(bytes.NewReader(archive), maxNodeBytes)
	if err != nil {
		t.Fatal(err)
	}
	s := shelf{}
	for b, err := range blocks(r) {
		if err != nil {
			t.Fatal(err)
		}
		s[b.CID] = bytes.Clone(b.Data)
	}
	return s, r.Roots()
}

// tree is what the readers say about a file.
type tree struct {
	content []byte
	depths  map[int]bool // of the leaves
	width   int          // the most links of a node
	total   int64
}

// file reads a file and checks the digests and sizes on the way.
func (s shelf) file(root CID) (f tree, err error) {
	f.depths = map[int]bool{}
	var walk func(id CID, depth int) (size, total int64, err error)
	walk = func(id CID, depth int) (size, total int64, err error) {
		b, ok := s[id]
		if !ok || Sum(id.Codec, b) != id {
			return 0, 0, fmt.Errorf("the block of %s is missing or damaged", id)
		}
		if id.Codec == Raw {
			f.content = append(f.content, b...)
			f.depths[depth] = true
			return int64(len(b)), int64(len(b)), nil
		}
		kind, links, sizes, data, err := Children(b)
		if err != nil || kind != KindFile {
			return 0, 0, fmt.Errorf("%s is of kind %d: %v", id, kind, err)
		}
		f.width = max(f.width, len(links))
		f.content = append(f.content, data...)
		if len(links) == 0 {
			f.depths[depth] = true
		}
		size, total = int64(len(data)), int64(len(b))
		for i, l := range links {
			n, below, err := walk(l.CID, depth+1)
			if err != nil {
				return 0, 0, err
			}
			if n != sizes[i] || uint64(below) != l.Size {
				return 0, 0, fmt.Errorf("link %d of %s says %d and %d bytes, got %d and %d", i, id, sizes[i], l.Size, n, below)
			}
			size, total = size+n, total+below
		}
		return size, total, nil
	}
	_, f.total, err = walk(root, 0)
	return f, err
}

// find looks an entry up, through shards.
func (s shelf) find(root CID, name string) (Link, error) {
	for id, depth := root, 0; ; depth++ {
		l, more, err := Lookup(s[id], name, depth)
		if err != nil || !more {
			return l, err
		}
		id = l.CID
	}
}

// entries lists a folder, through shards.
func (s shelf) entries(root CID) (names []string, err error) {
	kind, links, _, _, err := Children(s[root])
	if err != nil || kind == KindFile {
		return nil, fmt.Errorf("%s is of kind %d: %v", root, kind, err)
	}
	for _, l := range links {
		if kind == KindShard {
			if l.Name = l.Name[2:]; l.Name == "" {
				below, err := s.entries(l.CID)
				if err != nil {
					return nil, err
				}
				names = append(names, below...)
				continue
			}
		}
		names = append(names, l.Name)
	}
	return names, nil
}
