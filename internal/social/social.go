// Package social is sign-in with an account of another service: Google, GitHub and other OpenID Connect providers.
//
// # What it defends against
//
//   - An answer that belongs to another browser (login CSRF, RFC 9700 §4.7): the transaction
//     holds the digest of a cookie that only the browser that began it has. State, nonce and
//     the PKCE verifier are random for each transaction, which works once.
//   - An answer of another provider (mix-up, RFC 9700 §4.4): each has a redirect address of its
//     own, a transaction names its provider, and iss is checked where it is sent or announced.
//   - An id_token that is forged, for another client, old, or of another sign-in: see oidc.go.
//   - A stolen id_token: /auth/social/google/token takes one whose nonce is the hash of the
//     client's public key and a secret. With another key it is refused, and it works once.
//   - Tokens in addresses: the callback ends at the web app with a code that works once, for
//     the same browser, for minutes. The session goes to the client's key as at any sign-in.
//   - A taken-over account by its address (security.md rows 12 and 44): issuer and subject find
//     the account, and nothing else. An account with the same address is linked after its
//     owner has signed in to it. An address that the provider has not proven opens nothing.
//     A first sign-in ends the sign-ups that wait for the address, and keeps nothing of them.
//   - A provider that is slow, endless, away, or that redirects: package outbound bounds each
//     call, and only hosts of the settings may be private.
//   - A read database: issuer, subject and address are sealed under the account's data key, and
//     found by a blind index. The key store holds transactions and codes sealed, under digests.
//   - A written database: a record is bound to its row and names its own subject. A row that was
//     copied, or got another index, signs no person in.
//
// # Limits
//
// A thief of a person's account at the provider, or the provider, can sign in as that
// person; the account's layers are asked as after a password. A fresh proof is as fresh as the
// provider makes it: GitHub asks for none, and Google may ask for none. The provider learns
// when somebody signs in here. Its word that an address is proven is believed, and the
// operator chose it.
package social

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/keyring"
	"coffer/internal/kv"
	"coffer/internal/limit"
	"coffer/internal/mail"
	"coffer/internal/session"
)

const (
	google       = "google"
	github       = "github"
	googleIssuer = "https://accounts.google.com"

	transactionFor = 10 * time.Minute // and the cookie's life

	subjectColumn = "identities.subject" // of the blind index
)

// The kinds of events of this room.
const (
	linked   = "identity-linked"
	unlinked = "identity-unlinked"
)

//go:embed words
var words embed.FS

var (
	errNoProvider = fault.New(fault.NotFound, "not_found", "This server has no such provider.")
	errNotLinked  = fault.New(fault.NotFound, "not_found", "No account of that provider is connected.")
	errState      = fault.New(fault.Malformed, "invalid_state", "This sign-in was begun elsewhere, was used already or has expired. Begin again.")
	errRefused    = fault.New(fault.Malformed, "provider_refused", "The provider did not confirm the sign-in. Begin again.")
	errIDToken    = fault.New(fault.Unauthenticated, "invalid_id_token", "The provider's answer cannot be trusted. Begin again.")
	errUnverified = fault.New(fault.Forbidden, "email_unverified", "The provider has not verified your e-mail address. Verify it there, then begin again.")
	errAway       = fault.New(fault.Unavailable, "provider_unavailable", "The provider cannot be reached. Try again later, or sign in another way.")
	errLinkNeeded = fault.New(fault.Conflict, "link_needed", "An account has that e-mail address. Sign in to it, and connect the two.")
	errTaken      = fault.New(fault.Conflict, "identity_taken", "That account of the provider is connected with another account here.")
	errLinked     = fault.New(fault.Conflict, "provider_linked", "An account of that provider is connected already. Disconnect it first.")
	errOther      = fault.New(fault.Unauthenticated, "wrong_identity", "That is not the account that is connected here.")
	errAltered    = fault.New(fault.Forbidden, "identity_altered", "The connection of that account was damaged. Sign in another way.")
)

// Config is what a Service needs. All but Now, Rand and Log are required.
type Config struct {
	Settings
	DB       *db.DB
	KV       kv.Store
	Ring     *keyring.Ring
	Limit    *limit.Limiter
	Accounts *account.Service
	Sessions *session.Service
	Events   *event.Log
	Now      func() time.Time // zero: time.Now
	Rand     io.Reader        // zero: crypto/rand
	Log      *slog.Logger     // zero: discards

	BaseURL string // redirect addresses begin with it; no slash at the end
}

