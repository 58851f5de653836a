package seal_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"pgregory.net/rapid"

	"coffer/internal/seal"
)

var nonce = bytes.Repeat([]byte{9}, seal.NonceSize)

// sealRange makes a part of the stream of plain.
func sealRange(plain []byte, off, n int64) ([]byte, error) {
	calls := 0
	r, err := seal.SealRange(func(off, n int64) (io.ReadCloser, error) {
		if calls++; calls > 1 {
			return nil, errors.New("a second call")
		}
		return io.NopCloser(bytes.NewReader(plain[off : off+n])), nil
	}, int64(len(plain)), key, nonce, aad, off, n)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// Tink and our own reader open what is sealed with a fixed nonce; it has the length of every
// other stream, and is the same each time.
func TestFixedStreams(t *testing.T) {
	for _, n := range edges {
		plain := pattern(n)
		sealed, err := sealRange(plain, 0, seal.CipherSize(int64(n)))
		if err != nil || int64(len(sealed)) != seal.CipherSize(int64(n)) {
			t.Fatalf("%d bytes: %d sealed, %v", n, len(sealed), err)
		}
		r, err := tink(t).NewDecryptingReader(bytes.NewReader(sealed), aad)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: tink read %d, %v", n, len(got), err)
		}
		if got, err := decrypt(sealed); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: read %d, %v", n, len(got), err)
		}
		if !bytes.Equal(sealed[1:1+seal.NonceSize], nonce) {
			t.Errorf("%d bytes: the header has another nonce", n)
		}
	}
}

// TestSealRange: a part made alone is that part of the whole.
func TestSealRange(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		plain := pattern(rapid.SampledFrom(edges).Draw(rt, "size"))
		size := seal.CipherSize(int64(len(plain)))
		whole, err := sealRange(plain, 0, size)
		if err != nil {
			rt.Fatal(err)
		}
		off := rapid.Int64Range(0, size).Draw(rt, "off")
		n := rapid.Int64Range(0, size-off).Draw(rt, "n")
		got, err := sealRange(plain, off, n)
		if err != nil || !bytes.Equal(got, whole[off:off+n]) {
			rt.Errorf("%d+%d of %d: %d bytes, %v", off, n, size, len(got), err)
		}
	})
}

func TestSealRangeRefuses(t *testing.T) {
	plain := pattern(100_000)
	size := seal.CipherSize(100_000)
	for _, r := range [][2]int64{{-1, 1}, {0, -1}, {0, size + 1}, {size + 1, 0}, {size, 1}} {
		if _, err := sealRange(plain, r[0], r[1]); err == nil {
			t.Errorf("%d+%d is sealed", r[0], r[1])
		}
	}
	short := func(off, n int64) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(plain[:70_000])), nil }
	r, err := seal.SealRange(short, 100_000, key, nonce, aad, 0, size)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadAll(r); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a plaintext that ends early: %v", err)
	}
	if _, err := seal.SealRange(short, 1, key, nonce[1:], aad, 0, 1); err == nil {
		t.Error("a short nonce is taken")
	}
}
