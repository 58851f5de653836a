package account

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/keyring"
	"coffer/internal/mail"
	"coffer/internal/seal"
)

// An account has one address of each kind. The server seals an address under the account's
// data key, bound to the account, the kind, and when it was verified. An attacker who writes
// to the database can delete an address, but cannot move one to another account, make a
// secondary one the primary, or mark one verified: the address then does not open. The
// server logs that, and sends nothing there.

// primary is the kind of the address that an account signs in with. It alone has a blind
// index, which is unique. The server inserts it verified.
const primary = "primary"

// alwaysAskOff is the event of an owner whose remembered devices are asked for less.
const alwaysAskOff = "always-ask-off"

// declare tells which mails this room sends, and makes it the one that mails the owners of
// accounts what happened to them.
func (s *Service) declare() {
	s.Mail.Declare(mail.Kind{Name: "verify-email"}, words) // to a person without an account
	s.Mail.Declare(mail.Kind{Name: changeEmail.Name}, words)
	s.Mail.Declare(mail.Kind{Name: "email-yours", Header: "security-notice"}, words) // to an address that became an account's
	s.Events.Declare(mail.Kind{Name: "sign-up-exists"}, words)
	s.Events.Declare(mail.Kind{Name: accountDeactivated, Header: "security-notice"}, words)
	s.Events.Declare(mail.Kind{Name: accountSuspended, Header: "security-notice"}, words)
	s.Events.Declare(mail.Kind{Name: accountResumed, Header: "security-notice"}, words)
	s.Events.Declare(mail.Kind{Name: alwaysAskOff, Header: "security-notice"}, words)
	s.Events.Declare(mail.Kind{Name: "change-email-exists", Header: "security-notice"}, words)
	s.Events.Declare(mail.Kind{Name: "change-email-notice"}, words)
	s.Events.Declare(mail.Kind{Name: EmailChanged, Header: "security-notice"}, words)
	s.Events.Declare(mail.Kind{Name: "email-restored", Header: "security-notice"}, words)
	s.Events.Declare(mail.Kind{Name: "account-deleted"}, words)
	s.Events.DeclareQuiet(FirstAdminMade)
	s.Events.Listen(s.tellOwner)
}

// addressPlace is the row that a sealed address is bound to.
func addressPlace(id ID, kind string, verifiedAt *int64) string {
	verified := "unverified"
	if verifiedAt != nil {
		verified = strconv.FormatInt(*verifiedAt, 10)
	}
	return string(id) + " " + kind + " " + verified
}

func sealAddress(k *keyring.DataKey, id ID, kind string, verifiedAt *int64, email string) []byte {
	return k.Seal("addresses", "email", addressPlace(id, kind, verifiedAt), []byte(email))
}

func openAddress(k *keyring.DataKey, id ID, kind string, verifiedAt *int64, sealed []byte) (string, error) {
	b, err := k.Open("addresses", "email", addressPlace(id, kind, verifiedAt), sealed)
	if err != nil {
		return "", fmt.Errorf("open the %s address of %s: %w", kind, id, err)
	}
	return string(b), nil
}

// tellOwner is the listener that mails an event to every verified address of the account, but
// for quiet ones.
// The server logs and skips an address that does not open: the other addresses still get the
// mail, and the change stands.
func (s *Service) tellOwner(ctx context.Context, tx *db.Tx, e event.Event) error {
	if e.Quiet {
		return nil
	}
	id := ID(e.Account)
	to, err := readRecipient(ctx, tx, id)
	if err != nil {
		return err
	}
	key, err := s.Ring.OpenDataKey(ctx, e.Account, to.Wrapped)
	if err != nil {
		return fmt.Errorf("open the data key of %s: %w", id, err)
	}
	data := map[string]string{"time": e.At.Format(time.RFC3339)}
	for k, v := range e.Data {
		data[k] = v
	}
	var name string
	if err := openColumns(key, id, column{"first_name", to.FirstName, &name}); err == nil {
		data["name"] = name
	}
	told := 0
	for _, a := range to.Verified {
		email, err := openAddress(key, id, a.Kind, a.VerifiedAt, a.Email)
		if errors.Is(err, seal.ErrOpen) {
			s.Log.ErrorContext(ctx, "account: an address was altered in the database and gets no notice", "account", e.Account, "kind", a.Kind)
			continue
		} else if err != nil {
			return err
		}
		if err := s.Jobs.Enqueue(ctx, tx, mail.Job, mail.Message{Kind: e.Kind, To: email, Lang: to.Lang, Data: data}); err != nil {
			return err
		}
		told++
	}
	if told == 0 {
		s.Log.ErrorContext(ctx, "account: no address could be told what happened", "account", e.Account, "event", e.Kind)
	}
	return nil
}

// addresses lists every address of an account for its export, without what does not open.
func (s *Service) addresses(ctx context.Context, id ID) ([]exportedAddress, error) {
	key, err := s.DataKey(ctx, s.DB, id)
	if err != nil {
		return nil, err
	}
	rows, err := readAddresses(ctx, s.DB, id)
	if err != nil {
		return nil, err
	}
	all := []exportedAddress{}
	for _, a := range rows {
		email, err := openAddress(key, id, a.Kind, a.VerifiedAt, a.Email)
		if errors.Is(err, seal.ErrOpen) {
			continue
		} else if err != nil {
			return nil, err
		}
		out := exportedAddress{Kind: a.Kind, Email: email}
		if a.VerifiedAt != nil {
			at := timeOf(a.VerifiedAt)
			out.VerifiedAt = &at
		}
		all = append(all, out)
	}
	return all, nil
}
