package picture

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"runtime"
	"testing"

	"coffer/internal/fault"
)

// Files that look harmless and are not: each is refused, for its reason, without the memory
// that it asks for.
func TestAttack(t *testing.T) {
	photo, still := jpegOf(t, quartered(64, 64)), webpOf(t, quartered(64, 64))
	tiny := []byte("GIF89a\xff\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02\x02D\x01\x00;") // 34 bytes: 4.3 billion pixels
	frames := gifOf(t, 1, 2, 2)
	one := frames[bytes.IndexByte(frames[13:], 0x2c)+13 : len(frames)-1]
	manyFrames := append(bytes.Clone(frames[:len(frames)-1]), bytes.Repeat(one, 10_000)...)
	wide := bytes.Clone(photo)
	sof := bytes.Index(wide, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint32(wide[sof+5:], 0xffffffff)
	scan := photo[bytes.Index(photo, []byte{0xff, 0xda}) : len(photo)-2]
	huge := vp8x(0, 16384, 16384)
	long := bytes.Clone(still)
	binary.LittleEndian.PutUint32(long[4:], 1<<31)
	binary.LittleEndian.PutUint32(long[16:], 1<<31-100)
	grown := bytes.Clone(still)
	binary.LittleEndian.PutUint16(grown[26:], 16383) // in the frame, where VP8X says less
	for name, c := range map[string]struct {
		data []byte
		want *fault.Error
	}{
		"nothing":                        {nil, ErrUnsupported},
		"text":                           {[]byte("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"), ErrUnsupported},
		"a page that begins as a GIF":    {[]byte("GIF89a/*<script>alert(1)</script>*/=1;"), ErrDamaged},
		"a TIFF":                         {[]byte("MM\x00*\x00\x00\x00\x08"), ErrUnsupported},
		"a RIFF of sound":                {[]byte("RIFF\x24\x00\x00\x00WAVEfmt "), ErrUnsupported},
		"34 bytes of GIF":                {tiny, ErrTooLarge},
		"10,000 frames of GIF":           {manyFrames, ErrTooLarge},
		"2³¹-1 wide PNG":                 {append(ihdr(1<<31-1, 1<<31-1, 16, 6, 1), pngChunk("IDAT", nil)...), ErrTooLarge},
		"2³¹ wide PNG":                   {append(ihdr(1<<31, 1, 8, 6, 0), pngChunk("IDAT", nil)...), ErrDamaged},
		"PNG without pixels":             {append(ihdr(0, 10, 8, 6, 0), pngChunk("IDAT", nil)...), ErrDamaged},
		"PNG that needs 16 bytes each":   {append(ihdr(7000, 7000, 16, 6, 1), pngChunk("IDAT", nil)...), ErrTooLarge},
		"PNG of one row":                 {append(ihdr(50_000_000, 1, 16, 6, 0), pngChunk("IDAT", deflated(t, 1<<20))...), ErrTooLarge},
		"PNG of one grey row":            {append(ihdr(50_000_000, 1, 8, 0, 0), append(pngChunk("tRNS", []byte{0, 0}), pngChunk("IDAT", nil)...)...), ErrTooLarge},
		"interlaced PNG, one grey clear": {append(ihdr(7000, 7000, 16, 0, 1), append(pngChunk("tRNS", []byte{0, 0}), pngChunk("IDAT", nil)...)...), ErrTooLarge},
		"JPEG of many large scans":       {scansOf(7000, 7000, 90), ErrTooLarge},
		"progressive JPEG of 19 bytes":   {segment(progressive(5000, 5000), 0xee, []byte("Adobe\x00\x64\x00\x00\x00\x00\x00")), ErrTooLarge},
		"10,000 frames of PNG":           {withChunk(pngOf(t, quartered(4, 4)), "acTL", []byte{0, 0, 0x27, 0x10, 0, 0, 0, 0}), ErrTooLarge},
		"PNG whose pixels never end":     {endless(t, 64, 64), ErrDamaged},
		"PNG whose pixels are few":       {append(append(ihdr(5000, 5000, 8, 2, 0), pngChunk("IDAT", deflated(t, 100))...), pngChunk("IEND", nil)...), ErrDamaged},
		"PNG with a long chunk":          {append(ihdr(4, 4, 8, 6, 0), "\x7f\xff\xff\xffzTXtabc"...), ErrDamaged},
		"65535² JPEG":                    {wide, ErrTooLarge},
		"JPEG of 10,000 scans":           {append(bytes.Clone(photo[:len(photo)-2]), bytes.Repeat(scan, 10_000)...), ErrTooLarge},
		"progressive JPEG of 15 bytes":   {progressive(5400, 5400), ErrTooLarge},
		"JPEG of two frames":             {segment(photo, 0xc0, []byte{8, 0, 1, 0, 1, 1, 1, 0x11, 0}), ErrDamaged},
		"half a JPEG":                    {photo[:len(photo)/2], ErrDamaged},
		"JPEG of a head alone":           {photo[:4], ErrDamaged},
		"half a PNG":                     {pngOf(t, quartered(64, 64))[:60], ErrDamaged},
		"half a GIF":                     {gifOf(t, 1, 64, 64)[:80], ErrDamaged},
		"half a WebP":                    {still[:len(still)/2], ErrDamaged},
		"WebP with false lengths":        {long, ErrDamaged},
		"WebP of 16384²":                 {riff([]byte("VP8X"), huge, []byte("VP8L"), []byte{0x2f, 0xff, 0xff, 0xff, 0x0f}), ErrTooLarge},
		"WebP whose frame is larger":     {riff([]byte("VP8X"), vp8x(0, 64, 64), []byte("VP8 "), grown[20:]), ErrDamaged},
		"WebP whose frame lies beside":   {riff([]byte("VP8X"), vp8x(2, 64, 64), []byte("ANMF"), frameAt(2, 0, 64, 64, still)), ErrDamaged},
		"WebP without a frame":           {riff([]byte("VP8X"), vp8x(2, 64, 64), []byte("ANIM"), make([]byte, 6)), ErrDamaged},
		"2,000 frames of WebP":           {moving(still, 2000), ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			p, err := Decode(context.Background(), c.data, Limits{})
			runtime.ReadMemStats(&after)
			var got *fault.Error
			if p != nil || !errors.As(err, &got) || got.Code != c.want.Code || got.Kind != fault.Invalid {
				t.Fatalf("Decode = %v, want %s", err, c.want.Code)
			}
			most := uint64(8<<20 + 4*len(c.data))
			if name == "PNG whose pixels are few" {
				most += 5000 * 5000 * 4 // what the header rightly says
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > most {
				t.Errorf("the refusal took %d KiB", used>>10)
			}
		})
	}
}

// Text and profiles that unpack to gigabytes are not unpacked: the picture is read.
func TestAttackCompressed(t *testing.T) {
	bomb := deflated(t, 16<<20)
	plain := pngOf(t, quartered(64, 64))
	for kind, head := range map[string]string{"zTXt": "Comment\x00\x00", "iCCP": "ICC\x00\x00", "iTXt": "Comment\x00\x01\x00\x00\x00"} {
		data := withChunk(plain, kind, append([]byte(head), bomb...))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		p, err := Decode(context.Background(), data, Limits{})
		runtime.ReadMemStats(&after)
		if err != nil || seen(p) != [4]int{0, 1, 2, 3} {
			t.Errorf("%s: %v", kind, err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
			t.Errorf("%s: reading took %d KiB", kind, used>>10)
		}
	}
}

// deflated is n zeros, packed.
func deflated(t *testing.T, n int) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	zeros := make([]byte, min(n, 1<<20))
	for ; n > 0; n -= len(zeros) {
		if _, err := z.Write(zeros[:min(n, len(zeros))]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// endless is a PNG whose stream goes on long behind its last row.
func endless(t *testing.T, w, h uint32) []byte {
	return append(append(ihdr(w, h, 8, 6, 0), pngChunk("IDAT", deflated(t, 16<<20))...), pngChunk("IEND", nil)...)
}

// progressive is the beginning of a progressive JPEG with three full components: 15 bytes a
// pixel while it is decoded.
func progressive(w, h uint16) []byte {
	frame := binary.BigEndian.AppendUint16([]byte{8}, h)
	frame = append(binary.BigEndian.AppendUint16(frame, w), 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0)
	return append(segment([]byte{0xff, 0xd8}, 0xc2, frame), 0xff, 0xd9)
}

// scansOf is a progressive JPEG of one component. Each of its scans goes over every
// coefficient, and has two bytes for 16,384 blocks.
func scansOf(w, h uint16, scans int) []byte {
	frame := binary.BigEndian.AppendUint16([]byte{8}, h)
	frame = append(binary.BigEndian.AppendUint16(frame, w), 1, 1, 0x11, 0)
	codes := make([]byte, 17, 18)
	codes[0], codes[1] = 0x10, 1 // AC, one code of one bit: the next 16,384 blocks and more are empty
	blocks := (int(w) + 7) / 8 * ((int(h) + 7) / 8)
	scan := append([]byte{0xff, 0xda, 0, 8, 1, 1, 0, 1, 63, 0x10}, make([]byte, 2*(blocks/16384+1))...)
	b := []byte{0xff, 0xd8, 0xff, 0xdb, 0, 67, 0}
	b = append(b, bytes.Repeat([]byte{1}, 64)...)
	b = append(binary.BigEndian.AppendUint16(append(b, 0xff, 0xc2), uint16(2+len(frame))), frame...)
	b = append(append(b, 0xff, 0xc4, 0, 20), append(codes, 0xe0)...)
	return append(append(b, bytes.Repeat(scan, scans)...), 0xff, 0xd9)
}

// moving is a WebP of that many frames.
func moving(still []byte, frames int) []byte {
	parts := [][]byte{[]byte("VP8X"), vp8x(2, 64, 64)}
	for range frames {
		parts = append(parts, []byte("ANMF"), frameAt(0, 0, 64, 64, still))
	}
	return riff(parts...)
}

// FuzzDecode gives decoders what no encoder wrote: each file is a picture within its limits,
// or is refused.
func FuzzDecode(f *testing.F) {
	still := webpOf(f, quartered(16, 16))
	for _, seed := range [][]byte{
		jpegOf(f, quartered(16, 16)), pngOf(f, quartered(16, 16)), gifOf(f, 2, 16, 16), still,
		segment(jpegOf(f, quartered(8, 8)), 0xe1, append([]byte("Exif\x00\x00"), exif(6)...)),
		withChunk(pngOf(f, quartered(8, 8)), "eXIf", exif(8)),
		riff([]byte("VP8X"), vp8x(2, 32, 32), []byte("ANMF"), frameAt(2, 4, 16, 16, still), []byte("EXIF"), exif(5)),
		progressive(16, 16),
	} {
		f.Add(seed)
	}
	const most = 1 << 20
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Decode(context.Background(), data, Limits{Pixels: most})
		if err != nil {
			if k := fault.Of(err); k.Kind != fault.Invalid {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if p.Width()*p.Height() > most || p.Width() < 1 || p.Height() < 1 {
			t.Fatalf("%d × %d pixels", p.Width(), p.Height())
		}
		small := p.Centre().Scale(8, 8)
		if _, err := small.WebP(); err != nil || small.Width() != 8 || small.Height() != 8 {
			t.Fatal(err)
		}
	})
}
