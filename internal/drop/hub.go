package drop

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"coffer/internal/jobs"
)

// hub holds the connections of this process and the transfers of its senders.
//
// Lock order: a socket's lock is never held when the hub's is taken. Neither is held over a
// call of the bus or of the database.
type hub struct {
	mu        *sync.Mutex
	rooms     map[string]*room     // by drop
	transfers map[string]*transfer // by id
	ticking   bool
}

func newHub() hub {
	return hub{mu: &sync.Mutex{}, rooms: map[string]*room{}, transfers: map[string]*transfer{}}
}

// room is a drop with members connected here. It has one subscription.
type room struct {
	id      string
	ready   chan struct{} // closed when the subscription holds, or failed with err
	err     error
	cancel  func()
	lost    <-chan struct{}
	refs    int
	sockets map[string]*socket // by rid
}

// enter returns the room of a drop, subscribed. Each enter has its leave.
func (s *Service) enter(ctx context.Context, drop string) (*room, error) {
	s.hub.mu.Lock()
	r := s.hub.rooms[drop]
	if r != nil {
		r.refs++
		s.hub.mu.Unlock()
		<-r.ready
	} else {
		r = &room{id: drop, refs: 1, ready: make(chan struct{}), sockets: map[string]*socket{}}
		s.hub.rooms[drop] = r
		if !s.hub.ticking {
			s.hub.ticking = true
			go s.tick()
		}
		s.hub.mu.Unlock()
		r.cancel, r.lost, r.err = s.Bus.Subscribe(context.WithoutCancel(ctx), channel(drop), func(b []byte) { s.hear(r, b) })
		close(r.ready)
	}
	if r.err != nil {
		s.leave(r)
		return nil, r.err
	}
	return r, nil
}

func (s *Service) leave(r *room) {
	s.hub.mu.Lock()
	r.refs--
	last := r.refs == 0
	if last && s.hub.rooms[r.id] == r {
		delete(s.hub.rooms, r.id)
	}
	s.hub.mu.Unlock()
	if last && r.cancel != nil {
		r.cancel()
	}
}

// forsake takes a room whose subscription is lost out of the hub, so that the next member
// subscribes anew, and returns its sockets.
func (s *Service) forsake(r *room) []*socket {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if s.hub.rooms[r.id] == r {
		delete(s.hub.rooms, r.id)
	}
	return r.list()
}

// list returns the room's sockets. The caller holds the hub's lock.
func (r *room) list() []*socket {
	all := make([]*socket, 0, len(r.sockets))
	for _, c := range r.sockets {
		all = append(all, c)
	}
	return all
}

// local returns the member's socket, if it is here.
func (s *Service) local(drop, rid string) *socket {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if r := s.hub.rooms[drop]; r != nil {
		return r.sockets[rid]
	}
	return nil
}

// The kinds of notes between processes. A note is its kind, a rid or a transfer's id, and a
// payload.
const (
	noteFrame    = 'f' // payload is a frame for that member
	noteMessage  = 'm' // payload is a message of another member for that one
	noteAll      = 'a' // payload is a frame for every admitted member but that one
	noteEnd      = 'e' // the drop is over; payload is the code
	noteNewer    = 'x' // that member has a newer connection; payload is its number in JSON
	noteAdmitted = 'i' // that guest is admitted
	noteOut      = 'o' // that guest is not let in; payload is the code
	noteRequest  = 'r' // payload is a request to that sender
	noteTaken    = 'c' // the receiver took a chunk of that transfer
	noteMoves    = 'p' // the receiver takes a chunk, slowly
	noteOver     = 'd' // that transfer is over; payload is the code
)

// nobody is in place of the rid in a note about no member.
const nobody = "----------------------"

func channel(drop string) string { return "drop:" + drop }

func (s *Service) publish(ctx context.Context, drop string, kind byte, about string, payload []byte) error {
	b := make([]byte, 0, 1+ridLength+len(payload))
	b = append(append(append(b, kind), about...), payload...)
	return s.Bus.Publish(ctx, channel(drop), b)
}

