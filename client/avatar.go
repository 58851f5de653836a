package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// Avatar is the picture of an account.
type Avatar struct {
	ID   string            `json:"id"`   // new for each picture
	URLs map[string]string `json:"urls"` // public addresses by the side in pixels: 64, 128, 256, 512
}

// Crop is a square part of a picture, in pixels of the upright picture.
type Crop struct{ X, Y, Side int }

// SetAvatar gives the account a picture: JPEG, PNG, GIF or WebP. The zero crop is the largest
// square around the centre. Codes picture_unsupported, picture_too_large, picture_damaged,
// picture_crop, too_large.
func (c *Client) SetAvatar(ctx context.Context, content io.Reader, part Crop) (Avatar, error) {
	r := request{
		method: http.MethodPut, path: "/v1/account/avatar", proof: session,
		body: &once{r: content}, contentType: "application/octet-stream",
	}
	if part != (Crop{}) {
		r.query = url.Values{"x": {strconv.Itoa(part.X)}, "y": {strconv.Itoa(part.Y)}, "side": {strconv.Itoa(part.Side)}}
	}
	var out struct {
		Avatar Avatar `json:"avatar"`
	}
	_, err := c.call(ctx, r, &out)
	return out.Avatar, err
}

// RemoveAvatar takes the account's picture away.
func (c *Client) RemoveAvatar(ctx context.Context) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: "/v1/account/avatar", proof: session}, nil)
	return err
}

// ReadAvatar reads a picture from the server, without a session: WebP of the side size.
func (c *Client) ReadAvatar(ctx context.Context, id string, size int) ([]byte, error) {
	res, err := c.send(ctx, request{method: http.MethodGet, path: fmt.Sprintf("/v1/avatars/%s/%d.webp", url.PathEscape(id), size)})
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return readAtMost(res.Body, maxJSON)
}
