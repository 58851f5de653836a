package upload

import (
	"context"
	"net/http"
	"testing"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
)

// A session that ends while the last bytes come makes no file of them. The next one does.
func TestEndedSession(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	over := fault.New(fault.Unauthenticated, "unauthenticated", "The session is over.")
	w.Files.Hold = func(context.Context, *db.Tx, account.ID, string) error { return over }
	path := w.begin(5)
	if got := w.patch(path, 0, "hello").problem(t); got != "401 unauthenticated" {
		t.Errorf("the last bytes: %s", got)
	}
	if a := w.call(ada, "HEAD", path, ""); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("HEAD: %d", a.StatusCode)
	}
	if got := w.names(); len(got) != 0 {
		t.Errorf("files %q", got)
	}
	w.Files.Hold = nil
	if id := w.call(ada, "HEAD", path, "").Header.Get("Coffer-File"); id == "" || w.content(id) != "hello" {
		t.Errorf("the next session finds file %q", id)
	}
}
