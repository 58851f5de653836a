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
	"coffer/internal/limit"
)

const (
	// codeDigits is what ASVS 6.5.4 holds enough. Five tries at one sign-up hit once in
	// 200,000 hours. A hundred networks keep a hundred sign-ups of one address waiting:
	// together their tries hit once in about 1,000 hours, and the owner gets as many mails.
	codeDigits = 6
	// maxCodeTries is how many wrong codes are compared in codeWindow: for one address
	// when no sign-up is named, and for one sign-up that its token names. A new code does
	// not begin a new count (NIST SP 800-63B-4 §3.1.3.2). The link is not touched by it, so
	// a stranger's guesses keep no newcomer from verifying.
	maxCodeTries = 5
	// maxSourceTries is how many wrong codes one source may try for one address with
	// whatever sign-ups of its own it names.
	maxSourceTries = 20
	codeWindow     = time.Hour
	// maxProofs is how many mails of one address a code is looked for in: more than any
	// address is sent while a code lives.
	maxProofs = 400
)

var (
	errInvalidCode = fault.New(fault.Unauthenticated, "invalid_code", "Wrong code for that address.")
	// ErrUsernameTaken refuses a username. A room that makes accounts declares it.
	ErrUsernameTaken = fault.New(fault.Conflict, "username_taken", "That username is taken. Choose another one.")
	errElsewhere     = fault.New(fault.Forbidden, "sign_up_proof_required",
		"That link or code belongs to a sign-up that was made elsewhere. Use it where you signed up, or send the password that you chose there.")
)

// Proof proves a sign-up: by the mailed link's token, or by the address and the mailed code.
// Beside it stands a proof that the sign-up is the caller's.
type Proof struct {
	Token       string
	Email, Code string

	SignUp   string // the token that [Service.SignUp] returned, or
	Password string // the password of the sign-up

	Username string // replaces the name that was signed up with; empty keeps it
	From     Source
}

// mailedProof is what proves an address, in clear: it exists in the mail alone.
type mailedProof struct{ Token, Code string }

// newProof makes a link token and a code for a sign-up, and the row of their digests.
func (s *Service) newProof(ctx context.Context, r signUpRow) (mailedProof, proofRow, error) {
	token, err := newToken(s.Rand)
	if err != nil {
		return mailedProof{}, proofRow{}, err
	}
	code, err := newCode(s.Rand)
	if err != nil {
		return mailedProof{}, proofRow{}, err
	}
	p := proofRow{Token: tokenDigest(token), CodeExpiresAt: min(s.Now().Add(s.CodeTTL).UnixMilli(), r.ExpiresAt)}
	if p.Link, err = s.Ring.MAC(ctx, keyring.Code, linkParts(r.ID, p.Token)...); err != nil {
		return mailedProof{}, proofRow{}, err
	}
	p.Code, err = s.Ring.MAC(ctx, keyring.Code, codeParts(r.ID, p.Token, code)...)
	return mailedProof{token, code}, p, err
}

// tokenLength is that of newToken's tokens.
const tokenLength = 43

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
func codeParts(id ID, token []byte, code string) [][]byte {
	return [][]byte{token, []byte("verify-email"), []byte(id), []byte(code)}
}

// linkParts ties a link to its sign-up: a writer of the database neither makes a link nor
// moves one to another sign-up.
func linkParts(id ID, token []byte) [][]byte {
	return [][]byte{[]byte("sign-up link"), []byte(id), token}
}

// belongingParts ties the token that an applicant was given to its sign-up, so that a row
// cannot be given another's.
func belongingParts(id ID, digest []byte) [][]byte {
	return [][]byte{[]byte("sign-up"), []byte(id), digest}
}

// hasMAC reports whether want is the MAC of the parts under any live key: a row may be
// older than the newest one.
func (s *Service) hasMAC(ctx context.Context, want []byte, parts [][]byte) (bool, error) {
	sums, err := s.Ring.MACs(ctx, keyring.Code, parts...)
	if err != nil {
		return false, err
	}
	right := 0
	for _, sum := range sums {
		right |= subtle.ConstantTimeCompare(sum, want)
	}
	return right == 1, nil
}

// named reports whether a sign-up token, given by its digest, is that of the sign-up.
func (s *Service) named(ctx context.Context, r signUpRow, digest []byte) (bool, error) {
	return s.hasMAC(ctx, r.Belonging, belongingParts(r.ID, digest))
}

