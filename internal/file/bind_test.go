package file

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"coffer/internal/db/dbtest"
	"coffer/internal/seal"
)

// A writer of the database moves, swaps or sets every value of an entry and of its object.
// The answer is damage, never another file's content, name or size. $1 is the entry that is
// looked at, $2 another one of the same account and size, $3 a folder, $4 another account.
func TestWritersOfTheDatabase(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	key, err := w.dataKey(t.Context(), w.DB, ada)
	if err != nil {
		t.Fatal(err)
	}
	const swap = `UPDATE files SET %s = (SELECT o.%s FROM files o WHERE o.id = CASE files.id WHEN $1 THEN $2 ELSE $1 END) WHERE id IN ($1, $2)`
	swapped := func(column string) string { return strings.ReplaceAll(swap, "%s", column) }
	object := func(set string) string {
		return `UPDATE blobs SET ` + set + ` WHERE id = (SELECT blob FROM files WHERE id = $1)`
	}
	for name, tc := range map[string]struct {
		attack string
		entry  bool // the entry itself does not open any more
	}{
		"blob swapped":          {swapped("blob"), true},
		"blob set":              {`UPDATE files SET blob = (SELECT blob FROM files WHERE id = $2) WHERE id = $1`, true},
		"blob gone":             {`UPDATE files SET blob = NULL WHERE id = $1`, true},
		"name swapped":          {swapped("name"), true},
		"details swapped":       {swapped("details"), true},
		"details and blob":      {`UPDATE files SET (details, blob) = (SELECT details, blob FROM files WHERE id = $2) WHERE id = $1`, true},
		"size":                  {`UPDATE files SET size = 3 WHERE id = $1`, true},
		"parent":                {`UPDATE files SET parent = $3 WHERE id = $1`, true},
		"kind":                  {`UPDATE files SET kind = 'folder' WHERE id = $1`, true},
		"kind and blob":         {`UPDATE files SET kind = 'folder', blob = NULL, size = 0 WHERE id = $1`, true},
		"name_index":            {`UPDATE files SET name_index = details WHERE id = $1`, true},
		"created_at":            {`UPDATE files SET created_at = created_at - 1 WHERE id = $1`, true},
		"modified_at":           {`UPDATE files SET modified_at = modified_at + 1 WHERE id = $1`, true},
		"another's object":      {object(`account = $4`), false},
		"object's size":         {object(`size = 3`), false},
		"object pending":        {object(`state = 'pending'`), false},
		"object deleting":       {object(`state = 'deleting'`), false},
		"object's key":          {object(`wrapped = (SELECT b.wrapped FROM blobs b JOIN files f ON f.blob = b.id WHERE f.id = $2)`), false},
		"object gone":           {`DELETE FROM blobs WHERE id = (SELECT blob FROM files WHERE id = $1)`, false},
		"objects change places": {`UPDATE blobs SET id = 'f' || id WHERE id = (SELECT blob FROM files WHERE id = $1)`, false},
	} {
		t.Run(name, func(t *testing.T) {
			folder := w.mustFolder(ada, "", "folder")
			victim := w.mustUpload(ada, "", upFile{"a.txt", "text/plain", "the first content"})
			other := w.mustUpload(ada, "", upFile{"b.txt", "text/plain", "another contents!"})
			ids := strings.NewReplacer("$1", "'"+victim.ID+"'", "$2", "'"+other.ID+"'", "$3", "'"+folder.ID+"'", "$4", "'"+string(bob)+"'")
			if n, err := w.DB.Exec(t.Context(), ids.Replace(tc.attack)); err != nil || n == 0 {
				t.Fatal(n, err)
			}
			r, _, err := readRow(t.Context(), w.DB, ada, victim.ID)
			if err != nil {
				t.Fatal(err)
			}
			if e, err := open(key, r); tc.entry != errors.Is(err, seal.ErrOpen) {
				t.Errorf("the entry opens as %+v, %v", e, err)
			}
			for _, ask := range [][]string{{"GET"}, {"HEAD"}, {"GET", "Range", "bytes=2-4"}, {"GET", "If-None-Match", `"x"`}} {
				a := w.call(ada, ask[0], "/files/"+victim.ID+"/content", nil, ask[1:]...)
				if a.StatusCode != http.StatusInternalServerError {
					t.Errorf("%v: %d %q", ask, a.StatusCode, a.body)
				}
			}
		})
	}
}

// A rename and a move bind an entry's name and details anew.
func TestBoundAgain(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	folder := w.mustFolder(ada, "", "folder")
	e := w.mustUpload(ada, "", upFile{"a.txt", "text/plain", "content"})
	name := "b.txt"
	for _, to := range []Change{{Name: &name}, {Parent: &folder.ID}} {
		w.below.Advance(1000)
		for _, id := range []string{e.ID, w.mustFolder(ada, "", "moving").ID} {
			if _, err := w.Update(t.Context(), ada, id, to); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Get(t.Context(), ada, id); err != nil {
				t.Fatal(err)
			}
		}
		if a := w.call(ada, "GET", "/files/"+e.ID+"/content", nil); string(a.body) != "content" || a.Header.Get("Last-Modified") != e.CreatedAt.Format(http.TimeFormat) {
			t.Errorf("%d %q %v", a.StatusCode, a.body, a.Header)
		}
	}
}
