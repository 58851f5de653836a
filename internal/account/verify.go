package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/keyring"
)

const (
	// codeDigits is what ASVS 6.5.4 holds enough: with maxCodeTries an hour, one guess in
	// 200,000 hits.
	codeDigits = 6
	// maxCodeTries is how many codes may be tried for one address in codeWindow. A new
	// code does not begin a new count (NIST SP 800-63B-4 §3.1.3.2). The link is not
	// touched by it, so nobody can be kept from verifying.
	maxCodeTries = 5
	codeWindow   = time.Hour
)

var (
	errLinkGone    = fault.New(fault.Gone, "link_gone", "That link or code was used already, was replaced by a newer one, or has expired.")
	errInvalidCode = fault.New(fault.Unauthenticated, "invalid_code", "That code does not belong to that address.")
	errUsername    = fault.New(fault.Conflict, "username_taken", "That username belongs to somebody else. Choose another one.")
)

// proof is what proves an address, in clear: it exists in the mail alone.
type proof struct{ Token, Code string }

// newProof makes a link token and a code and puts their digests into the row.
func (s *Service) newProof(ctx context.Context, r *signUpRow) (proof, error) {
	token, err := newToken(s.Rand)
	if err != nil {
		return proof{}, err
	}
	code, err := newCode(s.Rand)
	if err != nil {
		return proof{}, err
	}
	r.Token = tokenDigest(token)
	if r.Code, err = s.Ring.MAC(ctx, keyring.Code, codeParts(*r, code)...); err != nil {
		return proof{}, err
	}
	r.CodeExpiresAt = min(s.Now().Add(s.CodeTTL).UnixMilli(), r.ExpiresAt)
	return proof{token, code}, nil
}

