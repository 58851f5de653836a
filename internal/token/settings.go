package token

import (
	"errors"
	"time"
)

// Settings are the operator's settings of the room; the tags hold their defaults.
type Settings struct {
	AccessTTL time.Duration `env:"COFFER_ACCESS_TTL" default:"15m" group:"Lifetimes" help:"Life of an access token."`
}

// AfterApply refuses a life that no token can have. Package kong calls it, and New.
func (s *Settings) AfterApply() error {
	if s.AccessTTL < time.Second {
		return errors.New("COFFER_ACCESS_TTL: at least 1s")
	}
	return nil
}
