package ledger

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"coffer/internal/keyring"
	"coffer/internal/treelog"
)

// A writer of the database can make it tell any history, checkpoints and verifier keys
// included. So before the server signs it compares with what it knows without the database:
//
//   - the newest checkpoint that this process signed or met;
//   - the last whole checkpoint of [Settings.File]. A live key of the ring has signed it, or
//     a key that the file itself names.
//
// A checkpoint goes into the file only if it continues the last one there. So the file is one
// history, except where the operator has accepted another by [Service.Restored].

// anchor is a checkpoint that does not come from the database.
type anchor struct {
	treelog.Checkpoint
	from string
}

// outside returns the anchors. A caller reads the database after it: another node may sign in
// between, and then the database has more than the anchors, never less.
func (s *Service) outside(ctx context.Context) (all []anchor, err error) {
	s.mu.Lock()
	met := s.met
	s.mu.Unlock()
	if met.Size > 0 {
		all = append(all, anchor{met, "one that this server has seen"})
	}
	e, err := s.fileEnding()
	if err != nil || e.note == nil {
		return all, err
	}
	c, err := s.openOwn(ctx, e.note)
	return append(all, anchor{c, "the last one of COFFER_LEDGER_FILE"}), err
}

// meet remembers a checkpoint that all was compared with.
func (s *Service) meet(c treelog.Checkpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Size >= s.met.Size {
		s.met = c
	}
}

// continues returns nil when the tree of a checkpoint begins with that of an anchor.
func (s *Service) continues(ctx context.Context, c treelog.Checkpoint, a anchor) error {
	if c.Size < a.Size {
		return &damage{fmt.Sprintf("the database has checkpoints up to %d entries, and %s has %d", c.Size, a.from, a.Size)}
	}
	var proof []treelog.Hash
	var err error
	if c.Size > a.Size {
		proof, err = s.tree(ctx, s.DB, c.Size).Consistency(a.Size)
	}
	switch {
	case err == nil && c.Size == a.Size && c.Root != a.Root:
		err = treelog.ErrProof
	case err == nil && c.Size > a.Size:
		err = treelog.CheckConsistency(proof, c.Size, c.Root, a.Size, a.Root)
	}
	if errors.Is(err, treelog.ErrTile) || errors.Is(err, treelog.ErrProof) {
		return &damage{fmt.Sprintf("the ledger does not continue %s, at %d entries", a.from, a.Size)}
	}
	return err
}

// openOwn opens a checkpoint of the file. The ring's keys count, and those that stand in the
// file: rows of the database do not.
func (s *Service) openOwn(ctx context.Context, note []byte) (treelog.Checkpoint, error) {
	live, err := s.Ring.Live(ctx, keyring.Ledger)
	if err != nil {
		return treelog.Checkpoint{}, err
	}
	origin, _, _ := strings.Cut(string(note), "\n") // the server may have had another address
	var keys []treelog.Key
	for _, k := range live {
		if len(k.Secret) == ed25519.SeedSize {
			keys = append(keys, treelog.Key{Name: origin, Public: ed25519.NewKeyFromSeed(k.Secret).Public().(ed25519.PublicKey)})
		}
	}
	c, err := treelog.OpenCheckpoint(note, keys)
	if err == nil {
		return c, nil
	}
	if keys, err = fileKeys(s.File); err != nil {
		return treelog.Checkpoint{}, err
	}
	if c, err = treelog.OpenCheckpoint(note, keys); err != nil {
		err = fmt.Errorf("ledger: %s: the last checkpoint there is not one that this server signed: move the file away if it is another server's: %w", s.File, err)
	}
	return c, err
}

// fileKeys returns the verifier keys that stand in a file.
func fileKeys(path string) (keys []treelog.Key, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if k, err := treelog.ParseKey(strings.TrimSpace(lines.Text())); err == nil {
			keys = append(keys, k)
		}
	}
	return keys, lines.Err()
}

// lastBytes is how much of the file's end is read.
const lastBytes = 8 << 10

// breakMark begins the line behind which another history follows.
const breakMark = "# another history: "

