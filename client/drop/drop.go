// Package drop is the Go end of Coffer's drops: it hands files from one device to others
// through a server, live and encrypted between the ends. docs/drop-protocol.md is the wire.
//
// [Open] opens a drop and makes this end its host. [Join] joins one, with its name and code
// or with its link. Either gives a [Member]: it offers items ([Member.Offer]), asks for
// those of others ([Member.Receive]) and tells what happens ([Config].Notify). It keeps its
// connection by itself, until [Member.Close] or the end of the drop.
//
// # What it defends against
//
//   - The server, and the network, read nothing: the code and the link's key prove
//     themselves by CPace, and names and contents are sealed under keys that it never has.
//   - A stranger guesses the code at most three times. The host counts the wrong ones, and
//     then wants a new code ([Member.NewCode]).
//   - A server in the middle of a transfer makes the two ends derive different keys. A
//     chunk that is altered, moved, repeated, left out or of another transfer does not open.
//   - A stream that ends early is no file: an item is whole when its last chunk was there.
//   - A server that repeats old messages or requests is heard once.
//   - "Verified" and progress at the sender are what the receiver itself has signed.
//
// # What it does not
//
// Members trust each other. One that works together with the server can speak in another
// member's name. Names of items come from other members: a [Sink] for files on a disk must
// refuse unsafe ones.
package drop

import (
	"io"
	"net/http"
	"time"
)

// Config says how to reach the server.
type Config struct {
	Server string       // its address, such as https://files.example.org
	HTTP   *http.Client // nil for a client of its own; it needs no timeout
	Device string       // what this device calls itself, at most 60 characters; shown to other members
	// Notify hears what happens, one call at a time and in order; nil drops it. While it
	// runs, later notices wait; the transfers do not.
	Notify func(Notice)
}

// Kind tells files from folders.
type Kind string

// The kinds of items.
const (
	File   Kind = "file"
	Folder Kind = "folder"
)

// Info describes what a [Source] offers.
type Info struct {
	Name  string // without a folder before it
	Kind  Kind
	Size  int64  // bytes of the stream, which for a folder has a header (the page's §8)
	Files int    // in a folder
	Type  string // media type, may be empty
}

// Item is what a member offers. Name is the sender's word: check it before it names a file.
type Item struct {
	ID    string
	Owner string // the member that has it
	Name  string
	Kind  Kind
	Size  int64
	Files int
	Type  string
	Chunk int // plaintext bytes of a full chunk
}

// Person is a member, as people see it.
type Person struct {
	RID    string
	Me     bool
	Host   bool
	Here   bool   // connected
	Device string // the member's word, cleaned: one line, no control characters
}

// Source is an item to offer. ReadAt must allow calls at the same time: each receiver reads
// for itself.
type Source interface {
	Info() Info
	io.ReaderAt
	// Changed reports whether the content is no longer that of Info. Its receivers are then
	// refused with [ErrChanged].
	Changed() bool
	Close() error
}

// Sink takes an item's bytes, from the start to the end. A part from an earlier try may be
// there: the sender proves that it fits, else Receive truncates it. Calls do not overlap.
type Sink interface {
	io.ReaderAt
	io.WriterAt
	// Size is the number of bytes held. All of them count, so a sink grows without holes.
	Size() (int64, error)
	Truncate(size int64) error
	// Sync makes the bytes durable. Receive calls it once, before it tells the sender.
	Sync() error
}

// Event is what a [Notice] tells.
type Event int

// The events. Each names the fields of Notice that it sets, beside Person.
const (
	Joined       Event = iota // a member is in, for the first time
	Left                      // a member left for good; its items are gone
	Came                      // a member is connected again, or said its device's name
	Went                      // a member's connection ended; it may come back
	Offered                   // Items: another member offers them
	Withdrawn                 // Items: another member no longer does
	WrongCode                 // host: a guest had a wrong code; Tries are left
	Burnt                     // host: that was the third; the code is void until NewCode
	Sending                   // Item, Bytes: that many bytes the receiver (Person) has confirmed
	Verified                  // Item: the receiver (Person) has it, whole and equal
	NotSent                   // Item, Err: the transfer to Person ended; it may ask again
	Receiving                 // Item, Bytes: that many are held
	Retrying                  // Item, Err: the transfer was cut; Receive tries again
	Checking                  // Item: all is here; the sender is being told
	Received                  // Item, Err: whole; Err when the sender has not confirmed it
	Reconnecting              // Err: the connection is lost; the member tries again
	Back                      // connected again
	Renamed                   // the drop has another name or end
	Suspicious                // Err: a message was refused that only a dishonest server or member sends
)

// Notice is one event.
type Notice struct {
	Event  Event
	Person Person
	Item   Item
	Items  []Item
	Bytes  int64
	Tries  int
	Err    error
}

// Pauses, limits and periods of the protocol.
const (
	firstPause  = 500 * time.Millisecond // between tries, doubling
	longPause   = 15 * time.Second
	callTime    = 30 * time.Second // for a call or a frame to the server
	deadTime    = 75 * time.Second // without a sign of life of the server on the socket
	silentTime  = 45 * time.Second // without one on a stream
	joinTime    = 60 * time.Second // from join to admission
	ackPause    = 250 * time.Millisecond
	askAgain    = 10 * time.Second // without an answer to done
	askTimes    = 3
	maxSending  = 64 // transfers at once of this member
	maxReceived = 8
	maxRuns     = 64   // CPace runs at once in a host
	maxKnown    = 4096 // members that a member hears of in its life
	wrongCodes  = 3
)
