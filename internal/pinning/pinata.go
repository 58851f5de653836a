package pinning

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"

	"github.com/go-json-experiment/json"

	"coffer/internal/ipfs"
)

// pending is Pinata's CID of a file that it has not worked through.
const pending = "pending"

// maxPages bounds a walk through a provider's list.
const maxPages = 100

// pinata pins at Pinata by its API of version 3. Content goes there as one CAR: a plain file
// would be cut into chunks of 256 KiB there and get another CID. Pinata cannot join several
// CARs, so a long one goes in pieces of one resumable upload (tus 1.0.0), which holds no more
// than a piece's buffers in memory.
type pinata struct {
	caller
	gateway
	base, upload string
	shard        int64
}

var _ Target = (*pinata)(nil)

func newPinata(c Config) *pinata {
	api, up := must(c.PinataURL), must(c.PinataUploadURL)
	return &pinata{
		caller:  newCaller(KindPinata, "Bearer "+c.PinataJWT, api, up),
		gateway: newGateway(KindPinata, c.PinataGateway, c.PinataGatewayKey),
		base:    api.String() + "/v3/files/public", upload: up.String() + "/v3/files", shard: c.Shard,
	}
}

// pinataFile is a file in Pinata's answers.
type pinataFile struct {
	ID  string `json:"id"`
	CID string `json:"cid"`
}

// root returns the file's CID, and the zero CID while there is none.
func (f pinataFile) root() (ipfs.CID, error) {
	if f.CID == pending || f.CID == "" {
		return ipfs.CID{}, nil
	}
	return ipfs.Parse(f.CID)
}

// Put implements [Target]. ref is the id of Pinata's file.
func (p *pinata) Put(ctx context.Context, s Source) (string, ipfs.CID, error) {
	var head counter
	if _, err := ipfs.WriteCAR(&head, s.Root); err != nil {
		return "", ipfs.CID{}, err
	}
	total := int64(head) + s.Framed
	if total > p.shard {
		return p.resumable(ctx, s, total)
	}
	const step = "uploading"
	var frame bytes.Buffer
	form := multipart.NewWriter(&frame)
	for _, f := range [][2]string{{"network", "public"}, {"name", s.Name}, {"car", "true"}} {
		if err := form.WriteField(f[0], f[1]); err != nil {
			return "", ipfs.CID{}, err
		}
	}
	if _, err := form.CreateFormFile("file", "content.car"); err != nil {
		return "", ipfs.CID{}, err
	}
	before := frame.Len()
	if err := form.Close(); err != nil {
		return "", ipfs.CID{}, err
	}
	opening, closing := frame.Bytes()[:before], frame.Bytes()[before:]
	u, err := p.begin(ctx, step, http.MethodPost, p.upload, http.Header{"Content-Type": {form.FormDataContentType()}}, total+int64(frame.Len()))
	if err != nil {
		return "", ipfs.CID{}, err
	}
	_, err = u.Write(opening)
	if err == nil {
		err = writeCAR(u, s, total)
	}
	if err == nil {
		_, err = u.Write(closing)
	}
	a, err := u.end(&p.caller, err)
	if err != nil {
		return "", ipfs.CID{}, err
	}
	if !a.good() {
		return "", ipfs.CID{}, p.refusal(step, a, "")
	}
	return p.took(step, s.Root, a.body)
}

// took reads the answer to an upload.
func (p *pinata) took(step string, want ipfs.CID, raw []byte) (string, ipfs.CID, error) {
	f, err := readPinataFile(raw)
	if err != nil {
		return "", ipfs.CID{}, p.unclear(step, err)
	}
	got, err := f.root()
	if err != nil {
		return f.ID, ipfs.CID{}, p.unclear(step, err)
	}
	if got == (ipfs.CID{}) { // not worked through: Status compares it
		return f.ID, want, nil
	}
	return f.ID, got, checkRoot(p.name, step, want, got)
}

// readPinataFile reads one file.
func readPinataFile(raw []byte) (pinataFile, error) {
	var said struct {
		Data pinataFile `json:"data"`
	}
	if err := json.Unmarshal(raw, &said); err != nil {
		return pinataFile{}, err
	}
	if !goodRef(said.Data.ID) {
		return pinataFile{}, errors.New("it has no usable id")
	}
	return said.Data, nil
}

