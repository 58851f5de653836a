//go:build unix

package argon

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// obtain asks the system for memory that the garbage collector does not see.
func obtain(n int) ([]byte, error) {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("memory of %d bytes for a hash: %w", n, err)
	}
	if runtime.GOOS == "linux" {
		// Argon2 reads all over its memory: large pages save a tenth of the time, and the first hash
		// most of its page faults. Without them it works too.
		const hugePages = 14 // MADV_HUGEPAGE, which package unix knows on Linux alone
		_ = unix.Madvise(b, hugePages)
	}
	return b, nil
}

func surrender(b []byte) {
	if err := unix.Munmap(b); err != nil {
		panic(err) // the argument is wrong, which no caller can mend
	}
}
