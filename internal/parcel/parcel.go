// Package parcel is the form of what is pinned encrypted: its keys, its manifest, its link, and how it is opened.
//
// # What a parcel is
//
// The root is a UnixFS directory with opaque names: "0", "1" and so on are the files, and
// "manifest" tells what they are. Each of them is a stream of package seal under keys of its
// own, which come from the parcel's one key:
//
//	key ‖ nonce = HKDF-SHA256(parcel key, no salt, info = "coffer/pin/v1 file 0" or "coffer/pin/v1 manifest"), 32 + 39 bytes
//
// The streams' additional data is "coffer/pin/v1". The nonce stands in the stream's header,
// so a reader needs only the key. A parcel key serves one parcel and a parcel never changes:
// no key and nonce seal a second content, as [seal.SealRange] demands.
//
// # What a reader gets
//
// [Open] believes no block before its digest, no byte before it authenticates, and no file
// before its length and hash are those of the manifest. A parcel shows to everyone how many
// files it has and how long they are, and nothing else.
package parcel

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"coffer/internal/ipfs"
	"coffer/internal/seal"
)

// AAD is the additional data of every stream.
const AAD = "coffer/pin/v1"

// ManifestName is the manifest's name in the root.
const ManifestName = "manifest"

// Bounds of a parcel.
const (
	MaxFiles    = 10_000   // files and folders
	MaxManifest = 16 << 20 // bytes of its JSON
	version     = 1
	letters     = "v1."
)

// Key opens one parcel.
type Key [seal.KeySize]byte

// NewKey returns a random key.
func NewKey() (k Key) {
	rand.Read(k[:])
	return k
}

// Stream returns the key and the nonce of a file's stream, or of the manifest's.
func (k Key) Stream(name string) (key, nonce []byte) {
	info := AAD + " " + name
	if name != ManifestName {
		info = AAD + " file " + name
	}
	all, err := hkdf.Key(sha256.New, k[:], nil, info, seal.KeySize+seal.NonceSize)
	if err != nil {
		panic("parcel: internal error: " + err.Error())
	}
	return all[:seal.KeySize], all[seal.KeySize:]
}

// Link returns the address at which a browser opens the parcel. The key stands in the
// fragment, which no browser sends.
func (k Key) Link(base string, root ipfs.CID) string {
	return base + "/p/" + root.String() + "#" + letters + base64.RawURLEncoding.EncodeToString(k[:])
}

// ErrLink says that a text is no link of a parcel.
var ErrLink = errors.New("this is no link of an encrypted pin; copy all of it, with what follows the #")

// ParseLink reads a link: the server's address, the parcel's root and its key.
func ParseLink(link string) (base string, root ipfs.CID, k Key, err error) {
	u, err := url.Parse(link)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return "", root, k, ErrLink
	}
	secret, ok := strings.CutPrefix(u.Fragment, letters)
	at, name := path.Split(u.Path)
	raw, err := base64.RawURLEncoding.Strict().DecodeString(secret)
	if !ok || err != nil || len(raw) != len(k) || !strings.HasSuffix(at, "/p/") {
		return "", root, k, ErrLink
	}
	if root, err = ipfs.Parse(name); err != nil {
		return "", root, k, ErrLink
	}
	copy(k[:], raw)
	return u.Scheme + "://" + u.Host + strings.TrimSuffix(at, "/p/"), root, k, nil
}

// Manifest tells what a parcel holds.
type Manifest struct {
	V       int      `json:"v"`
	Name    string   `json:"name"` // of the file or the folder
	Files   []File   `json:"files"`
	Folders []string `json:"folders"` // paths, a folder before what is in it
}

// File is one file of a parcel.
type File struct {
	Path     string    `json:"path"` // names from the top down, joined by slashes
	File     string    `json:"file"` // its name in the root
	Size     int64     `json:"size"`
	SHA256   string    `json:"sha256"` // of the content, hexadecimal
	Modified time.Time `json:"modified"`
}

// ErrTooLarge says that a manifest would be longer than its readers take.
var ErrTooLarge = errors.New("the manifest of this pin would have more than 16 MiB")

// Marshal returns the JSON of a manifest of this version, or ErrTooLarge.
func (m Manifest) Marshal() ([]byte, error) {
	m.V = version
	if m.Files == nil {
		m.Files = []File{}
	}
	if m.Folders == nil {
		m.Folders = []string{}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // no page shows it, and six bytes for one would reach the bound early
	if err := e.Encode(m); err != nil {
		return nil, err
	}
	plain := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if len(plain) > MaxManifest {
		return nil, ErrTooLarge
	}
	return plain, nil
}

// errManifest says that a manifest breaks a rule. Its key made it, so it is no damage.
var errManifest = errors.New("the manifest of this pin is not one that this program reads")

// parseManifest reads a manifest that may be hostile.
func parseManifest(b []byte) (m Manifest, err error) {
	if err := json.Unmarshal(b, &m); err != nil || m.V != version || len(m.Files)+len(m.Folders) > MaxFiles+1 {
		return Manifest{}, errManifest
	}
	seen := map[string]bool{}
	for _, p := range append([]string{m.Name}, m.Folders...) {
		if !goodPath(p) {
			return Manifest{}, errManifest
		}
	}
	for _, f := range m.Files {
		n, err := strconv.Atoi(f.File)
		if err != nil || n < 0 || strconv.Itoa(n) != f.File || f.Size < 0 || !goodPath(f.Path) || seen[f.Path] || seen["/"+f.File] {
			return Manifest{}, errManifest
		}
		seen[f.Path], seen["/"+f.File] = true, true
	}
	return m, nil
}

// goodPath accepts relative paths without empty, dot or separator tricks. The names in it
// are the business of the program that writes them.
func goodPath(p string) bool {
	if p == "" || len(p) > 64<<10 || !utf8.ValidString(p) || strings.ContainsAny(p, "\\\x00") {
		return false
	}
	for name := range strings.SplitSeq(p, "/") {
		if strings.Trim(name, ".") == "" {
			return false
		}
	}
	return true
}

// errDamaged says that what was fetched is not what the root names.
func errDamaged(what string) error { return fmt.Errorf("%s is damaged: %w", what, seal.ErrOpen) }
