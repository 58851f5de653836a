package session

import (
	"context"
	"errors"

	"coffer/internal/db"
)

// An account has at most SessionsMax live sessions. The transaction that opens one more ends
// those whose last use is the longest ago. It holds the account's row, so sign-ins at once
// follow each other and none counts too few.

// endSurplus deletes the sessions that are too many beside the new one and returns their
// ids. replaces is the session that the new one ends anyway. Remembered devices and known
// clients stay.
func (s *Service) endSurplus(ctx context.Context, tx *db.Tx, r row, replaces string) ([]string, error) {
	ids, err := unusedLongest(ctx, tx, r, replaces, s.Now().UnixMilli(), s.SessionsMax-1)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	for _, id := range ids {
		if _, err := deleteSession(ctx, tx, r.Account, id); err != nil {
			return nil, err
		}
	}
	return ids, s.forgetLater(ctx, tx, ids)
}

// forgetLater enqueues the job that removes the records of sessions whose rows tx deletes.
func (s *Service) forgetLater(ctx context.Context, tx *db.Tx, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	return s.Jobs.Enqueue(ctx, tx, forgetJob, forgetting{ids})
}

// endRecords removes the records of sessions whose rows are deleted. After a failure the job
// of forgetLater does.
func (s *Service) endRecords(ctx context.Context, ids []string) {
	if err := s.removeRecords(context.WithoutCancel(ctx), ids); err != nil {
		s.Log.WarnContext(ctx, "session: a record stays until a job removes it", "err", err)
	}
}

func (s *Service) removeRecords(ctx context.Context, ids []string) error {
	var failed []error
	for _, id := range ids {
		failed = append(failed, s.Tokens.End(ctx, id))
	}
	return errors.Join(failed...)
}
