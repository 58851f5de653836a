package token_test

import (
	"bytes"
	"crypto/ecdh"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db/dbtest"
	"coffer/internal/kv"
	"coffer/internal/token"
	"coffer/internal/token/tokentest"
)

// bound is a session whose requests must be signed, and its client.
type bound struct {
	issued
	w       *world
	crv     string
	private *ecdh.PrivateKey
	key     []byte
}

func (w *world) openBound(id account.ID, crv string) *bound {
	w.t.Helper()
	private, public := tokentest.KeyPair(w.t, crv)
	w.bound = true
	i := w.open(id, public, month)
	w.bound = false
	return &bound{i, w, crv, private, tokentest.ProofKey(w.t, crv, private, i.keys.ServerKey(), i.text)}
}

// proof is a good one for a request of the session.
func (b *bound) proof(method, path string, body []byte) tokentest.Proof {
	return tokentest.NewProof(b.key, b.keys.Session, b.w.Now().Unix(), method, base+"/v1"+path, "Bearer "+b.text, body)
}

// send makes a request with the session's token. change may alter it after it was signed.
func (b *bound) send(p tokentest.Proof, path string, body []byte, change func(r *http.Request)) reply {
	method := "GET"
	if body != nil {
		method = "PATCH"
	}
	r := httptest.NewRequest(method, base+"/v1"+path, bytes.NewReader(body))
	if body == nil {
		r.Body, r.ContentLength = http.NoBody, 0
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer "+b.text)
	p.Set(r.Header)
	if change != nil {
		change(r)
	}
	rec := httptest.NewRecorder()
	b.w.door.ServeHTTP(rec, r)
	return reply{rec.Code, rec.Header(), rec.Body.String()}
}

// refused fails the test unless an answer is the refusal of a proof.
func (w *world) refused(what string, got reply) {
	w.t.Helper()
	if got.Status != 401 || !strings.Contains(got.Raw, `"invalid_proof"`) {
		w.t.Errorf("%s: %d %s, want 401 invalid_proof", what, got.Status, got.Raw)
	}
}

func (w *world) taken(what string, got reply) {
	w.t.Helper()
	if got.Status != 200 {
		w.t.Errorf("%s: %d %s, want 200", what, got.Status, got.Raw)
	}
}

var patch = []byte(`{"bio":"signed"}`)

// A bound session takes signed requests on every curve, in each order of components and
// parameters, and no bare copy of its token.
func TestProof(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := w.below.Join("ada")
		for crv := range tokentest.Suites {
			b := w.openBound(ada, crv)
			w.refused("a bare copy of the token", w.get("Bearer "+b.text))
			w.taken("GET", b.send(b.proof("GET", "/account", nil), "/account", nil, nil))
			w.taken("PATCH", b.send(b.proof("PATCH", "/account", patch), "/account", patch, nil))
			p := b.proof("PATCH", "/account", patch)
			p.Covered = []string{"content-digest", "authorization", "@target-uri", "@method"}
			p.Label, p.Params = "*x-1.y_z", fmt.Sprintf(`;alg="hmac-sha256";keyid="%s";nonce="n";created=%d`, p.KeyID, p.Created)
			w.taken("another order", b.send(p, "/account", patch, nil))
			p = b.proof("GET", "/account", nil)
			p.Covered, p.Digest = append(p.Covered, "content-digest"), tokentest.Digest(nil)
			w.taken("the digest of no body", b.send(p, "/account", nil, nil))
			w.taken("a target in absolute form", b.send(b.proof("GET", "/account", nil), "/account", nil, func(r *http.Request) {
				r.RequestURI = base + "/v1/account"
			}))
			w.taken("another name of this host", b.send(b.proof("GET", "/account", nil), "/account", nil, func(r *http.Request) {
				r.Host, r.RequestURI = "127.0.0.1:8420", "/v1/account"
			}))
			for _, age := range []int64{-60, 60} {
				p := b.proof("GET", "/account", nil)
				p.Created += age
				w.taken(fmt.Sprintf("created %d s ago", -age), b.send(p, "/account", nil, nil))
			}
		}
		// The binding comes from the record, also when nothing is cached.
		b := w.openBound(ada, "P-256")
		w.Forget()
		w.refused("a bare token, read anew", w.get("Bearer "+b.text))
		w.Forget()
		w.taken("a signed request, read anew", b.send(b.proof("GET", "/account", nil), "/account", nil, nil))
		// A session without binding needs no proof, and looks at none.
		free := w.issue(ada, "P-256")
		if !w.alive(free.text) {
			t.Error("a session without binding was refused")
		}
	})
}

