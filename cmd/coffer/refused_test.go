package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/account"
	"coffer/internal/rest"
)

// attempt is one call that the server must refuse. In its path and body, # stands for a new
// value in each round, as in a flood.
type attempt struct {
	method, path, authorization, body string
}

const multipartType = "multipart/form-data; boundary=b"

func (a attempt) send(h http.Handler, round int) *httptest.ResponseRecorder {
	name := "n" + strings.Repeat("a", round%20) + string(rune('a'+round/20))
	body := strings.ReplaceAll(a.body, "#", name)
	r := httptest.NewRequest(a.method, "http://localhost:8080/v1"+a.path, strings.NewReader(body))
	switch {
	case body == "":
		r.Body, r.ContentLength = http.NoBody, 0
	case strings.HasPrefix(body, "--b"):
		r.Header.Set("Content-Type", multipartType)
	default:
		r.Header.Set("Content-Type", "application/json")
	}
	if a.authorization != "" {
		r.Header.Set("Authorization", a.authorization)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// refusable makes calls of every operation of the document that must fail. They have no
// credentials or bad ones. As a signed-in user they have a bad body or an unknown id.
func refusable(t *testing.T, document []byte, bearer string) []attempt {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			Security    []map[string][]string `json:"security"`
			RequestBody *struct {
				Content map[string]any `json:"content"`
			} `json:"requestBody"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(document, &doc); err != nil {
		t.Fatal(err)
	}
	const id = "01a20e6f-3e32-72c2-8187-229f2c59c915"
	var all []attempt
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for method, op := range doc.Paths[path] {
			a := attempt{method: strings.ToUpper(method), path: strings.ReplaceAll(path, "{id}", id)}
			good, bad := "", ""
			if op.RequestBody != nil {
				good, bad = `{}`, `{"#":`
				if op.RequestBody.Content["multipart/form-data"] != nil {
					good = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nbytes\r\n--b--\r\n"
					bad = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"#\"\r\n\r\nbytes"
				}
			}
			with := func(authorization, body string) {
				a.authorization, a.body = authorization, body
				all = append(all, a)
			}
			for _, s := range []string{"", "Bearer junk", "Attempt junk"} {
				with(s, good)
				if bad != "" {
					with(s, bad)
				}
			}
			if bad != "" || strings.Contains(path, "{id}") {
				with("Bearer "+bearer, bad)
			}
		}
	}
	return all
}

// openLogged opens a server that refuses no address as a whole, with the errors that it logs.
func openLogged(t *testing.T, s Settings) (*app, *bytes.Buffer) {
	t.Helper()
	s.Account.Argon.MemoryKiB, s.Account.Argon.Time = 64, 1
	s.Block.Automatic = false // or the address is refused before the operations are
	var log bytes.Buffer
	a, err := openApp(t.Context(), &s, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.close)
	return a, &log
}

// Refusals leave no rows: however often and under however many names, every table keeps its
// number of rows. An exhausted limit counts no further calls.
func TestRefusalsLeaveNothing(t *testing.T) {
	s := defaultSettings(t)
	s.moveTo(t.TempDir())
	s.Session.AddressLimit.Limit, s.Session.AccountLimit.Limit, s.Session.PairLimit.Limit = 8, 6, 4
	s.Passkey.BeginLimit.Limit, s.Drop.OpenLimit.Limit = 4, 4
	a, log := openLogged(t, s)
	const password = "seven quiet otters 41"
	for _, name := range []string{"ada", "eve"} {
		if _, err := a.accounts.Create(t.Context(), account.NewAccount{
			FirstName: "Ada", LastName: "Lovelace", Username: name, Email: name + "@example.org", Password: password,
		}, account.User); err != nil {
			t.Fatal(err)
		}
	}
	door := a.api.Handler()
	var in struct {
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
	}
	opened := attempt{"POST", "/auth/sign-in", "", `{"identifier":"eve","password":"` + password + `","refresh_in":"body"}`}.send(door, 0)
	if err := json.Unmarshal(opened.Body.Bytes(), &in); err != nil || in.RefreshToken == "" {
		t.Fatalf("%d %s", opened.Code, opened.Body)
	}
	document, err := rest.OpenAPI(a.api)
	if err != nil {
		t.Fatal(err)
	}
	bearer := "Bearer " + in.AccessToken
	secret := strings.Repeat("A", 43)
	all := append(refusable(t, document, in.AccessToken),
		attempt{"POST", "/auth/sign-in", "", `{"identifier":"#","password":"wrong otters 41"}`},
		attempt{"POST", "/auth/sign-in", "", `{"identifier":"ada","password":"wrong otters 41"}`},
		attempt{"POST", "/auth/sign-in", "", `{"identifier":"ada","password":"wrong otters 41","device_token":"cd1.` + secret + `"}`},
		attempt{"POST", "/auth/sign-in", "", `{"identifier":"ada","password":"wrong otters 41","public_key":{"kty":"EC"}}`},
		attempt{"POST", "/auth/refresh", "", `{"refresh_token":"cr1.AAAAAAAAAAAAAAAAAAAAAA.` + secret + `"}`},
		attempt{"POST", "/auth/refresh", "", `{"refresh_token":"#"}`},
		attempt{"POST", "/auth/sign-out", "", `{"refresh_token":"cr1.AAAAAAAAAAAAAAAAAAAAAA.` + secret + `"}`},
		attempt{"GET", "/auth/attempts/01a20e6f-3e32-72c2-8187-229f2c59c915", "Attempt " + secret, ""},
		attempt{"POST", "/auth/attempts/01a20e6f-3e32-72c2-8187-229f2c59c915/totp", "Attempt " + secret, `{"code":"123456"}`},
		attempt{"POST", "/auth/first-admin", "", `{"token":"#","first_name":"A","last_name":"B","username":"abcd","email":"a@example.org","password":"` + password + `"}`},
		attempt{"POST", "/auth/sign-up", "", `{"first_name":"A","last_name":"B","username":"abcd","email":"#","password":"` + password + `"}`},
		attempt{"POST", "/auth/sign-up", "", `{"first_name":"A","last_name":"B","username":"abcd","email":"#@example.org","password":"password"}`},
		attempt{"POST", "/auth/verify-email/resend", "", `{"email":"#"}`},
		attempt{"POST", "/auth/verify-email", "", `{"token":"#"}`},
		attempt{"POST", "/account/reauthenticate", bearer, `{"password":"wrong otters 41"}`},
		attempt{"PATCH", "/account", bearer, `{"username":"ada"}`},
		attempt{"PATCH", "/account", bearer, `{"language":"#"}`},
		attempt{"POST", "/account/totp/confirm", bearer, `{"code":"123456"}`},
		attempt{"PATCH", "/sessions/AAAAAAAAAAAAAAAAAAAAAA", bearer, `{"name":"#"}`},
		attempt{"POST", "/files/folders", bearer, `{"name":"#","parent":"01a20e6f-3e32-72c2-8187-229f2c59c915"}`},
		attempt{"PATCH", "/files/01a20e6f-3e32-72c2-8187-229f2c59c915", bearer, `{"name":"#"}`},
		attempt{"POST", "/files?parent=01a20e6f-3e32-72c2-8187-229f2c59c915", bearer, "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"#\"\r\n\r\nbytes\r\n--b--\r\n"},
	)
	var before map[string]int
	var began time.Time
	passed := map[string]bool{}
	const rounds, filled = 26, 10 // the first ten rounds exhaust the limits
	for round := range rounds {
		if round == filled {
			before, began = rowsOf(t, a), time.Now()
		}
		for _, a := range all {
			if w := a.send(door, round); w.Code < 400 {
				passed[a.method+" "+a.path] = true
			} else if w.Code >= 500 {
				t.Fatalf("%+v: %d %s", a, w.Code, w.Body)
			}
		}
	}
	// Every operation declares its refusals: package rest logs the others.
	if log.Len() > 0 {
		t.Errorf("the log has errors:\n%.2000s", log.String())
	}
	// The server answers these operations to every caller, the ledger's and the last two within their limits.
	if diff := cmp.Diff([]string{"GET /.well-known/jwks.json", "GET /ledger", "GET /ledger/keys", "GET /settings", "OPTIONS /uploads", "POST /auth/passkey/options", "POST /drops"}, slices.Sorted(maps.Keys(passed))); diff != "" {
		t.Errorf("not refused: %s", diff)
	}
	after := rowsOf(t, a)
	if time.Now().Truncate(time.Minute).After(began) { // a window may have begun, and with it its counters
		delete(before, "limits")
		delete(after, "limits")
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("%d refusals left rows: %s", (rounds-filled)*len(all), diff)
	}
	var blobs []string
	if blobs, err = filepath.Glob(filepath.Join(s.Blob.Blobs, "*", "*", "*")); err != nil || len(blobs) > 0 {
		t.Errorf("objects %q, %v", blobs, err)
	}
}

// rowsOf counts the rows of every table; "limits" are kv's counters.
func rowsOf(t *testing.T, a *app) map[string]int {
	t.Helper()
	tables := names(t, a, `SELECT name FROM sqlite_master WHERE type = 'table'`)
	count := func(from string) (n int) {
		if err := a.db.QueryRow(t.Context(), `SELECT COUNT(*) FROM `+from).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	all := map[string]int{"limits": count(`kv WHERE key LIKE 'limit:%'`)}
	for _, name := range tables {
		all[name] = count(`"` + name + `"`)
	}
	all["kv"] -= all["limits"]
	return all
}

// names returns the names that a statement lists.
func names(t *testing.T, a *app, q string) (all []string) {
	t.Helper()
	rows, err := a.db.Query(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		all = append(all, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
