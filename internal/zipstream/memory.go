package zipstream

import (
	"errors"
	"sync"
)

// ErrFull says that an owner's zips may keep no more in memory. The end of another zip helps.
var ErrFull = errors.New("zipstream: the memory for zips is used up")

// most is what all zips of the process may keep together. A zip of 100,000 files keeps some
// 2 MB until its end, and each of a thousand held ones may have come so far.
const most = 64 << 20

// atFirst is what a zip takes before its first entry: a full memory refuses it at once.
const atFirst = 4 << 10

// all is the memory of the process.
var all = newMemory(most)

// memory counts what zips keep. An owner may have up to twice what he leaves free: two thirds
// alone, and with more owners each has less. So no owner keeps the others from any.
type memory struct {
	most int64

	mu     sync.Mutex
	taken  int64
	owners map[string]int64
}

func newMemory(most int64) *memory { return &memory{most: most, owners: map[string]int64{}} }

func (m *memory) of(owner string) *share { return &share{memory: m, owner: owner} }

// share is what one zip keeps.
type share struct {
	memory *memory
	owner  string
	taken  int64
}

// Hold counts n more bytes that are kept until the zip's end, also by its caller; below zero,
// what is kept no more. It fails with [ErrFull], and then counts nothing.
func (s *share) Hold(n int) error {
	m, more := s.memory, int64(n)
	m.mu.Lock()
	defer m.mu.Unlock()
	if more > 0 && m.owners[s.owner]+more > 2*(m.most-m.taken-more) {
		return ErrFull
	}
	s.taken += more
	m.taken += more
	if m.owners[s.owner] += more; m.owners[s.owner] == 0 {
		delete(m.owners, s.owner)
	}
	return nil
}

// Free counts nothing any more.
func (s *share) Free() { _ = s.Hold(int(-s.taken)) } // fails only for more
