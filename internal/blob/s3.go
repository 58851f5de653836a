package blob

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// S3 is a store in a bucket of any S3 server. Objects longer than one part go up in parts
// of [partSize]. One part is in flight while the next is read, so a Put holds two parts in
// memory. An object appears when its upload completes. Put aborts a failed upload; OpenS3
// aborts one left by a crash after a day. If an answer is lost, Put looks whether its object stands.
//
// Not replacing an object relies on If-None-Match, which S3 honours since 2024. On servers
// that ignore it only the check before the upload remains, and ids are random.
type S3 struct {
	core   *minio.Core
	bodies *minio.Core // for requests that [S3.ask] repeats: without retries of its own
	bucket string
	prefix string
	region string
	// settleFor bounds how long a Put asks for an object that the store does not confirm.
	settleFor time.Duration
}

var _ Store = (*S3)(nil)

// partSize bounds an object to 10,000 parts: 156 GiB. Equal parts suit every server.
const partSize = 16 << 20

// stallTimeout ends a connection on which no byte has moved for so long.
const stallTimeout = 15 * time.Second

var parts = sync.Pool{New: func() any { b := make([]byte, partSize); return &b }}

// OpenS3 opens s3://key:secret@host:port/bucket[/prefix]?region=R&insecure=1. Without a key
// it reads the usual AWS_… environment variables. insecure=1 uses plain HTTP. It creates an
// absent bucket.
func OpenS3(ctx context.Context, spec string) (*S3, error) {
	s, err := newS3(spec)
	if err != nil {
		return nil, err
	}
	ok, err := s.core.BucketExists(ctx, s.bucket)
	if err == nil && !ok {
		err = s.core.MakeBucket(ctx, s.bucket, minio.MakeBucketOptions{Region: s.region})
	}
	if err != nil {
		return nil, s.failed(ctx, "open", err)
	}
	return s, s.sweep(ctx, time.Now().Add(-leftoverAge))
}

// newS3 reads the address and asks nothing.
func newS3(spec string) (*S3, error) {
	u, err := url.Parse(spec)
	if err != nil {
		return nil, errors.New("blob: the S3 address cannot be read; write s3://key:secret@host:port/bucket") // err would show the secret
	}
	bucket, prefix, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if u.Host == "" || bucket == "" {
		return nil, errors.New("blob: the S3 address names no host or no bucket")
	}
	if prefix != "" {
		prefix += "/"
	}
	creds := credentials.NewEnvAWS()
	if secret, ok := u.User.Password(); ok {
		creds = credentials.NewStaticV4(u.User.Username(), secret, "")
	}
	region := u.Query().Get("region")
	if region == "" {
		region = "us-east-1"
	}
	o := &minio.Options{
		Creds: creds, Secure: u.Query().Get("insecure") != "1", Region: region,
		Transport: transport(), MaxRetries: tries,
	}
	core, err := minio.NewCore(u.Host, o)
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	o.MaxRetries = 1 // which means none
	bodies, err := minio.NewCore(u.Host, o)
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	return &S3{core: core, bodies: bodies, bucket: bucket, prefix: prefix, region: region, settleFor: settleFor}, nil
}

func transport() http.RoundTripper {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &stallConn{conn}, nil
		},
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConnsPerHost: 32,
		IdleConnTimeout:     stallTimeout / 2,
		DisableCompression:  true,
		WriteBufferSize:     128 << 10,
		ReadBufferSize:      128 << 10,
	}
}

// stallConn times out reads and writes. Without it a peer that vanished would block an
// upload for ever.
type stallConn struct{ net.Conn }

func (c *stallConn) Read(p []byte) (int, error) {
	c.SetReadDeadline(time.Now().Add(stallTimeout))
	return c.Conn.Read(p)
}

func (c *stallConn) Write(p []byte) (int, error) {
	c.SetWriteDeadline(time.Now().Add(stallTimeout))
	return c.Conn.Write(p)
}

