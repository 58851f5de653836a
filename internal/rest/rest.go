// Package rest is what every HTTP room shares: errors to problem documents, authentication state, decoding, operations to OpenAPI.
//
// A room registers typed operations with [Register] and streams with [Raw]. It never names
// an HTTP status for an error and never reads a header to identify the caller. An operation
// declares its access and its refusals ([Op]). This package knows no path, cookie or code
// of a room.
//
// # What it defends against
//
//   - Ambiguous bodies: the server refuses JSON with duplicate, unknown or case-variant
//     names, bad UTF-8 or trailing data (RFC 8259 §4, ASVS 1.5.3). It checks a body's media
//     type and length before its meaning.
//   - Cross-site requests: [http.CrossOriginProtection], and an Origin header must be ours
//     (ASVS 3.5).
//   - DNS rebinding and poisoned links: Host must be the configured or a loopback name, and
//     no link is built from it.
//   - Forged client addresses: X-Forwarded-For counts only as far as the proxies that the
//     operator named report it.
//   - Slow clients: every body and answer has a deadline; a stream's moves as bytes flow.
//   - Request smuggling by HTTP/1.0 keep-alive (RFC 9112 §6.1): such a connection closes.
//   - Leaks: an unknown error is 500 with a request id, and only the log has its cause. The
//     log has no body, token, query string, address or name.
//
// # What it leaves to others
//
// The [Authenticator] validates tokens; the proxy does TLS. net/http itself answers a
// request line that it cannot read, without our headers.
package rest

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"coffer/internal/fault"
	"coffer/internal/metric"
)

// Caller is the identity that the [Authenticator] found. The zero value is a caller without
// a session.
type Caller struct {
	Account, Session, AAL string
	AMR                   []string
	AuthTime              time.Time
	Role                  string
}

// Authenticator turns a request into a [Caller]. Its refusals are *fault.Error. Every
// Unauthenticated one but [ErrProof] becomes the same uniform answer.
type Authenticator interface {
	// Authenticate reads the credential, and the signature if the session wants one.
	Authenticate(ctx context.Context, q *Sent) (Caller, error)
	// StepUp refuses a caller whose last proof of presence is too old. repairs says that the
	// operation repairs the account ([Op]): a way back in counts as a proof there.
	StepUp(ctx context.Context, c Caller, repairs bool) error
	// Alive refuses a caller whose session has ended since Authenticate. rest asks
	// repeatedly while a stream runs. The token's own expiry is no reason to refuse.
	Alive(ctx context.Context, c Caller) error
	// Still returns c with the role that its account has by now. It refuses as Alive does. rest
	// asks before an operation runs whose body took long to come.
	Still(ctx context.Context, c Caller) (Caller, error)
	// Refusals returns those of an operation's access for the document, without the uniform one.
	Refusals(op Op) []*fault.Error
}

// Config configures an [API].
type Config struct {
	Settings
	Title, Version string
	// BaseURL is the server's public address. Required: links, origins and the Host check
	// come from it and never from a request.
	BaseURL *url.URL
	// Auth validates tokens. Without it, every operation that needs a session answers 401.
	Auth Authenticator
	// Undeclared reports a refusal that its operation does not declare, so the document is
	// wrong. Tests fail on it; nil logs an error.
	Undeclared func(operation string, f *fault.Error)

	Log       *slog.Logger     // nil discards
	Metrics   *metric.Set      // nil shows no counts
	Now       func() time.Time // nil is time.Now
	MaxBody   int64            // longest JSON body in bytes; 0 is 1 MiB
	Deadlines Deadlines
}

// API holds the operations of all rooms and the middleware around them. Register everything
// before the first request; after that it is safe for concurrent use.
type API struct {
	cfg     Config
	huma    huma.API
	v1      *http.ServeMux // operations
	outer   *http.ServeMux // everything else
	guard   guard
	streams *streams
	// longBodies are the JSON bodies over smallBody that are read now.
	longBodies *crowd
	dropping   dropping // refused bodies that still come
	drained    atomic.Bool
	anyHost    map[string]bool
	door       Door
	codes      map[string]*CodeInfo // what the operations declare, and the guard's own
	told       told
	measures   *measures
	// registering is the id of the operation that is being added.
	registering string
	// document is built on the first request for it.
	document func() ([]byte, error)
}

