package drop

import (
	"crypto/cipher"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Limits of sealed messages.
const (
	maxPlain   = 32 << 10 // bytes of plaintext: its base64 fits a body of 48 KiB
	maxItems   = 500      // of one sender
	maxDevice  = 60       // characters
	maxIDBytes = 64       // of an item's id
	maxType    = 255      // bytes of an item's media type
	maxName    = 1024     // bytes of an item's name on the wire; disks refuse earlier
)

var errSealed = errors.New("drop: a sealed message does not open")

// channel seals what one member tells another, in one direction.
type channel struct {
	aead     cipher.AEAD
	from, to rid
}

func newChannel(group []byte, from, to rid) channel {
	key := derive(group, nil, string(lv([]byte(protocol+" message"), from[:], to[:])), 32)
	return channel{newGCM(key), from, to}
}

// seal returns b64(u64 n ‖ nonce ‖ ciphertext). The context says what is sealed: a message,
// a request or an accept, with the values it is bound to.
func (c channel) seal(context string, n uint64, plain []byte, bound ...[]byte) string {
	return c.sealWith(random(12), context, n, plain, bound...)
}

func (c channel) sealWith(nonce []byte, context string, n uint64, plain []byte, bound ...[]byte) string {
	out := append(u64(n), nonce...)
	return b64(c.aead.Seal(out, nonce, plain, c.aad(context, n, bound)))
}

func (c channel) aad(context string, n uint64, bound [][]byte) []byte {
	parts := append([][]byte{[]byte(protocol + " " + context), c.from[:], c.to[:], u64(n)}, bound...)
	return lv(parts...)
}

// open returns n and the plaintext.
func (c channel) open(context, sealed string, bound ...[]byte) (n uint64, plain []byte, err error) {
	raw, err := encoding.DecodeString(sealed)
	if err != nil || len(raw) < 8+12+overhead {
		return 0, nil, errSealed
	}
	n = binary.BigEndian.Uint64(raw)
	plain, err = c.aead.Open(nil, raw[8:20], raw[20:], c.aad(context, n, bound))
	if err != nil {
		return 0, nil, errSealed
	}
	return n, plain, nil
}

// counter numbers what this member seals. It starts above every number of an earlier life.
type counter struct{ last uint64 }

func newCounter(now time.Time) counter { return counter{uint64(now.UnixMilli()) * 1000} }

func (c *counter) next() uint64 { c.last++; return c.last }

// once lets each number pass once. Requests travel over HTTP and overtake each other, so it
// keeps a window of numbers, and refuses all below it.
type once struct {
	seen  []uint64 // sorted
	floor uint64
}

const onceWindow = 256

func (o *once) take(n uint64) bool {
	i, found := slices.BinarySearch(o.seen, n)
	if found || n <= o.floor {
		return false
	}
	o.seen = slices.Insert(o.seen, i, n)
	if len(o.seen) > onceWindow {
		o.floor = o.seen[0]
		o.seen = slices.Delete(o.seen, 0, 1)
	}
	return true
}

// said is the plaintext of a sealed message.
type said struct {
	K      string     `json:"k"`
	Device string     `json:"device,omitempty"`
	Items  []saidItem `json:"items,omitempty"`
	IDs    []string   `json:"ids,omitempty"`
}

// saidItem is an item as its sender describes it.
type saidItem struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Kind  string `json:"kind"`
	Size  int64  `json:"size"`
	Type  string `json:"type"`
	Files int    `json:"files"`
	Chunk int    `json:"chunk"`
}

// wanted is the sealed part of a request: the chunks that the receiver holds.
type wanted struct {
	From   int64  `json:"from"`
	Digest string `json:"digest,omitempty"`
}

// agreed is the sealed part of an accept.
type agreed struct {
	Size   int64  `json:"size"`
	Chunk  int    `json:"chunk"`
	From   int64  `json:"from"`
	Digest string `json:"digest,omitempty"`
}

// readSaid reads the plaintext of a sealed message.
func readSaid(plain []byte) (said, error) {
	var s said
	if err := json.Unmarshal(plain, &s); err != nil {
		return said{}, fmt.Errorf("drop: a sealed message: %w", err)
	}
	s.Device = clean(s.Device, maxDevice)
	return s, nil
}

// itemsOf returns those items of an offer that their sender may offer and that the protocol
// allows. A name that no disk takes stays: the receiver must see what it refuses.
func itemsOf(s said, owner rid) []Item {
	var items []Item
	for _, i := range s.Items {
		from, tail, _ := strings.Cut(i.ID, ".")
		if _, err := fromB64(tail, 16); err != nil || from != owner.String() {
			continue
		}
		if i.Kind != string(File) && i.Kind != string(Folder) || i.Size < 0 || i.Files < 0 || !goodChunk(i.Chunk) ||
			chunksOf(i.Size, i.Chunk) > maxChunks || i.Name == "" || len(i.Name) > maxName {
			continue
		}
		if len(i.Type) > maxType {
			i.Type = ""
		}
		items = append(items, Item{ID: i.ID, Owner: from, Name: i.Name, Kind: Kind(i.Kind), Size: i.Size, Files: i.Files, Type: i.Type, Chunk: i.Chunk})
	}
	return items
}

// readAgreed reads the sealed part of an accept.
func readAgreed(plain []byte) (agreed, error) {
	var a agreed
	if err := json.Unmarshal(plain, &a); err != nil {
		return agreed{}, errSealed
	}
	if a.Size < 0 || !goodChunk(a.Chunk) || a.From < 0 || a.From > chunksOf(a.Size, a.Chunk) {
		return agreed{}, errSealed
	}
	return a, nil
}

// readWanted reads the sealed part of a request. The digest is zero when nothing is held.
func readWanted(plain []byte) (int64, digest, error) {
	var w wanted
	if err := json.Unmarshal(plain, &w); err != nil || w.From < 0 || w.From > maxChunks {
		return 0, digest{}, errSealed
	}
	if w.From == 0 {
		return 0, digest{}, nil
	}
	b, err := fromB64(w.Digest, len(digest{}))
	if err != nil {
		return 0, digest{}, errSealed
	}
	return w.From, digest(b), nil
}

// clean makes text of another member fit to be shown: one line, no control or format
// characters, at most n characters.
func clean(text string, n int) string {
	var b strings.Builder
	for _, r := range text {
		if n == 0 {
			break
		}
		if !unicode.IsPrint(r) { // format and bidirectional controls are not printable
			r = '_'
		}
		b.WriteRune(r)
		n--
	}
	return strings.TrimSpace(b.String())
}
