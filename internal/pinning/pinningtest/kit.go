package pinningtest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coffer/internal/ipfs"
	"coffer/internal/pinning"
)

// Shard is the longest upload of the kit's targets: its content needs several.
const Shard = 1 << 20

// World is a target and its provider.
type World struct {
	Target pinning.Target
	// Server is the provider, to misbehave; nil for a real one.
	Server *Server
	// Queues says that a pin waits before it is pinned.
	Queues bool
}

// Content is the DAG of a file of size bytes, the same at each call.
func Content(t testing.TB, size int) pinning.Source {
	t.Helper()
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], uint64(size))
	raw := make([]byte, size)
	_, _ = rand.NewChaCha8(seed).Read(raw)
	var blocks []ipfs.Block
	var framed int64
	keep := func(c ipfs.CID, b []byte) error {
		blocks = append(blocks, ipfs.Block{CID: c, Data: bytes.Clone(b)})
		framed += pinning.Frame(len(b))
		return nil
	}
	root, err := ipfs.File(bytes.NewReader(raw), ipfs.Sink{
		Leaf: func(l ipfs.Leaf, b []byte) error { return keep(l.CID, b) },
		Node: func(b ipfs.Block) error { return keep(b.CID, b.Data) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return pinning.Source{Name: "content", Root: root.CID, Framed: framed, Blocks: func(yield func(ipfs.Block) error) error {
		for _, b := range blocks {
			if err := yield(ipfs.Block{CID: b.CID, Data: bytes.Clone(b.Data)}); err != nil {
				return err
			}
		}
		return nil
	}}
}

type kit struct {
	*testing.T
	World
}

// Run runs every case of [pinning.Target] on what open returns. It calls open once per case.
func Run(t *testing.T, open func(t *testing.T) World) {
	for _, c := range []struct {
		name string
		run  func(*kit)
		lies bool // needs a server that misbehaves
	}{
		{"PutStatusBlockRemove", (*kit).life, false},
		{"OneBlock", (*kit).oneBlock, false},
		{"PutTwice", (*kit).putTwice, false},
		{"Absent", (*kit).absent, false},
		{"SourceFails", (*kit).sourceFails, false},
		{"Cancelled", (*kit).cancelled, false},
		{"AtOnce", (*kit).atOnce, false},
		{"Statuses", (*kit).statuses, true},
		{"RetryAfter", (*kit).retryAfter, true},
		{"Heals", (*kit).heals, true},
		{"WrongToken", (*kit).wrongToken, true},
		{"OtherCID", (*kit).otherCID, true},
		{"BadAnswers", (*kit).badAnswers, true},
		{"Redirect", (*kit).redirect, true},
		{"Slow", (*kit).slow, true},
		{"Stuck", (*kit).stuck, true},
		{"Vanish", (*kit).vanish, true},
		{"Partial", (*kit).partial, true},
		{"OtherBytes", (*kit).otherBytes, true},
		{"LongList", (*kit).longList, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := open(t)
			if c.lies && w.Server == nil {
				return // a real provider does not lie on demand
			}
			c.run(&kit{t, w})
		})
	}
}

// put puts content and fails the test if that fails.
func (k *kit) put(s pinning.Source) string {
	k.Helper()
	ref, got, err := k.Target.Put(k.Context(), s)
	if err != nil || got != s.Root {
		k.Fatalf("Put: %q, %s, %v; want %s", ref, got, err, s.Root)
	}
	return ref
}

// pinned asks until the provider says pinned.
func (k *kit) pinned(root ipfs.CID, ref string) {
	k.Helper()
	var state pinning.State
	for range 5 {
		var err error
		if state, err = k.Target.Status(k.Context(), root, ref); err != nil {
			k.Fatal(err)
		}
		if state == pinning.Pinned {
			return
		}
		if !k.Queues || state != pinning.Queued {
			break
		}
	}
	k.Fatalf("state %q", state)
}

func (k *kit) is(want pinning.State, root ipfs.CID, ref string) {
	k.Helper()
	if got, err := k.Target.Status(k.Context(), root, ref); got != want || err != nil {
		k.Errorf("Status: %q, %v; want %q", got, err, want)
	}
}

func (k *kit) remove(root ipfs.CID, ref string) {
	k.Helper()
	if err := k.Target.Remove(k.Context(), root, ref); err != nil {
		k.Errorf("Remove: %v", err)
	}
}

// readable reads every block back.
func (k *kit) readable(s pinning.Source) {
	k.Helper()
	if err := s.Blocks(func(b ipfs.Block) error {
		got, err := k.Target.Block(k.Context(), b.CID)
		if err == nil && !bytes.Equal(got, b.Data) {
			err = errors.New("other bytes")
		}
		return err
	}); err != nil {
		k.Error(err)
	}
}

func (k *kit) life() {
	s := Content(k, 5*Shard/2)
	ref := k.put(s)
	if k.Server != nil && !k.Queues { // a provider that queues fetches the blocks itself
		if n := k.Server.Calls("POST /api/v0/dag/import") + k.Server.Calls("PATCH /v3/uploads/"); n < 3 {
			k.Errorf("the content went in %d pieces, want one a shard", n)
		}
	}
	k.pinned(s.Root, ref)
	k.pinned(s.Root, "") // of a Put whose answer was lost
	k.readable(s)
	k.remove(s.Root, ref)
	k.is(pinning.Gone, s.Root, ref)
	k.is(pinning.Gone, s.Root, "")
	k.remove(s.Root, ref)
}

func (k *kit) oneBlock() {
	for _, size := range []int{1, 100} {
		s := Content(k, size)
		ref := k.put(s)
		k.pinned(s.Root, ref)
		k.readable(s)
		k.remove(s.Root, "")
		k.is(pinning.Gone, s.Root, "")
	}
}

func (k *kit) putTwice() {
	s := Content(k, 3*Shard/2)
	k.put(s)
	ref := k.put(s)
	k.pinned(s.Root, ref)
	ref = k.put(s)
	k.pinned(s.Root, ref)
	if k.Server != nil && len(k.Server.list(func(*pinned) bool { return true })) != 1 {
		k.Error("the provider has two pins")
	}
	k.remove(s.Root, ref)
	k.is(pinning.Gone, s.Root, "")
}

func (k *kit) absent() {
	c := ipfs.Sum(ipfs.Raw, []byte("never pinned"))
	k.is(pinning.Gone, c, "")
	k.remove(c, "")
	_, err := k.Target.Block(k.Context(), c)
	if _, ok := errors.AsType[*pinning.RetryError](err); !ok || !errors.Is(err, pinning.ErrAbsent) || pinning.ReasonOf(err) != pinning.Absent {
		k.Errorf("an absent block: %v", err)
	}
}

// fetches reports whether Put sends the blocks to the server itself.
func (k *kit) fetches() bool { return k.Server != nil && k.Server.fetch != nil }

var errBoom = errors.New("the disk is gone")

func (k *kit) sourceFails() {
	for _, size := range []int{Shard / 2, 5 * Shard / 2} {
		whole := Content(k, size)
		s, n := whole, 0
		s.Blocks = func(yield func(ipfs.Block) error) error {
			return whole.Blocks(func(b ipfs.Block) error {
				if n++; size < Shard || n > 2 {
					return errBoom
				}
				return yield(b)
			})
		}
		if _, _, err := k.Target.Put(k.Context(), s); !errors.Is(err, errBoom) {
			k.Errorf("Put: %v", err)
		}
		k.is(pinning.Gone, s.Root, "")
	}
}

func (k *kit) cancelled() {
	ctx, cancel := context.WithCancel(k.Context())
	whole := Content(k, 5*Shard/2)
	s := whole
	s.Blocks = func(yield func(ipfs.Block) error) error {
		return whole.Blocks(func(b ipfs.Block) error {
			cancel()
			return yield(b)
		})
	}
	if k.fetches() {
		cancel()
	}
	if _, _, err := k.Target.Put(ctx, s); !errors.Is(err, context.Canceled) {
		k.Errorf("Put: %v", err)
	}
	if _, err := k.Target.Status(ctx, s.Root, ""); !errors.Is(err, context.Canceled) {
		k.Errorf("Status: %v", err)
	}
}

func (k *kit) atOnce() {
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			s := Content(k, Shard+i)
			ref, got, err := k.Target.Put(k.Context(), s)
			if err != nil || got != s.Root {
				k.Errorf("%q, %s, %v", ref, got, err)
				return
			}
			if err := k.Target.Remove(k.Context(), s.Root, ref); err != nil {
				k.Error(err)
			}
		})
	}
	wg.Wait()
}

