package rest

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode"

	"coffer/internal/fault"
)

// guard checks a request before it is routed.
type guard struct {
	base     string // scheme://host of BaseURL: the origin of the web app
	origin   string // the same as browsers write it
	host     string // base's host with port, as browsers send it
	hostname string
	proxies  []netip.Prefix
	cross    *http.CrossOriginProtection
}

func newGuard(cfg Config) guard {
	if cfg.BaseURL == nil {
		cfg.BaseURL = &url.URL{Scheme: "http", Host: "localhost:8420"}
	}
	g := guard{
		origin: originOf(cfg.BaseURL),
		base:   cfg.BaseURL.Scheme + "://" + strings.ToLower(cfg.BaseURL.Host), host: strings.ToLower(cfg.BaseURL.Host),
		hostname: strings.ToLower(cfg.BaseURL.Hostname()), proxies: cfg.TrustedProxies, cross: http.NewCrossOriginProtection(),
	}
	// A proxy may rewrite Host: our own origin is trusted by name.
	if err := g.cross.AddTrustedOrigin(g.base); err != nil {
		panic("internal error: the base URL has no origin: " + err.Error())
	}
	return g
}

// errCrossOrigin refuses a browser's request that another site caused.
var errCrossOrigin = fault.New(fault.Forbidden, "cross_origin", "The server refuses this request from another site.")

var (
	errHost = fault.New(fault.Malformed, "unknown_host",
		"The server does not serve that host name. Use its address, or set COFFER_URL to its public address.")
	errEncoded = fault.New(fault.UnsupportedMedia, "unsupported_media_type", "Send the content without a Content-Encoding.")
)

// methods are those of any route; guard refuses all others.
var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// checkHost refuses foreign host names (DNS rebinding). A trusted proxy has already checked
// its requests.
func (g *guard) checkHost(r *http.Request) error {
	if r.Host == g.host {
		return nil
	}
	name := hostname(r.Host)
	if strings.EqualFold(name, g.hostname) || loopback(name) || g.trusted(peer(r)) {
		return nil
	}
	return errHost
}

func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.Trim(host, "[]")
}

