package admin

import (
	"context"
	"errors"
	"time"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/share"
)

// Retry gives a dead job its attempts again. Code not_found.
func (s *Service) Retry(ctx context.Context, by By, id string) error {
	if known(account.ID(id)) != nil { // the ids of jobs have the same form
		return errNoJob
	}
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		kind, err := s.Jobs.Retry(ctx, tx, id)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, by, Entry{Action: "job.retry", Target: id, Data: map[string]string{"kind": kind}})
	})
	if errors.Is(err, jobs.ErrNoJob) {
		err = errNoJob
	}
	return err
}

// RotateKey makes the next key of a purpose the active one. The log has the act before it is
// done. Code key_needed.
func (s *Service) RotateKey(ctx context.Context, by By, p keyring.Purpose) (keyring.Key, error) {
	if err := s.Record(ctx, by, Entry{Action: "key.rotate", Target: string(p)}); err != nil {
		return keyring.Key{}, err
	}
	k, err := s.Ring.Rotate(ctx, p)
	if errors.Is(err, keyring.ErrNeeded) {
		err = errKey.Because(err)
	}
	return k, err
}

// BlockLink keeps a link from being used, or lets it be used again. Code not_found.
func (s *Service) BlockLink(ctx context.Context, by By, ref string, blocked bool) (share.Found, error) {
	f, err := s.FindLink(ctx, ref)
	if err != nil {
		return share.Found{}, err
	}
	action := "share.unblock"
	if blocked {
		action = "share.block"
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		changed, err := s.Shares.Block(ctx, tx, f.ID, blocked)
		if err != nil || !changed {
			return err
		}
		return s.record(ctx, tx, by, Entry{Action: action, Account: f.Account, Target: f.ID})
	})
	if err != nil {
		return share.Found{}, err
	}
	return s.FindLink(ctx, f.ID)
}

// FindLink finds a link by its address, its secret or its id. Code not_found.
func (s *Service) FindLink(ctx context.Context, ref string) (share.Found, error) {
	f, err := s.Shares.Find(ctx, ref)
	if errors.Is(err, share.ErrNoLink) {
		err = errNoLink.Because(err)
	}
	return f, err
}

// EndDrop closes a drop for everybody. Code drop_not_found.
func (s *Service) EndDrop(ctx context.Context, by By, name string) error {
	return s.Drops.End(ctx, name, func(ctx context.Context, tx *db.Tx) error {
		return s.record(ctx, tx, by, Entry{Action: "drop.end", Target: name})
	})
}

// Totals is what the server keeps.
type Totals struct {
	Accounts account.Numbers
	Content  content.Usage
	Objects  int64
	Shares   share.Numbers
	Drops    int64
}

// totalsAge is how long a count of whole tables stands.
const totalsAge = 2 * time.Second

// Totals counts what the server keeps.
func (s *Service) Totals(ctx context.Context) (Totals, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.Now(); now.Before(s.at.Add(totalsAge)) && !now.Before(s.at) {
		return s.totals, nil
	}
	var t Totals
	err := s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if t.Accounts, err = s.Accounts.Numbers(ctx, tx); err != nil {
			return err
		}
		if t.Content, t.Objects, err = s.Contents.Total(ctx, tx); err != nil {
			return err
		}
		if t.Shares, err = s.Shares.Numbers(ctx, tx); err != nil {
			return err
		}
		t.Drops, err = s.Drops.Count(ctx, tx)
		return err
	})
	if err != nil {
		return Totals{}, err
	}
	s.totals, s.at = t, s.Now()
	return t, nil
}

// checkTime is the longest duration of a check.
const checkTime = 2 * time.Second

// Health asks every dependency at once, and returns those that answer.
func (s *Service) Health(ctx context.Context) map[string]bool {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	type result struct {
		name string
		ok   bool
	}
	results := make(chan result, len(s.Checks))
	for _, c := range s.Checks {
		go func() { results <- result{c.Name, c.Ping(ctx) == nil} }()
	}
	all := map[string]bool{}
	for range s.Checks {
		r := <-results
		all[r.name] = r.ok
	}
	return all
}
