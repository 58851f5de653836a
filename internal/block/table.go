package block

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"coffer/internal/db"
)

// table is the list in memory.
type table struct {
	size atomic.Int64 // of entries; 0 answers without the lock

	mu      sync.RWMutex
	entries map[netip.Prefix]entry
	// lengths are those of the prefixes in entries, each with how many have it.
	lengths4 [33]int
	lengths6 [129]int
	present4 []int
	present6 []int
	crowds   map[netip.Prefix]int // how many automatic /64 a /48 has
	swept    time.Time
}

// entry is what blocks one network: by hand, automatically, or both.
type entry struct{ hand, automatic *Block }

func (e entry) standing(now time.Time) *Block {
	for _, b := range []*Block{e.hand, e.automatic} {
		if b != nil && (b.ExpiresAt.IsZero() || b.ExpiresAt.After(now)) {
			return b
		}
	}
	return nil
}

// find returns the block that covers an address.
func (t *table) find(addr netip.Addr, clock func() time.Time) (Block, bool) {
	if t.size.Load() == 0 || !addr.IsValid() {
		return Block{}, false
	}
	addr = addr.Unmap().WithZone("")
	t.mu.RLock()
	defer t.mu.RUnlock()
	present := t.present4
	if addr.Is6() {
		present = t.present6
	}
	for _, bits := range present {
		e, ok := t.entries[netip.PrefixFrom(addr, bits).Masked()]
		if !ok {
			continue
		}
		if b := e.standing(clock()); b != nil {
			return *b, true
		}
	}
	return Block{}, false
}

// put takes a block in; drop says that it is in force no more.
func (t *table) put(b Block, drop bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.set(b, drop)
}

func (t *table) set(b Block, drop bool) {
	e, had := t.entries[b.Network]
	place := &e.hand
	if b.Automatic {
		place = &e.automatic
	}
	before := *place != nil
	*place = nil
	if !drop {
		*place = &b
	}
	if after := !drop; b.Automatic && before != after && b.Network.Bits() == 64 && b.Network.Addr().Is6() {
		t.crowd(b.Network, after)
	}
	switch has := e != (entry{}); {
	case has && !had:
		t.count(b.Network, 1)
	case !has && had:
		t.count(b.Network, -1)
	}
	if e == (entry{}) {
		delete(t.entries, b.Network)
	} else {
		t.entries[b.Network] = e
	}
	t.size.Store(int64(len(t.entries)))
}

func (t *table) crowd(network netip.Prefix, more bool) {
	over := cut(network.Addr(), 48)
	if more {
		t.crowds[over]++
		return
	}
	if t.crowds[over]--; t.crowds[over] <= 0 {
		delete(t.crowds, over)
	}
}

func (t *table) count(p netip.Prefix, by int) {
	counts, present := t.lengths6[:], &t.present6
	if p.Addr().Is4() {
		counts, present = t.lengths4[:], &t.present4
	}
	counts[p.Bits()] += by
	*present = (*present)[:0]
	for bits := len(counts) - 1; bits >= 0; bits-- {
		if counts[bits] > 0 {
			*present = append(*present, bits)
		}
	}
}

// sweep drops ended blocks, now and then.
func (t *table) sweep(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Sub(t.swept).Abs() < time.Minute {
		return
	}
	t.swept = now
	var ended []Block
	for _, e := range t.entries {
		for _, b := range []*Block{e.hand, e.automatic} {
			if b != nil && !b.ExpiresAt.IsZero() && !b.ExpiresAt.After(now) {
				ended = append(ended, *b)
			}
		}
	}
	for _, b := range ended {
		t.set(b, true)
	}
}

// all returns the blocks in force that a caller wants.
func (t *table) all(now time.Time, want func(Block) bool) []Block {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var all []Block
	for _, e := range t.entries {
		for _, b := range []*Block{e.hand, e.automatic} {
			if b != nil && (b.ExpiresAt.IsZero() || b.ExpiresAt.After(now)) && want(*b) {
				all = append(all, *b)
			}
		}
	}
	return all
}

// crowdOf returns how many automatic /64 a /48 has.
func (t *table) crowdOf(over netip.Prefix) int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.crowds[over]
}

// replace takes the whole list in.
func (t *table) replace(all []Block) {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.entries)
	clear(t.crowds)
	t.lengths4, t.lengths6 = [33]int{}, [129]int{}
	t.present4, t.present6 = nil, nil
	t.size.Store(0)
	for _, b := range all {
		t.set(b, false)
	}
}

const (
	look  = time.Second // how often a node asks for the version of the list
	whole = time.Hour   // how often it reads the whole list
)

// Run keeps this node's list as the database has it, until ctx ends. While the database is
// away the list stays as it was.
func (s *Service) Run(ctx context.Context) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	lost := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.changed:
		case <-tick.C:
		}
		err := s.Load(ctx)
		if ctx.Err() != nil {
			return
		}
		if (err != nil) != lost {
			lost = err != nil
			s.Log.WarnContext(ctx, "block: the list cannot be read, or can be again", "lost", lost, "err", err)
		}
	}
}

// Load reads what changed since the last call.
func (s *Service) Load(ctx context.Context) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	now := s.Now()
	s.list.sweep(now)
	if s.loaded.IsZero() || now.Sub(s.loaded).Abs() > whole {
		return s.loadAll(ctx, now)
	}
	version, err := readVersion(ctx, s.DB)
	if err != nil || version == s.known {
		return err
	}
	rows, err := readSince(ctx, s.DB, s.known)
	if err != nil {
		return err
	}
	for _, r := range rows {
		s.known = max(s.known, r.Version)
		b, err := s.open(ctx, r)
		if err != nil {
			s.Log.ErrorContext(ctx, "block: a row does not open", "id", r.ID, "err", err)
			continue
		}
		s.list.put(b, r.ExpiresAt <= now.UnixMilli())
	}
	s.known = max(s.known, version) // a change without a row, as of a running block
	return nil
}

func (s *Service) loadAll(ctx context.Context, now time.Time) error {
	var version int64
	var rows []row
	err := s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		rows = nil
		if version, err = readVersion(ctx, tx); err != nil {
			return err
		}
		for _, automatic := range []bool{false, true} {
			some, err := readStanding(ctx, tx, automatic, now.UnixMilli())
			if err != nil {
				return err
			}
			rows = append(rows, some...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	all := make([]Block, 0, len(rows))
	for _, r := range rows {
		b, err := s.open(ctx, r)
		if err != nil {
			s.Log.ErrorContext(ctx, "block: a row does not open", "id", r.ID, "err", err)
			continue
		}
		all = append(all, b)
	}
	s.list.replace(all)
	s.known, s.loaded = version, now
	return nil
}
