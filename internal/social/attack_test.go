package social

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/internal/account/accounttest"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/rest"
	"coffer/internal/session"
	"coffer/internal/social/socialtest"
)

// A credential of Google opens a session for the key that its nonce names, once. Row F-O2.
func TestGoogleToken(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		k, public := key(t)
		secret := []byte(strings.Repeat("s", 32))
		bound := sha256.Sum256(append(k.PublicKey().Bytes(), secret...))
		nonce := b64.EncodeToString(bound[:])
		raw := w.google.Sign(w.google.Claims(ada, nonce))
		good := TokenProof{IDToken: raw, Nonce: b64.EncodeToString(secret), Key: k.PublicKey().Bytes()}
		r := session.SessionRequest{RefreshIn: "body", PublicKey: public}
		before := w.rows()
		stolen, _ := key(t)
		for name, p := range map[string]TokenProof{
			"another key":             {raw, good.Nonce, stolen.PublicKey().Bytes()},
			"another secret":          {raw, b64.EncodeToString(secret[1:]), good.Key},
			"the nonce as its secret": {raw, nonce, good.Key},
			"another provider's":      {w.acme.Sign(w.acme.Claims(ada, nonce)), good.Nonce, good.Key},
			"no token":                {"", good.Nonce, good.Key},
		} {
			if _, err := w.Token(t.Context(), p, Newcomer{}, r, here); codeOf(err) != "invalid_id_token" {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, l := range lyingTokens(t, w.google, w.Now()) {
			claims := w.google.Claims(ada, nonce)
			switch {
			case l.Token != nil:
				raw = l.Token(claims)
			case l.Claims != nil && l.UserInfo == nil && claims["at_hash"] == nil && name != "the hash of another access token":
				l.Claims(claims)
				raw = w.google.Sign(claims)
			default:
				continue
			}
			if _, err := w.Token(t.Context(), TokenProof{raw, good.Nonce, good.Key}, Newcomer{}, r, here); codeOf(err) != "invalid_id_token" {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, short := range []string{"", "c2hvcnQ", strings.Repeat("A", 90), "not base64!"} {
			if _, err := w.Token(t.Context(), TokenProof{good.IDToken, short, good.Key}, Newcomer{}, r, here); codeOf(err) != "validation_failed" {
				t.Errorf("the secret %q: %v", short, err)
			}
		}
		if after := w.rows(); after != before {
			t.Errorf("refusals left rows: %s, want %s", after, before)
		}
		w.below.Advance(time.Minute)
		good.IDToken = w.google.Sign(w.google.Claims(ada, nonce))
		out, err := w.Token(t.Context(), good, Newcomer{}, r, here)
		if err != nil {
			t.Fatal(err)
		}
		first := callerOf(t, out)
		for name, again := range map[string]string{"again": good.IDToken, "with another form of its signature": good.IDToken + "="} {
			if _, err := w.Token(t.Context(), TokenProof{again, good.Nonce, good.Key}, Newcomer{}, r, here); codeOf(err) != "invalid_id_token" {
				t.Errorf("%s: %v", name, err)
			}
		}
		// The redirect finds the same account.
		w.google.Become(ada)
		if got := w.signsIn(google); got.Account != first.Account {
			t.Error("another account")
		}
		// An address of an account is refused here too.
		w.below.Join("owner")
		taken := w.google.Sign(w.google.Claims(socialtest.Person{Subject: "9", Email: "owner@canary.example", Verified: true}, nonce))
		if _, err := w.Token(t.Context(), TokenProof{taken, good.Nonce, good.Key}, Newcomer{}, r, here); codeOf(err) != "link_needed" {
			t.Errorf("an account's address: %v", err)
		}
		unverified := w.google.Sign(w.google.Claims(socialtest.Person{Subject: "10", Email: "ten@social.example"}, nonce))
		if _, err := w.Token(t.Context(), TokenProof{unverified, good.Nonce, good.Key}, Newcomer{}, r, here); codeOf(err) != "email_unverified" {
			t.Errorf("an unverified address: %v", err)
		}
	})
}

// Somebody who writes to the key store moves no transaction and no code, and revives none.
func TestKeyStoreWriter(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		w.google.Become(ada)
		mine, theirs := w.browser(), w.browser()
		hers := w.code(google, theirs, signIn, rest.Caller{})
		w.google.Become(bob)
		my := w.code(google, mine, signIn, rest.Caller{})
		move := func(from, to string) {
			t.Helper()
			value, err := w.KV.Get(ctx, from)
			if err == nil {
				err = w.KV.Put(ctx, to, value, time.Minute)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		before, err := w.KV.Get(ctx, place("code", my))
		if err != nil {
			t.Fatal(err)
		}
		move(place("code", hers), place("code", my))
		if _, err := w.exchange(my, mine); codeOf(err) != "link_gone" {
			t.Errorf("another's arrival under one's own code: %v", err)
		}
		q := w.goes(google, mine, signIn, rest.Caller{})
		move(place("state", q.Get("state")), place("code", my))
		if _, err := w.exchange(my, mine); codeOf(err) != "link_gone" {
			t.Errorf("a transaction for an arrival: %v", err)
		}
		if err := w.KV.Put(ctx, place("state", q.Get("state")), []byte("{}"), time.Minute); err != nil {
			t.Fatal(err)
		}
		if _, err := w.back(google, mine, q); codeOf(err) != "invalid_state" {
			t.Errorf("a transaction in clear: %v", err)
		}
		if err := w.KV.Put(ctx, place("code", my), before, time.Minute); err != nil {
			t.Fatal(err)
		}
		if _, err := w.exchange(my, mine); err != nil {
			t.Fatal(err)
		}
		if err := w.KV.Delete(ctx, place("code", my)+":uses"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.exchange(my, mine); codeOf(err) != "link_gone" {
			t.Errorf("without its counter: %v", err)
		}
	})
}

// A provider that tells very much fills nothing.
func TestLongNames(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	long := strings.Repeat("x", 20_000)
	w.google.Become(socialtest.Person{Subject: "long", Email: "long@social.example", Verified: true, First: long, Last: long})
	b := w.browser()
	code := w.code(google, b, signIn, rest.Caller{})
	if seen, err := w.Check(t.Context(), code, b); err != nil || seen.FirstName != "" || seen.LastName != "" {
		t.Errorf("%d, %v", len(seen.FirstName), err)
	}
	w.google.Become(socialtest.Person{Subject: "longer", Email: long + "@social.example", Verified: true})
	if _, err := w.back(google, b, w.goes(google, b, signIn, rest.Caller{})); codeOf(err) != "email_unverified" {
		t.Errorf("a long address: %v", err)
	}
}

// atOnce runs a call so often at once and counts the answers.
func atOnce(n int, call func(i int) error) map[string]int {
	var mu sync.Mutex
	var wg sync.WaitGroup
	got := map[string]int{}
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			code := codeOf(call(i))
			mu.Lock()
			got[code]++
			mu.Unlock()
		})
	}
	close(start)
	wg.Wait()
	return got
}

