package file

import (
	"context"
	"net/http"
	"testing"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
)

// A session that is over when its upload is whole publishes nothing.
func TestUploadOfAnEndedSession(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	over := fault.New(fault.Unauthenticated, "unauthenticated", "Sign in first.")
	var asked []string
	w.Hold = func(_ context.Context, tx *db.Tx, owner account.ID, session string) error {
		asked = append(asked, string(owner)+" "+session)
		return over
	}
	a := w.upload(ada, "", upFile{"a.txt", "", "late"}, upFile{"b.txt", "", pattern(200 << 10)})
	if a.StatusCode != http.StatusUnauthorized {
		t.Errorf("got %d %s, want 401", a.StatusCode, a.body)
	}
	if len(asked) != 1 || asked[0] != string(ada)+" s-"+string(ada) {
		t.Errorf("asked for %q", asked)
	}
	w.nothing("after the refusal")
}
