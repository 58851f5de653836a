// Package pinning is clients of services that keep IPFS content: Pinata, Kubo, and any
// provider of the IPFS Pinning Service API.
//
// # What a provider may be
//
// A provider is trusted with nothing but the bytes, which are public by then or ciphertext:
//
//   - It reports a CID. A report of another root is [ErrOtherCID], and never passes as success.
//   - It says that it keeps a pin. Only blocks read back and hashed by the caller show it.
//   - It may redirect, answer slowly or without end, or lead to a private network. Package
//     outbound refuses that: redirects are errors here, each answer has a bound, and only hosts
//     of the operator's settings may be private. Addresses in answers are used only where they
//     name the same place: an upload's address must have the origin it was asked at.
//   - Its texts are not shown. An error holds the provider's name, the step, the status and
//     [Reason]; Kubo's own words stand in errors because Kubo has no other codes, at most 200
//     bytes of printable text.
//
// Tokens travel in headers only, and only to the host they belong to.
//
// # One root, one pin
//
// Each of these services holds a root once for an account. The caller removes a root only when
// no other of its pins needs it there.
package pinning

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"coffer/internal/ipfs"
)

// State is a provider's word about a root.
type State string

// The states. Only Pinned says that the provider claims to hold every block.
const (
	Queued State = "queued" // accepted, and not there yet
	Pinned State = "pinned"
	Gone   State = "gone"   // the provider knows no such pin
	Failed State = "failed" // the provider gave up
)

// Source is the content of one pin. Its stream must be the same at each reading.
type Source struct {
	// Name is shown in the provider's lists. It is public: a pin of ciphertext has no telling one.
	Name string
	Root ipfs.CID
	// Blocks calls yield with each block of the DAG, once, and returns yield's error at once.
	Blocks func(yield func(ipfs.Block) error) error
	// Framed is the sum of [Frame] over the lengths of the blocks.
	Framed int64
}

// Target is a provider. Put returns after the provider has durably accepted, all methods are
// safe for concurrent use, and an absent block is [ErrAbsent]. An error is a *[RetryError], a
// *[PermanentError], or the context's.
type Target interface {
	// Put hands over every block and asks for a pin of the root. ref names the pin at the
	// provider, and reported is the root that it names. With an error that is [ErrOtherCID]
	// they are what the provider made, for Remove. A repeated Put makes no second pin, and need
	// not send what the provider says it has: Remove comes before a Put that mends a pin. An
	// error of the source comes back as it is.
	Put(ctx context.Context, s Source) (ref string, reported ipfs.CID, err error)
	// Status asks about a pin. An empty ref is one whose Put brought no answer.
	Status(ctx context.Context, root ipfs.CID, ref string) (State, error)
	// Remove ends every pin of the root at the provider. An absent one is no error.
	Remove(ctx context.Context, root ipfs.CID, ref string) error
	// Block reads one block as the world gets it from this provider. The caller verifies it.
	Block(ctx context.Context, c ipfs.CID) ([]byte, error)
}

// Reason says in a word why a provider did not do its part. Pages have a sentence for each.
type Reason string

// The reasons.
const (
	Unreachable  Reason = "unreachable"  // no connection, no answer in time, or status 5xx
	Busy         Reason = "busy"         // status 429, 408 or 425
	Unauthorized Reason = "unauthorized" // the operator's token is refused
	Payment      Reason = "payment"      // the operator's plan does not cover it
	TooLarge     Reason = "too_large"
	Refused      Reason = "refused"     // any other refusal, redirects included
	NotAllowed   Reason = "not_allowed" // the address is one that the server does not call
	Unclear      Reason = "unclear"     // an answer that cannot be read
	Incomplete   Reason = "incomplete"  // the provider received other blocks than were sent
	Absent       Reason = "absent"      // the provider does not serve the block
	OtherCID     Reason = "other_cid"   // the provider reports another root
)

var (
	// ErrOtherCID says that a provider reports another root than was asked for.
	ErrOtherCID = errors.New("pinning: the provider reports another CID")
	// ErrAbsent says that a provider does not serve a block.
	ErrAbsent = errors.New("pinning: the block is not there")
)

// RetryError is a failure that may pass.
type RetryError struct {
	After  time.Duration // as the provider asks, at most a day; zero: it names none
	Reason Reason
	Err    error
}

// Error implements error.
func (e *RetryError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *RetryError) Unwrap() error { return e.Err }

// Class returns the reason, for logs.
func (e *RetryError) Class() string { return "pinning " + string(e.Reason) }

// PermanentError is a failure that stays until the operator or the content changes.
type PermanentError struct {
	Reason Reason
	Err    error
}

// Error implements error.
func (e *PermanentError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *PermanentError) Unwrap() error { return e.Err }

// Class returns the reason, for logs.
func (e *PermanentError) Class() string { return "pinning " + string(e.Reason) }

// Permanent reports that a further attempt is useless.
func (e *PermanentError) Permanent() bool { return true }

// ReasonOf returns the reason in an error, and Unreachable where there is none.
func ReasonOf(err error) Reason {
	if e, ok := errors.AsType[*PermanentError](err); ok {
		return e.Reason
	}
	if e, ok := errors.AsType[*RetryError](err); ok {
		return e.Reason
	}
	return Unreachable
}

// cidLength is the length of a binary CIDv1 with SHA-256: version, codec, hash, its length.
const cidLength = 4 + 32

// Frame returns the bytes that a block of n bytes takes in a CAR: a varint of what follows,
// the CID, the block (CARv1, "Data").
func Frame(n int) int64 {
	section := cidLength + n
	return int64((bits.Len(uint(section))+6)/7 + section)
}

// checkRoot compares what a provider reports with what was asked for.
func checkRoot(name, step string, want, got ipfs.CID) error {
	if want == got {
		return nil
	}
	return &PermanentError{OtherCID, fmt.Errorf("%s: %s: %w: %s, want %s", name, step, ErrOtherCID, got, want)}
}
