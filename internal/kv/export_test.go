package kv

// Items counts what a memory store holds, expired or not.
func Items(m *Memory) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.items)
}

// Marks counts what Once holds in memory, forgotten or not.
func Marks(s *SQL) int {
	s.marks.mu.Lock()
	defer s.marks.mu.Unlock()
	return s.marks.count
}

// AtMost bounds what Once holds in memory. No call may be running.
func AtMost(s *SQL, n int) { s.marks.most = n }

// Held counts the channels and queues of a local bus.
func Held(b *LocalBus) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.channels) + len(b.queues)
}
