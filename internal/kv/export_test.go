package kv

// Items counts what a memory store holds, expired or not.
func Items(m *Memory) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.items)
}
