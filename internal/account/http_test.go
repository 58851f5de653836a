package account

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
	"coffer/internal/kv"
	"coffer/internal/limit"
	"coffer/internal/limit/limittest"
	"coffer/internal/rest"
)

// byID takes "Bearer <account id>" for that account's session: whether a token is good is
// session's to test.
type byID struct{}

func (byID) Authenticate(_ context.Context, q *rest.Sent) (rest.Caller, error) {
	id, ok := strings.CutPrefix(q.Authorization, "Bearer ")
	if !ok {
		return rest.Caller{}, fault.New(fault.Unauthenticated, "invalid_token", "Sign in.")
	}
	return rest.Caller{Account: id, Session: "s", Role: User}, nil
}

func (byID) StepUp(context.Context, rest.Caller, bool) error { return nil }
func (byID) Alive(context.Context, rest.Caller) error        { return nil }
func (byID) Refusals(rest.Op) []*fault.Error                 { return nil }
func (byID) Still(_ context.Context, c rest.Caller) (rest.Caller, error) {
	return c, nil
}

// serve returns the room behind every middleware.
func (w *world) serve() http.Handler {
	w.t.Helper()
	base, err := url.Parse(w.BaseURL)
	if err != nil {
		w.t.Fatal(err)
	}
	c := rest.Config{
		Title: "test", Version: "0", BaseURL: base, Auth: byID{}, Log: w.Log, Now: w.Now,
		Undeclared: func(operation string, f *fault.Error) {
			w.t.Errorf("%s answers %s, which it does not declare", operation, f.Code)
		},
	}
	limittest.Defaults(w.t, &c.Settings)
	a := rest.New(c)
	w.Routes(a)
	return a.Handler()
}

type answer struct {
	Status int
	Code   string
	Fields []string
	Body   string
	Header http.Header
}

func send(h http.Handler, method, path, as, body string, header ...string) answer {
	r := httptest.NewRequest(method, "https://coffer.test/v1"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if as != "" {
		r.Header.Set("Authorization", "Bearer "+as)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	out := answer{Status: rec.Code, Body: rec.Body.String(), Header: rec.Header()}
	if rec.Code >= 400 {
		var p struct {
			Code   string
			Errors []struct{ Pointer, Code string }
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &p); err == nil {
			out.Code = p.Code
			for _, e := range p.Errors {
				out.Fields = append(out.Fields, e.Pointer+" "+e.Code)
			}
		}
	}
	return out
}

func generous(c *Config) {
	for _, r := range []*limit.Rule{&c.SignUpLimit, &c.MailAddressLimit, &c.MailRecipientLimit, &c.MailRepeatLimit, &c.MailTotalLimit, &c.VerifyLimit} {
		r.Limit, r.Window = 100_000, 3600e9
	}
	c.VerifyLimit.Name = "verify-email"
}

// inMemory counts without the database, for tests that count much.
func inMemory(c *Config) {
	c.KV = kv.NewMemory(c.Now)
	c.Limit = limit.New(c.KV, c.Ring.Index, c.Now)
}

const signUpBody = `{"first_name":"Ada","last_name":"Lovelace","username":"USER","email":"EMAIL","password":"seven quiet otters 41"}`

func signUpOf(user, email string) string {
	return strings.NewReplacer("USER", user, "EMAIL", email).Replace(signUpBody)
}

// anyToken matches the token of a sign-up.
var anyToken = regexp.MustCompile(`[\w-]{43}`)

// signUpAt signs up and returns the token, which stands in the body and in the cookie.
func signUpAt(t *testing.T, h http.Handler, user, email string) string {
	t.Helper()
	got := send(h, "POST", "/auth/sign-up", "", signUpOf(user, email))
	var body struct {
		SignUp string `json:"sign_up"`
	}
	if err := json.Unmarshal([]byte(got.Body), &body); err != nil || got.Status != 202 || !anyToken.MatchString(body.SignUp) {
		t.Fatalf("%+v, %v", got, err)
	}
	want := "__Host-coffer-sign-up=" + body.SignUp + "; Path=/; Max-Age=86400; HttpOnly; Secure; SameSite=Strict"
	if diff := cmp.Diff([]string{want}, got.Header["Set-Cookie"]); diff != "" {
		t.Error(diff)
	}
	return body.SignUp
}

// A browser proves with its cookie, which no script reads, and is rid of it then.
func TestSignUpCookie(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	h := w.serve()
	signUp := signUpAt(t, h, "ada", "ada@example.org")
	first := w.mail("verify-email")
	request := func(path, body string) answer {
		return send(h, "POST", path, "", body, "Cookie", "__Host-coffer-sign-up="+signUp)
	}
	if got := request("/auth/verify-email/resend", `{"email":"ada@example.org"}`); got.Status != 202 {
		t.Fatalf("%+v", got)
	}
	again := w.mail("verify-email")
	if got := request("/auth/verify-email", `{"token":"`+tokenOf(first)+`"}`); got.Code != "link_gone" {
		t.Errorf("the older link: %+v", got)
	}
	other := `{"token":"` + tokenOf(again) + `","sign_up":"` + strings.Repeat("A", tokenLength) + `"}`
	if got := request("/auth/verify-email", other); got.Code != "sign_up_proof_required" {
		t.Errorf("what the body says goes before the cookie: %+v", got)
	}
	got := request("/auth/verify-email", `{"email":"ada@example.org","code":"`+again.Data["code"]+`"}`)
	if diff := cmp.Diff([]string{"__Host-coffer-sign-up=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict"}, got.Header["Set-Cookie"]); diff != "" || got.Status != 204 {
		t.Errorf("%+v %s", got, diff)
	}
}

func TestSignUpOverHTTP(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, generous)
		h := w.serve()
		signUp := signUpAt(t, h, "ada", "Ada@example.org")
		m := w.mail("verify-email")
		for i, tc := range []struct {
			body string
			want int
		}{
			{`{"token":"` + tokenOf(m) + `"}`, 403},
			{`{"token":"` + tokenOf(m) + `","sign_up":"` + strings.Repeat("A", tokenLength) + `"}`, 403},
			{`{"token":"` + tokenOf(m) + `","password":"` + goodPassword + `x"}`, 403},
			{`{"token":"` + tokenOf(m) + `","sign_up":"` + signUp + `"}`, 204},
			{`{"token":"` + tokenOf(m) + `","sign_up":"` + signUp + `"}`, 410},
		} {
			if got := send(h, "POST", "/auth/verify-email", "", tc.body); got.Status != tc.want || tc.want == 403 && got.Code != "sign_up_proof_required" {
				t.Errorf("proof %d: %d %s, want %d", i, got.Status, got.Body, tc.want)
			}
		}
		st, err := w.CheckPassword(t.Context(), "ada", goodPassword)
		if err != nil {
			t.Fatal(err)
		}
		got := send(h, "PATCH", "/account", string(st.ID), `{"bio":"I count"}`)
		var p map[string]any
		if err := json.Unmarshal([]byte(got.Body), &p); err != nil || got.Status != 200 {
			t.Fatalf("%+v %v", got, err)
		}
		delete(p, "$schema")
		want := map[string]any{"id": string(st.ID), "email": "Ada@example.org", "email_verified": true, "pending_email": nil, "first_name": "Ada", "last_name": "Lovelace",
			"username": "ada", "bio": "I count", "language": "en", "role": "user", "avatar": nil, "always_ask": false, "has_password": true, "created_at": "2026-11-20T09:00:00Z",
			"sign_in_summary": map[string]any{"count": 0.0, "last_at": nil, "previous_at": nil}}
		if diff := cmp.Diff(want, p); diff != "" {
			t.Error(diff)
		}
		if again := send(h, "GET", "/account", string(st.ID), ""); again.Body != got.Body || again.Status != 200 {
			t.Errorf("GET = %+v, want what PATCH answered", again)
		}
		if got := send(h, "GET", "/account", "", ""); got.Status != 401 {
			t.Errorf("without a session: %d", got.Status)
		}
	})
}

