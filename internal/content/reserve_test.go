package content

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

var errBroke = errors.New("the client broke off")

// senders are clients that send a part of what they announce and then fall silent.
type senders struct {
	n     int
	quiet sync.WaitGroup // until each is silent, or refused
	done  sync.WaitGroup
	stop  chan struct{} // they break off
	sent  atomic.Int64  // by those that are silent
	ran   atomic.Int64  // of them
}

// start lets n clients send. send returns when the server has refused its reader, or that one broke.
func (s *senders) start(t *testing.T, n int, send func(i int, silent func() error) error) {
	s.n, s.stop = n, make(chan struct{})
	s.quiet.Add(n)
	for i := range n {
		s.done.Go(func() {
			once := sync.OnceFunc(s.quiet.Done)
			defer once()
			err := send(i, func() error {
				once()
				<-s.stop
				return errBroke
			})
			if !errors.Is(err, ErrQuota) && !errors.Is(err, errBroke) {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	s.quiet.Wait()
}

// end breaks every client off.
func (s *senders) end() {
	close(s.stop)
	s.done.Wait()
}

// half is a reader of n bytes that then falls silent.
func (s *senders) half(n int, silent func() error) io.Reader {
	return io.MultiReader(strings.NewReader(strings.Repeat("x", n)), readFunc(func([]byte) (int, error) {
		s.sent.Add(int64(n))
		s.ran.Add(1)
		return 0, silent()
	}))
}

// onDisk returns how many bytes stand in the store and in SQL.
func (w *world) onDisk() (n int64) {
	w.t.Helper()
	err := filepath.WalkDir(w.blobs, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) || err == nil && e.IsDir() {
			return nil
		}
		if err == nil {
			var info fs.FileInfo
			if info, err = os.Stat(path); err == nil {
				n += info.Size()
			}
		}
		if errors.Is(err, os.ErrNotExist) {
			err = nil
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n + w.count(`SELECT CAST(COALESCE(SUM(LENGTH(content)), 0) AS BIGINT) FROM blob_contents`)
}

func (w *world) usage(owner account.ID) Usage {
	w.t.Helper()
	u, err := w.Usage(context.Background(), w.DB, owner)
	if err != nil {
		w.t.Fatal(err)
	}
	return u
}

// TestHalfUploadsShareTheQuota: clients that send at once and never end store no more than the
// quota, and what each may send unreserved. Whatever they break off is given back.
func TestHalfUploadsShareTheQuota(t *testing.T) {
	const quota, n, half = 5_000_000, 20, 1_100_000
	upload := func(w *world, most int64, send func(u *Upload) error) error {
		u := w.NewUpload(ada)
		u.Expect(most)
		defer u.Abort(t.Context())
		return send(u)
	}
	for name, send := range map[string]func(w *world, s *senders, silent func() error) error{
		"one file": func(w *world, s *senders, silent func() error) error {
			return upload(w, 0, func(u *Upload) error {
				_, err := u.Store(context.Background(), s.half(half, silent))
				return err
			})
		},
		"a known length": func(w *world, s *senders, silent func() error) error {
			return upload(w, half+100, func(u *Upload) error {
				_, err := u.Store(context.Background(), s.half(half, silent))
				return err
			})
		},
		"small files": func(w *world, s *senders, silent func() error) error {
			return upload(w, 0, func(u *Upload) error {
				for range half / 50_000 {
					if _, err := u.Store(context.Background(), strings.NewReader(strings.Repeat("x", 50_000))); err != nil {
						return err
					}
				}
				s.sent.Add(half)
				s.ran.Add(1)
				return silent()
			})
		},
		"growing": func(w *world, s *senders, silent func() error) error {
			id := w.mustGrow(UnknownLength)
			_, err := w.Append(context.Background(), ada, id, 0, s.half(half, silent), AppendOptions{})
			if e := w.DB.Tx(context.Background(), func(tx *db.Tx) error { return w.Abandon(context.Background(), tx, ada, id) }); e != nil {
				return e
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				w := newWorld(t, d)
				w.Quota = quota
				w.mustStore("x", "")
				var s senders
				s.start(t, n, func(_ int, silent func() error) error { return send(w, &s, silent) })
				if bound := int64(quota + n*minFree); s.sent.Load() > bound || w.onDisk() > bound+bound/500 {
					t.Errorf("%d unfinished uploads of %d: they sent %d bytes, %d stand on the disk, the bound is %d", s.ran.Load(), n, s.sent.Load(), w.onDisk(), bound)
				}
				u := w.usage(ada)
				if s.ran.Load() == 0 || u.Reserved+n*minFree < s.sent.Load() || u.Left() < 0 {
					t.Errorf("%d uploads have sent %d bytes: %+v", s.ran.Load(), s.sent.Load(), u)
				}
				w.counted("under way")
				s.end()
				if err := w.purge(t.Context()); err != nil {
					t.Fatal(err)
				}
				if u := w.usage(ada); u.Bytes != 1 || u.Reserved != 0 {
					t.Errorf("broken off: %+v", u)
				}
				w.left("broken off", 1)
				w.mustStore(strings.Repeat("x", quota-1), "")
				w.counted("filled to the byte")
			})
		})
	}
}

// TestReservedOnce: what an upload has reserved is its own, however the quota changes. It
// becomes the bytes of what settles, and goes with what does not.
func TestReservedOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.Quota = 5_000_000
		u := w.NewUpload(ada)
		u.Expect(3_001_000)
		parts := []int{1_000_000, 30_000, 40_000, 60_000, 1_870_000} // what is small goes to SQL on the way
		store := func(parts ...int) (err error) {
			for _, n := range parts {
				if _, err = u.Store(t.Context(), strings.NewReader(pattern(n))); err != nil {
					break
				}
			}
			return err
		}
		if err := store(parts...); err != nil {
			t.Fatal(err)
		}
		if got := w.usage(ada); got.Reserved != 3_001_000 || got.Bytes != 0 {
			t.Errorf("a length that is known is reserved at once: %+v", got)
		}
		w.counted("reserved")
		other := w.NewUpload(ada)
		if _, err := other.Store(t.Context(), strings.NewReader(pattern(2_500_000))); !errors.Is(err, ErrQuota) {
			t.Errorf("one beside it that does not fit: %v", err)
		}
		other.Abort(t.Context())
		w.counted("beside it")
		if w.mustStore(pattern(1_999_000), ""); w.usage(ada).Left() != 0 {
			t.Errorf("one beside it that fits to the byte: %+v", w.usage(ada))
		}
		w.Quota = 1_000_000
		if err := w.settle(u); err != nil {
			t.Errorf("settled below a quota that was lowered meanwhile: %v", err)
		}
		w.counted("settled")
		if got := w.usage(ada); got.Reserved != 0 || got.Bytes != 3_000_000+1_999_000 {
			t.Errorf("settled: %+v", got)
		}
		u.Abort(t.Context()) // as after a lost answer to the commit
		w.counted("aborted when it is live")

		// A quota that is lowered ends what has reserved less than it sends.
		w.Quota = 20_000_000
		u = w.NewUpload(ada)
		lowered := readFunc(func([]byte) (int, error) {
			w.Quota = 10_000_000
			return 0, io.EOF
		})
		_, err := u.Store(t.Context(), io.MultiReader(strings.NewReader(pattern(3_000_000)), lowered, strings.NewReader(pattern(8_000_000))))
		if !errors.Is(err, ErrQuota) {
			t.Errorf("Store = %v", err)
		}
		u.Abort(t.Context())
		w.counted("lowered")
	})
}

