package ipfs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Entry is a file or folder in a folder.
type Entry struct {
	Name string
	Node Node
}

// maxDepth is how many shards lie above an entry at most: the hash of a name has that many bytes.
const maxDepth = 8

// Dir makes the blocks of a folder itself: one, or a trie of shards. The entries may come in any
// order. It returns ErrName, wrapped, for names that no entry can have, that stand twice, or whose
// hashes are equal in a folder of shards. The error has no name in it.
func Dir(entries []Entry, s Sink) (Node, error) { return dir(entries, s, shardAbove) }

// dir is Dir with another threshold.
func dir(entries []Entry, s Sink, most int) (Node, error) {
	d := foldering{sink: s}
	entries = slices.SortedFunc(slices.Values(entries), func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	size := len(appendData(nil, directory))
	for i, e := range entries {
		if !validName(e.Name) {
			return Node{}, fmt.Errorf("%w: one is no step of a path", ErrName)
		}
		if i > 0 && entries[i-1].Name == e.Name {
			return Node{}, fmt.Errorf("%w: one stands twice", ErrName)
		}
		size += linkBytes(len(e.Name), e.Node.Total)
	}
	if size <= most {
		return d.node(entries, directory)
	}
	hashed := make([]hashedEntry, len(entries))
	for i := range entries {
		hashed[i] = hashedEntry{murmur3(entries[i].Name), &entries[i]}
	}
	slices.SortFunc(hashed, func(a, b hashedEntry) int { return cmp.Compare(a.hash, b.hash) })
	return d.shard(hashed, 0)
}

// validName reports whether an entry can have a name: one step of a path, in UTF-8.
func validName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00") && utf8.ValidString(name)
}

// foldering makes the nodes of one folder.
type foldering struct {
	sink  Sink
	block []byte // of the last node
}

func (d *foldering) node(links []Entry, data []byte) (n Node, err error) {
	d.block = d.block[:0]
	for _, l := range links {
		d.block = appendLink(d.block, l.Name, l.Node)
		n.Size += l.Node.Size
		n.Total += l.Node.Total
	}
	d.block = appendData(d.block, data)
	n.Total += int64(len(d.block))
	n.CID, err = d.sink.node(d.block)
	return n, err
}

type hashedEntry struct {
	hash uint64
	*Entry
}

// slot is the place of a hash in a shard at that depth: one byte, the highest at the root.
func slot(hash uint64, depth int) byte { return byte(hash >> (8 * (maxDepth - 1 - depth))) }

// prefix is what stands before the names of a slot.
func prefix(slot byte) string { return fmt.Sprintf("%02X", slot) }

// shard makes the shard of at least one entry, sorted by hash, and the shards below it.
func (d *foldering) shard(entries []hashedEntry, depth int) (Node, error) {
	if depth == maxDepth {
		return Node{}, fmt.Errorf("%w: two have one hash", ErrName)
	}
	var field [slots / 8]byte // a number, the highest byte first, whose bit i is slot i
	var links []Entry
	for len(entries) > 0 {
		at := slot(entries[0].hash, depth)
		n := 1
		for n < len(entries) && slot(entries[n].hash, depth) == at {
			n++
		}
		link := Entry{prefix(at) + entries[0].Name, entries[0].Node}
		if n > 1 {
			below, err := d.shard(entries[:n], depth+1)
			if err != nil {
				return Node{}, err
			}
			link = Entry{prefix(at), below}
		}
		field[len(field)-1-int(at)/8] |= 1 << (at % 8)
		links = append(links, link)
		entries = entries[n:]
	}
	return d.node(links, shardData(field))
}