// belongs is nil when the caller showed that the sign-up is theirs. The server asks only
// once the mail is proven, so a refusal tells nothing that the mail did not. Wrong
// passwords are counted by source, so a stranger's guesses do not keep the owner out for
// good. The token cannot be guessed, so tries at it are not counted.
func (s *Service) belongs(ctx context.Context, r signUpRow, p Proof) error {
	if p.SignUp != "" {
		if named, err := s.named(ctx, r, tokenDigest(p.SignUp)); err != nil || named {
			return err
		}
	}
	if p.Password == "" {
		return errElsewhere
	}
	password, ok := normalPassword(p.Password)
	if !ok {
		return fault.InvalidFields(*tooLong("/password"))
	}
	all := limit.Rule{Name: s.ProofLimit.Name + "-all", Limit: 10 * s.ProofLimit.Limit, Window: s.ProofLimit.Window}
	pair, key := "sign-up:"+string(r.ID)+" "+p.From.Addr, "sign-up:"+string(r.ID)
	if err := s.Limit.Take(ctx, s.ProofLimit, pair); err != nil {
		return err
	}
	right := false
	err := s.Limit.Take(ctx, all, key)
	if err == nil {
		right, err = s.isPassword(ctx, r, password)
		if err == nil && !right {
			return errElsewhere
		}
		if err := s.Limit.Refund(ctx, all, key); err != nil {
			return err
		}
	}
	// Only a password that was compared and wrong is counted.
	if err := s.Limit.Refund(ctx, s.ProofLimit, pair); err != nil {
		return err
	}
	return err
}

func (s *Service) isPassword(ctx context.Context, r signUpRow, password string) (bool, error) {
	stored, err := s.openPassword(ctx, r.ID, r.Password)
	if err != nil {
		return false, err
	}
	right, _, err := s.hasher.verify(ctx, stored, password)
	return right, err
}

// linked returns the sign-up that a link's token opens; code "link_gone" when there is none.
func (s *Service) linked(ctx context.Context, token string) (proven, error) {
	r, err := findByToken(ctx, s.DB, tokenDigest(token))
	if errors.Is(err, ErrNotFound) || err == nil && !r.open(s.Now().UnixMilli()) {
		return proven{}, ErrLinkGone
	} else if err != nil {
		return proven{}, err
	}
	ours, err := s.hasMAC(ctx, r.Link, linkParts(r.ID, r.Token))
	if err == nil && !ours {
		err = ErrLinkGone
	}
	return r, err
}

// CheckLink is nil when the link of a mail with this token can still be used. It uses
// nothing up. Code "link_gone".
func (s *Service) CheckLink(ctx context.Context, token string) error {
	_, err := s.linked(ctx, token)
	return err
}

// VerifyToken makes the account whose link carried p.Token.
//
// A sign-up that is not shown to be the caller's is code "sign_up_proof_required" and
// leaves the link as it is. So does a taken username, code "username_taken"; it tells only
// the holder of the mailbox and the sign-up, and only UsernameLimit times.
func (s *Service) VerifyToken(ctx context.Context, p Proof) error {
	r, err := s.linked(ctx, p.Token)
	if err != nil {
		return err
	}
	if err := s.belongs(ctx, r.signUpRow, p); err != nil {
		return err
	}
	return s.activate(ctx, r, p.Username, useByLink)
}

// VerifyCode is VerifyToken by the code of a mail. The answer for an address that waits for
// nothing is the same as for one that does.
func (s *Service) VerifyCode(ctx context.Context, p Proof) error {
	a, f := checkEmail("/email", p.Email)
	if f != nil {
		return fault.InvalidFields(*f)
	}
	indexes, err := s.emailIndexes(ctx, a)
	if err != nil {
		return err
	}
	t, err := s.tryCode(ctx, hex.EncodeToString(indexes[0]), p)
	if err != nil {
		return err
	}
	r, found, err := s.findCode(ctx, indexes, p, t.unnamed)
	if err != nil {
		return err
	}
	if !found {
		return errInvalidCode
	}
	// The right code was no guess.
	for _, counter := range t.counters {
		if _, err := s.KV.Add(ctx, counter, -1, codeWindow); err != nil {
			return err
		}
	}
	if !r.open(s.Now().UnixMilli()) {
		return ErrLinkGone
	}
	if err := s.belongs(ctx, r.signUpRow, p); err != nil {
		return err
	}
	return s.activate(ctx, r, p.Username, useByCode)
}

// tries are the counters that one try of a code went into.
type tries struct {
	counters []string
	unnamed  bool // sign-ups that the caller did not name may be compared
}

// tryCode counts one try for an address, given by its index. The count depends on the
// request alone, never on the sign-ups that wait. A caller who names a sign-up has tries
// that others cannot use up. The caller's source bounds how many sign-ups it can name.
func (s *Service) tryCode(ctx context.Context, index string, p Proof) (tries, error) {
	var t tries
	count := func(counter string, most int64) (bool, error) {
		n, err := s.KV.Add(ctx, counter, 1, codeWindow)
		if err == nil {
			t.counters = append(t.counters, counter)
		}
		return n <= most, err
	}
	base := "account:code:" + index
	if p.SignUp != "" {
		source, err := s.Ring.Index(ctx, "account.code-source", p.From.Addr)
		if err != nil {
			return t, err
		}
		for _, c := range []struct {
			counter string
			most    int64
		}{
			{base + ":from:" + hex.EncodeToString(source), maxSourceTries},
			{base + ":sign-up:" + hex.EncodeToString(tokenDigest(p.SignUp)), maxCodeTries},
		} {
			if ok, err := count(c.counter, c.most); err != nil {
				return t, err
			} else if !ok {
				return t, ErrLinkGone
			}
		}
	}
	var err error
	if t.unnamed, err = count(base, maxCodeTries); err != nil {
		return t, err
	}
	if !t.unnamed && p.SignUp == "" {
		return t, ErrLinkGone
	}
	return t, nil
}

