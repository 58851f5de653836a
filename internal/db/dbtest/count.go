package dbtest

import (
	"log/slog"
	"sync"

	"coffer/internal/db"
)

// recorders are the logs of the open databases.
var recorders sync.Map // *db.DB → *recorder

func (r *recorder) count(record slog.Record) error {
	record.Attrs(func(a slog.Attr) bool {
		if asker() != "" {
			r.mu.Lock()
			r.ran = append(r.ran, a.Value.String())
			r.mu.Unlock()
		}
		return false
	})
	return nil
}

// Ran returns the statements that the program ran on d during fn, as often as they ran. It
// leaves out those of tests. d is from [SQLite], and only fn uses it meanwhile.
func Ran(d *db.DB, fn func()) []string {
	found, _ := recorders.Load(d)
	r := found.(*recorder)
	r.mu.Lock()
	r.ran = nil
	r.mu.Unlock()
	r.counting.Store(true)
	defer r.counting.Store(false)
	fn()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ran
}
