package main

import (
	"encoding"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"coffer/internal/limit"
)

// settings is every setting of Coffer: the struct tags are the one list that the
// command line, the environment, `coffer config` and docs/operations.md are made from.
// Flags come before the environment, the environment before .env, .env before the
// default. A setting marked secret is never printed.
type settings struct {
	Addr           string   `env:"COFFER_ADDR" default:"127.0.0.1:8420" group:"Where it listens" help:"Address and port to listen on."`
	URL            string   `env:"COFFER_URL" placeholder:"http://localhost:PORT" group:"Where it listens" help:"Public base URL. Links, origins and token issuer come from it, never from a request."`
	TrustedProxies prefixes `env:"COFFER_TRUSTED_PROXIES" placeholder:"CIDR,…" group:"Where it listens" help:"Networks whose X-Forwarded-For is believed. Empty: no header is."`

	Data        string `env:"COFFER_DATA" default:"./data" group:"Where it keeps things" help:"Folder for the database, blobs, keys and outbox of a single node."`
	DatabaseURL string `env:"COFFER_DATABASE_URL" secret:"url" placeholder:"sqlite:DATA/coffer.db" group:"Where it keeps things" help:"sqlite:PATH or postgres://… ."`
	RedisURL    string `env:"COFFER_REDIS_URL" secret:"url" placeholder:"redis://HOST:PORT/0" group:"Where it keeps things" help:"Redis or Valkey for sessions, limits and attempts. Empty: the database keeps them."`
	Blobs       string `env:"COFFER_BLOBS" secret:"url" placeholder:"DATA/blobs" group:"Where it keeps things" help:"Folder, or s3://KEY:SECRET@HOST/BUCKET?region=… for file contents."`

	RootKey     string `env:"COFFER_ROOT_KEY" secret:"all" group:"Keys" help:"Root key, 32 bytes in base64. Empty: read from the root key file."`
	RootKeyFile string `env:"COFFER_ROOT_KEY_FILE" placeholder:"DATA/root.key" group:"Keys" help:"Root key file (mode 0600), made at the first start."`
	TokenAlg    string `env:"COFFER_TOKEN_ALG" default:"RS256" enum:"RS256,RS256-3072,ES256,EdDSA" group:"Keys" help:"Algorithm of new token signing keys: RS256 (RSA-2048), RS256-3072, ES256 or EdDSA."`

	SMTPURL  string `env:"COFFER_SMTP_URL" secret:"url" placeholder:"smtp://USER:PASS@HOST:587" group:"Mail" help:"smtp:// (STARTTLS) or smtps:// (TLS). Empty: each mail is a file in DATA/outbox."`
	MailFrom string `env:"COFFER_MAIL_FROM" default:"Coffer <coffer@localhost>" group:"Mail" help:"From address of every mail."`

	AccessTTL    time.Duration `env:"COFFER_ACCESS_TTL" default:"15m" group:"Lifetimes" help:"Life of an access token."`
	RefreshTTL   time.Duration `env:"COFFER_REFRESH_TTL" default:"24h" group:"Lifetimes" help:"Idle life of a session: each refresh token lives this long."`
	RefreshGrace time.Duration `env:"COFFER_REFRESH_GRACE" default:"10s" group:"Lifetimes" help:"How long a repeated refresh (lost answer, second tab) gets the same answer."`
	SessionTTL   time.Duration `env:"COFFER_SESSION_TTL" default:"720h" group:"Lifetimes" help:"Absolute life of a session, however active; at most 30 days."`
	StepUpTTL    time.Duration `env:"COFFER_STEP_UP_TTL" default:"10m" group:"Lifetimes" help:"How long a fresh proof counts for sensitive changes."`
	DeviceTTL    time.Duration `env:"COFFER_DEVICE_TTL" default:"720h" group:"Lifetimes" help:"How long a remembered device is not asked for its layers again."`
	CodeTTL      time.Duration `env:"COFFER_CODE_TTL" default:"10m" group:"Lifetimes" help:"Life of a mailed code and of a sign-in attempt."`
	LinkTTL      time.Duration `env:"COFFER_LINK_TTL" default:"24h" group:"Lifetimes" help:"Life of a mailed link."`

	PasswordMin   int    `env:"COFFER_PASSWORD_MIN" default:"12" group:"Passwords" help:"Least number of characters (code points) of a password; never under 8."`
	Argon2Memory  uint32 `env:"COFFER_ARGON2_MEMORY" default:"65536" group:"Passwords" help:"argon2id memory in KiB."`
	Argon2Time    uint32 `env:"COFFER_ARGON2_TIME" default:"3" group:"Passwords" help:"argon2id passes."`
	Argon2Threads uint8  `env:"COFFER_ARGON2_THREADS" default:"1" group:"Passwords" help:"argon2id lanes."`

	LimitSignUp        rate  `env:"COFFER_LIMIT_SIGN_UP" default:"20/1h" group:"Limits" help:"Sign-ups from one address (IPv6: one /64)."`
	LimitSignInAddress rate  `env:"COFFER_LIMIT_SIGN_IN_ADDRESS" default:"100/15m" group:"Limits" help:"Failed sign-ins from one address."`
	LimitSignInAccount rate  `env:"COFFER_LIMIT_SIGN_IN_ACCOUNT" default:"50/15m" group:"Limits" help:"Failed sign-ins to one account from anywhere."`
	LimitSignInPair    rate  `env:"COFFER_LIMIT_SIGN_IN_PAIR" default:"10/15m" group:"Limits" help:"Failed sign-ins to one account from one address."`
	LimitMailRecipient rate  `env:"COFFER_LIMIT_MAIL_RECIPIENT" default:"20/1h" group:"Limits" help:"Mails to one recipient that one address may cause."`
	LimitMailRepeat    rate  `env:"COFFER_LIMIT_MAIL_REPEAT" default:"40/1h" group:"Limits" help:"Mails that strangers may cause to one recipient before only networks that have caused none go on."`
	LimitMailTotal     rate  `env:"COFFER_LIMIT_MAIL_TOTAL" default:"100/1h" group:"Limits" help:"Mails that strangers may cause to one recipient in all."`
	LimitMailAddress   rate  `env:"COFFER_LIMIT_MAIL_ADDRESS" default:"30/1h" group:"Limits" help:"Mails that one address may cause."`
	MaxStreams         int   `env:"COFFER_MAX_STREAMS" default:"1000" group:"Limits" help:"Uploads and downloads at once on one node."`
	MaxStreamsAccount  int   `env:"COFFER_MAX_STREAMS_ACCOUNT" default:"100" group:"Limits" help:"Uploads and downloads at once of one account on one node."`
	MaxStreamsAddress  int   `env:"COFFER_MAX_STREAMS_ADDRESS" default:"200" group:"Limits" help:"Uploads and downloads at once from one address (IPv6: one /64) on one node."`
	MaxUpload          int64 `env:"COFFER_MAX_UPLOAD" default:"17179869184" group:"Limits" help:"Largest upload request in bytes."`
	Quota              int64 `env:"COFFER_QUOTA" default:"0" group:"Limits" help:"Bytes of content that one account may keep. 0: no bound."`

	GeoIP     string `env:"COFFER_GEOIP" placeholder:"FILE.mmdb" group:"Around it" help:"MaxMind DB file that turns addresses into places. Empty: no places."`
	LogLevel  string `env:"COFFER_LOG_LEVEL" default:"info" enum:"debug,info,warn,error" group:"Around it" help:"Least level that is logged: debug, info, warn or error."`
	LogFormat string `env:"COFFER_LOG_FORMAT" default:"text" enum:"text,json" group:"Around it" help:"Log lines as text or json."`
}

