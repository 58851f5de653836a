package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
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
	Damaged    bool      `json:"damaged"` // its name, or media type and hash, cannot be decrypted
	MediaType  string    `json:"media_type"`
	SHA256     string    `json:"sha256"`    // of the content, hexadecimal
	Thumbnail  bool      `json:"thumbnail"` // [Client.Thumbnail] has one
	CreatedAt  time.Time `json:"created_at"`
	ModifiedAt time.Time `json:"modified_at"`
	Shared     bool      `json:"shared"` // a link to it is open
}

// Files iterates over a folder's children; parent "" is the root. sort is name, created,
// modified or size, with "-" before it for descending order; "" is name.
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

// RenameFile renames a file or folder.
func (c *Client) RenameFile(ctx context.Context, id, name string) (Entry, error) {
	return c.updateFile(ctx, id, map[string]string{"name": name})
}

// MoveFile moves a file or folder into parent ("" = root).
func (c *Client) MoveFile(ctx context.Context, id, parent string) (Entry, error) {
	return c.updateFile(ctx, id, map[string]string{"parent": parent})
}

func (c *Client) updateFile(ctx context.Context, id string, change map[string]string) (Entry, error) {
	var e Entry
	_, err := c.call(ctx, request{method: http.MethodPatch, path: filePath(id), proof: session, in: change}, &e)
	return e, err
}

// CopyFile copies a file, or a folder with everything below it, into parent ("" = root)
// under a name; "" is the original's. The server numbers a taken name.
func (c *Client) CopyFile(ctx context.Context, id, parent, name string) (Entry, error) {
	body := map[string]string{"parent": parent}
	if name != "" {
		body["name"] = name
	}
	var e Entry
	_, err := c.call(ctx, request{method: http.MethodPost, path: filePath(id) + "/copy", proof: session, in: body}, &e)
	return e, err
}

// DeleteFile moves a file, or a folder with everything below it, into the trash.
func (c *Client) DeleteFile(ctx context.Context, id string) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: filePath(id), proof: session}, nil)
	return err
}

// DeleteFileForGood deletes a file, or a folder with everything below it.
func (c *Client) DeleteFileForGood(ctx context.Context, id string) error {
	query := url.Values{"permanent": {"true"}}
	_, err := c.call(ctx, request{method: http.MethodDelete, path: filePath(id), query: query, proof: session}, nil)
	return err
}

// Source is a file to upload.
type Source struct {
	Name      string
	MediaType string    // "" is application/octet-stream
	Content   io.Reader // read once, never held in memory
}

// Upload stores files in parent ("" = root): all of them or, after a refusal, none. After a
// broken connection they may exist.
func (c *Client) Upload(ctx context.Context, parent string, files ...Source) ([]Entry, error) {
	return c.upload(ctx, parent, false, files)
}

// UploadOver is [Client.Upload] that replaces files of the same names. A replaced content
// becomes a version of its file.
func (c *Client) UploadOver(ctx context.Context, parent string, files ...Source) ([]Entry, error) {
	return c.upload(ctx, parent, true, files)
}

