package recovery

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/jobs"
	"coffer/internal/mail"
	"coffer/internal/rest"
	"coffer/internal/seal"
	"coffer/internal/session"
)

// recoverLink opens a recovery session. Anybody may ask for one, so a further link voids none.
var recoverLink = account.Purpose{Name: "recovery-trusted", Page: "/recover", Several: true}

// recoverJob looks the account up and mails the link.
const recoverJob = "recovery.trusted-recover"

// mailedTo is the content of a recovery link: the trusted address that it was mailed to. Of
// another one, or of one that was verified anew, it opens nothing.
type mailedTo struct {
	Email      string `json:"email"`
	VerifiedAt int64  `json:"verified_at"`
}

func contentOf(t account.Trusted) mailedTo { return mailedTo{t.Email, t.VerifiedAt.UnixMilli()} }

// recoverPayload is the payload of the job.
type recoverPayload struct {
	Identifier string         `json:"identifier"`
	From       account.Source `json:"from"`
}

// AskRecovery asks for a recovery link to the trusted address of an account. It does the same
// for every identifier: only the mailbox learns the outcome.
func (s *Service) AskRecovery(ctx context.Context, identifier string, from account.Source) error {
	return s.enqueue(ctx, recoverJob, recoverPayload{identifier, from})
}

func (s *Service) runRecover(ctx context.Context, payload []byte) error {
	var in recoverPayload
	if err := json.Unmarshal(payload, &in); err != nil {
		return jobs.Permanent(err)
	}
	found, err := s.Accounts.Find(ctx, in.Identifier)
	if err != nil || found.ID == "" {
		return err
	}
	to, err := s.Accounts.TrustedAddress(ctx, s.DB, found.ID)
	if errors.Is(err, account.ErrNotFound) {
		return nil // deleted meanwhile
	}
	if err != nil || !s.usable(to) {
		return err
	}
	if may, err := s.Accounts.MayMail(ctx, to.Email, in.From); err != nil || !may {
		return err
	}
	content, err := json.Marshal(contentOf(to))
	if err != nil {
		return err
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.Accounts.Hold(ctx, tx, found.ID); err != nil {
			return err
		}
		// Its owner may have dropped the address meanwhile: it gets nothing more.
		if now, err := s.Accounts.TrustedAddress(ctx, tx, found.ID); err != nil || now != to {
			return err
		}
		link, err := s.Accounts.NewLink(ctx, tx, recoverLink, found.ID, string(content))
		if err != nil {
			return err
		}
		return s.Accounts.MailTo(ctx, tx, found.ID, mail.Message{Kind: recoverLink.Name, To: to.Email, Data: map[string]string{"link": link + "&way=trusted-email"}})
	})
	if errors.Is(err, account.ErrNotFound) {
		return nil
	}
	return err
}

// stillTrusted returns the trusted address that a link was mailed to; ErrLinkGone when the
// account has another one, or none.
func (s *Service) stillTrusted(ctx context.Context, q db.Querier, l account.Link) (account.Trusted, error) {
	var to mailedTo
	if err := json.Unmarshal([]byte(l.Data), &to); err != nil {
		return account.Trusted{}, err
	}
	now, err := s.Accounts.TrustedAddress(ctx, q, l.Account)
	if errors.Is(err, account.ErrNotFound) || err == nil && (!s.usable(now) || contentOf(now) != to) {
		err = account.ErrLinkGone
	}
	return now, err
}

// checkRecover is nil while a recovery link works.
func (s *Service) checkRecover(ctx context.Context, token string) error {
	l, err := s.Accounts.FindLink(ctx, recoverLink, token)
	if err == nil {
		_, err = s.stillTrusted(ctx, s.DB, l)
	}
	return err
}

// A wait begins with the first recovery session that the trusted address opens. For and
// Layers say of what: a change of either ends it.
type wait struct {
	Began  int64    `json:"began"` // unix milliseconds
	For    mailedTo `json:"for"`
	Layers []string `json:"layers"`
}

func (s *Service) newWait(t account.Trusted, st account.State) wait {
	return wait{s.Now().UnixMilli(), contentOf(t), slices.Sorted(slices.Values(st.Layers))}
}

func (w wait) began() time.Time { return time.UnixMilli(w.Began).UTC() }

// ends is from when on the trusted address may change layers.
func (s *Service) ends(w wait) time.Time { return w.began().Add(s.Wait) }

// passkeyLine is the line of passkeys on the security page.
const passkeyLine = "passkeys"

// waiting returns the wait of an account that is under way; nil without one. It is over when
// the owner is there: when somebody has passed a layer, or changed one, since it began. A
// passkey passes every layer.
func (s *Service) waiting(ctx context.Context, tx *db.Tx, st account.State, t account.Trusted) (*wait, error) {
	w, err := s.openWait(ctx, tx, st.ID)
	if w == nil || err != nil {
		return nil, err
	}
	fresh := s.newWait(t, st)
	if w.For != fresh.For || !slices.Equal(w.Layers, fresh.Layers) || !s.Now().Before(w.began().Add(waitEnds)) {
		return nil, nil
	}
	lines, err := s.Accounts.Protections(ctx, tx, st.ID)
	if err != nil {
		return nil, err
	}
	since := func(at *time.Time) bool { return at != nil && !at.Before(w.began()) }
	for _, layer := range append(slices.Clone(st.Layers), passkeyLine) {
		if line := lines[layer]; since(line.LastUsed) || since(line.Since) {
			return nil, nil
		}
	}
	return w, nil
}

