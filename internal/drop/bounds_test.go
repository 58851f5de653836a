package drop

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/kv"
	"coffer/internal/limit"
)

// caller returns a client whose requests come from that address of this machine.
func caller(from string) *http.Client {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	return &http.Client{Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}}
}

// call sends a request of the member with that token.
func (w *world) call(c *http.Client, method, path, token, body string) *http.Response {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+"/v1/drops/"+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Drop "+token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := c.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { res.Body.Close() })
	return res
}

var (
	pointText = strings.Repeat("A", 88)
	keyText   = `{"kty":"EC","crv":"P-521","x":"` + pointText + `","y":"` + pointText + `"}`
)

func askText(sender, sealed string) string {
	return `{"file_id":"` + sender + `.AAAAAAAAAAAAAAAAAAAAAA","public_key":` + keyText + `,"sealed":"` + sealed + `"}`
}

// admitted joins, and is let in. Unlike guest it returns the token.
func (w *world) admitted(name string, n int) (token, rid string) {
	w.t.Helper()
	token, rid, err := w.Join(w.t.Context(), address(n), name)
	if err != nil {
		w.t.Fatal(err)
	}
	if ok, err := admitGuest(w.t.Context(), w.DB, w.member(name, token).Drop, rid, w.lateBefore()); !ok || err != nil {
		w.t.Fatal(ok, err)
	}
	return token, rid
}

// clog makes a socket's member read nothing, and fills the room for what others send it.
func (c *socket) clog() {
	c.mu.Lock()
	c.writing = true // it reads nothing
	c.mu.Unlock()
	for c.send(make([]byte, maxBody)) {
	}
	for c.send(make([]byte, 1)) {
	}
}

// eventually waits until done is true, for up to that long.
func eventually(t *testing.T, most time.Duration, done func() bool, otherwise string) {
	t.Helper()
	for end := time.Now().Add(most); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(otherwise)
		}
	}
}

// scales weigh what waits in the queues of a bus.
type scales struct {
	kv.Bus
	mu     sync.Mutex
	queues map[string]int
}

func (s *scales) add(queue string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queues[queue] += n
}

// waiting is the weight of all queues.
func (s *scales) waiting() (all int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.queues {
		all += n
	}
	return all
}

func (s *scales) Push(ctx context.Context, queue string, m []byte, ttl time.Duration) error {
	s.add(queue, len(m))
	return s.Bus.Push(ctx, queue, m, ttl)
}

func (s *scales) Pop(ctx context.Context, queue string, wait time.Duration) ([]byte, error) {
	m, err := s.Bus.Pop(ctx, queue, wait)
	s.add(queue, -len(m))
	return m, err
}

func (s *scales) Discard(ctx context.Context, queue string) error {
	s.mu.Lock()
	delete(s.queues, queue)
	s.mu.Unlock()
	return s.Bus.Discard(ctx, queue)
}

// A sender that fills each window and fails the transfer, or goes, leaves nothing in memory that
// no budget counts. Its receivers open no stream.
func TestFailedTransfersKeepNoMemory(t *testing.T) {
	bus := &scales{Bus: kv.NewLocalBus(), queues: map[string]int{}}
	w := newWorld(t, dbtest.SQLite(t), func(c *Config) { c.Bus = bus })
	o, host := w.openDrop()
	e := w.dial(o.Name, o.Token)
	e.want("welcome")
	guest, _ := w.admitted(o.Name, 1)
	var last string
	for n := range maxReceiving {
		res := w.call(http.DefaultClient, http.MethodPost, o.Name+"/transfers", guest, askText(host.RID, ""))
		var asked struct{ ID string }
		if err := json.NewDecoder(res.Body).Decode(&asked); res.StatusCode != http.StatusCreated || err != nil {
			t.Fatal(res.Status, err)
		}
		last = asked.ID
		e.want("request")
		number := string(frame(n + 1))
		e.say(`{"t":"accept","n":` + number + `,"public_key":` + keyText + `,"sealed":"","chunk":65536}`)
		for range int(e.want("credit")["chunks"].(float64)) {
			if err := e.conn.Write(t.Context(), websocket.MessageBinary, append([]byte{0, 0, 0, byte(n + 1)}, make([]byte, 65536)...)); err != nil {
				t.Fatal(err)
			}
		}
		if n < maxReceiving-1 {
			e.say(`{"t":"fail","n":` + number + `,"code":"cancelled"}`)
		} else {
			e.conn.CloseNow() // this one fails with the connection
		}
	}
	eventually(t, 5*time.Second, func() bool { return w.transfer(last) == nil }, "the last transfer goes on")
	eventually(t, 5*time.Second, func() bool { return bus.waiting() < 4096 }, "chunks of failed transfers wait, and no budget counts them")
	w.budget.mu.Lock()
	free := w.budget.free
	w.budget.mu.Unlock()
	if free != w.DropMemory {
		t.Errorf("%d bytes of the budget are gone", w.DropMemory-free)
	}
	b, err := io.ReadAll(w.call(http.DefaultClient, http.MethodGet, o.Name+"/transfers/"+last+"/stream", guest, "").Body)
	if err != nil || len(b) < frameHead || b[0] != frameError || !strings.HasSuffix(string(b), `{"code":"sender_gone"}`) {
		t.Errorf("its receiver reads %d bytes: %v", len(b), err)
	}
}

