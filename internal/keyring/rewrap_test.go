package keyring

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// vault is a table like a room's, with values sealed under the pepper.
type vault struct {
	d *db.DB
	r *Ring
}

const vaultRows = 500

func newVault(t testing.TB, d *db.DB, r *Ring) vault {
	t.Helper()
	ctx := context.Background()
	if _, err := d.Exec(ctx, `CREATE TABLE vault (id TEXT PRIMARY KEY, sealed `+map[db.Engine]string{db.SQLite: "BLOB", db.PostgreSQL: "BYTEA"}[d.Engine()]+` NOT NULL)`); err != nil {
		t.Fatal(err)
	}
	err := d.Tx(ctx, func(tx *db.Tx) error {
		for i := range vaultRows {
			id := fmt.Sprintf("%04d", i)
			sealed, err := r.Seal(ctx, Pepper, []byte("value "+id), []byte(id))
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `INSERT INTO vault (id, sealed) VALUES ($1, $2)`, id, sealed); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return vault{d, r}
}

func (v vault) rewrap() Rewrap { return Rewrap{Name: "vault", Purpose: Pepper, Step: v.step} }

func (v vault) step(ctx context.Context, cursor string, limit int, skip Skip) (next string, done int, err error) {
	rows, err := v.after(ctx, cursor, limit)
	if err != nil {
		return "", 0, err
	}
	for _, row := range rows {
		again, changed, err := v.r.Renew(ctx, Pepper, row.sealed, []byte(row.id))
		if err != nil {
			if err := skip(ctx, "vault.sealed", row.id, err); err != nil {
				return "", 0, err
			}
		}
		if changed {
			if _, err := v.d.Exec(ctx, `UPDATE vault SET sealed = $1 WHERE id = $2 AND sealed = $3`, again, row.id, row.sealed); err != nil {
				return "", 0, err
			}
		}
		next = row.id
	}
	if len(rows) < limit {
		next = ""
	}
	return next, len(rows), nil
}

type vaultRow struct {
	id     string
	sealed []byte
}

func (v vault) after(ctx context.Context, cursor string, limit int) ([]vaultRow, error) {
	rows, err := v.d.Query(ctx, `SELECT id, sealed FROM vault WHERE id > $1 ORDER BY id LIMIT $2`, cursor, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []vaultRow
	for rows.Next() {
		var row vaultRow
		if err := rows.Scan(&row.id, &row.sealed); err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

// check opens every value and counts the values by key id.
func (v vault) check(t testing.TB) map[string]int {
	t.Helper()
	rows, err := v.after(context.Background(), "", vaultRows+1)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != vaultRows {
		t.Fatalf("%d rows, want %d", len(rows), vaultRows)
	}
	under := map[string]int{}
	for _, row := range rows {
		got, err := v.r.Open(context.Background(), Pepper, row.sealed, []byte(row.id))
		if err != nil || string(got) != "value "+row.id {
			t.Fatalf("row %s: %q, %v", row.id, got, err)
		}
		kid, _ := EnvelopeKey(row.sealed)
		under[kid]++
	}
	return under
}

func TestRewrapFreesTheOldKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		r := open(t, d, c)
		v := newVault(t, d, r)
		old := active(t, r, Pepper)
		next := rotate(t, r, Pepper)
		works := []Rewrap{v.rewrap()}

		var seen []int
		if err := r.RewrapAll(t.Context(), works, func(_ string, done int) { seen = append(seen, done) }); err != nil {
			t.Fatal(err)
		}
		if want := []int{200, 400, 500}; !cmp.Equal(seen, want) {
			t.Errorf("progress %v, want %v", seen, want)
		}
		if got, want := v.check(t), map[string]int{next.ID: vaultRows}; !cmp.Equal(got, want) {
			t.Errorf("rows by key %v, want %v", got, want)
		}
		// Another node may have written rows under the old key that the walk missed.
		if err := r.Destroy(t.Context(), Pepper, old.ID); !errors.Is(err, ErrNeeded) {
			t.Fatalf("destroyed before every node had seen the rotation: %v", err)
		}
		c.advance(Settle)
		seen = nil
		if err := r.RewrapAll(t.Context(), works, func(_ string, done int) { seen = append(seen, done) }); err != nil {
			t.Fatal(err)
		}
		if len(seen) != 3 {
			t.Errorf("the second walk took %d steps, want 3", len(seen))
		}
		if err := r.Destroy(t.Context(), Pepper, old.ID); err != nil {
			t.Fatal(err)
		}
		v.check(t)
		seen = nil
		if err := r.RewrapAll(t.Context(), works, func(_ string, done int) { seen = append(seen, done) }); err != nil || seen != nil {
			t.Errorf("walked %v again, %v, want nothing to do", seen, err)
		}
	})
}

func TestRewrapGoesOnWhereItStopped(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		r := open(t, d, c)
		v := newVault(t, d, r)
		rotate(t, r, Pepper)
		stop := errors.New("stop")
		w := v.rewrap()
		calls := 0
		w.Step = func(ctx context.Context, cursor string, limit int, skip Skip) (string, int, error) {
			if calls++; calls == 3 {
				return "", 0, stop
			}
			return v.step(ctx, cursor, limit, skip)
		}
		if err := r.RewrapAll(t.Context(), []Rewrap{w}, nil); !errors.Is(err, stop) {
			t.Fatalf("%v, want the step's error", err)
		}
		var from []string
		w.Step = func(ctx context.Context, cursor string, limit int, skip Skip) (string, int, error) {
			from = append(from, cursor)
			return v.step(ctx, cursor, limit, skip)
		}
		if err := open(t, d, c).RewrapAll(t.Context(), []Rewrap{w}, nil); err != nil {
			t.Fatal(err)
		}
		if want := []string{"0399"}; !cmp.Equal(from, want) {
			t.Errorf("went on from %v, want %v", from, want)
		}
		if under := v.check(t); len(under) != 1 {
			t.Errorf("rows under %v, want one key", under)
		}
	})
}

