package ipfs

import (
	"crypto/sha256"
	"io"
	"testing"
)

// again reads the same megabyte over and over.
type again struct {
	content []byte
	at      int
}

func (a *again) Read(p []byte) (int, error) {
	n := copy(p, a.content[a.at:])
	a.at = (a.at + n) % len(a.content)
	return n, nil
}

// BenchmarkCID computes the identifier of 1 GiB, and its SHA-256 from the same reader. The bench
// runs it for P15.
func BenchmarkCID(b *testing.B) {
	const size = 1 << 30
	content := pattern(1 << 20)
	b.Run("cid", func(b *testing.B) {
		b.SetBytes(size)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := File(io.LimitReader(&again{content: content}, size), Sink{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sha256", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			if _, err := io.Copy(sha256.New(), io.LimitReader(&again{content: content}, size)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
