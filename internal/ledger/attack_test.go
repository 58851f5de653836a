package ledger

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/keyring"
	"coffer/internal/metric"
	"coffer/internal/treelog"
)

// attacked is a ledger of 12 entries with checkpoints at 4, 8 and 12, and two entries more.
func attacked(t *testing.T, d *db.DB) (w *world, kept []treelog.Checkpoint, copied []treelog.Entry) {
	w = newWorld(t, d, func(c *Config) { c.Metrics = metric.New("test") })
	for range 3 {
		w.add(w.ada, 4)
		kept = append(kept, w.sign())
	}
	copied = w.list()
	w.add(w.bob, 2)
	return w, kept, copied
}

// shift moves the places of the entries from one on, in an order that keeps them unique.
func (w *world) shift(from, by int64) {
	w.t.Helper()
	w.exec(`UPDATE ledger_entries SET n = n + 1000 WHERE n >= $1`, from)
	w.exec(`UPDATE ledger_entries SET n = n - 1000 + $1 WHERE n >= 1000`, by)
}

// An edit of the entries in the database is named by a reader that kept
// checkpoints, to the very entry by one who kept a copy, and stops the server's signature.
func TestAttacks(t *testing.T) {
	for _, attack := range []struct {
		name        string
		do          func(w *world)
		alone, with string // what is found with checkpoints, and with the copy
		refused     string // why the server refuses
	}{
		{name: "edit", do: func(w *world) { w.exec(`UPDATE ledger_entries SET size = size + 1 WHERE n = 5`) },
			alone: "edited 4-8", with: "edited 5-6", refused: "entry 5 was altered"},
		{name: "edit into no entry", do: func(w *world) { w.exec(`UPDATE ledger_entries SET cid = '"', digest = commitment WHERE n = 5`) },
			alone: "edited 5-6", with: "edited 5-6", refused: "entry 5 was altered"},
		{name: "delete", do: func(w *world) { w.exec(`DELETE FROM ledger_entries WHERE n = 6`) },
			alone: "missing 6-7", with: "missing 6-7", refused: "entry 6 is missing"},
		{name: "delete the end", do: func(w *world) { w.exec(`DELETE FROM ledger_entries WHERE n >= 11`) },
			alone: "missing 11-12", with: "missing 11-12", refused: "entry 11 is missing"},
		{name: "delete and number again", do: func(w *world) {
			w.exec(`DELETE FROM ledger_entries WHERE n = 6 OR n >= 12`)
			w.shift(7, -1)
			w.exec(`UPDATE ledger_state SET size = 11`)
		}, alone: "missing 4-8", with: "missing 6-7", refused: "another size"},
		{name: "insert", do: func(w *world) {
			w.shift(7, 1)
			w.exec(`INSERT INTO ledger_entries (n, at, kind, cid, size, digest, commitment) SELECT 7, at, kind, cid, 77, digest, digest FROM ledger_entries WHERE n = 6`)
			w.exec(`UPDATE ledger_state SET size = size + 1`)
		}, alone: "inserted 7-8", with: "inserted 7-8", refused: "entry 7 was altered"},
		{name: "swap", do: func(w *world) {
			w.exec(`UPDATE ledger_entries SET n = 1000 WHERE n = 5`)
			w.exec(`UPDATE ledger_entries SET n = 5 WHERE n = 9`)
			w.exec(`UPDATE ledger_entries SET n = 9 WHERE n = 1000`)
		}, alone: "reordered 5-7, reordered 8-10", with: "reordered 5-6, reordered 9-10", refused: "entry 5 was altered"},
	} {
		t.Run(attack.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w, kept, copied := attacked(t, d)
				attack.do(w)
				if got := found(w.audit(kept...).Wrong); got != attack.alone {
					t.Errorf("a reader with checkpoints finds %q, want %q", got, attack.alone)
				}
				compare := treelog.NewComparison()
				for _, e := range copied {
					compare.Copied(e)
				}
				for _, e := range w.list() {
					compare.Add(e)
				}
				if got := found(compare.End()); got != attack.with {
					t.Errorf("a reader with a copy finds %q, want %q", got, attack.with)
				}
				w.refuses(attack.refused)
			})
		})
	}
}

func found(all []treelog.Finding) string {
	var words []string
	for _, f := range all {
		words = append(words, fmt.Sprintf("%s %d-%d", f.Kind, f.From, f.To))
	}
	return strings.Join(words, ", ")
}

