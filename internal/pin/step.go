package pin

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/file"
	"coffer/internal/ipfs"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/ledger"
	"coffer/internal/pinning"
	"coffer/internal/seal"
)

// stepJob brings one pin at one target on, as far as it goes at once. Whatever has to wait
// stands in its row as a time, at which [Service.due] asks again: a job's own attempts end.
const stepJob = "pin.step"

type stepOrder struct {
	Pin    string `json:"pin"`
	Target string `json:"target"`
	CID    string `json:"cid"` // tells what to remove when the pin is gone
}

func (s *Service) enqueueStep(ctx context.Context, tx *db.Tx, pin, target, cid string) error {
	return s.Jobs.Enqueue(ctx, tx, stepJob, stepOrder{pin, target, cid}, jobs.Key(pin+"/"+target))
}

// The reasons beside those of package pinning, which stand in docs/pins.md with them.
const (
	reasonDamaged        = "damaged"         // what is stored here cannot be read
	reasonNames          = "names_collide"   // a folder of IPFS cannot hold two of the names
	reasonNoTarget       = "no_such_target"  // the operator has taken it out of the settings
	reasonWaiting        = "waiting"         // in the provider's queue
	reasonStuck          = "stuck"           // in the provider's queue for too long
	reasonProvider       = "provider_failed" // the provider says that it gave up
	reasonShared         = "shared"          // another pin of the same content is at work there
	reasonNotYet         = "not_yet"         // a block cannot be read back yet
	reasonNotRetrievable = "not_retrievable" // it never could
	reasonVanished       = "vanished"        // it could once
	reasonWrongBytes     = "wrong_bytes"     // the provider's gateway serves other bytes
)

// due enqueues what has waited long enough: a provider's pause, or a worker that died. It clears what a
// crash has left behind.
func (s *Service) due(ctx context.Context) error {
	const batch = 500
	now := s.Now().UnixMilli()
	return errors.Join(s.enqueueDue(ctx, now, batch), db.Walk(ctx, func(last *loose, limit int) ([]loose, error) {
		return readLoose(ctx, s.DB, now, last, limit)
	}, func(l loose) error {
		return s.clear(ctx, l.pin) // each apart: one that cannot be cleared stops no other
	}))
}

