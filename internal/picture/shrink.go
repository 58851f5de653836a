package picture

import (
	"image"
	"image/color"
)

// shrink averages blocks of fx × fy pixels of a part of img. Pixels at the right and lower
// edge that fill no block belong to the last one.
func shrink(img image.Image, part image.Rectangle, fx, fy int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, max(1, part.Dx()/fx), max(1, part.Dy()/fy)))
	if m, ok := img.(*image.YCbCr); ok {
		shrinkYCbCr(out, m, part, fx, fy)
		return out
	}
	read := rowReader(img)
	row := make([]byte, 4*part.Dx())
	sums := make([]uint64, 4*out.Rect.Dx())
	for oy := range out.Rect.Dy() {
		clear(sums)
		y0, y1 := span(oy, fy, out.Rect.Dy(), part.Dy())
		for y := y0; y < y1; y++ {
			read(row, part.Min.X, part.Min.Y+y)
			for ox := range out.Rect.Dx() {
				x0, x1 := span(ox, fx, out.Rect.Dx(), part.Dx())
				var r, g, b, a uint32
				for px := row[4*x0 : 4*x1]; len(px) >= 4; px = px[4:] {
					r, g, b, a = r+uint32(px[0]), g+uint32(px[1]), b+uint32(px[2]), a+uint32(px[3])
				}
				s := sums[4*ox : 4*ox+4]
				s[0], s[1], s[2], s[3] = s[0]+uint64(r), s[1]+uint64(g), s[2]+uint64(b), s[3]+uint64(a)
			}
		}
		pix := out.Pix[oy*out.Stride:]
		for ox := range out.Rect.Dx() {
			x0, x1 := span(ox, fx, out.Rect.Dx(), part.Dx())
			n := uint64((x1 - x0) * (y1 - y0))
			for c := range 4 {
				pix[4*ox+c] = byte((sums[4*ox+c] + n/2) / n)
			}
		}
	}
	return out
}

// span returns the pixels of block i of n.
func span(i, f, n, all int) (from, to int) {
	if i == n-1 {
		return i * f, all
	}
	return i * f, i*f + f
}

// rowReader returns a function that writes the row y of img from x on as premultiplied
// RGBA.
func rowReader(img image.Image) func(row []byte, x, y int) {
	switch m := img.(type) {
	case *image.RGBA:
		return func(row []byte, x, y int) { copy(row, m.Pix[m.PixOffset(x, y):]) }
	case *image.NRGBA:
		return func(row []byte, x, y int) {
			from := m.Pix[m.PixOffset(x, y):]
			for i := 0; i < len(row); i += 4 {
				p := from[i : i+4 : i+4]
				a := uint32(p[3])
				if a == 255 {
					copy(row[i:], p)
					continue
				}
				for c := range 3 {
					row[i+c] = byte((uint32(p[c])*a + 127) / 255)
				}
				row[i+3] = byte(a)
			}
		}
	case *image.Gray:
		return func(row []byte, x, y int) {
			from := m.Pix[m.PixOffset(x, y):]
			for i := 0; i < len(row); i += 4 {
				v := from[i/4]
				row[i], row[i+1], row[i+2], row[i+3] = v, v, v, 255
			}
		}
	case *image.Paletted:
		var table [256][4]byte
		for i, c := range m.Palette[:min(256, len(m.Palette))] {
			r, g, b, a := c.RGBA()
			table[i] = [4]byte{byte(r >> 8), byte(g >> 8), byte(b >> 8), byte(a >> 8)}
		}
		return func(row []byte, x, y int) {
			from := m.Pix[m.PixOffset(x, y):]
			for i := 0; i < len(row); i += 4 {
				copy(row[i:i+4], table[from[i/4]][:])
			}
		}
	}
	at := func(x, y int) color.RGBA64 {
		r, g, b, a := img.At(x, y).RGBA()
		return color.RGBA64{R: uint16(r), G: uint16(g), B: uint16(b), A: uint16(a)}
	}
	if m, ok := img.(image.RGBA64Image); ok {
		at = m.RGBA64At
	}
	return func(row []byte, x, y int) {
		for i := 0; i < len(row); i += 4 {
			c := at(x+i/4, y)
			row[i], row[i+1], row[i+2], row[i+3] = byte(c.R>>8), byte(c.G>>8), byte(c.B>>8), byte(c.A>>8)
		}
	}
}

// shrinkYCbCr averages each plane, and converts each block once.
func shrinkYCbCr(out *image.RGBA, m *image.YCbCr, part image.Rectangle, fx, fy int) {
	w, h := out.Rect.Dx(), out.Rect.Dy()
	luma := newColumns(w, func(ox int) (int, int) {
		x0, x1 := span(ox, fx, w, part.Dx())
		return x0 + part.Min.X - m.Rect.Min.X, x1 + part.Min.X - m.Rect.Min.X
	})
	// The chroma samples of a block: from that of its first pixel to that of its last.
	base := m.COffset(m.Rect.Min.X, part.Min.Y)
	chroma := newColumns(w, func(ox int) (int, int) {
		x0, x1 := span(ox, fx, w, part.Dx())
		return m.COffset(x0+part.Min.X, part.Min.Y) - base, m.COffset(x1-1+part.Min.X, part.Min.Y) - base + 1
	})
	ys, cbs, crs := make([]byte, w), make([]byte, w), make([]byte, w)
	for oy := range h {
		y0, y1 := span(oy, fy, h, part.Dy())
		y0, y1 = y0+part.Min.Y, y1+part.Min.Y
		luma.average(ys, m.Y, m.YOffset(m.Rect.Min.X, y0), m.YStride, y1-y0)
		from := m.COffset(m.Rect.Min.X, y0)
		rows := (m.COffset(m.Rect.Min.X, y1-1)-from)/m.CStride + 1
		chroma.average(cbs, m.Cb, from, m.CStride, rows)
		chroma.average(crs, m.Cr, from, m.CStride, rows)
		row := out.Pix[oy*out.Stride:][:4*w]
		for ox := range w {
			px := row[4*ox:][:4]
			px[0], px[1], px[2] = color.YCbCrToRGB(ys[ox], cbs[ox], crs[ox])
			px[3] = 255
		}
	}
}

// columns are the blocks of a row: where each begins and ends, and the sum of its samples.
type columns struct {
	from, to []int
	sums     []uint64
}

func newColumns(n int, span func(i int) (from, to int)) *columns {
	c := &columns{make([]int, n), make([]int, n), make([]uint64, n)}
	for i := range n {
		c.from[i], c.to[i] = span(i)
	}
	return c
}

// average writes the average of each block to out. The blocks are as high as rows; the first
// row of the plane begins at offset.
func (c *columns) average(out, plane []byte, offset, stride, rows int) {
	clear(c.sums)
	for range rows {
		row := plane[offset:]
		for i, from := range c.from {
			var sum uint32
			for _, v := range row[from:c.to[i]] {
				sum += uint32(v)
			}
			c.sums[i] += uint64(sum)
		}
		offset += stride
	}
	for i, sum := range c.sums {
		n := uint64((c.to[i] - c.from[i]) * rows)
		out[i] = byte((sum + n/2) / n)
	}
}
