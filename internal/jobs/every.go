package jobs

import (
	"context"
	"errors"
	"slices"
	"time"

	"coffer/internal/db"
)

// period is periodic work.
type period struct {
	name     string
	interval time.Duration
	fn       func(ctx context.Context) error
	removes  []Old
}

// Every runs fn once per interval on one of the nodes: immediately at the first start, then
// an interval after each run began, across restarts. A run that fails, or whose node died,
// is repeated like a job, after an interval at the latest. It never goes to the dead list.
// Names are stable and unique: the next time is stored under the name. A second use of a
// name panics. removes names the rows that fn removes.
func (q *Queue) Every(name string, interval time.Duration, fn func(ctx context.Context) error, removes ...Old) {
	if interval <= 0 {
		panic("internal error: jobs: no interval of " + name)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if slices.ContainsFunc(q.periods, func(p period) bool { return p.name == name }) {
		panic("internal error: jobs: two periods named " + name)
	}
	q.periods = append(q.periods, period{name, interval, fn, removes})
}

// keep runs periodic work on time until ctx ends.
func (q *Queue) keep(ctx, runs context.Context, p period) {
	noted := len(p.removes) == 0
	for failures := 0; ctx.Err() == nil; {
		if !noted {
			noted = q.noteAges(ctx, p) == nil // tick tells of a database that is away
		}
		ran, wait, err := q.tick(runs, p)
		if err != nil && !ran { // a database error; work itself reports a failed run
			failures++
			wait = min(q.delay(failures)/8, q.poll)
			q.cfg.Log.WarnContext(ctx, "jobs: cannot look for periodic work", "name", p.name, "error", err, "again_in", wait)
		} else {
			failures = 0
		}
		sleep(ctx, nil, min(wait, 12*q.poll))
	}
}

// tick runs p if it is due and free. wait is the time until the next check.
func (q *Queue) tick(ctx context.Context, p period) (ran bool, wait time.Duration, err error) {
	claim, err := q.newClaim()
	if err != nil {
		return false, 0, err
	}
	start := q.cfg.Now()
	attempts, wait, err := q.takePeriod(ctx, p, claim, start)
	if err != nil || attempts == 0 {
		return false, wait, err
	}
	begun := time.Now()
	err = q.hold(ctx, func(ctx context.Context, until int64) (int64, error) {
		return renewPeriod(ctx, q.db, p.name, claim, until)
	}, p.fn)
	outcome := "done"
	wait = p.interval - q.cfg.Now().Sub(start)
	switch {
	case errors.Is(err, errDrain):
		outcome, wait = "released", 0
	case err != nil:
		outcome, wait = "failed", min(q.delay(int(attempts)), p.interval)
		q.cfg.Log.WarnContext(ctx, "jobs: periodic work failed", "name", p.name, "class", classOf(err), "attempt", attempts, "again_in", wait)
	}
	q.measures.turns.With(p.name, outcome).Inc()
	q.measures.turning.With(p.name).Observe(time.Since(begun))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callFor)
	defer cancel()
	wait = max(wait, 0)
	if _, endErr := endPeriod(ctx, q.db, p.name, claim, q.cfg.Now().Add(wait).UnixMilli(), err != nil); endErr != nil {
		return true, q.lease, errors.Join(err, endErr) // repeated when the lease lapses
	}
	return true, wait, err
}

// takePeriod claims p if it is due. attempts is zero when it is not due or another node has
// it.
func (q *Queue) takePeriod(ctx context.Context, p period, claim string, now time.Time) (attempts int64, wait time.Duration, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callFor)
	defer cancel()
	due, err := readPeriod(ctx, q.db, p.name)
	if errors.Is(err, db.ErrNoRows) {
		if err = addPeriod(ctx, q.db, p.name, now.UnixMilli()); err == nil {
			due, err = readPeriod(ctx, q.db, p.name)
		}
	}
	if err != nil {
		return 0, 0, err
	}
	// Another node's clock may be ahead by at most a lease, see the package doc.
	most := now.Add(max(p.interval, q.lease) + q.lease)
	if at := time.UnixMilli(due); at.After(now) && !at.After(most) {
		return 0, at.Sub(now), nil
	}
	attempts, err = claimPeriod(ctx, q.db, p.name, claim, now.UnixMilli(), most.UnixMilli(), now.Add(q.lease).UnixMilli())
	if errors.Is(err, db.ErrNoRows) {
		return 0, min(p.interval, q.lease), nil
	}
	return attempts, 0, err
}
