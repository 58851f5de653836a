package treelog

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Checkpoint says which tree a log has at a size (C2SP tlog-checkpoint).
type Checkpoint struct {
	Origin string
	Size   int64
	Root   Hash
}

// text returns the signed text: origin, size and root, a line each.
func (c Checkpoint) text() string {
	return c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + base64.StdEncoding.EncodeToString(c.Root[:]) + "\n"
}

// ed25519Type is the signature type of Ed25519 in C2SP signed-note.
const ed25519Type = 0x01

// Key verifies signatures of a name (a verifier key of C2SP signed-note).
type Key struct {
	Name   string
	Public ed25519.PublicKey
}

// ID returns the key id: the first four bytes of SHA-256(name ‖ "\n" ‖ 0x01 ‖ public key).
func (k Key) ID() uint32 {
	sum := sha256.Sum256(append([]byte(k.Name+"\n\x01"), k.Public...))
	return binary.BigEndian.Uint32(sum[:])
}

// String returns the written form: name+id+key, the id in hexadecimal, the key in base64.
func (k Key) String() string {
	return fmt.Sprintf("%s+%08x+%s", k.Name, k.ID(), base64.StdEncoding.EncodeToString(append([]byte{ed25519Type}, k.Public...)))
}

var (
	// ErrKey says that a text is no verifier key of Ed25519.
	ErrKey = errors.New("treelog: that is no verifier key such as example.org/ledger+1a2b3c4d+AQ…")
	// ErrCheckpoint says that a text is no signed checkpoint.
	ErrCheckpoint = errors.New("treelog: that is no signed checkpoint")
	// ErrSignature says that no known key has signed a checkpoint.
	ErrSignature = errors.New("treelog: no known key has signed the checkpoint")
)

// ParseKey reads the written form of a key.
func ParseKey(s string) (Key, error) {
	name, rest, _ := strings.Cut(s, "+")
	id, key, _ := strings.Cut(rest, "+")
	raw, err := base64.StdEncoding.Strict().DecodeString(key)
	if err != nil || !validName(name) || len(raw) != 1+ed25519.PublicKeySize || raw[0] != ed25519Type {
		return Key{}, ErrKey
	}
	k := Key{name, raw[1:]}
	if sum, err := hex.DecodeString(id); err != nil || len(sum) != 4 || binary.BigEndian.Uint32(sum) != k.ID() || k.String() != s {
		return Key{}, ErrKey
	}
	return k, nil
}

// validName reports whether a key may have the name: not empty, no spaces, no plus.
func validName(name string) bool {
	return name != "" && len(name) <= 255 && utf8.ValidString(name) && !strings.Contains(name, "+") &&
		!strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}

// signature marks are what a signature line begins with: an em dash and a space.
const mark = "— "

// Sign returns the signed note of c, under the key that has the origin as its name.
func (c Checkpoint) Sign(key ed25519.PrivateKey) ([]byte, error) {
	if !validName(c.Origin) || c.Size < 0 {
		return nil, ErrCheckpoint
	}
	text := c.text()
	k := Key{c.Origin, key.Public().(ed25519.PublicKey)}
	sig := append(binary.BigEndian.AppendUint32(nil, k.ID()), ed25519.Sign(key, []byte(text))...)
	return []byte(text + "\n" + mark + c.Origin + " " + base64.StdEncoding.EncodeToString(sig) + "\n"), nil
}

const (
	longestNote    = 64 << 10
	mostSignatures = 100
)

// OpenCheckpoint reads a signed note and checks it: one of the keys has signed it. Signatures
// of other keys do not matter; a wrong signature of a known key refuses the note.
func OpenCheckpoint(note []byte, keys []Key) (Checkpoint, error) {
	text, lines, err := split(note)
	if err != nil {
		return Checkpoint{}, err
	}
	c, err := parseText(text)
	if err != nil {
		return Checkpoint{}, err
	}
	signed := false
	for _, line := range lines {
		name, sig, ok := strings.Cut(line, " ")
		raw, err := base64.StdEncoding.Strict().DecodeString(sig)
		if !ok || err != nil || !validName(name) || len(raw) < 5 {
			return Checkpoint{}, ErrCheckpoint
		}
		for _, k := range keys {
			if k.Name != name || k.Name != c.Origin || k.ID() != binary.BigEndian.Uint32(raw) {
				continue
			}
			if !ed25519.Verify(k.Public, []byte(text), raw[4:]) {
				return Checkpoint{}, ErrSignature
			}
			signed = true
		}
	}
	if !signed {
		return Checkpoint{}, ErrSignature
	}
	return c, nil
}

// split returns the text of a note with its last line's end, and its signature lines without
// their marks.
func split(note []byte) (text string, lines []string, err error) {
	if len(note) > longestNote || !utf8.Valid(note) || bytes.ContainsFunc(note, func(r rune) bool { return r < 0x20 && r != '\n' }) {
		return "", nil, ErrCheckpoint
	}
	i := strings.LastIndex(string(note), "\n\n")
	if i < 0 || !bytes.HasSuffix(note, []byte("\n")) {
		return "", nil, ErrCheckpoint
	}
	text = string(note[:i+1])
	for line := range strings.Lines(string(note[i+2:])) {
		rest, ok := strings.CutPrefix(line, mark)
		if !ok || len(lines) == mostSignatures {
			return "", nil, ErrCheckpoint
		}
		lines = append(lines, strings.TrimSuffix(rest, "\n"))
	}
	if len(lines) == 0 {
		return "", nil, ErrCheckpoint
	}
	return text, lines, nil
}

// parseText reads origin, size and root. Lines may follow that this program does not know:
// they are signed, and say nothing here.
func parseText(text string) (Checkpoint, error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) < 3 {
		return Checkpoint{}, ErrCheckpoint
	}
	for _, extension := range lines[3:] {
		if extension == "" {
			return Checkpoint{}, ErrCheckpoint
		}
	}
	c := Checkpoint{Origin: lines[0]}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] || c.Origin == "" {
		return Checkpoint{}, ErrCheckpoint
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != HashSize {
		return Checkpoint{}, ErrCheckpoint
	}
	c.Size, c.Root = size, Hash(root)
	return c, nil
}

// SplitNotes returns the signed notes of a file that has one after another, and the verifier
// keys that stand on lines of their own between them. A line between them that begins with #
// is a remark.
func SplitNotes(file []byte) (notes [][]byte, keys []Key, err error) {
	var note []byte
	signed := false
	end := func() {
		if len(note) > 0 {
			notes = append(notes, note)
		}
		note, signed = nil, false
	}
	for line := range bytes.Lines(file) {
		isSignature := bytes.HasPrefix(line, []byte(mark))
		if signed && !isSignature {
			end()
		}
		if len(note) == 0 {
			word := strings.TrimSpace(string(line))
			if word == "" || word[0] == '#' {
				continue
			}
			if key, err := ParseKey(word); err == nil {
				keys = append(keys, key)
				continue
			}
		}
		note = append(note, line...)
		signed = signed || isSignature
	}
	if len(note) > 0 && !signed {
		return nil, nil, ErrCheckpoint
	}
	end()
	return notes, keys, nil
}
