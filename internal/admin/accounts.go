package admin

import (
	"context"
	"errors"
	"strconv"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/limit"
)

// Account is an account as its operator sees it.
type Account struct {
	account.Listed
	Locked          bool
	Passkeys        int
	Sessions, Links int64
	Usage           content.Usage
	OwnQuota        OwnQuota
}

// Find returns the account of an address or a username, as it is written; false without one.
func (s *Service) Find(ctx context.Context, name string) (account.Listed, bool, error) {
	found, err := s.Accounts.Find(ctx, name)
	if err != nil || found.ID == "" {
		return account.Listed{}, false, err
	}
	l, err := s.Accounts.Look(ctx, found.ID)
	if errors.Is(err, account.ErrNotFound) {
		return account.Listed{}, false, nil
	}
	return l, err == nil, err
}

// Look returns an account. Code not_found.
func (s *Service) Look(ctx context.Context, id account.ID) (a Account, err error) {
	if err := known(id); err != nil {
		return Account{}, err
	}
	if a.Listed, err = s.Accounts.Look(ctx, id); err != nil {
		return Account{}, err
	}
	if a.Sessions, err = s.Sessions.Count(ctx, s.DB, id); err != nil {
		return Account{}, err
	}
	if a.Locked, err = s.Sessions.Locked(ctx, s.DB, id); err != nil {
		return Account{}, err
	}
	if a.Passkeys, err = s.Passkeys.Count(ctx, s.DB, id); err != nil {
		return Account{}, err
	}
	if a.Links, err = s.Shares.Count(ctx, s.DB, id); err != nil {
		return Account{}, err
	}
	if a.Usage, err = s.Contents.Usage(ctx, s.DB, id); err != nil {
		return Account{}, err
	}
	a.OwnQuota.Bytes, a.OwnQuota.Files, err = s.Contents.OwnQuota(ctx, s.DB, id)
	return a, err
}

// Change is what becomes of an account. What is nil stays.
type Change struct {
	Suspended, Locked      *bool
	Role                   *string
	QuotaBytes, QuotaFiles *Quota
}

// Quota is a new quota: nil is the setting, 0 no bound.
type Quota struct{ Value *int64 }

// Change changes an account, in one transaction with the rows of the log. Codes: not_found,
// last_admin, not_yourself, account_deactivated_by_owner.
func (s *Service) Change(ctx context.Context, by By, id account.ID, c Change) error {
	if err := known(id); err != nil {
		return err
	}
	if by.Account == id && (c.Role != nil || c.Suspended != nil) {
		return errYourself
	}
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		// The statements that keep an admin come first: they lock the rows of admins in one order.
		if err := s.changeRole(ctx, tx, by, id, c.Role); err != nil {
			return err
		}
		if err := s.changeStatus(ctx, tx, by, id, c.Suspended); err != nil {
			return err
		}
		if err := s.changeLock(ctx, tx, by, id, c.Locked); err != nil {
			return err
		}
		return s.changeQuota(ctx, tx, by, id, c)
	})
	if err == nil && c.Locked != nil && !*c.Locked {
		err = s.Sessions.OpenDoor(ctx, id) // the key store is part of no transaction
	}
	return err
}

func (s *Service) changeRole(ctx context.Context, tx *db.Tx, by By, id account.ID, role *string) error {
	if role == nil {
		return nil
	}
	was, err := s.Accounts.SetRole(ctx, tx, id, *role)
	if err != nil || was == *role {
		return err
	}
	return s.record(ctx, tx, by, Entry{Action: "account.role", Account: id, Data: map[string]string{"from": was, "to": *role}})
}

func (s *Service) changeStatus(ctx context.Context, tx *db.Tx, by By, id account.ID, suspended *bool) error {
	if suspended == nil {
		return nil
	}
	change, action := s.Accounts.Resume, "account.activate"
	if *suspended {
		change, action = s.Accounts.Suspend, "account.suspend"
	}
	changed, err := change(ctx, tx, id)
	if err != nil {
		return err
	}
	if changed {
		return s.record(ctx, tx, by, Entry{Action: action, Account: id})
	}
	if st, err := s.Accounts.Hold(ctx, tx, id); err != nil {
		return err
	} else if !*suspended && st.Status == account.Deactivated {
		return errOwner
	}
	return nil
}

// changeLock locks the password of an account for devices that are not remembered, or unlocks it.
// An unlock is always noted: it opens a door that guesses hold, also where no lock is.
func (s *Service) changeLock(ctx context.Context, tx *db.Tx, by By, id account.ID, locked *bool) error {
	if locked == nil {
		return nil
	}
	if _, err := s.Accounts.Hold(ctx, tx, id); err != nil {
		return err
	}
	if *locked {
		changed, err := s.Sessions.Lock(ctx, tx, id)
		if err != nil || !changed {
			return err
		}
		return s.record(ctx, tx, by, Entry{Action: "account.lock", Account: id})
	}
	if err := s.Sessions.Unlock(ctx, tx, id); err != nil {
		return err
	}
	return s.record(ctx, tx, by, Entry{Action: "account.unlock", Account: id})
}

func (s *Service) changeQuota(ctx context.Context, tx *db.Tx, by By, id account.ID, c Change) error {
	if c.QuotaBytes == nil && c.QuotaFiles == nil {
		return nil
	}
	if _, err := s.Accounts.Hold(ctx, tx, id); err != nil {
		return err
	}
	bytes, files, err := s.Contents.OwnQuota(ctx, tx, id)
	if err != nil {
		return err
	}
	data := map[string]string{}
	for name, q := range map[string]struct {
		to  *Quota
		own **int64
	}{"bytes": {c.QuotaBytes, &bytes}, "files": {c.QuotaFiles, &files}} {
		if q.to == nil || sameQuota(q.to.Value, *q.own) {
			continue
		}
		*q.own, data[name] = q.to.Value, "setting"
		if q.to.Value != nil {
			data[name] = strconv.FormatInt(*q.to.Value, 10)
		}
	}
	if len(data) == 0 {
		return nil
	}
	if err := s.Contents.SetQuota(ctx, tx, id, bytes, files); err != nil {
		return err
	}
	return s.record(ctx, tx, by, Entry{Action: "account.quota", Account: id, Data: data})
}

func sameQuota(a, b *int64) bool { return a == b || a != nil && b != nil && *a == *b }

// EndSessions ends every session of an account, its remembered devices and outstanding links.
// Code not_found.
func (s *Service) EndSessions(ctx context.Context, by By, id account.ID) error {
	if err := known(id); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := s.Accounts.InvalidateSessions(ctx, tx, id, ""); err != nil {
			return err
		}
		return s.record(ctx, tx, by, Entry{Action: "account.sessions-end", Account: id})
	})
}

// StartReset mails the owner a link with which to set a new password. Codes: not_found,
// rate_limited.
func (s *Service) StartReset(ctx context.Context, by By, id account.ID) error {
	if err := known(id); err != nil {
		return err
	}
	if by.Console == "" {
		if err := s.Limit.TakeAll(ctx, limit.Call{Rule: s.ResetLimit, Key: string(id)}); err != nil {
			return err
		}
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.Accounts.Hold(ctx, tx, id); err != nil {
			return err
		}
		if err := s.Recovery.StartReset(ctx, tx, id); err != nil {
			return err
		}
		return s.record(ctx, tx, by, Entry{Action: "account.reset", Account: id})
	})
}

// OwnQuota is what an account has of its own: nil is the setting, 0 no bound.
type OwnQuota struct{ Bytes, Files *int64 }
