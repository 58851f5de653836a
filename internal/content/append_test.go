package content

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/seal"
)

var errBroken = errors.New("connection reset")

// breaking is content that ends in an error.
func breaking(p string) io.Reader {
	return io.MultiReader(strings.NewReader(p), readFunc(func([]byte) (int, error) { return 0, errBroken }))
}

// offset is how far ada's object has come.
func (w *world) offset(id string) int64 {
	w.t.Helper()
	g, err := w.Growing(context.Background(), w.DB, ada, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return g.Offset
}

// TestAppendThatBreaks: what came before a reader broke is durable, whatever its length, and
// the append continues behind it.
func TestAppendThatBreaks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		content := pattern(300_000)
		id := w.mustGrow(int64(len(content)))
		at := int64(0)
		for _, n := range []int{0, 1, 65_536, 65_537, 100_000} {
			got, err := w.Append(t.Context(), ada, id, at, breaking(content[at:at+int64(n)]), AppendOptions{})
			if !errors.Is(err, errBroken) || got != int64(n) {
				t.Errorf("Append = %d, %v, want %d", got, err, n)
			}
			if at += int64(n); w.offset(id) != at {
				t.Errorf("it has come to %d, want %d", w.offset(id), at)
			}
		}
		gone, end := context.WithCancel(t.Context())
		end()
		if n, err := w.Append(gone, ada, id, at, strings.NewReader(content[at:]), AppendOptions{}); n != 0 || !errors.Is(err, context.Canceled) {
			t.Errorf("of a caller that is gone: %d, %v", n, err)
		}
		w.mustAppend(id, at, content[at:])
		o := w.mustSettleGrown(id)
		if got, err := w.read(o.Stored, 0, o.Size); err != nil || got != content {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		w.left("in the end", 5)
	})
}

// TestAppendRefusals: an append at another offset, beyond the length, of another owner or to
// an object that is over stores nothing.
func TestAppendRefusals(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.mustGrow(100_000)
		w.mustAppend(id, 0, pattern(70_000))
		refused := func(name string, at int64, content string, want error) {
			t.Helper()
			if n, err := w.append(id, at, content); n != 0 || !errors.Is(err, want) {
				t.Errorf("%s: %d, %v, want %v", name, n, err, want)
			}
			w.left(name, 1)
		}
		refused("again", 0, pattern(70_000), ErrOffset)
		refused("ahead", 70_001, "x", ErrOffset)
		refused("one byte too many", 70_000, pattern(30_001), ErrBeyond)
		refused("many bytes too many", 70_000, pattern(200_000), ErrBeyond)
		if _, err := w.Append(t.Context(), bob, id, 70_000, strings.NewReader("x"), AppendOptions{}); !errors.Is(err, ErrExpired) {
			t.Errorf("another owner: %v", err)
		}
		if _, err := w.settleGrown(id); !errors.Is(err, ErrUnfinished) {
			t.Errorf("settled early: %v", err)
		}
		err := d.Tx(t.Context(), func(tx *db.Tx) error { return w.SetLength(t.Context(), tx, ada, id, 80_000) })
		if !errors.Is(err, ErrLength) {
			t.Errorf("a second length: %v", err)
		}
		w.mustAppend(id, 70_000, pattern(30_000))
		if n, err := w.append(id, 100_000, ""); n != 0 || err != nil {
			t.Errorf("nothing at the end: %d, %v", n, err)
		}
		w.mustSettleGrown(id)
		if _, err := w.append(id, 100_000, ""); !errors.Is(err, ErrExpired) {
			t.Errorf("after settling: %v", err)
		}
		if _, err := w.settleGrown(id); !errors.Is(err, ErrExpired) {
			t.Errorf("settled twice: %v", err)
		}
		w.abandon(id) // no longer growing: nothing happens
		w.left("settled", 2)
	})
}

// TestAppendWithSum: with a sum to compare, all bytes of the append are taken or none.
func TestAppendWithSum(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.partSize = 100_000
		content := pattern(350_000)
		id := w.mustGrow(int64(len(content)))
		sum := sha256.Sum256([]byte(content))
		with := func(r io.Reader) (int64, error) {
			return w.Append(t.Context(), ada, id, 0, r, AppendOptions{Check: sha256.New(), Want: sum[:]})
		}
		for name, r := range map[string]io.Reader{"other bytes": strings.NewReader(content[:349_999] + "\x00"), "fewer": strings.NewReader(content[:340_000])} {
			if n, err := with(r); n != 0 || !errors.Is(err, ErrChecksum) {
				t.Errorf("%s: %d, %v", name, n, err)
			}
			w.left(name, 0)
		}
		if n, err := with(breaking(content)); n != 0 || !errors.Is(err, errBroken) {
			t.Errorf("a reader that breaks: %d, %v", n, err)
		}
		w.left("broken", 0)
		if n, err := with(strings.NewReader(content)); n != int64(len(content)) || err != nil {
			t.Errorf("the right bytes: %d, %v", n, err)
		}
		o := w.mustSettleGrown(id)
		if got, err := w.read(o.Stored, 99_999, 200_002); err != nil || got != content[99_999:300_001] {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		w.left("in the end", 4)
	})
}

