package recovery

import (
	"errors"
	"time"
)

// Settings are the operator's settings of the room; the tags hold their defaults.
type Settings struct {
	Wait     time.Duration `name:"recovery-wait" env:"COFFER_RECOVERY_WAIT" default:"24h" group:"Lifetimes" help:"How long a recovery through the trusted address waits before it may change sign-in layers, and how long its owner can stop a recovery."`
	Cooldown time.Duration `name:"trusted-cooldown" env:"COFFER_TRUSTED_COOLDOWN" default:"72h" group:"Lifetimes" help:"How long a trusted address rests after it was verified. Until then it lets nobody in."`
}

// AfterApply refuses settings that cannot work, by name. Package kong calls it.
func (s *Settings) AfterApply() error {
	switch {
	case s.Wait < time.Second || s.Wait >= waitEnds:
		return errors.New("COFFER_RECOVERY_WAIT: must be from 1s to less than 168h (7 days)")
	case s.Cooldown < 0:
		return errors.New("COFFER_TRUSTED_COOLDOWN: must not be negative")
	}
	return nil
}

// waitEnds is when the wait of a recovery through the trusted address is over, unused.
const waitEnds = 7 * 24 * time.Hour
