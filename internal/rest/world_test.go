package rest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coffer/internal/fault"
	"coffer/internal/limit/limittest"
)

// world is an API with a few operations behind a real server.
type world struct {
	*API
	srv   *httptest.Server
	log   *logBook
	auth  *fakeAuth
	calls atomic.Int32 // of handlers
	last  atomic.Pointer[Client]
	got   atomic.Pointer[thingBody]
}

const base = "https://coffer.example"

func newWorld(t testing.TB, change ...func(*Config)) *world {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{log: &logBook{}, auth: &fakeAuth{}}
	cfg := Config{
		Title: "Coffer", Version: "1.2.3", BaseURL: u,
		Log:  slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Auth: w.auth,
		Undeclared: func(operation string, f *fault.Error) {
			if operation != "fail" { // fail returns any refusal on request
				t.Errorf("%s answers %s, which it does not declare", operation, f.Code)
			}
		},
	}
	for _, c := range change {
		c(&cfg)
	}
	limittest.Defaults(t, &cfg.Settings)
	w.API = New(cfg)
	w.routes()
	w.srv = httptest.NewServer(w.Handler())
	t.Cleanup(w.srv.Close)
	return w
}

type thingBody struct {
	Name  string    `json:"name" minLength:"2" maxLength:"10" pattern:"^[a-z]+$" patternDescription:"small letters"`
	Count int       `json:"count,omitempty" minimum:"1" maximum:"9" default:"3"`
	Kind  string    `json:"kind,omitempty" enum:"round,square"`
	Tags  []string  `json:"tags,omitempty" maxItems:"3" uniqueItems:"true"`
	Inner *inner    `json:"inner,omitempty"`
	At    time.Time `json:"at,omitzero"`
	Share float64   `json:"share,omitempty"`
	On    bool      `json:"on,omitempty"`
	Any   any       `json:"any,omitempty"`
	Link  string    `json:"link,omitempty" format:"uri"`
	Odd   string    `json:"odd,omitempty" pattern:"^x+$"`
}

type inner struct {
	Deep []deep `json:"deep" doc:"Further down."`
}

type deep struct {
	Value int `json:"value" minimum:"1"`
}

type thingInput struct {
	Request
	Body thingBody
}

type thingOutput struct {
	ETag string `header:"ETag"`
	Body thingBody
}

type listInput struct {
	Request
	Paging
	Sort string `query:"sort" enum:"name,time" default:"name" doc:"By what."`
}

type listOutput struct{ Body Page[thingBody] }

type failInput struct {
	How string `path:"how" maxLength:"20"`
}

type pictureOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func (w *world) routes() {
	a := w.API
	Register(a, Op{Method: "POST", Path: "/things", ID: "make-thing", Tag: "Things", Summary: "Make a thing", Description: "Takes `name` and more.", Status: 201, Rows: "F-A1, F-A2"},
		func(_ context.Context, in *thingInput) (*thingOutput, error) {
			w.calls.Add(1)
			w.got.Store(&in.Body)
			return &thingOutput{ETag: `"1"`, Body: in.Body}, nil
		})
	Register(a, Op{Method: "GET", Path: "/things", ID: "list-things", Tag: "Things", Summary: "All things"},
		func(_ context.Context, in *listInput) (*listOutput, error) {
			w.calls.Add(1)
			w.last.Store(&in.Client)
			return &listOutput{Page[thingBody]{Items: make([]thingBody, in.Limit)}}, nil
		})
	Register(a, Op{Method: "GET", Path: "/me", ID: "who-am-i", Tag: "People", Summary: "Who asks", Access: Session, Errors: []*fault.Error{errBlocked}},
		func(_ context.Context, in *struct{ Request }) (*struct{ Body Caller }, error) {
			w.calls.Add(1)
			return &struct{ Body Caller }{in.Caller}, nil
		})
	Register(a, Op{Method: "DELETE", Path: "/me", ID: "end-me", Tag: "People", Summary: "Be gone", Access: StepUp},
		func(_ context.Context, in *struct{ Request }) (*struct{}, error) {
			w.calls.Add(1)
			return nil, nil
		})
	Register(a, Op{Method: "GET", Path: "/fail/{how}", ID: "fail", Tag: "Things", Summary: "Goes wrong", Errors: []*fault.Error{errThing}},
		func(_ context.Context, in *failInput) (*struct{}, error) { return nil, failure(in.How) })
	Register(a, Op{Method: "GET", Path: "/picture", ID: "picture", Tag: "Things", Summary: "A picture", Produces: "image/png"},
		func(context.Context, *struct{}) (*pictureOutput, error) {
			return &pictureOutput{"image/png", []byte("\x89PNG\r\n\x1a\n…")}, nil
		})
	Register(a, Op{Method: "GET", Path: "/bytes", ID: "bytes", Tag: "Things", Summary: "Bytes", Produces: "image/webp"},
		func(context.Context, *struct{}) (*struct{ Body []byte }, error) {
			return &struct{ Body []byte }{[]byte("<script>")}, nil
		})
	w.streams()
}

