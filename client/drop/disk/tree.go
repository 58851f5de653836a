package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sync"
	"time"
)

// The names in the part of a folder.
const (
	treeHeader  = "header"  // the stream's length and header; locked
	treeContent = "content" // the folder
)

// tree is the part of a folder: the content is written where it will stay.
type tree struct {
	root   *os.Root // the part
	header *os.File
	held   int64 // of the header
	want   int64 // of the header; 4 until its length is known
	size   int64 // of the stream
	fold   bool  // the file system knows no case
	layout *layout

	content *os.Root
	end     int64
	file    *os.File // open for writing: the ith
	i       int
	made    map[string]bool // folders
}

// openTree opens or begins the part of a folder, locked, and returns how much it holds.
func openTree(root *os.Root, name string, size int64) (*tree, int64, error) {
	if size < 4 {
		return nil, 0, fmt.Errorf("%w: a folder of %d bytes", ErrUnsafe, size)
	}
	info, err := root.Lstat(name)
	if err == nil && !info.IsDir() {
		if err = root.Remove(name); errors.Is(err, fs.ErrPermission) { // another user's
			return nil, 0, errors.Join(errLocked, err)
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, 0, err
	}
	err = root.Mkdir(name, 0o700)
	made := err == nil
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, 0, err
	}
	t := &tree{size: size, want: 4}
	if t.root, err = root.OpenRoot(name); errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) && !made { // finished meanwhile, or another user's
		return nil, 0, errLocked
	} else if err != nil {
		return nil, 0, err
	}
	if info, err := t.root.Stat("."); err != nil || !made && !own(info) { // that user could alter what is verified
		return nil, 0, errors.Join(errLocked, err, t.root.Close())
	}
	if t.header, err = openLocked(t.root, treeHeader); err != nil {
		return nil, 0, errors.Join(err, t.root.Close())
	}
	// The one that had the lock may have finished since.
	opened, err := t.header.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, t.close())
	}
	if now, err := root.Lstat(name + "/" + treeHeader); err != nil || !os.SameFile(opened, now) {
		return nil, 0, errors.Join(errLocked, t.close())
	}
	if err := t.resume(); err != nil {
		return nil, 0, errors.Join(err, t.close())
	}
	return t, t.end, nil
}

// resume finds out what is held. Whatever does not fit is begun anew.
func (t *tree) resume() error {
	if _, err := t.root.Lstat("HEADER"); err == nil {
		t.fold = true
	}
	info, err := t.header.Stat()
	if err != nil {
		return err
	}
	t.held = info.Size()
	if err := t.readHeader(); err != nil && !errors.Is(err, ErrUnsafe) {
		return err
	} else if err != nil || t.held > t.want {
		return t.truncate(0)
	} else if t.layout == nil {
		return t.truncate(t.held)
	} else if !t.clean() {
		return t.truncate(0)
	}
	t.end = t.layout.length
	for i, f := range t.layout.files {
		info, err := t.content.Lstat(f.path)
		switch {
		case f.size == 0:
			continue
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case info.Size() < f.size:
			t.end = f.start + info.Size()
			return nil
		}
		t.end = t.layout.end(i)
		if info.Size() > f.size {
			return t.truncate(f.start)
		}
	}
	return nil
}

// clean reports whether content holds nothing but folders and files of the header, and no
// link of either kind.
func (t *tree) clean() bool {
	if info, err := t.root.Lstat(treeContent); err != nil || !info.IsDir() {
		return false
	}
	var err error
	if t.content, err = t.root.OpenRoot(treeContent); err != nil {
		return false
	}
	known := map[string]bool{}
	for _, f := range t.layout.files {
		known[f.path] = true
	}
	for _, d := range t.layout.folders() {
		known[d+"/"] = true
	}
	err = fs.WalkDir(t.content.FS(), ".", func(at string, d fs.DirEntry, err error) error {
		if err != nil || at == "." {
			return err
		}
		if d.IsDir() {
			at += "/"
		} else if info, err := d.Info(); err != nil || !info.Mode().IsRegular() || links(info) > 1 {
			return ErrUnsafe
		}
		if !known[at] {
			return ErrUnsafe
		}
		return nil
	})
	return err == nil
}

// readHeader parses the header when it is complete.
func (t *tree) readHeader() error {
	if t.held < 4 {
		return nil
	}
	var first [4]byte
	if _, err := t.header.ReadAt(first[:], 0); err != nil {
		return err
	}
	n, err := headerLength(first[:], t.size)
	if err != nil {
		return err
	}
	if t.want = 4 + n; t.held < t.want {
		return nil
	}
	raw := make([]byte, n)
	if _, err := t.header.ReadAt(raw, 4); err != nil {
		return err
	}
	key := func(name string) string { return name }
	if t.fold {
		key = FoldKey
	}
	t.layout, err = parseHeader(raw, t.size, newNames(SafeName, key))
	return err
}

// ReadAt reads what is held.
func (t *tree) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		at, part := off+int64(n), p[n:]
		if at < t.held {
			part = part[:min(int64(len(part)), t.held-at)]
			if _, err := t.header.ReadAt(part, at); err != nil {
				return n, err
			}
			n += len(part)
			continue
		}
		i := t.layout.at(at)
		f := t.layout.files[i]
		part = part[:min(int64(len(part)), t.layout.end(i)-at)]
		if err := t.readFile(f.path, part, at-f.start); err != nil {
			return n, err
		}
		n += len(part)
	}
	return n, nil
}

