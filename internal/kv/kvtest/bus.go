package kvtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/internal/kv"
)

// RunBus runs every case of kv.Bus on the two ends that open returns: of two processes, or
// twice the same. It calls open once per case.
func RunBus(t *testing.T, open func(t *testing.T) (a, b kv.Bus)) {
	for _, c := range []struct {
		name string
		run  func(*busKit)
	}{
		{"EveryHearer", (*busKit).everyHearer},
		{"OrderOfOnePublisher", (*busKit).orderOfOnePublisher},
		{"HoldsAtOnce", (*busKit).holdsAtOnce},
		{"Cancel", (*busKit).cancel},
		{"CancelWhileOthersCome", (*busKit).cancelWhileOthersCome},
		{"HearersAct", (*busKit).hearersAct},
		{"SlowHearer", (*busKit).slowHearer},
		{"QueueInOrder", (*busKit).queueInOrder},
		{"LargestMessages", (*busKit).largestMessages},
		{"PopWakesAtOnce", (*busKit).popWakesAtOnce},
		{"PopWaits", (*busKit).popWaits},
		{"EachMessageOnce", (*busKit).eachMessageOnce},
		{"QueueExpires", (*busKit).queueExpires},
		{"Discard", (*busKit).discard},
		{"CancelledPop", (*busKit).cancelledPop},
		{"BusLimits", (*busKit).busLimits},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := open(t)
			c.run(&busKit{T: t, a: a, b: b, own: rand.Text()[:10] + ":"})
		})
	}
}

type busKit struct {
	*testing.T
	a, b kv.Bus
	own  string
}

// ear collects what a subscription hears.
type ear struct {
	mu    sync.Mutex
	heard []string
}

func (e *ear) hear(m []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, string(m))
}

func (e *ear) all() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.heard)
}

func (k *busKit) subscribe(b kv.Bus, channel string, hear func([]byte)) (cancel func(), lost <-chan struct{}) {
	k.Helper()
	cancel, lost, err := b.Subscribe(k.Context(), k.own+channel, hear)
	if err != nil {
		k.Fatal(err)
	}
	k.Cleanup(cancel)
	return cancel, lost
}

func (k *busKit) publish(b kv.Bus, channel, m string) {
	k.Helper()
	if err := b.Publish(k.Context(), k.own+channel, []byte(m)); err != nil {
		k.Fatal(err)
	}
}

func (k *busKit) push(b kv.Bus, queue, m string) {
	k.Helper()
	if err := b.Push(k.Context(), k.own+queue, []byte(m), time.Hour); err != nil {
		k.Fatal(err)
	}
}

// pops checks the next message; a queue without one is "none".
func (k *busKit) pops(b kv.Bus, queue, want string) {
	k.Helper()
	got, err := b.Pop(k.Context(), k.own+queue, 0)
	if want == "none" {
		if !errors.Is(err, kv.ErrMissing) || got != nil {
			k.Errorf("Pop: %q, %v; want ErrMissing", short(string(got)), err)
		}
		return
	}
	if err != nil || got == nil || string(got) != want {
		k.Errorf("Pop: %q, %v; want %q", short(string(got)), err, short(want))
	}
}

func (k *busKit) hears(e *ear, want ...string) {
	k.Helper()
	Eventually(k.T, fmt.Sprintf("%d messages", len(want)), func() bool { return len(e.all()) >= len(want) })
	if got := e.all(); !slices.Equal(got, want) {
		k.Errorf("heard %q; want %q", got, want)
	}
}

func (k *busKit) everyHearer() {
	var ears [5]ear
	for i := range ears {
		bus := []kv.Bus{k.a, k.b}[i%2]
		k.subscribe(bus, "channel", ears[i].hear)
	}
	var other ear
	k.subscribe(k.b, "channel ", other.hear)
	odd := []string{"text", "", "\x00\xff\r\n", strings.Repeat("long", 12<<10)}
	for _, m := range odd {
		k.publish(k.a, "channel", m)
	}
	k.publish(k.a, "nobody listens", "x")
	k.publish(k.a, "channel ", "other")
	for i := range ears {
		k.hears(&ears[i], odd...)
	}
	k.hears(&other, "other")
}

