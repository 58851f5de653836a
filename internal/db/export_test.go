package db

import "time"

// Waiting returns how many wait for the writer of a SQLite database.
func (d *DB) Waiting() int {
	w := d.engine.(*liteEngine).writer
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue)
}

// SetClock sets the clock by which a SQLite database's writer is held. Nothing may run.
func (d *DB) SetClock(now func() time.Time) { d.engine.(*liteEngine).writer.now = now }

// Unhurried lets groups of a SQLite database take all the time that they want. Nothing
// may run.
func (d *DB) Unhurried() {
	now := time.Now()
	d.SetClock(func() time.Time { return now })
	d.engine.(*liteEngine).writer.most = time.Hour
}

// Hurried cuts a group of a SQLite database from its member as soon as that has joined.
// Nothing may run.
func (d *DB) Hurried() { d.engine.(*liteEngine).writer.most = time.Nanosecond }
