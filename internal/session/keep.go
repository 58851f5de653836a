package session

import (
	"context"
	"encoding/json"
	"fmt"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/jobs"
)

// forgetJob removes the records of sessions whose account is gone.
const forgetJob = "session.forget"

type forgetting struct {
	Sessions []string `json:"sessions"`
}

// empty ends every session of an account, and removes its devices and attempts, in batches.
// A session's record goes before its row: after a crash the row still names the record.
func (s *Service) empty(ctx context.Context, who account.ID) error {
	for {
		batch, err := oldestSessions(ctx, s.DB, who, db.BatchRows)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			return deleteOfAccount(ctx, s.DB, who)
		}
		for _, id := range batch {
			if err := s.Tokens.End(ctx, id); err != nil {
				return err
			}
		}
		if err := deleteListed(ctx, s.DB, who, batch); err != nil {
			return err
		}
	}
}

// forget leaves the rows of sessions that were opened since to the deletion of the account's
// row, which deletes them too. A job removes their records.
func (s *Service) forget(ctx context.Context, tx *db.Tx, who account.ID) error {
	ids, err := sessionIDs(ctx, tx, who, "")
	if err != nil || len(ids) == 0 {
		return err
	}
	return s.Jobs.Enqueue(ctx, tx, forgetJob, forgetting{ids})
}

// signOutAll deletes every session of an account but one, its remembered devices, its
// attempts and its known clients. The account's new epoch refuses their tokens at once; a job
// removes the records.
func (s *Service) signOutAll(ctx context.Context, tx *db.Tx, who account.ID, spare string) error {
	ids, err := sessionIDs(ctx, tx, who, spare)
	if err != nil {
		return err
	}
	if err := deleteOthers(ctx, tx, who, spare); err != nil {
		return err
	}
	if len(ids) == 0 {
		return nil
	}
	return s.Jobs.Enqueue(ctx, tx, forgetJob, forgetting{ids})
}

func (s *Service) forgetRecords(ctx context.Context, payload []byte) error {
	var of forgetting
	if err := json.Unmarshal(payload, &of); err != nil {
		return jobs.Permanent(fmt.Errorf("%s: %w", forgetJob, err))
	}
	return s.removeRecords(ctx, of.Sessions)
}