func (k *busKit) orderOfOnePublisher() {
	const publishers, each = 4, 300
	var running, most int
	var mu sync.Mutex
	last := map[string]int{}
	heard := 0
	k.subscribe(k.b, "order", func(m []byte) {
		mu.Lock()
		running++
		most = max(most, running)
		mu.Unlock()
		var from string
		var n int
		_, err := fmt.Sscan(string(m), &from, &n)
		mu.Lock()
		defer mu.Unlock()
		if running--; err != nil || n != last[from]+1 {
			k.Errorf("from %s: %d after %d, %v", from, n, last[from], err)
		}
		last[from] = n
		heard++
	})
	var all sync.WaitGroup
	for p := range publishers {
		all.Go(func() {
			for i := range each {
				k.publish([]kv.Bus{k.a, k.b}[p%2], "order", fmt.Sprint("p", p, " ", i+1))
			}
		})
	}
	all.Wait()
	Eventually(k.T, "every message", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return heard == publishers*each
	})
	mu.Lock()
	defer mu.Unlock()
	if most != 1 {
		k.Errorf("hear ran %d times at once", most)
	}
}

// A hearer gets every message published after its Subscribe returned, also on a channel that
// the bus has just left.
func (k *busKit) holdsAtOnce() {
	for i := range 100 {
		channel := fmt.Sprint("holds", i%3)
		var e, again ear
		cancel, _ := k.subscribe(k.a, channel, e.hear)
		k.publish(k.b, channel, "first")
		k.hears(&e, "first")
		cancel()
		cancel, _ = k.subscribe(k.a, channel, again.hear)
		k.publish(k.b, channel, "second")
		k.hears(&again, "second")
		cancel()
		if got := e.all(); len(got) != 1 {
			k.Errorf("a cancelled hearer heard %q", got)
		}
	}
}

func (k *busKit) cancel() {
	var e, stays ear
	cancel, lost := k.subscribe(k.a, "cancel", e.hear)
	k.subscribe(k.a, "cancel", stays.hear)
	k.publish(k.b, "cancel", "1")
	k.hears(&e, "1")
	cancel()
	cancel()
	k.publish(k.b, "cancel", "2")
	k.hears(&stays, "1", "2")
	k.hears(&e, "1")
	select {
	case <-lost:
		k.Error("a cancelled subscription is lost")
	default:
	}
	// No call begins after cancel has returned, although messages wait.
	var late ear
	begun, goOn := make(chan struct{}), make(chan struct{})
	cancel, _ = k.subscribe(k.a, "waiting", func(m []byte) {
		late.hear(m)
		begun <- struct{}{}
		<-goOn
	})
	for range 10 {
		k.publish(k.b, "waiting", "x")
	}
	<-begun
	time.Sleep(20 * time.Millisecond) // until the others wait
	goOn <- struct{}{}
	<-begun
	cancel()
	close(goOn)
	heard := make(chan struct{})
	k.subscribe(k.a, "waiting", func(m []byte) {
		if string(m) == "y" { // some x may still be under way
			close(heard)
		}
	})
	k.publish(k.b, "waiting", "y")
	<-heard
	if got := late.all(); len(got) != 2 {
		k.Errorf("%d calls, two had begun before cancel", len(got))
	}
}

