package dbtest_test

import (
	"testing"

	"coffer/internal/db/dbtest"
	"coffer/internal/kv"
	"time"
)

// Ran counts each run of the program's statements, prepared before or not. It does not
// count those of tests and those outside fn.
func TestRan(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	store := kv.NewSQL(d, time.Now)
	for range 2 {
		if err := store.Put(t.Context(), "a", []byte("1"), time.Hour); err != nil {
			t.Fatal(err)
		}
		got := dbtest.Ran(d, func() {
			for range 3 {
				if _, err := store.Get(t.Context(), "a"); err != nil {
					t.Error(err)
				}
			}
			if err := d.Ping(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := d.Exec(t.Context(), `DELETE FROM devices`); err != nil {
				t.Error(err)
			}
		})
		if len(got) != 3 || got[0] != got[2] {
			t.Errorf("ran %q, want one statement three times", got)
		}
	}
}
