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

// setDirect says whether writes to f go past the page cache. Then their place, length and
// memory must be multiples of the block size; Go's heap keeps what is longer than 32 KiB
// on pages of 8 KiB.
func setDirect(f *os.File, on bool) error {
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	if err != nil {
		return err
	}
	if flags &^= unix.O_DIRECT; on {
		flags |= unix.O_DIRECT
	}
	_, err = unix.FcntlInt(f.Fd(), unix.F_SETFL, flags)
	return err
}
