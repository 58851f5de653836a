package picture

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"
)

// BenchmarkSizes makes the four sizes of an account's picture from a JPEG of 12 megapixels.
func BenchmarkSizes(b *testing.B) {
	m := image.NewYCbCr(image.Rect(0, 0, 4000, 3000), image.YCbCrSubsampleRatio420)
	for i := range m.Y {
		m.Y[i] = uint8(i/4000 + i%4000*i%251/16)
	}
	for i := range m.Cb {
		m.Cb[i], m.Cr[i] = uint8(i%2000/8), uint8(i/2000/8)
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, m, &jpeg.Options{Quality: 70}); err != nil {
		b.Fatal(err)
	}
	var p *Picture
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			p = mustDecode(b, file.Bytes())
		}
	})
	b.Run("scale", func(b *testing.B) {
		for b.Loop() {
			q := p.Centre()
			for _, n := range []int{512, 256, 128, 64} {
				q = q.Scale(n, n)
			}
		}
	})
	b.Run("encode", func(b *testing.B) {
		q := p.Centre().Scale(512, 512)
		for b.Loop() {
			if _, err := q.WebP(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
