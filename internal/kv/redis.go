package kv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"coffer/internal/metric"
)

// Redis is a store in Redis (6 or later) or Valkey, shared by every node.
//
// This process caches values under "session:". The server announces changes to such keys by
// any node, on the connection of our questions (CLIENT TRACKING). A node drops a key that
// it changes itself before the change returns. A cached value counts only while the server
// has just proven that it can reach us. The proof is a heartbeat on the same connection:
// its answer comes after every earlier change. A disconnected node therefore answers from
// its cache for at most one second, and then [ErrUnavailable].
type Redis struct {
	client rueidis.Client
	cache  *cache
	log    *slog.Logger
	reads  metric.Cache

	stop    context.CancelFunc
	stopped context.Context
	ended   chan struct{}
}

var _ Store = (*Redis)(nil)

const (
	// space prefixes each key, so the server may hold other data.
	space = "coffer:"
	// cachedPrefix marks the keys that are cached.
	cachedPrefix = "session:"
	// answerFor bounds a call, dialFor a new connection.
	answerFor = 4 * time.Second
	dialFor   = 2 * time.Second
)

// A stored value begins with this byte; a counter is its decimal text. So the server counts
// with INCRBY and still distinguishes the two.
const valueMark = 'v'

// addScript adds atomically, in one round trip.
var addScript = rueidis.NewLuaScript(`
local is = redis.call('GET', KEYS[1])
if is and string.sub(is, 1, 1) == 'v' then return false end
local sum = redis.call('INCRBY', KEYS[1], ARGV[1])
if sum == 0 then
	redis.call('DEL', KEYS[1])
elseif not is then
	redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return sum`)

// OpenRedis connects to the server at url: redis://, rediss:// (TLS) or unix://.
func OpenRedis(ctx context.Context, url string, log *slog.Logger) (*Redis, error) {
	opt, err := redisOptions(url)
	if err != nil {
		return nil, err
	}
	r := &Redis{cache: newCache(time.Now), log: log, ended: make(chan struct{})}
	r.Measure(nil)
	r.stopped, r.stop = context.WithCancel(context.Background())
	opt.ClientName = "coffer"
	opt.ForceSingleClient = true // one server and one connection keep its announcements in order
	opt.PipelineMultiplex = -1
	opt.AlwaysPipelining = true
	opt.DisableRetry = true
	opt.Dialer = net.Dialer{Timeout: dialFor, KeepAlive: time.Second}
	opt.ConnWriteTimeout = 2 * time.Second
	opt.ReadBufferEachConn, opt.WriteBufferEachConn = 1<<16, 1<<16
	opt.ClientTrackingOptions = []string{"BCAST", "PREFIX", space + cachedPrefix}
	opt.OnInvalidations = r.invalidated
	if r.client, err = rueidis.NewClient(opt); err != nil {
		return nil, fmt.Errorf("redis: %w: %w", ErrUnavailable, err)
	}
	if err := r.beat(ctx); err != nil {
		r.client.Close()
		return nil, fmt.Errorf("redis: %w", err)
	}
	r.warnOfEviction(ctx)
	go r.run()
	return r, nil
}

// warnOfEviction tells the operator of a server that removes keys when its memory is full: a
// flood would push counters and sessions out. A server that refuses the question is no error.
func (r *Redis) warnOfEviction(ctx context.Context) {
	ctx, cancel := context.WithTimeoutCause(ctx, answerFor, ErrUnavailable)
	defer cancel()
	memory, err := r.client.Do(ctx, r.client.B().Info().Section("memory").Build()).ToString()
	if err != nil {
		return
	}
	if policy := evictionPolicy(memory); policy != "" {
		r.log.Warn("redis: the server evicts keys when its memory is full, so a flood pushes counters and sessions out: set maxmemory-policy noeviction", "policy", policy)
	}
}

// evictionPolicy returns how a server chooses the keys that it evicts, from its INFO of the
// memory; "" for one that evicts none.
func evictionPolicy(memory string) string {
	values := map[string]string{}
	for line := range strings.Lines(memory) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		values[name] = value
	}
	policy := values["maxmemory_policy"]
	if bound := values["maxmemory"]; bound == "" || bound == "0" || policy == "noeviction" {
		return ""
	}
	return policy
}

func redisOptions(url string) (rueidis.ClientOption, error) {
	opt, err := rueidis.ParseURL(url)
	if err != nil {
		err = errors.New("redis URL: not redis://HOST:PORT/NUMBER, rediss:// or unix://") // its error may hold the password
	}
	return opt, err
}

// Close ends the connection.
func (r *Redis) Close() error {
	r.stop()
	r.client.Close()
	<-r.ended
	return nil
}

// Measure shows the cache on the page of s. Call it before the first Get.
func (r *Redis) Measure(s *metric.Set) { r.reads = s.Cache("redis") }

// Ping reports whether the server answers.
func (r *Redis) Ping(ctx context.Context) error { return r.beat(ctx) }

