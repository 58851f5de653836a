package argon

import (
	"sync"
	"time"
)

// keep is how long memory waits for the next hash.
const keep = time.Minute

// Memory is the memory of hashes. It grows to what hashes that run at once take. The zero value is
// ready for use.
type Memory struct {
	mu    sync.Mutex
	idle  [][]byte // all of one length
	timer *time.Timer
}

// take gives memory of n bytes. Its content is that of an earlier hash.
func (m *Memory) take(n int) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.idle) > 0 && len(m.idle[0]) != n {
		m.release()
	}
	if last := len(m.idle) - 1; last >= 0 {
		b := m.idle[last]
		m.idle = m.idle[:last]
		return b, nil
	}
	return obtain(n)
}

func (m *Memory) give(b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.idle) > 0 && len(m.idle[0]) != len(b) {
		m.release()
	}
	m.idle = append(m.idle, b)
	if m.timer == nil {
		m.timer = time.AfterFunc(keep, m.Release)
	} else {
		m.timer.Reset(keep)
	}
}

// Release gives the system back all memory that no hash uses now.
func (m *Memory) Release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.release()
}

func (m *Memory) release() {
	for _, b := range m.idle {
		surrender(b)
	}
	m.idle = nil
}
