package picture

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/image/webp"
)

// Each format is read, and a part of it keeps its place.
func TestFormats(t *testing.T) {
	still := webpOf(t, quartered(120, 80))
	pale := quartered(120, 80)
	pale.SetNRGBA(0, 0, color.NRGBA{A: 0})
	paled := webpOf(t, pale)
	for name, c := range map[string]struct {
		data []byte
		want Info
	}{
		"JPEG":                     {jpegOf(t, quartered(120, 80)), Info{Format: JPEG, Width: 120, Height: 80, Frames: 1}},
		"PNG":                      {pngOf(t, quartered(120, 80)), Info{Format: PNG, Width: 120, Height: 80, Frames: 1}},
		"PNG with 16 bits":         {pngOf(t, deep(quartered(120, 80))), Info{Format: PNG, Width: 120, Height: 80, Frames: 1}},
		"moving PNG":               {withChunk(pngOf(t, quartered(120, 80)), "acTL", []byte{0, 0, 0, 7, 0, 0, 0, 0}), Info{Format: PNG, Width: 120, Height: 80, Frames: 7}},
		"GIF":                      {gifOf(t, 1, 120, 80), Info{Format: GIF, Width: 120, Height: 80, Frames: 1}},
		"moving GIF":               {gifOf(t, 5, 120, 80), Info{Format: GIF, Width: 120, Height: 80, Frames: 5}},
		"WebP":                     {still, Info{Format: WebP, Width: 120, Height: 80, Frames: 1}},
		"WebP with alpha":          {paled, Info{Format: WebP, Width: 120, Height: 80, Frames: 1}},
		"WebP with unknown chunks": {riff([]byte("VP8X"), vp8x(0, 120, 80), []byte("ICCP"), []byte("profile"), []byte("VP8 "), still[20:], []byte("XMP "), []byte("CANARY")), Info{Format: WebP, Width: 120, Height: 80, Frames: 1}},
		"moving WebP": {riff([]byte("VP8X"), vp8x(2, 120, 80), []byte("ANIM"), make([]byte, 6), []byte("ANMF"), frameAt(0, 0, 120, 80, still),
			[]byte("ANMF"), frameAt(0, 0, 120, 80, still)), Info{Format: WebP, Width: 120, Height: 80, Frames: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			info, err := Probe(bytes.NewReader(c.data))
			if err != nil || info.Format != c.want.Format || info.Width != c.want.Width || info.Height != c.want.Height || info.Frames != c.want.Frames {
				t.Fatalf("Probe = %s %d × %d, %d frames, %v; want %+v", info.Format, info.Width, info.Height, info.Frames, err, c.want)
			}
			p := mustDecode(t, c.data)
			if got := seen(p); got != [4]int{0, 1, 2, 3} {
				t.Errorf("the quarters are %v", got)
			}
			right, err := p.Square(60, 0, 40)
			if err != nil || seen(right) != [4]int{1, 1, 1, 1} {
				t.Errorf("a square of the second quarter shows %v, %v", seen(right), err)
			}
			if c := p.Centre(); c.Width() != 80 || c.Height() != 80 || seen(c) != [4]int{0, 1, 2, 3} {
				t.Errorf("the centre is %d × %d and shows %v", c.Width(), c.Height(), seen(c))
			}
			for _, part := range [][4]int{{-1, 0, 10, 10}, {0, -1, 10, 10}, {0, 0, 0, 1}, {0, 0, 1, 0}, {111, 0, 10, 10}, {0, 71, 10, 10}, {1 << 40, 0, 10, 10}, {0, 0, 1 << 62, 1}} {
				if _, err := p.Crop(part[0], part[1], part[2], part[3]); err != ErrCrop {
					t.Errorf("Crop(%v) = %v", part, err)
				}
			}
		})
	}
}

func deep(m image.Image) image.Image {
	d := image.NewNRGBA64(m.Bounds())
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			d.Set(x, y, m.At(x, y))
		}
	}
	return d
}

// A first frame that is smaller than its canvas stands where it belongs.
func TestSmallFirstFrame(t *testing.T) {
	still := webpOf(t, quartered(40, 40))
	moving := riff([]byte("VP8X"), vp8x(2, 80, 80), []byte("ANMF"), frameAt(40, 40, 40, 40, still))
	one := gifOf(t, 1, 40, 40)
	binary.LittleEndian.PutUint16(one[6:], 80)
	binary.LittleEndian.PutUint16(one[8:], 80)
	at := bytes.IndexByte(one[13:], 0x2c) + 13
	for one[at+5] != 40 || one[at+7] != 40 {
		at += bytes.IndexByte(one[at+1:], 0x2c) + 1
	}
	one[at+1], one[at+3] = 40, 40
	for name, data := range map[string][]byte{"GIF": one, "WebP": moving} {
		p := mustDecode(t, data)
		if p.Width() != 80 || p.Height() != 80 {
			t.Errorf("%s: the canvas is %d × %d", name, p.Width(), p.Height())
		}
		if part, err := p.Square(40, 40, 40); err != nil || seen(part) != [4]int{0, 1, 2, 3} {
			t.Errorf("%s: the frame's place shows %v, %v", name, seen(part), err)
		}
		if _, _, _, a := p.Scale(80, 80).img.At(5, 5).RGBA(); a != 0 {
			t.Errorf("%s: the canvas beside the frame is not clear", name)
		}
	}
}

