// Package limit is sliding-window limits over kv.
//
// # How it counts
//
// A rule's time is cut into buckets of one window each, at fixed moments. A call counts
// as made when
//
//	calls in this bucket + calls in the last one × (the part of it that the window still covers) ≤ limit
//
// which needs two numbers a key for every limit. The calls of the last bucket are
// taken to be spread evenly. So:
//
//   - In one bucket never more than limit calls pass, and in any stretch of one window
//     fewer than twice the limit: the worst case is one burst at the end of a bucket and
//     calls at the allowed rate after it. Over n windows never more than (n+1) × limit.
//   - A caller whose calls were bunched at the start of the last bucket may be refused
//     up to one window longer than a log of every call would.
//   - A refused call leaves nothing: knocking on a closed door neither keeps it closed nor
//     writes. The counters are read first, and a call is counted where it may still pass.
//
// The count is one atomic addition, so calls at the same moment, on any number of
// nodes, cannot pass together where one of them may. A store that cannot be reached
// refuses (503): a limit that cannot be asked is not a limit that was kept.
//
// # What the store sees
//
// Addresses and e-mails are not written: a key is the blind index of what it is for.
// When the index key rotates, counting starts anew.
package limit

import (
	"context"
	"encoding"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"coffer/internal/fault"
	"coffer/internal/kv"
)

// Rule allows Limit calls in any Window, for each key.
type Rule struct {
	Name   string // stable and unique; shown in the RateLimit headers
	Limit  int
	Window time.Duration // whole milliseconds
}

var _ encoding.TextUnmarshaler = (*Rule)(nil)

// UnmarshalText reads "10/15m": that many in each window of that length. Both must be
// positive. The name stays.
func (r *Rule) UnmarshalText(text []byte) error {
	count, window, ok := strings.Cut(string(text), "/")
	n, err := strconv.Atoi(count)
	d, derr := time.ParseDuration(window)
	if !ok || err != nil || derr != nil || n < 1 || d <= 0 {
		return fmt.Errorf("%q is not a limit such as 10/15m", text)
	}
	r.Limit, r.Window = n, d
	return nil
}

// String returns the form that UnmarshalText reads.
func (r Rule) String() string { return fmt.Sprintf("%d/%s", r.Limit, Short(r.Window)) }

// Short writes a duration as people do: 15m, not 15m0s.
func Short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Limiter counts calls. It is safe for concurrent use.
type Limiter struct {
	store kv.Store
	index func(ctx context.Context, column, canonical string) ([]byte, error)
	now   func() time.Time
}

// New returns a Limiter over store. index makes the blind index of a key:
// [coffer/internal/keyring.Ring.Index].
func New(store kv.Store, index func(ctx context.Context, column, canonical string) ([]byte, error), now func() time.Time) *Limiter {
	return &Limiter{store: store, index: index, now: now}
}

// Call is one call that a rule counts for a key.
type Call struct {
	Rule Rule
	Key  string
}

// Take counts one call for key. When that is one too many it returns 429 rate_limited
// with the time after which the next call will pass.
func (l *Limiter) Take(ctx context.Context, r Rule, key string) error {
	b, err := l.ask(ctx, r, key)
	if err != nil {
		return err
	}
	return l.add(ctx, b)
}

// TakeAll counts calls that stand or fall together: all of them, or none when one is too
// many. All are asked before the first is counted, in the order given: put the one first
// that refuses most.
func (l *Limiter) TakeAll(ctx context.Context, calls ...Call) error {
	asked := make([]bucket, len(calls))
	for i, c := range calls {
		var err error
		if asked[i], err = l.ask(ctx, c.Rule, c.Key); err != nil {
			return err
		}
	}
	for i := range calls {
		if err := l.add(ctx, asked[i]); err != nil {
			// A caller that left does not keep what it took.
			return errors.Join(err, l.RefundAll(context.WithoutCancel(ctx), calls[:i]...))
		}
	}
	return nil
}

// RefundAll is [Limiter.Refund] for what TakeAll took.
func (l *Limiter) RefundAll(ctx context.Context, calls ...Call) error {
	var all error
	for _, c := range calls {
		all = errors.Join(all, l.Refund(ctx, c.Rule, c.Key))
	}
	return all
}

// Ask refuses as Take would, and counts nothing: it is for what a caller would have done in
// vain before its call is counted.
func (l *Limiter) Ask(ctx context.Context, r Rule, key string) error {
	_, err := l.ask(ctx, r, key)
	return err
}

// ask refuses a call that is one too many already.
func (l *Limiter) ask(ctx context.Context, r Rule, key string) (bucket, error) {
	b, err := l.bucket(ctx, r, key)
	if err != nil {
		return b, err
	}
	if b.before, err = l.count(ctx, b.last); err != nil {
		return b, err
	}
	this, err := l.count(ctx, b.this)
	if err == nil && !b.allows(this+1) {
		err = refusal(r, b.wait(this))
	}
	return b, err
}

