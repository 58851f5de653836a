package pin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/ipfs"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/pinning"
)

// Remove takes a pin from every target. The pin is gone once all of them have removed it; a
// pin that nothing was sent of is gone at once.
// A damaged one goes too: at each provider that its proof still leads to.
func (s *Service) Remove(ctx context.Context, owner account.ID, id string) (Pin, error) {
	before, err := s.Get(ctx, owner, id)
	if err != nil {
		return Pin{}, err
	}
	gone := false
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		r, err := s.ownOf(ctx, tx, owner, id)
		if err != nil {
			return err
		}
		if gone = r.CID == ""; gone {
			return s.discard(ctx, tx, r)
		}
		now := s.Now().UnixMilli()
		n, err := startRemoval(ctx, tx, id, "", now)
		if err != nil || n == 0 {
			return err
		}
		if err := s.stepAll(ctx, tx, r); err != nil {
			return err
		}
		return s.settle(ctx, tx, r)
	})
	if err != nil {
		return Pin{}, err
	}
	if gone {
		s.clearSoon(ctx, id)
	}
	after, err := s.Get(ctx, owner, id)
	if errors.Is(err, errNoPin) {
		before.State, before.Reason = Removing, ""
		return before, nil
	}
	return after, err
}

// ownOf is own for a caller who may name what is not there.
func (s *Service) ownOf(ctx context.Context, tx *db.Tx, owner account.ID, id string) (row, error) {
	if uuid.Validate(id) != nil {
		return row{}, errNoPin
	}
	r, err := s.own(ctx, tx, owner, id)
	if errors.Is(err, errLost) || err == nil && r.Account != owner {
		return row{}, errNoPin
	}
	return r, err
}

// stepAll enqueues the work of every target of a pin.
func (s *Service) stepAll(ctx context.Context, tx *db.Tx, r row) error {
	targets, err := readTargets(ctx, tx, []string{r.ID})
	if err != nil {
		return err
	}
	for _, t := range targets[r.ID] {
		if err := s.enqueueStep(ctx, tx, r.ID, t.Target, r.CID); err != nil {
			return err
		}
	}
	return nil
}

// settle brings a pin's state to that of its targets, and tells its owner's pages.
func (s *Service) settle(ctx context.Context, tx *db.Tx, r row) error {
	if err := settleState(ctx, tx, r.ID); err != nil {
		return err
	}
	return s.tell(ctx, tx, r)
}

// VerifyNow reads a pin back from every target that has it, soon.
func (s *Service) VerifyNow(ctx context.Context, owner account.ID, id string) (Pin, error) {
	return s.again(ctx, owner, id, func(tx *db.Tx, r row, _ *keyring.DataKey) error {
		names, err := verifyNow(ctx, tx, r.ID, s.Now().UnixMilli())
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := s.enqueueStep(ctx, tx, r.ID, name, r.CID); err != nil {
				return err
			}
		}
		return nil
	})
}

// Retry begins anew with the targets of a pin that failed.
func (s *Service) Retry(ctx context.Context, owner account.ID, id string) (Pin, error) {
	return s.again(ctx, owner, id, func(tx *db.Tx, r row, key *keyring.DataKey) error {
		targets, err := readTargets(ctx, tx, []string{r.ID})
		if err != nil {
			return err
		}
		for _, t := range targets[r.ID] {
			if t.proven(key) {
				continue
			}
			t.disown() // as its owner sees it
			if _, err := changeTarget(ctx, tx, t); err != nil {
				return err
			}
		}
		now := s.Now().UnixMilli()
		due := now
		if r.CID == "" {
			due = never
		}
		names, err := retryNow(ctx, tx, r.ID, now, due)
		if err != nil {
			return err
		}
		if len(names) == 0 {
			return errNotFailed
		}
		if r.CID == "" {
			if err := restartOutline(ctx, tx, r.ID, now); err != nil {
				return err
			}
			return s.Jobs.Enqueue(ctx, tx, buildJob, buildOrder{r.ID}, jobs.Key(r.ID))
		}
		for _, name := range names {
			if err := s.enqueueStep(ctx, tx, r.ID, name, r.CID); err != nil {
				return err
			}
		}
		return nil
	})
}

