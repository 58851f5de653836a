package kv

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// RedisBus is a bus in Redis (6 or later) or Valkey, shared by every node.
//
// It has connections of its own, so that a chunk never delays the answer about a session.
// One carries what is published and pushed, in order; one carries every subscription; a
// Pop that waits holds one for as long.
//
// Each Push renews the queue's end in the same transaction, so no queue outlives a node
// that crashed.
type RedisBus struct {
	client   rueidis.Client
	queues   string // prefixes
	channels string

	turn   chan struct{} // held while a line opens
	mu     sync.Mutex
	line   *line
	closed bool
}

var _ Bus = (*RedisBus)(nil)

// mostPops bounds the connections of the calls of Pop that wait at once. It is more than
// one process has streams.
const mostPops = 8192

// OpenRedisBus connects to the server at url, as [OpenRedis] does.
func OpenRedisBus(ctx context.Context, url string) (*RedisBus, error) {
	opt, err := redisOptions(url)
	if err != nil {
		return nil, err
	}
	opt.ClientName = "coffer-bus"
	opt.ForceSingleClient = true
	opt.PipelineMultiplex = -1 // one connection keeps a caller's messages in order
	opt.AlwaysPipelining = true
	opt.DisableRetry = true
	opt.DisableCache = true
	opt.Dialer = net.Dialer{Timeout: dialFor, KeepAlive: time.Second}
	opt.ConnWriteTimeout = answerFor
	opt.ReadBufferEachConn, opt.WriteBufferEachConn = 1<<15, 1<<15
	opt.RingScaleEachConn = 8
	opt.BlockingPoolSize, opt.BlockingPoolCleanup = mostPops, time.Minute
	// Channels do not belong to a database of the server, so its number is a part of their names.
	b := &RedisBus{queues: space + "queue:", channels: space + strconv.Itoa(opt.SelectDB) + ":", turn: make(chan struct{}, 1)}
	if b.client, err = rueidis.NewClient(opt); err != nil {
		return nil, fmt.Errorf("redis: %w: %w", ErrUnavailable, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, answerFor, ErrUnavailable)
	defer cancel()
	if err := b.client.Do(ctx, b.client.B().Ping().Build()).Error(); err != nil {
		b.client.Close()
		return nil, fmt.Errorf("redis: %w", redisError(ctx, err))
	}
	return b, nil
}

// Close ends every subscription as lost, and the connections. No other call may be running.
func (b *RedisBus) Close() error {
	b.mu.Lock()
	l := b.line
	b.line, b.closed = nil, true
	b.mu.Unlock()
	if l != nil {
		l.client.Close()
		<-l.ended
	}
	b.client.Close()
	return nil
}

// Publish gives m to every subscriber of the channel.
func (b *RedisBus) Publish(ctx context.Context, channel string, m []byte) error {
	if err := before(ctx, checkMessage(channel, m)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, answerFor, ErrUnavailable)
	defer cancel()
	command := b.client.B().Publish().Channel(b.channels + channel).Message(rueidis.BinaryString(m)).Build()
	return redisError(ctx, b.client.Do(ctx, command).Error())
}

// Subscribe calls hear for each later message.
func (b *RedisBus) Subscribe(ctx context.Context, channel string, hear func([]byte)) (cancel func(), lost <-chan struct{}, err error) {
	if err := before(ctx, checkKey(channel)); err != nil {
		return nil, nil, err
	}
	ctx, done := context.WithTimeoutCause(ctx, answerFor, ErrUnavailable)
	defer done()
	l, err := b.open(ctx)
	if err != nil {
		return nil, nil, redisError(ctx, err)
	}
	s := newSubscription(hear)
	if err := l.add(ctx, b.channels+channel, s); err != nil {
		return nil, nil, redisError(ctx, err)
	}
	return func() {
		s.end()
		l.remove(b.channels+channel, s)
	}, s.lost, nil
}

// Push appends to a queue.
func (b *RedisBus) Push(ctx context.Context, queue string, m []byte, ttl time.Duration) error {
	if err := before(ctx, checkPush(queue, m, ttl)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, answerFor, ErrUnavailable)
	defer cancel()
	key := b.queues + queue
	answers := b.client.DoMulti(ctx,
		b.client.B().Multi().Build(),
		b.client.B().Rpush().Key(key).Element(rueidis.BinaryString(m)).Build(),
		b.client.B().Pexpire().Key(key).Milliseconds(life(ttl)).Build(),
		b.client.B().Exec().Build())
	results, err := answers[len(answers)-1].ToArray()
	for i := range results {
		err = errors.Join(err, results[i].Error())
	}
	return redisError(ctx, err)
}

// Pop removes the oldest message.
func (b *RedisBus) Pop(ctx context.Context, queue string, wait time.Duration) ([]byte, error) {
	if err := before(ctx, checkKey(queue)); err != nil {
		return nil, err
	}
	key := b.queues + queue
	ctx, cancel := context.WithTimeoutCause(ctx, max(wait, 0)+answerFor, ErrUnavailable)
	defer cancel()
	if wait <= 0 {
		m, err := b.client.Do(ctx, b.client.B().Lpop().Key(key).Build()).AsBytes()
		return popped(ctx, m, err)
	}
	// A Pop that its caller gives up unblocks its connection, which then serves the next.
	command := b.client.B().Blpop().Key(key).Timeout(float64(millis(wait)) / 1000).Build().UnblockOnCancel()
	answer, err := b.client.Do(ctx, command).ToArray()
	if err != nil {
		return popped(ctx, nil, err)
	}
	if len(answer) != 2 {
		return nil, fmt.Errorf("%w: BLPOP answered %d values", ErrUnavailable, len(answer))
	}
	m, err := answer[1].AsBytes()
	return popped(ctx, m, err)
}

func popped(ctx context.Context, m []byte, err error) ([]byte, error) {
	if rueidis.IsRedisNil(err) {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, redisError(ctx, err)
	}
	return some(m), nil
}

// Discard removes a queue.
func (b *RedisBus) Discard(ctx context.Context, queue string) error {
	if err := before(ctx, checkKey(queue)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, answerFor, ErrUnavailable)
	defer cancel()
	return redisError(ctx, b.client.Do(ctx, b.client.B().Unlink().Key(b.queues+queue).Build()).Error())
}

// open returns the line, which the first subscription and the first after a loss open.
func (b *RedisBus) open(ctx context.Context) (*line, error) {
	if l, err := b.opened(); l != nil || err != nil {
		return l, err
	}
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if l, err := b.opened(); l != nil || err != nil {
		return l, err
	}
	client, release := b.client.Dedicate()
	l := newLine(client)
	broken := client.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: l.deliver})
	if err := client.Do(ctx, client.B().Ping().Build()).Error(); err != nil {
		client.Close()
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		client.Close()
		return nil, rueidis.ErrClosing
	}
	b.line = l
	go func() {
		<-broken
		b.mu.Lock()
		if b.line == l {
			b.line = nil
		}
		b.mu.Unlock()
		l.end()
		release()
		close(l.ended)
	}()
	return l, nil
}

func (b *RedisBus) opened() (*line, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, rueidis.ErrClosing
	}
	return b.line, nil
}
