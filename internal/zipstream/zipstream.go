// Package zipstream writes zips while they are sent: no temporary file, no seek, zip64 where it is needed.
//
// It is archive/zip with less memory. That keeps the whole path of each entry until the end,
// and the state of its compressor, 0.8 MB. This keeps a packed line for each entry, some 20
// bytes (directory.go). It counts what all zips of the process keep (memory.go), and packs a
// piece at a time (pack.go). An archive that breaks off has no directory at its end, so no
// program takes it for whole.
package zipstream

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"time"
	"unicode/utf8"
)

// Method says how a content stands in the zip.
type Method uint16

// The methods. Store is for bytes that are as short as they get, as pictures are.
const (
	Store   Method = 0
	Deflate Method = 8
)

// Writer writes one zip. It belongs to one goroutine.
type Writer struct {
	*share
	to      *bufio.Writer
	at      int64 // bytes written
	dir     directory
	last    entry
	began   bool   // there is a last entry
	running bool   // it is a file whose end is not written
	plain   []byte // of a content that is to be packed
}

// entry is a line of the directory at the zip's end.
type entry struct {
	path         string // a folder's ends in a slash
	size, offset int64
	packed       int64 // bytes of the content in the zip
	crc          uint32
	modified     uint32 // unix seconds
	method       Method
}

func (e *entry) folder() bool { return e.path[len(e.path)-1] == '/' }

// New returns a writer of an owner's zip to a stream. It fails with [ErrFull]. The caller ends
// it with Free, also behind an error.
func New(to io.Writer, owner string) (*Writer, error) {
	z := &Writer{share: all.of(owner), to: bufio.NewWriter(to)}
	z.dir.share = z.share
	return z, z.Hold(atFirst)
}

// The numbers of the zip format (APPNOTE.TXT 6.3.10).
const (
	version20, version45     = 20, 45
	withDescriptor, withUTF8 = 0x8, 0x800 // flags: sizes follow the content; names are UTF-8
	unixTime                 = 0x5455     // extra field
	headerSize               = 30         // of an entry, without path and extra field
)

// begin writes the header of an entry.
func (z *Writer) begin(path string, modified time.Time, method Method) error {
	if err := z.end(); err != nil {
		return err
	}
	if path == "" || len(path) > math.MaxUint16 {
		return fmt.Errorf("zipstream: a zip cannot hold a path of %d bytes", len(path))
	}
	z.last, z.began = entry{path: path, offset: z.at, modified: uint32(modified.Unix()), method: method}, true
	e := &z.last
	b := binary.LittleEndian.AppendUint32(nil, 0x04034b50)
	b = e.common(b, version20)
	b = append(b, make([]byte, 12)...) // hash and sizes follow the content
	b = binary.LittleEndian.AppendUint16(b, uint16(len(path)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(e.extra(nil))))
	return z.put(e.extra(append(b, path...)))
}

// Folder adds a folder.
func (z *Writer) Folder(path string, modified time.Time) error {
	return z.begin(path+"/", modified, Store)
}

// File begins a file, and returns what takes its content until the next entry. The path has
// slashes between names that every system takes.
func (z *Writer) File(path string, modified time.Time, how Method) (io.Writer, error) {
	if err := z.begin(path, modified, how); err != nil {
		return nil, err
	}
	z.running = true
	return content{z}, nil
}

// content is the content of the last entry.
type content struct{ z *Writer }

func (c content) Write(p []byte) (n int, err error) {
	e := &c.z.last
	e.crc = crc32.Update(e.crc, crc32.IEEETable, p)
	e.size += int64(len(p))
	if e.method == Store {
		return len(p), c.z.putContent(p)
	}
	for n < len(p) && err == nil {
		more := min(len(p)-n, pieceSize-len(c.z.plain))
		c.z.plain = append(c.z.plain, p[n:n+more]...)
		if n += more; len(c.z.plain) == pieceSize {
			err = c.z.pack(false)
		}
	}
	return n, err
}

// pack writes what is to be packed, and the end of the content behind it.
func (z *Writer) pack(end bool) error {
	b, err := pack(z.plain, end)
	if z.plain = z.plain[:0]; err != nil {
		return err
	}
	return z.putContent(b)
}

// putContent writes what of a content goes into the zip.
func (z *Writer) putContent(p []byte) error {
	z.last.packed += int64(len(p))
	return z.put(p)
}

// end writes what follows the content of the last entry, if that is a file.
func (z *Writer) end() error {
	if !z.began {
		return nil
	}
	z.began = false
	if z.running {
		z.running = false
		if z.last.method == Deflate {
			if err := z.pack(true); err != nil {
				return err
			}
			z.plain = nil
		}
		if err := z.put(z.last.descriptor()); err != nil {
			return err
		}
	}
	return z.dir.add(z.last)
}

