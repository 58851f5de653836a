// Package ledger is the permanent, chronological ledger of pins, and the proofs that it was not rewritten.
//
// # What it defends against
//
//   - An attacker who writes to the database, its owner included. Entries are leaves of a
//     tree whose signed checkpoints lie outside too: in a file, in mails, with publishers.
//     An entry that is edited, removed, inserted or moved no longer leads to them. Each
//     reader of /v1/ledger can see that, without an account.
//   - A server that signs over a changed past. Before it signs, it opens the newest
//     checkpoint, proves that the new tree continues it, and hashes the entries again. It
//     compares with what does not lie in the database too: the newest checkpoint that the
//     process has seen, and the last one of [Settings.File]. If one of these fails it signs
//     nothing, says so in log and metrics, and goes on serving.
//   - Forks: of two nodes one conditional statement lets one sign. A checkpoint is signed
//     only behind the newest.
//   - Readers who want to know whose entries they are. An entry has no account. Its
//     commitment is an HMAC under the account's data key, which deletion destroys. The rows
//     that tie entries to accounts go then too.
//
// # How an entry gets its place
//
// [Service.Append] runs in the caller's transaction. The places come from one statement that
// locks the ledger's row until that transaction ends. So there are no holes, and an entry is
// there if and only if its cause is. Times never go back: an entry of a node whose clock is
// behind has the time of the entry before.
//
// # Limits
//
// An entry is protected from its first checkpoint on, so after [Settings.Interval] at most.
// Without a file, a server that starts has no checkpoint but those of the database. A writer of
// the database needs no key then: the server itself signs a second history, and readers see it
// only with a checkpoint that lies outside. The same holds for a writer of database and file,
// and for an attacker with the root key. A whole copy of an earlier moment looks like a younger
// ledger: the file or a kept checkpoint shows what is missing. Another key in ledger_keys is
// published as if it were ours: readers pin the keys that they know. An operator who accepts a
// backup ([Service.Restored]) makes a second history too, and the file says so.
package ledger

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strconv"
	"sync"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/limit"
	"coffer/internal/mail"
	"coffer/internal/metric"
	"coffer/internal/seal"
	"coffer/internal/treelog"
)

const (
	checkpointJob = "ledger.checkpoint"
	tellJob       = "ledger.tell"
	mailKind      = "ledger-checkpoint"
)

var (
	errNotFound     = fault.New(fault.NotFound, "not_found", "The ledger has no such entry.")
	errNoCheckpoint = fault.New(fault.NotFound, "no_checkpoint", "The ledger has no such checkpoint. The first one comes some minutes after the first entry.")
	errNotYet       = fault.New(fault.Conflict, "not_yet_in_checkpoint", "No checkpoint covers that yet. The next one comes within minutes.")
)

// Kind is what happened.
type Kind string

// The kinds.
const (
	Pin   Kind = treelog.Pin   // a provider pinned the content
	Unpin Kind = treelog.Unpin // the content was taken from a provider
	Fail  Kind = treelog.Fail  // a provider did not do what it was asked to, for good
)

// Event is what an entry tells.
type Event struct {
	Kind    Kind
	CID     string   // CIDv1 in base32; empty where it was never known, but not in a Pin
	Size    int64    // bytes of the content
	Digest  [32]byte // SHA-256 of a file in clear; zero for all other content
	Subject string   // id of the pin; it goes into the commitment alone
}

// Config is what a Service needs. DB, Ring, Jobs, Limit, Mail, Accounts and BaseURL are
// required.
type Config struct {
	Settings
	DB       *db.DB
	Ring     *keyring.Ring
	Jobs     *jobs.Queue
	Limit    *limit.Limiter
	Mail     *mail.Mailer
	Accounts *account.Service
	BaseURL  string           // its host is a part of the origin
	Metrics  *metric.Set      // zero: no counts are shown
	Now      func() time.Time // zero: time.Now
	Rand     io.Reader        // zero: crypto/rand
	Log      *slog.Logger     // zero: discards
}

//go:embed words
var words embed.FS

// Service is the room. It is safe for concurrent use after the last [Service.Publish].
type Service struct {
	Config
	origin  string
	places  []place
	signing metric.Counters

	mu  sync.Mutex
	met treelog.Checkpoint // newest that this process signed, or compared with the database
}

