package account

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/keyring"
	"coffer/internal/limit"
	"coffer/internal/rest"
	"coffer/internal/seal"
)

// A mailed link carries 256 random bits, of which the database holds a digest. It works
// once, for one purpose and one account. Its row's data is sealed under the account's data
// key, bound to all other columns. An attacker who writes to the database can delete a link,
// but cannot make one, prolong one, or move one to another purpose or account.

// ErrLinkGone refuses a link that cannot be used: it is unknown, used, replaced, expired, or
// of another purpose. A room that takes links declares it.
var ErrLinkGone = fault.New(fault.Gone, "link_gone", "That link or code was used already, was replaced by a newer one, or has expired.")

// Purpose is what a kind of link is for.
type Purpose struct {
	Name string
	Page string        // path of the web page that the link opens
	Life time.Duration // zero: LinkTTL

	Several bool // a new link leaves older ones of the account good
	Stays   bool // the link stays good when all sessions of the account are ended
}

// Link is a link that can be used.
type Link struct {
	Account ID
	Data    string // as given to NewLink
	Made    time.Time
}

// NewLink makes a link for an account and returns its address, for the mail that is enqueued
// in the same transaction. Unless the purpose allows several, older links of the purpose end.
func (s *Service) NewLink(ctx context.Context, tx *db.Tx, p Purpose, id ID, data string) (string, error) {
	url, _, err := s.newLink(ctx, tx, p, id, data, 0)
	return url, err
}

// DropLinks ends the links of one purpose that an account has.
func (s *Service) DropLinks(ctx context.Context, tx *db.Tx, p Purpose, id ID) error {
	return dropLinks(ctx, tx, id, p.Name)
}

// newLink is NewLink of a link that is made at the time earliest or later, in unix
// milliseconds. It also returns that time.
func (s *Service) newLink(ctx context.Context, tx *db.Tx, p Purpose, id ID, data string, earliest int64) (url string, made int64, err error) {
	token, err := newToken(s.Rand)
	if err != nil {
		return "", 0, err
	}
	key, err := s.DataKey(ctx, tx, id)
	if err != nil {
		return "", 0, err
	}
	life := p.Life
	if life == 0 {
		life = s.LinkTTL
	}
	now := s.Now()
	r := linkRow{
		Token: tokenDigest(token), Account: id, Purpose: p.Name, Stays: p.Stays,
		MadeAt: max(now.UnixMilli(), earliest), ExpiresAt: now.Add(life).UnixMilli(),
	}
	r.Data = key.Seal("links", "data", r.place(), []byte(data))
	if !p.Several {
		if err := dropLinks(ctx, tx, id, p.Name); err != nil {
			return "", 0, err
		}
	}
	return s.BaseURL + p.Page + "#token=" + token, r.MadeAt, insertLink(ctx, tx, r)
}

// UseLink takes a link out of use in the transaction of what it is used for. Of many callers
// at once one gets it; the others get ErrLinkGone. The account's row stays locked until tx
// ends.
func (s *Service) UseLink(ctx context.Context, tx *db.Tx, p Purpose, token string) (Link, error) {
	r, err := readLink(ctx, tx, p.Name, tokenDigest(token), s.Now().UnixMilli())
	if err != nil {
		return Link{}, err
	}
	// The account's row comes first, as in the transaction that deletes the account.
	if _, err := holdState(ctx, tx, r.Account); errors.Is(err, ErrNotFound) {
		return Link{}, ErrLinkGone
	} else if err != nil {
		return Link{}, err
	}
	if err := takeLink(ctx, tx, r.Token); err != nil {
		return Link{}, err
	}
	return s.openLink(ctx, tx, r)
}

// AmendLink changes what a link carries and leaves the link good. change returns what it
// carries from now on. The account's row stays locked until tx ends, so each of many callers
// sees what the one before it left.
func (s *Service) AmendLink(ctx context.Context, tx *db.Tx, p Purpose, token string, change func(Link) (string, error)) error {
	r, err := readLink(ctx, tx, p.Name, tokenDigest(token), s.Now().UnixMilli())
	if err != nil {
		return err
	}
	if _, err := holdState(ctx, tx, r.Account); errors.Is(err, ErrNotFound) {
		return ErrLinkGone
	} else if err != nil {
		return err
	}
	if r, err = readLink(ctx, tx, p.Name, r.Token, s.Now().UnixMilli()); err != nil { // another may have changed it
		return err
	}
	l, err := s.openLink(ctx, tx, r)
	if err != nil {
		return err
	}
	data, err := change(l)
	if err != nil || data == l.Data {
		return err
	}
	key, err := s.DataKey(ctx, tx, r.Account)
	if err != nil {
		return err
	}
	return setLinkData(ctx, tx, r.Token, key.Seal("links", "data", r.place(), []byte(data)))
}

// FindLink is UseLink for a page that tells whether its link works. It uses nothing up.
func (s *Service) FindLink(ctx context.Context, p Purpose, token string) (Link, error) {
	r, err := readLink(ctx, s.DB, p.Name, tokenDigest(token), s.Now().UnixMilli())
	if err != nil {
		return Link{}, err
	}
	return s.openLink(ctx, s.DB, r)
}

func (s *Service) openLink(ctx context.Context, q db.Querier, r linkRow) (Link, error) {
	key, err := s.DataKey(ctx, q, r.Account)
	var data []byte
	if err == nil {
		data, err = key.Open("links", "data", r.place(), r.Data)
	}
	switch {
	case errors.Is(err, seal.ErrOpen) || errors.Is(err, keyring.ErrNoKey):
		s.Log.ErrorContext(ctx, "account: a mailed link was altered in the database and counts for nothing", "account", string(r.Account), "purpose", r.Purpose)
		return Link{}, ErrLinkGone.Because(err)
	case errors.Is(err, ErrNotFound):
		return Link{}, ErrLinkGone
	case err != nil:
		return Link{}, fmt.Errorf("open a link: %w", err)
	}
	return Link{Account: r.Account, Data: string(data), Made: time.UnixMilli(r.MadeAt).UTC()}, nil
}

// place is the row that a link's data is bound to.
func (r linkRow) place() string {
	return string(seal.LP([]byte(hex.EncodeToString(r.Token)), []byte(r.Account), []byte(r.Purpose), []byte(strconv.FormatBool(r.Stays)),
		[]byte(strconv.FormatInt(r.MadeAt, 10)), []byte(strconv.FormatInt(r.ExpiresAt, 10))))
}

// CheckInput is the input of the operations that tell whether a link works.
type CheckInput struct {
	rest.Request
	Body struct {
		Token string `json:"token" maxLength:"100" doc:"From the link."`
	}
}

// Checked makes the handler of such an operation. It answers within the limit of proofs,
// since each question is a guess.
func (s *Service) Checked(check func(ctx context.Context, token string) error) func(context.Context, *CheckInput) (*struct{}, error) {
	return func(ctx context.Context, in *CheckInput) (*struct{}, error) {
		if err := s.TakeProof(ctx, in.Client); err != nil {
			return nil, err
		}
		return nil, check(ctx, in.Body.Token)
	}
}

// TakeProof counts one proof that a client tries: a link or a code. Code "rate_limited".
func (s *Service) TakeProof(ctx context.Context, c rest.Client) error {
	return s.Limit.Take(ctx, s.VerifyLimit, limit.AddrKey(c.Addr))
}
