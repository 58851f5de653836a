package session_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db/dbtest"
	"coffer/internal/session"
)

// What follows is protocols.md §1 written down a second time, from the client's side and
// with nothing of the package: HKDF by hand (RFC 5869), lp by hand.

func lp(parts ...[]byte) (out []byte) {
	for _, p := range parts {
		out = append(binary.BigEndian.AppendUint16(out, uint16(len(p))), p...)
	}
	return out
}

func hkdf512(secret, salt, info []byte) []byte {
	extract := hmac.New(sha512.New, salt)
	extract.Write(secret)
	expand := hmac.New(sha512.New, extract.Sum(nil))
	expand.Write(info)
	expand.Write([]byte{1})
	return expand.Sum(nil)[:32]
}

var suiteNames = map[string]string{
	"P-521": "P521-HKDF512-A256GCM", "P-256": "P256-HKDF512-A256GCM", "X25519": "X25519-HKDF512-A256GCM",
}

// agreed is K_seal by the document.
func agreed(crv string, z, sid []byte, issuer string, server, client []byte) []byte {
	info := append([]byte("coffer/session/v1\x00"), lp([]byte("seal"), []byte(issuer), []byte(suiteNames[crv]), server, client)...)
	return hkdf512(z, sid, info)
}

// pointOf is the encoded point of a JWK.
func pointOf(t *testing.T, k *session.PublicKey) []byte {
	t.Helper()
	x, errX := b64.DecodeString(k.X)
	y, errY := b64.DecodeString(k.Y)
	if errX != nil || errY != nil || k.D != "" {
		t.Fatalf("not a public key: %+v", k)
	}
	if k.Crv == "X25519" {
		return x
	}
	return append(append([]byte{4}, x...), y...)
}

type tokenHeader struct{ Alg, Kid, Typ string }

type tokenClaims struct {
	Iss, Aud      string
	Iat, Nbf, Exp int64
	Jti, Sid      string
	K, V, Data    string
}