// New returns an API without operations.
func New(cfg Config) *API {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.MaxBody == 0 {
		cfg.MaxBody = 1 << 20
	}
	if cfg.Undeclared == nil {
		cfg.Undeclared = func(operation string, f *fault.Error) {
			cfg.Log.Error("a refusal is not declared", "operation", operation, "code", f.Code)
		}
	}
	cfg.Deadlines.complete()
	huma1.Do(setGlobals)
	a := &API{cfg: cfg, v1: http.NewServeMux(), outer: http.NewServeMux(), guard: newGuard(cfg), anyHost: map[string]bool{}, codes: map[string]*CodeInfo{}}
	a.declare("", errNotFound, errMethod, errMalformed, errCrossOrigin, errEncoded, errAddressBlocked)
	a.streams, a.longBodies = newStreams(a), newCrowd()
	a.measures = newMeasures(a, cfg.Metrics)
	a.huma = huma.NewAPI(humaConfig(cfg, &a.registering), &adapter{a})
	a.document = sync.OnceValues(a.render)
	a.routeDocs()
	return a
}

// huma1 guards huma's global settings, which every API of a process shares.
var huma1 sync.Once

func setGlobals() {
	huma.NewError = newHumaError
	huma.NewErrorWithContext = newHumaErrorWithContext
	huma.ErrorFormatter = markRule
	huma.ValidateStrictCasing = true
	huma.DefaultArrayNullable = false // format writes a nil slice as []
}

// Access says what an operation requires of its caller.
type Access int

// rest enforces Session, StepUp and Admin. An Attempt, Refresh, Resource or DropMember
// operation checks its own credential. For rest it is public, and its document names the credential.
const (
	Public     Access = iota // no caller
	Session                  // a valid access token of a session without restrictions, or see Op.Repairs
	StepUp                   // also a recent proof of presence
	Attempt                  // the token of a sign-in attempt
	Refresh                  // a refresh token, in the cookie Op.Cookie or in the body
	Admin                    // an admin's session; changes require the proof as well
	Resource                 // the id and secret of a resource server, as HTTP Basic (RFC 7617)
	DropMember               // the token of a member of a drop
)

// public reports whether rest requires no access token.
func (a Access) public() bool {
	return a == Public || a == Attempt || a == Refresh || a == Resource || a == DropMember
}

// Proof reports whether rest requires a recent proof of presence.
func (op Op) Proof() bool { return op.Access == StepUp || op.Access == Admin && !safe(op.Method) }

// Strong reports whether a recovery session needs a strong proof for the operation.
func (op Op) Strong() bool { return op.Repairs && !op.Weakly }

const (
	aalRecovery = "recovery" // of sessions that may only repair the account
	roleAdmin   = "admin"
)

// Op describes an operation. Path is written without /v1 and may hold {wildcards}.
type Op struct {
	Method, Path, ID, Summary, Description, Tag string
	Access                                      Access
	Cookie                                      string         // name of the cookie that may carry a Refresh operation's token
	Status                                      int            // of success; 0 is 200 with a body and 204 without
	Produces                                    string         // media type of an answer whose Body is []byte
	Form                                        bool           // the body is a URL-encoded form of text fields in place of JSON
	Errors                                      []*fault.Error // its refusals beside those of its shape and access
	Rows                                        string         // ids of the product's rows, such as "F-A1"

	Repairs bool // a recovery session may call it too, if its proof is as strong as the account's layers
	Weakly  bool // with Repairs: whatever its proof is

	Embeds  bool // pages of other sites may show the answer
	Returns bool // another site sends the browser here

	Waits  bool // a stream that moves little and stays open: it is counted apart from uploads and downloads
	Socket bool // a GET that becomes a WebSocket: its origin is checked as that of a change
	stream bool // added by Raw
	sends  bool // the output is [Streamed]
}

// Register adds a typed JSON operation. I's fields carry path, query, header and cookie
// tags and a Body. O may have a Body, header fields and a Status. A Body of []byte is sent
// unchanged, with Op.Produces as its type. Register panics on types that the document
// cannot describe.
func Register[I, O any](a *API, op Op, h func(context.Context, *I) (*O, error)) {
	checkShape(op, reflect.TypeFor[I](), map[reflect.Type]bool{})
	checkShape(op, reflect.TypeFor[O](), map[reflect.Type]bool{})
	op.sends = reflect.TypeFor[O]() == reflect.TypeFor[Streamed]()
	huma.Register(a.huma, a.operation(op), h)
}