// newToken returns 256 random bits in base64url.
func newToken(random io.Reader) (string, error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("make a link token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

func newCode(random io.Reader) (string, error) {
	most := new(big.Int).Exp(big.NewInt(10), big.NewInt(codeDigits), nil)
	n, err := rand.Int(random, most)
	if err != nil {
		return "", fmt.Errorf("make a code: %w", err)
	}
	return fmt.Sprintf("%0*d", codeDigits, n), nil
}

func tokenDigest(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// codeParts is what a code's keyed HMAC goes over: challenge, purpose, account and code
// (protocols.md §4). The challenge is the link token of the same mail, so a code is good
// with its mail only.
func codeParts(r signUpRow, code string) [][]byte {
	return [][]byte{r.Token, []byte("verify-email"), []byte(r.ID), []byte(code)}
}

// VerifyToken makes the account whose link carried token. username replaces the name that
// was signed up with, if that is somebody's by now; empty keeps it.
//
// A taken username is code "username_taken" and leaves the link as it is. It tells only
// somebody who holds the mailbox, and only UsernameLimit times.
func (s *Service) VerifyToken(ctx context.Context, token, username string) error {
	return s.activate(ctx, username, func(ctx context.Context, tx *db.Tx, now int64) (signUpRow, error) {
		return useToken(ctx, tx, tokenDigest(token), now)
	})
}

// VerifyCode is VerifyToken by the code of the same mail. Every try counts against the
// address, and an address that waits for nothing answers as one that does.
func (s *Service) VerifyCode(ctx context.Context, email, code, username string) error {
	a, f := checkEmail("/email", email)
	if f != nil {
		return fault.InvalidFields(*f)
	}
	indexes, err := s.emailIndexes(ctx, a)
	if err != nil {
		return err
	}
	counter := "account:code:" + hex.EncodeToString(indexes[0])
	tries, err := s.KV.Add(ctx, counter, 1, codeWindow)
	if err != nil {
		return err
	}
	if tries > maxCodeTries {
		return errLinkGone
	}
	r, err := findSignUp(ctx, s.DB, indexes)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	// Under every live key: a code may be older than the newest one.
	digests, err := s.Ring.MACs(ctx, keyring.Code, codeParts(r, strings.ReplaceAll(code, " ", ""))...)
	if err != nil {
		return err
	}
	right := 0
	for _, d := range digests {
		right |= subtle.ConstantTimeCompare(d, r.Code)
	}
	if right != 1 {
		return errInvalidCode
	}
	err = s.activate(ctx, username, func(ctx context.Context, tx *db.Tx, now int64) (signUpRow, error) {
		return useCode(ctx, tx, r.ID, r.Code, now)
	})
	if err == nil {
		if err := s.KV.Delete(ctx, counter); err != nil {
			s.Log.WarnContext(ctx, "account: a counter of tries stays until it expires", "err", err)
		}
	}
	return err
}

// activate turns the sign-up that use takes into an account. One conditional statement
// takes it, so of two proofs at once one wins; when the account cannot be made for its
// username, the transaction is undone and the proof is as good as before.
func (s *Service) activate(ctx context.Context, username string, use func(context.Context, *db.Tx, int64) (signUpRow, error)) error {
	if username != "" {
		u, f := checkUsername("/username", username)
		if f != nil {
			return fault.InvalidFields(*f)
		}
		username = u
	}
	var wanted ID // the sign-up whose username was refused
	var gone bool // the address got an account in some other way
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		wanted, gone = "", false
		now := s.Now().UnixMilli()
		r, err := use(ctx, tx, now)
		if errors.Is(err, ErrNotFound) {
			return errLinkGone
		} else if err != nil {
			return err
		}
		made, owned, err := s.becomeAccount(ctx, tx, r, username, now)
		switch {
		case err != nil:
			return err
		case made || owned:
			gone = owned
			return emptySignUp(ctx, tx, r.ID)
		}
		wanted = r.ID
		return errUsername
	})
	if wanted != "" {
		// Outside the transaction: its refusal must not undo the count.
		if limited := s.Limit.Take(ctx, s.UsernameLimit, "sign-up:"+string(wanted)); limited != nil {
			return limited
		}
	}
	if err == nil && gone {
		return errLinkGone
	}
	return err
}

// becomeAccount makes the account of a proven sign-up. made is false when the username,
// or the address, is somebody's; owned says that it is the address.
func (s *Service) becomeAccount(ctx context.Context, tx *db.Tx, r signUpRow, username string, now int64) (made, owned bool, err error) {
	key, err := s.Ring.OpenDataKey(ctx, string(r.ID), r.Wrapped)
	if err != nil {
		return false, false, fmt.Errorf("open the data key of a sign-up: %w", err)
	}
	var p person
	if err := openColumns(key, r.ID, column{"email", r.Email, &p.Email}, column{"username", r.Username, &p.Username}); err != nil {
		return false, false, err
	}
	if username != "" {
		p.Username = username
		r.Username = sealColumn(key, r.ID, "username", username)
	}
	email, ok := parseEmail(p.Email)
	if !ok {
		return false, false, fmt.Errorf("sign-up %s without an address", r.ID)
	}
	emails, err := s.emailIndexes(ctx, email)
	if err != nil {
		return false, false, err
	}
	usernames, err := s.indexes(ctx, usernameColumn, p.Username)
	if err != nil {
		return false, false, err
	}
	made, err = s.insert(ctx, tx, row{
		stored:     stored{State: State{ID: r.ID, Status: Active, Ver: 1, Role: User, Lang: r.Lang}},
		EmailIndex: emails[0], UsernameIndex: usernames[0], Wrapped: r.Wrapped,
		Email: r.Email, Username: r.Username, FirstName: r.FirstName, LastName: r.LastName,
		Bio: sealColumn(key, r.ID, "bio", ""), Password: r.Password, CreatedAt: now,
	}, emails, usernames)
	if err != nil || made {
		return made, false, err
	}
	_, _, err = findCredentials(ctx, tx, byEmail, emails)
	if errors.Is(err, ErrNotFound) {
		return false, false, nil
	}
	return false, err == nil, err
}