// TestTakeOver: an append that begins ends the one that runs, which stores nothing more: its
// bytes are gone, and those of the later one stand.
func TestTakeOver(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for _, n := range []int{10, 200_000} { // in SQL, and in the store
			content := pattern(n)
			id := w.mustGrow(int64(n))
			midway := readFunc(func([]byte) (int, error) {
				w.mustAppend(id, 0, content)
				return 0, io.EOF
			})
			other := strings.Repeat("x", n-1)
			if got, err := w.Append(t.Context(), ada, id, 0, io.MultiReader(strings.NewReader(other), midway), AppendOptions{}); got != 0 || !errors.Is(err, ErrTakenOver) {
				t.Errorf("the earlier one: %d, %v", got, err)
			}
			o := w.mustSettleGrown(id)
			if got, err := w.read(o.Stored, 0, o.Size); err != nil || got != content {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		}
		for _, n := range []int{10, 200_000} { // the later one has no byte yet
			id := w.mustGrow(int64(n))
			midway := readFunc(func([]byte) (int, error) {
				w.mustAppend(id, 0, "")
				return 0, io.EOF
			})
			if got, err := w.Append(t.Context(), ada, id, 0, io.MultiReader(strings.NewReader(pattern(n)), midway), AppendOptions{}); got != 0 || !errors.Is(err, ErrTakenOver) {
				t.Errorf("the earlier one: %d, %v", got, err)
			}
			if at := w.offset(id); at != 0 {
				t.Errorf("the object has come to %d", at)
			}
		}
		w.left("in the end", 2)
	})
}

// TestRaceOfAppends: of fifty appends at one offset the object takes the bytes of one.
func TestRaceOfAppends(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.mustGrow(70_000)
		var won sync.Map
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				content := strings.Repeat(string(rune('A'+i)), 70_000)
				n, err := w.append(id, 0, content)
				switch {
				case err == nil && n == 70_000:
					won.Store(i, content)
				case n != 0 || !errors.Is(err, ErrTakenOver) && !errors.Is(err, ErrOffset):
					t.Errorf("%d, %v", n, err)
				}
			})
		}
		wg.Wait()
		o := w.mustSettleGrown(id)
		got, err := w.read(o.Stored, 0, o.Size)
		winners := 0
		won.Range(func(_, content any) bool {
			if winners++; got != content {
				t.Error("the object has other bytes than the append that was told so")
			}
			return true
		})
		if winners != 1 || err != nil {
			t.Errorf("%d appends won, %v", winners, err)
		}
		w.left("after the race", 1)
	})
}

