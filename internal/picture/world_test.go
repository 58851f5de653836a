package picture

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The four colours of the test picture's quarters, clockwise from the upper left.
var quarters = [4]color.NRGBA{{220, 30, 30, 255}, {30, 200, 40, 255}, {40, 50, 210, 255}, {230, 220, 40, 255}}

// quartered is a picture whose quarters have the colours.
func quartered(w, h int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, quarters[quarter(x, y, w, h)])
		}
	}
	return m
}

func quarter(x, y, w, h int) int {
	right, low := x >= w/2, y >= h/2
	switch {
	case low && right:
		return 2
	case low:
		return 3
	case right:
		return 1
	}
	return 0
}

// seen returns which quarter's colour lies in the middle of each quarter of p, -1 for another
// colour.
func seen(p *Picture) (got [4]int) {
	m := p.Scale(p.Width(), p.Height()).img
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	for i, at := range [4]image.Point{{w / 4, h / 4}, {3 * w / 4, h / 4}, {3 * w / 4, 3 * h / 4}, {w / 4, 3 * h / 4}} {
		got[i] = -1
		r, g, b, _ := m.At(at.X, at.Y).RGBA()
		for n, c := range quarters {
			if near(r, c.R) && near(g, c.G) && near(b, c.B) {
				got[i] = n
			}
		}
	}
	return got
}

func near(have uint32, want uint8) bool {
	d := int(have>>8) - int(want)
	return d > -30 && d < 30
}

func jpegOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gifOf(t testing.TB, frames, w, h int) []byte {
	t.Helper()
	all := &gif.GIF{}
	palette := color.Palette{color.Transparent, quarters[0], quarters[1], quarters[2], quarters[3]}
	for n := range frames {
		m := image.NewPaletted(image.Rect(0, 0, w, h), palette)
		for y := range h {
			for x := range w {
				m.SetColorIndex(x, y, uint8(1+(quarter(x, y, w, h)+n)%4))
			}
		}
		all.Image, all.Delay = append(all.Image, m), append(all.Delay, 1)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, all); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func webpOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	p := &Picture{img: m, part: m.Bounds()}
	b, err := p.WebP()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// segment puts a marker with its content behind the start of a JPEG.
func segment(file []byte, marker byte, content []byte) []byte {
	out := append([]byte{}, file[:2]...)
	out = append(out, 0xff, marker)
	out = binary.BigEndian.AppendUint16(out, uint16(len(content)+2))
	out = append(out, content...)
	return append(out, file[2:]...)
}

// exif is a TIFF structure that names an orientation, and a place.
func exif(o int) []byte {
	b := []byte("MM\x00*\x00\x00\x00\x08\x00\x02")
	b = append(b, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, byte(o), 0, 0)
	b = append(b, 0x88, 0x25, 0, 4, 0, 0, 0, 1, 0, 0, 0, 50, 0, 0, 0, 0)
	return append(b, "GPS CANARY 52.520008 13.404954"...)
}

// pngChunk returns a chunk with its checksum.
func pngChunk(kind string, content []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(content)))
	b = append(append(b, kind...), content...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// withChunk puts a chunk behind the header of a PNG.
func withChunk(file []byte, kind string, content []byte) []byte {
	out := append([]byte{}, file[:33]...)
	return append(append(out, pngChunk(kind, content)...), file[33:]...)
}

// ihdr is the beginning of a PNG of that size and kind.
func ihdr(w, h uint32, depth, colour, interlace byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, w)
	b = binary.BigEndian.AppendUint32(b, h)
	return append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", append(b, depth, colour, 0, 0, interlace))...)
}

// riff returns a WebP file of the chunks, which come as kind, content, kind, content.
func riff(parts ...[]byte) []byte {
	b := []byte("RIFF\x00\x00\x00\x00WEBP")
	for i := 0; i < len(parts); i += 2 {
		b = append(b, parts[i]...)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(parts[i+1])))
		b = append(b, parts[i+1]...)
		if len(parts[i+1])%2 == 1 {
			b = append(b, 0)
		}
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

// vp8x is the header of an extended WebP file.
func vp8x(flags byte, w, h int) []byte {
	b := make([]byte, 10)
	b[0] = flags
	putUint24(b[4:], w-1)
	putUint24(b[7:], h-1)
	return b
}

// frameAt is the content of one frame of a moving WebP.
func frameAt(x, y, w, h int, still []byte) []byte {
	b := make([]byte, 16)
	putUint24(b, x/2)
	putUint24(b[3:], y/2)
	putUint24(b[6:], w-1)
	putUint24(b[9:], h-1)
	return append(b, still[12:]...)
}

func mustDecode(t testing.TB, data []byte) *Picture {
	t.Helper()
	p, err := Decode(context.Background(), data, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// outside runs a tool that this project did not write on a file with that content; {} in args
// is the file. Without the tool it skips the test, or fails it when COFFER_TEST_REQUIRE=1.
func outside(t *testing.T, content []byte, tool string, args ...string) error {
	t.Helper()
	path, err := exec.LookPath(tool)
	if errors.Is(err, exec.ErrNotFound) {
		if os.Getenv("COFFER_TEST_REQUIRE") == "1" {
			t.Fatalf("%s is not installed, and COFFER_TEST_REQUIRE=1 forbids to skip", tool)
		}
		t.Skipf("%s, which reads pictures independently of us, is not installed (make test brings it)", tool)
	}
	file := filepath.Join(t.TempDir(), "in.webp")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, a := range args {
		if a == "{}" {
			args[i] = file
		}
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		return errors.New(string(out))
	}
	return nil
}
