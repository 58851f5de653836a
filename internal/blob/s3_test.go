package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"coffer/internal/blob"
	"coffer/internal/blob/blobtest"
	"coffer/internal/fault"
)

func TestS3(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store { return blobtest.S3(t) })
}

// uploads returns the unfinished multipart uploads under the address.
func uploads(t *testing.T, spec string) int {
	t.Helper()
	u, err := url.Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	secret, _ := u.User.Password()
	core, err := minio.NewCore(u.Host, &minio.Options{Creds: credentials.NewStaticV4(u.User.Username(), secret, ""), Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	bucket, prefix, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	page, err := core.ListMultipartUploads(t.Context(), bucket, prefix, "", "", "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	return len(page.Uploads)
}

// A failed upload leaves no parts that cost storage.
func TestS3AbortsWhatFails(t *testing.T) {
	spec := blobtest.S3URL(t)
	s, err := blob.OpenS3(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := 0
	for name, r := range map[string]io.Reader{
		"broken":    iotest.ErrReader(errors.New("gone")),
		"cancelled": readFunc(func([]byte) (int, error) { seen = uploads(t, spec); cancel(); return 0, io.EOF }),
	} {
		_, err := s.Put(ctx, blobtest.NewID(), io.MultiReader(bytes.NewReader(make([]byte, 17<<20)), r))
		if err == nil {
			t.Fatalf("%s: Put succeeded", name)
		}
	}
	if got := uploads(t, spec); got != 0 {
		t.Errorf("%d unfinished uploads left", got)
	}
	if seen == 0 {
		t.Error("no upload was ever unfinished: the test sees nothing")
	}
}

// The start aborts what crashes of this program left, and nothing of others that use the bucket.
func TestS3SweepsItsOwn(t *testing.T) {
	var aborted []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodDelete:
			aborted = append(aborted, r.URL.Path)
			w.WriteHeader(http.StatusNoContent)
		case r.URL.Query().Has("uploads"):
			_, _ = io.WriteString(w, `<ListMultipartUploadsResult><Bucket>bucket</Bucket><IsTruncated>false</IsTruncated>`)
			for _, key := range []string{"p/00ff", "p/backup.tar", "p/avatars/00ff/64.webp"} {
				_, _ = io.WriteString(w, `<Upload><Key>`+key+`</Key><UploadId>1</UploadId><Initiated>2020-01-01T00:00:00.000Z</Initiated></Upload>`)
			}
			_, _ = io.WriteString(w, `</ListMultipartUploadsResult>`)
		}
	}))
	defer server.Close()
	if _, err := blob.OpenS3(t.Context(), "s3://key:secret@"+strings.TrimPrefix(server.URL, "http://")+"/bucket/p?insecure=1"); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(aborted, []string{"/bucket/p/00ff", "/bucket/p/avatars/00ff/64.webp"}) {
		t.Errorf("aborted: %v", aborted)
	}
}

