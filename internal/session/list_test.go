package session_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/kv"
	"coffer/internal/session"
)

func TestListOfSessions(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, func(s *setup) {
			s.config.Place = func(a netip.Addr) session.Place {
				return map[string]session.Place{"192.0.2.7": {Name: "Utrecht"}}[a.String()]
			}
		})
		ada := w.below.Join("ada")
		w.below.Join("eve")
		eve := w.browser()
		hers := eve.signIn("eve")
		var ids []string
		b := w.browser()
		b.agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
		for i := range 5 {
			b.jar = map[string]string{} // another device each
			ids = append(ids, b.signIn("ada", fields{"device_name": fmt.Sprintf("  laptop\u202e\n %d", i)}).SessionID)
			if i != 2 { // two within one millisecond
				w.below.Advance(time.Minute)
			}
		}
		all := w.is(b.as("GET", "/sessions", nil), 200, "")
		if len(all.Items) != 5 || all.NextCursor != "" {
			t.Fatalf("list: %s", all.Raw)
		}
		slices.Reverse(ids)
		if all.Items[1].ID != ids[1] { // of one moment: either may be first
			ids[1], ids[2] = ids[2], ids[1]
		}
		for i, item := range all.Items {
			if item.ID != ids[i] || item.Current != (i == 0) {
				t.Errorf("item %d: %+v, want %s", i, item, ids[i])
			}
		}
		created := w.Now().Add(-time.Minute).UTC()
		want := session.ListedSession{
			ID: ids[0], Name: "laptop 4", UserAgent: "Firefox 140 on Linux", Address: "192.0.2.7", Place: "Utrecht", CreatedAt: created, LastUsedAt: created,
			ExpiresAt: created.Add(24 * time.Hour), AAL: "aal1", AMR: []string{"pwd"}, Current: true,
		}
		if diff := cmp.Diff(want, all.Items[0]); diff != "" {
			t.Error(diff)
		}
		// Page by page the same, whatever happens to the rows of pages before.
		var paged []string
		cursor := ""
		for {
			page := w.is(b.as("GET", "/sessions?limit=2&cursor="+cursor, nil), 200, "")
			for _, item := range page.Items {
				paged = append(paged, item.ID)
			}
			if cursor = page.NextCursor; cursor == "" {
				break
			}
			if len(page.Items) != 2 {
				t.Fatalf("a page of %d", len(page.Items))
			}
		}
		if diff := cmp.Diff(ids, paged); diff != "" {
			t.Errorf("pages: %s", diff)
		}
		for _, bad := range []string{"x", "%00", "AAAA", b64.EncodeToString([]byte("1")), b64.EncodeToString([]byte("1 \x00")), b64.EncodeToString([]byte("x " + ids[0])), b64.EncodeToString([]byte("1 "+ids[0])) + "%0A"} {
			if got := b.as("GET", "/sessions?cursor="+bad, nil); said(got) != "422 validation_failed" {
				t.Errorf("cursor %q: %d %s", bad, got.Status, got.Raw)
			}
		}
		if got := w.is(b.as("GET", "/sessions/"+ids[3], nil), 200, ""); !strings.Contains(got.Raw, `"id":"`+ids[3]+`"`) || strings.Contains(got.Raw, `"current":true`) {
			t.Errorf("one session: %s", got.Raw)
		}
		// A refresh is a use.
		w.below.Advance(time.Minute)
		w.is(b.send("POST", "/auth/refresh", "", nil), 201, "")
		if got := w.is(b.as("GET", "/sessions", nil), 200, "").Items[0]; !got.LastUsedAt.Equal(w.Now()) || !got.CreatedAt.Equal(created) {
			t.Errorf("after a refresh: %+v", got)
		}
		// Sessions that are over are not there, by time or by the account's version.
		w.below.Advance(24*time.Hour - time.Minute)
		w.is(b.send("POST", "/auth/refresh", "", nil), 201, "")
		if n := len(w.is(b.as("GET", "/sessions", nil), 200, "").Items); n != 1 {
			t.Errorf("%d sessions after the others' idle end", n)
		}
		w.is(b.as("GET", "/sessions/"+ids[3], nil), 404, "not_found")
		w.bump(ada)
		next := b.signIn("ada")
		if got := b.as("GET", "/sessions", nil); len(got.Items) != 1 || got.Items[0].ID != next.SessionID {
			t.Errorf("after the version changed: %s", got.Raw)
		}
		w.is(b.as("GET", "/sessions/"+ids[0], nil), 404, "not_found")
		_ = hers
	})
}

