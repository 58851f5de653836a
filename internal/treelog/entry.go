package treelog

import (
	"encoding/json"
	"errors"
	"strconv"
	"time"
)

// The kinds of entries.
const (
	Pin   = "pin"   // a provider pinned the content
	Unpin = "unpin" // the content was taken from a provider
	Fail  = "fail"  // a provider did not do what it was asked to, for good
)

// TimeForm is the form of an entry's time: RFC 3339 in UTC with milliseconds.
const TimeForm = "2006-01-02T15:04:05.000Z"

// Entry is one entry of the ledger. Its fields stand in the order of its canonical form.
type Entry struct {
	N          int64  `json:"n" doc:"Place in the ledger, from 0."`
	Time       string `json:"time" doc:"When it happened: RFC 3339 in UTC with milliseconds. Never earlier than that of the entry before."`
	Kind       string `json:"kind" enum:"pin,unpin,fail" doc:"What happened."`
	CID        string `json:"cid" doc:"The content: CIDv1 in base32. Empty in an unpin or a fail of content whose CID was never known."`
	Size       int64  `json:"size" doc:"Bytes of the content."`
	Digest     string `json:"digest" doc:"SHA-256 of a file that was published in clear, in hexadecimal; 64 zeros for all other content."`
	Commitment string `json:"commitment" doc:"HMAC-SHA256 that ties the entry to its account under a key that only the server has; nothing without that key. Hexadecimal."`
}

// ErrEntry says that bytes, or fields, are no entry.
var ErrEntry = errors.New("treelog: that is no entry")

// longest bounds the bytes of an entry.
const longest = 512

// cidLength is that of a CIDv1 with SHA-256 in base32: one letter and 58 digits.
const cidLength = 59

// Check returns nil for an entry that has a canonical form.
func (e Entry) Check() error {
	t, err := time.Parse(TimeForm, e.Time)
	if err != nil || t.Format(TimeForm) != e.Time || t.Year() < 1970 {
		return ErrEntry
	}
	if e.N < 0 || !isHash(e.Digest) || !isHash(e.Commitment) {
		return ErrEntry
	}
	return CheckContent(e.Kind, e.CID, e.Size)
}

// CheckContent returns nil for a kind, a CID and a size that an entry can tell.
func CheckContent(kind, cid string, size int64) error {
	known := kind == Pin || kind == Unpin || kind == Fail
	if !known || size < 0 || !isCID(cid) && (cid != "" || kind == Pin) {
		return ErrEntry
	}
	return nil
}

func isHash(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(s) == 2*HashSize
}

func isCID(s string) bool {
	if len(s) != cidLength || s[0] != 'b' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return true
}

// AppendTo appends the canonical form: JSON without spaces, the fields in their order. These
// bytes are the leaf. No field of an entry that [Entry.Check] accepts needs an escape.
func (e Entry) AppendTo(b []byte) []byte {
	b = append(b, `{"n":`...)
	b = strconv.AppendInt(b, e.N, 10)
	b = append(b, `,"time":"`...)
	b = append(b, e.Time...)
	b = append(b, `","kind":"`...)
	b = append(b, e.Kind...)
	b = append(b, `","cid":"`...)
	b = append(b, e.CID...)
	b = append(b, `","size":`...)
	b = strconv.AppendInt(b, e.Size, 10)
	b = append(b, `,"digest":"`...)
	b = append(b, e.Digest...)
	b = append(b, `","commitment":"`...)
	b = append(b, e.Commitment...)
	return append(b, `"}`...)
}

// Leaf returns the hash of the entry's canonical form.
func (e Entry) Leaf() Hash { return LeafHash(e.AppendTo(make([]byte, 0, longest))) }

// ParseEntry reads the canonical form and no other.
func ParseEntry(b []byte) (Entry, error) {
	var e Entry
	if len(b) > longest || json.Unmarshal(b, &e) != nil || e.Check() != nil || string(e.AppendTo(nil)) != string(b) {
		return Entry{}, ErrEntry
	}
	return e, nil
}
