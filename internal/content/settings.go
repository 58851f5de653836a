package content

import "errors"

// Settings are the operator's settings of the room; the tags hold their defaults.
type Settings struct {
	Quota      int64 `env:"COFFER_QUOTA" default:"0" group:"Limits" help:"Bytes of content that one account may keep; trash, versions and unfinished uploads count. 0: no bound."`
	QuotaFiles int64 `env:"COFFER_QUOTA_FILES" default:"0" group:"Limits" help:"Files and folders that one account may keep; trash, versions and unfinished uploads count. 0: no bound."`
}

// AfterApply refuses a quota that no account can keep. Package kong calls it.
func (s *Settings) AfterApply() error {
	switch {
	case s.Quota < 0:
		return errors.New("COFFER_QUOTA: must not be negative")
	case s.QuotaFiles < 0:
		return errors.New("COFFER_QUOTA_FILES: must not be negative")
	}
	return nil
}
