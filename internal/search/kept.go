package search

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"time"

	"coffer/internal/account"
)

const (
	// idle is how long an index is kept that no search uses.
	idle = 10 * time.Minute
	// buildTime bounds the reading of an account's names.
	buildTime = time.Minute
	// coldBuilds is how many accounts are read for the first time at once. Each takes
	// connections to the database and memory that no index counts.
	coldBuilds = 2
)

// errNoRoom says that an index does not fit into the memory for all.
var errNoRoom = errors.New("search: the index of names finds no room")

// errDropped says that others took an index's room while it was read.
var errDropped = errors.New("search: the index of names lost its room")

// indexes are the kept indexes of accounts. What they take together stays within a bound:
// the index that was used longest ago goes first.
type indexes struct {
	most int64
	now  func() time.Time
	cold chan struct{} // holds one for each account that is read for the first time

	mu    sync.Mutex
	taken int64
	all   map[account.ID]*index
	timer *time.Timer // of giveBack; nil while there is nothing to give back
}

func newIndexes(most int64, now func() time.Time) *indexes {
	return &indexes{most: most, now: now, cold: make(chan struct{}, coldBuilds), all: map[account.ID]*index{}}
}

// index is the names of an account with what keeping them takes.
type index struct {
	*names
	owner account.ID
	in    *indexes

	// Under indexes.mu:
	out   bool // it is not kept any more
	bytes int64
	used  time.Time
	large bool    // the account's names found no room: searches read them each time
	build *update // under way; nil without
}

// update is the reading of names into an index. It goes on when a caller leaves, so that the
// next letter that a person types does not begin it anew.
type update struct {
	done chan struct{}
	err  error // when done is closed
}

// get returns the index of an account, perhaps an empty one.
func (k *indexes) get(owner account.ID) *index {
	k.mu.Lock()
	defer k.mu.Unlock()
	x := k.all[owner]
	if x == nil {
		x = &index{names: newNames(), owner: owner, in: k}
		k.all[owner] = x
	}
	x.used = k.now()
	if k.timer == nil {
		k.timer = time.AfterFunc(idle, k.giveBack)
	}
	return x
}

// bring reads into the index until all changes up to a count are in. Callers wait for
// one reading together. An index that finds no room, or loses it meanwhile, is errNoRoom.
func (x *index) bring(ctx context.Context, count int64, read func(ctx context.Context, x *index) error) error {
	for x.upTo() < count {
		x.in.mu.Lock()
		if x.large {
			x.in.mu.Unlock()
			return errNoRoom
		}
		u := x.build
		if u == nil {
			u = &update{done: make(chan struct{})}
			x.build = u
			go x.run(context.WithoutCancel(ctx), u, read)
		}
		x.in.mu.Unlock()
		select {
		case <-u.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if errors.Is(u.err, errDropped) {
			return errNoRoom
		}
		if u.err != nil {
			return u.err
		}
	}
	return nil
}

func (x *index) run(ctx context.Context, u *update, read func(ctx context.Context, x *index) error) {
	if x.upTo() == 0 {
		x.in.cold <- struct{}{}
		defer func() { <-x.in.cold }()
	}
	ctx, cancel := context.WithTimeout(ctx, buildTime)
	defer cancel()
	u.err = read(ctx, x)
	if u.err == nil {
		u.err = x.grow(int64(x.size()) - x.bytes)
	}
	x.in.mu.Lock()
	x.build = nil
	if u.err != nil {
		x.in.drop(x)
		if errors.Is(u.err, errNoRoom) {
			// The next searches know without reading that there is no room.
			x.in.all[x.owner] = &index{names: newNames(), owner: x.owner, in: x.in, used: x.used, large: true}
		}
	}
	x.in.mu.Unlock()
	close(u.done)
}

// grow counts bytes that the index takes more, and drops other indexes where that is too much.
// An index that others dropped is read no further: nothing counts what it would take.
func (x *index) grow(bytes int64) error {
	k := x.in
	k.mu.Lock()
	defer k.mu.Unlock()
	if x.out {
		return errDropped
	}
	x.bytes += bytes
	for k.taken += bytes; k.taken > k.most; {
		var oldest *index
		for _, other := range k.all {
			if other != x && other.bytes > 0 && (oldest == nil || other.used.Before(oldest.used)) {
				oldest = other
			}
		}
		if oldest == nil {
			return errNoRoom
		}
		k.drop(oldest)
	}
	return nil
}

// drop forgets an index.
func (k *indexes) drop(x *index) {
	if x.out {
		return
	}
	x.out = true
	k.taken -= x.bytes
	delete(k.all, x.owner)
}

// giveBack drops the indexes that no search has used for a while, and returns their memory.
func (k *indexes) giveBack() {
	k.mu.Lock()
	given := int64(0)
	for _, x := range k.all {
		if x.build == nil && !k.now().Before(x.used.Add(idle)) {
			given += x.bytes
			k.drop(x)
		}
	}
	k.timer = nil
	if len(k.all) > 0 {
		k.timer = time.AfterFunc(idle/10, k.giveBack)
	}
	k.mu.Unlock()
	if given > 1<<20 {
		debug.FreeOSMemory()
	}
}