func TestRenameSession(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.below.Join("ada")
		b := w.browser()
		got := b.signIn("ada", fields{"device_name": "old"})
		for name, want := range map[string]string{
			"Küche 🍳": "Küche 🍳", "  spaced  ": "spaced", "a\u202eb\u0000c\nd\u2028e": "abcde", strings.Repeat("é", 100): strings.Repeat("é", 100),
		} {
			if r := w.is(b.as("PATCH", "/sessions/"+got.SessionID, fields{"name": name}), 200, ""); r.Name != want {
				t.Errorf("%q became %q, want %q", name, r.Name, want)
			}
			if r := w.is(b.as("GET", "/sessions/"+got.SessionID, nil), 200, ""); r.Name != want {
				t.Errorf("%q is stored as %q", name, r.Name)
			}
		}
		for _, body := range []any{fields{"name": ""}, fields{"name": "\u202e \n"}, fields{"name": strings.Repeat("a", 101)}, fields{}, fields{"name": nil}} {
			if r := b.as("PATCH", "/sessions/"+got.SessionID, body); said(r) != "422 validation_failed" {
				t.Errorf("%v: %d %s", body, r.Status, r.Raw)
			}
		}
		w.is(b.as("PATCH", "/sessions/"+got.SessionID, fields{"name": "x", "aal": "aal2"}), 400, "invalid_json")
	})
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.below.Join("ada")
		a, b, c := w.browser(), w.browser(), w.browser()
		a.signIn("ada", inBody)
		two := b.signIn("ada", inBody)
		three := c.signIn("ada", inBody)
		w.is(a.as("DELETE", "/sessions/"+two.SessionID, nil), 204, "")
		if b.alive(two.AccessToken) || !c.alive(three.AccessToken) || !a.alive(a.access) {
			t.Error("the wrong session died")
		}
		w.is(b.trade(two.RefreshToken), 401, "invalid_refresh_token")
		w.is(a.as("DELETE", "/sessions/"+two.SessionID, nil), 404, "not_found")
		b.signIn("ada", inBody)
		w.is(a.as("DELETE", "/sessions", nil), 204, "")
		if b.alive(b.access) || c.alive(three.AccessToken) || !a.alive(a.access) {
			t.Error("revoking the others left some, or took this one")
		}
		w.is(b.trade(b.refresh), 401, "invalid_refresh_token")
		w.is(a.trade(a.refresh), 201, "")
		w.is(a.as("DELETE", "/sessions", nil), 204, "") // nobody is left: that is no error
		// One's own, too.
		own := w.is(a.as("GET", "/sessions", nil), 200, "").Items[0].ID
		w.is(a.as("DELETE", "/sessions/"+own, nil), 204, "")
		if a.alive(a.access) {
			t.Error("a session outlives its own end")
		}
		if mails := w.below.Told(); len(mails) != 0 {
			t.Errorf("mails %q", mails)
		}
	})
}

