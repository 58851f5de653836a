package main

import (
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
		"--code-ttl=1ms":           "COFFER_CODE_TTL: at least 1s",
		"--link-ttl=0s":            "COFFER_LINK_TTL: at least 1s",
		"--password-min=129":       "COFFER_PASSWORD_MIN: must be from 8 to 128",
		"--argon-2-memory=63":      "COFFER_ARGON2_*: ",
		"--argon-2-time=0":         "COFFER_ARGON2_*: ",
		"--argon-2-threads=0":      "COFFER_ARGON2_*: ",
		"--access-ttl=1ms":         "COFFER_ACCESS_TTL: at least 1s",
		"--refresh-ttl=1ms":        "COFFER_REFRESH_TTL: at least 1s",
		"--refresh-grace=-1s":      "COFFER_REFRESH_GRACE: ",
		"--session-ttl=721h":       "COFFER_SESSION_TTL: at most 720h",
		"--step-up-ttl=1ms":        "COFFER_STEP_UP_TTL: at least 1s",
		"--device-ttl=1ms":         "COFFER_DEVICE_TTL: at least 1s",
		"--max-streams=0":          "COFFER_MAX_STREAMS*: ",
		"--max-streams-account=0":  "COFFER_MAX_STREAMS*: ",
		"--max-streams-address=-1": "COFFER_MAX_STREAMS*: ",
		"--max-upload=0":           "COFFER_MAX_UPLOAD: ",
		"--token-alg=HS256":        "--token-alg must be one of ",
		"--limit-sign-up=0/1h":     `--limit-sign-up: "0/1h" is not a limit`,
		"--limit-mail-total=1":     `--limit-mail-total: "1" is not a limit`,
		"--limit-sign-in-pair=1/0": `--limit-sign-in-pair: "1/0" is not a limit`,
		"--trusted-proxies=a.b":    `--trusted-proxies: "a.b" is neither`,
	} {
		for _, command := range [][]string{{"serve"}, {"config"}, {"keys", "list"}, {"openapi"}} {
			var c cli
			k, err := newParser(t.Context(), &c, dotenv{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := k.Parse(append(command, flag)); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s %s: %v, want %s…", command, flag, err, want)
			}
		}
	}
}

// Lists of networks and rules can read the text that they write.
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
