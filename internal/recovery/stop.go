package recovery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/mail"
)

// The kinds of events of a recovery, told on every verified address.
const (
	recoveryUsed    = "recovery-used"
	recoveryStopped = "recovery-stopped"
)

// stopPurpose is the link in the mail that tells of a recovery. It stays when sessions end: an
// intruder who sets a password must not void it.
func (s *Service) stopPurpose() account.Purpose {
	return account.Purpose{Name: "stop-recovery", Page: "/stop-recovery", Life: s.Wait, Several: true, Stays: true}
}

// stoppable is the content of such a link.
type stoppable struct {
	Session string `json:"session"`
	Began   int64  `json:"began"` // unix milliseconds
}

func (s *Service) setUpStop() {
	s.Events.Declare(mail.Kind{Name: recoveryUsed, Header: recoveryHeader}, words)
	s.Events.Declare(mail.Kind{Name: recoveryStopped, Header: "security-notice"}, words)
}

// recovered tells the owner, on every verified address, that a way back opened a session, with
// a link that stops it. It is called in the transaction that opens the session. method is the
// session's method in amr.
func (s *Service) recovered(ctx context.Context, tx *db.Tx, id account.ID, sessionID, method string) error {
	data, err := json.Marshal(stoppable{sessionID, s.Now().UnixMilli()})
	if err != nil {
		return err
	}
	link, err := s.Accounts.NewLink(ctx, tx, s.stopPurpose(), id, string(data))
	if err != nil {
		return err
	}
	return s.Events.Record(ctx, tx, event.Event{
		Kind: recoveryUsed, Account: string(id), Data: map[string]string{"link": link, "method": method, "until": s.Now().Add(s.Wait).UTC().Format(time.RFC3339)},
	})
}

// Stop ends a recovery that was not the owner's, with the mailed link: every session and all
// that lets somebody in, the layers, ways in and ways back that were added since it began, the
// links to files that were made since, and the password, which becomes one that nobody knows.
// A primary address that was changed since comes back. The owner's next way in is a reset
// through the mailbox.
// Codes: link_gone, busy.
func (s *Service) Stop(ctx context.Context, token string) error {
	// The server hashes no password for a guess.
	found, err := s.Accounts.FindLink(ctx, s.stopPurpose(), token)
	if err != nil {
		return err
	}
	unknown, err := s.Accounts.UnknownPassword(ctx, found.Account)
	if errors.Is(err, account.ErrNotFound) {
		err = account.ErrLinkGone // deleted meanwhile
	}
	if err != nil {
		return err
	}
	err = s.stop(ctx, token, unknown, true)
	if errors.Is(err, account.ErrEmailTaken) {
		err = s.stop(ctx, token, unknown, false) // the owner may have signed up anew with that address
	}
	return err
}

func (s *Service) stop(ctx context.Context, token string, unknown account.Password, addressBack bool) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		l, err := s.Accounts.UseLink(ctx, tx, s.stopPurpose(), token)
		if err != nil {
			return err
		}
		var of stoppable
		if err := json.Unmarshal([]byte(l.Data), &of); err != nil {
			return fmt.Errorf("a link that stops a recovery: %w", err)
		}
		began := time.UnixMilli(of.Began)
		// The way in after a stop is the mailbox: an intruder's must not be the one.
		if addressBack {
			if err := s.Accounts.AddressBack(ctx, tx, l.Account, began); err != nil {
				return err
			}
		}
		if err := s.Accounts.SetPassword(ctx, tx, unknown); err != nil {
			return err
		}
		// Ways in come before open sign-ins, as in a sign-in that uses one.
		if err := s.Accounts.DropWaysSince(ctx, tx, l.Account, began); err != nil {
			return err
		}
		if err := s.Accounts.InvalidateSessions(ctx, tx, l.Account, ""); err != nil {
			return err
		}
		for _, undo := range []func(context.Context, *db.Tx, account.ID, time.Time) error{s.dropLayersSince, s.stopTrusted, s.stopBackup} {
			if err := undo(ctx, tx, l.Account, began); err != nil {
				return err
			}
		}
		return s.Events.Record(ctx, tx, event.Event{Kind: recoveryStopped, Account: string(l.Account)})
	})
}

// dropLayersSince turns the layers off that were turned on at a time or later: they may be an
// intruder's. The account's row is locked, so no layer is turned on meanwhile.
func (s *Service) dropLayersSince(ctx context.Context, tx *db.Tx, id account.ID, began time.Time) error {
	st, err := s.Accounts.Hold(ctx, tx, id)
	if err != nil {
		return err
	}
	lines, err := s.Accounts.Protections(ctx, tx, id)
	if err != nil {
		return err
	}
	for _, layer := range st.Layers {
		if since := lines[layer].Since; since == nil || since.Before(began) {
			continue
		}
		if _, err := s.Sessions.DropLayer(ctx, tx, id, layer, true); err != nil {
			return err
		}
	}
	return nil
}