func (t *tree) readFile(path string, p []byte, off int64) error {
	f, err := t.content.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.ReadAt(p, off)
	return err
}

func (t *tree) append(p []byte) (err error) {
	began := t.end
	defer func() {
		if err != nil && t.end != began { // whole chunks only
			err = errors.Join(err, t.truncate(began))
		}
	}()
	for len(p) > 0 {
		var n int
		if t.layout == nil {
			n, err = t.growHeader(p)
		} else {
			n, err = t.growFile(p)
		}
		t.end += int64(n)
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

func (t *tree) growHeader(p []byte) (int, error) {
	p = p[:min(int64(len(p)), t.want-t.held)]
	n, err := t.header.WriteAt(p, t.held)
	t.held += int64(n)
	if err != nil || t.held < t.want {
		return n, err
	}
	if err := t.readHeader(); err != nil || t.layout == nil {
		return n, err
	}
	if err := t.root.Mkdir(treeContent, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return n, err
	}
	t.content, err = t.root.OpenRoot(treeContent)
	return n, err
}

func (t *tree) growFile(p []byte) (int, error) {
	i := t.layout.at(t.end)
	f := t.layout.files[i]
	if err := t.openFile(i); err != nil {
		return 0, err
	}
	p = p[:min(int64(len(p)), t.layout.end(i)-t.end)]
	n, err := t.file.WriteAt(p, t.end-f.start)
	if err == nil && t.end+int64(n) == t.layout.end(i) {
		err = t.closeFile()
	}
	return n, err
}

// openFile opens the ith file for writing. At its start it must not exist, or is a remainder
// of an attempt that the power cut.
func (t *tree) openFile(i int) error {
	if t.file != nil && t.i == i {
		return nil
	}
	if err := t.closeFile(); err != nil {
		return err
	}
	f := t.layout.files[i]
	if err := t.makeFolder(path.Dir(f.path)); err != nil {
		return err
	}
	flag := os.O_WRONLY
	if t.end == f.start {
		if err := t.content.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		flag |= os.O_CREATE | os.O_EXCL
	}
	file, err := t.content.OpenFile(f.path, flag, 0o666)
	if err != nil {
		return err
	}
	t.file, t.i = file, i
	return nil
}

func (t *tree) makeFolder(name string) error {
	if name == "." || t.made[name] {
		return nil
	}
	if err := t.content.MkdirAll(name, 0o777); err != nil {
		return err
	}
	if t.made == nil {
		t.made = map[string]bool{}
	}
	t.made[name] = true
	return nil
}

func (t *tree) closeFile() error {
	if t.file == nil {
		return nil
	}
	err := t.file.Close()
	t.file = nil
	return err
}

func (t *tree) truncate(n int64) error {
	if err := t.closeFile(); err != nil {
		return err
	}
	t.end = n
	if t.layout == nil || n < t.layout.length {
		t.layout, t.made, t.want = nil, nil, 4
		if t.content != nil {
			if err := t.content.Close(); err != nil {
				return err
			}
			t.content = nil
		}
		if err := t.root.RemoveAll(treeContent); err != nil {
			return err
		}
		t.held = n
		if err := t.header.Truncate(n); err != nil {
			return err
		}
		return t.readHeader()
	}
	for i := len(t.layout.files) - 1; i >= 0 && t.layout.end(i) > n; i-- {
		f := t.layout.files[i]
		if f.start >= n {
			if err := t.content.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			continue
		}
		file, err := t.content.OpenFile(f.path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		if err := errors.Join(file.Truncate(n-f.start), file.Close()); err != nil {
			return err
		}
	}
	return nil
}

// finish makes the empty files and folders, gives the files their times and makes them all
// durable. Several at once: the disk then writes its journal once for many.
func (t *tree) finish() error {
	if err := t.closeFile(); err != nil {
		return err
	}
	if t.layout == nil {
		return fmt.Errorf("%w: the header is not complete", ErrUnsafe)
	}
	for _, d := range t.layout.folders() {
		if err := t.makeFolder(d); err != nil {
			return err
		}
	}
	next := make(chan entry)
	failed := make([]error, 16)
	var all sync.WaitGroup
	for w := range failed {
		all.Go(func() {
			for f := range next {
				if failed[w] == nil {
					failed[w] = t.finishFile(f)
				}
			}
		})
	}
	for _, f := range t.layout.files {
		next <- f
	}
	close(next)
	all.Wait()
	return errors.Join(failed...)
}

func (t *tree) finishFile(e entry) error {
	flag := os.O_WRONLY
	if e.size == 0 {
		flag |= os.O_CREATE
	}
	f, err := t.content.OpenFile(e.path, flag, 0o666)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	modified := time.UnixMilli(e.modified)
	if y := modified.Year(); y < 1970 || y > 9999 { // a file system may not know it
		return nil
	}
	return t.content.Chtimes(e.path, modified, modified)
}

func (t *tree) close() error {
	err := t.closeFile()
	if t.content != nil {
		err = errors.Join(err, t.content.Close())
	}
	return errors.Join(err, t.header.Close(), t.root.Close())
}

var _ body = (*tree)(nil)