// A spoil breaks one rule: in what is signed, or in the request after that.
type spoil struct {
	name string
	sign func(p *tokentest.Proof)
	send func(r *http.Request)
}

const (
	input     = "Signature-Input"
	signature = "Signature"
	digest    = "Content-Digest"
)

func header(name string, values ...string) func(*http.Request) {
	return func(r *http.Request) { r.Header[name] = values }
}

func edit(name, old, with string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, strings.Replace(r.Header.Get(name), old, with, 1)) }
}

func twice(name, sep string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, r.Header.Get(name)+sep+r.Header.Get(name)) }
}

func lines(name string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Add(name, r.Header.Get(name)) }
}

// spoiltRequests break what a proof says of its request, session and time. other is a session
// of another account, again another one of the same.
func spoiltRequests(other, again *bound) []spoil {
	return []spoil{
		{"no Signature-Input", nil, header(input)},
		{"no Signature", nil, header(signature)},
		{"empty fields", nil, func(r *http.Request) { r.Header.Set(input, ""); r.Header.Set(signature, "") }},
		{"keyid of another session", func(p *tokentest.Proof) { p.KeyID = other.keys.Session }, nil},
		{"keyid of another session of the account", func(p *tokentest.Proof) { p.KeyID = again.keys.Session }, nil},
		{"key of another session", func(p *tokentest.Proof) { p.Key = other.key }, nil},
		{"key of another session of the account", func(p *tokentest.Proof) { p.Key = again.key }, nil},
		{"a proof of another session", func(p *tokentest.Proof) { p.Key, p.KeyID = other.key, other.keys.Session }, nil},
		{"K_proof of zeros", func(p *tokentest.Proof) { p.Key = make([]byte, 32) }, nil},
		{"an empty key", func(p *tokentest.Proof) { p.Key = nil }, nil},
		{"another alg", func(p *tokentest.Proof) { p.Alg = "hmac-sha512" }, nil},
		{"alg in upper case", func(p *tokentest.Proof) { p.Alg = "HMAC-SHA256" }, nil},
		{"ecdsa", func(p *tokentest.Proof) { p.Alg = "ecdsa-p256-sha256" }, nil},
		{"created 61 s ago", func(p *tokentest.Proof) { p.Created -= 61 }, nil},
		{"created in 61 s", func(p *tokentest.Proof) { p.Created += 61 }, nil},
		{"created in milliseconds", func(p *tokentest.Proof) { p.Created *= 1000 }, nil},
		{"created before 1970", func(p *tokentest.Proof) { p.Created = -p.Created }, nil},
		{"created altered", nil, edit(input, "created=1", "created=2")},
		{"nonce altered", nil, edit(input, `nonce="`, `nonce="A`)},
		{"the method left out", func(p *tokentest.Proof) { p.Covered = without(p.Covered, "@method") }, nil},
		{"the target left out", func(p *tokentest.Proof) { p.Covered = without(p.Covered, "@target-uri") }, nil},
		{"the token left out", func(p *tokentest.Proof) { p.Covered = without(p.Covered, "authorization") }, nil},
		{"the digest left out", func(p *tokentest.Proof) { p.Covered = without(p.Covered, "content-digest") }, nil},
		{"nothing covered", func(p *tokentest.Proof) { p.Covered = nil }, nil},
		{"a component twice", func(p *tokentest.Proof) { p.Covered = append(p.Covered, "@method") }, nil},
		{"another component", func(p *tokentest.Proof) { p.Covered = append(p.Covered, "@authority") }, nil},
		{"another method", func(p *tokentest.Proof) { p.Method = "GET" }, nil},
		{"the method in lower case", func(p *tokentest.Proof) { p.Method = "patch" }, nil},
		{"another path", func(p *tokentest.Proof) { p.Target = base + "/v1/sessions" }, nil},
		{"another query", func(p *tokentest.Proof) { p.Target += "?x=1" }, nil},
		{"another origin", func(p *tokentest.Proof) { p.Target = "https://evil.example/v1/account" }, nil},
		{"the target without an origin", func(p *tokentest.Proof) { p.Target = "/v1/account" }, nil},
		{"another scheme", func(p *tokentest.Proof) { p.Target = "ftp" + p.Target[strings.Index(p.Target, ":"):] }, nil},
		{"another Host signed", func(p *tokentest.Proof) { p.Target = "http://127.0.0.1:8420/v1/account" }, func(r *http.Request) { r.Host, r.RequestURI = "127.0.0.1:8420", "/v1/account" }},
		{"another token signed", func(p *tokentest.Proof) { p.Authorization = "Bearer " + again.text }, nil},
		{"another body signed", func(p *tokentest.Proof) { p.Digest = tokentest.Digest([]byte(`{"bio":"altered"}`)) }, nil},
		{"an altered body", nil, func(r *http.Request) { r.Body = http.NoBody; *r = *withBody(r, `{"bio":"forged"}`) }},
		{"an altered body that is no JSON", nil, func(r *http.Request) { *r = *withBody(r, `{"bio":`) }},
		{"an altered body and its digest", nil, func(r *http.Request) {
			*r = *withBody(r, `{"bio":"forged"}`)
			r.Header.Set(digest, tokentest.Digest([]byte(`{"bio":"forged"}`)))
		}},
	}
}

