package ipfs

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
)

// block is a dag-pb block of links and a UnixFS message, in the order of the encoding.
func block(data []byte, links ...[]byte) []byte {
	return appendData(slices.Concat(links...), data)
}

func link(name string, total int64) []byte {
	return appendLink(nil, name, Node{CID: Sum(DagPB, []byte(name)), Total: total})
}

// field is the message of a shard with these bytes as its bit field.
func field(set ...byte) []byte {
	return append(append([]byte{8, 5, 0x12, byte(len(set))}, set...), 0x28, 0x22, 0x30, 0x80, 0x02)
}

func TestChildrenOfOthers(t *testing.T) {
	// A leaf as profiles without raw leaves have it, and a link without name and size to version 0.
	kind, links, sizes, data, err := Children([]byte{0x0a, 9, 8, 2, 0x12, 3, 'a', 'b', 'c', 0x18, 3})
	if err != nil || kind != KindFile || len(links)+len(sizes) != 0 || string(data) != "abc" {
		t.Errorf("a leaf: %v %v %v %q %v", kind, links, sizes, data, err)
	}
	id := mustParse(t, emptyFolderV0)
	bare := append([]byte{0x12, 36, 0x0a, 34, 0x12, 32}, id.Digest[:]...)
	kind, links, sizes, _, err = Children(block([]byte{8, 2, 0x18, 7, 0x20, 7}, bare))
	if err != nil || kind != KindFile || len(links) != 1 || links[0] != (Link{CID: id}) || !slices.Equal(sizes, []int64{7}) {
		t.Errorf("a link to version 0: %v %v %v %v", kind, links, sizes, err)
	}
}

