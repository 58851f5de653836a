package totp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/kv"
	"coffer/internal/limit"
	"coffer/internal/mail"
)

const password = "seven quiet otters 41"

// world is the room over the real rooms below it, with a clock and a mailbox.
type world struct {
	*Service
	t     *testing.T
	clock atomic.Int64
	ring  *keyring.Ring
	jobs  *jobs.Queue
	kv    kv.Store
	limit *limit.Limiter

	mu  sync.Mutex
	box []string // "to event" of each mail
}

func (w *world) now() time.Time          { return time.UnixMilli(w.clock.Load()) }
func (w *world) advance(d time.Duration) { w.clock.Add(d.Milliseconds()) }

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	w := &world{t: t}
	w.clock.Store(time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC).UnixMilli())
	var err error
	if w.ring, err = keyring.Open(t.Context(), d, bytes.Repeat([]byte{5}, 32), w.now, keyring.TokenAlg("EdDSA")); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	envelope := []byte("jobs")
	w.jobs = jobs.New(d, jobs.Config{
		Now: w.now, Log: log,
		Seal: func(ctx context.Context, b []byte) ([]byte, error) {
			return w.ring.Seal(ctx, keyring.Field, b, envelope)
		},
		Open: func(ctx context.Context, b []byte) ([]byte, error) {
			return w.ring.Open(ctx, keyring.Field, b, envelope)
		},
	})
	w.jobs.Handle(mail.Job, func(_ context.Context, payload []byte) error {
		var m mail.Message
		if err := json.Unmarshal(payload, &m); err != nil {
			return err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.box = append(w.box, m.To+" "+m.Data["event"])
		return nil
	})
	w.kv = kv.NewSQL(d, w.now)
	w.limit = limit.New(w.kv, w.ring.Index, w.now)
	accounts, err := account.New(account.Config{
		DB: d, Ring: w.ring, Jobs: w.jobs, KV: w.kv, Limit: w.limit, Now: w.now, Log: log,
		BaseURL: "https://coffer.test", Argon: account.Argon2Params{MemoryKiB: 64, Time: 1, Threads: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Service = New(Config{DB: d, Accounts: accounts, Now: w.now})
	return w
}

// join makes an account.
func (w *world) join(name string) account.ID {
	w.t.Helper()
	id, err := w.Accounts.Create(w.t.Context(), account.NewAccount{
		FirstName: "Ada", LastName: "Lovelace", Username: name, Email: name + "@example.org", Password: password,
	}, account.User)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// mails runs every job and returns what came since the last call.
func (w *world) mails() []string {
	w.t.Helper()
	for {
		worked, err := w.jobs.Step(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		if !worked {
			break
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	box := w.box
	w.box = nil
	return box
}

// enabled gives an account the layer and moves on to a step whose code is unspent.
func (w *world) enabled(id account.ID) (secret string) {
	w.t.Helper()
	e, err := w.Enrol(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.Confirm(w.t.Context(), id, w.code(e.Secret, 0)); err != nil {
		w.t.Fatal(err)
	}
	w.advance(period * time.Second)
	return e.Secret
}

// code is what an app shows for secret, so many steps from now.
func (w *world) code(secret string, steps int64) string {
	w.t.Helper()
	code, err := hotp.GenerateCodeCustom(secret, uint64(w.now().Unix()/period+steps), hotp.ValidateOpts{Digits: otp.DigitsSix})
	if err != nil {
		w.t.Fatal(err)
	}
	return code
}

// wrong is a code that no step near now has.
func (w *world) wrong(secret string) string {
	for n := 0; ; n++ {
		code := fmt.Sprintf("%06d", n)
		if code != w.code(secret, 0) && code != w.code(secret, -1) {
			return code
		}
	}
}

// use spends a code as an attempt does.
func (w *world) use(id account.ID, code string) error {
	return w.DB.Tx(context.Background(), func(tx *db.Tx) error { return w.spend(context.Background(), tx, id, code) })
}

func (w *world) isOn(id account.ID) bool {
	w.t.Helper()
	on, err := w.Enabled(w.t.Context(), w.DB, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return on
}

// atOnce runs fn n times at the same moment and returns how many succeeded.
func atOnce(n int, fn func() error) int {
	var passed atomic.Int32
	var wg sync.WaitGroup
	start := make(chan struct{})
	for range n {
		wg.Go(func() {
			<-start
			if fn() == nil {
				passed.Add(1)
			}
		})
	}
	close(start)
	wg.Wait()
	return int(passed.Load())
}
