package rest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/fault"
)

func nothing[I any](context.Context, *I) (*struct{}, error) { return nil, nil }

func TestStream(t *testing.T) {
	w := newWorld(t)
	body := strings.Repeat("x", 3<<20) // longer than any JSON may be
	got := w.do(t, "POST", "/v1/streams/a", body, "Content-Type: application/octet-stream", "X-Forwarded-For: 6.6.6.6")
	if got.status != 200 || !strings.Contains(got.body, `"read":3145728`) {
		t.Errorf("got %d %s", got.status, got.body)
	}
	got = w.do(t, "GET", "/v1/streams/x", "", "Authorization: Bearer good")
	if got.status != 200 || got.body != "all of it" {
		t.Errorf("got %d %q", got.status, got.body)
	}
	if got := w.do(t, "HEAD", "/v1/streams/x", "", "Authorization: Bearer good"); got.status != 200 || got.body != "" {
		t.Errorf("HEAD: got %d %q", got.status, got.body)
	}
}

func TestStreamErrorBeforeTheAnswer(t *testing.T) {
	w := newWorld(t)
	got := w.do(t, "GET", "/v1/streams/before", "", "Authorization: Bearer good")
	p := got.problem(t)
	if got.status != 404 || p.Detail != "There is no such stream." || got.header.Get("Content-Disposition") != "" {
		t.Errorf("got %d %v %s", got.status, got.header, got.body)
	}
}

// A broken answer must not look whole.
func TestStreamErrorAfterTheAnswerCutsTheConnection(t *testing.T) {
	w := newWorld(t)
	for _, how := range []string{"after", "panic"} {
		req, err := http.NewRequest("GET", w.srv.URL+"/v1/streams/"+how, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer good")
		res, err := w.srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != 200 || string(got) != "the beginning" || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: got %d %q %v, want 200, the beginning and an unexpected end", how, res.StatusCode, got, err)
		}
		line := w.line(t, res.Header.Get("X-Request-Id"))
		if want := map[string]string{"after": "the disk went away", "panic": "mid-stream"}[how]; !strings.Contains(line, want) || !strings.Contains(line, "ERROR") {
			t.Errorf("%s: the log says %s", how, line)
		}
	}
}

// So must one of which the header alone has gone out: nothing is written into it, and the log names
// the error once.
func TestStreamErrorAfterAFlushCutsTheConnection(t *testing.T) {
	w := newWorld(t)
	Raw(w.API, Op{Method: "GET", Path: "/flushed", ID: "flushed", Tag: "Streams"}, RawDoc{}, func(out http.ResponseWriter, _ *http.Request) error {
		return errors.Join(http.NewResponseController(out).Flush(), errors.New("the disk went away"))
	})
	log := &logBook{}
	w.srv.Config.ErrorLog = slog.NewLogLogger(slog.NewJSONHandler(log, nil), slog.LevelWarn)
	res, err := w.srv.Client().Get(w.srv.URL + "/v1/flushed")
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(res.Body)
	res.Body.Close()
	if res.StatusCode != 200 || len(got) != 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %d %q %v, want 200, nothing and an unexpected end", res.StatusCode, got, err)
	}
	if line := w.line(t, res.Header.Get("X-Request-Id")); !strings.Contains(line, "the disk went away") {
		t.Errorf("the log says %s", line)
	}
	if said := log.String(); said != "" {
		t.Errorf("the server says %s", said)
	}
}

func TestBrokenUpload(t *testing.T) {
	w := newWorld(t)
	r := httptest.NewRequest("POST", "http://localhost/v1/streams/x", io.MultiReader(strings.NewReader("half"), failing{io.ErrUnexpectedEOF}))
	rec := httptest.NewRecorder()
	w.Handler().ServeHTTP(rec, r)
	if rec.Code != 500 {
		t.Errorf("got %d %s: the room did not name the error", rec.Code, rec.Body)
	}
}

// A client that hangs up is no server error.
func TestHangUpIsNoError(t *testing.T) {
	w := newWorld(t)
	started := make(chan struct{})
	Raw(w.API, Op{Method: "GET", Path: "/wait", ID: "wait", Tag: "Streams"}, RawDoc{}, func(_ http.ResponseWriter, r *http.Request) error {
		close(started)
		<-r.Context().Done()
		return context.Cause(r.Context())
	})
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, "GET", w.srv.URL+"/v1/wait", nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() { <-started; cancel() }()
	if res, err := w.srv.Client().Do(req); err == nil {
		res.Body.Close()
		t.Fatal("got an answer")
	}
	w.srv.Close()
	if log := w.log.String(); strings.Contains(log, "ERROR") || !strings.Contains(log, "GET /v1/wait") {
		t.Errorf("log:\n%s", log)
	}
}

