package client

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// The kinds of a [Share].
const (
	ShareRead    = "read"    // shows an entry
	ShareRequest = "request" // takes files into a folder
)

// Share is a link to a file or a folder.
type Share struct {
	ID           string       `json:"id"`
	Kind         string       `json:"kind"` // ShareRead or ShareRequest
	URL          string       `json:"url"`
	Token        string       `json:"token"` // the secret in URL
	Entry        *SharedEntry `json:"entry"` // nil while the entry is in the trash or deleted
	Note         string       `json:"note"`
	HasPassword  bool         `json:"has_password"`
	ExpiresAt    *time.Time   `json:"expires_at"`    // nil for never
	MaxDownloads *int64       `json:"max_downloads"` // nil for any number
	Downloads    int64        `json:"downloads"`
	MaxFiles     *int64       `json:"max_files"`      // nil for any number
	MaxFileBytes *int64       `json:"max_file_bytes"` // nil for any
	Accept       []string     `json:"accept"`         // endings such as .pdf; empty for any
	Files        int64        `json:"files"`          // that came in
	Blocked      bool         `json:"blocked"`        // by the operator, or by the stop of a recovery
	State        string       `json:"state"`          // open, expired, used_up, blocked or damaged
	CreatedAt    time.Time    `json:"created_at"`
	LastUsedAt   *time.Time   `json:"last_used_at"`
}

// SharedEntry is the entry of a link, and where it is.
type SharedEntry struct {
	ID   string  `json:"id"`
	Kind string  `json:"kind"` // file or folder
	Name string  `json:"name"`
	Path []Above `json:"path"` // the outermost folder first
}

// NewShare is what a link is made with. The zero value of a field is no bound.
type NewShare struct {
	Kind         string     `json:"kind"` // "" is ShareRead
	Password     string     `json:"password,omitempty"`
	ExpiresAt    *time.Time `json:"expires_at,omitempty"`
	MaxDownloads int64      `json:"max_downloads,omitempty"`
	Note         string     `json:"note,omitempty"`
	MaxFiles     int64      `json:"max_files,omitempty"`
	MaxFileBytes int64      `json:"max_file_bytes,omitempty"`
	Accept       []string   `json:"accept,omitempty"`
}

// CreateShare makes a link to a file or a folder.
func (c *Client) CreateShare(ctx context.Context, entry string, in NewShare) (Share, error) {
	if in.Kind == "" {
		in.Kind = ShareRead
	}
	var s Share
	_, err := c.call(ctx, request{method: http.MethodPost, path: filePath(entry) + "/shares", proof: session, in: in}, &s)
	return s, err
}

// Shares iterates over the account's links of a kind, "" for all; the newest comes first.
func (c *Client) Shares(ctx context.Context, kind string) iter.Seq2[Share, error] {
	query := url.Values{}
	if kind != "" {
		query.Set("kind", kind)
	}
	return pages[Share](ctx, c, "/v1/shares", query)
}

// FileShares iterates over the links to a file or a folder; the newest comes first.
func (c *Client) FileShares(ctx context.Context, entry string) iter.Seq2[Share, error] {
	return pages[Share](ctx, c, filePath(entry)+"/shares", url.Values{})
}

// Share returns a link.
func (c *Client) Share(ctx context.Context, id string) (Share, error) {
	var s Share
	_, err := c.call(ctx, request{method: http.MethodGet, path: sharePath(id), proof: session}, &s)
	return s, err
}

// ChangeShare changes a link. Keys are those of [NewShare]'s JSON without kind; nil clears.
func (c *Client) ChangeShare(ctx context.Context, id string, change map[string]any) (Share, error) {
	var s Share
	_, err := c.call(ctx, request{method: http.MethodPatch, path: sharePath(id), proof: session, in: change}, &s)
	return s, err
}

// StopShare removes a link with its log.
func (c *Client) StopShare(ctx context.Context, id string) error {
	_, err := c.call(ctx, request{method: http.MethodDelete, path: sharePath(id), proof: session}, nil)
	return err
}

func sharePath(id string) string { return "/v1/shares/" + url.PathEscape(id) }

// ShareUse is something that was done with a link.
type ShareUse struct {
	At     time.Time `json:"at"`
	Action string    `json:"action"` // download, archive, upload or unlock
	Path   string    `json:"path"`   // below what is shared; names of files that came in, one a line
	Place  string    `json:"place"`
	Device string    `json:"device"`
	From   string    `json:"from"` // what a sender calls himself
}

// ShareUses iterates over the log of a link; the newest comes first.
func (c *Client) ShareUses(ctx context.Context, id string) iter.Seq2[ShareUse, error] {
	return pages[ShareUse](ctx, c, sharePath(id)+"/uses", url.Values{})
}

// Link is a guest at a link. It needs no session. It is safe for concurrent use.
type Link struct {
	c     *Client
	token string

	mu     sync.Mutex
	pass   string // cookie of the password
	ticket string // of the last counted download
}

