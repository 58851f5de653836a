package account

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/lang"
	"coffer/internal/mail"
)

// Jobs of this room.
const (
	signUpJob = "account.sign-up"
	resendJob = "account.resend"
	pruneJob  = "account.prune"
)

// NewAccount is the values of a sign-up.
type NewAccount struct {
	FirstName, LastName, Username, Email, Password string
	Lang                                           string // zero: lang.Default
}

// applicant is a checked NewAccount with its password hashed; "" for none. The hash is sealed when a row
// takes it: in a queued job it stands under the job's seal, which a rotation renews.
type applicant struct {
	ID        ID     `json:"id"`
	Lang      string `json:"lang"`
	Email     string `json:"email"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
	Username  string `json:"username"`
	Hash      string `json:"hash"`
}

// application is the payload of the sign-up job.
type application struct {
	applicant
	Belonging []byte `json:"belonging"` // digest of the token that the applicant was given
	From      Source `json:"from"`
}

// These bound the sign-ups that wait for one address. A source over its share loses its own
// oldest sign-up. Over the sum, the sources with the most sign-ups lose theirs first. The
// sum exceeds the mails an hour to one address, so a mailed sign-up waits an hour at least.
const (
	waitingOfSource = 20
	waitingInAll    = 200
)

// register hands this room's walks, jobs and mails to what lies below.
func (s *Service) register() {
	s.declare()
	s.Protect("password", s.protectPassword)
	s.Ring.AddRewraps(s.rewraps()...)
	s.Jobs.Handle(signUpJob, s.runSignUp)
	s.Jobs.Handle(resendJob, s.runResend)
	s.Jobs.Handle(changeEmailJob, s.runChangeEmail)
	s.Jobs.Handle(deleteJob, s.runDelete)
	s.Jobs.Every("account.delete", 10*time.Minute, s.resumeDeletions)
	s.Jobs.Every(pruneJob, 10*time.Minute, func(ctx context.Context) error {
		now := s.Now().UnixMilli()
		if _, err := pruneSignUps(ctx, s.DB, now); err != nil {
			return err
		}
		return pruneLinks(ctx, s.DB, now)
	}, jobs.Old{Table: "sign_up_proofs", Rows: "expires_at <= $1"}, jobs.Old{Table: "sign_ups", Rows: "expires_at <= $1"}, jobs.Old{Table: "links", Rows: "expires_at <= $1"})
}

// SignUp takes a sign-up and returns its token. Beside the mailed proof, the token shows
// that the caller is the one who signed up. SignUp does the same for every address, known or
// not: check, hash, enqueue. Only the mailbox learns the outcome.
func (s *Service) SignUp(ctx context.Context, in NewAccount, from Source) (token string, err error) {
	a, err := s.applicant(ctx, in)
	if err != nil {
		return "", err
	}
	if token, err = newToken(s.Rand); err != nil {
		return "", err
	}
	return token, s.DB.Tx(ctx, func(tx *db.Tx) error {
		return s.Jobs.Enqueue(ctx, tx, signUpJob, application{a, tokenDigest(token), from})
	})
}

// applicant checks every value, names all that are refused, and hashes the password.
func (s *Service) applicant(ctx context.Context, in NewAccount) (applicant, error) {
	a, fields, err := newApplicant(in)
	if err != nil {
		return applicant{}, err
	}
	email, _ := parseEmail(a.Email)
	password, f := s.checkPassword("/password", in.Password, a.FirstName, a.LastName, a.Username, localOf(email))
	if f != nil {
		fields = append(fields, *f)
	}
	if len(fields) > 0 {
		return applicant{}, fault.InvalidFields(fields...)
	}
	a.Hash, err = s.hasher.hash(ctx, password)
	return a, err
}

// newApplicant checks every value but the password, and returns all that are refused.
func newApplicant(in NewAccount) (a applicant, refused []fault.Field, err error) {
	note := func(f *fault.Field) {
		if f != nil {
			refused = append(refused, *f)
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
	id, err := newID()
	return applicant{ID: id, Lang: cmp.Or(in.Lang, lang.Default), Email: email.Stored, FirstName: first, LastName: last, Username: username}, refused, err
}

// runSignUp is the part of a sign-up that looks the address up. It stores the sign-up beside
// the others of the address and mails its proof. An address of an account is told of the
// attempt in its place. Either way needs one mail of the source's share.
func (s *Service) runSignUp(ctx context.Context, payload []byte) error {
	var a application
	if err := json.Unmarshal(payload, &a); err != nil {
		return jobs.Permanent(err)
	}
	email, ok := parseEmail(a.Email)
	if !ok {
		return jobs.Permanent(errors.New("sign-up without an address"))
	}
	if may, err := s.mayMail(ctx, email, a.From); err != nil || !may {
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
	password, err := s.sealPassword(ctx, a.ID, a.Hash)
	if err != nil {
		return err
	}
	r := signUpRow{
		ID: a.ID, Lang: a.Lang, EmailIndex: indexes[0], Wrapped: wrapped, Password: password,
		Email: sealColumn(key, a.ID, "email", a.Email), Username: sealColumn(key, a.ID, "username", a.Username),
		FirstName: sealColumn(key, a.ID, "first_name", a.FirstName), LastName: sealColumn(key, a.ID, "last_name", a.LastName),
		ExpiresAt: s.Now().Add(s.LinkTTL).UnixMilli(),
	}
	if r.Source, err = s.sourceIndex(ctx, email, a.From); err != nil {
		return err
	}
	if r.Belonging, err = s.Ring.MAC(ctx, keyring.Code, belongingParts(a.ID, a.Belonging)...); err != nil {
		return err
	}
	mailed, proof, err := s.newProof(ctx, r)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		owner, _, err := findCredentials(ctx, tx, byEmail, indexes)
		if err == nil {
			return s.Events.Record(ctx, tx, event.Event{
				Kind: "sign-up-exists", Account: string(owner.ID), Data: map[string]string{"link": s.BaseURL + "/sign-in"},
			})
		}
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		if err := lockSignUps(ctx, tx, r.EmailIndex); err != nil {
			return err
		}
		stored, err := putSignUp(ctx, tx, r, proof)
		if err != nil || !stored {
			return err
		}
		if err := boundSignUps(ctx, tx, indexes, waitingOfSource, waitingInAll); err != nil {
			return err
		}
		return s.mailProof(ctx, tx, a.Email, a.Lang, mailed)
	})
}

// resending is the payload of the resend job.
type resending struct {
	Email     string `json:"email"`
	Belonging []byte `json:"belonging"` // digest of the sign-up token that was shown; none when none was
	From      Source `json:"from"`
}

// Resend sends one new link and code for an address that waits for them. signUp, the token
// of a sign-up, chooses that one and voids its older proofs. Without it the newest sign-up
// of the caller's source is chosen, else the newest of all, and nothing is void: each caller
// who knows an address can ask. It answers alike for every address.
func (s *Service) Resend(ctx context.Context, email, signUp string, from Source) error {
	a, f := checkEmail("/email", email)
	if f != nil {
		return fault.InvalidFields(*f)
	}
	in := resending{Email: a.Stored, From: from}
	if signUp != "" {
		in.Belonging = tokenDigest(signUp)
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		return s.Jobs.Enqueue(ctx, tx, resendJob, in)
	})
}

func (s *Service) runResend(ctx context.Context, payload []byte) error {
	var in resending
	if err := json.Unmarshal(payload, &in); err != nil {
		return jobs.Permanent(err)
	}
	a, ok := parseEmail(in.Email)
	if !ok {
		return jobs.Permanent(errors.New("resend without an address"))
	}
	indexes, err := s.emailIndexes(ctx, a)
	if err != nil {
		return err
	}
	waiting, err := findSignUps(ctx, s.DB, indexes, s.Now().UnixMilli())
	if err != nil || len(waiting) == 0 {
		return err
	}
	r, own, err := s.chooseSignUp(ctx, a, waiting, in)
	if err != nil {
		return err
	}
	to, err := s.openSignUpEmail(ctx, r)
	if err != nil {
		return err
	}
	if may, err := s.mayMail(ctx, a, in.From); err != nil || !may {
		return err
	}
	mailed, proof, err := s.newProof(ctx, r)
	if err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := lockSignUps(ctx, tx, r.EmailIndex); err != nil {
			return err
		}
		added, err := addProof(ctx, tx, r, proof, s.Now().UnixMilli())
		if err != nil || !added {
			return err
		}
		if own {
			if err := dropOtherProofs(ctx, tx, r.ID, proof.Token); err != nil {
				return err
			}
		}
		return s.mailProof(ctx, tx, to, r.Lang, mailed)
	})
}

// chooseSignUp says which of the waiting sign-ups, the newest first, a resend is for, and
// whether the caller showed that it is theirs.
func (s *Service) chooseSignUp(ctx context.Context, a address, waiting []signUpRow, in resending) (r signUpRow, own bool, err error) {
	if in.Belonging != nil {
		for _, r := range waiting {
			if named, err := s.named(ctx, r, in.Belonging); err != nil || named {
				return r, named, err
			}
		}
	}
	source, err := s.sourceIndex(ctx, a, in.From)
	if err != nil {
		return signUpRow{}, false, err
	}
	for _, r := range waiting {
		if bytes.Equal(r.Source, source) {
			return r, false, nil
		}
	}
	return waiting[0], false, nil
}

// mailProof enqueues the mail with the link and the code. Its reader may not have signed up,
// so it repeats nothing that the applicant typed.
func (s *Service) mailProof(ctx context.Context, tx *db.Tx, to, lang string, p mailedProof) error {
	return s.Jobs.Enqueue(ctx, tx, mail.Job, mail.Message{Kind: "verify-email", To: to, Lang: lang, Data: map[string]string{
		"link": s.BaseURL + "/verify-email#token=" + p.Token,
		"code": p.Code,
	}})
}
