// Package limit is sliding-window limits over kv.
//
// # How it counts
//
// A rule's time is cut into buckets of one window each, at fixed moments. A call passes
// when
//
//	calls in this bucket + calls in the last one × (the part of it that the window still covers) ≤ limit
//
// This needs two numbers per key for every limit. It assumes that the calls of the last
// bucket are spread evenly. So:
//
//   - At most limit calls pass in one bucket, and fewer than twice the limit in any window.
//     The worst case is a burst at a bucket's end and calls at the allowed rate after it.
//     Over n windows at most (n+1) × limit calls pass.
//   - A log of every call would refuse a caller for up to one window less, if its calls
//     came at the start of the last bucket.
//   - A refused call writes nothing and does not prolong the refusal. The limiter reads the
//     counters first and counts a call only where it may pass.
//
// The count is one atomic addition. So concurrent calls, on any number of nodes, cannot
// pass together where only one may. When the store is unreachable the limiter
// refuses (503): a limit that cannot be checked counts as exceeded.
//
// # What the store sees
//
// The store sees no addresses or e-mails: a key is the blind index of its subject. When the
// index key rotates, counting restarts.
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
	"coffer/internal/metric"
)

// Rule allows Limit calls in any Window, for each key.
type Rule struct {
	Name   string // stable and unique; appears in the RateLimit headers
	Limit  int
	Window time.Duration // whole milliseconds
}

var _ encoding.TextUnmarshaler = (*Rule)(nil)

// UnmarshalText reads "10/15m": a limit and a window, both positive. The name stays.
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

// Short formats a duration as 15m, not 15m0s.
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
	over  metric.Counters

	// Show hears how many calls a rule leaves after one that passed, and when the bucket
	// ends; nil hears nothing.
	Show func(ctx context.Context, p fault.Policy, reset time.Duration)
}

// New returns a Limiter over store. index computes a key's blind index:
// [coffer/internal/keyring.Ring.Index].
func New(store kv.Store, index func(ctx context.Context, column, canonical string) ([]byte, error), now func() time.Time) *Limiter {
	l := &Limiter{store: store, index: index, now: now}
	l.Measure(nil)
	return l
}

// Measure shows the refusals on the page of s. Call it before the first call is counted.
func (l *Limiter) Measure(s *metric.Set) {
	l.over = s.Counter("coffer_limit_refusals_total", "Calls that were over a limit, by its rule.", "rule")
}

// Call is one call that a rule counts for a key.
type Call struct {
	Rule Rule
	Key  string
}

// Take counts one call for key. Over the limit it returns 429 rate_limited with the time
// until the next call passes.
func (l *Limiter) Take(ctx context.Context, r Rule, key string) error {
	return l.TakeAll(ctx, Call{r, key})
}

// TakeAll counts all calls, or none when one is over its limit. It checks all before it
// counts the first, in the given order: put the one that refuses most first. The answer of a
// request shows the rule with the fewest calls left.
func (l *Limiter) TakeAll(ctx context.Context, calls ...Call) error {
	asked, err := l.ask(ctx, true, calls)
	if err != nil {
		return err
	}
	l.show(ctx, asked)
	if _, ok := l.store.(kv.Windows); ok {
		return nil // counted already
	}
	for i := range calls {
		if err := l.add(ctx, asked[i]); err != nil {
			// A caller that gave up does not keep its counts.
			return errors.Join(err, l.RefundAll(context.WithoutCancel(ctx), calls[:i]...))
		}
	}
	return nil
}

// Refund takes one call back, as after a successful sign-in.
func (l *Limiter) Refund(ctx context.Context, r Rule, key string) error {
	return l.RefundAll(ctx, Call{r, key})
}

// RefundAll is [Limiter.Refund] for the calls of TakeAll.
func (l *Limiter) RefundAll(ctx context.Context, calls ...Call) error {
	buckets, err := l.buckets(ctx, calls)
	if err != nil || len(buckets) == 0 {
		return err
	}
	ctx = context.WithoutCancel(ctx) // half of these statements would be worse than none
	if s, ok := l.store.(kv.Windows); ok {
		if err := s.Return(ctx, windows(buckets)); err != nil {
			return fmt.Errorf("limit %s: %w", calls[0].Rule.Name, err)
		}
		return nil
	}
	var all error
	for _, b := range buckets {
		all = errors.Join(all, l.refund(ctx, b))
	}
	return all
}

// Ask refuses as Take would, and counts nothing. It spares a caller work that the limit
// would waste.
func (l *Limiter) Ask(ctx context.Context, r Rule, key string) error {
	_, err := l.ask(ctx, false, []Call{{r, key}})
	return err
}

// ask refuses calls of which one is already over its limit. With take a store of
// [kv.Windows] counts those that pass.
func (l *Limiter) ask(ctx context.Context, take bool, calls []Call) ([]bucket, error) {
	all, err := l.buckets(ctx, calls)
	if err != nil {
		return nil, err
	}
	s, counts := l.store.(kv.Windows)
	if counts {
		counted, room, err := s.Count(ctx, windows(all), take)
		if err != nil {
			return nil, fmt.Errorf("limit %s: %w", calls[0].Rule.Name, err)
		}
		for i := range all {
			all[i].before, all[i].calls = counted[i].Last, counted[i].This
		}
		if room {
			return all, nil
		}
	} else {
		for i := range all {
			b := &all[i]
			if b.before, err = l.count(ctx, b.last); err != nil {
				return nil, err
			}
			if b.calls, err = l.count(ctx, b.this); err != nil {
				return nil, err
			}
		}
	}
	for _, b := range all {
		if !b.allows(b.calls + 1) {
			return nil, l.refusal(b.rule, b.wait(b.calls))
		}
	}
	if counts { // the store has counted nothing, though it rounds otherwise than this program
		return nil, l.refusal(all[0].rule, all[0].wait(all[0].calls))
	}
	return all, nil
}

