package pin

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/ipfs"
)

// crowd makes a folder of small files and folders.
func (w *world) crowd(files int) (id string) {
	w.t.Helper()
	id = w.folder("", "many")
	w.folder(id, "empty")
	u := w.Files.NewUpload(w.ada)
	for i := range files {
		if err := u.Add(w.t.Context(), "f"+strconv.Itoa(i), "text/plain", bytes.NewReader([]byte(strconv.Itoa(i)))); err != nil {
			w.t.Fatal(err)
		}
	}
	if _, err := u.Publish(w.t.Context(), id); err != nil {
		w.t.Fatal(err)
	}
	return id
}

// looked returns a pin of an entry that is not stored yet, and its files.
func (w *world) looked(entry string) (r row, files []fileRow) {
	w.t.Helper()
	now := w.Now().UnixMilli()
	r = row{ID: uuid.Must(uuid.NewV7()).String(), Account: w.ada, Entry: entry, Encrypt: true, State: Queued, NextAt: now, CreatedAt: now}
	if err := w.DB.Read(w.t.Context(), func(tx *db.Tx) (err error) {
		files, err = w.look(w.t.Context(), tx, &r)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return r, files
}

// TestTransactionsAreShort counts the steps of a folder's pin. No transaction takes more than 500,000,
// however large the folder is: each one writes atOnce rows.
func TestTransactionsAreShort(t *testing.T) {
	const steps = 500_000
	d, work := dbtest.CountedSQLite(t)
	w := newWorld(t, d)
	id := w.crowd(3*atOnce - 10)
	short := func(what string, do func()) {
		t.Helper()
		before := work()
		do()
		done := work().Less(before)
		t.Logf("%-30s %7d steps", what, done.Steps)
		if done.Steps > steps {
			t.Errorf("%s: %d steps", what, done.Steps)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	r, files := w.looked(id)
	short("draft", func() { must(w.draft(t.Context(), r, files[:atOnce], true)) })
	must(w.draft(t.Context(), r, files[atOnce:2*atOnce], false))
	short("pin", func() { must(w.publishPin(t.Context(), r, files[2*atOnce:], true, w.Targets)) })
	claimed, err := claimOutline(t.Context(), d, r.ID, w.Now().UnixMilli(), w.Now().Add(time.Hour).UnixMilli())
	must(err)
	o := &outline{known: map[[32]byte]int{}, root: ipfs.Node{CID: ipfs.Sum(ipfs.Raw, nil)}}
	for i := range atOnce {
		must(o.add(blockRow{CID: ipfs.Sum(ipfs.Raw, []byte(strconv.Itoa(i))), Start: int64(i), Length: 1}))
	}
	short("outline", func() { must(w.setOutline(t.Context(), claimed, o)) })
	must(d.Tx(t.Context(), func(tx *db.Tx) error { return w.discard(t.Context(), tx, r) }))
	short("blocks", func() { must(removeBlocks(t.Context(), d, r.ID)) })
	batches := 0
	for more := true; more; batches++ {
		short("removal", func() {
			must(d.Tx(t.Context(), func(tx *db.Tx) (err error) {
				more, err = w.clearSome(t.Context(), tx, r.ID)
				return err
			}))
		})
	}
	if batches != 4 {
		t.Errorf("the files went in %d transactions", batches)
	}
	whole := dbtest.SQLite(t)
	w = newWorld(t, whole)
	id = w.crowd(3*atOnce - 10)
	drafts := 0
	for _, q := range dbtest.Ran(whole, func() { w.pin(id, "") }) {
		if strings.Contains(q, "pin_loose") {
			drafts++
		}
	}
	if drafts != 3 { // two batches of a draft, and its end
		t.Errorf("a whole pin changes the row of its draft %d times", drafts)
	}
}

// TestManyFiles pins more files than one transaction takes, and removes the pin. Its rows and what the
// quota counts are those of a small one.
func TestManyFiles(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		const files = 2*atOnce + 5
		id := w.crowd(files)
		before, err := w.Contents.Usage(t.Context(), d, w.ada)
		if err != nil {
			t.Fatal(err)
		}
		p := w.verified(id, `"encrypt":false,`+atKubo)
		during, err := w.Contents.Usage(t.Context(), d, w.ada)
		if err != nil || during.Files != before.Files+files || during.Folders != before.Folders+1 || w.rows("pin_files") != files+1 || w.rows("pin_loose") != 0 {
			t.Errorf("%+v, before %+v, %v; %d files", during, before, err, w.rows("pin_files"))
		}
		if a := w.do("", "GET", "/ipfs/"+*p.CID+"/f"+strconv.Itoa(files-1)+"?format=raw", ""); string(a.body) != strconv.Itoa(files-1) {
			t.Errorf("%d %q", a.StatusCode, a.body)
		}
		w.call(w.ada, "DELETE", "/pins/"+p.ID, "", http.StatusAccepted)
		w.run()
		after, err := w.Contents.Usage(t.Context(), d, w.ada)
		if left := w.rows("pins") + w.rows("pin_files") + w.rows("pin_blocks") + w.rows("pin_loose"); err != nil || after != before || left != 0 {
			t.Errorf("%+v, before %+v, %v; %d rows", after, before, err, left)
		}
	})
}

// TestKilledBetweenBatches stops the maker of a pin, and its removal, after some of their batches. What
// they left is gone soon, and a maker that is late makes nothing of it.
func TestKilledBetweenBatches(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.crowd(atOnce + 20)
		before, err := w.Contents.Usage(t.Context(), d, w.ada)
		if err != nil {
			t.Fatal(err)
		}
		clean := func() {
			t.Helper()
			after, err := w.Contents.Usage(t.Context(), d, w.ada)
			if left := w.rows("pins") + w.rows("pin_files") + w.rows("pin_blocks") + w.rows("pin_loose"); err != nil || after != before || left != 0 {
				t.Errorf("%+v, before %+v, %v; %d rows", after, before, err, left)
			}
		}
		r, files := w.looked(id)
		if err := w.draft(t.Context(), r, files[:atOnce], true); err != nil {
			t.Fatal(err)
		}
		w.later(w.times.lease - time.Second)
		if w.rows("pin_files") != atOnce {
			t.Error("a draft goes before its time")
		}
		if list, _, err := w.List(t.Context(), w.ada, "", "", "", 10); err != nil || len(list) != 0 {
			t.Errorf("a draft is listed: %+v, %v", list, err)
		}
		w.later(2 * time.Second)
		clean()
		if err := w.draft(t.Context(), r, files[atOnce:], false); !errors.Is(err, errLost) {
			t.Errorf("a late batch: %v", err)
		}
		if err := w.publishPin(t.Context(), r, files[atOnce:], true, w.Targets); !errors.Is(err, errLost) {
			t.Errorf("a late pin: %v", err)
		}
		clean()

		// The account goes while its draft is there.
		p := w.pin(id, "")
		if r, err = read(t.Context(), d, w.ada, p.ID); err == nil {
			err = d.Tx(t.Context(), func(tx *db.Tx) error { return w.discard(t.Context(), tx, r) })
		}
		if err != nil {
			t.Fatal(err)
		}
		w.run()
		clean()
		r, files = w.looked(id)
		if err := w.draft(t.Context(), r, files[:atOnce], true); err != nil {
			t.Fatal(err)
		}
		if err := w.Accounts.Forget(t.Context(), w.ada); err != nil {
			t.Fatal(err)
		}
		if left := w.rows("pin_files") + w.rows("pin_loose"); left != 0 {
			t.Errorf("%d rows of a deleted account", left)
		}
	})
}

