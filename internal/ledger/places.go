package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"coffer/internal/db"
	"coffer/internal/jobs"
	"coffer/internal/mail"
	"coffer/internal/treelog"
)

// Checkpoints go to places outside of the database, each in the order of their sizes. A row
// says which a place has. A job brings it the next ones, and is repeated until it succeeds.
// If the job gives up, the next checkpoint and the periodic work begin another one. So a place
// that was away gets all that it missed.

// place is where checkpoints go.
type place struct {
	name string
	// whole places get every checkpoint; others begin with the newest.
	whole bool
	// holds returns the size of the newest checkpoint there, for a place that can be read. The
	// row follows it.
	holds func(ctx context.Context) (int64, error)
	// send brings a checkpoint there. It may be called twice for one.
	send func(ctx context.Context, note []byte) error
	// within, instead of send, acts in the transaction that notes that the place has it.
	within func(ctx context.Context, tx *db.Tx, note []byte) error
}

// Publish makes fn hear of each checkpoint, under a stable name. An error repeats the call,
// which may also come twice for one checkpoint. It is called before the jobs run.
func (s *Service) Publish(name string, fn func(ctx context.Context, checkpoint []byte) error) {
	s.places = append(s.places, place{name: name, send: fn})
}

// addPlaces adds those of the settings.
func (s *Service) addPlaces() {
	if s.File != "" && s.File != NoFile {
		s.places = append(s.places, place{name: "file", whole: true, holds: s.fileHolds, send: s.writeFile})
	}
	if s.Settings.Mail != "" {
		s.places = append(s.places, place{name: "mail", within: s.mail})
	}
}

// telling is the payload of a job that brings a place what it lacks.
type telling struct {
	Place string `json:"place"`
}

func (s *Service) tell(ctx context.Context, payload []byte) error {
	var t telling
	if err := json.Unmarshal(payload, &t); err != nil {
		return err
	}
	for _, p := range s.places {
		if p.name == t.Place {
			return s.bring(ctx, p)
		}
	}
	return nil // the setting is gone
}

// bring brings a place each checkpoint that it lacks.
func (s *Service) bring(ctx context.Context, p place) error {
	for {
		has, err := s.has(ctx, p)
		if err != nil {
			return err
		}
		next, err := checkpointAfter(ctx, s.DB, has)
		if errors.Is(err, errNoCheckpoint) {
			return nil
		}
		if err == nil && p.send != nil {
			err = p.send(ctx, next.Note)
		}
		if err != nil {
			return fmt.Errorf("ledger: bring the checkpoint of %d entries to %s: %w", next.Size, p.name, err)
		}
		if err := s.DB.Tx(ctx, func(tx *db.Tx) error {
			if err := movePlace(ctx, tx, p.name, has, next.Size); err != nil || p.within == nil {
				return err
			}
			return p.within(ctx, tx, next.Note)
		}); err != nil {
			return err
		}
	}
}

// has returns the size of the newest checkpoint that a place has, or counts as having.
func (s *Service) has(ctx context.Context, p place) (int64, error) {
	size, known, err := readPlace(ctx, s.DB, p.name)
	if err == nil && p.holds != nil {
		return s.look(ctx, p, size)
	}
	if err != nil || known || p.whole {
		return size, err
	}
	newest, err := newestCheckpoint(ctx, s.DB)
	if err == nil {
		newest, err = checkpointBefore(ctx, s.DB, newest.Size)
	}
	if errors.Is(err, errNoCheckpoint) {
		err = nil
	}
	return newest.Size, err
}

// look makes the row of a place follow what the place has.
func (s *Service) look(ctx context.Context, p place, row int64) (int64, error) {
	size, err := p.holds(ctx)
	if err != nil || size == row {
		return size, err
	}
	if size < row {
		s.Log.ErrorContext(ctx, "ledger: a place has lost checkpoints; they are written again", "place", p.name, "had", row, "has", size)
	}
	return size, s.DB.Tx(ctx, func(tx *db.Tx) error { return movePlace(ctx, tx, p.name, row, size) })
}

