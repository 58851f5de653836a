package socialtest

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
)

// GitHub is GitHub's part in signing in: its pages and its API on one address.
type GitHub struct {
	*httptest.Server

	mu     sync.Mutex
	id     int64
	emails []GitHubEmail
	codes  map[string]asked
	tokens map[string]bool
	calls  map[string]int
	serve  func(w http.ResponseWriter, r *http.Request) bool
	answer func(url.Values)
	last   url.Values
}

// GitHubEmail is one address of a person.
type GitHubEmail struct {
	Email    string `json:"email"`
	Primary  bool   `json:"primary"`
	Verified bool   `json:"verified"`
}

// NewGitHub starts a GitHub, which the caller closes.
func NewGitHub() *GitHub {
	g := &GitHub{codes: map[string]asked{}, tokens: map[string]bool{}, calls: map[string]int{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login/oauth/authorize", g.authorize)
	mux.HandleFunc("POST /login/oauth/access_token", g.token)
	mux.HandleFunc("GET /user", g.resource(func() any { return map[string]any{"id": g.id, "login": "ada"} }))
	mux.HandleFunc("GET /user/emails", g.resource(func() any { return g.emails }))
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.calls[r.URL.Path]++
		serve := g.serve
		g.mu.Unlock()
		if serve == nil || !serve(w, r) {
			mux.ServeHTTP(w, r)
		}
	}))
	return g
}

// Become sets the person that comes from now on.
func (g *GitHub) Become(id int64, emails ...GitHubEmail) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.id, g.emails = id, emails
}

// Lie answers requests in place of GitHub, when serve returns true, and changes what browsers
// bring back. Nil ends each.
func (g *GitHub) Lie(serve func(w http.ResponseWriter, r *http.Request) bool, answer func(url.Values)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.serve, g.answer = serve, answer
}

// Calls is how often a path was asked for.
func (g *GitHub) Calls(path string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.calls[path]
}

// Asked is the query of the last authorization request.
func (g *GitHub) Asked() url.Values {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.last
}

func (g *GitHub) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	code := random()
	g.mu.Lock()
	g.codes[code], g.last = asked{query: q}, q
	lie := g.answer
	g.mu.Unlock()
	if q.Get("client_id") != ClientID || q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	back(w, r, q, url.Values{"code": {code}, "state": {q.Get("state")}}, lie)
}

// token answers as GitHub does: refusals have status 200, and the default form is no JSON.
func (g *GitHub) token(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	_, ok := redeem(r, g.codes, r.PostFormValue("client_id"), r.PostFormValue("client_secret"))
	access := random()
	g.tokens[access] = ok
	g.mu.Unlock()
	answer := url.Values{"access_token": {access}, "scope": {"read:user,user:email"}, "token_type": {"bearer"}}
	if !ok {
		answer = url.Values{"error": {"bad_verification_code"}}
	}
	if r.Header.Get("Accept") == "application/json" {
		said := map[string]any{}
		for name := range answer {
			said[name] = answer.Get(name)
		}
		write(w, http.StatusOK, said)
		return
	}
	w.Header().Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	_, err := w.Write([]byte(answer.Encode()))
	must(err)
}

func (g *GitHub) resource(get func() any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		if !g.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")] {
			write(w, http.StatusUnauthorized, map[string]any{"message": "Bad credentials"})
			return
		}
		write(w, http.StatusOK, get())
	}
}
