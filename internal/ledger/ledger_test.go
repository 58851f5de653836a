package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/keyring"
	"coffer/internal/limit/limittest"
	"coffer/internal/treelog"
)

// An entry has its place from its transaction: there are no holes where one failed.
func TestAppend(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		w.add(w.ada, 3)
		undone := errors.New("undone")
		if err := d.Tx(ctx, func(tx *db.Tx) error {
			if n, err := w.Append(ctx, tx, w.ada, event(0), event(1)); n != 3 || err != nil {
				t.Errorf("place %d, %v", n, err)
			}
			return undone
		}); !errors.Is(err, undone) {
			t.Fatal(err)
		}
		w.must(d.Tx(ctx, func(tx *db.Tx) error {
			n, err := w.Append(ctx, tx, w.bob, event(3), event(3), event(3))
			if n != 3 {
				t.Errorf("place %d after one that failed", n)
			}
			return err
		}))
		all := w.list()
		if len(all) != 6 {
			t.Fatalf("%d entries: %v", len(all), all)
		}
		seen := map[string]bool{}
		for i, e := range all {
			if e.N != int64(i) || e.Check() != nil || seen[e.Commitment] {
				t.Errorf("entry %d is %+v", i, e)
			}
			seen[e.Commitment] = true
		}
		if got := all[3]; got.CID != event(3).CID || got.Kind != "pin" || got.Size != 3 || got.Digest != hex.EncodeToString(func() []byte { d := event(3).Digest; return d[:] }()) {
			t.Errorf("the entry is %+v", got)
		}
		// The commitment is what the account's key makes of the entry and its subject.
		key, err := w.Accounts.DataKey(ctx, d, w.bob)
		w.must(err)
		r, err := readEntry(ctx, d, 4)
		w.must(err)
		for subject, want := range map[string]bool{"pin-3": true, "pin-4": false} {
			made, err := w.commit(key, r, []byte(timeOf(r.At)), subject)
			w.must(err)
			if (hex.EncodeToString(made) == all[4].Commitment) != want {
				t.Errorf("the commitment of %s: %v", subject, want)
			}
		}
		for what, e := range map[string]Event{
			"another kind": {Kind: "gone", CID: event(0).CID}, "no CID": {Kind: Pin}, "another CID": {Kind: Pin, CID: "Qm"}, "a negative size": {Kind: Pin, CID: event(0).CID, Size: -1},
		} {
			if err := d.Tx(ctx, func(tx *db.Tx) error { _, err := w.Append(ctx, tx, w.ada, e); return err }); err == nil {
				t.Errorf("%s is appended", what)
			}
		}
		if n := w.count(`SELECT size FROM ledger_state WHERE id = 1`); n != 6 {
			t.Errorf("%d places are given", n)
		}
	})
}

// Times never go back, whichever node's clock an entry comes from.
func TestTimesNeverGoBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.add(w.ada, 2)
		w.below.Advance(-time.Hour)
		w.add(w.ada, 2)
		all := w.list()
		if !slices.IsSortedFunc(all, func(a, b treelog.Entry) int { return strings.Compare(a.Time, b.Time) }) || all[2].Time != all[1].Time {
			t.Errorf("the times are %v", all)
		}
		if r := w.audit(w.sign()); len(r.Wrong) > 0 || r.Held != 1 {
			t.Errorf("%+v", r)
		}
	})
}

// Writers at once get each place once.
func TestAppendAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, func(c *Config) { c.Every = 5 })
		owners := []account.ID{w.ada, w.bob}
		var turn = make(chan int, 40)
		for i := range 40 {
			turn <- i
		}
		passed := limittest.AtOnce(40, func() error {
			i := <-turn
			return d.Tx(context.Background(), func(tx *db.Tx) error {
				_, err := w.Append(context.Background(), tx, owners[i%2], event(i))
				return err
			})
		})
		if passed != 40 {
			t.Errorf("%d of 40 were appended", passed)
		}
		w.below.RunJobs()
		all := w.list()
		for i, e := range all {
			if e.N != int64(i) {
				t.Fatalf("entry %d stands at %d", e.N, i)
			}
		}
		if r := w.audit(w.open(mustNote(t, w))); len(all) != 40 || r.Signed != 40 || len(r.Wrong) > 0 {
			t.Errorf("%d entries, %+v", len(all), r)
		}
	})
}