// Delete aborts the object's uploads left by a crash.
func TestS3DeletesUnfinished(t *testing.T) {
	spec := blobtest.S3URL(t)
	s, err := blob.OpenS3(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	id := blobtest.NewID()
	during := 0
	_, err = s.Put(t.Context(), id, io.MultiReader(bytes.NewReader(make([]byte, 17<<20)), readFunc(func([]byte) (int, error) {
		if err := s.Delete(t.Context(), blobtest.NewID()); err != nil {
			t.Error(err)
		}
		during = uploads(t, spec)
		if err := s.Delete(t.Context(), id); err != nil {
			t.Error(err)
		}
		if got := uploads(t, spec); got != 0 {
			t.Errorf("%d unfinished uploads left", got)
		}
		return 0, io.EOF
	})))
	if err == nil || during != 1 {
		t.Errorf("Put = %v with %d unfinished uploads; want an error and one", err, during)
	}
	blobtest.Nothing(t, s, id)
}

type readFunc func(p []byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// An absent server counts as unavailable; its return needs no action.
func TestS3GoesAndComesBack(t *testing.T) {
	spec, err := url.Parse(blobtest.S3URL(t))
	if err != nil {
		t.Fatal(err)
	}
	var down atomic.Bool
	s := behind(t, spec, func(front http.Handler, w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			panic(http.ErrAbortHandler)
		}
		front.ServeHTTP(w, r)
	})
	id := blobtest.MustPut(t, s, []byte("x"))
	t.Cleanup(func() { _ = s.Delete(context.Background(), id) })
	down.Store(true)
	_, _, getErr := s.Get(t.Context(), id, 0, -1)
	_, putErr := s.Put(t.Context(), blobtest.NewID(), strings.NewReader("y"))
	for name, err := range map[string]error{"Get": getErr, "Put": putErr, "Ping": s.Ping(t.Context())} {
		if !errors.Is(err, blob.ErrUnavailable) || !fault.IsUnavailable(err) {
			t.Errorf("%s = %v, want ErrUnavailable", name, err)
		}
	}
	down.Store(false)
	if got, err := blobtest.Read(t, s, id, 0, -1); string(got) != "x" {
		t.Errorf("after it came back: %q, %v", got, err)
	}
}

// behind returns the store behind a proxy with serve as its handler.
func behind(t *testing.T, spec *url.URL, serve func(front http.Handler, w http.ResponseWriter, r *http.Request)) *blob.S3 {
	t.Helper()
	target := &url.URL{Scheme: "http", Host: spec.Host}
	// The signature covers the Host header, so the proxy must keep it. The client's Host is
	// the proxy's.
	front := &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		ErrorLog: log.New(io.Discard, "", 0),
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		Handler:  http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serve(front, w, r) }),
		ErrorLog: log.New(io.Discard, "", 0),
	}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	at := *spec
	at.Host = listener.Addr().String()
	s, err := blob.OpenS3(t.Context(), at.String())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Connections break in the middle of a body. A Get never ends short as if whole, and a Put
// leaves nothing visible and no parts.
func TestS3BreaksInTheMiddle(t *testing.T) {
	base := blobtest.S3URL(t)
	spec, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	var cut atomic.Bool
	s := behind(t, spec, func(front http.Handler, w http.ResponseWriter, r *http.Request) {
		if !cut.Load() {
			front.ServeHTTP(w, r)
			return
		}
		if r.Method == http.MethodPut { // the server gets half of the body
			r.Body = io.NopCloser(io.MultiReader(io.LimitReader(r.Body, 1<<20), iotest.ErrReader(errors.New("cut"))))
		}
		front.ServeHTTP(&shortWriter{ResponseWriter: w, left: 1 << 20}, r)
	})
	p := blobtest.Pattern(3 << 20)
	id := blobtest.MustPut(t, s, p)
	t.Cleanup(func() { _ = s.Delete(context.Background(), id) })
	cut.Store(true)
	if got, err := blobtest.Read(t, s, id, 0, -1); !errors.Is(err, blob.ErrUnavailable) || len(got) >= len(p) {
		t.Errorf("a Get that was cut: %d bytes, %v; want ErrUnavailable", len(got), err)
	}
	for _, n := range []int{3 << 20, 33 << 20} {
		id := blobtest.NewID()
		if _, err := s.Put(t.Context(), id, bytes.NewReader(blobtest.Pattern(n))); !errors.Is(err, blob.ErrUnavailable) {
			t.Errorf("a Put of %d bytes that was cut: %v, want ErrUnavailable", n, err)
		}
		cut.Store(false)
		blobtest.Nothing(t, s, id)
		cut.Store(true)
	}
	if got := uploads(t, base); got != 0 {
		t.Errorf("%d unfinished uploads left", got)
	}
}

