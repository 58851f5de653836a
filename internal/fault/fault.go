// Package fault is the one error type a room may show the world: kind, code, detail, cause.
//
// A room chooses a [Kind], never an HTTP status: rest maps kinds to statuses in one place.
// For any other error, rest sends the client a request id and logs the cause.
package fault

import (
	"errors"
	"time"
)

// Kind is the sort of refusal. The zero value is [Internal]: an Error built without a kind
// tells a client no more than an unknown error does.
type Kind uint8

// The kinds, each with the status that rest maps it to.
const (
	Internal         Kind = iota // 500: a bug or a broken invariant
	Malformed                    // 400: the request cannot be read
	Invalid                      // 422: read, but a value breaks a rule; names the fields
	Unauthenticated              // 401: no or no valid credential
	Forbidden                    // 403: known caller, not allowed (also step-up)
	NotFound                     // 404: absent, or of another account
	MethodNotAllowed             // 405
	Conflict                     // 409: the current state does not allow it
	Gone                         // 410: used or expired links and codes
	Precondition                 // 412: If-Match and the other conditions
	TooLarge                     // 413: over a size limit
	UnsupportedMedia             // 415: wrong Content-Type
	BadRange                     // 416: no byte of the range exists
	Limited                      // 429: over a rate limit; RetryAfter is set
	Unavailable                  // 503: a dependency is down; the same request may succeed soon
	Checksum                     // 460 (tus): the bytes do not have the checksum that came with them
	NotAcceptable                // 406: the answer has no form that the client takes
)

// Field names one refused value.
type Field struct {
	// Pointer is the JSON pointer (RFC 6901) of a value in the body. Elsewhere it is
	// "query.<name>", "path.<name>" or "header.<name>".
	Pointer string
	// Code is stable and machine-readable: "too_short", "taken", "required" …
	Code string
	// Detail says in one sentence which rule was broken. It never repeats the value.
	Detail string
}

// Policy describes the rate limit that refused a call (RateLimit header fields).
type Policy struct {
	Name      string        // the rule's name
	Limit     int           // calls allowed in Window
	Window    time.Duration // length of the sliding window
	Remaining int           // calls left now
}

// Error is a refusal that a client may see. Err is its cause, for the log only.
type Error struct {
	Kind       Kind
	Code       string // stable, machine-readable, snake_case
	Detail     string // one sentence for a person; no secrets, no internals
	Fields     []Field
	RetryAfter time.Duration
	Policy     *Policy
	Err        error
}

// Error returns the text for logs: code, detail and cause.
func (e *Error) Error() string {
	s := e.Code
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	for _, f := range e.Fields {
		s += " [" + f.Pointer + " " + f.Code + "]"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns a refusal with a code and one sentence for the reader.
func New(kind Kind, code, detail string) *Error {
	return &Error{Kind: kind, Code: code, Detail: detail}
}

// Because returns a copy of e that carries the cause err for the log.
func (e *Error) Because(err error) *Error {
	c := *e
	c.Err = err
	return &c
}

// The refusals that any operation may answer.
var (
	ErrInternal    = New(Internal, "internal_error", "The server failed. Its log has the cause under the request id.")
	ErrUnavailable = &Error{
		Kind: Unavailable, Code: "unavailable", RetryAfter: time.Second,
		Detail: "The server cannot reach a service that this request needs. Nothing was lost; try again.",
	}
	ErrInvalid = New(Invalid, "validation_failed", "Some values break a rule. errors names each of them.")
)

// InvalidFields returns a copy of [ErrInvalid] that names each refused field.
func InvalidFields(fields ...Field) *Error {
	e := *ErrInvalid
	e.Fields = fields
	return &e
}

// InvalidField is [InvalidFields] for one field.
func InvalidField(pointer, code, detail string) *Error {
	return InvalidFields(Field{Pointer: pointer, Code: code, Detail: detail})
}

// Of returns the refusal in err. A temporary error (see [IsUnavailable]) becomes
// [ErrUnavailable], any other unknown error [ErrInternal]. Both carry err as their cause.
func Of(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	if IsUnavailable(err) {
		return ErrUnavailable.Because(err)
	}
	return ErrInternal.Because(err)
}

// IsUnavailable reports whether an error in err's tree has a method Unavailable() bool that
// returns true. By it db, kv and blob say that their store cannot be reached.
func IsUnavailable(err error) bool {
	var u interface{ Unavailable() bool }
	return errors.As(err, &u) && u.Unavailable()
}
