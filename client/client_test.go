package client

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fake is a server with sessions: only the access token of the last refresh is valid. Each
// test adds its own handlers.
type fake struct {
	*http.ServeMux
	t         *testing.T
	url       string
	mu        sync.Mutex
	n         int           // of the valid tokens
	refreshes atomic.Int64  // received
	hold      chan struct{} // refreshes wait until it closes; nil: no wait
	refuse    bool          // refreshes
	life      int64         // of access tokens, in seconds
}

func newFake(t *testing.T) *fake {
	f := &fake{ServeMux: http.NewServeMux(), t: t, life: 900}
	f.HandleFunc("POST /v1/auth/sign-in", func(w http.ResponseWriter, r *http.Request) { f.session(w, http.StatusCreated) })
	f.HandleFunc("POST /v1/auth/refresh", f.refresh)
	f.HandleFunc("GET /v1/account", f.guarded(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"username":"ada"}`) }))
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	f.url = s.URL
	return f
}

func (f *fake) token(kind string) string { return fmt.Sprintf("%s-%d", kind, f.n) }

func (f *fake) session(w http.ResponseWriter, status int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"session_id":"s","access_token":%q,"token_type":"Bearer","expires_in":%d,"refresh_token":%q,"refresh_expires_in":86400,"account":{"id":"a"}}`,
		f.token("access"), f.life, f.token("refresh"))
}

func (f *fake) refresh(w http.ResponseWriter, r *http.Request) {
	f.refreshes.Add(1)
	if f.hold != nil {
		<-f.hold
	}
	var in struct {
		RefreshToken string `json:"refresh_token"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		f.t.Error(err)
	}
	f.mu.Lock()
	good := in.RefreshToken == f.token("refresh") && !f.refuse
	if good {
		f.n++
	}
	f.mu.Unlock()
	if !good {
		problem(w, http.StatusUnauthorized, "invalid_refresh_token")
		return
	}
	f.session(w, http.StatusOK)
}

// expire makes the server forget every access token, as time would.
func (f *fake) expire() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
}

func (f *fake) guarded(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		good := r.Header.Get("Authorization") == "Bearer "+f.token("access")
		f.mu.Unlock()
		if !good {
			problem(w, http.StatusUnauthorized, "unauthenticated")
			return
		}
		h(w, r)
	}
}

func problem(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"title":"T","status":%d,"detail":"D.","code":%q,"request_id":"r1"}`, status, code)
}

func (f *fake) client(opts ...Option) *Client {
	f.t.Helper()
	c, err := New(f.url, opts...)
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

// signedIn returns a client with a session, and its saved credentials.
func (f *fake) signedIn(opts ...Option) (*Client, *[]Credentials) {
	f.t.Helper()
	var mu sync.Mutex
	saved := &[]Credentials{}
	c := f.client(append([]Option{WithSave(func(_ context.Context, creds Credentials) error {
		mu.Lock()
		defer mu.Unlock()
		*saved = append(*saved, creds)
		return nil
	})}, opts...)...)
	if _, _, err := c.SignIn(f.t.Context(), SignIn{Identifier: "ada", Password: "p"}); err != nil {
		f.t.Fatal(err)
	}
	return c, saved
}

// stale moves the server to its next token without telling the client. The client's access
// token becomes invalid; its refresh token stays valid.
func (f *fake) stale(c *Client) {
	c.mu.Lock()
	c.creds.AccessToken = "old"
	c.mu.Unlock()
}

func TestRefreshOnRefusalOnceForAll(t *testing.T) {
	f := newFake(t)
	c, saved := f.signedIn()
	f.stale(c)
	f.hold = make(chan struct{})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if p, err := c.Profile(t.Context()); err != nil || p.Username != "ada" {
				t.Errorf("profile: %v, %v", p, err)
			}
		})
	}
	for f.refreshes.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	close(f.hold)
	all.Wait()
	if got := f.refreshes.Load(); got != 1 {
		t.Errorf("got %d refreshes, want 1", got)
	}
	if got := (*saved)[len(*saved)-1]; len(*saved) != 2 || got.RefreshToken != "refresh-1" || got.AccessToken != "access-1" || got.SessionID != "s" || got.AccountID != "a" {
		t.Errorf("saved %+v", *saved)
	}
	if len((*saved)[1].PrivateKey) == 0 {
		t.Error("the key of the session was lost in a refresh")
	}
}