func (w *world) streams() {
	Raw(w.API, Op{Method: "POST", Path: "/streams/{name}", ID: "send-stream", Tag: "Streams", Summary: "Send"},
		RawDoc{Consumes: "application/octet-stream", Params: []RawParam{{In: "query", Name: "mode", Doc: "How.", Enum: []string{"a", "b"}}}, Response: thingBody{}},
		func(rw http.ResponseWriter, r *http.Request) error {
			w.calls.Add(1)
			n, err := io.Copy(io.Discard, r.Body)
			if err != nil {
				return err
			}
			return json.NewEncoder(rw).Encode(map[string]any{"read": n, "caller": CallerOf(r).Account})
		})
	Raw(w.API, Op{Method: "GET", Path: "/streams/{how}", ID: "read-stream", Tag: "Streams", Summary: "Read", Access: Session, Errors: []*fault.Error{errNoStream}},
		RawDoc{Headers: []RawParam{{Name: "ETag", Doc: "Names the content."}}, Statuses: map[int]string{304: "As you have it."}},
		func(rw http.ResponseWriter, r *http.Request) error {
			w.calls.Add(1)
			rw.Header().Set("Content-Disposition", "attachment")
			switch r.PathValue("how") {
			case "before":
				return errNoStream
			case "after":
				_, _ = io.WriteString(rw, "the beginning")
				_ = http.NewResponseController(rw).Flush()
				return errors.New("the disk went away")
			case "panic":
				_, _ = io.WriteString(rw, "the beginning")
				_ = http.NewResponseController(rw).Flush()
				panic("mid-stream")
			}
			_, err := io.WriteString(rw, "all of it")
			return err
		})
	w.Handle("GET /page/{path...}", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.PathValue("path") == "lost" {
			Refuse(rw, r, errNoPage)
			return
		}
		rw.Header().Set("Content-Security-Policy", "default-src 'self'")
		_, _ = io.WriteString(rw, "a page")
	}), errNoPage)
	w.HandleAnyHost("GET", "/healthz", http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, "ok") }))
}

const secret = "hunter2-canary"

var (
	errThing    = fault.New(fault.Gone, "thing_gone", "The thing is gone.")
	errNoStream = fault.New(fault.NotFound, "not_found", "There is no such stream.")
	errNoPage   = fault.New(fault.NotFound, "not_found", "No such page.")
	errBlocked  = fault.New(fault.Forbidden, "recovery_only", "This session may only repair the account.")
	errProof    = fault.New(fault.Forbidden, "step_up_required", "Prove again that it is you.")
)

var errNet = &unavailable{}

type unavailable struct{}

func (*unavailable) Error() string     { return "dial tcp: no route " + secret }
func (*unavailable) Unavailable() bool { return true }

// failure is the error that /fail/{how} returns.
func failure(how string) error {
	switch how {
	case "panic":
		panic("the roof\nfell: " + secret)
	case "unknown":
		return errors.New("pq: relation missing\r\nlevel=INFO msg=forged \x1b[31m " + secret)
	case "unavailable":
		return errNet
	case "limited":
		return &fault.Error{Kind: fault.Limited, Code: "rate_limited", Detail: "Wait.", RetryAfter: 1500 * time.Millisecond,
			Policy: &fault.Policy{Name: "sign-in", Limit: 10, Window: time.Minute, Remaining: 0}}
	case "fields":
		return fault.InvalidField("/name", "taken", "That name is taken.")
	}
	for k := fault.Internal; k <= fault.NotAcceptable; k++ {
		if how == "kind-"+string(rune('a'+k)) {
			return fault.New(k, "thing_gone", "The thing is gone.").Because(errors.New(secret))
		}
	}
	return nil
}

