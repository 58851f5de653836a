package seal_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"github.com/tink-crypto/tink-go/v2/streamingaead/subtle"
	"pgregory.net/rapid"

	"coffer/internal/seal"
)

const (
	header = 40
	tag    = 16
	first  = seal.SegmentSize - header - tag // plaintext of the first segment
	full   = seal.SegmentSize - tag          // plaintext of the others
)

// edges are the lengths at which a segment begins, ends or is one byte off.
var edges = []int{
	0, 1, 2, first - 1, first, first + 1, first + full - 1, first + full, first + full + 1,
	first + 3*full - 1, first + 3*full, first + 3*full + 1, first + 4*full, first + 4*full + 1,
	first + 5*full, first + 9*full - 1, first + 9*full, first + 11*full + 4711,
}

var (
	key = bytes.Repeat([]byte{7}, seal.KeySize)
	aad = []byte("blob-1")
)

// pattern returns n bytes that differ from segment to segment.
func pattern(n int) []byte {
	p := make([]byte, n)
	rng := rand.NewChaCha8([32]byte{1})
	rng.Read(p)
	return p
}

func encrypt(t testing.TB, plain []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := seal.NewWriter(&out, key, aad)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func decrypt(sealed []byte) ([]byte, error) {
	r, err := seal.NewReader(bytes.NewReader(sealed), key, aad)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func tink(t testing.TB) *subtle.AESGCMHKDF {
	t.Helper()
	a, err := subtle.NewAESGCMHKDF(key, "SHA256", 32, seal.SegmentSize, 0)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Tink, an independent implementation, reads our streams.
func TestTinkReadsOurs(t *testing.T) {
	for _, n := range edges {
		plain := pattern(n)
		r, err := tink(t).NewDecryptingReader(bytes.NewReader(encrypt(t, plain)), aad)
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: tink read %d bytes, error %v", n, len(got), err)
		}
	}
}

// We read Tink's streams, from the beginning and at random offsets.
func TestWeReadTinks(t *testing.T) {
	for _, n := range edges {
		plain := pattern(n)
		var sealed bytes.Buffer
		w, err := tink(t).NewEncryptingWriter(&sealed, aad)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(plain); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := decrypt(sealed.Bytes())
		if err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: read %d bytes, error %v", n, len(got), err)
		}
		if got, want := int64(sealed.Len()), seal.CipherSize(int64(n)); got != want {
			t.Errorf("CipherSize(%d) = %d, tink wrote %d", n, want, got)
		}
		half := int64(n / 2)
		got, _, err = readRange(sealed.Bytes(), half, int64(n)-half)
		if err != nil || !bytes.Equal(got, plain[half:]) {
			t.Errorf("%d bytes from %d: read %d bytes, error %v", n, half, len(got), err)
		}
	}
}

// The stream does not depend on how its bytes arrive and leave.
func TestEveryWayInAndOut(t *testing.T) {
	ins := map[string]func(w *seal.Writer, plain []byte) error{
		"Write of 7000 bytes": func(w *seal.Writer, plain []byte) error {
			for len(plain) > 0 {
				n := min(7000, len(plain))
				if _, err := w.Write(plain[:n]); err != nil {
					return err
				}
				plain = plain[n:]
			}
			return nil
		},
		"ReadFrom": func(w *seal.Writer, plain []byte) error {
			n, err := w.ReadFrom(bytes.NewReader(plain))
			if err == nil && n != int64(len(plain)) {
				err = fmt.Errorf("ReadFrom = %d, want %d", n, len(plain))
			}
			return err
		},
		"ReadFrom in halves with data and EOF at once": func(w *seal.Writer, plain []byte) error {
			_, err := w.ReadFrom(iotest.DataErrReader(iotest.HalfReader(bytes.NewReader(plain))))
			return err
		},
		"Write then ReadFrom": func(w *seal.Writer, plain []byte) error {
			half := len(plain) / 2
			if _, err := w.Write(plain[:half]); err != nil {
				return err
			}
			_, err := w.ReadFrom(bytes.NewReader(plain[half:]))
			return err
		},
	}
	outs := map[string]func(r *seal.Reader) ([]byte, error){
		"Read":        func(r *seal.Reader) ([]byte, error) { return io.ReadAll(r) },
		"Read halves": func(r *seal.Reader) ([]byte, error) { return io.ReadAll(iotest.HalfReader(r)) },
		"WriteTo": func(r *seal.Reader) ([]byte, error) {
			var b bytes.Buffer
			_, err := r.WriteTo(&b)
			return b.Bytes(), err
		},
		"Read then WriteTo": func(r *seal.Reader) ([]byte, error) {
			p := make([]byte, 100)
			n, err := io.ReadFull(r, p)
			if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
				return nil, err
			}
			b := bytes.NewBuffer(p[:n])
			_, err = r.WriteTo(b)
			return b.Bytes(), err
		},
	}
	for in, write := range ins {
		for out, read := range outs {
			t.Run(in+" and "+out, func(t *testing.T) {
				for _, n := range edges {
					plain := pattern(n)
					var sealed bytes.Buffer
					w, err := seal.NewWriter(&sealed, key, aad)
					if err != nil {
						t.Fatal(err)
					}
					if err := write(w, plain); err != nil {
						t.Fatal(err)
					}
					if err := w.Close(); err != nil {
						t.Fatal(err)
					}
					if got, want := int64(sealed.Len()), seal.CipherSize(int64(n)); got != want {
						t.Fatalf("%d bytes became %d, CipherSize says %d", n, got, want)
					}
					r, err := seal.NewReader(iotest.DataErrReader(&sealed), key, aad)
					if err != nil {
						t.Fatal(err)
					}
					got, err := read(r)
					if err != nil || !bytes.Equal(got, plain) {
						t.Errorf("%d bytes: got %d, error %v", n, len(got), err)
					}
				}
			})
		}
	}
}

