package blob

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// orphanAge is how old an object without a record must be before it is removed, and for how long the
// records must have been looked at before. Records are older than their objects, so there are orphans
// only after a power cut, which may undo a deletion, and with another database: an older backup, or a new
// and empty one. The time is there to find out that it is the wrong one.
const orphanAge = 7 * 24 * time.Hour

// OrphanGap is how long the daily walk may pause. After a longer pause the records count as those of another
// database. A backup that is younger counts as no pause: then orphanAge less this time is left.
const OrphanGap = 36 * time.Hour

const (
	orphanBatch = 200
	told        = 8 // failures that an error names
)

// MostRefused is how many objects may refuse to go before a run of a [Removal] leaves the rest to the
// next one.
const MostRefused = 200

// Away is what a walk asks after each object that refused to go. After some of them it returns an error
// if the store itself is away: then the others would refuse too.
func Away(ctx context.Context, s Store, refused int) error {
	if refused%8 != 0 {
		return nil
	}
	return s.Ping(ctx)
}

// Removal is where the runs of a job have come that remove objects in the order of their ids. A run
// that ends because too many refused leaves its place to the next one. So they stop no other object,
// however many they are. The zero value begins at the first object. It is safe for concurrent use.
type Removal struct {
	mu    sync.Mutex
	after string
}

// Begin returns the id behind which a run begins.
func (r *Removal) Begin() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.after
}

// Leave notes the id behind which the next run begins.
func (r *Removal) Leave(after string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.after = after
}

// RemoveOrphans removes the objects of a folder, as in [Store].List, of which known has no record and
// which are a week old at now. known returns those of some ids that have one. Before the walk has looked
// for a week, since steady, it removes nothing. An object that cannot be removed holds up no other; a
// store that is away ends the walk.
func RemoveOrphans(ctx context.Context, s Store, folder string, now, steady time.Time, known func(ctx context.Context, ids []string) (map[string]bool, error)) error {
	if now.Sub(steady) < orphanAge {
		return nil
	}
	var batch []string
	var failures []error
	failed := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		have, err := known(ctx, batch)
		if err != nil {
			return err
		}
		for _, id := range batch {
			if have[id] {
				continue
			}
			err := s.Delete(ctx, id)
			if err == nil {
				continue
			}
			if failed++; len(failures) < told {
				failures = append(failures, err)
			}
			if err := Away(ctx, s, failed); err != nil {
				return err
			}
		}
		batch = batch[:0]
		return nil
	}
	err := s.List(ctx, folder, "", func(id string, _ int64, at time.Time) error {
		if at.After(now.Add(-orphanAge)) {
			return nil
		}
		if batch = append(batch, id); len(batch) < orphanBatch {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	if more := failed - len(failures); more > 0 {
		failures = append(failures, fmt.Errorf("and %d more", more))
	}
	return errors.Join(append(failures, err)...)
}
