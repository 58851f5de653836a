package guard

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/event"
	"coffer/internal/rest"
)

// An owner reads what happened at the doors of the account, in pages and through filters, and
// as a table.
func TestHistory(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		first := w.signIn(firefox, home, "ada")
		w.below.Advance(time.Minute)
		w.is(w.try("-1+1", "198.51.100.9", "ada", "wrong otters 41"), 401, "invalid_credentials")
		w.below.RunJobs()
		w.below.Advance(time.Minute)
		middle := w.below.Now().UTC()
		second := w.signIn(chrome, away, "ada")
		w.below.Advance(time.Minute)
		w.is(w.send(firefox, home, "POST", "/account/reauthenticate", first.AccessToken, `{"password":"`+accounttest.Password+`"}`), 201, "")
		w.below.Advance(time.Minute)
		w.is(w.send(firefox, home, "PUT", "/account/password", first.AccessToken,
			`{"current_password":"`+accounttest.Password+`","new_password":"eight quiet otters 41","revoke_others":false}`), 201, "")
		w.below.Advance(time.Minute)
		w.is(w.send(firefox, home, "DELETE", "/sessions/"+second.SessionID, first.AccessToken, ""), 204, "")

		all := w.history(first.AccessToken, "")
		newest := func(a, b SignIn) int { return b.At.Compare(a.At) }
		if !slices.IsSortedFunc(all, newest) {
			t.Errorf("the order of %+v", all)
		}
		for i := range all { // ids and times are not to be guessed
			if all[i].ID == "" || all[i].At.IsZero() || all[i].Findings == nil {
				t.Errorf("the happening %+v", all[i])
			}
			all[i].ID, all[i].At, all[i].Findings = "", time.Time{}, []Finding{}
		}
		utrecht, oslo, fox, blue, odd := "Utrecht, Netherlands", "=Oslo", "Firefox on Linux", "Chrome on Windows", "-11"
		one := func(kind, outcome, address string, place, device, session *string, here bool, methods []string, flags ...string) SignIn {
			return SignIn{
				Kind: kind, Outcome: outcome, Address: address, Place: place, Device: device, SessionID: session, Here: here,
				Methods: methods, Flags: append([]string{}, flags...), Findings: []Finding{},
			}
		}
		want := []SignIn{
			one("session-ended", ok, home, &utrecht, &fox, &second.SessionID, false, []string{}),
			one("password-changed", ok, home, &utrecht, &fox, &first.SessionID, true, []string{}),
			one("stepped-up", ok, home, &utrecht, &fox, &first.SessionID, true, []string{"pwd"}),
			one("signed-in", ok, away, &utrecht, &blue, &second.SessionID, false, []string{"pwd"}, "new_device"),
			one("sign-in-failed", failed, "198.51.100.9", &oslo, &odd, nil, false, []string{"password"}),
			one("signed-in", ok, home, &utrecht, &fox, &first.SessionID, true, []string{"pwd"}),
		}
		if diff := cmp.Diff(want, all); diff != "" {
			t.Fatalf("the history: %s", diff)
		}

		at := url.QueryEscape(middle.Format(time.RFC3339Nano))
		for query, want := range map[string][]string{
			"?kind=signed-in":             {"signed-in", "signed-in"},
			"?outcome=failed":             {"sign-in-failed"},
			"?outcome=held":               nil,
			"?kind=nothing":               nil,
			"?until=" + at:                {"sign-in-failed", "signed-in"},
			"?since=" + at:                kinds(want[:4]),
			"?limit=3":                    kinds(want[:3]),
			"?limit=200":                  kinds(want),
			"?since=&outcome=ok":          append(kinds(want[:4]), "signed-in"),
			"?kind=signed-in&since=" + at: {"signed-in"},
		} {
			if got := kinds(w.history(first.AccessToken, query)); !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", query, got, want)
			}
		}
		for _, query := range []string{"?since=yesterday", "?outcome=good", "?kind=%27", "?cursor=AAAA", "?until=2026-13-01T00:00:00Z"} {
			if got := w.send(firefox, home, "GET", "/account/sign-ins"+query, first.AccessToken, ""); got.status != 422 {
				t.Errorf("%s: %d %s", query, got.status, got.raw)
			}
		}
		var paged []string
		for cursor := ""; ; {
			page := w.is(w.send(firefox, home, "GET", "/account/sign-ins?limit=2&cursor="+cursor, first.AccessToken, ""), 200, "")
			if paged = append(paged, kinds(page.Items)...); len(page.Items) > 2 {
				t.Fatalf("a page of %d", len(page.Items))
			}
			if cursor = page.NextCursor; cursor == "" {
				break
			}
		}
		if !slices.Equal(paged, kinds(want)) {
			t.Errorf("in pages: %q", paged)
		}

		w.readsTable(first.AccessToken, at)
	})
}

