package account

import (
	"context"
	"errors"
	"time"

	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/seal"
)

// trusted is the kind of the second address of an account. It takes part in recovery and
// gets every notice. Sign-in does not know it. The room of recovery decides when it counts.
// It is inserted verified, and is never the primary one. Its verified_at is sealed with it:
// a writer of the database cannot move the time from which it is usable.
const trusted = "trusted"

// ErrTrustedIsPrimary refuses to make the primary address the trusted one.
var ErrTrustedIsPrimary = fault.New(fault.Conflict, "trusted_is_primary", "That is the account's primary address. A trusted address is another mailbox.")

// Trusted is the second address of an account; the zero value is none.
type Trusted struct {
	Email      string
	VerifiedAt time.Time
}

// TrustedAddress reads the trusted address. One that was altered in the database is none.
func (s *Service) TrustedAddress(ctx context.Context, q db.Querier, id ID) (Trusted, error) {
	a, err := readTrusted(ctx, q, id)
	if errors.Is(err, ErrNotFound) {
		return Trusted{}, nil
	} else if err != nil {
		return Trusted{}, err
	}
	key, err := s.DataKey(ctx, q, id)
	if err != nil {
		return Trusted{}, err
	}
	email, err := openAddress(key, id, a.Kind, a.VerifiedAt, a.Email)
	if errors.Is(err, seal.ErrOpen) {
		s.Log.ErrorContext(ctx, "account: the trusted address was altered in the database and counts for nothing", "account", string(id))
		return Trusted{}, nil
	} else if err != nil {
		return Trusted{}, err
	}
	if a.VerifiedAt == nil {
		return Trusted{}, nil // the server writes none
	}
	return Trusted{email, time.UnixMilli(*a.VerifiedAt).UTC()}, nil
}

// SetTrusted makes an address, which its owner has proven now, the trusted one. It returns
// the one before. The account's row stays locked until tx ends. Code trusted_is_primary.
func (s *Service) SetTrusted(ctx context.Context, tx *db.Tx, id ID, email string) (before Trusted, err error) {
	if _, err := s.Hold(ctx, tx, id); err != nil {
		return Trusted{}, err
	}
	now, err := s.presentAddress(ctx, tx, id)
	if err == nil && SameMailbox(now.Email, email) {
		err = ErrTrustedIsPrimary
	}
	if err != nil {
		return Trusted{}, err
	}
	if before, err = s.TrustedAddress(ctx, tx, id); err != nil {
		return Trusted{}, err
	}
	key, err := s.DataKey(ctx, tx, id)
	if err != nil {
		return Trusted{}, err
	}
	at := s.Now().UnixMilli()
	return before, putTrusted(ctx, tx, id, addressRow{Kind: trusted, Email: sealAddress(key, id, trusted, &at, email), VerifiedAt: &at})
}

// DropTrusted deletes the trusted address and returns it. That there is none is no error.
func (s *Service) DropTrusted(ctx context.Context, tx *db.Tx, id ID) (Trusted, error) {
	if _, err := s.Hold(ctx, tx, id); err != nil {
		return Trusted{}, err
	}
	was, err := s.TrustedAddress(ctx, tx, id)
	if err != nil {
		return Trusted{}, err
	}
	return was, deleteTrusted(ctx, tx, id)
}

// notTrusted refuses a primary address that is the account's trusted one: one mailbox would
// then be both proofs.
func (s *Service) notTrusted(ctx context.Context, tx *db.Tx, id ID, pointer string, to address) error {
	second, err := s.TrustedAddress(ctx, tx, id)
	if err == nil && SameMailbox(second.Email, to.Stored) {
		err = fault.InvalidField(pointer, "is_trusted", "That is your trusted address. Turn it off first, or choose another one.")
	}
	return err
}

// SameMailbox reports whether two addresses have one canonical form.
func SameMailbox(a, b string) bool {
	x, ok := parseEmail(a)
	y, also := parseEmail(b)
	return ok && also && x.Canonical == y.Canonical
}
