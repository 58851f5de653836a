package account

import (
	"context"
	"errors"
	"fmt"

	"coffer/internal/keyring"
	"coffer/internal/seal"
)

// Columns that have an index key of their own.
const (
	emailColumn    = "account.email"
	usernameColumn = "account.username"
)

// person is the personal data of an account, in clear.
type person struct {
	Email, FirstName, LastName, Username, Bio string
}

// indexes returns the blind indexes of a value under both index keys that may be in use.
func (s *Service) indexes(ctx context.Context, column, canonical string) ([2][]byte, error) {
	all, err := s.Ring.Indexes(ctx, column, canonical)
	if err != nil {
		return [2][]byte{}, err
	}
	return [2][]byte{all[0], all[1]}, nil
}

func (s *Service) emailIndexes(ctx context.Context, a address) ([2][]byte, error) {
	return s.indexes(ctx, emailColumn, a.Canonical)
}

// sealColumn seals one personal column of accounts, or of the sign-up that becomes one.
func sealColumn(k *keyring.DataKey, id ID, column, value string) []byte {
	return k.Seal("accounts", column, string(id), []byte(value))
}

// openColumns opens several columns and writes them where told.
func openColumns(k *keyring.DataKey, id ID, columns ...column) error {
	for _, c := range columns {
		b, err := k.Open("accounts", c.name, string(id), c.sealed)
		if err != nil {
			return fmt.Errorf("open accounts.%s of %s: %w", c.name, id, err)
		}
		*c.to = string(b)
	}
	return nil
}

type column struct {
	name   string
	sealed []byte
	to     *string
}

// open returns the person that a row is about. An address that does not open is "": its
// owner must be able to give another.
func (s *Service) open(ctx context.Context, r row) (person, *keyring.DataKey, error) {
	var p person
	k, err := s.Ring.OpenDataKey(ctx, string(r.ID), r.Wrapped)
	if err != nil {
		return p, nil, fmt.Errorf("open the data key of %s: %w", r.ID, err)
	}
	p.Email, err = openAddress(k, r.ID, r.Primary.Kind, r.Primary.VerifiedAt, r.Primary.Email)
	if errors.Is(err, seal.ErrOpen) {
		s.Log.ErrorContext(ctx, "account: the primary address was altered in the database and counts for nothing", "account", string(r.ID))
	} else if err != nil {
		return p, nil, err
	}
	err = openColumns(k, r.ID, column{"first_name", r.FirstName, &p.FirstName}, column{"last_name", r.LastName, &p.LastName}, column{"username", r.Username, &p.Username}, column{"bio", r.Bio, &p.Bio})
	return p, k, err
}

// passwordAAD ties a sealed hash to its account.
func passwordAAD(id ID) []byte {
	return seal.LP([]byte("accounts"), []byte("password"), []byte(id))
}

func (s *Service) sealPassword(ctx context.Context, id ID, hash string) ([]byte, error) {
	return s.Ring.Seal(ctx, keyring.Pepper, []byte(hash), passwordAAD(id))
}

// openPassword returns the stored hash; "" for an account without a password. That it has none
// is sealed too.
func (s *Service) openPassword(ctx context.Context, id ID, sealed []byte) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	b, err := s.Ring.Open(ctx, keyring.Pepper, sealed, passwordAAD(id))
	if errors.Is(err, seal.ErrOpen) || errors.Is(err, keyring.ErrNoKey) {
		// It is another account's, it was altered, or its key is gone: no password is right.
		s.Log.ErrorContext(ctx, "account: a stored password does not open: altered, or its key is gone", "account", string(id))
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("open the password of %s: %w", id, err)
	}
	return string(b), nil
}

func (s *Service) openSignUpEmail(ctx context.Context, r signUpRow) (string, error) {
	k, err := s.Ring.OpenDataKey(ctx, string(r.ID), r.Wrapped)
	if err != nil {
		return "", fmt.Errorf("open the data key of sign-up %s: %w", r.ID, err)
	}
	var email string
	err = openColumns(k, r.ID, column{"email", r.Email, &email})
	return email, err
}