// readsTable checks the table of what happened until a time: a sign-in and a failure.
func (w *world) readsTable(access, at string) {
	w.t.Helper()
	t := w.t
	table := w.is(w.send(firefox, home, "GET", "/account/sign-ins/export?until="+at, access, ""), 200, "")
	lines, err := csv.NewReader(strings.NewReader(table.raw)).ReadAll()
	if err != nil || len(lines) != 3 || !slices.Equal(lines[0], columns) || strings.Count(table.raw, "\r\n") != 3 {
		t.Fatalf("the table: %v\n%s", err, table.raw)
	}
	if got := lines[1][1:8]; !slices.Equal(got, []string{"sign-in-failed", "failed", "198.51.100.9", "'=Oslo", "'-11", "password", ""}) {
		t.Errorf("a line of the table: %q", got)
	}
	if kind := table.header.Get("Content-Type"); kind != "text/csv; charset=utf-8; header=present" || !strings.Contains(table.header.Get("Content-Disposition"), `filename="sign-ins-`) {
		t.Errorf("the table's headers: %v", table.header)
	}
	if got := w.send(firefox, home, "GET", "/account/sign-ins/export?since=now", access, ""); got.status != 422 {
		t.Errorf("a table of no time: %d", got.status)
	}
}

// No cell of the table is a formula (CSV injection).
func TestAttackFormula(t *testing.T) {
	for _, cell := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"} {
		place := cell
		for i, got := range line(SignIn{Kind: cell, Outcome: cell, Address: cell, Place: &place, Device: &place, Methods: []string{cell}, SessionID: &place, Flags: []string{cell}, Findings: []Finding{{Rule: cell}}}) {
			if got != "" && strings.ContainsRune("=+-@\t\r", rune(got[0])) {
				t.Errorf("%s of %q: %q", columns[i], cell, got)
			}
		}
	}
	if got := defused("Oslo = -1"); got != "Oslo = -1" {
		t.Errorf("a plain cell: %q", got)
	}
}

// Another account's history cannot be read: not by its owner's cursor, nor by a writer of the
// database who moves or alters rows, which are left out.
func TestAttackHistory(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for range 3 {
			w.signIn(firefox, home, "ada")
			w.below.Advance(time.Second)
		}
		ada, bob := w.signIn(firefox, home, "ada"), w.signIn(chrome, away, "bob")
		if got := w.history(bob.AccessToken, ""); len(got) != 1 || got[0].SessionID == nil || *got[0].SessionID != bob.SessionID {
			t.Errorf("bob reads %+v", got)
		}
		page := w.is(w.send(firefox, home, "GET", "/account/sign-ins?limit=1", ada.AccessToken, ""), 200, "")
		w.is(w.send(chrome, away, "GET", "/account/sign-ins?cursor="+page.NextCursor, bob.AccessToken, ""), 422, "validation_failed")
		w.is(w.send(chrome, away, "GET", "/account/sign-ins", "", ""), 401, "unauthenticated")
		w.is(w.send(chrome, away, "GET", "/account/sign-ins/export", "", ""), 401, "unauthenticated")

		all := w.history(ada.AccessToken, "")
		if len(all) != 4 {
			t.Fatalf("%d happenings", len(all))
		}
		w.exec(`UPDATE sign_in_events SET account = $1 WHERE id = $2`, string(w.bob), all[0].ID)
		w.exec(`UPDATE sign_in_events SET at = at - 1 WHERE id = $1`, all[1].ID)
		w.exec(`UPDATE sign_in_events SET kind = 'stepped-up', outcome = 'noticed' WHERE id = $1`, all[2].ID)
		w.exec(`UPDATE sign_in_events SET sealed = (SELECT sealed FROM sign_in_events WHERE id = $1) WHERE account = $2 AND id <> $3`, all[3].ID, string(w.bob), all[0].ID)
		if got := w.history(ada.AccessToken, ""); len(got) != 1 || got[0].ID != all[3].ID {
			t.Errorf("ada reads %+v", got)
		}
		if got := w.history(bob.AccessToken, ""); len(got) != 0 {
			t.Errorf("bob reads %+v", got)
		}
		var sealed []byte
		if err := d.QueryRow(t.Context(), `SELECT sealed FROM sign_in_events WHERE id = $1`, all[3].ID).Scan(&sealed); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(sealed), home) || strings.Contains(string(sealed), "Firefox") {
			t.Errorf("a reader of the database learns %q", sealed)
		}
	})
}

