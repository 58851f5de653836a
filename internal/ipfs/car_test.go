package ipfs

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// blocks are all blocks of an archive, and the error that ends them.
func blocks(r *CARReader) iter.Seq2[Block, error] {
	return func(yield func(Block, error) bool) {
		for {
			b, err := r.Next()
			if err == io.EOF || !yield(b, err) || err != nil {
				return
			}
		}
	}
}

// readAll reads an archive whole.
func readAll(archive []byte, maxBlock int) (roots []CID, all []Block, err error) {
	r, err := NewCARReader(bytes.NewReader(archive), maxBlock)
	if err != nil {
		return nil, nil, err
	}
	for b, err := range blocks(r) {
		if err != nil {
			return nil, nil, err
		}
		all = append(all, Block{b.CID, bytes.Clone(b.Data)})
	}
	return r.Roots(), all, nil
}

// archived is a small archive, and where its sections begin.
func archived(t testing.TB) (archive []byte, ends []int) {
	t.Helper()
	var out bytes.Buffer
	root := mustParse(t, emptyFolder)
	w, err := WriteCAR(&out, root, Sum(Raw, nil))
	if err != nil {
		t.Fatal(err)
	}
	ends = append(ends, out.Len())
	for _, b := range []Block{{root, []byte{0x0a, 2, 8, 1}}, {Sum(Raw, nil), nil}, {Sum(Raw, pattern(200)), pattern(200)}} {
		if err := w.Put(b); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, out.Len())
	}
	return out.Bytes(), ends
}

func TestCAR(t *testing.T) {
	archive, ends := archived(t)
	roots, all, err := readAll(archive, 200)
	if err != nil || len(roots) != 2 || roots[0].String() != emptyFolder || len(all) != 3 || !bytes.Equal(all[2].Data, pattern(200)) {
		t.Fatalf("read %v, %v, %v", roots, all, err)
	}
	for n := range archive {
		if _, _, err := readAll(archive[:n], 200); err == nil != slices.Contains(ends, n) {
			t.Errorf("%d of %d bytes: %v", n, len(archive), err)
		} else if err != nil && !errors.Is(err, ErrCAR) {
			t.Errorf("%d bytes: another error: %v", n, err)
		}
	}
	for i := range archive {
		for bit := range 8 {
			damaged := bytes.Clone(archive)
			damaged[i] ^= 1 << bit
			if got, _, err := readAll(damaged, 200); err == nil && slices.Equal(got, roots) {
				t.Errorf("bit %d of byte %d is changed, and nothing is noticed", bit, i)
			}
		}
	}
	if _, _, err := readAll(archive, 199); !errors.Is(err, ErrCAR) {
		t.Errorf("a block over the bound: %v", err)
	}
	broken := errors.New("broken")
	r, err := NewCARReader(io.MultiReader(bytes.NewReader(archive[:len(archive)-1]), iotest.ErrReader(broken)), 200)
	if err != nil {
		t.Fatal(err)
	}
	for _, err = range blocks(r) {
	}
	if !errors.Is(err, broken) {
		t.Errorf("the source's error becomes %v", err)
	}
}

func TestCARRefuses(t *testing.T) {
	id := string(mustParse(t, emptyFolder).Bytes())
	head := func(s string) string { return string(varint(int64(len(s)))) + s }
	none := head("\xa2\x65roots\x80\x67version\x01")
	if _, _, err := readAll([]byte(none), 1000); err != nil {
		t.Fatal(err)
	}
	for name, archive := range map[string]string{
		"nothing":               "",
		"version 2":             head("\xa1\x67version\x02"),
		"no roots":              head("\xa1\x67version\x01"),
		"version 3":             head("\xa2\x65roots\x80\x67version\x03"),
		"the other order":       head("\xa2\x67version\x01\x65roots\x80"),
		"a long header":         head(strings.Repeat("a", 0xffff)),
		"a length without end":  strings.Repeat("\xff", 20),
		"a length in long form": "\x91\x00" + none[1:],
		"an empty section":      none + "\x00",
		"no identifier":         none + "\x03abc",
		"a root without a tag":  head("\xa2\x65roots\x81" + id + "\x67version\x01"),
		"a root without a zero": head("\xa2\x65roots\x81\xd8\x2a\x58\x25\x01" + id + "\x67version\x01"),
		"a root of no length":   head("\xa2\x65roots\x81\xd8\x2a\x58\x24\x00" + id + "\x67version\x01"),
		"a root cut short":      head("\xa2\x65roots\x81\xd8\x2a\x58\x25\x00\x01"),
		"more roots than are":   head("\xa2\x65roots\x97\x67version\x01"),
	} {
		if roots, all, err := readAll([]byte(archive), 1000); !errors.Is(err, ErrCAR) {
			t.Errorf("%s: %v, %v, %v", name, roots, all, err)
		}
	}
	if _, err := WriteCAR(io.Discard, make([]CID, maxRoots+1)...); err == nil {
		t.Error("24 roots are written")
	}
	if _, err := WriteCAR(full{}); err == nil {
		t.Error("a failing write of the header is not noticed")
	}
}

// full takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func FuzzCARReader(f *testing.F) {
	archive, ends := archived(f)
	f.Add(archive)
	f.Add(archive[:ends[0]])
	f.Add([]byte("\x11\xa2\x65roots\x80\x67version\x01"))
	f.Fuzz(func(t *testing.T, archive []byte) {
		roots, all, err := readAll(archive, 1000)
		if err != nil {
			if !errors.Is(err, ErrCAR) {
				t.Errorf("another error: %v", err)
			}
			return
		}
		var out bytes.Buffer
		w, err := WriteCAR(&out, roots...)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range all {
			if Sum(b.CID.Codec, b.Data) != b.CID {
				t.Errorf("a damaged block of %s", b.CID)
			}
			if err := w.Put(b); err != nil {
				t.Fatal(err)
			}
		}
		// Version 0 becomes version 1; otherwise a value has one encoding.
		if out.Len() == len(archive) && !bytes.Equal(out.Bytes(), archive) {
			t.Errorf("%x is written as %x", archive, out.Bytes())
		}
	})
}
