package pin

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"coffer/internal/content"
	"coffer/internal/fault"
	"coffer/internal/ipfs"
	"coffer/internal/limit"
	"coffer/internal/rest"
)

// The media types of the gateway.
const (
	typeRaw = "application/vnd.ipld.raw"
	typeCAR = "application/vnd.ipld.car"
)

// probe is the identifier of nothing at all, by which clients ask whether a gateway is there.
const probe = "bafkqaaa"

var (
	errFormat    = fault.New(fault.NotAcceptable, "not_acceptable", "The gateway serves raw blocks and CAR streams only: ask with format=raw or format=car.")
	errNoFormat  = fault.New(fault.Malformed, "format_required", "Say what you want: format=raw or format=car.")
	errBadCID    = fault.New(fault.Malformed, "invalid_cid", "This is no content identifier with SHA2-256 of a raw or dag-pb block.")
	errBadQuery  = fault.New(fault.Malformed, "malformed_request", "The request is malformed.")
	errBusy      = &fault.Error{Kind: fault.Unavailable, Code: "busy", RetryAfter: 5 * time.Second, Detail: "The server is busy with other large blocks. Try again in a few seconds."}
	errNotCached = fault.New(fault.Precondition, "not_cached", "The gateway does not have the block.")
)

// gatewayRoutes registers the gateway, outside of /v1 and without a session. It sets and reads
// no cookie, so any page may ask it.
func (s *Service) gatewayRoutes(a *rest.API) {
	for _, pattern := range []string{"GET /ipfs/{cid}", "GET /ipfs/{cid}/{path...}"} {
		a.HandleStream(pattern, s.serve, errNoBlock, errFormat, errNoFormat, errBadCID, errBadQuery, errNotCached, errBusy, limit.ErrLimited)
	}
}

// asked is a request of the gateway, read.
type asked struct {
	id    string // as the client wrote it
	root  ipfs.CID
	names []string
	path  string // escaped, with a slash before; "" for none
	car   bool
	query url.Values
	named bool // the query names the format
	dups  bool
	scope string
	part  span
}

// serve answers GET and HEAD.
func (s *Service) serve(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, HEAD")
	h.Set("Access-Control-Expose-Headers", "Content-Length, ETag, X-Ipfs-Path, X-Ipfs-Roots")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Vary", "Accept")
	client, _ := rest.ClientIn(r.Context())
	if err := s.Limit.Take(r.Context(), s.GatewayLimit, limit.AddrKey(client.Addr)); err != nil {
		return err // with the headers before it: a page may read that it is to wait
	}
	q, err := readAsked(r)
	if err != nil {
		return err
	}
	if q.id == probe {
		return q.answerProbe(w, r)
	}
	if q.root, err = ipfs.Parse(q.id); err != nil {
		return errBadCID.Because(err)
	}
	v := s.newView()
	end, passed, err := v.resolve(r.Context(), q.root, q.names)
	if err == nil {
		_, err = v.find(r.Context(), end)
	}
	if err != nil {
		if strings.Contains(r.Header.Get("Cache-Control"), "only-if-cached") && fault.Of(err).Kind == fault.NotFound {
			return errNotCached
		}
		return err
	}
	etag := q.etag(end)
	if matches(r.Header.Values("If-None-Match"), etag) {
		h.Set("ETag", etag)
		h.Set("Cache-Control", immutable)
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	headers := func(h http.Header) { q.describe(h, etag, end, passed) }
	if q.car {
		if len(passed) == 0 { // else its first block was made on the way here
			if _, err := v.node(r.Context(), end); err != nil {
				return err
			}
		}
		if r.Method != http.MethodHead {
			return v.sendCAR(r.Context(), &rest.Late{ResponseWriter: w, Headers: headers}, q.root, passed, end, q.scope, q.part, q.dups)
		}
		headers(h)
		w.WriteHeader(http.StatusOK)
		return nil
	}
	p, err := v.prepare(r.Context(), end)
	if err != nil {
		return err
	}
	defer p.close()
	headers(h)
	h.Set("Content-Length", strconv.FormatInt(p.b.Length, 10))
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	return p.send(r.Context(), w)
}

// immutable is for answers that can never differ.
const immutable = "public, max-age=29030400, immutable"

// readAsked reads what a request asks for. Nothing of it is looked up yet.
func readAsked(r *http.Request) (q asked, err error) {
	if q.query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return q, errBadQuery.Because(err)
	}
	tail, _ := strings.CutPrefix(r.URL.EscapedPath(), "/ipfs/")
	id, path, _ := strings.Cut(tail, "/")
	if q.id, err = url.PathUnescape(id); err != nil {
		return q, errBadQuery.Because(err)
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "" {
			continue
		}
		name, err := url.PathUnescape(part)
		if err != nil || len(q.names) >= maxSegments {
			return q, errBadQuery
		}
		q.names = append(q.names, name)
		q.path += "/" + url.PathEscape(name)
	}
	params, err := q.negotiate(r.Header.Values("Accept"))
	if err != nil || !q.car {
		return q, err
	}
	return q, q.readCAR(params)
}

// maxSegments is how many names a path may have.
const maxSegments = 128

