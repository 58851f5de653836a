package outbound

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// slowly gives a body in pieces, with a pause before each.
type slowly struct {
	pieces, size int
	pause        time.Duration
	closed       chan struct{}
	once         sync.Once
}

func (s *slowly) Read(b []byte) (int, error) {
	if s.pieces == 0 {
		return 0, io.EOF
	}
	s.pieces--
	select {
	case <-time.After(s.pause):
	case <-s.closed:
		return 0, io.ErrClosedPipe
	}
	return min(s.size, len(b)), nil
}

func (s *slowly) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

func send(t *testing.T, c *Client, at string, body io.Reader) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, at, body)
	if err != nil {
		t.Fatal(err)
	}
	return c.Send(req)
}

// A body may take longer than a call, as long as it moves.
func TestSendOutlastsACall(t *testing.T) {
	var got int64
	c, at := named(t, func(w http.ResponseWriter, r *http.Request) {
		got, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Trailer", "X-After")
		w.Write([]byte("thanks"))
		w.Header().Set("X-After", "words")
	})
	c.Time = time.Second
	began := time.Now()
	const pieces = 80 // of 32 KiB, as the transport reads
	res, err := send(t, c, at, &slowly{pieces: pieces, size: 32 << 10, pause: 20 * time.Millisecond, closed: make(chan struct{})})
	if err != nil || res.StatusCode != 200 || got != pieces*32<<10 {
		t.Fatalf("%v, %v, %d bytes after %s", res, err, got, time.Since(began))
	}
	if raw, _ := io.ReadAll(res.Body); string(raw) != "thanks" || res.Trailer.Get("X-After") != "words" {
		t.Errorf("%q, %v", raw, res.Trailer)
	}
	if time.Since(began) < c.Time {
		t.Error("the body was too fast to show anything")
	}
}

// Every standstill ends: of the sender, of a server that reads nothing or little, and of one
// that reads all and does not answer.
func TestSendEndsAStandstill(t *testing.T) {
	done := make(chan struct{})
	defer close(done)
	stop := func(w http.ResponseWriter, r *http.Request) { <-done }
	endless := func() io.Reader { return &slowly{pieces: 1 << 30, size: 32 << 10, closed: make(chan struct{})} }
	for what, tt := range map[string]struct {
		h    http.HandlerFunc
		body io.Reader
	}{
		"the server reads nothing": {stop, endless()},
		"the server reads a little now and then": {func(w http.ResponseWriter, r *http.Request) {
			b := make([]byte, 512)
			for err := error(nil); err == nil; {
				_, err = r.Body.Read(b)
				select {
				case <-done:
					return
				case <-time.After(10 * time.Millisecond):
				}
			}
		}, endless()},
		"the sender sends nothing": {func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) },
			&slowly{pieces: 1, pause: time.Hour, closed: make(chan struct{})}},
		"the sender sends a byte now and then": {func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) },
			&slowly{pieces: 1 << 30, size: 1, pause: 10 * time.Millisecond, closed: make(chan struct{})}},
		"no answer": {func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body); <-done }, strings.NewReader("short")},
		"an answer that trickles": {func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			for err := error(nil); err == nil; time.Sleep(10 * time.Millisecond) {
				_, err = w.Write([]byte("x"))
				w.(http.Flusher).Flush()
			}
		}, strings.NewReader("short")},
	} {
		c, at := named(t, tt.h)
		c.Time, c.Wait = 300*time.Millisecond, 300*time.Millisecond
		began := time.Now()
		if _, err := send(t, c, at, tt.body); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 20*time.Second {
			t.Errorf("%s: %v after %s", what, err, time.Since(began))
		}
	}
}

// The answer to an upload has a time of its own, for servers that work through it.
func TestSendWaits(t *testing.T) {
	c, at := named(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		time.Sleep(400 * time.Millisecond)
	})
	c.Time, c.Wait = 200*time.Millisecond, time.Minute
	if res, err := send(t, c, at, strings.NewReader("short")); err != nil || res.StatusCode != 200 {
		t.Errorf("%v, %v", res, err)
	}
}

// A refusal arrives before the body was sent, and none of it is.
func TestSendAsksFirst(t *testing.T) {
	c, at := named(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	body := &slowly{pieces: 1 << 30, size: 32 << 10, closed: make(chan struct{})}
	res, err := send(t, c, at, body)
	if err != nil || res.StatusCode != 429 || res.Header.Get("Retry-After") != "7" {
		t.Fatalf("%v, %v", res, err)
	}
	<-body.closed
	if sent := 1<<30 - body.pieces; sent > 0 {
		t.Errorf("%d pieces were sent", sent)
	}
}

// Long bodies meet every guard of short ones.
func TestSendIsGuarded(t *testing.T) {
	port, came := listener(t)
	c, at := named(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, "http://127.0.0.1:"+port+"/", http.StatusTemporaryRedirect)
		case "/long":
			w.Write(make([]byte, maxAnswer+1))
		}
	})
	for _, place := range []string{"https://127.0.0.2:" + port, "http://example.org", "https://169.254.169.254/", "https://2130706433:" + port} {
		body := &slowly{pieces: 1, closed: make(chan struct{})}
		if _, err := send(t, c, place, body); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", place, err)
		}
		<-body.closed
	}
	if res, err := send(t, c, at+"/away", strings.NewReader("x")); err != nil || res.StatusCode != http.StatusTemporaryRedirect {
		t.Errorf("a redirect: %v, %v", res, err)
	}
	if _, err := send(t, c, at+"/long", strings.NewReader("x")); !errors.Is(err, ErrTooLong) {
		t.Errorf("a long answer: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, at, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Send(req); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled call: %v", err)
	}
	if came.Load() != 0 {
		t.Error("a redirect was followed, or a private address called")
	}
}

// The bound of an answer is the client's.
func TestAnswerBound(t *testing.T) {
	c, at := named(t, func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, maxAnswer+1)) })
	c.Answer = maxAnswer + 1
	if a, err := post(t, c, at); err != nil || len(a.Body) != maxAnswer+1 {
		t.Errorf("%d bytes, %v", len(a.Body), err)
	}
}
