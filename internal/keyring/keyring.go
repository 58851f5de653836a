// Package keyring is named keys by purpose, rotation, field encryption and blind indexes.
//
// # One ring
//
// Each [Purpose] has keys of its own and no key serves two purposes; within a purpose,
// what seals and what authenticates are derived apart (HKDF-SHA256). A key is
//
//	pending → active → open-only → destroyed
//
// and each step is one conditional statement whose affected rows decide, under a unique
// index that allows one active key a purpose. The root key seals every secret, bound to
// purpose, key id and algorithm; it comes from the environment or from a file and is
// never stored beside the ring. A ring that the root key does not open stops the start:
// no key is ever made over keys that cannot be read.
//
// A purpose gets its first key when a room first says that it needs one ([Ring.Need]). Nodes
// that ask at the same moment end up with the same key: the unique index lets one statement
// win.
//
// # What is sealed how
//
//   - Envelopes ([Ring.Seal]): version ‖ key id ‖ [seal.Seal] under the purpose's active key.
//   - Fields ([DataKey.Seal]): each account has a data key, wrapped under the field key.
//     Table, column, row and data key id are bound in, so a value moved to another row,
//     column or account does not open. Deleting the wrapped key shreds what it sealed,
//     backups included.
//   - Look-ups ([Ring.Index]): HMAC-SHA256 of the canonical value under a key of the
//     column's own. A reader of the database learns which rows are equal, no more.
//
// # Many nodes
//
// Keys are read from memory without a lock. A node looks at the database when its copy
// is older than [RefreshEvery] and when it meets a key id that it does not know, the
// second at a bounded rate because a key id may come from a stranger. A node may
// therefore seal under a key for up to [Settle] after another one has retired it;
// everything that ends a key's life waits for that.
//
// # Limits
//
// States are not authenticated: who can write to the database can make an old key the
// active one, but cannot make or read a key. Destroying a key empties its row; a page of
// an old backup or a disk's spare blocks may still hold the secret, sealed under the
// root key. While a server runs its memory holds the ring.
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

// Purpose is what the keys of one part of the ring are for.
type Purpose string

// The purposes. Secrets of Token are PKCS#8; all others are 32 random bytes.
const (
	Token   Purpose = "token"   // signs access tokens
	Session Purpose = "session" // seals session records
	Field   Purpose = "field"   // wraps the accounts' data keys
	Blob    Purpose = "blob"    // wraps the data keys of blobs
	Index   Purpose = "index"   // look-ups by what must not be readable
	Pepper  Purpose = "pepper"  // seals password hashes
	Refresh Purpose = "refresh" // derives refresh tokens
	Code    Purpose = "code"    // keyed hashes of mailed codes
)

// Purposes lists every purpose, in the order in which the ring is shown.
var Purposes = []Purpose{Token, Session, Field, Blob, Index, Pepper, Refresh, Code}

// State is where a key is in its life.
type State string

// The states, in order.
const (
	Pending   State = "pending"   // published, does not sign yet
	Active    State = "active"    // signs and seals
	OpenOnly  State = "open-only" // verifies and opens what it made while it was active
	Destroyed State = "destroyed" // its secret is gone
)

// Key is one key of the ring.
type Key struct {
	ID      string // kid: 16 hexadecimal characters
	Purpose Purpose
	State   State
	Alg     string // "RS256", "RS256-3072", "ES256", "EdDSA", or "secret-256"
	Secret  []byte // nil in lists and once destroyed; never to be changed

	Seq       int64     // order within the purpose, from 1
	Created   time.Time // in UTC, as the other times
	NotBefore time.Time // active since; zero: not yet
	Retired   time.Time // open-only since; zero: not yet
	Destroyed time.Time // zero: not yet
}

// Signer returns the private key of a Token key. Parsing an RSA key costs
// about as much as a signature: keep the result.
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
	// ErrNoKey says that the ring holds no such key, or holds it no longer.
	ErrNoKey = errors.New("keyring: no such key")
	// ErrRootKey says that the root key is not the one that this ring was made with.
	ErrRootKey = errors.New("the root key does not open the key ring of this database: start with the COFFER_ROOT_KEY, or the root key file, that the database was first started with")
	// ErrNeeded says that something may still be sealed under a key. The text that
	// wraps it says what, and what to do.
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
	due    atomic.Int64 // unix-ms: when the next periodic refresh is due
	making sync.Mutex   // held while a purpose gets its first key
	mu     sync.Mutex   // held while refreshing
	asked  bucket       // bounds refreshes for unknown key ids; guarded by mu
	reload func(context.Context) ([]row, error)

	rewraps []Rewrap // by rooms that are being made
}

// Config is what [Open] takes beyond the database and the root key.
type Config struct {
	Now func() time.Time // zero: time.Now
	Log *slog.Logger     // names what a walk cannot move; zero: slog.Default

	// TokenAlg is the algorithm of new token signing keys: "RS256" (RSA-2048), "RS256-3072",
	// "ES256" or "EdDSA". A ring whose keys have another one moves to it at the next
	// [Ring.Maintain] at which the new key has been published for an hour.
	TokenAlg string
	// TokenTTL is the longest life of an access token: a retired signing key is kept that long.
	TokenTTL time.Duration
}

// Open reads the ring of d. It returns [ErrRootKey] when root is not the ring's root key,
// and then has changed nothing. The first start decides which root key is the ring's.
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

// Active returns the key that signs and seals for p now.
func (r *Ring) Active(ctx context.Context, p Purpose) (Key, error) {
	e, err := r.active(ctx, p)
	if err != nil {
		return Key{}, err
	}
	return e.Key, nil
}

// Key returns the live key kid of p. It asks the database about a key id that is not
// known here, at a bounded rate; [ErrNoKey] when there is none.
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

// List returns every key that ever was, without secrets: by purpose, newest first.
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
