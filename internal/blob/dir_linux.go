package blob

import (
	"os"

	"golang.org/x/sys/unix"
)

// startWriting asks the kernel to start writing a part of f, without waiting. It is a hint:
// the final sync decides, so errors are ignored.
func startWriting(f *os.File, off, n int64) {
	_ = unix.SyncFileRange(int(f.Fd()), off, n, unix.SYNC_FILE_RANGE_WRITE)
}

// finishWriting waits until a part of f is written. On request it drops the part from the
// page cache. Both are hints too.
func finishWriting(f *os.File, off, n int64, drop bool) {
	_ = unix.SyncFileRange(int(f.Fd()), off, n, unix.SYNC_FILE_RANGE_WAIT_BEFORE|unix.SYNC_FILE_RANGE_WRITE|unix.SYNC_FILE_RANGE_WAIT_AFTER)
	if drop {
		_ = unix.Fadvise(int(f.Fd()), off, n, unix.FADV_DONTNEED)
	}
}

// cacheShare is how much of one object may stay in the page cache: an eighth of the memory.
func cacheShare() int64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 256 << 20
	}
	return int64(info.Totalram) * int64(info.Unit) / 8
}