// Service is the room. It is safe for concurrent use.
type Service struct {
	Config
	providers []named
}

// New returns the room, which is a way into accounts from then on. It calls no provider.
func New(cfg Config) (*Service, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if err := cfg.Settings.AfterApply(); err != nil {
		return nil, err
	}
	cfg.SocialLimit.Name = "social"
	if err := cfg.Ring.Need(context.Background(), keyring.Index, keyring.Field); err != nil {
		return nil, err
	}
	s := &Service{Config: cfg}
	s.providers = s.Settings.providers(cfg.BaseURL, cfg.Now, cfg.Log)
	for _, kind := range []string{linked, unlinked} {
		s.Events.Declare(mail.Kind{Name: kind, Header: "security-notice"}, words)
	}
	s.Ring.AddRewraps(keyring.Rewrap{Name: "identities", Purpose: keyring.Index, Step: s.reindex})
	s.Accounts.Keep("identities", account.Keeper{Export: s.export, Forget: func(ctx context.Context, tx *db.Tx, id account.ID) error {
		return dropIdentities(ctx, tx, id, 0)
	}})
	s.Accounts.AddWayIn(account.WayIn{Count: s.count, DropSince: func(ctx context.Context, tx *db.Tx, id account.ID, since time.Time) error {
		return dropIdentities(ctx, tx, id, since.UnixMilli())
	}})
	for _, p := range s.providers {
		s.Accounts.Protect("identity_"+p.ID, func(ctx context.Context, q db.Querier, id account.ID) (account.Protection, error) {
			return s.protection(ctx, q, id, p.ID)
		})
	}
	return s, nil
}

// provider returns a provider of the settings.
func (s *Service) provider(id string) (named, error) {
	for _, p := range s.providers {
		if p.ID == id {
			return p, nil
		}
	}
	return named{}, errNoProvider
}

// label is a provider's name for people, also of one that is set no more.
func (s *Service) label(id string) string {
	if p, err := s.provider(id); err == nil {
		return p.Label
	}
	return id
}

// record is what stays of a person, sealed.
type record struct {
	Issuer  string `json:"issuer"`
	Subject string `json:"subject"`
	Email   string `json:"email"`
}

// canonical is the form that identities are found by. Neither part is cut short: the
// JSON of both tells them apart.
func canonical(issuer, subject string) string {
	b, err := json.Marshal([2]string{issuer, subject})
	if err != nil {
		panic("internal error: strings without JSON: " + err.Error())
	}
	return string(b)
}

// find returns the identity of a person; false when no account has it. Code identity_altered.
func (s *Service) find(ctx context.Context, q db.Querier, p person) (row, bool, error) {
	indexes, err := s.Ring.Indexes(ctx, subjectColumn, canonical(p.Issuer, p.Subject))
	if err != nil {
		return row{}, false, err
	}
	r, err := findIdentity(ctx, q, indexes)
	if errors.Is(err, db.ErrNoRows) {
		return row{}, false, nil
	}
	if err != nil {
		return row{}, false, err
	}
	known, err := s.open(ctx, q, r)
	if err == nil && (known.Issuer != p.Issuer || known.Subject != p.Subject) {
		err = errors.New("the row has another's index")
	}
	if err != nil && !fault.IsUnavailable(err) && ctx.Err() == nil {
		s.Log.ErrorContext(ctx, "social: an identity was altered", "account", string(r.Account), "identity", r.ID, "err", err)
		err = errAltered.Because(err)
	}
	return r, err == nil, err
}

func (s *Service) open(ctx context.Context, q db.Querier, r row) (record, error) {
	key, err := s.Accounts.DataKey(ctx, q, r.Account)
	if err != nil {
		return record{}, err
	}
	b, err := key.Open("identities", "record", r.label(), r.Sealed)
	if err != nil {
		return record{}, err
	}
	var known record
	err = json.Unmarshal(b, &known)
	return known, err
}