// A request to a busy server is repeated, and so is a part whose connection broke. The
// stored object is whole.
func TestS3AsksAgain(t *testing.T) {
	spec, err := url.Parse(blobtest.S3URL(t))
	if err != nil {
		t.Fatal(err)
	}
	var puts atomic.Int64
	s := behind(t, spec, func(front http.Handler, w http.ResponseWriter, r *http.Request) {
		switch n := puts.Load(); {
		case r.Method != http.MethodPut:
		case n%3 == 0:
			puts.Add(1)
			_, _ = io.CopyN(io.Discard, r.Body, 1<<20)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		case n%3 == 1 && r.URL.Query().Has("partNumber"):
			puts.Add(1)
			_, _ = io.CopyN(io.Discard, r.Body, 1<<20)
			panic(http.ErrAbortHandler)
		default:
			puts.Add(1)
		}
		front.ServeHTTP(w, r)
	})
	for _, n := range []int{0, 3 << 20, 40 << 20} {
		puts.Store(0)
		p := blobtest.Pattern(n)
		id := blobtest.MustPut(t, s, p)
		if got, err := blobtest.Read(t, s, id, 0, -1); err != nil || !bytes.Equal(got, p) {
			t.Errorf("%d bytes became %d, %v", n, len(got), err)
		}
		if puts.Load() < 2 {
			t.Errorf("%d bytes: nothing was sent twice: the test sees nothing", n)
		}
		if err := s.Delete(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
}

// Each 404 looks like a missing object to the library. Those of a proxy whose server is away are
// no answers of the store.
func TestS3BehindAProxyThatFindsNothing(t *testing.T) {
	spec, err := url.Parse(blobtest.S3URL(t))
	if err != nil {
		t.Fatal(err)
	}
	var away atomic.Bool
	s := behind(t, spec, func(front http.Handler, w http.ResponseWriter, r *http.Request) {
		if away.Load() {
			http.Error(w, "<html>no such site</html>", http.StatusNotFound)
			return
		}
		front.ServeHTTP(w, r)
	})
	id := blobtest.MustPut(t, s, []byte("x"))
	t.Cleanup(func() { _ = s.Delete(context.Background(), id) })
	away.Store(true)
	_, _, all := s.Get(t.Context(), id, 0, -1)
	_, _, none := s.Get(t.Context(), id, 0, 0)
	_, small := s.Put(t.Context(), blobtest.NewID(), strings.NewReader("y"))
	_, large := s.Put(t.Context(), blobtest.NewID(), bytes.NewReader(make([]byte, 17<<20)))
	for name, err := range map[string]error{"Get": all, "Get of nothing": none, "Put": small, "Put of parts": large, "Delete": s.Delete(t.Context(), id)} {
		if !errors.Is(err, blob.ErrUnavailable) || !fault.IsUnavailable(err) {
			t.Errorf("%s = %v, want ErrUnavailable", name, err)
		}
	}
	away.Store(false)
	if _, _, err := s.Get(t.Context(), blobtest.NewID(), 0, -1); err != blob.ErrMissing {
		t.Errorf("an object that never was: %v", err)
	}
	if got, err := blobtest.Read(t, s, id, 0, -1); string(got) != "x" {
		t.Errorf("after it came back: %q, %v", got, err)
	}
}

// shortWriter breaks the connection after left bytes of a body.
type shortWriter struct {
	http.ResponseWriter
	left int
}

func (w *shortWriter) Write(p []byte) (int, error) {
	if len(p) > w.left {
		panic(http.ErrAbortHandler)
	}
	w.left -= len(p)
	return w.ResponseWriter.Write(p)
}

// The address contains a secret, which no error may repeat.
func TestS3AddressErrorsKeepTheSecret(t *testing.T) {
	for _, spec := range []string{"s3://key:canary%zz@host/b", "s3://key:canary@host", "s3://key:canary@/b"} {
		_, err := blob.OpenS3(t.Context(), spec)
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("OpenS3 = %v, want an error without the secret", err)
		}
	}
}
