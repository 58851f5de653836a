package rest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"coffer/internal/fault"
)

// watched is a world that checks the sessions of streams all the time. Its operations
// report their beginning and their end.
func watched(t *testing.T) (w *world, began chan bool, ended chan error) {
	t.Helper()
	w = newWorld(t, func(c *Config) { c.Deadlines.Session = 5 * time.Millisecond })
	began, ended = make(chan bool, 10), make(chan error, 10)
	op := func(method, path string, do func(http.ResponseWriter, *http.Request) error) {
		Raw(w.API, Op{Method: method, Path: path, ID: method + path, Tag: "Streams", Access: Session}, RawDoc{}, func(rw http.ResponseWriter, r *http.Request) error {
			began <- true
			err := do(rw, r)
			ended <- err
			return err
		})
	}
	op("POST", "/held/in", func(_ http.ResponseWriter, r *http.Request) error {
		_, err := io.Copy(io.Discard, r.Body)
		return err
	})
	op("GET", "/held/out", func(rw http.ResponseWriter, _ *http.Request) error {
		for {
			if _, err := rw.Write(make([]byte, 1<<20)); err != nil {
				return err
			}
		}
	})
	op("GET", "/held/wait", func(_ http.ResponseWriter, r *http.Request) error {
		<-r.Context().Done()
		return context.Cause(r.Context())
	})
	return w, began, ended
}

// end answers every session check with err.
func (f *fakeAuth) end(err error) { f.over.Store(&err) }