// again changes a pin of the owner's, within the limit of what costs calls to others.
func (s *Service) again(ctx context.Context, owner account.ID, id string, do func(*db.Tx, row, *keyring.DataKey) error) (Pin, error) {
	if _, err := s.Get(ctx, owner, id); err != nil {
		return Pin{}, err
	}
	if err := s.Limit.Take(ctx, s.PinLimit, string(owner)); err != nil {
		return Pin{}, err
	}
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		r, err := s.ownOf(ctx, tx, owner, id)
		if err != nil {
			return err
		}
		if r.Damaged {
			return errDamaged
		}
		key, err := s.dataKey(ctx, tx, owner)
		if err != nil {
			return err
		}
		if err := do(tx, r, key); err != nil {
			return err
		}
		return s.settle(ctx, tx, r)
	})
	if err != nil {
		return Pin{}, err
	}
	return s.Get(ctx, owner, id)
}

// takeAway removes a pin from one target. First the pin stops to count there. If it was the
// last, a job removes the copy, and wakes this row when that is done. The row looks every hour
// as well: a job that ends in the same moment may not see it yet.
func (s *Service) takeAway(ctx context.Context, r row, t targetRow) error {
	waits := false
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		removing, err := s.stopHolding(ctx, tx, r, t)
		// A target that is in no setting any more removes nothing: its copy waits until it is back.
		_, there := s.targets[t.Target]
		if waits = removing && there; err != nil || !waits {
			return err
		}
		return parkTarget(ctx, tx, t, s.Now().Add(s.times.most).UnixMilli())
	})
	if err != nil || waits {
		return err
	}
	return s.gone(ctx, r, t)
}

// stopHolding ends that a row counts in its copy, once. It reports whether the copy is being
// removed.
func (s *Service) stopHolding(ctx context.Context, tx *db.Tx, r row, t targetRow) (removing bool, err error) {
	held, err := letGo(ctx, tx, t)
	if err != nil {
		return false, err
	}
	if !held {
		c, err := readCopy(ctx, tx, t.Target, r.CID)
		if errors.Is(err, db.ErrNoRows) {
			return false, nil
		}
		return c.Removing, err
	}
	removing, err = releaseCopy(ctx, tx, t.Target, r.CID, r.ID, s.Now().UnixMilli())
	if err != nil || !removing {
		return false, err
	}
	return true, s.enqueueUnpin(ctx, tx, t.Target, r.CID)
}

// gone ends a pin at one target. With the last target the pin goes, and its objects with it.
func (s *Service) gone(ctx context.Context, r row, t targetRow) error {
	last := false
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		r, err := s.own(ctx, tx, r.Account, r.ID)
		if err != nil {
			return err
		}
		left, err := removeTarget(ctx, tx, t)
		if err != nil {
			return err
		}
		if last = left == 0; !last {
			return s.settle(ctx, tx, r)
		}
		digest, err := s.publicDigest(ctx, tx, r)
		if err != nil {
			return err
		}
		if err := s.discard(ctx, tx, r); err != nil {
			return err
		}
		return s.announceEnd(ctx, tx, r, digest)
	})
	if err == nil && last {
		s.clearSoon(ctx, r.ID)
	}
	return err
}

// discard removes a pin that no target has. What it held goes after that, by [Service.clear].
func (s *Service) discard(ctx context.Context, tx *db.Tx, r row) error {
	if err := remove(ctx, tx, r.ID); err != nil {
		return err
	}
	if err := loosen(ctx, tx, r.ID, r.Account); err != nil {
		return err
	}
	return s.tell(ctx, tx, r)
}

// unpinJob removes a copy that no pin needs. It knows no account.
const unpinJob = "pin.unpin"

type unpinOrder struct {
	Target string `json:"target"`
	CID    string `json:"cid"`
}

func (s *Service) enqueueUnpin(ctx context.Context, tx *db.Tx, target, cid string) error {
	return s.Jobs.Enqueue(ctx, tx, unpinJob, unpinOrder{target, cid}, jobs.Key(target+"/"+cid))
}

// leave notes what may be at a target for a pin that is gone, and sees that it is removed.
func (s *Service) leave(ctx context.Context, target, cid, ref string) error {
	return s.DB.Tx(context.WithoutCancel(ctx), func(tx *db.Tx) error {
		removing, err := leaveCopy(ctx, tx, target, cid, ref, s.Now().UnixMilli())
		if err != nil || !removing {
			return err
		}
		return s.enqueueUnpin(ctx, tx, target, cid)
	})
}

