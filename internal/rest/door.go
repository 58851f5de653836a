package rest

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"coffer/internal/fault"
)

// Door decides which clients may come in, and hears of those that did. Every function may be
// nil, and is quick: it runs within the request.
type Door struct {
	// Refused reports whether every request of a client is refused, and until when; the zero
	// time is for good. It does no I/O.
	Refused func(c Client) (until time.Time, refused bool)
	// Admitted hears of each request with a valid session, before its operation runs.
	Admitted func(ctx context.Context, c Client, caller Caller)
	// Answered hears of each refusal, once the client has it.
	Answered func(ctx context.Context, r Refusal)
}

// Refusal is one that a client got.
type Refusal struct {
	Addr    netip.Addr
	Limited bool   // by a limit on attempts
	Token   string // of a path that leads nowhere
}

// SetDoor puts a door before every request but those of [API.HandleAnyHost]. Call it before
// the first request.
func (a *API) SetDoor(d Door) { a.door = d }

var errAddressBlocked = fault.New(fault.Forbidden, "address_blocked", "The server takes no requests from your address or network at present.")

// atDoor refuses a blocked client before anything of the request is looked at.
func (a *API) atDoor(x *exchange, r *http.Request) error {
	if a.door.Refused == nil || a.anyHost[r.URL.Path] {
		return nil
	}
	until, refused := a.door.Refused(x.clientOf(r))
	if !refused {
		return nil
	}
	e := errAddressBlocked.Because(nil)
	if !until.IsZero() {
		e.RetryAfter = max(time.Second, until.Sub(a.cfg.Now()))
	}
	return e
}

// tellDoor reports an answered refusal.
func (x *exchange) tellDoor() {
	if x.api.door.Answered == nil || x.cause == nil {
		return
	}
	told := Refusal{Limited: x.cause.Kind == fault.Limited && x.cause.Policy != nil}
	if x.cause.Kind == fault.NotFound {
		told.Token = x.r.PathValue("token")
	}
	if told.Limited || told.Token != "" {
		told.Addr = x.clientOf(x.r).Addr
		x.api.door.Answered(x.r.Context(), told)
	}
}
