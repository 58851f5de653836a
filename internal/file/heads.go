package file

import (
	"errors"
	"io"
)

// maxHead is how many bytes the parser may read between two parts: the header of the next
// part, or a preamble before the first (RFC 2046 §5.1.1). The parser by itself holds
// headers of 10 MiB. The program also bounds how many fields a header has (cmd/coffer).
const maxHead = 32 << 10

var errLongHead = errors.New("file: the header of a part is too long")

// heads is the body of a form on its way to the parser.
type heads struct {
	r      io.Reader
	inside bool // a header
	left   int  // of maxHead
}

func (h *heads) begin() { h.inside, h.left = true, maxHead }
func (h *heads) end()   { h.inside = false }

// Read implements io.Reader.
func (h *heads) Read(p []byte) (int, error) {
	if !h.inside {
		return h.r.Read(p)
	}
	if h.left == 0 {
		return 0, errLongHead
	}
	n, err := h.r.Read(p[:min(len(p), h.left)])
	h.left -= n
	return n, err
}
