// Package outbox is a folder into which messages are written whole, the newest sorting last.
package outbox

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// Folder holds one file a message, readable by the owner only. It is safe for concurrent use.
type Folder struct {
	dir string

	mu   sync.Mutex
	last time.Time // of the newest file's name
}

// In returns the folder dir, which the first message makes.
func In(dir string) *Folder { return &Folder{dir: dir} }

// Put writes a message that is sent now. The file is on the disk when Put returns. Its name
// begins with the UTC time, and ends in extension when the file is complete.
func (f *Folder) Put(now time.Time, extension string, message []byte) error {
	return f.write(f.name(now)+extension, message)
}

// name returns a new file's name: later than every other one of this process, and unlike
// those of other processes.
func (f *Folder) name(now time.Time) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	now = now.UTC()
	if !now.After(f.last) {
		now = f.last.Add(1)
	}
	f.last = now
	return now.Format("20060102T150405.000000000Z") + "-" + rand.Text()[:8]
}

// write makes the file appear whole: written aside, synced, renamed, and the folder synced.
func (f *Folder) write(name string, data []byte) (err error) {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	if info, err := os.Stat(f.dir); err != nil {
		return err
	} else if info.Mode().Perm()&0o077 != 0 { // messages hold what signs people in
		if err := os.Chmod(f.dir, 0o700); err != nil {
			return err
		}
	}
	draft, err := os.CreateTemp(f.dir, ".draft-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(draft.Name()))
		}
	}()
	_, err = draft.Write(data)
	if err == nil {
		err = draft.Sync()
	}
	if closeErr := draft.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	if err := os.Rename(draft.Name(), filepath.Join(f.dir, name)); err != nil {
		return err
	}
	if err := syncDir(f.dir); err != nil {
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