// failed translates an error of the client library.
func (s *S3) failed(ctx context.Context, op string, err error) error {
	var r minio.ErrorResponse
	if errors.As(err, &r) {
		switch r.Code {
		case minio.NoSuchKey, "NotFound", "NoSuchUpload":
			return ErrMissing
		case "PreconditionFailed", "ConditionalRequestConflict":
			return ErrExists
		}
	}
	return down(ctx, op, err)
}

// absent is failed of a request to an object. An object counts as absent only while Ping succeeds, as
// in a folder. A proxy whose server is away answers 404 too, and the library takes each 404 for a
// missing object.
func (s *S3) absent(ctx context.Context, op string, err error) error {
	if err = s.failed(ctx, op, err); err != ErrMissing {
		return err
	}
	if away := s.Ping(ctx); away != nil {
		return away
	}
	return ErrMissing
}

// checksumHeader carries the CRC-32C of a body, so the server refuses a truncated body. Not
// every server checks the length against Content-Length.
const checksumHeader = "X-Amz-Checksum-Crc32c"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(p []byte) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.Checksum(p, castagnoli)))
}

// putOptions are the options of a write to key that sends or starts a body. mark tells the object
// from those of other writes. header is an additional field. What a CDN serves tells its type and that
// it never changes.
func (s *S3) putOptions(key, mark, header, value string) minio.PutObjectOptions {
	o := onlyNew()
	o.ContentType = "application/octet-stream"
	if isPublic(strings.TrimPrefix(key, s.prefix)) {
		o.ContentType, o.CacheControl = publicType, publicCache
	}
	o.UserMetadata = map[string]string{markName: mark, header: value} // the library sends the names of checksums unchanged
	o.DisableContentSha256 = true                                     // the content authenticates itself (package seal)
	return o
}

// onlyNew makes a write fail when the object exists.
func onlyNew() (o minio.PutObjectOptions) {
	o.SetMatchETagExcept("*")
	return o
}

// Put implements [Store].
func (s *S3) Put(ctx context.Context, id string, r io.Reader) (int64, error) {
	if err := errors.Join(checkID(id), ctx.Err()); err != nil {
		return 0, err
	}
	key := s.prefix + id
	switch _, err := s.core.StatObject(ctx, s.bucket, key, minio.StatObjectOptions{}); {
	case err == nil:
		return 0, ErrExists
	case s.failed(ctx, "put", err) != ErrMissing:
		return 0, s.failed(ctx, "put", err)
	}
	first := parts.Get().(*[]byte)
	n, err := io.ReadFull(r, *first)
	if err == nil { // at least one full part
		return s.putParts(ctx, key, first, r)
	}
	if err != io.EOF && err != io.ErrUnexpectedEOF {
		parts.Put(first)
		return 0, err
	}
	sum, made := checksum((*first)[:n]), making{key: key, mark: rand.Text(), size: int64(n)}
	tried, err := s.settle(ctx, made, false, func() error {
		body := bytes.NewReader((*first)[:n])
		_, err := s.bodies.PutObject(ctx, s.bucket, key, body, int64(n), "", "", s.putOptions(key, made.mark, checksumHeader, sum))
		return err
	})
	if err != nil {
		return 0, err
	}
	if tried == 1 {
		parts.Put(first)
	}
	return int64(n), nil
}

// tries is how often a request is sent that fails.
const tries = 3

// send sends buf[:n] by put until the server accepts it, and returns the buffer. put may run more than
// once without harm. After a broken connection the transport may read on for a while. So each try has
// its own reader, and the library's retries are off. The buffer of a failed try is left to the garbage
// collector.
func (s *S3) send(ctx context.Context, buf *[]byte, n int, put func(body io.Reader) error) (err error) {
	for tried := 1; ; tried++ {
		if err = put(bytes.NewReader((*buf)[:n])); err == nil {
			if tried == 1 {
				parts.Put(buf)
			}
			return nil
		}
		if _, refused := refusal(err); refused || tried == tries || !wait(ctx, tried) {
			return err
		}
	}
}