// The eight orientations of EXIF all show the same upright picture, in each format that has
// them, and a part is a part of that one.
func TestOrientation(t *testing.T) {
	for o := 1; o <= 8; o++ {
		turn := orientation(o)
		up := quartered(96, 64)
		size := turn.size(image.Pt(96, 64))
		stored := image.NewNRGBA(image.Rectangle{Max: size})
		for y := range 64 {
			for x := range 96 {
				sx, sy := turn.stored(x, y, size)
				stored.SetNRGBA(sx, sy, up.NRGBAAt(x, y))
			}
		}
		photo := segment(jpegOf(t, stored), 0xe1, append([]byte("Exif\x00\x00"), exif(o)...))
		still := webpOf(t, stored)
		for name, data := range map[string][]byte{
			"JPEG": photo,
			"PNG":  withChunk(pngOf(t, stored), "eXIf", exif(o)),
			"WebP": riff([]byte("VP8X"), vp8x(8, size.X, size.Y), []byte("VP8 "), still[20:], []byte("EXIF"), exif(o)),
		} {
			info, err := Probe(bytes.NewReader(data))
			if err != nil || info.Width != 96 || info.Height != 64 {
				t.Errorf("%s, orientation %d: Probe = %d × %d, %v", name, o, info.Width, info.Height, err)
			}
			p := mustDecode(t, data)
			if p.Width() != 96 || p.Height() != 64 || seen(p) != [4]int{0, 1, 2, 3} {
				t.Errorf("%s, orientation %d: %d × %d shows %v", name, o, p.Width(), p.Height(), seen(p))
			}
			for n, at := range [4]image.Point{{0, 0}, {48, 0}, {48, 32}, {0, 32}} {
				if part, err := p.Crop(at.X+4, at.Y+4, 40, 24); err != nil || part.Width() != 40 || part.Height() != 24 || seen(part) != [4]int{n, n, n, n} {
					t.Errorf("%s, orientation %d: part %d shows %v, %v", name, o, n, seen(part), err)
				}
			}
			if s := p.Scale(30, 20); s.Width() != 30 || s.Height() != 20 || seen(s) != [4]int{0, 1, 2, 3} {
				t.Errorf("%s, orientation %d: scaled, it shows %v", name, o, seen(s))
			}
		}
	}
	// The formulas agree with the words of Exif 3.0: of orientation 6, row 0 is the right side.
	if x, y := orientation(6).stored(0, 0, image.Pt(10, 5)); x != 0 || y != 4 {
		t.Errorf("orientation 6: the upper left pixel is stored at %d, %d", x, y)
	}
	if x, y := orientation(8).stored(0, 0, image.Pt(10, 5)); x != 9 || y != 0 {
		t.Errorf("orientation 8: the upper left pixel is stored at %d, %d", x, y)
	}
	for _, bad := range [][]byte{nil, []byte("MM"), []byte("MM\x00*\xff\xff\xff\xff"), []byte("MM\x00*\x00\x00\x00\x08\xff\xff"), exif(0), exif(9), []byte("II*\x00\x08\x00\x00\x00\x01")} {
		if o := orientationOf(bad); o != 0 {
			t.Errorf("%q names orientation %d", bad, o)
		}
	}
}

func TestFit(t *testing.T) {
	p := mustDecode(t, pngOf(t, quartered(600, 300)))
	for _, c := range []struct{ longest, w, h int }{{512, 512, 256}, {600, 600, 300}, {1000, 600, 300}, {1, 1, 1}, {75, 75, 38}} {
		if f := p.Fit(c.longest); f.Width() != c.w || f.Height() != c.h {
			t.Errorf("Fit(%d) = %d × %d, want %d × %d", c.longest, f.Width(), f.Height(), c.w, c.h)
		}
	}
	line := mustDecode(t, pngOf(t, quartered(3, 4000)))
	if f := line.Fit(512); f.Width() != 1 || f.Height() != 512 {
		t.Errorf("a line becomes %d × %d", f.Width(), f.Height())
	}
}

