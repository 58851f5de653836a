package session

import (
	"context"
	"errors"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/kv"
	"coffer/internal/rest"
)

// Alive implements rest.Authenticator: it asks for everything that ends a session, and not
// for the access token that opened the stream.
func (s *Service) Alive(ctx context.Context, c rest.Caller) error {
	_, err := s.KV.Get(ctx, recordName(c.Session))
	if errors.Is(err, kv.ErrMissing) {
		return errUnauthenticated.Because(errEnded)
	}
	if err != nil {
		return err
	}
	who := account.ID(c.Account)
	st, err := s.Accounts.State(ctx, who)
	if err == nil {
		err = active(st)
	}
	if err == nil {
		_, err = readSession(ctx, s.DB, who, c.Session, st.SessionEpoch, s.Now().UnixMilli())
	}
	return ended(err)
}

// Hold refuses what a session does that is over, and keeps it from ending, and its account
// from being deactivated, before tx has: an end that was acknowledged first wins. It
// changes nothing, and waits for an end that is under way.
func (s *Service) Hold(ctx context.Context, tx *db.Tx, who account.ID, id string) error {
	st, err := s.Accounts.Hold(ctx, tx, who)
	if err == nil {
		err = active(st)
	}
	if err == nil {
		err = holdSession(ctx, tx, who, id, st.SessionEpoch, s.Now().UnixMilli())
	}
	return ended(err)
}

func active(st account.State) error {
	if st.Status != account.Active {
		return errEnded
	}
	return nil
}

// ended makes the one refusal of every way in which a session can be over.
func ended(err error) error {
	if errors.Is(err, db.ErrNoRows) || errors.Is(err, account.ErrNotFound) || errors.Is(err, errEnded) {
		return errUnauthenticated.Because(errEnded)
	}
	return err
}
