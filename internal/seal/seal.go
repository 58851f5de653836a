// Package seal is authenticated encryption over io.Reader and io.Writer in segments, and key wrapping; no storage of its own.
//
// # Streams
//
// [Writer] and [Reader] use the wire format of Tink's AES256_GCM_HKDF streaming AEAD (the
// STREAM construction, https://eprint.iacr.org/2015/189). Tink can open Coffer's streams
// and Coffer Tink's:
//
//	header    = 40 ‖ salt (32 bytes) ‖ nonce prefix (7 bytes)
//	key       = HKDF-SHA256(secret = key, salt, info = aad), 32 bytes
//	segment i = AES-256-GCM(key, nonce = prefix ‖ uint32 i ‖ last, plaintext i), no AAD
//
// Every ciphertext segment but the last has [SegmentSize] bytes; the header counts towards
// the first. The last segment's nonce marks it, so an attacker cannot cut, reorder or
// continue a stream unnoticed. Only an empty stream has an empty last segment. A
// plaintext's length therefore determines the ciphertext's, and the reverse.
//
// A Reader returns no plaintext byte before its segment has authenticated.
//
// # Envelopes
//
// [Seal] and [Open] are for small values: one message, one random nonce. A key may seal at
// most 2^32 envelopes (NIST SP 800-38D §8.3); keyring rotates long before that.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
)

// SegmentSize is the length of a ciphertext segment, tag included.
const SegmentSize = 64 << 10

// KeySize is the length of every key this package takes.
const KeySize = 32

const (
	saltSize    = 32
	prefixSize  = 7
	headerSize  = 1 + saltSize + prefixSize
	tagSize     = 16
	plainFull   = SegmentSize - tagSize // plaintext of a segment
	plainFirst  = plainFull - headerSize
	maxSegments = math.MaxUint32

	// batch is the number of segments read, decrypted and written at once. With eight,
	// system calls are rare; with four, downloads over loopback were a quarter slower.
	batch = 8
)

// ErrOpen means that the input was not sealed under this key and additional data. It may be
// altered, cut, reordered or another owner's. A caller cannot and must not tell these cases
// apart.
var ErrOpen = errors.New("seal: message does not authenticate")

// errTruncated is the ErrOpen of a stream that was certainly cut short.
var errTruncated = fmt.Errorf("%w: %w", ErrOpen, io.ErrUnexpectedEOF)

var errTooLong = errors.New("seal: stream is longer than 2^32 segments")

// buffer holds one batch and one segment more, the writer's look-ahead.
type buffer [(batch + 1) * SegmentSize]byte

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// CipherSize returns the length of the stream for plain bytes of plaintext.
func CipherSize(plain int64) int64 {
	return headerSize + plain + tagSize*(lastSegment(plain)+1)
}

// PlainSize returns the plaintext length of a stream of cipherSize bytes. It returns
// ErrOpen when no stream has that length.
func PlainSize(cipherSize int64) (int64, error) {
	if cipherSize < headerSize+tagSize {
		return 0, errTruncated
	}
	segments := (cipherSize + SegmentSize - 1) / SegmentSize
	plain := cipherSize - headerSize - tagSize*segments
	if segments > maxSegments || plain < 0 || CipherSize(plain) != cipherSize {
		return 0, errTruncated
	}
	return plain, nil
}

// lastSegment returns the index of the last segment of a stream of plain bytes.
func lastSegment(plain int64) int64 {
	if plain <= plainFirst {
		return 0
	}
	return (plain - plainFirst + plainFull - 1) / plainFull
}

// stream is the state of both directions: the derived key and the next segment's nonce.
type stream struct {
	aead  cipher.AEAD
	nonce [prefixSize + 5]byte
	index int64 // of the next segment
}

// init derives the stream's key from its header.
func (s *stream) init(key, aad, header []byte) error {
	if len(key) != KeySize {
		return fmt.Errorf("seal: key of %d bytes, want %d", len(key), KeySize)
	}
	if header[0] != headerSize {
		return ErrOpen
	}
	derived, err := hkdf.Key(sha256.New, key, header[1:1+saltSize], string(aad), KeySize)
	if err != nil {
		return fmt.Errorf("seal: derive: %w", err)
	}
	if s.aead, err = newGCM(derived); err != nil {
		return err
	}
	copy(s.nonce[:], header[1+saltSize:headerSize])
	return nil
}

// next returns the nonce of the next segment and advances the index.
func (s *stream) next(last bool) ([]byte, error) {
	if s.index >= maxSegments {
		return nil, errTooLong
	}
	binary.BigEndian.PutUint32(s.nonce[prefixSize:], uint32(s.index))
	s.nonce[prefixSize+4] = 0
	if last {
		s.nonce[prefixSize+4] = 1
	}
	s.index++
	return s.nonce[:], nil
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return cipher.NewGCM(block)
}

// envelope is the version byte with which [Seal]'s result begins.
const envelope = 1

// Key seals and opens many short values. It is safe for concurrent use.
type Key struct{ aead cipher.AEAD }

// NewKey returns the key with these bytes. It panics when they are not [KeySize].
func NewKey(key []byte) *Key {
	if len(key) != KeySize {
		panic("seal: internal error: wrong key size")
	}
	aead, err := newGCM(key)
	if err != nil {
		panic("seal: internal error: " + err.Error())
	}
	return &Key{aead}
}

// Seal returns version ‖ nonce ‖ AES-256-GCM(plaintext, aad).
func (k *Key) Seal(plaintext, aad []byte) []byte {
	nonceEnd := 1 + k.aead.NonceSize()
	out := make([]byte, nonceEnd, nonceEnd+len(plaintext)+tagSize)
	out[0] = envelope
	rand.Read(out[1:])
	return k.aead.Seal(out, out[1:nonceEnd], plaintext, aad)
}

// Open returns what [Key.Seal] sealed under the same key and aad, otherwise [ErrOpen].
func (k *Key) Open(sealed, aad []byte) ([]byte, error) {
	nonceEnd := 1 + k.aead.NonceSize()
	if len(sealed) < nonceEnd+tagSize || sealed[0] != envelope {
		return nil, ErrOpen
	}
	plain, err := k.aead.Open(nil, sealed[1:nonceEnd], sealed[nonceEnd:], aad)
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// Seal is [Key.Seal] of one value.
func Seal(key, plaintext, aad []byte) []byte { return NewKey(key).Seal(plaintext, aad) }

// Open is [Key.Open] of one value. A key of another length opens nothing.
func Open(key, sealed, aad []byte) ([]byte, error) {
	if len(key) != KeySize {
		return nil, ErrOpen
	}
	return NewKey(key).Open(sealed, aad)
}

// LP joins parts unambiguously: it writes each part after its length in two bytes,
// big-endian. It panics on a part over 65,535 bytes.
func LP(parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += 2 + len(p)
	}
	out := make([]byte, 0, n)
	for _, p := range parts {
		if len(p) > math.MaxUint16 {
			panic("seal: internal error: part too long for a two-byte length")
		}
		out = binary.BigEndian.AppendUint16(out, uint16(len(p)))
		out = append(out, p...)
	}
	return out
}
