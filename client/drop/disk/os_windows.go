package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// nonblock has no meaning here.
const nonblock = 0

// removeOpen says that an open file can be removed.
const removeOpen = false

// lock locks a file for this process, or returns errLocked. The locked byte lies far behind
// the content, because Windows keeps other handles from reading a locked byte.
func lock(f *os.File) error {
	at := &windows.Overlapped{OffsetHigh: 0x7fffffff}
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return errLocked
	}
	return err
}

// links is not known here.
func links(fs.FileInfo) int { return 1 }

// own is not known here.
func own(fs.FileInfo) bool { return true }

// syncFolder does nothing: the file system keeps a journal of names.
func syncFolder(*os.Root) error { return nil }

// moveNew moves a file or folder to a name that is free, in one step; [fs.ErrExist] if it is
// taken.
func moveNew(root *os.Root, from, to string, _ bool) error {
	old, err := windows.UTF16PtrFromString(filepath.Join(root.Name(), filepath.FromSlash(from)))
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(filepath.Join(root.Name(), to))
	if err != nil {
		return err
	}
	if err := windows.MoveFileEx(old, name, windows.MOVEFILE_WRITE_THROUGH); err != nil {
		return &fs.PathError{Op: "rename", Path: to, Err: err}
	}
	return nil
}