// enqueueDue enqueues the jobs of what has waited long enough.
func (s *Service) enqueueDue(ctx context.Context, now int64, batch int) error {
	outlines, err := readDueOutlines(ctx, s.DB, now, batch)
	if err != nil {
		return err
	}
	steps, err := readDue(ctx, s.DB, now, batch)
	if err != nil {
		return err
	}
	copies, err := readDueCopies(ctx, s.DB, now, batch)
	if err != nil || len(outlines)+len(steps)+len(copies) == 0 {
		return err
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		for _, id := range outlines {
			if err := s.Jobs.Enqueue(ctx, tx, buildJob, buildOrder{id}, jobs.Key(id)); err != nil {
				return err
			}
		}
		for _, d := range steps {
			if err := s.enqueueStep(ctx, tx, d.pin, d.target, d.cid); err != nil {
				return err
			}
		}
		for _, d := range copies {
			if err := s.enqueueUnpin(ctx, tx, d.target, d.cid); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) step(ctx context.Context, payload []byte) error {
	var order stepOrder
	if err := json.Unmarshal(payload, &order); err != nil {
		return jobs.Permanent(fmt.Errorf("%s: %w", stepJob, err))
	}
	for more := true; more; {
		now := s.Now()
		t, err := claimTarget(ctx, s.DB, order.Pin, order.Target, now.UnixMilli(), now.Add(s.times.lease).UnixMilli())
		if errors.Is(err, db.ErrNoRows) {
			return s.unowned(ctx, order)
		}
		if err != nil {
			return err
		}
		if more, err = s.advance(ctx, t); err != nil && ctx.Err() != nil {
			_, late := touchTarget(context.WithoutCancel(ctx), s.DB, t, s.Now().UnixMilli())
			return errors.Join(err, late)
		}
		if errors.Is(err, errLost) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unowned sees to what a killed worker may have left at a target for a pin that is gone.
func (s *Service) unowned(ctx context.Context, order stepOrder) error {
	_, err := readByID(ctx, s.DB, order.Pin)
	if !errors.Is(err, errNoPin) || order.CID == "" {
		return err
	}
	return s.leave(ctx, order.Target, order.CID, "")
}

// advance does one thing for a row that is ours. more says that the next can be done at once.
func (s *Service) advance(ctx context.Context, t targetRow) (more bool, err error) {
	r, err := readByID(ctx, s.DB, t.Pin)
	var key *keyring.DataKey
	if err == nil {
		key, err = s.dataKey(ctx, s.DB, r.Account)
	}
	if errors.Is(err, errNoPin) {
		return false, errLost
	}
	if err != nil {
		return false, err
	}
	s.checked(ctx, &r, key)
	if t.State == Removing {
		return false, s.takeAway(ctx, r, t)
	}
	forged := !t.proven(key)
	if forged {
		t.disown()
	}
	target, ok := s.targets[t.Target]
	root, badRoot := ipfs.Parse(r.CID)
	switch {
	case forged && t.State == Failed, r.Damaged && t.State != Failed, r.CID != "" && badRoot != nil:
		return false, s.fail(ctx, r, t, reasonDamaged)
	case r.CID == "", t.State == Failed:
		t.NextAt = never // the outline comes first, or the owner decides
		_, err := changeTarget(ctx, s.DB, t)
		return false, err
	case !ok:
		return false, s.fail(ctx, r, t, reasonNoTarget)
	case t.State == Queued, t.State == Sending:
		if off, err := s.stopped(ctx, r.Account, target.Fetches); err != nil {
			return false, err
		} else if off {
			return false, s.pause(ctx, t)
		}
	}
	switch t.State {
	case Queued:
		return true, s.move(ctx, r, t, Sending, s.Now().UnixMilli())
	case Sending:
		return s.send(ctx, r, t, target, root)
	}
	return false, s.verify(ctx, r, t, target, root)
}

// stopped reports whether an account publishes nothing now: the operator has suspended it, or its owner
// deactivated it while a provider would fetch from this server's gateway, which shows none of its pins.
func (s *Service) stopped(ctx context.Context, owner account.ID, fetches bool) (bool, error) {
	st, err := s.Accounts.State(ctx, owner)
	if errors.Is(err, account.ErrNotFound) {
		return false, nil
	}
	return st.Status == account.Suspended || fetches && st.Status == account.Deactivated, err
}

// pause lets a row of a stopped account wait, which is no fault of its target.
func (s *Service) pause(ctx context.Context, t targetRow) error {
	now := s.Now()
	t.SinceAt, t.NextAt = now.UnixMilli(), now.Add(s.times.most).UnixMilli()
	ours, err := changeTarget(ctx, s.DB, t)
	if err == nil && !ours {
		err = errLost
	}
	return err
}

// send brings the content to a target and waits until that has it.
func (s *Service) send(ctx context.Context, r row, t targetRow, target pinning.Named, root ipfs.CID) (more bool, err error) {
	c, err := takeCopy(ctx, s.DB, t.Target, r.CID, r.ID)
	if errors.Is(err, db.ErrNoRows) {
		return false, s.wait(ctx, r, t, reasonShared, s.times.first)
	}
	if err != nil {
		return false, err
	}
	if !c.Sent {
		ref, err := s.put(ctx, r, t, target, root, c.Ref)
		if err != nil {
			return false, s.notSent(ctx, r, t, c.Ref, err)
		}
		c.Ref = ref
	}
	if ours, err := setSent(ctx, s.DB, t.Target, r.CID, r.ID, true, c.Ref); err != nil || !ours {
		return false, errors.Join(err, s.leave(ctx, t.Target, r.CID, c.Ref))
	}
	state, err := target.Target.Status(ctx, root, c.Ref)
	if err != nil {
		return false, s.trouble(ctx, r, t, err)
	}
	switch state {
	case pinning.Pinned:
		return true, s.move(ctx, r, t, Pinned, s.Now().UnixMilli())
	case pinning.Failed:
		return false, s.fail(ctx, r, t, reasonProvider)
	case pinning.Gone: // sent anew at the next attempt
		if err := s.DB.Tx(ctx, func(tx *db.Tx) error { return lostCopy(ctx, tx, t.Target, r.CID) }); err != nil {
			return false, err
		}
	}
	if s.Now().Sub(time.UnixMilli(t.SinceAt)) > s.times.patience {
		return false, s.fail(ctx, r, t, reasonStuck)
	}
	return false, s.wait(ctx, r, t, reasonWaiting, min(s.backoff(t.Tries), s.times.sendEvery))
}

// put hands the content over. Its row is kept meanwhile, and its context ends when the pin is
// taken away.
func (s *Service) put(ctx context.Context, r row, t targetRow, target pinning.Named, root ipfs.CID, before string) (ref string, err error) {
	work, stop := s.keep(ctx, func(ctx context.Context) error {
		ours, err := touchTarget(ctx, s.DB, t, s.Now().Add(s.times.lease).UnixMilli())
		return s.mayGoOn(ctx, r.Account, target.Fetches, ours, err)
	})
	defer stop()
	if before != "" { // what was sent once and lost is not asked for under two names
		if err := target.Target.Remove(work, root, before); err != nil {
			return "", err
		}
	}
	ref, reported, err := target.Target.Put(work, s.source(work, r, root))
	if err == nil && reported != root {
		err = fmt.Errorf("%w: %s", pinning.ErrOtherCID, reported)
	}
	if err == nil {
		return ref, nil
	}
	stop()
	stopped := context.Cause(work) == errStopped && ctx.Err() == nil && !errors.Is(err, pinning.ErrOtherCID)
	if context.Cause(work) == errLost || stopped || errors.Is(err, pinning.ErrOtherCID) {
		// Something may be there: the copy's removal has to know its name.
		if _, late := setSent(context.WithoutCancel(ctx), s.DB, t.Target, r.CID, r.ID, false, ref); late != nil {
			return "", errors.Join(err, late)
		}
	}
	if stopped {
		return "", errStopped
	}
	if context.Cause(work) == errLost && ctx.Err() == nil {
		return "", errors.Join(errLost, s.leave(ctx, t.Target, r.CID, ref))
	}
	return "", err
}

// notSent judges why a content was not handed over, and lets another pin of it try. ref is the
// name under which an earlier sending may still stand at the provider.
func (s *Service) notSent(ctx context.Context, r row, t targetRow, ref string, err error) error {
	if errors.Is(err, errLost) || ctx.Err() != nil {
		return errors.Join(errLost, ctx.Err())
	}
	if errors.Is(err, errStopped) {
		return s.pause(ctx, t)
	}
	if !errors.Is(err, pinning.ErrOtherCID) {
		if _, err := setSent(ctx, s.DB, t.Target, r.CID, r.ID, false, ref); err != nil {
			return err
		}
	}
	switch {
	case errors.Is(err, pinning.ErrOtherCID):
		return s.fail(ctx, r, t, string(pinning.OtherCID))
	case content.IsLost(err), errors.Is(err, errNoPin):
		s.Log.ErrorContext(ctx, "pin: a content cannot be read", "pin", r.ID, "error", err)
		return s.fail(ctx, r, t, reasonDamaged)
	}
	return s.trouble(ctx, r, t, err)
}

// trouble waits after an error of a target that may pass, and fails after any other.
func (s *Service) trouble(ctx context.Context, r row, t targetRow, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	reason := string(pinning.ReasonOf(err))
	s.Log.WarnContext(ctx, "pin: a target did not do its part", "pin", r.ID, "target", t.Target, "reason", reason, "error", err)
	if _, ok := errors.AsType[*pinning.PermanentError](err); ok {
		return s.fail(ctx, r, t, reason)
	}
	if t.State == Sending && s.Now().Sub(time.UnixMilli(t.SinceAt)) > s.times.patience {
		return s.fail(ctx, r, t, reason)
	}
	after := s.backoff(t.Tries)
	if retry, ok := errors.AsType[*pinning.RetryError](err); ok {
		after = max(after, retry.After)
	}
	return s.wait(ctx, r, t, reason, after)
}

// backoff doubles with each attempt, up to an hour, and is a random half to whole of that.
func (s *Service) backoff(tries int64) time.Duration {
	d := s.times.most
	if tries < 20 {
		d = min(s.times.first<<tries, s.times.most)
	}
	return d/2 + rand.N(d/2+1)
}

// wait gives a row back until a time, and tells the owner's open pages why.
func (s *Service) wait(ctx context.Context, r row, t targetRow, reason string, after time.Duration) error {
	t.Reason, t.Tries, t.NextAt = reason, t.Tries+1, s.Now().Add(after).UnixMilli()
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		ours, err := changeTarget(ctx, tx, t)
		if err == nil && !ours {
			err = errLost
		}
		if err != nil {
			return err
		}
		return s.tell(ctx, tx, r)
	})
}

// move brings a row to a state in which it is due at a time. The first target that has the
// content makes an entry in the ledger, and so does one that has it again.
func (s *Service) move(ctx context.Context, r row, t targetRow, to State, next int64) error {
	now := s.Now().UnixMilli()
	from, again := t.State, t.PinnedAt != nil
	t.State, t.Reason, t.Tries, t.MissingAt, t.NextAt = to, "", 0, nil, next
	if from != to {
		t.SinceAt = now
	}
	switch {
	case to == Pinned:
		t.PinnedAt = &now
	case to == Verified:
		t.VerifiedAt = &now
	}
	if t.has() {
		key, err := s.dataKey(ctx, s.DB, r.Account)
		if errors.Is(err, errNoPin) {
			err = errLost
		}
		if err == nil {
			err = t.prove(key)
		}
		if err != nil {
			return err
		}
	}
	return s.change(ctx, r, t, func(tx *db.Tx, r row) error {
		if r.Damaged { // since the worker read it; the next attempt fails the row
			return fmt.Errorf("pin %s: %w", r.ID, seal.ErrOpen)
		}
		if to != Pinned || r.Announced && !again {
			return nil
		}
		return s.announce(ctx, tx, r, ledger.Pin, false)
	})
}

// fail ends a row for good, and tells the owner.
func (s *Service) fail(ctx context.Context, r row, t targetRow, reason string) error {
	// A provider that gave up, or has something else, does not have what was sent.
	lost := t.State == Pinned || t.State == Verified || reason == reasonProvider || reason == reasonStuck || reason == string(pinning.OtherCID)
	t.State, t.Reason, t.Tries, t.MissingAt, t.NextAt, t.SinceAt = Failed, reason, 0, nil, never, s.Now().UnixMilli()
	return s.change(ctx, r, t, func(tx *db.Tx, r row) error {
		if lost || reason == reasonDamaged { // what is tried again is sent anew
			if err := lostCopy(ctx, tx, t.Target, r.CID); err != nil {
				return err
			}
		}
		// Where no provider is known to have it, the ledger does not tell its identifier.
		return s.recordFailure(ctx, tx, r, !lost && !r.Announced && !r.Encrypt)
	})
}

func (s *Service) recordFailure(ctx context.Context, tx *db.Tx, r row, unnamed bool) error {
	if err := s.Events.Record(ctx, tx, event.Event{Kind: pinFailed, Account: string(r.Account)}); err != nil {
		return err
	}
	return s.announce(ctx, tx, r, ledger.Fail, unnamed)
}

// change stores a row that is ours and what follows from it, in one transaction.
func (s *Service) change(ctx context.Context, r row, t targetRow, then func(*db.Tx, row) error) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		r, err := s.own(ctx, tx, r.Account, r.ID)
		if err != nil {
			return err
		}
		if ours, err := changeTarget(ctx, tx, t); err != nil {
			return err
		} else if !ours {
			return errLost
		}
		if err := settleState(ctx, tx, r.ID); err != nil {
			return err
		}
		if err := s.tell(ctx, tx, r); err != nil {
			return err
		}
		return then(tx, r)
	})
}

