package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"coffer/internal/account"
	"coffer/internal/db/dbtest"
	"coffer/internal/rest"
)

// TestParametersAreText gives every documented parameter what no text of PostgreSQL may hold:
// NUL, and bytes that are not UTF-8. No operation may bring that to the database, whose error would
// be a 500 for everybody without an account too. A bad path leads nowhere, and a bad query is named.
func TestParametersAreText(t *testing.T) {
	database := dbtest.PostgreSQLURL(t)
	s := defaultSettings(t)
	s.moveTo(t.TempDir())
	s.DB.DatabaseURL = database
	a, log := openLogged(t, s)
	const password = "seven quiet otters 41"
	if _, err := a.accounts.Create(t.Context(), account.NewAccount{
		FirstName: "Ada", LastName: "Lovelace", Username: "ada", Email: "ada@example.org", Password: password,
	}, account.Admin); err != nil {
		t.Fatal(err)
	}
	door := a.api.Handler()
	var in struct {
		AccessToken string `json:"access_token"`
	}
	opened := attempt{"POST", "/auth/sign-in", "", `{"identifier":"ada","password":"` + password + `","refresh_in":"body"}`}.send(door, 0)
	if err := json.Unmarshal(opened.Body.Bytes(), &in); err != nil || in.AccessToken == "" {
		t.Fatalf("%d %s", opened.Code, opened.Body)
	}
	document, err := rest.OpenAPI(a.api)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			Security   []map[string][]string
			Parameters []struct{ In, Name string }
		}
	}
	if err := json.Unmarshal(document, &doc); err != nil {
		t.Fatal(err)
	}
	tried := map[string]int{}
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for method, op := range doc.Paths[path] {
			authorization := "Bearer " + in.AccessToken
			if len(op.Security) == 1 && op.Security[0]["drop_member"] != nil {
				authorization = "Drop " + strings.Repeat("A", 43)
			}
			for _, p := range op.Parameters {
				for _, bad := range []string{"\x00", "\xff", "\xed\xa0\x80"} {
					if p.In == "header" && bad == "\x00" {
						continue // net/http takes no such header field
					}
					tried[p.In]++
					escaped := "%" + strings.ReplaceAll(fmt.Sprintf("% X", bad), " ", "%")
					to, query, want := path, "", 0
					switch p.In {
					case "path":
						to, want = strings.ReplaceAll(to, "{"+p.Name+"}", escaped), http.StatusNotFound
					case "query":
						query, want = "?"+p.Name+"="+escaped, http.StatusUnprocessableEntity
					}
					for _, other := range op.Parameters {
						to = strings.ReplaceAll(to, "{"+other.Name+"}", "x")
					}
					r := httptest.NewRequest(strings.ToUpper(method), "http://localhost:8080/v1"+to+query, nil)
					r.Header.Set("Authorization", authorization)
					switch p.In {
					case "header":
						r.Header.Set(p.Name, bad)
					case "cookie":
						r.Header.Set("Cookie", p.Name+"="+bad)
					}
					w := httptest.NewRecorder()
					door.ServeHTTP(w, r)
					if w.Code == http.StatusInternalServerError || want != 0 && w.Code != want || p.In == "query" && !strings.Contains(w.Body.String(), `"query.`+p.Name+`"`) {
						t.Errorf("%s %s, %s %s is %q: %d %s", method, path, p.In, p.Name, bad, w.Code, w.Body)
					}
				}
			}
		}
	}
	if tried["path"] < 100 || tried["query"] < 100 || tried["header"] < 20 {
		t.Errorf("the document has few parameters: %v", tried)
	}
	if log.Len() > 0 {
		t.Errorf("the log has errors:\n%.2000s", log.String())
	}
}
