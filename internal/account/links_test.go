package account

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
	"coffer/internal/limit/limittest"
)

var (
	openDoor = Purpose{Name: "open-door", Page: "/open"}
	manyDoor = Purpose{Name: "many-door", Page: "/many", Several: true}
	staying  = Purpose{Name: "staying", Page: "/stay", Life: 72 * time.Hour, Stays: true}
)

// link makes a link and returns its token.
func (w *world) link(p Purpose, id ID, data string) string {
	w.t.Helper()
	var url string
	if err := w.DB.Tx(context.Background(), func(tx *db.Tx) (err error) {
		url, err = w.NewLink(context.Background(), tx, p, id, data)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	token, ok := strings.CutPrefix(url, w.BaseURL+p.Page+"#token=")
	if !ok || len(token) != tokenLength {
		w.t.Fatalf("the link %q", url)
	}
	return token
}

// useLink uses a link in a transaction of its own.
func (w *world) useLink(p Purpose, token string) (l Link, err error) {
	err = w.DB.Tx(context.Background(), func(tx *db.Tx) error {
		l, err = w.UseLink(context.Background(), tx, p, token)
		return err
	})
	return l, err
}

func TestLink(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada := w.join(person1("ada"))
		ctx := t.Context()
		token := w.link(openDoor, ada, "carry this")
		made := w.Now().UTC().Truncate(time.Millisecond)
		for range 2 { // looking uses nothing up
			if l, err := w.FindLink(ctx, openDoor, token); err != nil || l != (Link{ada, "carry this", made}) {
				t.Fatalf("found %+v, %v", l, err)
			}
		}
		for what, use := range map[string]func() (Link, error){
			"of another purpose": func() (Link, error) { return w.useLink(manyDoor, token) },
			"altered":            func() (Link, error) { return w.useLink(openDoor, token[1:]+token[:1]) },
			"empty":              func() (Link, error) { return w.useLink(openDoor, "") },
			"longer":             func() (Link, error) { return w.useLink(openDoor, token+"A") },
		} {
			if _, err := use(); !errors.Is(err, ErrLinkGone) {
				t.Errorf("a link %s: %v", what, err)
			}
		}
		if l, err := w.useLink(openDoor, token); err != nil || l.Account != ada || l.Data != "carry this" {
			t.Fatalf("used %+v, %v", l, err)
		}
		if _, err := w.useLink(openDoor, token); !errors.Is(err, ErrLinkGone) {
			t.Errorf("used twice: %v", err)
		}
		older := w.link(openDoor, ada, "")
		newer := w.link(openDoor, ada, "")
		if _, err := w.useLink(openDoor, older); !errors.Is(err, ErrLinkGone) {
			t.Errorf("a link that a newer one replaced: %v", err)
		}
		side, by := w.link(manyDoor, ada, ""), w.link(manyDoor, ada, "")
		for _, token := range []string{side, by} {
			if _, err := w.useLink(manyDoor, token); err != nil {
				t.Errorf("one of several: %v", err)
			}
		}
		w.Advance(w.LinkTTL)
		if _, err := w.useLink(openDoor, newer); !errors.Is(err, ErrLinkGone) {
			t.Errorf("an expired link: %v", err)
		}
	})
}

// A link ends with the sessions of its account, unless it stays, and with its account.
func TestLinkEnds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ada, bob := w.join(person1("ada")), w.join(person1("bob"))
		gone, other, stays := w.link(openDoor, ada, ""), w.link(openDoor, bob, ""), w.link(staying, ada, "")
		if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error { return w.InvalidateSessions(t.Context(), tx, ada, "") }); err != nil {
			t.Fatal(err)
		}
		if _, err := w.useLink(openDoor, gone); !errors.Is(err, ErrLinkGone) {
			t.Errorf("a link of an account whose sessions were ended: %v", err)
		}
		if _, err := w.useLink(openDoor, other); err != nil {
			t.Errorf("a link of another account: %v", err)
		}
		if _, err := w.FindLink(t.Context(), staying, stays); err != nil {
			t.Errorf("a link that stays: %v", err)
		}
		if err := w.Forget(t.Context(), ada); err != nil {
			t.Fatal(err)
		}
		if _, err := w.useLink(staying, stays); !errors.Is(err, ErrLinkGone) {
			t.Errorf("a link of an account that is gone: %v", err)
		}
	})
}

func TestLinkUsedAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		token := w.link(openDoor, w.join(person1("ada")), "")
		won := limittest.AtOnce(20, func() error {
			_, err := w.useLink(openDoor, token)
			if err != nil && !errors.Is(err, ErrLinkGone) {
				t.Error(err)
			}
			return err
		})
		if won != 1 {
			t.Errorf("%d of 20 callers used one link", won)
		}
	})
}

// A writer of the database can neither move a link nor prolong it.
func TestLinkAltered(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	ada, eve := w.join(person1("ada")), w.join(person1("eve"))
	for what, statement := range map[string]string{
		"of another account":  `UPDATE links SET account = '` + string(ada) + `' WHERE account = '` + string(eve) + `'`,
		"of another purpose":  `UPDATE links SET purpose = 'many-door'`,
		"prolonged":           `UPDATE links SET expires_at = expires_at + 1`,
		"made at another":     `UPDATE links SET made_at = made_at + 1`,
		"that stays":          `UPDATE links SET stays = TRUE`,
		"with another's data": `UPDATE links SET data = x'00'`,
	} {
		token := w.link(openDoor, eve, "")
		if _, err := w.DB.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
		for _, p := range []Purpose{openDoor, manyDoor} {
			if l, err := w.useLink(p, token); err == nil || fault.Of(err).Code != ErrLinkGone.Code {
				t.Errorf("a link %s works: %+v, %v", what, l, err)
			}
		}
		if _, err := w.DB.Exec(t.Context(), `DELETE FROM links`); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLinksPruned(t *testing.T) {
	d := dbtest.SQLite(t)
	newWorld(t, d)
	dbtest.PrunesInBatches(t, d, "links", `INSERT INTO links (token, account, purpose, stays, data, made_at, expires_at)
		SELECT CAST(i AS BLOB), 'a', 'p', FALSE, x'', 1, 1 FROM n`, func() error { return pruneLinks(t.Context(), d, 1) })
}
