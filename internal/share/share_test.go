package share

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/file"
	"coffer/internal/rest"
)

// TestShare is a link from its making to its end, as its owner sees it.
func TestShare(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		folder := w.folder("", "Holiday")
		photo := w.upload(folder, "a.txt", "hello")
		ends := w.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		sh := w.share(photo, Read, `,"note":"See\nyou","max_downloads":3,"password":"open sesame","expires_at":"`+ends+`"`)
		want := Share{
			ID: sh.ID, Kind: Read, URL: "https://coffer.test/s/" + sh.Token, Token: sh.Token, Note: "See\nyou", HasPassword: true, ExpiresAt: sh.ExpiresAt,
			Entry:        &Placed{ID: photo, Kind: file.File, Name: "a.txt", Path: []file.Step{{ID: folder, Name: "Holiday"}}},
			MaxDownloads: sh.MaxDownloads, Accept: []string{}, State: "open", CreatedAt: sh.CreatedAt,
		}
		if diff := cmp.Diff(want, sh); diff != "" || !isToken(sh.Token) || *sh.MaxDownloads != 3 || sh.ExpiresAt.Format(time.RFC3339) != ends {
			t.Errorf("%s, %q, %v, %v", diff, sh.Token, *sh.MaxDownloads, sh.ExpiresAt)
		}
		taking := w.share(folder, Request, `,"max_files":2,"accept":[".PDF"],"max_file_bytes":10`)
		if taking.URL != "https://coffer.test/r/"+taking.Token || !slices.Equal(taking.Accept, []string{".pdf"}) || *taking.MaxFiles != 2 || *taking.MaxFileBytes != 10 {
			t.Errorf("%+v", taking)
		}
		for path, want := range map[string][]string{
			"/shares": {taking.ID, sh.ID}, "/shares?kind=read": {sh.ID}, "/shares?kind=request": {taking.ID}, "/shares?limit=1": {taking.ID},
			"/files/" + photo + "/shares": {sh.ID}, "/files/" + folder + "/shares": {taking.ID},
		} {
			var ids []string
			for _, s := range good[rest.Page[Share]](w, w.call(w.ada, "GET", path, ""), 200).Items {
				ids = append(ids, s.ID)
			}
			if !slices.Equal(ids, want) {
				t.Errorf("%s: %q, want %q", path, ids, want)
			}
		}
		first := good[rest.Page[Share]](w, w.call(w.ada, "GET", "/shares?limit=1", ""), 200)
		second := good[rest.Page[Share]](w, w.call(w.ada, "GET", "/shares?limit=1&cursor="+first.NextCursor, ""), 200)
		if len(second.Items) != 1 || second.Items[0].ID != sh.ID || second.NextCursor != "" {
			t.Errorf("the second page: %+v", second)
		}

		// A member that is absent stays; null clears it.
		changed := good[Share](w, w.call(w.ada, "PATCH", "/shares/"+sh.ID, `{"note":null,"max_downloads":5}`), 200)
		want.Note, want.MaxDownloads = "", changed.MaxDownloads
		if diff := cmp.Diff(want, changed); diff != "" || *changed.MaxDownloads != 5 {
			t.Error(diff)
		}
		changed = good[Share](w, w.call(w.ada, "PATCH", "/shares/"+sh.ID, `{"password":null,"expires_at":null,"max_downloads":null}`), 200)
		if changed.HasPassword || changed.ExpiresAt != nil || changed.MaxDownloads != nil {
			t.Errorf("%+v", changed)
		}

		// Another account's links are absent, and so is the entry.
		for _, r := range [][2]string{{"GET", "/shares/" + sh.ID}, {"PATCH", "/shares/" + sh.ID}, {"DELETE", "/shares/" + sh.ID}, {"GET", "/shares/" + sh.ID + "/uses"},
			{"GET", "/files/" + photo + "/shares"}, {"POST", "/files/" + photo + "/shares"}} {
			body := map[string]string{"PATCH": `{"note":"mine"}`, "POST": `{"kind":"read"}`}[r[0]]
			w.is(w.call(w.bob, r[0], r[1], body), 404, "not_found")
		}
		if a := w.call(w.ada, "DELETE", "/shares/"+sh.ID, ""); a.StatusCode != 204 {
			t.Errorf("stop: %d %s", a.StatusCode, a.body)
		}
		w.is(w.call(w.ada, "GET", "/shares/"+sh.ID, ""), 404, "not_found")
		w.is(w.guest(sh.Token, "GET", "", ""), 404, "share_not_found")
	})
}

