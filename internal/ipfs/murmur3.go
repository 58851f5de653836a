package ipfs

import (
	"encoding/binary"
	"math/bits"
)

// murmur3 is the first half of MurmurHash3 for 64-bit machines, 128 bits, seed 0. Anyone can find
// names of equal hashes: it places entries in shards and protects nothing.
func murmur3(s string) uint64 {
	const c1, c2 = 0x87c37b91114253d5, 0x4cf5ad432745937f
	first := func(k uint64) uint64 { return bits.RotateLeft64(k*c1, 31) * c2 }
	second := func(k uint64) uint64 { return bits.RotateLeft64(k*c2, 33) * c1 }
	var h1, h2 uint64
	b := []byte(s)
	for ; len(b) >= 16; b = b[16:] {
		h1 ^= first(binary.LittleEndian.Uint64(b))
		h1 = (bits.RotateLeft64(h1, 27)+h2)*5 + 0x52dce729
		h2 ^= second(binary.LittleEndian.Uint64(b[8:]))
		h2 = (bits.RotateLeft64(h2, 31)+h1)*5 + 0x38495ab5
	}
	var tail [16]byte
	copy(tail[:], b)
	h1 ^= first(binary.LittleEndian.Uint64(tail[:]))
	h2 ^= second(binary.LittleEndian.Uint64(tail[8:]))
	h1 ^= uint64(len(s))
	h2 ^= uint64(len(s))
	h1 += h2
	h2 += h1
	return mix(h1) + mix(h2)
}

func mix(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
