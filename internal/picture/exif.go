package picture

import (
	"encoding/binary"
	"image"
)

// orientation is the EXIF value 1 to 8 (Exif 3.0 §4.6.5.1.4); zero is 1.
type orientation int

// swaps reports whether width and height change places.
func (o orientation) swaps() bool { return o >= 5 }

// size returns the size of the upright picture.
func (o orientation) size(stored image.Point) image.Point {
	if o.swaps() {
		return image.Pt(stored.Y, stored.X)
	}
	return stored
}

// stored returns where a pixel of the upright picture lies in the stored one, whose size is
// given.
func (o orientation) stored(x, y int, size image.Point) (int, int) {
	right, bottom := size.X-1, size.Y-1
	switch o {
	case 2: // mirrored
		return right - x, y
	case 3: // upside down
		return right - x, bottom - y
	case 4:
		return x, bottom - y
	case 5:
		return y, x
	case 6: // to be turned to the right
		return y, bottom - x
	case 7:
		return right - y, bottom - x
	case 8:
		return right - y, x
	}
	return x, y
}

// storedPart returns where a part of the upright picture lies in the stored one.
func (o orientation) storedPart(part image.Rectangle, size image.Point) image.Rectangle {
	x0, y0 := o.stored(part.Min.X, part.Min.Y, size)
	x1, y1 := o.stored(part.Max.X-1, part.Max.Y-1, size)
	return image.Rect(min(x0, x1), min(y0, y1), max(x0, x1)+1, max(y0, y1)+1)
}

// orientationOf finds the orientation in the first directory of a TIFF structure; 0 where it
// has none.
func orientationOf(b []byte) orientation {
	if len(b) >= 6 && string(b[:6]) == "Exif\x00\x00" { // some writers of WebP keep the prefix of JPEG
		b = b[6:]
	}
	if len(b) < 8 {
		return 0
	}
	var order binary.ByteOrder
	switch string(b[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 0
	}
	at := int64(order.Uint32(b[4:]))
	if at+2 > int64(len(b)) {
		return 0
	}
	entries := int64(order.Uint16(b[at:]))
	for e := at + 2; entries > 0 && e+12 <= int64(len(b)); e, entries = e+12, entries-1 {
		// Tag 0x0112, of type SHORT, one value.
		if order.Uint16(b[e:]) == 0x0112 && order.Uint16(b[e+2:]) == 3 && order.Uint32(b[e+4:]) == 1 {
			if v := order.Uint16(b[e+8:]); v >= 1 && v <= 8 {
				return orientation(v)
			}
			return 0
		}
	}
	return 0
}