// TestShareRefusals: values that no link can have, and the bounds of their number.
func TestShareRefusals(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	folder, doc := w.folder("", "d"), w.upload("", "a.txt", "x")
	past := w.Now().Add(-time.Second).UTC().Format(time.RFC3339)
	for settings, pointer := range map[string]string{
		`{"kind":"read","password":"abc"}`: "/password", `{"kind":"read","expires_at":"` + past + `"}`: "/expires_at", `{"kind":"read","max_downloads":0}`: "/max_downloads",
		`{"kind":"read","max_files":1}`: "/max_files", `{"kind":"read","accept":[".pdf"]}`: "/accept", `{"kind":"read","max_file_bytes":1}`: "/max_file_bytes",
		`{"kind":"request","max_downloads":1}`: "/max_downloads", `{"kind":"request","accept":["pdf"]}`: "/accept", `{"kind":"request","accept":["./x"]}`: "/accept",
		`{"kind":"read","note":"` + strings.Repeat("x", 1001) + `"}`: "/note", `{"kind":"read","note":"a\u202eb"}`: "/note", `{"kind":"write"}`: "/kind", `{}`: "/kind",
	} {
		a := w.call(w.ada, "POST", "/files/"+folder+"/shares", settings)
		if a.StatusCode != 422 || !strings.Contains(string(a.body), `"pointer":"`+pointer+`"`) {
			t.Errorf("%s: %d %s", settings, a.StatusCode, a.body)
		}
	}
	w.is(w.call(w.ada, "POST", "/files/"+folder+"/shares", `{"kind":"read","token":"mine"}`), 400, "invalid_json")
	if a := w.call(w.ada, "POST", "/files/"+doc+"/shares", `{"kind":"request"}`); a.StatusCode != 422 || !strings.Contains(string(a.body), "not_a_folder") {
		t.Errorf("a request of a file: %d %s", a.StatusCode, a.body)
	}
	w.share(doc, Read, "")
	copies := func(n int, entry string, expires any) {
		t.Helper()
		if _, err := w.DB.Exec(t.Context(), `
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
			INSERT INTO shares (`+columns+`) SELECT id || '-' || $2 || '-' || i, $2, account, kind, CAST($2 || i AS BLOB), details, $3, max_downloads, downloads, max_files, files, max_file_bytes, blocked, created_at, used_at, told_at
			FROM shares CROSS JOIN n WHERE entry = $4`, n, entry, expires, doc); err != nil {
			t.Fatal(err)
		}
	}
	copies(100, folder, nil)
	w.is(w.call(w.ada, "POST", "/files/"+folder+"/shares", `{"kind":"read"}`), 409, "too_many_shares_of_entry")
	w.share(doc, Read, "") // another entry has its own
	if _, err := w.DB.Exec(t.Context(), `UPDATE shares SET expires_at = 1 WHERE entry = $1`, folder); err != nil {
		t.Fatal(err)
	}
	w.share(folder, Read, "") // one that is over does not count
	if _, err := w.DB.Exec(t.Context(), `DELETE FROM shares WHERE entry = $1 AND id NOT IN (SELECT MIN(id) FROM shares WHERE entry = $1)`, doc); err != nil {
		t.Fatal(err)
	}
	copies(maxLinks, "elsewhere", nil)
	w.is(w.call(w.ada, "POST", "/files/"+doc+"/shares", `{"kind":"read"}`), 409, "too_many_shares")
}

// TestSharedMark: an entry says whether a link to it is open.
func TestSharedMark(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		folder := w.folder("", "d")
		doc := w.upload(folder, "a.txt", "x")
		shared := func() bool {
			t.Helper()
			one := good[file.Entry](w, w.call(w.ada, "GET", "/files/"+doc, ""), 200)
			all := good[rest.Page[file.Entry]](w, w.call(w.ada, "GET", "/files?parent="+folder, ""), 200).Items
			found, err := w.Files.Locations(t.Context(), w.ada, []string{doc})
			if err != nil || len(all) != 1 || all[0].Shared != one.Shared || found[0].Shared != one.Shared {
				t.Errorf("the ways to an entry differ: %+v, %+v, %+v, %v", one, all, found, err)
			}
			return one.Shared
		}
		if shared() {
			t.Error("shared without a link")
		}
		sh := w.share(doc, Read, `,"max_downloads":1`)
		if !shared() {
			t.Error("not shared with a link")
		}
		if e := good[file.Entry](w, w.call(w.ada, "PATCH", "/files/"+doc, `{"name":"b.txt"}`), 200); !e.Shared {
			t.Error("a new name ends the mark")
		}
		w.guest(sh.Token, "GET", "/content", "")
		if shared() {
			t.Error("shared by a link that is used up")
		}
		sh = w.share(doc, Read, "")
		block := func(blocked bool) error {
			return d.Tx(t.Context(), func(tx *db.Tx) error {
				_, err := w.Block(t.Context(), tx, sh.ID, blocked)
				return err
			})
		}
		if err := block(true); err != nil || shared() {
			t.Errorf("shared by a blocked link, %v", err)
		}
		if err := block(false); err != nil || !shared() {
			t.Errorf("not shared by an unblocked link, %v", err)
		}
	})
}

