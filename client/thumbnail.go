package client

import (
	"context"
	"net/http"
)

// maxThumbnail is the largest thumbnail read into memory, in bytes.
const maxThumbnail = 4 << 20

// Thumbnail returns the small picture of a picture, as WebP. Code no_thumbnail means that the
// file is no picture, or that the server has not made it yet.
func (c *Client) Thumbnail(ctx context.Context, id string) ([]byte, error) {
	res, err := c.send(ctx, request{method: http.MethodGet, path: filePath(id) + "/thumbnail", proof: session})
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return readAtMost(res.Body, maxThumbnail)
}
