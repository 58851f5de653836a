package account

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"coffer/internal/db"
	"coffer/internal/fault"
)

// Newcomer is a person that another service vouches for, with the checked values of the account that
// the first sign-in makes. It has no password.
type Newcomer struct{ applicant }

// NewFederated checks the values of a newcomer, whose address another service has proven, and
// names all that are refused. It makes nothing. Codes: validation_failed, username_taken,
// rate_limited.
func (s *Service) NewFederated(ctx context.Context, in NewAccount) (Newcomer, error) {
	a, refused, err := newApplicant(in)
	if err != nil {
		return Newcomer{}, err
	}
	if len(refused) > 0 {
		return Newcomer{}, fault.InvalidFields(refused...)
	}
	taken, err := s.usernameTaken(ctx, a.Username)
	if err != nil || !taken {
		return Newcomer{a}, err
	}
	email, _ := parseEmail(a.Email)
	index, err := s.emailIndexes(ctx, email)
	if err != nil {
		return Newcomer{}, err
	}
	// The holder of a mailbox learns a few times an hour that a name is taken.
	if err := s.Limit.Take(ctx, s.UsernameLimit, "newcomer:"+hex.EncodeToString(index[0])); err != nil {
		return Newcomer{}, err
	}
	return Newcomer{}, ErrUsernameTaken
}

// CreateFederated makes the account of a newcomer: active, with a proven address and without a
// password. Every sign-up that waits for the address ends, and nothing of it is kept. The caller
// gives the account a way in in the same transaction. Codes: email_taken, username_taken.
func (s *Service) CreateFederated(ctx context.Context, tx *db.Tx, n Newcomer) (ID, error) {
	made, err := s.create(ctx, tx, n.applicant, User)
	if err != nil {
		return "", err
	}
	if made {
		return n.ID, nil
	}
	email, _ := parseEmail(n.Email)
	index, err := s.emailIndexes(ctx, email)
	if err != nil {
		return "", err
	}
	_, _, err = findCredentials(ctx, tx, byEmail, index)
	if errors.Is(err, ErrNotFound) {
		return "", ErrUsernameTaken
	}
	if err == nil {
		err = ErrEmailTaken
	}
	return "", err
}

// FreeUsername proposes a username that no account has, made from the first of several addresses
// or names that gives one.
func (s *Service) FreeUsername(ctx context.Context, from ...string) (string, error) {
	var bases []string
	for _, f := range from {
		bases = append(bases, usernameOf(f))
	}
	for _, base := range append(bases, anyone) {
		for try := range 5 {
			name := base
			if try > 0 || base == anyone {
				digits, err := newCode(s.Rand)
				if err != nil {
					return "", err
				}
				name += digits
			}
			if _, ok := parseUsername(name); !ok {
				break
			}
			taken, err := s.usernameTaken(ctx, name)
			if err != nil || !taken {
				return name, err
			}
		}
	}
	return "", errors.New("account: found no free username")
}

// anyone is the username that is made from nothing; digits follow it.
const anyone = "user"

// usernameOf makes of an address or a name what may begin a username.
func usernameOf(s string) string {
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		s, _, _ = strings.Cut(s[:at], "+")
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		case unicode.IsSpace(r):
			return '.'
		}
		return -1
	}, strings.ToLower(norm.NFKD.String(s)))
	s = strings.TrimLeft(s, "0123456789._-")
	return strings.TrimRight(s[:min(len(s), maxUsername-codeDigits)], "._-")
}

func (s *Service) usernameTaken(ctx context.Context, username string) (bool, error) {
	index, err := s.indexes(ctx, usernameColumn, username)
	if err != nil {
		return false, err
	}
	_, _, err = findCredentials(ctx, s.DB, byUsername, index)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