func (c *Client) upload(ctx context.Context, parent string, replace bool, files []Source) ([]Entry, error) {
	if len(files) == 0 {
		return nil, errors.New("client: nothing to upload")
	}
	body, contentType, err := form("", files)
	if err != nil {
		return nil, err
	}
	query := url.Values{}
	if parent != "" {
		query.Set("parent", parent)
	}
	if replace {
		query.Set("replace", "true")
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

// form concatenates the parts of a multipart body, after the sender's name if there is one.
// It builds the text between the contents in advance and reads the contents as the connection
// takes them.
func form(from string, files []Source) (io.Reader, string, error) {
	var frame bytes.Buffer
	w := multipart.NewWriter(&frame)
	if from != "" {
		if err := w.WriteField("from", from); err != nil {
			return nil, "", err
		}
	}
	var parts []io.Reader
	cut := func() {
		parts = append(parts, strings.NewReader(frame.String()))
		frame.Reset()
	}
	for _, f := range files {
		// The server uses the text after the last slash as the name (RFC 7578 §4.2).
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

// pages iterates over a list page by page. It yields the first error and ends.
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

// ErrDigest says that a download's bytes differ from those stored.
var ErrDigest = errors.New("client: the content is not what the server said it is")

// Range is a part of a content.
type Range struct {
	Offset int64
	Length int64 // 0 means to the end
	// ETag is the [Content.ETag] of the intended content. If the content has changed, the
	// whole content comes, with Offset 0.
	ETag string
}

// Content is a download. Read Body to its end, which checks it, and close it.
type Content struct {
	Name      string
	MediaType string
	Offset    int64 // of the first byte of Body in the content
	Length    int64 // of Body; -1 if unknown
	Size      int64 // of the whole content; -1 if unknown
	ETag      string
	SHA256    []byte // of the whole content; nil if unknown
	// Body ends in io.EOF only when it is complete. A whole content must also match the
	// server's digest. Otherwise it ends in io.ErrUnexpectedEOF or [ErrDigest]. Of a part
	// only the length can be checked.
	Body io.ReadCloser
}

// Download opens a file's content.
func (c *Client) Download(ctx context.Context, id string) (*Content, error) {
	return c.download(ctx, filePath(id)+"/content", nil)
}

// DownloadRange opens a part of a file's content. Code range_not_satisfiable means that no
// byte of it exists.
func (c *Client) DownloadRange(ctx context.Context, id string, r Range) (*Content, error) {
	if r.Offset < 0 || r.Length < 0 {
		return nil, errors.New("client: a range has no negative numbers")
	}
	return c.download(ctx, filePath(id)+"/content", &r)
}

func (c *Client) download(ctx context.Context, path string, r *Range) (*Content, error) {
	content, _, err := c.openContent(ctx, request{method: http.MethodGet, path: path, proof: session, header: http.Header{}}, r)
	return content, err
}

// openContent is download with any request. It also returns the answer's header.
func (c *Client) openContent(ctx context.Context, q request, r *Range) (*Content, http.Header, error) {
	// Transparent compression would change the length and the digest.
	h := q.header
	h.Set("Accept-Encoding", "identity")
	if r != nil {
		last := ""
		if r.Length > 0 {
			last = strconv.FormatInt(r.Offset+r.Length-1, 10)
		}
		h.Set("Range", fmt.Sprintf("bytes=%d-%s", r.Offset, last))
		if r.ETag != "" {
			h.Set("If-Range", r.ETag)
		}
	}
	res, err := c.send(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	content, err := newContent(res)
	if err == nil && r != nil && content.Offset != r.Offset && res.StatusCode == http.StatusPartialContent {
		err = fmt.Errorf("client: asked for byte %d, got byte %d", r.Offset, content.Offset)
	}
	if err != nil {
		res.Body.Close()
		return nil, nil, err
	}
	return content, res.Header, nil
}

func newContent(res *http.Response) (*Content, error) {
	h := res.Header
	c := &Content{MediaType: h.Get("Content-Type"), Length: res.ContentLength, Size: res.ContentLength, ETag: h.Get("ETag"), SHA256: reprDigest(h)}
	if _, params, err := mime.ParseMediaType(h.Get("Content-Disposition")); err == nil {
		c.Name = params["filename"]
	}
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusPartialContent:
		first, last, size, err := contentRange(h.Get("Content-Range"))
		if err != nil {
			return nil, err
		}
		c.Offset, c.Length, c.Size = first, last-first+1, size
	default:
		return nil, fmt.Errorf("client: a download answered %s", res.Status)
	}
	body := &checked{body: res.Body, left: c.Length}
	if c.SHA256 != nil && c.Offset == 0 && c.Length == c.Size {
		body.want, body.hash = c.SHA256, sha256.New()
	}
	c.Body = body
	return c, nil
}

// contentRange reads "bytes FIRST-LAST/SIZE" (RFC 9110 §14.4).
func contentRange(s string) (first, last, size int64, err error) {
	var bad error
	number := func(digits string) int64 {
		n, err := strconv.ParseUint(digits, 10, 63)
		bad = errors.Join(bad, err)
		return int64(n)
	}
	numbers, ok := strings.CutPrefix(s, "bytes ")
	span, whole, ok1 := strings.Cut(numbers, "/")
	from, to, ok2 := strings.Cut(span, "-")
	if first, last, size = number(from), number(to), -1; whole != "*" {
		size = number(whole)
	}
	if !ok || !ok1 || !ok2 || bad != nil || last < first || (size >= 0 && last >= size) {
		return 0, 0, 0, fmt.Errorf("client: %q is no Content-Range", s)
	}
	return first, last, size, nil
}

// reprDigest reads the SHA-256 of Repr-Digest (RFC 9530 §3, a dictionary of RFC 8941). It
// returns nil without one.
func reprDigest(h http.Header) []byte {
	for member := range strings.SplitSeq(strings.Join(h.Values("Repr-Digest"), ","), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(member), "=")
		if name != "sha-256" || len(value) < 2 || value[0] != ':' || value[len(value)-1] != ':' {
			continue
		}
		sum, err := base64.StdEncoding.DecodeString(value[1 : len(value)-1])
		if err == nil && len(sum) == sha256.Size {
			return sum
		}
	}
	return nil
}

// checked is a body that verifies its length and digest at the end.
type checked struct {
	body io.ReadCloser
	left int64 // bytes still to come; negative if unknown
	hash hash.Hash
	want []byte
	err  error // of the end
}

// Read implements io.Reader.
func (b *checked) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.body.Read(p)
	if b.hash != nil {
		b.hash.Write(p[:n])
	}
	known := b.left >= 0
	if known {
		if b.left -= int64(n); b.left < 0 {
			err = errors.New("client: the content is longer than announced")
		}
	}
	if err == io.EOF {
		switch {
		case known && b.left > 0:
			err = io.ErrUnexpectedEOF
		case b.hash != nil && !bytes.Equal(b.hash.Sum(nil), b.want):
			err = ErrDigest
		}
	}
	b.err = err
	return n, err
}

// Close implements io.Closer.
func (b *checked) Close() error { return b.body.Close() }
