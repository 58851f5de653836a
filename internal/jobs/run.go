package jobs

import (
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"coffer/internal/db"
)

const (
	firstDelay = 2 * time.Second
	mostDelay  = time.Hour
	// callFor bounds one statement about a job, so a shutdown does not wait for it long.
	callFor = 15 * time.Second
)

var (
	errLost  = errors.New("the lease was lost: another worker may have the work")
	errDrain = errors.New("the shutdown has waited long enough")
)

// Run works until ctx ends, then waits for the running handlers. After half a minute it
// ends their contexts and gives their jobs back. One kind uses at most half of the workers,
// so a mail server that hangs does not delay other kinds. Run returns nil: it goes on
// through every failure of the database.
func (q *Queue) Run(ctx context.Context) error {
	defer q.db.Listen(topic, func(string) { q.wake() })()
	runs, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	var all sync.WaitGroup
	q.mu.Lock()
	periods := slices.Clone(q.periods)
	q.mu.Unlock()
	for _, p := range periods {
		all.Go(func() { q.keep(ctx, runs, p) })
	}
	q.dispatch(ctx, runs, &all)
	t := time.AfterFunc(q.grace, func() { cancel(errDrain) })
	defer t.Stop()
	all.Wait()
	return nil
}

// dispatch claims jobs while a worker is free, and starts them.
func (q *Queue) dispatch(ctx, runs context.Context, all *sync.WaitGroup) {
	free := make(chan struct{}, q.workers)
	for failures := 0; ; {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return
		}
		j, wait, err := q.take(runs, (q.workers+1)/2)
		if err == nil && j != nil {
			failures = 0
			q.count(j.Kind, 1)
			all.Go(func() {
				defer func() {
					q.count(j.Kind, -1)
					<-free
					q.wake() // a worker of this kind is free
				}()
				_ = q.work(runs, *j) // recorded in the row
			})
			continue
		}
		<-free
		if err != nil {
			failures++
			wait = min(q.delay(failures)/8, q.poll)
			q.cfg.Log.WarnContext(ctx, "jobs: cannot look for work", "error", err, "again_in", wait)
			sleep(ctx, nil, wait)
			continue
		}
		failures = 0
		sleep(ctx, q.woken, wait)
	}
}

// sleep waits for d, woken or the end of ctx.
func sleep(ctx context.Context, woken <-chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-woken:
	case <-ctx.Done():
	}
}

func (q *Queue) count(kind string, n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.running[kind] += n
}

// kinds returns this process's kinds without those that already run share times.
func (q *Queue) kinds(share int) []string {
	q.mu.Lock()
	defer q.mu.Unlock()
	kinds := make([]string, 0, len(q.handlers))
	for kind := range q.handlers {
		if share <= 0 || q.running[kind] < share {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds) // one statement text per set
	return kinds
}

// take claims the next job. Without one it returns the time until the next. Its statements
// ignore ctx: a claim whose answer got lost would block the job for its lease.
func (q *Queue) take(ctx context.Context, share int) (*job, time.Duration, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callFor)
	defer cancel()
	kinds := q.kinds(share)
	if len(kinds) == 0 {
		return nil, q.poll, nil
	}
	for {
		claim, err := q.newClaim()
		if err != nil {
			return nil, 0, err
		}
		now := q.cfg.Now()
		j, err := claimJob(ctx, q.db, kinds, claim, now.UnixMilli(), now.Add(q.lease).UnixMilli())
		if err == nil {
			return &j, 0, nil
		}
		if !errors.Is(err, db.ErrNoRows) {
			return nil, 0, err
		}
		at, some, err := nextRun(ctx, q.db, kinds)
		if err != nil {
			return nil, 0, err
		}
		if !some {
			return nil, q.poll, nil
		}
		if wait := time.UnixMilli(at).Sub(now); wait > 0 {
			return nil, min(wait, q.poll), nil
		} // another worker was faster: there is more
	}
}

// Step runs one due job; worked is false without one. err is the handler's error, after the
// queue has recorded it, or the database's. It is for tests and for programs without
// [Queue.Run].
func (q *Queue) Step(ctx context.Context) (worked bool, err error) {
	j, _, err := q.take(ctx, 0)
	if err != nil || j == nil {
		return false, err
	}
	return true, q.work(ctx, *j)
}

