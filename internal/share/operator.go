package share

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/db"
)

// Found is a link as the operator sees it: nothing of what it leads to.
type Found struct {
	ID        string
	Account   account.ID
	Owner     string // username, or the account's id where there is none
	Kind      Kind
	State     string
	Downloads int64
	Files     int64
	CreatedAt time.Time
}

// ErrNoLink says that a reference names no link.
var ErrNoLink = errors.New("no link has that address or id")

// Find finds a link by its address, its secret or its id.
func (s *Service) Find(ctx context.Context, ref string) (Found, error) {
	r, err := s.named(ctx, ref)
	if err != nil {
		return Found{}, err
	}
	f := Found{ID: r.ID, Account: r.Account, Owner: string(r.Account), Kind: r.Kind, State: r.state(s.Now()), Downloads: r.Downloads, Files: r.Files, CreatedAt: time.UnixMilli(r.CreatedAt).UTC()}
	switch p, err := s.Accounts.Profile(ctx, r.Account); {
	case err == nil:
		f.Owner = p.Username
	case !errors.Is(err, account.ErrNotFound):
		return f, err
	}
	return f, nil
}

func (s *Service) named(ctx context.Context, ref string) (r row, err error) {
	if u, err := url.Parse(ref); err == nil && strings.Contains(u.Path, "/") {
		ref = u.Path[strings.LastIndexByte(u.Path, '/')+1:]
	}
	if uuid.Validate(ref) == nil {
		r, err = readByID(ctx, s.DB, strings.ToLower(ref))
	} else {
		r, err = readByToken(ctx, s.DB, digest(ref))
	}
	if errors.Is(err, errNoShare) {
		err = ErrNoLink
	}
	return r, err
}

// Block keeps the link with an id from being used, or lets it be used again, in the caller's
// transaction. What runs by it is cut. It reports whether that changed the link.
func (s *Service) Block(ctx context.Context, tx *db.Tx, id string, blocked bool) (bool, error) {
	changed, err := setBlocked(ctx, tx, id, blocked)
	if err != nil || !changed {
		return false, err
	}
	r, err := readByID(ctx, tx, id)
	if err != nil {
		return false, err
	}
	return true, s.tell(ctx, tx, r)
}

// Numbers says how many links there are.
type Numbers struct{ Read, Request, Blocked int64 }

// Numbers counts all links.
func (s *Service) Numbers(ctx context.Context, q db.Querier) (Numbers, error) {
	return countAll(ctx, q)
}

// Count returns how many links an account has.
func (s *Service) Count(ctx context.Context, q db.Querier, owner account.ID) (int64, error) {
	return countOf(ctx, q, owner)
}