// TestRaceForTheReservation: of fifty uploads that begin at once, as many begin as have room,
// in bytes and in files. What they reserve comes back when they are given up.
func TestRaceForTheReservation(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for _, quota := range []Quota{{Bytes: 1_050}, {Files: 10}} {
			w := newWorld(t, d)
			w.Quota, w.QuotaFiles = quota.Bytes, quota.Files
			ids := make([]string, 50)
			var wg sync.WaitGroup
			for i := range ids {
				wg.Go(func() {
					var err error
					if ids[i], err = w.grow(ada, 100); err != nil {
						ids[i] = ""
						if !errors.Is(err, ErrQuota) {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			ids = slices.DeleteFunc(ids, func(id string) bool { return id == "" })
			if len(ids) != 10 {
				t.Errorf("%d uploads began within %+v", len(ids), quota)
			}
			w.counted("reserved")
			if _, err := w.grow(ada, 100); !errors.Is(err, ErrQuota) {
				t.Errorf("one more: %v", err)
			}
			w.mustAppend(ids[0], 0, pattern(100))
			w.mustSettleGrown(ids[0])
			for _, id := range ids[1:] {
				w.abandon(id)
			}
			u, err := w.Usage(t.Context(), d, ada)
			if err != nil || u.Bytes != 100 || u.Files != 1 || u.Reserved != 0 {
				t.Errorf("usage %+v, %v", u, err)
			}
			w.counted("given up")
			w.release(ada, ids[0])
			w.below.RunJobs()
			w.left("in the end", 0)
		}
	})
}

// TestGrowWithoutLength: what grows without a length is counted as it comes, to the byte, and
// its length is reserved once it is said.
func TestGrowWithoutLength(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.Quota = 200_000
		id := w.mustGrow(UnknownLength)
		w.mustAppend(id, 0, pattern(150_000))
		w.counted("some")
		if _, err := w.append(id, 150_000, pattern(50_001)); !errors.Is(err, ErrQuota) {
			t.Errorf("beyond the quota: %v", err)
		}
		if _, err := w.settleGrown(id); !errors.Is(err, ErrUnfinished) {
			t.Errorf("settled without a length: %v", err)
		}
		length := func(n int64) error {
			return d.Tx(t.Context(), func(tx *db.Tx) error { return w.SetLength(t.Context(), tx, ada, id, n) })
		}
		if err := length(200_001); !errors.Is(err, ErrQuota) {
			t.Errorf("a length beyond the quota: %v", err)
		}
		if err := length(149_999); !errors.Is(err, ErrLength) {
			t.Errorf("a length less than what there is: %v", err)
		}
		w.counted("refused")
		if err := length(200_000); err != nil {
			t.Fatal(err)
		}
		if _, err := w.grow(ada, 1); !errors.Is(err, ErrQuota) {
			t.Errorf("beside a length that takes all: %v", err)
		}
		w.mustAppend(id, 150_000, pattern(50_000))
		w.mustSettleGrown(id)
		w.counted("settled")
		w.left("in the end", 2)
	})
}

// TestTooManyParts: an object has a bounded number of parts.
func TestTooManyParts(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	id := w.mustGrow(UnknownLength)
	w.maxParts = 3
	for i := range int64(3) {
		w.mustAppend(id, i, "x")
	}
	if n, err := w.append(id, 3, "x"); n != 0 || !errors.Is(err, ErrTooManyParts) {
		t.Errorf("one more: %d, %v", n, err)
	}
	w.left("refused", 3)
}

// TestGrowthExpires: an object that no append continues goes with all it holds. An append moves
// the end, and one that began in time goes on.
func TestGrowthExpires(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		old, kept := w.mustGrow(100_000), w.mustGrow(100_000)
		w.mustAppend(old, 0, pattern(70_000))
		w.below.Advance(23 * time.Hour)
		_, err := w.Append(t.Context(), ada, kept, 0, strings.NewReader("x"), AppendOptions{Expires: w.Now().Add(24 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		w.below.Advance(2 * time.Hour)
		if _, err := w.append(old, 70_000, "x"); !errors.Is(err, ErrExpired) {
			t.Errorf("after its end, before the sweep: %v", err)
		}
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.left("after the sweep", 1)
		if _, err := w.Growing(t.Context(), d, ada, old); !errors.Is(err, ErrExpired) {
			t.Errorf("Growing = %v", err)
		}
		slow := readFunc(func([]byte) (int, error) {
			w.below.Advance(23 * time.Hour) // longer than what was left
			if err := w.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
			return 0, io.EOF
		})
		o := AppendOptions{Expires: w.Now().Add(24 * time.Hour)}
		if n, err := w.Append(t.Context(), ada, kept, 1, io.MultiReader(strings.NewReader(pattern(1_000)), slow), o); err != nil || n != 1_000 {
			t.Errorf("an append that takes long: %d, %v", n, err)
		}
		w.counted("in the end")
	})
}

// TestPartsAreSealedApart: bytes that are sent twice for one offset never share a salt, and a
// part opens at its own place only.
func TestPartsAreSealedApart(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	content := pattern(200)
	var sealed [][]byte
	for range 2 {
		id := w.mustGrow(400)
		w.mustAppend(id, 0, content)
		w.mustAppend(id, 200, content)
		rows, err := w.DB.Query(t.Context(), `SELECT c.content FROM blob_parts p JOIN blob_contents c ON c.blob = p.id WHERE p.blob = $1 ORDER BY p.start`, id)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var p []byte
			if err := rows.Scan(&p); err != nil {
				t.Fatal(err)
			}
			sealed = append(sealed, p)
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
		w.mustSettleGrown(id)
	}
	salts := map[string]bool{}
	for _, p := range sealed {
		salts[string(p[1:33])] = true
		if bytes.Contains(p, []byte(content[:32])) {
			t.Error("content stands in clear")
		}
	}
	if len(salts) != 4 {
		t.Errorf("four parts have %d salts", len(salts))
	}
}

// TestAttackOnParts: a writer of the database cannot make one object's parts read as other
// bytes: swapped, reordered, dropped, added, cut, or of another object.
func TestAttackOnParts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for name, attack := range map[string][]string{
			"swapped contents":       {`UPDATE blob_contents SET content = (SELECT content FROM blob_contents WHERE blob = $2) WHERE blob = $1`},
			"swapped places":         {`UPDATE blob_parts SET start = 20 - start WHERE id IN ($1, $2)`},
			"swapped ids":            {`UPDATE blob_parts SET id = 'x' WHERE id = $1`, `UPDATE blob_parts SET id = $1 WHERE id = $2`, `UPDATE blob_parts SET id = $2 WHERE id = 'x'`},
			"dropped at the end":     {`DELETE FROM blob_parts WHERE id = $3`, `UPDATE blobs SET size = 40 WHERE id = $4`},
			"dropped inside":         {`DELETE FROM blob_parts WHERE id = $2`, `UPDATE blob_parts SET start = 20 WHERE id = $3`, `UPDATE blobs SET size = 40 WHERE id = $4`},
			"a part too many":        {`INSERT INTO blob_parts (id, blob, start, size, state, touched_at) SELECT 'y', blob, 60, 20, 'live', 0 FROM blob_parts WHERE id = $1`},
			"of another object":      {`UPDATE blob_parts SET blob = 'z' WHERE id = $1`, `UPDATE blob_parts SET blob = $4 WHERE id = $5`},
			"another's list":         {`UPDATE blobs SET parts = (SELECT parts FROM blobs WHERE id = $6), wrapped = (SELECT wrapped FROM blobs WHERE id = $6) WHERE id = $4`},
			"another's parts":        {`UPDATE blob_parts SET blob = 'z' WHERE blob = $4`, `UPDATE blob_parts SET blob = $4 WHERE blob = $6`, `UPDATE blobs SET parts = (SELECT parts FROM blobs WHERE id = $6) WHERE id = $4`},
			"a list of the writer's": {`DELETE FROM blob_parts WHERE id = $3`, `UPDATE blobs SET size = 40, parts = $7 WHERE id = $4`},
			"no list":                {`UPDATE blobs SET parts = NULL WHERE id = $4`},
			"an empty list":          {`UPDATE blobs SET parts = '' WHERE id = $4`},
		} {
			ids := map[string][]string{}
			build := func() record {
				id := w.mustGrow(60)
				for i := range int64(3) {
					w.mustAppend(id, i*20, pattern(60)[i*20:i*20+20])
				}
				rows, err := d.Query(t.Context(), `SELECT id FROM blob_parts WHERE blob = $1 ORDER BY start`, id)
				if err != nil {
					t.Fatal(err)
				}
				if ids[id], err = rows.Strings(); err != nil {
					t.Fatal(err)
				}
				return w.mustSettleGrown(id)
			}
			o, other := build(), build()
			all := []any{ids[o.ID][0], ids[o.ID][1], ids[o.ID][2], o.ID, ids[other.ID][0], other.ID, nil}
			shorter := newList(o.ID).with(part{id: ids[o.ID][0], size: 20}).with(part{id: ids[o.ID][1], start: 20, size: 20})
			all[6] = shorter[:]
			for _, q := range attack {
				text, args := compact(q, all)
				if _, err := d.Exec(t.Context(), text, args...); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
			for i := range 9 {
				size := int64(20 + 20*(i%3))
				o.Size, w.pageParts = size, 1+i/3 // the list in three pages, in two, and in one
				got, err := w.read(o.Stored, 0, size)
				if err == nil || !IsLost(err) && !errors.Is(err, seal.ErrOpen) {
					t.Errorf("%s: read %q, %v", name, got, err)
				}
				if got != "" && !strings.HasPrefix(pattern(60), got) {
					t.Errorf("%s: other bytes came out", name)
				}
			}
		}
	})
}

