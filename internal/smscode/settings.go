package smscode

import (
	"errors"
	"strings"

	"coffer/internal/limit"
)

// Settings are the operator's settings of the room; the tags hold their defaults.
type Settings struct {
	SMSCountries string `name:"sms-countries" env:"COFFER_SMS_COUNTRIES" placeholder:"+49,+43,+41" group:"SMS" help:"Beginnings of the numbers that may be set up, with commas between. Empty: those of all countries, and none of satellites, global networks and premium rates."`

	SMSAddressLimit limit.Rule `name:"limit-sms-address" env:"COFFER_LIMIT_SMS_ADDRESS" default:"20/1h" group:"Limits" help:"Text messages that one address may cause (IPv6: one /64)."`
	SMSAccountLimit limit.Rule `name:"limit-sms-account" env:"COFFER_LIMIT_SMS_ACCOUNT" default:"10/1h" group:"Limits" help:"Text messages of one account."`
	SMSNumberLimit  limit.Rule `name:"limit-sms-number" env:"COFFER_LIMIT_SMS_NUMBER" default:"10/1h" group:"Limits" help:"Text messages to one number; set-ups get half."`
	SMSCountryLimit limit.Rule `name:"limit-sms-country" env:"COFFER_LIMIT_SMS_COUNTRY" default:"200/1h" group:"Limits" help:"Text messages to one country's numbers; set-ups get half."`
	SMSTotalLimit   limit.Rule `name:"limit-sms-total" env:"COFFER_LIMIT_SMS_TOTAL" default:"500/1h" group:"Limits" help:"Text messages in all; set-ups get half."`
}

// AfterApply refuses settings that cannot work, by name. Package kong calls it, and New.
func (s *Settings) AfterApply() error {
	for _, country := range s.countries() {
		digits, plus := strings.CutPrefix(country, "+")
		if !plus || digits == "" || digits[0] == '0' || strings.Trim(digits, "0123456789") != "" {
			return errors.New("COFFER_SMS_COUNTRIES: not a list such as +49,+43,+41")
		}
	}
	return nil
}

func (s *Settings) countries() []string {
	if s.SMSCountries == "" {
		return nil
	}
	return strings.Split(strings.ReplaceAll(s.SMSCountries, " ", ""), ",")
}

// nameRules gives each limit the name under which it counts.
func (s *Settings) nameRules() {
	s.SMSAddressLimit.Name = "sms-address"
	s.SMSAccountLimit.Name = "sms-account"
	s.SMSNumberLimit.Name = "sms-number"
	s.SMSCountryLimit.Name = "sms-country"
	s.SMSTotalLimit.Name = "sms-total"
}