// spoiltFields break the header fields themselves.
func spoiltFields() []spoil {
	return []spoil{
		{"no Content-Digest", nil, header(digest)},
		{"another digest algorithm", func(p *tokentest.Proof) { p.Digest = strings.Replace(p.Digest, "sha-256", "sha-512", 1) }, nil},
		{"two digests", func(p *tokentest.Proof) { p.Digest += ", " + p.Digest }, nil},
		{"a digest without padding", func(p *tokentest.Proof) { p.Digest = strings.Replace(p.Digest, "=:", ":", 2) }, nil},
		{"Content-Digest twice", nil, lines(digest)},
		{"Signature-Input twice", nil, lines(input)},
		{"Signature twice", nil, lines(signature)},
		{"two members of Signature-Input", nil, twice(input, ", ")},
		{"two members of Signature", nil, twice(signature, ", ")},
		{"labels that differ", nil, edit(signature, "proof=", "prove=")},
		{"two labels", nil, func(r *http.Request) {
			r.Header.Set(input, "other="+strings.TrimPrefix(r.Header.Get(input), "proof=")+", "+r.Header.Get(input))
			r.Header.Set(signature, "other="+strings.TrimPrefix(r.Header.Get(signature), "proof=")+", "+r.Header.Get(signature))
		}},
	}
}

