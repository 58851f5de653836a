package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/jobs"
)

// An owner's deletion is decided in one transaction: the account's status is Deleting, its
// sessions and links end, its addresses get a last mail, and a job is enqueued. From then on
// nobody can stop it or sign in. The same call empties the account; after a crash, or when a
// store is down, the job does.

// deleteJob finishes the deletion of an account.
const deleteJob = "account.delete"

type deletion struct {
	Account ID `json:"account"`
}

// Delete deletes an account for good. When it returns nil, the address and the username are
// free. Code last_admin refuses the only active admin. After any error but last_admin and
// not_found, the deletion may be decided, and a job goes on with it.
func (s *Service) Delete(ctx context.Context, id ID) error {
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.holdLeaving(ctx, tx, id); err != nil {
			return err
		}
		if err := s.endSessions(ctx, tx, id, "", func(st *State) { st.Status = Deleting }); err != nil {
			return err
		}
		if err := dropAllLinks(ctx, tx, id); err != nil {
			return err
		}
		if err := s.Events.Record(ctx, tx, event.Event{Kind: "account-deleted", Account: string(id)}); err != nil {
			return err
		}
		return s.Jobs.Enqueue(ctx, tx, deleteJob, deletion{id}, jobs.Key(string(id)))
	})
	if err != nil {
		return err
	}
	// A client that hangs up does not stop it.
	return s.finishDeletion(context.WithoutCancel(ctx), id)
}

// finishDeletion removes an account that is being deleted. It may run twice, or beside
// itself.
func (s *Service) finishDeletion(ctx context.Context, id ID) error {
	if err := s.Forget(ctx, id); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}

func (s *Service) runDelete(ctx context.Context, payload []byte) error {
	var of deletion
	if err := json.Unmarshal(payload, &of); err != nil {
		return jobs.Permanent(fmt.Errorf("%s: %w", deleteJob, err))
	}
	return s.finishDeletion(ctx, of.Account)
}

// resumeDeletions finishes deletions whose job gave up because a store was down for long. The
// seal of an account says that it is being deleted: a column alone deletes nothing.
func (s *Service) resumeDeletions(ctx context.Context) error {
	var failed []error
	for after := ""; ; {
		ids, err := readDeleting(ctx, s.DB, after, db.BatchRows)
		if err != nil {
			return err
		}
		for _, id := range ids {
			st, err := s.State(ctx, ID(id))
			if err == nil && st.Status == Deleting {
				err = s.finishDeletion(ctx, ID(id))
			}
			if err != nil && !errors.Is(err, ErrNotFound) {
				failed = append(failed, err)
			}
		}
		if len(ids) < db.BatchRows {
			return errors.Join(failed...)
		}
		after = ids[len(ids)-1]
	}
}
