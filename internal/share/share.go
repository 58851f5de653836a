// Package share lets people without an account read an entry, or hand files in to a folder, by a link.
//
// # What is promised, and how
//
//   - A link is bound to the entry's id. Renamed or moved it stays shared. The server looks at
//     the entry on every request, so one in the trash, deleted, or of an owner who is gone,
//     deactivated or over quota is not found.
//   - A link that cannot be used, for any reason, and one that never was have one answer,
//     word for word. What runs is looked at again each second, and cut.
//   - A guest names entries by paths below the one that is shared. Package file looks up each
//     name in the folder before it. No id of the owner's is in an answer.
//   - The secret is 128 random bits. SQL has its SHA-256, and the secret itself, the note and
//     the password's hash sealed under the account's data key. The bounds stand in clear and
//     are bound into what is sealed: a row that opens is one that the server wrote.
//   - A password is hashed as an account's (argon2id, with its bound of memory). A cookie for
//     the link's path alone follows; it is bound to link and hash. Every operation of a guest
//     wants it. Wrong passwords are limited for link and address, and for the link.
//   - Counts are exact: the comparison and the raise are one statement. A range with the ticket
//     of a counted download is that download (count.go), while the link has sold fewer than a
//     thousand tickets since.
//   - Files handed in appear in the transaction that counts them. It holds the account's row,
//     the link's, then the tree, in the order in which a deletion takes them.
//   - The log of uses has action, path, kind of device and place, sealed. It has no address.
//
// # Limits
//
// An entry has at most 100 open links, an account 10,000. A log has the newest 1,000 uses of
// 90 days.
package share

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/feed"
	"coffer/internal/file"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/limit"
	"coffer/internal/mail"
	"coffer/internal/rest"
	"coffer/internal/seal"
)

// Kind tells links that show from those that take.
type Kind string

// The kinds.
const (
	Read    Kind = "read"
	Request Kind = "request"
)

const (
	maxLinks    = 10_000 // of an account
	maxOpen     = 100    // of an entry
	keepUses    = 1_000  // of a link
	keepTickets = 1_000  // of a link
	useTTL      = 90 * 24 * time.Hour
	unlockTTL   = 12 * time.Hour
	ticketTTL   = 24 * time.Hour
	tellEvery   = time.Hour // of a link, by mail
)

// Config is what the room needs.
type Config struct {
	DB       *db.DB
	Contents *content.Service
	Files    *file.Service
	Accounts *account.Service
	Events   *event.Log
	Feed     *feed.Service
	Jobs     *jobs.Queue
	Limit    *limit.Limiter
	// Hold refuses a session that has ended, and keeps it from ending before tx does.
	Hold func(ctx context.Context, tx *db.Tx, who account.ID, session string) error
	// Client says what owners are told of a client: kind of device, and place.
	Client  func(rest.Client) (device, place string)
	Now     func() time.Time
	Log     *slog.Logger
	BaseURL string        // links start with it; no slash at the end
	Look    time.Duration // how often a running answer is looked at again; 0 is a second
}

// Service is the room. It is safe for concurrent use.
type Service struct{ Config }

//go:embed words
var words embed.FS

// filesReceived is the mail to an owner whose link took files.
const filesReceived = "files-received"

