package block

import (
	"context"
	"hash/maphash"
	"math"
	"net/netip"
	"slices"
	"sync"
	"time"

	"coffer/internal/limit"
	"coffer/internal/rest"
)

// abuse counts this node's refusals by address. It is in memory: to count one costs less than
// to refuse it.
type abuse struct {
	mu    sync.Mutex
	addrs map[netip.Prefix]*offender
}

// offender is one address with refusals.
type offender struct {
	refusals int
	tokens   []uint64 // hashes of different ones
	since    [2]time.Time
}

const (
	mostOffenders = 20_000
	evictAmong    = 8
)

// The reasons of automatic blocks.
const (
	reasonRefusals = "calls over the limits"
	reasonTokens   = "links that do not exist"
)

// answered counts a refusal, and blocks the address that has too many.
func (s *Service) answered(ctx context.Context, r rest.Refusal) {
	if !s.Automatic || !r.Addr.IsValid() || !r.Limited && r.Token == "" {
		return
	}
	reason := s.abuse.count(unit(r.Addr), r, s.Refusals, s.Tokens, s.Now())
	if reason == "" {
		return
	}
	if err := s.Offence(context.WithoutCancel(ctx), r.Addr, reason); err != nil {
		s.Log.WarnContext(ctx, "block: an address cannot be blocked", "err", err)
	}
}

// count returns the reason to block an address, or "".
func (a *abuse) count(network netip.Prefix, r rest.Refusal, refusals, tokens limit.Rule, now time.Time) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.addrs == nil {
		a.addrs = map[netip.Prefix]*offender{}
	}
	o := a.addrs[network]
	if o == nil {
		a.makeRoom()
		o = &offender{}
		a.addrs[network] = o
	}
	for i, window := range []time.Duration{refusals.Window, tokens.Window} {
		if age := now.Sub(o.since[i]); age < 0 || age >= window {
			o.since[i] = now
			if i == 0 {
				o.refusals = 0
			} else {
				o.tokens = nil
			}
		}
	}
	if r.Limited {
		if o.refusals++; o.refusals >= refusals.Limit {
			delete(a.addrs, network)
			return reasonRefusals
		}
	}
	if r.Token == "" {
		return ""
	}
	if hash := maphash.String(seed, r.Token); !slices.Contains(o.tokens, hash) {
		o.tokens = append(o.tokens, hash)
	}
	if len(o.tokens) >= tokens.Limit {
		delete(a.addrs, network)
		return reasonTokens
	}
	return ""
}

// makeRoom evicts the one with the fewest refusals of some, so that many new addresses do not
// push out one that has many.
func (a *abuse) makeRoom() {
	if len(a.addrs) < mostOffenders {
		return
	}
	var least netip.Prefix
	fewest, looked := math.MaxInt, 0
	for network, o := range a.addrs {
		if n := o.refusals + len(o.tokens); n < fewest {
			least, fewest = network, n
		}
		if looked++; looked == evictAmong {
			break
		}
	}
	delete(a.addrs, least)
}
