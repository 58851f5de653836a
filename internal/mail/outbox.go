package mail

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/mail"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// outbox writes each mail into a folder, for installations without a mail server.
type outbox struct {
	dir  string
	from *mail.Address // nil: it could not be read
	now  func() time.Time

	mu   sync.Mutex
	last time.Time // of the newest file's name
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
	o := &outbox{dir: dir, now: now}
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
	if err := o.write(o.name(now), b.Bytes()); err != nil {
		return &Error{Stage: "outbox", Err: err}
	}
	return nil
}

// name returns a new file's name: later than every other one of this process, and unlike
// those of other processes.
func (o *outbox) name(now time.Time) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	now = now.UTC()
	if !now.After(o.last) {
		now = o.last.Add(1)
	}
	o.last = now
	return now.Format("20060102T150405.000000000Z") + "-" + rand.Text()[:8] + ".eml"
}

// write makes the file appear whole: written aside, synced, renamed, and the folder synced.
func (o *outbox) write(name string, data []byte) (err error) {
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return err
	}
	if info, err := os.Stat(o.dir); err != nil {
		return err
	} else if info.Mode().Perm()&0o077 != 0 { // mails hold links that sign people in
		if err := os.Chmod(o.dir, 0o700); err != nil {
			return err
		}
	}
	f, err := os.CreateTemp(o.dir, ".draft-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(o.dir, name)); err != nil {
		return err
	}
	if err := syncDir(o.dir); err != nil {
		return fmt.Errorf("sync the folder: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	if runtime.GOOS == "windows" { // a folder cannot be synced there
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
