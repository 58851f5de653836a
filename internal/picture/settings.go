package picture

import (
	"errors"
	"runtime"
)

// Settings are the operator's settings of this package; the tags hold their defaults.
type Settings struct {
	Pixels  int64 `name:"picture-pixels" env:"COFFER_PICTURE_PIXELS" default:"50000000" group:"Limits" help:"Pixels of the largest picture that the server decodes. All decoding together needs at most 8 bytes of memory for each."`
	Workers int   `name:"picture-workers" env:"COFFER_PICTURE_WORKERS" default:"0" group:"Limits" help:"Pictures that the server decodes at once. 0: one for each core, and at least 2."`
}

// AfterApply refuses limits under which no picture is decoded. Package kong calls it.
func (s *Settings) AfterApply() error {
	switch {
	case s.Pixels < minPixels || s.Pixels > maxPixels:
		return errors.New("COFFER_PICTURE_PIXELS: must lie between 300000 and 500000000")
	case s.Workers < 0:
		return errors.New("COFFER_PICTURE_WORKERS: must not be negative")
	}
	return nil
}

const (
	minPixels = 300_000
	maxPixels = 500_000_000
)

func (s Settings) workers() int {
	if s.Workers > 0 {
		return s.Workers
	}
	return max(2, runtime.GOMAXPROCS(0))
}
