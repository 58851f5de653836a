package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/rest"
	"coffer/internal/token"
)

// A recovery session may only repair its account. It is strong when a method in its amr is
// worth the account's layers, and weak otherwise: then it may set a password and no more. It
// becomes an ordinary session when it has set a password or turned a layer on. Its end stays
// what it was, and its amr too: a backup code goes on to count for operations that repair.

// AALRecovery is the level of a recovery session.
const AALRecovery = "recovery"

// The methods of a session that layers do not name. RFC 8176 has no value for most of them,
// and its §2 allows others.
const (
	AMRPassword   = "pwd"
	amrSeveral    = "mfa"
	AMRFederated  = "fed"   // another service's word for the person
	AMREmail      = "email" // the primary mailbox
	AMRBackupCode = "backup_code"
	AMRTrusted    = "trusted_email" // the mailbox of the trusted address
	AMRDelay      = "delay"         // the trusted mailbox again, after the wait
)

var errWaits = fault.New(fault.Forbidden, "recovery_waits",
	"The trusted address alone does not change sign-in layers. Set a new password. If you cannot pass the layers, recover the account again after the wait.")

// strong reports whether a proof is as strong as an account's layers, for operations that repair.
func strong(amr []string) bool {
	return slices.Contains(amr, AMRBackupCode) || slices.Contains(amr, AMRDelay)
}

// Recovery is what the page of a recovery session needs to know.
type Recovery struct {
	MayRepairLayers bool       `json:"may_repair_layers" doc:"Whether the session may turn layers on and off."`
	From            *time.Time `json:"from,omitempty" doc:"When another recovery through the trusted address may do so."`
}

// AddWait registers the room that knows from when on a weak recovery of an account becomes a
// strong one; the zero time: it does not know.
func (s *Service) AddWait(from func(ctx context.Context, id account.ID) (time.Time, error)) {
	s.wait = from
}

// recoveryOf describes the recovery session r; nil for an ordinary session.
func (s *Service) recoveryOf(ctx context.Context, r row) (*Recovery, error) {
	if r.AAL != AALRecovery {
		return nil, nil
	}
	out := &Recovery{MayRepairLayers: strong(strings.Fields(r.AMR))}
	if out.MayRepairLayers || s.wait == nil {
		return out, nil
	}
	from, err := s.wait(ctx, r.Account)
	if err == nil && !from.IsZero() {
		out.From = &from
	}
	return out, err
}

// mayRepair refuses a weak recovery session, and says when the wait is over.
func (s *Service) mayRepair(ctx context.Context, c rest.Caller) error {
	if strong(c.AMR) {
		return nil
	}
	if s.wait == nil {
		return errWaits
	}
	from, err := s.wait(ctx, account.ID(c.Account))
	if err != nil || from.IsZero() {
		return errors.Join(errWaits, err)
	}
	told := *errWaits
	told.Detail += " It ends at " + from.UTC().Format(time.RFC3339) + "."
	return &told
}

// Prove adds methods to the proof of e.
func (e *Entry) Prove(amr ...string) {
	e.pending.AMR = append(slices.Clone(e.pending.AMR), amr...)
}

// Recover opens a recovery session for the owner of an account, who has given the proof of e.
// It asks for no layer, remembers no device and lives for RecoveryTTL, however active. first
// runs in the transaction that opens it: it uses the proof up, and may refuse. A proof that
// is older than the account's last new password, or other end of all sessions, opens nothing.
// Codes: account_deactivated, invalid_credentials, and those of first.
func (s *Service) Recover(ctx context.Context, st account.State, e Entry, first func(ctx context.Context, tx *db.Tx, sessionID string) error) (Outcome, error) {
	return s.enterAtOnce(ctx, st, e, AALRecovery, nil, first)
}

// holdRepair keeps the session of c from ending until tx ends, and returns the row of a
// recovery session. The zero row says that c is, or meanwhile became, an ordinary session.
// An ordinary session is held too: it may be an intruder's, whom the owner shuts out at this
// moment. A call of the server's own has no session. Code unauthenticated.
func (s *Service) holdRepair(ctx context.Context, tx *db.Tx, c rest.Caller) (row, error) {
	if c.Session == "" {
		return row{}, nil
	}
	who := account.ID(c.Account)
	if err := s.Hold(ctx, tx, who, c.Session); err != nil || c.AAL != AALRecovery {
		return row{}, err
	}
	r, err := lockSession(ctx, tx, c.Session, who)
	if err == nil {
		err = s.checkRow(ctx, r)
	}
	if errors.Is(err, errAltered) {
		err = token.ErrUnauthenticated.Because(err)
	}
	if err != nil {
		return row{}, ended(err)
	}
	if r.AAL != AALRecovery {
		return row{}, nil
	}
	return r, nil
}