// rate is a limit written "10/15m": that many in each sliding window of that length.
type rate struct {
	Limit  int
	Window time.Duration
}

var _ encoding.TextUnmarshaler = (*rate)(nil)

// UnmarshalText reads COUNT/DURATION; both must be positive.
func (r *rate) UnmarshalText(text []byte) error {
	count, window, ok := strings.Cut(string(text), "/")
	n, err := strconv.Atoi(count)
	d, derr := time.ParseDuration(window)
	if !ok || err != nil || derr != nil || n < 1 || d <= 0 {
		return fmt.Errorf("%q is not a limit such as 10/15m", text)
	}
	*r = rate{n, d}
	return nil
}

// String returns the form that UnmarshalText reads.
func (r rate) String() string { return fmt.Sprintf("%d/%s", r.Limit, short(r.Window)) }

// short writes a duration as people do: 15m, not 15m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func (r rate) rule(name string) limit.Rule {
	return limit.Rule{Name: name, Limit: r.Limit, Window: r.Window}
}

// prefixes is a comma-separated list of networks; a bare address is a network of one.
type prefixes []netip.Prefix

var _ encoding.TextUnmarshaler = (*prefixes)(nil)

// UnmarshalText reads the list.
func (p *prefixes) UnmarshalText(text []byte) error {
	*p = nil
	for part := range strings.SplitSeq(string(text), ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if addr, err := netip.ParseAddr(part); err == nil {
			*p = append(*p, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(part)
		if err != nil {
			return fmt.Errorf("%q is neither an address nor a network such as 10.0.0.0/8", part)
		}
		*p = append(*p, prefix.Masked())
	}
	return nil
}

// String returns the form that UnmarshalText reads.
func (p prefixes) String() string {
	parts := make([]string, len(p))
	for i, prefix := range p {
		parts[i] = prefix.String()
	}
	return strings.Join(parts, ",")
}

// maxSessionTTL is what protocols.md §1 allows: session keys are destroyed 31 days
// after the day they sealed, so no session may outlive 30.
const maxSessionTTL = 30 * 24 * time.Hour

// complete fills what follows from other settings and refuses what cannot work,
// naming the setting.
func (s *settings) complete() error {
	host, port, err := net.SplitHostPort(s.Addr)
	if n, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || n == 0 {
		return fmt.Errorf("COFFER_ADDR: %q is not HOST:PORT", s.Addr)
	}
	if s.URL == "" {
		if ip := net.ParseIP(host); host == "" || (ip != nil && (ip.IsLoopback() || ip.IsUnspecified())) {
			host = "localhost"
		}
		s.URL = "http://" + net.JoinHostPort(host, port)
	}
	s.URL = strings.TrimRight(s.URL, "/")
	u, err := url.Parse(s.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		shown := "what is set"
		if err == nil {
			shown = u.Redacted()
		}
		return fmt.Errorf("COFFER_URL: %q is not a base URL such as https://files.example.org", shown)
	}
	if s.Data, err = filepath.Abs(s.Data); err != nil {
		return fmt.Errorf("COFFER_DATA: %w", err)
	}
	if s.DatabaseURL == "" {
		s.DatabaseURL = "sqlite:" + filepath.Join(s.Data, "coffer.db")
	}
	if s.Blobs == "" {
		s.Blobs = filepath.Join(s.Data, "blobs")
	}
	if s.RootKeyFile == "" {
		s.RootKeyFile = filepath.Join(s.Data, "root.key")
	}
	return s.check()
}

func (s *settings) check() error {
	if s.PasswordMin < 8 || s.PasswordMin > 128 {
		return errors.New("COFFER_PASSWORD_MIN: must be from 8 to 128")
	}
	if s.SessionTTL > maxSessionTTL {
		return errors.New("COFFER_SESSION_TTL: at most 720h (30 days), because session keys are destroyed after 31")
	}
	if s.Argon2Memory < 64 || s.Argon2Time < 1 || s.Argon2Threads < 1 {
		return errors.New("COFFER_ARGON2_*: memory at least 64 KiB, time and threads at least 1")
	}
	if _, err := mail.ParseAddress(s.MailFrom); err != nil {
		return fmt.Errorf("COFFER_MAIL_FROM: %q is not an address such as Coffer <coffer@example.org>", s.MailFrom)
	}
	if s.MaxUpload < 1 {
		return errors.New("COFFER_MAX_UPLOAD: must be positive")
	}
	if s.Quota < 0 {
		return errors.New("COFFER_QUOTA: must not be negative")
	}
	if s.MaxStreams < 1 || s.MaxStreamsAccount < 1 || s.MaxStreamsAddress < 1 {
		return errors.New("COFFER_MAX_STREAMS*: must be positive")
	}
	for _, ttl := range []struct {
		name  string
		value time.Duration
	}{
		{"COFFER_ACCESS_TTL", s.AccessTTL}, {"COFFER_REFRESH_TTL", s.RefreshTTL}, {"COFFER_SESSION_TTL", s.SessionTTL},
		{"COFFER_STEP_UP_TTL", s.StepUpTTL}, {"COFFER_DEVICE_TTL", s.DeviceTTL}, {"COFFER_CODE_TTL", s.CodeTTL}, {"COFFER_LINK_TTL", s.LinkTTL},
	} {
		if ttl.value < time.Second {
			return fmt.Errorf("%s: at least 1s", ttl.name)
		}
	}
	if s.RefreshGrace < 0 {
		return errors.New("COFFER_REFRESH_GRACE: must not be negative")
	}
	return nil
}

// makeData creates the data folder for its owner alone.
func (s *settings) makeData() error {
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return fmt.Errorf("COFFER_DATA: %w", err)
	}
	return nil
}
