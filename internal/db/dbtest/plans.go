package dbtest

import (
	"context"
	"fmt"
	"log/slog"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"coffer/internal/db"
)

// SQLite explains each statement of the program once per process, when the test's database
// closes. The test fails for a plan whose cost grows with a table:
//
//   - SQLite reads a table from end to end;
//   - SQLite sorts rows that no index orders;
//   - SQLite rereads the statement's own rows for each row of a table, as in a recursive
//     statement whose join runs the wrong way round;
//   - SQLite makes an index for the statement alone.
//
// A search with a badly bounding index passes: a plan does not say how many rows it finds.
// A statement bounded in another way says so in its text: /* bounded: reason */. Statements
// of tests are exempt.

// explained holds this process's explained statements.
var explained sync.Map

// recorder is the log of a test's database. It keeps the statements that the program
// prepared, without those of tests.
type recorder struct {
	mu    sync.Mutex
	found map[string]string // the statement: the line that ran it

	counting atomic.Bool
	ran      []string // since counting began
}

var _ slog.Handler = (*recorder)(nil)

func (r *recorder) Enabled(_ context.Context, level slog.Level) bool {
	return level == slog.LevelDebug || level == db.LevelRan && r.counting.Load()
}
func (r *recorder) WithAttrs([]slog.Attr) slog.Handler { return r }
func (r *recorder) WithGroup(string) slog.Handler      { return r }

func (r *recorder) Handle(_ context.Context, record slog.Record) error {
	if record.Message == db.Ran {
		return r.count(record)
	}
	if record.Message != db.Prepared {
		return nil
	}
	record.Attrs(func(a slog.Attr) bool {
		q := a.Value.String()
		if _, done := explained.Load(q); done {
			return false
		}
		if where := asker(); where != "" {
			r.mu.Lock()
			r.found[q] = where
			r.mu.Unlock()
		}
		return false
	})
	return nil
}

// asker returns the line that gave package db a statement, or "" for a line of a test or
// kit. A statement is prepared on the goroutine that runs it.
func asker() string {
	pc := make([]uintptr, 64)
	frames := runtime.CallersFrames(pc[:runtime.Callers(3, pc)])
	inside := false // the log's own frames come first
	for {
		f, more := frames.Next()
		dir, test := path.Dir(f.File), strings.HasSuffix(f.File, "_test.go")
		switch {
		case strings.HasSuffix(dir, "internal/db") && !test: // by file: a closure is named after the function it is inlined into
			inside = true
		case inside && strings.HasPrefix(f.Function, "coffer/"):
			if test || strings.HasSuffix(dir, "test") {
				return ""
			}
			return fmt.Sprintf("%s/%s:%d", path.Base(dir), path.Base(f.File), f.Line)
		}
		if !more {
			return ""
		}
	}
}

// check explains the recorded statements and fails the test for each plan that grows.
func (r *recorder) check(t testing.TB, d *db.DB) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for q, where := range r.found {
		if _, done := explained.Load(q); done {
			continue
		}
		steps, err := plan(d, q)
		if err != nil {
			continue // the test broke this database; another one explains the statement
		}
		explained.Store(q, true)
		for _, why := range grows(q, steps) {
			t.Errorf("%s: the statement %s\n%s\n%s", where, why, q, steps)
		}
	}
}

// step is one line of EXPLAIN QUERY PLAN.
type step struct {
	parent int
	detail string
}

// String returns the line.
func (s step) String() string { return s.detail }

var place = regexp.MustCompile(`\$\d+`)

func plan(d *db.DB, q string) (steps []step, err error) {
	places := map[string]bool{}
	for _, p := range place.FindAllString(q, -1) {
		places[p] = true
	}
	err = d.Read(context.Background(), func(tx *db.Tx) error {
		rows, err := tx.Query(context.Background(), `EXPLAIN QUERY PLAN `+q, make([]any, len(places))...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var s step
			if err := rows.Scan(new(int), &s.parent, new(int), &s.detail); err != nil {
				return err
			}
			steps = append(steps, s)
		}
		return rows.Err()
	})
	return steps, err
}

var (
	scan    = regexp.MustCompile(`^SCAN (\w+)`)
	values  = regexp.MustCompile(`CONSTANT ROW|VALUES CLAUSE`)                                                    // rows of the statement's text
	made    = regexp.MustCompile(`(?i)(?:\bWITH\s+(?:RECURSIVE\s+)?|\)\s*,\s*)(\w+)\s*(?:\([^()]*\)\s*)?AS\s*\(`) // common table expressions
	derived = regexp.MustCompile(`(?i)\)\s*(?:AS\s+)?(\w+)`)                                                      // sub-queries
	excused = regexp.MustCompile(`/\* bounded: \S[^*]*\*/`)
)

// grows returns the parts of a SQLite plan whose cost grows with a table.
func grows(q string, steps []step) (why []string) {
	if excused.MatchString(q) {
		return nil
	}
	var own []string // the statement's own sets
	for _, form := range []*regexp.Regexp{made, derived} {
		for _, m := range form.FindAllStringSubmatch(q, -1) {
			own = append(own, m[1])
		}
	}
	searched := map[int]bool{} // under this parent
	for _, s := range steps {
		if m := scan.FindStringSubmatch(s.detail); m != nil && !values.MatchString(s.detail) {
			switch {
			case !slices.Contains(own, m[1]):
				why = append(why, "reads "+m[1]+" from end to end")
			case searched[s.parent]:
				why = append(why, "reads "+m[1]+" again for each row that it is joined with")
			}
		}
		if strings.HasPrefix(s.detail, "SEARCH ") {
			searched[s.parent] = true
		}
		if strings.Contains(s.detail, "TEMP B-TREE") {
			why = append(why, "sorts: "+s.detail)
		}
		if strings.Contains(s.detail, "AUTOMATIC") {
			why = append(why, "makes an index for itself: "+s.detail)
		}
	}
	return why
}
