package totp

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
	"github.com/pquerna/otp"
	rfc6238 "github.com/pquerna/otp/totp"

	"coffer/internal/account"
	"coffer/internal/db"
)

// Enrolment is a pending secret in every form in which an app can take it.
type Enrolment struct {
	Secret string // base32
	URI    string // otpauth://totp/…
	PNG    []byte // QR code of URI
}

func (s *Service) enrolment(ctx context.Context, q db.Querier, id account.ID, secret []byte) (Enrolment, error) {
	contact, err := s.Accounts.Contact(ctx, q, id)
	if err != nil {
		return Enrolment{}, err
	}
	key, err := rfc6238.Generate(rfc6238.GenerateOpts{
		Issuer: "Coffer", AccountName: contact.Email,
		Secret: secret, Period: period, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1,
	})
	if err != nil {
		return Enrolment{}, fmt.Errorf("totp: %w", err)
	}
	picture, err := draw(key.URL())
	return Enrolment{Secret: encode(secret), URI: key.URL(), PNG: picture}, err
}

const (
	modulePixels = 6 // side of one square of the code
	quietZone    = 4 // white squares around it (ISO/IEC 18004)
)

// draw returns text as a QR code in two colours.
func draw(text string) ([]byte, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return nil, fmt.Errorf("totp: %w", err)
	}
	side := (code.Bounds().Dx() + 2*quietZone) * modulePixels
	picture := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	for y := range side {
		for x := range side {
			if dark(code, x/modulePixels-quietZone, y/modulePixels-quietZone) {
				picture.SetColorIndex(x, y, 1)
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		return nil, fmt.Errorf("totp: %w", err)
	}
	return out.Bytes(), nil
}

func dark(code barcode.Barcode, x, y int) bool {
	return image.Pt(x, y).In(code.Bounds()) && code.At(x, y) == color.Black
}
