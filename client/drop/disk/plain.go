package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// errLocked means that another receive writes the part.
var errLocked = errors.New("another receive is writing this part")

// plain is the part of a file.
type plain struct {
	*os.File
	end int64
}

// openPlain opens or begins the part of a file, locked, and returns how much it holds.
func openPlain(root *os.Root, name string, size int64) (*plain, int64, error) {
	f, err := openLocked(root, name)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	p := &plain{f, info.Size()}
	if p.end > size { // of another file
		if err := p.truncate(0); err != nil {
			return nil, 0, errors.Join(err, f.Close())
		}
	}
	return p, p.end, nil
}

func (p *plain) append(b []byte) error {
	n, err := p.File.WriteAt(b, p.end)
	if err != nil {
		if n > 0 { // a full disk takes a piece: it belongs to no whole chunk
			err = errors.Join(err, p.File.Truncate(p.end))
		}
		return err
	}
	p.end += int64(n)
	return nil
}

func (p *plain) truncate(n int64) error {
	p.end = n
	return p.File.Truncate(n)
}

func (p *plain) finish() error { return p.File.Sync() }
func (p *plain) close() error  { return p.File.Close() }

var _ body = (*plain)(nil)

// openLocked opens a file for this receive alone, and makes it if there is none. It removes
// a link of either kind first: a write would change what the link leads to. The file of another
// user counts as locked.
func openLocked(root *os.Root, name string) (*os.File, error) {
	for range 10 {
		info, err := root.Lstat(name)
		if err == nil && (!info.Mode().IsRegular() || links(info) > 1) {
			if info.IsDir() {
				err = root.RemoveAll(name)
			} else {
				err = root.Remove(name)
			}
			if errors.Is(err, fs.ErrPermission) { // another user's
				return nil, errors.Join(errLocked, err)
			}
			if err != nil {
				return nil, err
			}
			info, err = nil, fs.ErrNotExist
		}
		flag := os.O_RDWR
		if errors.Is(err, fs.ErrNotExist) {
			flag |= os.O_CREATE | os.O_EXCL
		} else if err != nil {
			return nil, err
		}
		f, err := root.OpenFile(name, flag, 0o666)
		if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
			continue // another receive was faster
		}
		if errors.Is(err, fs.ErrPermission) && flag&os.O_CREATE == 0 { // another user's
			return nil, errors.Join(errLocked, err)
		}
		if err != nil {
			return nil, err
		}
		if err := lock(f); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		// The one that had the lock may have given the file its name since.
		opened, err := f.Stat()
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		now, err := root.Lstat(name)
		switch {
		case err != nil || !os.SameFile(opened, now) || links(now) > 1:
			f.Close()
		case flag&os.O_CREATE == 0 && !own(opened): // that user could alter what is verified
			return nil, errors.Join(errLocked, f.Close())
		default:
			return f, nil
		}
	}
	return nil, fmt.Errorf("%w: it changes all the time", errLocked)
}