func partsOf(t *testing.T, token string) (first string, h tokenHeader, c tokenClaims) {
	t.Helper()
	parts := strings.Split(token, ".")
	for i, v := range []any{&h, &c} {
		raw, err := b64.DecodeString(parts[i])
		if err == nil {
			err = json.Unmarshal(raw, v)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return parts[0], h, c
}

func unb64(t *testing.T, s string) []byte {
	t.Helper()
	b, err := b64.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// opened is what the client finds in its own token.
func opened(t *testing.T, crv string, private *ecdh.PrivateKey, server *session.PublicKey, token string) []byte {
	t.Helper()
	first, _, c := partsOf(t, token)
	remote, err := private.Curve().NewPublicKey(pointOf(t, server))
	if err != nil {
		t.Fatal(err)
	}
	z, err := private.ECDH(remote)
	if err != nil {
		t.Fatal(err)
	}
	key := agreed(crv, z, unb64(t, c.Sid), c.Iss, remote.Bytes(), private.PublicKey().Bytes())
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	aad := lp([]byte("coffer/at/v1"), []byte(first), []byte(c.Iss), []byte(c.Aud), []byte(c.Sid), []byte(c.Jti))
	aad = binary.BigEndian.AppendUint64(aad, uint64(c.Iat))
	aad = binary.BigEndian.AppendUint64(aad, uint64(c.Exp))
	plain, err := gcm.Open(nil, unb64(t, c.V), unb64(t, c.Data), aad)
	if err != nil {
		t.Fatalf("the client cannot open its own token: %v", err)
	}
	return plain
}

func TestClientOpensItsToken(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id := w.below.Join("ada")
		for crv := range suiteNames {
			private, public := keyPair(t, crv)
			b := w.browser()
			got := b.signIn("ada", fields{"public_key": public})
			if got.ServerPublicKey.Crv != crv || got.TokenType != "Bearer" || got.ExpiresIn != 900 || got.RefreshExpiresIn != 86400 {
				t.Errorf("%s: %s", crv, got.Raw)
			}
			plain := opened(t, crv, private, got.ServerPublicKey, got.AccessToken)
			if len(plain)%128 != 0 {
				t.Errorf("%s: a payload of %d bytes, want whole blocks of 128", crv, len(plain))
			}
			var p map[string]any
			if err := json.Unmarshal(plain, &p); err != nil {
				t.Fatal(err)
			}
			want := map[string]any{"uid": string(id), "aal": "aal1", "amr": []any{"pwd"}, "auth_time": float64(w.Now().Unix()), "ver": p["ver"]}
			if diff := cmp.Diff(want, p); diff != "" {
				t.Errorf("%s: %s", crv, diff)
			}
			_, h, c := partsOf(t, got.AccessToken)
			now := w.Now().Unix()
			if h.Typ != "coffer-at+jwt" || c.Iss != base || c.Aud != base || c.Iat != now || c.Nbf != now || c.Exp != now+900 ||
				c.Sid != got.SessionID || len(unb64(t, c.Sid)) != 16 || len(unb64(t, c.Jti)) != 16 || len(unb64(t, c.V)) != 12 ||
				!bytes.Equal(unb64(t, c.K), private.PublicKey().Bytes()) {
				t.Errorf("%s: %+v %+v", crv, h, c)
			}
			if strings.Contains(got.AccessToken, string(id)) || len(got.AccessToken) > 2048 {
				t.Errorf("%s: %d bytes of token", crv, len(got.AccessToken))
			}
			if !b.alive(got.AccessToken) {
				t.Errorf("%s: the token is refused", crv)
			}
			// A renewed token is sealed to the same two keys.
			if again := w.is(b.send("POST", "/auth/refresh", "", nil), 201, ""); !bytes.Equal(plain, opened(t, crv, private, again.ServerPublicKey, again.AccessToken)) {
				t.Errorf("%s: the payload changed with a refresh", crv)
			}
		}
		// Without a key of its own the client gets a throw-away pair on P-521.
		if got := w.browser().signIn("ada"); got.ServerPublicKey.Crv != "P-521" {
			t.Errorf("no key: %s", got.Raw)
		}
	})
}

// Accounts of other lengths and methods of other numbers make payloads of one length.
func TestPayloadLengthTellsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	lengths := map[int]bool{}
	for _, name := range []string{"ada", "grace"} {
		id := w.below.Join(name)
		w.pin.set(id, name == "grace")
		b := w.browser()
		got := b.attempt(name)
		if got.Status == 202 {
			got = b.pass(got, "pin", "1234")
		}
		_, _, c := partsOf(t, w.is(got, 201, "").AccessToken)
		lengths[len(unb64(t, c.Data))] = true
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
		w.below.Join("ada")
		_, public := keyPair(t, "P-256")
		b := w.browser()
		mine := b.signIn("ada", fields{"public_key": public})
		other := w.browser().signIn("ada", fields{"public_key": public})
		name := session.RecordName(mine.SessionID)
		record, err := w.KV.Get(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		if !b.alive(mine.AccessToken) {
			t.Fatal("a fresh token is refused")
		}
		if err := w.KV.Delete(ctx, name); err != nil {
			t.Fatal(err)
		}
		if b.alive(mine.AccessToken) {
			t.Error("a token outlives its record")
		}
		stranger, err := w.KV.Get(ctx, session.RecordName(other.SessionID))
		if err != nil {
			t.Fatal(err)
		}
		bent := bytes.Clone(record)
		bent[len(bent)-1] ^= 1
		for what, value := range map[string][]byte{"another session's record": stranger, "an altered record": bent, "nothing in it": {}, "garbage": []byte("garbage")} {
			if err := w.KV.Put(ctx, name, value, time.Hour); err != nil {
				t.Fatal(err)
			}
			if b.alive(mine.AccessToken) {
				t.Errorf("%s opens the token", what)
			}
		}
		if err := w.KV.Put(ctx, name, record, time.Hour); err != nil {
			t.Fatal(err)
		}
		if !b.alive(mine.AccessToken) {
			t.Error("the right record does not open the token any more")
		}
	})
}