func TestChildrenRefuses(t *testing.T) {
	good := [][]byte{
		block([]byte{8, 1}, link("a", 1), link("b", 1)),
		block([]byte{8, 2, 0x18, 3, 0x20, 1, 0x20, 2}, link("", 1), link("", 2)),
		block(field(0b10), link("01a", 1)),
		block(field(1, 0), link("08", 1)),
	}
	for _, b := range good {
		if _, _, _, _, err := Children(b); err != nil {
			t.Fatalf("%x: %v", b, err)
		}
		for n := range b {
			if kind, _, _, _, err := Children(b[:n]); !errors.Is(err, ErrNode) {
				t.Errorf("%d bytes of %d are read as %d, %v", n, len(b), kind, err)
			}
		}
	}
	huge := int64(math.MaxInt64)
	for name, b := range map[string][]byte{
		"nothing":                      nil,
		"no data":                      link("a", 1),
		"no message":                   block(nil),
		"data before links":            append(block([]byte{8, 1}), link("a", 1)...),
		"data twice":                   append(block([]byte{8, 1}), block([]byte{8, 1})...),
		"bytes behind":                 append(block([]byte{8, 1}), 0),
		"an unknown field":             block([]byte{8, 1, 0x4a, 0}),
		"a mode":                       block([]byte{8, 1, 0x38, 1}),
		"a long number":                block([]byte{8, 0x81, 0}),
		"a number beyond 64 bits":      block([]byte{8, 2, 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}),
		"a size beyond 63 bits":        block([]byte{8, 2, 0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}),
		"a link cut short":             block([]byte{8, 1}, []byte{0x12, 3, 0x0a, 36, 1}),
		"a link without identifier":    block([]byte{8, 1}, []byte{0x12, 3, 0x12, 1, 'a'}),
		"a link of dag-cbor":           bytes.Replace(good[0], []byte{1, 0x70, 0x12}, []byte{1, 0x71, 0x12}, 1),
		"a symlink":                    block([]byte{8, 4, 0x12, 1, 'a'}),
		"an unknown type":              block([]byte{8, 9}),
		"a folder with content":        block([]byte{8, 1, 0x12, 1, 'a'}),
		"a folder with a size":         block([]byte{8, 1, 0x18, 0}),
		"names out of order":           block([]byte{8, 1}, link("b", 1), link("a", 1)),
		"a name twice":                 block([]byte{8, 1}, link("a", 1), link("a", 1)),
		"a name that climbs":           block([]byte{8, 1}, link("..", 1)),
		"a name with a slash":          block([]byte{8, 1}, link("a/b", 1)),
		"a folder's empty name":        block([]byte{8, 1}, link("", 1)),
		"a file without its size":      block([]byte{8, 2}),
		"a file of another size":       block([]byte{8, 2, 0x18, 2, 0x20, 1}, link("", 1)),
		"a file with a size too many":  block([]byte{8, 2, 0x18, 1, 0x20, 1}),
		"a file with a link too many":  block([]byte{8, 2, 0x18, 0}, link("", 1)),
		"a file with a named part":     block([]byte{8, 2, 0x18, 1, 0x20, 1}, link("a", 1)),
		"sizes beyond bounds":          block(fmt.Appendf([]byte{8, 2, 0x18, 0}, "\x20%s\x20%s", varint(huge), varint(huge)), link("", 1), link("", 1)),
		"a shard without a field":      block([]byte{8, 5, 0x28, 0x22, 0x30, 0x80, 2}),
		"a shard of no slots":          block(field()),
		"a shard of another hash":      block([]byte{8, 5, 0x12, 1, 1, 0x28, 0x12, 0x30, 0x80, 2}, link("00a", 1)),
		"a shard of another width":     block([]byte{8, 5, 0x12, 1, 1, 0x28, 0x22, 0x30, 16}, link("00a", 1)),
		"a field with a zero before":   block(field(0, 1), link("00a", 1)),
		"a field that is too long":     block(field(bytes.Repeat([]byte{0xff}, 33)...)),
		"a slot without a link":        block(field(0b11), link("00a", 1)),
		"a link without a slot":        block(field(0b1), link("00a", 1), link("01a", 1)),
		"a link in another's slot":     block(field(0b1), link("01a", 1)),
		"a slot in lower case":         block(field(0b100, 0), link("0aa", 1)),
		"a shard's name that climbs":   block(field(0b1), link("00..", 1)),
		"a shard that is a raw leaf":   block(field(0b1), appendLink(nil, "00", Node{CID: Sum(Raw, nil)})),
		"more bytes than a block has":  block(append([]byte{8, 2, 0x12, 0x80, 0x80, 0x80, 1}, make([]byte, maxNodeBytes)...)),
		"a length that is not there":   {0x0a, 0xff, 0xff, 0xff, 0x7f, 8},
		"links that are not there":     {0x12, 0xff, 0xff, 0xff, 0x7f, 0x0a},
		"a field of a shard in a file": block([]byte{8, 2, 0x18, 0, 0x28, 0x22}),
	} {
		if kind, _, _, _, err := Children(b); !errors.Is(err, ErrNode) {
			t.Errorf("%s is read as %d, %v", name, kind, err)
		}
	}
}

func varint(v int64) (b []byte) {
	for ; v > 0x7f; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

func FuzzChildren(f *testing.F) {
	f.Add(block([]byte{8, 1}, link("a", 1), link("b", 1)), "a")
	f.Add(block([]byte{8, 2, 0x18, 3, 0x20, 1, 0x20, 2}, link("", 1), link("", 2)), "")
	f.Add(block(field(1, 0), link("08", 1)), "c")
	f.Add([]byte{0x0a, 9, 8, 2, 0x12, 3, 'a', 'b', 'c', 0x18, 3}, "")
	f.Fuzz(func(t *testing.T, b []byte, name string) {
		kind, links, sizes, data, err := Children(b)
		if err != nil {
			if !errors.Is(err, ErrNode) {
				t.Errorf("another error: %v", err)
			}
			return
		}
		if kind == KindFile && len(links) != len(sizes) || kind != KindFile && len(sizes)+len(data) > 0 {
			t.Errorf("kind %d with %d links, %d sizes and %d bytes", kind, len(links), len(sizes), len(data))
		}
		for _, other := range [][]byte{b[:len(b)-1], append(bytes.Clone(b), 0)} {
			if _, _, _, _, err := Children(other); err == nil {
				t.Errorf("%x and %x are both read", b, other)
			}
		}
		for depth := range maxDepth {
			if l, more, err := Lookup(b, name, depth); err == nil && !more && kind == KindDirectory && l.Name != name {
				t.Errorf("%q is found as %q", name, l.Name)
			}
		}
	})
}
