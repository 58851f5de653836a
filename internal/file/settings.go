package file

import (
	"errors"
	"fmt"
	"time"
)

// Settings are the operator's settings of the room; the tags hold their defaults.
type Settings struct {
	MaxUpload int64 `env:"COFFER_MAX_UPLOAD" default:"17179869184" group:"Limits" help:"Largest upload request in bytes."`

	TrashKeep    time.Duration `name:"trash-keep" env:"COFFER_TRASH_KEEP" default:"720h" group:"Lifetimes" help:"How long the trash keeps what was deleted; 0 is for ever."`
	MaxVersions  int           `name:"versions" env:"COFFER_VERSIONS" default:"20" group:"Limits" help:"Earlier contents that a file keeps, at most 1000; 0 keeps none."`
	VersionsKeep time.Duration `name:"versions-keep" env:"COFFER_VERSIONS_KEEP" default:"2160h" group:"Lifetimes" help:"How long a file keeps an earlier content; 0 is for ever."`
}

// mostVersions bounds the versions of a file, which one transaction may remove.
const mostVersions = 1000

// AfterApply refuses values that cannot be meant. Package kong calls it.
func (s *Settings) AfterApply() error {
	if s.MaxUpload < 1 {
		return errors.New("COFFER_MAX_UPLOAD: must be positive")
	}
	if s.TrashKeep < 0 {
		return errors.New("COFFER_TRASH_KEEP: must not be negative")
	}
	if s.MaxVersions < 0 || s.MaxVersions > mostVersions {
		return fmt.Errorf("COFFER_VERSIONS: must be from 0 to %d", mostVersions)
	}
	if s.VersionsKeep < 0 {
		return errors.New("COFFER_VERSIONS_KEEP: must not be negative")
	}
	return nil
}