// TestLostObject: a folder one of whose objects is going is refused, and nothing of it stays.
func TestLostObject(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	id := w.crowd(atOnce + 20)
	_, files := w.looked(id)
	w.alter(`UPDATE blobs SET state = 'deleting' WHERE id = $1`, *files[len(files)-1].Object)
	w.is(w.do(w.ada, "POST", "/v1/files/"+id+"/pins", `{}`), http.StatusConflict, "damaged")
	if left := w.rows("pins") + w.rows("pin_files") + w.rows("pin_loose"); left != 0 {
		t.Errorf("%d rows are left", left)
	}
}

// TestClearTakesNoLivingPin: what is called to clear a pin that lives takes none of its rows. The maker of
// a draft that was called due may have ended it meanwhile.
func TestClearTakesNoLivingPin(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		p := w.verified(w.upload(w.ada, "", "a", pattern(1_500_000)), atKubo)
		blocks, files := w.rows("pin_blocks"), w.rows("pin_files")
		if err := w.clear(t.Context(), p.ID); err != nil {
			t.Fatal(err)
		}
		if w.rows("pin_blocks") != blocks || w.rows("pin_files") != files || blocks == 0 {
			t.Errorf("%d blocks of %d, %d files of %d are left", w.rows("pin_blocks"), blocks, w.rows("pin_files"), files)
		}
	})
}

