package jobs

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coffer/internal/db"
)

// vault seals as the key ring does: the newest key seals, every key opens.
type vault struct {
	mu   sync.Mutex
	keys []cipher.AEAD
}

func newVault(t testing.TB) *vault {
	v := &vault{}
	v.rotate(t)
	return v
}

func (v *vault) rotate(t testing.TB) {
	t.Helper()
	key := make([]byte, 32)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keys = append(v.keys, aead)
}

// forget destroys every key but the newest.
func (v *vault) forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.keys = v.keys[len(v.keys)-1:]
}

func (v *vault) seal(_ context.Context, b []byte) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.keys[len(v.keys)-1].Seal(nil, nil, b, nil), nil
}

func (v *vault) open(_ context.Context, b []byte) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, k := range v.keys {
		if plain, err := k.Open(nil, nil, b, nil); err == nil {
			return plain, nil
		}
	}
	return nil, errors.New("no key opens this")
}

// buffer is a log for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// world is a database with any number of nodes, one clock and one log.
type world struct {
	t     *testing.T
	db    *db.DB
	vault *vault
	log   buffer
	clock atomic.Int64
}

func newWorld(t *testing.T, d *db.DB) *world {
	w := &world{t: t, db: d, vault: newVault(t)}
	w.clock.Store(time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC).UnixMilli())
	return w
}

func (w *world) now() time.Time          { return time.UnixMilli(w.clock.Load()) }
func (w *world) advance(d time.Duration) { w.clock.Add(d.Milliseconds()) }

// node is a process. It never polls, so a passing test did not depend on a poll.
func (w *world) node() *Queue {
	q := New(w.db, Config{Now: w.now, Log: slog.New(slog.NewTextHandler(&w.log, nil)), Seal: w.vault.seal, Open: w.vault.open})
	q.poll = time.Hour
	return q
}

// add enqueues one job in a transaction of its own.
func (w *world) add(q *Queue, kind string, payload any, opts ...Option) {
	w.t.Helper()
	if err := w.db.Tx(w.t.Context(), func(tx *db.Tx) error { return q.Enqueue(w.t.Context(), tx, kind, payload, opts...) }); err != nil {
		w.t.Fatal(err)
	}
}

// addLater enqueues one job due after d, as a node with a fast clock would.
func (w *world) addLater(q *Queue, d time.Duration, kind string, payload any, opts ...Option) {
	w.t.Helper()
	ahead := New(w.db, Config{Now: func() time.Time { return w.now().Add(d) }, Seal: q.cfg.Seal, Open: q.cfg.Open})
	w.add(ahead, kind, payload, opts...)
}

// step runs one job and returns its handler's error.
func (w *world) step(q *Queue) (bool, error) {
	w.t.Helper()
	return q.Step(w.t.Context())
}

// wantIdle checks that nothing is due.
func (w *world) wantIdle(q *Queue) {
	w.t.Helper()
	if worked, err := w.step(q); worked || err != nil {
		w.t.Fatalf("a job ran (%t, %v), want none to be due", worked, err)
	}
}

// wantRun checks that one job is due and that its handler returns want.
func (w *world) wantRun(q *Queue, want error) {
	w.t.Helper()
	if worked, err := w.step(q); !worked || !errors.Is(err, want) || (want == nil) != (err == nil) {
		w.t.Fatalf("Step = %t, %v; want a job that ends with %v", worked, err, want)
	}
}

// count counts rows of jobs.
func (w *world) count(where string, args ...any) (n int) {
	w.t.Helper()
	if err := w.db.QueryRow(w.t.Context(), `SELECT COUNT(*) FROM jobs WHERE `+where, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// run runs nodes until stop is called, which waits for them.
func (w *world) run(nodes ...*Queue) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for _, q := range nodes {
		all.Go(func() {
			if err := q.Run(ctx); err != nil {
				w.t.Errorf("Run = %v, want nil whatever happens", err)
			}
		})
	}
	stop = func() { cancel(); all.Wait() }
	w.t.Cleanup(stop)
	return stop
}

// within returns the next value of c. The timeout only ends a test that hangs.
func within[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(30 * time.Second):
		t.Fatalf("%s did not happen", what)
	}
	panic("unreachable")
}

// until waits for something in the database.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("%s did not happen", what)
		}
		time.Sleep(time.Millisecond)
	}
}
