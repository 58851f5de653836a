package recovery

import (
	"context"
	"encoding/json"
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