// grownOf makes an object of ada's with a part for each byte.
func (w *world) grownOf(p string) record {
	w.t.Helper()
	w.partSize = 1
	id, sum := w.mustGrow(int64(len(p))), sha256.Sum256([]byte(p))
	_, err := w.Append(context.Background(), ada, id, 0, strings.NewReader(p), AppendOptions{Check: sha256.New(), Want: sum[:]})
	if err != nil {
		w.t.Fatal(err)
	}
	return w.mustSettleGrown(id)
}

// TestAttackOnLaterPages: a page of the list that is read while a download runs is the one that
// the object had when the download began.
func TestAttackOnLaterPages(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.pageParts = 4
		content := pattern(11)
		for name, attack := range map[string]string{
			"none":          `UPDATE blob_parts SET touched_at = 0 WHERE blob = $1 AND $2 <> ''`,
			"gone":          `DELETE FROM blob_parts WHERE blob = $1 AND start > 3 AND $2 <> ''`,
			"cut":           `DELETE FROM blob_parts WHERE blob = $1 AND start = 10 AND $2 <> ''`,
			"reordered":     `UPDATE blob_parts SET start = 14 - start WHERE blob = $1 AND start >= 4 AND $2 <> ''`,
			"another's":     `UPDATE blob_parts SET blob = CASE WHEN blob = $1 THEN $2 ELSE $1 END WHERE blob IN ($1, $2) AND start >= 4`,
			"of other size": `UPDATE blob_parts SET size = size + 1, start = start + 1 WHERE blob = $1 AND start = 5 AND $2 <> ''`,
			"a row between": `INSERT INTO blob_parts (id, blob, start, size, state, touched_at) SELECT $2, blob, start, 1, 'live', 0 FROM blob_parts WHERE blob = $1 AND start = 6`,
		} {
			mine, other := w.grownOf(content), w.grownOf(pattern(22)[11:])
			o, err := w.Find(t.Context(), d, ada, mine.ID, mine.Size)
			if err != nil {
				t.Fatal(err)
			}
			r, err := o.Open(t.Context(), 0, mine.Size)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Exec(t.Context(), attack, mine.ID, other.ID); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got, err := io.ReadAll(r)
			if !strings.HasPrefix(content, string(got)) || (name == "none") != (err == nil) || err != nil && !IsLost(err) {
				t.Errorf("%s: read %d bytes, %v", name, len(got), err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			if name != "none" {
				continue
			}
			for off := range int64(12) { // each range, on whichever pages it lies, and back
				for n := range 12 - off {
					for _, at := range []int64{off, 0} {
						var b strings.Builder
						if err := o.Send(t.Context(), at, n, func() (io.Writer, error) { return &b, nil }); err != nil || b.String() != content[at:at+n] {
							t.Fatalf("%d+%d: %q, %v", at, n, b.String(), err)
						}
					}
				}
			}
		}
	})
}

