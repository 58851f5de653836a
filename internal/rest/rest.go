// Package rest is what every HTTP room shares: errors to problem documents, authentication state, decoding, operations to OpenAPI.
//
// A room registers typed operations with [Register] and streams with [Raw]; it never
// names an HTTP status for an error and never reads a header that says who is asking. An
// operation declares its access and its refusals ([Op]); this package knows no path,
// cookie or code of a room.
//
// # What it defends against
//
//   - Two readings of one body: JSON with duplicate, unknown or case-variant names, bad
//     UTF-8 or trailing data is refused (RFC 8259 §4, ASVS 1.5.3); a body has a media
//     type and a length limit before it has a meaning.
//   - Requests that another site makes a browser send: [http.CrossOriginProtection], and
//     Origin must be ours when it is there (ASVS 3.5).
//   - DNS rebinding and poisoned links: Host must be the configured one or a loopback
//     name, and nothing is built from it.
//   - Forged client addresses: X-Forwarded-For counts only as far as the proxies that the
//     operator named vouch for it.
//   - Slow clients: every body and answer has a deadline; a stream's moves on as bytes flow.
//   - Request smuggling by HTTP/1.0 keep-alive (RFC 9112 §6.1): such a connection closes.
//   - Leaks: an unknown error is 500 with a request id and its cause stays in the log; the
//     log has no body, token, query string, address or name.
//
// # What it leaves to others
//
// Whether a token is good the [Authenticator] says; TLS is the proxy's; what
// net/http answers by itself to a request line it cannot read has none of our headers.
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
)

// Caller is who asks, as the [Authenticator] found out. The zero value is a caller without a session.
type Caller struct {
	Account, Session, AAL string
	AMR                   []string
	AuthTime              time.Time
	Role                  string
}

// Authenticator turns a request's Authorization into a [Caller]. Its refusals are
// *fault.Error; each that is Unauthenticated becomes the same uniform answer.
type Authenticator interface {
	// Authenticate is called with the whole header value, "" when it is absent.
	Authenticate(ctx context.Context, authorization string) (Caller, error)
	// StepUp refuses a caller whose last proof of presence is too old.
	StepUp(ctx context.Context, c Caller) error
	// Alive refuses a caller that it has let in and whose session is over since. It is
	// asked again and again while a stream runs, and the token's own end is no reason.
	Alive(ctx context.Context, c Caller) error
	// Refusals are those that an access brings beside the uniform one, for the document.
	Refusals(to Access) []*fault.Error
}

// Config is what an [API] is made of.
type Config struct {
	Settings
	Title, Version string
	// BaseURL is how people reach the server. Required: links, origins and the Host
	// check come from it and never from a request.
	BaseURL *url.URL
	// Auth decides on tokens. Without one, every operation that wants a session answers 401.
	Auth Authenticator
	// Undeclared is told when an operation answers a refusal that it does not declare: the
	// document is wrong then. Tests fail; nil logs an error.
	Undeclared func(operation string, f *fault.Error)

	Log       *slog.Logger     // nil discards
	Now       func() time.Time // nil is time.Now
	MaxBody   int64            // longest JSON body in bytes; 0 is 1 MiB
	Deadlines Deadlines
}

// API holds the operations of all rooms and every middleware around them. Register
// everything before the first request; after that it is safe for concurrent use.
type API struct {
	cfg     Config
	huma    huma.API
	v1      *http.ServeMux // operations
	outer   *http.ServeMux // everything else
	guard   guard
	streams *streams
	// longBodies counts the JSON bodies over smallBody that are held now.
	longBodies atomic.Int32
	anyHost    map[string]bool
	codes      map[string]*CodeInfo // what the operations declare, and the guard's own
	told       told
	// registering is the id of the operation that is being added.
	registering string
	// document is built at the first question for it.
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
	a.declare("", errNotFound, errMethod, errMalformed, errCrossOrigin, errEncoded)
	a.streams = newStreams(a)
	a.huma = huma.NewAPI(humaConfig(cfg, &a.registering), &adapter{a})
	a.document = sync.OnceValues(a.render)
	a.routeDocs()
	return a
}