// hear passes a note on to the sockets of a room.
func (s *Service) hear(r *room, b []byte) {
	if len(b) < 1+ridLength {
		return
	}
	kind, about, payload := b[0], string(b[1:1+ridLength]), b[1+ridLength:]
	switch kind {
	case noteAll, noteEnd:
		s.hub.mu.Lock()
		all := r.list()
		s.hub.mu.Unlock()
		for _, c := range all {
			switch {
			case kind == noteEnd:
				c.end(closedFrame(string(payload)), closeNormal)
			case c.admitted.Load() && c.m.RID != about:
				c.mustSend(payload)
			}
		}
	case noteTaken, noteMoves:
		if t := s.transfer(about); t != nil {
			t.moves(kind == noteTaken)
		}
	case noteOver:
		if t := s.transfer(about); t != nil {
			s.over(t, string(payload))
		}
	default:
		s.hub.mu.Lock()
		c := r.sockets[about]
		s.hub.mu.Unlock()
		if c != nil {
			c.hear(kind, payload)
		}
	}
}

// hear is a note to this socket's member.
func (c *socket) hear(kind byte, payload []byte) {
	switch kind {
	case noteFrame:
		c.mustSend(payload)
	case noteMessage:
		c.send(payload) // without room it is lost, as one on a broken connection is
	case noteNewer:
		var number int64
		if json.Unmarshal(payload, &number) == nil && number > c.number {
			c.spare(replacedFrame, closeNormal)
		}
	case noteAdmitted:
		c.letIn()
	case noteOut:
		c.judged.Store(true)
		c.end(closedFrame(string(payload)), closeNormal)
	case noteRequest:
		var r request
		if json.Unmarshal(payload, &r) == nil {
			c.asked(r)
		}
	}
}

// tellAll sends a frame to every admitted member.
func (s *Service) tellAll(ctx context.Context, drop string, frame []byte) error {
	return s.publish(ctx, drop, noteAll, nobody, frame)
}

// tellEnd ends the drop's sockets.
func (s *Service) tellEnd(ctx context.Context, drop, code string) error {
	return s.publish(ctx, drop, noteEnd, nobody, []byte(code))
}

// tell sends a note to one member, wherever it is connected.
func (s *Service) tell(ctx context.Context, drop, rid string, kind byte, payload []byte) error {
	if c := s.local(drop, rid); c != nil {
		c.hear(kind, payload)
		return nil
	}
	return s.publish(ctx, drop, kind, rid, payload)
}

func (s *Service) tellRequest(ctx context.Context, drop, sender string, r request) error {
	return s.tell(ctx, drop, sender, noteRequest, frame(r))
}

// transfer returns a transfer whose sender is connected here, or nil.
func (s *Service) transfer(id string) *transfer {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	return s.hub.transfers[id]
}

// tellSender sends a note about a transfer to the process of its sender.
func (s *Service) tellSender(ctx context.Context, drop, id string, kind byte, code string) error {
	t := s.transfer(id)
	switch {
	case t == nil:
		return s.publish(ctx, drop, kind, id, []byte(code))
	case kind == noteOver:
		s.over(t, code)
	default:
		t.moves(kind == noteTaken)
	}
	return nil
}

// beatTime is the time between two signs of life of a process in the database. A process is
// taken for dead after three.
func (s *Service) beatTime() time.Duration { return min(10*time.Second, s.DropGrace/4) }

// tick watches over the sockets of this process while there are any.
func (s *Service) tick() {
	step := min(time.Second, s.DropGrace/8, s.DropPing/8, s.DropStall/8)
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	beatAt := time.Time{}
	for now := range ticker.C {
		rooms, ok := s.watched()
		if !ok {
			return
		}
		for _, r := range rooms {
			s.watch(r, now)
		}
		s.stalled(now)
		if now.After(beatAt) {
			beatAt = now.Add(s.beatTime())
			if s.sweeping.CompareAndSwap(false, true) {
				go func() { // pings wait for no database
					defer s.sweeping.Store(false)
					if err := s.sweep(context.Background()); err != nil {
						s.Log.Warn("drops: cannot look after them", "error", err)
					}
				}()
			}
		}
	}
}