// One hearer of a channel comes while another goes: each hears from its Subscribe on.
func (k *busKit) cancelWhileOthersCome() {
	var all sync.WaitGroup
	for i := range 8 {
		bus := []kv.Bus{k.a, k.b}[i%2]
		all.Go(func() {
			for j := range 40 {
				want := fmt.Sprint(i, "/", j)
				heard := make(chan struct{})
				var once sync.Once
				cancel, lost, err := bus.Subscribe(k.Context(), k.own+"busy", func(m []byte) {
					if string(m) == want {
						once.Do(func() { close(heard) })
					}
				})
				if err != nil {
					k.Error(err)
					return
				}
				k.publish(k.b, "busy", want)
				select {
				case <-heard:
				case <-lost:
					k.Error("lost")
				case <-time.After(10 * time.Second):
					k.Errorf("%s is not heard", want)
				}
				cancel()
			}
		})
	}
	all.Wait()
}

// A hearer may call the bus, and cancel itself.
func (k *busKit) hearersAct() {
	var e ear
	var cancel func()
	ready := make(chan struct{})
	cancel, _ = k.subscribe(k.a, "act", func(m []byte) {
		<-ready
		e.hear(m)
		if string(m) == "go" {
			k.publish(k.a, "act", "echo")
			k.push(k.a, "acted", "yes")
			return
		}
		cancel()
	})
	close(ready)
	k.publish(k.b, "act", "go")
	k.hears(&e, "go", "echo")
	k.pops(k.b, "acted", "yes")
	k.publish(k.b, "act", "more")
	var other ear
	k.subscribe(k.a, "act", other.hear)
	k.publish(k.b, "act", "end")
	k.hears(&other, "end")
	k.hears(&e, "go", "echo")
}

// A hearer that does not return holds up no other. When too much waits for it, it is lost.
func (k *busKit) slowHearer() {
	stop := make(chan struct{})
	defer close(stop)
	var calls ear
	_, lost := k.subscribe(k.a, "slow", func(m []byte) {
		calls.hear(m[:1])
		<-stop
	})
	var mu sync.Mutex
	heard := 0
	k.subscribe(k.a, "slow", func([]byte) {
		mu.Lock()
		defer mu.Unlock()
		heard++
	})
	var elsewhere ear
	k.subscribe(k.a, "quick", elsewhere.hear)
	big := strings.Repeat("x", 64<<10)
	sent := 0
	for ended := false; !ended; {
		k.publish(k.b, "slow", big)
		if sent++; sent > 4096 {
			k.Fatal("256 MiB wait for a hearer")
		}
		Eventually(k.T, "the quick hearer", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return heard == sent
		})
		select {
		case <-lost:
			ended = true
		default:
		}
	}
	if sent < 64 {
		k.Errorf("lost after %d messages of 64 KiB", sent)
	}
	k.publish(k.b, "quick", "1")
	k.hears(&elsewhere, "1")
	k.publish(k.b, "slow", "x")
	if got := calls.all(); len(got) != 1 {
		k.Errorf("%d calls of the slow hearer", len(got))
	}
}

func (k *busKit) queueInOrder() {
	k.pops(k.a, "queue", "none")
	odd := []string{"1", "", "\x00\xff", "1", strings.Repeat("long", 10<<10)}
	for range 2 {
		for _, m := range odd {
			k.push(k.a, "queue", m)
		}
		k.push(k.a, "queue ", "other")
		for _, m := range odd {
			k.pops(k.b, "queue", m)
		}
		k.pops(k.b, "queue", "none")
		k.pops(k.b, "queue ", "other")
	}
}

func (k *busKit) largestMessages() {
	m := make([]byte, kv.MaxMessage)
	_, _ = rand.Read(m)
	var all sync.WaitGroup
	const n = 20
	all.Go(func() {
		for i := range n {
			own := slices.Clone(m)
			own[0] = byte(i)
			if err := k.a.Push(k.Context(), k.own+"large", own, time.Hour); err != nil {
				k.Error(err)
			}
		}
	})
	for i := range n {
		got, err := k.b.Pop(k.Context(), k.own+"large", 10*time.Second)
		if err != nil || len(got) != len(m) || got[0] != byte(i) || !bytes.Equal(got[1:], m[1:]) {
			k.Errorf("message %d: %d bytes, %v", i, len(got), err)
		}
	}
	all.Wait()
	var e ear
	k.subscribe(k.b, "large", e.hear)
	k.publish(k.a, "large", string(m))
	k.hears(&e, string(m))
}

