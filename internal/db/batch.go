package db

import "context"

// BatchRows is how many rows one step of [DB.ExecInBatches] changes: few enough that
// SQLite's one writer is free again within [holdMost].
const BatchRows = 500

// ExecInBatches runs a statement until it finds no more rows, and returns how many rows it
// changed. Each run commits by itself, so that others write between two of them. The last
// parameter of q, behind args, is the number of rows that one run may change:
//
//	DELETE FROM t WHERE id IN (SELECT id FROM t WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) AND expires_at <= $1
//
// The condition stands twice because PostgreSQL asks only the outer one again after it
// waited for another writer. What other writers keep from a run may be left for the next call.
func (d *DB) ExecInBatches(ctx context.Context, q string, args ...any) (changed int64, err error) {
	for {
		n, err := d.Exec(ctx, q, append(args[:len(args):len(args)], BatchRows)...)
		changed += n
		if err != nil || n < BatchRows {
			return changed, err
		}
	}
}
