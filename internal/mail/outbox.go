package mail

import (
	"bytes"
	"context"
	"net/mail"
	"time"

	gomail "github.com/wneessen/go-mail"

	folder "coffer/internal/outbox"
)

// outbox writes each mail into a folder, for installations without a mail server.
type outbox struct {
	folder *folder.Folder
	from   *mail.Address // nil: it could not be read
	now    func() time.Time
}

var _ Sender = (*outbox)(nil)

// NewOutbox returns a sender that writes one file a mail into dir, which it makes:
// RFC 5322 with unencoded UTF-8, readable by the owner only. A name begins with the UTC
// time, so that the newest sorts last, and ends in .eml when the file is complete. from
// is "Name <address>" or an address.
func NewOutbox(dir, from string, now func() time.Time) Sender {
	if now == nil {
		now = time.Now
	}
	o := &outbox{folder: folder.In(dir), now: now}
	o.from, _ = mail.ParseAddress(from) // Send says so
	return o
}

// Send writes the mail. It is on the disk when Send returns.
func (o *outbox) Send(_ context.Context, r Rendered) error {
	now := o.now()
	m, err := compose(r, o.from, now, gomail.NoEncoding)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		return &Error{Stage: "compose", Err: err}
	}
	if err := o.folder.Put(now, ".eml", b.Bytes()); err != nil {
		return &Error{Stage: "outbox", Err: err}
	}
	return nil
}