func TestSizes(t *testing.T) {
	for _, n := range edges {
		c := seal.CipherSize(int64(n))
		if got, err := seal.PlainSize(c); err != nil || got != int64(n) {
			t.Errorf("PlainSize(%d) = %d, %v; want %d", c, got, err, n)
		}
	}
	for _, c := range []int64{-1, 0, 39, header, header + tag - 1, seal.SegmentSize + 1, seal.SegmentSize + tag} {
		if got, err := seal.PlainSize(c); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("PlainSize(%d) = %d, %v; want ErrOpen: no stream is that long", c, got, err)
		}
	}
}

// readRange reads one range and returns the ciphertext bytes that it fetched.
func readRange(sealed []byte, off, n int64) (plain []byte, fetched int64, err error) {
	fetch := func(off, n int64) (io.ReadCloser, error) {
		fetched += n
		return io.NopCloser(bytes.NewReader(sealed[off : off+n])), nil
	}
	r, err := seal.OpenRange(fetch, int64(len(sealed)), key, aad, off, n)
	if err != nil {
		return nil, fetched, err
	}
	defer r.Close()
	if off%2 == 0 {
		var b bytes.Buffer
		_, err = r.(io.WriterTo).WriteTo(&b)
		return b.Bytes(), fetched, err
	}
	plain, err = io.ReadAll(r)
	return plain, fetched, err
}

// A range equals the same range of the plaintext, and costs at most two more segments.
func TestRangeIsThePlaintextsRange(t *testing.T) {
	plain := pattern(first + 11*full + 4711)
	size := int64(len(plain))
	sealed := encrypt(t, plain)
	near := rapid.Custom(func(t *rapid.T) int64 {
		edge := int64(rapid.SampledFrom(edges).Draw(t, "edge"))
		return max(0, min(size, edge+rapid.Int64Range(-2, 2).Draw(t, "delta")))
	})
	anywhere := rapid.OneOf(near, rapid.Int64Range(0, size))
	rapid.Check(t, func(t *rapid.T) {
		a, b := anywhere.Draw(t, "a"), anywhere.Draw(t, "b")
		off, n := min(a, b), max(a, b)-min(a, b)
		got, fetched, err := readRange(sealed, off, n)
		if err != nil || !bytes.Equal(got, plain[off:off+n]) {
			t.Fatalf("[%d,+%d): %d bytes, error %v", off, n, len(got), err)
		}
		if limit := n + 2*seal.SegmentSize + (n/full+2)*tag + 2*header; fetched > limit {
			t.Fatalf("[%d,+%d) fetched %d bytes, more than two segments over", off, n, fetched)
		}
	})
}

func TestRangeRefusals(t *testing.T) {
	sealed := encrypt(t, pattern(1000))
	for _, r := range [][2]int64{{-1, 1}, {0, -1}, {0, 1001}, {1001, 0}, {1000, 1}, {1, 1 << 62}} {
		if _, _, err := readRange(sealed, r[0], r[1]); err == nil {
			t.Errorf("range [%d,+%d) of 1000 bytes was accepted", r[0], r[1])
		}
	}
	down := errors.New("store is down")
	_, err := seal.OpenRange(func(int64, int64) (io.ReadCloser, error) { return nil, down }, int64(len(sealed)), key, aad, 0, 10)
	if !errors.Is(err, down) {
		t.Errorf("got %v, want the store's own error", err)
	}
}