// refusal returns the server's answer if it says that the request is not done. Without an answer the
// server may have done it, and a server that is busy may have done it too. Servers find out late that a
// completion fails, behind the 200.
func refusal(err error) (answer minio.ErrorResponse, refused bool) {
	if !errors.As(err, &answer) || answer.StatusCode == 0 {
		return answer, false
	}
	busy := answer.StatusCode >= 500 || answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode == http.StatusOK
	return answer, !busy
}

// wait waits before the next try, longer each time. It reports false when ctx is over.
func wait(ctx context.Context, tried int) bool {
	select {
	case <-time.After(min(time.Duration(tried)*200*time.Millisecond, 5*time.Second)):
		return true
	case <-ctx.Done():
		return false
	}
}

// putParts uploads the full first part and the rest of r.
func (s *S3) putParts(ctx context.Context, key string, first *[]byte, r io.Reader) (size int64, err error) {
	made := making{key: key, mark: rand.Text()}
	id, err := s.core.NewMultipartUpload(ctx, s.bucket, key, s.putOptions(key, made.mark, "X-Amz-Checksum-Algorithm", "CRC32C"))
	if err != nil {
		parts.Put(first)
		return 0, s.absent(ctx, "put", err)
	}
	defer func() {
		if err != nil {
			// The abort must go out even when the caller gave up.
			clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
			defer cancel()
			_ = s.core.AbortMultipartUpload(clean, s.bucket, key, id) // on failure the sweep finds it
		}
	}()
	type result struct {
		part minio.CompletePart
		err  error
	}
	upload := func(number int, buf *[]byte, n int) <-chan result {
		done := make(chan result, 1)
		go func() {
			sum := checksum((*buf)[:n])
			part := minio.CompletePart{PartNumber: number, ChecksumCRC32C: sum}
			err := s.send(ctx, buf, n, func(body io.Reader) error {
				p, err := s.bodies.PutObjectPart(ctx, s.bucket, key, id, number, body, int64(n),
					minio.PutObjectPartOptions{DisableContentSha256: true, CustomHeader: http.Header{checksumHeader: {sum}}})
				part.ETag = p.ETag
				return err
			})
			done <- result{part, err}
		}()
		return done
	}
	var complete []minio.CompletePart
	buf, n := first, partSize
	for {
		inFlight := upload(len(complete)+1, buf, n)
		size += int64(n)
		var readErr error
		more := n == partSize
		n, buf = 0, parts.Get().(*[]byte)
		if more {
			n, readErr = io.ReadFull(r, *buf)
		}
		res := <-inFlight
		if res.err != nil {
			return 0, s.absent(ctx, "put", res.err)
		}
		if readErr != nil && readErr != io.EOF && readErr != io.ErrUnexpectedEOF {
			return 0, readErr
		}
		complete = append(complete, res.part)
		if n == 0 {
			parts.Put(buf)
			break
		}
	}
	made.size, made.etag = size, etagOf(complete)
	_, err = s.settle(ctx, made, true, func() error {
		_, err := s.bodies.CompleteMultipartUpload(ctx, s.bucket, key, id, complete, onlyNew())
		return err
	})
	if err != nil {
		return 0, err
	}
	return size, nil
}

// Get implements [Store].
func (s *S3) Get(ctx context.Context, id string, off, n int64) (io.ReadCloser, int64, error) {
	if err := errors.Join(checkID(id), checkRange(off), ctx.Err()); err != nil {
		return nil, 0, err
	}
	if n == 0 { // no range expresses zero bytes
		return s.nothing(ctx, id)
	}
	var o minio.GetObjectOptions
	switch {
	case n > 0:
		o.Set("Range", fmt.Sprintf("bytes=%d-%d", off, off+n-1))
	case off > 0:
		o.Set("Range", fmt.Sprintf("bytes=%d-", off))
	}
	body, info, header, err := s.core.GetObject(ctx, s.bucket, s.prefix+id, o)
	if err != nil {
		var r minio.ErrorResponse
		if errors.As(err, &r) && r.StatusCode == http.StatusRequestedRangeNotSatisfiable {
			return s.nothing(ctx, id) // the whole range is beyond the end
		}
		return nil, 0, s.absent(ctx, "get", err)
	}
	size := info.Size
	if _, whole, ok := strings.Cut(header.Get("Content-Range"), "/"); ok {
		if size, err = strconv.ParseInt(whole, 10, 64); err != nil {
			return nil, 0, errors.Join(down(ctx, "get", fmt.Errorf("Content-Range: %w", err)), body.Close())
		}
	}
	return &object{ctx: ctx, r: body, close: body.Close}, size, nil
}

