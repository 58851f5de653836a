package keyring

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// write sets the sealed value of a row.
func (v vault) write(t testing.TB, id string, sealed []byte) {
	t.Helper()
	if _, err := v.d.Exec(t.Context(), `UPDATE vault SET sealed = $1 WHERE id = $2`, sealed, id); err != nil {
		t.Fatal(err)
	}
}

func (v vault) read(t testing.TB, id string) (sealed []byte) {
	t.Helper()
	if err := v.d.QueryRow(t.Context(), `SELECT sealed FROM vault WHERE id = $1`, id).Scan(&sealed); err != nil {
		t.Fatal(err)
	}
	return sealed
}

// Values that open under no key neither stop a walk nor keep the old key alive. They stay
// unchanged, and the log names each of them once.
func TestRewrapGoesPastDamage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		var log bytes.Buffer
		r := open(t, d, c, func(c *Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		v := newVault(t, d, r)
		old := active(t, r, Pepper)
		flipped := v.read(t, "0007")
		flipped[len(flipped)-1] ^= 1
		v.write(t, "0007", flipped)
		v.write(t, "0199", []byte("no envelope"))
		v.write(t, "0200", v.read(t, "0201"))
		lost := rotate(t, r, Pepper)
		underLost, err := r.Seal(t.Context(), Pepper, []byte("value 0499"), []byte("0499"))
		if err != nil {
			t.Fatal(err)
		}
		v.write(t, "0499", underLost)
		rotate(t, r, Pepper)
		if err := r.ForceDestroy(t.Context(), Pepper, lost.ID); err != nil {
			t.Fatal(err)
		}
		c.advance(Settle)
		damaged := []string{"0007", "0199", "0200", "0499"}
		before := map[string]string{}
		for _, id := range damaged {
			before[id] = string(v.read(t, id))
		}
		for range 2 { // the second finds nothing to do
			if err := r.RewrapAll(t.Context(), []Rewrap{v.rewrap()}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := r.Damaged(t.Context()); n != len(damaged) || err != nil {
			t.Errorf("Damaged = %d, %v, want %d", n, err, len(damaged))
		}
		for _, id := range damaged {
			if n := strings.Count(log.String(), "place=vault.sealed id="+id); n != 1 {
				t.Errorf("the log names %s %d times, want once:\n%s", id, n, &log)
			}
			if string(v.read(t, id)) != before[id] {
				t.Errorf("%s was changed", id)
			}
		}
		if n := strings.Count(log.String(), "level=ERROR"); n != len(damaged) {
			t.Errorf("%d errors logged, want %d:\n%s", n, len(damaged), &log)
		}
		if err := r.Destroy(t.Context(), Pepper, old.ID); err != nil {
			t.Errorf("damage keeps the old key alive: %v", err)
		}
		rows, err := v.after(t.Context(), "", vaultRows+1)
		if err != nil {
			t.Fatal(err)
		}
		var shut []string
		for _, row := range rows {
			if got, err := r.Open(t.Context(), Pepper, row.sealed, []byte(row.id)); err != nil || string(got) != "value "+row.id {
				shut = append(shut, row.id)
			}
		}
		if !cmp.Equal(shut, damaged) {
			t.Errorf("without the old key %v do not open, want %v", shut, damaged)
		}
	})
}

// A value whose key is missing may open later. The walk moves all others and runs again. No
// key of the purpose is destroyed before the value has moved.
func TestRewrapWaitsForAMissingKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		r := open(t, d, c)
		v := newVault(t, d, r)
		old := active(t, r, Pepper)
		next := rotate(t, r, Pepper)
		gone, err := r.Seal(t.Context(), Pepper, []byte("value 0003"), []byte("0003"))
		if err != nil {
			t.Fatal(err)
		}
		v.write(t, "0003", gone)
		rotate(t, r, Pepper)
		c.advance(Settle)
		// As after the restore of a backup older than the key.
		for _, q := range []string{
			`CREATE TABLE aside AS SELECT * FROM ring_keys WHERE kid = '` + next.ID + `'`,
			`DELETE FROM ring_keys WHERE kid = '` + next.ID + `'`,
		} {
			if _, err := d.Exec(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
		works := []Rewrap{v.rewrap()}
		for range 2 {
			if err := r.RewrapAll(t.Context(), works, nil); !errors.Is(err, ErrNoKey) {
				t.Fatalf("RewrapAll = %v, want that it is told of the missing key", err)
			}
		}
		if !bytes.Equal(v.read(t, "0003"), gone) {
			t.Error("the value that waits was changed")
		}
		rows, err := v.after(t.Context(), "", vaultRows+1)
		if err != nil {
			t.Fatal(err)
		}
		under := map[string]int{}
		for _, row := range rows {
			kid, _ := EnvelopeKey(row.sealed)
			under[kid]++
		}
		if want := map[string]int{active(t, r, Pepper).ID: vaultRows - 1, next.ID: 1}; !cmp.Equal(under, want) {
			t.Errorf("rows by key %v, want %v", under, want)
		}
		if err := r.Destroy(t.Context(), Pepper, old.ID); !errors.Is(err, ErrNeeded) {
			t.Errorf("destroyed while a value waits: %v", err)
		}
		if _, err := d.Exec(t.Context(), `INSERT INTO ring_keys SELECT * FROM aside`); err != nil {
			t.Fatal(err)
		}
		if err := r.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.Destroy(t.Context(), Pepper, next.ID); !errors.Is(err, ErrNeeded) {
			t.Errorf("a key that came back was destroyed over what it seals: %v", err)
		}
		if err := r.RewrapAll(t.Context(), works, nil); err != nil {
			t.Fatal(err)
		}
		for _, kid := range []string{old.ID, next.ID} {
			if err := r.Destroy(t.Context(), Pepper, kid); err != nil {
				t.Error(err)
			}
		}
		v.check(t)
	})
}

// An error that says nothing about the value ends its walk, but no other walk.
func TestRewrapStopsAtOtherErrors(t *testing.T) {
	d := dbtest.SQLite(t)
	r := open(t, d, newClock())
	v := newVault(t, d, r)
	down := errors.New("the database is down")
	broken := Rewrap{Name: "broken", Purpose: Pepper, Step: func(ctx context.Context, _ string, _ int, skip Skip) (string, int, error) {
		return "", 1, skip(ctx, "broken.sealed", "1", down)
	}}
	still := Rewrap{Name: "still", Purpose: Pepper, Step: func(context.Context, string, int, Skip) (string, int, error) { return "same", 200, nil }}
	old := active(t, r, Pepper)
	next := rotate(t, r, Pepper)
	err := r.RewrapAll(t.Context(), []Rewrap{broken, still, v.rewrap()}, nil)
	if !errors.Is(err, down) || !strings.Contains(err.Error(), "rewrap still") {
		t.Errorf("RewrapAll = %v, want both failures", err)
	}
	if got, want := v.check(t), map[string]int{next.ID: vaultRows}; !cmp.Equal(got, want) {
		t.Errorf("rows by key %v, want %v", got, want)
	}
	if err := r.Destroy(t.Context(), Pepper, old.ID); !errors.Is(err, ErrNeeded) {
		t.Errorf("destroyed while walks have not finished: %v", err)
	}
	if w, err := selectWalk(t.Context(), d, "broken"); err != nil || !w.finished.IsZero() || w.done != 0 {
		t.Errorf("the broken walk stands at %+v, %v", w, err)
	}
}
