package upload

import (
	"crypto/sha1" // the tus protocol demands it; it finds errors of transport, no forgeries
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"math"
	"net/http"
	"strconv"
	"strings"

	"coffer/internal/content"
	"coffer/internal/fault"
)

// The header fields of tus, read strictly: each stands once, numbers are digits that fit, and
// base64 is whole. Programs between a client and its upload could otherwise read another
// length than the server.

const (
	version     = "1.0.0"
	extensions  = "creation,creation-with-upload,creation-defer-length,termination,checksum,expiration"
	algorithms  = "sha256,sha1"
	contentType = "application/offset+octet-stream"
	maxMetadata = 8 << 10 // bytes of Upload-Metadata
)

var (
	errHeader      = fault.New(fault.Malformed, "invalid_header", "A header field is missing or cannot be read. errors names it.")
	errVersion     = fault.New(fault.Precondition, "tus_version", "Send Tus-Resumable: 1.0.0.")
	errContentType = fault.New(fault.UnsupportedMedia, "invalid_content_type", "Send the bytes as application/offset+octet-stream.")
	errCut         = fault.New(fault.Malformed, "body_unreadable", "The server could not read the whole body.")
)

// badHeader is errHeader for one field.
func badHeader(name, code, detail string) error {
	e := errHeader.Because(nil)
	e.Fields = []fault.Field{{Pointer: "header." + name, Code: code, Detail: detail}}
	return e
}

// single returns a field's value; "" without one.
func single(h http.Header, name string) (string, error) {
	switch values := h.Values(name); len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	}
	return "", badHeader(name, "duplicate", "Send the field once.")
}

// number returns the value of a field that is a length or an offset; -1 without one.
func number(h http.Header, name string) (int64, error) {
	value, err := single(h, name)
	if err != nil || value == "" && len(h.Values(name)) == 0 {
		return -1, err
	}
	if value == "" || strings.Trim(value, "0123456789") != "" {
		return -1, badHeader(name, "not_a_number", "Send digits only: a number of bytes.")
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return -1, badHeader(name, "too_big", "The number is larger than any upload.")
	}
	return n, nil
}

// checkVersion refuses another version of the protocol.
func checkVersion(h http.Header) error {
	if values := h.Values("Tus-Resumable"); len(values) != 1 || values[0] != version {
		return errVersion
	}
	return nil
}

// checkType refuses a body that is not sent as bytes of an upload.
func checkType(h http.Header) error {
	if values := h.Values("Content-Type"); len(values) != 1 || values[0] != contentType {
		return errContentType
	}
	return nil
}

// checksum is what the bytes of a request must hash to.
type checksum struct {
	hash hash.Hash
	want []byte
}

// readChecksum reads Upload-Checksum, and Content-Digest (RFC 9530), which a signed request
// may cover. Both count where both come.
func readChecksum(h http.Header) (*checksum, error) {
	value, err := single(h, "Upload-Checksum")
	if err != nil {
		return nil, err
	}
	var sums []checksum
	if value != "" {
		name, encoded, _ := strings.Cut(value, " ")
		c, ok := map[string]checksum{"sha256": {hash: sha256.New()}, "sha1": {hash: sha1.New()}}[name]
		if !ok {
			return nil, badHeader("Upload-Checksum", "unsupported", "Send sha256 or sha1, a space, and the sum in base64.")
		}
		if c.want, err = base64.StdEncoding.Strict().DecodeString(encoded); err != nil || len(c.want) != c.hash.Size() {
			return nil, badHeader("Upload-Checksum", "invalid", "The sum is not base64 of its algorithm's length.")
		}
		sums = append(sums, c)
	} else if len(h.Values("Upload-Checksum")) > 0 {
		return nil, badHeader("Upload-Checksum", "invalid", "Send sha256 or sha1, a space, and the sum in base64.")
	}
	digest, err := readDigest(h)
	if err != nil {
		return nil, err
	}
	if digest != nil {
		sums = append(sums, checksum{sha256.New(), digest})
	}
	switch len(sums) {
	case 0:
		return nil, nil
	case 1:
		return &sums[0], nil
	}
	return &checksum{both{sums[0].hash, sums[1].hash}, append(sums[0].want, sums[1].want...)}, nil
}