// Another account's session is as one that does not exist (security.md rows 55 and 82).
func TestForeignSessions(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.below.Join("ada")
		w.below.Join("eve")
		a, e := w.browser(), w.browser()
		a.signIn("ada")
		hers := e.signIn("eve")
		want := ""
		for _, id := range []string{hers.SessionID, b64.EncodeToString(make([]byte, 16)), "x", "..%2f", strings.Repeat("A", 64), hers.SessionID + "=", "'--"} {
			for _, r := range []reply{a.as("GET", "/sessions/"+id, nil), a.as("PATCH", "/sessions/"+id, fields{"name": "mine"}), a.as("DELETE", "/sessions/"+id, nil)} {
				w.is(r, 404, "not_found")
				if want == "" {
					want = refusal(r)
				} else if refusal(r) != want {
					t.Errorf("%s: another answer: %s", id, r.Raw)
				}
			}
		}
		w.is(a.as("DELETE", "/sessions", nil), 204, "")
		if got := e.as("GET", "/sessions/"+hers.SessionID, nil); got.Status != 200 || got.Name == "mine" {
			t.Errorf("somebody else's session was touched: %s", got.Raw)
		}
		for _, path := range []string{"/sessions", "/sessions/" + hers.SessionID} {
			for _, method := range []string{"GET", "PATCH", "DELETE"} {
				if method == "PATCH" && path == "/sessions" {
					continue // there is no such operation
				}
				w.is(w.browser().send(method, path, "", fields{"name": "x"}), 401, "unauthenticated")
			}
		}
	})
}

// Signing in ends the session that the browser had, whoever's it was: none that was
// planted there lives on (security.md row 50).
func TestSignInEndsTheBrowsersSession(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.below.Join("ada")
		eve := w.below.Join("eve")
		b := w.browser()
		first := b.signIn("ada")
		cookie := b.jar["__Host-coffer-refresh"]
		second := b.signIn("ada")
		if second.SessionID == first.SessionID || b.alive(first.AccessToken) || !b.alive(second.AccessToken) {
			t.Error("the old session lives, or the new one does not")
		}
		w.is(b.trade(cookie), 401, "invalid_refresh_token")
		w.pin.set(eve, true)
		c := b.attempt("eve")
		if !b.alive(second.AccessToken) {
			t.Error("a sign-in that is not through ended a session")
		}
		third := w.is(b.pass(c, "pin", "1234"), 201, "")
		if b.alive(second.AccessToken) || !b.alive(third.AccessToken) {
			t.Error("another account's session lives on in this browser")
		}
		// A cookie that is old, or forged, ends nobody's session, at sign-in as at sign-out.
		family, _, _ := session.ParseRefresh(b.jar["__Host-coffer-refresh"])
		half := session.FormatRefresh(family, make([]byte, 32))
		w.is(w.browser().send("POST", "/auth/sign-out", "", fields{"refresh_token": half}), 401, "unauthenticated")
		other := w.browser()
		for _, bad := range []string{cookie, half, "cr1.x.y", session.FormatRefresh(make([]byte, 16), make([]byte, 32))} {
			other.jar["__Host-coffer-refresh"] = bad
			other.signIn("ada")
		}
		if !b.alive(third.AccessToken) {
			t.Error("a bad cookie ended somebody's session")
		}
	})
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.below.Join("ada")
		by := map[string]func(b *browser, s reply) reply{
			"access token":              func(b *browser, s reply) reply { return b.send("POST", "/auth/sign-out", "Bearer "+s.AccessToken, nil) },
			"cookie":                    func(b *browser, s reply) reply { return b.send("POST", "/auth/sign-out", "", nil) },
			"cookie beside a bad token": func(b *browser, s reply) reply { return b.send("POST", "/auth/sign-out", "Bearer x.y.z", nil) },
			"refresh token": func(b *browser, s reply) reply {
				return b.send("POST", "/auth/sign-out", "", fields{"refresh_token": s.RefreshToken})
			},
			"refresh token, access expired": func(b *browser, s reply) reply {
				w.below.Advance(time.Hour)
				return b.send("POST", "/auth/sign-out", "Bearer "+s.AccessToken, fields{"refresh_token": s.RefreshToken})
			},
		}
		for name, signOut := range by {
			b := w.browser()
			var s reply
			if strings.HasPrefix(name, "refresh") {
				s = b.signIn("ada", inBody)
			} else {
				s = b.signIn("ada")
			}
			refresh := b.jar["__Host-coffer-refresh"] + s.RefreshToken
			got := w.is(signOut(b, s), 204, "")
			if want := `"cache","cookies","storage"`; got.Header.Get("Clear-Site-Data") != want {
				t.Errorf("%s: Clear-Site-Data %q", name, got.Header.Get("Clear-Site-Data"))
			}
			if b.jar["__Host-coffer-refresh"] != "" || b.alive(s.AccessToken) {
				t.Errorf("%s: still signed in", name)
			}
			w.is(b.trade(refresh), 401, "invalid_refresh_token")
			w.is(b.send("POST", "/auth/sign-out", "Bearer "+s.AccessToken, nil), 401, "unauthenticated")
		}
		w.is(w.browser().send("POST", "/auth/sign-out", "", nil), 401, "unauthenticated")
		w.is(w.browser().send("POST", "/auth/sign-out", "", fields{"refresh_token": "x"}), 401, "unauthenticated")
		if n := w.count(`SELECT COUNT(*) FROM sessions`); n != 0 {
			t.Errorf("%d sessions", n)
		}
	})
}

