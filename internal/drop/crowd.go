package drop

import (
	"sync"
	"time"

	"coffer/internal/fault"
)

// The bounds of a crowd that are no settings.
const (
	crowdWait = 5 * time.Second // until a refused socket is tried again
	maxTurns  = 8               // sockets of one member at once: a newer one ends the older ones within seconds
)

var errCrowd = fault.New(fault.Limited, "too_many_sockets", "This address has too many sockets of drops at once. Wait for one to end.")

// crowd counts the members that have a socket in this process, by the network of their address.
// A member that comes back takes no second place while its dead socket is still known.
type crowd struct {
	mu       *sync.Mutex
	networks map[string]*present
}

// present are the members of one network.
type present struct {
	members map[string]seat // by rid
	waiting int             // guests that are not admitted
}

// seat is one member's place.
type seat struct {
	sockets int
	waits   bool
}

func newCrowd() crowd { return crowd{&sync.Mutex{}, map[string]*present{}} }

// enter counts a socket of a member, unless its network has most already. Guests that wait have half
// of the places: they keep no member of their network out.
func (c crowd) enter(network, rid string, waits bool, most int) error {
	refusal := errCrowd.Because(nil)
	refusal.RetryAfter = crowdWait
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.networks[network]
	if p == nil {
		p = &present{members: map[string]seat{}}
	}
	s, again := p.members[rid]
	switch {
	case again && s.sockets >= maxTurns:
		return refusal
	case !again && (len(p.members) >= most || waits && p.waiting >= (most+1)/2):
		return refusal
	case again && !waits && s.waits: // it was let in elsewhere
		p.waiting--
		s.waits = false
	case !again && waits:
		p.waiting++
		s.waits = true
	}
	s.sockets++
	p.members[rid] = s
	c.networks[network] = p
	return nil
}

// admit makes a guest one that waits no longer.
func (c crowd) admit(network, rid string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.networks[network]; p != nil {
		p.admit(rid)
	}
}

func (p *present) admit(rid string) {
	if s := p.members[rid]; s.waits {
		s.waits = false
		p.members[rid] = s
		p.waiting--
	}
}

// leave takes back what enter counted.
func (c crowd) leave(network, rid string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.networks[network]
	s := p.members[rid]
	if s.sockets--; s.sockets > 0 {
		p.members[rid] = s
		return
	}
	p.admit(rid)
	delete(p.members, rid)
	if len(p.members) == 0 {
		delete(c.networks, network)
	}
}
