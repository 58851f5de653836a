package drop

import (
	"errors"
	"fmt"
	"time"

	"coffer/internal/limit"
)

// Settings are the operator's settings of the room; the tags hold their defaults.
type Settings struct {
	DropTTL   time.Duration `name:"drop-ttl" env:"COFFER_DROP_TTL" default:"24h" group:"Lifetimes" help:"Life of a drop that its host does not prolong; at most 7 days."`
	DropGrace time.Duration `name:"drop-grace" env:"COFFER_DROP_GRACE" default:"90s" group:"Lifetimes" help:"How long a drop outlives the connection of its host."`
	DropStall time.Duration `name:"drop-stall" env:"COFFER_DROP_STALL" default:"60s" group:"Lifetimes" help:"How long a transfer waits for a receiver that takes nothing."`
	DropPing  time.Duration `name:"drop-ping" env:"COFFER_DROP_PING" default:"25s" group:"Lifetimes" help:"Silence after which the server pings the socket of a member; after twice that it ends the socket."`

	DropQueue   int   `name:"drop-queue" env:"COFFER_DROP_QUEUE" default:"8" group:"Limits" help:"Most chunks that wait for the receiver in one transfer."`
	DropMemory  int64 `name:"drop-memory" env:"COFFER_DROP_MEMORY" default:"268435456" group:"Limits" help:"Memory of one node for waiting chunks and messages of drops, in bytes. One drop gets at most a quarter of what others leave."`
	DropGuests  int   `name:"drop-guests" env:"COFFER_DROP_GUESTS" default:"32" group:"Limits" help:"Guests of one drop."`
	DropSockets int   `name:"drop-sockets-address" env:"COFFER_DROP_SOCKETS_ADDRESS" default:"200" group:"Limits" help:"Members of drops that are connected at once from one address (IPv6: one /64) to one node. Guests that wait have half of them."`

	OpenLimit limit.Rule `name:"limit-drop-open" env:"COFFER_LIMIT_DROP_OPEN" default:"30/1h" group:"Limits" help:"Drops opened from one address."`
	JoinLimit limit.Rule `name:"limit-drop-join" env:"COFFER_LIMIT_DROP_JOIN" default:"120/10m" group:"Limits" help:"Joins of drops from one address."`
	ReadLimit limit.Rule `name:"limit-drop-read" env:"COFFER_LIMIT_DROP_READ" default:"120/1m" group:"Limits" help:"Look-ups of drops from one address, changes and wrong tokens among them."`
	AskLimit  limit.Rule `name:"limit-drop-ask" env:"COFFER_LIMIT_DROP_ASK" default:"1200/1m" group:"Limits" help:"Requests for items of drops of one member; sockets that it opens anew among them. All members at one address: five times as many."`
}

// maxTTL is the longest life of a drop from now (docs/drop-protocol.md §9).
const maxTTL = 7 * 24 * time.Hour

// minMemory lets one drop have a window of one largest chunk.
const minMemory = 4 * maxChunk

// AfterApply refuses settings that cannot work, by name. Package kong calls it, and New.
func (s *Settings) AfterApply() error {
	if s.DropTTL < time.Second || s.DropTTL > maxTTL {
		return errors.New("COFFER_DROP_TTL: from 1s to 168h (7 days)")
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"COFFER_DROP_GRACE", s.DropGrace}, {"COFFER_DROP_STALL", s.DropStall}, {"COFFER_DROP_PING", s.DropPing}} {
		if d.value < time.Second || d.value > time.Hour {
			return fmt.Errorf("%s: from 1s to 1h", d.name)
		}
	}
	switch {
	case s.DropQueue < 1 || s.DropQueue > 64:
		return errors.New("COFFER_DROP_QUEUE: from 1 to 64")
	case s.DropMemory < minMemory:
		return fmt.Errorf("COFFER_DROP_MEMORY: at least %d", minMemory)
	case s.DropGuests < 1 || s.DropGuests > 1000:
		return errors.New("COFFER_DROP_GUESTS: from 1 to 1000")
	case s.DropSockets < 1:
		return errors.New("COFFER_DROP_SOCKETS_ADDRESS: must be positive")
	}
	return nil
}

// nameRules gives each limit the name under which it counts.
func (s *Settings) nameRules() {
	s.OpenLimit.Name = "drop-open"
	s.JoinLimit.Name = "drop-join"
	s.ReadLimit.Name = "drop-read"
	s.AskLimit.Name = "drop-ask"
}