// Raw adds a streaming operation with the same middleware, authentication and
// documentation. The body is the client's, without a length limit. Its deadline, like the
// answer's, moves as bytes flow. An error of h before its first write becomes the problem
// document; a later error cuts the connection.
func Raw(a *API, op Op, doc RawDoc, h func(w http.ResponseWriter, r *http.Request) error) {
	op.stream = true
	o := a.operation(op)
	doc.describe(a.huma.OpenAPI().Components.Schemas, &o)
	a.huma.OpenAPI().AddOperation(&o)
	declared := a.documentProblems(&o, op)
	declared.answers = a.measures.of(op.Method + " " + prefix + op.Path)
	a.v1.HandleFunc(op.Method+" "+prefix+op.Path, func(w http.ResponseWriter, r *http.Request) {
		x := w.(*exchange)
		x.declared = declared
		if op.Socket {
			if err := a.guard.checkSocket(r); err != nil {
				x.refuse(err)
				return
			}
		}
		if err := x.admit(r, &op); err != nil {
			x.refuse(err)
			return
		}
		if err := a.streams.run(x, r, op.Waits, h); err != nil {
			x.refuse(err)
		}
	})
}

// Streamed is the output of a typed operation that sends a stream of Op.Produces. The input
// is checked as that of any other, then the answer runs as one of [Raw] does.
type Streamed struct{ Body func(huma.Context) }

// Stream returns the output that h sends. An error of h before its first write becomes the
// problem document; a later error cuts the connection.
func Stream(h func(w http.ResponseWriter, r *http.Request) error) *Streamed {
	return &Streamed{func(c huma.Context) { c.(*call).stream = h }}
}

// Late sets the headers of success at the first byte that is written to it. A refusal before
// that has its own headers.
type Late struct {
	http.ResponseWriter
	Headers func(h http.Header)
}

// Write implements io.Writer.
func (l *Late) Write(p []byte) (int, error) {
	if l.Headers != nil {
		l.Headers(l.Header())
		l.Headers = nil
	}
	return l.ResponseWriter.Write(p)
}

// Handle adds a handler outside /v1: health, the web app. The same middleware applies, and
// it declares refusals as an operation does.
func (a *API) Handle(pattern string, h http.Handler, refusals ...*fault.Error) {
	declared := a.declare(pattern, refusals...)
	declared.answers = a.measures.of(pattern)
	a.outer.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		x := w.(*exchange)
		x.declared = declared
		h.ServeHTTP(x, r.WithContext(withExchange(r.Context(), x)))
	})
}

// HandleStream is [API.Handle] for an answer that takes as long as its bytes flow. It runs as
// one of [Raw] does, without a caller, and the pages of other sites may ask for it.
func (a *API) HandleStream(pattern string, h func(w http.ResponseWriter, r *http.Request) error, refusals ...*fault.Error) {
	declared := a.declare(pattern, append(refusals, errTooManyStreams, errStreamsBusy, errMalformed, fault.ErrInvalid)...)
	declared.answers = a.measures.of(pattern)
	a.outer.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		x := w.(*exchange)
		x.declared = declared
		err := checkQuery(r.URL)
		if err == nil {
			err = a.streams.run(x, r, false, h)
		}
		if err != nil {
			x.refuse(err)
		}
	})
}

// HandleAnyHost is [API.Handle] for one exact path with any Host: health checks use the
// address.
func (a *API) HandleAnyHost(method, path string, h http.Handler) {
	a.anyHost[path] = true
	a.Handle(method+" "+path, h)
}

// Refuse answers with the problem document of err, for handlers given to [API.Handle].
func Refuse(w http.ResponseWriter, r *http.Request, err error) {
	if x := exchangeOf(r); x != nil {
		x.refuse(err)
		return
	}
	w.WriteHeader(http.StatusInternalServerError)
}

// Handler returns the mux with every middleware around it.
func (a *API) Handler() http.Handler { return http.HandlerFunc(a.serve) }

const prefix = "/v1"

func (a *API) route(x *exchange, r *http.Request) {
	if r.URL.Path == prefix || strings.HasPrefix(r.URL.Path, prefix+"/") {
		a.v1.ServeHTTP(x, r)
		return
	}
	a.outer.ServeHTTP(x, r)
}

// Page is one page of a list. NextCursor is empty on the last.
type Page[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor,omitempty" doc:"Give it as cursor for the next page; absent on the last."`
}

// Paging is embedded in the input of a list.
type Paging struct {
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"200" doc:"Most items of the page."`
	Cursor string `query:"cursor" maxLength:"1024" doc:"next_cursor of the page before."`
}