// Interleaved, known and unknown addresses must get the same bytes (security.md row 10).
func TestAnswersTellNothing(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), generous, inMemory)
	h := w.serve()
	w.join(person1("member"))
	w.apply(person1("waiting"))
	shape := func(a answer) string {
		hd := a.Header.Clone()
		hd.Del("X-Request-Id")
		hd.Del("Date")
		for i, cookie := range hd["Set-Cookie"] {
			hd["Set-Cookie"][i] = anyToken.ReplaceAllString(cookie, "TOKEN")
		}
		body := anyToken.ReplaceAllString(a.Body, "TOKEN")
		if id := a.Header.Get("X-Request-Id"); id != "" {
			body = strings.ReplaceAll(body, id, "ID")
		}
		b, err := json.Marshal(hd)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join([]string{http.StatusText(a.Status), string(b), body}, "\n")
	}
	tokens := map[string]string{}
	for _, who := range []string{"nobody@example.org", "member@example.org", "waiting@example.org"} {
		tokens[who] = signUpAt(t, h, "someone", who)
	}
	w.Mails()
	for name, request := range map[string]func(who string) (path, body string){
		"code of a sign-up": func(who string) (string, string) {
			return "/auth/verify-email", `{"email":"` + who + `","code":"00000x","sign_up":"` + tokens[who] + `","password":"` + goodPassword + `"}`
		},
		"resend of a sign-up": func(who string) (string, string) {
			return "/auth/verify-email/resend", `{"email":"` + who + `","sign_up":"` + tokens[who] + `"}`
		},
		"sign-up": func(who string) (string, string) { return "/auth/sign-up", signUpOf("someone", who) },
		"resend":  func(who string) (string, string) { return "/auth/verify-email/resend", `{"email":"` + who + `"}` },
		"code": func(who string) (string, string) {
			return "/auth/verify-email", `{"email":"` + who + `","code":"00000x"}`
		},
	} {
		for round := range 7 { // more than the tries of a code
			var want string
			for i, who := range []string{"nobody@example.org", "member@example.org", "waiting@example.org", "MEMBER@example.org"} {
				if strings.HasPrefix(name, "code") && i == 3 {
					continue // the same count as member's
				}
				path, body := request(who)
				got := shape(send(h, "POST", path, "", body))
				// RateLimit counts down for the address that asks, whoever it asks about.
				if i == 0 {
					want = got
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s, round %d, %s: %s", name, round, who, diff)
				}
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), generous)
	h := w.serve()
	id := string(w.join(person1("ada")))
	before := send(h, "GET", "/account", id, "").Body
	good := signUpOf("new", "new@example.org")
	for _, tc := range []struct {
		name, method, path, body string
		status                   int
		code                     string
		fields                   []string
	}{
		{"not JSON", "POST", "/auth/sign-up", `{`, 400, "invalid_json", []string{" truncated"}},
		{"unknown field", "POST", "/auth/sign-up", strings.Replace(good, `{`, `{"role":"admin",`, 1), 400, "invalid_json", []string{"/role unknown_field"}},
		{"duplicate key", "POST", "/auth/sign-up", strings.Replace(good, `{`, `{"email":"a@b.example",`, 1), 400, "invalid_json", []string{"/email duplicate"}},
		{"case-variant key", "POST", "/auth/sign-up", strings.Replace(good, `"email"`, `"EMAIL"`, 1), 400, "invalid_json", []string{"/EMAIL unknown_field"}},
		{"short password", "POST", "/auth/sign-up", strings.Replace(good, "seven quiet otters 41", "seven otter", 1), 422, "validation_failed", []string{"/password too_short"}},
		{"common password", "POST", "/auth/sign-up", strings.Replace(good, "seven quiet otters 41", "passwordpassword", 1), 422, "validation_failed", []string{"/password too_common"}},
		{"header injection", "POST", "/auth/sign-up", signUpOf("new", `a@b.example\r\nBcc: c@d.example`), 422, "validation_failed", []string{"/email invalid_email"}},
		{"several at once", "POST", "/auth/sign-up", signUpOf("@", "nowhere"), 422, "validation_failed", []string{"/username invalid_username", "/email invalid_email"}},
		{"neither token nor code", "POST", "/auth/verify-email", `{}`, 422, "validation_failed", []string{" token_or_code"}},
		{"token and code", "POST", "/auth/verify-email", `{"token":"x","email":"a@b.example","code":"123456"}`, 422, "validation_failed", []string{" token_or_code"}},
		{"unknown token", "POST", "/auth/verify-email", `{"token":"x"}`, 410, "link_gone", nil},
		{"a GET consumes nothing", "GET", "/auth/verify-email?token=x", "", 405, "method_not_allowed", nil},
		{"resend to nowhere", "POST", "/auth/verify-email/resend", `{"email":"nowhere"}`, 422, "validation_failed", []string{"/email invalid_email"}},
		{"first admin without a token", "POST", "/auth/first-admin", strings.Replace(good, `{`, `{"token":"x",`, 1), 410, "link_gone", nil},
		{"role", "PATCH", "/account", `{"role":"admin"}`, 400, "invalid_json", []string{"/role unknown_field"}},
		{"id", "PATCH", "/account", `{"bio":"x","id":"y"}`, 400, "invalid_json", []string{"/id unknown_field"}},
		{"email_verified", "PATCH", "/account", `{"email_verified":true}`, 400, "invalid_json", []string{"/email_verified unknown_field"}},
		{"email", "PATCH", "/account", `{"email":"a@b.example"}`, 400, "invalid_json", []string{"/email unknown_field"}},
		{"one bad value", "PATCH", "/account", `{"bio":"x","language":"tlh"}`, 422, "validation_failed", []string{"/language unsupported_language"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			as := ""
			if tc.path == "/account" {
				as = id
			}
			got := send(h, tc.method, tc.path, as, tc.body)
			if got.Status != tc.status || got.Code != tc.code || !cmp.Equal(got.Fields, tc.fields) {
				t.Errorf("%d %s %q, want %d %s %q\n%s", got.Status, got.Code, got.Fields, tc.status, tc.code, tc.fields, got.Body)
			}
			if strings.Contains(got.Body, "seven otter") {
				t.Error("the answer repeats the password")
			}
		})
	}
	if after := send(h, "GET", "/account", id, "").Body; after != before {
		t.Errorf("a refused request changed the profile:\n%s\n%s", before, after)
	}
	if got := w.Mails(); len(got) != 0 {
		t.Errorf("refused requests caused %d mails", len(got))
	}
}

func TestSignUpsOfOneAddressAreLimited(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	h := w.serve()
	got := map[int]int{}
	for i := range 22 {
		a := send(h, "POST", "/auth/sign-up", "", signUpOf("new", "new"+string(rune('a'+i))+"@example.org"))
		got[a.Status]++
		if a.Status == 429 && a.Header.Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
	}
	if diff := cmp.Diff(map[int]int{202: 20, 429: 2}, got); diff != "" {
		t.Error(diff)
	}
}
