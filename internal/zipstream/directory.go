package zipstream

import (
	"encoding/binary"
	"errors"
	"iter"
)

// directory keeps the lines of a zip's directory until its end. A line has the end of its path,
// behind what it shares with the one before, the hash, the sizes and the time. The offset
// follows from the lines before. Blocks of lines are packed.
type directory struct {
	*share
	path     []byte // of the line before
	modified uint32
	lines    []byte
	blocks   [][]byte
}

// blockSize is how long lines become before they are packed.
const blockSize = 16 << 10

// keep is append, counted.
func (d *directory) keep(b, more []byte) ([]byte, error) {
	before := cap(b)
	b = append(b, more...)
	return b, d.Hold(cap(b) - before)
}

// add keeps the line of an entry. A line has at least the last byte of its path: one without is broken.
func (d *directory) add(e entry) (err error) {
	shared := 0
	for shared < min(len(e.path)-1, len(d.path)) && e.path[shared] == d.path[shared] {
		shared++
	}
	b := binary.AppendUvarint(nil, uint64(shared))
	b = binary.AppendUvarint(b, uint64(len(e.path)-shared))
	b = append(b, e.path[shared:]...)
	b = append(b, byte(e.method))
	b = binary.AppendVarint(b, int64(e.modified)-int64(d.modified))
	if !e.folder() {
		b = binary.LittleEndian.AppendUint32(b, e.crc)
		b = binary.AppendUvarint(b, uint64(e.size))
		if e.method != Store {
			b = binary.AppendUvarint(b, uint64(e.packed))
		}
	}
	d.modified = e.modified
	if d.path, err = d.keep(d.path[:0], []byte(e.path)); err != nil {
		return err
	}
	if d.lines, err = d.keep(d.lines, b); err != nil || len(d.lines) < blockSize {
		return err
	}
	block, err := pack(d.lines, true)
	if err != nil {
		return err
	}
	d.lines = d.lines[:0]
	d.blocks = append(d.blocks, append([]byte(nil), block...)) // as long as it is
	return d.Hold(len(block) + slot)
}

// slot is what a block takes beside its bytes.
const slot = 64

// errLine says that a line is not what was kept.
var errLine = errors.New("zipstream: internal error: a line of the directory is broken")

// all yields the entries again, and forgets them.
func (d *directory) all() iter.Seq2[*entry, error] {
	return func(yield func(*entry, error) bool) {
		e := entry{}
		d.blocks = append(d.blocks, nil) // stands for the lines that are not packed
		for i, block := range d.blocks {
			lines := d.lines
			if block != nil {
				var err error
				if lines, err = unpack(block); err != nil {
					yield(nil, err)
					return
				}
				d.blocks[i] = nil
				_ = d.Hold(-len(block) - slot) // fails only for more
			}
			for len(lines) > 0 {
				var ok bool
				if lines, ok = e.next(lines); !ok {
					yield(nil, errLine)
					return
				}
				if !yield(&e, nil) {
					return
				}
			}
		}
	}
}

// next makes an entry the one behind it, and returns the lines behind that.
func (e *entry) next(lines []byte) (rest []byte, ok bool) {
	ok = true
	number := func() (v int64) {
		u, n := binary.Uvarint(lines)
		ok = ok && n > 0
		lines = lines[max(n, 0):]
		return int64(u)
	}
	take := func(n int64) (b []byte) {
		if ok = ok && n >= 0 && n <= int64(len(lines)); ok {
			b, lines = lines[:n], lines[n:]
		}
		return b
	}
	if e.path != "" {
		e.offset += int64(headerSize+len(e.path)+len(e.extra(nil))) + e.packed
		if !e.folder() {
			e.offset += int64(len(e.descriptor()))
		}
	}
	shared := number()
	end := take(number())
	how := take(1)
	if ok = ok && shared >= 0 && shared <= int64(len(e.path)) && len(end) > 0; !ok {
		return nil, false
	}
	later, n := binary.Varint(lines)
	ok = n > 0
	lines = lines[max(n, 0):]
	*e = entry{path: e.path[:shared] + string(end), offset: e.offset, method: Method(how[0]), modified: uint32(int64(e.modified) + later)}
	if e.folder() {
		return lines, ok
	}
	if crc := take(4); ok {
		e.crc = binary.LittleEndian.Uint32(crc)
	}
	e.size = number()
	if e.packed = e.size; e.method != Store {
		e.packed = number()
	}
	return lines, ok
}