// Get returns the value, or [ErrMissing].
func (r *Redis) Get(ctx context.Context, key string) ([]byte, error) {
	if err := before(ctx, checkKey(key)); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(key, cachedPrefix) {
		ctx, cancel := context.WithTimeoutCause(ctx, answerFor, ErrUnavailable)
		defer cancel()
		return read(ctx, r.client.Do(ctx, r.client.B().Get().Key(space+key).Build()))
	}
	if value, ok := r.cache.get(key); ok {
		r.reads.Hit.Inc()
		return value, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, answerFor, ErrUnavailable)
	defer cancel()
	r.reads.Miss.Inc()
	f := r.cache.begin(key)
	answers := r.client.DoMulti(ctx,
		r.client.B().Get().Key(space+key).Build(), r.client.B().Pttl().Key(space+key).Build())
	value, err := read(ctx, answers[0])
	left, ttlErr := answers[1].AsInt64()
	if err != nil || ttlErr != nil || left <= 0 {
		f.forget()
		return value, err
	}
	f.keep(value, time.Duration(left)*time.Millisecond)
	return value, nil
}

// read removes the mark from an answer to GET.
func read(ctx context.Context, answer rueidis.RedisResult) ([]byte, error) {
	text, err := answer.ToString()
	if rueidis.IsRedisNil(err) {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, redisError(ctx, err)
	}
	if text != "" && text[0] == valueMark {
		text = text[1:]
	}
	return []byte(text), nil
}

// Put sets the value.
func (r *Redis) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := before(ctx, checkPut(key, value, ttl)); err != nil {
		return err
	}
	return r.write(ctx, key, r.client.B().Set().Key(space+key).Value(marked(value)).PxMilliseconds(life(ttl)).Build())
}

// Add adds to a counter.
func (r *Redis) Add(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error) {
	if err := before(ctx, checkAdd(key, delta, ttl)); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, answerFor, ErrUnavailable)
	defer cancel()
	defer r.cache.drop(key)
	sum, err := addScript.Exec(ctx, r.client, []string{space + key}, []string{strconv.FormatInt(delta, 10), strconv.FormatInt(life(ttl), 10)}).AsInt64()
	if rueidis.IsRedisNil(err) {
		return 0, ErrNotCounter
	}
	return sum, redisError(ctx, err)
}

// Delete removes the key.
func (r *Redis) Delete(ctx context.Context, key string) error {
	if err := before(ctx, checkKey(key)); err != nil {
		return err
	}
	return r.write(ctx, key, r.client.B().Del().Key(space+key).Build())
}

// Once reports whether this call is the first with key.
func (r *Redis) Once(ctx context.Context, key string, _ time.Time, ttl time.Duration) (bool, error) {
	if err := before(ctx, checkPut(key, nil, ttl)); err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, answerFor, ErrUnavailable)
	defer cancel()
	err := r.client.Do(ctx, r.client.B().Set().Key(space+key).Value(marked(nil)).Nx().PxMilliseconds(life(ttl)).Build()).Error()
	if rueidis.IsRedisNil(err) {
		return false, nil
	}
	return err == nil, redisError(ctx, err)
}

// write runs a command that may change key. Whatever the result, it drops the cached value
// after the server ran the command and before the caller learns of it.
func (r *Redis) write(ctx context.Context, key string, command rueidis.Completed) error {
	ctx, cancel := context.WithTimeoutCause(ctx, answerFor, ErrUnavailable)
	defer cancel()
	defer r.cache.drop(key)
	return redisError(ctx, r.client.Do(ctx, command).Error())
}

func marked(value []byte) string { return string(valueMark) + string(value) }

func life(ttl time.Duration) int64 { return max(millis(ttl), 1) }

// redisError distinguishes a caller that gave up from a server that cannot serve. The
// commands are valid, so a refusal means the server's state: loading, read-only, full.
func redisError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil && !errors.Is(context.Cause(ctx), ErrUnavailable) {
		return ctx.Err()
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// invalidated receives the changed keys; nil means all of them, or a lost connection.
func (r *Redis) invalidated(keys []rueidis.RedisMessage) {
	if keys == nil {
		r.cache.reset()
		return
	}
	for _, k := range keys {
		key, err := k.ToString()
		if err != nil {
			r.cache.reset()
			continue
		}
		r.cache.drop(strings.TrimPrefix(key, space))
	}
}

// beat proves that the connection delivers the server's announcements.
func (r *Redis) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, answerFor, ErrUnavailable)
	defer cancel()
	asked := r.cache.now()
	id, err := r.client.Do(ctx, r.client.B().ClientId().Build()).AsInt64()
	if err != nil {
		return redisError(ctx, err)
	}
	r.cache.prove(id, asked)
	return nil
}

// run repeats beat until Close.
func (r *Redis) run() {
	defer close(r.ended)
	tick := time.NewTicker(lease / 4)
	defer tick.Stop()
	lost := false
	for {
		select {
		case <-tick.C:
			// Without a beat the lease ends, and that suffices.
			if err := r.beat(r.stopped); (err != nil) != lost && r.stopped.Err() == nil {
				lost = err != nil
				r.log.Warn("redis: the connection was lost or is back", "lost", lost, "err", err)
			}
		case <-r.stopped.Done():
			return
		}
	}
}
