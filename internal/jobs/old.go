package jobs

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Forever is the age at which rows go that stay.
const Forever = time.Duration(math.MaxInt64)

// Old names rows that periodic work removes: those of Table for which Rows holds, a
// condition in SQL. Its $1 is Age before now, in unix milliseconds.
type Old struct {
	Table, Rows string
	Age         time.Duration // 0: until the time that stands in the row
}

// Removal is what one piece of periodic work removes from one table.
type Removal struct {
	Old
	By    string // the name of the work
	Every time.Duration
}

// Removals lists what periodic work removes, in the order of tables.
func (q *Queue) Removals() (all []Removal) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, p := range q.periods {
		for _, o := range p.removes {
			all = append(all, Removal{o, p.name, p.interval})
		}
	}
	slices.SortStableFunc(all, func(a, b Removal) int { return strings.Compare(a.Table, b.Table) })
	return all
}

// CountOld returns how many rows of each removal may go now, in the order of Removals. Work
// that looks at more than the rows itself may leave some for its next run.
func (q *Queue) CountOld(ctx context.Context) (rows []int64, err error) {
	now := q.cfg.Now()
	for _, r := range q.Removals() {
		var n int64
		if err := q.db.QueryRow(ctx, `SELECT COUNT(*) /* bounded: an operator asks */ FROM `+r.Table+` WHERE `+r.Rows, now.Add(-r.Age).UnixMilli()).Scan(&n); err != nil {
			return nil, fmt.Errorf("count old rows of %s: %w", r.Table, err)
		}
		rows = append(rows, n)
	}
	return rows, nil
}

// RemoveOld runs all periodic work that removes rows once, now, in this process. Another node
// may run the same work meanwhile; such work is safe to run twice.
func (q *Queue) RemoveOld(ctx context.Context) error {
	q.mu.Lock()
	periods := slices.Clone(q.periods)
	q.mu.Unlock()
	var failures []error
	for _, p := range periods {
		if len(p.removes) == 0 {
			continue
		}
		if err := p.fn(ctx); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", p.name, err))
		}
	}
	return errors.Join(failures...)
}
