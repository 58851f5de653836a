package pin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/ipfs"
	"coffer/internal/keyring"
	"coffer/internal/metric"
	"coffer/internal/pinning"
	"coffer/internal/seal"
)

// Found is a pin as the operator sees it: nothing of what it holds but its identifier.
type Found struct {
	ID        string
	Account   account.ID
	Encrypt   bool
	CID       string
	Size      int64
	State     State
	Targets   []PinPlace
	CreatedAt time.Time
}

const operatorPage = 200

// All yields every pin, the oldest first.
func (s *Service) All(ctx context.Context) iter.Seq2[Found, error] {
	return func(yield func(Found, error) bool) {
		for after := ""; ; {
			rows, err := readBehind(ctx, s.DB, after, operatorPage)
			if err != nil || len(rows) == 0 {
				if err != nil {
					yield(Found{}, err)
				}
				return
			}
			ids := make([]string, len(rows))
			for i, r := range rows {
				ids[i] = r.ID
			}
			targets, err := readTargets(ctx, s.DB, ids)
			if err != nil {
				yield(Found{}, err)
				return
			}
			for _, r := range rows {
				p, err := s.seen(ctx, r, targets[r.ID])
				found := Found{r.ID, r.Account, p.Encrypt, "", p.Size, p.State, p.Targets, p.CreatedAt}
				if p.CID != nil {
					found.CID = *p.CID
				}
				if !yield(found, err) || err != nil {
					return
				}
			}
			after = ids[len(ids)-1]
		}
	}
}

// seen shows a pin without its details, which the operator does not see.
func (s *Service) seen(ctx context.Context, r row, targets []targetRow) (Pin, error) {
	key, err := s.dataKey(ctx, s.DB, r.Account)
	if err != nil && !errors.Is(err, errNoPin) && !errors.Is(err, keyring.ErrNoKey) && !errors.Is(err, seal.ErrOpen) {
		return Pin{}, err
	}
	if r.check(key) != nil { // the owner's list and each worker log it
		return showDamaged(r, targets), nil
	}
	return s.show(r, details{}, key, targets), nil
}

// ErrNoPin says that no pin has an id.
var ErrNoPin = errors.New("no pin has that id")

// VerifyAll makes a running server read pins back soon, and returns at how many targets. id ""
// is every pin.
func (s *Service) VerifyAll(ctx context.Context, id string) (n int, err error) {
	found := false
	for p, err := range s.All(ctx) {
		if err != nil {
			return n, err
		}
		if id != "" && p.ID != id {
			continue
		}
		found = true
		err := s.ofOne(ctx, p, func(tx *db.Tx, r row) error {
			names, err := verifyNow(ctx, tx, r.ID, s.Now().UnixMilli())
			if err != nil {
				return err
			}
			for _, name := range names {
				if err := s.enqueueStep(ctx, tx, r.ID, name, r.CID); err != nil {
					return err
				}
				n++
			}
			return nil
		})
		if err != nil {
			return n, err
		}
	}
	if id != "" && !found {
		return 0, ErrNoPin
	}
	return n, nil
}

// ErrUnknownTarget says that no target has a name.
var ErrUnknownTarget = errors.New("the settings have no target of that name")

// CopyAll gives every pin one more target, and returns how many a running server brings there.
// One whose blocks could not be made gets the target as well, for its owner's next attempt.
func (s *Service) CopyAll(ctx context.Context, to string) (n int, err error) {
	target, ok := s.targets[to]
	if !ok {
		return 0, ErrUnknownTarget
	}
	for p, err := range s.All(ctx) {
		if err != nil {
			return n, err
		}
		added := false
		err := s.ofOne(ctx, p, func(tx *db.Tx, r row) (err error) {
			if r.Damaged {
				return nil
			}
			if added, err = addTarget(ctx, tx, r.ID, to, target.Fetches, s.Now().UnixMilli()); err != nil || !added {
				return err
			}
			if r.CID == "" {
				added = r.State != Failed
				return nil
			}
			if err := acquireCopy(ctx, tx, to, r.CID); err != nil {
				return err
			}
			return s.enqueueStep(ctx, tx, r.ID, to, r.CID)
		})
		if err != nil {
			return n, err
		}
		if added {
			n++
		}
	}
	return n, nil
}

// Dropped is what became of the pins of a target that is to have none.
type Dropped struct {
	Removed int  // that a running server removes there
	Kept    int  // that have no other verified copy
	There   bool // the settings have the target; if not, its copies stay until they do
}