// spoiltForms break the form of a signature that is right otherwise.
func spoiltForms() []spoil {
	return []spoil{
		{"no created", func(p *tokentest.Proof) { p.Params = fmt.Sprintf(`;nonce="n1";keyid="%s";alg="hmac-sha256"`, p.KeyID) }, nil},
		{"no nonce", func(p *tokentest.Proof) {
			p.Params = fmt.Sprintf(`;created=%d;keyid="%s";alg="hmac-sha256"`, p.Created, p.KeyID)
		}, nil},
		{"no keyid", func(p *tokentest.Proof) {
			p.Params = fmt.Sprintf(`;created=%d;nonce="n2";alg="hmac-sha256"`, p.Created)
		}, nil},
		{"no alg", func(p *tokentest.Proof) {
			p.Params = fmt.Sprintf(`;created=%d;nonce="n3";keyid="%s"`, p.Created, p.KeyID)
		}, nil},
		{"an empty nonce", func(p *tokentest.Proof) { p.Nonce = "" }, nil},
		{"a nonce twice", func(p *tokentest.Proof) {
			p.Params = fmt.Sprintf(`;created=%d;nonce="n4";nonce="n5";keyid="%s";alg="hmac-sha256"`, p.Created, p.KeyID)
		}, nil},
		{"created twice", func(p *tokentest.Proof) {
			p.Params = fmt.Sprintf(`;created=%d;created=%[1]d;nonce="n6";keyid="%s";alg="hmac-sha256"`, p.Created, p.KeyID)
		}, nil},
		{"an unknown parameter", func(p *tokentest.Proof) {
			p.Params = fmt.Sprintf(`;created=%d;nonce="n7";keyid="%s";alg="hmac-sha256";tag="x"`, p.Created, p.KeyID)
		}, nil},
		{"white space in the parameters", func(p *tokentest.Proof) {
			p.Params = fmt.Sprintf(`; created=%d; nonce="n8"; keyid="%s"; alg="hmac-sha256"`, p.Created, p.KeyID)
		}, nil},
		{"a leading zero", func(p *tokentest.Proof) {
			p.Params = fmt.Sprintf(`;created=0%d;nonce="n9";keyid="%s";alg="hmac-sha256"`, p.Created, p.KeyID)
		}, nil},
		{"a long nonce", func(p *tokentest.Proof) { p.Nonce = strings.Repeat("n", 65) }, nil},
		{"a long Signature-Input", func(p *tokentest.Proof) { p.Label = "l" + strings.Repeat("x", 600) }, nil},
		{"an odd label", func(p *tokentest.Proof) { p.Label = "Proof" }, nil},
		{"a signature of zeros", nil, header(signature, "proof=:"+base64.StdEncoding.EncodeToString(make([]byte, 32))+":")},
		{"an empty signature", nil, header(signature, "proof=::")},
		{"half a signature", nil, header(signature, "proof=:"+base64.StdEncoding.EncodeToString(make([]byte, 16))+":")},
		{"a long signature", nil, header(signature, "proof=:"+strings.Repeat("A", 4000)+":")},
		{"a signature in base64url", nil, header(signature, `proof=:`+strings.Repeat("-", 43)+`=:`)},
		{"a string as signature", nil, header(signature, `proof="`+strings.Repeat("A", 43)+`="`)},
	}
}

// Each rule of a proof, broken once.
func TestAttackProof(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := w.below.Join("ada")
		b, other := w.openBound(ada, "P-256"), w.openBound(w.below.Join("eve"), "P-256")
		for _, tt := range slices.Concat(spoiltRequests(other, w.openBound(ada, "P-256")), spoiltFields(), spoiltForms()) {
			p := b.proof("PATCH", "/account", patch)
			if tt.sign != nil {
				tt.sign(&p)
			}
			w.refused(tt.name, b.send(p, "/account", patch, tt.send))
		}
		// Two credentials are none, as everywhere.
		if got := b.send(b.proof("GET", "/account", nil), "/account", nil, lines("Authorization")); got.Status != 401 {
			t.Errorf("Authorization twice: %d %s", got.Status, got.Raw)
		}
		if _, profile := w.profile(ada); strings.Contains(profile, "signed") || strings.Contains(profile, "forged") {
			t.Errorf("a refused request changed the account: %s", profile)
		}
		w.taken("a good one", b.send(b.proof("PATCH", "/account", patch), "/account", patch, nil))
	})
}

// profile reads an account with a session of its own.
func (w *world) profile(id account.ID) (int, string) {
	got := w.get("Bearer " + w.issue(id, "").text)
	return got.Status, got.Raw
}

func without(list []string, name string) (left []string) {
	for _, one := range list {
		if one != name {
			left = append(left, one)
		}
	}
	return left
}

func withBody(r *http.Request, body string) *http.Request {
	other := httptest.NewRequest(r.Method, r.URL.String(), strings.NewReader(body))
	other.Header, other.RequestURI = r.Header, r.RequestURI
	return other
}

// Of many uses of one proof at once, one passes; later ones do not, until its time is over,
// when its age refuses it.
func TestProofIsGoodOnce(t *testing.T) {
	t.Parallel()
	each(t, onceAtOnce)
}

// The same in the process that owns its database, where nonces are kept in memory.
func TestProofIsGoodOnceInOneProcess(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	if err := d.Own(); err != nil {
		t.Fatal(err)
	}
	onceAtOnce(t, newWorld(t, d))
}

