package drop

import "sync"

// budget bounds the bytes that wait in this process: chunks for receivers, messages for
// members. One drop gets a quarter at most of what the others leave, so that several greedy ones
// leave something to the next.
type budget struct {
	mu   *sync.Mutex
	free int64
	used map[string]int64 // by drop
}

func newBudget(all int64) budget {
	return budget{mu: &sync.Mutex{}, free: all, used: map[string]int64{}}
}

// take reserves up to most pieces of size bytes for a drop and returns how many it got.
func (b *budget) take(drop string, size int64, most int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(int64(most), b.left(drop)/size)
	if n <= 0 {
		return 0
	}
	b.free -= n * size
	b.used[drop] += n * size
	return int(n)
}

// left is what a drop may still take. The caller holds the lock.
func (b *budget) left(drop string) int64 {
	used := b.used[drop]
	return (b.free+used)/4 - used
}

// fraction of what a drop may still use goes to one transfer at most, so that 32 receivers
// of the largest chunks have a window each.
const fraction = 12

// window is take for a transfer that wants most chunks of size bytes. It gets fewer when
// memory is short, and none when there is none.
func (b *budget) window(drop string, size int64, most int) int {
	b.mu.Lock()
	left := b.left(drop) / size
	b.mu.Unlock()
	return b.take(drop, size, min(most, max(1, int(left/fraction))))
}

// give returns bytes of a drop.
func (b *budget) give(drop string, bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += bytes
	if b.used[drop] -= bytes; b.used[drop] == 0 {
		delete(b.used, drop)
	}
}

// force takes bytes that are few and cannot wait, whether they are free or not.
func (b *budget) force(drop string, bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free -= bytes
	b.used[drop] += bytes
}
