package session

import (
	"errors"
	"fmt"
	"time"

	"coffer/internal/limit"
)

// Settings are the operator's settings of the room; the tags hold their defaults.
type Settings struct {
	RefreshTTL   time.Duration `env:"COFFER_REFRESH_TTL" default:"24h" group:"Lifetimes" help:"Idle life of a session: each refresh token lives this long."`
	RefreshGrace time.Duration `env:"COFFER_REFRESH_GRACE" default:"10s" group:"Lifetimes" help:"How long a repeated refresh (lost answer, second tab) gets the same answer."`
	SessionTTL   time.Duration `env:"COFFER_SESSION_TTL" default:"720h" group:"Lifetimes" help:"Absolute life of a session, however active; at most 30 days."`
	StepUpTTL    time.Duration `env:"COFFER_STEP_UP_TTL" default:"10m" group:"Lifetimes" help:"How long a fresh proof counts for sensitive changes."`
	RecoveryTTL  time.Duration `name:"recovery-ttl" env:"COFFER_RECOVERY_TTL" default:"1h" group:"Lifetimes" help:"Absolute life of a session that a way back in opened."`
	DeviceTTL    time.Duration `env:"COFFER_DEVICE_TTL" default:"720h" group:"Lifetimes" help:"How long a remembered device skips the layers it has passed."`

	SessionsMax int `env:"COFFER_SESSIONS_MAX" default:"20" group:"Limits" help:"Sessions of one account. One more ends the one whose last use is the longest ago."`

	AddressLimit limit.Rule `name:"limit-sign-in-address" env:"COFFER_LIMIT_SIGN_IN_ADDRESS" default:"100/15m" group:"Limits" help:"Failed sign-ins from one address."`
	AccountLimit limit.Rule `name:"limit-sign-in-account" env:"COFFER_LIMIT_SIGN_IN_ACCOUNT" default:"50/15m" group:"Limits" help:"Failed sign-ins to one account from anywhere. Above it, a new device needs a mailed link."`
	PairLimit    limit.Rule `name:"limit-sign-in-pair" env:"COFFER_LIMIT_SIGN_IN_PAIR" default:"10/15m" group:"Limits" help:"Failed sign-ins to one account from one address."`

	GeoIP string `name:"geoip" env:"COFFER_GEOIP" placeholder:"FILE.mmdb" group:"Around it" help:"MaxMind DB file that turns addresses into places. Empty: no places."`
}

// maxSessionTTL is what protocols.md §1 allows: session keys are destroyed 31 days
// after the day they sealed, so no session may outlive 30.
const maxSessionTTL = 30 * 24 * time.Hour

// AfterApply refuses settings that cannot work, by name. Package kong calls it, and New.
func (s *Settings) AfterApply() error {
	if s.SessionTTL > maxSessionTTL {
		return errors.New("COFFER_SESSION_TTL: at most 720h (30 days), because session keys are destroyed after 31")
	}
	for _, ttl := range []struct {
		name  string
		value time.Duration
	}{
		{"COFFER_REFRESH_TTL", s.RefreshTTL}, {"COFFER_SESSION_TTL", s.SessionTTL},
		{"COFFER_STEP_UP_TTL", s.StepUpTTL}, {"COFFER_DEVICE_TTL", s.DeviceTTL},
		{"COFFER_RECOVERY_TTL", s.RecoveryTTL},
	} {
		if ttl.value < time.Second {
			return fmt.Errorf("%s: at least 1s", ttl.name)
		}
	}
	if s.SessionsMax < 1 {
		return errors.New("COFFER_SESSIONS_MAX: at least 1")
	}
	if s.RefreshGrace < 0 {
		return errors.New("COFFER_REFRESH_GRACE: must not be negative")
	}
	if s.GeoIP != "" {
		_, closeFile, err := Places(s.GeoIP)
		if err == nil {
			err = closeFile()
		}
		if err != nil {
			return fmt.Errorf("COFFER_GEOIP: %w", err)
		}
	}
	return nil
}

// nameRules gives each limit the name under which it counts.
func (s *Settings) nameRules() {
	s.AddressLimit.Name = "sign-in-address"
	s.AccountLimit.Name = "sign-in-account"
	s.PairLimit.Name = "sign-in-pair"
}