// A Pop that waits answers as soon as a message comes: far sooner than any polling would.
func (k *busKit) popWakesAtOnce() {
	var slowest time.Duration
	for range 20 {
		begun, got := make(chan struct{}), make(chan time.Time, 1)
		go func() {
			close(begun)
			m, err := k.b.Pop(k.Context(), k.own+"wake", time.Minute)
			if err != nil || string(m) != "now" {
				k.Errorf("%q, %v", m, err)
			}
			got <- time.Now()
		}()
		<-begun
		time.Sleep(3 * time.Millisecond) // until it waits; if it does not yet, the case is easier
		pushed := time.Now()
		k.push(k.a, "wake", "now")
		slowest = max(slowest, (<-got).Sub(pushed))
	}
	if slowest > time.Second {
		k.Errorf("a Pop that waits answered %s after the Push", slowest)
	}
}

func (k *busKit) popWaits() {
	for _, wait := range []time.Duration{-1, 0, time.Millisecond, 50 * time.Millisecond} {
		begun := time.Now()
		got, err := k.a.Pop(k.Context(), k.own+"empty", wait)
		if took := time.Since(begun); !errors.Is(err, kv.ErrMissing) || got != nil || took < wait || took > wait+3*time.Second {
			k.Errorf("Pop for %s: %q, %v after %s", wait, got, err, took)
		}
	}
}

func (k *busKit) eachMessageOnce() {
	const messages, callers = 400, 8
	var mu sync.Mutex
	seen := map[string]int{}
	var all sync.WaitGroup
	for i := range callers {
		bus := []kv.Bus{k.a, k.b}[i%2]
		all.Go(func() {
			for {
				m, err := bus.Pop(k.Context(), k.own+"once", time.Minute)
				if err != nil {
					k.Error(err)
					return
				}
				if string(m) == "end" {
					return
				}
				mu.Lock()
				seen[string(m)]++
				mu.Unlock()
			}
		})
	}
	for i := range messages {
		k.push([]kv.Bus{k.a, k.b}[i%2], "once", fmt.Sprint(i))
	}
	for range callers {
		k.push(k.a, "once", "end")
	}
	all.Wait()
	if len(seen) != messages {
		k.Errorf("%d of %d messages arrived", len(seen), messages)
	}
	for m, n := range seen {
		if n != 1 {
			k.Errorf("%q arrived %d times", m, n)
		}
	}
}

// A queue ends ttl after its last Push, and each Push renews it.
func (k *busKit) queueExpires() {
	ctx := k.Context()
	const ttl = 400 * time.Millisecond
	push := func(m string) {
		if err := k.a.Push(ctx, k.own+"ttl", []byte(m), ttl); err != nil {
			k.Fatal(err)
		}
	}
	begun := time.Now()
	for i := range 8 {
		push(fmt.Sprint(i))
		time.Sleep(ttl / 4)
	}
	if got, err := k.b.Pop(ctx, k.own+"ttl", 0); time.Since(begun) < 2*ttl+ttl/2 && (err != nil || string(got) != "0") {
		k.Errorf("a queue that is in use lost its first message: %q, %v", got, err)
	}
	push("last")
	time.Sleep(ttl + 100*time.Millisecond)
	k.pops(k.b, "ttl", "none")
	push("again")
	k.pops(k.b, "ttl", "again")
}

