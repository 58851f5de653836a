package pin

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"coffer/internal/db"
	"coffer/internal/ipfs"
	"coffer/internal/pinning"
	"coffer/internal/seal"
)

// samples is how many blocks one verification reads: the root, the manifest, and others that
// a random draw chooses.
const samples = 16

// verify reads blocks back through a target's own gateway.
func (s *Service) verify(ctx context.Context, r row, t targetRow, target pinning.Named, root ipfs.CID) error {
	sample, err := s.sample(ctx, r, root)
	if errors.Is(err, seal.ErrOpen) {
		s.Log.ErrorContext(ctx, "pin: a pin is damaged", "account", r.Account, "pin", r.ID, "error", err)
		return s.fail(ctx, r, t, reasonDamaged)
	}
	if err != nil {
		return err
	}
	work, stop := s.keep(ctx, func(ctx context.Context) error {
		ours, err := touchTarget(ctx, s.DB, t, s.Now().Add(s.times.lease).UnixMilli())
		if err == nil && !ours {
			err = errLost
		}
		return err
	})
	defer stop()
	c, err := readCopy(ctx, s.DB, t.Target, r.CID)
	if errors.Is(err, db.ErrNoRows) {
		return s.fail(ctx, r, t, reasonVanished)
	}
	if err != nil {
		return err
	}
	state, err := target.Target.Status(work, root, c.Ref)
	if err != nil {
		return s.unverified(ctx, r, t, err)
	}
	if state != pinning.Pinned {
		return s.missing(ctx, r, t)
	}
	for _, want := range sample {
		got, err := target.Target.Block(work, want)
		switch {
		case errors.Is(err, pinning.ErrAbsent):
			return s.missing(ctx, r, t)
		case err != nil:
			return s.unverified(ctx, r, t, err)
		case ipfs.Sum(want.Codec, got) != want:
			return s.fail(ctx, r, t, reasonWrongBytes)
		}
	}
	stop()
	return s.move(ctx, r, t, Verified, s.Now().Add(s.PinVerify).UnixMilli())
}

// sample draws the blocks to read: each set of them is as likely as any other. An outline that has
// lost blocks, or got some, is [seal.ErrOpen]: fewer blocks would be read of it. The digests
// cannot draw in its place. A provider knows them all, and would drop those with the smallest
// gaps before them.
func (s *Service) sample(ctx context.Context, r row, root ipfs.CID) ([]ipfs.CID, error) {
	all := []ipfs.CID{root}
	if r.Encrypt {
		first, err := readInOrder(ctx, s.DB, r.ID, blockRow{Ord: inManifest, Start: -1}, 1)
		if err != nil {
			return nil, err
		}
		for _, b := range first {
			all = append(all, b.CID)
		}
	}
	var seed [32]byte
	crand.Read(seed[:])
	random := rand.New(rand.NewChaCha8(seed))
	fixed, room, seen := len(all), samples-len(all), 0
	sum := newBlockSum()
	err := eachBlock(ctx, s.DB, r.ID, func(c ipfs.CID) {
		sum.add(c)
		if slices.Contains(all[:fixed], c) {
			return
		}
		seen++
		if at := random.IntN(seen); len(all)-fixed < room {
			all = append(all, c)
		} else if at < room { // the new one takes the place of any, with the chance that each had
			all[fixed+at] = c
		}
	})
	if err == nil && sum.text() != r.Blocks {
		err = fmt.Errorf("outline of pin %s: %w", r.ID, seal.ErrOpen)
	}
	return all, err
}

// missing waits for a block that is not there, and after an hour it is a failure.
func (s *Service) missing(ctx context.Context, r row, t targetRow) error {
	now := s.Now()
	if t.MissingAt == nil || t.Reason != reasonNotYet { // an outage before is not the block's hour
		at := now.UnixMilli()
		t.MissingAt, t.Tries = &at, 0
	}
	if now.Sub(time.UnixMilli(*t.MissingAt)) < s.times.grace {
		return s.wait(ctx, r, t, reasonNotYet, min(s.backoff(t.Tries), s.times.grace/4))
	}
	return s.failMissing(ctx, r, t)
}

func (s *Service) failMissing(ctx context.Context, r row, t targetRow) error {
	if t.VerifiedAt != nil {
		return s.fail(ctx, r, t, reasonVanished)
	}
	return s.fail(ctx, r, t, reasonNotRetrievable)
}

// unverified waits after an error that says nothing of the content: for days, not an hour. An
// outage within the hour of a block that is not there does not begin that hour anew.
func (s *Service) unverified(ctx context.Context, r row, t targetRow, err error) error {
	if errors.Is(err, pinning.ErrAbsent) {
		return s.missing(ctx, r, t)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, pinning.ErrOtherCID) {
		return s.fail(ctx, r, t, string(pinning.OtherCID))
	}
	now := s.Now()
	if t.MissingAt == nil {
		at := now.UnixMilli()
		t.MissingAt = &at
	}
	if now.Sub(time.UnixMilli(*t.MissingAt)) > s.times.patience {
		if refused, ok := errors.AsType[*pinning.PermanentError](err); ok { // the operator can mend that
			return s.fail(ctx, r, t, string(refused.Reason))
		}
		return s.failMissing(ctx, r, t)
	}
	after := s.backoff(t.Tries)
	if retry, ok := errors.AsType[*pinning.RetryError](err); ok {
		after = max(after, retry.After)
	}
	reason := string(pinning.ReasonOf(err))
	s.Log.WarnContext(ctx, "pin: a target was not read", "pin", r.ID, "target", t.Target, "reason", reason, "error", err)
	if t.Reason == reasonNotYet {
		reason = reasonNotYet
	}
	return s.wait(ctx, r, t, reason, after)
}
