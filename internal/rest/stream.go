package rest

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"coffer/internal/fault"
)

var (
	errTooManyStreams = fault.New(fault.Limited, "too_many_streams", "This account or address has too many uploads and downloads at once. Wait for one to end.")
	errStreamsBusy    = fault.New(fault.Unavailable, "busy", "The server is busy with other uploads and downloads. Try again in a few seconds.")
)

// streamWait is the Retry-After of a refused stream.
const streamWait = 5 * time.Second

// StreamsBusy refuses a stream that the server has no room for, and carries the cause for the
// log: code busy, which every stream may answer.
func StreamsBusy(because error) error {
	refusal := errStreamsBusy.Because(because)
	refusal.RetryAfter = streamWait
	return refusal
}

// stream is an exchange without a time limit, for as long as its bytes flow and its
// caller's session lives.
type stream struct {
	x      *exchange
	caller Caller
	who    sender
	among  *crowd
	cancel context.CancelCauseFunc

	mu    sync.Mutex // held while a deadline moves
	ended bool       // the session is over; deadlines stay in the past
	known time.Time  // when the session was last known to be alive
}

// errSessionOver says that a session ended while its stream ran.
var errSessionOver = errors.New("rest: the session ended before the stream")

// end makes every current and later read and write of the stream return.
func (s *stream) end() {
	s.cancel(errSessionOver)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	rc := http.NewResponseController(s.x.w)
	past := time.Unix(1, 0)
	_ = rc.SetReadDeadline(past) // fails only without a connection, in tests
	_ = rc.SetWriteDeadline(past)
}

func (s *stream) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// streams are the running streams.
type streams struct {
	api *API

	mu       sync.Mutex
	all      map[*stream]struct{}
	moving   *crowd // uploads and downloads
	waiting  *crowd // open pages: however many, they keep no file from moving
	watching bool
}

func newStreams(a *API) *streams {
	return &streams{api: a, all: map[*stream]struct{}{}, moving: newCrowd(), waiting: newCrowd()}
}

// sender is what a request counts for: its account, empty for a caller without a session, and
// the network of its address.
type sender struct {
	account string
	network netip.Addr
}

func (x *exchange) sender() sender {
	return sender{x.caller.Account, network(x.clientOf(x.r).Addr)}
}

// crowd counts requests that are bounded together.
type crowd struct {
	mu       sync.Mutex
	all      int
	accounts map[string]int
	networks map[netip.Addr]int
}

func newCrowd() *crowd { return &crowd{accounts: map[string]int{}, networks: map[netip.Addr]int{}} }

// join counts one more request, unless there are too many: its refusal is that of a stream.
// Callers without a session have half of all places: however many come, they keep no account out.
func (c *crowd) join(s sender, limits StreamLimits) *fault.Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	guest := s.account == ""
	switch {
	case !guest && c.accounts[s.account] >= limits.Account, c.networks[s.network] >= limits.Address:
		return errTooManyStreams.Because(nil)
	case c.all >= limits.All, guest && c.accounts[""] >= (limits.All+1)/2:
		return errStreamsBusy.Because(nil)
	}
	c.all++
	c.accounts[s.account]++
	c.networks[s.network]++
	return nil
}

func (c *crowd) leave(s sender) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all--
	drop(c.accounts, s.account)
	drop(c.networks, s.network)
}

func (c *crowd) running() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all
}

// begin makes x a stream, unless there are too many: code too_many_streams, or busy.
func (t *streams) begin(x *exchange, r *http.Request, waits bool) (*http.Request, error) {
	among := t.moving
	if waits {
		among = t.waiting
	}
	s := &stream{x: x, caller: x.caller, who: x.sender(), among: among, known: time.Now()}
	if refusal := among.join(s.who, t.api.cfg.Streams); refusal != nil {
		refusal.RetryAfter = streamWait
		return nil, refusal
	}
	ctx, cancel := context.WithCancelCause(withExchange(r.Context(), x))
	s.cancel = cancel
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all[s] = struct{}{}
	if !t.watching {
		t.watching = true
		go t.watch()
	}
	x.stream, x.piece = s, paceBytes
	// Moving deadlines replace the server's deadlines for whole requests.
	x.setWriteDeadline(time.Time{})
	if x.body == nil {
		x.setReadDeadline(time.Time{})
	}
	return r.WithContext(ctx), nil
}