func (k *busKit) discard() {
	for range 3 {
		k.push(k.a, "gone", "x")
	}
	for range 2 {
		if err := k.b.Discard(k.Context(), k.own+"gone"); err != nil {
			k.Error(err)
		}
	}
	k.pops(k.a, "gone", "none")
	// A Pop goes on waiting for the next message.
	got := make(chan string, 1)
	go func() {
		m, err := k.b.Pop(k.Context(), k.own+"gone", time.Minute)
		got <- fmt.Sprint(string(m), err)
	}()
	time.Sleep(10 * time.Millisecond)
	if err := k.a.Discard(k.Context(), k.own+"gone"); err != nil {
		k.Error(err)
	}
	k.push(k.a, "gone", "next")
	if got := <-got; got != "next<nil>" {
		k.Errorf("after Discard: %s", got)
	}
}

// A Pop whose caller leaves answers at once, and takes nothing that comes later.
func (k *busKit) cancelledPop() {
	for range 10 {
		ctx, cancel := context.WithCancel(k.Context())
		done := make(chan error, 1)
		go func() {
			_, err := k.b.Pop(ctx, k.own+"left", time.Minute)
			done <- err
		}()
		time.Sleep(3 * time.Millisecond)
		cancel()
		select {
		case err := <-done:
			if !errors.Is(err, context.Canceled) || errors.Is(err, kv.ErrUnavailable) {
				k.Errorf("Pop of a caller that left: %v; want context.Canceled alone", err)
			}
		case <-time.After(5 * time.Second):
			k.Fatal("Pop waits on after its caller has left")
		}
	}
	time.Sleep(50 * time.Millisecond) // a server learns a little later
	k.push(k.a, "left", "for the next")
	if got, err := k.b.Pop(k.Context(), k.own+"left", time.Second); err != nil || string(got) != "for the next" {
		k.Errorf("%q, %v", got, err)
	}
	ctx, cancel := context.WithCancel(k.Context())
	cancel()
	for what, op := range map[string]func() error{
		"Publish":   func() error { return k.a.Publish(ctx, k.own, nil) },
		"Subscribe": func() error { _, _, err := k.a.Subscribe(ctx, k.own, func([]byte) {}); return err },
		"Push":      func() error { return k.a.Push(ctx, k.own+"left", nil, time.Hour) },
		"Pop":       func() error { _, err := k.a.Pop(ctx, k.own+"left", 0); return err },
		"Discard":   func() error { return k.a.Discard(ctx, k.own) },
	} {
		if err := op(); !errors.Is(err, context.Canceled) || errors.Is(err, kv.ErrUnavailable) {
			k.Errorf("%s of a caller that left: %v; want context.Canceled alone", what, err)
		}
	}
	k.pops(k.b, "left", "none")
}

func (k *busKit) busLimits() {
	ctx := k.Context()
	long := strings.Repeat("k", kv.MaxKey+1)
	big := make([]byte, kv.MaxMessage+1)
	for what, op := range map[string]func() error{
		"publish to no channel":  func() error { return k.a.Publish(ctx, "", nil) },
		"publish too much":       func() error { return k.a.Publish(ctx, k.own, big) },
		"subscribe to no name":   func() error { _, _, err := k.a.Subscribe(ctx, "", func([]byte) {}); return err },
		"subscribe to long name": func() error { _, _, err := k.a.Subscribe(ctx, long, func([]byte) {}); return err },
		"push to no queue":       func() error { return k.a.Push(ctx, "", nil, time.Hour) },
		"push too much":          func() error { return k.a.Push(ctx, k.own, big, time.Hour) },
		"push for no time":       func() error { return k.a.Push(ctx, k.own, nil, 0) },
		"pop of a long name":     func() error { _, err := k.a.Pop(ctx, long, 0); return err },
		"discard no queue":       func() error { return k.a.Discard(ctx, "") },
	} {
		if err := op(); err == nil || errors.Is(err, kv.ErrMissing) || errors.Is(err, kv.ErrUnavailable) {
			k.Errorf("%s: %v; want a refusal", what, err)
		}
	}
	k.pops(k.a, "", "none")
}
