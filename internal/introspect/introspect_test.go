package introspect

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/account/accounttest"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/limit/limittest"
	"coffer/internal/rest"
	"coffer/internal/session"
	"coffer/internal/token"
	"coffer/internal/token/tokentest"
)

// world is the room over real sessions, behind its own door.
type world struct {
	*Service
	below    *accounttest.World
	sessions *session.Service
	door     http.Handler
	t        *testing.T
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	b := accounttest.New(t, d, limittest.Setup{})
	tc := token.Config{KV: b.KV, Ring: b.Ring, Accounts: b.Accounts, Now: b.Now, BaseURL: accounttest.BaseURL}
	limittest.Defaults(t, &tc.Settings)
	tokens, err := token.New(tc)
	if err != nil {
		t.Fatal(err)
	}
	c := session.Config{DB: d, Ring: b.Ring, Limit: b.Limits, Jobs: b.Jobs, Accounts: b.Accounts, Events: b.Events, Tokens: tokens, Now: b.Now}
	limittest.Defaults(t, &c.Settings)
	w := &world{Service: New(Config{DB: d, Tokens: tokens, Now: b.Now}), below: b, t: t}
	if w.sessions, err = session.New(c); err != nil {
		t.Fatal(err)
	}
	api := b.API(accounttest.Named{})
	w.Routes(api)
	w.door = api.Handler()
	return w
}

func (w *world) signIn(name string) *session.Opened {
	w.t.Helper()
	out, err := w.sessions.SignIn(w.t.Context(), name, accounttest.Password, session.SessionRequest{RefreshIn: "body"},
		rest.Client{Addr: netip.MustParseAddr("192.0.2.7")})
	if err != nil {
		w.t.Fatal(err)
	}
	return out.Opened
}

type answer struct {
	status    int
	body      map[string]any
	challenge string
}

// ask posts a form with an Authorization header, and a media type if one is given.
func (w *world) ask(authorization, form string, mediaType ...string) answer {
	w.t.Helper()
	r := httptest.NewRequest(http.MethodPost, accounttest.BaseURL+"/v1/auth/introspect", strings.NewReader(form))
	r.Header.Set("Content-Type", append(mediaType, "application/x-www-form-urlencoded")[0])
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	rec := httptest.NewRecorder()
	w.door.ServeHTTP(rec, r)
	a := answer{status: rec.Code, challenge: rec.Header().Get("WWW-Authenticate")}
	if err := json.Unmarshal(rec.Body.Bytes(), &a.body); err != nil {
		w.t.Fatalf("%d %s: %v", rec.Code, rec.Body, err)
	}
	return a
}

