package ipfs

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"strings"
)

// The tags of dag-pb: the messages PBNode and PBLink.
const (
	tagLinks = 2<<3 | 2
	tagData  = 1<<3 | 2

	tagHash  = 1<<3 | 2
	tagName  = 2<<3 | 2
	tagTsize = 3 << 3
)

// The tags of UnixFS: the message Data. Modes and times, tags 7 and 8, are not of the profile.
const (
	tagType      = 1 << 3
	tagContent   = 2<<3 | 2
	tagFileSize  = 3 << 3
	tagBlockSize = 4 << 3
	tagHashType  = 5 << 3
	tagFanout    = 6 << 3
)

// The types of UnixFS.
const (
	typeRaw       = 0
	typeDirectory = 1
	typeFile      = 2
	typeShard     = 5
)

const hashMurmur3 = 0x22 // murmur3-x64-64

var directory = []byte{tagType, typeDirectory}

// Kind is what a node is.
type Kind int

// The kinds.
const (
	KindFile      Kind = iota + 1
	KindDirectory      // a folder in one block
	KindShard          // a shard of a folder, its root or one below
)

// appendLink appends a link as dag-pb orders its fields: hash, name, size.
func appendLink(b []byte, name string, to Node) []byte {
	b = binary.AppendUvarint(append(b, tagLinks), uint64(linkMessage(len(name), to.Total)))
	b = to.CID.append(append(b, tagHash, cidBytes))
	b = binary.AppendUvarint(append(b, tagName), uint64(len(name)))
	return binary.AppendUvarint(append(append(b, name...), tagTsize), uint64(to.Total))
}

// linkBytes is how many bytes appendLink appends.
func linkBytes(name int, total int64) int {
	n := linkMessage(name, total)
	return 1 + varintBytes(uint64(n)) + n
}

func linkMessage(name int, total int64) int {
	return 1 + 1 + cidBytes + 1 + varintBytes(uint64(name)) + name + 1 + varintBytes(uint64(total))
}

func varintBytes(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }

// appendData appends the data of a node, which follows its links.
func appendData(b, data []byte) []byte {
	return append(binary.AppendUvarint(append(b, tagData), uint64(len(data))), data...)
}

// shardData is the UnixFS message of a shard.
func shardData(field [slots / 8]byte) []byte {
	set := field[:]
	for len(set) > 0 && set[0] == 0 {
		set = set[1:]
	}
	b := append([]byte{tagType, typeShard, tagContent, byte(len(set))}, set...)
	return binary.AppendUvarint(append(b, tagHashType, hashMurmur3, tagFanout), slots)
}

// Children reads a dag-pb block of a file or folder. For a file, sizes are the bytes of content
// below each link, and data are the first bytes of the content, which other builders may keep in
// the node. It takes the canonical encoding alone and returns ErrNode, wrapped, otherwise. data
// lies in b.
func Children(b []byte) (kind Kind, links []Link, sizes []int64, data []byte, err error) {
	if len(b) > maxNodeBytes {
		return 0, nil, nil, nil, fmt.Errorf("%w: %d bytes", ErrNode, len(b))
	}
	w := &wire{b: b}
	for w.tag(tagLinks) {
		links = append(links, readLink(w))
	}
	if !w.tag(tagData) {
		return 0, nil, nil, nil, fmt.Errorf("%w: it has no data", ErrNode)
	}
	inner := &wire{b: w.bytes()}
	m := readMessage(inner)
	if w.bad || len(w.b) > 0 || inner.bad || len(inner.b) > 0 {
		return 0, nil, nil, nil, fmt.Errorf("%w: fields that are unknown, cut off or out of order", ErrNode)
	}
	if kind, err = m.kind(links); err != nil {
		return 0, nil, nil, nil, err
	}
	if kind == KindFile {
		return kind, links, m.sizes, m.content, nil
	}
	return kind, links, nil, nil, nil
}

// Lookup finds an entry in a folder's block. The root has depth 0. When more is true, the link
// leads to the shard in which the search goes on, one deeper. It returns ErrNoEntry when the folder
// has no such entry, and ErrNode, wrapped, when the block is no folder.
func Lookup(b []byte, name string, depth int) (link Link, more bool, err error) {
	kind, links, _, _, err := Children(b)
	if err != nil {
		return Link{}, false, err
	}
	if kind == KindFile || depth < 0 || depth >= maxDepth || kind == KindDirectory && depth > 0 {
		return Link{}, false, fmt.Errorf("%w: no folder", ErrNode)
	}
	shard := ""
	if kind == KindShard {
		shard = prefix(slot(murmur3(name), depth))
	}
	for _, l := range links {
		switch {
		case name != "" && l.Name == shard+name:
			return l, false, nil
		case shard != "" && l.Name == shard:
			return l, true, nil
		}
	}
	return Link{}, false, ErrNoEntry
}

