package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coffer/client"
)

// recorded keeps the requests that a client sent, as an attacker on the wire would.
type recorded struct {
	http.RoundTripper
	mu   sync.Mutex
	sent []*http.Request
}

func (r *recorded) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.sent = append(r.sent, req.Clone(context.WithoutCancel(req.Context())))
	r.mu.Unlock()
	return r.RoundTripper.RoundTrip(req)
}

// last is the newest request of a method and a path.
func (r *recorded) last(t *testing.T, method, path string) *http.Request {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.sent) - 1; i >= 0; i-- {
		if r.sent[i].Method == method && r.sent[i].URL.Path == path {
			return r.sent[i]
		}
	}
	t.Fatalf("nobody sent %s %s", method, path)
	return nil
}

// recording returns a client of the person, and what it sends.
func (p *person) recording(t *testing.T, opts ...client.Option) (*client.Client, *recorded) {
	t.Helper()
	r := &recorded{RoundTripper: transport(p.from)}
	return p.client(t, append([]client.Option{client.WithHTTPClient(&http.Client{Transport: r, Timeout: time.Minute})}, opts...)...), r
}

// replay sends a recorded request again, with other fields where named.
func (p *person) replay(t *testing.T, r *http.Request, method, path, body string, fields ...string) answer {
	t.Helper()
	all := []string{}
	for _, name := range []string{"Authorization", "Signature-Input", "Signature", "Content-Digest"} {
		if v := r.Header.Get(name); v != "" {
			all = append(all, name, v)
		}
	}
	return p.s.raw(t, p.from, method, path, body, append(all, fields...)...)
}