func TestRefreshBeforeTheEnd(t *testing.T) {
	f := newFake(t)
	c, _ := f.signedIn()
	start := time.Now()
	for _, step := range []struct {
		after time.Duration
		want  int64
	}{{0, 0}, {869 * time.Second, 0}, {871 * time.Second, 1}, {872 * time.Second, 1}} {
		c.now = func() time.Time { return start.Add(step.after) }
		if _, err := c.Profile(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := f.refreshes.Load(); got != step.want {
			t.Errorf("after %s: got %d refreshes, want %d", step.after, got, step.want)
		}
	}
}

func TestRefusedRefreshEndsTheSession(t *testing.T) {
	f := newFake(t)
	c, saved := f.signedIn()
	f.expire() // both tokens
	_, err := c.Profile(t.Context())
	if !errors.Is(err, ErrSignedOut) || Code(err) != "invalid_refresh_token" {
		t.Errorf("got %v, want ErrSignedOut with the server's reason", err)
	}
	if last := (*saved)[len(*saved)-1]; !last.isZero() {
		t.Errorf("saved %+v at the end of the session, want nothing", last)
	}
	if _, err := c.Profile(t.Context()); !errors.Is(err, ErrSignedOut) {
		t.Errorf("then: got %v, want ErrSignedOut", err)
	}
	if got := f.refreshes.Load(); got != 1 {
		t.Errorf("got %d refreshes, want 1: a session that ended is not asked for again", got)
	}
}

// A refresh that fails because the server is unavailable ends no session. A token with some
// seconds left still serves.
func TestRefreshUnavailable(t *testing.T) {
	f := newFake(t)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/auth/refresh", func(w http.ResponseWriter, _ *http.Request) { problem(w, http.StatusServiceUnavailable, "unavailable") })
	mux.Handle("/", f)
	s := httptest.NewServer(mux)
	defer s.Close()
	f.url = s.URL
	c, saved := f.signedIn()
	start := time.Now()
	c.now = func() time.Time { return start.Add(880 * time.Second) }
	if _, err := c.Profile(t.Context()); err != nil {
		t.Errorf("with 20 s left: %v", err)
	}
	c.now = func() time.Time { return start.Add(901 * time.Second) }
	if _, err := c.Profile(t.Context()); Status(err) != http.StatusServiceUnavailable || errors.Is(err, ErrSignedOut) {
		t.Errorf("after the end: got %v, want 503", err)
	}
	if len(*saved) != 1 {
		t.Errorf("saved %d times, want once: the session lives on", len(*saved))
	}
}

// The answer to a refresh gets lost: the token is used up, and a second request gets the
// same successor.
func TestRefreshWithALostAnswer(t *testing.T) {
	f := newFake(t)
	c, saved := f.signedIn()
	lost := &losing{next: c.http.Transport, path: "/v1/auth/refresh"}
	c.http.Transport = lost
	f.stale(c)
	inner := f.ServeMux
	f.ServeMux = http.NewServeMux()
	f.HandleFunc("POST /v1/auth/refresh", func(w http.ResponseWriter, r *http.Request) {
		if f.refreshes.Load() == 1 { // the grace: the same successor
			f.refreshes.Add(1)
			f.session(w, http.StatusOK)
			return
		}
		inner.ServeHTTP(w, r)
	})
	f.Handle("/", inner)
	if _, err := c.Profile(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := (*saved)[len(*saved)-1].RefreshToken; got != "refresh-1" || f.refreshes.Load() != 2 {
		t.Errorf("saved %q after %d refreshes, want refresh-1 after 2", got, f.refreshes.Load())
	}
}

// losing is a network that loses the first answer from a path.
type losing struct {
	next http.RoundTripper
	path string
	done atomic.Bool
}

func (l *losing) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := l.next.RoundTrip(r)
	if err == nil && r.URL.Path == l.path && !l.done.Swap(true) {
		res.Body.Close()
		return nil, errors.New("the connection was reset")
	}
	return res, err
}

// A caller that gives up does not end the refresh for the others.
func TestRefreshOutlivesItsCaller(t *testing.T) {
	f := newFake(t)
	c, _ := f.signedIn()
	f.stale(c)
	f.hold = make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	gaveUp := make(chan error)
	go func() { _, err := c.Profile(ctx); gaveUp <- err }()
	for f.refreshes.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-gaveUp; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	close(f.hold)
	if _, err := c.Profile(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := f.refreshes.Load(); got != 1 {
		t.Errorf("got %d refreshes, want 1", got)
	}
}

func TestSaveFailure(t *testing.T) {
	f := newFake(t)
	full := errors.New("disk full")
	c := f.client(WithSave(func(context.Context, Credentials) error { return full }))
	if _, _, err := c.SignIn(t.Context(), SignIn{}); !errors.Is(err, full) {
		t.Errorf("got %v, want the error of save", err)
	}
	if _, err := c.Profile(t.Context()); err != nil {
		t.Errorf("the session in memory: %v", err)
	}
}

func TestCredentialsGoOn(t *testing.T) {
	f := newFake(t)
	for _, curve := range []Curve{P521, P256, X25519} {
		c, saved := f.signedIn(WithCurve(curve))
		raw, err := json.Marshal((*saved)[0])
		if err != nil {
			t.Fatal(err)
		}
		var back Credentials
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatal(err)
		}
		key, err := back.Key()
		if err != nil {
			t.Fatal(err)
		}
		if want, _ := c.Credentials().Key(); !key.Equal(want) {
			t.Error("the key came back another one")
		}
		if _, err := f.client(WithCredentials(back)).Profile(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestSignInSendsItsKey(t *testing.T) {
	for _, tt := range []struct {
		curve         Curve
		kty, crv      string
		length        int
		wantY, isZero bool
	}{{P521, "EC", "P-521", 66, true, true}, {P256, "EC", "P-256", 32, true, false}, {X25519, "OKP", "X25519", 32, false, false}} {
		mux := http.NewServeMux()
		var got struct {
			PublicKey JWK    `json:"public_key"`
			RefreshIn string `json:"refresh_in"`
		}
		mux.HandleFunc("POST /v1/auth/sign-in", func(w http.ResponseWriter, r *http.Request) {
			json.NewDecoder(r.Body).Decode(&got)
			w.WriteHeader(http.StatusCreated)
			fmt.Fprint(w, `{"session_id":"s","access_token":"a"}`)
		})
		s := httptest.NewServer(mux)
		c, err := New(s.URL, WithCurve(tt.curve))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.SignIn(t.Context(), SignIn{}); err != nil {
			t.Fatal(err)
		}
		s.Close()
		x, _ := base64.RawURLEncoding.DecodeString(got.PublicKey.X)
		y, _ := base64.RawURLEncoding.DecodeString(got.PublicKey.Y)
		if got.PublicKey.KeyType != tt.kty || got.PublicKey.Curve != tt.crv || len(x) != tt.length || (len(y) == tt.length) != tt.wantY || got.RefreshIn != "body" {
			t.Errorf("%s: sent %+v", tt.crv, got)
		}
		key, err := c.Credentials().Key()
		if err != nil || !bytes.HasSuffix(key.PublicKey().Bytes(), append(x, y...)) {
			t.Errorf("%s: what was sent is not what was kept (%v)", tt.crv, err)
		}
	}
}

// A remembered device identifies itself at the next sign-in, even after a sign-out.
func TestRememberedDevice(t *testing.T) {
	f := newFake(t)
	var sent []string
	inner := f.ServeMux
	f.ServeMux = http.NewServeMux()
	f.HandleFunc("POST /v1/auth/sign-in", func(w http.ResponseWriter, r *http.Request) {
		var in sessionRequest
		json.NewDecoder(r.Body).Decode(&in)
		sent = append(sent, in.DeviceToken)
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"session_id":"s","access_token":"a","device_token":"d1"}`)
	})
	f.HandleFunc("POST /v1/auth/sign-out", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	f.Handle("/", inner)
	c, saved := f.signedIn()
	if err := c.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Credentials{DeviceToken: "d1"}, (*saved)[1]); diff != "" {
		t.Error(diff)
	}
	if _, _, err := c.SignIn(t.Context(), SignIn{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"", "d1"}, sent); diff != "" {
		t.Error(diff)
	}
}

func TestChallenge(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/auth/sign-in", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, `{"attempt_id":"at1","attempt_token":"secret","expires_in":600,"layers":[{"layer":"totp","done":false}],"passkey":false}`)
	})
	mux.HandleFunc("POST /v1/auth/attempts/at1/totp", func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Attempt secret" {
			t.Errorf("Authorization: %q", got)
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"session_id":"s","access_token":"a"}`)
	})
	s := httptest.NewServer(mux)
	defer s.Close()
	c, err := New(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	opened, ch, err := c.SignIn(t.Context(), SignIn{})
	if err != nil || opened != nil || !ch.Open("totp") || ch.Open("sms") {
		t.Fatalf("got %v, %+v, %v", opened, ch, err)
	}
	if _, err := c.Profile(t.Context()); !errors.Is(err, ErrSignedOut) {
		t.Errorf("before the layer: %v", err)
	}
	opened, again, err := ch.Pass(t.Context(), TOTP, TOTPCode{"123456"})
	if err != nil || again != nil || opened.AccessToken != "a" {
		t.Fatalf("got %v, %+v, %v", opened, again, err)
	}
	if c.Credentials().AccessToken != "a" || len(c.Credentials().PrivateKey) == 0 {
		t.Errorf("holds %+v", c.Credentials())
	}
}

func TestProblems(t *testing.T) {
	for _, tt := range []struct {
		name, contentType, body, retry string
		status                         int
		want                           Error
		text                           string
	}{
		{
			"problem", "application/problem+json", `{"title":"Unprocessable Entity","status":422,"detail":"Bad.","code":"validation_failed","request_id":"r9","errors":[{"pointer":"/email","code":"required","detail":"It is needed."}]}`, "",
			422, Error{Status: 422, Code: "validation_failed", Title: "Unprocessable Entity", Detail: "Bad.", RequestID: "r9", Fields: []Field{{"/email", "required", "It is needed."}}},
			"Bad. [/email: It is needed.] (validation_failed)",
		},
		{"limited", "application/problem+json", `{"detail":"Wait.","code":"rate_limited"}`, "17", 429, Error{Status: 429, Code: "rate_limited", Detail: "Wait.", RequestID: "h1", RetryAfter: 17 * time.Second}, "Wait. (rate_limited)"},
		{"date", "text/plain", `busy`, "Wed, 21 Oct 2015 07:28:30 GMT", 503, Error{Status: 503, RequestID: "h1", RetryAfter: 30 * time.Second}, "the server answered 503 Service Unavailable"},
		{"proxy", "text/html", "<h1>Bad Gateway</h1>", "x", 502, Error{Status: 502, RequestID: "h1"}, "the server answered 502 Bad Gateway"},
		{"broken", "application/problem+json", `{"code":`, "-4", 500, Error{Status: 500, RequestID: "h1"}, "the server answered 500 Internal Server Error"},
		{"endless", "application/problem+json", `{"code":"` + strings.Repeat("a", maxProblem) + `"}`, "", 400, Error{Status: 400, RequestID: "h1"}, "the server answered 400 Bad Request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", tt.contentType)
				w.Header().Set("X-Request-Id", "h1")
				w.Header().Set("Date", "Wed, 21 Oct 2015 07:28:00 GMT")
				if tt.retry != "" {
					w.Header().Set("Retry-After", tt.retry)
				}
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.body)
			}))
			defer s.Close()
			c, err := New(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.SignUp(t.Context(), NewAccount{})
			var got *Error
			if !errors.As(err, &got) {
				t.Fatalf("got %v", err)
			}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Error(diff)
			}
			if err.Error() != tt.text || Code(err) != tt.want.Code || Status(err) != tt.want.Status {
				t.Errorf("got %q, %q, %d", err.Error(), Code(err), Status(err))
			}
		})
	}
}

