// Package picture decodes, crops, resizes and encodes pictures, within bounds of time and memory.
//
// It reads JPEG, PNG, GIF and WebP, of a moving picture the first frame. It writes WebP
// without metadata. The orientation that EXIF names is applied.
//
// # What it defends against
//
//   - Small files that claim to be large: [Probe] reads the size from the headers, and
//     [Decode] refuses a picture before it allocates a pixel.
//   - Files that cost more than their pixels: many frames, many scans of a progressive JPEG,
//     and formats that need much memory while they are decoded ([Info] has the cost).
//   - Lengths in a WebP file that its bytes do not have: the decoder gets a file that this
//     package wrote from the checked chunks.
//   - Compressed text and colour profiles: no decoder here unpacks them.
//   - Bytes after the picture, scripts and places of a photo: only pixels reach the encoder.
//   - A decoder that panics: the picture counts as damaged.
//   - Many pictures at once: [Service] bounds how many are decoded, and the memory of all
//     together. People who wait go before jobs, and jobs leave one place free.
//
// # What it does not do
//
// It does not apply embedded colour profiles. A photo in a wide colour space looks slightly
// paler.
package picture

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/webp"

	"coffer/internal/fault"
)

// The refusals of a picture.
var (
	ErrUnsupported = fault.New(fault.Invalid, "picture_unsupported", "The file is not a picture that the server can read. It reads JPEG, PNG, GIF and WebP.")
	ErrTooLarge    = fault.New(fault.Invalid, "picture_too_large", "The picture has too many pixels or frames.")
	ErrDamaged     = fault.New(fault.Invalid, "picture_damaged", "The picture is damaged or incomplete.")
	ErrCrop        = fault.New(fault.Invalid, "picture_crop", "The chosen part does not lie in the picture.")
)

// Limits bound one picture.
type Limits struct {
	Pixels int64 // of the largest picture; zero: 50 million
}

const defaultPixels = 50_000_000

// bytesAPixel is the memory that decoding may need for each permitted pixel.
const bytesAPixel = 8

func (l Limits) pixels() int64 {
	if l.Pixels > 0 {
		return l.Pixels
	}
	return defaultPixels
}

// check refuses a picture that is over the limits.
func (l Limits) check(i Info) error {
	switch {
	case i.Frames > maxFrames:
		return ErrTooLarge.Because(fmt.Errorf("more than %d frames", maxFrames))
	case i.scans > maxScans:
		return ErrTooLarge.Because(fmt.Errorf("more than %d scans", maxScans))
	case int64(i.scans) > fullScans*l.pixels()/max(1, i.pixels()):
		return ErrTooLarge.Because(fmt.Errorf("%d scans of %d × %d pixels", i.scans, i.Width, i.Height))
	case int64(i.Width)*int64(i.Height) > l.pixels():
		return ErrTooLarge.Because(fmt.Errorf("%d × %d pixels", i.Width, i.Height))
	case i.cost > bytesAPixel*l.pixels():
		return ErrTooLarge.Because(fmt.Errorf("%d × %d pixels need %d bytes", i.Width, i.Height, i.cost))
	}
	return nil
}

// Picture is a decoded picture, or a part of one. It is upright: sizes and places are those
// that a viewer shows.
type Picture struct {
	img  image.Image
	part image.Rectangle // of img
	turn orientation     // from img to upright
}

// Width is the number of pixels from left to right.
func (p *Picture) Width() int { return p.turn.size(p.part.Size()).X }

// Height is the number of pixels from top to bottom.
func (p *Picture) Height() int { return p.turn.size(p.part.Size()).Y }

// Decode decodes the first frame of a picture; [ErrUnsupported], [ErrTooLarge] or
// [ErrDamaged]. It does not wait for a place: see [Service.Work].
func Decode(ctx context.Context, data []byte, l Limits) (*Picture, error) {
	info, err := Probe(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return decode(ctx, data, info, l)
}

func decode(ctx context.Context, data []byte, info Info, l Limits) (p *Picture, err error) {
	if err := l.check(info); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, ErrDamaged.Because(fmt.Errorf("the decoder of %s panicked: %v", info.Format, r))
		}
	}()
	img, err := info.decode(data)
	if err != nil {
		return nil, ErrDamaged.Because(err)
	}
	b := img.Bounds()
	if b.Dx() != info.rawWidth || b.Dy() != info.rawHeight {
		return nil, ErrDamaged.Because(fmt.Errorf("declared %d × %d pixels, has %d × %d", info.rawWidth, info.rawHeight, b.Dx(), b.Dy()))
	}
	return &Picture{img: img, part: b, turn: info.turn}, nil
}

func (i Info) decode(data []byte) (image.Image, error) {
	r := bytes.NewReader(data)
	switch i.Format {
	case JPEG:
		return jpeg.Decode(r)
	case PNG:
		return png.Decode(r)
	case GIF:
		return firstFrame(gif.Decode(r))(i)
	default:
		img, err := webp.Decode(bytes.NewReader(i.still))
		return firstFrame(img, err)(i)
	}
}
