package passkey

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/keyring"
	"coffer/internal/rest"
	"coffer/internal/text"
	"coffer/internal/token"
)

// maxName is the longest name of a passkey, in characters.
const maxName = 64

// unnamed is a passkey without a name of its own, whose maker is unknown.
const unnamed = "Passkey"

// Passkey is a passkey, as its owner sees it.
type Passkey struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty" doc:"When it last signed in or confirmed."`
	Synced     bool       `json:"synced" doc:"Whether it may be copied to the owner's other devices."`
	BackedUp   bool       `json:"backed_up" doc:"Whether a copy was kept elsewhere when it was last used."`
	Provider   string     `json:"provider,omitempty" doc:"The product that keeps it, as the browser said."`
	Damaged    bool       `json:"damaged,omitzero" doc:"It was altered in the database, and opens nothing. Remove it."`
}

func (r row) shown(name string, rec record) Passkey {
	p := Passkey{ID: r.ID, Name: name, CreatedAt: time.UnixMilli(r.Created).UTC(), Synced: rec.Eligible, BackedUp: rec.BackedUp, Provider: provider(rec.Maker)}
	if r.UsedAt != nil {
		at := time.UnixMilli(*r.UsedAt).UTC()
		p.LastUsedAt = &at
	}
	return p
}

// List returns the passkeys of an account, the oldest first. One that was altered in the
// database is damaged: it opens nothing, and its owner can remove it.
func (s *Service) List(ctx context.Context, id account.ID) ([]Passkey, error) {
	all := []Passkey{}
	err := s.DB.Read(ctx, func(tx *db.Tx) error {
		all = all[:0]
		key, err := s.Accounts.DataKey(ctx, tx, id)
		if err != nil {
			return err
		}
		rows, err := list(ctx, tx, id)
		if err != nil {
			return err
		}
		for _, r := range rows {
			p, err := s.show(ctx, key, r)
			if altered(err) {
				p, err = r.shown(nameIn(key, r, record{}), record{}), nil
				p.Damaged = true
			}
			if err != nil {
				return err
			}
			all = append(all, p)
		}
		return nil
	})
	return all, ended(err)
}

// ended answers for an account that was deleted meanwhile: its sessions are over.
func ended(err error) error {
	if errors.Is(err, account.ErrNotFound) {
		return token.ErrUnauthenticated.Because(err)
	}
	return err
}

func (s *Service) show(ctx context.Context, key *keyring.DataKey, r row) (Passkey, error) {
	rec, err := s.open(ctx, key, r)
	if err != nil {
		return Passkey{}, err
	}
	return r.shown(nameIn(key, r, rec), rec), nil
}

// nameIn returns the name in a row. Where it does not open, the passkey has that of a new one, and
// its owner may give another.
func nameIn(key *keyring.DataKey, r row, rec record) string {
	name, err := key.Open(line, "name", r.ID, r.Name)
	if err != nil {
		return nameOf("", rec)
	}
	return string(name)
}

// nameOf is the name of a new passkey.
func nameOf(said string, rec record) string {
	if said != "" {
		return said
	}
	if p := provider(rec.Maker); p != "" {
		return p
	}
	return unnamed
}

// cleanName refuses a name that may not be shown. Code validation_failed.
func cleanName(name string) (string, error) {
	name = strings.TrimSpace(name)
	switch {
	case utf8.RuneCountInString(name) > maxName:
		return "", fault.InvalidField("/name", "too_long", "A name has at most 64 characters.")
	case strings.ContainsFunc(name, func(r rune) bool { return !text.Printable(r) }):
		return "", fault.InvalidField("/name", "invalid", "A name has no control characters.")
	case !text.Visible(name):
		return "", fault.InvalidField("/name", "required", "A name must show something.")
	}
	return name, nil
}

// BeginRegistration returns the options of a new passkey of the caller's account. Codes:
// passkeys_unavailable, too_many_passkeys, rate_limited.
func (s *Service) BeginRegistration(ctx context.Context, c rest.Caller) (*CreationOptions, error) {
	if !s.on {
		return nil, errUnavailable
	}
	id := account.ID(c.Account)
	p, err := s.Accounts.Profile(ctx, id)
	if err != nil {
		return nil, ended(err)
	}
	key, err := s.Accounts.DataKey(ctx, s.DB, id)
	if err != nil {
		return nil, ended(err)
	}
	exclude, err := s.descriptors(ctx, s.DB, key, id)
	if err != nil {
		return nil, err
	}
	if len(exclude) >= maxPasskeys {
		return nil, errTooMany
	}
	if err := s.mayBegin(ctx, id); err != nil {
		return nil, err
	}
	challenge, err := s.begin(ctx, ceremony{registering, id, c.Session, 0})
	full := strings.TrimSpace(p.FirstName + " " + p.LastName)
	if full == "" {
		full = p.Username
	}
	return s.creationOptions(challenge, Entity{ID: b64.EncodeToString(handle(key)), Name: p.Username, DisplayName: full}, exclude), err
}

