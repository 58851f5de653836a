package db

import (
	"context"
	"os"
	"time"
)

// On SQLite a command beside the server changes rows of which the server keeps values in
// memory. It adds a byte to a file beside the database after such a commit. The process that
// owns the database looks at the file's size, and takes growth for a gap in the notes.

// lookEvery is the time between two looks.
const lookEvery = 500 * time.Millisecond

func (e *liteEngine) changesPath() string { return e.path + ".changes" }

// leave tells the owner that this process changed what others may keep.
func (e *liteEngine) leave() error {
	f, err := os.OpenFile(e.changesPath(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte{'.'})
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// watchOthers calls missed after each change of another process, until ctx ends.
func (e *liteEngine) watchOthers(ctx context.Context, missed func()) {
	seen := int64(-1) // a change may have come before: the first look tells of a gap
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := int64(0)
		if info, err := os.Stat(e.changesPath()); err == nil {
			now = info.Size()
		}
		if now != seen {
			seen = now
			missed()
		}
	}
}
