package content

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// Abandoned objects that cannot be given up hold up no other, even if more of them than a sweep reads
// at once are the first.
func TestSweepGoesPastDamage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.mustStore("a", "text/plain") // makes the row of the usage
		if _, err := w.NewUpload(ada).Store(t.Context(), strings.NewReader(pattern(70_000))); err != nil {
			t.Fatal(err)
		}
		const bad = 2*db.WalkRows + 50
		var damage any = "damage"
		if d.Engine() == db.PostgreSQL {
			damage = int64(math.MinInt64) // nothing can be less by so much
		}
		_, err := d.Exec(t.Context(), fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO blobs (id, account, state, wrapped, size, refs, touched_at) SELECT 'x' || i, $1, 'pending', $2, $3, 1, i / 50 FROM n`, bad),
			string(ada), []byte("key"), damage)
		if err != nil {
			t.Fatal(err)
		}
		w.below.Advance(abandonedAfter + time.Minute)
		if err := w.Sweep(t.Context()); err == nil || !strings.Contains(err.Error(), "object x1:") {
			t.Errorf("a sweep that left something says %v", err)
		}
		if n := w.count(`SELECT COUNT(*) FROM blobs WHERE state = 'pending'`); n != bad {
			t.Errorf("%d pending objects are left, want the %d damaged ones", n, bad)
		}
		if n := len(w.objects()); n != 1 {
			t.Errorf("%d contents are left", n)
		}
	})
}
