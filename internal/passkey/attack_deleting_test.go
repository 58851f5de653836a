package passkey

import (
	"context"
	"errors"
	"testing"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// From the moment its deletion is decided, an account is unknown to a passkey, as it is to a
// password: also while a store that is down keeps its rows.
func TestAttackDeleting(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	id := w.below.Join("ada")
	k := w.newKey()
	w.add(w.caller("ada"), k, "")
	w.Accounts.Keep("stuck", account.Keeper{Forget: func(context.Context, *db.Tx, account.ID) error { return errors.New("a store is down") }})
	if err := w.Accounts.Delete(t.Context(), id); err == nil {
		t.Fatal("the store was up")
	}
	_, err := w.signIn(k)
	w.wants("an account that is being deleted", err, "invalid_passkey")
}
