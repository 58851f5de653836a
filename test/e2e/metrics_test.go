package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"coffer/client"
)

// series is one line of the page: its labels and its value, of a histogram the count.
type series struct {
	labels map[string]string
	value  float64
}

// page reads the counts of a server from its private listener, with the parser of
// Prometheus.
func page(t *testing.T, addr string) (map[string][]series, string) {
	t.Helper()
	res, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 || res.Header.Get("Content-Type") != string(expfmt.NewFormat(expfmt.TypeTextPlain)) {
		t.Fatalf("%d %v %v", res.StatusCode, res.Header, err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		t.Fatalf("%v\n%s", err, body)
	}
	all := map[string][]series{}
	for name, f := range families {
		for _, m := range f.GetMetric() {
			one := series{map[string]string{}, m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())}
			for _, l := range m.GetLabel() {
				one.labels[l.GetName()] = l.GetValue()
			}
			all[name] = append(all[name], one)
		}
	}
	return all, string(body)
}

// count is the sum of the values of a family whose labels include pairs.
func count(families map[string][]series, name string, pairs ...string) (sum float64) {
	for _, one := range families[name] {
		fits := true
		for pair := range slices.Chunk(pairs, 2) {
			fits = fits && one.labels[pair[0]] == pair[1]
		}
		if fits {
			sum += one.value
		}
	}
	return sum
}

// words are the values that each label may have. A label without a line here is a mistake.
var words = map[string]*regexp.Regexp{
	"method":    regexp.MustCompile(`^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|any|none|password|passkey|social|totp|email_otp|sms|security_question|backup_code|recovery)$`),
	"by":        regexp.MustCompile(`^(admin|server)$`),
	"route":     nil, // those of the document, and of the web app
	"class":     regexp.MustCompile(`^([1-5]xx|none)$`),
	"code":      regexp.MustCompile(`^[a-z_]{3,40}$`),
	"rule":      regexp.MustCompile(`^[a-z-]{3,40}$`),
	"kind":      regexp.MustCompile(`^[a-z-]{3,40}([.:][a-z-]{3,40})?$`),
	"name":      regexp.MustCompile(`^[a-z]{2,20}\.[a-z-]{3,20}$`),
	"outcome":   regexp.MustCompile(`^[a-z_-]{2,30}$`),
	"operation": regexp.MustCompile(`^(put|get|delete)$`),
	"direction": regexp.MustCompile(`^(in|out)$`),
	"cache":     regexp.MustCompile(`^[a-z-]{2,30}$`),
	"version":   regexp.MustCompile(`^(\(devel\)|other|v[0-9][0-9a-z.+-]*)$`),
	"state":     regexp.MustCompile(`^[a-z]{3,20}$`),
	"go":        regexp.MustCompile(`^go1\.[0-9.]+[a-z0-9.-]*( X:[a-z0-9,]+)?$`),
}

