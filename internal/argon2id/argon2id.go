// Package argon2id is the password hash Argon2id (RFC 9106) over memory that its caller keeps.
//
// golang.org/x/crypto allocates the memory of each hash anew. For 64 MiB a hash that costs
// about a fifth of its time: the system gives the pages, the runtime zeroes them, and the
// collector has to run before the next hash does the same. A [Memory] is used again.
// Its content needs no zeroing, as the first pass writes every block before it is read.
//
// The values are those of the RFC and of x/crypto; the tests compare with both. The blocks
// of a hash stay in its Memory until the next one overwrites them or [Memory.Free]
// returns them to the system. Who can read them can read the passwords that arrive, too.
package argon2id

import (
	"encoding/binary"
	"hash"

	"golang.org/x/crypto/blake2b"
)

// Version is that of RFC 9106, 1.3.
const Version = 0x13

const (
	kind      = 2 // Argon2id
	slices    = 4 // of a lane; lanes meet after each
	blockSize = 1024
)

// Params are the costs.
type Params struct {
	MemoryKiB uint32
	Time      uint32 // passes, at least 1
	Threads   uint8  // lanes, at least 1; one goroutine fills them all
}

// lane returns the blocks of a lane. RFC 9106 §3.2 rounds the memory down to whole
// segments; less than two blocks a segment are raised to that.
func (p Params) lane() uint32 {
	return max(p.MemoryKiB/(slices*uint32(p.Threads)), 2) * slices
}

// Memory is what one hash at a time works in. Its zero value is empty; it grows to what a
// hash asks for and keeps that.
type Memory struct {
	blocks []block
}

// Key returns size bytes, at least 4, from password and salt. The only error is that of a
// system without the memory.
func (m *Memory) Key(password, salt []byte, p Params, size int) ([]byte, error) {
	return m.derive(prehash(p, size, password, salt, nil, nil), p, size)
}

// Free returns the memory to the system. The next hash takes it anew.
func (m *Memory) Free() {
	release(m.blocks)
	m.blocks = nil
}

// prehash is H_0 of RFC 9106 §3.2, with room for the two numbers that follow it in the
// hashes of a lane's first blocks. Coffer has neither secret nor data.
func prehash(p Params, size int, password, salt, secret, data []byte) [blake2b.Size + 8]byte {
	h, err := blake2b.New512(nil)
	if err != nil {
		panic("internal error: " + err.Error())
	}
	for _, n := range []uint32{uint32(p.Threads), uint32(size), p.MemoryKiB, p.Time, Version, kind} {
		number(h, n)
	}
	for _, part := range [][]byte{password, salt, secret, data} {
		number(h, uint32(len(part)))
		h.Write(part)
	}
	var h0 [blake2b.Size + 8]byte
	h.Sum(h0[:0])
	return h0
}

func number(h hash.Hash, n uint32) { h.Write(binary.LittleEndian.AppendUint32(nil, n)) }

func (m *Memory) derive(h0 [blake2b.Size + 8]byte, p Params, size int) ([]byte, error) {
	lane, lanes := p.lane(), uint32(p.Threads)
	if n := int(lane * lanes); n > len(m.blocks) {
		m.Free()
		var err error
		if m.blocks, err = allocate(n); err != nil {
			return nil, err
		}
	}
	f := filler{blocks: m.blocks[:lane*lanes], lane: lane, lanes: lanes, passes: p.Time}
	var raw [blockSize]byte
	for l := range lanes {
		for i := range uint32(2) {
			binary.LittleEndian.PutUint32(h0[blake2b.Size:], i)
			binary.LittleEndian.PutUint32(h0[blake2b.Size+4:], l)
			long(raw[:], h0[:])
			f.blocks[l*lane+i].set(&raw)
		}
	}
	for pass := range p.Time {
		for slice := range uint32(slices) {
			for l := range lanes {
				f.segment(pass, slice, l)
			}
		}
	}
	last := f.blocks[lane-1]
	for l := uint32(1); l < lanes; l++ {
		for i, v := range f.blocks[l*lane+lane-1] {
			last[i] ^= v
		}
	}
	key := make([]byte, size)
	long(key, last.bytes(&raw)[:])
	return key, nil
}

// long fills out with the hash H' of in (RFC 9106 §3.3).
func long(out, in []byte) {
	first := min(len(out), blake2b.Size)
	h, err := blake2b.New(first, nil)
	if err != nil {
		panic("internal error: " + err.Error())
	}
	number(h, uint32(len(out)))
	h.Write(in)
	sum := h.Sum(nil)
	if len(out) == first {
		copy(out, sum)
		return
	}
	for len(out) > blake2b.Size {
		copy(out, sum[:blake2b.Size/2])
		out = out[blake2b.Size/2:]
		h, err := blake2b.New(min(len(out), blake2b.Size), nil)
		if err != nil {
			panic("internal error: " + err.Error())
		}
		h.Write(sum)
		sum = h.Sum(nil)
	}
	copy(out, sum)
}

// filler fills the blocks of one hash; lanes stand one after the other.
type filler struct {
	blocks              []block
	lane, lanes, passes uint32
}

// segment fills one slice of one lane (RFC 9106 §3.4).
func (f *filler) segment(pass, slice, lane uint32) {
	length := f.lane / slices
	// The first half of the first pass does not depend on the password.
	independent := pass == 0 && slice < slices/2
	var zero, input, addresses block
	if independent {
		input = block{uint64(pass), uint64(lane), uint64(slice), uint64(len(f.blocks)), uint64(f.passes), kind}
	}
	from := uint32(0)
	if pass == 0 && slice == 0 {
		from = 2 // made from H_0
	}
	for i := from; i < length; i++ {
		at := slice*length + i
		prev := at - 1
		if at == 0 {
			prev = f.lane - 1
		}
		previous := &f.blocks[lane*f.lane+prev]
		random := previous[0]
		if independent {
			if i == from || i%blockWords == 0 {
				input[6]++
				compress(&addresses, &zero, &input, false)
				compress(&addresses, &zero, &addresses, false)
			}
			random = addresses[i%blockWords]
		}
		compress(&f.blocks[lane*f.lane+at], previous, &f.blocks[f.reference(random, pass, slice, lane, i)], pass > 0)
	}
}

// reference returns the number of the block that random points to from block i of a
// segment (RFC 9106 §3.4.1.3 and §3.4.2).
func (f *filler) reference(random uint64, pass, slice, lane, i uint32) uint32 {
	length := f.lane / slices
	// What may be pointed to: the segments that are done, of this lane also this one.
	from := lane
	if pass > 0 || slice > 0 {
		from = uint32(random>>32) % f.lanes
	}
	size, start := slice*length, uint32(0)
	if pass > 0 {
		size, start = (slices-1)*length, (slice+1)%slices*length
	}
	switch {
	case from == lane:
		size += i - 1 // without the previous block
	case i == 0:
		size--
	}
	x := random & 0xffffffff
	x = x * x >> 32
	x = uint64(size) * x >> 32
	return from*f.lane + uint32((uint64(start)+uint64(size)-1-x)%uint64(f.lane))
}
