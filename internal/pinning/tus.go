package pinning

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"coffer/internal/ipfs"
)

// tusTries bounds the attempts at one place of a resumable upload.
const tusTries = 3

// listTime is how long Pinata may take to list what was uploaded.
const listTime = time.Minute

// resumable uploads one CAR of total bytes by tus 1.0.0, in pieces. After a failure it asks
// how much arrived and goes on there. The memory it needs is that of one block.
func (p *pinata) resumable(ctx context.Context, s Source, total int64) (string, ipfs.CID, error) {
	ids, err := p.find(ctx, s.Root)
	if err != nil {
		return "", ipfs.CID{}, err
	}
	if len(ids) > 0 { // of a Put that brought no answer
		return ids[0], s.Root, nil
	}
	at, err := p.create(ctx, s.Name, total)
	if err != nil {
		return "", ipfs.CID{}, err
	}
	var last http.Header
	passes := total/p.shard + tusTries // a provider that takes a byte each time does not hold a worker for ever
	for from, best, tries := int64(0), int64(0), 0; ; passes-- {
		last, err = p.pass(ctx, at, s, total, from)
		if err == nil {
			break
		}
		retry, ok := errors.AsType[*RetryError](err)
		if tries++; !ok || retry.After > 0 || tries == tusTries || passes <= 0 {
			return "", ipfs.CID{}, err
		}
		arrived, asked := p.arrived(ctx, at, total)
		if asked != nil {
			return "", ipfs.CID{}, err
		}
		if arrived > best { // a provider whose offset goes back and forth gets no further attempts
			best, tries = arrived, 0
		}
		from = arrived
	}
	return p.done(ctx, s.Root, last.Get("Upload-Cid"))
}

// create begins an upload and returns its address, which must be where it was asked: the
// token goes there.
func (p *pinata) create(ctx context.Context, name string, total int64) (string, error) {
	const step = "beginning the upload"
	req, err := p.request(ctx, http.MethodPost, p.upload, nil)
	if err != nil {
		return "", err
	}
	word := func(name, value string) string { return name + " " + base64.StdEncoding.EncodeToString([]byte(value)) }
	req.Header.Set("Tus-Resumable", "1.0.0")
	req.Header.Set("Upload-Length", strconv.FormatInt(total, 10))
	req.Header.Set("Upload-Metadata", word("filename", name)+","+word("filetype", "application/vnd.ipld.car")+","+word("network", "public")+","+word("car", "true"))
	a, err := p.do(step, req)
	if err != nil {
		return "", err
	}
	if !a.good() {
		return "", p.refusal(step, a, "")
	}
	at, err := req.URL.Parse(a.header.Get("Location"))
	if err != nil || a.header.Get("Location") == "" {
		return "", p.unclear(step, errors.New("it names no address"))
	}
	if !sameOrigin(at, req.URL) {
		return "", &PermanentError{NotAllowed, fmt.Errorf("%s: %s: the upload would go to another host", p.name, step)}
	}
	return at.String(), nil
}

// sameOrigin compares scheme and host with port.
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && a.Host == b.Host && a.User == nil && a.Opaque == ""
}

// arrived asks how many bytes the provider has.
func (p *pinata) arrived(ctx context.Context, at string, total int64) (int64, error) {
	const step = "asking for the upload"
	req, err := p.request(ctx, http.MethodHead, at, nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Tus-Resumable", "1.0.0")
	a, err := p.do(step, req)
	if err != nil {
		return 0, err
	}
	if !a.good() {
		return 0, p.refusal(step, a, "")
	}
	return offset(a.header, total)
}

// offset reads the Upload-Offset header.
func offset(h http.Header, total int64) (int64, error) {
	n, err := strconv.ParseInt(h.Get("Upload-Offset"), 10, 64)
	if err != nil || n < 0 || n > total {
		return 0, errors.New("it names no offset")
	}
	return n, nil
}

// pass writes the CAR from one offset to its end and returns the headers of the last answer,
// nil when nothing was left to send.
func (p *pinata) pass(ctx context.Context, at string, s Source, total, from int64) (http.Header, error) {
	w := &pieces{p: p, ctx: ctx, at: at, total: total, offset: from, skip: from}
	buffer := bufio.NewWriterSize(w, 256<<10)
	err := writeCAR(buffer, s, total)
	if err == nil {
		err = buffer.Flush()
	}
	if w.open != nil {
		err = w.end(err)
	}
	return w.last, err
}

// pieces cuts a stream into calls of at most a shard.
type pieces struct {
	p            *pinata
	ctx          context.Context // of the pass, which is one call
	at           string
	total        int64
	offset, skip int64 // of the next byte to send; bytes to leave out first
	open         *upload
	room         int64 // in the open piece
	last         http.Header
}

// Write implements io.Writer.
func (w *pieces) Write(b []byte) (int, error) {
	n := len(b)
	left := min(w.skip, int64(n))
	w.skip -= left
	for b = b[left:]; len(b) > 0; {
		if w.open == nil {
			if err := w.begin(); err != nil {
				return 0, err
			}
		}
		part := b[:min(w.room, int64(len(b)))]
		if _, err := w.open.Write(part); err != nil {
			return 0, err
		}
		b = b[len(part):]
		w.room -= int64(len(part))
		w.offset += int64(len(part))
		if w.room > 0 {
			continue
		}
		if err := w.end(nil); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// begin opens the next piece.
func (w *pieces) begin() (err error) {
	w.room = min(w.p.shard, w.total-w.offset)
	w.open, err = w.p.begin(w.ctx, "uploading", http.MethodPatch, w.at, http.Header{
		"Tus-Resumable": {"1.0.0"}, "Content-Type": {"application/offset+octet-stream"}, "Upload-Offset": {strconv.FormatInt(w.offset, 10)},
	}, w.room)
	return err
}

// end ends the open piece.
func (w *pieces) end(wrote error) error {
	u := w.open
	w.open = nil
	a, err := u.end(&w.p.caller, wrote)
	if err != nil {
		return err
	}
	if !a.good() {
		return w.p.refusal(u.step, a, "")
	}
	if n, err := offset(a.header, w.total); err != nil || n != w.offset {
		return &RetryError{Reason: Incomplete, Err: fmt.Errorf("%s: %s: a part did not arrive", w.p.name, u.step)}
	}
	w.last = a.header
	return nil
}

// done looks for the file of a finished upload. One that is not listed is found by the next
// Put, which then uploads nothing.
func (p *pinata) done(ctx context.Context, root ipfs.CID, said string) (string, ipfs.CID, error) {
	const step = "uploading"
	got := root
	if said != "" && said != pending {
		var err error
		if got, err = ipfs.Parse(said); err != nil {
			return "", ipfs.CID{}, p.unclear(step, err)
		}
	}
	ids, err := p.find(ctx, got)
	ref := ""
	if len(ids) > 0 {
		ref = ids[0]
	}
	switch {
	case got != root:
		return ref, got, checkRoot(p.name, step, root, got)
	case err != nil:
		return "", ipfs.CID{}, err
	case ref == "":
		return "", ipfs.CID{}, &RetryError{listTime, Unclear, fmt.Errorf("%s: %s: the file is not listed", p.name, step)}
	}
	return ref, got, nil
}
