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
)

// Refresh tokens (protocols.md §2): cr1.<family>.<secret>. A session's row holds the
// digest of the token that is good now and of the one before it. The next secret is
// derived from the last, so that who lost the answer, or asked twice, gets the same one
// again; any other use of an old token ends the session.
const refreshVersion = "cr1."

var errRefresh = fault.New(fault.Unauthenticated, "invalid_refresh_token", "That refresh token is not good, or no longer. Sign in again.")

func refreshToken(family, secret []byte) string {
	return refreshVersion + b64.EncodeToString(family) + "." + b64.EncodeToString(secret)
}

func parseRefresh(token string) (family, secret []byte, ok bool) {
	rest, ok := strings.CutPrefix(token, refreshVersion)
	if !ok || len(token) > 100 {
		return nil, nil, false
	}
	first, second, _ := strings.Cut(rest, ".")
	family, ok1 := decode(first)
	secret, ok2 := decode(second)
	return family, secret, ok1 && ok2 && len(family) == 16 && len(secret) == 32
}

func tokenDigest(secret []byte) []byte {
	d := sha256.Sum256(secret)
	return d[:]
}

// familyDigest is how SQL knows a family: from a dump of it nobody can present a token
// that belongs to one.
func familyDigest(family []byte) []byte { return tokenDigest(append([]byte("family:"), family...)) }

func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// child derives the secret that follows secret as number n of its family.
func (s *Service) child(ctx context.Context, kid string, family, secret []byte, n int64) ([]byte, error) {
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
// public, when the client sends it, must be the key that the session was opened with.
// Code invalid_refresh_token for everything that is not good.
func (s *Service) Refresh(ctx context.Context, token string, public *PublicKey, inBody bool) (*Answer, error) {
	family, secret, ok := parseRefresh(token)
	if !ok {
		return nil, errRefresh
	}
	var client []byte
	if public != nil {
		k, err := parseClientKey(public)
		if err != nil {
			return nil, err
		}
		client = k.public.Bytes()
	}
	// Twice: who loses the race for a token finds the winner's child.
	for range 2 {
		r, err := readByFamily(ctx, s.DB, familyDigest(family))
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
		d, next, again, err := s.rotate(ctx, &r, family, secret, client)
		if err != nil {
			return nil, err
		}
		if again {
			continue
		}
		out := s.newAnswer(r, d)
		return out, s.issue(ctx, out, r, d, refreshToken(family, next), inBody)
	}
	return nil, errRefresh
}

// rotate decides what a use of secret means and brings r up to date. again says that
// another use came first.
func (s *Service) rotate(ctx context.Context, r *row, family, secret, client []byte) (d *derived, next []byte, again bool, err error) {
	now := s.Now()
	digest := tokenDigest(secret)
	current := equal(digest, r.RefreshHash)
	sameClient := client == nil || bytes.Equal(client, r.PublicKey)
	repeated := r.RefreshBefore != nil && equal(digest, r.RefreshBefore) && sameClient &&
		now.Sub(time.UnixMilli(r.RefreshedAt)) <= s.RefreshGrace
	if !current && !repeated {
		return nil, nil, false, s.reused(ctx, *r)
	}
	if !sameClient || now.UnixMilli() >= min(r.RefreshExpires, r.Expires) {
		return nil, nil, false, errRefresh
	}
	if d, err = s.alive(ctx, *r); err != nil {
		return nil, nil, false, err
	}
	if repeated {
		next, err = s.child(ctx, r.RefreshKid, family, secret, r.RefreshSeq)
		return d, next, false, err
	}
	key, err := s.Ring.Active(ctx, keyring.Refresh)
	if err != nil {
		return nil, nil, false, err
	}
	if next, err = s.child(ctx, key.ID, family, secret, r.RefreshSeq+1); err != nil {
		return nil, nil, false, err
	}
	r.RefreshExpires = min(now.Add(s.RefreshTTL).UnixMilli(), r.Expires)
	won, err := rotate(ctx, s.DB, r.ID, digest, tokenDigest(next), key.ID, now.UnixMilli(), r.RefreshExpires)
	return d, next, !won, err
}

// alive refuses a session whose account or record is gone, and returns its keys.
func (s *Service) alive(ctx context.Context, r row) (*derived, error) {
	st, err := s.Accounts.State(ctx, r.Account)
	if errors.Is(err, account.ErrNotFound) {
		return nil, errRefresh
	}
	if err != nil {
		return nil, err
	}
	if st.Status != account.Active || st.SessionEpoch != r.Ver {
		return nil, errRefresh
	}
	d, err := s.deriveRow(ctx, r)
	if errors.Is(err, errEnded) {
		return nil, errRefresh.Because(err)
	}
	return d, err
}

// reused ends the session of a token that was used again: one of the two who hold it
// should not (RFC 9700 §4.14.2). A device token lay beside it and is forgotten as well.
func (s *Service) reused(ctx context.Context, r row) error {
	if err := s.KV.Delete(ctx, recordName(r.ID)); err != nil {
		return err
	}
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		ended, err := deleteSessionAndDevice(ctx, tx, r.Account, r.ID)
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

// deriveRow is derive for a session read from SQL.
func (s *Service) deriveRow(ctx context.Context, r row) (*derived, error) {
	return s.derive(ctx, r.ID, r.PublicKey, sha256.Sum256(r.PublicKey))
}