func mustNote(t *testing.T, w *world) []byte {
	t.Helper()
	note, err := w.newest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return note
}

// A checkpoint comes after so many entries, and when its time has come if there is anything
// new. Another implementation opens it.
func TestCheckpoints(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, func(c *Config) { c.Every = 4 })
		if got := w.code("/ledger/checkpoint", 404); got != "no_checkpoint" {
			t.Error(got)
		}
		w.must(w.onTime(t.Context())) // an empty ledger has nothing to sign
		if _, err := w.Checkpoint(t.Context(), true); !errors.Is(err, errNoCheckpoint) {
			t.Errorf("a checkpoint of nothing: %v", err)
		}
		w.add(w.ada, 3)
		if w.below.RunJobs(); w.count(`SELECT COUNT(*) FROM ledger_checkpoints`) != 0 {
			t.Error("a checkpoint before its time")
		}
		w.add(w.ada, 1)
		w.below.RunJobs()
		if c := w.open(mustNote(t, w)); c.Size != 4 || c.Origin != "coffer.test/ledger" {
			t.Errorf("%+v", c)
		}
		w.add(w.ada, 1)
		w.must(w.onTime(t.Context()))
		w.must(w.onTime(t.Context())) // nothing is new
		text := mustNote(t, w)
		if c := w.open(text); c.Size != 5 || w.count(`SELECT COUNT(*) FROM ledger_checkpoints`) != 2 {
			t.Errorf("%+v", c)
		}
		if got := w.get("/ledger/checkpoint", "", 200, nil); got != string(text) {
			t.Errorf("the door shows %q", got)
		}
		var keys struct {
			Items []LedgerKey `json:"items"`
		}
		w.get("/ledger/keys", "", 200, &keys)
		verifier, err := note.NewVerifier(keys.Items[0].Key)
		w.must(err)
		if n, err := note.Open(text, note.VerifierList(verifier)); err != nil || !strings.HasPrefix(n.Text, "coffer.test/ledger\n5\n") {
			t.Errorf("another reader: %v, %v", n, err)
		}
	})
}

// Many nodes sign at once: each size has one checkpoint, and each continues the one before.
func TestCheckpointsAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for range 4 {
			w.add(w.ada, 3)
			if n := limittest.AtOnce(6, func() error {
				_, err := w.Checkpoint(context.Background(), true)
				if errors.Is(err, errNoCheckpoint) { // the other node has not signed yet
					err = nil
				}
				return err
			}); n != 6 {
				t.Errorf("%d of 6 nodes succeeded", n)
			}
			w.sign()
		}
		if n := w.count(`SELECT COUNT(*) FROM ledger_checkpoints`); n != 4 {
			t.Errorf("%d checkpoints", n)
		}
		var anchors []treelog.Checkpoint
		for _, size := range []int64{3, 6, 9, 12} {
			c, err := checkpointOf(t.Context(), d, size)
			w.must(err)
			anchors = append(anchors, w.open(c.Note))
		}
		if r := w.audit(anchors...); r.Held != 4 || len(r.Wrong) > 0 {
			t.Errorf("%+v", r)
		}
	})
}