// fakeAuth accepts a handful of tokens.
type fakeAuth struct {
	asked atomic.Int32          // session checks
	over  atomic.Pointer[error] // the answer to a session check
	plain atomic.Bool           // no account is an admin any more
}

func (f *fakeAuth) Authenticate(_ context.Context, q *Sent) (Caller, error) {
	switch q.Authorization {
	case "Bearer good":
		return Caller{Account: "alice", Session: "s1", AAL: "aal2", AuthTime: time.Unix(1, 0)}, nil
	case "Bearer stale":
		return Caller{Account: "alice", Session: "s2"}, nil
	case "Bearer broken":
		return Caller{}, errors.New("the ring is open: " + secret)
	case "Bearer down":
		return Caller{}, errNet
	case "Bearer expired":
		return Caller{}, fault.New(fault.Unauthenticated, "token_expired", "That token expired at noon.")
	case "Bearer blocked":
		return Caller{}, errBlocked
	case "Bearer repair":
		return Caller{Account: "alice", Session: "s1", AAL: "recovery"}, nil
	case "Bearer strong repair":
		return Caller{Account: "alice", Session: "s1", AAL: "recovery", AMR: []string{"strong"}}, nil
	case "Bearer admin":
		return Caller{Account: "root", Session: "s1", Role: "admin"}, nil
	case "Bearer stale admin":
		return Caller{Account: "root", Session: "s2", Role: "admin"}, nil
	}
	return Caller{}, fault.New(fault.Unauthenticated, "no_token", "There is none.")
}

func (f *fakeAuth) StepUp(_ context.Context, c Caller, repairs bool) error {
	if c.Session != "s1" || c.AAL == aalRecovery && !(repairs && slices.Contains(c.AMR, "strong")) {
		return errProof
	}
	return nil
}

func (f *fakeAuth) Refusals(op Op) []*fault.Error {
	if op.Proof() || op.Strong() {
		return []*fault.Error{errProof}
	}
	return nil
}

func (f *fakeAuth) Alive(context.Context, Caller) error {
	f.asked.Add(1)
	if err := f.over.Load(); err != nil {
		return *err
	}
	return nil
}

func (f *fakeAuth) Still(ctx context.Context, c Caller) (Caller, error) {
	if f.plain.Load() {
		c.Role = "user"
	}
	return c, f.Alive(ctx, c)
}

// logBook keeps log lines.
type logBook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// answer is the received response.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) problem(t testing.TB) Problem {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("status %d with Content-Type %q, want a problem document: %s", a.status, got, a.body)
	}
	var p Problem
	d := json.NewDecoder(strings.NewReader(a.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		t.Fatalf("problem document: %v: %s", err, a.body)
	}
	return p
}

// do sends a request; headers are "Name: value".
func (w *world) do(t testing.TB, method, path, body string, headers ...string) answer {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, w.srv.URL+path, r)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			req.Host = value
			continue
		}
		req.Header.Add(name, value)
	}
	res, err := w.srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{res.StatusCode, res.Header, string(got)}
}

func (w *world) post(t testing.TB, body string) answer {
	t.Helper()
	return w.do(t, "POST", "/v1/things", body, "Content-Type: application/json")
}

// raw writes text to a connection and returns everything received until the server closes
// it.
func (w *world) raw(t testing.TB, text string) string {
	t.Helper()
	c, err := net.Dial("tcp", w.srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second)) // a server that keeps it open fails the test
	all, err := io.ReadAll(bufio.NewReader(c))
	if err != nil {
		t.Fatalf("after %q: %v", all, err)
	}
	return string(all)
}

func newServer(t testing.TB, h http.Handler) *httptest.Server {
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}