// DropAll takes one target from every pin that another target of the settings has verified.
// from may be a target that the settings do not have any more. Each pin's row is held meanwhile,
// so of two drops at once the second finds no other copy.
func (s *Service) DropAll(ctx context.Context, from string) (d Dropped, err error) {
	_, d.There = s.targets[from]
	known := d.There
	for p, err := range s.All(ctx) {
		if err != nil {
			return d, err
		}
		known = known || slices.ContainsFunc(p.Targets, func(t PinPlace) bool { return t.Name == from })
		removed, kept := false, false
		err := s.ofOne(ctx, p, func(tx *db.Tx, r row) error {
			removed, kept = false, false
			targets, err := readTargets(ctx, tx, []string{r.ID})
			if err != nil {
				return err
			}
			has, safe := slices.ContainsFunc(targets[r.ID], func(t targetRow) bool { return t.Target == from && t.State != Removing }), false
			if r.Damaged { // its key may open as little as its record
				kept = has
				return nil
			}
			key, err := s.dataKey(ctx, tx, r.Account)
			if err != nil {
				return err
			}
			for _, t := range targets[r.ID] {
				if t.Target == from {
					continue
				}
				if _, ok := s.targets[t.Target]; ok && t.State == Verified && t.MissingAt == nil && t.proven(key) {
					safe = true
				}
			}
			removed, kept = has && safe, has && !safe
			if !removed {
				return nil
			}
			if _, err := startRemoval(ctx, tx, r.ID, from, s.Now().UnixMilli()); err != nil {
				return err
			}
			return s.enqueueStep(ctx, tx, r.ID, from, r.CID)
		})
		if err != nil {
			return d, err
		}
		if removed {
			d.Removed++
		}
		if kept {
			d.Kept++
		}
	}
	if !known {
		return d, ErrUnknownTarget
	}
	return d, nil
}

// ofOne changes a pin that the operator looks at; one that is gone meanwhile is passed over.
func (s *Service) ofOne(ctx context.Context, p Found, do func(*db.Tx, row) error) error {
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		r, err := s.own(ctx, tx, p.Account, p.ID)
		if err != nil {
			return err
		}
		if err := do(tx, r); err != nil {
			return err
		}
		return s.settle(ctx, tx, r)
	})
	if errors.Is(err, errLost) {
		return nil
	}
	return err
}

// measure counts the pins by state.
func (s *Service) measure(ctx context.Context, r *metric.Reading) error {
	states, err := countStates(ctx, s.DB)
	if err != nil {
		return err
	}
	for _, state := range []State{Queued, Sending, Pinned, Verified, Failed, Removing} {
		r.Gauge("coffer_pins", "Pins by state.", float64(states[state]), "state", string(state))
	}
	return nil
}

// publisher returns the target that gets the checkpoints of the ledger: the first that takes
// content. A provider that fetches would ask the gateway, which shows nothing but pins.
func (s *Service) publisher() (target pinning.Named, ok bool) {
	i := slices.IndexFunc(s.Targets, func(t pinning.Named) bool { return !t.Fetches })
	if i < 0 {
		return pinning.Named{}, false
	}
	return s.Targets[i], true
}

// publish pins a checkpoint of the ledger at its target. What is published so stays: a
// checkpoint is a few lines, and its point is that it cannot be taken back.
func (s *Service) publish(ctx context.Context, checkpoint []byte) error {
	if len(checkpoint) > ipfs.ChunkSize {
		return fmt.Errorf("a checkpoint of %d bytes", len(checkpoint))
	}
	target, ok := s.publisher()
	if !ok {
		return errNoTarget
	}
	root := ipfs.Sum(ipfs.Raw, checkpoint)
	if err := s.keepCopy(ctx, target.Name, root); err != nil {
		return err
	}
	_, reported, err := target.Target.Put(ctx, pinning.Source{
		Name: "coffer-ledger", Root: root, Framed: pinning.Frame(len(checkpoint)),
		Blocks: func(yield func(ipfs.Block) error) error {
			return yield(ipfs.Block{CID: root, Data: bytes.Clone(checkpoint)})
		},
	})
	if err == nil && reported != root {
		err = pinning.ErrOtherCID
	}
	if err == nil {
		_, behind, _ := strings.Cut(string(checkpoint), "\n")
		size, _, _ := strings.Cut(behind, "\n") // C2SP tlog-checkpoint: the second line
		s.Log.InfoContext(ctx, "pin: a checkpoint of the ledger was pinned", "target", target.Name, "cid", root.String(), "size", size)
	}
	return err
}

// keepCopy counts the server itself among those that need a copy, and nothing releases that: a
// user who pins the same bytes and removes the pin takes nothing away. While a copy is being
// removed it is an error, and the ledger tries again.
func (s *Service) keepCopy(ctx context.Context, target string, root ipfs.CID) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := acquireCopy(ctx, tx, target, root.String()); err != nil {
			return err
		}
		c, err := readCopy(ctx, tx, target, root.String())
		if err == nil && c.Removing {
			err = errors.New("a copy of the checkpoint is being removed")
		}
		return err
	})
}
