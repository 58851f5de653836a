package blob

import (
	"os"

	"golang.org/x/sys/unix"
)

// startWriting asks the kernel to begin writing a part of f and does not wait. It is
// a hint: the sync at the end is what counts, so an error is nobody's.
func startWriting(f *os.File, off, n int64) {
	_ = unix.SyncFileRange(int(f.Fd()), off, n, unix.SYNC_FILE_RANGE_WRITE)
}
