package db

import "context"

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