// TestMetrics tells a story and reads what the server counted: it is there, in the format of
// Prometheus, with bounded labels that hold no data of a person, and on the private listener
// alone.
func TestMetrics(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		private := fmt.Sprintf("127.0.0.1:%d", freePort(t))
		s := start(t, in, "COFFER_METRICS_ADDR="+private)
		before, _ := page(t, private)
		p := s.member(t)
		c := p.signIn(t, client.WithoutProofs())
		d := desk{c, t, bytesOf(300_000, "metrics")}
		f := d.upload(false, "", "Diary of Ada.txt", d.big)
		content, err := c.Download(t.Context(), f.ID)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, content.Body)
		if err := errors.Join(err, content.Body.Close()); err != nil || n != 300_000 {
			t.Fatalf("%d bytes, %v", n, err)
		}
		wrong := p.NewAccount
		wrong.Password = "not the password of anyone"
		for range 12 { // the last two meet the limit
			_, _, err := p.client(t).SignIn(t.Context(), client.SignIn{Identifier: wrong.Email, Password: wrong.Password})
			if client.Status(err) != 401 && client.Status(err) != 429 {
				t.Fatal(err)
			}
		}
		for i := range 30 { // a stranger asks for addresses that hold names
			s.raw(t, p.from, "GET", fmt.Sprintf("/v1/files/%s-%d", p.Username, i), "")
			s.raw(t, p.from, "GET", fmt.Sprintf("/%s/%d?q=%s", p.Username, i, p.Email), "")
			s.raw(t, p.from, fmt.Sprintf("ADA%d", i), "/", "")
		}

		after, text := page(t, private)
		more := func(least float64, name string, pairs ...string) {
			t.Helper()
			if got := count(after, name, pairs...) - count(before, name, pairs...); got < least {
				t.Errorf("%s %q grew by %v, want %v at least", name, pairs, got, least)
			}
		}
		more(1, "coffer_http_requests_total", "method", "POST", "route", "/v1/auth/sign-in", "class", "2xx")
		more(12, "coffer_http_requests_total", "method", "POST", "route", "/v1/auth/sign-in", "class", "4xx")
		more(13, "coffer_http_request_duration_seconds", "route", "/v1/auth/sign-in")
		more(1, "coffer_http_refusals_total", "code", "rate_limited")
		more(10, "coffer_http_refusals_total", "code", "invalid_credentials")
		more(1, "coffer_limit_refusals_total", "rule", "sign-in-pair")
		more(1, "coffer_sign_ins_total", "method", "password", "outcome", "opened")
		more(10, "coffer_sign_ins_total", "method", "password", "outcome", "wrong")
		more(11, "coffer_hashes_total")
		more(11, "coffer_hash_wait_seconds")
		more(1, "coffer_jobs_total", "kind", "mail", "outcome", "done")
		more(1, "coffer_periodic_total", "name", "session.prune", "outcome", "done")
		more(1, "coffer_blob_operations_total", "operation", "put", "outcome", "ok")
		more(300_000, "coffer_blob_bytes_total", "direction", "in")
		more(300_000, "coffer_blob_bytes_total", "direction", "out")
		more(300_000, "coffer_http_sent_bytes_total")
		more(1, "coffer_cache_reads_total", "outcome", "hit")
		for _, name := range []string{
			"coffer_jobs_waiting", "coffer_jobs_dead", "coffer_jobs_oldest_seconds", "coffer_drops_open", "coffer_drop_memory_bytes", "coffer_hash_queue",
			"coffer_build_info", "go_goroutines", "process_resident_memory_bytes", "coffer_http_streams_running",
		} {
			if after[name] == nil {
				t.Errorf("there is no %s", name)
			}
		}
		if n := count(after, "coffer_metrics_failures_total"); n != 0 {
			t.Errorf("%v reads failed\n%s", n, s.tail())
		}
		labels(t, after)
		for _, personal := range []string{p.Username, p.Email, "example.org", p.from.String(), "Diary", f.ID, "Lovelace", "ADA1"} {
			if strings.Contains(text, personal) {
				t.Errorf("the page has %q", personal)
			}
		}

		for _, path := range []string{"/metrics", "/metrics/", "/v1/metrics"} {
			if a := s.raw(t, p.from, "GET", path, ""); a.status != 404 {
				t.Errorf("%s of the public listener: %d", path, a.status)
			}
		}
		for _, path := range []string{"/", "/healthz", "/v1/account", "/debug/pprof/"} {
			res, err := http.Get("http://" + private + path)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != 404 {
				t.Errorf("%s of the private listener: %d", path, res.StatusCode)
			}
		}
	})
}

// labels checks that each label of each series is one of the program's words.
func labels(t *testing.T, families map[string][]series) {
	t.Helper()
	document, err := os.ReadFile("../../api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	ofWeb := regexp.MustCompile(`^/[a-z{}$.-]*(/[a-z{}$.-]+)*/?$`)
	for name, all := range families {
		if len(all) > 400 {
			t.Errorf("%s has %d series", name, len(all))
		}
		for _, one := range all {
			for label, value := range one.labels {
				is := words[label]
				ok := is != nil && is.MatchString(value)
				if label == "route" {
					path, inAPI := strings.CutPrefix(value, "/v1")
					ok = value == "none" || inAPI && bytes.Contains(document, []byte(`"`+path+`": {`)) || !inAPI && ofWeb.MatchString(value)
				}
				if !ok {
					t.Errorf("%s has the label %s=%q", name, label, value)
				}
			}
		}
	}
}

// TestMetricsSettings: no listener without a setting, and none on the public port.
func TestMetricsSettings(t *testing.T) {
	t.Parallel()
	s := newServer(t, alone)
	env := slices.Clip(s.env)
	for _, addr := range []string{"nonsense", "127.0.0.1:0", "0.0.0.0:" + s.url[strings.LastIndexByte(s.url, ':')+1:]} {
		s.env = append(env, "COFFER_METRICS_ADDR="+addr)
		s.refuses(t, "COFFER_METRICS_ADDR")
	}
}