// New returns the room. It writes nothing: a console command may have another address than the
// server.
func New(c Config) (*Service, error) {
	if err := c.Settings.AfterApply(); err != nil {
		return nil, err
	}
	base, err := url.Parse(c.BaseURL)
	if err != nil || base.Host == "" {
		return nil, errors.New("ledger: BaseURL has no host")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	ctx := context.Background()
	if err := c.Ring.Need(ctx, keyring.Ledger); err != nil {
		return nil, err
	}
	s := &Service{Config: c, origin: base.Host + "/ledger"}
	s.Mail.Declare(mail.Kind{Name: mailKind}, words)
	s.measure()
	s.Accounts.Keep("ledger", account.Keeper{
		Export: s.export,
		Empty:  func(ctx context.Context, id account.ID) error { return empty(ctx, s.DB, id) },
		Forget: forget,
	})
	s.Jobs.Handle(checkpointJob, func(ctx context.Context, _ []byte) error {
		_, err := s.Checkpoint(ctx, false)
		if errors.Is(err, errDamaged) || errors.Is(err, errOrigin) {
			return nil // the periodic work says so again until all is well
		}
		return err
	})
	s.Jobs.Handle(tellJob, s.tell)
	s.Jobs.Every(checkpointJob, s.Interval, s.onTime)
	s.addPlaces()
	return s, nil
}

// Append adds entries about an account in the caller's transaction, and returns the place of
// the first; the others follow it. Several in one call cost much less than one by one. The
// caller's changes come first: the ledger stays locked until tx ends. An account that is gone,
// or is being deleted, gets a commitment that no key makes.
func (s *Service) Append(ctx context.Context, tx *db.Tx, owner account.ID, events ...Event) (n int64, err error) {
	if len(events) == 0 {
		return 0, errors.New("internal error: ledger: no event")
	}
	for _, e := range events {
		if err := treelog.CheckContent(string(e.Kind), e.CID, e.Size); err != nil {
			return 0, fmt.Errorf("internal error: ledger: %s of %q with %d bytes: %w", e.Kind, e.CID, e.Size, err)
		}
	}
	key, err := s.keyOf(ctx, tx, owner)
	if err != nil {
		return 0, err
	}
	first, at, err := take(ctx, tx, len(events), s.Now().UnixMilli())
	if err != nil {
		return 0, err
	}
	rows, when := make([]row, len(events)), []byte(timeOf(at))
	for i, e := range events {
		r := row{N: first + int64(i), At: at, Kind: string(e.Kind), CID: e.CID, Size: e.Size, Digest: e.Digest[:]}
		if r.Commitment, err = s.commit(key, r, when, e.Subject); err != nil {
			return 0, err
		}
		rows[i] = r
	}
	if err := rows[0].entry().Check(); err != nil { // the time, which all share, may come from an edited row
		return 0, fmt.Errorf("internal error: ledger: the last entry is of %s: %w", when, err)
	}
	if err := insertEntries(ctx, tx, rows); err != nil {
		return 0, err
	}
	if key != nil {
		if err := insertOwners(ctx, tx, owner, rows); err != nil {
			return 0, err
		}
	}
	if end := first + int64(len(rows)); end/s.Every != first/s.Every {
		err = s.Jobs.Enqueue(ctx, tx, checkpointJob, struct{}{}, jobs.Key(checkpointJob))
	}
	return first, err
}

// keyOf returns the data key of an account that stays until tx ends; nil for one that does
// not.
func (s *Service) keyOf(ctx context.Context, tx *db.Tx, owner account.ID) (*keyring.DataKey, error) {
	_, err := s.Accounts.Hold(ctx, tx, owner)
	if err == nil {
		var key *keyring.DataKey
		if key, err = s.Accounts.DataKey(ctx, tx, owner); err == nil {
			return key, nil
		}
	}
	if errors.Is(err, account.ErrNotFound) {
		return nil, nil
	}
	return nil, err
}

// commit ties an entry to the account of a key and to a subject. when is the entry's time. Numbers
// differ, so two equal events have different commitments.
func (s *Service) commit(key *keyring.DataKey, r row, when []byte, subject string) ([]byte, error) {
	if key == nil {
		random := make([]byte, treelog.HashSize)
		_, err := io.ReadFull(s.Rand, random)
		return random, err
	}
	return key.Index("ledger.commitment", string(seal.LP(
		[]byte(strconv.FormatInt(r.N, 10)), when, []byte(r.Kind), []byte(r.CID), []byte(subject)))), nil
}

func timeOf(ms int64) string { return time.UnixMilli(ms).UTC().Format(treelog.TimeForm) }

// entry is the entry of a row, which an attacker may have edited.
func (r row) entry() treelog.Entry {
	return treelog.Entry{
		N: r.N, Time: timeOf(r.At), Kind: r.Kind, CID: r.CID, Size: r.Size, Digest: hex.EncodeToString(r.Digest), Commitment: hex.EncodeToString(r.Commitment),
	}
}

// tree is the tree of a size over the stored tiles.
func (s *Service) tree(ctx context.Context, q db.Querier, size int64) treelog.Tree {
	return treelog.Tree{Size: size, Read: func(level int, n int64) ([]byte, error) { return readTile(ctx, q, level, n) }}
}
