// Package jobs is work that must happen later, enqueued in the transaction that asked for it; periodic work; one node at a time.
//
// # What is promised
//
//   - A job is a row written in the enqueuing transaction. It exists if and only if that
//     transaction committed.
//   - A job runs at least once. A claim is one conditional UPDATE, so one worker of all
//     nodes gets the job. It holds a lease and renews it while the handler runs. When a
//     worker is killed the lease lapses and the job runs again, so a handler must be safe
//     to run twice.
//   - A handler that fails or panics runs again after a time that doubles, from two seconds
//     to an hour, with jitter. After [MaxAttempts], about six hours, or a [Permanent] error,
//     the job goes to the dead list. No job is dropped.
//   - One node of all does a piece of periodic work, see [Queue.Every].
//   - [Queue.Run] survives an absent database and goes on when it is back.
//
// # What is stored and logged
//
// Payloads hold addresses and codes. They are sealed before they reach SQL, bound to the
// job's id and kind, so a payload moved to another row does not open. The text of a
// handler's error is sealed too; only its class, a few words, is in clear. The log has
// kind, id, attempt and class, never a payload or an error's text. A [Key] is in clear: it
// is an id without personal data. Dead jobs are deleted after [KeepDead].
//
// # Clocks
//
// Times in the table come from the nodes' clocks. Nodes whose clocks differ by more than a
// lease, one minute, would take each other's jobs.
package jobs

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"coffer/internal/db"
	"coffer/internal/metric"
	"coffer/internal/seal"
)

const (
	// MaxAttempts is the number of attempts before a job goes to the dead list.
	MaxAttempts = 16
	// KeepDead is how long a dead job can be retried before its deletion.
	KeepDead = 30 * 24 * time.Hour

	defaultWorkers = 8
	defaultLease   = time.Minute
	defaultPoll    = 5 * time.Second
	defaultGrace   = 30 * time.Second
)

// topic is the note that announces work to every node.
const topic = "jobs"

// Config configures a queue. Seal and Open are required.
type Config struct {
	Now func() time.Time // zero: time.Now
	Log *slog.Logger     // zero: nothing is logged
	// Seal encrypts stored values and Open decrypts them. Both must be safe for concurrent
	// use.
	Seal, Open func(ctx context.Context, b []byte) ([]byte, error)
	Workers    int         // concurrent jobs in this process; zero: 8. One kind takes half of them at most
	Rand       io.Reader   // ids, claims, jitter; zero: crypto/rand
	Metrics    *metric.Set // zero: no counts are shown
}

// Handler does one job. payload is the enqueued JSON. The handler may run twice. Its ctx
// ends when the lease is lost or a shutdown has waited long enough.
type Handler = func(ctx context.Context, payload []byte) error

// Queue keeps jobs in a database and runs them. Its methods are safe for concurrent use.
// Register handlers and periods before [Queue.Run].
type Queue struct {
	db      *db.DB
	cfg     Config
	workers int
	lease   time.Duration // life of a claim without renewal
	poll    time.Duration // interval of checks without a note
	grace   time.Duration // a shutdown's wait for handlers

	woken chan struct{}

	measures measures

	mu       sync.Mutex
	handlers map[string]Handler
	running  map[string]int // by kind, of Run
	periods  []period

	random sync.Mutex // guards cfg.Rand
}

// New returns a queue over d. It panics without Seal or Open: a queue must not store
// payloads in clear.
func New(d *db.DB, cfg Config) *Queue {
	if cfg.Seal == nil || cfg.Open == nil {
		panic("internal error: jobs: Seal and Open are required")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.Workers <= 0 {
		cfg.Workers = defaultWorkers
	}
	q := &Queue{
		db: d, cfg: cfg, workers: cfg.Workers, lease: defaultLease, poll: defaultPoll, grace: defaultGrace,
		woken: make(chan struct{}, 1), handlers: map[string]Handler{}, running: map[string]int{},
	}
	q.measures = q.newMeasures(cfg.Metrics)
	q.Every("jobs.forget-dead", 24*time.Hour, q.forgetDead, Old{"jobs", "dead_at < $1", KeepDead})
	return q
}

// Handle makes h do the jobs of kind. This process leaves other kinds to other processes. A
// second handler for a kind panics.
func (q *Queue) Handle(kind string, h Handler) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.handlers[kind] != nil {
		panic("internal error: jobs: two handlers of " + kind)
	}
	q.handlers[kind] = h
}

// Option changes how a job is enqueued.
type Option func(*order)

type order struct {
	key *string
}

// Key merges the job with an unfinished job of the same kind and key. If that job waits, it
// keeps its payload and runs at the earlier of the two times. If it is running, it runs
// once more afterwards and so sees this transaction's changes. key is an id without
// personal data.
func Key(key string) Option { return func(o *order) { o.key = &key } }

// Enqueue adds a job to the transaction; it exists when tx commits. Enqueue encodes payload
// as JSON and seals it.
func (q *Queue) Enqueue(ctx context.Context, tx *db.Tx, kind string, payload any, opts ...Option) error {
	var o order
	for _, opt := range opts {
		opt(&o)
	}
	plain, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("enqueue %s: %w", kind, err)
	}
	id, err := q.newID()
	if err != nil {
		return fmt.Errorf("enqueue %s: %w", kind, err)
	}
	sealed, err := q.seal(ctx, "payload", id, kind, plain)
	if err != nil {
		return fmt.Errorf("enqueue %s: seal the payload: %w", kind, err)
	}
	now := q.cfg.Now()
	if err := insertJob(ctx, tx, newJob{
		ID: id, Kind: kind, Key: o.key, Payload: sealed,
		CreatedAt: now.UnixMilli(), RunAt: now.UnixMilli(),
	}); err != nil {
		return fmt.Errorf("enqueue %s: %w", kind, err)
	}
	return tx.Notify(ctx, topic, "")
}

// newID returns an id that sorts by time.
func (q *Queue) newID() (string, error) {
	q.random.Lock()
	defer q.random.Unlock()
	id, err := uuid.NewV7FromReader(q.cfg.Rand)
	return id.String(), err
}

// newClaim returns an id that is unique to this attempt.
func (q *Queue) newClaim() (string, error) {
	b := make([]byte, 15)
	q.random.Lock()
	defer q.random.Unlock()
	_, err := io.ReadFull(q.cfg.Rand, b)
	return base64.RawURLEncoding.EncodeToString(b), err
}

// label binds a sealed value to its row and column.
func label(column, id, kind string) string { return column + "\x00" + id + "\x00" + kind + "\x00" }

func (q *Queue) seal(ctx context.Context, column, id, kind string, plain []byte) ([]byte, error) {
	return q.cfg.Seal(ctx, append([]byte(label(column, id, kind)), plain...))
}

var errMoved = fmt.Errorf("a sealed value stands in a row that is not its own: %w", seal.ErrOpen)

func (q *Queue) open(ctx context.Context, column, id, kind string, sealed []byte) ([]byte, error) {
	plain, err := q.cfg.Open(ctx, sealed)
	if err != nil {
		return nil, err
	}
	want := label(column, id, kind)
	if len(plain) < len(want) || string(plain[:len(want)]) != want {
		return nil, errMoved
	}
	return plain[len(want):], nil
}

// wake makes Run look for work. It never waits.
func (q *Queue) wake() {
	select {
	case q.woken <- struct{}{}:
	default: // it checks anyway
	}
}
