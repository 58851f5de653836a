package content

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
)

// use is what changes of an account's usage.
type use struct{ bytes, reserved, files, folders int64 }

// addUsage counts what an account comes to have; false, and nothing counted, when a quota has
// no room for it or the account is being deleted. What does not grow is not refused. The row
// is locked until tx has ended.
func addUsage(ctx context.Context, tx *db.Tx, owner account.ID, more use, quota Quota) (bool, error) {
	n, err := tx.Exec(ctx, `
		INSERT INTO content_usage (account, bytes, reserved, files, folders, forgotten)
		SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($7 AS BIGINT), FALSE
		WHERE CAST($2 AS BIGINT) + CAST($3 AS BIGINT) <= CAST($5 AS BIGINT) AND CAST($4 AS BIGINT) + CAST($7 AS BIGINT) <= CAST($6 AS BIGINT)
			OR EXISTS (SELECT 1 FROM content_usage WHERE account = $1)
		ON CONFLICT (account) DO UPDATE SET bytes = content_usage.bytes + excluded.bytes,
			reserved = content_usage.reserved + excluded.reserved, files = content_usage.files + excluded.files,
			folders = content_usage.folders + excluded.folders
		WHERE NOT content_usage.forgotten
			AND (excluded.bytes + excluded.reserved <= 0
				OR content_usage.bytes + content_usage.reserved <= COALESCE(content_usage.quota_bytes, CAST($5 AS BIGINT)) - excluded.bytes - excluded.reserved)
			AND (excluded.files + excluded.folders <= 0
				OR content_usage.files + content_usage.folders <= COALESCE(content_usage.quota_files, CAST($6 AS BIGINT)) - excluded.files - excluded.folders)`,
		string(owner), more.bytes, more.reserved, more.files, quota.Bytes, quota.Files, more.folders)
	return n == 1, err
}

// subUsage no longer counts what an account had.
func subUsage(ctx context.Context, tx *db.Tx, owner account.ID, less use) error {
	_, err := tx.Exec(ctx, `UPDATE content_usage SET bytes = bytes - $1, reserved = reserved - $2, files = files - $3, folders = folders - $4 WHERE account = $5`,
		less.bytes, less.reserved, less.files, less.folders, string(owner))
	return err
}

// usageRow is an account's usage with its own quotas, nil where the settings hold.
type usageRow struct {
	use
	quotaBytes, quotaFiles *int64
	forgotten              bool
}

// readUsage returns what an account has, and whether it is being deleted.
func readUsage(ctx context.Context, q db.Querier, owner account.ID) (u usageRow, err error) {
	err = q.QueryRow(ctx, `SELECT bytes, reserved, files, folders, quota_bytes, quota_files, forgotten FROM content_usage WHERE account = $1`, string(owner)).
		Scan(&u.bytes, &u.reserved, &u.files, &u.folders, &u.quotaBytes, &u.quotaFiles, &u.forgotten)
	if errors.Is(err, db.ErrNoRows) {
		return usageRow{}, nil
	}
	return u, err
}

// sumUsage sums what all accounts have, and counts the objects that are not being removed.
func sumUsage(ctx context.Context, q db.Querier) (all use, objects int64, err error) {
	err = q.QueryRow(ctx, `SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT), CAST(COALESCE(SUM(reserved), 0) AS BIGINT), CAST(COALESCE(SUM(files), 0) AS BIGINT),
		CAST(COALESCE(SUM(folders), 0) AS BIGINT), (SELECT COUNT(*) FROM blobs WHERE state <> 'deleting')
		/* bounded: an operator asks for it, not more than every few seconds */ FROM content_usage`).
		Scan(&all.bytes, &all.reserved, &all.files, &all.folders, &objects)
	return all, objects, err
}

