package block

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"coffer/internal/db"
)

// Offence blocks an address automatically: an IPv4 address, or the /64 of an IPv6 one. It
// spares those that [Settings] and the package doc name. A running block stays as it is.
func (s *Service) Offence(ctx context.Context, addr netip.Addr, reason string) error {
	addr = addr.Unmap().WithZone("")
	network := unit(addr)
	if !s.Automatic || !addr.IsValid() || !s.Private && Inside(addr) || s.proxied(network) || !s.pace.take(s.Now()) {
		return nil
	}
	admin, shared, err := s.marks(ctx, network)
	if err != nil || admin {
		return err
	}
	is := spans{firstSpan.Milliseconds(), growth, mostSpan.Milliseconds()}
	if shared {
		is.most = is.first
	}
	if over := cut(addr, 48); addr.Is6() && s.list.crowdOf(over) >= crowded && !s.proxied(over) {
		near, _, err := s.marks(ctx, over)
		if err != nil {
			return err
		}
		if !near { // an admin elsewhere in the network keeps it open
			network = over
		}
	}
	b, err := s.newBlock(network, reason, true)
	if err != nil {
		return err
	}
	r, err := s.seal(ctx, b)
	if err != nil {
		return err
	}
	var added bool
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx, version int64) (err error) {
		r.Version = version
		added, err = putOffence(ctx, tx, r, b.CreatedAt.Add(-calm).UnixMilli(), is)
		return err
	})
	if err != nil {
		return err
	}
	if added {
		s.Log.WarnContext(ctx, "block: an address is blocked", "id", b.ID, "reason", reason)
	}
	return s.Load(context.WithoutCancel(ctx))
}

// carrier is the network that providers use between themselves and their customers (RFC 6598).
var carrier = netip.MustParsePrefix("100.64.0.0/10")

// Inside reports whether an address belongs to no one client of the internet.
func Inside(a netip.Addr) bool {
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsUnspecified() || a.IsMulticast() || carrier.Contains(a)
}

// pace bounds how many blocks a node adds: 20 a second, and 1,000 at once.
type pace struct {
	mu   sync.Mutex
	left float64
	at   time.Time
}

const (
	paceRate  = 20
	paceBurst = 1000
)

func (p *pace) take(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at.IsZero() {
		p.left = paceBurst
	} else {
		p.left = min(paceBurst, p.left+max(0, now.Sub(p.at).Seconds())*paceRate)
	}
	p.at = now
	if p.left < 1 {
		return false
	}
	p.left--
	return true
}
