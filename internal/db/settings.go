package db

import "fmt"

// Settings are the operator's settings of this package.
type Settings struct {
	DatabaseURL string `env:"COFFER_DATABASE_URL" secret:"url" placeholder:"sqlite:DATA/coffer.db" group:"Where it keeps things" help:"sqlite:PATH or postgres://… ."`
}

// AfterApply refuses what names no database, before anything is opened. Package kong calls it.
func (s *Settings) AfterApply() error {
	if _, err := engineOf(s.DatabaseURL); err != nil {
		return fmt.Errorf("COFFER_DATABASE_URL: %w", err)
	}
	return nil
}
