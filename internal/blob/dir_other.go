//go:build !linux

package blob

import (
	"errors"
	"os"
)

// startWriting is a hint that only Linux takes.
func startWriting(*os.File, int64, int64) {}

// setDirect is a switch that only Linux has.
func setDirect(*os.File, bool) error { return errors.ErrUnsupported }
