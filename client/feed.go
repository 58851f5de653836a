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

// Change says that something of the account changed, not how: ask for it.
type Change struct {
	Kind string // "files": a folder's children; "anything": events may have been missed
	ID   string // of the folder; "" is the root
}

// maxEvent is the longest line of an event, in bytes.
const maxEvent = 64 << 10

// Changes yields what changes in the account, as it changes, until ctx ends. It ends with an
// error: io.ErrUnexpectedEOF when the server stopped or the connection broke, after which
// anything may have changed; a refusal when the session is over.
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
