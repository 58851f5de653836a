// Package passkey is passkeys: discoverable WebAuthn credentials that sign in, confirm and pass every layer.
//
// # What it defends against
//
//   - Phishing: an authenticator signs for this server's host, and the browser tells the page's
//     origin. A page elsewhere, or in a frame of another site, gets nothing that is good here.
//   - A replayed answer: each challenge is 32 random bytes, works once and lives five minutes.
//     It is bound to its ceremony, account and session or attempt. The key store holds it
//     sealed.
//   - A stolen device: every ceremony requires user verification. So one answer is two
//     factors, and passes every layer.
//   - A copied key: a sign count that does not grow is refused, and the owner is told.
//   - A passkey that a finder of an open session adds or removes: both ask for a fresh
//     proof and mail every verified address.
//   - Learning who has an account: a sign-in begins alike for everybody, and every fault of it
//     has one answer. The user handle is a keyed hash.
//   - A read database: ids, public keys and names are sealed under the account's data key.
//   - A writer of the database: a record opens in its own row and account alone, so no row can
//     be made, copied or swapped.
//
// # Limits
//
// A writer of the database who keeps an old row can put it back: the sign count is then the
// old one. Most synced passkeys have no sign count, and theft of such a key from its provider
// goes unseen. No attestation is asked for, so a client can claim any maker.
package passkey

import (
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"io"
	"log/slog"
	"slices"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/keyring"
	"coffer/internal/kv"
	"coffer/internal/limit"
	"coffer/internal/mail"
	"coffer/internal/session"
)

const (
	line         = "passkeys" // on the security page, and of the table
	product      = "Coffer"
	indexColumn  = "passkey.credential"
	maxPasskeys  = 20
	tellInterval = 24 * time.Hour // between two notices of one copied passkey
)

// The kinds of events of this room.
const (
	added   = "passkey-added"
	removed = "passkey-removed"
	copied  = "passkey-cloned"
)

//go:embed words
var words embed.FS

var (
	errPasskey     = fault.New(fault.Unauthenticated, "invalid_passkey", "That passkey did not work. Try again, or sign in another way.")
	errRefused     = fault.New(fault.Invalid, "passkey_refused", "That is not a passkey that this server can use. Begin again.")
	errExists      = fault.New(fault.Conflict, "passkey_exists", "This passkey is registered already.")
	errTooMany     = fault.New(fault.Conflict, "too_many_passkeys", "An account has at most 20 passkeys. Remove one first.")
	errNoPasskey   = fault.New(fault.NotFound, "not_found", "There is no such passkey.")
	errUnavailable = fault.New(fault.Conflict, "passkeys_unavailable", "Passkeys need a host name: this server is reached by an address, or without TLS.")
)

// Config is what a Service needs. All but Now, Rand and Log are required.
type Config struct {
	Settings
	DB       *db.DB
	KV       kv.Store
	Ring     *keyring.Ring
	Limit    *limit.Limiter
	Accounts *account.Service
	Sessions *session.Service
	Events   *event.Log
	BaseURL  string           // names the relying party
	Now      func() time.Time // zero: time.Now
	Rand     io.Reader        // zero: crypto/rand
	Log      *slog.Logger     // zero: discards
}

// Service is the room. It is safe for concurrent use.
type Service struct {
	Config
	party party
	on    bool // browsers allow passkeys for this server's URL
}

// New returns the room, which is a way in and a line of the security page from then on.
func New(cfg Config) (*Service, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	cfg.BeginLimit.Name = "passkey-begin"
	if err := cfg.Ring.Need(context.Background(), keyring.Session, keyring.Index); err != nil {
		return nil, err
	}
	s := &Service{Config: cfg}
	s.party, s.on = newParty(cfg.BaseURL)
	for _, kind := range []string{added, removed, copied} {
		s.Events.Declare(mail.Kind{Name: kind, Header: "security-notice"}, words)
	}
	s.Sessions.AddPass(s.has)
	s.Accounts.Protect(line, protection)
	s.Accounts.Keep(line, account.Keeper{Export: s.export, Forget: removeAll})
	s.Accounts.AddWayIn(account.WayIn{Count: s.counted, DropSince: s.dropSince})
	s.Ring.AddRewraps(keyring.Rewrap{Name: "passkey.credentials", Purpose: keyring.Index, Step: s.reindex})
	return s, nil
}