// add stores an identity of an account whose row tx holds.
func (s *Service) add(ctx context.Context, tx *db.Tx, id account.ID, provider string, p person, used bool) (row, error) {
	name, err := newID()
	if err != nil {
		return row{}, err
	}
	r := row{ID: name, Account: id, Provider: provider, Created: s.Now().UnixMilli()}
	if used {
		r.Used = &r.Created
	}
	if r.Index, err = s.Ring.Index(ctx, subjectColumn, canonical(p.Issuer, p.Subject)); err != nil {
		return row{}, err
	}
	key, err := s.Accounts.DataKey(ctx, tx, id)
	if err != nil {
		return row{}, err
	}
	b, err := json.Marshal(record{p.Issuer, p.Subject, p.Email})
	if err != nil {
		return row{}, err
	}
	r.Sealed = key.Seal("identities", "record", r.label(), b)
	return r, insertIdentity(ctx, tx, r)
}

// count is how many identities sign in to an account: those that open, of providers
// that are set and have the issuer that they had.
func (s *Service) count(ctx context.Context, q db.Querier, id account.ID) (n int, err error) {
	rows, err := readIdentities(ctx, q, id)
	if err != nil {
		return 0, err
	}
	for _, r := range rows {
		p, err := s.provider(r.Provider)
		if err != nil {
			continue
		}
		known, err := s.open(ctx, q, r)
		if fault.IsUnavailable(err) || ctx.Err() != nil {
			return 0, err
		}
		if err == nil && known.Issuer == p.Issuer {
			n++
		}
	}
	return n, nil
}

// protection is a provider's line on the security page.
func (s *Service) protection(ctx context.Context, q db.Querier, id account.ID, provider string) (account.Protection, error) {
	r, err := readIdentity(ctx, q, id, provider)
	if errors.Is(err, db.ErrNoRows) {
		return account.Protection{}, nil
	}
	if err != nil {
		return account.Protection{}, err
	}
	line := account.Used(r.Created, r.Used)
	known, err := s.open(ctx, q, r)
	if err != nil && !fault.IsUnavailable(err) {
		s.Log.WarnContext(ctx, "social: an identity does not open", "account", string(id), "err", err)
		return line, nil
	}
	line.Hint = account.MaskEmail(known.Email)
	return line, err
}

// export adds identities.json to the owner's archive.
func (s *Service) export(ctx context.Context, id account.ID, to *account.Archive) error {
	type exported struct {
		Provider string `json:"provider"`
		record
		CreatedAt  time.Time  `json:"created_at"`
		LastUsedAt *time.Time `json:"last_used_at"`
	}
	all := []exported{}
	err := s.DB.Read(ctx, func(tx *db.Tx) error {
		rows, err := readIdentities(ctx, tx, id)
		if err != nil {
			return err
		}
		for _, r := range rows {
			known, err := s.open(ctx, tx, r)
			if fault.IsUnavailable(err) {
				return err
			}
			e := exported{Provider: r.Provider, record: known, CreatedAt: time.UnixMilli(r.Created).UTC(), LastUsedAt: at(r.Used)}
			all = append(all, e)
		}
		return nil
	})
	if err != nil || len(all) == 0 {
		return err
	}
	return to.Put("identities.json", all)
}

func at(ms *int64) *time.Time {
	if ms == nil {
		return nil
	}
	t := time.UnixMilli(*ms).UTC()
	return &t
}

// reindex computes blind indexes afresh under the active key.
func (s *Service) reindex(ctx context.Context, cursor string, limit int, skip keyring.Skip) (string, int, error) {
	rows, err := readBatch(ctx, s.DB, cursor, limit)
	if err != nil {
		return "", 0, err
	}
	for _, r := range rows {
		known, err := s.open(ctx, s.DB, r)
		var afresh []byte
		if err == nil {
			afresh, err = s.Ring.Index(ctx, subjectColumn, canonical(known.Issuer, known.Subject))
		}
		if err == nil {
			err = swapIndex(ctx, s.DB, r, afresh)
		}
		if err != nil && !errors.Is(err, account.ErrNotFound) {
			if err := skip(ctx, "identities.subject_index", r.ID, err); err != nil {
				return "", 0, err
			}
		}
	}
	if len(rows) < limit {
		return "", len(rows), nil
	}
	return rows[len(rows)-1].ID, len(rows), nil
}
