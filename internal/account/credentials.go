package account

import (
	"context"
	"errors"
	"strings"

	"coffer/internal/fault"
)

// CheckPassword returns the state of the account that identifier (e-mail or username) and
// password belong to, else ErrCredentials. An unknown identifier costs what a known one
// does. When too many passwords wait to be hashed it is fault code "busy" at once. A
// hash of other costs than today's is replaced on the way.
//
// A caller that opens a session must look at Status, and must have taken its limits before.
func (s *Service) CheckPassword(ctx context.Context, identifier, password string) (State, error) {
	p, ok := normalPassword(password)
	if !ok {
		return State{}, fault.InvalidFields(*tooLong("/password"))
	}
	st, sealed, err := s.find(ctx, identifier)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return State{}, err
	}
	// Without an account sealed is empty, which costs the same and is never right.
	if err := s.verifyPassword(ctx, st.ID, sealed, p); err != nil {
		return State{}, err
	}
	return st, nil
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

// LimitKey returns what stands for an identifier in a limit, and the account that it names,
// "" for none. An address and a username of one account are two keys. With one key, guesses
// at the one would show at the other, and tell that both belong to one account. Spellings
// that mean the same are one key, whether or not an account has it.
func (s *Service) LimitKey(ctx context.Context, identifier string) (key string, id ID, err error) {
	st, _, err := s.find(ctx, identifier)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return "", "", err
	}
	kind, canonical := canonicalIdentifier(identifier)
	return kind + " " + canonical, st.ID, nil
}

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

// find looks an identifier up.
func (s *Service) find(ctx context.Context, identifier string) (State, []byte, error) {
	kind, canonical := canonicalIdentifier(identifier)
	name := map[string]string{byEmail: emailColumn, byUsername: usernameColumn}[kind]
	index, err := s.indexes(ctx, name, canonical)
	if err != nil {
		return State{}, nil, err
	}
	r, password, err := findCredentials(ctx, s.DB, kind, index)
	if err != nil {
		return State{}, nil, err
	}
	st, err := s.believed(ctx, r)
	return st, password, err
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
