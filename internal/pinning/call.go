package pinning

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"coffer/internal/outbound"
	"coffer/internal/text"
)

// Bounds of one call.
const (
	stepTime   = 30 * time.Second // of a short call, and for 64 KiB of a long one
	answerTime = 5 * time.Minute  // for the answer to an upload: Kubo walks the whole DAG before it says pinned
	maxAnswer  = 2 << 20          // bytes; the longest block that IPFS nodes exchange
	maxAfter   = 24 * time.Hour   // of Retry-After
	maxWords   = 200              // bytes of a node's own words
	shardSize  = 50 << 20
)

// caller makes calls to one provider.
type caller struct {
	name   string
	client *outbound.Client
	auth   string // of the Authorization header; empty: none
	now    func() time.Time
}

// newCaller returns a caller that may reach the hosts that the operator has named among urls,
// wherever they are.
func newCaller(name, auth string, urls ...*url.URL) caller {
	return caller{
		name: name, auth: auth, now: time.Now,
		client: outbound.New(outbound.Config{Time: stepTime, Wait: answerTime, Answer: maxAnswer, Named: named(urls)}),
	}
}

// named returns the hosts that the operator has named. Those of the defaults must be public.
func named(urls []*url.URL) (hosts []string) {
	for _, u := range urls {
		if at := u.String(); at != pinataURL && at != pinataUpload && at != pinataGateway {
			hosts = append(hosts, u.Hostname())
		}
	}
	return hosts
}

// must returns an address that AfterApply has checked.
func must(text string) *url.URL {
	u, err := base("", text, true)
	if err != nil {
		panic("internal error: an unchecked address")
	}
	return u
}

// answer is what a provider answered.
type answer struct {
	status          int
	header, trailer http.Header
	body            []byte
}

// good reports whether the answer is a success.
func (a answer) good() bool { return a.status >= 200 && a.status < 300 }

// request builds a call of one step. The provider's token goes with it.
func (c *caller) request(ctx context.Context, method, at string, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, at, body)
	if err != nil {
		return nil, &PermanentError{NotAllowed, fmt.Errorf("%s: the address is no URL", c.name)}
	}
	if c.auth != "" {
		req.Header.Set("Authorization", c.auth)
	}
	return req, nil
}

// do makes a short call.
func (c *caller) do(step string, req *http.Request) (answer, error) {
	res, err := c.client.RoundTrip(req)
	return c.read(req.Context(), step, res, err)
}

// read takes the answer out of a response, and makes an error of a call that brought none.
func (c *caller) read(ctx context.Context, step string, res *http.Response, err error) (answer, error) {
	if err == nil {
		var raw []byte
		raw, err = io.ReadAll(res.Body)
		if err == nil {
			return answer{res.StatusCode, res.Header, res.Trailer, raw}, nil
		}
	}
	switch {
	case ctx.Err() != nil:
		return answer{}, context.Cause(ctx)
	case errors.Is(err, outbound.ErrRefused):
		return answer{}, &PermanentError{NotAllowed, fmt.Errorf("%s: %s: %w", c.name, step, err)}
	case errors.Is(err, outbound.ErrTooLong):
		return answer{}, &RetryError{Reason: Unclear, Err: fmt.Errorf("%s: %s: %w", c.name, step, err)}
	}
	return answer{}, &RetryError{Reason: Unreachable, Err: fmt.Errorf("%s: %s: %w", c.name, step, err)}
}

// get makes a short call without a body.
func (c *caller) get(ctx context.Context, step, method, at string) (answer, error) {
	req, err := c.request(ctx, method, at, nil)
	if err != nil {
		return answer{}, err
	}
	return c.do(step, req)
}

// refusal makes an error of an answer that is no success. words are the provider's own, or
// empty.
func (c *caller) refusal(step string, a answer, words string) error {
	err := fmt.Errorf("%s: %s: status %d", c.name, step, a.status)
	if words = clean(words); words != "" {
		err = fmt.Errorf("%w: %s", err, words)
	}
	switch {
	case a.status == http.StatusRequestTimeout || a.status == http.StatusTooEarly || a.status == http.StatusTooManyRequests:
		return &RetryError{retryAfter(a.header, c.now()), Busy, err}
	case a.status >= 500:
		return &RetryError{retryAfter(a.header, c.now()), Unreachable, err}
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		return &PermanentError{Unauthorized, err}
	case a.status == http.StatusPaymentRequired:
		return &PermanentError{Payment, err}
	case a.status == http.StatusRequestEntityTooLarge:
		return &PermanentError{TooLarge, err}
	}
	return &PermanentError{Refused, err}
}

// unclear makes an error of a success that cannot be read.
func (c *caller) unclear(step string, err error) error {
	return &RetryError{Reason: Unclear, Err: fmt.Errorf("%s: %s: the answer cannot be read: %w", c.name, step, err)}
}

// clean leaves of a provider's words one short line.
func clean(words string) string {
	words = text.Line(words)
	if len(words) > maxWords {
		words = strings.ToValidUTF8(words[:maxWords], "") + "…"
	}
	return words
}

// retryAfter reads the Retry-After header (RFC 9110 §10.2.3), seconds or a date, up to a day.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > int64(maxAfter/time.Second) {
			return maxAfter
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxAfter)
}

// goodRef reports whether an id from a provider can stand in a path and in a record.
func goodRef(id string) bool {
	return id != "" && len(id) <= 256 && strings.Trim(id, ".") != "" && !strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' })
}

// errEnded is what the writer of a body sees once the call has ended.
var errEnded = errors.New("pinning: the call ended before its body")

// body tells its writer why it ended, also when the transport closes it.
type body struct{ *io.PipeReader }

// Close implements io.Closer.
func (b body) Close() error { return b.CloseWithError(errEnded) }

// upload is a call whose body is written while it runs.
type upload struct {
	*io.PipeWriter
	step   string
	done   chan struct{}
	answer answer
	err    error
}

// begin starts a call with a body of length bytes, -1 for unknown. The caller must end it.
func (c *caller) begin(ctx context.Context, step, method, at string, header http.Header, length int64) (*upload, error) {
	r, w := io.Pipe()
	req, err := c.request(ctx, method, at, body{r})
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	req.ContentLength = length
	u := &upload{PipeWriter: w, step: step, done: make(chan struct{})}
	go func() {
		defer close(u.done)
		res, err := c.client.Send(req)
		u.answer, u.err = c.read(ctx, step, res, err)
		_ = r.CloseWithError(errEnded)
	}()
	return u, nil
}

// end closes the body, with the error that writing it met, and returns the answer. An answer
// to half a body is no success.
func (u *upload) end(c *caller, wrote error) (answer, error) {
	_ = u.CloseWithError(wrote)
	<-u.done
	switch {
	case wrote != nil && !errors.Is(wrote, errEnded):
		return answer{}, wrote
	case u.err != nil:
		return answer{}, u.err
	case wrote != nil && u.answer.good():
		return answer{}, &RetryError{Reason: Incomplete, Err: fmt.Errorf("%s: %s: the answer came before the end of the upload", c.name, u.step)}
	}
	return u.answer, nil
}