// each calls every method once, with the error of each.
func (k *kit) each(s pinning.Source) map[string]error {
	_, _, put := k.Target.Put(k.Context(), s)
	_, status := k.Target.Status(k.Context(), s.Root, "pin-1")
	_, block := k.Target.Block(k.Context(), s.Root)
	return map[string]error{"Put": put, "Status": status, "Remove": k.Target.Remove(k.Context(), s.Root, "pin-1"), "Block": block}
}

func (k *kit) statuses() {
	s := Content(k, 5*Shard/2)
	for status, want := range map[int]pinning.Reason{
		400: pinning.Refused, 401: pinning.Unauthorized, 402: pinning.Payment, 403: pinning.Unauthorized, 413: pinning.TooLarge, 418: pinning.Refused, 451: pinning.Refused,
		408: pinning.Busy, 425: pinning.Busy, 429: pinning.Busy, 502: pinning.Unreachable, 503: pinning.Unreachable, 504: pinning.Unreachable,
	} {
		k.Server.Misbehave(Faults{Status: status})
		for method, err := range k.each(s) {
			_, retry := errors.AsType[*pinning.RetryError](err)
			_, stays := errors.AsType[*pinning.PermanentError](err)
			passes := want == pinning.Busy || want == pinning.Unreachable
			if pinning.ReasonOf(err) != want || retry != passes || stays == passes || strings.Contains(err.Error(), Token) {
				k.Errorf("%d: %s: %v (%s), want %s", status, method, err, pinning.ReasonOf(err), want)
			}
		}
	}
}

