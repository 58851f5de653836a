package code

import (
	"errors"
	"time"
)

// Settings are the operator's settings of the package; the tags hold their defaults.
type Settings struct {
	Cooldown time.Duration `name:"code-cooldown" env:"COFFER_CODE_COOLDOWN" default:"30s" group:"Lifetimes" help:"How long a person waits before another code may be sent."`
}

// AfterApply refuses settings that cannot work, by name. Package kong calls it, and New.
func (s *Settings) AfterApply() error {
	if s.Cooldown < 0 {
		return errors.New("COFFER_CODE_COOLDOWN: must not be negative")
	}
	return nil
}
