package drop

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// subprotocol names the socket's language.
const subprotocol = "coffer.drop.v1"

// maxText bounds a text frame of the server.
const maxText = 64 << 10

// frame is a text frame of the server: the union of all kinds.
type frame struct {
	T         string          `json:"t"`
	RID       rid             `json:"rid"`
	HostRID   rid             `json:"host_rid"`
	From      rid             `json:"from"`
	Host      bool            `json:"host"`
	Here      bool            `json:"here"`
	Gone      bool            `json:"gone"`
	Name      string          `json:"name"`
	ExpiresAt time.Time       `json:"expires_at"`
	Members   []present       `json:"members"`
	Queue     int             `json:"queue"`
	Body      json.RawMessage `json:"body"`
	N         uint32          `json:"n"`
	Transfer  string          `json:"transfer"`
	FileID    string          `json:"file_id"`
	PublicKey jwk             `json:"public_key"`
	Sealed    string          `json:"sealed"`
	Chunks    int             `json:"chunks"`
	Code      string          `json:"code"`
	To        string          `json:"to"`
}

// present is a member in the list of a welcome.
type present struct {
	RID  rid  `json:"rid"`
	Host bool `json:"host"`
	Here bool `json:"here"`
}

// readFrame reads a text frame of the server.
func readFrame(raw []byte) (frame, error) {
	var f frame
	if len(raw) > maxText {
		return frame{}, errors.New("drop: a frame of the server is too long")
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return frame{}, fmt.Errorf("drop: a frame of the server: %w", err)
	}
	return f, nil
}

// The frames of a member.
type (
	msgFrame struct {
		T    string `json:"t"`
		To   rid    `json:"to"`
		Body any    `json:"body"`
	}
	admitFrame struct {
		T    string `json:"t"`
		RID  rid    `json:"rid"`
		Code string `json:"code,omitempty"` // of a reject
	}
	acceptFrame struct {
		T         string `json:"t"`
		N         uint32 `json:"n"`
		PublicKey jwk    `json:"public_key"`
		Sealed    string `json:"sealed"`
		Chunk     int    `json:"chunk"`
	}
	endFrame struct {
		T    string `json:"t"`
		N    uint32 `json:"n"`
		Code string `json:"code,omitempty"` // of a fail
	}
	leaveFrame struct {
		T string `json:"t"`
	}
)

// body is what one member tells another: the union of all kinds.
type body struct {
	K        string `json:"k"`
	Mode     mode   `json:"mode,omitempty"`
	Y        string `json:"y,omitempty"`
	Tag      string `json:"tag,omitempty"`
	Sealed   string `json:"sealed,omitempty"`
	D        string `json:"d,omitempty"`
	Transfer string `json:"transfer,omitempty"`
	Chunks   *int64 `json:"chunks,omitempty"`
}

// The kinds of frames of a receiver's stream.
const (
	partAlive byte = iota
	partStart
	partChunk
	partEnd
	partError
)

// start is the first part of a receiver's stream.
type start struct {
	PublicKey jwk    `json:"public_key"`
	Sealed    string `json:"sealed"`
	Chunk     int    `json:"chunk"`
}

// parts reads a receiver's stream. Its memory is bounded by the longest allowed part.
type parts struct {
	from io.Reader
	head [5]byte
}

// next reads one part. It places the payload in buf when that is long enough. io.EOF means
// that the stream ended between two parts, which is no end of the item.
func (p *parts) next(buf []byte) (kind byte, payload []byte, err error) {
	if _, err := io.ReadFull(p.from, p.head[:]); err != nil {
		return 0, nil, err
	}
	kind = p.head[0]
	n := int64(binary.BigEndian.Uint32(p.head[1:]))
	var limit int64
	switch kind {
	case partAlive, partEnd:
	case partStart:
		limit = maxText
	case partChunk:
		limit = maxChunk + overhead
	case partError:
		limit = 4 << 10
	default:
		return 0, nil, fmt.Errorf("drop: the stream has a part of unknown kind %d", kind)
	}
	if n > limit {
		return 0, nil, fmt.Errorf("drop: the stream has a part of %d bytes, at most %d", n, limit)
	}
	if int64(cap(buf)) < n {
		buf = make([]byte, n)
	}
	payload = buf[:n]
	if _, err := io.ReadFull(p.from, payload); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	return kind, payload, nil
}

func readStart(payload []byte) (start, error) {
	var s start
	if err := json.Unmarshal(payload, &s); err != nil {
		return start{}, fmt.Errorf("drop: the start of a stream: %w", err)
	}
	return s, nil
}

// readCode reads the payload of an error part.
func readCode(payload []byte) string {
	var e struct {
		Code string `json:"code"`
	}
	if json.Unmarshal(payload, &e) != nil {
		return ""
	}
	return e.Code
}