func TestWrongKeyAndWrongAAD(t *testing.T) {
	sealed := encrypt(t, []byte("hello"))
	for name, open := range map[string]func() (*seal.Reader, error){
		"key": func() (*seal.Reader, error) {
			return seal.NewReader(bytes.NewReader(sealed), bytes.Repeat([]byte{8}, 32), aad)
		},
		"aad": func() (*seal.Reader, error) { return seal.NewReader(bytes.NewReader(sealed), key, []byte("blob-2")) },
	} {
		r, err := open()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); !errors.Is(err, seal.ErrOpen) || len(got) > 0 {
			t.Errorf("another %s: %q, %v", name, got, err)
		}
	}
	if _, err := seal.NewWriter(io.Discard, key[:16], aad); err == nil {
		t.Error("a key of 16 bytes was accepted")
	}
}

// Two streams under one key share nothing.
func TestEveryStreamHasItsOwnSalt(t *testing.T) {
	a, b := encrypt(t, []byte("same")), encrypt(t, []byte("same"))
	if bytes.Equal(a[1:33], b[1:33]) || bytes.Equal(a[33:40], b[33:40]) || bytes.Equal(a[40:], b[40:]) {
		t.Error("two streams share their salt, prefix or ciphertext")
	}
}

func TestWriterKeepsItsFailure(t *testing.T) {
	full := errors.New("disk full")
	w, err := seal.NewWriter(failingWriter{full}, key, aad)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(pattern(10 * seal.SegmentSize)); !errors.Is(err, full) {
		t.Errorf("Write = %v, want the writer's error", err)
	}
	if err := w.Close(); !errors.Is(err, full) {
		t.Errorf("Close = %v, want the writer's error", err)
	}
}

func TestWriteAfterClose(t *testing.T) {
	w, err := seal.NewWriter(io.Discard, key, aad)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if _, err := w.Write([]byte("x")); err == nil {
		t.Error("a closed stream took a write")
	}
}

// WriteTo stops when its writer does, and leaves no goroutine that touches the reader.
func TestWriteToStopsWithItsWriter(t *testing.T) {
	sealed := encrypt(t, pattern(40*seal.SegmentSize))
	gone := errors.New("client is gone")
	source := bytes.NewReader(sealed)
	r, err := seal.NewReader(source, key, aad)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.WriteTo(&limitedWriter{left: 8 * seal.SegmentSize, err: gone}); !errors.Is(err, gone) {
		t.Errorf("WriteTo = %v, want the writer's error", err)
	}
	if source.Len() < 10*seal.SegmentSize {
		t.Errorf("%d bytes left: the stream was read on for nobody", source.Len())
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

type limitedWriter struct {
	left int
	err  error
}

func (w *limitedWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, w.err
	}
	return len(p), nil
}

func TestEnvelope(t *testing.T) {
	sealed := seal.Seal(key, []byte("secret"), aad)
	got, err := seal.Open(key, sealed, aad)
	if err != nil || string(got) != "secret" {
		t.Fatalf("Open = %q, %v", got, err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := seal.Open(key, bad, aad); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("byte %d changed: %v, want ErrOpen", i, err)
		}
	}
	for n := range sealed {
		if _, err := seal.Open(key, sealed[:n], aad); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("cut to %d bytes: %v, want ErrOpen", n, err)
		}
	}
	if _, err := seal.Open(key, sealed, []byte("other")); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("other AAD: %v, want ErrOpen", err)
	}
	if bytes.Equal(sealed, seal.Seal(key, []byte("secret"), aad)) {
		t.Error("two envelopes are equal: the nonce is not random")
	}
}

func TestLP(t *testing.T) {
	got := seal.LP([]byte("ab"), nil, []byte("c"))
	want := []byte{0, 2, 'a', 'b', 0, 0, 0, 1, 'c'}
	if !bytes.Equal(got, want) {
		t.Errorf("LP = %v, want %v", got, want)
	}
	defer func() {
		if recover() == nil {
			t.Error("a part of 65,536 bytes was accepted")
		}
	}()
	seal.LP(make([]byte, 1<<16))
}