// reasons are the ways in which a link ends. Each gets a world of its own.
var reasons = map[string]func(w *world, sh Share, folder string){
	"stopped": func(w *world, sh Share, _ string) { w.call(w.ada, "DELETE", "/shares/"+sh.ID, "") },
	"blocked": func(w *world, sh Share, _ string) {
		if err := w.DB.Tx(context.Background(), func(tx *db.Tx) error {
			_, err := w.Block(context.Background(), tx, sh.ID, true)
			return err
		}); err != nil {
			w.t.Error(err)
		}
	},
	"expired": func(w *world, sh Share, _ string) {
		soon := w.Now().Add(time.Minute).UTC().Format(time.RFC3339)
		w.call(w.ada, "PATCH", "/shares/"+sh.ID, `{"expires_at":"`+soon+`"}`)
		w.below.Advance(2 * time.Minute)
	},
	"another password": func(w *world, sh Share, _ string) {
		w.call(w.ada, "PATCH", "/shares/"+sh.ID, `{"password":"open sesame"}`)
	},
	"in the trash": func(w *world, _ Share, folder string) { w.call(w.ada, "DELETE", "/files/"+folder, "") },
	"deleted": func(w *world, _ Share, folder string) {
		w.call(w.ada, "DELETE", "/files/"+folder+"?permanent=true", "")
	},
	"a folder above in the trash": func(w *world, _ Share, folder string) {
		e, err := w.Files.Get(context.Background(), w.ada, folder)
		if err != nil || e.Parent == nil {
			w.t.Error(e, err)
			return
		}
		w.call(w.ada, "DELETE", "/files/"+*e.Parent, "")
	},
	"the owner is deactivated": func(w *world, _ Share, _ string) {
		if err := w.Accounts.Deactivate(context.Background(), w.ada); err != nil {
			w.t.Error(err)
		}
	},
	"the owner is deleted": func(w *world, _ Share, _ string) {
		if err := w.Accounts.Forget(context.Background(), w.ada); err != nil {
			w.t.Error(err)
		}
	},
	"the owner is over the quota": func(w *world, _ Share, _ string) {
		one := int64(1)
		if err := w.DB.Tx(context.Background(), func(tx *db.Tx) error { return w.Contents.SetQuota(context.Background(), tx, w.ada, &one, nil) }); err != nil {
			w.t.Error(err)
		}
	},
}

// guestCalls are all that a guest can call, below the link.
var guestCalls = [][3]string{
	{"GET", "", ""}, {"GET", "?path=a.txt", ""}, {"HEAD", "/content?path=a.txt", ""}, {"GET", "/content?path=a.txt", ""}, {"GET", "/archive", ""}, {"HEAD", "/archive", ""},
	{"GET", "/thumbnail?path=a.txt", ""}, {"POST", "/unlock", `{"password":"open sesame"}`},
}

