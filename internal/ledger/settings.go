package ledger

import (
	"errors"
	"net/mail"
	"time"

	"coffer/internal/limit"
)

// Settings are the operator's settings of the room; the tags hold their defaults.
type Settings struct {
	Every    int64         `name:"ledger-every" env:"COFFER_LEDGER_EVERY" default:"1000" group:"Around it" help:"New entries of the ledger after which the server signs a checkpoint."`
	Interval time.Duration `name:"ledger-interval" env:"COFFER_LEDGER_INTERVAL" default:"10m" group:"Around it" help:"Longest time that a new entry waits for a checkpoint. The server checks all entries as often."`
	File     string        `name:"ledger-file" env:"COFFER_LEDGER_FILE" placeholder:"DATA/ledger/checkpoints.txt" group:"Where it keeps things" help:"File to which each checkpoint of the ledger is appended; none: no file. Copy it to another machine."`
	Mail     string        `name:"ledger-mail" env:"COFFER_LEDGER_MAIL" group:"Mail" help:"Address that gets each checkpoint of the ledger. Empty: none."`

	ReadLimit limit.Rule `name:"limit-ledger" env:"COFFER_LIMIT_LEDGER" default:"3000/1m" group:"Limits" help:"Reads of checkpoints, keys and proofs of the ledger from one address."`
	PageLimit limit.Rule `name:"limit-ledger-pages" env:"COFFER_LIMIT_LEDGER_PAGES" default:"1500/1m" group:"Limits" help:"Pages of the ledger from one address. A page has up to 1,000 entries."`
}

// NoFile is the value of [Settings.File] that keeps no file.
const NoFile = "none"

// AfterApply refuses settings that cannot work, by name. Package kong calls it, and New.
func (s *Settings) AfterApply() error {
	s.ReadLimit.Name, s.PageLimit.Name = "ledger", "ledger-pages"
	switch {
	case s.Every < 1:
		return errors.New("COFFER_LEDGER_EVERY: must be positive")
	case s.Interval < time.Second:
		return errors.New("COFFER_LEDGER_INTERVAL: at least 1s")
	}
	if s.Mail == "" {
		return nil
	}
	if a, err := mail.ParseAddress("<" + s.Mail + ">"); err != nil || a.Address != s.Mail {
		return errors.New("COFFER_LEDGER_MAIL: must be one address such as audit@example.org")
	}
	return nil
}
