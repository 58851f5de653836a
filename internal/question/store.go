package question

import (
	"context"

	"coffer/internal/account"
	"coffer/internal/db"
)

// row is a question as SQL holds it. Times are unix milliseconds.
type row struct {
	Question, Hint, Answer []byte
	EnabledAt              int64
	UsedAt                 *int64
}

// read reads an account's question; db.ErrNoRows when it has none.
func read(ctx context.Context, q db.Querier, id account.ID) (row, error) {
	var r row
	err := q.QueryRow(ctx, `SELECT question, hint, answer, enabled_at, used_at FROM questions WHERE account = $1`, string(id)).
		Scan(&r.Question, &r.Hint, &r.Answer, &r.EnabledAt, &r.UsedAt)
	return r, err
}

// put stores a question, or changes the one that is there, which is on since now.
func put(ctx context.Context, tx *db.Tx, id account.ID, r row, now int64) error {
	_, err := tx.Exec(ctx, `INSERT INTO questions (account, question, hint, answer, enabled_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (account) DO UPDATE SET question = excluded.question, hint = excluded.hint, answer = excluded.answer, enabled_at = excluded.enabled_at`,
		string(id), r.Question, r.Hint, r.Answer, now)
	return err
}

// remove deletes an account's question and reports whether there was one.
func remove(ctx context.Context, tx *db.Tx, id account.ID) (bool, error) {
	n, err := tx.Exec(ctx, `DELETE FROM questions WHERE account = $1`, string(id))
	return n == 1, err
}

// hold reads the sealed answer and keeps others from the row until tx ends; db.ErrNoRows.
func hold(ctx context.Context, tx *db.Tx, id account.ID) (answer []byte, err error) {
	err = tx.QueryRow(ctx, `UPDATE questions SET answer = answer WHERE account = $1 RETURNING answer`, string(id)).Scan(&answer)
	return answer, err
}

// noteUse notes that an answer passed; false when the stored answer is another one by now.
func noteUse(ctx context.Context, tx *db.Tx, id account.ID, answer []byte, now int64) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE questions SET used_at = $3 WHERE account = $1 AND answer = $2`, string(id), answer, now)
	return n == 1, err
}

// insertFailure counts an answer as wrong, unless most were so after since; false then.
func insertFailure(ctx context.Context, tx *db.Tx, id account.ID, nth string, now, since, most int64) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO question_failures (account, nth, at) SELECT $1, $2, $3
		WHERE (SELECT COUNT(*) FROM question_failures WHERE account = $1 AND at > $4) < $5`, string(id), nth, now, since, most)
	return n == 1, err
}

func firstFailure(ctx context.Context, tx *db.Tx, id account.ID, since int64) (at int64, err error) {
	err = tx.QueryRow(ctx, `SELECT MIN(at) FROM question_failures WHERE account = $1 AND at > $2`, string(id), since).Scan(&at)
	return at, err
}

func deleteFailure(ctx context.Context, q db.Querier, id account.ID, nth string) error {
	_, err := q.Exec(ctx, `DELETE FROM question_failures WHERE account = $1 AND nth = $2`, string(id), nth)
	return err
}

func dropFailures(ctx context.Context, tx *db.Tx, id account.ID) error {
	_, err := tx.Exec(ctx, `DELETE FROM question_failures WHERE account = $1`, string(id))
	return err
}

// prune removes failures that count no longer.
func prune(ctx context.Context, d *db.DB, since int64) error {
	_, err := d.ExecInBatches(ctx, `DELETE FROM question_failures WHERE (account, nth) IN
		(SELECT account, nth FROM question_failures WHERE at <= $1 ORDER BY at LIMIT $2) AND at <= $1`, since)
	return err
}

// sealedAnswer is one answer that a walk moves to another key.
type sealedAnswer struct {
	id     account.ID
	answer []byte
}

func readAnswers(ctx context.Context, q db.Querier, after string, limit int) ([]sealedAnswer, error) {
	rows, err := q.Query(ctx, `SELECT account, answer FROM questions WHERE account > $1 ORDER BY account LIMIT $2`, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []sealedAnswer
	for rows.Next() {
		var a sealedAnswer
		if err := rows.Scan(&a.id, &a.answer); err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, rows.Err()
}

// swapAnswer replaces an answer that has not changed since it was read.
func swapAnswer(ctx context.Context, q db.Querier, a sealedAnswer, again []byte) error {
	_, err := q.Exec(ctx, `UPDATE questions SET answer = $3 WHERE account = $1 AND answer = $2`, string(a.id), a.answer, again)
	return err
}
