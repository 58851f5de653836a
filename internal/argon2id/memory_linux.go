package argon2id

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// allocate takes n blocks from the system, beside the heap: the collector would let as
// much garbage stand as there is live memory, and here nothing is garbage. Huge pages,
// where the system has them, spare thousands of page faults.
func allocate(n int) ([]block, error) {
	raw, err := unix.Mmap(-1, 0, n*blockSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("take %d KiB for argon2id: %w", n, err)
	}
	_ = unix.Madvise(raw, unix.MADV_HUGEPAGE) // a kernel without them serves small ones
	return unsafe.Slice((*block)(unsafe.Pointer(&raw[0])), n), nil
}

func release(blocks []block) {
	if len(blocks) == 0 {
		return
	}
	raw := unsafe.Slice((*byte)(unsafe.Pointer(&blocks[0])), len(blocks)*blockSize)
	if err := unix.Munmap(raw); err != nil {
		panic("internal error: return memory of argon2id: " + err.Error())
	}
}
