// Package limittest gives tests everything that lies below the accounts. That is a clock, a
// key ring, a job queue with a mailbox, a key store and limits.
package limittest

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"coffer/internal/db"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/kv"
	"coffer/internal/limit"
	"coffer/internal/mail"
)

// BaseURL is the address of the server in these tests.
const BaseURL = "https://coffer.test"

// Setup holds the options of a Ground. The zero value is usual.
type Setup struct {
	TokenAlg string                              // zero: EdDSA, whose keys are fast to make
	KV       func(now func() time.Time) kv.Store // zero: the key store in SQL
	Log      *slog.Logger                        // zero: discards
	Start    time.Time                           // of the clock; zero: nine o'clock on 20 November 2026, UTC
}

// Ground is the real packages below account, on one database.
type Ground struct {
	T      testing.TB
	DB     *db.DB
	Ring   *keyring.Ring
	Jobs   *jobs.Queue
	KV     kv.Store
	Limits *limit.Limiter
	Mailer *mail.Mailer // gets the words of rooms; a mail that fails to render fails the test
	Log    *slog.Logger

	clock atomic.Int64 // unix milliseconds

	mu  sync.Mutex
	box []mail.Message
}

// New returns a Ground whose clock stands still until [Ground.Advance].
func New(t testing.TB, d *db.DB, in Setup) *Ground {
	t.Helper()
	g := &Ground{T: t, DB: d, Log: in.Log}
	if g.Log == nil {
		g.Log = slog.New(slog.DiscardHandler)
	}
	if in.Start.IsZero() {
		in.Start = time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	}
	g.clock.Store(in.Start.UnixMilli())
	if in.TokenAlg == "" {
		in.TokenAlg = "EdDSA"
	}
	var err error
	if g.Ring, err = keyring.Open(t.Context(), d, bytes.Repeat([]byte{5}, 32), keyring.Config{
		Now: g.Now, TokenAlg: in.TokenAlg, TokenTTL: 15 * time.Minute, Log: g.Log,
	}); err != nil {
		t.Fatal(err)
	}
	if err := g.Ring.Need(t.Context(), keyring.Field, keyring.Index); err != nil {
		t.Fatal(err)
	}
	envelope := []byte("jobs")
	g.Jobs = jobs.New(d, jobs.Config{
		Now: g.Now, Log: g.Log,
		Seal: func(ctx context.Context, b []byte) ([]byte, error) {
			return g.Ring.Seal(ctx, keyring.Field, b, envelope)
		},
		Open: func(ctx context.Context, b []byte) ([]byte, error) {
			return g.Ring.Open(ctx, keyring.Field, b, envelope)
		},
	})
	g.Mailer = mail.New(nil, "Coffer", BaseURL)
	g.Jobs.Handle(mail.Job, g.receive)
	if in.KV == nil {
		in.KV = func(now func() time.Time) kv.Store { return kv.NewSQL(d, now) }
	}
	g.KV = in.KV(g.Now)
	g.Limits = limit.New(g.KV, g.Ring.Index, g.Now)
	return g
}

func (g *Ground) receive(_ context.Context, payload []byte) error {
	var m mail.Message
	if err := json.Unmarshal(payload, &m); err != nil {
		return err
	}
	if _, err := g.Mailer.Render(m); err != nil {
		g.T.Errorf("a mail that cannot be sent: %v", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.box = append(g.box, m)
	return nil
}

// Defaults sets zero settings from their tags, as a start in an empty environment does.
func Defaults(t testing.TB, settings any) {
	t.Helper()
	if err := kong.ApplyDefaults(settings); err != nil {
		t.Fatal(err)
	}
}

// Now is the clock of every package in this Ground.
func (g *Ground) Now() time.Time { return time.UnixMilli(g.clock.Load()) }

// Advance moves the clock.
func (g *Ground) Advance(d time.Duration) { g.clock.Add(d.Milliseconds()) }

// RunJobs runs every due job and returns their number.
func (g *Ground) RunJobs() (ran int) {
	g.T.Helper()
	for ; ; ran++ {
		worked, err := g.Jobs.Step(context.Background())
		if err != nil {
			g.T.Fatal(err)
		}
		if !worked {
			return ran
		}
	}
}

// Mails runs every due job and returns the mails since the last call.
func (g *Ground) Mails() []mail.Message {
	g.T.Helper()
	g.RunJobs()
	g.mu.Lock()
	defer g.mu.Unlock()
	box := g.box
	g.box = nil
	return box
}

// Told is Mails, each as "recipient kind".
func (g *Ground) Told() (told []string) {
	g.T.Helper()
	for _, m := range g.Mails() {
		told = append(told, m.To+" "+m.Kind)
	}
	return told
}

// AtOnce runs fn n times at the same moment and returns how many succeeded.
func AtOnce(n int, fn func() error) int {
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