// refuses checks that the server signs nothing, and says why in log, state and metrics.
func (w *world) refuses(why string) {
	w.t.Helper()
	ctx := context.Background()
	before := w.count(`SELECT COUNT(*) FROM ledger_checkpoints`)
	if err := w.onTime(ctx); !errors.Is(err, errDamaged) || !strings.Contains(err.Error(), why) {
		w.t.Errorf("the periodic work says %v, want %q", err, why)
	}
	if note, err := w.Checkpoint(ctx, false); !errors.Is(err, errDamaged) {
		w.t.Errorf("signed: %s, %v", note, err)
	}
	if after := w.count(`SELECT COUNT(*) FROM ledger_checkpoints`); after != before {
		w.t.Errorf("%d checkpoints became %d", before, after)
	}
	if !w.said.has("ERROR ledger: the stored ledger is not the one that was signed") || !w.said.has(why) {
		w.t.Errorf("the log does not say %q: %q", why, w.said.lines)
	}
	if page := string(w.Metrics.Page(ctx)); !strings.Contains(page, "coffer_ledger_damaged 1") || !strings.Contains(page, `coffer_ledger_checkpoints_total{outcome="refused"} 2`) {
		w.t.Errorf("the metrics do not tell it:\n%s", page)
	}
}

// The server signs again once the entries are those that it signed.
func TestRepaired(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, kept, _ := attacked(t, d)
		w.exec(`UPDATE ledger_entries SET size = size + 1 WHERE n = 5`)
		w.refuses("entry 5 was altered")
		w.add(w.bob, 1) // people's work goes on
		w.exec(`UPDATE ledger_entries SET size = size - 1 WHERE n = 5`)
		w.must(w.onTime(t.Context()))
		c := w.open(mustNote(t, w))
		if r := w.audit(append(kept, c)...); c.Size != 15 || r.Held != 4 || len(r.Wrong) > 0 {
			t.Errorf("%+v, %+v", c, r)
		}
		if page := string(w.Metrics.Page(t.Context())); !strings.Contains(page, "coffer_ledger_damaged 0") {
			t.Errorf("the metrics say damaged:\n%s", page)
		}
	})
}

// An edit of the tree, the checkpoints or the state stops the signature too.
func TestAttacksOnTheTree(t *testing.T) {
	for name, attack := range map[string]struct{ q, why string }{
		"a tile":               {`UPDATE ledger_tiles SET hashes = (SELECT commitment FROM ledger_entries WHERE n = 0) WHERE level = 0`, "hashes do not lead"},
		"no tile":              {`DELETE FROM ledger_tiles`, "hashes do not lead"},
		"the newest is gone":   {`DELETE FROM ledger_checkpoints WHERE size = 12`, "newest checkpoint is gone"},
		"all are gone":         {`DELETE FROM ledger_checkpoints`, "newest checkpoint is gone"},
		"an edited checkpoint": {`UPDATE ledger_checkpoints SET note = (SELECT c.note FROM ledger_checkpoints c WHERE c.size = 4) WHERE size = 12`, "not one that this server signed"},
		"an older state":       {`UPDATE ledger_state SET hashed = 4`, "another size"},
		"no key":               {`DELETE FROM ledger_keys`, "not one that this server signed"},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w, _, _ := attacked(t, d)
				w.exec(attack.q)
				w.refuses(attack.why)
			})
		})
	}
}

// forge makes the database tell another history of its entries, in which the first so many are
// signed by a key of the attacker.
func (w *world) forge(signed int64) {
	w.t.Helper()
	ctx := context.Background()
	w.exec(`DELETE FROM ledger_tiles`)
	w.exec(`UPDATE ledger_state SET hashed = 0, signed = 0, damaged = ''`)
	mine, err := w.hash(ctx, 0, signed)
	w.must(err)
	root, err := w.tree(ctx, w.DB, signed).Root()
	w.must(err)
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	public := treelog.Key{Name: w.origin, Public: key.Public().(ed25519.PublicKey)}
	note, err := treelog.Checkpoint{Origin: w.origin, Size: signed, Root: root}.Sign(key)
	w.must(err)
	if !mine {
		w.t.Fatal("the tree is another's")
	}
	w.exec(`INSERT INTO ledger_keys (key, seq, since_at) VALUES ($1, 9, 9)`, public.String())
	w.exec(`INSERT INTO ledger_checkpoints (size, at, note) VALUES ($1, 9, $2)`, signed, note)
	w.exec(`UPDATE ledger_state SET signed = $1`, signed)
}