func (s *Service) unpin(ctx context.Context, payload []byte) error {
	var order unpinOrder
	if err := json.Unmarshal(payload, &order); err != nil {
		return jobs.Permanent(fmt.Errorf("%s: %w", unpinJob, err))
	}
	c, err := readCopy(ctx, s.DB, order.Target, order.CID)
	if errors.Is(err, db.ErrNoRows) || err == nil && !c.Removing {
		return nil
	}
	if err != nil {
		return err
	}
	root, err := ipfs.Parse(order.CID)
	if err != nil {
		return jobs.Permanent(err)
	}
	target, ok := s.targets[order.Target]
	if !ok { // until the operator names it again
		return delayCopy(ctx, s.DB, order.Target, order.CID, s.Now().Add(s.times.most).UnixMilli())
	}
	if err := target.Target.Remove(ctx, root, c.Ref); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		after := s.backoff(c.Tries)
		if retry, ok := errors.AsType[*pinning.RetryError](err); ok {
			after = max(after, retry.After)
		}
		reason := string(pinning.ReasonOf(err))
		s.Log.WarnContext(ctx, "pin: a copy was not removed", "target", order.Target, "reason", reason, "error", err)
		if err := s.explain(ctx, order, reason); err != nil {
			return err
		}
		return delayCopy(ctx, s.DB, order.Target, order.CID, s.Now().Add(after).UnixMilli())
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		pins, err := wakeRemovals(ctx, tx, order.Target, order.CID, s.Now().UnixMilli())
		if err != nil {
			return err
		}
		if err := endRemoval(ctx, tx, order.Target, order.CID); err != nil {
			return err
		}
		for _, id := range pins {
			if err := s.enqueueStep(ctx, tx, id, order.Target, order.CID); err != nil {
				return err
			}
		}
		return nil
	})
}

// empty removes the pins of an account that is being deleted, one after the other.
func (s *Service) empty(ctx context.Context, owner account.ID) error {
	for {
		ids, err := readIDs(ctx, s.DB, owner, 100)
		if err != nil {
			return err
		}
		loose, err := readLooseOf(ctx, s.DB, owner, 100)
		if err != nil || len(ids)+len(loose) == 0 {
			return err
		}
		for _, id := range loose {
			if err := s.clear(ctx, id); err != nil {
				return err
			}
		}
		for _, id := range ids {
			if err := s.DB.Tx(ctx, func(tx *db.Tx) error { return s.forgetPin(ctx, tx, owner, id) }); err != nil {
				return err
			}
		}
	}
}

// forget removes what came since. The objects go with the account.
func (s *Service) forget(ctx context.Context, tx *db.Tx, owner account.ID) error {
	for {
		ids, err := readIDs(ctx, tx, owner, 100)
		if err != nil {
			return err
		}
		loose, err := readLooseOf(ctx, tx, owner, 100)
		if err != nil || len(ids)+len(loose) == 0 {
			return err
		}
		for _, id := range loose {
			if err := removeLoose(ctx, tx, id); err != nil {
				return err
			}
		}
		for _, id := range ids {
			if err := s.forgetPin(ctx, tx, owner, id); err != nil {
				return err
			}
		}
	}
}

// forgetPin removes a pin of an account that goes. Copies that no other pin needs are left to a
// job, which knows only where they are. The entry in the ledger is tied to no account.
func (s *Service) forgetPin(ctx context.Context, tx *db.Tx, owner account.ID, id string) error {
	r, err := s.lockChecked(ctx, tx, owner, id)
	if errors.Is(err, errNoPin) {
		return nil
	}
	if err != nil {
		return err
	}
	targets, err := readTargets(ctx, tx, []string{id})
	if err != nil {
		return err
	}
	for _, t := range targets[id] {
		if _, err := s.stopHolding(ctx, tx, r, t); err != nil {
			return err
		}
	}
	digest, err := s.publicDigest(ctx, tx, r)
	if err != nil {
		return err
	}
	if err := s.discard(ctx, tx, r); err != nil {
		return err
	}
	r.Account = ""
	return s.announceEnd(ctx, tx, r, digest)
}

// explain says in the pins that a removal waits, and why.
func (s *Service) explain(ctx context.Context, order unpinOrder, reason string) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		pins, err := explainRemovals(ctx, tx, order.Target, order.CID, reason)
		if err != nil {
			return err
		}
		for _, id := range pins {
			r, err := readByID(ctx, tx, id)
			if err != nil {
				return err
			}
			if err := s.tell(ctx, tx, r); err != nil {
				return err
			}
		}
		return nil
	})
}
