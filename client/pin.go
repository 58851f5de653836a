package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// Pin is a file or a folder that the server publishes on IPFS.
type Pin struct {
	ID         string     `json:"id"`
	Damaged    bool       `json:"damaged"` // its record was altered: it can be removed
	FileID     *string    `json:"file_id"` // nil when the file or folder is deleted for good
	Name       string     `json:"name"`
	Kind       string     `json:"kind"` // file or folder
	Encrypt    bool       `json:"encrypt"`
	CID        *string    `json:"cid"` // nil until it is computed
	Size       int64      `json:"size"`
	State      string     `json:"state"`  // queued, sending, pinned, verified, failed or removing
	Reason     string     `json:"reason"` // of a pin that failed
	Targets    []PinnedAt `json:"targets"`
	CreatedAt  time.Time  `json:"created_at"`
	VerifiedAt *time.Time `json:"verified_at"`
	Link       string     `json:"link"` // of an encrypted pin; it opens the content
	Ledger     []int64    `json:"ledger"`
}

// PinnedAt is a pin at one target.
type PinnedAt struct {
	Name       string     `json:"name"`
	State      string     `json:"state"`
	Reason     string     `json:"reason"` // why it failed, or what it waits for
	PinnedAt   *time.Time `json:"pinned_at"`
	VerifiedAt *time.Time `json:"verified_at"` // when blocks were last read back
	NextTryAt  *time.Time `json:"next_try_at"`
	GatewayURL string     `json:"gateway_url"`
}

// PinTarget is a place where the server can pin.
type PinTarget struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"` // pinata, kubo or psa
	Gateway string `json:"gateway"`
}

// NewPin is how something is pinned. The zero value encrypts, and pins at every target.
type NewPin struct {
	Public  bool     // everyone can read it, for ever
	Targets []string // names
}

// CreatePin publishes what a file or a folder holds now.
func (c *Client) CreatePin(ctx context.Context, entry string, in NewPin) (Pin, error) {
	body := map[string]any{"encrypt": !in.Public}
	if in.Targets != nil {
		body["targets"] = in.Targets
	}
	var p Pin
	_, err := c.call(ctx, request{method: http.MethodPost, path: filePath(entry) + "/pins", proof: session, in: body}, &p)
	return p, err
}

// Pins iterates over the account's pins in a state and of a file; "" is any. The newest comes
// first.
func (c *Client) Pins(ctx context.Context, state, file string) iter.Seq2[Pin, error] {
	query := url.Values{}
	if state != "" {
		query.Set("state", state)
	}
	if file != "" {
		query.Set("file", file)
	}
	return pages[Pin](ctx, c, "/v1/pins", query)
}

// Pin returns a pin.
func (c *Client) Pin(ctx context.Context, id string) (Pin, error) {
	return c.pinCall(ctx, http.MethodGet, id, "")
}

// RemovePin takes a pin from every target. It is gone once all of them have removed it.
func (c *Client) RemovePin(ctx context.Context, id string) (Pin, error) {
	return c.pinCall(ctx, http.MethodDelete, id, "")
}

// VerifyPin has the server read a pin back soon.
func (c *Client) VerifyPin(ctx context.Context, id string) (Pin, error) {
	return c.pinCall(ctx, http.MethodPost, id, "/verify")
}

// RetryPin begins anew with the targets of a pin that failed.
func (c *Client) RetryPin(ctx context.Context, id string) (Pin, error) {
	return c.pinCall(ctx, http.MethodPost, id, "/retry")
}

func (c *Client) pinCall(ctx context.Context, method, id, what string) (p Pin, err error) {
	_, err = c.call(ctx, request{method: method, path: "/v1/pins/" + url.PathEscape(id) + what, proof: session}, &p)
	return p, err
}

// PinTargets returns where the server can pin.
func (c *Client) PinTargets(ctx context.Context) ([]PinTarget, error) {
	var all struct{ Items []PinTarget }
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/pins/targets", proof: session}, &all)
	return all.Items, err
}
