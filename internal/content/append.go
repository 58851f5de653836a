package content

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"time"

	"coffer/internal/account"
	"coffer/internal/blob"
	"coffer/internal/db"
)

// AppendOptions say what else is asked of an append.
type AppendOptions struct {
	// Expires is when the object ends, counted from the last byte; zero: it stays as it is.
	Expires time.Time
	// Check and Want: the bytes are taken only when their sum is Want.
	Check hash.Hash
	Want  []byte
}

// Append takes the bytes of r behind the first at bytes of an object. It returns how many of
// them are durable: the object has come so far, whatever happens next.
//
// An append that begins at the object's offset ends one that runs: that one fails with
// [ErrTakenOver] and stores nothing more. A reader that breaks ends the append too; what came
// is kept, unless there is a sum to compare, and the reader's error is returned. ctx bounds
// the reading only.
func (s *Service) Append(ctx context.Context, owner account.ID, id string, at int64, r io.Reader, o AppendOptions) (n int64, err error) {
	work := context.WithoutCancel(ctx) // the client is often gone when its last bytes are stored
	a, err := s.beginAppend(work, owner, id, at, o)
	if err != nil {
		return 0, err
	}
	from, err := a.source(work, ctx, r)
	if err != nil {
		return 0, err
	}
	for err == nil {
		var p part
		if p, err = a.store(work, from); err != nil || p.size == 0 {
			break
		}
		if a.held = append(a.held, p); o.Want != nil {
			continue
		}
		if err = a.settle(work); err == nil {
			n = a.taken - at
		}
	}
	if err == nil && o.Want != nil {
		switch {
		case from.broken != nil: // the sum of what came says nothing
		case !bytes.Equal(o.Check.Sum(nil), o.Want):
			err = ErrChecksum
		case len(a.held) > 0:
			if err = a.settle(work); err == nil {
				n = a.taken - at
			}
		}
	}
	for _, p := range a.held {
		a.drop(work, p)
	}
	a.unreserve(work)
	if err == nil {
		err = from.broken
	}
	return n, err
}

// appending is an append that runs. It belongs to one goroutine.
type appending struct {
	*Service
	progress
	owner   account.ID
	id      string
	key     []byte
	row     growth // as it was settled last
	keep    time.Duration
	check   io.Writer
	held    []part // stored, and not settled before the sum is known
	touched time.Time
	lost    error // why another one has the object
}

