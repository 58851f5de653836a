package pin

import (
	"errors"
	"time"

	"coffer/internal/limit"
)

// Settings are the operator's settings of the room; the tags hold their defaults.
type Settings struct {
	PinMax    int64         `name:"pin-max" env:"COFFER_PIN_MAX" default:"68719476736" group:"IPFS" help:"Most bytes that one pin publishes."`
	PinTotal  int64         `name:"pin-total" env:"COFFER_PIN_TOTAL" default:"1099511627776" group:"IPFS" help:"Most bytes that one account publishes: its pins, each times its targets. 0: no bound."`
	PinVerify time.Duration `name:"pin-verify" env:"COFFER_PIN_VERIFY" default:"168h" group:"IPFS" help:"How often what is pinned is read back again."`
	LedgerPin bool          `name:"ledger-pin" env:"COFFER_LEDGER_PIN" default:"false" negatable:"" group:"IPFS" help:"Publish each checkpoint of the ledger on IPFS as well, at the first target that takes content: Pinata or a Kubo node."`
	PinCheck  time.Duration `name:"pin-check" env:"COFFER_PIN_CHECK" default:"15s" group:"IPFS" help:"How often the server looks for pins that wait for another attempt."`

	PinLimit     limit.Rule `name:"limit-pin" env:"COFFER_LIMIT_PIN" default:"600/1h" group:"Limits" help:"Pins that one account makes, verifies or tries again."`
	GatewayLimit limit.Rule `name:"limit-ipfs" env:"COFFER_LIMIT_IPFS" default:"12000/10m" group:"Limits" help:"Reads of the IPFS gateway by one address (IPv6: one /64)."`
}

// AfterApply refuses values that cannot be meant. Package kong calls it.
func (s *Settings) AfterApply() error {
	switch {
	case s.PinMax < 1:
		return errors.New("COFFER_PIN_MAX: must be positive")
	case s.PinTotal < 0:
		return errors.New("COFFER_PIN_TOTAL: must not be negative")
	case s.PinVerify < time.Minute:
		return errors.New("COFFER_PIN_VERIFY: at least a minute")
	case s.PinCheck < 10*time.Millisecond:
		return errors.New("COFFER_PIN_CHECK: at least 10ms")
	}
	return nil
}
