package session_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"coffer/internal/session"
	"coffer/internal/token"
)

// browser is one client: an address, a user agent, cookies and what it was last given.
type browser struct {
	w           *world
	addr, agent string
	jar         map[string]string
	access      string
	refresh     string
}

func (w *world) browser() *browser {
	return &browser{w: w, addr: "192.0.2.7", agent: "canary-agent/1.0", jar: map[string]string{}}
}

// reply is an answer, as api.md names its parts.
type reply struct {
	Status int         `json:"-"`
	Header http.Header `json:"-"`
	Raw    string      `json:"-"`

	Code      string `json:"code"`
	RequestID string `json:"request_id"`

	SessionID        string           `json:"session_id"`
	AccessToken      string           `json:"access_token"`
	TokenType        string           `json:"token_type"`
	ExpiresIn        int64            `json:"expires_in"`
	RefreshToken     string           `json:"refresh_token"`
	RefreshExpiresIn int64            `json:"refresh_expires_in"`
	DeviceToken      string           `json:"device_token"`
	ServerPublicKey  *token.PublicKey `json:"server_public_key"`
	AAL              string           `json:"aal"`
	AMR              []string         `json:"amr"`
	Account          struct{ ID string }

	AttemptID    string `json:"attempt_id"`
	AttemptToken string `json:"attempt_token"`
	Layers       []struct {
		Layer, Hint string
		Done        bool
	}

	Items      []session.ListedSession `json:"items"`
	NextCursor string                  `json:"next_cursor"`
	Name       string                  `json:"name"`
}

// send makes one request with the browser's cookies and whatever Authorization, and keeps
// the cookies of the answer. It may be called by many goroutines when fixed is true.
func (b *browser) request(fixed bool, method, path, authorization string, body any) reply {
	var text string
	switch body := body.(type) {
	case nil:
	case string:
		text = body
	default:
		raw, err := json.Marshal(body)
		if err != nil {
			b.w.t.Error(err)
		}
		text = string(raw)
	}
	r := httptest.NewRequest(method, base+"/v1"+path, strings.NewReader(text))
	if text == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	r.RemoteAddr = b.addr + ":4711"
	r.Header.Set("User-Agent", b.agent)
	for name, value := range b.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	rec := httptest.NewRecorder()
	b.w.door.ServeHTTP(rec, r)
	out := reply{Status: rec.Code, Header: rec.Header(), Raw: rec.Body.String()}
	if strings.Contains(rec.Header().Get("Content-Type"), "json") {
		if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil {
			b.w.t.Errorf("%s %s: %v: %s", method, path, err, out.Raw)
		}
	}
	if fixed {
		return out
	}
	for _, c := range rec.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.jar, c.Name)
		} else {
			b.jar[c.Name] = c.Value
		}
	}
	if out.AccessToken != "" {
		b.access = out.AccessToken
	}
	if out.RefreshToken != "" {
		b.refresh = out.RefreshToken
	}
	return out
}

func (b *browser) send(method, path, authorization string, body any) reply {
	return b.request(false, method, path, authorization, body)
}

// as sends with the browser's access token.
func (b *browser) as(method, path string, body any) reply {
	return b.send(method, path, "Bearer "+b.access, body)
}

// alive reports whether an access token is good, and complains about any answer that is
// neither yes nor no.
func (b *browser) alive(access string) bool {
	b.w.t.Helper()
	got := b.request(true, "GET", "/account", "Bearer "+access, nil)
	if got.Status != 200 && got.Status != 401 {
		b.w.t.Errorf("GET /account: %d %s", got.Status, got.Raw)
	}
	return got.Status == 200
}

// fields are those of a request body.
type fields map[string]any

// attempt asks for a session.
func (b *browser) attempt(name string, more ...fields) reply {
	body := fields{"identifier": name, "password": password}
	for _, m := range more {
		for k, v := range m {
			body[k] = v
		}
	}
	return b.send("POST", "/auth/sign-in", "", body)
}

// signIn opens a session.
func (b *browser) signIn(name string, more ...fields) reply {
	b.w.t.Helper()
	got := b.attempt(name, more...)
	if got.Status != 201 {
		b.w.t.Fatalf("sign-in: %d %s", got.Status, got.Raw)
	}
	return got
}

// inBody asks for tokens where a test can read them.
var inBody = fields{"refresh_in": "body"}

// pass answers one layer.
func (b *browser) pass(c reply, layer, code string) reply {
	return b.send("POST", "/auth/attempts/"+c.AttemptID+"/"+layer, "Attempt "+c.AttemptToken, fields{"code": code})
}

// is fails the test unless a reply has this status and code.
func (w *world) is(got reply, status int, code string) reply {
	w.t.Helper()
	if got.Status != status || got.Code != code {
		w.t.Fatalf("%d %s, want %d %q", got.Status, got.Raw, status, code)
	}
	return got
}

// race runs fn n times at the same moment and counts the answers.
func race(n int, fn func(i int) string) map[string]int {
	got := make([]string, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { <-start; got[i] = fn(i) })
	}
	close(start)
	wg.Wait()
	count := map[string]int{}
	for _, g := range got {
		count[g]++
	}
	return count
}

func said(r reply) string { return strings.TrimSpace(fmt.Sprintf("%d %s", r.Status, r.Code)) }
