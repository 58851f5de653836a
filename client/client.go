// Package client is the Go client of Coffer's REST API.
//
// A [Client] speaks to one server as one person. [Client.SignIn] opens a session with an
// ECDH key made for it, or answers a [Challenge] when the account wants more than a
// password. After that every call carries the access token, and a new one is fetched
// shortly before it ends, or when the server refuses it: by one call, however many
// goroutines wait. A program that is to stay signed in keeps what [WithSave] hands it
// and gives it back with [WithCredentials].
//
// # Errors
//
// What the server refuses is an [*Error], the problem document of RFC 9457; [Code] reads
// its stable code. [ErrSignedOut] says that there is no session, or no longer.
// [ErrDigest] says that a download is not what the server said it is.
//
// # What it defends against
//
//   - A redirect never carries a token anywhere: none is followed.
//   - A server, or whoever stands in for it, cannot fill the memory: JSON answers are
//     capped, contents stream.
//   - A download that was cut short or altered ends in an error, never in io.EOF.
//   - A lost answer to a refresh signs nobody out: it is asked once more, and the server
//     answers a repetition alike for a few seconds.
//
// It does not encrypt what the server keeps: the server does. It takes http:// addresses
// too; on anything but the loopback interface the tokens are then in clear on the wire.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Client is one person at one server. It is safe for concurrent use.
type Client struct {
	base  *url.URL
	http  http.Client
	agent string
	curve Curve
	save  func(context.Context, Credentials) error
	now   func() time.Time

	// saving is held while credentials change and are saved, so that what was saved last
	// is what is in force.
	saving sync.Mutex
	mu     sync.Mutex
	creds  Credentials
	last   *Session // as the server answered it last; nil without
	flight *flight  // the refresh that is under way; nil without
}

// Option changes a client that [New] makes.
type Option func(*Client)

// WithHTTPClient takes transport, timeout and cookie jar from hc. Redirects are not
// followed whatever it says.
func WithHTTPClient(hc *http.Client) Option {
	return func(c *Client) { c.http = *hc }
}

// WithCredentials goes on with a session that was saved earlier.
func WithCredentials(saved Credentials) Option {
	return func(c *Client) { c.creds = saved }
}

// WithSave has save called after each change of the session, before the new tokens are
// used: sign-in, refresh, and its end, told by credentials without tokens. An error of save is
// returned by the call that caused it; the session in memory goes on. Calls of save do
// not overlap, and it must not call the client.
func WithSave(save func(context.Context, Credentials) error) Option {
	return func(c *Client) { c.save = save }
}

// WithCurve chooses the curve of session keys; the zero value is P-521.
func WithCurve(curve Curve) Option {
	return func(c *Client) { c.curve = curve }
}

// WithUserAgent says who calls; people see it beside their sessions.
func WithUserAgent(agent string) Option {
	return func(c *Client) { c.agent = agent }
}

// New returns a client of the server at baseURL, such as https://files.example.org.
func New(baseURL string, opts ...Option) (*Client, error) {
	u, err := url.Parse(strings.TrimRight(baseURL, "/"))
	if err != nil {
		return nil, fmt.Errorf("client: base URL: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("client: %q is not a base URL such as https://files.example.org", u.Redacted())
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ExpectContinueTimeout = 5 * time.Second // a refused upload is not sent
	c := &Client{base: u, agent: "coffer-client", now: time.Now, http: http.Client{Transport: transport}}
	for _, o := range opts {
		o(c)
	}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}

// proof is what an operation wants of its caller.
type proof int

const (
	nobody  proof = iota
	session       // the access token
)

// request is one call to the server.
type request struct {
	method, path string // below the base URL, escaped
	query        url.Values
	proof        proof
	attempt      string // attempt token, in place of proof
	in           any    // JSON body; nil without
	header       http.Header
	good         int // a status beyond 2xx that is an answer, not a refusal

	// body is a stream that can be sent once.
	body        *once
	contentType string
}

// The largest answers that are read into memory, in bytes.
const (
	maxJSON    = 4 << 20
	maxProblem = 64 << 10
)

// codeNoSession is the one refusal that a new access token can turn into an answer.
const codeNoSession = "unauthenticated"

// send makes a call and returns a good answer, whose body the caller closes. An access
// token that the server refuses is replaced once.
func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	if r.proof == nobody {
		authorization := ""
		if r.attempt != "" {
			authorization = "Attempt " + r.attempt
		}
		return c.exchange(ctx, r, authorization)
	}
	token, err := c.token(ctx)
	if err != nil {
		return nil, err
	}
	res, err := c.exchange(ctx, r, "Bearer "+token)
	if Code(err) != codeNoSession || (r.body != nil && r.body.begun()) {
		return res, err
	}
	if err := c.refresh(ctx, token); err != nil {
		return nil, err
	}
	if token, err = c.token(ctx); err != nil {
		return nil, err
	}
	return c.exchange(ctx, r, "Bearer "+token)
}

// exchange is one request and its answer.
func (c *Client) exchange(ctx context.Context, r request, authorization string) (*http.Response, error) {
	u := *c.base
	ref, err := url.Parse(r.path)
	if err != nil {
		return nil, err
	}
	u.Path, u.RawPath = c.base.Path+ref.Path, ""
	if ref.RawPath != "" {
		u.RawPath = c.base.EscapedPath() + ref.RawPath
	}
	u.RawQuery = r.query.Encode()
	var body io.Reader
	switch {
	case r.in != nil:
		raw, err := json.Marshal(r.in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(raw)
	case r.body != nil:
		body = r.body
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), body)
	if err != nil {
		return nil, err
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", c.agent)
	if r.in != nil {
		req.Header.Set("Content-Type", "application/json")
	} else if r.body != nil {
		req.Header.Set("Content-Type", r.contentType)
		req.Header.Set("Expect", "100-continue")
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if (res.StatusCode < 200 || res.StatusCode > 299) && res.StatusCode != r.good {
		defer res.Body.Close()
		return nil, readError(res)
	}
	return res, nil
}

// call makes a call whose answer is JSON, or nothing when out is nil. It returns the
// status.
func (c *Client) call(ctx context.Context, r request, out any) (int, error) {
	res, err := c.send(ctx, r)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	raw, err := readAtMost(res.Body, maxJSON)
	if err != nil {
		return res.StatusCode, fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	if out == nil || res.StatusCode == http.StatusNoContent {
		return res.StatusCode, nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return res.StatusCode, fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	return res.StatusCode, nil
}

var errLong = errors.New("the answer is longer than this client reads")

func readAtMost(r io.Reader, most int64) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(raw)) > most {
		err = errLong
	}
	return raw, err
}

// once is a request's body that can be read once; it knows whether it was.
type once struct {
	r    io.Reader
	mu   sync.Mutex
	read bool
}

// Read implements io.Reader.
func (o *once) Read(p []byte) (int, error) {
	o.mu.Lock()
	o.read = true
	o.mu.Unlock()
	return o.r.Read(p)
}

func (o *once) begun() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.read
}
