package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"coffer/internal/fault"
	"coffer/internal/limit/limittest"
	"coffer/internal/rest"
)

// quickly is a server whose deadlines are fractions of a second, with operations of each
// kind.
func quickly(t *testing.T) (w *world, readers chan error) {
	t.Helper()
	u, err := url.Parse("https://coffer.example")
	if err != nil {
		t.Fatal(err)
	}
	const short = 150 * time.Millisecond
	c := rest.Config{
		Title: "Coffer", Version: "1", BaseURL: u, Auth: bearer{},
		Deadlines: rest.Deadlines{Body: short, Stall: short, Linger: short, Session: short},
	}
	limittest.Defaults(t, &c.Settings)
	api := rest.New(c)
	readers = make(chan error, 1)
	rest.Register(api, rest.Op{Method: "POST", Path: "/open", ID: "open", Tag: "T"}, func(context.Context, *struct {
		rest.Request
		Body struct {
			Name string `json:"name"`
		}
	}) (*struct{}, error) {
		return nil, nil
	})
	rest.Register(api, rest.Op{Method: "GET", Path: "/much", ID: "much", Tag: "T", Produces: "text/plain"}, func(context.Context, *struct{}) (*struct{ Body []byte }, error) {
		return &struct{ Body []byte }{bytes.Repeat([]byte("x"), 1<<20)}, nil
	})
	take := func(_ http.ResponseWriter, r *http.Request) error {
		_, err := io.Copy(io.Discard, r.Body)
		return err
	}
	rest.Raw(api, rest.Op{Method: "POST", Path: "/take", ID: "take", Tag: "T"}, rest.RawDoc{}, take)
	rest.Raw(api, rest.Op{Method: "POST", Path: "/mine", ID: "mine", Tag: "T", Access: rest.Session}, rest.RawDoc{}, take)
	rest.Raw(api, rest.Op{Method: "POST", Path: "/picky", ID: "picky", Tag: "T"}, rest.RawDoc{}, func(http.ResponseWriter, *http.Request) error {
		return fault.New(fault.Invalid, "validation_failed", "Not this.")
	})
	rest.Raw(api, rest.Op{Method: "GET", Path: "/give", ID: "give", Tag: "T"}, rest.RawDoc{}, func(w http.ResponseWriter, r *http.Request) error {
		for {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				readers <- err
				return err
			}
		}
	})
	return newWorld(t, func(c *Config) {
		c.API, c.HeaderTime, c.RequestTime, c.IdleTime = api, short, 2*time.Second, 2*short
	}), readers
}

type bearer struct{}

func (bearer) Authenticate(context.Context, *rest.Sent) (rest.Caller, error) {
	return rest.Caller{}, fault.New(fault.Unauthenticated, "unauthenticated", "Sign in.")
}
func (bearer) StepUp(context.Context, rest.Caller, bool) error { return nil }
func (bearer) Alive(context.Context, rest.Caller) error        { return nil }
func (bearer) Refusals(rest.Op) []*fault.Error                 { return nil }
func (bearer) Still(_ context.Context, c rest.Caller) (rest.Caller, error) {
	return c, nil
}

