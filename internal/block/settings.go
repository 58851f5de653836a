package block

import "coffer/internal/limit"

// Settings are the operator's settings of the room; the tags hold their defaults.
type Settings struct {
	Automatic bool       `name:"block-automatic" env:"COFFER_BLOCK_AUTOMATIC" default:"true" negatable:"" group:"Limits" help:"Block addresses that go on after the limits refused them, for 15 minutes and then longer each time."`
	Private   bool       `name:"block-private" env:"COFFER_BLOCK_PRIVATE" group:"Limits" help:"Block loopback and private addresses automatically too. Without COFFER_TRUSTED_PROXIES such an address is often the proxy's."`
	Refusals  limit.Rule `name:"block-refusals" env:"COFFER_BLOCK_REFUSALS" default:"300/15m" group:"Limits" help:"Calls over a limit from one address (IPv6: one /64), on one node, that block it."`
	Tokens    limit.Rule `name:"block-tokens" env:"COFFER_BLOCK_TOKENS" default:"100/15m" group:"Limits" help:"Different links that do not exist, asked for by one address on one node, that block it."`
}
