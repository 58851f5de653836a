package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Block is a network whose requests the server refuses.
type Block struct {
	ID        string     `json:"id"`
	Network   string     `json:"network"` // an address is a network of one: 192.0.2.7/32
	Reason    string     `json:"reason"`
	Automatic bool       `json:"automatic"` // the server blocked it by itself
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"` // nil for never
}

// NewBlock is what a network is blocked with.
type NewBlock struct {
	Network   string     `json:"network"` // an address, or a network such as 192.0.2.0/24
	Reason    string     `json:"reason"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"` // nil for never
}

// AddBlock blocks a network. The caller is an admin with a fresh proof.
func (c *Client) AddBlock(ctx context.Context, in NewBlock) (Block, error) {
	var b Block
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/admin/blocks", proof: session, in: in}, &b)
	return b, err
}

// Blocks iterates over the blocks in force, the newest first. automatic chooses one sort of
// them; nil is all. The caller is an admin.
func (c *Client) Blocks(ctx context.Context, automatic *bool) iter.Seq2[Block, error] {
	query := url.Values{}
	if automatic != nil {
		query.Set("automatic", strconv.FormatBool(*automatic))
	}
	return pages[Block](ctx, c, "/v1/admin/blocks", query)
}

// RemoveBlock ends a block. The caller is an admin with a fresh proof.
func (c *Client) RemoveBlock(ctx context.Context, id string) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: "/v1/admin/blocks/" + url.PathEscape(id), proof: session}, nil)
	return err
}
