package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"coffer/internal/db"
)

// The states of a job, as an operator sees them.
const (
	Waiting = "waiting"
	Running = "running"
	Dead    = "dead"
)

// Listed is a job without its payload and the text of its error.
type Listed struct {
	ID, Kind, State string
	Attempts        int64
	Failure         string // class of the last error, "" before the first
	CreatedAt       time.Time
	RunAt           time.Time // of a waiting job
	DeadAt          time.Time // of a dead job
}

// ErrNoJob says that there is no dead job of an id.
var ErrNoJob = errors.New("jobs: no dead job has that id")

// List returns up to limit jobs of a state behind the id after, in the order of their ids,
// which is that of their making. "" begins with the first.
func (q *Queue) List(ctx context.Context, state, after string, limit int) ([]Listed, error) {
	return listJobs(ctx, q.db, state, after, limit)
}

// Retry takes a job off the dead list and gives it all its attempts again, from now on. It
// returns the job's kind, or [ErrNoJob].
func (q *Queue) Retry(ctx context.Context, tx *db.Tx, id string) (kind string, err error) {
	kind, err = reviveJob(ctx, tx, id, q.cfg.Now().UnixMilli())
	if errors.Is(err, db.ErrNoRows) {
		return "", ErrNoJob
	}
	if err != nil {
		return "", fmt.Errorf("retry a job: %w", err)
	}
	return kind, tx.Notify(ctx, topic, "")
}

// Numbers says how much work there is.
type Numbers struct {
	Waiting, Running, Dead int64
	Oldest                 time.Time // when the oldest job that is due was due; zero: none is
}

// Numbers counts the jobs.
func (q *Queue) Numbers(ctx context.Context) (Numbers, error) {
	return countJobs(ctx, q.db, q.cfg.Now().UnixMilli())
}
