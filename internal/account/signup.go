package account

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/jobs"
	"coffer/internal/limit"
	"coffer/internal/mail"
)

// Jobs of this room.
const (
	signUpJob = "account.sign-up"
	resendJob = "account.resend"
	pruneJob  = "account.prune"
)

// NewAccount is what somebody gives to become one.
type NewAccount struct {
	FirstName, LastName, Username, Email, Password string
	Lang                                           string // zero: the first of Languages
}

// applicant is a checked NewAccount with its password hashed and sealed: the payload of
// the sign-up job.
type applicant struct {
	ID        ID     `json:"id"`
	Lang      string `json:"lang"`
	Email     string `json:"email"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Username  string `json:"username"`
	Password  []byte `json:"password"`
}

func (s *Service) handleJobs() {
	s.Jobs.Handle(signUpJob, s.runSignUp)
	s.Jobs.Handle(resendJob, s.runResend)
	s.Jobs.Every(pruneJob, 10*time.Minute, func(ctx context.Context) error {
		_, err := pruneSignUps(ctx, s.DB, s.Now().UnixMilli())
		return err
	})
}

// SignUp takes a sign-up. It does the same for every address, known or not: check, hash,
// enqueue. What comes of it only the mailbox learns.
func (s *Service) SignUp(ctx context.Context, in NewAccount) error {
	a, err := s.applicant(ctx, in)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		return s.Jobs.Enqueue(ctx, tx, signUpJob, a)
	})
}

// applicant checks every value, names all that are refused, and hashes the password.
func (s *Service) applicant(ctx context.Context, in NewAccount) (applicant, error) {
	var fields []fault.Field
	note := func(f *fault.Field) {
		if f != nil {
			fields = append(fields, *f)
		}
	}
	first, f := checkName("/first_name", in.FirstName)
	note(f)
	last, f := checkName("/last_name", in.LastName)
	note(f)
	username, f := checkUsername("/username", in.Username)
	note(f)
	email, f := checkEmail("/email", in.Email)
	note(f)
	password, f := s.checkPassword("/password", in.Password, first, last, username, localOf(email))
	note(f)
	lang := in.Lang
	if lang == "" {
		lang = Languages[0]
	}
	if len(fields) > 0 {
		return applicant{}, fault.InvalidFields(fields...)
	}
	id, err := newID()
	if err != nil {
		return applicant{}, err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return applicant{}, err
	}
	sealed, err := s.sealPassword(ctx, id, hash)
	if err != nil {
		return applicant{}, err
	}
	return applicant{ID: id, Lang: lang, Email: email.Stored, FirstName: first, LastName: last, Username: username, Password: sealed}, nil
}

// runSignUp is the part of a sign-up that looks the address up: it stores the sign-up in
// place of older ones of the address and mails its proofs, or tells the owner of the
// address that somebody tried. Either way one mail, if the recipient may get one more.
func (s *Service) runSignUp(ctx context.Context, payload []byte) error {
	var a applicant
	if err := json.Unmarshal(payload, &a); err != nil {
		return jobs.Permanent(err)
	}
	email, ok := parseEmail(a.Email)
	if !ok {
		return jobs.Permanent(errors.New("sign-up without an address"))
	}
	if may, err := s.mayMail(ctx, email); err != nil || !may {
		return err
	}
	indexes, err := s.emailIndexes(ctx, email)
	if err != nil {
		return err
	}
	key, wrapped, err := s.Ring.NewDataKey(ctx, string(a.ID))
	if err != nil {
		return err
	}
	r := signUpRow{
		ID: a.ID, Lang: a.Lang, EmailIndex: indexes[0], Wrapped: wrapped, Password: a.Password,
		Email: sealColumn(key, a.ID, "email", a.Email), Username: sealColumn(key, a.ID, "username", a.Username),
		FirstName: sealColumn(key, a.ID, "first_name", a.FirstName), LastName: sealColumn(key, a.ID, "last_name", a.LastName),
		ExpiresAt: s.Now().Add(s.LinkTTL).UnixMilli(),
	}
	proof, err := s.newProof(ctx, &r)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		owner, _, err := findCredentials(ctx, tx, byEmail, indexes)
		if err == nil {
			return s.Notify(ctx, tx, owner.ID, "sign-up-exists", map[string]string{"link": s.BaseURL + "/sign-in"})
		}
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		stored, err := putSignUp(ctx, tx, r, indexes)
		if err != nil || !stored {
			return err
		}
		return s.mailProof(ctx, tx, a.Email, a.Lang, proof)
	})
}

// mayMail takes one mail from the recipient's share. Over the share nothing is sent and
// nothing changes, and whoever asked cannot tell.
func (s *Service) mayMail(ctx context.Context, a address) (bool, error) {
	err := s.Limit.Take(ctx, s.MailRecipientLimit, "mail:"+a.Canonical)
	if refused := new(fault.Error); errors.As(err, &refused) && refused.Kind == fault.Limited {
		s.Log.InfoContext(ctx, "account: a mail was not sent, the recipient had too many", "rule", s.MailRecipientLimit.Name)
		return false, nil
	}
	return err == nil, err
}

// Resend sends new proofs for an address that waits for them; older ones are void. It
// does the same for every address.
func (s *Service) Resend(ctx context.Context, email string) error {
	a, f := checkEmail("/email", email)
	if f != nil {
		return fault.InvalidFields(*f)
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		return s.Jobs.Enqueue(ctx, tx, resendJob, a.Stored)
	})
}

func (s *Service) runResend(ctx context.Context, payload []byte) error {
	var stored string
	if err := json.Unmarshal(payload, &stored); err != nil {
		return jobs.Permanent(err)
	}
	a, ok := parseEmail(stored)
	if !ok {
		return jobs.Permanent(errors.New("resend without an address"))
	}
	indexes, err := s.emailIndexes(ctx, a)
	if err != nil {
		return err
	}
	r, err := findSignUp(ctx, s.DB, indexes)
	if errors.Is(err, ErrNotFound) || err == nil && (r.UsedAt != nil || r.ExpiresAt <= s.Now().UnixMilli()) {
		return nil
	} else if err != nil {
		return err
	}
	to, err := s.openSignUpEmail(ctx, r)
	if err != nil {
		return err
	}
	if may, err := s.mayMail(ctx, a); err != nil || !may {
		return err
	}
	proof, err := s.newProof(ctx, &r)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		n, err := renewSignUp(ctx, tx, r, s.Now().UnixMilli())
		if err != nil || n == 0 {
			return err
		}
		return s.mailProof(ctx, tx, to, r.Lang, proof)
	})
}

// mailProof enqueues the mail with the link and the code. It goes to somebody who may
// never have heard of this place, so it repeats nothing that the applicant typed.
func (s *Service) mailProof(ctx context.Context, tx *db.Tx, to, lang string, p proof) error {
	return s.Jobs.Enqueue(ctx, tx, mail.Job, mail.Message{Kind: "verify-email", To: to, Lang: lang, Data: map[string]string{
		"link": s.BaseURL + "/verify-email#token=" + p.Token,
		"code": p.Code,
	}})
}

// takeSignUp takes a sign-up from the share of an address, and one mail with it.
func (s *Service) takeSignUp(ctx context.Context, addr string) error {
	for _, rule := range []limit.Rule{s.SignUpLimit, s.MailAddressLimit} {
		if err := s.Limit.Take(ctx, rule, addr); err != nil {
			return err
		}
	}
	return nil
}