// More entries than a batch, over several tiles, in checkpoints of all sizes.
func TestManyEntries(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, func(c *Config) { c.Every = 1 << 40 })
		ctx := t.Context()
		var anchors []treelog.Checkpoint
		for _, n := range []int{255, 1, 1, 300, batch, 77} {
			events := make([]Event, n)
			for i := range events {
				events[i] = event(i)
			}
			w.must(d.Tx(ctx, func(tx *db.Tx) error { _, err := w.Append(ctx, tx, w.ada, events...); return err }))
			anchors = append(anchors, w.sign())
		}
		var all []treelog.Entry
		w.must(w.each(ctx, 0, anchors[5].Size, func(rows []row) error {
			for _, r := range rows {
				all = append(all, r.entry())
			}
			return nil
		}))
		var f treelog.Frontier
		next := 0
		for _, e := range all {
			f.Add(e.Leaf())
			if f.Size() == anchors[next].Size {
				if f.Root() != anchors[next].Root {
					t.Errorf("the root of %d is another one", f.Size())
				}
				next++
			}
		}
		for _, c := range anchors {
			for _, n := range []int64{0, c.Size / 2, c.Size - 1} {
				p, err := w.prove(ctx, n, c.Size)
				w.must(err)
				w.must(tlog.CheckRecord(hashesOf(t, p.Hashes), c.Size, c.Root, n, treelog.LeafHash([]byte(p.Entry))))
			}
			g, err := w.grow(ctx, c.Size, anchors[5].Size)
			w.must(err)
			w.must(treelog.CheckConsistency(hashesOf(t, g.Hashes), anchors[5].Size, anchors[5].Root, c.Size, c.Root))
		}
	})
}

func hashesOf(t *testing.T, words []string) []treelog.Hash {
	t.Helper()
	all := make([]treelog.Hash, len(words))
	for i, word := range words {
		b, err := hex.DecodeString(word)
		if err != nil || len(b) != treelog.HashSize {
			t.Fatalf("%q is no hash", word)
		}
		all[i] = treelog.Hash(b)
	}
	return all
}

// The doors: pages, proofs, refusals, and one's own entries.
func TestDoors(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var page LedgerPage
		if w.get("/ledger", "", 200, &page); len(page.Items) != 0 || page.Size != 0 || page.NextCursor != "" {
			t.Errorf("an empty ledger is %+v", page)
		}
		w.add(w.ada, 5)
		w.add(w.bob, 2)
		first := w.sign()
		w.add(w.ada, 2)
		second := w.sign()
		w.add(w.bob, 1)

		w.get("/ledger?from=2&limit=3", "", 200, &page)
		if len(page.Items) != 3 || page.Items[0].N != 2 || page.NextCursor != "5" || page.Size != 10 {
			t.Errorf("a page is %+v", page)
		}
		for _, c := range []treelog.Checkpoint{first, second} {
			var p LedgerProof
			w.get(fmt.Sprintf("/ledger/entries/3/proof?size=%d", c.Size), "", 200, &p)
			if got := w.open([]byte(p.Checkpoint)); got != c || p.Size != c.Size || p.N != 3 {
				t.Errorf("a proof is %+v", p)
			}
			e, err := treelog.ParseEntry([]byte(p.Entry))
			w.must(err)
			leaf := e.Leaf()
			if e.N != 3 || hex.EncodeToString(leaf[:]) != p.LeafHash {
				t.Errorf("the entry of a proof is %s", p.Entry)
			}
			w.must(tlog.CheckRecord(hashesOf(t, p.Hashes), c.Size, c.Root, 3, leaf))
		}
		var p LedgerProof
		if w.get("/ledger/entries/8/proof", "", 200, &p); p.Size != 9 {
			t.Errorf("the newest checkpoint is of %d", p.Size)
		}
		var g LedgerGrowth
		w.get("/ledger/consistency?from=7&to=9", "", 200, &g)
		w.must(treelog.CheckConsistency(hashesOf(t, g.Hashes), 9, second.Root, 7, first.Root))
		for path, want := range map[string]string{
			"/ledger/entries/10/proof": "404 not_found", "/ledger/entries/9/proof": "409 not_yet_in_checkpoint", "/ledger/entries/8/proof?size=7": "409 not_yet_in_checkpoint",
			"/ledger/entries/0/proof?size=8": "404 no_checkpoint", "/ledger/consistency?from=1&to=10": "409 not_yet_in_checkpoint",
			"/ledger/consistency?from=9&to=7": "422 validation_failed", "/ledger/consistency?from=0&to=7": "422 validation_failed", "/ledger/consistency?to=7": "422 validation_failed",
			"/ledger?limit=1001": "422 validation_failed", "/ledger?from=-1": "422 validation_failed", "/ledger/entries/-1/proof": "422 validation_failed",
			"/account/ledger": "401 unauthenticated",
		} {
			var status int
			var code string
			_, err := fmt.Sscanf(want, "%d %s", &status, &code)
			w.must(err)
			if got := w.code(path, status); got != code {
				t.Errorf("%s: %s, want %s", path, got, code)
			}
		}

		var own struct {
			Items      []OwnLedgerEntry `json:"items"`
			NextCursor string           `json:"next_cursor"`
		}
		w.get("/account/ledger?limit=2", string(w.bob), 200, &own)
		if len(own.Items) != 2 || own.Items[0].N != 9 || own.Items[0].InCheckpoint || own.Items[1].N != 6 || !own.Items[1].InCheckpoint || own.NextCursor == "" {
			t.Errorf("bob's first page: %+v", own)
		}
		cursor := own.NextCursor
		own.NextCursor = ""
		w.get("/account/ledger?limit=2&cursor="+cursor, string(w.bob), 200, &own)
		if len(own.Items) != 1 || own.Items[0].N != 5 || own.NextCursor != "" {
			t.Errorf("bob's second page: %+v", own)
		}
		w.get("/account/ledger?cursor=x", string(w.bob), 422, nil)
		if strings.Contains(w.get("/ledger", "", 200, nil), string(w.bob)) {
			t.Error("the ledger names an account")
		}
	})
}

