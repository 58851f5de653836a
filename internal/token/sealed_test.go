package token_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/account"
	"coffer/internal/db/dbtest"
	"coffer/internal/token"
	"coffer/internal/token/tokentest"
)

// A token is what protocols.md §1 says, and its client can open it.
func TestClientOpensItsToken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id := w.below.Join("ada")
		for crv := range tokentest.Suites {
			private, public := tokentest.KeyPair(t, crv)
			i := w.open(id, public, month)
			if i.keys.ServerKey().Crv != crv || i.life != 15*time.Minute || !bytes.Equal(i.keys.Client, private.PublicKey().Bytes()) {
				t.Errorf("%s: %+v, a life of %s", crv, i.keys, i.life)
			}
			plain := tokentest.Opened(t, crv, private, i.keys.ServerKey(), i.text)
			if len(plain)%128 != 0 {
				t.Errorf("%s: a payload of %d bytes, want whole blocks of 128", crv, len(plain))
			}
			var p map[string]any
			if err := json.Unmarshal(plain, &p); err != nil {
				t.Fatal(err)
			}
			now := w.Now().Unix()
			want := map[string]any{"uid": string(id), "aal": "aal1", "amr": []any{"pwd"}, "auth_time": float64(now), "ver": float64(i.holder.Ver)}
			if diff := cmp.Diff(want, p); diff != "" {
				t.Errorf("%s: %s", crv, diff)
			}
			_, h, c := tokentest.Parts(t, i.text)
			if h.Typ != "coffer-at+jwt" || c.Iss != base || c.Aud != base || c.Iat != now || c.Nbf != now || c.Exp != now+900 ||
				c.Sid != i.keys.Session || len(tokentest.Decode(t, c.Sid)) != 16 || len(tokentest.Decode(t, c.Jti)) != 16 || len(tokentest.Decode(t, c.V)) != 12 ||
				!bytes.Equal(tokentest.Decode(t, c.K), private.PublicKey().Bytes()) {
				t.Errorf("%s: %+v %+v", crv, h, c)
			}
			if strings.Contains(i.text, string(id)) || len(i.text) > 2048 {
				t.Errorf("%s: %d bytes of token", crv, len(i.text))
			}
			if !w.alive(i.text) {
				t.Errorf("%s: the token is refused", crv)
			}
			// The keys of a session that is read again are the same, and seal the same way.
			again, err := w.Keys(t.Context(), i.keys.Session, i.keys.Client)
			if err != nil {
				t.Fatal(err)
			}
			next, _, err := w.Mint(t.Context(), again, i.holder, w.Now().Add(month))
			if err != nil {
				t.Fatal(err)
			}
			if next == i.text || !w.alive(next) || !bytes.Equal(plain, tokentest.Opened(t, crv, private, again.ServerKey(), next)) {
				t.Errorf("%s: the next token is another one's", crv)
			}
		}
		// A client without a key gets a throw-away pair on P-521.
		if i := w.issue(id, ""); i.keys.ServerKey().Crv != "P-521" || !w.alive(i.text) {
			t.Errorf("no key: %+v", i.keys)
		}
	})
}

// Accounts of other lengths and methods of other numbers make payloads of one length.
func TestPayloadLengthTellsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	lengths := map[int]bool{}
	for name, amr := range map[string][]string{"ada": {"pwd"}, "grace": {"pwd", "otp", "pin", "mfa"}} {
		i := w.issue(w.below.Join(name), "")
		i.holder.AMR = amr
		text, _, err := w.Mint(t.Context(), i.keys, i.holder, w.Now().Add(month))
		if err != nil || !w.alive(text) {
			t.Fatalf("no good token: %v", err)
		}
		_, _, c := tokentest.Parts(t, text)
		lengths[len(tokentest.Decode(t, c.Data))] = true
	}
	if len(lengths) != 1 || !lengths[128+16] && !lengths[256+16] {
		t.Errorf("sealed payloads have lengths %v", lengths)
	}
}

