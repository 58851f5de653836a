//go:build unix && !linux

package disk

import "os"

// moveNew moves a file or folder to a name that is free; [io/fs.ErrExist] if it is taken.
func moveNew(root *os.Root, from, to string, folder bool) error {
	return linkNew(root, from, to, folder)
}
