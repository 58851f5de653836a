package server

import (
	"cmp"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"coffer/internal/fault"
	"coffer/internal/rest"
)

// ReportPath is where browsers report violations of the web app's policy. The policy names
// it in report-uri: with report-to, Chromium sends nothing without https, and nothing at
// once.
const ReportPath = "/csp-reports"

const (
	reportBytes = 16 << 10
	// The server logs at most reportLines different violations in each reportWindow,
	// because any stranger may send reports.
	reportLines  = 20
	reportWindow = time.Hour
)

// reports logs violations of the policy, each kind once per window. It keeps only a
// report's directive and the origin of the blocked resource: page addresses hold ids.
type reports struct {
	log *slog.Logger
	now func() time.Time

	mu    sync.Mutex
	since time.Time
	seen  map[refused]bool
}

// refused is a kind of violation.
type refused struct{ directive, blocked string }

func newReports(cfg Config) *reports { return &reports{log: cfg.Log, now: cfg.Now} }

func (p *reports) routes(api *rest.API) {
	api.Handle("POST "+ReportPath, http.HandlerFunc(p.receive), errReportType, errReportSize, errReportJSON)
}

var (
	errReportType = fault.New(fault.UnsupportedMedia, "unsupported_media_type", "Send a report as application/csp-report.")
	errReportSize = fault.New(fault.TooLarge, "body_too_large", "The body exceeds the server's size limit.")
	errReportJSON = fault.New(fault.Malformed, "invalid_json", "The body is not valid, unambiguous JSON.")
)

func (p *reports) receive(w http.ResponseWriter, r *http.Request) {
	one, err := readReport(w, r)
	if err != nil {
		rest.Refuse(w, r, err)
		return
	}
	p.keep(one)
	w.WriteHeader(http.StatusNoContent)
}

// report is a browser's body for report-uri (CSP level 3 §5.3).
type report struct {
	Report struct {
		Effective string `json:"effective-directive"`
		Violated  string `json:"violated-directive"` // the name in older browsers
		Blocked   string `json:"blocked-uri"`
	} `json:"csp-report"`
}

func readReport(w http.ResponseWriter, r *http.Request) (refused, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/csp-report" {
		return refused{}, errReportType
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, reportBytes))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return refused{}, errReportSize
		}
		return refused{}, errReportJSON.Because(err)
	}
	var rep report
	if err := json.Unmarshal(body, &rep); err != nil {
		return refused{}, errReportJSON
	}
	directive, _, _ := strings.Cut(cmp.Or(rep.Report.Effective, rep.Report.Violated), " ")
	return refused{directive, rep.Report.Blocked}, nil
}

// keep logs a violation whose kind is new in this window.
func (p *reports) keep(r refused) {
	r.directive, r.blocked = word(r.directive), origin(r.blocked)
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.now(); p.seen == nil || now.Sub(p.since) >= reportWindow {
		p.since, p.seen = now, map[refused]bool{}
	}
	if p.seen[r] || len(p.seen) >= reportLines {
		return
	}
	p.seen[r] = true
	p.log.Warn("the web app's policy refused something", "directive", r.directive, "blocked", r.blocked)
}

// origin reduces an address to scheme and host; words such as "inline" stay.
func origin(s string) string {
	if u, err := url.Parse(s); err == nil && u.Scheme != "" {
		return word(u.Scheme + ":" + u.Host)
	}
	return word(s)
}

// word keeps the characters of directives, schemes and hosts, up to a limit.
func word(s string) string {
	const longest = 80
	keep := func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == ':' {
			return r
		}
		return -1
	}
	s = strings.Map(keep, s[:min(len(s), longest)])
	if s == "" {
		return "unknown"
	}
	return s
}
