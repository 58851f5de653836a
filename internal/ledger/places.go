package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
		s.places = append(s.places, place{name: "file", whole: true, send: s.writeFile})
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

// remind begins a job for each place that lacks a checkpoint.
func (s *Service) remind(ctx context.Context) error {
	for _, p := range s.places {
		has, err := s.has(ctx, p)
		if err == nil {
			_, err = checkpointAfter(ctx, s.DB, has)
		}
		if errors.Is(err, errNoCheckpoint) {
			continue
		}
		if err != nil {
			return err
		}
		if err := s.DB.Tx(ctx, func(tx *db.Tx) error {
			return s.Jobs.Enqueue(ctx, tx, tellJob, telling{p.name}, jobs.Key(p.name))
		}); err != nil {
			return err
		}
	}
	return nil
}

// mail mails a checkpoint in the transaction that notes it as mailed.
func (s *Service) mail(ctx context.Context, tx *db.Tx, note []byte) error {
	return s.Jobs.Enqueue(ctx, tx, mail.Job, mail.Message{Kind: mailKind, To: s.Settings.Mail, Data: map[string]string{"note": string(note)}})
}

// lastBytes is how much of the file's end is read before a checkpoint is added.
const lastBytes = 8 << 10

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
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	from := max(0, size-lastBytes)
	tail := make([]byte, size-from)
	if _, err := f.ReadAt(tail, from); err != nil && err != io.EOF {
		return err
	}
	whole := wholeNotes(tail)
	if bytes.HasSuffix(tail[:whole], note) {
		return nil // a crash came before the row that says so
	}
	text := append([]byte("\n"), note...)
	if key, err := s.unknownKey(ctx, tail[:whole], note); err != nil {
		return err
	} else if key != "" {
		text = append([]byte("\n"+key+"\n"), text...)
	}
	if from == 0 && whole == 0 {
		text = text[1:]
	}
	if err := f.Truncate(from + int64(whole)); err != nil {
		return err
	}
	if _, err := f.WriteAt(text, from+int64(whole)); err != nil {
		return err
	}
	return f.Sync()
}

// wholeNotes returns the length of text up to the end of its last signature line.
func wholeNotes(text []byte) int {
	end, at := 0, 0
	for line := range bytes.Lines(text) {
		at += len(line)
		if bytes.HasPrefix(line, []byte("— ")) && bytes.HasSuffix(line, []byte("\n")) {
			end = at
		}
	}
	return end
}

// unknownKey returns the written form of the key that signed note, unless the last checkpoint
// of a file is under the same one.
func (s *Service) unknownKey(ctx context.Context, tail, note []byte) (string, error) {
	keys, err := s.known(ctx)
	if err != nil {
		return "", err
	}
	signer := func(note []byte) string {
		for _, k := range keys {
			if _, err := treelog.OpenCheckpoint(note, []treelog.Key{k}); err == nil {
				return k.String()
			}
		}
		return ""
	}
	now := signer(note)
	if i := bytes.LastIndex(bytes.TrimRight(tail, "\n"), []byte("\n\n")); i >= 0 {
		// The text of the last note begins behind the empty line before this one.
		if j := bytes.LastIndex(tail[:i], []byte("\n\n")); j >= 0 && signer(tail[j+2:]) == now {
			return "", nil
		}
	}
	return strings.TrimSpace(now), nil
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
