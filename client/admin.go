package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// The operations of admins. Changes need a fresh proof of presence; see [Client.Reauthenticate].

// AdminAccount is an account as an admin sees it. A page of accounts leaves out what follows
// SignedInAt.
type AdminAccount struct {
	ID         string     `json:"id"`
	Username   string     `json:"username"`
	Email      string     `json:"email"`
	Status     string     `json:"status"` // active, deactivated, suspended or deleting
	Role       string     `json:"role"`   // user or admin
	CreatedAt  time.Time  `json:"created_at"`
	SignedInAt *time.Time `json:"signed_in_at"`

	FirstName string     `json:"first_name"`
	LastName  string     `json:"last_name"`
	Layers    []string   `json:"layers"`
	Passkeys  int        `json:"passkeys"`
	Sessions  int64      `json:"sessions"`
	Links     int64      `json:"links"`
	Suspended bool       `json:"suspended"`
	Locked    bool       `json:"locked"`
	Usage     AdminUsage `json:"usage"`
}

// AdminUsage is what an account keeps and may keep.
type AdminUsage struct {
	Bytes         int64  `json:"bytes"`
	Files         int64  `json:"files"`
	QuotaBytes    *int64 `json:"quota_bytes"` // nil without a bound
	QuotaFiles    *int64 `json:"quota_files"`
	OwnQuotaBytes bool   `json:"own_quota_bytes"`
	OwnQuotaFiles bool   `json:"own_quota_files"`
}

// AdminPage is a page of a list; Next is the cursor of the one behind it, "" on the last.
type AdminPage[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next_cursor"`
}

// AdminAccounts returns the account with exactly that address or username; with "" a page of
// all, the newest first.
func (c *Client) AdminAccounts(ctx context.Context, name, cursor string) (AdminPage[AdminAccount], error) {
	var p AdminPage[AdminAccount]
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/admin/accounts", query: url.Values{"q": {name}, "cursor": {cursor}}, proof: session}, &p)
	return p, err
}

func adminPath(id string) string { return "/v1/admin/accounts/" + url.PathEscape(id) }

// AdminAccount returns an account's state.
func (c *Client) AdminAccount(ctx context.Context, id string) (AdminAccount, error) {
	var a AdminAccount
	_, err := c.call(ctx, request{method: http.MethodGet, path: adminPath(id), proof: session}, &a)
	return a, err
}

// AdminChange changes an account. Names are status (active, suspended), role (user, admin),
// locked, quota_bytes and quota_files; a quota of nil is the settings', 0 no bound.
func (c *Client) AdminChange(ctx context.Context, id string, changes map[string]any) (AdminAccount, error) {
	var a AdminAccount
	_, err := c.call(ctx, request{method: http.MethodPatch, path: adminPath(id), proof: session, in: changes}, &a)
	return a, err
}

// AdminEndSessions ends every session of an account.
func (c *Client) AdminEndSessions(ctx context.Context, id string) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: adminPath(id) + "/sessions", proof: session}, nil)
	return err
}

// AdminStartReset mails the owner a link to set a new password.
func (c *Client) AdminStartReset(ctx context.Context, id string) error {
	_, err := c.call(ctx, request{method: http.MethodPost, path: adminPath(id) + "/reset", proof: session}, nil)
	return err
}

// AdminEvent is an entry of the log.
type AdminEvent struct {
	ID     int64     `json:"id"`
	At     time.Time `json:"at"`
	Action string    `json:"action"`
	Actor  struct {
		Kind    string      `json:"kind"` // admin, console or server
		Account *AdminNamed `json:"account"`
		Address string      `json:"address"`
		Console string      `json:"console"`
	} `json:"actor"`
	Account *AdminNamed       `json:"account"`
	Target  string            `json:"target"`
	Data    map[string]string `json:"data"`
}

// AdminNamed names an account.
type AdminNamed struct {
	ID       string `json:"id"`
	Username string `json:"username"`
}

// AdminEvents returns a page of what admins did and the server found, the newest first.
func (c *Client) AdminEvents(ctx context.Context, cursor string) (AdminPage[AdminEvent], error) {
	var p AdminPage[AdminEvent]
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/admin/events", query: url.Values{"cursor": {cursor}}, proof: session}, &p)
	return p, err
}

// AdminBlockShare takes a link down, or lets it be used again. ref is its id or address.
func (c *Client) AdminBlockShare(ctx context.Context, ref string, blocked bool) error {
	_, err := c.call(ctx, request{method: http.MethodPatch, path: "/v1/admin/shares/" + url.PathEscape(ref), proof: session, in: map[string]bool{"blocked": blocked}}, nil)
	return err
}