// Wrong guesses have a bound of their own, and push out no success.
func TestAttackGuessesPushNothingOut(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.signIn(firefox, home, "ada")
		add := func(kind string, n int) {
			t.Helper()
			if err := d.Tx(t.Context(), func(tx *db.Tx) error {
				for range n {
					w.below.Advance(time.Millisecond)
					r := eventRow{ID: uuid.Must(uuid.NewV7()).String(), Account: w.ada, At: w.Now().UnixMilli(), Kind: kind}
					if err := w.keep(t.Context(), tx, r, details{}); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		add(signInFailed, keeps[failed]+20)
		add("sign-up-exists", 3)
		count := func(outcome string) (n int) {
			t.Helper()
			for one, err := range w.all(t.Context(), caller(w.ada), Filter{Outcome: outcome}) {
				if err != nil || one.(SignIn).Outcome != outcome {
					t.Fatal(one, err)
				}
				n++
			}
			return n
		}
		if f, s := count(failed), count(ok); f != keeps[failed] || s != 1 || w.rows(w.ada) != keeps[failed]+1 {
			t.Errorf("%d failures and %d successes of %d rows", f, s, w.rows(w.ada))
		}
		if keeps[ok] != 2000 || keeps[failed] != 500 {
			t.Errorf("the bounds that the API tells are not %v", keeps)
		}
	})
}

// A wrong password costs the same statements whether or not there is an account, and its answer
// is the same.
func TestAttackFailureTellsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.signIn(firefox, home, "ada")
	run := func(who string) (ran []string, got reply) {
		ran = dbtest.Ran(w.DB, func() { got = w.try(firefox, home, who, "wrong otters 41") })
		w.is(got, 401, "invalid_credentials")
		return ran, got
	}
	known, one := run("ada")
	unknown, other := run("nobody")
	if diff := cmp.Diff(known, unknown); diff != "" {
		t.Errorf("statements differ: %s", diff)
	}
	id := regexp.MustCompile(`"request_id":"[^"]*"`)
	if a, b := id.ReplaceAllString(one.raw, ""), id.ReplaceAllString(other.raw, ""); a != b {
		t.Errorf("answers differ:\n%s\n%s", a, b)
	}
	if !slices.ContainsFunc(known, func(q string) bool { return strings.Contains(q, "INTO jobs") }) {
		t.Errorf("the failure is not queued: %q", known)
	}
	w.below.RunJobs()
	if got := w.rows(w.ada); got != 2 {
		t.Errorf("%d rows, want a success and a failure", got)
	}
}

// A failure counts once however often its job runs, and not for an account that is gone.
func TestFailureOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		payload := func(id account.ID) []byte {
			return []byte(fmt.Sprintf(`{"id":"%s","account":"%s","at":%d,"method":"password"}`, uuid.Must(uuid.NewV7()), id, w.Now().UnixMilli()))
		}
		one := payload(w.ada)
		for range 2 {
			if err := w.noteFailed(t.Context(), one); err != nil {
				t.Fatal(err)
			}
		}
		if n := w.rows(w.ada); n != 1 {
			t.Errorf("%d rows of one failure", n)
		}
		if err := w.noteFailed(t.Context(), bytes.Replace(payload(w.ada), []byte("{"), []byte(`{"held":true,`), 1)); err != nil {
			t.Fatal(err)
		}
		list, err := w.List(t.Context(), caller(w.ada), Filter{Outcome: held}, rest.Paging{Limit: 50})
		if err != nil || len(list.Items) != 1 || list.Items[0].Kind != "sign-in-held" {
			t.Errorf("a right proof that was held: %+v, %v", list.Items, err)
		}
		late := payload(w.bob)
		if err := w.Accounts.Forget(t.Context(), w.bob); err != nil {
			t.Fatal(err)
		}
		if err := w.noteFailed(t.Context(), late); err != nil || w.rows(w.bob) != 0 {
			t.Errorf("a failure of an account that is gone: %v, %d rows", err, w.rows(w.bob))
		}
		if err := w.noteFailed(t.Context(), []byte("{")); err == nil {
			t.Error("a payload that is none")
		}
	})
}