// Every connection ends within its promised time, whatever its client omits. A refusal is
// answered at once.
func TestStalledConnectionsEnd(t *testing.T) {
	w, readers := quickly(t)
	const some = "Content-Length: 200000\r\n"
	json := "Content-Type: application/json\r\n"
	for _, tt := range []struct {
		name, send string
		status     string // "" accepts any answer, and none
	}{
		{"no byte", "", ""},
		{"half a request line", "GE", ""},
		{"half a header", "POST /v1/open HTTP/1.1\r\nHost: loc", ""},
		{"a header without an end", "POST /v1/open HTTP/1.1\r\nHost: localhost\r\nX: y\r\n", ""},
		{"idle after an answer", get("/healthz"), "200"},
		{"half a second request", get("/healthz") + "GET /v1/mu", "200"},
		{"JSON, no body", post("/v1/open", json+some, ""), "400"},
		{"JSON, a byte", post("/v1/open", json+some, "{"), "400"},
		{"JSON, half", post("/v1/open", json+some, strings.Repeat(" ", 100000)), "400"},
		{"JSON, chunked", post("/v1/open", json+"Transfer-Encoding: chunked\r\n", "5\r\n{"), "400"},
		{"JSON, wrong type", post("/v1/open", some, "{"), "415"},
		{"JSON, too long", post("/v1/open", json+"Content-Length: 2000000\r\n", "{"), "413"},
		{"a body that nobody wants", strings.Replace(get("/v1/much"), "\r\n\r\n", "\r\n"+some+"\r\n", 1), "200"},
		{"of health", strings.Replace(get("/healthz"), "\r\n\r\n", "\r\n"+some+"\r\n", 1), "200"},
		{"of the app", strings.Replace(get("/"), "\r\n\r\n", "\r\n"+some+"\r\n", 1), "200"},
		{"of the documents", strings.Replace(get("/docs"), "\r\n\r\n", "\r\n"+some+"\r\n", 1), "200"},
		{"of the contract", strings.Replace(get("/v1/openapi.json"), "\r\n\r\n", "\r\n"+some+"\r\n", 1), "200"},
		{"of no route", post("/v1/nowhere", some, "x"), "404"},
		{"of no page", post("/nowhere/at.all", some, "x"), "40"},
		{"of another method", post("/v1/much", some, "x"), "405"},
		{"of no method", strings.Replace(post("/v1/open", some, "x"), "POST", "BREW", 1), "405"},
		{"for another host", strings.Replace(post("/v1/open", some, "x"), "localhost", "evil.example", 1), "400"},
		{"from another site", post("/v1/open", some+"Sec-Fetch-Site: cross-site\r\n", "x"), "403"},
		{"a report", post(ReportPath, "Content-Type: application/csp-report\r\n"+some, "{"), "400"},
		{"a stream, no byte", post("/v1/take", some, ""), "400"},
		{"a stream, half", post("/v1/take", some, strings.Repeat("x", 100000)), "400"},
		{"a stream without a session", post("/v1/mine", some, "x"), "401"},
		{"a long one", post("/v1/mine", "Content-Length: 9000000000\r\n", "x"), "401"},
		{"a chunked one", post("/v1/mine", "Transfer-Encoding: chunked\r\n", "1\r\nx"), "401"},
		{"one that asks first", post("/v1/mine", some+"Expect: 100-continue\r\n", ""), "401"},
		{"a refused stream", post("/v1/picky", some, "x"), "422"},
		{"a refused one that asks first", post("/v1/picky", some+"Expect: 100-continue\r\n", ""), "422"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, w)
			if _, err := io.WriteString(c, tt.send); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(c)
			if errors.Is(err, context.DeadlineExceeded) || errors.As(err, new(net.Error)) && strings.Contains(err.Error(), "timeout") {
				t.Fatalf("the connection stands; it said %.200q", got)
			}
			if tt.status != "" && !strings.HasPrefix(string(got), "HTTP/1.1 "+tt.status) {
				t.Errorf("the answer is %.200q, want %s", got, tt.status)
			}
		})
	}
	t.Run("a download that is not read", func(t *testing.T) {
		t.Parallel()
		if _, err := io.WriteString(dial(t, w), get("/v1/give")); err != nil {
			t.Fatal(err)
		}
		<-readers
	})
	t.Run("pipelined, and nothing read", func(t *testing.T) {
		t.Parallel()
		c := dial(t, w)
		for {
			if _, err := io.WriteString(c, strings.Repeat(get("/v1/much"), 100)); errors.As(err, new(net.Error)) && strings.Contains(err.Error(), "timeout") {
				t.Fatal("the connection stands")
			} else if err != nil {
				return
			}
		}
	})
}

func get(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n" }

func post(path, header, body string) string {
	return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\n" + header + "\r\n" + body
}

// dial returns a connection whose blocked reads and writes fail the test.
func dial(t *testing.T, w *world) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", w.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}
