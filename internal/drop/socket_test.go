package drop

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"coffer/internal/account/accounttest"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/kv"
	"coffer/internal/limit/limittest"
)

// closes reads until the end of the connection and returns its close code.
func (e *end) closes() websocket.StatusCode {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), 10*time.Second)
	defer cancel()
	for {
		if _, _, err := e.conn.Read(ctx); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

// Of many connections that a member opens at the same moment, one stays.
func TestRaceSockets(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		o, _ := w.openDrop()
		ends := make([]*end, 8)
		var all sync.WaitGroup
		for i := range ends {
			all.Go(func() { ends[i] = w.dial(o.Name, o.Token) })
		}
		all.Wait()
		var stayed, left atomic.Int32
		for _, e := range ends {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				for {
					_, _, err := e.conn.Read(ctx)
					if websocket.CloseStatus(err) == closeNormal {
						left.Add(1)
						return
					} else if errors.Is(err, context.DeadlineExceeded) {
						stayed.Add(1)
						return
					} else if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
		if stayed.Load() != 1 || left.Load() != 7 {
			t.Errorf("%d stayed, %d left", stayed.Load(), left.Load())
		}
	})
}

// A guest that is not let in hears so after a minute.
func TestLateGuest(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	o, host := w.openDrop()
	token, rid, err := w.Join(t.Context(), address(1), o.Name)
	if err != nil {
		t.Fatal(err)
	}
	e := w.dial(o.Name, token)
	e.want("welcome")
	c := w.local(host.Drop, rid)
	c.watch(c.since.Add(joinTime))
	c.watch(c.since.Add(joinTime + time.Second))
	if f := e.want("closed"); f["code"] != "late" {
		t.Errorf("%v", f)
	}
	if code := e.closes(); code != closeNormal {
		t.Errorf("close code %d", code)
	}
	for { // its place is free
		if f, err := w.Look(t.Context(), address(2), o.Name); err != nil || f.Guests == 0 {
			if err != nil {
				t.Error(err)
			}
			break
		}
		time.Sleep(time.Millisecond)
	}
}

// A silent socket is pinged once, and ends when nothing comes for as long again. A process that
// looked too late pings first.
func TestSilentSocket(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	o, host := w.openDrop()
	e := w.dial(o.Name, o.Token)
	e.want("welcome")
	c := w.local(host.Drop, host.RID)
	late := time.Now().Add(10 * w.DropPing)
	c.watch(late)
	e.conn.CloseRead(t.Context()) // answers pings
	deadline := time.Now().Add(10 * time.Second)
	for heard := c.wire.read.Load(); c.wire.read.Load() == heard; {
		if time.Now().After(deadline) {
			t.Fatal("no ping was answered")
		}
		time.Sleep(time.Millisecond)
	}
	c.mu.Lock()
	c.pinged = late
	c.mu.Unlock()
	c.watch(late.Add(w.DropPing))
	if w.local(host.Drop, host.RID) != c {
		t.Error("it ended before its time")
	}
	c.watch(late.Add(w.DropPing + time.Second))
	for w.local(host.Drop, host.RID) == c {
		if time.Now().After(deadline) {
			t.Fatal("a dead socket stays")
		}
		time.Sleep(time.Millisecond)
	}
}

// Members of one drop on two processes meet over the bus, and hear when a process lost touch.
func TestTwoProcesses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		below := accounttest.New(t, d, limittest.Setup{})
		bus := &lossy{Bus: kv.NewLocalBus(), lost: make(chan struct{})}
		c := Config{DB: d, Bus: bus, Limit: below.Limits, Index: below.Ring.Index, Now: below.Now, Log: below.Log}
		limittest.Defaults(t, &c.Settings)
		one, two := serve(t, below, c), serve(t, below, c)
		o, _ := one.openDrop()
		guest := one.guest(o.Name, address(1))
		host := one.dial(o.Name, o.Token)
		host.want("welcome")
		ticket, err := one.Ticket(t.Context(), guest)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		conn, _, err := websocket.Dial(ctx, two.url+"/v1/drops/"+o.Name+"/socket?ticket="+ticket, &websocket.DialOptions{Subprotocols: []string{subprotocol}})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.CloseNow()
		g := &end{t, conn}
		g.want("welcome")
		if f := host.want("member"); f["rid"] != guest.RID || f["here"] != true {
			t.Errorf("%v", f)
		}
		if err := conn.Write(ctx, websocket.MessageText, []byte(`{"t":"msg","to":"`+guest.HostRID+`","body":{"k":"over"}}`)); err != nil {
			t.Fatal(err)
		}
		if f := host.want("msg"); f["from"] != guest.RID {
			t.Errorf("%v", f)
		}
		close(bus.lost)
		for _, e := range []*end{host, g} {
			e.want("reconnect")
			if code := e.closes(); code != closeRestart {
				t.Errorf("close code %d", code)
			}
		}
	})
}

