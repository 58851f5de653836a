package argon2id

import "encoding/binary"

const blockWords = blockSize / 8

// block is a matrix of 8 × 8 registers of two words each, as RFC 9106 §3.5 sees it.
type block [blockWords]uint64

func (b *block) set(raw *[blockSize]byte) {
	for i := range b {
		b[i] = binary.LittleEndian.Uint64(raw[8*i:])
	}
}

func (b *block) bytes(raw *[blockSize]byte) *[blockSize]byte {
	for i, v := range b {
		binary.LittleEndian.PutUint64(raw[8*i:], v)
	}
	return raw
}

// compress is G of RFC 9106 §3.5: out becomes G(x, y), or is XORed with it. out may be y.
// Most of the time of a hash is spent here, half of it waiting for y to arrive in the
// cache. So each block is gone through as few times as the function allows.
func compress(out, x, y *block, xor bool) {
	var z block
	if xor {
		for i := range z {
			r := x[i] ^ y[i]
			z[i] = r
			out[i] ^= r
		}
	} else {
		for i := range z {
			r := x[i] ^ y[i]
			z[i] = r
			out[i] = r
		}
	}
	for i := 0; i < blockWords; i += 16 {
		row((*[16]uint64)(z[i:]))
	}
	for i := 0; i < 16; i += 2 {
		column((*[114]uint64)(z[i:]))
	}
	for i := range z {
		out[i] ^= z[i]
	}
}

// row is the permutation P of RFC 9106 §3.6 over one row of a block.
func row(v *[16]uint64) {
	var a, b, c, d uint64
	a, b, c, d = first(v[0], v[4], v[8], v[12])
	v[0], v[4], v[8], v[12] = second(a, b, c, d)
	a, b, c, d = first(v[1], v[5], v[9], v[13])
	v[1], v[5], v[9], v[13] = second(a, b, c, d)
	a, b, c, d = first(v[2], v[6], v[10], v[14])
	v[2], v[6], v[10], v[14] = second(a, b, c, d)
	a, b, c, d = first(v[3], v[7], v[11], v[15])
	v[3], v[7], v[11], v[15] = second(a, b, c, d)
	a, b, c, d = first(v[0], v[5], v[10], v[15])
	v[0], v[5], v[10], v[15] = second(a, b, c, d)
	a, b, c, d = first(v[1], v[6], v[11], v[12])
	v[1], v[6], v[11], v[12] = second(a, b, c, d)
	a, b, c, d = first(v[2], v[7], v[8], v[13])
	v[2], v[7], v[8], v[13] = second(a, b, c, d)
	a, b, c, d = first(v[3], v[4], v[9], v[14])
	v[3], v[4], v[9], v[14] = second(a, b, c, d)
}

// column is the same over one column, whose registers stand 16 words apart.
func column(v *[114]uint64) {
	var a, b, c, d uint64
	a, b, c, d = first(v[0], v[32], v[64], v[96])
	v[0], v[32], v[64], v[96] = second(a, b, c, d)
	a, b, c, d = first(v[1], v[33], v[65], v[97])
	v[1], v[33], v[65], v[97] = second(a, b, c, d)
	a, b, c, d = first(v[16], v[48], v[80], v[112])
	v[16], v[48], v[80], v[112] = second(a, b, c, d)
	a, b, c, d = first(v[17], v[49], v[81], v[113])
	v[17], v[49], v[81], v[113] = second(a, b, c, d)
	a, b, c, d = first(v[0], v[33], v[80], v[113])
	v[0], v[33], v[80], v[113] = second(a, b, c, d)
	a, b, c, d = first(v[1], v[48], v[81], v[96])
	v[1], v[48], v[81], v[96] = second(a, b, c, d)
	a, b, c, d = first(v[16], v[49], v[64], v[97])
	v[16], v[49], v[64], v[97] = second(a, b, c, d)
	a, b, c, d = first(v[17], v[32], v[65], v[112])
	v[17], v[32], v[65], v[112] = second(a, b, c, d)
}

// first and second are the halves of GB of RFC 9106 §3.6, each small enough for the
// compiler to inline.
func first(a, b, c, d uint64) (uint64, uint64, uint64, uint64) {
	a += b + 2*uint64(uint32(a))*uint64(uint32(b))
	d ^= a
	d = d>>32 | d<<32
	c += d + 2*uint64(uint32(c))*uint64(uint32(d))
	b ^= c
	return a, b>>24 | b<<40, c, d
}

func second(a, b, c, d uint64) (uint64, uint64, uint64, uint64) {
	a += b + 2*uint64(uint32(a))*uint64(uint32(b))
	d ^= a
	d = d>>16 | d<<48
	c += d + 2*uint64(uint32(c))*uint64(uint32(d))
	b ^= c
	return a, b>>63 | b<<1, c, d
}
