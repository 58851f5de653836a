package main

import (
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/rogpeppe/go-internal/testscript"
)

// garble sets every setting to an impossible value.
func garble(ts *testscript.TestScript, _ bool, _ []string) {
	k, err := kong.New(&Settings{})
	ts.Check(err)
	for _, f := range settingFlags(k.Model.Node) {
		ts.Setenv(f.Envs[0], "\x01://%zz, ")
	}
}

// Every room checks its settings before the program opens anything.
func TestRoomsRefuseSettings(t *testing.T) {
	defaultSettings(t) // clears the environment for this test
	for flag, want := range map[string]string{
		"--addr=localhost":         "COFFER_ADDR: ",
		"--url=ftp://example.org":  "COFFER_URL: ",
		"--mail-from=nobody":       "COFFER_MAIL_FROM: ",
		"--code-ttl=1ms":           "COFFER_CODE_TTL: must be from 1s to 6h",
		"--code-ttl=6h1s":          "COFFER_CODE_TTL: must be from 1s to 6h",
		"--link-ttl=0s":            "COFFER_LINK_TTL: at least 1s",
		"--password-min=129":       "COFFER_PASSWORD_MIN: must be from 8 to 128",
		"--argon2-memory=63":       "COFFER_ARGON2_MEMORY: ",
		"--argon2-time=0":          "COFFER_ARGON2_TIME: ",
		"--argon2-threads=0":       "COFFER_ARGON2_THREADS: ",
		"--access-ttl=1ms":         "COFFER_ACCESS_TTL: at least 1s",
		"--refresh-ttl=1ms":        "COFFER_REFRESH_TTL: at least 1s",
		"--refresh-grace=-1s":      "COFFER_REFRESH_GRACE: ",
		"--session-ttl=721h":       "COFFER_SESSION_TTL: at most 720h",
		"--step-up-ttl=1ms":        "COFFER_STEP_UP_TTL: at least 1s",
		"--device-ttl=1ms":         "COFFER_DEVICE_TTL: at least 1s",
		"--max-streams=0":          "COFFER_MAX_STREAMS: ",
		"--max-streams-account=0":  "COFFER_MAX_STREAMS_ACCOUNT: ",
		"--max-streams-address=-1": "COFFER_MAX_STREAMS_ADDRESS: ",
		"--max-upload=0":           "COFFER_MAX_UPLOAD: ",
		"--token-alg=HS256":        "COFFER_TOKEN_ALG: must be one of ",
		"--limit-sign-up=0/1h":     `COFFER_LIMIT_SIGN_UP: "0/1h" is not a limit`,
		"--limit-mail-total=1":     `COFFER_LIMIT_MAIL_TOTAL: "1" is not a limit`,
		"--limit-sign-in-pair=1/0": `COFFER_LIMIT_SIGN_IN_PAIR: "1/0" is not a limit`,
		"--password-min=many":      "COFFER_PASSWORD_MIN: expected a valid",
		"--database-url=mysql://x": "COFFER_DATABASE_URL: ",
		"--database-url=sqlite:":   "COFFER_DATABASE_URL: ",
		"--redis-url=http://x":     "COFFER_REDIS_URL: ",
		"--blobs=s3://host":        "COFFER_BLOBS: ",
		"--blobs=ftp://host/x":     "COFFER_BLOBS: ",
		"--root-key=short":         "COFFER_ROOT_KEY: ",
		"--root-key-file=/dev":     "COFFER_ROOT_KEY_FILE: ",
		"--smtp-url=ftp://x":       "COFFER_SMTP_URL: ",
		"--sms-url=ftp://x":        "COFFER_SMS_URL: ",
		"--sms-url=https://x":      "COFFER_SMS_URL: a webhook wants a key",
		"--sms-countries=49":       "COFFER_SMS_COUNTRIES: ",
		"--code-cooldown=-1s":      "COFFER_CODE_COOLDOWN: ",
		"--limit-sms-total=0/1h":   `COFFER_LIMIT_SMS_TOTAL: "0/1h" is not a limit`,
		"--geoip=/nowhere.mmdb":    "COFFER_GEOIP: ",
		"--data=settings_test.go":  "COFFER_DATA: ",
		"--quota=-1":               "COFFER_QUOTA: ",
		"--trusted-proxies=a.b":    `COFFER_TRUSTED_PROXIES: "a.b" is neither`,
	} {
		for _, command := range [][]string{{"serve"}, {"config"}, {"keys", "list"}, {"openapi"}} {
			var c cli
			k, err := newParser(t.Context(), &c, dotenv{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parse(k, append(command, flag)); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s %s: %v, want %s…", command, flag, err, want)
			}
		}
	}
}

// A flag is named as its variable, in every command.
func TestFlagsAreNamedAsVariables(t *testing.T) {
	var c cli
	k, err := newParser(t.Context(), &c, dotenv{})
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	err = kong.Visit(k.Model, func(node kong.Visitable, next kong.Next) error {
		if f, ok := node.(*kong.Flag); ok && len(f.Envs) > 0 {
			compared++
			if want := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(f.Envs[0], prefix)), "_", "-"); f.Name != want || len(f.Envs) > 1 {
				t.Errorf("--%s of %q is not named --%s", f.Name, f.Envs, want)
			}
		}
		return next(nil)
	})
	if err != nil || compared < 4*40 { // four commands take settings
		t.Errorf("%d flags compared, %v", compared, err)
	}
}

// A variable that is no setting is refused with the name that it is nearest to.
func TestUnknownVariables(t *testing.T) {
	defaultSettings(t)
	for name, want := range map[string]string{
		"COFFER_PASSWORT_MIN":      "is it COFFER_PASSWORD_MIN?",
		"COFFER_LIMIT_SIGNIN_PAIR": "is it COFFER_LIMIT_SIGN_IN_PAIR?",
		"COFFER_SMTPURL":           "is it COFFER_SMTP_URL?",
		"COFFER_DATABASE_URI":      "is it COFFER_DATABASE_URL?",
		"COFFER_TEST_REQUIRE":      `"coffer help serve" lists them`,
		"COFFER_":                  `"coffer help serve" lists them`,
	} {
		t.Setenv(name, "1")
		for _, command := range []string{"serve", "config", "keys list", "openapi"} {
			var c cli
			k, err := newParser(t.Context(), &c, dotenv{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parse(k, strings.Fields(command)); err == nil || !strings.HasPrefix(err.Error(), name+": there is no such setting") || !strings.HasSuffix(err.Error(), want) {
				t.Errorf("%s with %s: %v, want … %s", command, name, err, want)
			}
		}
		os.Unsetenv(name)
	}
}

// Lists of networks and rules read back what they write.
func TestSettingsReadBack(t *testing.T) {
	s := defaultSettings(t)
	for _, text := range []string{"10.0.0.0/8,::1/128", "127.0.0.1/32", ""} {
		if err := s.Rest.TrustedProxies.UnmarshalText([]byte(text)); err != nil || s.Rest.TrustedProxies.String() != text {
			t.Errorf("%q: %q, %v", text, s.Rest.TrustedProxies, err)
		}
	}
	for _, text := range []string{"10/15m", "1/1h30m", "7/720h", "3/1m30s", "2/5ms"} {
		if err := s.Account.SignUpLimit.UnmarshalText([]byte(text)); err != nil || s.Account.SignUpLimit.String() != text {
			t.Errorf("%q: %q, %v", text, s.Account.SignUpLimit, err)
		}
	}
}
