package block

import (
	"context"

	"coffer/internal/rest"
)

// Answered is what package rest calls.
func (s *Service) Answered(ctx context.Context, r rest.Refusal) { s.answered(ctx, r) }

// Offenders returns how many addresses are counted.
func (s *Service) Offenders() int {
	s.abuse.mu.Lock()
	defer s.abuse.mu.Unlock()
	return len(s.abuse.addrs)
}

// Visited returns how many addresses are remembered with their accounts.
func (s *Service) Visited() int {
	s.seen.mu.RLock()
	defer s.seen.mu.RUnlock()
	return len(s.seen.addrs)
}

// PruneTo is Prune with another bound.
func (s *Service) PruneTo(ctx context.Context, most int) error { return pruneOver(ctx, s.DB, most) }
