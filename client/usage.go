package client

import (
	"context"
	"net/http"
)

// Usage is what an account keeps and may keep. A quota that is nil is no bound.
type Usage struct {
	Bytes      int64  `json:"bytes"`    // of contents; one that several entries share counts once
	Files      int64  `json:"files"`    // with versions, unfinished uploads and the trash
	Folders    int64  `json:"folders"`  // count beside the files
	Reserved   int64  `json:"reserved"` // bytes that unfinished uploads may come to
	QuotaBytes *int64 `json:"quota_bytes"`
	QuotaFiles *int64 `json:"quota_files"`
	Trash      Amount `json:"trash"`
	Versions   Amount `json:"versions"`
	Largest    []Hit  `json:"largest"` // the ten largest files, with the folders above them
}

// Amount is a number of files and their bytes.
type Amount struct {
	Bytes int64 `json:"bytes"`
	Files int64 `json:"files"`
}

// Usage returns what the account keeps and may keep.
func (c *Client) Usage(ctx context.Context) (Usage, error) {
	var u Usage
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/files/usage", proof: session}, &u)
	return u, err
}
