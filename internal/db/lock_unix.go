//go:build unix

package db

import (
	"os"
	"syscall"
)

// tryLock locks the file for this open file description, unless another holds the lock. The
// system frees it when the file is closed, however the process ends.
func tryLock(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == syscall.EWOULDBLOCK || err == syscall.EINTR {
		return false, nil
	}
	return err == nil, err
}