// The key store's record is half of what opens a token: without it, or with another
// session's, the token is dead at once, however warm the caches are.
func TestTokenNeedsItsRecord(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada := w.below.Join("ada")
		_, public := tokentest.KeyPair(t, "P-256")
		mine, other := w.open(ada, public, month), w.open(ada, public, month)
		name := token.RecordName(mine.keys.Session)
		record, err := w.KV.Get(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		if !w.alive(mine.text) {
			t.Fatal("a fresh token is refused")
		}
		if err := w.End(ctx, mine.keys.Session); err != nil {
			t.Fatal(err)
		}
		if w.alive(mine.text) || w.Alive(ctx, mine.keys.Session) == nil {
			t.Error("a token outlives its record")
		}
		if _, err := w.Keys(ctx, mine.keys.Session, mine.keys.Client); err != token.ErrEnded {
			t.Errorf("keys of a session that has ended: %v", err)
		}
		stranger, err := w.KV.Get(ctx, token.RecordName(other.keys.Session))
		if err != nil {
			t.Fatal(err)
		}
		bent := bytes.Clone(record)
		bent[len(bent)-1] ^= 1
		for what, value := range map[string][]byte{"another session's record": stranger, "an altered record": bent, "nothing in it": {}, "garbage": []byte("garbage")} {
			if err := w.KV.Put(ctx, name, value, time.Hour); err != nil {
				t.Fatal(err)
			}
			if w.alive(mine.text) {
				t.Errorf("%s opens the token", what)
			}
		}
		if err := w.KV.Put(ctx, name, record, time.Hour); err != nil {
			t.Fatal(err)
		}
		if !w.alive(mine.text) {
			t.Error("the right record does not open the token any more")
		}
		if !w.alive(other.text) {
			t.Error("another session of the account ended")
		}
	})
}

// Two servers with the same accounts: a record made by the one says nothing to the other.
func TestOtherServersRecord(t *testing.T) {
	t.Parallel()
	here, there := newWorld(t, dbtest.SQLite(t)), newWorld(t, dbtest.SQLite(t))
	mine, theirs := here.issue(here.below.Join("ada"), ""), there.issue(there.below.Join("ada"), "")
	if here.alive(theirs.text) {
		t.Error("a token of another server is good")
	}
	record, err := there.KV.Get(t.Context(), token.RecordName(theirs.keys.Session))
	if err != nil {
		t.Fatal(err)
	}
	if err := here.KV.Put(t.Context(), token.RecordName(mine.keys.Session), record, time.Hour); err != nil {
		t.Fatal(err)
	}
	if here.alive(mine.text) {
		t.Error("a record of another server opens a token")
	}
}

// Every bit of a token counts.
func TestAlteredTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	ada := w.below.Join("ada")
	_, public := tokentest.KeyPair(t, "X25519")
	text := w.open(ada, public, month).text
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range text {
		if text[i] == '.' {
			continue
		}
		n := strings.IndexByte(letters, text[i])
		for _, bit := range []int{1, 32} {
			bent := text[:i] + letters[n^bit:n^bit+1] + text[i+1:]
			if err := w.Parse(t.Context(), bent); err == nil {
				t.Fatalf("byte %d altered: the token is taken for good", i)
			}
		}
	}
	// What the signature covers is bound to the payload as well: another token's payload, or
	// the same in another frame, does not open although the ring signs it.
	first, _, c := tokentest.Parts(t, text)
	header := tokentest.Decode(t, first)
	_, _, foreign := tokentest.Parts(t, w.open(ada, public, month).text)
	for what, change := range map[string]func(*tokentest.Claims){
		"nothing": func(*tokentest.Claims) {},
		"jti":     func(c *tokentest.Claims) { c.Jti = foreign.Jti },
		"iat":     func(c *tokentest.Claims) { c.Iat++ },
		"exp":     func(c *tokentest.Claims) { c.Exp++ },
		"iv":      func(c *tokentest.Claims) { c.V = foreign.V },
		"data":    func(c *tokentest.Claims) { c.Data = foreign.Data },
		"sid":     func(c *tokentest.Claims) { c.Sid = foreign.Sid },
		"sid of nobody": func(c *tokentest.Claims) {
			c.Sid = b64.EncodeToString(make([]byte, 16))
		},
		"sid that is none": func(c *tokentest.Claims) { c.Sid = "%\x00" },
		"sid too long":     func(c *tokentest.Claims) { c.Sid = strings.Repeat("A", 1000) },
		"no sid":           func(c *tokentest.Claims) { c.Sid = "" },
		"k": func(c *tokentest.Claims) {
			k := tokentest.Decode(t, c.K)
			k[0] ^= 1
			c.K = b64.EncodeToString(k)
		},
		"no k":     func(c *tokentest.Claims) { c.K = "" },
		"short iv": func(c *tokentest.Claims) { c.V = c.V[:8] },
		"no data":  func(c *tokentest.Claims) { c.Data = "" },
	} {
		changed := c
		change(&changed)
		forged, err := w.Forge(t.Context(), header, claimsOf(t, changed))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := w.alive(forged), what == "nothing"; got != want {
			t.Errorf("%s changed and signed again: good = %t, want %t", what, got, want)
		}
	}
}

