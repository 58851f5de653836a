package picture

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
)

// The formats.
const (
	JPEG = "jpeg"
	PNG  = "png"
	GIF  = "gif"
	WebP = "webp"
)

// Bounds of what a picture may cost beside its pixels.
const (
	maxFrames = 1000 // of a moving picture, of which only the first is decoded
	maxScans  = 100  // of a JPEG: each goes over every pixel
	fullScans = 16   // of the largest picture; a smaller one may have more
)

// Info is what the headers of a picture say.
type Info struct {
	Format        string // JPEG, PNG, GIF or WebP
	Width, Height int    // upright
	Frames        int    // 1 for a still picture; counting ends above the limit

	rawWidth, rawHeight int // as stored
	turn                orientation
	scans               int
	components          int             // of JPEG
	plainRGB            bool            // of JPEG: stored as red, green and blue, perhaps
	cost                int64           // bytes that decoding needs at most, roughly
	frame               image.Rectangle // of the first frame on the canvas, where it is smaller
	still               []byte          // of WebP: a file with the first frame alone
}

// magic is the beginning of each format.
var magic = []struct {
	format string
	is     func(b []byte) bool
}{
	{JPEG, func(b []byte) bool { return bytes.HasPrefix(b, []byte{0xff, 0xd8, 0xff}) }},
	{PNG, func(b []byte) bool { return bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")) }},
	{GIF, func(b []byte) bool {
		return bytes.HasPrefix(b, []byte("GIF87a")) || bytes.HasPrefix(b, []byte("GIF89a"))
	}},
	{WebP, func(b []byte) bool {
		return len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP"
	}},
}

// Probe reads what the headers of a picture say, and decodes no pixel. [ErrUnsupported]: it is
// none of the formats. [ErrDamaged]: the headers make no sense.
func Probe(r io.Reader) (Info, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	head, err := in.Peek(12)
	if err != nil && err != io.EOF {
		return Info{}, err
	}
	for _, m := range magic {
		if !m.is(head) {
			continue
		}
		i := Info{Format: m.format, Frames: 1}
		switch m.format {
		case JPEG:
			err = i.readJPEG(in)
		case PNG:
			err = i.readPNG(in)
		case GIF:
			err = i.readGIF(in)
		case WebP:
			err = i.readWebP(in)
		}
		return i.finish(err)
	}
	return Info{}, ErrUnsupported
}

var errHeader = errors.New("a header makes no sense")

func (i Info) finish(err error) (Info, error) {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, errHeader):
		return Info{}, ErrDamaged.Because(fmt.Errorf("%s: %w", i.Format, err))
	case err != nil:
		return Info{}, err
	case i.rawWidth <= 0 || i.rawHeight <= 0:
		return Info{}, ErrDamaged.Because(fmt.Errorf("%s: %d × %d pixels", i.Format, i.rawWidth, i.rawHeight))
	}
	if i.cost < math.MaxInt64-4*math.MaxInt32 {
		i.cost += 4 * int64(i.rawWidth) // shrinking reads whole rows
	}
	size := i.turn.size(image.Pt(i.rawWidth, i.rawHeight))
	i.Width, i.Height = size.X, size.Y
	return i, nil
}

func (i *Info) pixels() int64 { return int64(i.rawWidth) * int64(i.rawHeight) }

// readJPEG reads the frame, the scans and the orientation. It follows the markers as image/jpeg does, so both see the same frame and scans
// (ITU-T T.81 annex B).
func (i *Info) readJPEG(in *bufio.Reader) error {
	err := i.followMarkers(in)
	if i.plainRGB && i.components == 3 {
		i.cost += 4 * i.pixels() // the planes are copied into one
	}
	return err
}

