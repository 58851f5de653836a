package seal_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"coffer/internal/seal"
)

// piece is one segment to seal by hand, correctly or not.
type piece struct {
	size  int    // plaintext bytes
	index uint32 // in the nonce
	last  bool   // in the nonce
}

// forge builds a stream from pieces with the key: every tag is valid, only the framing may
// be wrong. It follows the format's description alone.
func forge(t testing.TB, pieces ...piece) []byte {
	t.Helper()
	head := make([]byte, header)
	head[0] = header
	derived, err := hkdf.Key(sha256.New, key, head[1:33], string(aad), 32)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	out := head
	for _, p := range pieces {
		nonce := append(bytes.Clone(head[33:40]), 0, 0, 0, 0, 0)
		binary.BigEndian.PutUint32(nonce[7:], p.index)
		if p.last {
			nonce[11] = 1
		}
		out = append(out, gcm.Seal(nil, nonce, bytes.Repeat([]byte{byte(p.index)}, p.size), nil)...)
	}
	return out
}

// The cases come from C2SP CCTV's age test kit, "stream_*", adapted to this format.
func TestStreamCases(t *testing.T) {
	cut := func(b []byte, n int) []byte { return b[:len(b)-n] }
	flip := func(b []byte, at int) []byte { b = bytes.Clone(b); b[at] ^= 0x80; return b }
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	one := forge(t, piece{100, 0, true})
	two := forge(t, piece{first, 0, false}, piece{full, 1, true})
	three := forge(t, piece{first, 0, false}, piece{full, 1, false}, piece{10, 2, true})
	s := seal.SegmentSize
	for _, tc := range []struct {
		name   string
		stream []byte
		want   int // plaintext bytes that the reader may return
		err    error
	}{
		{"empty payload", forge(t, piece{0, 0, true}), 0, nil},
		{"one segment", one, 100, nil},
		{"last segment full", forge(t, piece{first, 0, true}), first, nil},
		{"second segment full", two, first + full, nil},
		{"three segments", three, first + full + 10, nil},

		{"nothing", nil, 0, io.ErrUnexpectedEOF},
		{"short header", one[:20], 0, io.ErrUnexpectedEOF},
		{"header only: no segment", one[:header], 0, io.ErrUnexpectedEOF},
		{"tag missing", one[:header+8], 0, io.ErrUnexpectedEOF},
		{"tag cut", cut(one, 1), 0, seal.ErrOpen},
		{"second tag cut", cut(three, 1), first + full, seal.ErrOpen},
		{"only a piece of the last tag", cut(three, 11), first + full, io.ErrUnexpectedEOF},
		{"cut at a boundary: no last segment", three[:2*s], first, seal.ErrOpen},
		{"cut at the first boundary", three[:s], 0, seal.ErrOpen},
		{"cut inside a segment", three[:2*s-100], first, seal.ErrOpen},
		{"no last segment, short", forge(t, piece{100, 0, false}), 0, seal.ErrOpen},
		{"no last segment, full", forge(t, piece{first, 0, false}), 0, seal.ErrOpen},
		{"no last of two", forge(t, piece{first, 0, false}, piece{100, 1, false}), first, seal.ErrOpen},
		{"no last of two, full", forge(t, piece{first, 0, false}, piece{full, 1, false}), first, seal.ErrOpen},

		{"bad tag", flip(one, len(one)-1), 0, seal.ErrOpen},
		{"bad byte", flip(one, header), 0, seal.ErrOpen},
		{"bad tag in the second segment", flip(three, 2*s-1), first, seal.ErrOpen},
		{"bad byte in the last segment", flip(three, 2*s), first + full, seal.ErrOpen},
		{"bad salt", flip(three, 1), 0, seal.ErrOpen},
		{"bad nonce prefix", flip(three, 39), 0, seal.ErrOpen},
		{"bad header length", flip(three, 0), 0, seal.ErrOpen},

		{"empty last segment", forge(t, piece{first, 0, false}, piece{0, 1, true}), first, seal.ErrOpen},
		{"short first segment", forge(t, piece{100, 0, false}, piece{100, 1, true}), 0, seal.ErrOpen},
		{"short second segment", forge(t, piece{first, 0, false}, piece{100, 1, false}, piece{9, 2, true}), first, seal.ErrOpen},
		{"two last segments", forge(t, piece{first, 0, true}, piece{100, 1, true}), 0, seal.ErrOpen},
		{"two last segments, full", forge(t, piece{first, 0, true}, piece{full, 0, true}), 0, seal.ErrOpen},
		{"segments swapped", join(three[:header], forge(t, piece{full, 1, false})[header:], forge(t, piece{first, 0, false})[header:], three[2*s:]), 0, seal.ErrOpen},
		{"segment twice", join(three[:2*s], three[s:2*s], three[2*s:]), first + full, seal.ErrOpen},
		{"segment left out", join(three[:s], three[2*s:]), first, seal.ErrOpen},
		{"garbage behind, short", join(one, []byte("x")), 0, seal.ErrOpen},
		{"garbage behind a full last segment", join(two, []byte("x")), first, seal.ErrOpen},
		{"garbage behind, long", join(two, make([]byte, s)), first, seal.ErrOpen},
		{"another stream behind", join(two, two), first, seal.ErrOpen},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := decrypt(tc.stream)
			if len(got) != tc.want || !errors.Is(err, tc.err) {
				t.Errorf("released %d bytes with error %v, want %d with %v", len(got), err, tc.want, tc.err)
			}
			if tc.err != nil && !errors.Is(err, seal.ErrOpen) {
				t.Errorf("%v is not ErrOpen", err)
			}
			r, err := seal.NewReader(bytes.NewReader(tc.stream), key, aad)
			if err != nil {
				t.Fatal(err)
			}
			n, err := r.WriteTo(io.Discard)
			if n != int64(tc.want) || !errors.Is(err, tc.err) {
				t.Errorf("WriteTo = %d with error %v, want %d with %v", n, err, tc.want, tc.err)
			}
			whole(t, tc.stream, tc.err == nil)
		})
	}
}