func onceAtOnce(t *testing.T, w *world) {
	b, other := w.openBound(w.below.Join("ada"), "P-256"), w.openBound(w.below.Join("eve"), "P-256")
	p := b.proof("GET", "/account", nil)
	var mu sync.Mutex
	answers := map[int]int{}
	var wg sync.WaitGroup
	start := make(chan struct{})
	for range 20 {
		wg.Go(func() {
			<-start
			got := b.send(p, "/account", nil, nil)
			mu.Lock()
			defer mu.Unlock()
			answers[got.Status]++
		})
	}
	close(start)
	wg.Wait()
	if answers[200] != 1 || answers[401] != 19 {
		t.Errorf("20 uses of one proof: %v, want one 200", answers)
	}
	q := b.proof("GET", "/account", nil)
	q.Nonce, q.Created = p.Nonce, p.Created+1
	w.refused("the nonce in another proof", b.send(q, "/account", nil, nil))
	q = other.proof("GET", "/account", nil)
	q.Nonce = p.Nonce
	w.taken("the nonce in another session", other.send(q, "/account", nil, nil))
	late := b.proof("GET", "/account", nil)
	late.Created += 60
	w.taken("a clock that is ahead", b.send(late, "/account", nil, nil))
	for range 6 {
		w.below.Advance(20 * time.Second)
		w.refused("the proof again", b.send(late, "/account", nil, nil))
	}
}

// A store that does not answer refuses: silence is not "unseen".
func TestProofWithoutAStore(t *testing.T) {
	t.Parallel()
	var store breakable
	w := newWorld(t, dbtest.SQLite(t), func(s *setup) { s.KV = store.over })
	b := w.openBound(w.below.Join("ada"), "P-256")
	store.deaf.Store(true)
	if got := b.send(b.proof("GET", "/account", nil), "/account", nil, nil); got.Status != 503 {
		t.Errorf("%d %s, want 503", got.Status, got.Raw)
	}
	store.deaf.Store(false)
	w.taken("again", b.send(b.proof("GET", "/account", nil), "/account", nil, nil))
}

// A writer of the stores cannot take the binding away: it lies in the sealed record.
func TestAttackBindingTakenAway(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx, ada := t.Context(), w.below.Join("ada")
		b, free := w.openBound(ada, "P-256"), w.issue(ada, "P-256")
		name := token.RecordName(b.keys.Session)
		good, err := w.KV.Get(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		of, err := w.KV.Get(ctx, token.RecordName(free.keys.Session))
		if err != nil {
			t.Fatal(err)
		}
		put := func(record []byte) {
			t.Helper()
			if err := w.KV.Put(ctx, name, record, month); err != nil {
				t.Fatal(err)
			}
		}
		put(of)
		w.dead("the record of a session without binding", b)
		for at := range good {
			bad := bytes.Clone(good)
			bad[at] ^= 1
			put(bad)
			w.dead(fmt.Sprintf("byte %d of the record", at), b)
		}
		put(good[:len(good)-1])
		w.dead("a record without its last byte", b)
		put(good)
		w.refused("a bare token", w.get("Bearer "+b.text))
		w.taken("a good proof", b.send(b.proof("GET", "/account", nil), "/account", nil, nil))
	})
}

// dead fails the test unless a session's token opens nothing, with or without a proof.
func (w *world) dead(when string, b *bound) {
	w.t.Helper()
	for what, got := range map[string]reply{
		"bare": w.get("Bearer " + b.text), "signed": b.send(b.proof("GET", "/account", nil), "/account", nil, nil),
	} {
		if got.Status != 401 || !strings.Contains(got.Raw, `"unauthenticated"`) {
			w.t.Errorf("%s, %s: %d %s", when, what, got.Status, got.Raw)
		}
	}
}

// A bound session without the client's key could accept nothing.
func TestBindingNeedsAKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), func(s *setup) { s.KV = func(now func() time.Time) kv.Store { return kv.NewMemory(now) } })
	if _, err := w.Open(t.Context(), nil, true, w.Now().Add(month)); err == nil {
		t.Error("a bound session without a key was opened")
	}
}