// writeQuota gives an account its own quotas; nil is the setting.
func writeQuota(ctx context.Context, tx *db.Tx, owner account.ID, bytes, files *int64) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO content_usage (account, bytes, reserved, files, quota_bytes, quota_files, forgotten)
		VALUES ($1, 0, 0, 0, $2, $3, FALSE)
		ON CONFLICT (account) DO UPDATE SET quota_bytes = excluded.quota_bytes, quota_files = excluded.quota_files`,
		string(owner), bytes, files)
	return err
}

// times counts how often each id stands in ids. It sorts them: two callers lock the same objects in one
// order.
func times(ids []string) (unique []string, n map[string]int64) {
	n = make(map[string]int64, len(ids))
	for _, id := range ids {
		if n[id] == 0 {
			unique = append(unique, id)
		}
		n[id]++
	}
	slices.Sort(unique)
	return unique, n
}

// counted returns the table v (id, n) of ids as SQL, with its arguments behind those before.
func counted(ids []string, n map[string]int64, before ...any) (table string, args []any) {
	args = before
	tuples := make([]string, len(ids))
	for i, id := range ids {
		// PostgreSQL takes the types from the first row.
		places := strings.Split(db.Places(len(args)+1, 2), ", ")
		tuples[i] = "(CAST(" + places[0] + " AS TEXT), CAST(" + places[1] + " AS BIGINT))"
		args = append(args, id, n[id])
	}
	return "WITH v (id, n) AS (VALUES " + strings.Join(tuples, ", ") + ")", args
}

// addRefs adds references to live objects of an account, and returns how many of the objects
// there are.
func addRefs(ctx context.Context, tx *db.Tx, owner account.ID, ids []string, n map[string]int64) (found int64, err error) {
	err = db.InPieces(ids, func(piece []string) error {
		table, args := counted(piece, n, string(owner))
		some, err := tx.Exec(ctx, table+` UPDATE blobs SET refs = blobs.refs + v.n FROM v
			WHERE blobs.id = v.id AND CAST(blobs.account AS TEXT) = $1 AND blobs.state = 'live'`, args...)
		found += some
		return err
	})
	return found, err
}

// dropRefs removes references to live objects of an account, and marks those for deletion that
// have none left. It returns what is no longer counted, and the objects that it marked.
func dropRefs(ctx context.Context, tx *db.Tx, owner account.ID, ids []string, n map[string]int64) (less use, marked []string, err error) {
	err = db.InPieces(ids, func(piece []string) error {
		table, args := counted(piece, n, string(owner))
		rows, err := tx.Query(ctx, table+` UPDATE blobs SET refs = blobs.refs - v.n,
			state = CASE WHEN blobs.refs <= v.n THEN 'deleting' ELSE 'live' END FROM v
			WHERE blobs.id = v.id AND CAST(blobs.account AS TEXT) = $1 AND blobs.state = 'live'
			RETURNING blobs.id, blobs.size, blobs.refs`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			var size, refs int64
			if err := rows.Scan(&id, &size, &refs); err != nil {
				return err
			}
			less.files += n[id] + min(refs, 0) // no more than there were
			if refs <= 0 {
				less.bytes += size
				marked = append(marked, id)
			}
		}
		return rows.Err()
	})
	return less, marked, err
}

// holdMore raises what a pending object holds of its account's reserved bytes; false when it is
// pending no more.
func holdMore(ctx context.Context, tx *db.Tx, id string, n int64) (bool, error) {
	changed, err := tx.Exec(ctx, `UPDATE blobs SET size = size + $2 WHERE id = $1 AND state = 'pending'`, id, n)
	return changed == 1, err
}

// given is what pending objects held that were given up, by account.
type given map[account.ID]int64

// markPending gives up those of the objects that are not live.
func markPending(ctx context.Context, tx *db.Tx, ids []string) (given, error) {
	places, args := db.List(ids)
	return giveUp(ctx, tx, places, args...)
}

// markAbandoned gives up a pending object that no upload has touched since the time.
func markAbandoned(ctx context.Context, tx *db.Tx, id string, since time.Time) (given, error) {
	return giveUp(ctx, tx, `SELECT id FROM blobs WHERE id = $1 AND touched_at < $2`, id, since.UnixMilli())
}

func giveUp(ctx context.Context, tx *db.Tx, which string, args ...any) (g given, err error) {
	rows, err := tx.Query(ctx, `UPDATE blobs SET state = 'deleting' WHERE state = 'pending' AND id IN (`+which+`) RETURNING account, size`, args...)
	if err != nil {
		return g, err
	}
	defer rows.Close()
	g = given{}
	for rows.Next() {
		var owner account.ID
		var holds int64
		if err := rows.Scan(&owner, &holds); err != nil {
			return g, err
		}
		if holds != 0 {
			g[owner] += holds
		}
	}
	return g, rows.Err()
}