// proven tells of what a stolen token, a stolen refresh token and a copied request are worth
// when the client signs: nothing.
func proven(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	c, wire := p.recording(t)
	p.signInAt(t, c, client.SignIn{})
	creds := c.Credentials()
	refused := func(what string, a answer) {
		t.Helper()
		if a.status != http.StatusUnauthorized || !strings.Contains(a.body, `"invalid_proof"`) {
			t.Errorf("%s: %d %s, want 401 invalid_proof", what, a.status, a.body)
		}
	}
	if _, err := c.Profile(ctx); err != nil {
		t.Fatal(err)
	}
	get := wire.last(t, "GET", "/v1/account")
	bearer := "Bearer " + creds.AccessToken
	refused("a bare copy of the access token", s.raw(t, p.from, "GET", "/v1/account", "", "Authorization", bearer))
	refused("the same request again", p.replay(t, get, "GET", "/v1/account", ""))
	refused("its proof for another address", p.replay(t, get, "GET", "/v1/sessions", ""))
	refused("its proof for another method", p.replay(t, get, "DELETE", "/v1/sessions", ""))
	refused("its proof with a query", p.replay(t, get, "GET", "/v1/account?x=1", ""))
	refused("a bare refresh", s.raw(t, p.from, "POST", "/v1/auth/refresh", fmt.Sprintf(`{"refresh_token":%q}`, creds.RefreshToken)))
	refused("a bare refresh by cookie", s.raw(t, p.from, "POST", "/v1/auth/refresh", "", "Cookie", "__Host-coffer-refresh="+creds.RefreshToken))
	refused("a bare sign-out", s.raw(t, p.from, "POST", "/v1/auth/sign-out", fmt.Sprintf(`{"refresh_token":%q}`, creds.RefreshToken)))
	refused("a bare upload", s.raw(t, p.from, "POST", "/v1/files", "x", "Authorization", bearer, "Content-Type", "multipart/form-data; boundary=b"))
	refused("a bare stream", s.raw(t, p.from, "GET", "/v1/changes", "", "Authorization", bearer))

	// Everything that the client does is signed and works.
	folder, err := c.CreateFolder(ctx, "", "signed")
	if err != nil {
		t.Fatal(err)
	}
	refused("the same folder again", p.replay(t, wire.last(t, "POST", "/v1/files/folders"), "POST", "/v1/files/folders", `{"name":"signed"}`))
	stored, err := c.Upload(ctx, folder.ID, client.Source{Name: "ä b.txt", Content: strings.NewReader("signed")})
	if err != nil {
		t.Fatal(err)
	}
	content, err := c.Download(ctx, stored[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(content.Body); err != nil || string(got) != "signed" {
		t.Errorf("download: %q, %v", got, err)
	}
	content.Body.Close()
	for i := range 3 {
		if _, err := c.Refresh(ctx); err != nil {
			t.Fatalf("refresh %d: %v", i, err)
		}
	}
	again := p.client(t, client.WithCredentials(c.Credentials())) // as after a restart of the program
	if _, err := again.Profile(ctx); err != nil {
		t.Errorf("a client that goes on with saved credentials: %v", err)
	}
	// A credential file without its key is worth nothing.
	robbed := c.Credentials()
	robbed.ProofKey = nil
	if _, err := p.client(t, client.WithCredentials(robbed)).Profile(ctx); client.Code(err) != "invalid_proof" {
		t.Errorf("credentials without their key: %v", err)
	}
	if slices.Contains(p.mails(t), "security-notice") {
		t.Error("a refused refresh worried the owner")
	}
	last := again.Credentials()
	if err := again.SignOut(ctx); err != nil {
		t.Errorf("sign-out: %v", err)
	}
	p.dead(t, last)

	// Who asks for none gets none.
	free := p.signIn(t, client.WithoutProofs())
	if a := s.raw(t, p.from, "GET", "/v1/account", "", "Authorization", "Bearer "+free.Credentials().AccessToken); a.status != http.StatusOK {
		t.Errorf("a session without proofs: %d %s", a.status, a.body)
	}
}

// One copied request, sent twenty times at once before its owner's arrives, works once.
func provenOnce(t *testing.T, s *server) {
	p := s.member(t)
	held := &holding{RoundTripper: transport(p.from)}
	c := p.client(t, client.WithHTTPClient(&http.Client{Transport: held}))
	p.signInAt(t, c, client.SignIn{})
	held.hold.Store(true)
	if _, err := c.Profile(t.Context()); !errors.Is(err, errHeld) {
		t.Fatal(err)
	}
	var good atomic.Int32
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			switch a := p.replay(t, held.kept, "GET", "/v1/account", ""); a.status {
			case http.StatusOK:
				good.Add(1)
			case http.StatusUnauthorized:
			default:
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	all.Wait()
	if good.Load() != 1 {
		t.Errorf("%d of 20 uses of one proof worked, want 1", good.Load())
	}
}

var errHeld = errors.New("held")

// holding keeps a request instead of sending it.
type holding struct {
	http.RoundTripper
	hold atomic.Bool
	kept *http.Request
}

func (h *holding) RoundTrip(r *http.Request) (*http.Response, error) {
	if h.hold.Load() {
		h.kept = r.Clone(context.WithoutCancel(r.Context()))
		return nil, errHeld
	}
	return h.RoundTripper.RoundTrip(r)
}

// A proof names the public address, whatever Host says; and a copy of a request is worth
// nothing after a restart either.
func TestProofsAtThePublicAddress(t *testing.T) {
	t.Parallel()
	s := newServer(t, alone, "COFFER_URL=https://files.example.org", "COFFER_TRUSTED_PROXIES=127.0.0.0/8")
	s.start()
	p := s.member(t)
	// At a loopback address the client signs what the server calls itself.
	c, wire := p.recording(t)
	p.signInAt(t, c, client.SignIn{})
	if _, err := c.Profile(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := c.Credentials().Origin; got != "https://files.example.org" {
		t.Errorf("proofs name %q", got)
	}
	// A proxy passes on what the client signed, with a Host of its own.
	behind, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Scheme, r.URL.Host, r.RequestURI, r.Host = behind.Scheme, behind.Host, "", "inside.example"
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Error(err)
			return
		}
		defer res.Body.Close()
		for name, values := range res.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body)
	}))
	defer other.Close()
	proxied, err := client.New(other.URL)
	if err != nil {
		t.Fatal(err)
	}
	p.signInAt(t, proxied, client.SignIn{})
	if _, err := proxied.Profile(t.Context()); err != nil {
		t.Errorf("through a proxy: %v", err)
	}
	// One that a client takes for the server, and that is not: its proofs name another.
	relay := strings.Replace(other.URL, "127.0.0.1", "relay.test", 1)
	dial := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, strings.TrimPrefix(other.URL, "http://"))
	}}
	fooled, err := client.New(relay, client.WithHTTPClient(&http.Client{Transport: dial}))
	if err != nil {
		t.Fatal(err)
	}
	p.signInAt(t, fooled, client.SignIn{})
	if _, err := fooled.Profile(t.Context()); client.Code(err) != "invalid_proof" {
		t.Errorf("through a server in between: %v", err)
	}
	get := wire.last(t, "GET", "/v1/account")
	s.stop()
	time.Sleep(1100 * time.Millisecond) // proofs count in seconds
	s.start()
	if a := p.replay(t, get, "GET", "/v1/account", ""); a.status != http.StatusUnauthorized {
		t.Errorf("a copy after a restart: %d", a.status)
	}
	if _, err := c.Profile(t.Context()); err != nil {
		t.Errorf("the client after a restart: %v", err)
	}
}