// whole reads a stream by its size: OpenRange must agree with Reader.
func whole(t *testing.T, stream []byte, good bool) {
	t.Helper()
	size, err := seal.PlainSize(int64(len(stream)))
	if err == nil {
		_, _, err = readRange(stream, 0, size)
	}
	if good != (err == nil) {
		t.Errorf("OpenRange over all: %v", err)
	}
	if !good && !errors.Is(err, seal.ErrOpen) {
		t.Errorf("OpenRange over all: %v is not ErrOpen", err)
	}
}

// A store that returns fewer bytes than requested must not cause a short success.
func TestRangeFromAShortStore(t *testing.T) {
	sealed := encrypt(t, pattern(first+3*full))
	for _, short := range []int{1, 100, seal.SegmentSize, 2 * seal.SegmentSize} {
		fetch := func(off, n int64) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(sealed[off:max(off, off+n-int64(short))])), nil
		}
		r, err := seal.OpenRange(fetch, int64(len(sealed)), key, aad, 0, first+3*full)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("%d bytes short: %d bytes, %v; want ErrOpen", short, len(got), err)
		}
	}
}

// Neither must a whole stream shorter than the store's reported size.
func TestRangeOfAShorterStream(t *testing.T) {
	sealed := forge(t, piece{50, 0, true})
	fetch := func(off, n int64) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(sealed)), nil }
	r, err := seal.OpenRange(fetch, seal.CipherSize(100), key, aad, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("%d bytes, %v; want ErrOpen", len(got), err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(forge(f, piece{0, 0, true}))
	f.Add(forge(f, piece{100, 0, true}))
	f.Add(forge(f, piece{first, 0, false}, piece{9, 1, true}))
	good := map[string]bool{}
	for _, n := range []int{0, 100} {
		good[string(forge(f, piece{n, 0, true}))] = true
	}
	good[string(forge(f, piece{first, 0, false}, piece{9, 1, true}))] = true
	f.Fuzz(func(t *testing.T, stream []byte) {
		got, err := decrypt(stream)
		if err == nil && !good[string(stream)] {
			t.Fatalf("a forged stream opened to %d bytes", len(got))
		}
		if err != nil && !errors.Is(err, seal.ErrOpen) {
			t.Fatalf("%v is not ErrOpen", err)
		}
	})
}

func FuzzOpenRange(f *testing.F) {
	f.Add(int64(0), int64(10), 0, byte(0))
	f.Add(int64(first-1), int64(2), seal.SegmentSize, byte(1))
	plain := pattern(first + 2*full + 77)
	sealed := encrypt(f, plain)
	f.Fuzz(func(t *testing.T, off, n int64, at int, flip byte) {
		stream := bytes.Clone(sealed)
		if at >= 0 && at < len(stream) {
			stream[at] ^= flip
		}
		got, _, err := readRange(stream, off, n)
		if err != nil {
			return
		}
		if off < 0 || n < 0 || off+n > int64(len(plain)) || !bytes.Equal(got, plain[off:off+n]) {
			t.Fatalf("[%d,+%d) with byte %d changed by %#x: %d wrong bytes", off, n, at, flip, len(got))
		}
	})
}

func FuzzOpen(f *testing.F) {
	f.Add(seal.Seal(key, []byte("x"), aad))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if got, err := seal.Open(key, sealed, aad); err != nil && !errors.Is(err, seal.ErrOpen) {
			t.Fatalf("%q, %v", got, err)
		}
	})
}