// negotiate chooses the format: the query's, else the one that the client likes best.
func (q *asked) negotiate(accept []string) (params map[string]string, err error) {
	best, formats := 0.0, map[string]string{"raw": typeRaw, "car": typeCAR}
	for text := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		kind, p, err := mime.ParseMediaType(text)
		if err != nil || kind != typeRaw && kind != typeCAR {
			continue
		}
		weight := 1.0
		if given, ok := p["q"]; ok {
			if weight, err = strconv.ParseFloat(given, 64); err != nil {
				continue
			}
		}
		if weight > best {
			best, params, q.car = weight, p, kind == typeCAR
		}
	}
	switch format := q.query.Get("format"); {
	case formats[format] != "":
		if q.named = true; q.car != (format == "car") {
			params = nil
		}
		q.car = format == "car"
	case format != "":
		return nil, errFormat
	case best == 0 && len(accept) == 0:
		return nil, errNoFormat
	case best == 0:
		return nil, errFormat
	}
	return params, nil
}

// readCAR reads the parameters of a CAR. Those of the query come before those of Accept.
func (q *asked) readCAR(params map[string]string) error {
	given := func(name string) string {
		if v := q.query.Get("car-" + name); v != "" {
			return v
		}
		return params[name]
	}
	if v := given("version"); v != "" && v != "1" {
		return errFormat
	}
	if v := given("order"); v != "" && v != "dfs" && v != "unk" {
		return errFormat
	}
	switch given("dups") {
	case "y":
		q.dups = true
	case "", "n":
	default:
		return errFormat
	}
	q.scope = scopeAll
	q.part = span{open: true}
	switch scope := q.query.Get("dag-scope"); scope {
	case "":
	case scopeBlock, scopeEntity, scopeAll:
		q.scope = scope
	default:
		return errBadQuery
	}
	text := q.query.Get("entity-bytes")
	if text == "" {
		return nil
	}
	from, to, ok := strings.Cut(text, ":")
	var err, late error
	q.part = span{open: to == "*"}
	q.part.from, err = strconv.ParseInt(from, 10, 64)
	if !q.part.open {
		q.part.to, late = strconv.ParseInt(to, 10, 64)
	}
	if !ok || err != nil || late != nil {
		return errBadQuery
	}
	q.scope = scopeEntity
	return nil
}

// etag names an answer. That of a CAR is weak, as the specification asks: other servers may
// order blocks in another way.
func (q *asked) etag(end ipfs.CID) string {
	if !q.car {
		return `"` + end.String() + `.raw"`
	}
	text := strings.Join([]string{q.root.String(), q.path, q.query.Get("entity-bytes"), strconv.FormatBool(q.dups)}, "\n")
	sum := sha256.Sum256([]byte(text))
	return `W/"` + q.scope + "." + end.String() + ".car." + hex.EncodeToString(sum[:8]) + `"`
}

// describe sets the headers of a success.
func (q *asked) describe(h http.Header, etag string, end ipfs.CID, passed []ipfs.CID) {
	ending, kind, format := ".bin", typeRaw, "raw"
	if q.car {
		ending, format = ".car", "car"
		kind = typeCAR + "; version=1; order=dfs; dups=n"
		if q.dups {
			kind = typeCAR + "; version=1; order=dfs; dups=y"
		}
	}
	name := end.String() + ending
	if own := q.query.Get("filename"); own != "" {
		name = own
	}
	roots := []string{}
	for _, c := range append(slices.Clone(passed), end) {
		roots = append(roots, c.String())
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", content.Attachment(name))
	h.Set("ETag", etag)
	h.Set("Cache-Control", immutable)
	h.Set("X-Ipfs-Path", "/ipfs/"+url.PathEscape(q.id)+q.path)
	if len(roots) <= maxRoots {
		h.Set("X-Ipfs-Roots", strings.Join(roots, ","))
	}
	if !q.named {
		same := maps.Clone(q.query)
		same.Set("format", format)
		if q.dups {
			same.Set("car-dups", "y")
		}
		h.Set("Content-Location", "/ipfs/"+url.PathEscape(q.id)+q.path+"?"+same.Encode())
	}
}

// maxRoots bounds a header's length.
const maxRoots = 20

// answerProbe answers a request for nothing at all.
func (q *asked) answerProbe(w http.ResponseWriter, r *http.Request) error {
	if len(q.names) > 0 {
		return errNoBlock
	}
	h := w.Header()
	h.Set("Content-Disposition", content.Attachment(probe+".bin"))
	h.Set("Content-Type", typeRaw)
	body := ""
	if q.car {
		h.Set("Content-Type", typeCAR+"; version=1; order=dfs; dups=n")
		h.Set("Content-Disposition", content.Attachment(probe+".car"))
		body = probeCAR
	}
	h.Set("ETag", `"`+probe+"."+strconv.Itoa(len(body))+`"`)
	h.Set("Cache-Control", immutable)
	h.Set("X-Ipfs-Path", "/ipfs/"+probe)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	_, err := io.WriteString(w, body)
	return err
}

// probeCAR is an archive without blocks whose root is the identifier of nothing: the length of
// its header, and that in CBOR, {"roots": [42(h'00' ‖ CID)], "version": 1}.
const probeCAR = "\x19\xa2\x65roots\x81\xd8\x2a\x45\x00\x01\x55\x00\x00\x67version\x01"

// matches reports whether a list of tags names one, in the weak comparison of RFC 9110 §8.8.3.2.
func matches(lists []string, etag string) bool {
	for text := range strings.SplitSeq(strings.Join(lists, ","), ",") {
		tag := strings.TrimSpace(text)
		if tag == "*" || tag != "" && strings.TrimPrefix(tag, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}
