package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/limit"
	"coffer/internal/mail"
	"coffer/internal/seal"
)

// An owner changes the primary address in two steps: a session asks for it, and a link
// mailed to the new address confirms it, together with a session of the account. Each step
// mails the old address a link that undoes the change. The person who reads that mailbox
// gets the address back, even after an attacker has changed it several times.
//
// Undo links are in order. A link remembers its address and since when the account had it;
// that time lies behind the last link that was mailed to the address before. So one
// statement ends the links of an address and of all that came after it.

var (
	changeEmail = Purpose{Name: "change-email", Page: "/confirm-email"}
	undoEmail   = Purpose{Name: "undo-email", Page: "/undo-email", Life: 72 * time.Hour, Several: true, Stays: true}
)

// EmailChanged is the event of an account that got another primary address. It is recorded
// before the account has it.
const EmailChanged = "email-changed"

// ErrEmailTaken refuses a primary address that another account has.
var ErrEmailTaken = fault.New(fault.Conflict, "email_taken", "Another account has that address.")

// changeEmailJob mails the link to the new address.
const changeEmailJob = "account.change-email"

// addressing is the payload of that job.
type addressing struct {
	Account ID     `json:"account"`
	Email   string `json:"email"`
	Link    string `json:"link"`
	From    Source `json:"from"`
}

// former is the content of an undo link: an address, and since when the account had it.
type former struct {
	Email string `json:"email"`
	Since int64  `json:"since"`
}

// ChangeEmail asks for another primary address. Until a link that is mailed there is used,
// the present one counts. It answers alike when another account has the address: then that
// account's owner gets a notice in place of the link. Codes: validation_failed, rate_limited.
func (s *Service) ChangeEmail(ctx context.Context, id ID, email string, from Source) error {
	to, f := checkEmail("/email", email)
	if f != nil {
		return fault.InvalidFields(*f)
	}
	if err := s.Limit.TakeAll(ctx, limit.Call{Rule: s.NewAddressLimit, Key: string(id)}, limit.Call{Rule: s.MailAddressLimit, Key: from.Addr}); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.Hold(ctx, tx, id); err != nil {
			return err
		}
		now, err := s.presentAddress(ctx, tx, id)
		if err != nil {
			return err
		}
		if present, ok := parseEmail(now.Email); ok && present.Canonical == to.Canonical {
			return fault.InvalidField("/email", "unchanged", "That is your address already.")
		}
		if err := s.notTrusted(ctx, tx, id, "/email", to); err != nil {
			return err
		}
		tx.Changed(topic, string(id))
		link, err := s.NewLink(ctx, tx, changeEmail, id, to.Stored)
		if err != nil {
			return err
		}
		undo, _, err := s.newUndo(ctx, tx, id, now)
		if err != nil {
			return err
		}
		if err := s.Events.Record(ctx, tx, event.Event{Kind: "change-email-notice", Account: string(id), Data: map[string]string{"link": undo}}); err != nil {
			return err
		}
		return s.Jobs.Enqueue(ctx, tx, changeEmailJob, addressing{id, to.Stored, link, from})
	})
}

// runChangeEmail looks the new address up, as runSignUp does.
func (s *Service) runChangeEmail(ctx context.Context, payload []byte) error {
	var in addressing
	if err := json.Unmarshal(payload, &in); err != nil {
		return jobs.Permanent(err)
	}
	to, ok := parseEmail(in.Email)
	if !ok {
		return jobs.Permanent(errors.New("a change to no address"))
	}
	if may, err := s.mayMail(ctx, to, in.From); err != nil || !may {
		return err
	}
	indexes, err := s.emailIndexes(ctx, to)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		owner, _, err := findCredentials(ctx, tx, byEmail, indexes)
		if err == nil && owner.ID != in.Account {
			return s.Events.Record(ctx, tx, event.Event{Kind: "change-email-exists", Account: string(owner.ID)})
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		return s.MailTo(ctx, tx, in.Account, mail.Message{Kind: changeEmail.Name, To: in.Email, Data: map[string]string{"link": in.Link}})
	})
}

