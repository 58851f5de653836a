// Package keyring is named keys by purpose, rotation, field encryption and blind indexes.
//
// # One ring
//
// Each [Purpose] has its own keys, and no key serves two purposes. Within a purpose,
// encryption and authentication keys are derived separately (HKDF-SHA256). A key is
//
//	pending → active → open-only → destroyed
//
// Each step is one conditional statement whose affected rows decide. A unique index allows
// one active key per purpose. The root key seals every secret, bound to purpose, key id and
// algorithm. It comes from the environment or a file, never stored beside the ring. If the
// root key does not open the ring, the server does not start: it never replaces unreadable
// keys.
//
// A purpose gets its first key when a room calls [Ring.Need] for it. Nodes that ask at the
// same moment get the same key: the unique index lets one statement win.
//
// # How values are sealed
//
//   - Envelopes ([Ring.Seal]): version ‖ key id ‖ [seal.Seal] under the purpose's active key.
//   - Fields ([DataKey.Seal]): each account has a data key, wrapped under the field key.
//     Table, column, row and data key id are bound in, so a value moved to another row,
//     column or account does not open. Deleting the wrapped key makes its values unreadable,
//     also in backups.
//   - Look-ups ([Ring.Index]): HMAC-SHA256 of the canonical value under the column's own
//     key. A reader of the database learns only which rows are equal.
//
// # Many nodes
//
// Nodes read keys from memory without a lock. A node reads the database when its copy is
// older than [RefreshEvery] and when it meets an unknown key id. The second has a bounded
// rate, because strangers can send key ids. So a node may seal under a key for up to
// [Settle] after another node retired it. No key's life ends before that.
//
// # Limits
//
// States are not authenticated. An attacker who can write to the database can reactivate an
// old key, but cannot make or read one. Destroying a key empties its row. An old backup's
// page or a disk's spare blocks may still hold the secret, sealed under the root key. A
// running server holds the ring in memory.
package keyring

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"coffer/internal/db"
)

// Purpose is the use of one part of the ring's keys.
type Purpose string

// The purposes. Secrets of Token are PKCS#8; all others are 32 random bytes.
const (
	Token   Purpose = "token"   // signs access tokens
	Session Purpose = "session" // seals session records
	Field   Purpose = "field"   // wraps the accounts' data keys
	Blob    Purpose = "blob"    // wraps the data keys of blobs
	Index   Purpose = "index"   // look-ups by unreadable values
	Pepper  Purpose = "pepper"  // seals password hashes
	Refresh Purpose = "refresh" // derives refresh tokens
	Code    Purpose = "code"    // keyed hashes of mailed codes
	Ledger  Purpose = "ledger"  // signs checkpoints of the ledger: the secret is an Ed25519 seed
)

// Purposes lists every purpose, in the order in which the ring is shown.
var Purposes = []Purpose{Token, Session, Field, Blob, Index, Pepper, Refresh, Code, Ledger}

// State is a key's place in its life.
type State string

// The states, in order.
const (
	Pending   State = "pending"   // published, not signing yet
	Active    State = "active"    // signs and seals
	OpenOnly  State = "open-only" // verifies and opens what it made while active
	Destroyed State = "destroyed" // its secret is gone
)

// Key is one key of the ring.
type Key struct {
	ID      string // kid: 16 hexadecimal characters
	Purpose Purpose
	State   State
	Alg     string // "RS256", "RS256-3072", "ES256", "EdDSA", or "secret-256"
	Secret  []byte // nil in lists and once destroyed; must not be modified

	Seq       int64     // order within the purpose, from 1
	Created   time.Time // in UTC, like the other times
	NotBefore time.Time // active since; zero: not yet
	Retired   time.Time // open-only since; zero: not yet
	Destroyed time.Time // zero: not yet
}

// Signer returns the private key of a Token key. Parsing an RSA key costs about as much as
// a signature, so keep the result.
func (k Key) Signer() (crypto.Signer, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(k.Secret)
	if err != nil {
		return nil, fmt.Errorf("keyring: %s key %s: %w", k.Purpose, k.ID, err)
	}
	signer, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("keyring: %s key %s does not sign", k.Purpose, k.ID)
	}
	return signer, nil
}