// TestManyPartsTakeLittle: a stalled download of an object in thousands of parts holds a piece
// of their list.
func TestManyPartsTakeLittle(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	o := w.grownOf(pattern(5000))
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // also what pools held
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	const streams = 100
	before := heap()
	held := make([]io.ReadCloser, streams)
	for i := range held {
		object, err := w.Find(t.Context(), w.DB, ada, o.ID, o.Size)
		if err == nil {
			held[i], err = object.Open(t.Context(), 0, o.Size)
		}
		if err == nil {
			_, err = io.CopyN(io.Discard, held[i], 300)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if each := (heap() - before) / streams; each > 100<<10 {
		t.Errorf("a held download of 5,000 parts takes %d KiB", each>>10)
	}
	for _, r := range held {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// compact numbers the placeholders of a statement from $1 on.
func compact(q string, all []any) (string, []any) {
	var args []any
	for i, arg := range all {
		place := "$" + string(rune('1'+i))
		if !strings.Contains(q, place) {
			continue
		}
		args = append(args, arg)
		q = strings.ReplaceAll(q, place, "#"+string(rune('0'+len(args))))
	}
	return strings.ReplaceAll(q, "#", "$"), args
}

// TestAttackOnGrowth: a writer of the database cannot make an object continue from a state
// that is not its own, or settle early.
func TestAttackOnGrowth(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	for name, q := range map[string]string{
		"another offset":   `UPDATE blob_growth SET taken = 10, length = 10 WHERE blob = $1`,
		"another progress": `UPDATE blob_growth SET progress = (SELECT progress FROM blob_growth WHERE blob <> $1 LIMIT 1) WHERE blob = $1`,
		"another key":      `UPDATE blobs SET wrapped = (SELECT wrapped FROM blobs WHERE id <> $1 LIMIT 1) WHERE id = $1`,
	} {
		other, id := w.mustGrow(20), w.mustGrow(20)
		w.mustAppend(other, 0, pattern(20))
		w.mustAppend(id, 0, pattern(20))
		if _, err := w.DB.Exec(t.Context(), q, id); err != nil {
			t.Fatal(err)
		}
		if _, err := w.append(id, w.offset(id), ""); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("%s: Append = %v", name, err)
		}
		if _, err := w.settleGrown(id); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("%s: SettleGrown = %v", name, err)
		}
	}
}
