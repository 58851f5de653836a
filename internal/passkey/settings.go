package passkey

import "coffer/internal/limit"

// Settings are the operator's settings of the room; the tags hold their defaults.
type Settings struct {
	BeginLimit limit.Rule `name:"limit-passkey-begin" env:"COFFER_LIMIT_PASSKEY_BEGIN" default:"300/15m" group:"Limits" help:"Sign-ins with a passkey that one address begins, and other uses that one account begins. Each sign-in page begins one."`
}