// add counts a call that ask let pass: of many at once it decides.
func (l *Limiter) add(ctx context.Context, b bucket) error {
	n, err := l.store.Add(ctx, b.this, 1, b.ttl())
	if err != nil {
		return fmt.Errorf("limit %s: %w", b.rule.Name, err)
	}
	if b.allows(n) {
		return nil
	}
	// A caller that leaves at this moment must not leave the count behind.
	if _, err := l.store.Add(context.WithoutCancel(ctx), b.this, -1, b.ttl()); err != nil {
		return fmt.Errorf("limit %s: %w", b.rule.Name, err)
	}
	return refusal(b.rule, b.wait(n-1))
}

// Refund takes one call back: the sign-in that was counted turned out right.
func (l *Limiter) Refund(ctx context.Context, r Rule, key string) error {
	b, err := l.bucket(ctx, r, key)
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // one half of what follows would be worse than none
	n, err := l.store.Add(ctx, b.this, -1, b.ttl())
	if err == nil && n < 0 { // the call was counted in the bucket before
		if _, err = l.store.Add(ctx, b.this, 1, b.ttl()); err == nil {
			_, err = l.store.Add(ctx, b.last, -1, b.ttl())
		}
	}
	if err != nil {
		return fmt.Errorf("limit %s: %w", r.Name, err)
	}
	return nil
}

// bucket is the present moment of one rule and key.
type bucket struct {
	rule       Rule
	this, last string        // keys of the two counters
	gone       time.Duration // of this bucket
	before     int64         // calls of the last one, once asked
}

func (l *Limiter) bucket(ctx context.Context, r Rule, key string) (bucket, error) {
	if r.Limit < 1 || r.Window < time.Millisecond {
		return bucket{}, fmt.Errorf("limit %q: %d in %s is no limit", r.Name, r.Limit, r.Window)
	}
	index, err := l.index(ctx, "limit."+r.Name, key)
	if err != nil {
		return bucket{}, fmt.Errorf("limit %s: %w", r.Name, err)
	}
	now, window := l.now().UnixMilli(), r.Window.Milliseconds()
	name := "limit:" + r.Name + ":" + hex.EncodeToString(index) + ":"
	return bucket{
		rule: r,
		this: name + strconv.FormatInt(now/window, 10),
		last: name + strconv.FormatInt(now/window-1, 10),
		gone: time.Duration(now%window) * time.Millisecond,
	}, nil
}

// ttl keeps a counter while it is one of the two.
func (b bucket) ttl() time.Duration { return 2 * b.rule.Window }

// allows reports whether so many calls of this bucket are within the rule, with as much of
// the last bucket's as still counts.
func (b bucket) allows(this int64) bool {
	weight := float64(b.before) * (1 - float64(b.gone)/float64(b.rule.Window))
	return weight+float64(this) <= float64(b.rule.Limit)
}

// wait returns after how long one more call will pass, when this bucket has so many calls
// and no other call comes.
func (b bucket) wait(this int64) time.Duration {
	window, allowed := float64(b.rule.Window), float64(b.rule.Limit-1)
	var at float64 // from the start of this bucket
	if float64(this) <= allowed {
		at = window * (1 - (allowed-float64(this))/float64(b.before))
	} else { // not in this bucket: it will be the last one
		at = window + window*(1-allowed/float64(this))
	}
	wait := time.Duration(math.Ceil(at)) - b.gone
	return max(time.Second, (wait + time.Second - 1).Truncate(time.Second))
}

func (l *Limiter) count(ctx context.Context, key string) (int64, error) {
	b, err := l.store.Get(ctx, key)
	if errors.Is(err, kv.ErrMissing) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("limit: %w", err)
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("limit: counter: %w", err)
	}
	return max(n, 0), nil
}

// ErrLimited is what Take answers, for operations that declare it. Each refusal is a copy
// that says how long to wait.
var ErrLimited = fault.New(fault.Limited, "rate_limited", "Too many attempts. Try again in %s.")

func refusal(r Rule, wait time.Duration) error {
	e := *ErrLimited
	e.Detail = fmt.Sprintf(e.Detail, wait)
	e.RetryAfter = wait
	e.Policy = &fault.Policy{Name: r.Name, Limit: r.Limit, Window: r.Window, Remaining: 0}
	return &e
}

// AddrKey returns what stands for a client's address: one IPv4 address, or one IPv6
// /64, which is the least that a network hands to one customer.
func AddrKey(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if !a.IsValid() {
		return "unknown"
	}
	if a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil { // no IPv6 address is shorter
		return a.String()
	}
	return p.String()
}

// NetKey returns what stands for the network that a client's address is rented with: one
// IPv4 address, or one IPv6 /48. One customer may hold every /64 of a /48, so what each
// newcomer gets once is given by it.
func NetKey(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || a.Is4() {
		return AddrKey(a)
	}
	p, err := a.Prefix(48)
	if err != nil { // no IPv6 address is shorter
		return a.String()
	}
	return p.String()
}