// TestSweepGivesBack: what a process that died had reserved is counted until the sweep, and then
// given back once, by whichever of several nodes.
func TestSweepGivesBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.Quota = 10_000_000
		died := w.NewUpload(ada)
		for _, u := range []*Upload{died, w.NewUpload(bob)} {
			for range 3 {
				if _, err := u.Store(t.Context(), strings.NewReader(pattern(900_000))); err != nil {
					t.Fatal(err)
				}
			}
		}
		if w.usage(ada).Reserved < 2_700_000-10_000 || w.usage(ada).Reserved > 10_000_000 {
			t.Errorf("%+v", w.usage(ada))
		}
		w.below.Advance(abandonedAfter + time.Minute)
		var nodes sync.WaitGroup
		for range 3 {
			nodes.Go(func() {
				if err := w.Sweep(context.Background()); err != nil {
					t.Error(err)
				}
			})
			nodes.Go(func() { died.Abort(context.Background()) }) // it was only slow
		}
		nodes.Wait()
		if a, b := w.usage(ada), w.usage(bob); a.Reserved != 0 || b.Reserved != 0 {
			t.Errorf("after the sweep: %+v, %+v", a, b)
		}
		if err := w.settle(died); !errors.Is(err, ErrExpired) {
			t.Errorf("settled after the sweep: %v", err)
		}
		if _, err := died.Store(t.Context(), strings.NewReader(pattern(900_000))); err != nil && !errors.Is(err, ErrExpired) {
			t.Error(err)
		}
		died.Abort(t.Context())
		if err := w.purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.left("after the sweep", 0)
	})
}

