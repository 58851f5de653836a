package rest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"coffer/internal/fault"
)

// exchange is one request and its answer. It is the ResponseWriter of every handler. The
// muxes pass it through, so the hot path needs no context value for the request's state.
type exchange struct {
	api   *API
	w     http.ResponseWriter
	r     *http.Request // as it arrived; the mux fills in its Pattern
	id    string
	start time.Time

	caller Caller
	sent   Sent
	call   call
	client clientCache

	status  int
	bytes   int64
	muxOnly bool // the mux itself is answering; rest replaces its text
	cause   *fault.Error
	// declared are the operation's refusals; nil before an operation is known.
	declared *declared

	body   *incoming     // nil without a body
	stream *stream       // nil for all but operations that stream
	stall  time.Duration // see Patience; 0 is Deadlines.Stall
	piece  int           // how much of a stream's answer goes out at once
	moved  time.Time     // when the write deadline last moved
	lost   error         // with which writing to the client failed
}

var _ http.ResponseWriter = (*exchange)(nil)

type exchangeKey struct{}

func withExchange(ctx context.Context, x *exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}

func exchangeOf(r *http.Request) *exchange {
	x, _ := r.Context().Value(exchangeKey{}).(*exchange)
	return x
}

// Header implements http.ResponseWriter.
func (x *exchange) Header() http.Header { return x.w.Header() }

// Unwrap lets http.ResponseController reach the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.w }

// FlushError is how http.ResponseController flushes. It decides the status as a Write does: an
// error that follows cuts the answer, and is not written into it.
func (x *exchange) FlushError() error {
	x.WriteHeader(http.StatusOK)
	return http.NewResponseController(x.w).Flush()
}

// WriteHeader implements http.ResponseWriter. A status of 400 or more without a matched
// pattern is the mux's own. It becomes a problem document.
func (x *exchange) WriteHeader(status int) {
	if x.status != 0 || x.muxOnly {
		return
	}
	if status >= 400 && x.r.Pattern == "" && x.cause == nil {
		x.muxOnly = true
		x.refuse(muxRefusal(status))
		return
	}
	if status >= 200 || status == http.StatusSwitchingProtocols {
		x.status = status
	}
	x.leaveBody(status)
	x.w.WriteHeader(status)
}

func (x *exchange) Write(p []byte) (int, error) {
	if x.muxOnly {
		return len(p), nil
	}
	if x.status == 0 {
		x.status = http.StatusOK
		x.leaveBody(x.status)
	}
	write := x.w.Write
	if x.stream != nil {
		write = x.write
	}
	n, err := write(p)
	x.bytes += int64(n)
	x.lost = err
	return n, err
}

// send writes status and body past the guards above.
func (x *exchange) send(status int, body []byte) {
	x.status = status
	if x.body != nil && !x.body.ended && status >= 400 {
		x.body.refused = true
		x.w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))} // or it would end with the body
	}
	x.leaveBody(status)
	x.w.WriteHeader(status)
	n, _ := x.w.Write(body) // a client that hung up reads no answer
	x.bytes += int64(n)
}

// admit checks the caller against the operation's access.
func (x *exchange) admit(r *http.Request, op *Op) error {
	if err := checkSite(r, op); err != nil {
		return err
	}
	x.sent = Sent{x: x, r: r, json: !op.stream && x.body != nil}
	if header := r.Header["Authorization"]; len(header) == 1 { // two header fields count as none
		x.sent.Authorization = header[0]
	}
	if op.Access.public() {
		return nil
	}
	auth := x.api.cfg.Auth
	if auth == nil {
		return errUnauthenticated
	}
	caller, err := auth.Authenticate(r.Context(), &x.sent)
	if err != nil {
		return uniform(err)
	}
	if err := op.admits(caller); err != nil {
		return err
	}
	x.caller = caller
	if admitted := x.api.door.Admitted; admitted != nil {
		admitted(r.Context(), x.clientOf(r), caller)
	}
	return x.proven(r, op)
}

// uniform gives refused credentials one answer, whatever is wrong with them.
func uniform(err error) error {
	if f := fault.Of(err); f.Kind == fault.Unauthenticated && f.Code != ErrProof.Code {
		return errUnauthenticated.Because(err)
	}
	return err
}

// admits refuses a caller whose session or role is not enough for the operation.
func (op Op) admits(c Caller) error {
	switch {
	case c.AAL == aalRecovery && !op.Repairs:
		return errRepairOnly
	case op.Access == Admin && c.Role != roleAdmin:
		return errNotAdmin
	}
	return nil
}

// proven refuses a caller without the proof that the operation wants.
func (x *exchange) proven(r *http.Request, op *Op) error {
	if op.Proof() || op.Strong() && x.caller.AAL == aalRecovery {
		return x.api.cfg.Auth.StepUp(r.Context(), x.caller, op.Repairs)
	}
	return nil
}

// promptly is how long a body may take before its caller is asked for again. A small body mostly
// comes with its header, so an ordinary request asks once.
const promptly = 100 * time.Millisecond

// stands is admit after a body that came slowly. A client may hold a body back for
// [Deadlines.Body]: meanwhile its session may have ended, or its account lost a role.
func (x *exchange) stands(r *http.Request, op *Op, since time.Time) error {
	if x.caller.Account == "" || time.Since(since) < promptly {
		return nil
	}
	caller, err := x.api.cfg.Auth.Still(r.Context(), x.caller)
	if err != nil {
		return uniform(err)
	}
	if err := op.admits(caller); err != nil {
		return err
	}
	x.caller = caller
	return x.proven(r, op)
}

