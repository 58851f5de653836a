package account

import (
	"errors"
	"time"

	"coffer/internal/limit"
)

// Settings are the operator's settings of the room; the tags hold their defaults.
type Settings struct {
	CodeTTL time.Duration `env:"COFFER_CODE_TTL" default:"10m" group:"Lifetimes" help:"Life of a mailed code and of a sign-in attempt."`
	LinkTTL time.Duration `env:"COFFER_LINK_TTL" default:"24h" group:"Lifetimes" help:"Life of a mailed link."`

	PasswordMin int          `env:"COFFER_PASSWORD_MIN" default:"12" group:"Passwords" help:"Least number of characters (code points) of a password; never under 8."`
	Argon       Argon2Params `embed:""`

	SignUpLimit        limit.Rule `name:"limit-sign-up" env:"COFFER_LIMIT_SIGN_UP" default:"20/1h" group:"Limits" help:"Sign-ups from one address (IPv6: one /64)."`
	MailRecipientLimit limit.Rule `name:"limit-mail-recipient" env:"COFFER_LIMIT_MAIL_RECIPIENT" default:"20/1h" group:"Limits" help:"Mails to one recipient that one address may cause."`
	MailRepeatLimit    limit.Rule `name:"limit-mail-repeat" env:"COFFER_LIMIT_MAIL_REPEAT" default:"40/1h" group:"Limits" help:"Mails that strangers may cause to one recipient. Above it, only networks that have caused none may send."`
	MailTotalLimit     limit.Rule `name:"limit-mail-total" env:"COFFER_LIMIT_MAIL_TOTAL" default:"100/1h" group:"Limits" help:"Mails that strangers may cause to one recipient in all."`
	MailAddressLimit   limit.Rule `name:"limit-mail-address" env:"COFFER_LIMIT_MAIL_ADDRESS" default:"30/1h" group:"Limits" help:"Mails that one address may cause."`
}

// Argon2Params are the costs of argon2id (RFC 9106). The defaults are those of protocols.md §4.
type Argon2Params struct {
	MemoryKiB uint32 `name:"argon2-memory" env:"COFFER_ARGON2_MEMORY" default:"65536" group:"Passwords" help:"argon2id memory in KiB."`
	Time      uint32 `name:"argon2-time" env:"COFFER_ARGON2_TIME" default:"3" group:"Passwords" help:"argon2id passes."`
	Threads   uint8  `name:"argon2-threads" env:"COFFER_ARGON2_THREADS" default:"1" group:"Passwords" help:"argon2id lanes."`
}

// AfterApply refuses settings that cannot work, by name. Package kong calls it, and New.
func (s *Settings) AfterApply() error {
	switch {
	case s.PasswordMin < 8 || s.PasswordMin > 128:
		return errors.New("COFFER_PASSWORD_MIN: must be from 8 to 128")
	case s.Argon.MemoryKiB < 64:
		return errors.New("COFFER_ARGON2_MEMORY: at least 64 (KiB)")
	case s.Argon.Time < 1:
		return errors.New("COFFER_ARGON2_TIME: at least 1")
	case s.Argon.Threads < 1:
		return errors.New("COFFER_ARGON2_THREADS: at least 1")
	case s.CodeTTL < time.Second || s.CodeTTL > 6*time.Hour:
		return errors.New("COFFER_CODE_TTL: must be from 1s to 6h")
	case s.LinkTTL < time.Second:
		return errors.New("COFFER_LINK_TTL: at least 1s")
	}
	return nil
}

// nameRules gives each limit the name under which it counts.
func (s *Settings) nameRules() {
	s.SignUpLimit.Name = "sign-up"
	s.MailAddressLimit.Name = "mail-address"
	s.MailRecipientLimit.Name = "mail-recipient"
	s.MailRepeatLimit.Name = "mail-recipient-repeat"
	s.MailTotalLimit.Name = "mail-recipient-total"
}
