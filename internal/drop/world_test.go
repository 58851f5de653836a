package drop

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/coder/websocket"

	"coffer/internal/account/accounttest"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/kv"
	"coffer/internal/limit/limittest"
)

// world is the room behind its own door.
type world struct {
	*Service
	below *limittest.Ground
	t     *testing.T
	url   string
	hosts int
}

func newWorld(t *testing.T, d *db.DB, change ...func(*Config)) *world {
	t.Helper()
	below := accounttest.New(t, d, limittest.Setup{})
	c := Config{DB: d, Bus: kv.NewLocalBus(), Limit: below.Limits, Index: below.Ring.Index, Now: below.Now, Log: below.Log}
	limittest.Defaults(t, &c.Settings)
	for _, f := range change {
		f(&c)
	}
	return serve(t, below, c)
}

// serve is a further process of the same server.
func serve(t *testing.T, below *accounttest.World, c Config) *world {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	api := below.API(accounttest.Named{})
	s.Routes(api)
	srv := httptest.NewServer(api.Handler())
	t.Cleanup(srv.Close)
	return &world{Service: s, below: below.Ground, t: t, url: srv.URL}
}

// address returns the nth address of a network.
func address(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{192, 0, byte(n >> 8), byte(n)})
}

// open opens a drop whose host counts as connected for the grace.
func (w *world) openDrop() (Opened, member) {
	w.t.Helper()
	w.hosts++
	o, err := w.Open(w.t.Context(), address(10000+w.hosts), "")
	if err != nil {
		w.t.Fatal(err)
	}
	return o, w.member(o.Name, o.Token)
}

func (w *world) member(name, token string) member {
	w.t.Helper()
	m, err := w.Member(w.t.Context(), name, token)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// guest joins and is admitted.
func (w *world) guest(name string, from netip.Addr) member {
	w.t.Helper()
	token, rid, err := w.Join(w.t.Context(), from, name)
	if err != nil {
		w.t.Fatal(err)
	}
	m := w.member(name, token)
	if ok, err := admitGuest(w.t.Context(), w.DB, m.Drop, rid, w.lateBefore()); !ok || err != nil {
		w.t.Fatal(ok, err)
	}
	m.Admitted = true
	return m
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.Of(err).Code
}

// end is a socket of a member.
type end struct {
	t    *testing.T
	conn *websocket.Conn
}

func (w *world) dial(name, token string) *end {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, w.url+"/v1/drops/"+name+"/socket", &websocket.DialOptions{
		HTTPHeader: map[string][]string{"Authorization": {"Drop " + token}}, Subprotocols: []string{subprotocol},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.CloseNow() })
	return &end{w.t, conn}
}

// want skips frames until one of that kind.
func (e *end) want(kind string) map[string]any {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), 10*time.Second)
	defer cancel()
	for {
		_, b, err := e.conn.Read(ctx)
		if err != nil {
			e.t.Fatalf("before %s: %v", kind, err)
		}
		var f map[string]any
		if err := json.Unmarshal(b, &f); err != nil {
			e.t.Fatalf("%s: %v", b, err)
		}
		if f["t"] == kind {
			return f
		}
	}
}

func (e *end) say(frame string) {
	e.t.Helper()
	if err := e.conn.Write(e.t.Context(), websocket.MessageText, []byte(frame)); err != nil {
		e.t.Fatal(err)
	}
}
