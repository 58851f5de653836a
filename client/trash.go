package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// Trashed is an entry in the trash.
type Trashed struct {
	Entry
	DeletedAt time.Time  `json:"deleted_at"`
	ExpiresAt *time.Time `json:"expires_at"` // nil for never
	Origin    struct {
		ID   *string  `json:"id"`   // of its folder; nil for the root
		Path []string `json:"path"` // names of the folders above it, outermost first
	} `json:"origin"`
}

// Trash iterates over the trash; the entry that was deleted last comes first.
func (c *Client) Trash(ctx context.Context) iter.Seq2[Trashed, error] {
	return pages[Trashed](ctx, c, "/v1/trash", url.Values{})
}

// RestoreFile moves an entry out of the trash, to where it was.
func (c *Client) RestoreFile(ctx context.Context, id string) (Entry, error) {
	var e Entry
	_, err := c.call(ctx, request{method: http.MethodPost, path: trashPath(id) + "/restore", proof: session}, &e)
	return e, err
}

// DeleteTrashed deletes an entry of the trash for good.
func (c *Client) DeleteTrashed(ctx context.Context, id string) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: trashPath(id), proof: session}, nil)
	return err
}

// EmptyTrash deletes everything in the trash for good.
func (c *Client) EmptyTrash(ctx context.Context) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: "/v1/trash", proof: session}, nil)
	return err
}

func trashPath(id string) string { return "/v1/trash/" + url.PathEscape(id) }

// Version is an earlier content of a file.
type Version struct {
	ID         string    `json:"id"`
	Size       int64     `json:"size"`
	Damaged    bool      `json:"damaged"` // its media type and hash cannot be decrypted
	MediaType  string    `json:"media_type"`
	SHA256     string    `json:"sha256"`      // of the content, hexadecimal
	StoredAt   time.Time `json:"stored_at"`   // when it became the file's content
	ReplacedAt time.Time `json:"replaced_at"` // when another content took its place
}

// Versions iterates over the earlier contents of a file; the one that was replaced last
// comes first.
func (c *Client) Versions(ctx context.Context, id string) iter.Seq2[Version, error] {
	return pages[Version](ctx, c, filePath(id)+"/versions", url.Values{})
}

// DownloadVersion opens an earlier content of a file.
func (c *Client) DownloadVersion(ctx context.Context, id, version string) (*Content, error) {
	return c.download(ctx, versionPath(id, version)+"/content", nil)
}

// RestoreVersion makes an earlier content the file's content. The content that it had
// becomes a version.
func (c *Client) RestoreVersion(ctx context.Context, id, version string) (Entry, error) {
	var e Entry
	_, err := c.call(ctx, request{method: http.MethodPost, path: versionPath(id, version) + "/restore", proof: session}, &e)
	return e, err
}

// DeleteVersion deletes an earlier content for good.
func (c *Client) DeleteVersion(ctx context.Context, id, version string) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: versionPath(id, version), proof: session}, nil)
	return err
}

func versionPath(id, version string) string {
	return filePath(id) + "/versions/" + url.PathEscape(version)
}