// A client that hangs up while the server writes to it is no error in the log either.
func TestHangUpWithinAnAnswerIsNoError(t *testing.T) {
	w := newWorld(t)
	Raw(w.API, Op{Method: "GET", Path: "/endless", ID: "endless", Tag: "Streams"}, RawDoc{}, func(out http.ResponseWriter, _ *http.Request) error {
		for {
			if _, err := out.Write(make([]byte, 64<<10)); err != nil {
				return err
			}
		}
	})
	res, err := w.srv.Client().Get(w.srv.URL + "/v1/endless")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	w.srv.Close()
	if log := w.log.String(); strings.Contains(log, "ERROR") || !strings.Contains(log, "GET /v1/endless") {
		t.Errorf("log:\n%s", log)
	}
}

// deadlines is a ResponseWriter that records its deadlines.
type deadlines struct {
	*httptest.ResponseRecorder
	read, write []time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error  { d.read = append(d.read, t); return nil }
func (d *deadlines) SetWriteDeadline(t time.Time) error { d.write = append(d.write, t); return nil }

func TestDeadlineOfAJSONBody(t *testing.T) {
	w := newWorld(t)
	d := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	r := httptest.NewRequest("POST", "http://localhost/v1/things", strings.NewReader(`{"name":"ab"}`))
	r.Header.Set("Content-Type", "application/json")
	before := time.Now()
	w.Handler().ServeHTTP(d, r)
	if d.Code != 201 || len(d.read) != 2 || !d.read[1].IsZero() {
		t.Fatalf("got %d and read deadlines %v, want one and its end", d.Code, d.read)
	}
	if d.read[0].Before(before.Add(20*time.Second)) || d.read[0].After(time.Now().Add(20*time.Second)) {
		t.Errorf("got %v, want 20 s after the start", d.read[0].Sub(before))
	}
}

// running returns an exchange whose stream has begun.
func running(t *testing.T, w *world, d http.ResponseWriter, body string) (*exchange, *http.Request) {
	t.Helper()
	x := &exchange{api: w.API, w: d}
	r := x.takeBody(httptest.NewRequest("POST", "http://localhost/v1/streams/x", strings.NewReader(body)))
	x.r = r
	r, err := w.API.streams.begin(x, r, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.API.streams.done(x) })
	return x, r
}

func TestDeadlinesOfAStreamMove(t *testing.T) {
	const stall = time.Minute
	d := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	x, r := running(t, newWorld(t), d, "abcdef")
	if len(d.write) != 1 || !d.write[0].IsZero() {
		t.Fatalf("write deadlines at the start: %v, want the server's taken away", d.write)
	}
	p := make([]byte, 2)
	read := func() {
		t.Helper()
		if _, err := r.Body.Read(p); err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now()
	read()
	read() // at once: the deadline stays
	if len(d.read) != 1 || d.read[0].Before(start.Add(stall)) {
		t.Fatalf("read deadlines %v, want one a minute away", d.read)
	}
	x.body.moved = x.body.moved.Add(-10 * time.Second) // as if they had passed
	read()
	if len(d.read) != 2 {
		t.Errorf("read deadlines %v, want a second", d.read)
	}
	if _, err := r.Body.Read(p); err != io.EOF || !d.read[len(d.read)-1].IsZero() {
		t.Errorf("at the end: %v and %v, want EOF and no deadline", err, d.read)
	}
	_, _ = x.Write(p)
	_, _ = x.Write(p)
	if len(d.write) != 2 || d.write[1].Before(start.Add(stall)) {
		t.Fatalf("write deadlines %v, want one a minute away", d.write)
	}
	x.moved = x.moved.Add(-10 * time.Second)
	_, _ = x.Write(p)
	if len(d.write) != 3 {
		t.Errorf("write deadlines %v, want a third", d.write)
	}
}

// A byte now and then does not keep an upload open.
func TestPaceOfAStream(t *testing.T) {
	d := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	x, r := running(t, newWorld(t), d, strings.Repeat("x", 3*paceBytes))
	read := func(n int) error {
		_, err := io.CopyN(io.Discard, r.Body, int64(n))
		return err
	}
	pass := func() { x.body.window = x.body.window.Add(-2 * time.Minute) }
	if err := read(paceBytes); err != nil {
		t.Fatal(err)
	}
	pass()
	if err := read(1); err != nil { // the previous window was full
		t.Fatal(err)
	}
	pass()
	if err := read(1); !errors.Is(err, errPace) || fault.Of(err).Code != "body_unreadable" {
		t.Errorf("after a byte in two minutes: %v", err)
	}
}

// pieces records the length of each write.
type pieces struct {
	*httptest.ResponseRecorder
	sizes []int
}

func (p *pieces) Write(b []byte) (int, error) {
	p.sizes = append(p.sizes, len(b))
	return p.ResponseRecorder.Write(b)
}

// A client must take 64 KiB in a minute, not everything that the room writes at once.
func TestAnswersGoOutInPieces(t *testing.T) {
	d := &pieces{ResponseRecorder: httptest.NewRecorder()}
	x, _ := running(t, newWorld(t), d, "")
	if n, err := x.Write(make([]byte, 500<<10)); n != 500<<10 || err != nil {
		t.Fatal(n, err)
	}
	if want := []int{64 << 10, 128 << 10, 256 << 10, 52 << 10}; !slices.Equal(d.sizes, want) {
		t.Errorf("pieces %v, want %v", d.sizes, want)
	}
}