// A drop that is closed is over for a member that reads nothing too: within seconds it can send
// nothing more.
func TestClosedDropEndsASlowMember(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	o, host := w.openDrop()
	slow, rid := w.admitted(o.Name, 1)
	w.dial(o.Name, slow).want("welcome") // and from then on nothing is read
	c := w.local(host.Drop, rid)
	e := w.dial(o.Name, o.Token)
	e.want("welcome")
	full := make(chan error)
	go func() { // the first answer is too_fast: the connection takes nothing, and much waits
		_, _, err := e.conn.Read(t.Context())
		full <- err
	}()
	text := `{"t":"msg","to":"` + rid + `","body":{"x":"` + strings.Repeat("x", 40<<10) + `"}}`
	for waits := true; waits; {
		select {
		case err := <-full:
			if err != nil {
				t.Fatal(err)
			}
			waits = false
		default:
			e.say(text)
		}
	}
	if res := w.call(http.DefaultClient, http.MethodDelete, o.Name, o.Token, ""); res.StatusCode != http.StatusNoContent {
		t.Fatal(res.Status)
	}
	eventually(t, farewell+2*time.Second, func() bool { return w.local(host.Drop, rid) == nil && over(c) }, "its socket outlives the drop")
}

// A receiver that asks, opens its stream and cuts it, again and again, writes no more than the
// limit allows. So do sockets that a member opens anew. A refusal writes nothing.
func TestAsksAreCounted(t *testing.T) {
	const most = 5
	d := dbtest.SQLite(t)
	w := newWorld(t, d, func(c *Config) { c.AskLimit = limit.Rule{Limit: most, Window: time.Minute} })
	w.sweeping.Store(true) // the sweeper writes too
	o, host := w.openDrop()
	guest, _ := w.admitted(o.Name, 1)
	other, _ := w.admitted(o.Name, 2)
	w.dial(o.Name, o.Token).want("welcome")
	w.dial(o.Name, guest).want("welcome")
	here, there := caller("127.0.0.1"), caller("127.0.0.2")
	statuses := map[int]int{}
	commits := 0
	for range 8 * most {
		for _, q := range dbtest.Ran(d, func() {
			res := w.call(here, http.MethodPost, o.Name+"/transfers", guest, askText(host.RID, ""))
			statuses[res.StatusCode]++
			var asked struct{ ID string }
			if err := json.NewDecoder(res.Body).Decode(&asked); err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != http.StatusCreated {
				return
			}
			w.call(here, http.MethodGet, o.Name+"/transfers/"+asked.ID+"/stream", guest, "").Body.Close()
			eventually(t, 5*time.Second, func() bool { return rows(t, d, "drop_transfers") == 0 }, "a stream that was cut goes on")
		}) {
			if q == "COMMIT" {
				commits++
			}
		}
	}
	if statuses[http.StatusCreated] != most || statuses[http.StatusTooManyRequests] != 7*most {
		t.Errorf("answers %v", statuses)
	}
	if commits != 4*most { // the count; a row that is made, taken and removed
		t.Errorf("%d commits", commits)
	}
	w.wantRefusedSocket(http.StatusTooManyRequests, here, o.Name, guest)
	// The member has used up its limit from elsewhere too; another member has not.
	if res := w.call(there, http.MethodPost, o.Name+"/transfers", guest, askText(host.RID, "")); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("from another address: %s", res.Status)
	}
	if res := w.call(there, http.MethodPost, o.Name+"/transfers", other, askText(host.RID, "")); res.StatusCode != http.StatusCreated {
		t.Errorf("another member: %s", res.Status)
	}
	// An address has five members' requests. A refusal without a policy counts towards no block.
	left := (askersTogether - 1) * most
	for n := 3; left >= 0; n++ {
		token, _ := w.admitted(o.Name, n)
		for range most {
			want := http.StatusCreated
			if left--; left < 0 {
				want = http.StatusTooManyRequests
			}
			res := w.call(here, http.MethodPost, o.Name+"/transfers", token, askText(host.RID, ""))
			if res.StatusCode != want || left < 0 && (res.Header.Get("Retry-After") == "" || res.Header.Get("RateLimit-Policy") != "") {
				t.Fatalf("with %d left: %s %v", left, res.Status, res.Header)
			}
		}
	}
}

