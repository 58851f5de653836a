package jobs

import (
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// Work is steady since its first look, unless there was a gap, or its last look is still to come: the
// clock was wrong then.
func TestSteady(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q, start, hour := &Queue{db: d}, time.UnixMilli(1_800_000_000_000), time.Hour
		for _, c := range []struct{ at, since time.Duration }{
			{0, 0}, {hour, 0}, {3 * hour, 0}, {5*hour + time.Millisecond, 5*hour + time.Millisecond}, {6 * hour, 5*hour + time.Millisecond}, {2 * hour, 2 * hour}, {3 * hour, 2 * hour},
		} {
			since, err := q.Steady(t.Context(), "walk", start.Add(c.at), 2*hour)
			if err != nil || !since.Equal(start.Add(c.since)) {
				t.Errorf("at %v: since %v, %v, want %v", c.at, since.Sub(start), err, c.since)
			}
		}
		if since, err := q.Steady(t.Context(), "another", start, hour); err != nil || !since.Equal(start) {
			t.Errorf("another: since %v, %v", since, err)
		}
	})
}
