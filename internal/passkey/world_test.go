package passkey

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"coffer/internal/account/accounttest"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
	"coffer/internal/kv"
	"coffer/internal/kv/kvtest"
	"coffer/internal/limit/limittest"
	"coffer/internal/rest"
	"coffer/internal/session"
	"coffer/internal/token"
)

// world is the room over the real rooms below it.
type world struct {
	*Service
	below *accounttest.World
	t     testing.TB
	log   bytes.Buffer
}

func newWorld(t testing.TB, d *db.DB, change ...func(*limittest.Setup)) *world {
	t.Helper()
	w := &world{t: t}
	in := limittest.Setup{Log: slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, c := range change {
		c(&in)
	}
	w.below = accounttest.New(t, d, in)
	b := w.below
	tc := token.Config{KV: b.KV, Ring: b.Ring, Accounts: b.Accounts, Now: b.Now, BaseURL: accounttest.BaseURL}
	limittest.Defaults(t, &tc.Settings)
	tokens, err := token.New(tc)
	if err != nil {
		t.Fatal(err)
	}
	sc := session.Config{DB: d, Ring: b.Ring, Limit: b.Limits, Jobs: b.Jobs, Accounts: b.Accounts, Events: b.Events, Tokens: tokens, Now: b.Now, Log: b.Log}
	limittest.Defaults(t, &sc.Settings)
	sc.SessionsMax = 1000
	sessions, err := session.New(sc)
	if err != nil {
		t.Fatal(err)
	}
	c := Config{DB: d, KV: b.KV, Ring: b.Ring, Limit: b.Limits, Accounts: b.Accounts, Sessions: sessions, Events: b.Events, BaseURL: accounttest.BaseURL, Now: b.Now, Log: b.Log}
	limittest.Defaults(t, &c.Settings)
	c.BeginLimit.Limit = 10_000
	if w.Service, err = New(c); err != nil {
		t.Fatal(err)
	}
	w.Sessions.AddressLimit.Limit = 10_000
	return w
}

// each runs fn on both engines, and on SQLite with the other key stores.
func each(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { fn(t, newWorld(t, d)) })
	t.Run("Memory", func(t *testing.T) {
		fn(t, newWorld(t, dbtest.SQLite(t), func(s *limittest.Setup) {
			s.KV = func(now func() time.Time) kv.Store { return kv.NewMemory(now) }
		}))
	})
	t.Run("Redis", func(t *testing.T) {
		store, err := kv.OpenRedis(t.Context(), kvtest.RedisURL(t), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		fn(t, newWorld(t, dbtest.SQLite(t), func(s *limittest.Setup) { s.KV = func(func() time.Time) kv.Store { return store } }))
	})
}

// sessionRequest asks for nothing special.
var sessionRequest session.SessionRequest

var from = rest.Client{Addr: netip.MustParseAddr("192.0.2.7"), UserAgent: "test/1"}

// caller opens an ordinary session of an account of [accounttest.World.Join].
func (w *world) caller(name string) rest.Caller {
	w.t.Helper()
	out, err := w.Sessions.SignIn(w.t.Context(), name, accounttest.Password, session.SessionRequest{}, from)
	if err != nil || out.Opened == nil {
		w.t.Fatalf("sign in: %+v, %v", out, err)
	}
	return callerOf(out.Opened)
}

func callerOf(o *session.Opened) rest.Caller {
	return rest.Caller{Account: string(o.Account), Session: o.ID, AAL: o.AAL, AMR: o.AMR}
}

// key is a passkey in a software authenticator, beside a browser on the server's page.
type key struct {
	id      []byte
	private *ecdsa.PrivateKey
	owner   []byte // the user handle
	count   uint32
	flags   byte
	maker   [16]byte
	party   party
}

// The flags of authenticator data (§6.1).
const (
	present  = 1 << 0
	verified = 1 << 2
	eligible = 1 << 3
	backedUp = 1 << 4
	attested = 1 << 6
	extended = 1 << 7
)

func (w *world) newKey() *key {
	w.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	id := make([]byte, 32)
	if _, err := rand.Read(id); err != nil {
		w.t.Fatal(err)
	}
	return &key{id: id, private: private, flags: present | verified, party: w.party}
}

// data is authenticator data; with a key it is a registration's.
func (k *key) data(create bool) []byte {
	hash := sha256.Sum256([]byte(k.party.id))
	flags := k.flags
	if create {
		flags |= attested
	}
	d := binary.BigEndian.AppendUint32(append(hash[:], flags), k.count)
	if create {
		d = binary.BigEndian.AppendUint16(append(d, k.maker[:]...), uint16(len(k.id)))
		d = append(append(d, k.id...), k.cose()...)
	}
	if flags&extended != 0 {
		d = append(append(append(d, 0xa2, 0x6b), "credProtect"...), 0x02, 0x63, 'x', '-', 'y', 0xf5)
	}
	return d
}

// cose is the public key in COSE (RFC 9053 §7.1.1).
func (k *key) cose() []byte {
	point, err := k.private.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	c := append([]byte{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20}, point[1:33]...)
	return append(append(c, 0x22, 0x58, 0x20), point[33:]...)
}

func (k *key) said(kind, challenge string) []byte {
	raw, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": k.party.origin, "crossOrigin": false})
	if err != nil {
		panic(err)
	}
	return raw
}

// statement is an attestation object of format none.
func statement(data []byte) []byte {
	object := append([]byte{0xa3, 0x63}, "fmt"...)
	object = append(append(object, 0x64), "none"...)
	object = append(append(append(object, 0x67), "attStmt"...), 0xa0, 0x68)
	object = append(append(object, "authData"...), 0x59)
	return append(binary.BigEndian.AppendUint16(object, uint16(len(data))), data...)
}

// answer is what a browser sends. Tests change it before it is packed.
type answer struct {
	id, rawID, kind    string
	said, data, object []byte
	signature, owner   []byte
	extensions         map[string]any
}

func (a answer) pack() []byte {
	response := map[string]any{"clientDataJSON": b64.EncodeToString(a.said)}
	if a.object != nil {
		response["attestationObject"], response["transports"] = b64.EncodeToString(a.object), []string{"internal", "hybrid"}
	} else {
		response["authenticatorData"], response["signature"] = b64.EncodeToString(a.data), b64.EncodeToString(a.signature)
		if a.owner != nil {
			response["userHandle"] = b64.EncodeToString(a.owner)
		}
	}
	raw, err := json.Marshal(map[string]any{"id": a.id, "rawId": a.rawID, "type": a.kind, "response": response, "clientExtensionResults": a.extensions})
	if err != nil {
		panic(err)
	}
	return raw
}

func (k *key) answer(said []byte) answer {
	id := b64.EncodeToString(k.id)
	return answer{id: id, rawID: id, kind: publicKey, said: said, extensions: map[string]any{}}
}

func (k *key) create(challenge string) answer {
	a := k.answer(k.said(created, challenge))
	a.object = statement(k.data(true))
	return a
}

// get signs for a challenge; the sign count grows unless it is kept at zero.
func (k *key) get(challenge string) answer {
	a := k.answer(k.said(gotten, challenge))
	a.data, a.owner = k.data(false), k.owner
	return k.sign(a)
}

// sign signs what an answer says.
func (k *key) sign(a answer) answer {
	hash := sha256.Sum256(a.said)
	digest := sha256.Sum256(append(bytes.Clone(a.data), hash[:]...))
	var err error
	if a.signature, err = ecdsa.SignASN1(rand.Reader, k.private, digest[:]); err != nil {
		panic(err)
	}
	return a
}

// add registers a key for a caller.
func (w *world) add(c rest.Caller, k *key, name string) Passkey {
	w.t.Helper()
	o, err := w.BeginRegistration(w.t.Context(), c)
	if err != nil {
		w.t.Fatal(err)
	}
	if k.owner, err = b64.DecodeString(o.User.ID); err != nil {
		w.t.Fatal(err)
	}
	p, err := w.Register(w.t.Context(), c, k.create(o.Challenge).pack(), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// challenge begins a sign-in.
func (w *world) challenge() string {
	w.t.Helper()
	o, err := w.BeginSignIn(context.Background(), from)
	if err != nil {
		w.t.Fatal(err)
	}
	return o.Challenge
}

// signIn signs in with a key whose count has grown.
func (w *world) signIn(k *key) (session.Outcome, error) {
	k.count++
	return w.send(k.get(w.challenge()))
}

func (w *world) send(a answer) (session.Outcome, error) {
	return w.SignIn(context.Background(), a.pack(), session.SessionRequest{}, from)
}

// code is the code of a refusal; "" for none.
func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.Of(err).Code
}

// wants fails the test unless err is a refusal with a code; "" wants none.
func (w *world) wants(what string, err error, want string) {
	w.t.Helper()
	if got := code(err); got != want {
		w.t.Errorf("%s: %v, want code %q", what, err, want)
	}
}

func (w *world) exec(q string, args ...any) {
	w.t.Helper()
	if n, err := w.DB.Exec(context.Background(), q, args...); err != nil || n == 0 {
		w.t.Fatalf("%s: %d rows, %v", q, n, err)
	}
}

func (w *world) atOnce(n int, fn func() error) int { return limittest.AtOnce(n, fn) }

// stranger opens a session of somebody else.
func (w *world) stranger() rest.Caller {
	w.t.Helper()
	if _, err := w.Accounts.Find(w.t.Context(), "stranger"); err != nil {
		w.t.Fatal(err)
	}
	if found, _ := w.Accounts.Find(w.t.Context(), "stranger"); found.ID == "" {
		w.below.Join("stranger")
	}
	return w.caller("stranger")
}