// announce adds an entry about a pin to the ledger, without its identifier if it is to be unnamed. It
// comes last in its transaction. A damaged row is not sealed anew, so it does not note the entry.
func (s *Service) announce(ctx context.Context, tx *db.Tx, r row, kind ledger.Kind, unnamed bool) error {
	named := r
	if unnamed {
		named.CID, named.Size = "", 0
	}
	digest, err := s.publicDigest(ctx, tx, named)
	if err != nil {
		return err
	}
	n, err := s.enter(ctx, tx, named, kind, digest)
	if err != nil || r.Damaged {
		return err
	}
	key, err := s.dataKey(ctx, tx, r.Account)
	if err != nil {
		return err
	}
	r.Entries += strconv.FormatInt(n, 10) + ","
	r.Announced = r.Announced || kind == ledger.Pin
	if err := r.prove(key); err != nil {
		return err
	}
	return setEntries(ctx, tx, r)
}

// announceEnd adds the entry of a pin that is gone. Its caller took the digest before that.
func (s *Service) announceEnd(ctx context.Context, tx *db.Tx, r row, digest [32]byte) error {
	if !r.Announced { // the ledger never said that it was pinned
		return nil
	}
	_, err := s.enter(ctx, tx, r, ledger.Unpin, digest)
	return err
}