func TestNoRedirectIsFollowed(t *testing.T) {
	var stolen atomic.Int64
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Add(1) }))
	defer thief.Close()
	f := newFake(t)
	for _, status := range []int{301, 302, 303, 307, 308} {
		f.Handle(fmt.Sprintf("GET /v1/files/%d", status), http.RedirectHandler(thief.URL, status))
	}
	eager := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}
	c, _ := f.signedIn(WithHTTPClient(eager))
	for _, status := range []int{301, 302, 303, 307, 308} {
		if _, err := c.File(t.Context(), fmt.Sprint(status)); Status(err) != status {
			t.Errorf("%d: got %v", status, err)
		}
	}
	if stolen.Load() != 0 {
		t.Errorf("%d redirects were followed", stolen.Load())
	}
}

func TestLongAnswersAreRefused(t *testing.T) {
	f := newFake(t)
	f.HandleFunc("GET /v1/openapi.json", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `"`)
		block := bytes.Repeat([]byte("a"), 1<<20)
		for range 5 {
			w.Write(block)
		}
		fmt.Fprint(w, `"`)
	})
	if _, err := f.client().OpenAPI(t.Context()); !errors.Is(err, errLong) {
		t.Errorf("got %v, want errLong", err)
	}
}

func TestReady(t *testing.T) {
	f := newFake(t)
	f.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `{"status":"unavailable","checks":{"database":"ok","kv":"unavailable"}}`)
	})
	got, err := f.client().Ready(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Readiness{"unavailable", map[string]string{"database": "ok", "kv": "unavailable"}}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSettings(t *testing.T) {
	f := newFake(t)
	f.HandleFunc("GET /v1/settings", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"password_min":12,"code_seconds":600,"link_seconds":86400,"step_up_seconds":300}`)
	})
	got, err := f.client().Settings(t.Context())
	if want := (Settings{PasswordMin: 12, CodeSeconds: 600, LinkSeconds: 86400, StepUpSeconds: 300}); err != nil || !cmp.Equal(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}

func TestBaseURL(t *testing.T) {
	for _, bad := range []string{"", "files.example.org", "ftp://files.example.org", "https://u:p@files.example.org", "https://files.example.org?x", "https://", "http://[::1"} {
		if _, err := New(bad); err == nil || strings.Contains(err.Error(), "p@") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	var got string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got = r.URL.EscapedPath() }))
	defer s.Close()
	c, err := New(s.URL+"/below/", WithCredentials(Credentials{AccessToken: "a"}))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.DeleteFile(t.Context(), "../a b/c"); err != nil {
		t.Fatal(err)
	}
	if want := "/below/v1/files/..%2Fa%20b%2Fc"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSignOut(t *testing.T) {
	f := newFake(t)
	status := http.StatusServiceUnavailable
	f.HandleFunc("POST /v1/auth/sign-out", f.guarded(func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); string(body) != `{"refresh_token":"refresh-0"}` {
			t.Errorf("sent %s", body)
		}
		if status == http.StatusNoContent {
			w.WriteHeader(status)
			return
		}
		problem(w, status, "unavailable")
	}))
	c, saved := f.signedIn()
	if err := c.SignOut(t.Context()); Status(err) != http.StatusServiceUnavailable || c.Credentials().isZero() {
		t.Errorf("got %v; a session that may live on is not forgotten", err)
	}
	status = http.StatusNoContent
	if err := c.SignOut(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !c.Credentials().isZero() || !(*saved)[len(*saved)-1].isZero() {
		t.Error("the session is still there")
	}
	if err := c.SignOut(t.Context()); err != nil {
		t.Errorf("again: %v", err)
	}
}
