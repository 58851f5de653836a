// Package outbound is the one guarded HTTP client for outgoing calls.
//
// # What it defends against
//
//   - A server that is sent where it should not look (SSRF). The address is checked when the
//     connection is made, after the name was resolved, so a name that changes its address
//     between check and use gains nothing. Only public addresses pass, see addr.go. A host
//     that the operator's own settings name may also be this machine or a private network.
//   - A redirect to another place: it is an answer like any other, and the caller sees its
//     status.
//   - A proxy from the environment: it would connect in our place, past the check. The client
//     uses none.
//   - A server that answers slowly, without end or with a compressed bomb: the whole call has
//     one time, the body and the headers a size, and the client asks for no compression. A
//     call that sends a long body has no time for the whole, but must make progress, see
//     [Client.Send].
//   - A reader of the wire: TLS 1.2 or later with the system's roots. Without TLS the client
//     speaks only to a named host that is this machine.
//
// # Limits
//
// A host that the operator names is trusted with its own name: if its owner points it to a
// private address, the call goes there. Link-local addresses, where clouds keep credentials,
// stay shut unless the setting names the very address.
package outbound

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	callTime   = 20 * time.Second // of one call, from the look-up to the last byte
	dialTime   = 10 * time.Second
	maxAnswer  = 64 << 10 // bytes of a body
	maxHeaders = 64 << 10

	pace         = 64 << 10        // bytes that a long body must move in the time of a call
	continueTime = 2 * time.Second // for a server's word before the body is sent
)

var (
	// ErrRefused says that the client does not connect there, however often it is asked.
	ErrRefused = errors.New("outbound: that place is not one to call")
	// ErrTooLong says that an answer is longer than the client reads.
	ErrTooLong = errors.New("outbound: the answer is too long")
)

// Config configures a client. The zero value calls public hosts only.
type Config struct {
	Named  []string      // hosts that the operator's settings name: without port, IPv6 without brackets
	Time   time.Duration // of one call; zero: 20 seconds
	Wait   time.Duration // for the answer to a body that was sent by Send; zero: Time
	Answer int           // longest body of an answer, in bytes; zero: 64 KiB
}

// Client makes calls. It is safe for concurrent use.
type Client struct {
	Config
	http http.Client
}

var _ http.RoundTripper = (*Client)(nil)

// New returns a client.
func New(c Config) *Client {
	if c.Time <= 0 {
		c.Time = callTime
	}
	if c.Wait <= 0 {
		c.Wait = c.Time
	}
	if c.Answer <= 0 {
		c.Answer = maxAnswer
	}
	c.Named = slices.Clone(c.Named)
	for i, name := range c.Named {
		c.Named[i] = canonical(name)
	}
	client := &Client{Config: c}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	client.http = http.Client{
		CheckRedirect: noRedirects,
		Transport: &http.Transport{
			Proxy: nil, DialContext: client.dial, Protocols: protocols,
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, TLSHandshakeTimeout: dialTime,
			MaxResponseHeaderBytes: maxHeaders, DisableCompression: true,
			MaxConnsPerHost: 16, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, ExpectContinueTimeout: continueTime,
		},
	}
	return client
}

// Answer is what a server answered.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Post sends body to a URL, which holds no credentials. An answer of any status is no error.
// The error wraps [ErrRefused] when no further call can succeed. Its text holds no part of
// the URL but its host.
func (c *Client) Post(ctx context.Context, rawURL string, header http.Header, body []byte) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, rawURL, strings.NewReader(string(body)))
	if err != nil {
		return Answer{}, fmt.Errorf("%w: it is no URL", ErrRefused)
	}
	if header != nil {
		req.Header = header.Clone()
	}
	res, err := c.RoundTrip(req)
	if err != nil {
		return Answer{}, err
	}
	raw, err := io.ReadAll(res.Body)
	return Answer{res.StatusCode, res.Header, raw}, err
}

// HTTP returns a client for libraries that make their own requests. Every guard of this
// package holds for them.
func (c *Client) HTTP() *http.Client {
	return &http.Client{Transport: c, CheckRedirect: noRedirects}
}

func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// RoundTrip implements http.RoundTripper. The answer's body is read whole before it returns,
// within the call's time and size.
func (c *Client) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), c.Time)
	defer cancel()
	return c.exchange(req.Clone(ctx))
}

// exchange makes the call. The answer's body is in memory.
func (c *Client) exchange(req *http.Request) (*http.Response, error) {
	if err := c.mayCall(req.URL); err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	req.Header.Set("User-Agent", "Coffer")
	res, err := c.http.Do(req)
	if err != nil {
		return nil, bare(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, int64(c.Answer)+1))
	if err != nil {
		return nil, bare(err)
	}
	if len(raw) > c.Answer {
		return nil, ErrTooLong
	}
	res.Body = io.NopCloser(bytes.NewReader(raw))
	return res, nil
}

// bare drops the URL, whose path may hold a secret, from an error.
func bare(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// mayCall refuses URLs that no dialled address could make good.
func (c *Client) mayCall(u *url.URL) error {
	host := canonical(u.Hostname())
	switch {
	case host == "" || u.Opaque != "":
		return fmt.Errorf("%w: it has no host", ErrRefused)
	case u.User != nil:
		return fmt.Errorf("%w: it holds credentials", ErrRefused)
	case strings.Contains(host, "%"):
		return fmt.Errorf("%w: it names a zone", ErrRefused)
	case numeric(host):
		return fmt.Errorf("%w: %s is an address in disguise", ErrRefused, host)
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && Here(host) && slices.Contains(c.Named, host):
		return nil
	}
	return fmt.Errorf("%w: %s is not asked without TLS", ErrRefused, host)
}

// dial connects to an address of the host that may be called.
func (c *Client) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	return c.dialer(canonical(host)).DialContext(ctx, network, addr)
}

// dialer connects only to addresses at which host may be. The system calls Control with each
// address that it is about to dial.
func (c *Client) dialer(host string) *net.Dialer {
	named := slices.Contains(c.Named, host)
	return &net.Dialer{Timeout: dialTime, Control: func(_, resolved string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(resolved)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrRefused, err)
		}
		if Public(at.Addr()) || named && near(host, at.Addr()) {
			return nil
		}
		return fmt.Errorf("%w: %s is not at a public address", ErrRefused, host)
	}}
}
