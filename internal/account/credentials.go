package account

import (
	"context"
	"errors"
	"strings"

	"coffer/internal/fault"
)

// Found is the account that an identifier names. When it names none, LimitKey alone is set.
type Found struct {
	State
	// LimitKey stands for the identifier in a limit. An address and a username of one account
	// are two keys: were they one, guesses at the one would show at the other, and so that
	// both are one account's. All spellings of an identifier have one key, whether or not an
	// account has that name.
	LimitKey string
	password []byte // sealed hash
}

// Find looks up the account that identifier (e-mail or username) names.
func (s *Service) Find(ctx context.Context, identifier string) (Found, error) {
	kind, canonical := canonicalIdentifier(identifier)
	f := Found{LimitKey: limitKey(kind, canonical)}
	name := map[string]string{byEmail: emailColumn, byUsername: usernameColumn}[kind]
	index, err := s.indexes(ctx, name, canonical)
	if err != nil {
		return Found{}, err
	}
	r, password, err := findCredentials(ctx, s.DB, kind, index)
	if errors.Is(err, ErrNotFound) {
		return f, nil
	}
	if f.State, err = s.believe(ctx, r, err); err != nil {
		return Found{}, err
	}
	if f.Status == Deleting {
		return Found{LimitKey: f.LimitKey}, nil
	}
	f.password = password
	return f, nil
}

// CheckPassword returns nil when password is that of the account, else ErrCredentials. An
// unknown identifier costs what a known one does. When too many passwords wait to be hashed
// it is fault code "busy" at once. A hash of other costs than today's is replaced on the way.
//
// A caller that opens a session must look at Status, and must have taken its limits before.
func (s *Service) CheckPassword(ctx context.Context, f Found, password string) error {
	p, ok := normalPassword(password)
	if !ok {
		return fault.InvalidFields(*tooLong("/password"))
	}
	// Without an account the hash is empty, which costs the same and is never right.
	return s.verifyPassword(ctx, f.ID, f.password, p)
}

// CheckPasswordOf is CheckPassword for a caller who is signed in and proves it afresh.
func (s *Service) CheckPasswordOf(ctx context.Context, id ID, password string) error {
	p, ok := normalPassword(password)
	if !ok {
		return fault.InvalidFields(*tooLong("/password"))
	}
	sealed, err := readPassword(ctx, s.DB, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return s.verifyPassword(ctx, id, sealed, p)
}

// LimitKeys lists the keys under which failed sign-ins to an account are counted: one for
// each of its identifiers; see Found.
func (s *Service) LimitKeys(ctx context.Context, id ID) ([]string, error) {
	p, err := s.Profile(ctx, id)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, identifier := range []string{p.Email, p.Username} {
		kind, canonical := canonicalIdentifier(identifier)
		keys = append(keys, limitKey(kind, canonical))
	}
	return keys, nil
}

func limitKey(kind, canonical string) string { return kind + " " + canonical }

// canonicalIdentifier says how an identifier is looked up: with an @ it is an address,
// without one a username, so the two can never be confused. What cannot be an identifier
// is the empty one.
func canonicalIdentifier(identifier string) (kind, canonical string) {
	if strings.Contains(identifier, "@") {
		a, _ := parseEmail(identifier)
		return byEmail, a.Canonical
	}
	canonical, _ = parseUsername(strings.TrimSpace(identifier))
	return byUsername, canonical
}

// verifyPassword compares a normalised password with a sealed hash; no hash costs the
// same and is refused.
func (s *Service) verifyPassword(ctx context.Context, id ID, sealed []byte, password string) error {
	stored, err := s.openPassword(ctx, id, sealed)
	if err != nil {
		return err
	}
	ok, stale, err := s.hasher.verify(ctx, stored, password)
	switch {
	case err != nil:
		return err
	case !ok:
		return ErrCredentials
	case stale:
		s.rehash(ctx, id, sealed, password)
	}
	return nil
}

// rehash replaces a hash of other costs. A failure stops no sign-in: the next one tries
// again.
func (s *Service) rehash(ctx context.Context, id ID, old []byte, password string) {
	hash, err := s.hasher.hash(ctx, password)
	if err == nil {
		var sealed []byte
		if sealed, err = s.sealPassword(ctx, id, hash); err == nil {
			_, err = swapPassword(ctx, s.DB, id, old, sealed)
		}
	}
	if err != nil {
		s.Log.WarnContext(ctx, "account: a password hash stays as it was", "account", string(id), "err", err)
	}
}
