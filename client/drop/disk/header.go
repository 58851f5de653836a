package disk

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// entry is a file of a folder.
type entry struct {
	path     string // as this system stores it, with "/"
	start    int64  // of its content in the stream
	size     int64
	modified int64 // Unix milliseconds
}

// layout is where the files of a folder are in its stream.
type layout struct {
	length int64 // of the length and the header
	size   int64 // of the stream
	files  []entry
	dirs   []string // empty folders
}

// at returns the number of the file that holds the byte at off, or the last before it.
func (l *layout) at(off int64) int {
	return sort.Search(len(l.files), func(i int) bool { return l.files[i].start > off }) - 1
}

// end returns where the content of the ith file ends.
func (l *layout) end(i int) int64 { return l.files[i].start + l.files[i].size }

// headerLength reads the first four bytes of a stream of size bytes.
func headerLength(first []byte, size int64) (int64, error) {
	n := int64(binary.BigEndian.Uint32(first))
	if n > MaxHeader || n+4 > size {
		return 0, fmt.Errorf("%w: a header of %d bytes in a stream of %d", ErrUnsafe, n, size)
	}
	return n, nil
}

// packHeader writes the start of a stream: u32 length ‖ header.
func packHeader(files []entry, dirs []string) ([]byte, error) {
	if len(files)+len(dirs) > MaxEntries {
		return nil, ErrTooMany
	}
	rows := make([][3]any, len(files))
	for i, f := range files {
		rows[i] = [3]any{f.path, f.size, f.modified}
	}
	if dirs == nil {
		dirs = []string{}
	}
	var b bytes.Buffer
	b.Write(make([]byte, 4))
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(struct {
		Files [][3]any `json:"files"`
		Dirs  []string `json:"dirs"`
	}{rows, dirs}); err != nil {
		return nil, err
	}
	b.Truncate(b.Len() - 1) // Encode ends with a newline
	if b.Len()-4 > MaxHeader {
		return nil, ErrTooMany
	}
	binary.BigEndian.PutUint32(b.Bytes(), uint32(b.Len()-4))
	return b.Bytes(), nil
}

// parseHeader reads the header of a stream of size bytes, without the length before it. It
// gives each path its place by way of n. It reads token by token, so the memory it takes is
// bounded by the entries, whatever the header nests.
func parseHeader(raw []byte, size int64, n *names) (*layout, error) {
	l := &layout{length: int64(len(raw)) + 4, size: size}
	if err := l.parse(raw, n); err != nil {
		if !errors.Is(err, ErrUnsafe) {
			err = fmt.Errorf("%w: header: %w", ErrUnsafe, err)
		}
		return nil, err
	}
	return l, nil
}

func (l *layout) parse(raw []byte, n *names) error {
	if len(raw) > MaxHeader || !utf8.Valid(raw) {
		return errShape
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	at := l.length
	seen := map[string]bool{}
	err := object(d, func(name string) error {
		if seen[name] {
			return errShape
		}
		seen[name] = true
		switch name {
		case "files":
			return list(d, func() error {
				e, err := l.file(d, n)
				if err != nil {
					return err
				}
				e.start = at
				if e.size > l.size-at {
					return fmt.Errorf("the files are longer than the stream of %d bytes", l.size)
				}
				at += e.size
				l.files = append(l.files, e)
				return l.count()
			})
		case "dirs":
			return list(d, func() error {
				path, err := value[string](d)
				if err != nil {
					return err
				}
				if path, err = n.place(path, true); err != nil {
					return err
				}
				l.dirs = append(l.dirs, path)
				return l.count()
			})
		}
		var other json.RawMessage // a later version's
		return d.Decode(&other)
	})
	if err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF || !seen["files"] {
		return errShape
	}
	if at != l.size {
		return fmt.Errorf("the files end at %d in a stream of %d bytes", at, l.size)
	}
	return nil
}

var errShape = errors.New("it has another form")

func (l *layout) count() error {
	if len(l.files)+len(l.dirs) > MaxEntries {
		return fmt.Errorf("more than %d entries", MaxEntries)
	}
	return nil
}

// file reads ["path", size, modified].
func (l *layout) file(d *json.Decoder, n *names) (e entry, err error) {
	if err = delim(d, '['); err != nil {
		return e, err
	}
	path, err := value[string](d)
	if err != nil {
		return e, err
	}
	if e.size, err = number(d); err != nil || e.size < 0 {
		return e, errShape
	}
	if e.modified, err = number(d); err != nil {
		return e, errShape
	}
	if err = delim(d, ']'); err != nil {
		return e, err
	}
	e.path, err = n.place(path, false)
	return e, err
}

func object(d *json.Decoder, member func(name string) error) error {
	if err := delim(d, '{'); err != nil {
		return err
	}
	for d.More() {
		name, err := value[string](d)
		if err != nil {
			return err
		}
		if err := member(name); err != nil {
			return err
		}
	}
	return delim(d, '}')
}

func list(d *json.Decoder, element func() error) error {
	if err := delim(d, '['); err != nil {
		return err
	}
	for d.More() {
		if err := element(); err != nil {
			return err
		}
	}
	return delim(d, ']')
}

func delim(d *json.Decoder, want json.Delim) error {
	got, err := value[json.Delim](d)
	if err == nil && got != want {
		err = errShape
	}
	return err
}

func number(d *json.Decoder) (int64, error) {
	n, err := value[json.Number](d)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(n.String(), 10, 64)
}

func value[T any](d *json.Decoder) (v T, err error) {
	t, err := d.Token()
	if err != nil {
		return v, err
	}
	v, ok := t.(T)
	if !ok {
		return v, errShape
	}
	return v, nil
}

// folders returns every folder that the files and empty folders stand in, parents first.
func (l *layout) folders() []string {
	seen := map[string]bool{}
	var all []string
	var note func(path string)
	note = func(path string) {
		if path == "" || seen[path] {
			return
		}
		seen[path] = true
		note(path[:max(0, strings.LastIndexByte(path, '/'))])
		all = append(all, path)
	}
	for _, f := range l.files {
		note(f.path[:max(0, strings.LastIndexByte(f.path, '/'))])
	}
	for _, d := range l.dirs {
		note(d)
	}
	slices.Sort(all)
	return all
}
