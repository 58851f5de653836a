package disk

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"coffer/client/drop"
)

// Target is a folder that receives.
type Target struct{ root *os.Root }

// OpenTarget opens the folder dir, and makes it if there is none.
func OpenTarget(dir string) (*Target, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Target{root}, nil
}

// Close closes the folder. The parts of it must be closed before.
func (t *Target) Close() error { return t.root.Close() }

// Taken reports whether something has that name.
func (t *Target) Taken(name string) bool {
	_, err := t.root.Lstat(name)
	return err == nil
}

// body is what a part keeps its bytes in. append writes at the end; the end moves back with
// truncate.
type body interface {
	io.ReaderAt
	append(p []byte) error
	truncate(n int64) error
	finish() error // everything is there: makes it durable and ready to be moved
	close() error
}

// Part is what has come of an item. One goroutine at a time may use it.
type Part struct {
	target *Target
	name   string // safe
	folder bool
	size   int64
	part   string // name of the part
	moves  string // what Finish moves to the name
	body   body
	end    int64 // bytes held
	kept   int64 // of an earlier receive
	whole  *Source
	done   bool
}

// Begin continues the part of an item, or begins one. The name of the item is the sender's;
// see [SafeName]. Before a dot it gets "_". If another receive has locked the part, Begin takes another.
//
// Without a part, what already bears the name may be the item itself, complete: if it is as
// long, the part claims it whole. Whether it is the same is for the sender's digest to say;
// at the first write or truncation the claim is dropped. So a receive that is run again
// brings nothing twice.
func (t *Target) Begin(item drop.Item) (*Part, error) {
	safe, err := SafeName(item.Name)
	if err != nil {
		return nil, err
	}
	if safe[0] == '.' { // nothing arrives unseen, or as the settings of a program
		if safe, err = SafeName("_" + shorten(safe, maxName-1)); err != nil {
			return nil, err
		}
	}
	folder, size := item.Kind == drop.Folder, item.Size
	p := &Part{target: t, name: safe, folder: folder, size: size}
	for n := 1; ; n++ {
		p.part = partName(safe, n)
		if folder {
			p.body, p.end, err = openTree(t.root, p.part, size)
			p.moves = p.part + "/" + treeContent
		} else {
			p.body, p.end, err = openPlain(t.root, p.part, size)
			p.moves = p.part
		}
		if err == nil {
			break
		}
		if !errors.Is(err, errLocked) || n == 100 {
			return nil, fmt.Errorf("%s: %w", p.part, err)
		}
	}
	p.kept = p.end
	if p.end == 0 && size > 0 {
		p.whole = t.same(safe, folder, size)
	}
	return p, nil
}

// same returns what bears the name if it may be the item.
func (t *Target) same(name string, folder bool, size int64) *Source {
	info, err := t.root.Lstat(name)
	if err != nil || info.IsDir() != folder || !folder && info.Size() != size || info.Mode()&fs.ModeSymlink != 0 {
		return nil
	}
	s, err := openIn(t.root, name)
	if err != nil {
		return nil
	}
	if s.info.Size != size {
		s.Close()
		return nil
	}
	return s
}

// Name returns the name the item has, or will have if it is free.
func (p *Part) Name() string { return p.name }

// Bytes returns how many bytes are held.
func (p *Part) Bytes() int64 {
	if p.whole != nil {
		return p.size
	}
	return p.end
}

// Size returns how many bytes are held.
func (p *Part) Size() (int64, error) { return p.Bytes(), nil }

// Claims reports whether the part is what already bears the name.
func (p *Part) Claims() bool { return p.whole != nil }

// Kept returns how many bytes an earlier receive had brought and are still held.
func (p *Part) Kept() int64 { return p.kept }

// ReadAt implements [io.ReaderAt] over what is held.
func (p *Part) ReadAt(b []byte, off int64) (int, error) {
	if p.whole != nil {
		return p.whole.ReadAt(b, off)
	}
	left := p.end - off
	if left <= 0 {
		return 0, io.EOF
	}
	short := int64(len(b)) > left
	if short {
		b = b[:left]
	}
	n, err := p.body.ReadAt(b, off)
	if err == nil && short {
		err = io.EOF
	}
	return n, err
}