// wire reads fields of protobuf in a fixed order. After an error it is bad and gives zeros.
type wire struct {
	b   []byte
	bad bool
}

// tag takes the tag if it comes next.
func (w *wire) tag(tag byte) bool {
	if w.bad || len(w.b) == 0 || w.b[0] != tag {
		return false
	}
	w.b = w.b[1:]
	return true
}

// number takes a number below 2^63 in its shortest form.
func (w *wire) number() int64 {
	v, n := binary.Uvarint(w.b)
	if w.bad || n <= 0 || v > math.MaxInt64 || n != varintBytes(v) {
		w.bad = true
		return 0
	}
	w.b = w.b[n:]
	return int64(v)
}

func (w *wire) bytes() []byte {
	n := w.number()
	if w.bad || n > int64(len(w.b)) {
		w.bad = true
		return nil
	}
	b := w.b[:n]
	w.b = w.b[n:]
	return b
}

func readLink(node *wire) (l Link) {
	w := &wire{b: node.bytes()}
	if w.tag(tagHash) {
		hash := w.bytes()
		var n int
		l.CID, n = prefixed(hash)
		w.bad = w.bad || n == 0 || n != len(hash)
	} else {
		w.bad = true
	}
	if w.tag(tagName) {
		l.Name = string(w.bytes())
	}
	if w.tag(tagTsize) {
		l.Size = uint64(w.number())
	}
	node.bad = node.bad || w.bad || len(w.b) > 0
	return l
}

// message is the UnixFS message of a node. A number of -1 is absent.
type message struct {
	kindOf, fileSize, hashType, fanout int64
	hasContent                         bool
	content                            []byte
	sizes                              []int64
}

func readMessage(w *wire) message {
	number := func(tag byte) int64 {
		if !w.tag(tag) {
			return -1
		}
		return w.number()
	}
	m := message{kindOf: number(tagType)}
	if m.hasContent = w.tag(tagContent); m.hasContent {
		m.content = w.bytes()
	}
	m.fileSize = number(tagFileSize)
	for w.tag(tagBlockSize) {
		m.sizes = append(m.sizes, w.number())
	}
	m.hashType, m.fanout = number(tagHashType), number(tagFanout)
	return m
}

// kind says what the message and the links are together.
func (m message) kind(links []Link) (Kind, error) {
	switch m.kindOf {
	case typeFile, typeRaw:
		return KindFile, m.file(links)
	case typeDirectory:
		return KindDirectory, m.directory(links)
	case typeShard:
		return KindShard, m.shard(links)
	}
	return 0, fmt.Errorf("%w: neither file nor folder", ErrNode)
}

func (m message) file(links []Link) error {
	if m.hashType >= 0 || m.fanout >= 0 || len(m.sizes) != len(links) {
		return fmt.Errorf("%w: a file of %d links with %d sizes", ErrNode, len(links), len(m.sizes))
	}
	sum := int64(len(m.content))
	for i, size := range m.sizes {
		if links[i].Name != "" || size > math.MaxInt64-sum {
			return fmt.Errorf("%w: a part of a file with a name or a size beyond bounds", ErrNode)
		}
		sum += size
	}
	if sum != m.fileSize {
		return fmt.Errorf("%w: a file of %d bytes that says %d", ErrNode, sum, m.fileSize)
	}
	return nil
}

func (m message) directory(links []Link) error {
	if m.hasContent || m.fileSize >= 0 || len(m.sizes) > 0 || m.hashType >= 0 || m.fanout >= 0 {
		return fmt.Errorf("%w: a folder with fields of others", ErrNode)
	}
	for i, l := range links {
		if !validName(l.Name) || i > 0 && links[i-1].Name >= l.Name {
			return fmt.Errorf("%w: a folder whose names are invalid or not in order", ErrNode)
		}
	}
	return nil
}

// shard checks that the bit field names the slots of the links.
func (m message) shard(links []Link) error {
	if m.fileSize >= 0 || len(m.sizes) > 0 || m.hashType != hashMurmur3 || m.fanout != slots ||
		len(m.content) == 0 || len(m.content) > slots/8 || m.content[0] == 0 {
		return fmt.Errorf("%w: no shard of %d slots by murmur3", ErrNode, slots)
	}
	for at := range slots {
		if i := len(m.content) - 1 - at/8; i < 0 || m.content[i]>>(at%8)&1 == 0 {
			continue
		}
		if len(links) == 0 {
			return fmt.Errorf("%w: a shard with a slot too many", ErrNode)
		}
		name, ok := strings.CutPrefix(links[0].Name, prefix(byte(at)))
		if !ok || name == "" && links[0].CID.Codec != DagPB || name != "" && !validName(name) {
			return fmt.Errorf("%w: a shard with a link that is not its slot's", ErrNode)
		}
		links = links[1:]
	}
	if len(links) > 0 {
		return fmt.Errorf("%w: a shard with a link too many", ErrNode)
	}
	return nil
}
