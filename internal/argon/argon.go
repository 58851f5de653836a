// Package argon computes Argon2id (RFC 9106) in memory that it keeps.
//
//   - golang.org/x/crypto/argon2 allocates its memory for each hash. On a server each hash then
//     needs a run of the garbage collector, and takes fresh pages from the system. Both cost a
//     quarter of a sign-in. A [Memory] lies outside the collector's heap, and serves one hash after
//     another. A minute after the last hash the system gets it back.
//   - Processors with AVX2 compute four words at a time, which x/crypto does with two.
//
// The tests compare each result with golang.org/x/crypto/argon2. Those of package account have
// vectors of the reference implementation.
package argon

import (
	"encoding/binary"
	"math/bits"
	"sync"
	"unsafe"

	"golang.org/x/crypto/blake2b"
)

// Version is the version of Argon2 that the package computes, as encoded hashes name it.
const Version = 0x13

const (
	slices = 4    // of a pass: lanes wait for each other between them
	idType = 2    // Argon2id
	size   = 1024 // bytes of a block
	words  = size / 8
)

type block [words]uint64

// Cost is what a hash takes. Memory is in KiB. Threads are lanes, which run side by side.
type Cost struct {
	Memory, Time uint32
	Threads      uint8
}

// blocks is the memory of RFC 9106, section 3.2, m': a multiple of four blocks a lane.
func (c Cost) blocks() uint32 {
	unit := slices * uint32(c.Threads)
	return max(c.Memory/unit, 2) * unit
}

// Key derives n bytes, n ≥ 4, from password and salt. Time and threads must be at least 1. It fails if
// the system has no memory to give.
func (m *Memory) Key(password, salt []byte, c Cost, n uint32) ([]byte, error) {
	r, err := m.take(int(c.blocks()) * size)
	if err != nil {
		return nil, err
	}
	defer m.give(r)
	f := filling{blocks: unsafe.Slice((*block)(unsafe.Pointer(unsafe.SliceData(r))), c.blocks()), cost: c}
	f.lane = uint32(len(f.blocks)) / uint32(c.Threads)
	f.segment = f.lane / slices
	f.begin(password, salt, n)
	for pass := range c.Time {
		for slice := range uint32(slices) {
			f.fillSlice(pass, slice)
		}
	}
	return f.end(n), nil
}

// filling is the memory of one hash: lanes of blocks, one after another.
type filling struct {
	blocks        []block
	cost          Cost
	lane, segment uint32 // their lengths in blocks
}

// begin writes the first two blocks of each lane (RFC 9106, section 3.2, steps 1 to 4).
func (f *filling) begin(password, salt []byte, n uint32) {
	le := binary.LittleEndian
	h := make([]byte, 0, 40+len(password)+len(salt)) // in one place, so that the password is cleared
	for _, v := range []uint32{uint32(f.cost.Threads), n, f.cost.Memory, f.cost.Time, Version, idType} {
		h = le.AppendUint32(h, v)
	}
	h = append(le.AppendUint32(h, uint32(len(password))), password...)
	h = append(le.AppendUint32(h, uint32(len(salt))), salt...)
	h = append(h, make([]byte, 8)...) // neither a secret nor associated data
	h0 := blake2b.Sum512(h)
	clear(h)
	for lane := range uint32(f.cost.Threads) {
		for i := range uint32(2) {
			seed := le.AppendUint32(le.AppendUint32(h0[:], i), lane)
			f.blocks[lane*f.lane+i].set(long(seed, size))
		}
	}
}

// end is the tag: the hash of the lanes' last blocks.
func (f *filling) end(n uint32) []byte {
	last := f.blocks[f.lane-1]
	for lane := f.lane; lane < uint32(len(f.blocks)); lane += f.lane {
		for i, v := range f.blocks[lane+f.lane-1] {
			last[i] ^= v
		}
	}
	out := make([]byte, 0, size)
	for _, v := range last {
		out = binary.LittleEndian.AppendUint64(out, v)
	}
	return long(out, n)
}

func (b *block) set(from []byte) {
	for i := range b {
		b[i] = binary.LittleEndian.Uint64(from[8*i:])
	}
}

// long is H', a hash of n bytes (section 3.3).
func long(in []byte, n uint32) []byte {
	in = append(binary.LittleEndian.AppendUint32(nil, n), in...)
	short := func(b []byte, n int) []byte {
		h, err := blake2b.New(n, nil)
		if err != nil {
			panic(err) // the length is from 1 to 64
		}
		h.Write(b)
		return h.Sum(nil)
	}
	if n <= blake2b.Size {
		return short(in, int(n))
	}
	out := make([]byte, 0, n)
	v := short(in, blake2b.Size)
	for {
		left := int(n) - len(out)
		if left <= blake2b.Size {
			return append(out, v[:left]...)
		}
		out = append(out, v[:blake2b.Size/2]...)
		v = short(v, min(left-blake2b.Size/2, blake2b.Size))
	}
}