// New returns the room. It registers its jobs, what it keeps of accounts, and its mark on entries.
func New(c Config) *Service {
	if c.Look <= 0 {
		c.Look = time.Second
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	s := &Service{Config: c}
	s.Events.Declare(mail.Kind{Name: filesReceived}, words)
	s.Accounts.Keep("share", account.Keeper{Export: s.export, Empty: s.empty, Forget: forget, DropSince: blockSince})
	s.Files.MarkShared(s.sharedOf)
	s.Jobs.Handle(clearJob, s.clear)
	s.Jobs.Every("share.sweep", time.Hour, s.sweep,
		jobs.Old{Table: "share_uses", Rows: "at <= $1", Age: useTTL}, jobs.Old{Table: "share_downloads", Rows: "expires_at <= $1"})
	return s
}

// The refusals that reach an owner.
var (
	errNoShare     = fault.New(fault.NotFound, "not_found", "Link not found.")
	errTooMany     = fault.New(fault.Conflict, "too_many_shares", "The account has 10,000 links. Remove some first.")
	errDamaged     = fault.New(fault.Conflict, "damaged", "The link is damaged. Stop it, and make another one.")
	errTooManyOpen = fault.New(fault.Conflict, "too_many_shares_of_entry", "The entry has 100 open links. Remove some first.")
)

// Placed is the shared entry, and where it is.
type Placed struct {
	ID   string      `json:"id"`
	Kind file.Kind   `json:"kind" enum:"file,folder"`
	Name string      `json:"name"`
	Path []file.Step `json:"path" doc:"The folders above it, the outermost first; empty at the root."`
}

// Share is a link as its owner sees it.
type Share struct {
	ID           string     `json:"id" doc:"UUIDv7."`
	Kind         Kind       `json:"kind" enum:"read,request"`
	URL          string     `json:"url"`
	Token        string     `json:"token" doc:"The secret in the link."`
	Entry        *Placed    `json:"entry,omitempty" doc:"Absent while the entry is in the trash or deleted."`
	Note         string     `json:"note" doc:"Message to the receiver."`
	HasPassword  bool       `json:"has_password"`
	ExpiresAt    *time.Time `json:"expires_at" nullable:"true"`
	MaxDownloads *int64     `json:"max_downloads" nullable:"true"`
	Downloads    int64      `json:"downloads"`
	MaxFiles     *int64     `json:"max_files" nullable:"true"`
	MaxFileBytes *int64     `json:"max_file_bytes" nullable:"true"`
	Accept       []string   `json:"accept" doc:"Endings that names of files may have; empty for any."`
	Files        int64      `json:"files" doc:"Files that came in."`
	Blocked      bool       `json:"blocked" doc:"The operator, or the stop of a recovery, has blocked the link."`
	State        string     `json:"state" enum:"open,expired,used_up,blocked,damaged" doc:"A damaged link was altered in the database: it works for nobody, and its address, note, entry and bounds are absent. Stop it."`
	CreatedAt    time.Time  `json:"created_at"`
	LastUsedAt   *time.Time `json:"last_used_at" nullable:"true"`
}

// details is what is sealed about a link.
type details struct {
	Token    string   `json:"token"`
	Note     string   `json:"note"`
	Password string   `json:"password"` // its hash; "" without one
	Accept   []string `json:"accept"`
}

// link is a row with what is sealed in it.
type link struct {
	row
	details
}

// place is where the details of a row open.
func (r *row) place() string {
	numbers := binary.BigEndian.AppendUint64(nil, uint64(r.CreatedAt))
	for _, n := range []*int64{r.ExpiresAt, r.MaxDownloads, r.MaxFiles, r.MaxFileBytes} {
		if n == nil {
			numbers = append(numbers, 0)
			continue
		}
		numbers = binary.BigEndian.AppendUint64(append(numbers, 1), uint64(*n))
	}
	return string(seal.LP([]byte(r.ID), []byte(r.Entry), []byte(r.Kind), numbers))
}

func (l *link) seal(key *keyring.DataKey) error {
	plain, err := json.Marshal(l.details)
	if err == nil {
		l.Details = key.Seal("shares", "details", l.place(), plain)
	}
	return err
}

// open returns the link of a row. What does not open, or has another secret, is damage.
func open(key *keyring.DataKey, r row) (link, error) {
	l := link{row: r}
	plain, err := key.Open("shares", "details", r.place(), r.Details)
	if err == nil {
		err = json.Unmarshal(plain, &l.details)
	}
	if err == nil && string(digest(l.details.Token)) != string(r.Token) {
		err = seal.ErrOpen
	}
	if err != nil {
		return l, fmt.Errorf("open link %s: %w", r.ID, err)
	}
	return l, nil
}

// newToken returns a secret of 128 bits.
func newToken() string {
	var b [16]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// isToken tells whether a text is a secret in the one spelling that it has.
func isToken(s string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(b) == 16 && len(s) == 22
}

// digest is how a secret is found in SQL. 128 random bits need no key.
func digest(token string) []byte {
	sum := sha256.Sum256([]byte("coffer/share/v1:" + token))
	return sum[:]
}

// The states of a link.
const (
	stateOpen    = "open"
	stateExpired = "expired"
	stateUsedUp  = "used_up"
	stateBlocked = "blocked"
	stateDamaged = "damaged" // the row does not open
)

func (r *row) state(now time.Time) string {
	switch {
	case r.Blocked != 0:
		return stateBlocked
	case r.ExpiresAt != nil && *r.ExpiresAt <= now.UnixMilli():
		return stateExpired
	case r.MaxDownloads != nil && r.Downloads >= *r.MaxDownloads, r.MaxFiles != nil && r.Files >= *r.MaxFiles:
		return stateUsedUp
	}
	return stateOpen
}

// show returns a link without its entry.
func (s *Service) show(l link) Share {
	at := func(ms *int64) *time.Time {
		if ms == nil {
			return nil
		}
		t := time.UnixMilli(*ms).UTC()
		return &t
	}
	letter := "s"
	if l.Kind == Request {
		letter = "r"
	}
	sh := Share{
		ID: l.ID, Kind: l.Kind, Token: l.details.Token, URL: s.BaseURL + "/" + letter + "/" + l.details.Token, Note: l.Note, HasPassword: l.Password != "",
		ExpiresAt: at(l.ExpiresAt), MaxDownloads: l.MaxDownloads, Downloads: l.Downloads, MaxFiles: l.MaxFiles, MaxFileBytes: l.MaxFileBytes,
		Accept: l.Accept, Files: l.Files, Blocked: l.Blocked != 0, State: l.state(s.Now()), CreatedAt: time.UnixMilli(l.CreatedAt).UTC(), LastUsedAt: at(l.UsedAt),
	}
	if sh.Accept == nil {
		sh.Accept = []string{}
	}
	return sh
}

// showDamaged shows a link whose row does not open: its id, kind, counts and time. The columns that
// say where it leads may be altered.
func showDamaged(r row) Share {
	return Share{ID: r.ID, Kind: r.Kind, Downloads: r.Downloads, Files: r.Files, Accept: []string{}, Blocked: r.Blocked != 0, State: stateDamaged, CreatedAt: time.UnixMilli(r.CreatedAt).UTC()}
}

// showRows opens rows and shows them, the damaged ones too.
func (s *Service) showRows(ctx context.Context, owner account.ID, key *keyring.DataKey, rows []row) ([]Share, error) {
	damaged := map[string]Share{}
	var links []link
	for _, r := range rows {
		l, err := open(key, r)
		if err != nil {
			s.Log.ErrorContext(ctx, "share: a link does not open", "account", owner, "share", r.ID, "error", err)
			damaged[r.ID] = showDamaged(r)
			continue
		}
		links = append(links, l)
	}
	good, err := s.showAll(ctx, owner, links)
	if err != nil {
		return nil, err
	}
	shares := make([]Share, len(rows))
	for i, r := range rows {
		if one, ok := damaged[r.ID]; ok {
			shares[i] = one
		} else {
			shares[i], good = good[0], good[1:]
		}
	}
	return shares, nil
}

// showAll adds the entries.
func (s *Service) showAll(ctx context.Context, owner account.ID, links []link) ([]Share, error) {
	ids := make([]string, len(links))
	for i, l := range links {
		ids[i] = l.Entry
	}
	found, err := s.Files.Locations(ctx, owner, ids)
	if err != nil {
		return nil, err
	}
	placed := map[string]*Placed{}
	for _, f := range found {
		placed[f.ID] = &Placed{ID: f.ID, Kind: f.Kind, Name: f.Name, Path: f.Path}
	}
	shares := make([]Share, len(links))
	for i, l := range links {
		shares[i] = s.show(l)
		shares[i].Entry = placed[l.Entry]
	}
	return shares, nil
}

func (s *Service) showOne(ctx context.Context, owner account.ID, l link) (Share, error) {
	shares, err := s.showAll(ctx, owner, []link{l})
	if err != nil {
		return Share{}, err
	}
	return shares[0], nil
}

// dataKey opens the account's data key. An account that is gone has no links.
func (s *Service) dataKey(ctx context.Context, q db.Querier, owner account.ID) (*keyring.DataKey, error) {
	key, err := s.Accounts.DataKey(ctx, q, owner)
	if errors.Is(err, account.ErrNotFound) {
		return nil, errNoShare
	}
	return key, err
}

// Create makes a link to an entry of the owner's, who has a session. A recovery that is stopped
// blocks the links made since it began: none is made by a session that has ended meanwhile.
func (s *Service) Create(ctx context.Context, owner account.ID, session, entry string, kind Kind, o Options) (Share, error) {
	e, err := s.Files.Get(ctx, owner, entry)
	if err != nil {
		return Share{}, err
	}
	if kind == Request && e.Kind != file.Folder {
		return Share{}, fault.InvalidField("/kind", "not_a_folder", "A link that takes files leads to a folder.")
	}
	l := link{row: row{ID: uuid.Must(uuid.NewV7()).String(), Account: owner, Entry: e.ID, Kind: kind, CreatedAt: s.Now().UnixMilli()}}
	l.details.Token = newToken()
	l.row.Token = digest(l.details.Token)
	if err := s.set(ctx, &l, o); err != nil {
		return Share{}, err
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := s.Hold(ctx, tx, owner, session); err != nil {
			return err
		}
		all, open, err := count(ctx, tx, owner, entry, s.Now().UnixMilli())
		if err != nil {
			return err
		}
		if all >= maxLinks {
			return errTooMany
		}
		if open >= maxOpen {
			return errTooManyOpen
		}
		key, err := s.dataKey(ctx, tx, owner)
		if err != nil {
			return err
		}
		if err := l.seal(key); err != nil {
			return err
		}
		if err := insert(ctx, tx, l.row); err != nil {
			return err
		}
		return s.tell(ctx, tx, l.row)
	})
	if err != nil {
		return Share{}, err
	}
	return s.showOne(ctx, owner, l)
}

// tell announces a change of a link to its owner's open pages.
func (s *Service) tell(ctx context.Context, tx *db.Tx, r row) error {
	return s.Feed.Tell(ctx, tx, r.Account, "shares", r.ID)
}

// Get returns a link of the owner's.
func (s *Service) Get(ctx context.Context, owner account.ID, id string) (Share, error) {
	r, key, err := s.find(ctx, owner, id)
	if err != nil {
		return Share{}, err
	}
	shares, err := s.showRows(ctx, owner, key, []row{r})
	if err != nil {
		return Share{}, err
	}
	return shares[0], nil
}

// find returns the row of a link of the owner's, and the key that opens it.
func (s *Service) find(ctx context.Context, owner account.ID, id string) (row, *keyring.DataKey, error) {
	if uuid.Validate(id) != nil {
		return row{}, nil, errNoShare
	}
	r, err := read(ctx, s.DB, owner, id)
	if err != nil {
		return row{}, nil, err
	}
	key, err := s.dataKey(ctx, s.DB, owner)
	return r, key, err
}

// List returns one page of the owner's links, the newest first, and the cursor of the next.
// kind and entry "" are any.
func (s *Service) List(ctx context.Context, owner account.ID, kind, entry, cursor string, limit int) (shares []Share, next string, err error) {
	if entry != "" {
		if _, err := s.Files.Get(ctx, owner, entry); err != nil {
			return nil, "", err
		}
	}
	key, err := s.dataKey(ctx, s.DB, owner)
	if err != nil {
		return nil, "", err
	}
	place := "shares/" + kind + "/" + entry
	after, err := key.OpenMark("shares", place, cursor)
	if err != nil {
		return nil, "", err
	}
	rows, err := readPage(ctx, s.DB, owner, kind, entry, after, limit+1)
	if err != nil {
		return nil, "", err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = key.SealMark("shares", place, keyring.Mark{At: rows[limit-1].CreatedAt, ID: rows[limit-1].ID})
	}
	shares, err = s.showRows(ctx, owner, key, rows)
	return shares, next, err
}

// Update changes a link of the owner's.
func (s *Service) Update(ctx context.Context, owner account.ID, id string, o Options) (Share, error) {
	r, key, err := s.find(ctx, owner, id)
	if err != nil {
		return Share{}, err
	}
	changed, err := open(key, r)
	if err != nil {
		return Share{}, errDamaged.Because(err)
	}
	if err := s.set(ctx, &changed, o); err != nil { // hashes a password, so outside of the transaction
		return Share{}, err
	}
	var l link
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.Accounts.Hold(ctx, tx, owner); errors.Is(err, account.ErrNotFound) {
			return errNoShare
		} else if err != nil {
			return err
		}
		r, err := lock(ctx, tx, owner, id)
		if err != nil {
			return err
		}
		key, err := s.dataKey(ctx, tx, owner)
		if err != nil {
			return err
		}
		if l, err = open(key, r); err != nil {
			return errDamaged.Because(err)
		}
		now := s.Now()
		was := l.state(now)
		l.take(changed, o)
		if was != stateOpen && l.state(now) == stateOpen {
			if _, open, err := count(ctx, tx, owner, l.Entry, now.UnixMilli()); err != nil || open >= maxOpen {
				return cmp.Or(err, error(errTooManyOpen))
			}
		}
		if err := l.seal(key); err != nil {
			return err
		}
		if err := update(ctx, tx, l.row); err != nil {
			return err
		}
		return s.tell(ctx, tx, l.row)
	})
	if err != nil {
		return Share{}, err
	}
	return s.showOne(ctx, owner, l)
}

// Stop removes a link of the owner's, with its log.
func (s *Service) Stop(ctx context.Context, owner account.ID, id string) error {
	if uuid.Validate(id) != nil {
		return errNoShare
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		was, err := s.remove(ctx, tx, row{ID: id, Account: owner})
		if err == nil && !was {
			err = errNoShare
		}
		return err
	})
}

// sharedOf tells which of an account's entries have an open link.
func (s *Service) sharedOf(ctx context.Context, q db.Querier, owner account.ID, ids []string) (map[string]bool, error) {
	return readShared(ctx, q, owner, s.Now().UnixMilli(), ids)
}