// MailTo enqueues a mail to one address, which the account need not have, in its language.
// An account that is gone sends nothing.
func (s *Service) MailTo(ctx context.Context, tx *db.Tx, id ID, m mail.Message) error {
	st, err := s.Hold(ctx, tx, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	m.Lang = st.Lang
	return s.Jobs.Enqueue(ctx, tx, mail.Job, m)
}

// ConfirmEmail makes the address that a link was mailed to the account's primary one. The
// caller has a session of the account: a mistyped address belongs to a stranger, who gets
// the mail and must not be able to confirm. Codes: link_gone, email_taken.
func (s *Service) ConfirmEmail(ctx context.Context, id ID, token string) (Profile, error) {
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		l, err := s.UseLink(ctx, tx, changeEmail, token)
		if err == nil && l.Account != id {
			err = ErrLinkGone // undone with the transaction: the link stays its owner's
		}
		if err != nil {
			return err
		}
		to, ok := parseEmail(l.Data)
		if !ok {
			return fmt.Errorf("a link to confirm no address, of %s", id)
		}
		// The trusted address may have come after the request.
		if err := s.notTrusted(ctx, tx, id, "/token", to); err != nil {
			return err
		}
		old, err := s.presentAddress(ctx, tx, id)
		if err != nil {
			return err
		}
		undo, made, err := s.newUndo(ctx, tx, id, old)
		if err != nil {
			return err
		}
		// The notice goes to the addresses that the account has until now.
		if err := s.Events.Record(ctx, tx, event.Event{Kind: EmailChanged, Account: string(id), Data: map[string]string{"link": undo}}); err != nil {
			return err
		}
		at := s.Now()
		if err := s.moveTo(ctx, tx, id, to, max(at.UnixMilli(), made+1)); err != nil {
			return err
		}
		return s.MailTo(ctx, tx, id, mail.Message{Kind: "email-yours", To: to.Stored, Data: map[string]string{"time": at.UTC().Format(time.RFC3339)}})
	})
	if err != nil {
		return Profile{}, err
	}
	return s.Profile(ctx, id)
}

// CheckConfirmEmail is nil while a link confirms an address of this account.
func (s *Service) CheckConfirmEmail(ctx context.Context, id ID, token string) error {
	l, err := s.FindLink(ctx, changeEmail, token)
	if err == nil && l.Account != id {
		err = ErrLinkGone
	}
	return err
}

// UndoEmail gives an account the address back that the link was mailed to, whether a change
// was confirmed or still waits. It ends all sessions, devices, attempts and links of the
// account, and the undo links that were mailed since the account had that address. A link
// to an address that another account got meanwhile changes nothing. Codes: link_gone,
// email_taken.
func (s *Service) UndoEmail(ctx context.Context, token string) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		l, err := s.UseLink(ctx, tx, undoEmail, token)
		if err != nil {
			return err
		}
		var back former
		if err := json.Unmarshal([]byte(l.Data), &back); err != nil {
			return fmt.Errorf("an undo link of %s: %w", l.Account, err)
		}
		return s.giveBack(ctx, tx, l, back)
	})
}

// AddressBack does as the oldest undo link that was mailed at a time or later, for a room
// whose link undoes what has happened since. Without one it changes nothing. After
// ErrEmailTaken the caller undoes the transaction. The account's row stays locked.
func (s *Service) AddressBack(ctx context.Context, tx *db.Tx, id ID, since time.Time) error {
	if _, err := s.Hold(ctx, tx, id); err != nil {
		return err
	}
	r, err := oldestLinkSince(ctx, tx, id, undoEmail.Name, since.UnixMilli(), s.Now().UnixMilli())
	var l Link
	if err == nil {
		l, err = s.openLink(ctx, tx, r)
	}
	if errors.Is(err, ErrLinkGone) {
		return nil
	} else if err != nil {
		return err
	}
	var back former
	if err := json.Unmarshal([]byte(l.Data), &back); err != nil {
		return fmt.Errorf("an undo link of %s: %w", id, err)
	}
	return s.giveBack(ctx, tx, l, back)
}

// giveBack is UndoEmail with the link l and its content.
func (s *Service) giveBack(ctx context.Context, tx *db.Tx, l Link, back former) error {
	id := l.Account
	old, err := s.presentAddress(ctx, tx, id)
	if err != nil {
		return err
	}
	to, _ := parseEmail(back.Email)
	since, restored := l.Made.UnixMilli(), false
	if to.Canonical != "" {
		since = back.Since
		if now, ok := parseEmail(old.Email); !ok || now.Canonical != to.Canonical {
			restored = true
			// An address that comes back may have become the trusted one: it cannot be both.
			if second, err := s.TrustedAddress(ctx, tx, id); err != nil {
				return err
			} else if SameMailbox(second.Email, to.Stored) {
				if err := deleteTrusted(ctx, tx, id); err != nil {
					return err
				}
			}
			if err := s.moveTo(ctx, tx, id, to, back.Since); err != nil {
				return err
			}
		}
	}
	if err := dropLinksSince(ctx, tx, id, undoEmail.Name, since); err != nil {
		return err
	}
	if err := s.InvalidateSessions(ctx, tx, id, ""); err != nil {
		return err
	}
	if err := s.Events.Record(ctx, tx, event.Event{Kind: "email-restored", Account: string(id)}); err != nil || !restored || old.Email == "" {
		return err
	}
	// The address that was taken back is told as well: its reader may be the owner.
	return s.MailTo(ctx, tx, id, mail.Message{Kind: "email-restored", To: old.Email, Data: map[string]string{"time": s.Now().UTC().Format(time.RFC3339)}})
}

