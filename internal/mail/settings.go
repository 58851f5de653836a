package mail

import (
	"fmt"
	"net/mail"
)

// Settings are the operator's settings of this package; the tags hold their defaults.
type Settings struct {
	SMTPURL  string `name:"smtp-url" env:"COFFER_SMTP_URL" secret:"url" placeholder:"smtp://USER:PASS@HOST:587" group:"Mail" help:"smtp:// (STARTTLS) or smtps:// (TLS). Empty: each mail is a file in DATA/outbox."`
	MailFrom string `env:"COFFER_MAIL_FROM" default:"Coffer <coffer@localhost>" group:"Mail" help:"From address of every mail."`
}

// AfterApply refuses a sender that is no address, and a server that no mail can go to.
// Package kong calls it.
func (s *Settings) AfterApply() error {
	if _, err := mail.ParseAddress(s.MailFrom); err != nil {
		return fmt.Errorf("COFFER_MAIL_FROM: %q is not an address such as Coffer <coffer@example.org>", s.MailFrom)
	}
	if s.SMTPURL != "" {
		if _, err := NewSMTP(s.SMTPURL, s.MailFrom); err != nil {
			return fmt.Errorf("COFFER_SMTP_URL: %w", err)
		}
	}
	return nil
}