// After a rotation in the middle of a walk, the walk must start over.
func TestRewrapStartsOverAfterARotation(t *testing.T) {
	c := newClock()
	d := dbtest.SQLite(t)
	r := open(t, d, c)
	v := newVault(t, d, r)
	rotate(t, r, Pepper)
	stop := errors.New("stop")
	w := v.rewrap()
	calls := 0
	w.Step = func(ctx context.Context, cursor string, limit int, skip Skip) (string, int, error) {
		if calls++; calls == 2 {
			return "", 0, stop
		}
		return v.step(ctx, cursor, limit, skip)
	}
	if err := r.RewrapAll(t.Context(), []Rewrap{w}, nil); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	last := rotate(t, r, Pepper)
	if err := r.RewrapAll(t.Context(), []Rewrap{v.rewrap()}, nil); err != nil {
		t.Fatal(err)
	}
	if got, want := v.check(t), map[string]int{last.ID: vaultRows}; !cmp.Equal(got, want) {
		t.Errorf("rows by key %v, want %v", got, want)
	}
}

func TestRewrapByManyNodesAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		v := newVault(t, d, open(t, d, c))
		next := rotate(t, v.r, Pepper)
		var wg sync.WaitGroup
		for range 4 {
			r := open(t, d, c)
			wg.Go(func() {
				if err := r.RewrapAll(t.Context(), []Rewrap{vault{d, r}.rewrap()}, nil); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got, want := v.check(t), map[string]int{next.ID: vaultRows}; !cmp.Equal(got, want) {
			t.Errorf("rows by key %v, want %v", got, want)
		}
		w, err := selectWalk(t.Context(), d, "vault")
		if err != nil || w.finished.IsZero() || w.done != vaultRows {
			t.Errorf("stored walk %+v, %v, want %d rows done", w, err, vaultRows)
		}
	})
}

func TestRewrapEndsWithItsContext(t *testing.T) {
	c := newClock()
	d := dbtest.SQLite(t)
	r := open(t, d, c)
	w := Rewrap{Name: "endless", Purpose: Field, Step: func(_ context.Context, cursor string, _ int, _ Skip) (string, int, error) {
		return cursor + "x", 1, nil
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := r.RewrapAll(ctx, []Rewrap{w}, nil); err == nil {
		t.Error("a cancelled walk ended without an error")
	}
}