// beginAppend takes the fence.
func (s *Service) beginAppend(ctx context.Context, owner account.ID, id string, at int64, o AppendOptions) (*appending, error) {
	now := s.Now()
	row, err := takeFence(ctx, s.DB, owner, id, at, now, o.Expires)
	if errors.Is(err, db.ErrNoRows) {
		g, err := s.Growing(ctx, s.DB, owner, id)
		if err == nil && !g.Expires.After(now) {
			err = ErrExpired
		} else if err == nil {
			err = ErrOffset
		}
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	a := &appending{Service: s, owner: owner, id: id, row: row, touched: now}
	if !o.Expires.IsZero() {
		a.keep = o.Expires.Sub(now)
	}
	if o.Want != nil {
		a.check = o.Check
	}
	if a.key, err = s.growingKey(ctx, s.DB, owner, id); err != nil {
		return nil, err
	}
	a.progress, err = openProgress(row.progress, id, a.key, at)
	return a, err
}

// expires is when the object ends, seen from now.
func (a *appending) expires() int64 {
	if a.keep == 0 {
		return a.row.expires
	}
	return a.Now().Add(a.keep).UnixMilli()
}

// source returns the bytes that the append takes.
func (a *appending) source(ctx, reading context.Context, r io.Reader) (*source, error) {
	s := &source{a: a, ctx: reading, r: r}
	if a.row.length != nil {
		s.left, s.beyond = *a.row.length-a.taken, ErrBeyond
		return s, nil
	}
	u, err := a.Usage(ctx, a.DB, a.owner)
	s.left, s.beyond = u.Left(), ErrQuota // what is reserved decides
	if s.left < math.MaxInt64 {
		s.left += a.row.reserved - a.taken // an append that died has reserved it for this object
	}
	s.reserve = &reserve{came: a.taken, reserved: a.row.reserved, free: u.free()}
	s.reserve.left = max(s.left, s.left+a.taken) // a sum that is too large is below zero
	return s, err
}

// source is what comes in. A reader that breaks is an end, so that what came before makes a
// whole part; one that has more than the object may take is refused.
type source struct {
	a      *appending
	ctx    context.Context
	r      io.Reader
	left   int64
	beyond error // of the byte after left
	broken error // why the reader ended early

	*reserve // of an object without a length; nil: that is reserved
}

// keepUp reserves what came in.
func (s *source) keepUp(ctx context.Context) error {
	r, a := s.reserve, s.a
	if r.reserved = a.row.reserved; !r.behind() { // a part that settled has changed it
		return nil
	}
	return r.grow(ctx, a.Service, a.owner, func(n int64) error {
		err := a.DB.Tx(ctx, func(tx *db.Tx) error {
			held, err := holdGrowth(ctx, tx, a.id, a.row, n)
			if err == nil && !held {
				err = a.overtaken(ctx, tx)
			}
			if err != nil {
				return err
			}
			return a.charge(ctx, tx, a.owner, use{reserved: n})
		})
		if err == nil {
			a.row.reserved += n
		}
		return err
	})
}

// unreserve no longer reserves what did not come. A process that dies before leaves that to the
// next append, or to the object's end.
func (a *appending) unreserve(ctx context.Context) {
	n := a.row.reserved - a.row.taken
	if a.row.length != nil || n == 0 {
		return
	}
	err := a.DB.Tx(ctx, func(tx *db.Tx) error {
		held, err := holdGrowth(ctx, tx, a.id, a.row, -n)
		if err != nil || !held { // the append that took over has it
			return err
		}
		return subUsage(ctx, tx, a.owner, use{reserved: n})
	})
	if err != nil {
		a.Log.WarnContext(ctx, "what an upload reserved stays until it goes on", "error", err)
	}
}

func (s *source) Read(p []byte) (int, error) {
	if s.a.lost != nil {
		return 0, s.a.lost
	}
	if s.broken == nil && s.ctx.Err() != nil {
		s.broken = context.Cause(s.ctx)
	}
	if s.broken != nil {
		return 0, io.EOF
	}
	if s.left < math.MaxInt64 {
		p = p[:min(int64(len(p)), max(s.left, 0)+1)] // one byte more shows that there is more
	}
	n, err := s.r.Read(p)
	if s.left -= int64(n); s.left < 0 {
		return 0, s.beyond
	}
	if s.reserve != nil {
		s.came += int64(n)
		if err := s.keepUp(context.WithoutCancel(s.ctx)); err != nil {
			return 0, err
		}
	}
	if err != nil && err != io.EOF {
		s.broken, err = err, io.EOF
	}
	return n, err
}

// store stores the next part; its size is 0 when there is none.
func (a *appending) store(ctx context.Context, from io.Reader) (p part, err error) {
	r := io.LimitReader(from, a.partSize)
	head, whole, err := readHead(r)
	if err != nil {
		return p, err
	}
	if whole && head[0].n == 0 {
		giveBack(head)
		return p, nil
	}
	if a.parts >= a.maxParts {
		giveBack(head)
		return p, ErrTooManyParts
	}
	p = part{id: newID(), start: a.taken}
	digest := io.Writer(a.digest)
	if a.check != nil {
		digest = io.MultiWriter(a.digest, a.check)
	}
	if whole {
		plain := head[0].bytes()
		p.size = int64(len(plain))
		_, err = digest.Write(plain)
		if err == nil {
			p.sealed, err = sealSmall(plain, a.key, partAAD(a.id, p))
		}
		giveBack(head)
	} else {
		p.size, err = a.storeLarge(ctx, p, digest, head, r)
	}
	if err != nil {
		return p, err
	}
	a.taken += p.size
	a.parts++
	a.list = a.list.with(p)
	return p, nil
}

// storeLarge stores a part in the store. Its row stands before its first byte.
func (a *appending) storeLarge(ctx context.Context, p part, digest io.Writer, head []*chunk, r io.Reader) (size int64, err error) {
	err = a.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := a.hold(ctx, tx); err != nil {
			return err
		}
		return insertPart(ctx, tx, a.id, p, pending, a.Now())
	})
	if err != nil {
		giveBack(head)
		return 0, err
	}
	size, err = a.storeContent(ctx, place{p.id, a.key, partAAD(a.id, p)}, digest, head, r, func() { a.touch(ctx, p.id) })
	if errors.Is(err, blob.ErrMissing) {
		err = ErrExpired // the object was given up, and its parts went
	}
	if err != nil {
		a.drop(ctx, p)
	}
	return size, err
}

