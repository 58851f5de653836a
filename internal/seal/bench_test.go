package seal_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"io"
	"testing"

	"coffer/internal/seal"
)

const benchSize = 64 << 20

// BenchmarkRawGCM measures the limit: AES-256-GCM over segments in place, on one core.
func BenchmarkRawGCM(b *testing.B) {
	block, err := aes.NewCipher(key)
	if err != nil {
		b.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, full, seal.SegmentSize)
	nonce := make([]byte, 12)
	b.SetBytes(full)
	for b.Loop() {
		gcm.Seal(buf[:0], nonce, buf, nil)
	}
}

func BenchmarkWriter(b *testing.B) {
	plain := pattern(1 << 20)
	b.SetBytes(benchSize)
	b.ReportAllocs()
	for b.Loop() {
		w, err := seal.NewWriter(io.Discard, key, aad)
		if err != nil {
			b.Fatal(err)
		}
		for range benchSize / len(plain) {
			if _, err := w.Write(plain); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReader(b *testing.B) {
	sealed := encrypt(b, pattern(benchSize))
	b.SetBytes(benchSize)
	b.ReportAllocs()
	for b.Loop() {
		r, err := seal.NewReader(bytes.NewReader(sealed), key, aad)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.WriteTo(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRange opens 1 KiB at odd places: one segment and the header each time.
func BenchmarkRange(b *testing.B) {
	sealed := encrypt(b, pattern(benchSize))
	fetch := func(off, n int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(sealed[off : off+n])), nil
	}
	b.ReportAllocs()
	var off int64
	for b.Loop() {
		off = (off + 7919*seal.SegmentSize/3) % (benchSize - 2048)
		r, err := seal.OpenRange(fetch, int64(len(sealed)), key, aad, off, 1024)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
}