// openWait reads a wait. One that was altered in the database is none.
func (s *Service) openWait(ctx context.Context, tx *db.Tx, id account.ID) (*wait, error) {
	sealed, err := readWait(ctx, tx, id)
	if err != nil || sealed == nil {
		return nil, err
	}
	key, err := s.Accounts.DataKey(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	raw, err := key.Open("trusted_waits", "wait", string(id), sealed)
	if errors.Is(err, seal.ErrOpen) {
		s.Log.ErrorContext(ctx, "recovery: a wait was altered in the database and counts for nothing", "account", string(id))
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	w := &wait{}
	return w, json.Unmarshal(raw, w)
}

func (s *Service) beginWait(ctx context.Context, tx *db.Tx, id account.ID, w wait) error {
	key, err := s.Accounts.DataKey(ctx, tx, id)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(w)
	if err != nil {
		return err
	}
	return putWait(ctx, tx, id, key.Seal("trusted_waits", "wait", string(id), raw))
}

// stopTrusted ends the wait of an account, and takes away a trusted address that was verified
// since a recovery began: it may be an intruder's.
func (s *Service) stopTrusted(ctx context.Context, tx *db.Tx, id account.ID, since time.Time) error {
	now, err := s.Accounts.TrustedAddress(ctx, tx, id)
	if err == nil && now.Email != "" && !now.VerifiedAt.Before(since) {
		return s.dropTrusted(ctx, tx, id)
	}
	if err != nil {
		return err
	}
	return dropWait(ctx, tx, id)
}

// waitEndsAt is from when on the trusted address of an account may change layers; the zero
// time while no wait is under way.
func (s *Service) waitEndsAt(ctx context.Context, id account.ID) (from time.Time, err error) {
	st, err := s.Accounts.State(ctx, id) // before: it may need a connection of its own
	if err != nil {
		return from, err
	}
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		t, err := s.Accounts.TrustedAddress(ctx, tx, id)
		if err != nil {
			return err
		}
		w, err := s.waiting(ctx, tx, st, t)
		if err == nil && w != nil {
			from = s.ends(*w)
		}
		return err
	})
	return from, err
}

// errWaitOver says that a wait, which had ended well, is over by the time it is used.
var errWaitOver = errors.New("recovery: the wait is over")

// RecoverTrusted uses a recovery link and opens a recovery session. Without a wait it begins
// one. With a link from before the end of the wait, the session is a weak one: a thief who
// read the mailbox once may hold several links. With a later link the session is a strong one, and the
// wait is used up. Codes: link_gone, invalid_public_key, account_deactivated.
func (s *Service) RecoverTrusted(ctx context.Context, token string, r session.SessionRequest, c rest.Client) (session.Outcome, error) {
	entry, err := s.Sessions.Prepare(r, c, session.AMRTrusted)
	if err != nil {
		return session.Outcome{}, err
	}
	l, err := s.Accounts.FindLink(ctx, recoverLink, token)
	if err != nil {
		return session.Outcome{}, err
	}
	st, err := s.Accounts.State(ctx, l.Account)
	var from time.Time
	if err == nil {
		from, err = s.waitEndsAt(ctx, l.Account)
	}
	if errors.Is(err, account.ErrNotFound) {
		err = account.ErrLinkGone // deleted meanwhile
	}
	if err != nil {
		return session.Outcome{}, err
	}
	strong := !from.IsZero() && !l.Made.Before(from)
	open := func(e session.Entry) (session.Outcome, error) {
		return s.Sessions.Recover(ctx, st, e, func(ctx context.Context, tx *db.Tx, sessionID string) error {
			return s.useTrusted(ctx, tx, token, sessionID, strong)
		})
	}
	if strong {
		e := entry
		e.Prove(session.AMRDelay)
		out, err := open(e)
		if !errors.Is(err, errWaitOver) {
			return out, err
		}
		strong = false // the owner was there a moment ago
	}
	return open(entry)
}

// useTrusted uses a recovery link up in the transaction that opens its session.
func (s *Service) useTrusted(ctx context.Context, tx *db.Tx, token, sessionID string, strong bool) error {
	l, err := s.Accounts.UseLink(ctx, tx, recoverLink, token)
	if err != nil {
		return err
	}
	st, err := s.Accounts.Hold(ctx, tx, l.Account)
	if err != nil {
		return err
	}
	t, err := s.stillTrusted(ctx, tx, l)
	if err != nil {
		return err
	}
	w, err := s.waiting(ctx, tx, st, t)
	switch {
	case err != nil:
		return err
	case strong && (w == nil || l.Made.Before(s.ends(*w))):
		return errWaitOver
	case strong:
		err = dropWait(ctx, tx, l.Account)
	case w == nil:
		err = s.beginWait(ctx, tx, l.Account, s.newWait(t, st))
	}
	if err != nil {
		return err
	}
	return s.recovered(ctx, tx, l.Account, sessionID, session.AMRTrusted)
}
