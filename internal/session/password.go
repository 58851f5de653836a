package session

import (
	"context"
	"errors"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/rest"
	"coffer/internal/token"
)

// ChangePassword sets a new password, for which the caller gives the present one: a fresh
// proof, as in Reauthenticate. With revoke, every other session ends in the same
// transaction, with its remembered device. Either way attempts, outstanding links and the
// sessions of a recovery end: they may stand on the old password, or need none for the next.
// The caller's session goes on with a new access token.
// Of two changes with one present password, one wins. Codes: invalid_credentials,
// validation_failed, rate_limited, busy, unauthenticated.
func (s *Service) ChangePassword(ctx context.Context, c rest.Caller, client rest.Client, current, next string, revoke bool) (Outcome, error) {
	if c.AAL == AALRecovery {
		return s.repairPassword(ctx, c, next)
	}
	who := account.ID(c.Account)
	// Each change is mailed to the owner. An intruder must not bury the first of these mails.
	changes := string(who) + " changes"
	if err := s.Limit.Ask(ctx, s.PairLimit, changes); err != nil {
		return Outcome{}, err
	}
	var password account.Password
	err := s.ownPassword(ctx, c, client, func() (err error) {
		password, err = s.Accounts.ReplacePassword(ctx, who, current, next)
		return err
	})
	if err != nil {
		err = s.Failed(ctx, err, Failure{Account: who, Method: passwordMethod, Client: client, Session: c.Session})
		return Outcome{}, ended(err)
	}
	return s.setPassword(ctx, c, password, passwordChanged, revoke)
}

// FirstPassword is ChangePassword for an account without a password: the caller gives a fresh
// proof of another kind. Of two at once one wins. Codes: also step_up_required.
func (s *Service) FirstPassword(ctx context.Context, c rest.Caller, next string, revoke bool) (Outcome, error) {
	if c.AAL == AALRecovery {
		return s.repairPassword(ctx, c, next)
	}
	who := account.ID(c.Account)
	p, err := s.Accounts.Profile(ctx, who)
	if err != nil {
		return Outcome{}, ended(err)
	}
	if p.HasPassword {
		return Outcome{}, fault.InvalidField("/current_password", "required", "Give your present password.")
	}
	if err := s.StepUp(ctx, c, false); err != nil {
		return Outcome{}, err
	}
	password, err := s.Accounts.FirstPassword(ctx, who, "/new_password", next)
	if err != nil {
		return Outcome{}, ended(err)
	}
	return s.setPassword(ctx, c, password, passwordSet, revoke)
}

// setPassword sets the password of the caller's account, whose session goes on, and tells the
// owner by an event of the given kind.
func (s *Service) setPassword(ctx context.Context, c rest.Caller, password account.Password, kind string, revoke bool) (Outcome, error) {
	who := account.ID(c.Account)
	// The keys come from another store. They are read before the transaction, in which a
	// caller that waits for the account's row holds a connection of the database.
	keys, err := s.ownKeys(ctx, who, c.Session)
	if err != nil {
		return Outcome{}, ended(err)
	}
	var out *Opened
	var recoveries []string
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		out = nil
		if err := s.Accounts.SetPassword(ctx, tx, password); err != nil {
			return err
		}
		end := func(ctx context.Context, tx *db.Tx, who account.ID, spare string) (err error) {
			recoveries, err = s.endWhatStandsOn(ctx, tx, who, spare)
			return err
		}
		if revoke {
			end = s.Accounts.InvalidateSessions
		}
		if err := end(ctx, tx, who, c.Session); err != nil {
			return err
		}
		r, err := s.carryRow(ctx, tx, c.Session, who)
		if err != nil {
			return err
		}
		if err := s.Events.Record(ctx, tx, event.Event{Kind: kind, Account: c.Account}); err != nil {
			return err
		}
		// The token is made before the commit: no failure can follow the change.
		out, err = s.issue(ctx, r, keys)
		return err
	})
	if err == nil {
		s.endRecords(ctx, recoveries)
		s.countChange(ctx, string(who)+" changes")
	}
	if errors.Is(err, errAltered) {
		err = token.ErrUnauthenticated.Because(err)
	}
	return Outcome{Opened: out}, ended(err)
}

func (s *Service) countChange(ctx context.Context, changes string) {
	if kept := s.Limit.Take(context.WithoutCancel(ctx), s.PairLimit, changes); kept != nil {
		s.Log.WarnContext(ctx, "session: a change of password is not counted", "err", kept)
	}
}

// ownKeys returns the keys of a live session.
func (s *Service) ownKeys(ctx context.Context, who account.ID, id string) (*token.Keys, error) {
	st, err := s.Accounts.State(ctx, who)
	if err != nil {
		return nil, err
	}
	r, err := readSession(ctx, s.DB, who, id, st.SessionEpoch, s.Now().UnixMilli())
	if err != nil {
		return nil, err
	}
	return s.keysOf(ctx, r)
}

// endWhatStandsOn ends what may stand on an old password, and returns the ids of the sessions
// among it: those that a recovery opened, but spare. Other sessions stay.
func (s *Service) endWhatStandsOn(ctx context.Context, tx *db.Tx, who account.ID, spare string) ([]string, error) {
	// Where every session is as short, its life tells nothing.
	life := int64(0)
	if s.RecoveryTTL < s.SessionTTL {
		life = s.RecoveryTTL.Milliseconds()
	}
	recoveries, err := recoverySessions(ctx, tx, who, spare, life)
	if err != nil {
		return nil, err
	}
	for _, id := range recoveries {
		if _, err := deleteSession(ctx, tx, who, id); err != nil {
			return nil, err
		}
	}
	if err := s.forgetLater(ctx, tx, recoveries); err != nil {
		return nil, err
	}
	if err := deleteAttempts(ctx, tx, who); err != nil {
		return nil, err
	}
	return recoveries, s.Accounts.EndLinks(ctx, tx, who)
}

// carryRow brings a session into its account's epoch and notes a fresh proof of the password
// in it, where the password alone is one: see [Service.Renew]. Its level stays.
func (s *Service) carryRow(ctx context.Context, tx *db.Tx, id string, who account.ID) (row, error) {
	st, err := s.Accounts.Hold(ctx, tx, who)
	if err == nil {
		err = active(st)
	}
	if err != nil {
		return row{}, err
	}
	r, err := lockSession(ctx, tx, id, who)
	if err != nil {
		return r, err
	}
	if err := s.checkRow(ctx, r); err != nil {
		return r, err
	}
	r.Ver = st.SessionEpoch
	fresh, err := s.enough(ctx, tx, st, r)
	if err != nil {
		return r, err
	}
	if fresh {
		r.AuthTime = s.Now().UnixMilli()
	}
	if err := s.sealRow(ctx, &r); err != nil {
		return r, err
	}
	return r, renewSession(ctx, tx, r)
}

// enough reports whether the password alone is a fresh proof for a session. An ordinary session
// that has passed no second factor wants the account's layers beside it.
func (s *Service) enough(ctx context.Context, tx *db.Tx, st account.State, r row) (bool, error) {
	if r.AAL != AAL1 {
		return true, nil
	}
	layers, err := s.enabled(ctx, tx, st)
	return len(layers) == 0, err
}

// The events of a change by the signed-in owner.
const (
	passwordChanged = "password-changed"
	passwordSet     = "password-set" // of an account that had none
)
