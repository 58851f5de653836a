package drop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"coffer/client"
)

// Member is this device in one drop. It is safe for concurrent use.
type Member struct {
	base    *url.URL
	http    *http.Client
	ownHTTP bool // this member alone uses http
	device  string
	token   string
	id      rid
	hostID  rid
	group   []byte
	gate    *gate // lets guests in; nil for a guest
	notes   *notifier

	ctx       context.Context // ends with the membership; its cause is Err
	stop      context.CancelCauseFunc
	done      chan struct{}
	receiving chan struct{} // a place for each transfer that may run
	serving   sync.WaitGroup

	mu       sync.Mutex
	name     string
	expires  time.Time
	link     *link         // nil while the connection is lost
	moved    chan struct{} // closed, and replaced, when the connection or the people change
	people   map[rid]*peer
	heard    map[rid]*heard // of members that left, too
	own      []*offered
	incoming map[string]*incoming // by transfer
	outgoing map[string]*outgoing // by transfer
	counter  counter
}

// Open opens a drop and makes this device its host. ctx is for opening only.
func Open(ctx context.Context, c Config) (*Member, error) {
	m, err := newMember(c)
	if err != nil {
		return nil, err
	}
	var opened struct {
		Name      string    `json:"name"`
		HostToken string    `json:"host_token"`
		ExpiresAt time.Time `json:"expires_at"`
	}
	if err := m.call(ctx, "POST", struct{}{}, &opened, "drops"); err != nil {
		return nil, err
	}
	if !validName(opened.Name) {
		return nil, errName
	}
	m.token, m.name, m.expires = opened.HostToken, opened.Name, opened.ExpiresAt
	m.group = random(32)
	m.gate = newGate()
	l, welcome, err := dial(ctx, m.http, m.base, m.name, m.token)
	if err != nil {
		_ = m.call(context.WithoutCancel(ctx), "DELETE", nil, nil, "drops", m.name)
		return nil, err
	}
	m.id, m.hostID = welcome.RID, welcome.RID
	m.arrive(l, welcome)
	go m.run(l)
	return m, nil
}

func newMember(c Config) (*Member, error) {
	u, err := url.Parse(strings.TrimRight(c.Server, "/"))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q is no server's address such as https://files.example.org", c.Server)
	}
	hc := &http.Client{Transport: newTransport()}
	if c.HTTP != nil {
		copied := *c.HTTP
		hc = &copied
		hc.Timeout = 0 // a stream takes as long as it takes; calls have their own
	}
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	m := &Member{
		base: u, http: hc, ownHTTP: c.HTTP == nil, device: clean(c.Device, maxDevice), notes: newNotifier(c.Notify),
		done: make(chan struct{}), receiving: make(chan struct{}, maxReceived), moved: make(chan struct{}),
		people: map[rid]*peer{}, heard: map[rid]*heard{}, incoming: map[string]*incoming{}, outgoing: map[string]*outgoing{}, counter: newCounter(time.Now()),
	}
	m.ctx, m.stop = context.WithCancelCause(context.Background())
	return m, nil
}

// newTransport is for streams of many megabytes a second: each read takes what is there.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ReadBufferSize = 64 << 10
	t.MaxIdleConnsPerHost = 16
	return t
}

// call asks the server for one thing and reads its answer, which may be nil.
func (m *Member) call(ctx context.Context, method string, in, out any, path ...string) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var sent io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, m.base.JoinPath(append([]string{"v1"}, path...)...).String(), sent)
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if m.token != "" {
		req.Header.Set("Authorization", "Drop "+m.token)
	}
	res, err := m.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return refusal(client.ReadError(res))
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(io.LimitReader(res.Body, maxText)).Decode(out)
}