// readDigest returns the SHA-256 of Content-Digest; nil without one.
func readDigest(h http.Header) ([]byte, error) {
	for member := range strings.SplitSeq(strings.Join(h.Values("Content-Digest"), ","), ",") {
		encoded, ok := strings.CutPrefix(strings.TrimSpace(member), "sha-256=:")
		if !ok {
			continue
		}
		sum, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(encoded, ":"))
		if err != nil || len(sum) != sha256.Size {
			return nil, badHeader("Content-Digest", "invalid", "The digest is no SHA-256 in base64.")
		}
		return sum, nil
	}
	return nil, nil
}

// both is two hashes of the same bytes; its sum is one after the other.
type both [2]hash.Hash

var _ hash.Hash = both{}

func (b both) Write(p []byte) (int, error) {
	b[0].Write(p)
	return b[1].Write(p)
}

// Sum implements hash.Hash.
func (b both) Sum(to []byte) []byte { return b[1].Sum(b[0].Sum(to)) }

// Reset implements hash.Hash.
func (b both) Reset() {
	b[0].Reset()
	b[1].Reset()
}

// Size implements hash.Hash.
func (b both) Size() int { return b[0].Size() + b[1].Size() }

// BlockSize implements hash.Hash.
func (b both) BlockSize() int { return b[0].BlockSize() }

// creation is what a POST asks for.
type creation struct {
	details
	length int64 // -1 while unknown
	bytes  bool  // the first bytes are in the body
}

// readCreation reads the fields of a POST. hasBody says that a body comes.
func readCreation(h http.Header, hasBody bool) (*creation, error) {
	c := &creation{bytes: hasBody}
	var err error
	if c.length, err = number(h, "Upload-Length"); err != nil {
		return nil, err
	}
	later, err := single(h, "Upload-Defer-Length")
	switch {
	case err != nil:
		return nil, err
	case later != "" && later != "1":
		return nil, badHeader("Upload-Defer-Length", "invalid", "Its only value is 1.")
	case later != "" && c.length >= 0:
		return nil, badHeader("Upload-Defer-Length", "conflict", "Send Upload-Length or Upload-Defer-Length, not both.")
	case later == "" && c.length < 0:
		return nil, badHeader("Upload-Length", "required", "Send Upload-Length, or Upload-Defer-Length: 1.")
	case len(h.Values("Upload-Concat")) > 0:
		return nil, badHeader("Upload-Concat", "unsupported", "The server does not join uploads.")
	}
	if hasBody {
		if err := checkType(h); err != nil {
			return nil, err
		}
	}
	value, err := single(h, "Upload-Metadata")
	if err != nil {
		return nil, err
	}
	return c, c.readMetadata(value)
}

// readMetadata reads Upload-Metadata. Keys that the server does not know stay in what HEAD
// repeats.
func (c *creation) readMetadata(value string) error {
	const name = "Upload-Metadata"
	if len(value) > maxMetadata {
		return badHeader(name, "too_long", "Send at most 8 KiB of metadata.")
	}
	c.Metadata = value
	known := map[string]string{}
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(value, ",") {
		if value == "" {
			break
		}
		key, encoded, _ := strings.Cut(strings.TrimSpace(pair), " ")
		if key == "" || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return badHeader(name, "invalid", "Each pair is a key of visible ASCII, a space and base64.")
		}
		if seen[key] {
			return badHeader(name, "duplicate", "Send each key once.")
		}
		seen[key] = true
		plain, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return badHeader(name, "invalid", "Each pair is a key of visible ASCII, a space and base64.")
		}
		known[key] = string(plain)
	}
	if !seen["filename"] {
		return badHeader(name, "required", "Send the key filename.")
	}
	switch known["replace"] {
	case "", "false":
	case "true":
		c.Replace = true
	default:
		return badHeader(name, "invalid", "replace is true or false.")
	}
	c.Name, c.MediaType, c.Parent = known["filename"], content.CleanType(known["filetype"]), known["parent"]
	return nil
}

// readOffset reads where a PATCH begins.
func readOffset(h http.Header) (int64, error) {
	at, err := number(h, "Upload-Offset")
	if err == nil && at < 0 {
		err = badHeader("Upload-Offset", "required", "Send the offset at which the bytes begin.")
	}
	return at, err
}

// fits refuses bytes beyond a length, without an overflow.
func fits(at, more, length int64) bool {
	return more <= math.MaxInt64-at && at+more <= length
}