func (i *Info) followMarkers(in *bufio.Reader) error {
	if _, err := in.Discard(2); err != nil {
		return err
	}
	for {
		m, err := nextMarker(in)
		if err == io.EOF && i.scans > 0 {
			return nil // no end marker: image/jpeg judges the scans
		} else if err != nil {
			return err
		}
		switch {
		case m == 0xd9: // end of image
			return nil
		case m == 0x01, m >= 0xd0 && m <= 0xd8: // without a length
			continue
		}
		n, err := readLength(in)
		if err != nil {
			return err
		}
		switch {
		case m >= 0xc0 && m <= 0xc2:
			if err := i.readFrame(in, m == 0xc2, n); err != nil {
				return err
			}
			continue
		case m == 0xda:
			if i.scans++; i.scans > maxScans {
				return nil
			}
		case m == 0xe1, m == 0xee:
			segment := make([]byte, n)
			if _, err := io.ReadFull(in, segment); err != nil {
				return err
			}
			if m == 0xee && n >= 12 && string(segment[:5]) == "Adobe" && segment[11] == 0 {
				i.plainRGB = true
			}
			if exif, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); ok && i.turn == 0 {
				i.turn = orientationOf(exif)
			}
			continue
		}
		if _, err := in.Discard(n); err != nil {
			return err
		}
	}
}

// nextMarker skips to the next marker and returns its code. Within a scan FF 00 is a byte of
// data.
func nextMarker(in *bufio.Reader) (byte, error) {
	for {
		b, err := in.ReadByte()
		if err != nil {
			return 0, err
		}
		for b == 0xff {
			if b, err = in.ReadByte(); err != nil {
				return 0, err
			}
			if b != 0 && b != 0xff {
				return b, nil
			}
		}
	}
}

func readLength(in *bufio.Reader) (int, error) {
	var b [2]byte
	if _, err := io.ReadFull(in, b[:]); err != nil {
		return 0, err
	}
	n := int(binary.BigEndian.Uint16(b[:])) - 2
	if n < 0 {
		return 0, errHeader
	}
	return n, nil
}

// readFrame reads the frame header of a JPEG. A progressive one keeps four bytes of each
// sample until its last scan.
func (i *Info) readFrame(in *bufio.Reader, progressive bool, n int) error {
	b := make([]byte, n)
	if _, err := io.ReadFull(in, b); err != nil {
		return err
	}
	if n < 6 || i.rawWidth > 0 {
		return errHeader
	}
	i.rawHeight, i.rawWidth = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	components := int64(b[5])
	if components < 1 || components > 4 || n < 6+3*int(components) {
		return errHeader
	}
	// Samples per pixel: those of a component count by its share of the largest sampling.
	var area, most int64
	for c := range components {
		h, v := int64(b[7+3*c]>>4), int64(b[7+3*c]&15)
		area, most = area+h*v, max(most, h*v)
	}
	if most == 0 {
		return errHeader
	}
	i.components = int(components)
	if components == 3 && b[6] == 'R' && b[9] == 'G' && b[12] == 'B' {
		i.plainRGB = true
	}
	bytesASample := int64(1)
	if progressive {
		bytesASample += 4
	}
	i.cost = i.pixels() * area * bytesASample / most
	if components == 4 {
		i.cost += 4 * i.pixels()
	}
	return nil
}

// readPNG reads the header, the number of frames and the orientation (PNG 3rd edition §11).
func (i *Info) readPNG(in *bufio.Reader) error {
	if _, err := in.Discard(8); err != nil {
		return err
	}
	var header [13]byte
	for first := true; ; first = false {
		var head [8]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return err
		}
		n, kind := int64(binary.BigEndian.Uint32(head[:])), string(head[4:])
		if first != (kind == "IHDR") || n > 1<<31-1 {
			return errHeader
		}
		switch kind {
		case "IDAT", "IEND":
			return nil
		case "IHDR":
			if n != 13 {
				return errHeader
			}
			if _, err := io.ReadFull(in, header[:]); err != nil {
				return err
			}
			if err := i.readIHDR(header, false); err != nil {
				return err
			}
			n = 0
		case "tRNS":
			if err := i.readIHDR(header, true); err != nil {
				return err
			}
		case "acTL":
			var b [4]byte
			if _, err := io.ReadFull(in, b[:]); err != nil {
				return err
			}
			i.Frames = int(min(binary.BigEndian.Uint32(b[:]), maxFrames+1))
			n -= 4
		case "eXIf":
			if n > 64<<10 {
				break
			}
			b := make([]byte, n)
			if _, err := io.ReadFull(in, b); err != nil {
				return err
			}
			i.turn, n = orientationOf(b), 0
		}
		if n < 0 {
			return errHeader
		}
		if _, err := io.CopyN(io.Discard, in, n+4); err != nil {
			return err
		}
	}
}

