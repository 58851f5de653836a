package treelog

import (
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// The hashes of a tree lie in tiles. Tile n of level l holds the hashes of the tree's level
// 8·l from 256·n on. A tile that is not full yet is the beginning of the full one.
const (
	tileHeight = 8
	// TileWidth is the number of hashes in a full tile.
	TileWidth = 1 << tileHeight
)

// ErrTile says that a stored tile lacks hashes that the tree needs.
var ErrTile = errors.New("treelog: a tile lacks hashes")

// Tile is a tile with its place.
type Tile struct {
	Level  int
	N      int64
	Hashes []byte // HashSize each
}

// ReadTile returns the hashes of a tile. It may return more than a smaller tree had there.
type ReadTile func(level int, n int64) ([]byte, error)

// Tree is a tree of a size over its stored tiles.
type Tree struct {
	Size int64
	Read ReadTile
}

// Root returns the root that the tiles lead to.
func (t Tree) Root() (Hash, error) { return tlog.TreeHash(t.Size, t.hashes()) }

// Inclusion returns the proof that entry n is in the tree.
func (t Tree) Inclusion(n int64) ([]Hash, error) {
	if n < 0 || n >= t.Size {
		return nil, fmt.Errorf("treelog: there is no entry %d in a tree of %d", n, t.Size)
	}
	return tlog.ProveRecord(t.Size, n, t.hashes())
}

// Consistency returns the proof that the tree begins with that of size from.
func (t Tree) Consistency(from int64) ([]Hash, error) {
	if from < 1 || from > t.Size {
		return nil, fmt.Errorf("treelog: a tree of %d does not grow to %d", from, t.Size)
	}
	return tlog.ProveTree(t.Size, from, t.hashes())
}

// Leaves returns the leaf hashes of one tile of level 0.
func (t Tree) Leaves(n int64) ([]Hash, error) {
	b, err := t.Read(0, n)
	if err != nil {
		return nil, err
	}
	all := make([]Hash, 0, TileWidth)
	for len(b) >= HashSize && n*TileWidth+int64(len(all)) < t.Size {
		all = append(all, Hash(b[:HashSize]))
		b = b[HashSize:]
	}
	return all, nil
}

// hashes reads stored hashes, each tile once a call.
func (t Tree) hashes() tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]Hash, error) {
		type place struct {
			level int
			n     int64
		}
		read := map[place][]byte{}
		all := make([]Hash, len(indexes))
		for i, index := range indexes {
			tile := tlog.TileForIndex(tileHeight, index)
			at := place{tile.L, tile.N}
			b, known := read[at]
			if !known {
				var err error
				if b, err = t.Read(at.level, at.n); err != nil {
					return nil, err
				}
				read[at] = b
			}
			var err error
			if all[i], err = tlog.HashFromTile(tile, b, index); err != nil { // it is too short
				return nil, fmt.Errorf("%w: tile %d of level %d", ErrTile, at.n, at.level)
			}
		}
		return all, nil
	})
}

// Growth adds leaves to the tiles of a tree.
type Growth struct {
	size  int64
	edges []Tile // the last tile of each level, which may be empty
	full  []Tile
}

// Grow begins to add leaves to a tree.
func Grow(t Tree) (*Growth, error) {
	g := &Growth{size: t.Size}
	for level, hashes := 0, t.Size; ; level, hashes = level+1, hashes>>tileHeight {
		edge := Tile{Level: level, N: hashes >> tileHeight}
		if width := int(hashes & (TileWidth - 1)); width > 0 {
			b, err := t.Read(level, edge.N)
			if err != nil {
				return nil, err
			}
			if len(b) < width*HashSize {
				return nil, fmt.Errorf("%w: tile %d of level %d", ErrTile, edge.N, level)
			}
			edge.Hashes = append(edge.Hashes, b[:width*HashSize]...)
		}
		g.edges = append(g.edges, edge)
		if hashes < TileWidth {
			return g, nil
		}
	}
}

// Size returns the size of the tree with what was added.
func (g *Growth) Size() int64 { return g.size }

// Add adds a leaf by its hash.
func (g *Growth) Add(leaf Hash) {
	g.size++
	for level := 0; ; level++ {
		if level == len(g.edges) {
			g.edges = append(g.edges, Tile{Level: level})
		}
		edge := &g.edges[level]
		edge.Hashes = append(edge.Hashes, leaf[:]...)
		if len(edge.Hashes) < TileWidth*HashSize {
			return
		}
		g.full = append(g.full, *edge)
		leaf = rootOf(edge.Hashes)
		*edge = Tile{Level: level, N: edge.N + 1}
	}
}

// rootOf returns the root of a full tile.
func rootOf(hashes []byte) Hash {
	var f Frontier
	for ; len(hashes) > 0; hashes = hashes[HashSize:] {
		f.Add(Hash(hashes[:HashSize]))
	}
	return f.Root()
}

// Take returns the tiles that are full since the last call, and the last one of each level.
// The tiles must be stored before the next call.
func (g *Growth) Take() []Tile {
	all := g.full
	g.full = nil
	for _, edge := range g.edges {
		if len(edge.Hashes) > 0 {
			all = append(all, edge)
		}
	}
	return all
}