func loopback(name string) bool {
	if strings.EqualFold(name, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.IsLoopback()
}

// checkOrigin refuses a browser's requests for another site. Requests without
// Sec-Fetch-Site and Origin come from no browser and pass.
func (g *guard) checkOrigin(r *http.Request) error {
	if err := g.cross.Check(r); err != nil {
		return errCrossOrigin.Because(err)
	}
	origin := r.Header.Get("Origin")
	if origin == "" || origin == g.base {
		return nil
	}
	// Beside the configured origin only loopback names are allowed, each only for itself.
	u, err := url.Parse(origin)
	if err != nil || u.Host != r.Host || !loopback(u.Hostname()) {
		return errCrossOrigin
	}
	return nil
}

// checkSite refuses what a page of another site causes in a reader's browser, unless the operation
// is meant for it. The page could send the browser to a hundred links that do not exist, or show
// them as pictures, and the refusals would block the reader's address. An address that a person
// types, or opens from a program, has the site "none".
func checkSite(r *http.Request, op *Op) error {
	if !safe(r.Method) {
		return nil // checkOrigin has judged it
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "cross-site" && site != "same-site" || op.Embeds {
		return nil
	}
	if dest := r.Header.Get("Sec-Fetch-Dest"); op.Returns && (dest == "document" || dest == "") {
		return nil
	}
	return errCrossOrigin
}

// checkSocket is checkOrigin for a GET that becomes a WebSocket. A browser opens one for any
// site, and sends Origin with it (RFC 6455 §10.2).
func (g *guard) checkSocket(r *http.Request) error {
	change := *r
	change.Method = http.MethodPost
	return g.checkOrigin(&change)
}

// The header fields of every answer, which handlers may replace. The slices are shared.
// Each is as long as its capacity, so appending copies it.
var (
	hsts          = []string{"max-age=63072000; includeSubDomains"}
	nosniff       = []string{"nosniff"}
	noReferrer    = []string{"no-referrer"}
	sameOrigin    = []string{"same-origin"}
	noStore       = []string{"no-store"}
	noIndex       = []string{"noindex"}
	closing       = []string{"close"}
	apiCSP        = []string{"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"}
	noPermissions = []string{"accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()"}
)

func setHeaders(h http.Header, id string) {
	h["X-Request-Id"] = []string{id}
	h["Strict-Transport-Security"] = hsts
	h["X-Content-Type-Options"] = nosniff
	h["Referrer-Policy"] = noReferrer
	h["Cross-Origin-Opener-Policy"] = sameOrigin
	h["Cross-Origin-Resource-Policy"] = sameOrigin
	h["Content-Security-Policy"] = apiCSP
	h["Permissions-Policy"] = noPermissions
	h["Cache-Control"] = noStore
}

// serve is the outermost handler.
func (a *API) serve(w http.ResponseWriter, r *http.Request) {
	a.measures.running.Add(1)
	x := &exchange{api: a, w: w, id: newRequestID(), start: time.Now()}
	r = x.takeBody(r)
	x.r = r
	setHeaders(w.Header(), x.id)
	if strings.HasPrefix(r.URL.Path, prefix+"/") {
		w.Header()["X-Robots-Tag"] = noIndex // an address may be a secret
	}
	// RFC 9112 §6.1 demands it for a request with both a length and chunks. net/http hides
	// such a length, so every chunked request is the last of its connection.
	if !r.ProtoAtLeast(1, 1) || len(r.TransferEncoding) > 0 {
		w.Header()["Connection"] = closing
	}
	defer x.end()
	if err := a.atDoor(x, r); err != nil {
		x.refuse(err)
		if x.body != nil {
			x.body.refused = false // a blocked client is not waited for
		}
		return
	}
	if err := a.check(x, r); err != nil {
		x.refuse(err)
		return
	}
	a.route(x, r)
	if x.status == 0 && !x.muxOnly {
		x.status = http.StatusOK // net/http's status when a handler sets none
		x.leaveBody(x.status)
	}
}

func (a *API) check(x *exchange, r *http.Request) error {
	if !slices.Contains(methods, r.Method) {
		x.Header().Set("Allow", strings.Join(a.allowed(r), ", "))
		return errMethod
	}
	if err := a.guard.checkHost(r); err != nil && !a.anyHost[r.URL.Path] {
		return err
	}
	if strings.HasPrefix(r.URL.Path, prefix+"/") {
		if err := checkQuery(r.URL); err != nil {
			return err
		}
	}
	if err := checkText(r.URL); err != nil {
		return err
	}
	if safe(r.Method) {
		return nil
	}
	// No operation decompresses content (RFC 9110 §8.4): it would be stored compressed.
	if coding := r.Header.Get("Content-Encoding"); coding != "" && r.ContentLength != 0 && !strings.EqualFold(coding, "identity") {
		return errEncoded
	}
	return a.guard.checkOrigin(r)
}

// checkQuery refuses an ambiguous query of the API, or of a stream beside it. net/url drops an unreadable parameter
// and takes the first of two. A folder named by such a parameter would silently be the
// root.
func checkQuery(u *url.URL) error {
	if u.RawQuery == "" {
		return nil
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errMalformed.Because(err)
	}
	for name, values := range query {
		if len(values) > 1 {
			return fault.InvalidField("query."+cut(name), "duplicate", "Send each parameter once.")
		}
	}
	return nil
}

// allowed lists the methods of r's path, or all methods for an unknown path.
func (a *API) allowed(r *http.Request) []string {
	mux := a.outer
	if strings.HasPrefix(r.URL.Path, prefix+"/") {
		mux = a.v1
	}
	var known []string
	for _, m := range methods {
		if _, pattern := mux.Handler(&http.Request{Method: m, URL: r.URL, Host: r.Host}); pattern != "" {
			known = append(known, m)
		}
	}
	if len(known) == 0 {
		return methods
	}
	return known
}

// end turns a panic into a 500 and logs the request.
func (x *exchange) end() {
	switch p := recover(); {
	case p == nil:
		x.tellDoor()
	case p == http.ErrAbortHandler:
		x.report()
		panic(p)
	default:
		x.api.cfg.Log.LogAttrs(x.r.Context(), slog.LevelError, "panic", panicAttrs(p, debug.Stack(), x.id)...)
		begun := x.status != 0
		if !begun {
			x.refuse(fault.ErrInternal)
		}
		x.report()
		if begun {
			panic(http.ErrAbortHandler)
		}
		x.dropBody()
		return
	}
	x.report()
	x.dropBody()
}

const idLetters = "0123456789abcdefghjkmnpqrstvwxyz"

// newRequestID returns 100 random bits. They distinguish requests and are no secret.
func newRequestID() string {
	var b [20]byte
	for i := 0; i < len(b); i += 10 {
		n := rand.Uint64()
		for j := range 10 {
			b[i+j] = idLetters[n&31]
			n >>= 5
		}
	}
	return string(b[:])
}

func (x *exchange) methodForLog() string {
	if slices.Contains(methods, x.r.Method) {
		return x.r.Method
	}
	return "OTHER"
}

// printable makes text safe for a log with one line per record, whatever the handler.
func printable(s string) string {
	const longest = 4 << 10
	if len(s) > longest {
		s = s[:longest] + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}

func panicAttrs(p any, stack []byte, id string) []slog.Attr {
	return []slog.Attr{slog.String("request_id", id), slog.String("value", printable(fmt.Sprint(p))), slog.String("stack", printable(string(stack)))}
}
