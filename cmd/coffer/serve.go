package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"coffer/internal/account"
	"coffer/internal/admin"
	"coffer/internal/avatar"
	"coffer/internal/blob"
	"coffer/internal/block"
	"coffer/internal/code"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/drop"
	"coffer/internal/event"
	"coffer/internal/feed"
	"coffer/internal/file"
	"coffer/internal/guard"
	"coffer/internal/introspect"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/kv"
	"coffer/internal/ledger"
	"coffer/internal/limit"
	"coffer/internal/mail"
	"coffer/internal/mailcode"
	"coffer/internal/metric"
	"coffer/internal/passkey"
	"coffer/internal/picture"
	"coffer/internal/pin"
	"coffer/internal/pinning"
	"coffer/internal/question"
	"coffer/internal/recovery"
	"coffer/internal/rest"
	"coffer/internal/search"
	"coffer/internal/server"
	"coffer/internal/session"
	"coffer/internal/share"
	"coffer/internal/sms"
	"coffer/internal/smscode"
	"coffer/internal/social"
	"coffer/internal/token"
	"coffer/internal/totp"
	"coffer/internal/upload"
	"coffer/web"
)

// Settings are a server's settings, embedded by the commands that need them. The command
// line, the environment, `coffer config` and docs/operations.md all come from the tags.
// Flags override the environment, the environment .env, and .env the defaults. A secret
// setting is never printed.
type Settings struct {
	Server   server.Settings   `embed:""`
	URL      string            `env:"COFFER_URL" placeholder:"http://localhost:PORT" group:"Where it listens" help:"Public base URL. Links, origins and token issuer come from it, never from a request."`
	Data     string            `env:"COFFER_DATA" default:"./data" group:"Where it keeps things" help:"Folder for the database, blobs, keys and outbox of a single node."`
	DB       db.Settings       `embed:""`
	KV       kv.Settings       `embed:""`
	Blob     blob.Settings     `embed:""`
	Keyring  keyring.Settings  `embed:""`
	Mail     mail.Settings     `embed:""`
	SMS      sms.Settings      `embed:""`
	Block    block.Settings    `embed:""`
	Account  account.Settings  `embed:""`
	Token    token.Settings    `embed:""`
	Session  session.Settings  `embed:""`
	Code     code.Settings     `embed:""`
	SMSCode  smscode.Settings  `embed:""`
	Social   social.Settings   `embed:""`
	Content  content.Settings  `embed:""`
	Recovery recovery.Settings `embed:""`
	Passkey  passkey.Settings  `embed:""`
	Rest     rest.Settings     `embed:""`
	Picture  picture.Settings  `embed:""`
	File     file.Settings     `embed:""`
	Drop     drop.Settings     `embed:""`
	Search   search.Settings   `embed:""`
	Upload   upload.Settings   `embed:""`
	Avatar   avatar.Settings   `embed:""`
	Guard    guard.Settings    `embed:""`
	Ledger   ledger.Settings   `embed:""`
	Pinning  pinning.Settings  `embed:""`
	Pin      pin.Settings      `embed:""`

	LogLevel  string `env:"COFFER_LOG_LEVEL" default:"info" enum:"debug,info,warn,error" group:"Around it" help:"Least level that is logged: debug, info, warn or error."`
	LogFormat string `env:"COFFER_LOG_FORMAT" default:"text" enum:"text,json" group:"Around it" help:"Log lines as text or json."`
}

// furtherProvider reports whether a variable is a setting of a provider that people sign in
// with, whose name is a part of the variable's, and whether its value is secret.
func furtherProvider(variable string) (is, secret bool) {
	_, _, secret, is = social.FurtherVariable(variable)
	return is, secret
}

// serveCmd runs the server.
type serveCmd struct {
	Settings
	WebDir string `placeholder:"web/dist" help:"Serve the web app from this folder instead of the built-in one (development)."`
}

