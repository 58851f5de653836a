package content

import (
	"context"
	"errors"
	"maps"
	"slices"

	"coffer/internal/account"
	"coffer/internal/db"
)

// Bytes that come in are reserved in the owner's quota, so that uploads that never end do not
// store more than it leaves. A pending object's row holds the reservation in its size. So the
// statement that ends the row's state gives it back, on any node.

// An upload may store a little unreserved: one part in freeShare of what the quota left at its
// beginning, but no less than minFree and no more than maxFree. So the thousand streams that a node
// runs by default exceed the quota by what it left, or 256 MiB if that is more. Small uploads cost no
// statement, and as many of them have room as fit, however many come at once without a length.
const (
	minFree   = 256 << 10
	maxFree   = 8 << 20
	freeShare = 1 << 10
)

// free returns how many bytes an upload need not reserve.
func (u Usage) free() int64 { return min(max(u.Left()/freeShare, minFree), maxFree) }

// The bytes that are reserved ahead when the length is not known: as many as came, within these.
const (
	minAhead = 1 << 20
	maxAhead = 64 << 20
)

// reserve counts what came in and what is reserved of it.
type reserve struct {
	came, reserved int64
	left           int64 // that the quota left at the beginning
	free           int64 // of them, bytes that may come unreserved
	most           int64 // that come; 0: not known
}

// behind reports that more has come in than may without a reservation.
func (r *reserve) behind() bool { return r.came > r.reserved+r.free }

// more returns how many bytes to reserve, and how many of them have come.
func (r *reserve) more() (need, more int64) {
	ahead := min(max(r.came, minAhead), maxAhead)
	if r.most > 0 {
		ahead = r.most - r.came
	}
	return r.came - r.reserved, r.came + max(min(ahead, r.left-r.came), 0) - r.reserved
}

// grow reserves by means of hold. Near the quota it takes what is left.
func (r *reserve) grow(ctx context.Context, s *Service, owner account.ID, hold func(n int64) error) error {
	need, n := r.more()
	err := hold(n)
	if errors.Is(err, ErrQuota) && n > need {
		usage, failed := s.Usage(ctx, s.DB, owner)
		if failed != nil {
			return failed
		}
		n = min(n, max(need, usage.Left()))
		err = hold(n)
	}
	if err == nil {
		r.reserved += n
	}
	return err
}

// Expect says how many bytes come at most, so that they are reserved at once; below 1: not known.
func (u *Upload) Expect(most int64) { u.most = max(most, 0) }

// keepUp reserves what came in, when an object has a row that can hold it. Before the first one
// has, nothing is stored.
func (u *Upload) keepUp(ctx context.Context) error {
	if !u.behind() {
		return nil
	}
	for i := range slices.Backward(u.objects) {
		if o := u.objects[i]; o.content == nil {
			return u.hold(ctx, o, nil)
		}
	}
	return nil
}

// hold reserves what came in, and more, with an object. insert, if not nil, makes its row.
func (u *Upload) hold(ctx context.Context, o incoming, insert func(tx *db.Tx) error) error {
	return u.grow(ctx, u.s, u.owner, func(n int64) error {
		return u.s.DB.Tx(ctx, func(tx *db.Tx) error {
			if insert != nil {
				if err := insert(tx); err != nil {
					return err
				}
			}
			stands, err := holdMore(ctx, tx, o.ID, n)
			if err == nil && !stands {
				err = ErrExpired // the sweep took it
			}
			if err == nil && u.Stands != nil {
				err = u.Stands(ctx, tx)
			}
			if err != nil {
				return err
			}
			return u.s.charge(ctx, tx, u.owner, use{reserved: n})
		})
	})
}

// giveUpPending marks pending objects, and no longer counts what they held.
func (s *Service) giveUpPending(ctx context.Context, mark func(tx *db.Tx) (given, error)) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		g, err := mark(tx)
		if err != nil {
			return err
		}
		for _, owner := range slices.Sorted(maps.Keys(g)) { // one order: two of them do not wait for each other
			if err := subUsage(ctx, tx, owner, use{reserved: g[owner]}); err != nil {
				return err
			}
		}
		return nil
	})
}