// TestPages: the list has the pages of all lists, and begins anywhere.
func TestPages(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	events := make([]Event, 60)
	for i := range events {
		events[i] = event(i)
	}
	w.must(w.DB.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := w.Append(t.Context(), tx, w.ada, events...)
		return err
	}))
	for query, want := range map[string][3]string{ // first and number of the items, next_cursor
		"": {"0", "50", "50"}, "cursor=50": {"50", "10", ""}, "cursor=10&limit=5": {"10", "5", "15"}, "from=10&limit=5": {"10", "5", "15"},
		"cursor=0&limit=60": {"0", "60", ""}, "limit=1000": {"0", "60", ""}, "cursor=59&limit=1": {"59", "1", ""},
	} {
		var page LedgerPage
		w.get("/ledger?"+query, "", 200, &page)
		if got := [3]string{fmt.Sprint(page.Items[0].N), fmt.Sprint(len(page.Items)), page.NextCursor}; got != want || page.Size != 60 {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	for _, query := range []string{"cursor=x", "cursor=-1", "cursor=%2B1", "cursor=9223372036854775808", "cursor=5&from=3", "limit=1001"} {
		if code := w.code("/ledger?"+query, 422); code != "validation_failed" {
			t.Errorf("%s: %s", query, code)
		}
	}
}

// Reads of strangers are limited.
func TestReadsAreLimited(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), func(c *Config) { c.ReadLimit.Limit, c.PageLimit.Limit = 5, 5 })
	w.add(w.ada, 1)
	w.sign()
	for range 5 {
		w.get("/ledger", "", 200, nil)
	}
	for _, path := range []string{"/ledger/checkpoint", "/ledger/checkpoint", "/ledger/keys", "/ledger/entries/0/proof", "/ledger/consistency?from=1&to=1"} {
		w.get(path, "", 200, nil)
	}
	for _, path := range []string{"/ledger", "/ledger/checkpoint", "/ledger/keys", "/ledger/entries/0/proof", "/ledger/consistency?from=1&to=1"} {
		if got := w.code(path, 429); got != "rate_limited" {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// After a deletion no row ties the entries to the account and no key can: they stay, and their
// proofs hold.
func TestForget(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		w.add(w.ada, 4)
		w.add(w.bob, 2)
		before, all := w.sign(), w.list()
		key, err := w.Accounts.DataKey(ctx, d, w.ada)
		w.must(err)
		w.must(w.Accounts.Forget(ctx, w.ada))
		w.below.RunJobs()

		if n := w.count(`SELECT COUNT(*) FROM ledger_owners WHERE account = $1`, string(w.ada)); n != 0 {
			t.Errorf("%d rows tie entries to an account that is gone", n)
		}
		if _, err := w.Accounts.DataKey(ctx, d, w.ada); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("the key of the commitments is there: %v", err)
		}
		if !slices.Equal(all, w.list()) {
			t.Error("the deletion changed the ledger")
		}
		if r := w.audit(before); r.Held != 1 || len(r.Wrong) > 0 {
			t.Errorf("%+v", r)
		}
		p, err := w.prove(ctx, 1, 0)
		w.must(err)
		w.must(tlog.CheckRecord(hashesOf(t, p.Hashes), before.Size, before.Root, 1, treelog.LeafHash([]byte(p.Entry))))

		// A later entry about the account has a commitment that its old key would not make.
		w.must(d.Tx(ctx, func(tx *db.Tx) error { _, err := w.Append(ctx, tx, w.ada, event(1)); return err }))
		r, err := readEntry(ctx, d, 6)
		w.must(err)
		made, err := w.commit(key, r, []byte(timeOf(r.At)), event(1).Subject)
		w.must(err)
		if string(made) == string(r.Commitment) || len(r.Commitment) != 32 {
			t.Error("an account that is gone still has commitments")
		}
		if n := w.count(`SELECT COUNT(*) FROM ledger_owners`); n != 2 {
			t.Errorf("%d rows of owners, want bob's two", n)
		}
	})
}