// Link returns a guest at a link, which is named by its address or its secret.
func (c *Client) Link(link string) *Link {
	return &Link{c: c, token: link[strings.LastIndexByte(link, '/')+1:]}
}

const passCookie = "__Secure-coffer-share"

// request is a call of a guest, below the link.
func (l *Link) request(method, path string, query url.Values) request {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := http.Header{}
	if l.pass != "" {
		h.Set("Cookie", passCookie+"="+l.pass)
	}
	return request{method: method, path: "/v1/public/shares/" + url.PathEscape(l.token) + path, query: query, header: h}
}

// Unlock gives the link's password. Code wrong_password refuses it.
func (l *Link) Unlock(ctx context.Context, password string) error {
	r := l.request(http.MethodPost, "/unlock", nil)
	r.in = map[string]string{"password": password}
	res, err := l.c.send(ctx, r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	for _, cookie := range res.Cookies() {
		if cookie.Name == passCookie {
			l.mu.Lock()
			l.pass = cookie.Value
			l.mu.Unlock()
		}
	}
	return nil
}

// LinkItem is an entry as a guest sees it.
type LinkItem struct {
	Name       string    `json:"name"`
	Kind       string    `json:"kind"` // file or folder
	Size       int64     `json:"size"`
	MediaType  string    `json:"media_type"`
	ModifiedAt time.Time `json:"modified_at"`
	Thumbnail  bool      `json:"thumbnail"`
}

// LinkInfo is what a guest learns of a link.
type LinkInfo struct {
	Kind          string     `json:"kind"`
	Name          string     `json:"name"`
	Note          string     `json:"note"`
	Owner         string     `json:"owner"`
	ExpiresAt     *time.Time `json:"expires_at"`
	DownloadsLeft *int64     `json:"downloads_left"`
	Entry         *LinkItem  `json:"entry"` // what the path leads to; nil for a link that takes files
	Items         []LinkItem `json:"items"` // one page of what is in it
	NextCursor    string     `json:"next_cursor"`
	FilesLeft     *int64     `json:"files_left"`
	MaxFileBytes  *int64     `json:"max_file_bytes"`
	Accept        []string   `json:"accept"`
}

func at(path string) url.Values {
	if path == "" {
		return url.Values{}
	}
	return url.Values{"path": {path}}
}

// Info returns what is at the link, and one page of the folder that a path leads to. cursor is
// [LinkInfo.NextCursor] of the page before. Code share_password_required wants Unlock first.
func (l *Link) Info(ctx context.Context, path, cursor string) (LinkInfo, error) {
	query := at(path)
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	var info LinkInfo
	_, err := l.c.call(ctx, l.request(http.MethodGet, "", query), &info)
	return info, err
}

// Download opens the content of the file that a path leads to; "" is what is shared. It counts.
func (l *Link) Download(ctx context.Context, path string) (*Content, error) {
	return l.download(ctx, path, nil)
}

// DownloadRange opens a part of a content. It goes on with the last Download of that content.
func (l *Link) DownloadRange(ctx context.Context, path string, r Range) (*Content, error) {
	if r.Offset < 0 || r.Length < 0 {
		return nil, errors.New("client: a range has no negative numbers")
	}
	return l.download(ctx, path, &r)
}

func (l *Link) download(ctx context.Context, path string, r *Range) (*Content, error) {
	q := l.request(http.MethodGet, "/content", at(path))
	l.mu.Lock()
	if l.ticket != "" {
		q.header.Set("Coffer-Download", l.ticket)
	}
	l.mu.Unlock()
	content, header, err := l.c.openContent(ctx, q, r)
	if err == nil {
		if ticket := header.Get("Coffer-Download"); ticket != "" {
			l.mu.Lock()
			l.ticket = ticket
			l.mu.Unlock()
		}
	}
	return content, err
}

// Archive opens a zip of the folder that a path leads to. It counts. The caller closes it.
func (l *Link) Archive(ctx context.Context, path string) (io.ReadCloser, error) {
	res, err := l.c.send(ctx, l.request(http.MethodGet, "/archive", at(path)))
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

// Thumbnail returns the small picture of the picture that a path leads to, as WebP. Code
// no_thumbnail refuses what has none.
func (l *Link) Thumbnail(ctx context.Context, path string) ([]byte, error) {
	res, err := l.c.send(ctx, l.request(http.MethodGet, "/thumbnail", at(path)))
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return readAtMost(res.Body, maxJSON)
}

// HandIn sends files to a link of kind [ShareRequest], all or none; from may name the sender.
// It returns how many the server has.
func (l *Link) HandIn(ctx context.Context, from string, files ...Source) (int, error) {
	if len(files) == 0 {
		return 0, errors.New("client: nothing to hand in")
	}
	body, contentType, err := form(from, files)
	if err != nil {
		return 0, err
	}
	var stored struct {
		Items []struct{} `json:"items"`
	}
	r := l.request(http.MethodPost, "/files", nil)
	r.body, r.contentType = &once{r: body}, contentType
	_, err = l.c.call(ctx, r, &stored)
	return len(stored.Items), err
}