// TestGoneIsOneAnswer: after each end of a link, every operation answers word for word what it
// answers for a link that never was.
func TestGoneIsOneAnswer(t *testing.T) {
	never := newToken()
	for name, end := range reasons {
		if name == "another password" {
			continue // the link stands
		}
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, dbtest.SQLite(t))
			above := w.folder("", "above")
			folder := w.folder(above, "d")
			w.upload(folder, "a.txt", "hello")
			sh, locked, taking := w.share(folder, Read, ""), w.share(folder, Read, `,"password":"open sesame"`), w.share(folder, Request, "")
			for _, s := range []Share{sh, locked, taking} {
				if a := w.guest(s.Token, "GET", "", ""); a.StatusCode == 404 {
					t.Fatalf("before: %d %s", a.StatusCode, a.body)
				}
			}
			for _, s := range []Share{sh, locked, taking} {
				if s.ID == sh.ID || name == "stopped" || name == "blocked" || name == "expired" {
					end(w, s, folder)
				}
			}
			for _, s := range []Share{sh, locked, taking} {
				for _, c := range guestCalls {
					got, want := w.guest(s.Token, c[0], c[1], c[2]), w.guest(never, c[0], c[1], c[2])
					if diff := cmp.Diff(want.plain(), got.plain()); diff != "" || got.StatusCode != 404 {
						t.Errorf("%s %s of %s: %d\n%s", c[0], c[1], s.Kind, got.StatusCode, diff)
					}
				}
				got, want := w.handIn(s.Token, nil, "x.txt", "x"), w.handIn(never, nil, "x.txt", "x")
				if diff := cmp.Diff(want.plain(), got.plain()); diff != "" || got.StatusCode != 404 {
					t.Errorf("hand in to %s: %d\n%s", s.Kind, got.StatusCode, diff)
				}
			}
		})
	}
}

// TestShareFollows: a link is bound to the entry. In the trash it is not found, and restored
// it is found again.
func TestShareFollows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		there, doc := w.folder("", "there"), w.upload("", "a.txt", "hello")
		sh := w.share(doc, Read, "")
		content := func() string {
			a := w.guest(sh.Token, "GET", "/content", "")
			return a.Status + " " + string(a.body)
		}
		w.call(w.ada, "PATCH", "/files/"+doc, `{"name":"b.txt","parent":"`+there+`"}`)
		if got := content(); got != "200 OK hello" {
			t.Error(got)
		}
		if v := good[Visit](w, w.guest(sh.Token, "GET", "", ""), 200); v.Name != "b.txt" || v.Entry.Name != "b.txt" || len(v.Items) != 0 || v.Owner != "Ada" {
			t.Errorf("%+v", v)
		}
		w.call(w.ada, "DELETE", "/files/"+doc, "")
		w.is(w.guest(sh.Token, "GET", "/content", ""), 404, "share_not_found")
		if s := good[Share](w, w.call(w.ada, "GET", "/shares/"+sh.ID, ""), 200); s.Entry != nil {
			t.Errorf("in the trash: %+v", s.Entry)
		}
		w.call(w.ada, "POST", "/trash/"+doc+"/restore", "")
		if got := content(); got != "200 OK hello" {
			t.Error(got)
		}
		// Deleted for good, the link goes with the next sweep, its log and its tickets too.
		if err := w.sweep(t.Context()); err != nil || len(good[rest.Page[Share]](w, w.call(w.ada, "GET", "/shares", ""), 200).Items) != 1 {
			t.Errorf("a sweep removed a link that stands, %v", err)
		}
		w.call(w.ada, "DELETE", "/files/"+doc+"?permanent=true", "")
		if err := w.sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.below.RunJobs()
		for _, table := range []string{"shares", "share_uses", "share_downloads"} {
			if n := w.rows(table); n != 0 {
				t.Errorf("%d rows in %s", n, table)
			}
		}
	})
}

// TestForgottenAccount leaves nothing.
func TestForgottenAccount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		sh := w.share(w.upload("", "a.txt", "hello"), Read, "")
		w.guest(sh.Token, "GET", "/content", "")
		if w.rows("share_uses") != 1 || w.rows("share_downloads") != 1 {
			t.Fatal("no use was noted")
		}
		if err := w.Accounts.Forget(t.Context(), w.ada); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"shares", "share_uses", "share_downloads"} {
			if n := w.rows(table); n != 0 {
				t.Errorf("%d rows in %s", n, table)
			}
		}
	})
}

