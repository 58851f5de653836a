package guard

import (
	"errors"
	"time"
)

// Settings are the operator's settings of the room; the tags hold their defaults.
type Settings struct {
	HistoryTTL time.Duration `env:"COFFER_HISTORY_TTL" default:"4320h" group:"Lifetimes" help:"How long an account's sign-in history is kept; at least 24h."`
}

// AfterApply refuses settings that cannot work, by name. Package kong calls it, and New.
func (s *Settings) AfterApply() error {
	if s.HistoryTTL < 24*time.Hour {
		return errors.New("COFFER_HISTORY_TTL: at least 24h")
	}
	return nil
}