// watched returns the rooms. Without any the ticking ends.
func (s *Service) watched() (all []*room, ok bool) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if len(s.hub.rooms) == 0 {
		s.hub.ticking = false
		s.registered.Store(false)
		return nil, false
	}
	for _, r := range s.hub.rooms {
		all = append(all, r)
	}
	return all, true
}

// watch looks at the sockets of a room: silent ones, and guests without admission.
func (s *Service) watch(r *room, now time.Time) {
	select {
	case <-r.ready:
	default:
		return
	}
	select {
	case <-r.lost: // notes may be missing: the members come back and look
		for _, c := range s.forsake(r) {
			c.spare(reconnectFrame, closeRestart)
		}
		return
	default:
	}
	s.hub.mu.Lock()
	all := r.list()
	s.hub.mu.Unlock()
	for _, c := range all {
		c.watch(now)
	}
}

// sweep renews this process, and clears up after dead ones and dead drops.
func (s *Service) sweep(ctx context.Context) error {
	now := s.Now().UnixMilli()
	known, err := beat(ctx, s.DB, s.node, now)
	if err != nil {
		return err
	}
	if !known { // another process took this one for dead
		if err := insertNode(ctx, s.DB, s.node, now); err != nil {
			return err
		}
		s.reconnectAll()
	}
	return errors.Join(s.loseNodes(ctx, now), s.Prune(ctx))
}

// loseNodes disconnects the members of processes that gave no sign of life.
func (s *Service) loseNodes(ctx context.Context, now int64) (err error) {
	before := now - 3*s.beatTime().Milliseconds()
	all, err := s.lose(ctx, before)
	for _, l := range all {
		if l.Admitted {
			err = errors.Join(err, s.publish(ctx, l.Drop, noteAll, l.RID, memberFrame(l.RID, l.Host, false, false)))
		}
	}
	return err
}

// Prune removes drops that are over, late guests and forgotten transfers.
func (s *Service) Prune(ctx context.Context) error {
	now := s.Now()
	return errors.Join(
		s.bury(ctx, ""),
		deleteAllLate(ctx, s.DB, s.lateBefore()),
		deleteTransfers(ctx, s.DB, now.Add(-transferTime).UnixMilli()),
	)
}

func (s *Service) reconnectAll() {
	s.hub.mu.Lock()
	var all []*socket
	for _, r := range s.hub.rooms {
		all = append(all, r.list()...)
	}
	s.hub.mu.Unlock()
	for _, c := range all {
		c.spare(reconnectFrame, closeRestart)
	}
}

// drainTime bounds how long Drain waits for the members to take their last frame.
const drainTime = 3 * time.Second

// Drain sends every member and receiver of this process to another one.
func (s *Service) Drain() {
	s.drain()
	s.reconnectAll()
	for end := time.Now().Add(drainTime); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		s.hub.mu.Lock()
		left := len(s.hub.rooms)
		s.hub.mu.Unlock()
		if left == 0 {
			break
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	now := s.Now().UnixMilli()
	if err := errors.Join(disconnectAll(ctx, s.DB, s.node, now), deleteNode(ctx, s.DB, s.node)); err != nil {
		s.Log.Warn("drops: cannot note the end of this node", "error", err)
	}
}

// Old names the rows that Prune removes by their age.
func (s *Service) Old() []jobs.Old {
	return []jobs.Old{
		{Table: "drops", Rows: "expires_at <= $1"},
		{Table: "drop_members", Rows: "admitted = FALSE AND joined_at <= $1", Age: joinTime},
		{Table: "drop_transfers", Rows: "node = '' AND asked_at < $1", Age: transferTime},
	}
}
