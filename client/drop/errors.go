package drop

import "errors"

// Refusals of a drop.
var (
	ErrNotFound  = errors.New("there is no drop of that name; it may have ended")
	ErrFull      = errors.New("the drop is full")
	ErrWrongCode = errors.New("the code is wrong")
	ErrBurnt     = errors.New("the code is void after three wrong ones; ask the host for a new one")
	ErrNotHost   = errors.New("the other end is not the host, or the code is wrong")
	ErrTooOften  = errors.New("too many tries; wait before the next")
	ErrNoHost    = errors.New("the host does not answer")
	ErrNameTaken = errors.New("another drop has that name")
	ErrSecret    = errors.New("a code is six digits; a link ends in #v1. and its key")
)

// Ends of a membership.
var (
	ErrClosed   = errors.New("the host has closed the drop")
	ErrExpired  = errors.New("the drop has reached its end")
	ErrHostGone = errors.New("the host has been away for too long")
	ErrReplaced = errors.New("another connection of this member has taken its place")
	ErrLeft     = errors.New("this member has left the drop")
)

// Ends of a transfer.
var (
	ErrUnknownFile = errors.New("the item is no longer offered")
	ErrChanged     = errors.New("the content has changed since it was offered")
	ErrCancelled   = errors.New("the sender has broken off the transfer")
	ErrSenderGone  = errors.New("the sender has left the drop")
	ErrTampered    = errors.New("the transfer was tampered with between the two devices")
	ErrTruncated   = errors.New("the transfer ended before the end of the item")
	ErrBusy        = errors.New("the sender or the server has too many transfers")
	ErrStalled     = errors.New("the receiver took nothing for a minute")
	ErrCut         = errors.New("the connection was cut")
	ErrUnequal     = errors.New("what arrived is not what was sent, or somebody claims so")
	ErrAway        = errors.New("the sender is not connected")
	ErrUnconfirmed = errors.New("the sender has not confirmed what arrived")
)

// joinRefusals are the codes of a refused join, of the server or of the host.
var joinRefusals = map[string]error{
	"drop_not_found":     ErrNotFound,
	"drop_full":          ErrFull,
	"full":               ErrFull,
	"wrong":              ErrWrongCode,
	"burnt":              ErrBurnt,
	"late":               ErrNoHost,
	"name_taken":         ErrNameTaken,
	"invalid_drop_token": ErrClosed,
	"closed":             ErrClosed,
	"expired":            ErrExpired,
	"host_gone":          ErrHostGone,
}

// streamRefusals are the codes that end a transfer.
var streamRefusals = map[string]error{
	"unknown_file":  ErrUnknownFile,
	"changed":       ErrChanged,
	"cancelled":     ErrCancelled,
	"busy":          ErrBusy,
	"stalled":       ErrStalled,
	"receiver_gone": ErrCut,
}

// final reports whether another attempt cannot help.
func final(err error) bool {
	for _, e := range []error{ErrUnknownFile, ErrChanged, ErrCancelled, ErrSenderGone, ErrTampered, ErrTruncated} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
