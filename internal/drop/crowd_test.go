package drop

import (
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
	"coffer/internal/limit/limittest"
)

// dialFrom opens a socket from an address of this machine.
func (w *world) dialFrom(c *http.Client, name, token string) (*end, *http.Response) {
	w.t.Helper()
	conn, res, err := websocket.Dial(w.t.Context(), w.url+"/v1/drops/"+name+"/socket", &websocket.DialOptions{
		HTTPClient: c, HTTPHeader: http.Header{"Authorization": {"Drop " + token}}, Subprotocols: []string{subprotocol},
	})
	if err != nil {
		if res == nil {
			w.t.Fatal(err)
		}
		return nil, res
	}
	w.t.Cleanup(func() { conn.CloseNow() })
	e := &end{w.t, conn}
	e.want("welcome")
	return e, res
}

// So many members of one address are connected at once, in whatever drops. Guests that wait have half
// of the places. A member that comes back, and members elsewhere, are not refused.
func TestSocketsOfOneAddress(t *testing.T) {
	const most = 4
	w := newWorld(t, dbtest.SQLite(t), func(c *Config) { c.DropSockets = most })
	here, there := caller("127.0.0.1"), caller("127.0.0.2")
	o, host := w.openDrop()
	h, _ := w.dialFrom(here, o.Name, o.Token)
	refused := func(what, name, token string) {
		t.Helper()
		e, res := w.dialFrom(here, name, token)
		if e != nil || res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") != "5" || res.Header.Get("RateLimit-Policy") != "" {
			t.Fatalf("%s: %v %s", what, e != nil, res.Status)
		}
	}
	var tokens, rids []string
	for n := range 3 {
		token, rid, err := w.Join(t.Context(), address(n), o.Name)
		if err != nil {
			t.Fatal(err)
		}
		tokens, rids = append(tokens, token), append(rids, rid)
		if n < most/2 {
			w.dialFrom(here, o.Name, token)
		}
	}
	refused("a third guest that waits", o.Name, tokens[2])
	h.say(`{"t":"admit","rid":"` + rids[0] + `"}`)
	eventually(t, 5*time.Second, func() bool { return w.local(host.Drop, rids[0]).admitted.Load() }, "it is not let in")
	if e, res := w.dialFrom(here, o.Name, tokens[2]); e == nil {
		t.Fatalf("a guest in the place of one that was let in: %s", res.Status)
	}
	other, _ := w.openDrop()
	refused("a fifth member", other.Name, other.Token)
	if e, res := w.dialFrom(there, other.Name, other.Token); e == nil {
		t.Errorf("from another address: %s", res.Status)
	}
	again, res := w.dialFrom(here, o.Name, o.Token)
	if again == nil {
		t.Fatalf("a member that comes back: %s", res.Status)
	}
	again.conn.Close(closeNormal, "")
	eventually(t, farewell+15*time.Second, func() bool { // the older socket is not read
		e, _ := w.dialFrom(here, other.Name, other.Token)
		return e != nil
	}, "the place of a member that left is never free")
}

// A place is given back however its socket ends.
func TestCrowdIsEmptyAtTheEnd(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), func(c *Config) { c.AskLimit.Limit = 1 })
	o, host := w.openDrop()
	h := w.dial(o.Name, o.Token)
	h.want("welcome")
	w.dial(o.Name, o.Token).want("welcome")
	token, _, err := w.Join(t.Context(), address(1), o.Name)
	if err != nil {
		t.Fatal(err)
	}
	w.dial(o.Name, token).conn.CloseNow()
	if e, res := w.dialFrom(http.DefaultClient, o.Name, o.Token); e != nil || res.StatusCode != http.StatusTooManyRequests {
		t.Fatalf("a third socket in the minute: %s", res.Status)
	}
	if err := w.Close(t.Context(), host); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, func() bool {
		w.crowd.mu.Lock()
		defer w.crowd.mu.Unlock()
		return len(w.crowd.networks) == 0
	}, "places are never given back")
}

// The crowd's own arithmetic.
func TestCrowd(t *testing.T) {
	c := newCrowd()
	for range maxTurns {
		if err := c.enter("a", "one", true, 2); err != nil {
			t.Fatal(err)
		}
	}
	for what, err := range map[string]error{
		"a member with many sockets": c.enter("a", "one", true, 2),
		"a second guest that waits":  c.enter("a", "two", true, 2),
	} {
		if err == nil || fault.Of(err).RetryAfter != crowdWait {
			t.Errorf("%s: %v", what, err)
		}
	}
	c.admit("a", "one")
	c.admit("a", "one")
	c.admit("b", "one")
	if err := c.enter("a", "two", true, 2); err != nil {
		t.Error(err)
	}
	if err := c.enter("a", "three", false, 2); err == nil {
		t.Error("a third member")
	}
	for range maxTurns {
		c.leave("a", "one")
	}
	c.leave("a", "two")
	if len(c.networks) != 0 {
		t.Errorf("left over: %v", c.networks)
	}
	// Of a guest that was let in elsewhere the next socket tells.
	for _, waits := range []bool{true, false} {
		if err := c.enter("a", "one", waits, 2); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.enter("a", "two", true, 2); err != nil {
		t.Error(err)
	}
	var settings Settings
	limittest.Defaults(t, &settings)
	settings.DropSockets = 0
	if settings.AfterApply() == nil {
		t.Error("no socket at all is no setting")
	}
}
