// Package search finds an account's files and folders by words of their names.
//
// Names are sealed in SQL, so SQL cannot search them. The server keeps an index of an
// account's names in memory once it searches there, and reads what changed before each
// search. Nothing of an index is written anywhere.
//
// # What is promised, and how
//
//   - Owners only: an index is of one account, and package file reads each hit again under
//     the caller's account, with the folders above it. So nothing is shown that is deleted,
//     in the trash, another's, or not below the folder that the caller named.
//   - Never old: an index has the count of the account's tree up to which it is read. A search
//     reads the rows with a higher count first, whichever node wrote them.
//   - Bounded: all indexes together stay within Settings.Memory. The one used longest ago
//     goes first, and each goes when it is unused for ten minutes. Where one alone has no
//     room, a search reads all names of the account and keeps none.
//   - Two accounts at a time are read for the first time; the others wait. An index that loses
//     its room while it is read is read no further.
//   - One reading of an account at a time, however many callers wait. A caller's wait ends
//     with its request, the reading goes on.
//   - Queries stand in URLs and not in logs; cursors are sealed.
package search

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/file"
	"coffer/internal/keyring"
	"coffer/internal/seal"
)

// maxQuery is the most characters of a query.
const maxQuery = 200

// Config is what the room needs.
type Config struct {
	Settings
	DB       *db.DB
	Files    *file.Service
	Accounts *account.Service
	Now      func() time.Time
}

// Service is the room. It is safe for concurrent use.
type Service struct {
	Config
	kept     *indexes
	scanning chan struct{} // holds one: searches without an index
}

// New returns the room.
func New(c Config) *Service {
	return &Service{Config: c, kept: newIndexes(c.Memory, c.Now), scanning: make(chan struct{}, 1)}
}

// Find returns one page of the entries below a folder ("" = root) whose names have all words
// of q, the ones modified last first, and the cursor of the next page, "" on the last.
func (s *Service) Find(ctx context.Context, owner account.ID, q, under, cursor string, limit int) (found []file.Found, next string, err error) {
	asked := query(q)
	switch {
	case utf8.RuneCountInString(q) > maxQuery:
		return nil, "", fault.InvalidField("query.q", "too_long", "A search has at most 200 characters.")
	case len(asked) == 0:
		return nil, "", fault.InvalidField("query.q", "required", "A search needs a letter, a digit or a sign.")
	}
	place := string(seal.LP([]byte(under), []byte(q)))
	after, err := s.openCursor(ctx, owner, place, cursor)
	if err != nil {
		return nil, "", err
	}
	look, lose, err := s.source(ctx, owner, asked, under)
	if err != nil {
		return nil, "", err
	}
	var at []entry // of found
	for more := true; more && len(found) <= limit; {
		var hits []entry
		if hits, after, err = look(after, limit+1); err != nil {
			return nil, "", err
		}
		more = after != nil
		ids := make([]string, len(hits))
		for i, e := range hits {
			ids[i] = e.id.String()
		}
		located, gone, err := s.Files.Locate(ctx, owner, under, ids)
		if err != nil {
			return nil, "", err
		}
		lose(gone)
		for _, f := range located {
			if matches(asked, f.Name) {
				found = append(found, f)
				at = append(at, hits[slices.Index(ids, f.ID)])
			}
		}
	}
	if len(found) <= limit {
		return found, "", nil
	}
	next, err = s.sealCursor(ctx, owner, place, at[limit-1])
	return found[:limit], next, err
}

// looking returns up to limit hits behind a place, and the place up to which it looked, nil
// at the end.
type looking func(after *entry, limit int) (hits []entry, last *entry, err error)

// source returns how to look for hits, and what to do with ids whose rows are gone.
func (s *Service) source(ctx context.Context, owner account.ID, asked []string, under string) (look looking, lose func(ids []string), err error) {
	var top uuid.UUID
	if under != "" {
		if top, err = uuid.Parse(under); err != nil {
			// No folder has this id. Package file says so.
			return func(*entry, int) ([]entry, *entry, error) { return nil, nil, nil }, func([]string) {}, nil
		}
	}
	count, err := s.Files.Count(ctx, owner)
	if err != nil {
		return nil, nil, err
	}
	x := s.kept.get(owner)
	switch err := x.bring(ctx, count, s.read); {
	case errors.Is(err, errNoRoom):
		look = func(after *entry, limit int) ([]entry, *entry, error) {
			return s.scan(ctx, owner, asked, top, after, limit)
		}
		return look, func([]string) {}, nil
	case err != nil:
		return nil, nil, err
	}
	look = func(after *entry, limit int) (hits []entry, last *entry, err error) {
		hits = x.find(asked, top, after, limit)
		if len(hits) == limit {
			last = &hits[limit-1]
		}
		return hits, last, nil
	}
	return look, x.lose, nil
}

