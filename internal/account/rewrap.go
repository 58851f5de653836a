package account

import (
	"context"
	"errors"

	"coffer/internal/keyring"
)

// rewraps returns the walks that move this room's rows to the active keys: data keys,
// password hashes and blind indexes, of accounts and of sign-ups that wait.
func (s *Service) rewraps() []keyring.Rewrap {
	return []keyring.Rewrap{
		{Name: "account.keys", Purpose: keyring.Field, Step: s.walk("account_keys", "account", "wrapped", s.renewDataKey)},
		{Name: "account.standings", Purpose: keyring.Field, Step: s.walk("accounts", "id", "standing", s.renewStanding)},
		{Name: "account.sign-up-keys", Purpose: keyring.Field, Step: s.walk("sign_ups", "id", "wrapped", s.renewDataKey)},
		{Name: "account.passwords", Purpose: keyring.Pepper, Step: s.walk("accounts", "id", "password", s.renewPassword)},
		{Name: "account.sign-up-passwords", Purpose: keyring.Pepper, Step: s.walk("sign_ups", "id", "password", s.renewPassword)},
		{Name: "account.emails", Purpose: keyring.Index, Step: s.reindex("addresses", "account", byEmail, s.emailIndexAfresh)},
		{Name: "account.usernames", Purpose: keyring.Index, Step: s.reindex("accounts", "id", byUsername, s.usernameIndexAfresh)},
		{Name: "account.sign-up-emails", Purpose: keyring.Index, Step: s.reindexSignUps},
	}
}

// step is the signature of [keyring.Rewrap]'s Step.
type step = func(ctx context.Context, cursor string, limit int, skip keyring.Skip) (next string, done int, err error)

// walk returns the step of a walk over one sealed column. renew answers nil when the
// value is under the active key already.
func (s *Service) walk(table, key, column string, renew func(context.Context, ID, []byte) ([]byte, error)) step {
	return func(ctx context.Context, cursor string, limit int, skip keyring.Skip) (string, int, error) {
		cells, err := readCells(ctx, s.DB, table, key, column, cursor, limit)
		if err != nil {
			return "", 0, err
		}
		for _, c := range cells {
			if len(c.value) == 0 {
				continue // a used sign-up, or an account without a password
			}
			again, err := renew(ctx, c.id, c.value)
			if err != nil {
				err = skip(ctx, table+"."+column, string(c.id), err)
			}
			if err != nil {
				return "", 0, err
			}
			if again == nil {
				continue
			}
			if err := swapCell(ctx, s.DB, table, key, column, c, again); err != nil {
				return "", 0, err
			}
		}
		return next(cells, limit), len(cells), nil
	}
}

// next is the cursor after a batch; a short one is the last.
func next(cells []cell, limit int) string {
	if len(cells) < limit {
		return ""
	}
	return string(cells[len(cells)-1].id)
}

func (s *Service) renewDataKey(ctx context.Context, id ID, wrapped []byte) ([]byte, error) {
	return ifChanged(s.Ring.RenewDataKey(ctx, string(id), wrapped))
}

func (s *Service) renewPassword(ctx context.Context, id ID, sealed []byte) ([]byte, error) {
	return ifChanged(s.Ring.Renew(ctx, keyring.Pepper, sealed, passwordAAD(id)))
}

func ifChanged(again []byte, changed bool, err error) ([]byte, error) {
	if err != nil || !changed {
		return nil, err
	}
	return again, nil
}

// reindex returns the step that computes a blind index of accounts afresh from the sealed
// value beside it. The update is conditional on the old index, so it undoes no change of
// username that happens meanwhile.
func (s *Service) reindex(table, key, column string, afresh func(context.Context, ID) ([]byte, error)) step {
	return func(ctx context.Context, cursor string, limit int, skip keyring.Skip) (string, int, error) {
		cells, err := readCells(ctx, s.DB, table, key, column, cursor, limit)
		if err != nil {
			return "", 0, err
		}
		for _, c := range cells {
			index, err := afresh(ctx, c.id)
			if errors.Is(err, ErrNotFound) {
				continue // deleted meanwhile
			}
			if err == nil {
				err = swapCell(ctx, s.DB, table, key, column, c, index)
			}
			if err != nil {
				if err := skip(ctx, table+"."+column, string(c.id), err); err != nil {
					return "", 0, err
				}
			}
		}
		return next(cells, limit), len(cells), nil
	}
}

// emailIndexAfresh and usernameIndexAfresh open the one value that the index is of. Damage
// elsewhere in the account does not keep it from being found.
func (s *Service) emailIndexAfresh(ctx context.Context, id ID) ([]byte, error) {
	wrapped, a, err := readSealedAddress(ctx, s.DB, id)
	if err != nil {
		return nil, err
	}
	k, err := s.Ring.OpenDataKey(ctx, string(id), wrapped)
	if err != nil {
		return nil, err
	}
	stored, err := openAddress(k, id, a.Kind, a.VerifiedAt, a.Email)
	if err != nil {
		return nil, err
	}
	email, _ := parseEmail(stored)
	return s.Ring.Index(ctx, emailColumn, email.Canonical)
}

func (s *Service) usernameIndexAfresh(ctx context.Context, id ID) ([]byte, error) {
	wrapped, sealed, err := readSealedUsername(ctx, s.DB, id)
	if err != nil {
		return nil, err
	}
	k, err := s.Ring.OpenDataKey(ctx, string(id), wrapped)
	if err != nil {
		return nil, err
	}
	var username string
	if err := openColumns(k, id, column{"username", sealed, &username}); err != nil {
		return nil, err
	}
	return s.Ring.Index(ctx, usernameColumn, username)
}

// reindexSignUps is reindex for sign-ups. A used one keeps an index that finds nothing, and
// expires within LinkTTL.
func (s *Service) reindexSignUps(ctx context.Context, cursor string, limit int, skip keyring.Skip) (string, int, error) {
	cells, err := readCells(ctx, s.DB, "sign_ups", "id", byEmail, cursor, limit)
	if err != nil {
		return "", 0, err
	}
	for _, c := range cells {
		r, err := readOpenSignUp(ctx, s.DB, c.id)
		if errors.Is(err, ErrNotFound) {
			continue
		} else if err != nil {
			return "", 0, err
		}
		to, err := s.openSignUpEmail(ctx, r)
		if err != nil {
			if err := skip(ctx, "sign_ups.email", string(c.id), err); err != nil {
				return "", 0, err
			}
			continue
		}
		email, _ := parseEmail(to)
		index, err := s.Ring.Index(ctx, emailColumn, email.Canonical)
		if err != nil {
			return "", 0, err
		}
		if err := swapCell(ctx, s.DB, "sign_ups", "id", byEmail, c, index); err != nil {
			return "", 0, err
		}
	}
	return next(cells, limit), len(cells), nil
}