// TestObjectsBeforeUsage: a transaction that takes or clears files of a pin locks their objects before the
// row of usage, as copies and deletions of the same files do.
func TestObjectsBeforeUsage(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	r, files := w.looked(w.crowd(5))
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"take", func() error { return w.draft(t.Context(), r, files, true) }},
		{"clear", func() error {
			return w.DB.Tx(t.Context(), func(tx *db.Tx) error {
				_, err := w.clearSome(t.Context(), tx, r.ID)
				return err
			})
		}},
	} {
		var err error
		ran := dbtest.Ran(w.DB, func() { err = step.do() })
		if err != nil {
			t.Fatal(err)
		}
		object := func(q string) bool { return strings.Contains(q, "UPDATE blobs") }
		usage := func(q string) bool {
			return strings.Contains(q, "UPDATE content_usage") || strings.Contains(q, "INTO content_usage")
		}
		if at := slices.IndexFunc(ran, usage); at < 0 || !slices.ContainsFunc(ran, object) || slices.ContainsFunc(ran[at:], object) {
			t.Errorf("%s:\n%s", step.what, strings.Join(ran, "\n"))
		}
	}
}

// TestOneFolderAtATime: an account that publishes a folder waits with its next, and takes no place of
// another's. A file needs none.
func TestOneFolderAtATime(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	folder, one := w.crowd(3), w.upload(w.ada, "", "a", pattern(100))
	leave, err := w.making.Take(t.Context(), w.ada)
	if err != nil {
		t.Fatal(err)
	}
	made := func(id string, within time.Duration) error {
		ctx, end := context.WithTimeout(t.Context(), within)
		defer end()
		_, err := w.Create(ctx, w.ada, id, true, nil)
		return err
	}
	if err := made(folder, 50*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("beside one that is made: %v", err)
	}
	if err := made(one, time.Minute); err != nil {
		t.Errorf("a file: %v", err)
	}
	leave()
	if err := made(folder, time.Minute); err != nil {
		t.Errorf("then: %v", err)
	}
}

// TestStuckDrafts: drafts that cannot be cleared hold up no other, even if more of them than a run reads
// at once are the first.
func TestStuckDrafts(t *testing.T) {
	const stuck = 2*db.WalkRows + 200
	w := newWorld(t, dbtest.SQLite(t))
	for q, args := range map[string][]any{
		`CREATE TRIGGER stuck BEFORE UPDATE ON pin_loose WHEN OLD.pin LIKE 'x%' BEGIN SELECT RAISE(ABORT, 'stuck'); END`: nil,
		`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $2)
			INSERT INTO pin_loose (pin, account, due_at) SELECT 'x' || i, $1, 1 FROM n`: {string(w.ada), stuck},
		`INSERT INTO pin_loose (pin, account, due_at) VALUES ('y', $1, 2)`: {string(w.ada)},
	} {
		if _, err := w.DB.Exec(t.Context(), q, args...); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.due(t.Context()); err == nil {
		t.Error("a run that left something says nothing")
	}
	if n := w.rows("pin_loose"); n != stuck {
		t.Errorf("%d drafts are left, want the %d stuck ones", n, stuck)
	}
}
