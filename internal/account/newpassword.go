package account

import (
	"context"
	"crypto/rand"

	"coffer/internal/db"
	"coffer/internal/fault"
)

// Password is a password that an account may take: it keeps the rules and is hashed.
type Password struct {
	id     ID
	sealed []byte
	old    string // the hash that it replaces; "" replaces any
	first  bool   // it replaces none: the account has no password
}

// NewPassword checks a password that an account is to get, at the place pointer of a
// request, and hashes it. It uses nothing up. Codes: validation_failed, busy.
func (s *Service) NewPassword(ctx context.Context, id ID, pointer, password string) (Password, error) {
	p, err := s.allowedPassword(ctx, id, pointer, password)
	if err != nil {
		return Password{}, err
	}
	return s.hashPassword(ctx, id, p)
}

// UnknownPassword hashes a password that is drawn here and told to no caller. The rules for
// chosen ones do not bind it: by chance one in some thousands looks like a common one.
func (s *Service) UnknownPassword(ctx context.Context, id ID) (Password, error) {
	return s.hashPassword(ctx, id, rand.Text())
}

// FirstPassword is NewPassword for an account that has none. SetPassword then sets it only while
// the account has none.
func (s *Service) FirstPassword(ctx context.Context, id ID, pointer, password string) (Password, error) {
	out, err := s.NewPassword(ctx, id, pointer, password)
	out.first = true
	return out, err
}

// ReplacePassword is NewPassword for an owner who gives the present password. SetPassword
// then sets the new one only while the present one stands. Codes: also invalid_credentials.
func (s *Service) ReplacePassword(ctx context.Context, id ID, current, next string) (Password, error) {
	old, ok := normalPassword(current)
	if !ok {
		return Password{}, fault.InvalidFields(*tooLong("/current_password"))
	}
	p, err := s.allowedPassword(ctx, id, "/new_password", next)
	if err != nil {
		return Password{}, err
	}
	sealed, err := readPassword(ctx, s.DB, id)
	if err != nil {
		return Password{}, err
	}
	hash, err := s.openPassword(ctx, id, sealed)
	if err != nil {
		return Password{}, err
	}
	// A hash of other costs is not replaced on the way: the new one takes its place.
	if ok, _, err = s.hasher.verify(ctx, hash, old); err != nil {
		return Password{}, err
	} else if !ok {
		return Password{}, ErrCredentials
	}
	if p == old {
		return Password{}, fault.InvalidField("/new_password", "unchanged", "That is the present password. Choose another one.")
	}
	out, err := s.hashPassword(ctx, id, p)
	out.old = hash
	return out, err
}

// allowedPassword returns the form to hash of a password that keeps the rules for its owner.
func (s *Service) allowedPassword(ctx context.Context, id ID, pointer, password string) (string, error) {
	r, err := readAccount(ctx, s.DB, id)
	if err != nil {
		return "", err
	}
	owner, _, err := s.open(ctx, r)
	if err != nil {
		return "", err
	}
	email, _ := parseEmail(owner.Email)
	p, f := s.checkPassword(pointer, password, owner.FirstName, owner.LastName, owner.Username, localOf(email))
	if f != nil {
		return "", fault.InvalidFields(*f)
	}
	return p, nil
}

func (s *Service) hashPassword(ctx context.Context, id ID, password string) (Password, error) {
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return Password{}, err
	}
	sealed, err := s.sealPassword(ctx, id, hash)
	return Password{id: id, sealed: sealed}, err
}

// SetPassword sets a new password. ErrCredentials says that the present one, which the owner
// gave, has been changed meanwhile, or that an account without one has one by now. The account's
// row stays locked until tx ends.
func (s *Service) SetPassword(ctx context.Context, tx *db.Tx, p Password) error {
	if p.old == "" && !p.first {
		return one(setPassword(ctx, tx, p.id, p.sealed))
	}
	if _, err := holdState(ctx, tx, p.id); err != nil {
		return err
	}
	// A rotation of keys may have sealed the same hash anew.
	sealed, err := readPassword(ctx, tx, p.id)
	if err != nil {
		return err
	}
	hash, err := s.openPassword(ctx, p.id, sealed)
	if err != nil {
		return err
	}
	has, err := s.isSet(ctx, p.id, sealed)
	if err != nil {
		return err
	}
	if hash != p.old || has == p.first {
		return ErrCredentials
	}
	tx.Changed(topic, string(p.id))
	n, err := swapPassword(ctx, tx, p.id, sealed, p.sealed)
	if err == nil && n == 0 {
		err = ErrCredentials
	}
	return err
}
