package file

import (
	"fmt"
	"path"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"coffer/internal/fault"
	"coffer/internal/text"
)

// A name is a label that its owner reads, never a path: objects are stored under random
// ids. So CON, trailing dots and leading spaces are names like any other. Refused is what
// would deceive a reader or cannot be a name anywhere: control characters, slashes, dots
// alone, and what reorders letters. The two directional marks U+200E and U+200F stay:
// ordinary Hebrew and Arabic names contain them, and they never reverse letters.
const maxName = 255 // bytes of UTF-8, after NFC: what most file systems take

// cleanName returns the canonical form of a name that a client chose, or what is wrong
// with the value at pointer.
func cleanName(pointer, raw string) (string, error) {
	if !utf8.ValidString(raw) {
		return "", fault.InvalidField(pointer, "invalid_utf8", "A name must be UTF-8.")
	}
	if len(raw) > 4*maxName { // NFC at most shortens what it changes, so this is not close
		return "", fault.InvalidField(pointer, "too_long", "A name has at most 255 bytes.")
	}
	name := norm.NFC.String(raw)
	switch {
	case !text.Visible(name):
		return "", fault.InvalidField(pointer, "required", "A name needs a visible character.")
	case len(name) > maxName:
		return "", fault.InvalidField(pointer, "too_long", "A name has at most 255 bytes.")
	case strings.Trim(name, ".") == "":
		return "", fault.InvalidField(pointer, "dots", "A name cannot be dots only.")
	}
	for _, c := range name {
		switch {
		case c == '/' || c == '\\':
			return "", fault.InvalidField(pointer, "slash", "A name cannot contain a slash or a backslash.")
		case text.Control(c):
			return "", fault.InvalidField(pointer, "control_character", "A name cannot contain control characters or line separators.")
		case text.Reorders(c):
			return "", fault.InvalidField(pointer, "bidi_control", "A name cannot contain characters that change the direction of text.")
		}
	}
	return name, nil
}

// lastComponent returns what stands behind the last separator: RFC 7578 §4.2 lets a
// client send a path, of which only the end is the file's name.
func lastComponent(filename string) string {
	return filename[strings.LastIndexAny(filename, `/\`)+1:]
}

// numbered returns the name with a number before its extension: "a (1).txt". A folder's
// name has no extension. The stem gives way when the whole would be too long.
func numbered(name string, kind Kind, n int) string {
	stem, ext := name, ""
	if kind == File {
		// ".profile" is all stem; an extension over half of the name is none.
		if e := path.Ext(name); len(e) < len(name) && len(e) > 1 && len(e) <= maxName/2 {
			stem, ext = name[:len(name)-len(e)], e
		}
	}
	number := fmt.Sprintf(" (%d)", n)
	for len(stem)+len(number)+len(ext) > maxName {
		_, size := utf8.DecodeLastRuneInString(stem)
		stem = stem[:len(stem)-size]
	}
	return norm.NFC.String(stem + number + ext)
}