func (k *kit) retryAfter() {
	s := Content(k, 100)
	for header, want := range map[string][2]time.Duration{
		"": {}, "7": {7 * time.Second, 7 * time.Second}, "0": {}, "-1": {}, "soon": {}, "99999999999999999999": {24 * time.Hour, 24 * time.Hour},
		time.Now().Add(time.Hour).UTC().Format(http.TimeFormat):        {time.Hour - 2*time.Minute, time.Hour},
		time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat):       {},
		time.Now().Add(99 * time.Hour).UTC().Format(http.TimeFormat):   {24 * time.Hour, 24 * time.Hour},
		time.Now().Add(30 * time.Minute).Format("2006-01-02T15:04:05"): {},
	} {
		k.Server.Misbehave(Faults{Status: 429, RetryAfter: header})
		_, _, err := k.Target.Put(k.Context(), s)
		e, ok := errors.AsType[*pinning.RetryError](err)
		if !ok || e.After < want[0] || e.After > want[1] {
			k.Errorf("Retry-After %q: %+v", header, e)
		}
	}
}

// heals: what failed once succeeds at the next attempt.
func (k *kit) heals() {
	for _, f := range []Faults{{Status: 503, Times: 1}, {Cut: true, Times: 1}, {Garbage: true, Times: 1}} {
		s := Content(k, 5*Shard/2+f.Status)
		k.Server.Misbehave(f)
		if _, _, err := k.Target.Put(k.Context(), s); err != nil {
			if _, ok := errors.AsType[*pinning.RetryError](err); !ok {
				k.Errorf("%+v: %v", f, err)
			}
		}
		ref := k.put(s)
		k.pinned(s.Root, ref)
		k.readable(s)
	}
}

func (k *kit) wrongToken() {
	if k.Server.Token == "" {
		return
	}
	k.Server.Token = "another"
	if _, _, err := k.Target.Put(k.Context(), Content(k, 100)); pinning.ReasonOf(err) != pinning.Unauthorized || strings.Contains(err.Error(), Token) {
		k.Errorf("%v", err)
	}
}

