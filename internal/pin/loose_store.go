package pin

import (
	"context"
	"errors"

	"coffer/internal/account"
	"coffer/internal/db"
)

// The files of a pin may be ten thousand, and its blocks more. They come before their pin and go after
// it, in batches: other writers pass between two. Meanwhile a row says that they belong to no pin yet, or
// to none any more.

// atOnce is how many files or blocks of a pin one transaction writes or removes.
const atOnce = 256

// loosen notes that what a pin has is to go. It is due at once.
func loosen(ctx context.Context, tx *db.Tx, pin string, owner account.ID) error {
	_, err := tx.Exec(ctx, `INSERT INTO pin_loose (pin, account, due_at) VALUES ($1, $2, 0)`, pin, string(owner))
	return err
}

// draft notes that the files of a pin come, and keeps them until a time. first is of the first batch;
// false when what came before is going already.
func draft(ctx context.Context, tx *db.Tx, pin string, owner account.ID, first bool, until int64) (bool, error) {
	if first {
		_, err := tx.Exec(ctx, `INSERT INTO pin_loose (pin, account, due_at) VALUES ($1, $2, $3)`, pin, string(owner), until)
		return err == nil, err
	}
	n, err := tx.Exec(ctx, `UPDATE pin_loose SET due_at = $2 WHERE pin = $1 AND due_at > 0`, pin, until)
	return n == 1, err
}

// endDraft makes the files of a draft those of the pin that comes with it; false when they are going.
func endDraft(ctx context.Context, tx *db.Tx, pin string) (bool, error) {
	n, err := tx.Exec(ctx, `DELETE FROM pin_loose WHERE pin = $1 AND due_at > 0`, pin)
	return n == 1, err
}

// loose is a pin whose files are no longer its own, and since when they may go.
type loose struct {
	pin string
	due int64
}

// readLoose returns what is due behind one.
func readLoose(ctx context.Context, q db.Querier, now int64, last *loose, limit int) (all []loose, err error) {
	args, behind := []any{now, limit}, ""
	if last != nil {
		behind = ` AND (due_at, pin) > ($3, $4)`
		args = append(args, last.due, last.pin)
	}
	rows, err := q.Query(ctx, `SELECT pin, due_at FROM pin_loose WHERE due_at <= $1`+behind+` ORDER BY due_at, pin LIMIT $2`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var l loose
		if err := rows.Scan(&l.pin, &l.due); err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	return all, rows.Err()
}

// readLooseOf returns what an account has of it.
func readLooseOf(ctx context.Context, q db.Querier, owner account.ID, limit int) ([]string, error) {
	rows, err := q.Query(ctx, `SELECT pin FROM pin_loose WHERE account = $1 ORDER BY pin LIMIT $2`, string(owner), limit)
	if err != nil {
		return nil, err
	}
	return rows.Strings()
}

// takeLoose locks a row whose files go now, and returns its account.
func takeLoose(ctx context.Context, tx *db.Tx, pin string) (owner account.ID, err error) {
	err = tx.QueryRow(ctx, `UPDATE pin_loose SET due_at = 0 WHERE pin = $1 RETURNING account`, pin).Scan(&owner)
	return owner, err
}

// takeFiles removes some files of a pin and returns them.
func takeFiles(ctx context.Context, tx *db.Tx, pin string, limit int) (all []fileRow, err error) {
	rows, err := tx.Query(ctx, `DELETE FROM pin_files WHERE pin = $1 AND ord IN (SELECT ord FROM pin_files WHERE pin = $1 ORDER BY ord LIMIT $2) RETURNING ord, object`, pin, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var f fileRow
		if err := rows.Scan(&f.Ord, &f.Object); err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, rows.Err()
}

// removeLoose removes a row, and what is left behind it.
func removeLoose(ctx context.Context, tx *db.Tx, pin string) error {
	for _, q := range []string{`DELETE FROM pin_files WHERE pin = $1`, `DELETE FROM pin_blocks WHERE pin = $1`, `DELETE FROM pin_loose WHERE pin = $1`} {
		if _, err := tx.Exec(ctx, q, pin); err != nil {
			return err
		}
	}
	return nil
}

// clear removes what a pin had, in batches, and releases its objects. What a crash or an error leaves is
// due again. The row comes first: without one the pin lives, and a draft that is taken ends no more.
func (s *Service) clear(ctx context.Context, pin string) error {
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := takeLoose(ctx, tx, pin)
		return err
	})
	if err == nil {
		err = removeBlocks(ctx, s.DB, pin)
	}
	for more := true; more && err == nil; {
		err = s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
			more, err = s.clearSome(ctx, tx, pin)
			return err
		})
	}
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	return err
}

// clearSome removes some files of a pin, or the row when there are none; false then.
// [db.ErrNoRows]: the row is gone.
func (s *Service) clearSome(ctx context.Context, tx *db.Tx, pin string) (more bool, err error) {
	owner, err := takeLoose(ctx, tx, pin)
	if err != nil {
		return false, err
	}
	files, err := takeFiles(ctx, tx, pin, atOnce)
	if err != nil {
		return false, err
	}
	if len(files) == 0 {
		return false, removeLoose(ctx, tx, pin)
	}
	var objects []string
	for _, f := range files {
		if f.Object != nil {
			objects = append(objects, *f.Object)
		}
	}
	if err := s.Contents.Release(ctx, tx, owner, objects...); err != nil {
		return false, err
	}
	return true, s.Contents.CountFolders(ctx, tx, owner, len(objects)-len(files))
}

// clearSoon clears now. It has done its part when that fails: [Service.due] tries again.
func (s *Service) clearSoon(ctx context.Context, pin string) {
	if err := s.clear(context.WithoutCancel(ctx), pin); err != nil {
		s.Log.WarnContext(ctx, "pin: what a pin had was not removed yet", "pin", pin, "error", err)
	}
}
