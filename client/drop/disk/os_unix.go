//go:build unix

package disk

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// nonblock lets the open of a file that became a pipe return.
const nonblock = syscall.O_NONBLOCK

// removeOpen says that an open file can be removed.
const removeOpen = true

// lock locks a file for this process, or returns errLocked.
func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errLocked
	}
	return err
}

// links returns how many names a file has.
func links(info fs.FileInfo) int {
	if s, ok := info.Sys().(*syscall.Stat_t); ok && !info.IsDir() {
		return int(s.Nlink)
	}
	return 1
}

// own reports whether a file belongs to this process's user.
func own(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return !ok || int(s.Uid) == os.Geteuid()
}

// syncFolder makes the names in a folder durable.
func syncFolder(root *os.Root) error {
	f, err := root.Open(".")
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) { // a file system without
		err = nil
	}
	return errors.Join(err, f.Close())
}

// linkNew moves a file or folder to a free name where the system has no call for it. A file
// gets its second name before it loses the first. A folder is moved over an empty one,
// which only this call can have made.
func linkNew(root *os.Root, from, to string, folder bool) error {
	if !folder {
		if err := root.Link(from, to); err != nil {
			return err
		}
		return root.Remove(from)
	}
	if err := root.Mkdir(to, 0o777); err != nil {
		return err
	}
	if err := root.Rename(from, to); err != nil {
		return errors.Join(err, root.Remove(to))
	}
	return nil
}
