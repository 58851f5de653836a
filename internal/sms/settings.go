package sms

import (
	"fmt"
	"time"
)

// Settings are the operator's settings of this package.
type Settings struct {
	SMSURL    string `name:"sms-url" env:"COFFER_SMS_URL" secret:"url" placeholder:"twilio://SID:TOKEN@/?from=%2B15550100" group:"SMS" help:"twilio:// or a webhook at https://. Empty: each message is a file in DATA/outbox."`
	SMSSecret string `name:"sms-secret" env:"COFFER_SMS_SECRET" secret:"all" placeholder:"whsec_BASE64" group:"SMS" help:"Key of the webhook's signature (Standard Webhooks)."`
}

// AfterApply refuses a service that no message can go to. Package kong calls it.
func (s *Settings) AfterApply() error {
	if s.SMSURL == "" {
		return nil
	}
	if _, err := Open(s.SMSURL, s.SMSSecret, time.Now); err != nil {
		return fmt.Errorf("COFFER_SMS_URL: %w", err)
	}
	return nil
}
