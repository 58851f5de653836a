// Package client is the Go client of Coffer's REST API.
//
// A [Client] connects one person to one server. [Client.SignIn] opens a session with a new
// ECDH key. If the account requires more than a password, it returns a [Challenge]. Every
// later call carries the access token. The client refreshes it shortly before its end, or
// when the server refuses it; concurrent calls share one refresh. A program that stays
// signed in saves the credentials from [WithSave] and restores them with [WithCredentials].
//
// # Errors
//
// A refusal of the server is an [*Error], the problem document of RFC 9457. [Code] reads
// its stable code. [ErrSignedOut] means that there is no session, or no longer. [ErrDigest]
// means that a download is not what the server described.
//
// # What it defends against
//
//   - A stolen token: the client signs each request of a session under a key that only it
//     and the server have, and the server refuses others ([WithoutProofs] turns that off).
//   - A redirect carries no token away: the client follows none.
//   - A server, or an impostor, cannot fill the memory: JSON answers are capped, contents
//     stream.
//   - A truncated or altered download ends in an error, never in io.EOF.
//   - A lost answer to a refresh does not end the session: the client asks once more.
//     For a few seconds the server repeats its answer.
//
// The server encrypts stored data; the client does not. The client accepts http://
// addresses too. Beyond the loopback interface tokens then cross the network in clear.
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
	"sync/atomic"
	"time"
)

// Client is one person's connection to one server. It is safe for concurrent use.
type Client struct {
	base  *url.URL
	http  http.Client
	agent string
	curve Curve
	save  func(context.Context, Credentials) error
	now   func() time.Time
	bare  bool         // opens sessions without request proofs
	ahead atomic.Int64 // of the server's clock, in nanoseconds

	// saving is held while credentials change and are saved, so the last saved ones are
	// those in force.
	saving sync.Mutex
	mu     sync.Mutex
	creds  Credentials
	last   *Session // from the server's last answer; nil without
	flight *flight  // the running refresh; nil without

	browser string // cookie of sign-ins with a provider; "" before the first
}

// Option changes a client that [New] makes.
type Option func(*Client)

// WithHTTPClient takes transport, timeout and cookie jar from hc. The client follows no
// redirects, whatever hc allows.
func WithHTTPClient(hc *http.Client) Option {
	return func(c *Client) { c.http = *hc }
}

// WithCredentials continues a saved session.
func WithCredentials(saved Credentials) Option {
	return func(c *Client) { c.creds = saved }
}

// WithSave calls save after each change of the session, before the new tokens are used:
// sign-in, refresh and end. The end has credentials without tokens. The call that caused an
// error of save returns it; the session in memory continues. Calls of save do not overlap,
// and save must not call the client.
func WithSave(save func(context.Context, Credentials) error) Option {
	return func(c *Client) { c.save = save }
}

// WithCurve chooses the curve of session keys; the zero value is P-521.
func WithCurve(curve Curve) Option {
	return func(c *Client) { c.curve = curve }
}

// WithUserAgent names the program; people see the name beside their sessions.
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

// proof is the credential that an operation requires.
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
	attempt      string // attempt token, instead of proof
	in           any    // JSON body; nil without
	header       http.Header
	good         int  // a status beyond 2xx that is no refusal
	signed       bool // with the session's proof key, though the operation needs no access token

	// body is a stream that can be sent only once.
	body        *once
	contentType string
	length      int64 // of body; 0 while unknown
}

// The largest answers read into memory, in bytes.
const (
	maxJSON    = 4 << 20
	maxProblem = 64 << 10
)

// codeNoSession is the only refusal that a new access token can fix.
const codeNoSession = "unauthenticated"

// send makes a call and returns a successful answer, whose body the caller closes. It
// replaces a refused access token once.
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
	if r.body != nil && r.body.begun() {
		return res, err
	}
	switch Code(err) {
	default:
		return res, err
	case codeProof: // the refusal has told the server's time
	case codeNoSession:
		if err := c.refresh(ctx, token); err != nil {
			return nil, err
		}
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
	var raw []byte
	switch {
	case r.in != nil:
		if raw, err = json.Marshal(r.in); err != nil {
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
		if r.length > 0 {
			req.ContentLength = r.length
		}
		req.Header.Set("Content-Type", r.contentType)
		req.Header.Set("Expect", "100-continue")
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	if r.proof == session || r.signed {
		c.sign(req, raw)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	c.setClock(res)
	if (res.StatusCode < 200 || res.StatusCode > 299) && res.StatusCode != r.good {
		defer res.Body.Close()
		return nil, ReadError(res)
	}
	return res, nil
}

// call makes a call whose answer is JSON, or empty when out is nil. It returns the status.
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

// once is a request body that can be read once; it records whether it was.
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