func header(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

func form(token string) string { return url.Values{"token": {token}}.Encode() }

var inactive = map[string]any{"active": false}

func TestIntrospect(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		ada := w.below.Join("ada")
		made, secret, err := w.Add(ctx, "Photos")
		if err != nil {
			t.Fatal(err)
		}
		as := header(made.ID, secret)
		one := w.signIn("ada")
		want := map[string]any{
			"active": true, "sub": string(ada), "aal": "aal1", "amr": []any{"pwd"},
			"exp": float64(w.Now().Truncate(time.Second).Add(one.AccessLife).Unix()), "auth_time": float64(w.Now().Unix()),
		}
		if got := w.ask(as, form(one.AccessToken)+"&token_type_hint=access_token&resource=https://photos.example"); got.status != 200 || !cmp.Equal(got.body, want) {
			t.Errorf("a live token: %d %s", got.status, cmp.Diff(want, got.body))
		}
		end := func(what string, o *session.Opened, fn func() error) {
			t.Helper()
			if got := w.ask(as, form(o.AccessToken)); got.body["active"] != true {
				t.Fatalf("before %s: %v", what, got.body)
			}
			if err := fn(); err != nil {
				t.Fatal(err)
			}
			if got := w.ask(as, form(o.AccessToken)); got.status != 200 || !cmp.Equal(got.body, inactive) {
				t.Errorf("after %s: %d %v", what, got.status, got.body)
			}
		}
		end("sign-out", one, func() error {
			return w.sessions.SignOut(ctx, &rest.Sent{Authorization: "Bearer " + one.AccessToken}, "")
		})
		// A token that is good only in signed requests: a thief could show it to a resource server.
		_, public := tokentest.KeyPair(t, "P-256")
		out, err := w.sessions.SignIn(ctx, "ada", accounttest.Password, session.SessionRequest{RefreshIn: "body", PublicKey: public, Binding: "proof"},
			rest.Client{Addr: netip.MustParseAddr("192.0.2.7")})
		if err != nil {
			t.Fatal(err)
		}
		if got := w.ask(as, form(out.Opened.AccessToken)); got.status != 200 || !cmp.Equal(got.body, inactive) {
			t.Errorf("a token of a session with proofs: %d %v", got.status, got.body)
		}
		two := w.signIn("ada")
		end("a new epoch", two, func() error {
			return d.Tx(ctx, func(tx *db.Tx) error { return w.below.Accounts.InvalidateSessions(ctx, tx, ada, "") })
		})
		three := w.signIn("ada")
		end("the end of the token", three, func() error { w.below.Advance(three.AccessLife); return nil })
		four := w.signIn("ada")
		end("the end of the account", four, func() error { return w.below.Accounts.Forget(ctx, ada) })
		for what, text := range map[string]string{
			"a refresh token": three.RefreshToken, "nothing": "", "words": "no token at all", "a cut token": two.AccessToken[:len(two.AccessToken)-2],
		} {
			if got := w.ask(as, form(text)); got.status != 200 || !cmp.Equal(got.body, inactive) {
				t.Errorf("%s: %d %v", what, got.status, got.body)
			}
		}
	})
}

// A stranger learns nothing, whatever the token.
func TestStrangers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.below.Join("ada")
		live := w.signIn("ada").AccessToken
		made, secret, err := w.Add(t.Context(), "Photos")
		if err != nil {
			t.Fatal(err)
		}
		other, _, err := w.Add(t.Context(), "Music")
		if err != nil {
			t.Fatal(err)
		}
		for what, authorization := range map[string]string{
			"no credentials": "", "a bearer token": "Bearer " + live, "another's secret": header(other.ID, secret), "a cut secret": header(made.ID, secret[:len(secret)-1]),
			"no secret": header(made.ID, ""), "no id": header("", secret), "an unknown id": header("0198a1b2-0000-7000-8000-000000000000", secret), "the nil id": header("00000000-0000-0000-0000-000000000000", ""),
			"an id that no database takes": header("a\x00b", secret), "no base64": "Basic $$$", "the name as id": header("Photos", secret), "upper case": header(strings.ToUpper(made.ID), secret),
		} {
			got := w.ask(authorization, form(live))
			if got.status != 401 || got.body["code"] != "invalid_client" || got.challenge != "Basic" {
				t.Errorf("%s: %d %v, WWW-Authenticate %q", what, got.status, got.body, got.challenge)
			}
		}
		if err := w.Remove(t.Context(), made.ID); err != nil {
			t.Fatal(err)
		}
		if got := w.ask(header(made.ID, secret), form(live)); got.status != 401 {
			t.Errorf("after its removal: %d", got.status)
		}
	})
}