// CheckUndoEmail is nil while an undo link works.
func (s *Service) CheckUndoEmail(ctx context.Context, token string) error {
	_, err := s.FindLink(ctx, undoEmail, token)
	return err
}

// newUndo makes a link that gives an account its present address back. It is made after
// every undo link of the account, whatever the nodes' clocks say.
func (s *Service) newUndo(ctx context.Context, tx *db.Tx, id ID, now former) (url string, made int64, err error) {
	earliest := now.Since
	newest, err := newestLink(ctx, tx, id, undoEmail.Name, s.Now().UnixMilli())
	if err == nil {
		earliest = max(earliest, newest.MadeAt+1)
	} else if !errors.Is(err, ErrLinkGone) {
		return "", 0, err
	}
	data, err := json.Marshal(now)
	if err != nil {
		return "", 0, err
	}
	return s.newLink(ctx, tx, undoEmail, id, string(data), earliest)
}

// presentAddress reads the primary address. It is zero when it was altered in the database:
// the owner may then give another, and no link gives the altered one back.
func (s *Service) presentAddress(ctx context.Context, tx *db.Tx, id ID) (former, error) {
	key, err := s.DataKey(ctx, tx, id)
	if err != nil {
		return former{}, err
	}
	_, a, err := readSealedAddress(ctx, tx, id)
	if errors.Is(err, ErrNotFound) {
		return former{}, nil
	} else if err != nil {
		return former{}, err
	}
	email, err := openAddress(key, id, a.Kind, a.VerifiedAt, a.Email)
	if errors.Is(err, seal.ErrOpen) {
		return former{}, nil
	} else if err != nil {
		return former{}, err
	}
	now := former{Email: email}
	if a.VerifiedAt != nil {
		now.Since = *a.VerifiedAt
	}
	return now, nil
}

// moveTo makes an address the primary one and ends the sign-ups that wait for it. After
// ErrEmailTaken the caller undoes the transaction.
func (s *Service) moveTo(ctx context.Context, tx *db.Tx, id ID, to address, verifiedAt int64) error {
	key, err := s.DataKey(ctx, tx, id)
	if err != nil {
		return err
	}
	indexes, err := s.emailIndexes(ctx, to)
	if err != nil {
		return err
	}
	// Sign-ups come before addresses, as in the transaction that proves one.
	if err := lockSignUps(ctx, tx, indexes[0]); err != nil {
		return err
	}
	put, err := putPrimary(ctx, tx, id, addressRow{
		Kind: primary, Email: sealAddress(key, id, primary, &verifiedAt, to.Stored), Index: indexes[0], VerifiedAt: &verifiedAt,
	}, indexes[1])
	if err != nil {
		return err
	} else if !put {
		return ErrEmailTaken
	}
	return deleteSignUps(ctx, tx, indexes, "")
}

// pendingEmail returns the address that waits for its confirmation, and until when; "" without
// one.
func (s *Service) pendingEmail(ctx context.Context, q db.Querier, key *keyring.DataKey, id ID) (string, time.Time, error) {
	return s.pending(ctx, q, key, changeEmail, id)
}

// Pending returns what the newest outstanding link of a purpose was made with; "" without one.
func (s *Service) Pending(ctx context.Context, q db.Querier, p Purpose, id ID) (string, error) {
	key, err := s.DataKey(ctx, q, id)
	if err != nil {
		return "", err
	}
	data, _, err := s.pending(ctx, q, key, p, id)
	return data, err
}

// pending is Pending, and until when the link works. A link that was altered in the database
// is none.
func (s *Service) pending(ctx context.Context, q db.Querier, key *keyring.DataKey, p Purpose, id ID) (string, time.Time, error) {
	r, err := newestLink(ctx, q, id, p.Name, s.Now().UnixMilli())
	if errors.Is(err, ErrLinkGone) {
		return "", time.Time{}, nil
	} else if err != nil {
		return "", time.Time{}, err
	}
	data, err := key.Open("links", "data", r.place(), r.Data)
	if errors.Is(err, seal.ErrOpen) {
		return "", time.Time{}, nil
	}
	return string(data), time.UnixMilli(r.ExpiresAt).UTC(), err
}
