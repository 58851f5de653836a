package drop

import (
	"context"

	"coffer/internal/metric"
)

// measure shows the room's state in this process on the page of s.
func (s *Service) measure(set *metric.Set) {
	s.passed = set.Counter("coffer_drop_bytes_total", "Bytes of chunks that receivers took, sealed between the devices.").With()
	s.ended = set.Counter("coffer_drop_transfers_total", "Transfers that this process gave to their receivers, by their end.", "outcome")
	set.Read(func(_ context.Context, r *metric.Reading) error {
		s.hub.mu.Lock()
		rooms, transfers, sockets := len(s.hub.rooms), len(s.hub.transfers), 0
		for _, room := range s.hub.rooms {
			sockets += len(room.sockets)
		}
		s.hub.mu.Unlock()
		s.budget.mu.Lock()
		used := s.DropMemory - s.budget.free
		s.budget.mu.Unlock()
		r.Gauge("coffer_drops_open", "Drops with a member connected to this process.", float64(rooms))
		r.Gauge("coffer_drop_sockets", "Members connected to this process.", float64(sockets))
		r.Gauge("coffer_drop_transfers_running", "Transfers whose sender is connected to this process.", float64(transfers))
		r.Gauge("coffer_drop_memory_bytes", "Memory promised to waiting chunks and messages; COFFER_DROP_MEMORY bounds it.", float64(used))
		return nil
	})
}
