package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/alecthomas/kong"

	"coffer/internal/account"
	"coffer/internal/blob"
	"coffer/internal/db"
	"coffer/internal/file"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/kv"
	"coffer/internal/limit"
	"coffer/internal/mail"
	"coffer/internal/rest"
	"coffer/internal/server"
	"coffer/internal/session"
	"coffer/internal/token"
	"coffer/internal/totp"
	"coffer/web"
)

// serveCmd runs the server.
type serveCmd struct {
	WebDir string `placeholder:"web/dist" help:"Serve the web app from this folder instead of the built-in one (development)."`
}

// Run serves until ctx ends, then drains.
func (c serveCmd) Run(ctx context.Context, s *settings, log *slog.Logger) error {
	giveHeadroom()
	limitMemory()
	h, err := openHouse(ctx, s, log)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.db.Own(); err != nil {
		return err
	}
	assets := web.Dist
	if c.WebDir != "" {
		assets = os.DirFS(c.WebDir)
	}
	srv, err := server.New(server.Config{
		API: h.api, Addr: s.Addr, Web: assets, Log: log,
		Checks: []server.Check{
			{Name: "database", Ping: h.db.Ping},
			{Name: "kv", Ping: h.kv.Ping},
			{Name: "blobs", Ping: h.blobs.Ping},
		},
	})
	if err != nil {
		return err
	}
	if err := srv.Listen(ctx); err != nil {
		return err
	}
	if err := c.greet(ctx, s, h); err != nil {
		return err
	}
	// Workers outlive the last request, so that what a request enqueued while the
	// server drained is not left to the next start.
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- h.jobs.Run(work) }()
	err = srv.Serve(ctx)
	stop()
	return errors.Join(err, <-done)
}

