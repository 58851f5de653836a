package session

import (
	"context"
	"strconv"
	"strings"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/rest"
)

// Failure is a proof that was judged and opened nothing, at a sign-in or as a fresh proof.
type Failure struct {
	Account account.ID // "": the server knows no account of that name
	Subject string     // what the caller named, as limits count it; "" when it named nothing
	Method  string     // password, passkey, backup_code, social, or the name of a layer
	Client  rest.Client
	Session string // that wanted a fresh proof; "" at a sign-in
	Apart   bool   // the door does not count unknown names alike, so nothing may compare accounts by it
	Held    bool   // the proof was right, and the sign-in waits for the mailed link
}

const passwordMethod = "password"

// The quiet events of this room.
const (
	signedInKind    = "signed-in"        // data: session, methods, known, first
	steppedUp       = "stepped-up"       // data: session, methods
	sessionEnded    = "session-ended"    // by its owner, from the list; data: session
	deviceEnded     = "device-ended"     // by the link in a mail; data: session, sessions (all that ended), and where it was
	deviceConfirmed = "device-confirmed" // by that link: it was the owner; device, place and address are those of the sign-in
)

// Watch sets what hears of failures. A room calls it when it is made, before the first request.
// fn hears of unknown accounts as of others, and must cost the same for both.
func (s *Service) Watch(fn func(ctx context.Context, f Failure) error) { s.watch = fn }

// Failed tells the watch of a check that ended in err, when that says that a proof was wrong. It
// returns err, or why the watch could not hear of it. A room that judges proofs of its own calls
// it after its judgement.
func (s *Service) Failed(ctx context.Context, err error, f Failure) error {
	if !judged(err) {
		return err
	}
	s.countFailed(f)
	if s.watch == nil {
		return err
	}
	if f.Subject == "" && f.Account != "" {
		f.Subject = signedIn(f.Account)
	}
	if unheard := s.watch(context.WithoutCancel(ctx), f); unheard != nil { // a client that hangs up undoes no failure
		return unheard
	}
	return err
}

// noteSignIn records that the session r was opened. known says that its device is remembered or
// that its client has signed in before; first that the account had not. The event of a recovery
// is that of its way back.
func (s *Service) noteSignIn(ctx context.Context, tx *db.Tx, p pendingSession, r row, known, first bool) error {
	if r.AAL == AALRecovery {
		return nil
	}
	data := s.told(p.UserAgent, p.Addr)
	data["session"], data["methods"] = r.ID, r.AMR
	data["known"], data["first"] = strconv.FormatBool(known), strconv.FormatBool(first)
	data["remembered"] = strconv.FormatBool(p.Device != nil && !p.Linked)
	return s.Events.Record(ctx, tx, event.Event{Kind: signedInKind, Account: string(p.Account), Data: data})
}

// noteStepUp records a fresh proof.
func (s *Service) noteStepUp(ctx context.Context, tx *db.Tx, p pendingSession) error {
	data := map[string]string{"session": p.Renews, "methods": strings.Join(p.AMR, " ")}
	return s.Events.Record(ctx, tx, event.Event{Kind: steppedUp, Account: string(p.Account), Data: data})
}

// noteEnd records that an owner ended a session.
func (s *Service) noteEnd(ctx context.Context, tx *db.Tx, who account.ID, id string) error {
	return s.Events.Record(ctx, tx, event.Event{Kind: sessionEnded, Account: string(who), Data: map[string]string{"session": id}})
}