func TestForm(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	made, secret, err := w.Add(t.Context(), "Photos")
	if err != nil {
		t.Fatal(err)
	}
	as := header(made.ID, secret)
	for what, test := range map[string]struct {
		form, mediaType string
		status          int
		code            string
	}{
		"no token":        {"token_type_hint=x", "application/x-www-form-urlencoded", 422, "validation_failed"},
		"empty":           {"", "application/x-www-form-urlencoded", 422, "validation_failed"},
		"twice":           {"token=a&token=b", "application/x-www-form-urlencoded", 400, "malformed_request"},
		"a bad escape":    {"token=%zz", "application/x-www-form-urlencoded", 400, "malformed_request"},
		"a semicolon":     {"token=a;b=c", "application/x-www-form-urlencoded", 400, "malformed_request"},
		"a long token":    {"token=" + strings.Repeat("a", 9000), "application/x-www-form-urlencoded", 422, "validation_failed"},
		"a long form":     {"token=" + strings.Repeat("a", 20_000), "application/x-www-form-urlencoded", 413, "body_too_large"},
		"JSON":            {`{"token":"a"}`, "application/json", 415, "unsupported_media_type"},
		"with a charset":  {"token=a", "application/x-www-form-urlencoded; charset=utf-8", 200, ""},
		"other UTF-8":     {"token=%ff", "application/x-www-form-urlencoded", 400, "malformed_request"},
		"a wrong type":    {"token=a", "text/plain", 415, "unsupported_media_type"},
		"an unknown name": {"token=a&b=c&b=d", "application/x-www-form-urlencoded", 400, "malformed_request"},
	} {
		got := w.ask(as, test.form, test.mediaType)
		if got.status != test.status || test.code != "" && got.body["code"] != test.code {
			t.Errorf("%s: %d %v, want %d %s", what, got.status, got.body, test.status, test.code)
		}
	}
}

func TestManage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ctx := t.Context()
		photos, first, err := w.Add(ctx, " Photos ")
		if err != nil || photos.Name != "Photos" {
			t.Fatal(photos, err)
		}
		for what, name := range map[string]string{"taken": "Photos", "empty": " ", "long": strings.Repeat("a", 101), "two lines": "a\nb", "invisible": "\u200b"} {
			if _, _, err := w.Add(ctx, name); err != ErrName {
				t.Errorf("a name that is %s: %v", what, err)
			}
		}
		music, second, err := w.Add(ctx, "Music")
		if err != nil || first == second || len(first) != len(secretVersion)+43 {
			t.Fatalf("%q %q %v", first, second, err)
		}
		if all, err := w.List(ctx); err != nil || !slices.Equal(all, []ResourceServer{photos, music}) {
			t.Errorf("list: %v, %v", all, err)
		}
		if err := w.Remove(ctx, photos.ID); err != nil {
			t.Error(err)
		}
		if err := w.Remove(ctx, photos.ID); err != ErrUnknown {
			t.Errorf("removed twice: %v", err)
		}
		if all, err := w.List(ctx); err != nil || !slices.Equal(all, []ResourceServer{music}) {
			t.Errorf("list after a removal: %v, %v", all, err)
		}
	})
}

// The operator's log hears of each resource server in the transaction that makes or removes it.
func TestHeard(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		full := errors.New("the log is full")
		var heard []string
		var fails error
		w.Heard = func(_ context.Context, _ *db.Tx, r ResourceServer, made bool) error {
			heard = append(heard, fmt.Sprint(r.Name, " ", made))
			return fails
		}
		made, _, err := w.Add(t.Context(), "Photos")
		if err != nil {
			t.Fatal(err)
		}
		fails = full
		if err := w.Remove(t.Context(), made.ID); !errors.Is(err, full) {
			t.Errorf("%v", err)
		}
		if _, _, err := w.Add(t.Context(), "Music"); !errors.Is(err, full) {
			t.Errorf("%v", err)
		}
		if all, err := w.List(t.Context()); err != nil || len(all) != 1 || all[0].ID != made.ID {
			t.Errorf("%+v, %v: what is not in the log happened", all, err)
		}
		fails = nil
		if err := w.Remove(t.Context(), made.ID); err != nil {
			t.Fatal(err)
		}
		if want := []string{"Photos true", "Photos false", "Music true", "Photos false"}; !slices.Equal(heard, want) {
			t.Errorf("heard %q", heard)
		}
	})
}
