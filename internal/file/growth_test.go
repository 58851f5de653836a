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
		_, err := w.clearChildren(ctx, tx, ada, w.big, 100)
		return err
	}},
	{"batch of an account", false, func(ctx context.Context, tx *db.Tx, w grown) error {
		_, err := deleteSome(ctx, tx, ada, 100)
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
	short("move of the folder", 20, func() {
		if _, err := w.Update(t.Context(), ada, folder.ID, Change{Parent: &in.ID}); err != nil {
			t.Fatal(err)
		}
	})
	short("delete", 20, func() {
		if err := w.Delete(t.Context(), ada, folder.ID); err != nil {
			t.Fatal(err)
		}
	})
	for more := true; more; {
		short("a batch of what was below it", 150, func() {
			var err error
			if more, err = w.clearSome(t.Context(), ada); err != nil {
				t.Fatal(err)
			}
		})
	}
}