// findCode finds the mail that a code came with: one of the sign-up that the caller named,
// else, when unnamed allows it, one of any sign-up of the address.
func (s *Service) findCode(ctx context.Context, indexes [2][]byte, p Proof, unnamed bool) (right proven, found bool, err error) {
	all, err := findProofs(ctx, s.DB, indexes, maxProofs)
	if err != nil {
		return proven{}, false, err
	}
	typed := strings.ReplaceAll(p.Code, " ", "")
	own := map[ID]bool{}
	for _, r := range all {
		named, known := own[r.ID]
		if !known && p.SignUp != "" {
			if named, err = s.named(ctx, r.signUpRow, tokenDigest(p.SignUp)); err != nil {
				return proven{}, false, err
			}
			own[r.ID] = named
		}
		if !named && (found || !unnamed) {
			continue
		}
		ok, err := s.hasMAC(ctx, r.Code, codeParts(r.ID, r.Token, typed))
		if err != nil {
			return proven{}, false, err
		}
		if ok && named {
			return r, true, nil
		}
		if ok {
			right, found = r, true
		}
	}
	return right, found, nil
}

// activate turns a sign-up into an account. use is one conditional statement, so of two
// proofs at once one wins; when the account cannot be made for its username, the
// transaction is undone and the proof is as good as before.
func (s *Service) activate(ctx context.Context, r proven, username string, use func(context.Context, *db.Tx, proven, int64) (int64, error)) error {
	if username != "" {
		u, f := checkUsername("/username", username)
		if f != nil {
			return fault.InvalidFields(*f)
		}
		username = u
	}
	var taken bool // the username was refused
	var gone bool  // the address got an account in some other way
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		taken, gone = false, false
		if err := lockSignUps(ctx, tx, r.EmailIndex); err != nil {
			return err
		}
		now := s.Now().UnixMilli()
		n, err := use(ctx, tx, r, now)
		if err != nil {
			return err
		} else if n == 0 {
			return ErrLinkGone
		}
		made, owned, err := s.becomeAccount(ctx, tx, r.signUpRow, username, now)
		switch {
		case err != nil:
			return err
		case made || owned:
			gone = owned
			return emptySignUp(ctx, tx, r.ID)
		}
		taken = true
		return ErrUsernameTaken
	})
	if taken {
		// Outside the transaction: its refusal must not undo the count.
		if limited := s.Limit.Take(ctx, s.UsernameLimit, "sign-up:"+string(r.ID)); limited != nil {
			return limited
		}
	}
	if err == nil && gone {
		return ErrLinkGone
	}
	return err
}

// becomeAccount makes the account of a proven sign-up, and ends every other sign-up of the
// address. made is false when another account has the username or the address; owned says
// that it is the address.
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
	// A rotation's walk may have passed the account's place already: what moves there moves
	// under the active keys.
	if r.Wrapped, _, err = s.Ring.RenewDataKey(ctx, string(r.ID), r.Wrapped); err != nil {
		return false, false, fmt.Errorf("renew the data key of a sign-up: %w", err)
	}
	if r.Password, _, err = s.Ring.Renew(ctx, keyring.Pepper, r.Password, passwordAAD(r.ID)); err != nil {
		return false, false, fmt.Errorf("renew the password of a sign-up: %w", err)
	}
	made, err = s.insert(ctx, tx, row{
		stored:        stored{State: State{ID: r.ID, Status: Active, SessionEpoch: 1, Role: User, Lang: r.Lang}},
		Primary:       addressRow{Kind: primary, Email: sealAddress(key, r.ID, primary, &now, p.Email), Index: emails[0], VerifiedAt: &now},
		UsernameIndex: usernames[0], Wrapped: r.Wrapped, Username: r.Username, FirstName: r.FirstName, LastName: r.LastName,
		Bio: sealColumn(key, r.ID, "bio", ""), Password: r.Password, CreatedAt: now,
	}, emails, usernames)
	if err != nil {
		return false, false, err
	}
	if !made {
		_, _, err = findCredentials(ctx, tx, byEmail, emails)
		if errors.Is(err, ErrNotFound) {
			return false, false, nil
		} else if err != nil {
			return false, false, err
		}
	}
	return made, !made, deleteSignUps(ctx, tx, emails, r.ID)
}
