package rest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"coffer/internal/fault"
)

// A GET that becomes a socket is refused to other sites, as a change is; without an origin it
// comes from no browser.
func TestSocketOrigin(t *testing.T) {
	w := newWorld(t)
	Raw(w.API, Op{Method: "GET", Path: "/socket", ID: "socket", Tag: "Streams", Summary: "A socket", Socket: true, Status: http.StatusSwitchingProtocols, Errors: []*fault.Error{errNoStream}},
		RawDoc{}, func(http.ResponseWriter, *http.Request) error { return errNoStream })
	for header, status := range map[string]int{
		"X-Other: x": 404, "Origin: " + base: 404, "Sec-Fetch-Site: same-origin": 404,
		"Origin: https://evil.example": 403, "Origin: null": 403, "Origin: " + base + ".evil.example": 403, "Sec-Fetch-Site: cross-site": 403, "Sec-Fetch-Site: same-site": 403,
	} {
		got := w.do(t, "GET", "/v1/socket", "", header)
		if p := got.problem(t); got.status != status || status == 403 && p.Code != "cross_origin" {
			t.Errorf("%q: %d %s", header, got.status, p.Code)
		}
	}
}

// The connection of a socket is its handler's: no deadline of a request or stream reaches it
// after the handler has returned, and it counts among no streams.
func TestSocketOutlivesItsHandler(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Deadlines.Stall = 50 * time.Millisecond; c.Streams.Address = 1 })
	Raw(w.API, Op{Method: "GET", Path: "/socket", ID: "socket", Tag: "Streams", Summary: "A socket", Socket: true, Waits: true, Status: http.StatusSwitchingProtocols},
		RawDoc{}, func(rw http.ResponseWriter, _ *http.Request) error {
			rw.WriteHeader(http.StatusSwitchingProtocols)
			conn, _, err := http.NewResponseController(rw).Hijack()
			if err != nil {
				return err
			}
			go func() {
				defer conn.Close()
				line, err := bufio.NewReader(conn).ReadString('\n')
				fmt.Fprintf(conn, "%s%v\n", line, err)
			}()
			return nil
		})
	var open []net.Conn
	for deadline := time.Now().Add(10 * time.Second); len(open) < 3; {
		conn, err := net.Dial("tcp", w.srv.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET /v1/socket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReaderSize(conn, 16), nil)
		switch {
		case err == nil && res.StatusCode == 101:
			open = append(open, conn)
		case err == nil && res.StatusCode == 429 && time.Now().Before(deadline): // the handler before has answered and not yet returned
		default:
			t.Fatal(res, err)
		}
	}
	time.Sleep(200 * time.Millisecond)
	for _, conn := range open {
		fmt.Fprintln(conn, "still here")
		if got, err := io.ReadAll(conn); string(got) != "still here\n<nil>\n" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// A stream's client has as long for the next piece as its handler says.
func TestPatience(t *testing.T) {
	w := newWorld(t)
	took := make(chan error, 1)
	Raw(w.API, Op{Method: "GET", Path: "/patient", ID: "patient", Tag: "Streams", Summary: "Waits", Access: Public},
		RawDoc{}, func(rw http.ResponseWriter, r *http.Request) error {
			Patience(r, 100*time.Millisecond)
			var err error
			for b := make([]byte, 1<<20); err == nil; {
				_, err = rw.Write(b)
			}
			took <- err
			return err
		})
	res, err := http.Get(w.srv.URL + "/v1/patient")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() // nothing is read
	select {
	case err := <-took:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Error("a stream waits longer than it was told")
	}
}
