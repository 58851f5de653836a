package sms

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// outbox writes each message into a folder, for installations without a service.
type outbox struct {
	dir string
	now func() time.Time

	mu   sync.Mutex
	last time.Time // of the newest file's name
}

var _ Sender = (*outbox)(nil)

// NewOutbox returns a sender that writes one file a message into dir, which it makes: JSON
// with to, text and kind, readable by the owner only. A name begins with the UTC time, so
// that the newest sorts last, and ends in .sms when the file is complete.
func NewOutbox(dir string, now func() time.Time) Sender { return &outbox{dir: dir, now: now} }

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
		err = o.write(o.name(), append(b, '\n'))
	}
	if err != nil {
		return &Error{Stage: "outbox", Err: err}
	}
	return nil
}

// name returns a new file's name: later than every other one of this process, and unlike
// those of other processes.
func (o *outbox) name() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now().UTC()
	if !now.After(o.last) {
		now = o.last.Add(1)
	}
	o.last = now
	return now.Format("20060102T150405.000000000Z") + "-" + rand.Text()[:8] + ".sms"
}

// write makes the file appear whole: written aside, synced, renamed, and the folder synced.
func (o *outbox) write(name string, data []byte) (err error) {
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return err
	}
	if info, err := os.Stat(o.dir); err != nil {
		return err
	} else if info.Mode().Perm()&0o077 != 0 { // messages hold codes that sign people in
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
	return syncDir(o.dir)
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