var (
	// ErrNoKey says that the ring does not hold the key, or no longer.
	ErrNoKey = errors.New("keyring: no such key")
	// ErrRootKey says that the root key does not belong to this ring.
	ErrRootKey = errors.New("the root key does not open the key ring of this database: start with the COFFER_ROOT_KEY, or the root key file, that the database was first started with")
	// ErrNeeded says that values may still be sealed under a key. The wrapping text says
	// which, and how to free the key.
	ErrNeeded = errors.New("the key is still needed")
)

// Ring is the key ring of one database. Its methods are safe for concurrent use.
type Ring struct {
	db       *db.DB
	root     []byte
	now      func() time.Time
	tokenAlg string
	tokenTTL time.Duration
	log      *slog.Logger

	keys   atomic.Pointer[snapshot]
	due    atomic.Int64        // unix-ms: when the next periodic refresh is due
	making sync.Mutex          // held while making a purpose's first key
	mu     sync.Mutex          // held while refreshing
	asked  map[Purpose]*bucket // bounds refreshes for unknown key ids; guarded by mu
	reload func(context.Context) ([]row, error)

	rewraps []Rewrap // from the constructors of rooms
}

// Config holds [Open]'s options beyond the database and the root key.
type Config struct {
	Now func() time.Time // zero: time.Now
	Log *slog.Logger     // logs values that a walk cannot move; zero: slog.Default

	// TokenAlg is the algorithm of new token signing keys: "RS256" (RSA-2048),
	// "RS256-3072", "ES256" or "EdDSA". A ring with another one changes at the first
	// [Ring.Maintain] after the new key has been published for an hour.
	TokenAlg string
	// TokenTTL is the longest life of an access token, and so of a retired signing key.
	TokenTTL time.Duration
}

// Open reads the ring of d. It returns [ErrRootKey] and changes nothing when root is not
// the ring's root key. The first start sets the ring's root key.
func Open(ctx context.Context, d *db.DB, root []byte, c Config) (*Ring, error) {
	if len(root) != rootSize {
		return nil, fmt.Errorf("keyring: root key of %d bytes, want %d", len(root), rootSize)
	}
	if !knownAlg(c.TokenAlg) {
		return nil, fmt.Errorf("keyring: unknown token algorithm %q", c.TokenAlg)
	}
	if c.TokenTTL <= 0 {
		return nil, errors.New("keyring: the life of a token must be positive")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	r := &Ring{db: d, root: root, now: c.Now, tokenAlg: c.TokenAlg, tokenTTL: c.TokenTTL, log: c.Log}
	if r.log == nil {
		r.log = slog.Default()
	}
	r.reload = func(ctx context.Context) ([]row, error) { return liveRows(ctx, d) }
	if err := r.checkRoot(ctx); err != nil {
		return nil, err
	}
	if err := r.Refresh(ctx); err != nil {
		return nil, err
	}
	if err := r.fill(ctx, r.keys.Load().purposes()...); err != nil {
		return nil, err
	}
	return r, nil
}

// Active returns the key that now signs and seals for p.
func (r *Ring) Active(ctx context.Context, p Purpose) (Key, error) {
	e, err := r.active(ctx, p)
	if err != nil {
		return Key{}, err
	}
	return e.Key, nil
}

// Key returns the live key kid of p, or [ErrNoKey]. It looks an unknown key id up in the
// database, at a bounded rate.
func (r *Ring) Key(ctx context.Context, p Purpose, kid string) (Key, error) {
	e, err := r.entry(ctx, p, kid)
	if err != nil {
		return Key{}, err
	}
	return e.Key, nil
}

// Live returns p's pending, active and open-only keys, newest first.
func (r *Ring) Live(ctx context.Context, p Purpose) ([]Key, error) {
	live, err := r.live(ctx, p)
	if err != nil {
		return nil, err
	}
	keys := make([]Key, len(live))
	for i, e := range live {
		keys[i] = e.Key
	}
	return keys, nil
}

// List returns all keys, destroyed ones included, without secrets: by purpose, newest
// first.
func (r *Ring) List(ctx context.Context) ([]Key, error) {
	rows, err := allRows(ctx, r.db)
	if err != nil {
		return nil, err
	}
	var keys []Key
	for _, p := range Purposes {
		for _, row := range rows {
			if row.Purpose == p {
				keys = append(keys, row.Key)
			}
		}
	}
	return keys, nil
}
