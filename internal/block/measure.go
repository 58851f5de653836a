package block

import (
	"context"
	"time"

	"coffer/internal/metric"
)

// measure shows the blocks in force on the page of set. Refused requests are among the
// refusals by their code.
func (s *Service) measure(set *metric.Set) {
	set.Read(func(_ context.Context, r *metric.Reading) error {
		hand, automatic := s.list.inForce(s.Now())
		const name, help = "coffer_blocks", "Blocked networks: by the server, or by an admin's hand."
		r.Gauge(name, help, float64(automatic), "by", "server")
		r.Gauge(name, help, float64(hand), "by", "admin")
		return nil
	})
}

// inForce returns how many blocks of each sort are in force.
func (t *table) inForce(now time.Time) (hand, automatic int) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, e := range t.entries {
		if (entry{hand: e.hand}).standing(now) != nil {
			hand++
		}
		if (entry{automatic: e.automatic}).standing(now) != nil {
			automatic++
		}
	}
	return hand, automatic
}
