package ipfs

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// pattern is content without equal chunks.
func pattern(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b) // never fails
	return b
}

// TestFile builds files of every shape with small chunks and reads them again.
func TestFile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chunk, width := rapid.IntRange(1, 40).Draw(t, "chunk"), rapid.IntRange(2, 6).Draw(t, "width")
		content := pattern(rapid.IntRange(0, 3000).Draw(t, "size"))
		blocks := shelf{}
		keep := blocks.sink()
		var at int64
		sink := Sink{Node: keep.Node, Leaf: func(l Leaf, b []byte) error {
			if l.Offset != at || l.Length != int64(len(b)) || l.CID != Sum(Raw, b) {
				t.Fatalf("a leaf of %d bytes at %d says %+v", len(b), at, l)
			}
			at += l.Length
			return keep.Leaf(l, b)
		}}
		n, err := file(bytes.NewReader(content), sink, chunk, width)
		if err != nil {
			t.Fatal(err)
		}
		got, err := blocks.file(n.CID)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.content, content) || n.Size != int64(len(content)) || n.Total != got.total {
			t.Fatalf("%d bytes become %+v and %d bytes, %d in all", len(content), n, len(got.content), got.total)
		}
		if len(got.depths) != 1 || got.width > width {
			t.Fatalf("leaves at depths %v, up to %d links", slices.Collect(maps.Keys(got.depths)), got.width)
		}
	})
}

// TestFileReaders gives the same content in other pieces.
func TestFileReaders(t *testing.T) {
	content := pattern(ChunkSize + 3*piece + 1)
	want, err := File(bytes.NewReader(content), Sink{})
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]io.Reader{
		"halves":              iotest.HalfReader(bytes.NewReader(content)),
		"bytes":               iotest.OneByteReader(bytes.NewReader(content)),
		"the end comes early": iotest.DataErrReader(bytes.NewReader(content)),
		"some empty reads":    &idle{r: bytes.NewReader(content), every: 3},
	} {
		if got, err := File(r, Sink{}); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, want)
		}
	}
}

// idle reads nothing every so many times.
type idle struct {
	r        io.Reader
	n, every int
}

func (i *idle) Read(p []byte) (int, error) {
	if i.n++; i.n%i.every != 0 {
		return 0, nil
	}
	return i.r.Read(p)
}

// TestFileErrors: content that breaks off is no file, and a sink's error ends the work.
func TestFileErrors(t *testing.T) {
	broken := errors.New("broken")
	content := pattern(3*ChunkSize + 5)
	for _, want := range []error{io.ErrUnexpectedEOF, broken} {
		for _, n := range []int{0, 1, ChunkSize, 2*ChunkSize + 1} {
			r := io.MultiReader(bytes.NewReader(content[:n]), iotest.ErrReader(want))
			if got, err := File(r, Sink{}); !errors.Is(err, want) {
				t.Errorf("after %d bytes: %+v, %v, want %v", n, got, err, want)
			}
		}
	}
	if _, err := File(&idle{r: bytes.NewReader(content), every: 1000}, Sink{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that gives nothing: %v", err)
	}
	for name, s := range map[string]Sink{
		"leaf": {Leaf: func(l Leaf, _ []byte) error {
			if l.Offset > ChunkSize {
				t.Error("the work goes on")
			}
			if l.Offset > 0 {
				return broken
			}
			return nil
		}},
		"node": {Node: func(Block) error { return broken }},
	} {
		if _, err := File(bytes.NewReader(content), s); !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFileSmall: a small file costs little memory.
func TestFileSmall(t *testing.T) {
	const files = 100
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range files {
		if _, err := File(bytes.NewReader([]byte("x")), Sink{}); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if got := (after.TotalAlloc - before.TotalAlloc) / files; got > 2*piece {
		t.Errorf("a file of one byte takes %d bytes", got)
	}
}