// back takes the database to the moment of 8 entries.
func (w *world) back() {
	w.exec(`DELETE FROM ledger_entries WHERE n >= 8`)
	w.exec(`DELETE FROM ledger_owners WHERE n >= 8`)
	w.exec(`DELETE FROM ledger_checkpoints WHERE size > 8`)
	w.exec(`DELETE FROM ledger_tiles`)
	w.exec(`UPDATE ledger_state SET size = 8, hashed = 0, signed = 0, damaged = ''`)
	if mine, err := w.hash(context.Background(), 0, 8); !mine || err != nil {
		w.t.Fatal(mine, err)
	}
	w.exec(`UPDATE ledger_state SET signed = 8`)
	w.exec(`UPDATE ledger_places SET size = 8`)
}

// A writer of the database who has no key writes another history into all of its tables. The
// server signs nothing, from memory and, when it starts again, from its file.
func TestRewrittenHistory(t *testing.T) {
	const edit = `UPDATE ledger_entries SET size = size + 1 WHERE n = 5`
	for _, attack := range []struct {
		name string
		do   func(w *world)
		why  string
	}{
		{"reset", func(w *world) {
			w.exec(edit)
			w.exec(`DELETE FROM ledger_tiles`)
			w.exec(`DELETE FROM ledger_checkpoints`)
			w.exec(`UPDATE ledger_state SET hashed = 0, signed = 0, damaged = ''`)
		}, "the database has checkpoints up to 0 entries"},
		{"rollback", func(w *world) { w.back(); w.add(w.bob, 3) }, "the database has checkpoints up to 8 entries"},
		{"planted key", func(w *world) {
			w.exec(edit)
			w.exec(`DELETE FROM ledger_checkpoints`)
			w.forge(14)
			w.add(w.bob, 2)
		}, "the ledger does not continue"},
		{"planted key of the same size", func(w *world) {
			w.exec(edit)
			w.exec(`DELETE FROM ledger_checkpoints`)
			w.forge(12)
		}, "the ledger does not continue"},
		{"planted key behind what was signed", func(w *world) {
			w.exec(edit)
			w.forge(14)
			w.add(w.bob, 2)
		}, "the ledger does not continue"},
	} {
		for name, restart := range map[string]bool{"": false, ", then a start": true} {
			t.Run(attack.name+name, func(t *testing.T) {
				dbtest.Each(t, func(t *testing.T, d *db.DB) {
					w, _, _ := attacked(t, d)
					w.below.RunJobs()
					attack.do(w)
					if restart {
						w.restart()
					} else {
						w.File, w.places = NoFile, nil
					}
					w.refuses(attack.why)
					if !restart {
						return
					}
					_ = w.bring(t.Context(), w.places[0]) // the file takes none of it
					if got := w.sizes(); !slices.Equal(got, []int64{4, 8, 12}) {
						t.Errorf("the file has %v", got)
					}
					w.restart()
					if note, err := w.Checkpoint(t.Context(), true); !errors.Is(err, errDamaged) {
						t.Errorf("then signed: %s, %v", note, err)
					}
				})
			})
		}
	}
}

// The operator accepts a backup. The file says so, and readers of the file find two histories.
func TestRestored(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, _, _ := attacked(t, d)
		ctx := t.Context()
		if err := w.Restored(ctx); !errors.Is(err, errNoFile) {
			t.Errorf("without a file: %v", err)
		}
		w.below.RunJobs()
		if err := w.Restored(ctx); !errors.Is(err, errNoBreak) {
			t.Errorf("without a break: %v", err)
		}
		w.back()
		w.add(w.bob, 3)
		w.refuses("the database has checkpoints up to 8 entries")
		w.must(w.Restored(ctx))
		w.restart()
		if c := w.sign(); c.Size != 11 {
			t.Errorf("%+v", c)
		}
		w.must(w.bring(ctx, w.places[0]))
		if got := w.sizes(); !slices.Equal(got, []int64{4, 8, 12, 8, 11}) {
			t.Errorf("the file has %v", got)
		}
		text, err := os.ReadFile(w.File)
		w.must(err)
		if !strings.Contains(string(text), ": the operator accepted a ledger of 11 entries that does not continue the checkpoint of 12 entries above\n") {
			t.Errorf("the file does not tell it:\n%s", text)
		}
		w.restart()
		w.add(w.bob, 3)
		c := w.sign()
		var anchors []treelog.Checkpoint
		notes, _, err := treelog.SplitNotes(text)
		w.must(err)
		for _, note := range notes {
			anchors = append(anchors, w.open(note))
		}
		if got := found(w.audit(append(anchors, c)...).Wrong); got != "forked 11-12" {
			t.Errorf("a reader of the file finds %q", got)
		}
	})
}