// typed runs a huma operation: after admission, before the answer is sent.
func (x *exchange) typed(op *huma.Operation, meta *Op, handler func(huma.Context), r *http.Request) {
	if err := x.admit(r, meta); err != nil {
		x.refuse(err)
		return
	}
	c := &x.call
	*c = call{x: x, op: op, r: r}
	if op.RequestBody != nil {
		body := buffers.Get().(*bytes.Buffer)
		defer putBuffer(body)
		read := x.readJSON
		if meta.Form {
			read = x.readForm
		}
		began := time.Now()
		err := read(r, op.RequestBody.Required, body)
		if err == nil {
			err = x.stands(r, meta, began)
		}
		if err != nil {
			x.refuse(err)
			return
		}
		c.body = body
	}
	c.answer = buffers.Get().(*bytes.Buffer)
	defer func() { putBuffer(c.answer); *c = call{} }()
	handler(c)
	if c.stream != nil {
		if err := x.api.streams.run(x, r, meta.Waits, c.stream); err != nil {
			x.refuse(err)
		}
		return
	}
	if c.status == 0 {
		c.status = http.StatusNoContent
	}
	if h := x.w.Header(); h["Content-Type"] == nil && c.answer.Len() > 0 {
		h["Content-Type"] = []string{meta.Produces}
	}
	x.send(c.status, c.answer.Bytes())
}

// buffers hold JSON bodies and answers while a request runs.
var buffers = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, 1024)) }}

func putBuffer(b *bytes.Buffer) {
	if b.Cap() <= 64<<10 {
		b.Reset()
		buffers.Put(b)
	}
}

// call is huma's view of an exchange. It buffers the answer, so nothing is sent when
// encoding fails.
type call struct {
	x      *exchange
	op     *huma.Operation
	r      *http.Request
	query  url.Values
	body   *bytes.Buffer
	answer *bytes.Buffer
	stream func(http.ResponseWriter, *http.Request) error // in place of answer; see [Streamed]
	status int
}

var _ huma.Context = (*call)(nil)

func (c *call) Operation() *huma.Operation      { return c.op }
func (c *call) Context() context.Context        { return withExchange(c.r.Context(), c.x) }
func (c *call) TLS() *tls.ConnectionState       { return c.r.TLS }
func (c *call) Method() string                  { return c.r.Method }
func (c *call) Host() string                    { return c.r.Host }
func (c *call) RemoteAddr() string              { return c.r.RemoteAddr }
func (c *call) URL() url.URL                    { return *c.r.URL }
func (c *call) Param(name string) string        { return c.r.PathValue(name) }
func (c *call) Header(name string) string       { return c.r.Header.Get(name) }
func (c *call) SetReadDeadline(time.Time) error { return nil } // the body is already read
func (c *call) SetStatus(code int)              { c.status = code }
func (c *call) Status() int                     { return c.status }
func (c *call) SetHeader(name, value string)    { c.x.w.Header().Set(name, value) }
func (c *call) AppendHeader(name, value string) { c.x.w.Header().Add(name, value) }
func (c *call) BodyWriter() io.Writer           { return c.answer }
func (c *call) GetMultipartForm() (*multipart.Form, error) {
	return nil, errors.New("internal error: forms are read by raw operations")
}

func (c *call) Query(name string) string {
	if c.r.URL.RawQuery == "" {
		return ""
	}
	if c.query == nil {
		c.query = c.r.URL.Query()
	}
	return c.query.Get(name)
}

func (c *call) EachHeader(fn func(name, value string)) {
	for name, values := range c.r.Header {
		for _, value := range values {
			fn(name, value)
		}
	}
}

func (c *call) BodyReader() io.Reader {
	if c.body == nil {
		return http.NoBody
	}
	return c.body
}

func (c *call) Version() huma.ProtoVersion {
	return huma.ProtoVersion{Proto: c.r.Proto, ProtoMajor: c.r.ProtoMajor, ProtoMinor: c.r.ProtoMinor}
}

// adapter registers huma's operations on the mux.
type adapter struct{ api *API }

func (a *adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	meta := op.Metadata[metaOp].(Op)
	meta.Produces = cmp.Or(meta.Produces, "application/octet-stream")
	describeBytes(op, meta)
	declared := a.api.documentProblems(op, meta)
	declared.answers = a.api.measures.of(op.Method + " " + prefix + op.Path)
	a.api.v1.HandleFunc(op.Method+" "+prefix+op.Path, func(w http.ResponseWriter, r *http.Request) {
		x := w.(*exchange)
		x.declared = declared
		x.typed(op, &meta, handler, r)
	})
}

func (a *adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.api.serve(w, r) }

// Credentials returns the text after the scheme in an Authorization header. The scheme is
// case-insensitive (RFC 9110 §11.1).
func Credentials(authorization, scheme string) (string, bool) {
	n := len(scheme)
	if len(authorization) <= n+1 || authorization[n] != ' ' || !strings.EqualFold(authorization[:n], scheme) {
		return "", false
	}
	return authorization[n+1:], true
}
