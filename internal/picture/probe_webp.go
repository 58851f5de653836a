package picture

import (
	"bufio"
	"encoding/binary"
	"image"
	"image/color"
	"io"
)

// maxWebP is the largest WebP file that Probe takes into memory.
const maxWebP = 64 << 20

// chunk is a piece of a RIFF file.
type chunk struct {
	kind string
	data []byte
}

// readWebP reads the chunks (RFC 9649 §2) and writes the first frame as a file of its own,
// whose lengths are true.
func (i *Info) readWebP(in *bufio.Reader) error {
	all, err := io.ReadAll(io.LimitReader(in, maxWebP+1))
	if err != nil {
		return err
	}
	if len(all) > maxWebP {
		return errHeader
	}
	var frame []chunk // of the first frame
	canvas := image.Point{}
	moving := false
	i.Frames = 0
	for rest := all[12:]; len(rest) > 0 && i.Frames <= maxFrames; {
		c, more, err := cutChunk(rest)
		if err != nil && i.Frames > 0 {
			break // behind the first frame
		} else if err != nil {
			return err
		}
		rest = more
		switch c.kind {
		case "VP8X":
			if len(c.data) != 10 || canvas.X > 0 {
				return errHeader
			}
			moving = c.data[0]&2 != 0
			canvas = image.Pt(1+uint24(c.data[4:]), 1+uint24(c.data[7:]))
		case "ALPH":
			if i.Frames == 0 {
				frame = append(frame, c)
			}
		case "VP8 ", "VP8L":
			if moving {
				return errHeader
			}
			if i.Frames++; i.Frames == 1 {
				frame = append(frame, c)
			}
		case "ANMF":
			if !moving || len(c.data) < 16 {
				return errHeader
			}
			if i.Frames++; i.Frames == 1 {
				at := image.Pt(2*uint24(c.data), 2*uint24(c.data[3:]))
				i.frame = image.Rectangle{Min: at, Max: at.Add(image.Pt(1+uint24(c.data[6:]), 1+uint24(c.data[9:])))}
				frame = framesChunks(c.data[16:])
			}
		case "EXIF":
			i.turn = orientationOf(c.data)
		}
	}
	return i.keepFrame(frame, canvas)
}

// framesChunks returns the chunks within a frame of a moving picture.
func framesChunks(b []byte) (chunks []chunk) {
	for len(b) > 0 {
		c, more, err := cutChunk(b)
		if err != nil {
			return nil
		}
		if b = more; c.kind == "ALPH" || c.kind == "VP8 " || c.kind == "VP8L" {
			chunks = append(chunks, c)
		}
	}
	return chunks
}

func cutChunk(b []byte) (c chunk, rest []byte, err error) {
	if len(b) < 8 {
		return c, nil, io.ErrUnexpectedEOF
	}
	n := int64(binary.LittleEndian.Uint32(b[4:]))
	if n > int64(len(b)-8) {
		return c, nil, io.ErrUnexpectedEOF
	}
	end := min(8+n+n&1, int64(len(b)))
	return chunk{string(b[:4]), b[8 : 8+n]}, b[end:], nil
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// keepFrame checks the first frame's size against its own bits, and writes it to i.still.
func (i *Info) keepFrame(frame []chunk, canvas image.Point) error {
	if len(frame) == 0 || len(frame) > 2 {
		return errHeader
	}
	last := frame[len(frame)-1]
	size, ok := bitstreamSize(last)
	if !ok {
		return errHeader
	}
	if canvas == (image.Point{}) {
		canvas = size
	}
	whole := image.Rectangle{Max: canvas}
	if i.frame == (image.Rectangle{}) {
		i.frame = whole
	}
	if i.frame.Size() != size || !i.frame.In(whole) {
		return errHeader
	}
	i.rawWidth, i.rawHeight = canvas.X, canvas.Y
	// VP8: 4:2:0 and alpha by way of four bytes; VP8L: its pixels and those of a transform.
	i.cost = i.pixels() * 2
	if last.kind == "VP8L" || len(frame) == 2 {
		i.cost = i.pixels() * 8
	}
	if len(frame) == 2 {
		if frame[0].kind != "ALPH" || last.kind != "VP8 " {
			return errHeader
		}
		header := make([]byte, 10)
		header[0] = 1 << 4 // alpha
		putUint24(header[4:], size.X-1)
		putUint24(header[7:], size.Y-1)
		frame = append([]chunk{{"VP8X", header}}, frame...)
	}
	i.still = append(i.still, "RIFF\x00\x00\x00\x00WEBP"...)
	for _, c := range frame {
		i.still = append(i.still, c.kind...)
		i.still = binary.LittleEndian.AppendUint32(i.still, uint32(len(c.data)))
		i.still = append(i.still, c.data...)
		if len(c.data)%2 == 1 {
			i.still = append(i.still, 0)
		}
	}
	binary.LittleEndian.PutUint32(i.still[4:], uint32(len(i.still)-8))
	return nil
}

func putUint24(b []byte, n int) { b[0], b[1], b[2] = byte(n), byte(n>>8), byte(n>>16) }

// bitstreamSize reads the size from the first bytes of a frame (RFC 6386 §9.1, RFC 9649
// §3.4).
func bitstreamSize(c chunk) (image.Point, bool) {
	b := c.data
	switch {
	case c.kind == "VP8 " && len(b) >= 10 && b[0]&1 == 0 && string(b[3:6]) == "\x9d\x01\x2a":
		return image.Pt(int(binary.LittleEndian.Uint16(b[6:])&0x3fff), int(binary.LittleEndian.Uint16(b[8:])&0x3fff)), true
	case c.kind == "VP8L" && len(b) >= 5 && b[0] == 0x2f:
		bits := binary.LittleEndian.Uint32(b[1:])
		return image.Pt(1+int(bits&0x3fff), 1+int(bits>>14&0x3fff)), true
	}
	return image.Point{}, false
}

// firstFrame returns a function that puts a frame on its canvas, where it is smaller than
// that.
func firstFrame(img image.Image, err error) func(Info) (image.Image, error) {
	return func(i Info) (image.Image, error) {
		canvas := image.Rect(0, 0, i.rawWidth, i.rawHeight)
		if err != nil || img.Bounds() == canvas {
			return img, err
		}
		if p, ok := img.(*image.Paletted); ok && p.Rect == i.frame {
			return &placed{Image: p, canvas: canvas}, nil
		}
		if img.Bounds().Size() == i.frame.Size() {
			return &placed{Image: img, canvas: canvas, by: i.frame.Min.Sub(img.Bounds().Min)}, nil
		}
		return img, nil
	}
}

// placed is a frame on a larger canvas, which is transparent around it.
type placed struct {
	image.Image
	canvas image.Rectangle
	by     image.Point // from the frame's own place
}

var _ image.RGBA64Image = (*placed)(nil)

// Bounds implements image.Image.
func (p *placed) Bounds() image.Rectangle { return p.canvas }

// At implements image.Image.
func (p *placed) At(x, y int) color.Color { return p.RGBA64At(x, y) }

// RGBA64At implements image.RGBA64Image.
func (p *placed) RGBA64At(x, y int) color.RGBA64 {
	x, y = x-p.by.X, y-p.by.Y
	if !image.Pt(x, y).In(p.Image.Bounds()) {
		return color.RGBA64{}
	}
	r, g, b, a := p.Image.At(x, y).RGBA()
	return color.RGBA64{R: uint16(r), G: uint16(g), B: uint16(b), A: uint16(a)}
}