// work runs a claimed job and records the outcome. It returns the handler's error.
func (q *Queue) work(ctx context.Context, j job) error {
	begun := time.Now()
	defer func() { q.measures.took.With(j.Kind).Observe(time.Since(begun)) }()
	if j.Attempts > MaxAttempts { // every worker of it died
		err := Permanent(errors.New("no attempt came to an end"))
		return errors.Join(err, q.settle(ctx, j, err))
	}
	err := q.hold(ctx, func(ctx context.Context, until int64) (int64, error) {
		return renewJob(ctx, q.db, j, until)
	}, func(ctx context.Context) error {
		payload, err := q.open(ctx, "payload", j.ID, j.Kind, j.Payload)
		if err != nil {
			return classified{"sealed", err}
		}
		q.mu.Lock()
		h := q.handlers[j.Kind]
		q.mu.Unlock()
		return h(ctx, payload)
	})
	if settleErr := q.settle(ctx, j, err); settleErr != nil {
		q.cfg.Log.WarnContext(ctx, "jobs: the end of a job was not recorded, it will run again", "kind", j.Kind, "id", j.ID, "error", settleErr)
		return errors.Join(err, settleErr)
	}
	return err
}

// hold runs fn and renews the lease. It ends fn's context when the lease is lost, and turns
// a panic into an error.
func (q *Queue) hold(ctx context.Context, renew func(ctx context.Context, until int64) (int64, error), fn func(context.Context) error) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	var renewal sync.WaitGroup
	defer func() {
		cancel(nil)
		renewal.Wait()
	}()
	renewal.Go(func() {
		t := time.NewTicker(q.lease / 3)
		defer t.Stop()
		for held := time.Now(); ; {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
			}
			n, err := renew(ctx, q.cfg.Now().Add(q.lease).UnixMilli())
			if err == nil && n > 0 {
				held = time.Now()
			} else if err == nil || time.Since(held) > q.lease {
				cancel(errLost)
				return
			}
		}
	})
	defer func() {
		if v := recover(); v != nil {
			err = panicked{v}
			q.cfg.Log.ErrorContext(ctx, "jobs: a handler panicked", "stack", string(debug.Stack()))
		} else if err != nil && errors.Is(context.Cause(ctx), errDrain) {
			err = errors.Join(errDrain, err)
		}
	}()
	return fn(ctx)
}

// settle records the end of an attempt, retrying while the lease lasts.
func (q *Queue) settle(ctx context.Context, j job, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), q.lease)
	defer cancel()
	outcome, record := q.outcome(ctx, j, err)
	q.measures.ended.With(j.Kind, outcome).Inc()
	for n := 1; ; n++ {
		if _, err = record(ctx); err == nil || ctx.Err() != nil {
			return err
		}
		sleep(ctx, nil, q.delay(n)/8)
	}
}

// outcome decides about a job and returns its outcome in a word and the statement that
// records it.
func (q *Queue) outcome(ctx context.Context, j job, err error) (string, func(context.Context) (int64, error)) {
	now := q.cfg.Now()
	// anew runs end. If the job was enqueued again meanwhile, it restarts the job.
	anew := func(end func(context.Context) (int64, error)) func(context.Context) (int64, error) {
		return func(ctx context.Context) (int64, error) {
			n, err := end(ctx)
			if err != nil || n > 0 {
				return n, err
			}
			return restartJob(ctx, q.db, j, now.UnixMilli())
		}
	}
	if err == nil {
		return "done", anew(func(ctx context.Context) (int64, error) { return finishJob(ctx, q.db, j) })
	}
	if errors.Is(err, errDrain) {
		return "released", func(ctx context.Context) (int64, error) { return releaseJob(ctx, q.db, j, now.UnixMilli()) }
	}
	f := q.failure(ctx, j, err)
	log := q.cfg.Log.With("kind", j.Kind, "id", j.ID, "attempt", j.Attempts, "class", f.Class)
	if isPermanent(err) || j.Attempts >= MaxAttempts {
		log.ErrorContext(ctx, "jobs: a job is dead")
		return "dead", anew(func(ctx context.Context) (int64, error) { return buryJob(ctx, q.db, j, f, now.UnixMilli()) })
	}
	wait := q.delay(int(j.Attempts))
	log.WarnContext(ctx, "jobs: an attempt failed", "again_in", wait)
	return "failed", func(ctx context.Context) (int64, error) { return delayJob(ctx, q.db, j, f, now.Add(wait).UnixMilli()) }
}

// delay is the time between attempt n and the next: 2 s, doubled each time up to an hour.
// It is a random half to whole of that.
func (q *Queue) delay(n int) time.Duration {
	d := mostDelay
	if n < 12 { // 2 s · 2^11 exceeds the hour
		d = min(firstDelay<<max(n-1, 0), mostDelay)
	}
	q.random.Lock()
	defer q.random.Unlock()
	jitter, err := rand.Int(q.cfg.Rand, big.NewInt(int64(d/2)+1))
	if err != nil {
		return d
	}
	return d/2 + time.Duration(jitter.Int64())
}
