// Package content keeps stored objects of accounts: store, settle, mark for deletion, open, serve, quota.
//
// # What is promised, and how
//
//   - Nothing is readable at rest. Content is sealed under a random key for each object
//     (package seal). The key is wrapped under the ring's blob key and bound to the object
//     and its owner. An object is opened for its owner only.
//   - An upload appears whole or not at all. The row of an object is committed as pending
//     before its first byte is written. [Upload.Settle] makes all objects of an upload live
//     in the caller's transaction, in which the caller stores what refers to them. A crash
//     leaves pending rows, which [Service.Sweep] removes with their objects.
//   - An object may grow over many requests ([Service.Grow]). What [Service.Append] has
//     acknowledged is durable. Each part is a stream with its own salt, and the key of a
//     settled object is bound to the list of its parts.
//   - An object stands as long as something refers to it: [Service.Share] and
//     [Service.Release] count.
//   - The quota cannot be raced. One conditional statement counts bytes, files and what is
//     reserved. It refuses what exceeds a quota and undoes the caller's transaction.
//   - Content of users never runs on the server's origin: [Object.Serve] names only types
//     that run nothing, and sends everything under a sandboxing policy (security.md rows 74
//     and 88). No byte leaves before it authenticates. A download that breaks is cut off,
//     never ended short.
//
// # Limits
//
// An object knows its account and its size, and nothing else. Names, media types, hashes and
// times belong to the caller, which seals them beside the object's id.
package content

import (
	"context"
	"log/slog"
	"time"

	"coffer/internal/account"
	"coffer/internal/blob"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/seal"
)

// Config is what the room needs.
type Config struct {
	Settings
	DB       *db.DB
	Blobs    blob.Store
	Ring     *keyring.Ring
	Jobs     *jobs.Queue
	Accounts *account.Service
	Now      func() time.Time
	Log      *slog.Logger
}

// Service is the room. It is safe for concurrent use. The store of blobs is its own.
type Service struct {
	Config
	partSize int64 // most bytes of a part
	maxParts int64
	// pageParts is how many parts of a list a reader holds.
	pageParts int
	dropped   []Dropped

	goneObjects, goneParts blob.Removal
}

// Dropped is told which objects of an account have lost their last reference, in the
// transaction in which they did.
type Dropped func(ctx context.Context, tx *db.Tx, owner account.ID, ids []string) error

// OnDrop registers what is bound to objects, before the first of them is released. Of a
// forgotten account it hears nothing.
func (s *Service) OnDrop(fn Dropped) { s.dropped = append(s.dropped, fn) }

// New returns the room and registers its jobs, its walk of keys and what it keeps of accounts.
func New(c Config) (*Service, error) {
	if err := c.Ring.Need(context.Background(), keyring.Blob); err != nil {
		return nil, err
	}
	s := &Service{Config: c, partSize: partSize, maxParts: MaxParts, pageParts: pageParts}
	s.Accounts.Keep("content", account.Keeper{Forget: s.Forget})
	s.Ring.AddRewraps(keyring.Rewrap{Name: "content.blobs", Purpose: keyring.Blob, Step: s.rewrap})
	s.Jobs.Handle(purgeJob, func(ctx context.Context, _ []byte) error { return s.purge(ctx) })
	s.Jobs.Every("content.sweep", sweepEvery, s.Sweep, jobs.Old{Table: "blob_growth", Rows: "expires_at <= $1"},
		jobs.Old{Table: "blobs", Rows: "(state = 'deleting' OR state = 'pending' AND touched_at <= $1)", Age: abandonedAfter},
		jobs.Old{Table: "blob_parts", Rows: "(state = 'deleting' OR state = 'pending' AND touched_at <= $1)", Age: abandonedAfter})
	s.Jobs.Every(orphansJob, 24*time.Hour, s.sweepOrphans)
	return s, nil
}

// The refusals that reach a client.
var (
	ErrExpired      = fault.New(fault.Conflict, "upload_expired", "The server ended the upload because it stalled for too long.")
	ErrQuota        = fault.New(fault.TooLarge, "quota_exceeded", "The upload exceeds the account's quota. Delete something first.")
	ErrBadRange     = fault.New(fault.BadRange, "range_not_satisfiable", "The content has no byte in that range. Content-Range names its size.")
	ErrPrecondition = fault.New(fault.Precondition, "precondition_failed", "The content does not match the precondition.")
)

// keyAAD binds a wrapped key to its object, its owner and the hash of its list of parts, nil of
// an object in one piece. The ring adds the key's id.
func keyAAD(blob string, owner account.ID, parts []byte) []byte {
	if parts == nil {
		return seal.LP([]byte("blob"), []byte(blob), []byte(owner))
	}
	return seal.LP([]byte("blob/parts"), []byte(blob), []byte(owner), parts)
}

// contentAAD binds content to its object.
func contentAAD(blob string) []byte { return seal.LP([]byte("coffer/blob/v1"), []byte(blob)) }

// rewrap is one step of a rotation of the blob key. It wraps the keys of objects anew; the
// objects stay as they are.
func (s *Service) rewrap(ctx context.Context, cursor string, limit int, skip keyring.Skip) (next string, done int, err error) {
	keys, err := readWrapped(ctx, s.DB, cursor, limit)
	if err != nil {
		return "", 0, err
	}
	for _, k := range keys {
		again, changed, err := s.Ring.Renew(ctx, keyring.Blob, k.wrapped, keyAAD(k.id, k.account, k.parts))
		if err != nil {
			err = skip(ctx, "blobs.wrapped", k.id, err)
		}
		if err != nil {
			return "", 0, err
		}
		if !changed {
			continue
		}
		if err := swapWrapped(ctx, s.DB, k, again); err != nil {
			return "", 0, err
		}
	}
	if len(keys) == limit {
		next = keys[len(keys)-1].id
	}
	return next, len(keys), nil
}