func (s *Service) enter(ctx context.Context, tx *db.Tx, r row, kind ledger.Kind, digest [32]byte) (n int64, err error) {
	e := ledger.Event{Kind: kind, CID: r.CID, Size: r.Size, Digest: digest, Subject: r.ID}
	if r.Encrypt {
		e.Size = r.Total
	}
	return s.Ledger.Append(ctx, tx, r.Account, e)
}

// publicDigest returns the hash of a file that is public; zero of anything else. The hash of
// an encrypted content would name it to all who have the same. One that does not open any more
// is zero as well: the pin can end all the same.
func (s *Service) publicDigest(ctx context.Context, q db.Querier, r row) (sum [32]byte, err error) {
	if r.Encrypt || r.Kind != file.File || r.CID == "" {
		return sum, nil
	}
	f, err := readFile(ctx, q, r.ID, 0)
	if errors.Is(err, db.ErrNoRows) {
		return sum, nil
	}
	if err != nil {
		return sum, err
	}
	var d fileDetails
	key, err := s.Accounts.DataKey(ctx, q, r.Account)
	if err == nil {
		d, err = f.open(key, r.ID)
	}
	if errors.Is(err, seal.ErrOpen) || errors.Is(err, keyring.ErrNoKey) || errors.Is(err, account.ErrNotFound) {
		return sum, nil
	}
	if err != nil {
		return sum, err
	}
	if raw, bad := hex.DecodeString(d.SHA256); bad == nil {
		copy(sum[:], raw)
	}
	return sum, nil
}
