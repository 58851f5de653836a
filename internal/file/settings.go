package file

import "errors"

// Settings are the operator's settings of the room; the tags hold their defaults.
type Settings struct {
	MaxUpload int64 `env:"COFFER_MAX_UPLOAD" default:"17179869184" group:"Limits" help:"Largest upload request in bytes."`
}

// AfterApply refuses a size that no upload has. Package kong calls it.
func (s *Settings) AfterApply() error {
	if s.MaxUpload < 1 {
		return errors.New("COFFER_MAX_UPLOAD: must be positive")
	}
	return nil
}