// Run serves until ctx ends, then drains.
func (c serveCmd) Run(ctx context.Context, s *Settings, log *slog.Logger) error {
	tuneGC()
	limitMemory()
	a, err := openApp(ctx, s, log)
	if err != nil {
		return err
	}
	defer a.close()
	if err := a.db.Own(); err != nil {
		return err
	}
	if err := a.blocks.Load(ctx); err != nil {
		return err
	}
	a.pins.Warn()
	assets := web.Dist
	if c.WebDir != "" {
		assets = os.DirFS(c.WebDir)
	}
	srv, err := server.New(server.Config{
		Settings: s.Server, API: a.api, Web: assets, Log: log, Drain: a.drain, Images: a.avatars.Origin(),
		Checks: a.checks(),
	})
	if err != nil {
		return err
	}
	if err := srv.Listen(ctx); err != nil {
		return err
	}
	private := server.NewMetrics(s.Server.MetricsAddr, a.metrics, log)
	if err := private.Listen(ctx); err != nil {
		return err
	}
	if err := c.greet(ctx, s, a); err != nil {
		return err
	}
	// Workers outlive the last request. So jobs enqueued while the server drains do not
	// wait for the next start.
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() {
		var others sync.WaitGroup
		others.Go(func() { a.blocks.Run(work) })
		err := a.jobs.Run(work)
		others.Wait()
		done <- err
	}()
	go private.Serve()
	err = srv.Serve(ctx)
	private.Close()
	stop()
	return errors.Join(err, <-done)
}

// greet prints where mail goes, where the server is and, until there is one, the link that makes the
// first admin. The address is the last line. One write prints all, so that no line of the log comes between.
func (serveCmd) greet(ctx context.Context, s *Settings, a *app) error {
	token, err := a.accounts.Bootstrap(ctx)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("Coffer is at %s\n", s.URL)
	if s.Mail.SMTPURL == "" {
		text = fmt.Sprintf("Mail goes to %s\n", filepath.Join(s.Data, "outbox")) + text
	}
	if token != "" {
		text += fmt.Sprintf("Make the first admin, once, at:\n%s/first-admin#token=%s\n", s.URL, token)
	}
	_, err = fmt.Print(text)
	return err
}

// app holds every package, opened and wired: the program's only wiring.
type app struct {
	metrics   *metric.Set
	db        *db.DB
	kv        kvStore
	bus       kv.Bus
	blobs     blob.Store
	ring      *keyring.Ring
	jobs      *jobs.Queue
	mailer    *mail.Mailer
	blocks    *block.Service
	accounts  *account.Service
	feed      *feed.Service
	tokens    *token.Service
	sessions  *session.Service
	guard     *guard.Service
	contents  *content.Service
	pictures  *picture.Service
	avatars   *avatar.Service
	files     *file.Service
	search    *search.Service
	drops     *drop.Service
	uploads   *upload.Service
	shares    *share.Service
	ledger    *ledger.Service
	pins      *pin.Service
	resources *introspect.Service
	admin     *admin.Service
	api       *rest.API

	place   func(netip.Addr) session.Place  // nil without a places file
	prune   func(ctx context.Context) error // of the key store; nil where it needs none
	closers []func() error
}

// kvStore is what the wiring needs of a key store beyond its contract.
type kvStore interface {
	kv.Store
	Ping(ctx context.Context) error
	Close() error
}