// Nothing of a file but its pixels is in what is written.
func TestMetadataGoes(t *testing.T) {
	canary := []byte("CANARY")
	script := []byte("<script>CANARY</script>PK\x03\x04CANARY")
	photo := jpegOf(t, quartered(64, 64))
	photo = segment(photo, 0xfe, canary)
	photo = segment(photo, 0xe1, append([]byte("Exif\x00\x00"), exif(1)...))
	photo = segment(photo, 0xed, append([]byte("Photoshop 3.0\x00"), canary...))
	still := webpOf(t, quartered(64, 64))
	for name, data := range map[string][]byte{
		"JPEG": append(photo, script...),
		"PNG":  append(withChunk(pngOf(t, quartered(64, 64)), "tEXt", append([]byte("Comment\x00"), canary...)), script...),
		"GIF":  append(gifOf(t, 1, 64, 64), script...),
		"WebP": append(riff([]byte("VP8X"), vp8x(12, 64, 64), []byte("VP8 "), still[20:], []byte("EXIF"), exif(1), []byte("XMP "), canary), script...),
	} {
		if !bytes.Contains(data, canary) {
			t.Fatalf("%s: the test has no canary", name)
		}
		for _, n := range []int{64, 32} {
			out, err := mustDecode(t, data).Scale(n, n).WebP()
			if err != nil || bytes.Contains(out, canary) || bytes.Contains(out, []byte("EXIF")) || bytes.Contains(out, []byte("XMP ")) || bytes.Contains(out, []byte("script")) {
				t.Errorf("%s: %v, or what goes out holds more than pixels", name, err)
			}
			if size := int(binary.LittleEndian.Uint32(out[4:])); size != len(out)-8 {
				t.Errorf("%s: %d bytes behind the picture", name, len(out)-8-size)
			}
		}
	}
}

// The decoders of Go, libwebp and libvips read each written file as the same picture.
func TestEncodeDecode(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	noise := func(w, h int, alpha bool) *image.NRGBA {
		m := image.NewNRGBA(image.Rect(0, 0, w, h))
		for i := range m.Pix {
			m.Pix[i] = byte(r.Uint32())
			if i%4 == 3 && !alpha {
				m.Pix[i] = 255
			}
		}
		return m
	}
	type file struct {
		name string
		w, h int
		data []byte
	}
	var files []file
	for _, size := range [][2]int{{64, 64}, {128, 128}, {256, 256}, {512, 512}, {512, 341}, {1, 1}, {17, 33}} {
		w, h := size[0], size[1]
		clear := quartered(w, h)
		for x := range h % 2 * w {
			clear.SetNRGBA(x, 0, color.NRGBA{})
		}
		for name, m := range map[string]*image.NRGBA{"quarters": clear, "noise": noise(w, h, w%2 == 0)} {
			files = append(files, file{fmt.Sprintf("%s %d×%d", name, w, h), w, h, webpOf(t, m)})
		}
	}
	t.Run("Go", func(t *testing.T) {
		for _, f := range files {
			m, err := webp.Decode(bytes.NewReader(f.data))
			if err != nil || m.Bounds().Dx() != f.w || m.Bounds().Dy() != f.h {
				t.Errorf("%s: %v", f.name, err)
			}
		}
	})
	for _, tool := range []struct {
		name string
		args []string
	}{{"dwebp", []string{"-quiet", "{}", "-o", "out.png"}}, {"webpinfo", []string{"-quiet", "{}"}}, {"vips", []string{"copy", "{}", "out.png"}}} {
		t.Run(tool.name, func(t *testing.T) {
			for _, f := range files {
				args := append([]string{}, tool.args...)
				for i, a := range args {
					if a == "out.png" {
						args[i] = filepath.Join(t.TempDir(), a)
						defer checkSame(t, f.name, f.data, args[i])
					}
				}
				if err := outside(t, f.data, tool.name, args...); err != nil {
					t.Errorf("%s: %v", f.name, err)
				}
			}
		})
	}
}

// checkSame compares what another decoder wrote with what Go's decoder reads.
func checkSame(t *testing.T, name string, data []byte, path string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		return // the tool is missing, or its failure is reported
	}
	a, b := mustDecode(t, data), mustDecode(t, raw)
	if a.Width() != b.Width() || a.Height() != b.Height() {
		t.Errorf("%s: another decoder sees %d × %d", name, b.Width(), b.Height())
		return
	}
	w, h := max(1, min(16, a.Width()/16)), max(1, min(16, a.Height()/16)) // decoders smooth colours in their own ways
	one, other := a.Scale(w, h).img.(*image.RGBA), b.Scale(w, h).img.(*image.RGBA)
	for i := range one.Pix {
		if d := int(one.Pix[i]) - int(other.Pix[i]); d > 24 || d < -24 {
			t.Errorf("%s: another decoder sees another picture: byte %d is %d, not %d", name, i, other.Pix[i], one.Pix[i])
			return
		}
	}
}

// An ended request decodes nothing.
func TestDecodeEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Decode(ctx, pngOf(t, quartered(4, 4)), Limits{}); err != context.Canceled {
		t.Errorf("Decode = %v", err)
	}
}
