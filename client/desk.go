package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// The server as a whole, as an admin sees it.

// ServerOverview is whether the server is well.
type ServerOverview struct {
	Version string            `json:"version"`
	Time    time.Time         `json:"time"`   // the server's clock
	Checks  map[string]string `json:"checks"` // each dependency: ok or unavailable
	Queue   struct {
		Waiting       int64 `json:"waiting"`
		Running       int64 `json:"running"`
		Dead          int64 `json:"dead"`
		OldestSeconds int64 `json:"oldest_seconds"` // how long the oldest job that is due waits
	} `json:"queue"`
	Usage ServerUsage `json:"usage"`
}

// ServerUsage is what the server keeps.
type ServerUsage struct {
	Accounts struct {
		Active      int64 `json:"active"`
		Deactivated int64 `json:"deactivated"`
		Suspended   int64 `json:"suspended"`
		Deleting    int64 `json:"deleting"`
		Admins      int64 `json:"admins"`
	} `json:"accounts"`
	Bytes    int64 `json:"bytes"`
	Reserved int64 `json:"reserved"` // bytes that unfinished uploads may come to
	Files    int64 `json:"files"`
	Folders  int64 `json:"folders"`
	Blobs    int64 `json:"blobs"` // stored objects; several files may share one
	Drops    int64 `json:"drops"`
	Shares   struct {
		Read    int64 `json:"read"`
		Request int64 `json:"request"`
		Blocked int64 `json:"blocked"`
	} `json:"shares"`
}

// AdminOverview returns whether the server is well. The caller is an admin.
func (c *Client) AdminOverview(ctx context.Context) (ServerOverview, error) {
	var o ServerOverview
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/admin/overview", proof: session}, &o)
	return o, err
}

// AdminUsage returns what the server keeps; a count may be two seconds old. The caller is an
// admin.
func (c *Client) AdminUsage(ctx context.Context) (ServerUsage, error) {
	var u ServerUsage
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/admin/usage", proof: session}, &u)
	return u, err
}

// The states of an [AdminJob].
const (
	JobDead    = "dead"
	JobWaiting = "waiting"
	JobRunning = "running"
)

// AdminJob is a piece of work that happens later.
type AdminJob struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind"`
	State     string     `json:"state"`
	Attempts  int64      `json:"attempts"`
	Failure   string     `json:"failure"` // class of the last error; "" before the first
	CreatedAt time.Time  `json:"created_at"`
	RunAt     *time.Time `json:"run_at"`  // when a waiting job is due
	DeadAt    *time.Time `json:"dead_at"` // when a dead job gave up
}

// AdminJobs iterates over the work of a state, the oldest first. The caller is an admin.
func (c *Client) AdminJobs(ctx context.Context, state string) iter.Seq2[AdminJob, error] {
	return pages[AdminJob](ctx, c, "/v1/admin/jobs", url.Values{"state": {state}})
}

// AdminRetryJob gives a dead job its attempts again. The caller is an admin with a fresh proof.
func (c *Client) AdminRetryJob(ctx context.Context, id string) error {
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/admin/jobs/" + url.PathEscape(id) + "/retry", proof: session}, nil)
	return err
}

// RingKey is a key of the server's ring, without its secret.
type RingKey struct {
	Purpose     string     `json:"purpose"`
	ID          string     `json:"id"`
	State       string     `json:"state"` // pending, active, open-only or destroyed
	Alg         string     `json:"alg"`
	CreatedAt   time.Time  `json:"created_at"`
	ActiveAt    *time.Time `json:"active_at"`
	RetiredAt   *time.Time `json:"retired_at"`
	DestroyedAt *time.Time `json:"destroyed_at"`
}

// RingWalk is how far a table is sealed under the active key.
type RingWalk struct {
	Name       string     `json:"name"`
	Purpose    string     `json:"purpose"`
	KeyID      string     `json:"key_id"`  // the active key when the walk began
	Done       int64      `json:"done"`    // rows that it looked at
	Damaged    int64      `json:"damaged"` // values that open under no key
	Waiting    int64      `json:"waiting"` // values whose key the ring lacks
	StartedAt  time.Time  `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`
}

// KeyRing is the server's key ring, with the progress of each rotation.
type KeyRing struct {
	Keys  []RingKey  `json:"keys"`
	Walks []RingWalk `json:"walks"`
}

// AdminKeys returns the key ring. The caller is an admin.
func (c *Client) AdminKeys(ctx context.Context) (KeyRing, error) {
	var k KeyRing
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/admin/keys", proof: session}, &k)
	return k, err
}

// AdminRotateKey makes the next key of a purpose the active one. Values under the old key still
// open. Code key_needed: a rotation before it has not finished. The caller is an admin with a
// fresh proof.
func (c *Client) AdminRotateKey(ctx context.Context, purpose string) (RingKey, error) {
	var k RingKey
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/admin/keys", proof: session, in: map[string]string{"purpose": purpose}}, &k)
	return k, err
}

// AdminShare is a link as an admin sees it: nothing of what it leads to.
type AdminShare struct {
	ID        string     `json:"id"`
	Account   AdminNamed `json:"account"`
	Kind      string     `json:"kind"`  // ShareRead or ShareRequest
	State     string     `json:"state"` // open, expired, used_up or blocked
	Blocked   bool       `json:"blocked"`
	Downloads int64      `json:"downloads"`
	Files     int64      `json:"files"` // that came in
	CreatedAt time.Time  `json:"created_at"`
}

// AdminShare returns whose a link is and how it was used. ref is its id or address. The caller
// is an admin.
func (c *Client) AdminShare(ctx context.Context, ref string) (AdminShare, error) {
	var s AdminShare
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/admin/shares/" + url.PathEscape(ref), proof: session}, &s)
	return s, err
}

// AdminEndDrop closes a drop for all its members. Code drop_not_found. The caller is an admin
// with a fresh proof.
func (c *Client) AdminEndDrop(ctx context.Context, name string) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: "/v1/admin/drops/" + url.PathEscape(name), proof: session}, nil)
	return err
}