// A member that arrives while its room's subscription is lost comes back too. It would be
// connected and never hear of the others.
func TestArrivesAtALostRoom(t *testing.T) {
	d := dbtest.SQLite(t)
	bus := &lossy{Bus: kv.NewLocalBus(), lost: make(chan struct{})}
	w := newWorld(t, d, func(c *Config) { c.Bus = bus })
	o, m := w.openDrop()
	guest, _, err := w.Join(t.Context(), address(1), o.Name)
	if err != nil {
		t.Fatal(err)
	}
	host := w.dial(o.Name, o.Token)
	host.want("welcome")
	var late *end
	if err := d.Tx(t.Context(), func(tx *db.Tx) error { // holds up a member that arrives, before it is in the room
		if _, err := tx.Exec(t.Context(), `UPDATE drops SET expires_at = expires_at WHERE id = $1`, m.Drop); err != nil {
			return err
		}
		late = w.dial(o.Name, guest)
		close(bus.lost)
		for forsaken := false; !forsaken; time.Sleep(time.Millisecond) {
			w.hub.mu.Lock()
			forsaken = w.hub.rooms[m.Drop] == nil
			w.hub.mu.Unlock()
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, e := range []*end{host, late} {
		if code := e.closes(); code != closeRestart {
			t.Errorf("close code %d", code)
		}
	}
}

// lossy is a bus whose subscriptions the test loses.
type lossy struct {
	kv.Bus
	lost chan struct{}
}

func (b *lossy) Subscribe(ctx context.Context, channel string, hear func([]byte)) (func(), <-chan struct{}, error) {
	cancel, _, err := b.Bus.Subscribe(ctx, channel, hear)
	return cancel, b.lost, err
}

// A guest that shows its tag and leaves before the host has judged it counts like a rejected one;
// so does one that is cut and does not come back, on its first socket or its second. A guest that
// only looks does not.
func TestGuessThatLeaves(t *testing.T) {
	for name, leave := range map[string]func(*world, *end, string, string){
		"leaves":                func(_ *world, e *end, _, _ string) { e.conn.Close(closeNormal, "") },
		"is cut":                func(_ *world, e *end, _, _ string) { e.conn.CloseNow() },
		"is replaced, and ends": func(w *world, _ *end, name, token string) { w.dial(name, token).conn.CloseNow() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, dbtest.SQLite(t))
			o, host := w.openDrop()
			h := w.dial(o.Name, o.Token)
			h.want("welcome")
			for n := range 4 {
				messages := 2
				if n == 0 {
					messages = 1
				}
				token, rid, err := w.Join(t.Context(), address(1), o.Name)
				if err != nil {
					t.Fatal(n, err)
				}
				e := w.dial(o.Name, token)
				e.want("welcome")
				c := w.local(host.Drop, rid)
				for range messages {
					e.say(`{"t":"msg","to":"` + host.RID + `","body":{"k":"pake1"}}`)
					h.want("msg")
				}
				leave(w, e, o.Name, token)
				for !over(c) {
					time.Sleep(time.Millisecond)
				}
			}
			eventually(t, comeBack+5*time.Second, func() bool { return w.closedTo(host.Drop, 1) }, "three guesses are not counted")
		})
	}
}

func over(c *socket) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// A socket that a guest opens anew does not take the place of the first away with it, and gives no
// second minute.
func TestGuestComesAgain(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	o, host := w.openDrop()
	token, rid, err := w.Join(t.Context(), address(1), o.Name)
	if err != nil {
		t.Fatal(err)
	}
	first := w.dial(o.Name, token)
	first.want("welcome")
	c := w.local(host.Drop, rid)
	w.below.Advance(joinTime - time.Second)
	if _, err := w.DB.Exec(t.Context(), `UPDATE drop_members SET seen_at = $1 WHERE host`, w.Now().UnixMilli()); err != nil {
		t.Fatal(err)
	}
	second := w.dial(o.Name, token)
	second.want("welcome")
	for !over(c) {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond)
	if f, err := w.Look(t.Context(), address(2), o.Name); err != nil || f.Guests != 1 {
		t.Errorf("%+v %v", f, err)
	}
	w.local(host.Drop, rid).watch(time.Now().Add(2 * time.Second))
	if f := second.want("closed"); f["code"] != "late" {
		t.Errorf("%v", f)
	}
}

// A guest that is not admitted says little, and members' messages leave room for the server's
// frames: neither costs a host that reads slowly its connection.
func TestStrangerFloodsHost(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	o, host := w.openDrop()
	h := w.dial(o.Name, o.Token)
	h.want("welcome")
	token, rid, err := w.Join(t.Context(), address(1), o.Name)
	if err != nil {
		t.Fatal(err)
	}
	e := w.dial(o.Name, token)
	e.want("welcome")
	for range maxTold {
		e.say(`{"t":"msg","to":"` + host.RID + `","body":{}}`)
		h.want("msg")
	}
	e.say(`{"t":"msg","to":"` + host.RID + `","body":{}}`)
	if f := e.want("error"); f["code"] != "not_admitted" {
		t.Errorf("%v", f)
	}
	if _, err := admitGuest(t.Context(), w.DB, host.Drop, rid, w.lateBefore()); err != nil {
		t.Fatal(err)
	}
	c := w.local(host.Drop, host.RID)
	c.clog()
	c.mustSend(make([]byte, 4096))
	time.Sleep(50 * time.Millisecond)
	if over(c) {
		t.Error("the host lost its connection")
	}
}

// A text frame that never ends keeps no memory: its socket ends, however alive it looks.
func TestSlowText(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), func(c *Config) { c.DropPing = time.Second })
	o, host := w.openDrop()
	e := w.dial(o.Name, o.Token)
	e.want("welcome")
	c := w.local(host.Drop, host.RID)
	part, err := e.conn.Writer(t.Context(), websocket.MessageText)
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); !over(c); time.Sleep(200 * time.Millisecond) {
		_, _ = part.Write(make([]byte, 500)) // fails once the server has ended the socket
		if time.Now().After(end) {
			t.Fatal("the socket lives on")
		}
	}
}
