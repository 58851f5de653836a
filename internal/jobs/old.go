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

// agesOf is how long rows that p removes are kept, in words.
func (p period) agesOf() string {
	var all []string
	for _, o := range p.removes {
		all = append(all, o.Table+" for "+o.Age.String())
	}
	return strings.Join(all, ", ")
}

func (q *Queue) noteAges(ctx context.Context, p period) error {
	ctx, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	return setAges(ctx, q.db, p.name, q.cfg.Now().UnixMilli(), p.agesOf())
}

// Steady notes that periodic work looks at now for what this database does not know. It returns since
// when the work has done so with no gap longer than that. A database that came from a backup, or is new,
// has no such past: it may lack what stands elsewhere.
func (q *Queue) Steady(ctx context.Context, name string, now time.Time, gap time.Duration) (since time.Time, err error) {
	ms, err := look(ctx, q.db, name, now.UnixMilli(), now.Add(-gap).UnixMilli())
	return time.UnixMilli(ms), err
}

// ErrAges refuses a process whose settings keep rows for another time than those of the node
// that started last.
var ErrAges = errors.New("the servers keep rows for other times than these settings say")

// CheckAges compares this process's ages with those of the node that started last. A database
// that no node has worked on fits any ages. [ErrAges] names the difference.
func (q *Queue) CheckAges(ctx context.Context) error {
	q.mu.Lock()
	periods := slices.Clone(q.periods)
	q.mu.Unlock()
	for _, p := range periods {
		if len(p.removes) == 0 {
			continue
		}
		kept, err := readAges(ctx, q.db, p.name)
		if err != nil {
			return fmt.Errorf("read the ages of %s: %w", p.name, err)
		}
		if here := p.agesOf(); kept != "" && kept != here {
			return fmt.Errorf("%w: they keep %s, and here it is %s", ErrAges, kept, here)
		}
	}
	return nil
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