// Patience sets how long the client of a stream may take for the next piece of the answer, in
// place of Deadlines.Stall.
func Patience(r *http.Request, stall time.Duration) {
	if x := exchangeOf(r); x != nil {
		x.stall = stall
	}
}

// run is h as a stream.
func (t *streams) run(x *exchange, r *http.Request, waits bool, h func(http.ResponseWriter, *http.Request) error) (err error) {
	r, err = t.begin(x, r, waits)
	if err != nil {
		return err
	}
	defer func() { // even when h panics
		if t.done(x) {
			err = errUnauthenticated.Because(errors.Join(errSessionOver, err))
		}
	}()
	return h(x, r)
}

// done removes x from the list and allows one stall for the unsent rest. It reports whether
// the session ended before the stream; then the connection must close.
func (t *streams) done(x *exchange) (over bool) {
	s := x.stream
	t.mu.Lock()
	delete(t.all, s)
	t.mu.Unlock()
	s.among.leave(s.who)
	s.cancel(nil)
	x.stream = nil
	if x.status == http.StatusSwitchingProtocols {
		return false // the connection belongs to its handler
	}
	x.setWriteDeadline(time.Now().Add(t.api.cfg.Deadlines.Stall))
	if over = s.over(); over {
		x.w.Header()["Connection"] = closing
	}
	return over
}

func drop[K comparable](counts map[K]int, key K) {
	if counts[key]--; counts[key] == 0 {
		delete(counts, key)
	}
}

// network is the unit that counts as one address: for IPv6 the /64 of one customer.
func network(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	p, err := a.WithZone("").Prefix(64)
	if err != nil {
		return a
	}
	return p.Addr()
}

// watch checks the session of every stream until no stream is left.
func (t *streams) watch() {
	tick := time.NewTicker(t.api.cfg.Deadlines.Session)
	defer tick.Stop()
	for range tick.C {
		all := t.list()
		if len(all) == 0 {
			return
		}
		t.look(all)
	}
}

// list returns the streams with a session. An empty list ends the watch.
func (t *streams) list() []*stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.all) == 0 {
		t.watching = false
		return nil
	}
	all := make([]*stream, 0, len(t.all))
	for s := range t.all {
		all = append(all, s)
	}
	return all
}

// silence is how many checks in a row may fail. A store that is briefly away ends no
// stream. A store that stays away cannot confirm a session.
const silence = 8

// look checks each session once and ends the streams of ended ones. It waits no longer than
// until the next look.
func (t *streams) look(all []*stream) {
	ctx, cancel := context.WithTimeout(context.Background(), t.api.cfg.Deadlines.Session)
	defer cancel()
	bySession := map[[2]string][]*stream{}
	for _, s := range all {
		if s.caller.Account != "" {
			key := [2]string{s.caller.Account, s.caller.Session}
			bySession[key] = append(bySession[key], s)
		}
	}
	groups := make([][]*stream, 0, len(bySession))
	for _, g := range bySession {
		groups = append(groups, g)
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(8, len(groups)) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(groups)); i = next.Add(1) - 1 {
				t.ask(ctx, groups[i])
			}
		})
	}
	wg.Wait()
}

func (t *streams) ask(ctx context.Context, group []*stream) {
	now := time.Now()
	err := t.api.cfg.Auth.Alive(ctx, group[0].caller)
	refused := err != nil && slices.Contains([]fault.Kind{fault.Unauthenticated, fault.Forbidden}, fault.Of(err).Kind)
	for _, s := range group {
		switch {
		case err == nil:
			s.known = now
		case refused, now.Sub(s.known) > silence*t.api.cfg.Deadlines.Session:
			t.endUnlessDone(s)
		}
	}
}

// endUnlessDone ends a stream that still runs. A finished stream's connection already
// serves the next request.
func (t *streams) endUnlessDone(s *stream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, runs := t.all[s]; runs {
		s.end()
	}
}
