package account

import (
	"context"

	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/keyring"
)

// FirstAdminMade is the quiet event of the account that the printed link made.
const FirstAdminMade = "first-admin"

var errTaken = fault.New(fault.Conflict, "account_exists", "An account with that address or username exists already.")

// Bootstrap returns the one-time token that makes the first admin, in place of any
// earlier one; "" once there is an admin. The link is BaseURL + "/first-admin#token=" +
// token. It does not expire: it is void when it is used, replaced, or an admin exists.
func (s *Service) Bootstrap(ctx context.Context) (string, error) {
	token, err := newToken(s.Rand)
	if err != nil {
		return "", err
	}
	var put bool
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		digest, err := s.Ring.MAC(ctx, keyring.Code, firstAdminParts(token)...)
		if err == nil {
			put, err = putFirstAdminToken(ctx, tx, digest)
		}
		return err
	})
	if err != nil || !put {
		return "", err
	}
	return token, nil
}

// firstAdminParts is what the one-time token is stored as a keyed HMAC of: a writer of the
// database cannot put a token of their own there.
func firstAdminParts(token string) [][]byte { return [][]byte{[]byte("first-admin"), []byte(token)} }

// firstAdminDigest returns what the one-time token is stored as; code "link_gone" when it is
// not the one that is stored.
func (s *Service) firstAdminDigest(ctx context.Context, token string) ([]byte, error) {
	// Under every live key: the link may be older than the newest one.
	digests, err := s.Ring.MACs(ctx, keyring.Code, firstAdminParts(token)...)
	if err != nil {
		return nil, err
	}
	for _, d := range digests {
		if ok, err := hasFirstAdminToken(ctx, s.DB, d); err != nil || ok {
			return d, err
		}
	}
	return nil, ErrLinkGone
}

// CheckFirstAdmin is nil when the token can still make the first admin. It uses nothing up.
// Code "link_gone".
func (s *Service) CheckFirstAdmin(ctx context.Context, token string) error {
	_, err := s.firstAdminDigest(ctx, token)
	return err
}

// FirstAdmin makes the first admin, active and with a verified address: the caller has read
// the server's console. The statement that deletes the token decides which of several
// callers wins. The others get code "link_gone".
func (s *Service) FirstAdmin(ctx context.Context, token string, in NewAccount) (ID, error) {
	// The server hashes no password for a guess.
	digest, err := s.firstAdminDigest(ctx, token)
	if err != nil {
		return "", err
	}
	a, err := s.applicant(ctx, in)
	if err != nil {
		return "", err
	}
	return a.ID, s.DB.Tx(ctx, func(tx *db.Tx) error {
		n, err := useFirstAdminToken(ctx, tx, digest)
		if err != nil {
			return err
		} else if n == 0 {
			return ErrLinkGone
		}
		if err := orTaken(s.create(ctx, tx, a, Admin)); err != nil {
			return err
		}
		return s.Events.Record(ctx, tx, event.Event{Kind: FirstAdminMade, Account: string(a.ID)})
	})
}

// Create makes an active account whose address is taken as proven: for operators and imports.
// Code "account_exists" when another account has the
// address or the username.
func (s *Service) Create(ctx context.Context, in NewAccount, role string) (ID, error) {
	a, err := s.applicant(ctx, in)
	if err != nil {
		return "", err
	}
	return a.ID, s.DB.Tx(ctx, func(tx *db.Tx) error {
		return orTaken(s.create(ctx, tx, a, role))
	})
}

func orTaken(made bool, err error) error {
	if err == nil && !made {
		err = errTaken
	}
	return err
}

// create makes an active account with a proven address, and ends every sign-up of the address.
// made is false when another account has the address or the username.
func (s *Service) create(ctx context.Context, tx *db.Tx, a applicant, role string) (made bool, err error) {
	email, _ := parseEmail(a.Email)
	emails, err := s.emailIndexes(ctx, email)
	if err != nil {
		return false, err
	}
	usernames, err := s.indexes(ctx, usernameColumn, a.Username)
	if err != nil {
		return false, err
	}
	key, wrapped, err := s.Ring.NewDataKey(ctx, string(a.ID))
	if err != nil {
		return false, err
	}
	password, err := s.sealPassword(ctx, a.ID, a.Hash)
	if err != nil {
		return false, err
	}
	if err := lockSignUps(ctx, tx, emails[0]); err != nil {
		return false, err
	}
	now := s.Now().UnixMilli()
	made, err = s.insert(ctx, tx, row{
		stored:        stored{State: State{ID: a.ID, Status: Active, SessionEpoch: 1, Role: role, Lang: a.Lang}},
		Primary:       addressRow{Kind: primary, Email: sealAddress(key, a.ID, primary, &now, a.Email), Index: emails[0], VerifiedAt: &now},
		UsernameIndex: usernames[0], Wrapped: wrapped, Username: sealColumn(key, a.ID, "username", a.Username),
		FirstName: sealColumn(key, a.ID, "first_name", a.FirstName), LastName: sealColumn(key, a.ID, "last_name", a.LastName),
		Bio: sealColumn(key, a.ID, "bio", ""), Password: password, CreatedAt: now,
	}, emails, usernames)
	if err != nil || !made {
		return false, err
	}
	return true, deleteSignUps(ctx, tx, emails, "")
}