// run keeps the member connected until its end.
func (m *Member) run(l *link) {
	defer close(m.done)
	pause := firstPause
	for {
		began := time.Now()
		err := m.hear(l)
		l.close(err)
		m.depart(l)
		if time.Since(began) > longPause {
			pause = firstPause
		}
		if m.ctx.Err() == nil && !ended(err) {
			m.notes.tell(Notice{Event: Reconnecting, Err: err})
			var again *link
			var welcome frame
			if again, welcome, err = m.reconnect(&pause); err == nil {
				l = again
				m.arrive(l, welcome)
				m.notes.tell(Notice{Event: Back})
			}
		}
		if m.ctx.Err() != nil || err != nil { // or Close came before the new connection
			m.stop(err)
			l.close(err)
			break
		}
	}
	m.serving.Wait()
	m.mu.Lock()
	own := m.own
	m.own = nil
	m.mu.Unlock()
	for _, o := range own {
		o.drop()
	}
	if m.ownHTTP {
		m.http.CloseIdleConnections()
	}
}

// reconnect dials until it is connected, or the drop is over.
func (m *Member) reconnect(pause *time.Duration) (*link, frame, error) {
	for {
		select {
		case <-time.After(*pause):
		case <-m.ctx.Done():
			return nil, frame{}, context.Cause(m.ctx)
		}
		*pause = min(2**pause, longPause)
		l, welcome, err := dial(m.ctx, m.http, m.base, m.Name(), m.token)
		if err == nil && welcome.RID != m.id {
			l.close(ErrReplaced)
			err = ErrReplaced
		}
		if err == nil || ended(err) {
			return l, welcome, err
		}
	}
}

// ended reports whether err is the end of the membership, not of a connection.
func ended(err error) bool {
	for _, e := range []error{ErrClosed, ErrExpired, ErrHostGone, ErrReplaced, ErrNotFound, ErrLeft} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// arrive takes over a new connection: the members that are here get this one's greeting.
func (m *Member) arrive(l *link, welcome frame) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.link = l
	m.named(welcome)
	here := map[rid]bool{}
	for _, p := range welcome.Members {
		here[p.RID] = p.Here
		m.meet(p.RID, p.Here)
	}
	for _, p := range m.people {
		if _, listed := here[p.id]; !listed {
			m.part(p.id)
		}
	}
	m.stir()
}

// errName refuses a server's name that could not be typed; it may hold commands to a terminal.
var errName = errors.New("drop: the server gave the drop a name that no drop has")

// named takes the drop's name and end, unless the name is none. m.mu is held.
func (m *Member) named(f frame) bool {
	if !validName(f.Name) {
		return false
	}
	m.name, m.expires = f.Name, f.ExpiresAt
	return true
}

// depart ends what depended on a connection.
func (m *Member) depart(l *link) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.link == l {
		m.link = nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range l.outgoing {
		o.stop(ErrCut)
	}
	m.stir()
}

// stir wakes goroutines that wait for the connection or for people. m.mu is held.
func (m *Member) stir() {
	close(m.moved)
	m.moved = make(chan struct{})
}

// hear reads frames until the connection or the drop ends.
func (m *Member) hear(l *link) error {
	for {
		f, err := l.read(l.ctx)
		if err != nil {
			return err
		}
		switch f.T {
		case "replaced":
			return ErrReplaced
		case "reconnect":
			return ErrCut
		case "closed":
			if err := joinRefusals[f.Code]; err != nil {
				return err
			}
			return ErrClosed
		case "name":
			m.mu.Lock()
			if m.named(f) {
				m.notes.tell(Notice{Event: Renamed})
			}
			m.mu.Unlock()
		case "member":
			m.mu.Lock()
			if f.Gone {
				m.part(f.RID)
			} else {
				m.meet(f.RID, f.Here)
			}
			m.stir()
			m.mu.Unlock()
		case "msg":
			m.message(l, f)
		case "request":
			m.requested(l, f)
		case "credit":
			l.credit(f.N, f.Chunks)
		case "end":
			l.over(f.N, f.Code)
		}
	}
}

