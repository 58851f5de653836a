package drop

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
)

// protocol begins every context string of version 1.
const protocol = "coffer/drop/v1"

// mode is the kind of secret that a guest proves.
type mode string

const (
	modeCode mode = "code" // six digits
	modeKey  mode = "key"  // the 16 bytes of a link
)

// encoding is the b64 of the protocol: one text for each value.
var encoding = base64.RawURLEncoding.Strict()

func b64(b []byte) string { return encoding.EncodeToString(b) }

// fromB64 decodes text of exactly n bytes.
func fromB64(text string, n int) ([]byte, error) {
	if len(text) != encoding.EncodedLen(n) {
		return nil, fmt.Errorf("drop: a value of %d characters, want %d", len(text), encoding.EncodedLen(n))
	}
	b, err := encoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("drop: not base64url: %w", err)
	}
	return b, nil
}

// rid names a member. The server draws it.
type rid [16]byte

func (r rid) String() string               { return b64(r[:]) }
func (r rid) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads 22 characters.
func (r *rid) UnmarshalText(text []byte) error {
	b, err := fromB64(string(text), len(r))
	if err != nil {
		return err
	}
	copy(r[:], b)
	return nil
}

func derive(secret, salt []byte, info string, n int) []byte {
	key, err := hkdf.Key(sha256.New, secret, salt, info, n)
	if err != nil {
		panic("drop: internal error: " + err.Error()) // only a length beyond HKDF's
	}
	return key
}

func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// sameTag compares in constant time.
func sameTag(a, b []byte) bool { return len(a) == sha256.Size && subtle.ConstantTimeCompare(a, b) == 1 }

func newGCM(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("drop: internal error: " + err.Error())
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("drop: internal error: " + err.Error())
	}
	return aead
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails, since Go 1.24
	return b
}

// joinContext is CI of CPace: protocol, roles, kind of secret, name.
func joinContext(m mode, name string) []byte { return lv(protocol, "guest", "host", string(m), name) }

// joinKeys are what a finished CPace run gives.
type joinKeys struct {
	transcript []byte // th
	guest      []byte // tag_guest
	host       []byte // tag_host
	admit      []byte // key that seals the group key
}

func newJoinKeys(isk []byte, guest rid, m mode, name string, ya, yb []byte) joinKeys {
	th := sha256.Sum256(lv([]byte(protocol+" join"), guest[:], []byte(m), []byte(name), ya, yb))
	return joinKeys{
		transcript: th[:],
		guest:      mac(derive(isk, th[:], protocol+" confirm guest", 32), th[:]),
		host:       mac(derive(isk, th[:], protocol+" confirm host", 32), th[:]),
		admit:      derive(isk, th[:], protocol+" admit", 32),
	}
}

// sealGroup seals the group key. Each admit key seals once, so its nonce is zero.
func (k joinKeys) sealGroup(group []byte) []byte {
	return newGCM(k.admit).Seal(nil, make([]byte, 12), group, k.transcript)
}

func (k joinKeys) openGroup(sealed []byte) ([]byte, error) {
	group, err := newGCM(k.admit).Open(nil, make([]byte, 12), sealed, k.transcript)
	if err != nil || len(group) != 32 {
		return nil, errors.New("drop: the group key does not open")
	}
	return group, nil
}

// jwk is a public key on P-521 (RFC 7517).
type jwk struct {
	Kty string `json:"kty"`
	Crv string `json:"crv"`
	X   string `json:"x"`
	Y   string `json:"y"`
}

const coordinate = 66 // bytes of one coordinate on P-521

func jwkOf(key *ecdh.PublicKey) jwk {
	point := key.Bytes()
	return jwk{"EC", "P-521", b64(point[1 : 1+coordinate]), b64(point[1+coordinate:])}
}

// point returns the key and its uncompressed form of 133 bytes.
func (k jwk) point() (*ecdh.PublicKey, []byte, error) {
	if k.Kty != "EC" || k.Crv != "P-521" {
		return nil, nil, errors.New("drop: the key is not on P-521")
	}
	x, err := fromB64(k.X, coordinate)
	if err != nil {
		return nil, nil, err
	}
	y, err := fromB64(k.Y, coordinate)
	if err != nil {
		return nil, nil, err
	}
	raw := append(append([]byte{4}, x...), y...)
	key, err := ecdh.P521().NewPublicKey(raw)
	if err != nil {
		return nil, nil, errors.New("drop: the key is not a point of P-521")
	}
	return key, raw, nil
}

// terms are what both ends of a transfer must agree on; each is in its transcript.
type terms struct {
	transfer         []byte // 16 bytes
	file             string // id of the item
	receiver, sender rid
	pkR, pkS         []byte
	size             int64
	chunk            int
	from             int64 // first chunk that is sent
}

// transcript is T.
func (t terms) transcript() []byte {
	sum := sha256.Sum256(lv([]byte(protocol+" transfer"), t.transfer, []byte(t.file), t.receiver[:], t.sender[:], t.pkR, t.pkS,
		u64(uint64(t.size)), binary.BigEndian.AppendUint32(nil, uint32(t.chunk)), u64(uint64(t.from))))
	return sum[:]
}

// transferKeys are the keys of one attempt.
type transferKeys struct {
	stream *stream
	ack    []byte
}

func (t terms) keys(shared, group []byte) transferKeys {
	secret := append(append([]byte{}, shared...), group...)
	transcript := t.transcript()
	okm := derive(secret, transcript, protocol+" file", 39)
	return transferKeys{
		stream: newStream(okm[:32], okm[32:], transcript, t.size, t.chunk),
		ack:    derive(secret, transcript, protocol+" ack", 32),
	}
}

func ackTag(key []byte, chunks int64) []byte { return mac(key, []byte("ack"), u64(uint64(chunks))) }

func doneTag(key []byte, file string, size int64, digest []byte) []byte {
	return mac(key, []byte("done"), lv(file), u64(uint64(size)), digest)
}

func verifiedTag(key, digest []byte) []byte { return mac(key, []byte("verified"), digest) }

func u64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
