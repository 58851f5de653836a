package db

import (
	"cmp"
	"context"
	"errors"
	"fmt"
)

// BatchRows is how many rows one step of [DB.ExecInBatches] changes. After so few rows
// SQLite's one writer is free again within [holdMost].
const BatchRows = 500

// ExecInBatches runs a statement until it finds no more rows, and returns the number of
// changed rows. Each run commits by itself, so other writers get their turns between runs.
// The last parameter of q, behind args, limits the rows of one run:
//
//	DELETE FROM t WHERE id IN (SELECT id FROM t WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) AND expires_at <= $1
//
// The condition stands twice because PostgreSQL rechecks only the outer one after it waited
// for another writer. Rows that other writers hold may remain until the next call.
func (d *DB) ExecInBatches(ctx context.Context, q string, args ...any) (changed int64, err error) {
	for {
		n, err := d.Exec(ctx, q, append(args[:len(args):len(args)], BatchRows)...)
		changed += n
		if err != nil || n < BatchRows {
			return changed, err
		}
	}
}

// WalkRows is how many rows [Walk] reads at once.
const WalkRows = 200

// walkTold is how many failures the error of a walk names. The others are in its number.
const walkTold = 8

// Walk calls do for each row that read finds. read returns up to limit rows behind last, in an order
// that no two rows share; last is nil at first. A row that do fails on holds up no other, however many
// such rows there are: Walk goes on behind it, and returns the failures in the end. It ends at once
// when the database is away or ctx is over.
func Walk[R any](ctx context.Context, read func(last *R, limit int) ([]R, error), do func(R) error) error {
	var failures []error
	failed := 0
	ended := func(err error) error {
		if more := failed - len(failures); more > 0 {
			failures = append(failures, fmt.Errorf("and %d more", more))
		}
		return errors.Join(append(failures, err)...)
	}
	for last := (*R)(nil); ; {
		rows, err := read(last, WalkRows)
		if err != nil {
			return ended(err)
		}
		for i := range rows {
			last = &rows[i]
			err := do(rows[i])
			if errors.Is(err, ErrUnavailable) || ctx.Err() != nil {
				return ended(cmp.Or(err, ctx.Err()))
			}
			if err == nil {
				continue
			}
			if failed++; len(failures) < walkTold {
				failures = append(failures, err)
			}
		}
		if len(rows) < WalkRows {
			return ended(nil)
		}
	}
}