// remind begins a job for each place that lacks a checkpoint.
func (s *Service) remind(ctx context.Context) error {
	var all []error
	for _, p := range s.places {
		has, err := s.has(ctx, p)
		if err == nil {
			_, err = checkpointAfter(ctx, s.DB, has)
		}
		if err == nil {
			err = s.DB.Tx(ctx, func(tx *db.Tx) error {
				return s.Jobs.Enqueue(ctx, tx, tellJob, telling{p.name}, jobs.Key(p.name))
			})
		}
		if !errors.Is(err, errNoCheckpoint) {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// mail mails a checkpoint in the transaction that notes it as mailed.
func (s *Service) mail(ctx context.Context, tx *db.Tx, note []byte) error {
	return s.Jobs.Enqueue(ctx, tx, mail.Job, mail.Message{Kind: mailKind, To: s.Settings.Mail, Data: map[string]string{"note": string(note)}})
}

// writeFile appends a checkpoint to the file, and returns when it is on the disk. Every user of
// the machine may read the file: it has what the server tells every caller. The verifier key
// stands before the first checkpoint of each key. The unfinished end of a crash goes.
func (s *Service) writeFile(ctx context.Context, note []byte) error {
	if err := os.MkdirAll(filepath.Dir(s.File), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(s.File, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	err = s.appendNote(ctx, f, note)
	return errors.Join(err, f.Close(), syncFolder(filepath.Dir(s.File)))
}

func (s *Service) appendNote(ctx context.Context, f *os.File, note []byte) error {
	e, err := endingOf(f)
	if err != nil || bytes.Equal(e.note, note) { // a crash came before the row that says so
		return err
	}
	key, err := s.signer(ctx, note)
	if err != nil {
		return err
	}
	text, last := "\n"+string(note), ""
	if e.note != nil {
		if err := s.follows(ctx, note, e.note); err != nil {
			return err
		}
		if last, err = s.signer(ctx, e.note); err != nil {
			return err
		}
	}
	if key != last {
		text = "\n" + key + "\n" + text
	}
	if e.at == 0 {
		text = text[1:]
		if !strings.HasPrefix(text, string(e.torn)) {
			return fmt.Errorf("ledger: %s has something else than checkpoints: move it away", f.Name())
		}
	}
	return put(f, e.at, text)
}

// put writes text at the end of what is whole in the file.
func put(f *os.File, at int64, text string) error {
	if err := f.Truncate(at); err != nil {
		return err
	}
	if _, err := f.WriteAt([]byte(text), at); err != nil {
		return err
	}
	return f.Sync()
}

// follows returns nil when a checkpoint of the database continues the last one of the file.
func (s *Service) follows(ctx context.Context, note, last []byte) error {
	keys, err := s.known(ctx)
	if err != nil {
		return err
	}
	c, err := treelog.OpenCheckpoint(note, keys)
	if err != nil {
		return err
	}
	old, err := s.openOwn(ctx, last)
	if err != nil {
		return err
	}
	return s.continues(ctx, c, anchor{old, "the last checkpoint of " + s.File})
}

// fileHolds returns the size of the file's last checkpoint, which the database keeps too.
func (s *Service) fileHolds(ctx context.Context) (int64, error) {
	e, err := s.fileEnding()
	if err != nil || e.note == nil {
		return 0, err
	}
	c, err := s.openOwn(ctx, e.note)
	if err != nil {
		return 0, err
	}
	kept, err := checkpointOf(ctx, s.DB, c.Size)
	if errors.Is(err, errNoCheckpoint) || err == nil && !bytes.Equal(kept.Note, e.note) {
		err = fmt.Errorf("ledger: the database does not keep the last checkpoint of %s, which has %d entries", s.File, c.Size)
	}
	return c.Size, err
}

// signer returns the written form of the key that signed a note; empty when it is unknown.
func (s *Service) signer(ctx context.Context, note []byte) (string, error) {
	keys, err := s.known(ctx)
	for _, k := range keys {
		if _, err := treelog.OpenCheckpoint(note, []treelog.Key{k}); err == nil {
			return k.String(), nil
		}
	}
	return "", err
}

// syncFolder makes the name of a new file durable. A system that cannot do it is no reason to
// try again.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync() // some systems refuse that for folders
	return d.Close()
}
