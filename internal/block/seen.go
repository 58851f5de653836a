package block

import (
	"context"
	"encoding/hex"
	"errors"
	"hash/maphash"
	"net/netip"
	"slices"
	"sync"
	"time"

	"coffer/internal/kv"
	"coffer/internal/rest"
)

// seen remembers the accounts that this node has admitted from an address. What follows from
// them is a mark in the key store: every node finds it, for a day.
type seen struct {
	mu    sync.RWMutex
	addrs map[netip.Prefix]*visitors
}

// visitors are those of one address: hashes of at most mostOne accounts.
type visitors struct {
	accounts []uint64
	marked   [2]time.Time // when each mark was written
}

const (
	mostSeen  = 20_000 // addresses
	mostOne   = 3      // accounts that make an address shared
	markFor   = 24 * time.Hour
	markAgain = time.Hour
	roleAdmin = "admin"
)

// The marks.
const (
	markAdmin = iota
	markShared
)

var markNames = [...]string{"block-admin:", "block-shared:"}

var seed = maphash.MakeSeed()

// Seen notes that a caller was admitted from an address.
func (s *Service) Seen(ctx context.Context, addr netip.Addr, c rest.Caller) {
	if !addr.IsValid() || c.Account == "" {
		return
	}
	network, now := unit(addr), s.Now()
	who := maphash.String(seed, c.Account)
	if !s.seen.news(network, who, c.Role == roleAdmin, now) {
		return
	}
	for _, mark := range s.seen.note(network, who, c.Role == roleAdmin, now) {
		err := s.mark(ctx, mark, network)
		if err == nil && mark == markAdmin && addr.Unmap().Is6() { // the network that Offence may widen a block to
			err = s.mark(ctx, mark, cut(addr, 48))
		}
		if err != nil {
			s.Log.WarnContext(ctx, "block: an address cannot be marked", "err", err)
			s.seen.forget(network)
		}
	}
}

func (s *Service) mark(ctx context.Context, mark int, network netip.Prefix) error {
	index, err := s.Ring.Index(ctx, markColumn, network.String())
	if err != nil {
		return err
	}
	return s.KV.Put(ctx, markKey(mark, index), nil, markFor)
}

const markColumn = "block.seen"

func markKey(mark int, index []byte) string { return markNames[mark] + hex.EncodeToString(index) }

// marks reports whether an admin was in a network within the last day, and whether several
// accounts were.
func (s *Service) marks(ctx context.Context, network netip.Prefix) (admin, shared bool, err error) {
	// A mark may be older than the newest index key.
	indexes, err := s.Ring.Indexes(ctx, markColumn, network.String())
	if err != nil {
		return false, false, err
	}
	found := [2]bool{}
	for mark := range found {
		for _, index := range indexes {
			_, err := s.KV.Get(ctx, markKey(mark, index))
			if err != nil && !errors.Is(err, kv.ErrMissing) {
				return false, false, err
			}
			found[mark] = found[mark] || err == nil
		}
	}
	return found[markAdmin], found[markShared], nil
}

// news reports whether note would change anything.
func (n *seen) news(network netip.Prefix, who uint64, admin bool, now time.Time) bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	v := n.addrs[network]
	if v == nil || !slices.Contains(v.accounts, who) && len(v.accounts) < mostOne {
		return true
	}
	return admin && now.Sub(v.marked[markAdmin]) > markAgain || len(v.accounts) >= mostOne && now.Sub(v.marked[markShared]) > markAgain
}

// note remembers an account, and returns the marks to write.
func (n *seen) note(network netip.Prefix, who uint64, admin bool, now time.Time) (marks []int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.addrs == nil {
		n.addrs = map[netip.Prefix]*visitors{}
	}
	v := n.addrs[network]
	if v == nil {
		for other := range n.addrs { // over the bound: evict any one
			if len(n.addrs) < mostSeen {
				break
			}
			delete(n.addrs, other)
		}
		v = &visitors{}
		n.addrs[network] = v
	}
	if !slices.Contains(v.accounts, who) && len(v.accounts) < mostOne {
		v.accounts = append(v.accounts, who)
	}
	for mark, is := range [2]bool{admin, len(v.accounts) >= mostOne} {
		if is && now.Sub(v.marked[mark]) > markAgain {
			v.marked[mark] = now
			marks = append(marks, mark)
		}
	}
	return marks
}

func (n *seen) forget(network netip.Prefix) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.addrs, network)
}
