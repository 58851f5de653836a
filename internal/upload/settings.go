package upload

import (
	"errors"
	"time"
)

// Settings are the operator's settings of the room; the tags hold their defaults.
type Settings struct {
	Keep time.Duration `name:"upload-keep" env:"COFFER_UPLOAD_KEEP" default:"24h" group:"Lifetimes" help:"How long a resumable upload waits for its next bytes; at most 30 days."`
}

// maxKeep bounds how long an unfinished upload takes room.
const maxKeep = 30 * 24 * time.Hour

// AfterApply refuses a life that no upload can have. Package kong calls it.
func (s *Settings) AfterApply() error {
	if s.Keep < time.Second || s.Keep > maxKeep {
		return errors.New("COFFER_UPLOAD_KEEP: from 1s to 720h (30 days)")
	}
	return nil
}