// descriptor returns what follows the content of a file.
func (e *entry) descriptor() []byte {
	b := binary.LittleEndian.AppendUint32(nil, 0x08074b50)
	b = binary.LittleEndian.AppendUint32(b, e.crc)
	for _, n := range []int64{e.packed, e.size} {
		if e.large() {
			b = binary.LittleEndian.AppendUint64(b, uint64(n))
		} else {
			b = binary.LittleEndian.AppendUint32(b, uint32(n))
		}
	}
	return b
}

// large says that the entry's sizes have 64 bits.
func (e *entry) large() bool { return max(e.size, e.packed) >= math.MaxUint32 }

// Close writes the directory.
func (z *Writer) Close() error {
	if err := z.end(); err != nil {
		return err
	}
	start := z.at
	records := uint64(0)
	for e, err := range z.dir.all() {
		if err == nil {
			records++
			err = z.put(e.line())
		}
		if err != nil {
			return err
		}
	}
	end := z.at
	size, offset := uint64(end-start), uint64(start)
	var b []byte
	if records >= math.MaxUint16 || size >= math.MaxUint32 || offset >= math.MaxUint32 {
		b = binary.LittleEndian.AppendUint32(b, 0x06064b50)
		b = binary.LittleEndian.AppendUint64(b, 56-12)
		b = binary.LittleEndian.AppendUint16(b, version45)
		b = binary.LittleEndian.AppendUint16(b, version45)
		b = append(b, make([]byte, 8)...) // numbers of disks
		for _, n := range []uint64{records, records, size, offset} {
			b = binary.LittleEndian.AppendUint64(b, n)
		}
		b = binary.LittleEndian.AppendUint32(b, 0x07064b50)
		b = binary.LittleEndian.AppendUint32(b, 0)
		b = binary.LittleEndian.AppendUint64(b, uint64(end))
		b = binary.LittleEndian.AppendUint32(b, 1)
		records, size, offset = math.MaxUint16, math.MaxUint32, math.MaxUint32
	}
	b = binary.LittleEndian.AppendUint32(b, 0x06054b50)
	b = append(b, make([]byte, 4)...) // numbers of disks
	b = binary.LittleEndian.AppendUint16(b, uint16(records))
	b = binary.LittleEndian.AppendUint16(b, uint16(records))
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	b = binary.LittleEndian.AppendUint32(b, uint32(offset))
	if err := z.put(binary.LittleEndian.AppendUint16(b, 0)); err != nil {
		return err
	}
	return z.to.Flush()
}

// line returns the directory's line of an entry.
func (e *entry) line() []byte {
	extra, version, sizes, offset := e.extra(nil), uint16(version20), [2]uint32{uint32(e.packed), uint32(e.size)}, uint32(e.offset)
	if e.large() || e.offset >= math.MaxUint32 {
		if e.large() {
			version = version45
		}
		extra = binary.LittleEndian.AppendUint16(extra, 1)
		extra = binary.LittleEndian.AppendUint16(extra, 24)
		for _, n := range []int64{e.size, e.packed, e.offset} {
			extra = binary.LittleEndian.AppendUint64(extra, uint64(n))
		}
		sizes, offset = [2]uint32{math.MaxUint32, math.MaxUint32}, math.MaxUint32
	}
	b := binary.LittleEndian.AppendUint32(nil, 0x02014b50)
	b = binary.LittleEndian.AppendUint16(b, version20)
	b = e.common(b, version)
	for _, n := range []uint32{e.crc, sizes[0], sizes[1]} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	b = binary.LittleEndian.AppendUint16(b, uint16(len(e.path)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(extra)))
	b = append(b, make([]byte, 10)...) // comment, disk and attributes
	b = binary.LittleEndian.AppendUint32(b, offset)
	return append(append(b, e.path...), extra...)
}

// common appends what both headers of an entry have.
func (e *entry) common(b []byte, version uint16) []byte {
	flags := uint16(0)
	if !e.folder() {
		flags = withDescriptor
	}
	if len(e.path) != utf8.RuneCountInString(e.path) {
		flags |= withUTF8
	}
	t := time.Unix(int64(e.modified), 0).UTC()
	for _, n := range []uint16{
		version, flags, uint16(e.method),
		uint16(t.Second()/2 + t.Minute()<<5 + t.Hour()<<11),
		uint16(t.Day() + int(t.Month())<<5 + max(t.Year()-1980, 0)<<9),
	} {
		b = binary.LittleEndian.AppendUint16(b, n)
	}
	return b
}

// extra appends the time to the second.
func (e *entry) extra(b []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, unixTime)
	b = binary.LittleEndian.AppendUint16(b, 5)
	return binary.LittleEndian.AppendUint32(append(b, 1), e.modified)
}

func (z *Writer) put(p []byte) error {
	n, err := z.to.Write(p)
	z.at += int64(n)
	return err
}