// openGround opens the stores and the key ring.
func openGround(ctx context.Context, s *Settings, log *slog.Logger) (*app, error) {
	if err := s.makeData(); err != nil {
		return nil, err
	}
	root, err := keyring.LoadRoot(s.Keyring.RootKey, s.Keyring.RootKeyFile)
	if err != nil {
		return nil, err
	}
	a := &app{metrics: metric.New(version())}
	if a.db, err = db.Open(ctx, s.DB.DatabaseURL, log); err != nil {
		return nil, fmt.Errorf("COFFER_DATABASE_URL: %w", err)
	}
	a.db.Measure(a.metrics)
	if a.ring, err = keyring.Open(ctx, a.db, root, keyring.Config{
		TokenAlg: s.Keyring.TokenAlg, TokenTTL: s.Token.AccessTTL, Log: log,
	}); err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

func openApp(ctx context.Context, s *Settings, log *slog.Logger) (*app, error) {
	a, err := openGround(ctx, s, log)
	if err != nil {
		return nil, err
	}
	if err := a.openStores(ctx, s, log); err != nil {
		a.close()
		return nil, err
	}
	if err := a.openRooms(ctx, s, log); err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

func (a *app) openStores(ctx context.Context, s *Settings, log *slog.Logger) (err error) {
	if s.KV.RedisURL != "" {
		redis, err := kv.OpenRedis(ctx, s.KV.RedisURL, log)
		if err != nil {
			return fmt.Errorf("COFFER_REDIS_URL: %w", err)
		}
		redis.Measure(a.metrics)
		a.kv = redis
		bus, err := kv.OpenRedisBus(ctx, s.KV.RedisURL)
		if err != nil {
			return fmt.Errorf("COFFER_REDIS_URL: %w", err)
		}
		a.bus, a.closers = bus, append(a.closers, bus.Close)
	} else {
		values := kv.NewSQL(a.db, time.Now)
		a.kv, a.prune = values, values.Prune
		a.bus = kv.NewLocalBus()
	}
	blobs, err := blob.Open(ctx, s.Blob.Blobs)
	if err != nil {
		return fmt.Errorf("COFFER_BLOBS: %w", err)
	}
	a.blobs = blob.Measure(blobs, a.metrics)
	var sender mail.Sender = mail.NewOutbox(filepath.Join(s.Data, "outbox"), s.Mail.MailFrom, time.Now)
	if s.Mail.SMTPURL != "" {
		if sender, err = mail.NewSMTP(s.Mail.SMTPURL, s.Mail.MailFrom); err != nil {
			return fmt.Errorf("COFFER_SMTP_URL: %w", err)
		}
	}
	if err := a.ring.Need(ctx, keyring.Field); err != nil { // of the jobs
		return err
	}
	a.jobs = jobs.New(a.db, jobs.Config{Now: time.Now, Log: log, Seal: a.sealJob, Open: a.openJob, Metrics: a.metrics})
	a.ring.AddRewraps(keyring.Rewrap{Name: "jobs", Purpose: keyring.Field, Step: a.jobs.Reseal})
	a.mailer = mail.New(sender, "Coffer", s.URL)
	a.jobs.Handle(mail.Job, a.mailer.Handle)
	texts := sms.NewOutbox(filepath.Join(s.Data, "outbox"), time.Now)
	if s.SMS.SMSURL != "" {
		if texts, err = sms.Open(s.SMS.SMSURL, s.SMS.SMSSecret, time.Now); err != nil {
			return fmt.Errorf("COFFER_SMS_URL: %w", err)
		}
	}
	a.jobs.Handle(sms.Job, sms.New(texts, time.Now).Handle)
	if s.Session.GeoIP != "" {
		var closeFile func() error
		if a.place, closeFile, err = session.Places(s.Session.GeoIP); err != nil {
			return fmt.Errorf("COFFER_GEOIP: %w", err)
		}
		a.closers = append(a.closers, closeFile)
	}
	return nil
}

// apiVersion is the version of the contract under /v1; the program's own differs.
const apiVersion = "1.0.0"

// jobAAD binds sealed payloads to jobs. Payloads hold addresses and codes, so SQL stores
// them sealed.
var jobAAD = []byte("coffer/job/v1")

func (a *app) sealJob(ctx context.Context, b []byte) ([]byte, error) {
	return a.ring.Seal(ctx, keyring.Field, b, jobAAD)
}

func (a *app) openJob(ctx context.Context, b []byte) ([]byte, error) {
	return a.ring.Open(ctx, keyring.Field, b, jobAAD)
}

func (a *app) openRooms(ctx context.Context, s *Settings, log *slog.Logger) error {
	base, err := url.Parse(s.URL)
	if err != nil {
		return err
	}
	if err := a.ring.Need(ctx, keyring.Index); err != nil { // of the limits
		return err
	}
	limits := limit.New(a.kv, a.ring.Index, time.Now)
	limits.Measure(a.metrics)
	limits.Show = rest.ShowLimit
	a.openDoor(s, log)
	events := event.New(a.mailer, time.Now)
	if a.accounts, err = account.New(account.Config{
		Settings: s.Account, DB: a.db, Ring: a.ring, Jobs: a.jobs, Limit: limits, KV: a.kv, Mail: a.mailer, Events: events, Metrics: a.metrics, Now: time.Now, Log: log, BaseURL: s.URL,
	}); err != nil {
		return err
	}
	a.feed = feed.New(feed.Config{DB: a.db})
	if a.contents, err = content.New(content.Config{
		Settings: s.Content, DB: a.db, Blobs: a.blobs, Ring: a.ring, Jobs: a.jobs, Accounts: a.accounts, Now: time.Now, Log: log,
	}); err != nil {
		return err
	}
	if a.tokens, err = token.New(token.Config{
		Settings: s.Token, KV: a.kv, Ring: a.ring, Accounts: a.accounts, Metrics: a.metrics, Now: time.Now, BaseURL: s.URL,
	}); err != nil {
		return err
	}
	if a.sessions, err = session.New(session.Config{
		Settings: s.Session, DB: a.db, Ring: a.ring, Limit: limits, Jobs: a.jobs, Accounts: a.accounts, Events: events, Tokens: a.tokens, Metrics: a.metrics,
		Now: time.Now, Log: log, Place: a.place,
	}); err != nil {
		return err
	}
	a.closers = append([]func() error{a.sessions.Close}, a.closers...) // its last mails need the rest
	if a.guard, err = guard.New(guard.Config{
		Settings: s.Guard, DB: a.db, Ring: a.ring, Jobs: a.jobs, Accounts: a.accounts, Events: events, Sessions: a.sessions, Now: time.Now, Log: log,
		Private: s.Block.Private, Offence: a.blocks.Offence,
	}); err != nil {
		return err
	}
	app := totp.New(totp.Config{DB: a.db, Accounts: a.accounts, Sessions: a.sessions, Events: events, Now: time.Now})
	codes, err := code.New(code.Config{Settings: s.Code, DB: a.db, Ring: a.ring, Jobs: a.jobs, Accounts: a.accounts, Now: time.Now})
	if err != nil {
		return err
	}
	mailed := mailcode.New(mailcode.Config{
		DB: a.db, Codes: codes, Jobs: a.jobs, Mail: a.mailer, Accounts: a.accounts, Sessions: a.sessions, Events: events, Now: time.Now,
	})
	phones, err := smscode.New(smscode.Config{
		Settings: s.SMSCode, DB: a.db, Ring: a.ring, Jobs: a.jobs, Accounts: a.accounts, Sessions: a.sessions, Codes: codes, Events: events,
		Now: time.Now, Log: log, BaseURL: s.URL, Sends: s.SMS.SMSURL != "",
	})
	if err != nil {
		return err
	}
	asked, err := question.New(question.Config{
		DB: a.db, Ring: a.ring, Jobs: a.jobs, Accounts: a.accounts, Sessions: a.sessions, Events: events, Now: time.Now, Log: log,
	})
	if err != nil {
		return err
	}
	passkeys, err := passkey.New(passkey.Config{
		Settings: s.Passkey, DB: a.db, KV: a.kv, Ring: a.ring, Limit: limits, Accounts: a.accounts, Sessions: a.sessions, Events: events,
		BaseURL: s.URL, Now: time.Now, Log: log,
	})
	if err != nil {
		return err
	}
	back := recovery.New(recovery.Config{
		Settings: s.Recovery, DB: a.db, Jobs: a.jobs, Limit: limits, Mail: a.mailer, Accounts: a.accounts, Sessions: a.sessions, Events: events, Now: time.Now, Log: log,
	})
	others, err := social.New(social.Config{
		Settings: s.Social, DB: a.db, KV: a.kv, Ring: a.ring, Limit: limits, Accounts: a.accounts, Sessions: a.sessions, Events: events, Now: time.Now, Log: log, BaseURL: s.URL,
	})
	if err != nil {
		return err
	}
	a.openPictures(s, limits, log)
	if err := a.openFiles(s, limits, events, log); err != nil {
		return err
	}
	if err := a.openDesk(passkeys, back, limits, events, log); err != nil {
		return err
	}

	a.api = rest.New(rest.Config{
		Settings: s.Rest, Title: "Coffer", Version: apiVersion, BaseURL: base, Auth: a.sessions, Log: log, Metrics: a.metrics, Now: time.Now,
	})
	for _, room := range []interface{ Routes(*rest.API) }{
		a.blocks, a.accounts, a.feed, a.tokens, a.sessions, a.guard, back, app, mailed, phones, asked, passkeys, others,
		a.avatars, a.files, a.search, a.uploads, a.shares, a.drops, a.ledger, a.pins, a.resources, a.admin,
	} {
		room.Routes(a.api)
	}
	a.periodic()
	return nil
}

// openDoor makes the list of blocked networks.
func (a *app) openDoor(s *Settings, log *slog.Logger) {
	a.blocks = block.New(block.Config{
		Settings: s.Block, DB: a.db, Ring: a.ring, KV: a.kv, Jobs: a.jobs, Metrics: a.metrics, Proxies: s.Rest.TrustedProxies, Now: time.Now, Log: log,
		Heard: func(ctx context.Context, tx *db.Tx, c block.Change) error { return a.admin.BlockChanged(ctx, tx, c) },
	})
}

// These are the words of the desk for the commands, which import no room.
type (
	accountID   = account.ID
	deskChange  = admin.Change
	deskQuota   = admin.Quota
	deskEntry   = admin.Entry
	verifiedLog = admin.Verified
)

func atConsole() admin.By { return admin.AtConsole() }

// openDesk makes the rooms that operators set up for: resource servers, and their own desk.
func (a *app) openDesk(passkeys *passkey.Service, back *recovery.Service, limits *limit.Limiter, events *event.Log, log *slog.Logger) (err error) {
	a.resources = introspect.New(introspect.Config{
		DB: a.db, Tokens: a.tokens, Now: time.Now,
		Heard: func(ctx context.Context, tx *db.Tx, r introspect.ResourceServer, made bool) error {
			return a.admin.ClientChanged(ctx, tx, r.ID, r.Name, made)
		},
	})
	a.admin, err = admin.New(admin.Config{
		DB: a.db, Ring: a.ring, Jobs: a.jobs, Limit: limits, Events: events, Accounts: a.accounts, Contents: a.contents, Sessions: a.sessions, Passkeys: passkeys,
		Recovery: back, Shares: a.shares, Drops: a.drops, Checks: a.dependencies(), Version: version(), Now: time.Now, Log: log,
	})
	return err
}

// dependencies are those that the server cannot work without.
func (a *app) dependencies() []admin.Check {
	return []admin.Check{{Name: "database", Ping: a.db.Ping}, {Name: "kv", Ping: a.kv.Ping}, {Name: "blobs", Ping: a.blobs.Ping}}
}

// checks are the dependencies for readiness.
func (a *app) checks() (all []server.Check) {
	for _, c := range a.dependencies() {
		all = append(all, server.Check(c))
	}
	return all
}

// openPictures makes the bounds of decoding, and the room of the accounts' pictures.
func (a *app) openPictures(s *Settings, limits *limit.Limiter, log *slog.Logger) {
	a.pictures = picture.New(s.Picture)
	a.avatars = avatar.New(avatar.Config{
		Settings: s.Avatar, DB: a.db, Blobs: a.blobs, Pictures: a.pictures, Jobs: a.jobs, Limit: limits, Accounts: a.accounts, Feed: a.feed, BaseURL: s.URL, Now: time.Now, Log: log,
	})
}

// openLedger makes the ledger of what is published.
func (a *app) openLedger(s *Settings, limits *limit.Limiter, log *slog.Logger) (err error) {
	a.ledger, err = ledger.New(ledger.Config{
		Settings: s.Ledger, DB: a.db, Ring: a.ring, Jobs: a.jobs, Limit: limits, Mail: a.mailer, Accounts: a.accounts, BaseURL: s.URL, Metrics: a.metrics, Now: time.Now, Log: log,
	})
	return err
}

// openFiles makes the rooms of files and what stands on them.
func (a *app) openFiles(s *Settings, limits *limit.Limiter, events *event.Log, log *slog.Logger) (err error) {
	a.files = file.New(file.Config{
		Settings: s.File, DB: a.db, Contents: a.contents, Jobs: a.jobs, Accounts: a.accounts, Feed: a.feed, Pictures: a.pictures,
		Now: time.Now, Log: log, Hold: a.sessions.Hold,
	})
	a.search = search.New(search.Config{Settings: s.Search, DB: a.db, Files: a.files, Accounts: a.accounts, Now: time.Now})
	if a.uploads, err = upload.New(upload.Config{
		Settings: s.Upload, MaxSize: s.File.MaxUpload, DB: a.db, Bus: a.bus, Contents: a.contents, Files: a.files, Accounts: a.accounts, Jobs: a.jobs, Now: time.Now, Log: log,
	}); err != nil {
		return err
	}
	a.shares = share.New(share.Config{
		DB: a.db, Contents: a.contents, Files: a.files, Accounts: a.accounts, Events: events, Feed: a.feed, Jobs: a.jobs, Limit: limits, Hold: a.sessions.Hold, Client: a.sessions.Client,
		Now: time.Now, Log: log, BaseURL: s.URL,
	})
	if a.drops, err = drop.New(drop.Config{
		Settings: s.Drop, DB: a.db, Bus: a.bus, Limit: limits, Index: a.ring.Index, Metrics: a.metrics, Now: time.Now, Log: log,
	}); err != nil {
		return err
	}
	if err := a.openLedger(s, limits, log); err != nil {
		return err
	}
	return a.openPins(s, limits, events, log)
}

// openPins makes the room of what is published on IPFS. It stands on the ledger.
func (a *app) openPins(s *Settings, limits *limit.Limiter, events *event.Log, log *slog.Logger) error {
	targets, err := pinning.Open(pinning.Config{Settings: s.Pinning, Origin: s.URL})
	if err != nil {
		return err
	}
	a.pins = pin.New(pin.Config{
		Settings: s.Pin, DB: a.db, Contents: a.contents, Files: a.files, Accounts: a.accounts, Ledger: a.ledger, Events: events, Feed: a.feed, Jobs: a.jobs,
		Limit: limits, Metrics: a.metrics, Targets: targets, Now: time.Now, Log: log, BaseURL: s.URL, Hold: a.sessions.Hold,
	})
	return nil
}

// named returns the id of the account that an address or a username names.
func (a *app) named(ctx context.Context, who string) (account.ID, error) {
	found, err := a.accounts.Find(ctx, who)
	if err == nil && found.ID == "" {
		err = fmt.Errorf("%s: no account has that address or username", who)
	}
	return found.ID, err
}

// periodic registers the ground's periodic work; rooms register their own.
func (a *app) periodic() {
	a.jobs.Every("drop.prune", time.Minute, a.drops.Prune, a.drops.Old()...)
	a.jobs.Every("keyring.maintain", 5*time.Minute, a.ring.Maintain)
	a.jobs.Every("keyring.rewrap", time.Hour, func(ctx context.Context) error { return a.ring.RewrapAll(ctx, a.ring.Rewraps(), nil) })
	if a.prune != nil {
		a.jobs.Every("kv.prune", 10*time.Minute, a.prune, jobs.Old{Table: "kv", Rows: "expires_at <= $1"})
	}
}

// drain ends what would keep a stopping server busy: streams of news, resumable uploads,
// drops, and bodies that were refused.
func (a *app) drain() {
	a.api.Drain()
	a.feed.Close()
	a.uploads.Drain()
	a.drops.Drain()
}

// close closes the opened parts, last first.
func (a *app) close() {
	for _, closeOne := range a.closers {
		_ = closeOne() // no part has unsaved data
	}
	if a.kv != nil {
		a.kv.Close()
	}
	if a.db != nil {
		a.db.Close()
	}
}

// healthCmd is the health check of a container that holds nothing but this program.
type healthCmd struct {
	Server server.Settings `embed:""`
}

// Run asks the server on this machine whether it is ready. Any other answer is an error.
func (c healthCmd) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+localAddr(c.Server.Addr)+"/readyz", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s answers %s", c.Server.Addr, strings.ToLower(res.Status))
	}
	return nil
}
