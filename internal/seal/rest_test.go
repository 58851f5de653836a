package seal

import (
	"bytes"
	"crypto/rand"
	"io"
	"testing"
)

// A Writer that rests at any moment writes the same stream as one without rests. Meanwhile
// it holds no large buffer.
func TestWriterRests(t *testing.T) {
	key, aad := make([]byte, KeySize), []byte("aad")
	rand.Read(key)
	want := make([]byte, 20*SegmentSize+5)
	rand.Read(want)
	for _, step := range []int{1000, plainFirst, plainFull, SegmentSize, 9 * SegmentSize} {
		for name, write := range map[string]func(w *Writer, p []byte) error{
			"Write":    func(w *Writer, p []byte) error { _, err := w.Write(p); return err },
			"ReadFrom": func(w *Writer, p []byte) error { _, err := w.ReadFrom(bytes.NewReader(p)); return err },
		} {
			var out bytes.Buffer
			w, err := NewWriter(&out, key, aad)
			if err != nil {
				t.Fatal(err)
			}
			for at := 0; at < len(want); at += step {
				if err := w.Rest(); err != nil || w.buf != nil || len(w.kept) > SegmentSize {
					t.Fatalf("%s %d: at rest it holds %d bytes, %v", name, step, len(w.kept), err)
				}
				if err := write(w, want[at:min(at+step, len(want))]); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Rest(); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			r, err := NewReader(&out, key, aad)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s %d: %d bytes became %d, %v", name, step, len(want), len(got), err)
			}
		}
	}
}
