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
	Owner     string // username, or the account's id where there is none
	Kind      Kind
	State     string
	Downloads int64
	Files     int64
	CreatedAt time.Time
}

var errNoLink = errors.New("no link has that address or id")

// Find finds a link by its address, its secret or its id.
func (s *Service) Find(ctx context.Context, ref string) (Found, error) {
	r, err := s.named(ctx, ref)
	if err != nil {
		return Found{}, err
	}
	f := Found{ID: r.ID, Owner: string(r.Account), Kind: r.Kind, State: r.state(s.Now()), Downloads: r.Downloads, Files: r.Files, CreatedAt: time.UnixMilli(r.CreatedAt).UTC()}
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
		err = errNoLink
	}
	return r, err
}

// Block keeps a link from being used, or lets it be used again. What runs by it is cut.
func (s *Service) Block(ctx context.Context, ref string, blocked bool) (Found, error) {
	r, err := s.named(ctx, ref)
	if err != nil {
		return Found{}, err
	}
	var value int64
	if blocked {
		value = 1
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := setBlocked(ctx, tx, r.ID, value); err != nil {
			return err
		}
		return s.tell(ctx, tx, r)
	})
	if err != nil {
		return Found{}, err
	}
	return s.Find(ctx, r.ID)
}
