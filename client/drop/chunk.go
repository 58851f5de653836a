package drop

import (
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// The plaintext length of a full chunk, and what GCM adds to it.
const (
	minChunk = 64 << 10
	maxChunk = 1 << 20
	overhead = 16
)

// maxChunks bounds an item: the nonce counts chunks in 32 bits.
const maxChunks = 1<<32 - 1

var errChunk = errors.New("drop: a chunk does not open")

// chunkFor chooses the chunk length for an item of size bytes.
func chunkFor(size int64) int {
	switch {
	case size < 16<<20:
		return minChunk
	case size < 1<<30:
		return 256 << 10
	}
	return maxChunk
}

// goodChunk reports whether n is an allowed chunk length.
func goodChunk(n int) bool { return n >= minChunk && n <= maxChunk && n&(n-1) == 0 }

// chunksOf is the number of chunks of an item; an empty item has one.
func chunksOf(size int64, chunk int) int64 {
	return max(1, size/int64(chunk)+min(1, size%int64(chunk)))
}

// stream seals or opens the chunks of one attempt (STREAM: Hoang, Reyhanitabar, Rogaway,
// Vizár 2015). An index must be sealed once. It is for one goroutine.
type stream struct {
	aead  cipher.AEAD
	nonce [12]byte // prefix ‖ u32 index ‖ last
	aad   []byte   // T ‖ u64 index ‖ last ‖ u64 size
	size  int64
	chunk int
	count int64
}

func newStream(key, prefix, transcript []byte, size int64, chunk int) *stream {
	s := &stream{aead: newGCM(key), size: size, chunk: chunk, count: chunksOf(size, chunk)}
	copy(s.nonce[:7], prefix)
	s.aad = append(append(s.aad, transcript...), make([]byte, 9)...)
	s.aad = append(s.aad, u64(uint64(size))...)
	return s
}

// at sets nonce and associated data for chunk i.
func (s *stream) at(i int64) {
	last := byte(0)
	if i == s.count-1 {
		last = 1
	}
	binary.BigEndian.PutUint32(s.nonce[7:], uint32(i))
	s.nonce[11] = last
	tail := s.aad[sha256.Size:]
	binary.BigEndian.PutUint64(tail, uint64(i))
	tail[8] = last
}

// length is the number of plaintext bytes of chunk i.
func (s *stream) length(i int64) int { return int(min(int64(s.chunk), s.size-i*int64(s.chunk))) }

// seal seals chunk i in place; plain needs room for overhead behind it.
func (s *stream) seal(i int64, plain []byte) []byte {
	s.at(i)
	return s.aead.Seal(plain[:0], s.nonce[:], plain, s.aad)
}

// open opens chunk i in place. It refuses every index and length that the item has not.
func (s *stream) open(i int64, sealed []byte) ([]byte, error) {
	if i < 0 || i >= s.count || len(sealed) != s.length(i)+overhead {
		return nil, errChunk
	}
	s.at(i)
	plain, err := s.aead.Open(sealed[:0], s.nonce[:], sealed, s.aad)
	if err != nil {
		return nil, errChunk
	}
	return plain, nil
}

// digest is a value of the chain over an item's chunks.
type digest [sha256.Size]byte

// firstDigest is c_0.
func firstDigest(chunk int) digest {
	return sha256.Sum256(binary.BigEndian.AppendUint32([]byte(protocol+" content"), uint32(chunk)))
}

// next is the value after one more chunk.
func (d digest) next(plain []byte) digest {
	h := sha256.New()
	h.Write(d[:])
	h.Write(plain)
	var out digest
	h.Sum(out[:0])
	return out
}