// many gives a link of the world's account n tickets and uses in SQL.
func (w *world) many(sh Share, n int) {
	w.t.Helper()
	count := fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)`, n)
	for _, q := range []string{
		count + ` INSERT INTO share_downloads (ticket, content, share, account, remaining, expires_at) SELECT CAST($1 || i AS BLOB), CAST('x' AS BLOB), $1, $2, 0, i FROM n`,
		count + ` INSERT INTO share_uses (id, share, account, at, details) SELECT $1 || i, $1, $2, i, CAST('x' AS BLOB) FROM n`,
	} {
		if _, err := w.DB.Exec(w.t.Context(), q, sh.ID, string(w.ada)); err != nil {
			w.t.Fatal(err)
		}
	}
}

// The transaction that stops a link, and the one that deletes an account, change few rows, however
// much was done with links. Steps are counted, no clock.
func TestTransactionsAreShort(t *testing.T) {
	const steps = 50_000
	d, work := dbtest.CountedSQLite(t)
	w := newWorld(t, d)
	doc := w.upload("", "a.txt", "hello")
	stopped, lost, left := w.share(doc, Read, ""), w.share(w.upload("", "b.txt", "hello"), Read, ""), w.share(doc, Read, "")
	for _, sh := range []Share{stopped, lost, left} {
		w.many(sh, 10_000)
	}
	before := work()
	if err := w.Stop(t.Context(), w.ada, stopped.ID); err != nil {
		t.Fatal(err)
	}
	if cost := work().Less(before); cost.Steps > steps {
		t.Errorf("stop: %d steps in one transaction", cost.Steps)
	}
	r, err := read(t.Context(), d, w.ada, lost.ID)
	if err != nil {
		t.Fatal(err)
	}
	before = work()
	if err := w.removeOf(t.Context(), w.ada, []row{r}, []string{r.Entry}); err != nil {
		t.Fatal(err)
	}
	if cost := work().Less(before); cost.Steps > steps {
		t.Errorf("sweep: %d steps in one transaction", cost.Steps)
	}
	w.below.RunJobs()
	for _, table := range []string{"share_uses", "share_downloads"} {
		if n := w.rows(table); n != 10_000 {
			t.Errorf("%d rows in %s", n, table)
		}
	}
	if cost := w.below.ForgetCounted(w.ada, work); cost.Steps > steps {
		t.Errorf("deletion: %d steps in one transaction", cost.Steps)
	}
	for _, table := range []string{"shares", "share_uses", "share_downloads"} {
		if n := w.rows(table); n != 0 {
			t.Errorf("%d rows in %s", n, table)
		}
	}
}

// TestDamagedLink: a link that was altered in the database hides no other one. Its owner sees it,
// with its log, and stops it.
func TestDamagedLink(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		doc := w.upload("", "a.txt", "hello")
		bad, fine := w.share(doc, Read, `,"max_downloads":2,"note":"n"`), w.share(doc, Read, "")
		w.guest(bad.Token, "GET", "/content", "")
		if _, err := d.Exec(t.Context(), `UPDATE shares SET max_downloads = 9 WHERE id = $1`, bad.ID); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/shares", "/shares?kind=read", "/files/" + doc + "/shares"} {
			items := good[rest.Page[Share]](w, w.call(w.ada, "GET", path, ""), 200).Items
			if len(items) != 2 || items[0].ID != fine.ID || items[0].State != stateOpen || items[0].Entry == nil || items[1].ID != bad.ID || items[1].State != stateDamaged {
				t.Fatalf("%s: %+v", path, items)
			}
		}
		one := good[Share](w, w.call(w.ada, "GET", "/shares/"+bad.ID, ""), 200)
		want := Share{ID: bad.ID, Kind: Read, Downloads: 1, Accept: []string{}, State: stateDamaged, CreatedAt: bad.CreatedAt}
		if diff := cmp.Diff(want, one); diff != "" {
			t.Error(diff)
		}
		if uses := good[rest.Page[Use]](w, w.call(w.ada, "GET", "/shares/"+bad.ID+"/uses", ""), 200).Items; len(uses) != 1 {
			t.Errorf("its log: %+v", uses)
		}
		w.is(w.call(w.ada, "PATCH", "/shares/"+bad.ID, `{"note":"new"}`), 409, "damaged")
		w.is(w.guest(bad.Token, "GET", "", ""), 404, "share_not_found")
		var archive bytes.Buffer
		if err := w.Accounts.Export(t.Context(), w.ada, &archive); err != nil || !bytes.Contains(unzip(t, archive.Bytes(), "shares.json"), []byte(bad.ID)) {
			t.Errorf("the export: %v", err)
		}
		if a := w.call(w.ada, "DELETE", "/shares/"+bad.ID, ""); a.StatusCode != 204 {
			t.Errorf("DELETE: %d %s", a.StatusCode, a.body)
		}
		if items := good[rest.Page[Share]](w, w.call(w.ada, "GET", "/shares", ""), 200).Items; len(items) != 1 || items[0].ID != fine.ID {
			t.Errorf("%+v", items)
		}
	})
}

// TestSharesAtRest: SQL has no secret, password, note, name or place, and a row that was
// altered opens nothing.
func TestSharesAtRest(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		secret, open := w.upload("", "canary-name", "x"), w.upload("", "open", "y")
		sh := w.share(secret, Read, `,"note":"canary-note","password":"canary-password"`)
		taking := w.share(w.folder("", "d"), Request, `,"accept":[".canary"]`)
		w.guest(sh.Token, "POST", "/unlock", `{"password":"canary-password"}`)
		w.handIn(taking.Token, map[string]string{"from": "canary-sender"}, "a.canary", "x")
		for _, table := range []string{"shares", "share_uses"} {
			rows, err := d.Query(t.Context(), `SELECT details FROM `+table)
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for rows.Next() {
				var b []byte
				if err := rows.Scan(&b); err != nil {
					t.Fatal(err)
				}
				n++
				for _, word := range []string{"canary", sh.Token, taking.Token, "argon2id", "Utrecht"} {
					if bytes.Contains(b, []byte(word)) {
						t.Errorf("%s has %q in clear", table, word)
					}
				}
			}
			if rows.Close(); n != 2 {
				t.Errorf("%d rows in %s", n, table)
			}
		}
		// The export has the links, and no hash of a password.
		var archive bytes.Buffer
		if err := w.Accounts.Export(t.Context(), w.ada, &archive); err != nil {
			t.Fatal(err)
		}
		exported := unzip(t, archive.Bytes(), "shares.json")
		for word, want := range map[string]bool{sh.ID: true, "canary-note": true, "canary-sender": true, "argon2id": false, "canary-password": false} {
			if bytes.Contains(exported, []byte(word)) != want {
				t.Errorf("the export has %q: %v, want %v", word, !want, want)
			}
		}
		// A writer of the database turns a link to another entry, or lifts its bound.
		for _, set := range []string{`entry = '` + open + `'`, `expires_at = 99999999999999`, `max_downloads = 5`, `kind = 'request'`, `created_at = created_at + 1`} {
			before, err := readByID(t.Context(), d, sh.ID)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.Exec(t.Context(), `UPDATE shares SET `+set+` WHERE id = $1`, sh.ID); err != nil {
				t.Fatal(err)
			}
			w.is(w.guest(sh.Token, "GET", "", ""), 404, "share_not_found")
			if _, err := d.Exec(t.Context(), `UPDATE shares SET entry = $2, expires_at = $3, max_downloads = $4, kind = $5, created_at = $6 WHERE id = $1`,
				sh.ID, before.Entry, before.ExpiresAt, before.MaxDownloads, string(before.Kind), before.CreatedAt); err != nil {
				t.Fatal(err)
			}
		}
		w.is(w.guest(sh.Token, "GET", "", ""), 401, "share_password_required")
	})
}

// TestUses: the log of a link is bounded in number and time, and pages.
func TestUses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		sh := w.share(w.upload("", "a.txt", "hello"), Read, "")
		v, err := w.visit(t.Context(), sh.Token, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 30 {
			err := w.DB.Tx(t.Context(), func(tx *db.Tx) error {
				u := useRow{ID: string(rune('a'+i)) + "-use", Share: sh.ID, Account: w.ada, At: w.Now().UnixMilli()}
				plain, _ := json.Marshal(use{Action: "download", Path: string(rune('a' + i))})
				u.Details = v.key.Seal("share_uses", "details", u.place(), plain)
				return insertUse(t.Context(), tx, u, 20)
			})
			if err != nil {
				t.Fatal(err)
			}
			w.below.Advance(time.Second)
		}
		if n := w.rows("share_uses"); n != 20 {
			t.Errorf("%d lines", n)
		}
		var paths []string
		for cursor := ""; ; {
			page := good[rest.Page[Use]](w, w.call(w.ada, "GET", "/shares/"+sh.ID+"/uses?limit=7&cursor="+cursor, ""), 200)
			for _, u := range page.Items {
				paths = append(paths, u.Path)
			}
			if cursor = page.NextCursor; cursor == "" {
				break
			}
		}
		if len(paths) != 20 || paths[0] != string(rune('a'+29)) || paths[19] != string(rune('a'+10)) {
			t.Errorf("%q", paths)
		}
		w.below.Advance(useTTL)
		if page := good[rest.Page[Use]](w, w.call(w.ada, "GET", "/shares/"+sh.ID+"/uses", ""), 200); len(page.Items) != 0 {
			t.Errorf("%d lines after their time", len(page.Items))
		}
		if err := w.sweep(t.Context()); err != nil || w.rows("share_uses") != 0 {
			t.Errorf("%d lines stay, %v", w.rows("share_uses"), err)
		}
	})
}