// repaired makes the recovery session r an ordinary one. Its end and its amr stay.
func (s *Service) repaired(ctx context.Context, tx *db.Tx, r *row) error {
	r.AAL = AAL1
	if err := s.sealRow(ctx, r); err != nil {
		return err
	}
	return renewSession(ctx, tx, *r)
}

// Registered notes, in the transaction in which a room gives c one more way in, that c has it,
// and tells the owner by an event. A recovery session becomes an ordinary one. A session that
// has ended meanwhile is refused.
func (s *Service) Registered(ctx context.Context, tx *db.Tx, c rest.Caller, kind string, data map[string]string) error {
	r, err := s.holdRepair(ctx, tx, c)
	if err == nil && r.ID != "" {
		err = s.repaired(ctx, tx, &r)
	}
	if err != nil {
		return err
	}
	return s.Events.Record(ctx, tx, event.Event{Kind: kind, Account: c.Account, Data: data})
}

// Changed is Registered for a way in that a room takes away: the session stays what it is, and
// open sign-ins end, which may stand on that way in.
func (s *Service) Changed(ctx context.Context, tx *db.Tx, c rest.Caller, kind string, data map[string]string) error {
	if _, err := s.holdRepair(ctx, tx, c); err != nil {
		return err
	}
	if err := deleteAttempts(ctx, tx, account.ID(c.Account)); err != nil {
		return err
	}
	return s.Events.Record(ctx, tx, event.Event{Kind: kind, Account: c.Account, Data: data})
}

// TurnOn is Registered for a layer, which sign-in asks for from now on.
func (s *Service) TurnOn(ctx context.Context, tx *db.Tx, c rest.Caller, layer, kind string) error {
	if err := s.Registered(ctx, tx, c, kind, nil); err != nil {
		return err
	}
	return s.Accounts.SetLayer(ctx, tx, account.ID(c.Account), layer, true)
}

// repairPassword is ChangePassword from a recovery session, which need not give the present
// password. Every other session ends. A strong session becomes an ordinary one. A weak one
// stays what it is, and the outcome is a challenge for the account's layers, which makes it
// an ordinary one. Of two changes from a strong session at once, one wins.
func (s *Service) repairPassword(ctx context.Context, c rest.Caller, next string) (Outcome, error) {
	who := account.ID(c.Account)
	changes := string(who) + " changes"
	if err := s.Limit.Ask(ctx, s.PairLimit, changes); err != nil {
		return Outcome{}, err
	}
	password, err := s.Accounts.NewPassword(ctx, who, "/new_password", next)
	if err != nil {
		return Outcome{}, ended(err)
	}
	keys, err := s.ownKeys(ctx, who, c.Session)
	if err != nil {
		return Outcome{}, ended(err)
	}
	var r row
	var out *Opened
	err = s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		if r, err = s.holdRepair(ctx, tx, c); err != nil {
			return err
		}
		if r.ID == "" {
			return token.ErrUnauthenticated // it is an ordinary session by now, which gives the present password
		}
		if err := s.Accounts.SetPassword(ctx, tx, password); err != nil {
			return err
		}
		if err := s.Accounts.InvalidateSessions(ctx, tx, who, c.Session); err != nil {
			return err
		}
		if r, err = s.carryRow(ctx, tx, c.Session, who); err != nil {
			return err
		}
		if err := s.Events.Record(ctx, tx, event.Event{Kind: passwordChanged, Account: c.Account}); err != nil {
			return err
		}
		if out = nil; strong(strings.Fields(r.AMR)) {
			if err := s.repaired(ctx, tx, &r); err != nil {
				return err
			}
			out, err = s.issue(ctx, r, keys)
		}
		return err
	})
	if errors.Is(err, errAltered) {
		err = token.ErrUnauthenticated.Because(err)
	}
	if err != nil {
		return Outcome{}, ended(err)
	}
	s.countChange(ctx, changes)
	if out != nil {
		return Outcome{Opened: out}, nil
	}
	return s.askAll(ctx, r)
}

// askAll begins an attempt for all layers of the account of a weak recovery session. Without
// layers the session becomes an ordinary one at once.
func (s *Service) askAll(ctx context.Context, r row) (Outcome, error) {
	st, err := s.Accounts.State(ctx, r.Account)
	if err != nil {
		return Outcome{}, ended(err)
	}
	p := pendingSession{Account: r.Account, Ver: st.SessionEpoch, AMR: append(strings.Fields(r.AMR), AMRPassword), Renews: r.ID}
	layers, err := s.enabled(ctx, s.DB, st)
	if err != nil {
		return Outcome{}, err
	}
	if len(layers) > 0 {
		return s.begin(ctx, p, layers, nil)
	}
	out, err := s.renew(ctx, p, AAL1, func(ctx context.Context, tx *db.Tx, _ string) error { return s.holds(ctx, tx, p) })
	if errors.Is(err, errOver) { // a layer was turned on, or all sessions ended, meanwhile
		err = token.ErrUnauthenticated.Because(err)
	}
	return out, err
}