// fillSlice fills the same quarter of each lane.
func (f *filling) fillSlice(pass, slice uint32) {
	if f.cost.Threads == 1 {
		f.fillSegment(pass, slice, 0)
		return
	}
	var wg sync.WaitGroup
	for lane := range uint32(f.cost.Threads) {
		wg.Go(func() { f.fillSegment(pass, slice, lane) })
	}
	wg.Wait()
}

// fillSegment computes each block of the segment from the one before it and a referenced one
// (section 3.4). In the first half of the first pass a counter chooses the references, afterwards the
// blocks do.
func (f *filling) fillSegment(pass, slice, lane uint32) {
	var input, addresses, zero, scratch block
	byCounter := pass == 0 && slice < slices/2
	if byCounter {
		input = block{uint64(pass), uint64(lane), uint64(slice), uint64(len(f.blocks)), uint64(f.cost.Time), idType}
	}
	first := lane * f.lane
	for i := range f.segment {
		if byCounter && i%words == 0 {
			input[6]++
			compress(&addresses, &zero, &input, &scratch, false)
			compress(&addresses, &zero, &addresses, &scratch, false)
		}
		at := slice*f.segment + i
		if pass == 0 && at < 2 {
			continue // begin has written it
		}
		before := &f.blocks[first+(at+f.lane-1)%f.lane]
		random := before[0]
		if byCounter {
			random = addresses[i%words]
		}
		compress(&f.blocks[first+at], before, f.reference(random, pass, slice, lane, i), &scratch, pass > 0)
	}
}

// reference is the block that random chooses for the block i of a segment (section 3.4.1.3 and 3.4.2).
func (f *filling) reference(random uint64, pass, slice, lane, i uint32) *block {
	from := uint32(random>>32) % uint32(f.cost.Threads)
	start, area := uint32(0), slice*f.segment
	switch {
	case pass > 0:
		start, area = (slice+1)%slices*f.segment, (slices-1)*f.segment
	case slice == 0:
		from = lane
	}
	if from == lane {
		area += i - 1
	} else if i == 0 {
		area--
	}
	x := random & (1<<32 - 1)
	y := uint64(area) * (x * x >> 32) >> 32
	return &f.blocks[from*f.lane+(start+area-1-uint32(y))%f.lane]
}

// compressPlain is the function G of section 3.5 without a processor's help: out = G(a, b), or out XOR
// G(a, b). It leaves its work in z.
func compressPlain(out, a, b, z *block, xor bool) {
	for i := range z {
		z[i] = a[i] ^ b[i]
	}
	for i := 0; i < words; i += 16 {
		v := z[i : i+16 : i+16]
		permute(&v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &v[8], &v[9], &v[10], &v[11], &v[12], &v[13], &v[14], &v[15])
	}
	for i := 0; i < 16; i += 2 {
		permute(&z[i], &z[i+1], &z[i+16], &z[i+17], &z[i+32], &z[i+33], &z[i+48], &z[i+49],
			&z[i+64], &z[i+65], &z[i+80], &z[i+81], &z[i+96], &z[i+97], &z[i+112], &z[i+113])
	}
	for i, v := range z {
		v ^= a[i] ^ b[i]
		if xor {
			v ^= out[i]
		}
		out[i] = v
	}
}

// permute is P of section 3.6.
func permute(p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, p12, p13, p14, p15 *uint64) {
	v0, v4, v8, v12 := mix(*p0, *p4, *p8, *p12)
	v1, v5, v9, v13 := mix(*p1, *p5, *p9, *p13)
	v2, v6, v10, v14 := mix(*p2, *p6, *p10, *p14)
	v3, v7, v11, v15 := mix(*p3, *p7, *p11, *p15)
	*p0, *p5, *p10, *p15 = mix(v0, v5, v10, v15)
	*p1, *p6, *p11, *p12 = mix(v1, v6, v11, v12)
	*p2, *p7, *p8, *p13 = mix(v2, v7, v8, v13)
	*p3, *p4, *p9, *p14 = mix(v3, v4, v9, v14)
}

// mix is GB of section 3.6.
func mix(a, b, c, d uint64) (uint64, uint64, uint64, uint64) {
	a = addMul(a, b)
	d = bits.RotateLeft64(d^a, -32)
	c = addMul(c, d)
	b = bits.RotateLeft64(b^c, -24)
	a = addMul(a, b)
	d = bits.RotateLeft64(d^a, -16)
	c = addMul(c, d)
	b = bits.RotateLeft64(b^c, -63)
	return a, b, c, d
}

func addMul(x, y uint64) uint64 { return x + y + 2*uint64(uint32(x))*uint64(uint32(y)) }