// huma1 guards huma's process-wide settings: every API of a process shares them.
var huma1 sync.Once

func setGlobals() {
	huma.NewError = newHumaError
	huma.NewErrorWithContext = newHumaErrorWithContext
	huma.ErrorFormatter = markRule
	huma.ValidateStrictCasing = true
	huma.DefaultArrayNullable = false // format writes a nil slice as []
}

// Access is what an operation wants of its caller.
type Access int

// Of these, rest enforces Session, StepUp, Repair and Admin. An Attempt or Refresh
// operation checks its own credential: for rest it is public, and its document says what
// the caller sends.
const (
	Public  Access = iota // no caller
	Session               // a valid access token of a session that may do everything
	StepUp                // and its holder proved presence lately
	Attempt               // the token of a sign-in attempt
	Refresh               // a refresh token, in the cookie Op.Cookie or in the body
	Repair                // a valid access token, also of a session that may only repair the account
	Admin                 // an admin's session; what changes something wants the proof as well
)

// public reports whether rest asks for no access token.
func (a Access) public() bool { return a == Public || a == Attempt || a == Refresh }

// proof reports whether rest asks for a recent proof of presence.
func (op Op) proof() bool { return op.Access == StepUp || op.Access == Admin && !safe(op.Method) }

const (
	aalRecovery = "recovery" // of sessions that may only repair the account
	roleAdmin   = "admin"
)

// Op describes an operation. Path is written without /v1 and may hold {wildcards}.
type Op struct {
	Method, Path, ID, Summary, Description, Tag string
	Access                                      Access
	Cookie                                      string         // that may carry a Refresh operation's token
	Status                                      int            // of the good answer; 0 is 200 with a body and 204 without
	Produces                                    string         // media type of an answer whose Body is []byte
	Errors                                      []*fault.Error // it may answer beside those that follow from its shape and access
	Rows                                        string         // ids of the product's rows, such as "F-A1"

	Waits  bool // a stream that moves little and stays open: it is counted apart from uploads and downloads
	stream bool // added by Raw
}

// Register adds a typed JSON operation. I's fields carry path, query, header and cookie
// tags and a Body; O may have a Body, header fields and a Status. A Body of []byte is sent
// as it is, with Op.Produces as its type. Types that the document could not describe
// panic.
func Register[I, O any](a *API, op Op, h func(context.Context, *I) (*O, error)) {
	checkShape(op, reflect.TypeFor[I](), map[reflect.Type]bool{})
	checkShape(op, reflect.TypeFor[O](), map[reflect.Type]bool{})
	huma.Register(a.huma, a.operation(op), h)
}

// Raw adds a streaming operation with the same middlewares, authentication and
// documentation. The body is as the client sent it and has no length limit; its deadline,
// like that of the answer, moves on as bytes flow. An error that h returns before it
// writes becomes the problem document; after that it cuts the connection.
func Raw(a *API, op Op, doc RawDoc, h func(w http.ResponseWriter, r *http.Request) error) {
	op.stream = true
	o := a.operation(op)
	doc.describe(a.huma.OpenAPI().Components.Schemas, &o)
	a.huma.OpenAPI().AddOperation(&o)
	declared := a.documentProblems(&o, op)
	a.v1.HandleFunc(op.Method+" "+prefix+op.Path, func(w http.ResponseWriter, r *http.Request) {
		x := w.(*exchange)
		x.declared = declared
		if err := x.admit(r, &op); err != nil {
			x.refuse(err)
			return
		}
		if err := a.streams.run(x, r, op.Waits, h); err != nil {
			x.refuse(err)
		}
	})
}

// Handle adds a handler outside /v1: health, the web app. It stands behind the same
// middlewares. Its refusals are declared like an operation's.
func (a *API) Handle(pattern string, h http.Handler, refusals ...*fault.Error) {
	declared := a.declare(pattern, refusals...)
	a.outer.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		x := w.(*exchange)
		x.declared = declared
		h.ServeHTTP(x, r.WithContext(withExchange(r.Context(), x)))
	})
}

// HandleAnyHost is [API.Handle] for one exact path that answers to any Host:
// health checks come by address.
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