// The history is kept for a time, and goes with its account.
func TestHistoryEnds(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.signIn(firefox, home, "ada")
		w.signIn(firefox, home, "bob")
		w.below.Advance(w.HistoryTTL - time.Hour)
		again := w.signIn(firefox, home, "ada")
		w.below.Advance(2 * time.Hour)
		list, err := w.List(t.Context(), rest.Caller{Account: string(w.ada), Session: again.SessionID}, Filter{Since: time.Unix(0, 0)}, rest.Paging{Limit: 50})
		if err != nil || len(list.Items) != 1 || !list.Items[0].Here || w.rows(w.ada) != 2 {
			t.Errorf("what is too old shows: %+v, %v, %d rows", list, err, w.rows(w.ada))
		}
		w.exec(`INSERT INTO guard_failures (id, network, subject, name, at) VALUES ('old', 'x', 'x', 'x', $1), ('new', 'x', 'x', 'x', $2)`,
			w.Now().Add(-failureTTL-time.Second).UnixMilli(), w.Now().UnixMilli())
		if err := w.prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if w.rows(w.ada) != 1 || w.rows(w.bob) != 0 {
			t.Errorf("pruning left %d and %d rows", w.rows(w.ada), w.rows(w.bob))
		}
		var left int
		if err := d.QueryRow(t.Context(), `SELECT COUNT(*) FROM guard_failures`).Scan(&left); err != nil || left != 1 {
			t.Errorf("%d failures are left, %v", left, err)
		}
		w.signIn(firefox, home, "bob")
		if err := w.Accounts.Forget(t.Context(), w.ada); err != nil {
			t.Fatal(err)
		}
		if w.rows(w.ada) != 0 || w.rows(w.bob) != 1 {
			t.Errorf("the deletion left %d and %d rows", w.rows(w.ada), w.rows(w.bob))
		}
	})
}

// The transaction that deletes an account changes few rows, however often it signed in. Steps are
// counted, no clock.
func TestForgetIsShort(t *testing.T) {
	t.Parallel()
	d, work := dbtest.CountedSQLite(t)
	w := newWorld(t, d)
	for _, q := range []string{
		`INSERT INTO guard_entries (id, account, network, subject, at, judged) SELECT 'x' || i, $1, CAST('n' AS BLOB), CAST('s' AS BLOB), i, TRUE FROM n`,
		`INSERT INTO sign_in_events (id, account, at, kind, outcome, sealed) SELECT 'x' || i, $1, i, 'signed-in', 'ok', CAST('s' AS BLOB) FROM n`,
	} {
		w.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) `+q, string(w.ada))
	}
	if cost := w.below.ForgetCounted(w.ada, work); cost.Steps > 100_000 {
		t.Errorf("%d steps in one transaction", cost.Steps)
	}
	var left int
	if err := d.QueryRow(t.Context(), `SELECT COUNT(*) FROM guard_entries WHERE account = $1`, string(w.ada)).Scan(&left); err != nil || left != 0 || w.rows(w.ada) != 0 {
		t.Errorf("%d sign-ins and %d happenings are left, %v", left, w.rows(w.ada), err)
	}
}

// An event that another person's request caused shows nothing of that person.
func TestAttackAnothersRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.below.Events.DeclareQuiet("by-another")
	w.by = func(ctx context.Context) error { // runs in the request of whoever calls
		return w.DB.Tx(ctx, func(tx *db.Tx) error {
			return w.below.Events.Record(ctx, tx, event.Event{Kind: "by-another", Account: string(w.ada)})
		})
	}
	ada, bob := w.signIn(firefox, home, "ada"), w.signIn(chrome, away, "bob")
	for _, one := range []struct {
		name, access, address string
		session               bool
	}{{"bob", bob.AccessToken, "", false}, {"ada", ada.AccessToken, away, true}} {
		w.is(w.send(chrome, away, "POST", "/test/by", one.access, ""), 204, "")
		got := w.history(ada.AccessToken, "?limit=1")[0]
		if got.Kind != "by-another" || got.Address != one.address || (got.Device != nil) != one.session || (got.Place != nil) != one.session || (got.SessionID != nil) != one.session {
			t.Errorf("%s: %+v", one.name, got)
		}
	}
}

// The settings refuse a history of less than a day, and New a config without its parts.
func TestSettings(t *testing.T) {
	if err := (&Settings{HistoryTTL: 24*time.Hour - 1}).AfterApply(); err == nil || !strings.Contains(err.Error(), "COFFER_HISTORY_TTL") {
		t.Errorf("a short history: %v", err)
	}
	if err := (&Settings{HistoryTTL: 24 * time.Hour}).AfterApply(); err != nil {
		t.Error(err)
	}
	if _, err := New(Config{}); err == nil {
		t.Error("a room without parts")
	}
}
