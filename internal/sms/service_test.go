package sms

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // of the examples of Standard Webhooks

// service is a service of somebody else.
func service(t *testing.T, h http.HandlerFunc) (host string) {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func open(t *testing.T, rawURL string) Sender {
	t.Helper()
	s, err := Open(rawURL, secret, now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTwilio(t *testing.T) {
	for query, want := range map[string]url.Values{
		"from=%2B15550100": {"From": {"+15550100"}}, "from=+15550100": {"From": {"+15550100"}}, "from=Coffer": {"From": {"Coffer"}},
		"service=MG1": {"MessagingServiceSid": {"MG1"}}, "from=Coffer&account=AC2": {"From": {"Coffer"}},
	} {
		asked := 0
		host := service(t, func(w http.ResponseWriter, r *http.Request) {
			asked++
			user, pass, _ := r.BasicAuth()
			path := "/2010-04-01/Accounts/AC1/Messages.json"
			if strings.Contains(query, "account") {
				path = "/2010-04-01/Accounts/AC2/Messages.json"
			}
			if r.Method != "POST" || r.URL.Path != path || r.URL.RawQuery != "" || user != "AC1" || pass != "to/ken" {
				t.Errorf("%s %s by %s %s", r.Method, r.URL, user, pass)
			}
			if err := r.ParseForm(); err != nil {
				t.Error(err)
			}
			want["To"], want["Body"], want["ValidityPeriod"] = []string{"+491701234512"}, []string{"123456 is your code"}, []string{"600"}
			if diff := cmp.Diff(want, r.PostForm); diff != "" {
				t.Errorf("%s:\n%s", query, diff)
			}
			w.WriteHeader(http.StatusCreated)
			w.Write([]byte(`{"sid":"SM1","status":"queued"}`))
		})
		if err := open(t, "twilio://AC1:to%2Fken@"+host+"/?"+query).Send(t.Context(), message()); err != nil || asked != 1 {
			t.Errorf("%s: %v, asked %d times", query, err, asked)
		}
	}
}

// Without a host in the setting, Twilio's own is called, and no private place under its name.
func TestTwilioHost(t *testing.T) {
	s := open(t, "twilio://AC1:token@/?from=%2B15550100").(*twilio)
	if s.url != "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json" || len(s.client.Named) != 0 {
		t.Errorf("%s, named %q", s.url, s.client.Named)
	}
}

// The signature is the one that Standard Webhooks publishes, over id, time and body.
func TestWebhook(t *testing.T) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	host := service(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != "POST" || r.URL.String() != "/hook?x=1" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s %v: %v", r.Method, r.URL, r.Header, err)
		}
		id, at := r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp")
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + at + "." + string(body)))
		if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); r.Header.Get("webhook-signature") != want || at != "1795176000" {
			t.Errorf("signed %s at %s, want %s", r.Header.Get("webhook-signature"), at, want)
		}
		if want := `{"to":"+491701234512","text":"123456 is your code","kind":"sms-code"}`; string(body) != want {
			t.Errorf("body %s, want %s", body, want)
		}
		ids = append(ids, id)
		w.WriteHeader(http.StatusNoContent)
	})
	s := open(t, "http://"+host+"/hook?x=1")
	for range 2 {
		if err := s.Send(t.Context(), message()); err != nil {
			t.Error(err)
		}
	}
	if len(ids) != 2 || ids[0] != ids[1] || ids[0] != "0192" {
		t.Errorf("ids %q", ids)
	}
}