// claimsOf writes claims as they are on the wire.
func claimsOf(t *testing.T, c tokentest.Claims) []byte {
	t.Helper()
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A token lives by the server's clock, a quarter of an hour and no longer than its session.
func TestLifetimes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := w.below.Join("ada")
		i := w.issue(ada, "X25519")
		w.below.Advance(15*time.Minute - time.Second)
		if !w.alive(i.text) {
			t.Error("a token died before its time")
		}
		w.below.Advance(time.Second)
		if w.alive(i.text) {
			t.Error("a token outlived its time")
		}
		// A clock that is a little behind that of the node that made the token is borne.
		i = w.issue(ada, "X25519")
		w.below.Advance(-10 * time.Second)
		if !w.alive(i.text) {
			t.Error("a clock ten seconds behind refuses fresh tokens")
		}
		w.below.Advance(-time.Second)
		if w.alive(i.text) {
			t.Error("a token is good long before it was made")
		}
	})
}

func TestTokensEndWithTheirSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), func(s *setup) { s.ttl = time.Hour })
	ada := w.below.Join("ada")
	for _, tt := range []struct{ session, want time.Duration }{
		{10 * time.Minute, 10 * time.Minute}, {2 * time.Hour, time.Hour}, {1500 * time.Millisecond, time.Second}, {time.Millisecond, time.Second},
	} {
		if i := w.open(ada, nil, tt.session); i.life != tt.want {
			t.Errorf("a session of %s gives a token of %s, want %s", tt.session, i.life, tt.want)
		}
	}
	// The record says when the session ends, whatever the token and the key store say.
	i := w.open(ada, nil, 10*time.Minute)
	name := token.RecordName(i.keys.Session)
	record, err := w.KV.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.KV.Put(t.Context(), name, record, time.Hour); err != nil {
		t.Fatal(err)
	}
	text, _, err := w.Mint(t.Context(), i.keys, i.holder, w.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	w.below.Advance(10*time.Minute - time.Millisecond)
	if !w.alive(text) {
		t.Error("a session ended before its time")
	}
	w.below.Advance(time.Millisecond)
	if w.alive(text) {
		t.Error("a session outlives the end that its record says")
	}
}

// Status and version of the account are asked at each reading.
func TestAccountDecidesEachTime(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		ada, eve, zoe := w.below.Join("ada"), w.below.Join("eve"), w.below.Join("zoe")
		tokens := map[account.ID]string{}
		for _, id := range []account.ID{ada, eve, zoe} {
			tokens[id] = w.issue(id, "X25519").text
			if !w.alive(tokens[id]) {
				t.Fatal("a fresh token is refused")
			}
		}
		for _, q := range []string{`UPDATE accounts SET ver = ver + 1 WHERE id = $1`, `UPDATE accounts SET status = 'deactivated' WHERE id = $1`} {
			id := map[bool]account.ID{true: ada, false: zoe}[strings.Contains(q, "ver")]
			if _, err := w.below.DB.Exec(ctx, q, string(id)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Accounts.Forget(ctx, eve); err != nil {
			t.Fatal(err)
		}
		for what, id := range map[string]account.ID{"version": ada, "deletion": eve, "deactivation": zoe} {
			if w.alive(tokens[id]) {
				t.Errorf("a token outlives its account's %s", what)
			}
		}
	})
}

// What is cached does not answer for a store that is away.
func TestStoreThatIsAway(t *testing.T) {
	t.Parallel()
	var broken breakable
	w := newWorld(t, dbtest.SQLite(t), func(s *setup) { s.KV = broken.over })
	i := w.issue(w.below.Join("ada"), "")
	if !w.alive(i.text) {
		t.Fatal("a fresh token is refused")
	}
	broken.down.Store(true)
	if got := w.get("Bearer " + i.text); got.Status != 503 {
		t.Errorf("without the key store: %d %s", got.Status, got.Raw)
	}
	if err := w.End(t.Context(), i.keys.Session); err == nil {
		t.Error("a session was ended in a store that is away")
	}
	if _, err := w.Open(t.Context(), nil, false, w.Now().Add(month)); err == nil {
		t.Error("a session was opened in a store that is away")
	}
	broken.down.Store(false)
	if !w.alive(i.text) {
		t.Error("the token is refused once the store is back")
	}
}
