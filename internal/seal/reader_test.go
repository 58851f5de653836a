package seal

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"
)

// A reader whose writer stands still holds little, whatever it read before, and the places
// of fast readers are given back however a reader ends.
func TestReadersThatStandStill(t *testing.T) {
	key := make([]byte, KeySize)
	plain := make([]byte, 40*SegmentSize)
	rand.Read(plain)
	var stored bytes.Buffer
	w, err := NewWriter(&stored, key, nil)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	open := func() *Reader {
		r, err := NewReader(bytes.NewReader(stored.Bytes()), key, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := open()
	broken := errors.New("gone")
	n, err := r.WriteTo(writerFunc(func(p []byte) (int, error) {
		if len(r.buf) > SegmentSize+4<<10 || r.out != nil || len(p) > SegmentSize {
			t.Errorf("the first write of %d bytes finds a reader that holds %d and %d", len(p), len(r.buf), len(r.out))
		}
		return 0, broken
	}))
	if n != 0 || err != broken || r.buf != nil {
		t.Errorf("a writer that breaks: %d, %v, holds %d", n, err, len(r.buf))
	}
	for _, busy := range []int32{0, maxFast} { // places taken by others
		fast.Add(busy)
		most := 0
		var got bytes.Buffer
		if _, err := open().WriteTo(writerFunc(func(p []byte) (int, error) {
			most = max(most, len(p))
			return got.Write(p)
		})); err != nil || !bytes.Equal(got.Bytes(), plain) {
			t.Errorf("%d bytes became %d, %v", len(plain), got.Len(), err)
		}
		if quick := most > SegmentSize; quick != (busy == 0) {
			t.Errorf("with %d fast readers it writes %d bytes at once", busy, most)
		}
		left := 12 * SegmentSize // in the middle of a batch
		if _, err := open().WriteTo(writerFunc(func(p []byte) (int, error) {
			if left -= len(p); left < 0 {
				return 0, broken
			}
			return len(p), nil
		})); err != broken {
			t.Errorf("a writer that breaks later: %v", err)
		}
		fast.Add(-busy)
	}
	if n := fast.Load(); n != 0 {
		t.Errorf("%d places are not given back", n)
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
