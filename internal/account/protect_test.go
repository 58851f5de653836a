package account

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// GET /account/security holds the line of each room, and all are of one moment: what a room
// changes while the lines are read is not in the answer.
func TestSecurity(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.join(person1("grace"))
		signIns := func(ctx context.Context, q db.Querier, id ID) (Protection, error) {
			r, err := readAccount(ctx, q, id)
			n := int(r.SignIns)
			return Protection{Enabled: n > 0, Left: &n}, err
		}
		since := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
		w.Protect("first", signIns)
		w.Protect("code", func(context.Context, db.Querier, ID) (Protection, error) {
			// Another connection writes between the two readings.
			err := d.Tx(context.Background(), func(tx *db.Tx) error {
				_, err := w.SignedIn(context.Background(), tx, id)
				return err
			})
			return Protection{Enabled: true, Since: &since, Hint: "g…@example.org"}, err
		})
		w.Protect("second", signIns)
		h := w.serve()
		code := Protection{Enabled: true, Since: &since, Hint: "g…@example.org"}
		for n := range 2 {
			a := send(h, "GET", "/account/security", string(id), "")
			var got map[string]Protection
			if err := json.Unmarshal([]byte(a.Body), &got); a.Status != 200 || err != nil {
				t.Fatalf("%d %s: %v", a.Status, a.Body, err)
			}
			counted := Protection{Enabled: n > 0, Left: &n}
			if diff := cmp.Diff(map[string]Protection{"password": {Enabled: true}, "first": counted, "code": code, "second": counted}, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		}
		if a := send(h, "GET", "/account/security", "", ""); a.Status != 401 {
			t.Errorf("without a session: %d", a.Status)
		}
	})
}

func TestProtectTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	none := func(context.Context, db.Querier, ID) (Protection, error) { return Protection{}, nil }
	w.Protect("totp", none)
	defer func() {
		if recover() == nil {
			t.Error("two rooms have one line")
		}
	}()
	w.Protect("totp", none)
}
