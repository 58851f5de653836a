// Package introspect answers resource servers that ask about access tokens (RFC 7662).
//
// A resource server is a program beside Coffer that people call with their access tokens.
// It cannot read a token, whose content is sealed. So it asks here, with credentials that
// the operator made. The answer is what product row F-S6 names, and nothing personal.
//
// # What it defends against
//
//   - A stranger who asks: without good credentials each answer is the same 401, and no
//     token is looked at.
//   - Guessing: an id is public, and a secret is 256 random bits, compared in constant time.
//   - A resource server that fishes: whatever is no live access token gets the one answer
//     inactive (RFC 7662 §2.2): refresh tokens, ended sessions, other issuers.
//
// # Limits
//
// An attacker who writes to the database can add a resource server. It learns of the tokens
// that it holds already. A token of a session that signs its requests is inactive here: a
// resource server cannot check a signature that was made for Coffer.
package introspect

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/rest"
	"coffer/internal/session"
	"coffer/internal/text"
	"coffer/internal/token"
)

// secretVersion is what secrets start with.
const secretVersion = "crs1."

const maxName = 100 // characters

var (
	// ErrClient refuses a caller that is no resource server.
	ErrClient = fault.New(fault.Unauthenticated, "invalid_client", "The id or secret of the resource server is wrong.")
	// ErrName refuses a name that the operator chose.
	ErrName = errors.New("a name has 1 to 100 visible characters, and no other resource server has it")
	// ErrUnknown says that no resource server has an id.
	ErrUnknown = errors.New("no resource server has that id")
)

// Config is what a Service needs. DB and Tokens are required.
type Config struct {
	DB     *db.DB
	Tokens *token.Service
	Now    func() time.Time // zero: time.Now
	Rand   io.Reader        // zero: crypto/rand

	// Heard hears of a resource server that was made or removed, in that transaction; nil hears
	// nothing.
	Heard func(ctx context.Context, tx *db.Tx, r ResourceServer, made bool) error
}

// Service is the room. It is safe for concurrent use.
type Service struct{ Config }

// New returns the room.
func New(cfg Config) *Service {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.Heard == nil {
		cfg.Heard = func(context.Context, *db.Tx, ResourceServer, bool) error { return nil }
	}
	return &Service{cfg}
}

// ResourceServer is a program that may ask about tokens.
type ResourceServer struct {
	ID, Name string
	Made     time.Time
}

// Add makes a resource server and returns it with its secret, which nobody can read again.
// ErrName when the name is empty, too long or taken.
func (s *Service) Add(ctx context.Context, name string) (ResourceServer, string, error) {
	name = strings.TrimSpace(name)
	if !text.Visible(name) || utf8.RuneCountInString(name) > maxName || strings.ContainsFunc(name, text.Control) {
		return ResourceServer{}, "", ErrName
	}
	raw := make([]byte, 32)
	if _, err := io.ReadFull(s.Rand, raw); err != nil {
		return ResourceServer{}, "", err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return ResourceServer{}, "", err
	}
	secret := secretVersion + base64.RawURLEncoding.EncodeToString(raw)
	made := ResourceServer{ID: id.String(), Name: name, Made: s.Now().UTC().Truncate(time.Millisecond)}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		ok, err := insertServer(ctx, tx, made, digest(secret))
		if err != nil {
			return err
		} else if !ok {
			return ErrName
		}
		return s.Heard(ctx, tx, made, true)
	})
	return made, secret, err
}

// List returns every resource server, the oldest first.
func (s *Service) List(ctx context.Context) ([]ResourceServer, error) { return listServers(ctx, s.DB) }

// Remove takes a resource server's credentials back, at once. ErrUnknown when there is none.
func (s *Service) Remove(ctx context.Context, id string) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		name, err := deleteServer(ctx, tx, id)
		if errors.Is(err, db.ErrNoRows) {
			return ErrUnknown
		}
		if err != nil {
			return err
		}
		return s.Heard(ctx, tx, ResourceServer{ID: id, Name: name}, false)
	})
}

// admit is nil for the id and secret of a resource server. An unknown id costs what a known
// one does.
func (s *Service) admit(ctx context.Context, id, secret string) error {
	if u, err := uuid.Parse(id); err != nil || u.String() != id {
		id = uuid.Nil.String() // of no resource server; the database may reject other text
	}
	want, err := readSecret(ctx, s.DB, id)
	known := 1
	if errors.Is(err, db.ErrNoRows) {
		want, known, err = digest(""), 0, nil
	}
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(digest(secret), want)&known != 1 {
		return ErrClient
	}
	return nil
}

func digest(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// inspect returns the holder and the end of a live access token; ok is false for anything
// else, also for a session that may only repair its account.
func (s *Service) inspect(ctx context.Context, text string) (c rest.Caller, end time.Time, ok bool, err error) {
	c, end, err = s.Tokens.Inspect(ctx, text)
	if err != nil && fault.Of(err).Kind == fault.Unauthenticated {
		err = nil
	}
	return c, end, c.AAL == session.AAL1 || c.AAL == session.AAL2, err
}