// readIHDR reads the header. Grey pixels get an alpha of their own where one grey is clear.
func (i *Info) readIHDR(b [13]byte, clear bool) error {
	w, h := binary.BigEndian.Uint32(b[:]), binary.BigEndian.Uint32(b[4:])
	if w > 1<<31-1 || h > 1<<31-1 {
		return errHeader
	}
	i.rawWidth, i.rawHeight = int(w), int(h)
	bytesAPixel := int64(4)
	switch depth, colour := b[8], b[9]; {
	case depth == 16 && colour == 0 && !clear:
		bytesAPixel = 2
	case depth == 16:
		bytesAPixel = 8
	case colour == 0 && !clear, colour == 3:
		bytesAPixel = 1
	}
	rows := 2 * bytesAPixel // two rows, as they are stored, lie beside the picture
	if b[12] != 0 {         // interlaced: the passes do too, each with its rows
		bytesAPixel *= 2
		rows *= 3
	}
	// Two sides of 2³¹-1 and 16 bytes do not fit into 63 bits.
	i.cost = math.MaxInt64
	if i.rawHeight > 0 && int64(i.rawWidth) <= i.cost/bytesAPixel/int64(i.rawHeight)/2 {
		i.cost = i.pixels()*bytesAPixel + int64(i.rawWidth)*rows
	}
	return nil
}

// readGIF reads the screen and the first frame, and counts the frames (GIF89a §17–§27).
func (i *Info) readGIF(in *bufio.Reader) error {
	var screen [13]byte
	if _, err := io.ReadFull(in, screen[:]); err != nil {
		return err
	}
	i.rawWidth, i.rawHeight = int(binary.LittleEndian.Uint16(screen[6:])), int(binary.LittleEndian.Uint16(screen[8:]))
	i.cost = i.pixels() * 2 // the frame, and the canvas where it is smaller
	if err := skipTable(in, screen[10]); err != nil {
		return err
	}
	i.Frames = 0
	for i.Frames <= maxFrames {
		kind, err := in.ReadByte()
		if err != nil || kind == 0x3b { // a missing end is common
			break
		}
		switch kind {
		case 0x21: // an extension
			_, err = in.Discard(1)
		case 0x2c: // a frame
			var d [9]byte
			if _, err = io.ReadFull(in, d[:]); err != nil {
				break
			}
			if i.Frames++; i.Frames == 1 {
				x, y := int(binary.LittleEndian.Uint16(d[:])), int(binary.LittleEndian.Uint16(d[2:]))
				i.frame = image.Rect(x, y, x+int(binary.LittleEndian.Uint16(d[4:])), y+int(binary.LittleEndian.Uint16(d[6:])))
			}
			if err = skipTable(in, d[8]); err == nil {
				_, err = in.Discard(1)
			}
		default:
			err = errHeader
		}
		if err == nil {
			err = skipBlocks(in)
		}
		if err != nil {
			break // image/gif judges the first frame
		}
	}
	if i.Frames == 0 || !i.frame.In(image.Rect(0, 0, i.rawWidth, i.rawHeight)) || i.frame.Empty() {
		return errHeader
	}
	return nil
}

// skipTable skips the colour table that flags announce.
func skipTable(in *bufio.Reader, flags byte) error {
	if flags&0x80 == 0 {
		return nil
	}
	_, err := in.Discard(3 << (flags&7 + 1))
	return err
}

func skipBlocks(in *bufio.Reader) error {
	for {
		n, err := in.ReadByte()
		if err != nil || n == 0 {
			return err
		}
		if _, err := in.Discard(int(n)); err != nil {
			return err
		}
	}
}
