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
)

// Redis is a store in Redis (6 or later) or Valkey, shared by every node.
//
// Values under "session:" are kept in this process as well. The server tells us on the
// connection that we ask on when such a key changes (CLIENT TRACKING), by any
// node; a node drops what it changes itself before the change returns. A kept value answers
// only while the server has just proven that it can reach us: a heartbeat passes through
// the same connection, so each change from before it has been heard when its answer
// comes. A node that is cut off therefore answers from memory for one second
// at most, and then [ErrUnavailable].
type Redis struct {
	client rueidis.Client
	cache  *cache
	log    *slog.Logger

	stop    context.CancelFunc
	stopped context.Context
	ended   chan struct{}
}

var _ Store = (*Redis)(nil)

const (
	// space comes before each key, so that a server may hold other things.
	space = "coffer:"
	// cachedPrefix is of the keys that are kept in memory.
	cachedPrefix = "session:"
	// answerFor bounds a call, dialFor a new connection.
	answerFor = 4 * time.Second
	dialFor   = 2 * time.Second
)

// A value is kept with this byte before it, a counter as its decimal text: so the
// server counts with its own INCRBY and still knows one from the other.
const valueMark = 'v'

// addScript is one round trip and one step.
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
	r.stopped, r.stop = context.WithCancel(context.Background())
	opt.ClientName = "coffer"
	opt.ForceSingleClient = true // one server and one connection: what it tells is in order
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
	go r.run()
	return r, nil
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
		return value, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, answerFor, ErrUnavailable)
	defer cancel()
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

// read takes the mark off an answer to GET.
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

// write runs a command that may change key. Whatever comes of it, what is kept of the
// key is dropped after the server has run it and before the caller learns of it.
func (r *Redis) write(ctx context.Context, key string, command rueidis.Completed) error {
	ctx, cancel := context.WithTimeoutCause(ctx, answerFor, ErrUnavailable)
	defer cancel()
	defer r.cache.drop(key)
	return redisError(ctx, r.client.Do(ctx, command).Error())
}

func marked(value []byte) string { return string(valueMark) + string(value) }

func life(ttl time.Duration) int64 { return max(millis(ttl), 1) }

// redisError tells a caller that left from a server that does not serve. The commands
// are right, so that a server refuses one is the server's state: loading, read-only,
// full.
func redisError(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil && !errors.Is(context.Cause(ctx), ErrUnavailable) {
		return ctx.Err()
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// invalidated hears which keys changed; nil means all of them, or that the connection
// is gone.
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

// beat proves that the connection carries what the server has to tell.
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

// run keeps the heart beating until Close.
func (r *Redis) run() {
	defer close(r.ended)
	tick := time.NewTicker(lease / 4)
	defer tick.Stop()
	lost := false
	for {
		select {
		case <-tick.C:
			// Without a beat the lease ends, which is all there is to do.
			if err := r.beat(r.stopped); (err != nil) != lost && r.stopped.Err() == nil {
				lost = err != nil
				r.log.Warn("redis: the connection was lost or is back", "lost", lost, "err", err)
			}
		case <-r.stopped.Done():
			return
		}
	}
}
