package session

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/keyring"
	"coffer/internal/rest"
	"coffer/internal/token"
)

// Refresh tokens (protocols.md §2): cr1.<family>.<secret>. A session's row holds the
// digest of the token that is good now and of the one before it. Each secret is derived from
// the one before, so a client that lost the answer, or asked twice, gets the same secret
// again. Any other use of an old token ends the session.
const (
	refreshVersion = "cr1."
	familySize     = 16 // bytes
	secretSize     = 32
)

var errRefresh = fault.New(fault.Unauthenticated, "invalid_refresh_token", "The refresh token is not valid, or no longer valid. Sign in again.")

func refreshToken(family, secret []byte) string {
	return refreshVersion + b64.EncodeToString(family) + "." + b64.EncodeToString(secret)
}

// parseRefresh reads a refresh token in its one spelling. The decoder skips line breaks.
func parseRefresh(text string) (family, secret []byte, ok bool) {
	rest, ok := strings.CutPrefix(text, refreshVersion)
	if !ok || len(text) > 100 || strings.ContainsAny(text, "\r\n") {
		return nil, nil, false
	}
	first, second, _ := strings.Cut(rest, ".")
	family, err1 := b64.DecodeString(first)
	secret, err2 := b64.DecodeString(second)
	return family, secret, err1 == nil && err2 == nil && len(family) == familySize && len(secret) == secretSize
}

func tokenDigest(secret []byte) []byte {
	d := sha256.Sum256(secret)
	return d[:]
}

// familyDigest is what the database holds of a family. A reader of the database cannot make
// a token of the family from it.
func familyDigest(family []byte) []byte { return tokenDigest(append([]byte("family:"), family...)) }

func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// nextRefreshSecret derives the secret that follows secret as number n of its family.
func (s *Service) nextRefreshSecret(ctx context.Context, kid string, family, secret []byte, n int64) ([]byte, error) {
	key, err := s.Ring.Key(ctx, keyring.Refresh, kid)
	if errors.Is(err, keyring.ErrNoKey) {
		return nil, errRefresh.Because(err)
	}
	if err != nil {
		return nil, err
	}
	info := append([]byte("refresh"), family...)
	info = binary.BigEndian.AppendUint64(info, uint64(n))
	return hkdf.Key(sha256.New, secret, key.Secret, string(info), 32)
}

// Refresh takes a refresh token out of use and returns the session with the next one.
// public, when the client sends it, must be the key that the session was opened with. A bound
// session wants a proof first: without one a token is neither used up nor used again. Codes:
// invalid_proof, and invalid_refresh_token for everything else that is not good.
func (s *Service) Refresh(ctx context.Context, q *rest.Sent, text string, public *token.PublicKey) (*Opened, error) {
	family, secret, ok := parseRefresh(text)
	if !ok {
		return nil, errRefresh
	}
	var client []byte
	if public != nil {
		var err error
		if client, err = token.ParseKey(public); err != nil {
			return nil, err
		}
	}
	proven := false
	// Twice: the call that loses the race for a token finds what the winner wrote.
	for range 2 {
		r, err := readByFamily(ctx, s.DB.Shared(), familyDigest(family))
		if errors.Is(err, db.ErrNoRows) {
			return nil, errRefresh
		}
		if err == nil {
			err = s.checkRow(ctx, r)
		}
		if errors.Is(err, errAltered) {
			return nil, errRefresh.Because(err)
		}
		if err != nil {
			return nil, err
		}
		keys, ended := s.keysOf(ctx, r)
		if ended != nil && !errors.Is(ended, token.ErrEnded) {
			return nil, ended
		}
		if ended == nil && !proven {
			if err := s.Tokens.Prove(ctx, keys, q); err != nil {
				return nil, err
			}
			proven = true
		}
		next, again, err := s.rotate(ctx, &r, family, secret, client, ended)
		if err != nil {
			return nil, err
		}
		if again {
			continue
		}
		out, err := s.issue(ctx, r, keys)
		if err != nil {
			return nil, err
		}
		out.RefreshToken = refreshToken(family, next)
		return out, nil
	}
	return nil, errRefresh
}

// rotate decides what a use of secret means and brings r up to date. again says that
// another use came first. ended is not nil when the session has no record.
func (s *Service) rotate(ctx context.Context, r *row, family, secret, client []byte, ended error) (next []byte, again bool, err error) {
	now := s.Now()
	digest := tokenDigest(secret)
	current := equal(digest, r.RefreshHash)
	sameClient := client == nil || bytes.Equal(client, r.PublicKey)
	repeated := r.RefreshBefore != nil && equal(digest, r.RefreshBefore) && sameClient &&
		now.Sub(time.UnixMilli(r.RefreshedAt)) <= s.RefreshGrace
	if !current && !repeated {
		return nil, false, s.reused(ctx, *r)
	}
	if !sameClient || now.UnixMilli() >= min(r.RefreshExpires, r.Expires) {
		return nil, false, errRefresh
	}
	if ended != nil {
		return nil, false, errRefresh.Because(ended)
	}
	if err := s.checkOwner(ctx, *r); err != nil {
		return nil, false, err
	}
	if repeated {
		next, err = s.nextRefreshSecret(ctx, r.RefreshKid, family, secret, r.RefreshSeq)
		return next, false, err
	}
	key, err := s.Ring.Active(ctx, keyring.Refresh)
	if err != nil {
		return nil, false, err
	}
	if next, err = s.nextRefreshSecret(ctx, key.ID, family, secret, r.RefreshSeq+1); err != nil {
		return nil, false, err
	}
	r.RefreshExpires = min(now.Add(s.RefreshTTL).UnixMilli(), r.Expires)
	won, err := rotate(ctx, s.DB.Shared(), r.ID, digest, tokenDigest(next), key.ID, now.UnixMilli(), r.RefreshExpires)
	return next, !won, err
}

// checkOwner returns errRefresh unless the account of a session may still have it.
func (s *Service) checkOwner(ctx context.Context, r row) error {
	st, err := s.Accounts.State(ctx, r.Account)
	if errors.Is(err, account.ErrNotFound) || err == nil && (st.Status != account.Active || st.SessionEpoch != r.Ver) {
		return errRefresh
	}
	return err
}

// reused ends the session of a token that was used again: one of its two holders has stolen
// it (RFC 9700 §4.14.2). The thief may have taken the device token too, so the server
// forgets that device.
func (s *Service) reused(ctx context.Context, r row) error {
	if err := s.Tokens.End(ctx, r.ID); err != nil {
		return err
	}
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.Accounts.Hold(ctx, tx, r.Account); errors.Is(err, account.ErrNotFound) {
			return nil // deleted meanwhile
		} else if err != nil {
			return err
		}
		ended, err := deleteSessionAndDevice(ctx, tx, r.Account, r.ID)
		if err == nil && ended {
			err = s.takeBack(ctx, tx, r.Account)
		}
		if err != nil || !ended {
			return err
		}
		return s.Events.Record(ctx, tx, event.Event{Kind: "refresh-reuse", Account: string(r.Account)})
	})
	if err != nil {
		return err
	}
	s.Log.WarnContext(ctx, "session: a used refresh token came back; the session is ended", "account", string(r.Account))
	return errRefresh
}