// TestReservesForNoDeadAccount: an upload that goes on after its account is gone leaves no count of it.
func TestReservesForNoDeadAccount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.Quota = 10_000_000
		gone := errors.New("gone")
		u := w.NewUpload(ada)
		u.Stands = func(context.Context, *db.Tx) error { return gone }
		if err := w.forget(ada); err != nil {
			t.Fatal(err)
		}
		w.below.RunJobs()
		if _, err := u.Store(t.Context(), strings.NewReader(pattern(900_000))); !errors.Is(err, gone) {
			t.Errorf("Store = %v", err)
		}
		u.Abort(t.Context())
		if n := w.count(`SELECT COUNT(*) FROM content_usage`); n != 0 {
			t.Error("there is a count of an account that is gone")
		}
		w.left("in the end", 0)
	})
}

// TestSmallUploadsReserveNothing: a small upload runs no statement more, with a quota or without.
func TestSmallUploadsReserveNothing(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	ran := func(n int) (ran []string) {
		return dbtest.Ran(w.DB, func() { w.mustStore(pattern(n), "") })
	}
	w.mustStore("first", "")
	for _, tc := range []struct {
		quota      int64
		size, want int
	}{{1_000_000, 4 << 10, 4}, {1_000_000, 60 << 10, 4}, {1_000_000, 200_000, 6}, {1_000_000, 600_000, 10}, {0, 4 << 10, 4}, {0, maxFree - 1, 6}, {100 << 30, maxFree - 1, 6}} {
		w.Quota = tc.quota
		if got := ran(tc.size); len(got) != tc.want {
			t.Errorf("quota %d, %d bytes: %d statements, want %d\n%s", tc.quota, tc.size, len(got), tc.want, strings.Join(got, "\n"))
		}
		w.Quota = 0
	}
}

// TestAppendThatDiedIsReservedUntilTheNext: what an append without a length had reserved when its
// process died is given back by the next one, by its length, or with the object.
func TestAppendThatDiedIsReservedUntilTheNext(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for name, next := range map[string]func(w *world, id string) int64{
			"append": func(w *world, id string) int64 {
				w.mustAppend(id, 0, pattern(100_000))
				return 100_000
			},
			"append at the quota": func(w *world, id string) int64 {
				w.Quota = 300_000
				w.mustAppend(id, 0, pattern(300_000))
				if n, err := w.append(id, 300_000, "x"); n != 0 || !errors.Is(err, ErrQuota) {
					t.Errorf("a byte beyond the quota: %d, %v", n, err)
				}
				return 300_000
			},
			"length": func(w *world, id string) int64 {
				if err := d.Tx(t.Context(), func(tx *db.Tx) error { return w.SetLength(t.Context(), tx, ada, id, 7) }); err != nil {
					t.Fatal(err)
				}
				return 7
			},
			"end": func(w *world, id string) int64 {
				w.abandon(id)
				return 0
			},
		} {
			w := newWorld(t, d)
			w.Quota = 10_000_000
			id := w.mustGrow(UnknownLength)
			a, err := w.beginAppend(t.Context(), ada, id, 0, AppendOptions{})
			if err != nil {
				t.Fatal(err)
			}
			from, err := a.source(t.Context(), t.Context(), strings.NewReader(pattern(300_000)))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, from); err != nil { // and the process dies
				t.Fatal(err)
			}
			if got := w.usage(ada).Reserved; got < 300_000-10_000 {
				t.Errorf("%s: %d bytes are reserved", name, got)
			}
			w.counted(name)
			want := next(w, id)
			if got := w.usage(ada).Reserved; got != want {
				t.Errorf("%s: then %d bytes are reserved, want %d", name, got, want)
			}
			w.counted(name + ", then")
			a.unreserve(t.Context()) // the dead one was only slow: it has lost the object
			w.counted(name + ", late")
			w.abandon(id)
		}
	})
}
