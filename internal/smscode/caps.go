package smscode

import (
	"context"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/limit"
	"coffer/internal/rest"
)

// The caps count in the transaction that enqueues the message: a message that is not sent
// counts nowhere. Package limit counts in the key store, which no transaction can write to.
// A window begins at fixed moments, so of any window's length fewer than twice the cap are
// sent.

// errCapped refuses a message until RetryAfter.
var errCapped = fault.New(fault.Limited, "rate_limited", "Too many text messages were sent. Try again later.")

// caps are the rules of a message, the cheapest and likeliest to refuse first. Each counts for
// a key. Anybody can begin set-ups, with anybody's number. So set-ups stop at half of what a
// number, a country and all may have, and the other half is left to sign-ins.
func (s *Service) caps(ctx context.Context, id account.ID, number, purpose string) []limit.Call {
	all := []limit.Call{
		{Rule: s.SMSAccountLimit, Key: string(id)}, {Rule: s.SMSNumberLimit, Key: plain(number)},
		{Rule: s.SMSCountryLimit, Key: area(number)}, {Rule: s.SMSTotalLimit, Key: "all"},
	}
	if purpose == enrol {
		for i := 1; i < len(all); i++ {
			all[i].Rule.Limit = (all[i].Rule.Limit + 1) / 2
		}
	}
	if c, ok := rest.ClientIn(ctx); ok {
		all = append([]limit.Call{{Rule: s.SMSAddressLimit, Key: limit.AddrKey(c.Addr)}}, all...)
	}
	return all
}

// ask refuses a message that a cap forbids now, and counts nothing.
func (s *Service) ask(ctx context.Context, tx *db.Tx, id account.ID, number, purpose string) error {
	for _, c := range s.caps(ctx, id, number, purpose) {
		w, err := s.window(ctx, c)
		if err != nil {
			return err
		}
		n, err := readCount(ctx, tx, c.Rule.Name, w.key, w.nth)
		if err != nil {
			return err
		}
		if n >= int64(c.Rule.Limit) {
			return s.capped(c.Rule, w)
		}
	}
	return nil
}

// take counts a message in every cap, or refuses it with an error that must undo tx.
func (s *Service) take(ctx context.Context, tx *db.Tx, id account.ID, number, purpose string) error {
	for _, c := range s.caps(ctx, id, number, purpose) {
		w, err := s.window(ctx, c)
		if err != nil {
			return err
		}
		counted, err := count(ctx, tx, c.Rule.Name, w.key, w.nth, int64(c.Rule.Limit), w.ends)
		if err != nil {
			return err
		}
		if !counted {
			return s.capped(c.Rule, w)
		}
	}
	return nil
}

// window is where a rule counts now for a key.
type window struct {
	key  []byte
	nth  int64
	ends time.Time
}

func (s *Service) window(ctx context.Context, c limit.Call) (window, error) {
	key, err := s.Ring.Index(ctx, "smscode."+c.Rule.Name, c.Key)
	long := c.Rule.Window.Milliseconds()
	nth := s.Now().UnixMilli() / long
	return window{key, nth, time.UnixMilli((nth + 1) * long)}, err
}

func (s *Service) capped(r limit.Rule, w window) error {
	e := *errCapped
	e.RetryAfter = max(w.ends.Sub(s.Now()), time.Second)
	e.Policy = &fault.Policy{Name: r.Name, Limit: r.Limit, Window: r.Window}
	return &e
}