// What a service answers decides whether the queue tries again.
func TestServicesThatFail(t *testing.T) {
	for _, scheme := range []string{"twilio", "webhook"} {
		for _, tt := range []struct {
			what  string
			do    http.HandlerFunc
			final bool
			class string
		}{
			{"a bad number", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(400)
				w.Write([]byte(`{"code":21211,"message":"The 'To' number +491701234512 is not valid","status":400}`))
			}, true, " 400"},
			{"an invalid message", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(422) }, true, " 422"},
			{"a wrong password", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(401) }, false, " 401"},
			{"no money", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(402) }, false, " 402"},
			{"a wrong path", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404) }, false, " 404"},
			{"too many", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", "30")
				w.WriteHeader(429)
			}, false, " 429"},
			{"a broken service", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) }, false, " 500"},
			{"a closed service", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) }, false, " 503"},
			{"a redirect", func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
			}, false, " 307"},
			{"a huge answer", func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 1<<20)) }, false, ""},
			{"a connection that breaks", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, false, ""},
			{"a slow service", func(w http.ResponseWriter, r *http.Request) { time.Sleep(time.Second) }, false, ""},
		} {
			var asked atomic.Int64
			host := service(t, func(w http.ResponseWriter, r *http.Request) {
				if asked.Add(1); r.URL.Path == "/elsewhere" {
					t.Error("a redirect was followed")
				}
				tt.do(w, r)
			})
			var s Sender
			if scheme == "twilio" {
				s = open(t, "twilio://AC1:token@"+host+"/?from=Coffer")
				s.(*twilio).client.Time = 500 * time.Millisecond
			} else {
				s = open(t, "http://"+host+"/hook")
				s.(*webhook).client.Time = 500 * time.Millisecond
			}
			err := s.Send(t.Context(), message())
			e, ok := errors.AsType[*Error](err)
			if !ok || asked.Load() != 1 {
				t.Errorf("%s, %s: %v, asked %d times", scheme, tt.what, err, asked.Load())
				continue
			}
			class := "sms " + scheme + tt.class
			if scheme == "twilio" && tt.what == "a bad number" {
				class += " 21211"
			}
			if e.Permanent() != tt.final || e.Class() != class || strings.Contains(e.Class(), "+49") {
				t.Errorf("%s, %s: final %t, class %q, want %t, %q", scheme, tt.what, e.Permanent(), e.Class(), tt.final, class)
			}
			if strings.Contains(err.Error(), "token") || strings.Contains(err.Error(), "hook/") {
				t.Errorf("the error tells the URL: %v", err)
			}
		}
	}
}

func TestServiceIsAway(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	host := strings.TrimPrefix(closed.URL, "http://")
	for _, at := range []string{"twilio://AC1:token@" + host + "/?from=Coffer", "http://" + host + "/hook", "https://coffer.invalid/hook"} {
		if err := open(t, at).Send(t.Context(), message()); err == nil || permanent(err) {
			t.Errorf("%s: %v", at, err)
		}
	}
}

// A setting that cannot work is refused at the start, and its secret is not repeated.
func TestSettings(t *testing.T) {
	for _, at := range []string{
		"twilio://", "twilio://AC1@/?from=x", "twilio://AC1:hush@/", "twilio://AC1:hush@/?from=x&service=y", "twilio://AC1:hush@/?from=x&speed=9", "twilio://AC1:hush@/path?from=x",
		"http://example.org/hush", "ftp://hush", "hush", "https://", "https://ada:hush@example.org/", "https://example.org/#hush", "https:hush", "://hush", "smtp://hush",
	} {
		s := Settings{SMSURL: at, SMSSecret: secret}
		if err := s.AfterApply(); err == nil || !strings.HasPrefix(err.Error(), "COFFER_SMS_URL: ") || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", at, err)
		}
	}
	for _, key := range []string{"", "hush", "whsec_hush!", "whsec_aHVzaA=="} {
		s := Settings{SMSURL: "https://example.org/", SMSSecret: key}
		if err := s.AfterApply(); err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "COFFER_SMS_SECRET") {
			t.Errorf("%s: %v", key, err)
		}
	}
	for _, at := range []string{"", "https://example.org/hook", "http://localhost:9000/", "http://[::1]:9000/", "twilio://AC1:x@/?from=%2B15550100", "twilio://SK1:x@api.dublin.ie1.twilio.com/?service=MG1&account=AC1"} {
		s := Settings{SMSURL: at, SMSSecret: secret}
		if err := s.AfterApply(); err != nil {
			t.Errorf("%s: %v", at, err)
		}
	}
}