// hold locks the object while this append still has it.
func (a *appending) hold(ctx context.Context, q db.Querier) error {
	held, err := holdFence(ctx, q, a.id, a.row.attempt, a.expires())
	if err == nil && !held {
		err = a.overtaken(ctx, q)
	}
	return err
}

// overtaken says why the object is no longer this append's.
func (a *appending) overtaken(ctx context.Context, q db.Querier) error {
	if _, err := a.Growing(ctx, q, a.owner, a.id); err != nil {
		return err
	}
	return ErrTakenOver
}

// touch keeps the sweep from what a slow append stores, and ends one that was taken over. Parts
// that wait for the sum may be much older than the one that is being stored.
func (a *appending) touch(ctx context.Context, partID string) {
	now := a.Now()
	every := touchEvery
	if a.keep > 0 {
		every = min(every, a.keep/4)
	}
	if now.Sub(a.touched) < every {
		return
	}
	a.touched = now
	err := a.hold(ctx, a.DB)
	if errors.Is(err, ErrTakenOver) || errors.Is(err, ErrExpired) {
		a.lost = err
		return
	}
	if err == nil {
		ids := []string{partID}
		for _, p := range a.held {
			ids = append(ids, p.id)
		}
		err = touchParts(ctx, a.DB, ids, now)
	}
	if err != nil {
		a.Log.WarnContext(ctx, "a running upload could not be touched", "error", err) // there is time for several more tries
	}
}

// settle makes the parts that are held the object's: from then on it has come so far.
func (a *appending) settle(ctx context.Context) (err error) {
	to := a.row
	to.taken, to.expires = a.taken, a.expires()
	if to.progress, err = a.seal(a.id, a.key); err != nil {
		return err
	}
	if to.length == nil {
		to.reserved = to.taken
	}
	err = a.DB.Tx(ctx, func(tx *db.Tx) error {
		moved, err := moveGrowth(ctx, tx, a.id, a.row.taken, to)
		if err == nil && !moved {
			err = a.overtaken(ctx, tx)
		}
		if err != nil {
			return err
		}
		for _, p := range a.held {
			settled := true
			if p.sealed != nil {
				err = insertPart(ctx, tx, a.id, p, live, a.Now())
			} else {
				settled, err = settlePart(ctx, tx, p)
			}
			if err == nil && !settled {
				err = ErrExpired // it stalled, and the sweep took it
			}
			if err != nil {
				return err
			}
		}
		if more := to.reserved - a.row.reserved; more != 0 {
			return a.charge(ctx, tx, a.owner, use{reserved: more})
		}
		return nil
	})
	if err == nil {
		a.row, a.held = to, nil
	}
	return err
}

// drop removes a part unless it is the object's: after a lost answer to the commit it may be.
// The sweep removes a part that drop could not remove.
func (a *appending) drop(ctx context.Context, p part) {
	if p.sealed != nil {
		return // it has no row, or stands
	}
	stands, err := giveUpPart(ctx, a.DB, p.id)
	if err == nil && !stands {
		failures, _ := a.remove(ctx, partRows, []string{p.id}, nil)
		err = errors.Join(failures...)
	}
	if err != nil {
		a.Log.WarnContext(ctx, "a part of an upload stays until the sweep", "error", fmt.Errorf("part %s: %w", p.id, err))
	}
}

// newID returns a random id of an object or a part.
func newID() string {
	var random [16]byte
	rand.Read(random[:])
	return hex.EncodeToString(random[:])
}
