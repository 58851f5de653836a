package drop

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ridLength is how many characters a rid has, and a transfer's id.
const ridLength = 22

// publicKey is a JWK of an ECDH key on P-521. The server reads no more of it than its shape.
type publicKey struct {
	Kty string `json:"kty" enum:"EC"`
	Crv string `json:"crv" enum:"P-521"`
	X   string `json:"x" minLength:"88" maxLength:"88"`
	Y   string `json:"y" minLength:"88" maxLength:"88"`
}

func (k publicKey) valid() bool {
	return k.Kty == "EC" && k.Crv == "P-521" && len(k.X) == 88 && len(k.Y) == 88
}

// maxSealed bounds the sealed part of a request or an answer.
const maxSealed = 2048

// request asks a sender for an item.
type request struct {
	T         string    `json:"t"`
	N         uint32    `json:"n"`
	Transfer  string    `json:"transfer"`
	From      string    `json:"from"`
	FileID    string    `json:"file_id"`
	PublicKey publicKey `json:"public_key"`
	Sealed    string    `json:"sealed"`
}

// incoming is a frame of a member.
type incoming struct {
	T         string         `json:"t"`
	To        string         `json:"to"`
	Body      jsontext.Value `json:"body"`
	RID       string         `json:"rid"`
	Code      string         `json:"code"`
	N         uint32         `json:"n"`
	PublicKey publicKey      `json:"public_key"`
	Sealed    string         `json:"sealed"`
	Chunk     int            `json:"chunk"`
}

type shownMember struct {
	RID  string `json:"rid"`
	Host bool   `json:"host"`
	Here bool   `json:"here"`
}

type welcome struct {
	T       string        `json:"t"`
	RID     string        `json:"rid"`
	Host    bool          `json:"host"`
	HostRID string        `json:"host_rid"`
	Name    string        `json:"name"`
	Expires time.Time     `json:"expires_at"`
	Members []shownMember `json:"members"`
	Queue   int           `json:"queue"`
}

// frame encodes a frame of the server. Its values have no faults, so neither has the text.
func frame(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("internal error: a frame has no JSON: " + err.Error())
	}
	return b
}

func joinFrame(rid string) []byte {
	return frame(struct {
		T   string `json:"t"`
		RID string `json:"rid"`
	}{"join", rid})
}

func memberFrame(rid string, host, here, gone bool) []byte {
	return frame(struct {
		T    string `json:"t"`
		RID  string `json:"rid"`
		Host bool   `json:"host"`
		Here bool   `json:"here"`
		Gone bool   `json:"gone,omitzero"`
	}{"member", rid, host, here, gone})
}

func nameFrame(name string, expires time.Time) []byte {
	return frame(struct {
		T       string    `json:"t"`
		Name    string    `json:"name"`
		Expires time.Time `json:"expires_at"`
	}{"name", name, expires})
}

func messageFrame(from string, body jsontext.Value) []byte {
	b := make([]byte, 0, len(body)+64)
	b = append(b, `{"t":"msg","from":"`...)
	b = append(b, from...) // a rid needs no escape
	b = append(b, `","body":`...)
	return append(append(b, body...), '}')
}

func creditFrame(n uint32, chunks int) []byte {
	return frame(struct {
		T      string `json:"t"`
		N      uint32 `json:"n"`
		Chunks int    `json:"chunks"`
	}{"credit", n, chunks})
}

func endFrame(n uint32, code string) []byte {
	return frame(struct {
		T    string `json:"t"`
		N    uint32 `json:"n"`
		Code string `json:"code"`
	}{"end", n, code})
}

func errorFrame(code, to string) []byte {
	return frame(struct {
		T    string `json:"t"`
		Code string `json:"code"`
		To   string `json:"to"`
	}{"error", code, to})
}

func closedFrame(code string) []byte {
	return frame(struct {
		T    string `json:"t"`
		Code string `json:"code"`
	}{"closed", code})
}

var (
	replacedFrame  = []byte(`{"t":"replaced"}`)
	reconnectFrame = []byte(`{"t":"reconnect"}`)
)

// validRID reports whether s has the form of a rid.
func validRID(s string) bool {
	if len(s) != ridLength {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