// nothing returns zero bytes of an existing object.
func (s *S3) nothing(ctx context.Context, id string) (io.ReadCloser, int64, error) {
	info, err := s.core.StatObject(ctx, s.bucket, s.prefix+id, minio.StatObjectOptions{})
	if err != nil {
		return nil, 0, s.absent(ctx, "get", err)
	}
	return http.NoBody, info.Size, nil
}

// Delete implements [Store].
func (s *S3) Delete(ctx context.Context, id string) error {
	if err := errors.Join(checkID(id), ctx.Err()); err != nil {
		return err
	}
	err := s.core.RemoveObject(ctx, s.bucket, s.prefix+id, minio.RemoveObjectOptions{})
	if err = s.failed(ctx, "delete", err); err != nil && err != ErrMissing {
		return err
	}
	key := s.prefix + id
	return s.abort(ctx, key, func(u minio.ObjectMultipartInfo) bool { return u.Key == key })
}

// List implements [Store].
func (s *S3) List(ctx context.Context, folder, after string, fn func(id string, size int64, at time.Time) error) error {
	if err := errors.Join(checkFolder(folder), ctx.Err()); err != nil {
		return err
	}
	o := minio.ListObjectsOptions{Prefix: s.prefix, Recursive: true}
	if folder != "" {
		o.Prefix += folder + "/"
	}
	if after != "" {
		o.StartAfter = s.prefix + after
	}
	for info := range s.core.ListObjectsIter(ctx, s.bucket, o) {
		if info.Err != nil {
			return s.failed(ctx, "list", info.Err)
		}
		id := strings.TrimPrefix(info.Key, s.prefix)
		if isPublic(id) != (folder != "") || checkID(id) != nil {
			continue
		}
		if err := fn(id, info.Size, info.LastModified); err != nil {
			return err
		}
	}
	return nil
}

// Ping implements [Store].
func (s *S3) Ping(ctx context.Context) error {
	ok, err := s.core.BucketExists(ctx, s.bucket)
	if err == nil && !ok {
		err = errors.New("the bucket is gone")
	}
	return down(ctx, "ping", err)
}

// sweep aborts the uploads that crashes left before the time. Those of other programs in the bucket
// are not its business.
func (s *S3) sweep(ctx context.Context, before time.Time) error {
	return s.abort(ctx, s.prefix, func(u minio.ObjectMultipartInfo) bool {
		return !u.Initiated.After(before) && checkID(strings.TrimPrefix(u.Key, s.prefix)) == nil
	})
}

// abort aborts the unfinished uploads under a prefix that mine selects.
func (s *S3) abort(ctx context.Context, prefix string, mine func(minio.ObjectMultipartInfo) bool) error {
	var keyMarker, idMarker string
	for {
		page, err := s.core.ListMultipartUploads(ctx, s.bucket, prefix, keyMarker, idMarker, "", 1000)
		if err != nil {
			return s.failed(ctx, "sweep", err)
		}
		for _, u := range page.Uploads {
			if !mine(u) {
				continue
			}
			err := s.failed(ctx, "sweep", s.core.AbortMultipartUpload(ctx, s.bucket, u.Key, u.UploadID))
			if err != nil && err != ErrMissing {
				return err
			}
		}
		if !page.IsTruncated {
			return nil
		}
		keyMarker, idMarker = page.NextKeyMarker, page.NextUploadIDMarker
	}
}
