package session_test

import (
	"encoding/json"
	"strings"
	"testing"

	"coffer/internal/db/dbtest"
)

// refusal is an answer without what names the request.
func refusal(r reply) string {
	h := r.Header.Clone()
	h.Del("X-Request-Id")
	names, err := json.Marshal(h)
	if err != nil {
		panic(err)
	}
	return strings.ReplaceAll(r.Raw, r.RequestID, "ID") + string(names)
}

// Tokens of other kinds are no access tokens, and an access token is none of them.
func TestOtherTokensAreNoAccessTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.withApp(w.below.Join("grace"))
	w.below.Join("ada")
	b := w.browser()
	got := b.signIn("ada", inBody, fields{"remember_device": true})
	c := w.browser().attempt("grace")
	want := refusal(w.is(b.send("GET", "/account", "", nil), 401, "unauthenticated"))
	for name, authorization := range map[string]string{
		"a refresh token": "Bearer " + got.RefreshToken, "a device token": "Bearer " + got.DeviceToken, "an attempt token": "Bearer " + c.AttemptToken,
		"a session id": "Bearer " + got.SessionID, "a code": "Bearer " + w.code(), "an attempt": "Attempt " + c.AttemptToken,
		"no scheme": got.AccessToken, "Basic": "Basic " + got.AccessToken, "Attempt": "Attempt " + got.AccessToken,
		"DPoP": "DPoP " + got.AccessToken, "no space": "Bearer" + got.AccessToken, "scheme alone": "Bearer", "scheme and space": "Bearer ",
	} {
		if got := b.request(true, "GET", "/account", authorization, nil); got.Status != 401 || refusal(got) != want {
			t.Errorf("%s: %d %s", name, got.Status, got.Raw)
		}
	}
	w.is(b.trade(got.AccessToken[:90]), 401, "invalid_refresh_token")
	w.is(b.send("GET", "/auth/attempts/"+c.AttemptID, "Attempt "+got.AccessToken[:43], nil), 410, "attempt_over")
	if !b.alive(got.AccessToken) {
		t.Error("the access token is refused")
	}
}