// A deletion and an entry at once leave no row of an account that is gone.
func TestForgetAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		turn := make(chan bool, 12)
		for i := range 12 {
			turn <- i == 5
		}
		limittest.AtOnce(12, func() error {
			if <-turn {
				return w.Accounts.Forget(context.Background(), w.ada)
			}
			return d.Tx(context.Background(), func(tx *db.Tx) error {
				_, err := w.Append(context.Background(), tx, w.ada, event(0))
				return err
			})
		})
		if n := w.count(`SELECT COUNT(*) FROM ledger_owners WHERE account = $1`, string(w.ada)); n != 0 {
			t.Errorf("%d rows of an account that is gone", n)
		}
		if n := w.count(`SELECT COUNT(*) FROM ledger_entries`); n != 11 {
			t.Errorf("%d entries of 11", n)
		}
	})
}

// A rotation keeps the old verifier key published. It verifies when the ring has destroyed its
// key.
func TestRotation(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		w.add(w.ada, 2)
		before := w.sign()
		old, err := w.Ring.Active(ctx, keyring.Ledger)
		w.must(err)
		w.below.Advance(time.Hour)
		_, err = w.Ring.Rotate(ctx, keyring.Ledger)
		w.must(err)
		w.add(w.ada, 2)
		after := w.sign()
		w.below.Advance(keyring.Settle)
		w.must(w.Ring.Maintain(ctx))
		if _, err := w.Ring.Key(ctx, keyring.Ledger, old.ID); !errors.Is(err, keyring.ErrNoKey) {
			t.Errorf("the retired key stays: %v", err)
		}
		w.below.Advance(time.Minute)
		w.must(w.onTime(ctx))
		var keys struct {
			Items []LedgerKey `json:"items"`
		}
		w.get("/ledger/keys", "", 200, &keys)
		if len(keys.Items) != 2 || keys.Items[0].Until != nil || keys.Items[1].Until == nil || !keys.Items[1].Until.Equal(keys.Items[0].Since) || !keys.Items[1].Since.Before(*keys.Items[1].Until) {
			t.Fatalf("the keys are %+v", keys.Items)
		}
		for i, c := range []treelog.Checkpoint{after, before} {
			stored, err := checkpointOf(ctx, d, c.Size)
			w.must(err)
			for j, k := range keys.Items {
				key, err := treelog.ParseKey(k.Key)
				w.must(err)
				if _, err := treelog.OpenCheckpoint(stored.Note, []treelog.Key{key}); (err == nil) != (i == j) {
					t.Errorf("the checkpoint of %d under key %d: %v", c.Size, j, err)
				}
			}
		}
		if r := w.audit(before, after); r.Held != 2 || len(r.Wrong) > 0 {
			t.Errorf("%+v", r)
		}
	})
}