// message takes one msg frame.
func (m *Member) message(l *link, f frame) {
	var b body
	if json.Unmarshal(f.Body, &b) != nil {
		return
	}
	switch b.K {
	case "pake1":
		if m.gate != nil {
			m.propose(l, f.From, b)
		}
	case "confirm":
		if m.gate != nil {
			m.confirm(l, f.From, b)
		}
	case "sealed":
		m.sealed(f.From, b.D)
	case "ack", "done":
		m.signed(f.From, b)
	case "verified":
		m.mu.Lock()
		in := m.incoming[b.Transfer]
		m.mu.Unlock()
		if in != nil && in.from == f.From {
			in.answer(b.Tag)
		}
	}
}

// suspect tells the person of a message that no honest end or server sends.
func (m *Member) suspect(from rid, err error) {
	m.notes.tell(Notice{Event: Suspicious, Person: m.person(from), Err: err})
}

// tell sends a body to a member.
func (m *Member) tell(to rid, b body) error {
	m.mu.Lock()
	l := m.link
	m.mu.Unlock()
	if l == nil {
		return ErrCut
	}
	return l.post(msgFrame{"msg", to, b})
}

// Name is the drop's public name.
func (m *Member) Name() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.name
}

// Expires is when the drop ends.
func (m *Member) Expires() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.expires
}

// RID names this member in [Item].Owner and [Person].RID.
func (m *Member) RID() string { return m.id.String() }

// Rename gives the drop another name; only its host may. [ErrNameTaken] is one refusal.
func (m *Member) Rename(ctx context.Context, name string) error {
	return m.change(ctx, map[string]any{"name": NormalName(name)})
}

// Prolong moves the drop's end; only its host may, and to at most seven days from now.
func (m *Member) Prolong(ctx context.Context, until time.Time) error {
	return m.change(ctx, map[string]any{"expires_at": until.UTC().Format(time.RFC3339)})
}

func (m *Member) change(ctx context.Context, in map[string]any) error {
	var out struct {
		Name      string    `json:"name"`
		ExpiresAt time.Time `json:"expires_at"`
	}
	if err := m.call(ctx, "PATCH", in, &out, "drops", m.Name()); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.named(frame{Name: out.Name, ExpiresAt: out.ExpiresAt})
	return nil
}

// Close leaves the drop for good. The host closes it for everybody.
func (m *Member) Close(ctx context.Context) error {
	if m.ctx.Err() != nil {
		<-m.done
		return nil
	}
	var err error
	m.mu.Lock()
	l := m.link
	m.mu.Unlock()
	if l != nil {
		quick, cancel := context.WithTimeout(ctx, 3*time.Second)
		l.flush(quick) // a confirmation may still wait
		cancel()
	}
	m.stop(ErrLeft)
	if m.gate != nil {
		err = m.call(ctx, "DELETE", nil, nil, "drops", m.Name())
		if errors.Is(err, ErrNotFound) || errors.Is(err, ErrClosed) {
			err = nil
		}
	}
	m.mu.Lock()
	l = m.link // it may be a new one; none comes any more
	m.mu.Unlock()
	if l != nil {
		if m.gate != nil {
			l.farewell(nil)
		} else {
			l.farewell(leaveFrame{"leave"})
		}
	}
	<-m.done
	m.notes.drain()
	return err
}

// Done is closed when this member is no longer in the drop; Err then says why.
func (m *Member) Done() <-chan struct{} { return m.done }

// Err is nil while this member is in the drop.
func (m *Member) Err() error { return context.Cause(m.ctx) }

// People are the members that were let in, this one among them.
func (m *Member) People() []Person {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := []Person{{RID: m.id.String(), Me: true, Host: m.gate != nil, Here: m.link != nil, Device: m.device}}
	for _, p := range m.people {
		all = append(all, p.person())
	}
	slices.SortFunc(all[1:], func(a, b Person) int { return strings.Compare(a.RID, b.RID) })
	return all
}

// Items are what the other members offer.
func (m *Member) Items() []Item {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Item
	for _, p := range m.people {
		all = append(all, p.items...)
	}
	slices.SortFunc(all, func(a, b Item) int { return strings.Compare(a.Owner+a.Name+a.ID, b.Owner+b.Name+b.ID) })
	return all
}
