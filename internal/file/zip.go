package file

import (
	"bufio"
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

// zipWriter writes a zip of stored contents while it is sent. It is archive/zip with less
// memory: that keeps the whole path of each entry until the end, and a path may have 16 KiB.
// This keeps an entry's own name and its folder.
type zipWriter struct {
	to      *bufio.Writer
	at      int64 // bytes written
	entries []zipEntry
	open    []zipFolder // the folders above the next entry, outermost first
}

// zipEntry is a line of the directory at the zip's end.
type zipEntry struct {
	name         string // the last step of its path
	size, offset int64
	above        int32 // index of its folder in entries; -1 at the top
	crc          uint32
	modified     uint32 // unix seconds
	folder       bool
}

// zipFolder is a folder that entries may still come into.
type zipFolder struct {
	path  string // with the slash
	index int32
}

func newZipWriter(to io.Writer) *zipWriter { return &zipWriter{to: bufio.NewWriter(to)} }

// The numbers of the zip format (APPNOTE.TXT 6.3.10).
const (
	zipVersion20, zipVersion45 = 20, 45
	zipDescriptor, zipUTF8     = 0x8, 0x800 // flags: sizes follow the content; names are UTF-8
	zipTime                    = 0x5455     // extra field: unix time
)

// begin writes the header of an entry. A folder comes before what is in it.
func (z *zipWriter) begin(path string, modified time.Time, folder bool) (err error) {
	if len(z.entries) == math.MaxInt32 || len(path) >= math.MaxUint16 {
		return fmt.Errorf("file: a zip cannot hold entry %d with a path of %d bytes", len(z.entries), len(path))
	}
	above, name := path[:strings.LastIndexByte(path, '/')+1], path[strings.LastIndexByte(path, '/')+1:]
	e := zipEntry{name: strings.Clone(name), offset: z.at, above: -1, modified: uint32(modified.Unix()), folder: folder}
	for len(z.open) > 0 && z.open[len(z.open)-1].path != above {
		z.open = z.open[:len(z.open)-1]
	}
	if len(z.open) > 0 {
		e.above = z.open[len(z.open)-1].index
	} else if above != "" {
		return fmt.Errorf("file: entry %d of a zip comes before its folder", len(z.entries))
	}
	if folder {
		path += "/"
		z.open = append(z.open, zipFolder{path, int32(len(z.entries))})
	}
	z.entries = append(z.entries, e)
	b := binary.LittleEndian.AppendUint32(nil, 0x04034b50)
	b = e.common(b, zipVersion20, flags(path, folder))
	b = append(b, make([]byte, 12)...) // hash and sizes follow the content
	b = binary.LittleEndian.AppendUint16(b, uint16(len(path)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(e.extra(nil))))
	return z.put(e.extra(append(b, path...)))
}

// file writes the header of a file, and returns what takes its content until the next entry.
func (z *zipWriter) file(path string, modified time.Time) (io.Writer, error) {
	return zipContent{z}, z.begin(path, modified, false)
}

// zipContent is the content of the last entry.
type zipContent struct{ z *zipWriter }

func (c zipContent) Write(p []byte) (int, error) {
	e := &c.z.entries[len(c.z.entries)-1]
	e.crc = crc32.Update(e.crc, crc32.IEEETable, p)
	e.size += int64(len(p))
	return len(p), c.z.put(p)
}

// end writes what follows the content of the last entry, a file.
func (z *zipWriter) end() error {
	e := z.entries[len(z.entries)-1]
	b := binary.LittleEndian.AppendUint32(nil, 0x08074b50)
	b = binary.LittleEndian.AppendUint32(b, e.crc)
	for range 2 { // compressed and not
		if e.size >= math.MaxUint32 {
			b = binary.LittleEndian.AppendUint64(b, uint64(e.size))
		} else {
			b = binary.LittleEndian.AppendUint32(b, uint32(e.size))
		}
	}
	return z.put(b)
}

// close writes the directory.
func (z *zipWriter) close() error {
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
		b = binary.LittleEndian.AppendUint16(b, zipVersion45)
		b = binary.LittleEndian.AppendUint16(b, zipVersion45)
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
func (z *zipWriter) line(i int32) []byte {
	e := z.entries[i]
	path, extra, version, size, offset := z.path(i), e.extra(nil), uint16(zipVersion20), uint32(e.size), uint32(e.offset)
	if e.size >= math.MaxUint32 || e.offset >= math.MaxUint32 {
		if e.size >= math.MaxUint32 {
			version = zipVersion45
		}
		extra = binary.LittleEndian.AppendUint16(extra, 1)
		extra = binary.LittleEndian.AppendUint16(extra, 24)
		for _, n := range []int64{e.size, e.size, e.offset} {
			extra = binary.LittleEndian.AppendUint64(extra, uint64(n))
		}
		size, offset = math.MaxUint32, math.MaxUint32
	}
	b := binary.LittleEndian.AppendUint32(nil, 0x02014b50)
	b = binary.LittleEndian.AppendUint16(b, zipVersion20)
	b = e.common(b, version, flags(path, e.folder))
	for _, n := range []uint32{e.crc, size, size} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	b = binary.LittleEndian.AppendUint16(b, uint16(len(path)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(extra)))
	b = append(b, make([]byte, 10)...) // comment, disk and attributes
	b = binary.LittleEndian.AppendUint32(b, offset)
	return append(append(b, path...), extra...)
}

// path returns the path of an entry.
func (z *zipWriter) path(i int32) string {
	end := ""
	if z.entries[i].folder {
		end = "/"
	}
	var steps []string
	for ; i >= 0; i = z.entries[i].above {
		steps = append(steps, z.entries[i].name)
	}
	slices.Reverse(steps)
	return strings.Join(steps, "/") + end
}

// common appends what both headers of an entry have.
func (e *zipEntry) common(b []byte, version, flags uint16) []byte {
	t := time.Unix(int64(e.modified), 0).UTC()
	for _, n := range []uint16{
		version, flags, 0, // stored
		uint16(t.Second()/2 + t.Minute()<<5 + t.Hour()<<11),
		uint16(t.Day() + int(t.Month())<<5 + max(t.Year()-1980, 0)<<9),
	} {
		b = binary.LittleEndian.AppendUint16(b, n)
	}
	return b
}

// extra appends the time to the second.
func (e *zipEntry) extra(b []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, zipTime)
	b = binary.LittleEndian.AppendUint16(b, 5)
	return binary.LittleEndian.AppendUint32(append(b, 1), e.modified)
}

func flags(path string, folder bool) (flags uint16) {
	if !folder {
		flags = zipDescriptor
	}
	if len(path) != utf8.RuneCountInString(path) {
		flags |= zipUTF8
	}
	return flags
}

func (z *zipWriter) put(p []byte) error {
	n, err := z.to.Write(p)
	z.at += int64(n)
	return err
}