// read brings an index up to date.
func (s *Service) read(ctx context.Context, x *index) error {
	to, err := s.Files.Count(ctx, x.owner)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var fresh []*segment
	full := func(g *segment) error {
		mu.Lock()
		fresh = append(fresh, g)
		mu.Unlock()
		return x.grow(int64(g.size()))
	}
	err = s.eachName(ctx, x.owner, x.upTo(), to, func() (func(file.Named) error, func() error) {
		r := &reader{tree: &x.tree, full: full}
		return func(n file.Named) error { r.add(n); return r.err }, r.end
	})
	if err == nil {
		x.take(to, fresh)
	}
	return err
}

// oneRange is how many counts one reader reads at least: fewer are not worth a second.
const oneRange = 64

// eachName reads the entries that changed behind a count and up to another with several
// readers at once. begin makes what takes the entries of one reader, and what ends it.
func (s *Service) eachName(ctx context.Context, owner account.ID, after, to int64, begin func() (take func(file.Named) error, end func() error)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	readers := int64(min(runtime.GOMAXPROCS(0), 4))
	pieces := min(8*readers, (to-after+oneRange-1)/oneRange)
	var turn atomic.Int64
	var all sync.WaitGroup
	for range min(readers, pieces) {
		take, end := begin()
		all.Go(func() {
			for {
				n := turn.Add(1)
				if n > pieces || ctx.Err() != nil {
					break
				}
				from := after + (to-after)*(n-1)/pieces
				until := after + (to-after)*n/pieces
				err := s.Files.Names(ctx, owner, from, until, take)
				if err != nil {
					cancel(err)
					return
				}
			}
			if err := end(); err != nil {
				cancel(err)
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// scan is a search that reads the account's folders, then all its names, and keeps hits only.
func (s *Service) scan(ctx context.Context, owner account.ID, asked []string, under uuid.UUID, after *entry, limit int) (hits []entry, last *entry, err error) {
	select {
	case s.scanning <- struct{}{}:
		defer func() { <-s.scanning }()
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	to, err := s.Files.Count(ctx, owner)
	if err != nil {
		return nil, nil, err
	}
	x := newNames()
	folders := &reader{tree: &x.tree}
	err = s.Files.Folders(ctx, owner, func(n file.Named) error {
		folders.entry(n)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	top, ok := x.tree.numbers[under]
	if !ok {
		return nil, nil, nil
	}
	var mu sync.Mutex
	cut := func() {
		slices.SortFunc(hits, entry.compare)
		hits = hits[:min(len(hits), limit)]
	}
	err = s.eachName(ctx, owner, 0, to, func() (func(file.Named) error, func() error) {
		below := x.tree.below(top)
		return func(n file.Named) error {
			e, ok := x.tree.known(n)
			if !ok || !below(e.folder) || after != nil && e.compare(*after) <= 0 || !matches(asked, n.Name) {
				return nil
			}
			mu.Lock()
			defer mu.Unlock()
			if hits = append(hits, e); len(hits) >= 2*limit {
				cut()
			}
			return nil
		}, func() error { return nil }
	})
	if err != nil {
		return nil, nil, err
	}
	if cut(); len(hits) == limit {
		last = &hits[limit-1]
	}
	return hits, last, nil
}

// A cursor is the place of the last hit.
func (s *Service) sealCursor(ctx context.Context, owner account.ID, place string, e entry) (string, error) {
	key, err := s.Accounts.DataKey(ctx, s.DB, owner)
	if err != nil {
		return "", err
	}
	return key.SealMark("search", place, keyring.Mark{At: e.modified, ID: string(e.id[:])}), nil
}

func (s *Service) openCursor(ctx context.Context, owner account.ID, place, cursor string) (*entry, error) {
	if cursor == "" {
		return nil, nil
	}
	key, err := s.Accounts.DataKey(ctx, s.DB, owner)
	if errors.Is(err, account.ErrNotFound) {
		return nil, file.ErrNotFound
	} else if err != nil {
		return nil, err
	}
	m, err := key.OpenMark("search", place, cursor)
	if err != nil {
		return nil, err
	}
	e := entry{modified: m.At}
	copy(e.id[:], m.ID)
	return &e, nil
}
