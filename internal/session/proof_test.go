package session_test

import (
	"bytes"
	"crypto/ecdh"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/token/tokentest"
)

// signer is a client whose session accepts only signed requests.
type signer struct {
	*browser
	private *ecdh.PrivateKey
	key     []byte
	opened  reply
}

// withProofs opens a session with proofs.
func (w *world) withProofs(name string, more ...fields) *signer {
	w.t.Helper()
	private, public := tokentest.KeyPair(w.t, "P-256")
	s := &signer{browser: w.browser(), private: private}
	s.opened = s.signIn(name, append([]fields{inBody, {"public_key": public, "binding": "proof"}}, more...)...)
	s.derive(s.opened)
	return s
}

func (s *signer) derive(opened reply) {
	s.key = tokentest.ProofKey(s.w.t, "P-256", s.private, opened.ServerPublicKey, opened.AccessToken)
}

// signed makes a request with a good proof, which change may spoil.
func (s *signer) signed(method, path, authorization string, body any, change func(*tokentest.Proof)) reply {
	s.w.t.Helper()
	var raw []byte
	if body != nil {
		var err error
		if raw, err = json.Marshal(body); err != nil {
			s.w.t.Fatal(err)
		}
	}
	p := tokentest.NewProof(s.key, s.opened.SessionID, s.w.Now().Unix(), method, base+"/v1"+path, authorization, raw)
	if change != nil {
		change(&p)
	}
	return s.sendSigned(p, method, path, authorization, raw)
}

func (s *signer) sendSigned(p tokentest.Proof, method, path, authorization string, raw []byte) reply {
	r := httptest.NewRequest(method, base+"/v1"+path, bytes.NewReader(raw))
	if raw == nil {
		r.Body, r.ContentLength = http.NoBody, 0
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	r.RemoteAddr = s.addr + ":4711"
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	p.Set(r.Header)
	for name, value := range s.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	rec := httptest.NewRecorder()
	s.w.door.ServeHTTP(rec, r)
	out := reply{Status: rec.Code, Header: rec.Header(), Raw: rec.Body.String()}
	if strings.Contains(rec.Header().Get("Content-Type"), "json") {
		if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil {
			s.w.t.Errorf("%s %s: %v: %s", method, path, err, out.Raw)
		}
	}
	return out
}

func (s *signer) bearer() string { return "Bearer " + s.opened.AccessToken }

// A session with proofs: each call, each token of it, from sign-in to sign-out.
func TestProofs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.below.Join("ada")
		s := w.withProofs("ada")
		if !strings.Contains(s.opened.Raw, `"binding":"proof"`) {
			t.Errorf("sign-in: %s", s.opened.Raw)
		}
		if free := w.browser().signIn("ada"); !strings.Contains(free.Raw, `"binding":"none"`) {
			t.Errorf("sign-in without binding: %s", free.Raw)
		}
		w.is(s.request(true, "GET", "/account", s.bearer(), nil), 401, "invalid_proof")
		w.is(s.signed("GET", "/account", s.bearer(), nil, nil), 200, "")
		w.is(s.signed("GET", "/sessions?limit=5", s.bearer(), nil, nil), 200, "")

		// Refresh: without a proof the token is not used up, in the grace and after it.
		refresh := s.opened.RefreshToken
		for range 2 {
			w.is(s.trade(refresh), 401, "invalid_proof")
			w.below.Advance(time.Hour)
		}
		got := w.is(s.signed("POST", "/auth/refresh", "", fields{"refresh_token": refresh}, nil), 201, "")
		if got.SessionID != s.opened.SessionID || !strings.Contains(got.Raw, `"binding":"proof"`) {
			t.Errorf("refresh: %s", got.Raw)
		}
		w.is(s.request(true, "GET", "/account", "Bearer "+got.AccessToken, nil), 401, "invalid_proof")
		w.is(s.signed("GET", "/account", "Bearer "+got.AccessToken, nil, nil), 200, "")
		// A thief without the key cannot end the session with an old token.
		w.below.Advance(time.Hour)
		w.is(s.trade(refresh), 401, "invalid_proof")
		w.is(s.signed("GET", "/sessions", "Bearer "+w.is(s.signed("POST", "/auth/refresh", "", fields{"refresh_token": got.RefreshToken}, nil), 201, "").AccessToken, nil, nil), 200, "")
		if told := w.below.Told(); len(told) != 0 {
			t.Errorf("mails %q", told)
		}
	})
}