// add counts a call that ask allowed. Of concurrent calls it decides which pass.
func (l *Limiter) add(ctx context.Context, b bucket) error {
	n, err := l.store.Add(ctx, b.this, 1, b.ttl())
	if err != nil {
		return fmt.Errorf("limit %s: %w", b.rule.Name, err)
	}
	if b.allows(n) {
		return nil
	}
	// A caller that gives up now must not leave its count.
	if _, err := l.store.Add(context.WithoutCancel(ctx), b.this, -1, b.ttl()); err != nil {
		return fmt.Errorf("limit %s: %w", b.rule.Name, err)
	}
	return l.refusal(b.rule, b.wait(n-1))
}

func (l *Limiter) refund(ctx context.Context, b bucket) error {
	n, err := l.store.Add(ctx, b.this, -1, b.ttl())
	if err == nil && n < 0 { // the call was counted in the previous bucket
		if _, err = l.store.Add(ctx, b.this, 1, b.ttl()); err == nil {
			_, err = l.store.Add(ctx, b.last, -1, b.ttl())
		}
	}
	if err != nil {
		return fmt.Errorf("limit %s: %w", b.rule.Name, err)
	}
	return nil
}

// show tells the client of a request how many calls are left, of the rule with the fewest.
func (l *Limiter) show(ctx context.Context, all []bucket) {
	if l.Show == nil {
		return
	}
	var shown *fault.Policy
	var reset time.Duration
	for _, b := range all {
		left := int(math.Floor(b.room())) - int(b.calls) - 1
		if shown == nil || left < shown.Remaining {
			shown = &fault.Policy{Name: b.rule.Name, Limit: b.rule.Limit, Window: b.rule.Window, Remaining: max(left, 0)}
			reset = b.rule.Window - b.gone
		}
	}
	if shown != nil {
		l.Show(ctx, *shown, reset)
	}
}

// Clear takes back every call that a rule counts for a key, as after a proof that outweighs
// the calls.
func (l *Limiter) Clear(ctx context.Context, calls ...Call) error {
	var all error
	for _, c := range calls {
		b, err := l.bucket(ctx, c.Rule, c.Key)
		if err == nil {
			err = errors.Join(l.store.Delete(ctx, b.this), l.store.Delete(ctx, b.last))
		}
		if err != nil {
			all = errors.Join(all, fmt.Errorf("limit %s: %w", c.Rule.Name, err))
		}
	}
	return all
}

// bucket is the current state of one rule and key.
type bucket struct {
	rule       Rule
	this, last string        // keys of the two counters
	gone       time.Duration // elapsed of this bucket
	before     int64         // calls of the last bucket, once read
	calls      int64         // calls of this bucket, once read
}

func (l *Limiter) buckets(ctx context.Context, calls []Call) ([]bucket, error) {
	all := make([]bucket, len(calls))
	for i, c := range calls {
		var err error
		if all[i], err = l.bucket(ctx, c.Rule, c.Key); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func windows(all []bucket) []kv.Window {
	out := make([]kv.Window, len(all))
	for i, b := range all {
		out[i] = kv.Window{This: b.this, Last: b.last, Part: b.part(), Limit: b.rule.Limit, TTL: b.ttl()}
	}
	return out
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

// ttl keeps a counter while a bucket needs it.
func (b bucket) ttl() time.Duration { return 2 * b.rule.Window }

// part is how much of the last bucket still counts.
func (b bucket) part() float64 { return 1 - float64(b.gone)/float64(b.rule.Window) }

// room returns how many calls this bucket may have.
func (b bucket) room() float64 { return float64(b.rule.Limit) - float64(b.before)*b.part() }

// allows reports whether this many calls in this bucket are within the rule, with the share
// of the last bucket that still counts.
func (b bucket) allows(this int64) bool { return float64(this) <= b.room() }

// wait returns the time until one more call passes, if this bucket has this many calls and
// no other call comes.
func (b bucket) wait(this int64) time.Duration {
	window, allowed := float64(b.rule.Window), float64(b.rule.Limit-1)
	var at float64 // from the start of this bucket
	if float64(this) <= allowed {
		at = window * (1 - (allowed-float64(this))/float64(b.before))
	} else { // in the next bucket, when this one is the last
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

// ErrLimited is Take's refusal, for operations that declare it. Each refusal is a copy with
// its own waiting time.
var ErrLimited = fault.New(fault.Limited, "rate_limited", "Too many attempts. Try again in %s.")

func (l *Limiter) refusal(r Rule, wait time.Duration) error {
	l.over.With(r.Name).Inc()
	e := *ErrLimited
	e.Detail = fmt.Sprintf(e.Detail, wait)
	e.RetryAfter = wait
	e.Policy = &fault.Policy{Name: r.Name, Limit: r.Limit, Window: r.Window, Remaining: 0}
	return &e
}

// AddrKey returns the key of a client's address: one IPv4 address, or one IPv6 /64, the
// smallest network that a customer gets.
func AddrKey(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if !a.IsValid() {
		return "unknown"
	}
	if a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil { // IPv6 addresses are never shorter
		return a.String()
	}
	return p.String()
}

// NetKey returns the key of the network that a client's provider assigned: one IPv4
// address, or one IPv6 /48. One customer may hold every /64 of a /48. Limits on what a
// newcomer gets once use this key.
func NetKey(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || a.Is4() {
		return AddrKey(a)
	}
	p, err := a.Prefix(48)
	if err != nil { // IPv6 addresses are never shorter
		return a.String()
	}
	return p.String()
}
