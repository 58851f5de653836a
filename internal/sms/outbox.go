package sms

import (
	"context"
	"encoding/json"
	"time"

	folder "coffer/internal/outbox"
)

// outbox writes each message into a folder, for installations without a service.
type outbox struct {
	folder *folder.Folder
	now    func() time.Time
}

var _ Sender = (*outbox)(nil)

// NewOutbox returns a sender that writes one file a message into dir, which it makes: JSON
// with to, text and kind, readable by the owner only. A name begins with the UTC time, so
// that the newest sorts last, and ends in .sms when the file is complete.
func NewOutbox(dir string, now func() time.Time) Sender {
	return &outbox{folder: folder.In(dir), now: now}
}

// letter is what people and services read of a message.
type letter struct {
	To   string `json:"to"`
	Text string `json:"text"`
	Kind string `json:"kind"`
}

// Send writes the message. It is on the disk when Send returns.
func (o *outbox) Send(_ context.Context, m Message) error {
	b, err := json.Marshal(letter{m.To, m.Text, m.Kind})
	if err == nil {
		err = o.folder.Put(o.now(), ".sms", append(b, '\n'))
	}
	if err != nil {
		return &Error{Stage: "outbox", Err: err}
	}
	return nil
}
