package client

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// NewUpload is a file that is sent in pieces.
type NewUpload struct {
	Name      string
	MediaType string // "" is application/octet-stream
	Parent    string // "" is the root
	Size      int64  // bytes; -1 while unknown
	Replace   bool   // a file with this name keeps its id and becomes a version
}

// PendingUpload is an upload as the server has it.
type PendingUpload struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Parent    *string   `json:"parent"` // nil at the root
	Size      *int64    `json:"size"`   // nil while unknown
	Offset    int64     `json:"offset"`
	Replace   bool      `json:"replace"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
	File      string    `json:"file"`    // id of the file that it has become; "" before
	Damaged   bool      `json:"damaged"` // the server cannot open its name; only to be ended
}

// PendingUploads returns the unfinished uploads, the newest first.
func (c *Client) PendingUploads(ctx context.Context) ([]PendingUpload, error) {
	var list struct {
		Items []PendingUpload `json:"items"`
	}
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/uploads", proof: session}, &list)
	return list.Items, err
}

// PendingUpload returns one upload, until it expires also a finished one.
func (c *Client) PendingUpload(ctx context.Context, id string) (PendingUpload, error) {
	var u PendingUpload
	_, err := c.call(ctx, request{method: http.MethodGet, path: uploadPath(id), proof: session}, &u)
	return u, err
}

// AbandonUpload ends an upload and removes its bytes. The file of a finished one stays.
func (c *Client) AbandonUpload(ctx context.Context, id string) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: uploadPath(id), proof: session, header: tus()}, nil)
	return err
}

func uploadPath(id string) string { return "/v1/uploads/" + url.PathEscape(id) }

// tus returns the header that every request of the protocol has, and further pairs.
func tus(pairs ...string) http.Header {
	h := http.Header{"Tus-Resumable": {"1.0.0"}}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

// BeginUpload begins an upload and returns its id. The server reserves its size in the quota.
// An empty one is a file at once.
func (c *Client) BeginUpload(ctx context.Context, u NewUpload) (id string, err error) {
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	metadata := "filename " + encode(u.Name)
	for _, pair := range [][2]string{{"filetype", u.MediaType}, {"parent", u.Parent}} {
		if pair[1] != "" {
			metadata += "," + pair[0] + " " + encode(pair[1])
		}
	}
	if u.Replace {
		metadata += ",replace " + encode("true")
	}
	h := tus("Upload-Metadata", metadata)
	if u.Size < 0 {
		h.Set("Upload-Defer-Length", "1")
	} else {
		h.Set("Upload-Length", strconv.FormatInt(u.Size, 10))
	}
	res, err := c.send(ctx, request{method: http.MethodPost, path: "/v1/uploads", proof: session, header: h})
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	at, err := res.Location()
	if err != nil {
		return "", fmt.Errorf("client: begin an upload: %w", err)
	}
	id = at.Path[len(at.Path)-min(36, len(at.Path)):]
	return id, nil
}

// uploadTries is how often in a row a piece may fail without a byte of progress.
const uploadTries = 8

// ResumeUpload sends what the server does not have of an upload, and returns the file that it
// becomes. content is the whole content. A broken connection or a busy server is tried again;
// the end of ctx pauses the upload, which a later call continues, also in another process.
// progress, if not nil, hears how many bytes the server has. An upload of unknown size ends
// where content does.
func (c *Client) ResumeUpload(ctx context.Context, id string, content io.ReadSeeker, progress func(offset int64)) (Entry, error) {
	size, err := content.Seek(0, io.SeekEnd)
	if err != nil {
		return Entry{}, err
	}
	last := int64(-1)
	for tries := 0; ; {
		at, file, err := c.sendRest(ctx, id, content, size)
		if err == nil {
			if progress != nil {
				progress(size)
			}
			return c.File(ctx, file)
		}
		if ctx.Err() != nil {
			return Entry{}, ctx.Err()
		}
		if !again(err) {
			return Entry{}, err
		}
		if at > last {
			last, tries = at, 0
			if progress != nil {
				progress(at)
			}
		}
		if tries++; tries > uploadTries {
			return Entry{}, err
		}
		wait := min(100*time.Millisecond<<tries, 10*time.Second)
		var refused *Error
		if errors.As(err, &refused) && refused.RetryAfter > 0 {
			wait = refused.RetryAfter
		}
		select {
		case <-ctx.Done():
			return Entry{}, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// again reports whether the same upload may go on after err.
func again(err error) bool {
	var refused *Error
	if !errors.As(err, &refused) {
		return !errors.Is(err, ErrSignedOut) && !errors.Is(err, errUpload)
	}
	return refused.Status >= 500 || refused.Status == http.StatusTooManyRequests ||
		refused.Code == "offset_mismatch" || refused.Code == "upload_taken_over" || refused.Code == "body_unreadable"
}

// errUpload says that an upload and a content do not belong together.
var errUpload = errors.New("client: the upload is of another content")

// sendRest asks for the offset and sends what is behind it in one request. at is the offset
// that the server had.
func (c *Client) sendRest(ctx context.Context, id string, content io.ReadSeeker, size int64) (at int64, file string, err error) {
	at = -1
	res, err := c.send(ctx, request{method: http.MethodHead, path: uploadPath(id), proof: session, header: tus()})
	if err != nil {
		return at, "", err
	}
	res.Body.Close()
	if file = res.Header.Get("Coffer-File"); file != "" {
		return at, file, nil
	}
	if at, err = strconv.ParseInt(res.Header.Get("Upload-Offset"), 10, 64); err != nil {
		return -1, "", fmt.Errorf("%w: the server's offset is %q", errUpload, res.Header.Get("Upload-Offset"))
	}
	length := res.Header.Get("Upload-Length")
	if at > size || length != "" && length != strconv.FormatInt(size, 10) {
		return at, "", errUpload
	}
	if _, err = content.Seek(at, io.SeekStart); err != nil {
		return at, "", errors.Join(errUpload, err)
	}
	h := tus("Upload-Offset", strconv.FormatInt(at, 10))
	if length == "" {
		h.Set("Upload-Length", strconv.FormatInt(size, 10))
	}
	body := &lent{r: io.LimitReader(content, size-at)}
	defer body.takeBack()
	res, err = c.send(ctx, request{
		method: http.MethodPatch, path: uploadPath(id), proof: session, header: h,
		body: &once{r: body}, contentType: "application/offset+octet-stream", length: size - at,
	})
	if err != nil {
		return at, "", err
	}
	res.Body.Close()
	if file = res.Header.Get("Coffer-File"); file == "" {
		return at, "", io.ErrUnexpectedEOF
	}
	return at, file, nil
}

// lent is a content that one request reads. The transport may read on after the request has
// failed, while the next one already seeks.
type lent struct {
	mu   sync.Mutex
	r    io.Reader
	back bool
}

// Read implements io.Reader.
func (l *lent) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.back {
		return 0, io.ErrClosedPipe
	}
	return l.r.Read(p)
}

func (l *lent) takeBack() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.back = true
}