func (k *kit) otherCID() {
	for _, size := range []int{100, 5 * Shard / 2} {
		s := Content(k, size)
		k.Server.Misbehave(Faults{OtherCID: true})
		_, got, err := k.Target.Put(k.Context(), s)
		e, ok := errors.AsType[*pinning.PermanentError](err)
		if !ok || !errors.Is(err, pinning.ErrOtherCID) || e.Reason != pinning.OtherCID || got == s.Root || got == (ipfs.CID{}) {
			k.Errorf("%s, %v", got, err)
		}
	}
}

func (k *kit) badAnswers() {
	s := Content(k, 100)
	for _, f := range []Faults{{Cut: true}, {Huge: true}, {Garbage: true}} {
		k.Server.Misbehave(f)
		for method, err := range k.each(s) {
			if _, ok := errors.AsType[*pinning.RetryError](err); !ok && (method == "Put" || method == "Status") {
				k.Errorf("%+v: %s: %v", f, method, err)
			}
		}
	}
	k.Server.Misbehave(Faults{})
	k.is(pinning.Gone, s.Root, "")
}

func (k *kit) redirect() {
	var came atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { came.Add(1) }))
	defer elsewhere.Close()
	k.Server.Misbehave(Faults{Redirect: elsewhere.URL + "/secret"})
	for method, err := range k.each(Content(k, 5*Shard/2)) {
		if _, ok := errors.AsType[*pinning.PermanentError](err); !ok || pinning.ReasonOf(err) != pinning.Refused {
			k.Errorf("%s: %v", method, err)
		}
	}
	if came.Load() != 0 {
		k.Error("a redirect was followed")
	}
}

func (k *kit) slow() {
	k.Server.Misbehave(Faults{Slow: time.Minute})
	ctx, cancel := context.WithTimeout(k.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := k.Target.Put(ctx, Content(k, 5*Shard/2)); !errors.Is(err, context.DeadlineExceeded) {
		k.Errorf("Put: %v", err)
	}
}

func (k *kit) stuck() {
	if !k.Queues {
		return
	}
	k.Server.Misbehave(Faults{Queued: true})
	s := Content(k, 100)
	ref := k.put(s)
	for range 10 {
		k.is(pinning.Queued, s.Root, ref)
	}
	k.remove(s.Root, ref)
	k.Server.Misbehave(Faults{})
	k.is(pinning.Gone, s.Root, ref)
}

func (k *kit) vanish() {
	s := Content(k, 100)
	ref := k.put(s)
	k.pinned(s.Root, ref)
	k.Server.Misbehave(Faults{Vanish: true})
	k.is(pinning.Gone, s.Root, ref)
	k.is(pinning.Gone, s.Root, "")
}

// partial: the provider lost a leaf and says pinned. Reading back shows it.
func (k *kit) partial() {
	s := Content(k, 5*Shard/2)
	k.Server.Misbehave(Faults{Partial: true})
	ref := k.put(s)
	k.pinned(s.Root, ref)
	missing := 0
	_ = s.Blocks(func(b ipfs.Block) error {
		if _, err := k.Target.Block(k.Context(), b.CID); errors.Is(err, pinning.ErrAbsent) {
			missing++
		}
		return nil
	})
	if missing != 1 {
		k.Errorf("%d blocks are missing, want 1", missing)
	}
}

func (k *kit) otherBytes() {
	s := Content(k, 100)
	ref := k.put(s)
	k.pinned(s.Root, ref)
	k.Server.Misbehave(Faults{OtherBytes: true})
	b, err := k.Target.Block(k.Context(), s.Root)
	if err != nil || ipfs.Sum(s.Root.Codec, b) == s.Root {
		k.Errorf("%v", err)
	}
}

// longList: pins that fill several pages of ten, of different times or of one.
func (k *kit) longList() {
	s := Content(k, 100)
	for _, f := range []Faults{{}, {Together: true}} {
		k.Server.Misbehave(f)
		for range 25 {
			k.Server.add(s.Root, "of an earlier attempt", "pinned", nil)
		}
		k.remove(s.Root, "")
		if left := k.Server.list(func(*pinned) bool { return true }); len(left) != 0 {
			k.Errorf("%+v: %d pins are left", f, len(left))
		}
	}
}