// The refresh cookie of a browser: its refresh has no body, and its proof covers method and
// target alone.
func TestProofsWithTheCookie(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.below.Join("ada")
		s := w.withProofs("ada", fields{"refresh_in": "cookie"})
		w.is(s.request(true, "POST", "/auth/refresh", "", nil), 401, "invalid_proof")
		w.is(s.signed("POST", "/auth/refresh", "", nil, nil), 201, "")
		w.is(s.request(true, "POST", "/auth/sign-out", s.bearer(), nil), 401, "invalid_proof")
		w.is(s.signed("POST", "/auth/sign-out", s.bearer(), nil, nil), 204, "")
		w.is(s.signed("GET", "/account", s.bearer(), nil, nil), 401, "unauthenticated")
	})
}

// Step-up and sign-out, with the access token and with the refresh token alone.
func TestProofsToTheEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.below.Join("ada")
		s := w.withProofs("ada")
		w.is(s.request(true, "POST", "/account/reauthenticate", s.bearer(), fields{"password": password}), 401, "invalid_proof")
		fresh := w.is(s.signed("POST", "/account/reauthenticate", s.bearer(), fields{"password": password}, nil), 201, "")
		w.is(s.request(true, "GET", "/account", "Bearer "+fresh.AccessToken, nil), 401, "invalid_proof")
		w.is(s.signed("GET", "/account", "Bearer "+fresh.AccessToken, nil, nil), 200, "")

		w.below.Advance(time.Hour) // the access token is over
		out := fields{"refresh_token": s.opened.RefreshToken}
		w.is(s.request(true, "POST", "/auth/sign-out", "", out), 401, "invalid_proof")
		w.is(s.request(true, "POST", "/auth/sign-out", s.bearer(), out), 401, "invalid_proof")
		w.is(s.signed("POST", "/auth/sign-out", s.bearer(), out, func(p *tokentest.Proof) {
			p.Covered = slices.DeleteFunc(p.Covered, func(c string) bool { return c == "authorization" })
		}), 401, "invalid_proof")
		w.is(s.signed("POST", "/auth/sign-out", s.bearer(), out, nil), 204, "")
		w.is(s.signed("POST", "/auth/refresh", "", out, nil), 401, "invalid_refresh_token")
	})
}

// The binding goes through the layers of a sign-in.
func TestProofsBehindALayer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.layered("ada")
		private, public := tokentest.KeyPair(t, "P-256")
		b := w.browser()
		c := w.is(b.attempt("ada", inBody, fields{"public_key": public, "binding": "proof"}), 202, "")
		w.is(b.pass(c, "app", w.code()), 202, "")
		got := w.is(b.pass(c, "pin", "1234"), 201, "")
		s := &signer{browser: b, private: private, opened: got}
		s.derive(got)
		w.is(b.request(true, "GET", "/account", s.bearer(), nil), 401, "invalid_proof")
		w.is(s.signed("GET", "/account", s.bearer(), nil, nil), 200, "")
	})
}

// A binding without a key, or with a word that is none.
func TestBindingIsChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), inMemory)
	w.below.Join("ada")
	w.is(w.browser().attempt("ada", fields{"binding": "proof"}), 422, "validation_failed")
	w.is(w.browser().attempt("ada", fields{"binding": "dpop"}), 422, "validation_failed")
	w.is(w.browser().attempt("ada", fields{"binding": "none"}), 201, "")
}

