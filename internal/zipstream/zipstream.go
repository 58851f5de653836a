// Package zipstream writes zips while they are sent: no temporary file, no seek, zip64 where it is needed.
//
// It is archive/zip with less memory. That keeps the whole path of each entry until the end,
// and a path may have 16 KiB. This keeps an entry's own name and its folder, some 100 bytes
// and the name. An archive that breaks off has no directory at its end, so no program takes
// it for whole.
package zipstream

import (
	"bufio"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"slices"
	"strings"
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
	to      *bufio.Writer
	at      int64 // bytes written
	entries []entry
	open    []folder // the folders above the next entry, outermost first
	unnamed []string // paths of folders that have entries and are none
	running bool     // the last entry is a file whose end is not written
	deflate *flate.Writer
}

// entry is a line of the directory at the zip's end.
type entry struct {
	name         string // the last step of its path
	size, offset int64
	packed       int64 // bytes of the content in the zip
	above        int32 // index of its folder in entries; -1 at the top, -2-i for unnamed[i]
	crc          uint32
	modified     uint32 // unix seconds
	folder       bool
	method       Method
}

// folder is a folder that entries may still come into.
type folder struct {
	path  string // with the slash
	index int32  // as entry.above
}

// New returns a writer of a zip to a stream.
func New(to io.Writer) *Writer { return &Writer{to: bufio.NewWriter(to)} }

// The numbers of the zip format (APPNOTE.TXT 6.3.10).
const (
	version20, version45     = 20, 45
	withDescriptor, withUTF8 = 0x8, 0x800 // flags: sizes follow the content; names are UTF-8
	unixTime                 = 0x5455     // extra field
)

// begin writes the header of an entry.
func (z *Writer) begin(path string, modified time.Time, isFolder bool, method Method) error {
	if err := z.end(); err != nil {
		return err
	}
	if len(z.entries) == math.MaxInt32 || len(path) >= math.MaxUint16 {
		return fmt.Errorf("zipstream: a zip cannot hold entry %d with a path of %d bytes", len(z.entries), len(path))
	}
	slash := strings.LastIndexByte(path, '/') + 1
	e := entry{
		name: strings.Clone(path[slash:]), offset: z.at, above: z.inside(path[:slash]), modified: uint32(modified.Unix()), folder: isFolder, method: method,
	}
	if isFolder {
		path += "/"
		z.open = append(z.open, folder{path, int32(len(z.entries))})
	}
	z.entries = append(z.entries, e)
	b := binary.LittleEndian.AppendUint32(nil, 0x04034b50)
	b = e.common(b, version20, flags(path, isFolder))
	b = append(b, make([]byte, 12)...) // hash and sizes follow the content
	b = binary.LittleEndian.AppendUint16(b, uint16(len(path)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(e.extra(nil))))
	return z.put(e.extra(append(b, path...)))
}

// inside leaves the open folders that are not above an entry of the folder, and returns that
// folder's index. A folder that is no entry costs its path, once while entries of it come.
func (z *Writer) inside(above string) int32 {
	for len(z.open) > 0 && !strings.HasPrefix(above, z.open[len(z.open)-1].path) {
		z.open = z.open[:len(z.open)-1]
	}
	if above == "" {
		return -1
	}
	if len(z.open) == 0 || z.open[len(z.open)-1].path != above {
		z.open = append(z.open, folder{above, int32(-2 - len(z.unnamed))})
		z.unnamed = append(z.unnamed, strings.Clone(above))
	}
	return z.open[len(z.open)-1].index
}

// Folder adds a folder. One that has entries comes before them, or is not added.
func (z *Writer) Folder(path string, modified time.Time) error {
	return z.begin(path, modified, true, Store)
}

// File begins a file, and returns what takes its content until the next entry. The path has
// slashes between names that every system takes.
func (z *Writer) File(path string, modified time.Time, how Method) (io.Writer, error) {
	if err := z.begin(path, modified, false, how); err != nil {
		return nil, err
	}
	z.running = true
	if how == Store {
		return content{z, packed{z}}, nil
	}
	if z.deflate == nil {
		z.deflate, _ = flate.NewWriter(packed{z}, flate.DefaultCompression) // fails for unknown levels only
	} else {
		z.deflate.Reset(packed{z})
	}
	return content{z, z.deflate}, nil
}

// content is the content of the last entry.
type content struct {
	z  *Writer
	to io.Writer
}

func (c content) Write(p []byte) (int, error) {
	e := &c.z.entries[len(c.z.entries)-1]
	e.crc = crc32.Update(e.crc, crc32.IEEETable, p)
	e.size += int64(len(p))
	return c.to.Write(p)
}

// packed is what of the content goes into the zip.
type packed struct{ z *Writer }

func (p packed) Write(b []byte) (int, error) {
	p.z.entries[len(p.z.entries)-1].packed += int64(len(b))
	return len(b), p.z.put(b)
}

// end writes what follows the content of the last entry, if that is a file.
func (z *Writer) end() error {
	if !z.running {
		return nil
	}
	z.running = false
	e := &z.entries[len(z.entries)-1]
	if e.method == Deflate {
		if err := z.deflate.Close(); err != nil {
			return err
		}
	}
	b := binary.LittleEndian.AppendUint32(nil, 0x08074b50)
	b = binary.LittleEndian.AppendUint32(b, e.crc)
	for _, n := range []int64{e.packed, e.size} {
		if e.large() {
			b = binary.LittleEndian.AppendUint64(b, uint64(n))
		} else {
			b = binary.LittleEndian.AppendUint32(b, uint32(n))
		}
	}
	return z.put(b)
}

// large says that the entry's sizes have 64 bits.
func (e *entry) large() bool { return max(e.size, e.packed) >= math.MaxUint32 }

// Close writes the directory.
func (z *Writer) Close() error {
	if err := z.end(); err != nil {
		return err
	}
	start := z.at
	for i := range z.entries {
		if err := z.put(z.line(int32(i))); err != nil {
			return err
		}
	}
	end, records := z.at, uint64(len(z.entries))
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
func (z *Writer) line(i int32) []byte {
	e := z.entries[i]
	path, extra, version, sizes, offset := z.path(i), e.extra(nil), uint16(version20), [2]uint32{uint32(e.packed), uint32(e.size)}, uint32(e.offset)
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
	b = e.common(b, version, flags(path, e.folder))
	for _, n := range []uint32{e.crc, sizes[0], sizes[1]} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	b = binary.LittleEndian.AppendUint16(b, uint16(len(path)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(extra)))
	b = append(b, make([]byte, 10)...) // comment, disk and attributes
	b = binary.LittleEndian.AppendUint32(b, offset)
	return append(append(b, path...), extra...)
}

// path returns the path of an entry.
func (z *Writer) path(i int32) string {
	end := ""
	if z.entries[i].folder {
		end = "/"
	}
	var steps []string
	for ; i >= 0; i = z.entries[i].above {
		steps = append(steps, z.entries[i].name)
	}
	if i < -1 {
		steps = append(steps, strings.TrimSuffix(z.unnamed[-2-i], "/"))
	}
	slices.Reverse(steps)
	return strings.Join(steps, "/") + end
}

// common appends what both headers of an entry have.
func (e *entry) common(b []byte, version, flags uint16) []byte {
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

func flags(path string, folder bool) (flags uint16) {
	if !folder {
		flags = withDescriptor
	}
	if len(path) != utf8.RuneCountInString(path) {
		flags |= withUTF8
	}
	return flags
}

func (z *Writer) put(p []byte) error {
	n, err := z.to.Write(p)
	z.at += int64(n)
	return err
}