// A console command in a shell without the server's address changes no key, and signs nothing.
// A server that has moved says so once.
func TestAnotherAddress(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		open := func() (origins []string) {
			t.Helper()
			keys, err := w.keys(ctx)
			w.must(err)
			for _, k := range keys {
				if k.Until == nil {
					name, _, _ := strings.Cut(k.Key, "/ledger+")
					origins = append(origins, name)
				}
			}
			return origins
		}
		if n := w.count(`SELECT COUNT(*) FROM ledger_keys`); n != 0 || !slices.Equal(open(), []string{"coffer.test"}) {
			t.Errorf("before the first checkpoint: %d rows, %v", n, open())
		}
		w.add(w.ada, 2)
		before := w.sign()
		other := newProcess(t, d, func(c *Config) { c.BaseURL = "http://localhost:8080" })
		if got := open(); !slices.Equal(got, []string{"coffer.test"}) {
			t.Errorf("a console opens and ends keys: %v", got)
		}
		w.add(w.ada, 2)
		if note, err := other.Checkpoint(ctx, true); !errors.Is(err, errOrigin) {
			t.Errorf("a console signs: %s, %v", note, err)
		}
		if keys, err := other.keys(ctx); err != nil || len(keys) != 1 {
			t.Errorf("a console lists %v, %v", keys, err)
		}
		w.sign()
		if got := open(); !slices.Equal(got, []string{"coffer.test"}) {
			t.Errorf("the keys that sign: %v", got)
		}

		w.must(other.Move(ctx))
		w.add(w.ada, 1)
		after := other.sign()
		if got := open(); after.Origin != "localhost:8080/ledger" || !slices.Equal(got, []string{"localhost:8080"}) {
			t.Errorf("moved: %+v, %v", after, got)
		}
		if r := w.audit(before, after); r.Held != 2 || len(r.Wrong) > 0 {
			t.Errorf("%+v", r)
		}
		w.add(w.ada, 1)
		if _, err := w.Checkpoint(ctx, true); !errors.Is(err, errOrigin) {
			t.Errorf("the old address signs: %v", err)
		}
		w.must(w.Move(ctx))
		if w.sign(); !slices.Equal(open(), []string{"coffer.test"}) {
			t.Errorf("moved back: %v", open())
		}
	})
}

func TestSettings(t *testing.T) {
	for what, change := range map[string]func(*Settings){
		"COFFER_LEDGER_EVERY": func(s *Settings) { s.Every = 0 }, "COFFER_LEDGER_INTERVAL": func(s *Settings) { s.Interval = time.Millisecond },
		"COFFER_LEDGER_MAIL": func(s *Settings) { s.Mail = "Ada <ada@example.org>" },
	} {
		var s Settings
		limittest.Defaults(t, &s)
		if err := s.AfterApply(); err != nil {
			t.Fatal(err)
		}
		if change(&s); s.AfterApply() == nil || !strings.HasPrefix(s.AfterApply().Error(), what) {
			t.Errorf("%s: %v", what, s.AfterApply())
		}
	}
}
