package kv

import (
	"fmt"
	"hash/maphash"
	"sync"
	"time"
)

// marks are the keys of Once within one process. A mark is a keyed digest of 64 bits, so two
// keys look alike once in 2⁶⁴, and no caller can search for such a pair.
//
// Marks that end within the same slot are forgotten together.
type marks struct {
	began int64 // unix seconds; what is older may have had a mark in another process
	most  int
	seed  maphash.Seed

	mu    sync.Mutex
	slots map[int64]map[uint64]struct{} // by the slot of their end
	count int
}

const (
	slotSeconds = 20
	// mostAhead is by how many seconds the making of a key may lie ahead of this clock.
	mostAhead = 120
	// mostMarks bounds the memory, at about 40 MB. A full store refuses: to forget a mark
	// early would let a second caller be first.
	mostMarks = 2 << 20
)

func newMarks() *marks {
	return &marks{most: mostMarks, seed: maphash.MakeSeed(), slots: map[int64]map[uint64]struct{}{}}
}

// first sets the mark of key until ttl after now. It reports whether the mark was absent.
func (m *marks) first(key string, made, now time.Time, ttl time.Duration) (bool, error) {
	mark := maphash.String(m.seed, key)
	ends := (now.Add(ttl).UnixMilli() + slotSeconds*1000 - 1) / (slotSeconds * 1000)
	m.mu.Lock()
	defer m.mu.Unlock()
	if made.Unix() < m.began {
		return false, nil
	}
	for end, slot := range m.slots {
		if end*slotSeconds*1000 <= now.UnixMilli() {
			m.count -= len(slot)
			delete(m.slots, end)
		} else if _, ok := slot[mark]; ok {
			return false, nil
		}
	}
	if m.count >= m.most {
		return false, fmt.Errorf("%w: too many marks", ErrUnavailable)
	}
	slot := m.slots[ends]
	if slot == nil {
		slot = map[uint64]struct{}{}
		m.slots[ends] = slot
	}
	slot[mark] = struct{}{}
	m.count++
	return true, nil
}

// mayBeOlder reports whether a process before this one may have taken a key, although it was
// made after this one began.
func (m *marks) mayBeOlder(made time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.began != 0 && made.Unix() <= m.began+mostAhead
}

// since says when this process began, after another that had marks.
func (m *marks) since(began time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.began = began.Unix()
}
