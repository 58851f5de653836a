package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
)

// Change names a changed part of the account. The caller reads the new state itself.
type Change struct {
	Kind string // "files": a folder's children; "anything": events may have been missed
	ID   string // of the folder; "" is the root
}

// maxEvent is the longest line of an event, in bytes.
const maxEvent = 64 << 10

// Changes yields the account's changes as they happen, until ctx ends. It ends with an
// error. After io.ErrUnexpectedEOF the server stopped or the connection broke, and anything
// may have changed. A refusal means that the session is over.
func (c *Client) Changes(ctx context.Context) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		res, err := c.send(ctx, request{method: http.MethodGet, path: "/v1/changes", proof: session})
		if err != nil {
			yield(Change{}, err)
			return
		}
		defer res.Body.Close()
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, maxEvent)
		var kind string
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "event":
				kind = value
			case "data":
				var data struct{ ID string }
				if err := json.Unmarshal([]byte(value), &data); err != nil {
					yield(Change{}, fmt.Errorf("client: an event of /v1/changes: %w", err))
					return
				}
				if !yield(Change{Kind: kind, ID: data.ID}, nil) {
					return
				}
			}
		}
		err = lines.Err()
		if err == nil {
			err = io.ErrUnexpectedEOF
		}
		yield(Change{}, err)
	}
}
