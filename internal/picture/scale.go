package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"

	"github.com/deepteams/webp"
	"golang.org/x/image/draw"
)

// Crop returns a part of the picture, without copying it; [ErrCrop] when it does not lie
// inside.
func (p *Picture) Crop(x, y, width, height int) (*Picture, error) {
	if x < 0 || y < 0 || width < 1 || height < 1 || x > p.Width()-width || y > p.Height()-height {
		return nil, ErrCrop
	}
	part := p.turn.storedPart(image.Rect(x, y, x+width, y+height), p.part.Size())
	return &Picture{img: p.img, part: part.Add(p.part.Min), turn: p.turn}, nil
}

// Square returns the square part with its upper left corner at (x, y).
func (p *Picture) Square(x, y, side int) (*Picture, error) { return p.Crop(x, y, side, side) }

// Centre returns the largest square part around the centre.
func (p *Picture) Centre() *Picture {
	w, h := p.Width(), p.Height()
	side := min(w, h)
	square, err := p.Crop((w-side)/2, (h-side)/2, side, side)
	if err != nil {
		panic("internal error: picture: a centred square lies outside")
	}
	return square
}

// Fit returns the picture with its longer side at most so long, and its aspect kept. A small
// picture keeps its size.
func (p *Picture) Fit(longest int) *Picture {
	w, h := p.Width(), p.Height()
	if w <= longest && h <= longest {
		return p.Scale(w, h)
	}
	if w >= h {
		return p.Scale(longest, max(1, (h*longest+w/2)/w))
	}
	return p.Scale(max(1, (w*longest+h/2)/h), longest)
}

// Scale returns the picture in another size: first by averaging whole blocks of pixels, then
// by a bicubic filter.
func (p *Picture) Scale(width, height int) *Picture {
	w, h := width, height
	if p.turn.swaps() {
		w, h = height, width
	}
	size := p.part.Size()
	// The filter still gets half as many pixels again as the result has in each direction,
	// unless the blocks fit exactly.
	fx, fy := max(1, 2*size.X/(3*w)), max(1, 2*size.Y/(3*h))
	if size.X%w == 0 && size.Y%h == 0 {
		fx, fy = size.X/w, size.Y/h
	}
	small := shrink(p.img, p.part, fx, fy)
	if small.Rect.Dx() != w || small.Rect.Dy() != h {
		to := image.NewRGBA(image.Rect(0, 0, w, h))
		draw.CatmullRom.Scale(to, to.Rect, small, small.Rect, draw.Src, nil)
		small = to
	}
	small = upright(small, p.turn)
	return &Picture{img: small, part: small.Rect}
}

// upright turns a small picture.
func upright(m *image.RGBA, turn orientation) *image.RGBA {
	if turn <= 1 {
		return m
	}
	stored := m.Rect.Size()
	size := turn.size(stored)
	to := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			sx, sy := turn.stored(x, y, stored)
			copy(to.Pix[to.PixOffset(x, y):][:4], m.Pix[m.PixOffset(sx, sy):][:4])
		}
	}
	return to
}

// quality is that of the WebP files.
const quality = 80

// WebP encodes the picture.
func (p *Picture) WebP() ([]byte, error) {
	m := p
	if _, ok := p.img.(*image.RGBA); !ok || p.turn > 1 || p.img.Bounds() != p.part {
		m = p.Scale(p.Width(), p.Height())
	}
	rgba := m.img.(*image.RGBA)
	// The encoder expects colours that are not multiplied by alpha.
	img := &image.NRGBA{Pix: rgba.Pix, Stride: rgba.Stride, Rect: rgba.Rect}
	if !rgba.Opaque() {
		img = image.NewNRGBA(rgba.Rect)
		for y := rgba.Rect.Min.Y; y < rgba.Rect.Max.Y; y++ {
			for x := rgba.Rect.Min.X; x < rgba.Rect.Max.X; x++ {
				img.SetNRGBA(x, y, color.NRGBAModel.Convert(rgba.RGBAAt(x, y)).(color.NRGBA))
			}
		}
	}
	var out bytes.Buffer
	options := webp.DefaultOptions()
	options.Quality = quality
	if err := webp.Encode(&out, img, options); err != nil {
		return nil, fmt.Errorf("picture: encode: %w", err)
	}
	return out.Bytes(), nil
}