// greet prints where the server is and, until there is one, the link that makes the
// first admin.
func (serveCmd) greet(ctx context.Context, s *settings, h *house) error {
	token, err := h.accounts.Bootstrap(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("Coffer is at %s\n", s.URL)
	if token != "" {
		fmt.Printf("Make the first admin, once, at:\n%s/first-admin#token=%s\n", s.URL, token)
	}
	if s.SMTPURL == "" {
		fmt.Printf("Mail goes to %s\n", filepath.Join(s.Data, "outbox"))
	}
	return nil
}

// house is every package, opened and joined: the only wiring of the program.
type house struct {
	db       *db.DB
	kv       kvStore
	blobs    blob.Store
	ring     *keyring.Ring
	jobs     *jobs.Queue
	accounts *account.Service
	tokens   *token.Service
	sessions *session.Service
	files    *file.Service
	api      *rest.API

	place   func(netip.Addr) string         // nil without a places file
	prune   func(ctx context.Context) error // of the key store; nil where it needs none
	closers []func() error
}

// kvStore is what the wiring asks of a key store beyond its contract.
type kvStore interface {
	kv.Store
	Ping(ctx context.Context) error
	Close() error
}

// openGround opens the stores and the key ring.
func openGround(ctx context.Context, s *settings, log *slog.Logger) (*house, error) {
	if err := s.makeData(); err != nil {
		return nil, err
	}
	root, err := keyring.LoadRoot(s.RootKey, s.RootKeyFile)
	if err != nil {
		return nil, err
	}
	h := &house{}
	if h.db, err = db.Open(ctx, s.DatabaseURL, log); err != nil {
		return nil, fmt.Errorf("COFFER_DATABASE_URL: %w", err)
	}
	if h.ring, err = keyring.Open(ctx, h.db, root, time.Now, keyring.TokenAlg(s.TokenAlg), keyring.TokenTTL(s.AccessTTL), keyring.Log(log)); err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

func openHouse(ctx context.Context, s *settings, log *slog.Logger) (*house, error) {
	h, err := openGround(ctx, s, log)
	if err != nil {
		return nil, err
	}
	if err := h.openStores(ctx, s, log); err != nil {
		h.close()
		return nil, err
	}
	if err := h.openRooms(ctx, s, log); err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

func (h *house) openStores(ctx context.Context, s *settings, log *slog.Logger) (err error) {
	if s.RedisURL != "" {
		redis, err := kv.OpenRedis(ctx, s.RedisURL, log)
		if err != nil {
			return fmt.Errorf("COFFER_REDIS_URL: %w", err)
		}
		h.kv = redis
	} else {
		values := kv.NewSQL(h.db, time.Now)
		h.kv, h.prune = values, values.Prune
	}
	if h.blobs, err = blob.Open(ctx, s.Blobs); err != nil {
		return fmt.Errorf("COFFER_BLOBS: %w", err)
	}
	var sender mail.Sender = mail.NewOutbox(filepath.Join(s.Data, "outbox"), s.MailFrom, time.Now)
	if s.SMTPURL != "" {
		if sender, err = mail.NewSMTP(s.SMTPURL, s.MailFrom); err != nil {
			return fmt.Errorf("COFFER_SMTP_URL: %w", err)
		}
	}
	h.jobs = jobs.New(h.db, jobs.Config{Now: time.Now, Log: log, Seal: h.sealJob, Open: h.openJob})
	h.ring.AddRewraps(keyring.Rewrap{Name: "jobs", Purpose: keyring.Field, Step: h.jobs.Reseal})
	h.jobs.Handle(mail.Job, mail.New(sender, "Coffer", s.URL).Handle)
	if s.GeoIP != "" {
		var closeFile func() error
		if h.place, closeFile, err = session.Places(s.GeoIP); err != nil {
			return fmt.Errorf("COFFER_GEOIP: %w", err)
		}
		h.closers = append(h.closers, closeFile)
	}
	return nil
}

// apiVersion is that of the contract under /v1, whatever the program's is.
const apiVersion = "1.0.0"

// A job's payload holds addresses and codes: it lies sealed in SQL.
var jobAAD = []byte("coffer/job/v1")

func (h *house) sealJob(ctx context.Context, b []byte) ([]byte, error) {
	return h.ring.Seal(ctx, keyring.Field, b, jobAAD)
}

func (h *house) openJob(ctx context.Context, b []byte) ([]byte, error) {
	return h.ring.Open(ctx, keyring.Field, b, jobAAD)
}

func (h *house) openRooms(_ context.Context, s *settings, log *slog.Logger) error {
	base, err := url.Parse(s.URL)
	if err != nil {
		return err
	}
	limits := limit.New(h.kv, h.ring.Index, time.Now)
	if h.accounts, err = account.New(account.Config{
		DB: h.db, Ring: h.ring, Jobs: h.jobs, Limit: limits, KV: h.kv, Now: time.Now, Log: log, BaseURL: s.URL,
		PasswordMin: s.PasswordMin, CodeTTL: s.CodeTTL, LinkTTL: s.LinkTTL,
		Argon:       account.Argon2Params{MemoryKiB: s.Argon2Memory, Time: s.Argon2Time, Threads: s.Argon2Threads},
		SignUpLimit: s.LimitSignUp.rule("sign-up"), MailAddressLimit: s.LimitMailAddress.rule("mail-address"),
		MailRecipientLimit: s.LimitMailRecipient.rule("mail-recipient"), MailRepeatLimit: s.LimitMailRepeat.rule("mail-recipient-repeat"),
		MailTotalLimit: s.LimitMailTotal.rule("mail-recipient-total"),
	}); err != nil {
		return err
	}
	if h.tokens, err = token.New(token.Config{
		KV: h.kv, Ring: h.ring, Accounts: h.accounts, Now: time.Now, BaseURL: s.URL, TTL: s.AccessTTL,
	}); err != nil {
		return err
	}
	if h.sessions, err = session.New(session.Config{
		DB: h.db, Ring: h.ring, Limit: limits, Jobs: h.jobs, Accounts: h.accounts, Tokens: h.tokens, Now: time.Now, Log: log, Place: h.place,
		RefreshTTL: s.RefreshTTL, RefreshGrace: s.RefreshGrace, SessionTTL: s.SessionTTL,
		StepUpTTL: s.StepUpTTL, DeviceTTL: s.DeviceTTL, AttemptTTL: s.CodeTTL,
		AddressLimit: s.LimitSignInAddress.rule("sign-in-address"), AccountLimit: s.LimitSignInAccount.rule("sign-in-account"),
		PairLimit: s.LimitSignInPair.rule("sign-in-pair"),
	}); err != nil {
		return err
	}
	codes := totp.New(totp.Config{DB: h.db, Accounts: h.accounts, Sessions: h.sessions, Now: time.Now})
	h.files = file.New(file.Config{DB: h.db, Blobs: h.blobs, Ring: h.ring, Jobs: h.jobs, Accounts: h.accounts, Now: time.Now, Log: log, MaxUpload: s.MaxUpload, Hold: h.sessions.Hold})

	h.api = rest.New(rest.Config{
		Title: "Coffer", Version: apiVersion, BaseURL: base, TrustedProxies: s.TrustedProxies, Auth: h.sessions, Log: log, Now: time.Now,
		Streams: rest.StreamLimits{All: s.MaxStreams, Account: s.MaxStreamsAccount, Address: s.MaxStreamsAddress},
	})
	h.accounts.Routes(h.api)
	h.tokens.Routes(h.api)
	h.sessions.Routes(h.api)
	codes.Routes(h.api)
	h.files.Routes(h.api)
	h.periodic()
	return nil
}

// periodic is the work of the ground; the rooms give theirs to the queue themselves.
func (h *house) periodic() {
	h.jobs.Every("keyring.maintain", 5*time.Minute, h.ring.Maintain)
	h.jobs.Every("keyring.rewrap", time.Hour, func(ctx context.Context) error { return h.ring.RewrapAll(ctx, h.ring.Rewraps(), nil) })
	if h.prune != nil {
		h.jobs.Every("kv.prune", 10*time.Minute, h.prune)
	}
}

// close closes what was opened, last first.
func (h *house) close() {
	for _, closeOne := range h.closers {
		_ = closeOne() // nothing was written there
	}
	if h.kv != nil {
		h.kv.Close()
	}
	if h.db != nil {
		h.db.Close()
	}
}

// openAPICmd prints the contract that the code makes.
type openAPICmd struct{}

// Run builds the program on a temporary folder, so that printing needs nothing and leaves nothing.
func (openAPICmd) Run(ctx context.Context, s *settings, log *slog.Logger, k *kong.Context) error {
	document, err := openAPI(ctx, *s, log)
	if err != nil {
		return err
	}
	_, err = k.Stdout.Write(document)
	return err
}

func openAPI(ctx context.Context, s settings, log *slog.Logger) ([]byte, error) {
	dir, err := os.MkdirTemp("", "coffer-openapi-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	// ES256 keys are made in no time; the document does not say which keys there are.
	s.Data, s.DatabaseURL, s.Blobs, s.TokenAlg = dir, "sqlite:"+filepath.Join(dir, "coffer.db"), filepath.Join(dir, "blobs"), "ES256"
	s.RootKey, s.RootKeyFile, s.RedisURL, s.SMTPURL, s.GeoIP = "", filepath.Join(dir, "root.key"), "", "", ""
	h, err := openHouse(ctx, &s, log)
	if err != nil {
		return nil, err
	}
	defer h.close()
	return rest.OpenAPI(h.api)
}
