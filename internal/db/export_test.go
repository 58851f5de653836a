package db

import "time"

// Waiting returns the length of the queue for a SQLite database's writer.
func (d *DB) Waiting() int {
	w := d.engine.(*liteEngine).writer
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue)
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