// Count returns how many passkeys an account has.
func (s *Service) Count(ctx context.Context, q db.Querier, id account.ID) (int, error) {
	return count(ctx, q, id)
}

// has reports whether an account can pass an attempt with a passkey.
func (s *Service) has(ctx context.Context, q db.Querier, id account.ID) (bool, error) {
	n, err := s.counted(ctx, q, id)
	return n > 0, err
}

// counted is how many passkeys let an account in; none where browsers allow none. One that was
// altered in the database lets nobody in.
func (s *Service) counted(ctx context.Context, q db.Querier, id account.ID) (int, error) {
	if !s.on {
		return 0, nil
	}
	n, err := count(ctx, q, id)
	if err != nil || n == 0 {
		return 0, err
	}
	key, err := s.Accounts.DataKey(ctx, q, id)
	if err != nil {
		return 0, err
	}
	usable, err := s.descriptors(ctx, q, key, id)
	return len(usable), err
}

// protection is the line on the security page.
func protection(ctx context.Context, q db.Querier, id account.ID) (account.Protection, error) {
	rows, err := list(ctx, q, id)
	if err != nil || len(rows) == 0 {
		return account.Protection{}, err
	}
	var used *int64
	for _, r := range rows {
		if r.UsedAt != nil && (used == nil || *r.UsedAt > *used) {
			used = r.UsedAt
		}
	}
	p := account.Used(rows[0].Created, used)
	n := len(rows)
	p.Left = &n
	return p, nil
}

// handle is the account's user handle (§5.4.3): nothing about the account can be read from
// it, and it is the same for all passkeys of the account.
func handle(key *keyring.DataKey) []byte { return key.Index("passkeys.handle", "") }

// indexes are the blind indexes of a credential's id.
func (s *Service) indexes(ctx context.Context, credential []byte) ([][]byte, error) {
	return s.Ring.Indexes(ctx, indexColumn, string(credential))
}

// reindex computes the indexes of credentials afresh, from the sealed ids.
func (s *Service) reindex(ctx context.Context, cursor string, most int, skip keyring.Skip) (next string, done int, err error) {
	cells, err := readCells(ctx, s.DB, cursor, most)
	if err != nil {
		return "", 0, err
	}
	for _, c := range cells {
		key, err := s.Accounts.DataKey(ctx, s.DB, c.Account)
		if errors.Is(err, account.ErrNotFound) {
			continue // deleted meanwhile
		}
		var r record
		if err == nil {
			r, err = openRecord(key, c.row)
		}
		var all [][]byte
		if err == nil {
			all, err = s.indexes(ctx, r.ID)
		}
		if err == nil {
			err = swapIndex(ctx, s.DB, c, all[0])
		}
		if err != nil {
			if err := skip(ctx, "passkeys.credential_index", c.ID, err); err != nil {
				return "", 0, err
			}
		}
	}
	if len(cells) < most {
		return "", len(cells), nil
	}
	return cells[len(cells)-1].ID, len(cells), nil
}

// descriptors names the passkeys of an account. One that was altered in the database is left
// out.
func (s *Service) descriptors(ctx context.Context, q db.Querier, key *keyring.DataKey, id account.ID) ([]Descriptor, error) {
	rows, err := list(ctx, q, id)
	all := []Descriptor{}
	for _, r := range rows {
		rec, err := s.open(ctx, key, r)
		if altered(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, Descriptor{publicKey, b64.EncodeToString(rec.ID), slices.Clone(rec.Transports)})
	}
	return all, err
}