// Every cookie is of this host alone, for TLS alone, out of scripts' sight, and never sent
// from another site (security.md row 65).
func TestCookies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.below.Join("ada")
	b := w.browser()
	check := func(what string, r reply, want map[string]int) {
		t.Helper()
		got := map[string]int{}
		for _, line := range r.Header["Set-Cookie"] {
			c, err := http.ParseSetCookie(line)
			if err != nil {
				t.Fatal(err)
			}
			got[c.Name] = c.MaxAge
			if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" {
				t.Errorf("%s: %s", what, line)
			}
			if c.Value != "" && strings.Contains(r.Raw, c.Value) {
				t.Errorf("%s: %s stands in the body as well", what, c.Name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
		if r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control %q", what, r.Header.Get("Cache-Control"))
		}
	}
	const refresh, day, month = "__Host-coffer-refresh", 86400, 30 * 86400
	check("sign-in", b.signIn("ada"), map[string]int{refresh: day})
	check("remembered", b.signIn("ada", fields{"remember_device": true}), map[string]int{refresh: day, deviceCookie: month})
	check("refresh", b.send("POST", "/auth/refresh", "", nil), map[string]int{refresh: day})
	check("a fresh proof", b.as("POST", "/account/reauthenticate", fields{"password": password}), map[string]int{})
	check("in the body", w.browser().signIn("ada", inBody, fields{"remember_device": true}), map[string]int{})
	// A remembered device stays one: its cookie is left alone.
	out := b.send("POST", "/auth/sign-out", "Bearer "+b.access, nil)
	check("sign-out", out, map[string]int{refresh: -1})
	if got, want := out.Header.Get("Clear-Site-Data"), `"cache","storage"`; got != want {
		t.Errorf("sign-out of a remembered device clears %s, want %s", got, want)
	}
	check("a refusal", b.attempt("ada", fields{"password": "wrong otters 41"}), map[string]int{})
}

// While the key store is away, the end of all others is not acknowledged. A job removes the
// records when it is back.
func TestRevokeAllWithoutTheKeyStore(t *testing.T) {
	t.Parallel()
	var broken breakable
	w := newWorld(t, dbtest.SQLite(t), func(s *setup) { s.KV = broken.over })
	ada := w.below.Join("ada")
	owner, other := w.browser(), w.browser()
	own := owner.signIn("ada").SessionID
	other.signIn("ada")
	broken.down.Store(true)
	if err := w.RevokeAll(t.Context(), ada, own); !errors.Is(err, kv.ErrUnavailable) {
		t.Errorf("got %v, want %v", err, kv.ErrUnavailable)
	}
	broken.down.Store(false)
	if n := w.count(`SELECT COUNT(*) FROM sessions`); n != 1 {
		t.Errorf("%d sessions", n)
	}
	w.below.RunJobs()
	if other.alive(other.access) || !owner.alive(owner.access) {
		t.Error("the job ended the wrong session, or none")
	}
}
