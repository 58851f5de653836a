package ipfs

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
)

// Codec says how a block is to be read, as the table of multicodecs numbers it.
type Codec byte

// The codecs of UnixFS.
const (
	Raw   Codec = 0x55 // bytes of a file
	DagPB Codec = 0x70 // links and some data
)

// CID is a content identifier of version 1 with SHA2-256. It is comparable. The zero CID is none.
type CID struct {
	Codec  Codec
	Digest [sha256.Size]byte
}

// ErrCID says that a text or some bytes are no identifier that this package reads.
var ErrCID = errors.New("ipfs: no content identifier of version 0 or 1 with SHA2-256, raw or dag-pb")

const (
	version1  = 0x01
	sha2_256  = 0x12
	multihash = 2 + sha256.Size       // the hash's number, its length, the digest
	cidBytes  = 2 + multihash         // version, codec
	maxText   = len("f") + 2*cidBytes // the longest form, hexadecimal
	v0Text    = 46                    // length of "Qm…"
	base58    = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	base36    = "0123456789abcdefghijklmnopqrstuvwxyz"
	lower32   = "abcdefghijklmnopqrstuvwxyz234567"
)

var base32Lower = base32.NewEncoding(lower32).WithPadding(base32.NoPadding)

// String is the identifier in lower-case base32: "bafk…" for raw blocks, "bafy…" for dag-pb.
func (c CID) String() string { return "b" + base32Lower.EncodeToString(c.Bytes()) }

// Bytes is the identifier in binary.
func (c CID) Bytes() []byte { return c.append(make([]byte, 0, cidBytes)) }

func (c CID) append(b []byte) []byte {
	return append(append(b, version1, byte(c.Codec), sha2_256, sha256.Size), c.Digest[:]...)
}

// Parse reads an identifier: version 1 in base32, base16 and base36 of either case or in
// base58btc, or version 0, which names dag-pb. It returns ErrCID otherwise.
func Parse(s string) (CID, error) {
	if len(s) < 2 || len(s) > maxText {
		return CID{}, ErrCID
	}
	if len(s) == v0Text && strings.HasPrefix(s, "Qm") {
		return version0(digits(s, base58))
	}
	var b []byte
	switch s[0] {
	case 'b':
		b = sole(s, base32Lower.DecodeString, base32Lower.EncodeToString)
	case 'B':
		upper := base32.StdEncoding.WithPadding(base32.NoPadding)
		b = sole(s, upper.DecodeString, upper.EncodeToString)
	case 'f':
		b = sole(s, hex.DecodeString, hex.EncodeToString)
	case 'F':
		b = sole(s, hex.DecodeString, func(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) })
	case 'k':
		b = digits(s[1:], base36)
	case 'K':
		b = digits(s[1:], strings.ToUpper(base36))
	case 'z':
		b = digits(s[1:], base58)
	}
	c, n := prefixed(b)
	if n != cidBytes || n != len(b) {
		return CID{}, ErrCID
	}
	return c, nil
}

// sole decodes the text behind s's first letter, and returns nil unless it is the one text of its bytes.
func sole(s string, decode func(string) ([]byte, error), encode func([]byte) string) []byte {
	b, err := decode(s[1:])
	if err != nil || encode(b) != s[1:] {
		return nil
	}
	return b
}

// digits reads a number, the highest digit first; nil if it is none or begins with a zero.
func digits(s, alphabet string) []byte {
	n, base := new(big.Int), big.NewInt(int64(len(alphabet)))
	for i := range len(s) {
		d := strings.IndexByte(alphabet, s[i])
		if d < 0 || i == 0 && d == 0 {
			return nil
		}
		n.Add(n.Mul(n, base), big.NewInt(int64(d)))
	}
	return n.Bytes()
}

func version0(b []byte) (CID, error) {
	if c, n := prefixed(b); n == multihash && n == len(b) {
		return c, nil
	}
	return CID{}, ErrCID
}

// prefixed reads the binary identifier at the beginning of b, and returns its length; 0 for none.
func prefixed(b []byte) (c CID, n int) {
	switch {
	case len(b) >= multihash && bytes.HasPrefix(b, []byte{sha2_256, sha256.Size}):
		c, n = CID{Codec: DagPB}, multihash // version 0
	case len(b) >= cidBytes && b[0] == version1 && (Codec(b[1]) == Raw || Codec(b[1]) == DagPB) && b[2] == sha2_256 && b[3] == sha256.Size:
		c, n = CID{Codec: Codec(b[1])}, cidBytes
	default:
		return CID{}, 0
	}
	copy(c.Digest[:], b[n-sha256.Size:])
	return c, n
}
