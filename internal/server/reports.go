package server

import (
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

// ReportPath is where browsers send what the policy of the web app refused.
const ReportPath = "/csp-reports"

const (
	reportGroup = "csp"
	reportBytes = 16 << 10
	// At most reportLines different refusals are logged in each reportWindow: anybody may
	// send reports.
	reportLines  = 20
	reportWindow = time.Hour
)

// reports logs refusals of the policy, each kind once a window. Of a report only the
// directive and the origin of what was refused are kept: addresses of pages hold ids.
type reports struct {
	log *slog.Logger
	now func() time.Time

	mu    sync.Mutex
	since time.Time
	seen  map[refused]bool
}

// refused is a kind of refusal.
type refused struct{ directive, blocked string }

func newReports(cfg Config) *reports { return &reports{log: cfg.Log, now: cfg.Now} }

func (p *reports) routes(api *rest.API) {
	api.Handle("POST "+ReportPath, http.HandlerFunc(p.receive))
}

var (
	errReportType = fault.New(fault.UnsupportedMedia, "unsupported_media_type", "Send a report as application/csp-report or application/reports+json.")
	errReportSize = fault.New(fault.TooLarge, "body_too_large", "The body is longer than this server takes.")
	errReportJSON = fault.New(fault.Malformed, "invalid_json", "The body is not JSON that can be read in one way only.")
)

func (p *reports) receive(w http.ResponseWriter, r *http.Request) {
	all, err := readReports(w, r)
	if err != nil {
		rest.Refuse(w, r, err)
		return
	}
	for _, one := range all {
		p.keep(one)
	}
	w.WriteHeader(http.StatusNoContent)
}

// csp2Report is the body that report-uri makes a browser send (CSP level 2 §4.4).
type csp2Report struct {
	Report struct {
		Effective string `json:"effective-directive"`
		Violated  string `json:"violated-directive"`
		Blocked   string `json:"blocked-uri"`
	} `json:"csp-report"`
}

// csp3Report is an item of what report-to makes it send (Reporting API §3.2, CSP level 3 §5.3).
type csp3Report struct {
	Type string `json:"type"`
	Body struct {
		Effective string `json:"effectiveDirective"`
		Blocked   string `json:"blockedURL"`
	} `json:"body"`
}

func readReports(w http.ResponseWriter, r *http.Request) ([]refused, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/csp-report" && kind != "application/reports+json" {
		return nil, errReportType
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, reportBytes))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, errReportSize
		}
		return nil, errReportJSON.Because(err)
	}
	if kind == "application/csp-report" {
		var old csp2Report
		if err := json.Unmarshal(body, &old); err != nil {
			return nil, errReportJSON
		}
		directive, _, _ := strings.Cut(old.Report.Effective, " ")
		if directive == "" {
			directive, _, _ = strings.Cut(old.Report.Violated, " ")
		}
		return []refused{{directive, old.Report.Blocked}}, nil
	}
	var items []csp3Report
	if err := json.Unmarshal(body, &items); err != nil {
		return nil, errReportJSON
	}
	var all []refused
	for _, item := range items {
		if item.Type == "csp-violation" {
			all = append(all, refused{item.Body.Effective, item.Body.Blocked})
		}
	}
	return all, nil
}

// keep logs a refusal whose kind was not seen in this window.
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

// origin keeps scheme and host of an address; words such as "inline" stay what they are.
func origin(s string) string {
	if u, err := url.Parse(s); err == nil && u.Scheme != "" {
		return word(u.Scheme + ":" + u.Host)
	}
	return word(s)
}

// word keeps what a directive, scheme or host is made of, and little of it.
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
