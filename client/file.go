package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"time"
	"unicode"
)

// Entry is a file or a folder.
type Entry struct {
	ID         string    `json:"id"`
	Kind       string    `json:"kind"` // file or folder
	Name       string    `json:"name"`
	Parent     *string   `json:"parent"`  // nil at the root
	Size       int64     `json:"size"`    // bytes; 0 for a folder
	Damaged    bool      `json:"damaged"` // what the server keeps of it does not open: its name, or media type and hash
	MediaType  string    `json:"media_type"`
	SHA256     string    `json:"sha256"` // of the content, hexadecimal
	CreatedAt  time.Time `json:"created_at"`
	ModifiedAt time.Time `json:"modified_at"`
}

// Files walks over a folder's children; parent "" is the root. sort is name, created,
// modified or size, with "-" before it for the other direction; "" is name.
func (c *Client) Files(ctx context.Context, parent, sort string) iter.Seq2[Entry, error] {
	query := url.Values{}
	if parent != "" {
		query.Set("parent", parent)
	}
	if sort != "" {
		query.Set("sort", sort)
	}
	return pages[Entry](ctx, c, "/v1/files", query)
}

// File returns one file or folder.
func (c *Client) File(ctx context.Context, id string) (Entry, error) {
	var e Entry
	_, err := c.call(ctx, request{method: http.MethodGet, path: filePath(id), proof: session}, &e)
	return e, err
}

func filePath(id string) string { return "/v1/files/" + url.PathEscape(id) }

// CreateFolder makes a folder in parent ("" = root). The server numbers a taken name.
func (c *Client) CreateFolder(ctx context.Context, parent, name string) (Entry, error) {
	body := map[string]string{"name": name}
	if parent != "" {
		body["parent"] = parent
	}
	var e Entry
	_, err := c.call(ctx, request{method: http.MethodPost, path: "/v1/files/folders", proof: session, in: body}, &e)
	return e, err
}

// RenameFile gives a file or folder another name.
func (c *Client) RenameFile(ctx context.Context, id, name string) (Entry, error) {
	return c.updateFile(ctx, id, map[string]string{"name": name})
}

// MoveFile puts a file or folder into parent ("" = root).
func (c *Client) MoveFile(ctx context.Context, id, parent string) (Entry, error) {
	return c.updateFile(ctx, id, map[string]string{"parent": parent})
}

func (c *Client) updateFile(ctx context.Context, id string, change map[string]string) (Entry, error) {
	var e Entry
	_, err := c.call(ctx, request{method: http.MethodPatch, path: filePath(id), proof: session, in: change}, &e)
	return e, err
}

// DeleteFile deletes a file, or a folder with everything below it.
func (c *Client) DeleteFile(ctx context.Context, id string) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: filePath(id), proof: session}, nil)
	return err
}

// Source is a file to upload.
type Source struct {
	Name      string
	MediaType string    // "" is application/octet-stream
	Content   io.Reader // read once, never held in memory
}

// Upload stores files in parent ("" = root): all of them or, after an error that the
// server sent, none. When the connection broke before the answer came, they may be there.
func (c *Client) Upload(ctx context.Context, parent string, files ...Source) ([]Entry, error) {
	if len(files) == 0 {
		return nil, errors.New("client: nothing to upload")
	}
	body, contentType, err := form(files)
	if err != nil {
		return nil, err
	}
	query := url.Values{}
	if parent != "" {
		query.Set("parent", parent)
	}
	var stored struct {
		Items []Entry `json:"items"`
	}
	_, err = c.call(ctx, request{
		method: http.MethodPost, path: "/v1/files", query: query, proof: session, body: &once{r: body}, contentType: contentType,
	}, &stored)
	if err == nil && len(stored.Items) != len(files) {
		err = fmt.Errorf("client: %d files sent, %d stored", len(files), len(stored.Items))
	}
	return stored.Items, err
}

// form strings the parts of a multipart body together: what stands between the contents
// is made ahead, the contents are read as the connection takes them.
func form(files []Source) (io.Reader, string, error) {
	var frame bytes.Buffer
	w := multipart.NewWriter(&frame)
	var parts []io.Reader
	cut := func() {
		parts = append(parts, strings.NewReader(frame.String()))
		frame.Reset()
	}
	for _, f := range files {
		// The server takes what stands behind the last slash for the name (RFC 7578 §4.2).
		if strings.ContainsFunc(f.Name+f.MediaType, unicode.IsControl) || strings.ContainsAny(f.Name, `/\`) {
			return nil, "", fmt.Errorf("client: %q cannot be the name of a file", f.Name)
		}
		mediaType := f.MediaType
		if mediaType == "" {
			mediaType = "application/octet-stream"
		}
		name := strings.ReplaceAll(f.Name, `"`, `\"`) // a quoted string in UTF-8, not escaped further
		if _, err := w.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {`form-data; name="file"; filename="` + name + `"`},
			"Content-Type":        {mediaType},
		}); err != nil {
			return nil, "", err
		}
		cut()
		parts = append(parts, f.Content)
	}
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	cut()
	return io.MultiReader(parts...), w.FormDataContentType(), nil
}

// pages walks over a list page by page. It ends at the first error, which it yields.
func pages[T any](ctx context.Context, c *Client, path string, query url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		q := url.Values{"limit": {"200"}}
		for name, values := range query {
			q[name] = values
		}
		for {
			var page struct {
				Items      []T    `json:"items"`
				NextCursor string `json:"next_cursor"`
			}
			if _, err := c.call(ctx, request{method: http.MethodGet, path: path, query: q, proof: session}, &page); err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			if page.NextCursor == "" {
				return
			}
			if q.Get("cursor") == page.NextCursor {
				var none T
				yield(none, fmt.Errorf("client: %s: the list goes in a circle", path))
				return
			}
			q.Set("cursor", page.NextCursor)
		}
	}
}
