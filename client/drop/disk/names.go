package disk

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// The longest name of a file, and the longest path of one in a folder, in bytes. Linux
// refuses longer ones.
const (
	maxName = 255
	maxPath = 4096
)

// Clean returns a text of the other side as it may be shown on one line: controls, line
// separators, bidirectional controls, other format characters and broken UTF-8 become "_".
// No escape sequence of a terminal survives.
func Clean(s string) string {
	clean := func(r rune) bool {
		return r != utf8.RuneError && !unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
	}
	if utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !clean(r) }) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if clean(r) {
			return r
		}
		return '_'
	}, s)
}

// SafeName returns the name under which this system may store a sender's item or path part.
// It refuses what §8 refuses; everything else becomes storable:
//   - [Clean] replaces invisible characters.
//   - A name that ends like a part gets "_", so it is never taken for one.
//   - Windows alone: characters with a meaning (":" opens a stream of another file), a dot
//     or blank at the end, and names of devices. Elsewhere these are plain names, and a
//     folder from Linux comes back on Linux as it was.
//
// Names are changed and not refused, because one file name must not lose a folder.
func SafeName(name string) (string, error) { return safeName(name, runtime.GOOS == "windows") }

func safeName(name string, windows bool) (string, error) {
	if name == "" || name == "." || name == ".." || len(name) > maxName || strings.ContainsAny(name, "/\\\x00") {
		return "", fmt.Errorf("%w: %q", ErrUnsafe, shorten(Clean(name), 60))
	}
	name = Clean(name)
	if windows {
		name = windowsName(name)
	}
	if strings.HasSuffix(strings.ToLower(name), Suffix) {
		name = shorten(name, maxName-1) + "_"
	}
	return name, nil
}

// windowsName changes what Windows gives a meaning.
func windowsName(name string) string {
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`<>:"|?*`, r) {
			return '_'
		}
		return r
	}, name)
	if end := name[len(name)-1]; end == '.' || end == ' ' {
		name = name[:len(name)-1] + "_"
	}
	stem, _, _ := strings.Cut(name, ".")
	if device(strings.TrimRight(stem, " ")) {
		name = shorten("_"+name, maxName)
	}
	return name
}

// device reports whether Windows takes a name for a device, whatever the extension.
func device(stem string) bool {
	stem = strings.ToUpper(stem)
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	for _, port := range []string{"COM", "LPT"} {
		if n, ok := strings.CutPrefix(stem, port); ok && utf8.RuneCountInString(n) == 1 && strings.Contains("0123456789¹²³", n) {
			return true
		}
	}
	return false
}

// shorten cuts a text to at most n bytes between two characters.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Numbered returns the nth name beside name: "letter (2).txt". A name without an extension
// gets the number at its end.
func Numbered(name string, n int) string {
	ext := filepath.Ext(name)
	if len(ext) == len(name) || len(ext) > 16 { // ".profile" has none
		ext = ""
	}
	number := fmt.Sprintf(" (%d)", n)
	return shorten(strings.TrimSuffix(name, ext), maxName-len(number)-len(ext)) + number + ext
}

// partName returns the name of the nth part of name. A long name is cut, and its hash keeps
// it apart from others that begin alike.
func partName(name string, n int) string {
	if n > 1 {
		name = Numbered(name, n)
	}
	if len(name)+len(Suffix) > maxName {
		sum := sha256.Sum256([]byte(name))
		name = shorten(name, maxName-len(Suffix)-9) + "~" + hex.EncodeToString(sum[:4])
	}
	return name + Suffix
}

// FoldKey is equal for names that a file system without case takes for one.
func FoldKey(name string) string {
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(name)))
}

// names gives each path of a folder its place, where no two share one.
type names struct {
	safe func(string) (string, error) // of one path part
	key  func(string) string          // equal for names that the file system takes for one
	root *nameNode
	most int // bytes of a path
	cost int // of all nodes, in bytes
}

// maxCost bounds the memory of names: a header of 16 MiB can name millions of folders, each with
// all of its path. Some nodeCost is beside the path.
const (
	maxCost  = 128 << 20
	nodeCost = 256
)

type nameNode struct {
	path     string // as stored, with "/"
	dir      bool
	listed   bool                 // named itself, and not only as a folder of others
	children map[string]*nameNode // by the sender's name
	taken    map[string]int       // by key: the last number that was given
}

func newNames(safe func(string) (string, error), key func(string) string) *names {
	return &names{safe: safe, key: key, root: &nameNode{dir: true}, most: maxPath}
}

// Places gives paths their places in a folder. No two share one, also where the file system takes
// names for one that differ in case or in composition. It belongs to one goroutine.
type Places struct{ names *names }

// NewPlaces returns Places in which none is taken, for paths of at most so many bytes.
func NewPlaces(most int) Places {
	n := newNames(SafeName, FoldKey)
	n.most = most
	return Places{n}
}

// Place returns where a path is stored; a name that is taken is numbered. Its errors are those
// of names that this machine cannot have, and of a path that occurred before.
func (p Places) Place(path string, dir bool) (string, error) { return p.names.place(path, dir) }

// place returns where a sender's path is stored. A name that is taken in the same folder is
// numbered. A path that occurred before, or that is a file and a folder at once, is refused.
func (n *names) place(path string, dir bool) (string, error) {
	if len(path) > n.most {
		return "", fmt.Errorf("%w: a path of %d bytes", ErrUnsafe, len(path))
	}
	at := n.root
	for {
		part, rest, more := strings.Cut(path, "/")
		child := at.children[part]
		switch {
		case child == nil:
			var err error
			if child, err = n.add(at, part, dir || more); err != nil {
				return "", err
			}
		case !child.dir, !more && (!dir || child.listed):
			return "", fmt.Errorf("%w: %q occurs twice", ErrUnsafe, shorten(Clean(child.path), 200))
		}
		if !more {
			child.listed = true
			return child.path, nil
		}
		at, path = child, rest
	}
}

func (n *names) add(to *nameNode, part string, dir bool) (*nameNode, error) {
	safe, err := n.safe(part)
	if err != nil {
		return nil, err
	}
	if to.children == nil {
		to.children, to.taken = map[string]*nameNode{}, map[string]int{}
	}
	free, base := safe, n.key(safe)
	for to.taken[n.key(free)] > 0 {
		to.taken[base]++ // goes on where it stopped, or a header of equal names takes hours
		free = Numbered(safe, to.taken[base])
	}
	node := &nameNode{path: free, dir: dir}
	if to.path != "" {
		node.path = to.path + "/" + free
	}
	if n.cost += len(node.path) + nodeCost; n.cost > maxCost {
		return nil, fmt.Errorf("%w: its folders are too many and too deep", ErrUnsafe)
	}
	to.taken[n.key(free)], to.children[part] = max(1, to.taken[n.key(free)]), node
	return node, nil
}
