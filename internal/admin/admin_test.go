package admin

import (
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/event"
	"coffer/internal/limit/limittest"
)

// TestLogShowsTampering: whatever a writer of the database does to rows or head is found, and
// stays found after the next act.
func TestLogShowsTampering(t *testing.T) {
	for name, q := range map[string][]string{
		"a changed entry":   {`UPDATE admin_log SET entry = mac WHERE seq = 2`},
		"another time":      {`UPDATE admin_log SET at = at - 1 WHERE seq = 2`},
		"a row less":        {`DELETE FROM admin_log WHERE seq = 2`},
		"the last row less": {`DELETE FROM admin_log WHERE seq = 4`},
		"a shorter log":     {`DELETE FROM admin_log WHERE seq > 2`, `UPDATE admin_log_head SET seq = 2, mac = (SELECT mac FROM admin_log WHERE seq = 2)`},
		"a later beginning": {`DELETE FROM admin_log WHERE seq = 1`, `UPDATE admin_log_head SET base_seq = 1`},
		"two rows changed over": {`UPDATE admin_log SET seq = 9 WHERE seq = 2`, `UPDATE admin_log SET seq = 2 WHERE seq = 3`,
			`UPDATE admin_log SET seq = 3 WHERE seq = 9`},
		"a row more": {`INSERT INTO admin_log (seq, at, entry, mac) SELECT seq + 1, at, entry, mac FROM admin_log WHERE seq = 4`},
		"no head":    {`DELETE FROM admin_log_head WHERE id = 1`},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := accounttest.New(t, d, limittest.Setup{})
				s := &Service{Config: Config{DB: d, Ring: w.Ring, Now: time.Now, Log: slog.New(slog.DiscardHandler)}}
				act := func() {
					t.Helper()
					if err := s.Record(t.Context(), By{Console: "root"}, Entry{Action: "key.rotate", Target: "field"}); err != nil {
						t.Fatal(err)
					}
				}
				verify := func(when string, sound bool) {
					t.Helper()
					v, err := s.Verify(t.Context())
					if err != nil || (len(v.Wrong) == 0) != sound {
						t.Fatalf("%s: %+v, %v", when, v, err)
					}
				}
				for range 4 {
					act()
				}
				verify("untouched", true)
				for _, one := range q {
					if _, err := d.Exec(t.Context(), one); err != nil {
						t.Fatal(err)
					}
				}
				verify("altered", false)
				act()
				verify("after another act", false)
			})
		})
	}
}

// TestLogTrims: old rows that enough newer ones follow go, the rest stays sound and opens. Young
// rows push nothing out, and neither does a writer of the database by another time of a row.
func TestLogTrims(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := accounttest.New(t, d, limittest.Setup{})
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		s := &Service{Config: Config{DB: d, Ring: w.Ring, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}}
		act := func(actions string) {
			t.Helper()
			for _, action := range strings.Fields(actions) {
				if err := s.Record(t.Context(), By{Account: "admin"}, Entry{Action: action, Account: account.ID("ada")}); err != nil {
					t.Fatal(err)
				}
			}
		}
		trim := func(when string, sound bool, first, last int64) {
			t.Helper()
			if err := s.trimLog(t.Context(), 2); err != nil {
				t.Fatal(err)
			}
			if v, err := s.Verify(t.Context()); err != nil || (len(v.Wrong) == 0) != sound || v.Rows != last-first+1 || v.First != first || v.Last != last {
				t.Errorf("%s: %+v, %v", when, v, err)
			}
		}
		sql := func(q string) {
			t.Helper()
			if _, err := d.Exec(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
		act("a b")
		now = now.Add(keepFor - time.Second)
		act("c d e")
		trim("young rows push nothing out", true, 1, 5)
		sql(`UPDATE admin_log SET at = at - 2000 WHERE seq = 1`)
		trim("a row with another time", false, 1, 5)
		sql(`UPDATE admin_log SET at = at + 2000 WHERE seq = 1`)
		now = now.Add(time.Second)
		trim("two old rows", true, 3, 5)
		now = now.Add(keepFor)
		trim("old rows that too few follow", true, 4, 5)
		all, err := s.Entries(t.Context(), 0, 10)
		if err != nil || len(all) != 2 || all[0].Action != "e" || all[1].Action != "d" || all[0].By.Account != "admin" || all[0].Account != "ada" {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

// Findings of one account fill the log no further than its bound of a day,
// and neither does one kind of all accounts together.
func TestFindingsAreBounded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := accounttest.New(t, d, limittest.Setup{})
		now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		s := &Service{Config: Config{DB: d, Ring: w.Ring, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}}
		find := func(who string, n int) {
			t.Helper()
			for range n {
				if err := d.Tx(t.Context(), func(tx *db.Tx) error {
					return s.keepEvent(t.Context(), tx, event.Event{Kind: "refresh-reuse", Account: who, Data: map[string]string{"method": "x"}})
				}); err != nil {
					t.Fatal(err)
				}
			}
		}
		entries := func(who account.ID) (n, last int) {
			t.Helper()
			all, err := s.Entries(t.Context(), 0, 1000)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range all {
				if e.Account == who {
					n++
				}
				if e.Account == who && e.Data["further"] != "" {
					last++
				}
			}
			return n, last
		}
		find("ada", findingsAccount+10)
		find("bob", 1)
		if n, last := entries("ada"); n != findingsAccount || last != 1 {
			t.Errorf("%d entries of one account, %d say that there are more", n, last)
		}
		if n, last := entries("bob"); n != 1 || last != 0 {
			t.Errorf("%d entries of another account, %d say that there are more", n, last)
		}
		now = now.Add(24 * time.Hour)
		find("ada", 1)
		if n, _ := entries("ada"); n != findingsAccount+1 {
			t.Errorf("%d entries on the next day", n)
		}
	})
	var c counted
	room := 0
	for i := range 2 * findingsKind {
		if ok, _ := c.take(account.ID(strconv.Itoa(i)), "refresh-reuse", time.Unix(0, 0)); ok {
			room++
		}
	}
	if room != findingsKind {
		t.Errorf("%d of all accounts, want %d", room, findingsKind)
	}
	if ok, _ := c.take("ada", "recovery-used", time.Unix(0, 0)); !ok {
		t.Error("a kind that is full took the room of another")
	}
}