// hold sends a request, leaves the rest of its body unsent and its answer unread.
func (w *world) hold(t *testing.T, method, path string) chan *http.Response {
	t.Helper()
	r, send := io.Pipe()
	t.Cleanup(func() { send.Close() })
	body := io.Reader(r)
	if method == "GET" {
		body = nil
	}
	req, err := http.NewRequestWithContext(t.Context(), method, w.srv.URL+"/v1"+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer good")
	answer := make(chan *http.Response, 1)
	go func() {
		res, err := w.srv.Client().Do(req)
		if err != nil {
			res = nil
		}
		answer <- res
	}()
	return answer
}

// A session's end also ends its streams, even those blocked in a read, a write or
// elsewhere.
func TestStreamsEndWithTheirSession(t *testing.T) {
	w, began, ended := watched(t)
	in := w.hold(t, "POST", "/held/in")
	<-began
	out := w.hold(t, "GET", "/held/out")
	<-began
	wait := w.hold(t, "GET", "/held/wait")
	<-began
	res := <-out // its answer has begun when the session ends
	w.auth.end(fault.New(fault.Unauthenticated, "over", "The session is over."))
	for range 3 {
		if err := <-ended; err == nil {
			t.Error("a stream ended well")
		}
	}
	for name, c := range map[string]chan *http.Response{"upload": in, "wait": wait} {
		if res := <-c; res == nil || res.StatusCode != 401 || !res.Close {
			t.Errorf("%s: %v, want 401 and a closed connection", name, res)
		} else {
			res.Body.Close()
		}
	}
	if res == nil {
		t.Fatal("the download has no answer")
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err == nil {
		t.Error("the download looks whole")
	}
	w.srv.Close() // returns when every handler has returned
	w.API.streams.mu.Lock()
	defer w.API.streams.mu.Unlock()
	s := w.API.streams
	if len(s.all) != 0 {
		t.Errorf("streams are left: %v", s.all)
	}
	for _, c := range []*crowd{s.moving, s.waiting} {
		if c.all+len(c.accounts)+len(c.networks) != 0 {
			t.Errorf("streams are left: %v", c)
		}
	}
}

// A caller whose body came late is asked for again. The operation does not run for one whose session
// or role ended meanwhile.
func TestALateBodyAsksAgain(t *testing.T) {
	w := newWorld(t)
	for path, access := range map[string]Access{"/mine": Session, "/ours": Admin} {
		Register(w.API, Op{Method: "POST", Path: path, ID: "late" + path[1:], Tag: "Things", Access: access}, func(context.Context, *thingInput) (*struct{}, error) {
			w.calls.Add(1)
			return nil, nil
		})
	}
	send := func(path, who string, meanwhile func()) string {
		t.Helper()
		const body = `{"name":"late"}`
		c, err := net.Dial("tcp", w.srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "POST /v1%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", path, who, len(body))
		in := bufio.NewReader(c)
		if line, err := in.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
			t.Fatalf("%q, %v", line, err)
		}
		meanwhile()
		time.Sleep(promptly + 50*time.Millisecond)
		fmt.Fprint(c, body)
		all, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		return string(all)
	}
	for _, test := range []struct {
		path, who string
		meanwhile func()
		status    string
		ran       int32
	}{
		{"/mine", "good", func() {}, "204", 1},
		{"/ours", "admin", func() {}, "204", 1},
		{"/ours", "admin", func() { w.auth.plain.Store(true) }, "403", 0},
		{"/mine", "good", func() { w.auth.end(fault.New(fault.Unauthenticated, "over", "The session is over.")) }, "401", 0},
		{"/mine", "good", func() { w.auth.end(errNet) }, "503", 0},
	} {
		w.calls.Store(0)
		w.auth.asked.Store(0)
		got := send(test.path, test.who, test.meanwhile)
		if !strings.Contains(got, "HTTP/1.1 "+test.status) || w.auth.asked.Load() != 1 || w.calls.Load() != test.ran {
			t.Errorf("%s as %s: asked %d times, ran %d times, want %s: %s", test.path, test.who, w.auth.asked.Load(), w.calls.Load(), test.status, got)
		}
	}
}

// A brief outage of the store ends no stream, and a long one ends all.
func TestStreamsOutliveAnOutage(t *testing.T) {
	w, began, ended := watched(t)
	w.hold(t, "GET", "/held/wait")
	<-began
	w.auth.end(errNet)
	before := w.auth.asked.Load()
	if err := <-ended; !errors.Is(err, errSessionOver) {
		t.Errorf("ended by %v", err)
	}
	if n := w.auth.asked.Load() - before; n < 2 {
		t.Errorf("ended after %d questions", n)
	}
}

// The watch over sessions ends with the last stream.
func TestWatchEnds(t *testing.T) {
	w, began, ended := watched(t)
	ctx, cancel := context.WithCancel(t.Context())
	for range 2 {
		req, _ := http.NewRequestWithContext(ctx, "GET", w.srv.URL+"/v1/held/wait", nil)
		req.Header.Set("Authorization", "Bearer good")
		go func() { _, _ = w.srv.Client().Do(req) }() // ends with ctx
		<-began
	}
	cancel()
	<-ended
	<-ended
	for {
		w.API.streams.mu.Lock()
		watching := w.API.streams.watching
		w.API.streams.mu.Unlock()
		if !watching {
			break
		}
		if t.Context().Err() != nil {
			t.Fatal("it still watches")
		}
		time.Sleep(time.Millisecond)
	}
}

// Streams that wait and streams that move files are bounded apart: as many as there may be of
// the one keep none of the other out.
func TestStreamLimits(t *testing.T) {
	for _, waits := range []bool{false, true} {
		streamLimits(t, waits)
	}
}

func streamLimits(t *testing.T, waits bool) {
	for _, tt := range []struct {
		name   string
		limits StreamLimits
		status int
		code   string
	}{
		{"account", StreamLimits{Account: 2}, 429, "too_many_streams"},
		{"address", StreamLimits{Address: 2}, 429, "too_many_streams"},
		{"all", StreamLimits{All: 2}, 503, "busy"},
	} {
		t.Run(fmt.Sprintf("%s, waits %t", tt.name, waits), func(t *testing.T) {
			w := newWorld(t, func(c *Config) { c.Streams = tt.limits })
			Raw(w.API, Op{Method: "GET", Path: "/other", ID: "other", Tag: "T", Access: Session, Waits: !waits}, RawDoc{}, func(http.ResponseWriter, *http.Request) error { return nil })
			began := make(chan bool)
			Raw(w.API, Op{Method: "GET", Path: "/wait", ID: "wait", Tag: "T", Access: Session, Waits: waits}, RawDoc{}, func(_ http.ResponseWriter, r *http.Request) error {
				began <- true
				<-r.Context().Done()
				return nil
			})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			for range 2 {
				req, _ := http.NewRequestWithContext(ctx, "GET", w.srv.URL+"/v1/wait", nil)
				req.Header.Set("Authorization", "Bearer good")
				go func() { _, _ = w.srv.Client().Do(req) }() // ends with ctx
				<-began
			}
			got := w.do(t, "GET", "/v1/wait", "", "Authorization: Bearer good")
			if p := got.problem(t); got.status != tt.status || p.Code != tt.code || got.header.Get("Retry-After") != "5" {
				t.Errorf("the third: %d %s %v", got.status, p.Code, got.header)
			}
			if got := w.do(t, "GET", "/v1/other", "", "Authorization: Bearer good"); got.status != 200 {
				t.Errorf("one of the other kind: %d %s", got.status, got.body)
			}
			cancel()
			for {
				w.API.streams.mu.Lock()
				left := len(w.API.streams.all)
				w.API.streams.mu.Unlock()
				if left == 0 {
					break
				}
				time.Sleep(time.Millisecond)
			}
			if got := w.do(t, "GET", "/v1/streams/x", "", "Authorization: Bearer good"); got.status != 200 {
				t.Errorf("after two have ended: %d %s", got.status, got.body)
			}
		})
	}
}

// A refusal is answered before the body, and the server asks for no byte of it.
func TestRefusalsAreAnsweredAtOnce(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Deadlines.Linger = time.Hour })
	for _, head := range []string{
		"POST /v1/streams/x HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 9000000000\r\nExpect: 100-continue\r\n\r\n",
		"POST /v1/streams/x HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 200000\r\n\r\nx",
		"POST /v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\nx",
		"POST /v1/nowhere HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx",
	} {
		c, err := net.Dial("tcp", w.srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(c, head)
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || res.StatusCode < 400 || !res.Close {
			t.Errorf("%q: %v %v, want a refusal and no more", head, res, err)
		}
	}
}

