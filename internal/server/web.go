package server

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"coffer/internal/fault"
	"coffer/internal/rest"
)

// app is the web app as sent: index.html with hashed addresses, and every other file.
type app struct {
	index [2]string // around each nonce: the page is index[0] + nonce + index[1]
	files map[string]*asset
}

type asset struct {
	contentType string
	body        []byte
	packed      func() []byte // gzip; nil where it saves nothing. Made when it is first asked for: a start need not wait
	hash        string
}

// web serves an app. It reads files on disk anew for each request, because a developer
// changes them.
type web struct {
	fs     fs.FS
	app    *app   // nil in development
	images string // an origin, or empty
}

const (
	assetPath = "/assets/"
	nonceMark = "{{nonce}}"
)

func newWeb(files fs.FS, api *rest.API, images string) error {
	a, err := readApp(files)
	if err != nil {
		return fmt.Errorf("web app: %w", err)
	}
	w := &web{fs: files, app: a, images: images}
	// Embedded files have no modification time.
	if info, err := fs.Stat(files, "index.html"); err == nil && !info.ModTime().IsZero() {
		w.app = nil
	}
	api.Handle("GET "+assetPath+"{file...}", http.HandlerFunc(w.asset), errNoFile)
	api.Handle("GET /", http.HandlerFunc(w.page), errNoFile)
	return nil
}

func (w *web) current() (*app, error) {
	if w.app != nil {
		return w.app, nil
	}
	return readApp(w.fs)
}

func readApp(files fs.FS) (*app, error) {
	a := &app{files: map[string]*asset{}}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		a.files[name] = newAsset(name, body)
		return nil
	})
	if err != nil {
		return nil, err
	}
	index, ok := a.files["index.html"]
	if !ok {
		return nil, errors.New("there is no index.html")
	}
	delete(a.files, "index.html") // no asset: without a nonce it starts nothing
	page := string(index.body)
	for name, f := range a.files {
		page = strings.ReplaceAll(page, `"`+assetPath+name+`"`, `"`+assetPath+name+"?v="+f.hash+`"`)
	}
	before, after, ok := strings.Cut(page, nonceMark)
	if !ok || strings.Contains(after, nonceMark) {
		return nil, fmt.Errorf("index.html must say %s once", nonceMark)
	}
	a.index = [2]string{before, after}
	return a, nil
}

// contentTypes are fixed for our own files; the system's table could differ.
var contentTypes = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8",
	".json": "application/json", ".webmanifest": "application/manifest+json", ".png": "image/png", ".webp": "image/webp",
	".woff2": "font/woff2", ".wasm": "application/wasm", ".html": "text/html; charset=utf-8",
}

func newAsset(name string, body []byte) *asset {
	sum := sha256.Sum256(body)
	a := &asset{body: body, hash: base64.RawURLEncoding.EncodeToString(sum[:12]), contentType: contentTypes[path.Ext(name)]}
	if a.contentType == "" {
		a.contentType = "application/octet-stream"
	}
	a.packed = sync.OnceValue(func() []byte { return pack(body) })
	return a
}

func pack(body []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(body) // a buffer accepts everything
	_ = z.Close()
	if b.Len() >= len(body)*9/10 {
		return nil
	}
	return b.Bytes()
}

var errNoFile = fault.New(fault.NotFound, "not_found", "Not found.")

// asset sends one file of the app.
func (w *web) asset(rw http.ResponseWriter, r *http.Request) {
	a, err := w.current()
	if err != nil {
		rest.Refuse(rw, r, err)
		return
	}
	f, ok := a.files[r.PathValue("file")]
	if !ok {
		rest.Refuse(rw, r, errNoFile)
		return
	}
	h := rw.Header()
	etag := `"` + f.hash + `"`
	switch v := r.URL.Query().Get("v"); v {
	case f.hash:
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	case "":
		h.Set("Cache-Control", "no-cache") // cache it, but revalidate
	default:
		h.Set("Cache-Control", "no-store") // the address belongs to another version's file
	}
	h.Set("Etag", etag)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Content-Type", f.contentType)
	if strings.HasSuffix(r.PathValue("file"), workerSuffix) {
		h.Set("Content-Security-Policy", workerPolicy)
	}
	if r.Header.Get("If-None-Match") == etag {
		h.Del("Content-Type")
		rw.WriteHeader(http.StatusNotModified)
		return
	}
	body := f.body
	if takesGzip(r.Header.Get("Accept-Encoding")) {
		if packed := f.packed(); packed != nil {
			h.Set("Content-Encoding", "gzip")
			body = packed
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = rw.Write(body) // a client that hung up reads no answer; for HEAD net/http sends nothing
}

// takesGzip reads Accept-Encoding (RFC 9110 §12.5.3) as far as this server needs it.
func takesGzip(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		coding, weight, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			q, ok := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(weight), " ", ""), "q=")
			return !ok || strings.Trim(q, "0.") != ""
		}
	}
	return false
}

// page sends index.html for every path that may be a page of the app: its router runs in
// the browser.
func (w *web) page(rw http.ResponseWriter, r *http.Request) {
	if !pagePath(r.URL.Path) || !takesHTML(r.Header.Get("Accept")) {
		rest.Refuse(rw, r, errNoFile)
		return
	}
	a, err := w.current()
	if err != nil {
		rest.Refuse(rw, r, err)
		return
	}
	nonce := rand.Text()
	h := rw.Header()
	h.Set("Content-Security-Policy", w.pagePolicy(nonce))
	h.Set("Content-Type", "text/html; charset=utf-8")
	if strings.HasPrefix(r.URL.Path, "/s/") || strings.HasPrefix(r.URL.Path, "/r/") {
		h.Set("X-Robots-Tag", "noindex") // the address of a link is its secret
	}
	// no-store is already set: a cached page would reuse its nonce.
	_, _ = rw.Write([]byte(a.index[0] + nonce + a.index[1]))
}

// pagePolicy is the Content-Security-Policy of the app's page. The app shows a person's own files from
// blob: addresses as images, sound and video, and in a frame, which takes this policy over: no script
// of a file runs there, because none has the nonce.
func (w *web) pagePolicy(nonce string) string {
	return "default-src 'none'; script-src 'nonce-" + nonce + "'; style-src 'self'; worker-src 'self'; connect-src 'self'; img-src " + strings.TrimSpace("'self' data: blob: "+w.images) + "; media-src blob:; frame-src blob:; " +
		"font-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; " +
		"report-uri " + ReportPath
}

// A worker obeys the policy of its own file. It may talk to this server and do nothing else.
const (
	workerSuffix = "-worker.js"
	workerPolicy = "default-src 'none'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; report-uri " + ReportPath
)

// pagePath reports whether p may be a page of the app. It refuses files, dot files and
// common diagnostic paths.
func pagePath(p string) bool {
	if path.Ext(p) != "" || strings.Contains(p, "/.") {
		return false
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
	return first != "debug" && first != "metrics"
}

// takesHTML reports whether the client accepts a page.
func takesHTML(accept string) bool {
	return accept == "" || strings.Contains(accept, "text/html") || strings.Contains(accept, "*/*")
}
