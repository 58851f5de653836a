package client

import (
	"context"
	"io"
	"iter"
	"net/http"
	"net/url"
)

// Hit is an entry that a search found.
type Hit struct {
	Entry
	Path []Above `json:"path"` // the outermost folder first; empty at the root
}

// Above is a folder above an entry.
type Above struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// SearchFiles iterates over the files and folders below under ("" = root) whose names have
// each word of q as the beginning of a word. The ones modified last come first.
func (c *Client) SearchFiles(ctx context.Context, q, under string) iter.Seq2[Hit, error] {
	query := url.Values{"q": {q}}
	if under != "" {
		query.Set("under", under)
	}
	return pages[Hit](ctx, c, "/v1/files/search", query)
}

// Archive opens a zip of files and folders, each at its top. The stream of a truncated
// archive ends in an error. The caller closes it.
func (c *Client) Archive(ctx context.Context, ids ...string) (io.ReadCloser, error) {
	r := request{method: http.MethodPost, path: "/v1/files/archive", proof: session, in: map[string][]string{"ids": ids}}
	if len(ids) == 1 {
		r = request{method: http.MethodGet, path: filePath(ids[0]) + "/archive", proof: session}
	}
	res, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}