// readPinataFiles reads a page of files.
func readPinataFiles(raw []byte) (files []pinataFile, next string, err error) {
	var said struct {
		Data struct {
			Files []pinataFile `json:"files"`
			Next  string       `json:"next_page_token"`
		} `json:"data"`
	}
	if err := json.Unmarshal(raw, &said); err != nil {
		return nil, "", err
	}
	if slices.ContainsFunc(said.Data.Files, func(f pinataFile) bool { return !goodRef(f.ID) }) {
		return nil, "", errors.New("a file has no usable id")
	}
	return said.Data.Files, said.Data.Next, nil
}

// find returns the ids of the account's files with that root.
func (p *pinata) find(ctx context.Context, root ipfs.CID) (ids []string, err error) {
	const step = "listing"
	q := url.Values{"cid": {root.String()}}
	for range maxPages {
		a, err := p.get(ctx, step, http.MethodGet, p.base+"?"+q.Encode())
		if err != nil {
			return nil, err
		}
		if !a.good() {
			return nil, p.refusal(step, a, "")
		}
		files, next, err := readPinataFiles(a.body)
		if err != nil {
			return nil, p.unclear(step, err)
		}
		for _, f := range files {
			if c, err := f.root(); err == nil && c == root {
				ids = append(ids, f.ID)
			}
		}
		if next == "" || next == q.Get("pageToken") || len(files) == 0 {
			return ids, nil
		}
		q.Set("pageToken", next)
	}
	return ids, nil
}

// Status implements [Target].
func (p *pinata) Status(ctx context.Context, root ipfs.CID, ref string) (State, error) {
	const step = "asking for the pin"
	if ref == "" {
		ids, err := p.find(ctx, root)
		if err != nil || len(ids) > 0 {
			return Pinned, err
		}
		return Gone, nil
	}
	a, err := p.get(ctx, step, http.MethodGet, p.base+"/"+url.PathEscape(ref))
	switch {
	case err != nil:
		return "", err
	case a.status == http.StatusNotFound:
		return Gone, nil
	case !a.good():
		return "", p.refusal(step, a, "")
	}
	f, err := readPinataFile(a.body)
	if err != nil {
		return "", p.unclear(step, err)
	}
	got, err := f.root()
	switch {
	case err != nil:
		return "", p.unclear(step, err)
	case got == ipfs.CID{}:
		return Queued, nil
	}
	return Pinned, checkRoot(p.name, step, root, got)
}

// Remove implements [Target].
func (p *pinata) Remove(ctx context.Context, root ipfs.CID, ref string) error {
	const step = "removing the pin"
	ids, err := p.find(ctx, root)
	if err != nil {
		return err
	}
	if ref != "" && !slices.Contains(ids, ref) {
		ids = append(ids, ref)
	}
	for _, id := range ids {
		a, err := p.get(ctx, step, http.MethodDelete, p.base+"/"+url.PathEscape(id))
		if err != nil {
			return err
		}
		if !a.good() && a.status != http.StatusNotFound {
			return p.refusal(step, a, "")
		}
	}
	return nil
}

// Block implements [Target].
func (p *pinata) Block(ctx context.Context, c ipfs.CID) ([]byte, error) {
	return p.gateway.Block(ctx, c)
}

// counter counts bytes.
type counter int64

// Write implements io.Writer.
func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// errLength says that a source has other blocks than it said.
var errLength = errors.New("pinning: the blocks do not have the length that the source names")

// writeCAR writes the source as one CAR of exactly total bytes.
func writeCAR(w io.Writer, s Source, total int64) error {
	var wrote counter
	car, err := ipfs.WriteCAR(io.MultiWriter(&wrote, w), s.Root)
	if err != nil {
		return err
	}
	if err := s.Blocks(func(b ipfs.Block) error {
		if int64(wrote)+Frame(len(b.Data)) > total {
			return errLength
		}
		return car.Put(b)
	}); err != nil {
		return err
	}
	if int64(wrote) != total {
		return fmt.Errorf("%w: %d bytes of %d", errLength, int64(wrote), total)
	}
	return nil
}
