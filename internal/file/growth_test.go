package file

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// plant gives an account a wide and deep tree, in rows only: a big folder of n files and
// n/4 folders with a file each, a chain of folders, and n more files at the root. It returns the ids of the big folder, of one that is small, and of a file
// at the end of the chain.
func (w *world) plant(owner account.ID, n int) (big, small, deep string) {
	w.t.Helper()
	ctx := context.Background()
	big, small = w.mustFolder(owner, "", "big").ID, w.mustFolder(owner, "", "small").ID
	chain := w.mustFolder(owner, "", "chain").ID
	for i := range 20 {
		chain = w.mustFolder(owner, chain, fmt.Sprint("chain ", i)).ID
	}
	err := w.changeNames(ctx, owner, func(c *changing) error {
		add := func(parent string, kind Kind, count int) (ids []string) {
			names := newNaming(c.key, owner, parent)
			for i := range count {
				r := &row{ID: newID(), Parent: parent, Kind: kind, Height: 1, CreatedAt: int64(i), ModifiedAt: int64(i), Size: int64(i)}
				if kind == File {
					blob := strings.ReplaceAll(newID(), "-", "")
					if _, err := c.tx.Exec(ctx, `INSERT INTO blobs (id, account, state, wrapped, size, refs, touched_at) VALUES ($1, $2, 'live', $3, $4, 1, 0)`, blob, string(owner), []byte{}, r.Size); err != nil {
						w.t.Fatal(err)
					}
					r.Blob = &blob
				}
				r.sealDetails(c.key, details{mediaType: content.UnknownType})
				names.want(r, fmt.Sprintf("%s %06d", kind, i))
				ids = append(ids, r.ID)
			}
			up, err := w.folderFor(ctx, c.tx, owner, parent)
			if err == nil {
				err = c.insert(ctx, names)
			}
			if err == nil {
				err = c.raise(ctx, up, 1)
			}
			if err != nil {
				w.t.Fatal(err)
			}
			return ids
		}
		add("", File, n)
		add(big, File, n)
		for _, folder := range add(big, Folder, n/4) {
			add(folder, File, 1)
		}
		deep = add(chain, File, 1)[0]
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return big, small, deep
}

// Every statement that touches a tree takes about as long in a big tree as in a small one,
// or, where it must see all children, at most in proportion. Steps are counted, no clock.
func TestTreesGrow(t *testing.T) {
	type tree struct {
		*world
		big, small, deep string
		work             func() dbtest.Work
	}
	const n = 240
	var trees [2]tree
	for i, rows := range []int{n, 2 * n} {
		d, work := dbtest.CountedSQLite(t)
		w := newWorld(t, d)
		w.plant(bob, rows/4)
		big, small, deep := w.plant(ada, rows)
		trees[i] = tree{w, big, small, deep, work}
	}
	ok := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	name, root := "another name", ""
	for _, tc := range []struct {
		name string
		all  bool // it sees every row, so that twice the rows are twice the steps
		do   func(t *testing.T, w tree)
	}{
		{"get", false, func(t *testing.T, w tree) { _, err := w.Get(t.Context(), ada, w.deep); ok(t, err) }},
		{"absent", false, func(t *testing.T, w tree) { _, _ = w.Get(t.Context(), ada, newID()) }},
		{"list by name, first time", true, func(t *testing.T, w tree) { _, _, err := w.List(t.Context(), ada, w.big, "name", "", 50); ok(t, err) }},
		{"list by name", false, func(t *testing.T, w tree) { _, _, err := w.List(t.Context(), ada, w.big, "-name", "", 50); ok(t, err) }},
		{"list by time", false, func(t *testing.T, w tree) {
			_, next, err := w.List(t.Context(), ada, w.big, "created", "", 50)
			ok(t, err)
			_, _, err = w.List(t.Context(), ada, w.big, "created", next, 50)
			ok(t, err)
		}},
		{"list by size", false, func(t *testing.T, w tree) {
			_, next, err := w.List(t.Context(), ada, w.big, "-size", "", 50)
			ok(t, err)
			_, _, err = w.List(t.Context(), ada, w.big, "-size", next, 50)
			ok(t, err)
		}},
		{"list by change", false, func(t *testing.T, w tree) { _, _, err := w.List(t.Context(), ada, "", "-modified", "", 50); ok(t, err) }},
		{"folder", false, func(t *testing.T, w tree) { _, err := w.NewFolder(t.Context(), ada, w.big, "new"); ok(t, err) }},
		{"taken name", false, func(t *testing.T, w tree) { _, err := w.NewFolder(t.Context(), ada, w.big, "new"); ok(t, err) }},
		{"rename", false, func(t *testing.T, w tree) {
			_, err := w.Update(t.Context(), ada, w.big, Change{Name: &name})
			ok(t, err)
		}},
		{"move", false, func(t *testing.T, w tree) {
			_, err := w.Update(t.Context(), ada, w.big, Change{Parent: &w.small})
			ok(t, err)
		}},
		{"move back", false, func(t *testing.T, w tree) {
			_, err := w.Update(t.Context(), ada, w.big, Change{Parent: &root})
			ok(t, err)
		}},
		{"upload", false, func(t *testing.T, w tree) { w.mustUpload(ada, w.big, upFile{"up.txt", "", "x"}) }},
		{"to the trash", false, func(t *testing.T, w tree) { ok(t, w.Trash(t.Context(), ada, w.big)) }},
		{"list the trash", false, func(t *testing.T, w tree) { _, _, err := w.ListTrash(t.Context(), ada, "", 50); ok(t, err) }},
		{"restore", false, func(t *testing.T, w tree) { _, err := w.Restore(t.Context(), ada, w.big); ok(t, err) }},
		{"copy all", true, func(t *testing.T, w tree) { _, err := w.Copy(t.Context(), ada, w.big, Place{}); ok(t, err) }},
		{"to the trash again", false, func(t *testing.T, w tree) { ok(t, w.Trash(t.Context(), ada, w.big)) }},
		{"empty the trash", false, func(t *testing.T, w tree) { ok(t, w.EmptyTrash(t.Context(), ada)) }},
		{"all batches of the trash", true, func(t *testing.T, w tree) { ok(t, w.clearAccount(t.Context(), ada)) }},
		{"delete a file", false, func(t *testing.T, w tree) { ok(t, w.Delete(t.Context(), ada, w.deep)) }},
		{"delete", false, func(t *testing.T, w tree) {
			copies, _, err := w.List(t.Context(), ada, "", "-created", "", 1)
			ok(t, err)
			ok(t, w.Delete(t.Context(), ada, copies[0].ID))
		}},
		{"all batches", true, func(t *testing.T, w tree) { ok(t, w.clearAccount(t.Context(), ada)) }},
		{"forget", false, func(t *testing.T, w tree) {
			ok(t, w.DB.Tx(t.Context(), func(tx *db.Tx) error { return w.Forget(t.Context(), tx, ada) }))
		}},
		{"all batches of an account", true, func(t *testing.T, w tree) { ok(t, w.clearAccount(t.Context(), ada)) }},
	} {
		var steps [2]dbtest.Work
		for i, tree := range trees {
			before := tree.work()
			tc.do(t, tree)
			steps[i] = tree.work().Less(before)
		}
		t.Logf("%-32s %8d steps of %4d statements, twice the rows: %8d of %4d", tc.name, steps[0].Steps, steps[0].Runs, steps[1].Steps, steps[1].Runs)
		most := 1.3
		if tc.all {
			most = 2.5
		}
		if float64(steps[1].Steps) > most*float64(steps[0].Steps)+50 {
			t.Errorf("%s: %d steps, with twice the rows %d", tc.name, steps[0].Steps, steps[1].Steps)
		}
	}
}

// grown is an account with many files in one folder.
type grown struct {
	*world
	big, small, deep string
}

func newGrown(t *testing.T, n int) grown {
	t.Helper()
	w := newWorld(t, dbtest.PostgreSQL(t))
	big, small, deep := w.plant(ada, 20)
	for _, q := range []string{
		`INSERT INTO blobs (id, account, state, wrapped, size, refs, touched_at) SELECT 'blob ' || i, $1, 'live', '', 0, 1, 0 FROM generate_series(1, $2) i`,
		`INSERT INTO files (account, id, parent, kind, name, name_index, details, blob, size, height, created_at, modified_at, change)
			SELECT $1, 'file ' || i, $3, 'file', '', CAST('index ' || i AS bytea), '', 'blob ' || i, i, 1, i, i, i FROM generate_series(1, $2) i`,
		`INSERT INTO file_versions (account, id, entry, blob, size, details, stored_at, replaced_at)
			SELECT $1, 'version ' || i, 'file ' || i / 20, 'blob ' || i, 0, '', i, i FROM generate_series(20, $2) i`,
		`ANALYZE`,
	} {
		if _, err := w.DB.Exec(t.Context(), q, []any{string(ada), n, big}[:strings.Count(q, "$")]...); err != nil {
			t.Fatal(err)
		}
	}
	return grown{w, big, small, deep}
}

// statements are those that touch a tree.
var statements = []struct {
	name string
	all  bool
	do   func(ctx context.Context, tx *db.Tx, w grown) error
}{
	{"entry", false, func(ctx context.Context, tx *db.Tx, w grown) error {
		_, _, err := readRow(ctx, tx, ada, w.deep)
		return err
	}},
	{"ancestors", false, func(ctx context.Context, tx *db.Tx, w grown) error {
		_, _, _, err := readAncestors(ctx, tx, ada, w.deep)
		return err
	}},
	{"forgotten", false, func(ctx context.Context, tx *db.Tx, w grown) error { _, err := readForgotten(ctx, tx, ada); return err }},
	{"page", false, func(ctx context.Context, tx *db.Tx, w grown) error {
		_, err := readPage(ctx, tx, ada, w.big, "size", false, false, 100, "", 50)
		return err
	}},
	{"names", true, func(ctx context.Context, tx *db.Tx, w grown) error {
		_, err := readNames(ctx, tx, ada, w.big)
		return err
	}},
	{"by id", false, func(ctx context.Context, tx *db.Tx, w grown) error {
		_, err := readByID(ctx, tx, ada, []string{w.big, w.small, w.deep})
		return err
	}},
	{"taken", false, func(ctx context.Context, tx *db.Tx, w grown) error {
		indexes := make([][]byte, 200)
		for i := range indexes {
			indexes[i] = fmt.Appendf(nil, "taken %d", i)
		}
		_, err := readTaken(ctx, tx, ada, w.big, "", indexes)
		return err
	}},
	{"insert", false, func(ctx context.Context, tx *db.Tx, w grown) error {
		_, err := insertRows(ctx, tx, ada, []*row{{ID: newID(), Parent: w.big, Kind: File, Name: []byte{}, NameIndex: []byte{1}, Details: []byte{}}})
		return err
	}},
	{"move", false, func(ctx context.Context, tx *db.Tx, w grown) error {
		_, err := moveRow(ctx, tx, ada, &row{ID: w.big, Parent: w.small, Name: []byte{}, NameIndex: []byte{1}, Details: []byte{}})
		return err
	}},
	{"raise", false, func(ctx context.Context, tx *db.Tx, w grown) error {
		_, err := raiseHeight(ctx, tx, ada, w.big, 9)
		return err
	}},
	{"lower", false, func(ctx context.Context, tx *db.Tx, w grown) error {
		_, _, err := settleHeight(ctx, tx, ada, w.big)
		return err
	}},
	{"batch", false, func(ctx context.Context, tx *db.Tx, w grown) error {
		_, err := clearChildren(ctx, tx, ada, w.big, 100, &cleared{})
		return err
	}},
	{"batch of an account", false, func(ctx context.Context, tx *db.Tx, w grown) error {
		_, err := deleteSome(ctx, tx, ada, 100)
		return err
	}},
	{"trim", false, func(ctx context.Context, tx *db.Tx, w grown) error {
		files := make([]string, 128)
		for i := range files {
			files[i] = fmt.Sprint("file ", i+1)
		}
		blobs, err := trimVersions(ctx, tx, ada, files, 19, 1_000)
		if err == nil && len(blobs) != len(files) {
			err = fmt.Errorf("%d versions go", len(blobs))
		}
		return err
	}},
	{"mark of a copy", false, func(ctx context.Context, tx *db.Tx, w grown) error {
		_, err := isGone(ctx, tx, ada, copyMark+w.big)
		return err
	}},
	{"gone", false, func(ctx context.Context, tx *db.Tx, w grown) error {
		_, err := readGoneAccounts(ctx, tx, "", 100)
		return err
	}},
}

// The same for the statements alone on PostgreSQL, in rows that are read.
func TestStatementsGrow(t *testing.T) {
	trees := [2]grown{newGrown(t, 8_000), newGrown(t, 16_000)}
	for _, tc := range statements {
		var rows [2]int64
		for i, tree := range trees {
			rows[i] = dbtest.RowsRead(t, tree.DB, func(tx *db.Tx) error { return tc.do(t.Context(), tx, tree) })
		}
		t.Logf("%-20s reads %5d rows, in twice as many %5d", tc.name, rows[0], rows[1])
		most := 1.3
		if tc.all {
			most = 2.5
		}
		if float64(rows[1]) > most*float64(rows[0])+20 {
			t.Errorf("%s: %d rows are read, in twice as many %d", tc.name, rows[0], rows[1])
		}
	}
}

// No transaction holds the writer for long, whatever a request asks for: the statements and
// steps of each are counted. Ten million steps take about a second on a plain machine.
func TestTransactionsAreShort(t *testing.T) {
	const steps = 500_000
	d, work := dbtest.CountedSQLite(t)
	w := newWorld(t, d)
	short := func(what string, most int64, do func()) {
		t.Helper()
		before := work()
		do()
		done := work().Less(before)
		t.Logf("%-40s %7d steps of %3d statements", what, done.Steps, done.Runs)
		if done.Steps > steps || done.Runs > most {
			t.Errorf("%s: %d steps of %d statements in one transaction", what, done.Steps, done.Runs)
		}
	}
	folder := w.mustFolder(ada, "", "folder")
	publish := func(names func(i int) string) func() {
		u := w.NewUpload(ada)
		for i := range MaxFiles {
			if err := u.Add(t.Context(), names(i), content.UnknownType, strings.NewReader(pattern(2_000))); err != nil {
				t.Fatal(err)
			}
		}
		return func() {
			if _, err := u.Publish(t.Context(), folder.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	same := func(int) string { return "same.txt" }
	short("1,000 files of one name", MaxFiles/20, publish(same))
	short("1,000 more", MaxFiles/20, publish(same))
	// The folder changes between the look and the lock: a request that came in the meantime
	// has taken every name.
	first, second := publish(same), publish(same)
	w.Now = func() time.Time {
		w.Now = w.below.Now
		first()
		return w.below.Now()
	}
	short("two times 1,000 at once", 2*MaxFiles/20, second)
	short("1,000 files of 1,000 names", MaxFiles/20, publish(func(i int) string { return fmt.Sprint(i, ".txt") }))
	short("1,000 files of names that are taken", MaxFiles/20, publish(func(i int) string { return fmt.Sprint(i, ".txt") }))
	short("1,000 files of 100 names", MaxFiles/20, publish(func(i int) string { return fmt.Sprint(i%100, ".txt") }))
	short("one more of a long run", 40, func() { w.mustFolder(ada, folder.ID, "same.txt") })
	seen := map[string]bool{}
	for _, name := range byName(t, w.Service, folder.ID, "name") {
		if seen[name] {
			t.Errorf("%q twice", name)
		}
		seen[name] = true
	}
	if len(seen) != 7*MaxFiles+1 {
		t.Errorf("%d names", len(seen))
	}
	in := w.mustFolder(ada, "", "in")
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	short("move of the folder", 20, func() {
		_, err := w.Update(t.Context(), ada, folder.ID, Change{Parent: &in.ID})
		ok(err)
	})
	short("to the trash", 20, func() { ok(w.Trash(t.Context(), ada, in.ID)) })
	short("restore", 20, func() {
		_, err := w.Restore(t.Context(), ada, in.ID)
		ok(err)
	})
	p, err := w.planCopy(t.Context(), ada, in.ID, Place{})
	ok(err)
	for len(p.below)-p.stored > copyRows {
		short("some of a copy", 30, func() { ok(w.copySome(t.Context(), p)) })
	}
	short("the rest of a copy", 40, func() {
		_, err := w.copyRest(t.Context(), p)
		ok(err)
	})
	short("to the trash", 20, func() { ok(w.Trash(t.Context(), ada, in.ID)) })
	short("empty the trash", 20, func() { ok(w.EmptyTrash(t.Context(), ada)) })
	short("delete", 20, func() { ok(w.Delete(t.Context(), ada, p.top.ID)) })
	for more := true; more; {
		short("a batch of what was below it", 150, func() {
			var err error
			if more, err = w.clearSome(t.Context(), ada); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestReplacementsAreShort: the same of versions, of which each file has as many as it keeps.
func TestReplacementsAreShort(t *testing.T) {
	const steps = 500_000
	d, work := dbtest.CountedSQLite(t)
	w := newWorld(t, d)
	short := func(what string, most int64, do func() error) {
		t.Helper()
		before := work()
		err := do()
		done := work().Less(before)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%-40s %7d steps of %3d statements", what, done.Steps, done.Runs)
		if done.Steps > steps || done.Runs > most {
			t.Errorf("%s: %d steps of %d statements in one transaction", what, done.Steps, done.Runs)
		}
	}
	var entries []Entry
	replace := func() func() error {
		w.below.Advance(time.Second)
		u := w.NewUpload(ada)
		u.Replace = true
		for i := range maxReplaced {
			if err := u.Add(t.Context(), fmt.Sprint(i), content.UnknownType, strings.NewReader(pattern(2_000))); err != nil {
				t.Fatal(err)
			}
		}
		return func() (err error) { entries, err = u.Publish(t.Context(), ""); return err }
	}
	for range 2 {
		short("500 files that have no versions", 3*maxReplaced/20, replace())
	}
	more := `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 19) `
	for _, q := range []string{
		more + `INSERT INTO blobs (id, account, state, wrapped, size, refs, touched_at) SELECT b.id || '-' || n, b.account, 'live', '', b.size, 1, 0
			/* bounded: a test */ FROM n CROSS JOIN file_versions v CROSS JOIN blobs b WHERE b.id = v.blob`,
		more + `INSERT INTO file_versions (id, account, entry, blob, size, details, stored_at, replaced_at) SELECT id || '-' || n, account, entry, blob || '-' || n, size, '', 0, n
			/* bounded: a test */ FROM n CROSS JOIN file_versions`,
		`UPDATE content_usage /* bounded: a test */ SET files = 20 * files / 2 + files / 2, bytes = 20 * bytes / 2 + bytes / 2`,
	} {
		if _, err := d.Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	short("500 files with 20 versions", 3*maxReplaced/20, replace())
	if n := w.rows("file_versions"); n != int64(w.MaxVersions*maxReplaced) {
		t.Errorf("%d versions", n)
	}
	f := entries[0].ID
	versions, _, err := w.Versions(t.Context(), ada, f, "", 2)
	if err != nil {
		t.Fatal(err)
	}
	short("restore of a version", 40, func() error { _, err := w.RestoreVersion(t.Context(), ada, f, versions[0].ID); return err })
	short("delete of a version", 20, func() error { return w.DeleteVersion(t.Context(), ada, f, versions[1].ID) })
	// The setting is lowered: a replacement removes what it puts in the place of, and some more.
	w.MaxVersions = 1
	for range 2 {
		short("500 files with more than they keep", 3*maxReplaced/20, replace())
	}
	w.MaxVersions = 0
	short("500 files that keep none", 3*maxReplaced/20, replace())
	w.below.Advance(w.VersionsKeep)
	short("a batch of old versions", 30, func() error {
		return w.change(t.Context(), ada, func(c *changing) error {
			blobs, err := deleteOldVersions(t.Context(), c.tx, ada, w.Now().UnixMilli(), clearRows)
			if err != nil {
				return err
			}
			return w.Contents.Release(t.Context(), c.tx, ada, blobs...)
		})
	})
	w.counted()
}