// wantRefusedSocket opens a socket of a member that may open no more.
func (w *world) wantRefusedSocket(status int, c *http.Client, name, token string) {
	w.t.Helper()
	for _, q := range dbtest.Ran(w.DB, func() {
		_, res, err := websocket.Dial(w.t.Context(), w.url+"/v1/drops/"+name+"/socket", &websocket.DialOptions{
			HTTPClient: c, HTTPHeader: map[string][]string{"Authorization": {"Drop " + token}}, Subprotocols: []string{subprotocol},
		})
		if err == nil || res == nil || res.StatusCode != status {
			w.t.Errorf("a socket anew: %v", err)
		}
	}) {
		if !strings.HasPrefix(strings.TrimSpace(q), "SELECT") {
			w.t.Errorf("a refused socket runs %s", q)
		}
	}
}

// A guest that waits opens three sockets at most. Each but the first says little, and counts as a
// guess when it ends: the run may have begun on another.
func TestWaitingGuestComesAgain(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	o, host := w.openDrop()
	h := w.dial(o.Name, o.Token)
	h.want("welcome")
	word := `{"t":"msg","to":"` + host.RID + `","body":{}}`
	token, guest, err := w.Join(t.Context(), address(1), o.Name)
	if err != nil {
		t.Fatal(err)
	}
	for n := range maxSockets {
		e := w.dial(o.Name, token)
		e.want("welcome")
		if n != 1 {
			continue
		}
		for range toldAgain {
			e.say(word)
			h.want("msg")
		}
		e.say(word)
		if f := e.want("error"); f["code"] != "not_admitted" {
			t.Errorf("%v", f)
		}
	}
	w.wantRefusedSocket(http.StatusUnauthorized, caller("127.0.0.1"), o.Name, token)
	if _, err := connect(t.Context(), w.DB, guest, w.node, 0); !errors.Is(err, db.ErrNoRows) {
		t.Errorf("a fourth socket beside the third: %v", err)
	}
	for range rejections {
		token, rid, err := w.Join(t.Context(), address(2), o.Name)
		if err != nil {
			t.Fatal(err)
		}
		first := w.dial(o.Name, token)
		first.want("welcome")
		first.say(word)
		h.want("msg")
		second := w.dial(o.Name, token)
		second.want("welcome")
		second.say(word)
		h.want("msg")
		second.conn.CloseNow()
		eventually(t, 5*time.Second, func() bool { return w.local(host.Drop, rid) == nil }, "its socket goes on")
	}
	eventually(t, comeBack+5*time.Second, func() bool { return w.closedTo(host.Drop, 2) }, "guesses over two sockets are not counted")
}

// Requests leave room for the server's own frames, as messages do: a receiver that asks costs a
// sender that reads slowly no connection. It is told that the sender is busy.
func TestRequestsToASlowSender(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	o, host := w.openDrop()
	w.dial(o.Name, o.Token).want("welcome")
	guest, _ := w.admitted(o.Name, 1)
	c := w.local(host.Drop, host.RID)
	c.clog()
	c.mustSend(make([]byte, ownFrames-8192))
	var asked struct{ ID string }
	for range maxReceiving {
		res := w.call(http.DefaultClient, http.MethodPost, o.Name+"/transfers", guest, askText(host.RID, strings.Repeat("A", maxSealed)))
		if err := json.NewDecoder(res.Body).Decode(&asked); res.StatusCode != http.StatusCreated || err != nil {
			t.Fatal(res.Status, err)
		}
	}
	time.Sleep(50 * time.Millisecond)
	if over(c) {
		t.Error("the sender lost its connection")
	}
	b, err := io.ReadAll(w.call(http.DefaultClient, http.MethodGet, o.Name+"/transfers/"+asked.ID+"/stream", guest, "").Body)
	if err != nil || !strings.HasSuffix(string(b), `{"code":"busy"}`) {
		t.Errorf("its receiver reads %q: %v", b, err)
	}
}

// broken is the answer to a receiver whose connection is gone.
type broken struct{ header http.Header }

var errBroken = errors.New("the connection is gone")

func (b broken) Header() http.Header       { return b.header }
func (b broken) WriteHeader(int)           {}
func (b broken) Write([]byte) (int, error) { return 0, errBroken }
func (b broken) FlushError() error         { return errBroken }

// A receiver whose connection breaks while its stream opens keeps no transfer: eight of them would
// end its receiving for good.
func TestStreamThatBreaksAtOnce(t *testing.T) {
	d := dbtest.SQLite(t)
	w := newWorld(t, d)
	o, host := w.openDrop()
	e := w.dial(o.Name, o.Token)
	e.want("welcome")
	guest, _ := w.admitted(o.Name, 1)
	id, err := w.Ask(t.Context(), w.member(o.Name, guest), request{FileID: host.RID + ".AAAAAAAAAAAAAAAAAAAAAA"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Drop "+guest)
	r.SetPathValue("name", o.Name)
	r.SetPathValue("id", id)
	if err := w.getStream(broken{http.Header{}}, r); !errors.Is(err, errBroken) {
		t.Errorf("it answers %v", err)
	}
	if n := rows(t, d, "drop_transfers"); n != 0 {
		t.Errorf("%d transfers are left", n)
	}
	if f := e.want("end"); f["code"] != "receiver_gone" {
		t.Errorf("the sender hears %v", f)
	}
}