// Two servers with the same accounts: a record made by the one says nothing to the other.
func TestOtherServersRecord(t *testing.T) {
	t.Parallel()
	here, there := newWorld(t, dbtest.SQLite(t)), newWorld(t, dbtest.SQLite(t))
	here.below.Join("ada")
	there.below.Join("ada")
	mine, theirs := here.browser().signIn("ada"), there.browser().signIn("ada")
	if here.browser().alive(theirs.AccessToken) {
		t.Error("a token of another server is good")
	}
	record, err := there.KV.Get(t.Context(), session.RecordName(theirs.SessionID))
	if err != nil {
		t.Fatal(err)
	}
	if err := here.KV.Put(t.Context(), session.RecordName(mine.SessionID), record, time.Hour); err != nil {
		t.Fatal(err)
	}
	if here.browser().alive(mine.AccessToken) {
		t.Error("a record of another server opens a token")
	}
}

// Every bit of a token counts.
func TestAlteredTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.below.Join("ada")
	_, public := keyPair(t, "X25519")
	b := w.browser()
	token := b.signIn("ada", fields{"public_key": public}).AccessToken
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range token {
		if token[i] == '.' {
			continue
		}
		n := strings.IndexByte(letters, token[i])
		for _, bit := range []int{1, 32} {
			bent := token[:i] + letters[n^bit:n^bit+1] + token[i+1:]
			if err := w.ParseToken(t.Context(), bent); err == nil {
				t.Fatalf("byte %d altered: the token is taken for good", i)
			}
		}
	}
	// What the signature covers is bound to the payload as well: another token's payload, or
	// the same in another frame, does not open although the ring signs it.
	first, _, c := partsOf(t, token)
	header := unb64(t, first)
	other := w.browser().signIn("ada", fields{"public_key": public}).AccessToken
	_, _, foreign := partsOf(t, other)
	for what, change := range map[string]func(*tokenClaims){
		"nothing": func(*tokenClaims) {},
		"jti":     func(c *tokenClaims) { c.Jti = foreign.Jti },
		"iat":     func(c *tokenClaims) { c.Iat++ },
		"exp":     func(c *tokenClaims) { c.Exp++ },
		"iv":      func(c *tokenClaims) { c.V = foreign.V },
		"data":    func(c *tokenClaims) { c.Data = foreign.Data },
		"sid":     func(c *tokenClaims) { c.Sid = foreign.Sid },
		"sid of nobody": func(c *tokenClaims) {
			c.Sid = b64.EncodeToString(make([]byte, 16))
		},
		"sid that is none": func(c *tokenClaims) { c.Sid = "%\x00" },
		"sid too long":     func(c *tokenClaims) { c.Sid = strings.Repeat("A", 1000) },
		"no sid":           func(c *tokenClaims) { c.Sid = "" },
		"k": func(c *tokenClaims) {
			k := unb64(t, c.K)
			k[0] ^= 1
			c.K = b64.EncodeToString(k)
		},
		"no k":     func(c *tokenClaims) { c.K = "" },
		"short iv": func(c *tokenClaims) { c.V = c.V[:8] },
		"no data":  func(c *tokenClaims) { c.Data = "" },
	} {
		changed := c
		change(&changed)
		forged, err := w.Forge(t.Context(), header, lower(t, changed))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := b.alive(forged), what == "nothing"; got != want {
			t.Errorf("%s changed and signed again: good = %t, want %t", what, got, want)
		}
	}
}

// lower writes claims with the names that they have on the wire.
func lower(t *testing.T, c tokenClaims) []byte {
	t.Helper()
	b, err := json.Marshal(map[string]any{"iss": c.Iss, "aud": c.Aud, "iat": c.Iat, "nbf": c.Nbf, "exp": c.Exp, "jti": c.Jti, "sid": c.Sid, "k": c.K, "v": c.V, "data": c.Data})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