// WriteAt writes at the end of what is held; another off is [ErrOrder]. It returns
// [ErrUnsafe] when a folder's header breaks a rule; nothing of its files was written then.
func (p *Part) WriteAt(b []byte, off int64) (int, error) {
	if err := p.drop(); err != nil {
		return 0, err
	}
	if off != p.end || off+int64(len(b)) > p.size {
		return 0, ErrOrder
	}
	if err := p.body.append(b); err != nil {
		return 0, err
	}
	p.end += int64(len(b))
	return len(b), nil
}

// Truncate forgets what is held after the first n bytes.
func (p *Part) Truncate(n int64) error {
	if n >= p.Bytes() {
		return nil
	}
	if err := p.drop(); err != nil || n >= p.end {
		return err
	}
	if err := p.body.truncate(n); err != nil {
		return err
	}
	p.end = n
	p.kept = min(p.kept, n)
	return nil
}

// drop ends the claim on what already bears the name.
func (p *Part) drop() error {
	if p.whole == nil {
		return nil
	}
	err := p.whole.Close()
	p.whole = nil
	return err
}

// Sync does nothing: a break of the power may cost the end of a part, and the digest that
// continues it shows that. Finish makes everything durable before it gives the name.
func (p *Part) Sync() error { return nil }

// Existing is what Finish does when the name is taken.
type Existing int

// The choices.
const (
	Refuse   Existing = iota // return ErrExists; the part stays
	KeepBoth                 // take a numbered name
	Replace                  // replace what is there
)

// Finish gives a complete part its name and returns it. The caller has verified it. What was
// claimed whole stays under its name as it is.
func (p *Part) Finish(existing Existing) (string, error) {
	if p.Bytes() != p.size {
		return "", fmt.Errorf("%s: %d of %d bytes are here", p.part, p.Bytes(), p.size)
	}
	if p.whole != nil {
		p.done = true
		return p.name, errors.Join(p.drop(), p.discard())
	}
	if err := p.body.finish(); err != nil {
		return "", err
	}
	name, err := p.move(existing)
	if err != nil {
		return "", err
	}
	p.done = true
	if p.folder {
		err = p.discard() // the header is left of it
	} else {
		err = p.body.close()
	}
	return name, errors.Join(err, syncFolder(p.target.root))
}

func (p *Part) move(existing Existing) (string, error) {
	root := p.target.root
	switch err := moveNew(root, p.moves, p.name, p.folder); {
	case err == nil:
		return p.name, nil
	case !errors.Is(err, fs.ErrExist) || existing == Refuse:
		return "", err
	}
	if existing == Replace {
		return p.name, p.replace()
	}
	for n := 2; ; n++ {
		name := Numbered(p.name, n)
		if err := moveNew(root, p.moves, name, p.folder); err == nil || !errors.Is(err, fs.ErrExist) {
			return name, err
		}
	}
}

// replace puts the part in the place of what bears its name. A file takes a file's name in
// one step. Anything else is moved aside first, and removed at the end.
func (p *Part) replace() error {
	root := p.target.root
	info, err := root.Lstat(p.name)
	if err == nil && !p.folder && !info.IsDir() {
		return root.Rename(p.moves, p.name)
	}
	for n := 1; ; n++ {
		aside := partName(p.name+".old", n)
		err := moveNew(root, p.name, aside, true)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := moveNew(root, p.moves, p.name, p.folder); err != nil {
			return errors.Join(err, root.Rename(aside, p.name))
		}
		return root.RemoveAll(aside)
	}
}

// Close unlocks the part. Unless it was finished, it stays for a later Begin.
func (p *Part) Close() error {
	if p.done {
		return nil
	}
	p.done = true
	if p.end == 0 { // nothing to continue
		return errors.Join(p.drop(), p.discard())
	}
	return errors.Join(p.drop(), p.body.close())
}

// Discard removes the part.
func (p *Part) Discard() error {
	if p.done {
		return nil
	}
	p.done = true
	return errors.Join(p.drop(), p.discard())
}

// discard removes the part while it is locked, under a name that no other receive takes for
// its part. It may have been moved to its name already.
func (p *Part) discard() error {
	root := p.target.root
	if !removeOpen {
		return errors.Join(p.body.close(), root.RemoveAll(p.part))
	}
	aside := rand.Text() + Suffix
	err := root.Rename(p.part, aside)
	if err == nil {
		err = root.RemoveAll(aside)
	}
	return errors.Join(err, p.body.close())
}

var _ drop.Sink = (*Part)(nil)
