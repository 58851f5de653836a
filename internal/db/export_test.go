package db

import (
	"errors"
	"time"
)

// Waiting returns the length of the queue for a SQLite database's writer.
func (d *DB) Waiting() int {
	w := d.engine.(*liteEngine).writer
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue)
}

// Turn sends changes to PostgreSQL in one turn. alone says that it was undone, and each would be
// asked alone.
func (d *DB) Turn(changes ...string) (alone bool, err error) {
	var turn []*asked
	for _, q := range changes {
		turn = append(turn, &asked{query: q})
	}
	err = d.engine.(*pgEngine).change(turn)
	return errors.Is(err, errAlone), err
}

// SetClock sets the clock that measures how long the writer is held. No call may be
// running.
func (d *DB) SetClock(now func() time.Time) { d.engine.(*liteEngine).writer.now = now }

// Unhurried removes the time limits of a SQLite database's groups. No call may be running.
func (d *DB) Unhurried() {
	now := time.Now()
	d.SetClock(func() time.Time { return now })
	d.engine.(*liteEngine).writer.most = time.Hour
}

// Hurried cuts a group of a SQLite database from its member as soon as that has joined.
// Nothing may run.
func (d *DB) Hurried() { d.engine.(*liteEngine).writer.most = time.Nanosecond }
