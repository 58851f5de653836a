package pin

import (
	"context"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
)

// A session that ended while its request ran publishes nothing, also where the pin's files came in
// batches. What is published could not be taken back.
func TestEndedSessionMakesNoPin(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var asked string
		over := true
		w := newWorld(t, d, func(c *Config) {
			c.Hold = func(_ context.Context, _ *db.Tx, who account.ID, session string) error {
				if asked = string(who) + " " + session; over {
					return fault.New(fault.Unauthenticated, "unauthenticated", "Sign in first.")
				}
				return nil
			}
		})
		file, folder := w.upload(w.ada, "", "a", pattern(100)), w.crowd(atOnce+1)
		for _, id := range []string{file, folder} {
			asked = ""
			w.is(w.do(w.ada, "POST", "/v1/files/"+id+"/pins", `{"encrypt":false}`), 401, "unauthenticated")
			if want := string(w.ada) + " s-" + string(w.ada); asked != want {
				t.Errorf("asked for %q, want %q", asked, want)
			}
		}
		w.later(time.Minute)
		for _, table := range []string{"pins", "pin_files", "pin_loose", "pin_targets"} {
			if n := w.rows(table); n != 0 {
				t.Errorf("%d rows in %s", n, table)
			}
		}
		over = false
		w.is(w.do(w.ada, "POST", "/v1/files/"+file+"/pins", `{"encrypt":false}`), 202, "")
	})
}