// Each rule of a proof at the refresh, broken once; the token stays good.
func TestAttackProofOfARefresh(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.below.Join("ada")
		s, other := w.withProofs("ada"), w.withProofs("ada")
		body := fields{"refresh_token": s.opened.RefreshToken}
		for what, spoil := range map[string]func(*tokentest.Proof){
			"a proof of another session":  func(p *tokentest.Proof) { p.Key, p.KeyID = other.key, other.opened.SessionID },
			"the key of another session":  func(p *tokentest.Proof) { p.Key = other.key },
			"another method":              func(p *tokentest.Proof) { p.Method = "GET" },
			"another target":              func(p *tokentest.Proof) { p.Target = base + "/v1/account" },
			"another origin":              func(p *tokentest.Proof) { p.Target = "https://evil.example/v1/auth/refresh" },
			"stale":                       func(p *tokentest.Proof) { p.Created -= 61 },
			"early":                       func(p *tokentest.Proof) { p.Created += 61 },
			"another algorithm":           func(p *tokentest.Proof) { p.Alg = "hmac-sha512" },
			"the digest of another token": func(p *tokentest.Proof) { p.Digest = tokentest.Digest([]byte(`{"refresh_token":"x"}`)) },
			"the digest left out":         func(p *tokentest.Proof) { p.Covered = p.Covered[:2] },
			"a token that is not sent":    func(p *tokentest.Proof) { p.Covered = append(p.Covered, "authorization") },
		} {
			if got := s.signed("POST", "/auth/refresh", "", body, spoil); got.Status != 401 || got.Code != "invalid_proof" {
				t.Errorf("%s: %s", what, said(got))
			}
		}
		w.is(s.signed("POST", "/auth/refresh", "", body, nil), 201, "")
	})
}

// One proof of a refresh at once: one call passes, and it alone learns the next token.
func TestProofOfARefreshIsGoodOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.below.Join("ada")
		s := w.withProofs("ada")
		raw := fmt.Appendf(nil, `{"refresh_token":%q}`, s.opened.RefreshToken)
		p := tokentest.NewProof(s.key, s.opened.SessionID, w.Now().Unix(), "POST", base+"/v1/auth/refresh", "", raw)
		got := race(20, func(int) string { return said(s.sendSigned(p, "POST", "/auth/refresh", "", raw)) })
		if !maps.Equal(got, map[string]int{"201": 1, "401 invalid_proof": 19}) {
			t.Errorf("20 uses of one proof: %v", got)
		}
		// The client's own repetitions, each with a proof of its own, get one successor.
		got = race(20, func(int) string {
			return s.signed("POST", "/auth/refresh", "", fields{"refresh_token": s.opened.RefreshToken}, nil).RefreshToken
		})
		if len(got) != 1 || got[""] != 0 {
			t.Errorf("successors: %v", got)
		}
	})
}

// A writer of the database cannot make a session with proofs take bare tokens: not by any
// column of any table, nor with the rows of a session without proofs.
func TestAttackWriterOfBindings(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := &writer{world: newWorld(t, d)}
		w.ada, w.eve = w.below.Join("ada"), w.below.Join("eve")
		s := w.withProofs("ada")
		free := w.browser().signIn("ada", inBody)
		bare := func(what string) {
			t.Helper()
			if got := s.request(true, "GET", "/account", s.bearer(), nil); got.Status != 401 {
				t.Errorf("%s: a bare token: %s", what, said(got))
			}
			if got := s.trade(s.opened.RefreshToken); got.Status != 401 {
				t.Errorf("%s: a bare refresh: %s", what, said(got))
			}
		}
		name := `'session:' || `
		w.altered("kv", `UPDATE kv SET value = (SELECT k.value FROM kv k WHERE k.key = `+name+`CAST($2 AS TEXT)) WHERE key = `+name+`CAST($1 AS TEXT)`,
			[]any{s.opened.SessionID, free.SessionID}, func() { bare("the record of another session") })
		w.altered("sessions", `UPDATE sessions SET id = 'x' WHERE id = $1`, []any{free.SessionID}, func() {
			w.exec(`UPDATE sessions SET id = $1 WHERE id = $2`, "y", s.opened.SessionID)
			bare("another id")
		})
		w.altered("sessions", `UPDATE sessions SET public_key = v.public_key, seal = v.seal, created_at = v.created_at, auth_time = v.auth_time, expires_at = v.expires_at
			FROM (SELECT * FROM sessions WHERE id = $2) v WHERE sessions.id = $1`, []any{s.opened.SessionID, free.SessionID}, func() { bare("the row of another session") })
		w.is(s.signed("POST", "/auth/refresh", "", fields{"refresh_token": s.opened.RefreshToken}, nil), 201, "")
	})
}