// Register adds a passkey to the caller's account and tells the owner. name may be "". Codes:
// passkeys_unavailable, passkey_refused, passkey_exists, too_many_passkeys,
// validation_failed, unauthenticated.
func (s *Service) Register(ctx context.Context, c rest.Caller, credential []byte, name string) (Passkey, error) {
	if !s.on {
		return Passkey{}, errUnavailable
	}
	var err error
	if name != "" {
		if name, err = cleanName(name); err != nil {
			return Passkey{}, err
		}
	}
	id := account.ID(c.Account)
	in, said, err := parseCreation(credential)
	if err != nil {
		return Passkey{}, s.refuse(ctx, errRefused, err)
	}
	err = s.take(ctx, said.Challenge, ceremony{registering, id, c.Session, 0})
	if errors.Is(err, errChallenge) {
		err = s.refuse(ctx, errRefused, err)
	}
	if err != nil {
		return Passkey{}, err
	}
	rec, err := s.party.register(in, said, said.Challenge)
	if err != nil {
		return Passkey{}, s.refuse(ctx, errRefused, err)
	}
	indexes, err := s.indexes(ctx, rec.ID)
	if err != nil {
		return Passkey{}, err
	}
	u, err := uuid.NewV7()
	if err != nil {
		return Passkey{}, err
	}
	r := row{ID: u.String(), Account: id, Created: s.Now().UnixMilli()}
	name = nameOf(name, rec)
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		// The account's row is held from here on, so the count is exact.
		if err := s.Sessions.Registered(ctx, tx, c, added, nil); err != nil {
			return err
		}
		key, err := s.Accounts.DataKey(ctx, tx, id)
		if err != nil {
			return err
		}
		if r.Record, err = sealRecord(key, r, rec); err != nil {
			return err
		}
		r.Name = sealName(key, r, name)
		if n, err := count(ctx, tx, id); err != nil {
			return err
		} else if n >= maxPasskeys {
			return errTooMany
		}
		made, err := insert(ctx, tx, r, indexes)
		if err == nil && !made {
			err = errExists
		}
		return err
	})
	return r.shown(name, rec), err
}

// Rename gives a passkey of the caller's account another name. Codes: not_found,
// validation_failed, unauthenticated.
func (s *Service) Rename(ctx context.Context, c rest.Caller, passkey, name string) (Passkey, error) {
	name, err := cleanName(name)
	if err != nil {
		return Passkey{}, err
	}
	id := account.ID(c.Account)
	var p Passkey
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := s.Sessions.Hold(ctx, tx, id, c.Session); err != nil {
			return err
		}
		key, err := s.Accounts.DataKey(ctx, tx, id)
		if err != nil {
			return err
		}
		r, err := read(ctx, tx, id, passkey)
		if err != nil {
			return err
		}
		r.Name = sealName(key, r, name)
		if err := setName(ctx, tx, r, r.Name); err != nil {
			return err
		}
		p, err = s.show(ctx, key, r)
		return err
	})
	if errors.Is(err, db.ErrNoRows) || altered(err) {
		err = errNoPasskey
	}
	return p, err
}

// Remove removes a passkey of the caller's account and tells the owner. Codes: not_found,
// last_way_in, unauthenticated.
func (s *Service) Remove(ctx context.Context, c rest.Caller, passkey string) error {
	id := account.ID(c.Account)
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		// The account's row is held from here on: of two removals at once, the second sees what
		// the first has left.
		if err := s.Sessions.Hold(ctx, tx, id, c.Session); err != nil {
			return err
		}
		was, err := remove(ctx, tx, id, passkey)
		if err != nil {
			return err
		}
		if !was {
			return errNoPasskey
		}
		if err := s.Sessions.Changed(ctx, tx, c, removed, nil); err != nil {
			return err
		}
		return s.Accounts.KeepAWayIn(ctx, tx, id)
	})
}

// exported is one passkey in passkeys.json. Keys stay here: another server has no use for them.
type exported struct {
	Name       string     `json:"name"`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	Synced     bool       `json:"synced"`
	BackedUp   bool       `json:"backed_up"`
	Provider   string     `json:"provider,omitempty"`
	Damaged    bool       `json:"damaged,omitzero"`
}

func (s *Service) export(ctx context.Context, id account.ID, to *account.Archive) error {
	all, err := s.List(ctx, id)
	if err != nil || len(all) == 0 {
		return err
	}
	out := make([]exported, len(all))
	for i, p := range all {
		out[i] = exported{p.Name, p.CreatedAt, p.LastUsedAt, p.Synced, p.BackedUp, p.Provider, p.Damaged}
	}
	return to.Put("passkeys.json", out)
}

// dropSince removes the passkeys that an account got since a moment, and tells the owner.
func (s *Service) dropSince(ctx context.Context, tx *db.Tx, id account.ID, since time.Time) error {
	n, err := removeSince(ctx, tx, id, since.UnixMilli())
	if err != nil || n == 0 {
		return err
	}
	return s.Events.Record(ctx, tx, event.Event{Kind: removed, Account: string(id)})
}