// A backup from before the first checkpoint: the file begins again behind its words.
func TestRestoredWithoutACheckpoint(t *testing.T) {
	w, _, _ := attacked(t, dbtest.SQLite(t))
	w.below.RunJobs()
	for _, table := range []string{"ledger_entries", "ledger_owners", "ledger_checkpoints", "ledger_tiles", "ledger_keys", "ledger_places", "ledger_state"} {
		w.exec(`DELETE FROM ` + table)
	}
	w.add(w.bob, 2)
	if _, err := w.Checkpoint(t.Context(), true); !errors.Is(err, errDamaged) {
		t.Error(err)
	}
	w.must(w.Restored(t.Context()))
	w.sign()
	w.below.RunJobs()
	if got := w.sizes(); !slices.Equal(got, []int64{4, 8, 12, 2}) {
		t.Errorf("the file has %v", got)
	}
}

// Without a file a server that starts knows the database alone: it signs another history. A
// checkpoint that lies outside shows the fork.
func TestRewrittenHistoryWithoutAFile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w, kept, copied := attacked(t, d)
		ctx := t.Context()
		w.exec(`UPDATE ledger_entries SET size = size + 1 WHERE n = 5`)
		for _, q := range []string{`DELETE FROM ledger_tiles`, `DELETE FROM ledger_checkpoints`, `UPDATE ledger_state SET hashed = 0, signed = 0, damaged = ''`} {
			w.exec(q)
		}
		w.restart(func(c *Config) { c.File = NoFile })
		again := w.sign() // the server itself cannot tell
		if r := w.audit(again); r.Held != 1 || len(r.Wrong) > 0 {
			t.Errorf("without a checkpoint from outside: %+v", r)
		}
		if got := found(w.audit(append(kept, again)...).Wrong); got != "forked 4-8, forked 4-12" && got != "forked 4-8, forked 0-12" {
			t.Errorf("found %q", got)
		}
		compare := treelog.NewComparison()
		for _, e := range copied {
			compare.Copied(e)
		}
		for _, e := range w.list() {
			compare.Add(e)
		}
		if got := found(compare.End()); got != "edited 5-6" {
			t.Errorf("beside the copy: %q", got)
		}
		g, err := w.grow(ctx, 12, 14)
		w.must(err)
		if treelog.CheckConsistency(hashesOf(t, g.Hashes), 14, again.Root, 12, kept[2].Root) == nil {
			t.Error("the server proves that its new history continues the old one")
		}

		// Two histories of one size, signed by one key.
		k, err := w.Ring.Active(ctx, keyring.Ledger)
		w.must(err)
		other, err := treelog.Checkpoint{Origin: again.Origin, Size: again.Size, Root: kept[0].Root}.Sign(ed25519.NewKeyFromSeed(k.Secret))
		w.must(err)
		if got := found(w.audit(w.open(other), again).Wrong); got != "forked 0-14" {
			t.Errorf("two of one size: %q", got)
		}
	})
}

// A crash between the hashes and the signature costs nothing.
func TestCrashBeforeTheSignature(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.add(w.ada, 5)
		if mine, err := w.hash(t.Context(), 0, 5); !mine || err != nil {
			t.Fatal(mine, err)
		}
		if mine, err := w.hash(t.Context(), 0, 5); mine || err != nil {
			t.Errorf("the tree is begun twice: %v, %v", mine, err)
		}
		w.add(w.ada, 1)
		c := w.sign()
		if r := w.audit(c); c.Size != 6 || r.Held != 1 || len(r.Wrong) > 0 {
			t.Errorf("%+v, %+v", c, r)
		}
	})
}

// A database that is away is no damage.
func TestAbsentDatabase(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.add(w.ada, 2)
	w.sign()
	w.add(w.ada, 2)
	ctx, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
	defer cancel()
	if _, err := w.Checkpoint(ctx, true); err == nil || errors.Is(err, errDamaged) {
		t.Errorf("a time-out is %v", err)
	}
	if c := w.sign(); c.Size != 4 {
		t.Errorf("%+v", c)
	}
	if w.said.has("ERROR") {
		t.Errorf("the log: %q", w.said.lines)
	}
}

// TestTimeWithoutForm: an edited time that no entry can have stops the appending, before such an entry is
// hashed and signed for ever.
func TestTimeWithoutForm(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.add(w.ada, 1)
	w.exec(`UPDATE ledger_state SET last_at = 253402300800000`)
	if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { _, err := w.Append(t.Context(), tx, w.ada, event(0), event(1)); return err }); !errors.Is(err, treelog.ErrEntry) {
		t.Error(err)
	}
}