// ending is how the file ends.
type ending struct {
	at   int64  // end of the last whole note or break; 0: there is neither
	note []byte // last whole note; nil: none, or none behind a break
	torn []byte // what stands behind at
}

// fileEnding reads the end of the file; the zero value without one.
func (s *Service) fileEnding() (ending, error) {
	if s.File == "" || s.File == NoFile {
		return ending{}, nil
	}
	f, err := os.Open(s.File)
	if errors.Is(err, fs.ErrNotExist) {
		return ending{}, nil
	}
	if err != nil {
		return ending{}, err
	}
	defer f.Close()
	return endingOf(f)
}

func endingOf(f *os.File) (ending, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return ending{}, err
	}
	from := max(0, size-lastBytes)
	tail := make([]byte, size-from)
	if _, err := f.ReadAt(tail, from); err != nil && err != io.EOF {
		return ending{}, err
	}
	end, note := lastNote(tail)
	e := ending{note: note, torn: tail[end:]}
	if end > 0 {
		e.at = from + int64(end)
	}
	return e, nil
}

// lastNote returns the last whole note of a text unless a break follows it, and where the last
// whole note or break ends.
func lastNote(text []byte) (end int, note []byte) {
	begin, at, signed := -1, 0, false
	for line := range bytes.Lines(text) {
		start, whole := at, bytes.HasSuffix(line, []byte("\n"))
		at += len(line)
		signature := bytes.HasPrefix(line, []byte("— "))
		if signed && !signature {
			begin, signed = -1, false
		}
		switch {
		case signature && begin >= 0 && whole:
			end, note, signed = at, text[begin:at], true
		case begin >= 0 || signature:
		case bytes.HasPrefix(line, []byte(breakMark)) && whole:
			end, note = at, nil
		case !between(line):
			begin = start
		}
	}
	return end, note
}

// between reports whether a line stands between notes: empty, a remark or a key.
func between(line []byte) bool {
	word := strings.TrimSpace(string(line))
	_, err := treelog.ParseKey(word)
	return word == "" || word[0] == '#' || err == nil
}

var (
	errNoBreak = errors.New("the ledger continues the last checkpoint of COFFER_LEDGER_FILE: there is nothing to accept")
	errNoFile  = errors.New("there is no checkpoint in COFFER_LEDGER_FILE that the database could contradict: start the servers again, and they sign")
)

// Restored accepts, by the operator's word, a ledger that does not continue the last checkpoint
// of the file, such as one from a backup. The file tells so, and goes on with the newest
// checkpoint of the database. Other processes keep what they met until they end.
func (s *Service) Restored(ctx context.Context) error {
	e, err := s.fileEnding()
	if err != nil {
		return err
	}
	if e.note == nil {
		return errNoFile
	}
	st, err := readState(ctx, s.DB)
	if err != nil {
		return err
	}
	before, err := s.past(ctx, st)
	if err != nil {
		return err
	}
	if err := s.audit(ctx, before); err != nil {
		return err
	}
	above := "a checkpoint under an unknown key"
	if last, err := s.openOwn(ctx, e.note); err == nil {
		above = fmt.Sprintf("the checkpoint of %d entries above", last.Size)
		err := s.continues(ctx, before, anchor{last, "the last one"})
		var found *damage
		if err == nil {
			return errNoBreak
		}
		if !errors.As(err, &found) {
			return err
		}
	}
	text := "\n" + breakMark + s.Now().UTC().Format(time.RFC3339) + ": the operator accepted a ledger of " + fmt.Sprint(st.Size) + " entries that does not continue " + above + "\n"
	if before.Size > 0 {
		c, err := newestCheckpoint(ctx, s.DB)
		if err != nil {
			return err
		}
		key, err := s.signer(ctx, c.Note)
		if err != nil {
			return err
		}
		text += "\n" + key + "\n\n" + string(c.Note)
	}
	f, err := os.OpenFile(s.File, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(put(f, e.at, text), f.Close()); err != nil {
		return err
	}
	s.mu.Lock()
	s.met = treelog.Checkpoint{}
	s.mu.Unlock()
	s.Log.WarnContext(ctx, "ledger: the operator accepted a ledger that does not continue the last checkpoint of the file", "entries", st.Size, "signed", st.Signed)
	return nil
}
