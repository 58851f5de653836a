package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"coffer/client/drop"
)

// Source is a file or a folder as one stream. It is safe for concurrent use: each receiver
// reads where it stands.
type Source struct {
	info drop.Info
	// Renamed are the paths that travel under another name: "was → is".
	Renamed []string
	// Skipped are the links and devices in a folder. They are not sent.
	Skipped []string

	root   *os.Root
	header []byte    // with its length; empty for a file
	layout *layout   // start, size: of each content
	disk   []string  // path of each content, in root
	stamps []stamped // what each was when it was offered

	mu     sync.Mutex
	open   []*handle // at most maxOpen that no reader uses
	closed bool
}

// stamped is by what a changed file is noticed.
type stamped struct{ size, modified int64 }

// stampOf keeps nanoseconds: a header's milliseconds would miss a change.
func stampOf(i fs.FileInfo) stamped { return stamped{i.Size(), i.ModTime().UnixNano()} }

// Open offers the file or folder at path. A link in path itself is followed: the caller
// named it.
func Open(path string) (*Source, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	name := filepath.Base(path)
	if name == string(filepath.Separator) || name == "." {
		return nil, fmt.Errorf("%s: has no name to send it under", path)
	}
	// The folder that a link leads to, when path is one.
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	s, err := openIn(root, filepath.Base(path))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if s.info.Name, err = sendable(name); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// openIn offers a file or folder in a folder. It follows no link.
func openIn(root *os.Root, name string) (*Source, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	s := &Source{info: drop.Info{Name: name, Kind: drop.File}}
	switch {
	case info.IsDir():
		s.info.Kind = drop.Folder
		err = s.openFolder(root, name)
	case info.Mode().IsRegular():
		err = s.openFile(root, name, info)
	default:
		err = errors.New("is neither a file nor a folder")
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Source) openFile(root *os.Root, name string, info fs.FileInfo) (err error) {
	if s.root, err = root.OpenRoot("."); err != nil {
		return err
	}
	s.info.Size, s.info.Files, s.info.Type = info.Size(), 1, mime.TypeByExtension(filepath.Ext(name))
	s.layout = &layout{size: s.info.Size, files: []entry{{size: s.info.Size, modified: info.ModTime().UnixMilli()}}}
	s.disk, s.stamps = []string{name}, []stamped{stampOf(info)}
	h, err := s.take(0) // an unreadable file is refused now, and not at the first request
	if err != nil {
		return err
	}
	s.give(h)
	return nil
}

func (s *Source) openFolder(root *os.Root, name string) (err error) {
	if s.root, err = root.OpenRoot(name); err != nil {
		return err
	}
	places := newNames(sendable, func(name string) string { return name })
	s.layout = &layout{}
	entries := map[string]int{} // by folder
	var folders []string
	err = fs.WalkDir(s.root.FS(), ".", func(at string, d fs.DirEntry, err error) error {
		if err != nil || at == "." {
			return err
		}
		entries[parent(at)]++
		switch {
		case d.IsDir():
			folders = append(folders, at)
			return nil
		case !d.Type().IsRegular():
			s.Skipped = append(s.Skipped, at)
			entries[parent(at)]--
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		sent, err := places.place(at, false)
		if err != nil {
			return err
		}
		s.note(at, sent)
		s.layout.files = append(s.layout.files, entry{path: sent, size: info.Size(), modified: info.ModTime().UnixMilli()})
		s.disk, s.stamps = append(s.disk, at), append(s.stamps, stampOf(info))
		if len(s.disk) > MaxEntries {
			return ErrTooMany
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, at := range folders {
		if entries[at] > 0 {
			continue
		}
		sent, err := places.place(at, true)
		if err != nil {
			return err
		}
		s.note(at, sent)
		s.layout.dirs = append(s.layout.dirs, sent)
	}
	if s.header, err = packHeader(s.layout.files, s.layout.dirs); err != nil {
		return err
	}
	s.info.Files = len(s.layout.files)
	s.layout.length = int64(len(s.header))
	s.info.Size = s.layout.length
	for i := range s.layout.files {
		s.layout.files[i].start = s.info.Size
		s.info.Size += s.layout.files[i].size
	}
	s.layout.size = s.info.Size
	return nil
}

func (s *Source) note(at, sent string) {
	if at != sent {
		s.Renamed = append(s.Renamed, Clean(at)+" → "+Clean(sent))
	}
}

func parent(at string) string {
	if i := strings.LastIndexByte(at, '/'); i >= 0 {
		return at[:i]
	}
	return "."
}

// sendable returns a name that every receiver takes: §8 refuses "\" and names beyond 255
// bytes, and JSON carries Unicode alone.
func sendable(name string) (string, error) {
	return shorten(strings.ReplaceAll(strings.ToValidUTF8(name, "_"), `\`, "_"), maxName), nil
}

// Info describes the item.
func (s *Source) Info() drop.Info { return s.info }

// ReadAt implements [io.ReaderAt] over the stream. It returns [drop.ErrChanged] when a file is
// not what was offered, whether it changed before or while it was read.
func (s *Source) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("disk: negative offset")
	}
	if off < int64(len(s.header)) {
		n = copy(p, s.header[off:])
	}
	for n < len(p) {
		at := off + int64(n)
		if at >= s.info.Size {
			return n, io.EOF
		}
		i := s.layout.at(at)
		part := p[n:]
		if left := s.layout.end(i) - at; int64(len(part)) > left {
			part = part[:left]
		}
		if err := s.readFile(i, part, at-s.layout.files[i].start); err != nil {
			return n, err
		}
		n += len(part)
	}
	return n, nil
}

func (s *Source) readFile(i int, p []byte, off int64) error {
	h, err := s.take(i)
	if err != nil {
		return err
	}
	defer s.give(h)
	if _, err := h.ReadAt(p, off); err != nil {
		if errors.Is(err, io.EOF) { // shorter than offered
			return s.changed(i)
		}
		return err
	}
	// A writer that was at work while this read shows in the size or the time.
	if info, err := h.Stat(); err != nil || stampOf(info) != s.stamps[i] {
		return s.changed(i)
	}
	return nil
}

func (s *Source) changed(i int) error {
	return fmt.Errorf("%s: %w", Clean(s.disk[i]), drop.ErrChanged)
}

// Changed reports whether a file is not what was offered any more.
func (s *Source) Changed() bool {
	for i, at := range s.disk {
		info, err := s.root.Lstat(at)
		if err != nil || !info.Mode().IsRegular() || stampOf(info) != s.stamps[i] {
			return true
		}
	}
	return false
}

// Close closes the files. Later reads fail.
func (s *Source) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.open {
		h.Close()
	}
	s.open, s.closed = nil, true
	if s.root == nil {
		return nil
	}
	return s.root.Close()
}

// maxOpen files stay open when no reader uses them: with 32 receivers, each at another place
// of a folder, few files are opened twice.
const maxOpen = 32

// handle is an open file that one reader holds at a time.
type handle struct {
	*os.File
	i int
}

// take returns an open file of the ith content.
func (s *Source) take(i int) (*handle, error) {
	s.mu.Lock()
	for j := len(s.open) - 1; j >= 0; j-- {
		if h := s.open[j]; h.i == i {
			s.open = append(s.open[:j], s.open[j+1:]...)
			s.mu.Unlock()
			return h, nil
		}
	}
	s.mu.Unlock()
	f, err := s.root.OpenFile(s.disk[i], os.O_RDONLY|nonblock, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, s.changed(i)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || stampOf(info) != s.stamps[i] {
		f.Close()
		return nil, s.changed(i)
	}
	return &handle{f, i}, nil
}

// give keeps a file for the next reader, or closes the one that was longest unused.
func (s *Source) give(h *handle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		h.Close()
		return
	}
	s.open = append(s.open, h)
	if len(s.open) > maxOpen {
		s.open[0].Close()
		s.open = s.open[1:]
	}
}

var _ drop.Source = (*Source)(nil)
