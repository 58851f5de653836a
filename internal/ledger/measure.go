package ledger

import (
	"context"
	"time"

	"coffer/internal/metric"
)

// measure shows the ledger on the page of metrics.
func (s *Service) measure() {
	s.signing = s.Metrics.Counter("coffer_ledger_checkpoints_total", "Checkpoints of the ledger that were signed, and refusals to sign a ledger that is damaged.", "outcome")
	s.signing.With("signed")
	s.signing.With("refused")
	s.Metrics.Read(s.read)
}

// read reads the state of the ledger, which all nodes share.
func (s *Service) read(ctx context.Context, r *metric.Reading) error {
	st, err := readState(ctx, s.DB)
	if err != nil {
		return err
	}
	damaged, age := 0.0, time.Duration(0)
	if st.Damaged != "" {
		damaged = 1
	}
	if st.AuditedAt > 0 {
		age = max(0, s.Now().Sub(time.UnixMilli(st.AuditedAt)))
	}
	r.Gauge("coffer_ledger_entries", "Entries of the ledger.", float64(st.Size))
	r.Gauge("coffer_ledger_signed", "Entries of the ledger that the newest checkpoint covers.", float64(st.Signed))
	r.Gauge("coffer_ledger_damaged", "1 while the ledger is not the one that was signed, so that no checkpoint is signed.", damaged)
	r.Gauge("coffer_ledger_audit_age_seconds", "Time since all entries were found to lead to the newest checkpoint.", age.Seconds())
	return nil
}