func TestNetworkOfAnAddress(t *testing.T) {
	for in, want := range map[string]string{"192.0.2.7": "192.0.2.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::"} {
		if got := network(netip.MustParseAddr(in)); got.String() != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// Callers without a session have half of all streams, of each kind: from however many addresses
// they come, they keep no account out.
func TestGuestsLeaveHalf(t *testing.T) {
	for _, waits := range []bool{false, true} {
		w := newWorld(t, spread, func(c *Config) { c.Streams.All = 4 })
		began := make(chan bool)
		hold := func(path string, access Access) {
			Raw(w.API, Op{Method: "GET", Path: path, ID: path[1:], Tag: "T", Access: access, Waits: waits}, RawDoc{}, func(_ http.ResponseWriter, r *http.Request) error {
				began <- true
				<-r.Context().Done()
				return nil
			})
		}
		hold("/guest", Public)
		hold("/mine", Session)
		asks := func(path string, address int) (refused string) {
			req, _ := http.NewRequestWithContext(t.Context(), "GET", w.srv.URL+"/v1"+path, nil)
			req.Header.Set("X-Forwarded-For", fmt.Sprintf("192.0.2.%d", address))
			req.Header.Set("Authorization", "Bearer good")
			answer := make(chan string, 1)
			go func() {
				res, err := w.srv.Client().Do(req)
				if err != nil {
					return // the test is over
				}
				defer res.Body.Close()
				b, _ := io.ReadAll(res.Body)
				answer <- res.Status + " " + string(b)
			}()
			select {
			case <-began:
				return ""
			case refused = <-answer:
				return refused
			}
		}
		for i, test := range []struct{ path, want string }{{"/guest", ""}, {"/guest", ""}, {"/guest", `"busy"`}, {"/mine", ""}, {"/mine", ""}, {"/mine", `"busy"`}} {
			if got := asks(test.path, i); (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("waits %t, %s, the request %d: %q, want %q", waits, test.path, i, got, test.want)
			}
		}
	}
}

// spread lets a test's requests come from the addresses that it forwards.
func spread(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }

// Long unfinished bodies hold a bounded number of buffers, of which no address and no account has
// more than two, and callers without a session half. Short ones go on.
func TestLongBodiesAreFew(t *testing.T) {
	w := newWorld(t, spread)
	Register(w.API, Op{Method: "POST", Path: "/mine", ID: "make-mine", Tag: "Things", Access: Session},
		func(context.Context, *thingInput) (*struct{}, error) { return nil, nil })
	var held []net.Conn
	hold := func(path, address string) {
		t.Helper()
		c, err := net.Dial("tcp", w.srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		held = append(held, c)
		_, _ = io.WriteString(c, "POST /v1"+path+" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer good\r\nX-Forwarded-For: "+address+
			"\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"+strings.Repeat(" ", smallBody+1))
		for end := time.Now().Add(10 * time.Second); w.longBodies.running() < len(held); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d long bodies run, not %d", w.longBodies.running(), len(held))
			}
		}
	}
	long := `{"name":"ab"}` + strings.Repeat(" ", 2*smallBody)
	sends := func(path, address, body string) answer {
		return w.do(t, "POST", "/v1"+path, body, "Content-Type: application/json", "Authorization: Bearer good", "X-Forwarded-For: "+address)
	}
	busy := func(name string, got answer) {
		t.Helper()
		if got.status != 503 || got.problem(t).Code != "busy" || got.header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	hold("/things", "192.0.2.1")
	hold("/things", "192.0.2.1")
	busy("a third of one address", sends("/things", "192.0.2.1", long))
	busy("a third of one address, with a session", sends("/mine", "192.0.2.1", long))
	for i := 2; i <= longLimits.All/4; i++ {
		hold("/things", fmt.Sprintf("192.0.2.%d", i))
		hold("/things", fmt.Sprintf("192.0.2.%d", i))
	}
	busy("more than half without a session", sends("/things", "192.0.2.100", long))
	if got := sends("/mine", "192.0.2.100", long); got.status != 204 {
		t.Errorf("a caller with a session: %d %s", got.status, got.body)
	}
	hold("/mine", "192.0.2.100")
	hold("/mine", "192.0.2.101")
	busy("a third of one account", sends("/mine", "192.0.2.102", long))
	if got := sends("/things", "192.0.2.1", `{"name":"ab"}`); got.status != 201 {
		t.Errorf("a short one: %d %s", got.status, got.body)
	}
	for _, c := range held {
		c.Close()
	}
	for end := time.Now().Add(10 * time.Second); w.longBodies.running() > 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if got := sends("/things", "192.0.2.1", long); got.status != 201 {
		t.Errorf("when they are gone: %d %s", got.status, got.body)
	}
}