// Of all uses at once, one wins.
func TestRaces(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.google.Become(ada)
		b := w.browser()
		q := w.goes(google, b, signIn, rest.Caller{})
		var code string
		got := atOnce(20, func(int) error {
			c, err := w.back(google, b, q)
			if err == nil {
				code = c
			}
			return err
		})
		if got["ok"] != 1 || got["invalid_state"] != 19 || w.google.Calls("/token") != 1 {
			t.Fatalf("one state: %v, %d calls", got, w.google.Calls("/token"))
		}
		got = atOnce(20, func(int) error { _, err := w.exchange(code, b); return err })
		if got["ok"] != 1 || got["link_gone"] != 19 {
			t.Errorf("one code: %v", got)
		}

		// Two first sign-ins of one identity: one account, two sessions.
		w.google.Become(bob)
		codes := make([]string, 6)
		for i := range codes {
			codes[i] = w.code(google, b, signIn, rest.Caller{})
		}
		accounts := make([]string, len(codes))
		got = atOnce(len(codes), func(i int) error {
			out, err := w.exchange(codes[i], b)
			if err == nil {
				accounts[i] = string(out.Opened.Account)
			}
			return err
		})
		slices.Sort(accounts)
		if accounts = slices.Compact(accounts); got["ok"] != len(codes) || len(accounts) != 1 {
			t.Errorf("first sign-ins at once: %v, %d accounts", got, len(accounts))
		}

		// One identity for two accounts, and two identities for one account.
		w.google.Become(socialtest.Person{Subject: "shared"})
		owners := []rest.Caller{w.joined("one"), w.joined("two"), w.joined("three")}
		links := make([]string, len(owners))
		for i, o := range owners {
			links[i] = w.code(google, b, link, o)
		}
		got = atOnce(len(owners), func(i int) error { _, err := w.Link(context.Background(), owners[i], google, links[i], b); return err })
		if got["ok"] != 1 || got["identity_taken"] != len(owners)-1 {
			t.Errorf("one identity for several: %v", got)
		}
		lone := w.joined("lone")
		for i := range links {
			w.google.Become(socialtest.Person{Subject: "many-" + string(rune('a'+i))})
			links[i] = w.code(google, b, link, lone)
		}
		got = atOnce(len(links), func(i int) error { _, err := w.Link(context.Background(), lone, google, links[i], b); return err })
		if got["ok"] != 1 || got["provider_linked"] != len(links)-1 {
			t.Errorf("several identities for one: %v", got)
		}

		// One credential twenty times.
		k, public := key(t)
		secret := []byte(strings.Repeat("s", 32))
		bound := sha256.Sum256(append(k.PublicKey().Bytes(), secret...))
		p := TokenProof{w.google.Sign(w.google.Claims(ada, b64.EncodeToString(bound[:]))), b64.EncodeToString(secret), k.PublicKey().Bytes()}
		got = atOnce(20, func(int) error {
			_, err := w.Token(context.Background(), p, Newcomer{}, session.SessionRequest{RefreshIn: "body", PublicKey: public}, here)
			return err
		})
		if got["ok"] != 1 || got["invalid_id_token"] != 19 {
			t.Errorf("one credential: %v", got)
		}
	})
}

// What the provider is asked for: least scopes, PKCE, one redirect address each. Rows 41, 46.
func TestAsked(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.google.Become(ada)
	c := w.signsIn(google)
	q := w.google.Asked()
	if q.Get("scope") != "openid email" || q.Get("code_challenge_method") != "S256" || q.Get("redirect_uri") != accounttest.BaseURL+"/v1/auth/social/google/callback" || q.Get("max_age") != "" {
		t.Errorf("%v", q)
	}
	w.github.Become(7)
	b := w.browser()
	if _, err := w.back(github, b, w.goes(github, b, signIn, rest.Caller{})); codeOf(err) != "email_unverified" {
		t.Error(err)
	}
	if q := w.github.Asked(); q.Get("scope") != "read:user user:email" || q.Get("code_challenge_method") != "S256" || q.Get("redirect_uri") != accounttest.BaseURL+"/v1/auth/social/github/callback" {
		t.Errorf("%v", q)
	}
	w.goes(google, b, renew, c)
	if q := w.google.Asked(); q.Get("max_age") != "0" || q.Get("prompt") != "login" {
		t.Errorf("a fresh proof: %v", q)
	}
}
