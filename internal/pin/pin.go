// Package pin publishes files and folders on IPFS through pinning services, and serves their blocks.
//
// # What is promised, and how
//
//   - Encrypted unless the owner says otherwise. Ciphertext goes out under a key of its own
//     (package parcel), which stands in the link that the owner hands on. Plain content is
//     public for ever: no removal takes back what others have fetched.
//   - The identifier is computed here, from the content, before a byte leaves. A provider that
//     reports another one has failed for good, with an entry in the ledger.
//   - Verified means read back: the root, the manifest and leaves that a random draw chose,
//     each through that provider's own gateway and with the digest that was computed here.
//     Later readings are drawn anew, on a schedule and when the owner asks.
//   - Blocks are not stored twice. SQL has the outline: each leaf's place in its object, and
//     the bytes of the other blocks. A leaf is read and, if the pin is encrypted, sealed again
//     when it is needed. No block leaves whose digest is not the one asked for.
//   - States move by one conditional statement each. A worker owns a row by its attempt, and
//     one that has lost the row changes nothing. What a crash interrupts is due again.
//   - Two pins with one identifier at one provider are one copy there. A row counts who needs
//     it, so the removal of one never takes the other's (copy_store.go).
//   - What is told of a failure is a word of a fixed list, never a provider's text.
//   - A pin holds the stored objects. A file that its owner deletes stays pinned until the pin
//     is removed, and counts in the quota of files until then, as the pin's folders do.
//   - A deleted account leaves no row of its own. The copies at providers lose their holder and
//     are removed by a job that knows target and identifier, and no account.
//
// # Lock order
//
// The account's row, the pin's or the one of what is loose, its targets, the copies, the objects in the
// order of their ids, the account's usage, the ledger.
//
// # Limits
//
// An account has at most 10,000 pins, a folder 10,000 entries. What an account publishes has a
// bound in bytes, and is no more than its quota. An operator who suspends an account stops what
// is not sent yet. Providers keep logs of their
// own: they learn the server's address, and the owner of plain content nothing else.
package pin

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
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
	"coffer/internal/ledger"
	"coffer/internal/limit"
	"coffer/internal/mail"
	"coffer/internal/metric"
	"coffer/internal/parcel"
	"coffer/internal/pinning"
	"coffer/internal/rest"
	"coffer/internal/seal"
)

// State is how far a pin has come, in all or at one target.
type State string

// The states.
const (
	Queued   State = "queued"   // the outline is made, or nothing was sent yet
	Sending  State = "sending"  // the provider does not have it yet
	Pinned   State = "pinned"   // the provider says so
	Verified State = "verified" // read back
	Failed   State = "failed"
	Removing State = "removing"
)

const (
	maxPins      = 10_000 // of an account
	maxPathSize  = 8 << 20
	makingAtOnce = 4 // folders whose files are in memory: maxPathSize, and as many rows as a parcel has
)

// Config is what the room needs.
type Config struct {
	Settings
	DB       *db.DB
	Contents *content.Service
	Files    *file.Service
	Accounts *account.Service
	Ledger   *ledger.Service
	Events   *event.Log
	Feed     *feed.Service
	Jobs     *jobs.Queue
	Limit    *limit.Limiter
	Metrics  *metric.Set
	Targets  []pinning.Named // in the order of pages
	Now      func() time.Time
	Log      *slog.Logger
	BaseURL  string // links start with it; no slash at the end

	// Hold refuses a session that has ended, and keeps it from ending before tx does. nil refuses none.
	Hold func(ctx context.Context, tx *db.Tx, owner account.ID, session string) error
}

// Service is the room. It is safe for concurrent use.
type Service struct {
	Config
	targets map[string]pinning.Named
	times   times
	making  *file.Places
	held    atomic.Int64 // bytes of blocks that wait for readers of the gateway
}

// times are those of waiting and giving up.
type times struct {
	lease     time.Duration // of a row whose worker gives no sign
	beat      time.Duration // between two signs
	first     time.Duration // before the second attempt; doubled each time
	most      time.Duration // between two attempts
	grace     time.Duration // until a block that is not there is a failure
	patience  time.Duration // until a provider that does not take it is a failure
	sendEvery time.Duration // between two looks at a queue
}

//go:embed words
var words embed.FS

// pinFailed is the mail to an owner whose pin failed.
const pinFailed = "pin-failed"

// New returns the room. It registers its jobs, and what it keeps of accounts.
func New(c Config) *Service {
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	c.PinLimit.Name, c.GatewayLimit.Name = "pin", "ipfs"
	s := &Service{Config: c, targets: map[string]pinning.Named{}, making: file.NewPlaces(makingAtOnce), times: times{
		lease: 30 * time.Second, beat: 5 * time.Second, first: 15 * time.Second, most: time.Hour,
		grace: time.Hour, patience: 72 * time.Hour, sendEvery: 10 * time.Minute,
	}}
	for _, t := range c.Targets {
		s.targets[t.Name] = t
	}
	s.Events.Declare(mail.Kind{Name: pinFailed}, words)
	s.Accounts.Keep("pin", account.Keeper{Export: s.export, Empty: s.empty, Forget: s.forget})
	s.Jobs.Handle(buildJob, s.build)
	s.Jobs.Handle(stepJob, s.step)
	s.Jobs.Handle(unpinJob, s.unpin)
	s.Jobs.Every("pin.due", c.PinCheck, s.due)
	s.Metrics.Read(s.measure)
	if _, ok := s.publisher(); ok && c.LedgerPin {
		s.Ledger.Publish("ipfs", s.publish)
	}
	return s
}

// Warn logs what the settings lack. A server does so at its start, console commands do not.
func (s *Service) Warn() {
	for _, t := range s.Targets {
		if t.Warning != "" {
			s.Log.Warn("pin: a target lacks a setting", "target", t.Name, "setting", t.Warning)
		}
	}
	if _, ok := s.publisher(); s.LedgerPin && !ok {
		s.Log.Warn("pin: COFFER_LEDGER_PIN publishes nothing: it needs Pinata or a Kubo node, which take the content")
	}
}

// The refusals that reach an owner.
var (
	errNoPin     = fault.New(fault.NotFound, "not_found", "Pin not found.")
	errNoTarget  = fault.New(fault.Conflict, "no_pin_target", "The operator has set up no pinning service.")
	errAlready   = fault.New(fault.Conflict, "already_pinned", "This is being pinned already. Wait until that has ended.")
	errTooMany   = fault.New(fault.Conflict, "too_many_pins", "The account has 10,000 pins. Remove some first.")
	errTooLarge  = fault.New(fault.Conflict, "pin_too_large", "This is more than the operator lets one pin publish.")
	errTotal     = fault.New(fault.Conflict, "pin_quota_exceeded", "This is more than the account may publish. Remove pins first.")
	errDamaged   = fault.New(fault.Conflict, "damaged", "The record of this pin is damaged. Remove it, and publish anew.")
	errNotFailed = fault.New(fault.Conflict, "not_failed", "Only a pin that failed can be tried again.")
)

// PinPlace is a pin at one target.
type PinPlace struct {
	Name       string     `json:"name" doc:"The target."`
	State      State      `json:"state" enum:"queued,sending,pinned,verified,failed,removing"`
	Reason     string     `json:"reason,omitempty" doc:"Why it failed, or what it waits for: a word of docs/pins.md."`
	PinnedAt   *time.Time `json:"pinned_at,omitempty"`
	VerifiedAt *time.Time `json:"verified_at,omitempty" doc:"When blocks were last read back."`
	NextTryAt  *time.Time `json:"next_try_at,omitempty"`
	GatewayURL string     `json:"gateway_url,omitempty" doc:"Where the provider shows it."`
}

// Pin is a pin as its owner sees it.
type Pin struct {
	ID         string     `json:"id" doc:"UUIDv7."`
	Damaged    bool       `json:"damaged,omitempty" doc:"Its record was altered or cannot be read. It can be removed."`
	FileID     *string    `json:"file_id" nullable:"true" doc:"The file or folder; null when it is deleted for good. What is pinned stays pinned all the same."`
	Name       string     `json:"name" doc:"As it was when the pin was made."`
	Kind       file.Kind  `json:"kind" enum:"file,folder"`
	Encrypt    bool       `json:"encrypt" doc:"false: everyone can read it, for ever."`
	CID        *string    `json:"cid" nullable:"true" doc:"null until the server has computed it."`
	Size       int64      `json:"size" doc:"Bytes of the contents."`
	State      State      `json:"state" enum:"queued,sending,pinned,verified,failed,removing" doc:"That of the least advanced target; failed when one failed."`
	Reason     string     `json:"reason,omitempty" doc:"Of the target that failed."`
	Targets    []PinPlace `json:"targets"`
	CreatedAt  time.Time  `json:"created_at"`
	VerifiedAt *time.Time `json:"verified_at,omitempty" doc:"When the target that was read back longest ago was."`
	Link       string     `json:"link,omitempty" doc:"Of an encrypted pin: whoever has it can read the content."`
	Ledger     []int64    `json:"ledger" doc:"Places of its entries in the ledger."`
}

// details is what is sealed about a pin.
type details struct {
	Name string `json:"name"`
	Key  []byte `json:"key,omitempty"` // of the parcel
}

// place is where the details of a row open.
func (r *row) place() string {
	return string(seal.LP([]byte(r.ID), []byte(r.Entry), []byte(r.Kind), strconv.AppendBool(nil, r.Encrypt)))
}

// open returns the details of a row whose columns are those of its proof.
func (r *row) open(key *keyring.DataKey) (d details, err error) {
	if err := r.check(key); err != nil {
		return d, err
	}
	plain, err := key.Open("pins", "details", r.place(), r.Details)
	if err == nil {
		err = json.Unmarshal(plain, &d)
	}
	if err == nil && r.Encrypt != (len(d.Key) == seal.KeySize) {
		err = seal.ErrOpen
	}
	if err != nil {
		return d, fmt.Errorf("open pin %s: %w", r.ID, err)
	}
	return d, nil
}

func (d *details) key() (k parcel.Key) {
	copy(k[:], d.Key)
	return k
}

// fileDetails is what is sealed about a file of a pin.
type fileDetails struct {
	Path     string    `json:"path"`
	SHA256   string    `json:"sha256,omitempty"`
	Modified time.Time `json:"modified"`
}

func (f *fileRow) place(pin string) string {
	object := ""
	if f.Object != nil {
		object = *f.Object
	}
	return string(seal.LP([]byte(pin), strconv.AppendInt(nil, f.Ord, 10), []byte(object), strconv.AppendInt(nil, f.Size, 10)))
}

func (f *fileRow) open(key *keyring.DataKey, pin string) (d fileDetails, err error) {
	plain, err := key.Open("pin_files", "details", f.place(pin), f.Details)
	if err == nil {
		err = json.Unmarshal(plain, &d)
	}
	if err != nil {
		return d, fmt.Errorf("open file %d of pin %s: %w", f.Ord, pin, err)
	}
	return d, nil
}

// chosen returns the targets with these names, or all.
func (s *Service) chosen(names []string) (all []pinning.Named, err error) {
	if len(s.Targets) == 0 {
		return nil, errNoTarget
	}
	if names == nil {
		return s.Targets, nil
	}
	seen := map[string]bool{}
	for i, name := range names {
		t, ok := s.targets[name]
		if !ok {
			return nil, fault.InvalidField("/targets/"+strconv.Itoa(i), "unknown_target", "There is no target of that name.")
		}
		if !seen[name] {
			all = append(all, t)
		}
		seen[name] = true
	}
	return all, nil
}

// Create pins an entry of the owner's at targets; nil is all of them. An account publishes one folder at a
// time, and it refuses with [file.ErrBusy] when several wait.
func (s *Service) Create(ctx context.Context, owner account.ID, entry string, encrypt bool, names []string) (Pin, error) {
	e, err := s.Files.Get(ctx, owner, entry)
	if err != nil {
		return Pin{}, err
	}
	to, err := s.chosen(names)
	if err != nil {
		return Pin{}, err
	}
	if e.Kind == file.Folder {
		leave, err := s.making.Take(ctx, owner)
		if err != nil {
			return Pin{}, err
		}
		defer leave()
	}
	if err := s.Limit.Take(ctx, s.PinLimit, string(owner)); err != nil {
		return Pin{}, err
	}
	for tries := 1; ; tries++ {
		p, err := s.create(ctx, owner, entry, encrypt, to)
		if errors.Is(err, errLost) { // it took too long: its files are going again
			err = fault.ErrUnavailable.Because(err)
		}
		if !content.IsLost(err) {
			return p, err
		}
		if tries == 3 { // it is no file that was deleted meanwhile
			return Pin{}, file.ErrDamaged.Because(err)
		}
	}
}

// create makes a pin. Its files come first, in batches, and the pin itself last: until then no page knows
// it. A file that is deleted for good between the look at the tree and its batch is [content.IsLost].
func (s *Service) create(ctx context.Context, owner account.ID, entry string, encrypt bool, to []pinning.Named) (Pin, error) {
	now := s.Now().UnixMilli()
	r := row{ID: uuid.Must(uuid.NewV7()).String(), Account: owner, Entry: entry, Encrypt: encrypt, State: Queued, NextAt: now, CreatedAt: now}
	var files []fileRow
	err := s.DB.Read(ctx, func(tx *db.Tx) (err error) {
		if files, err = s.look(ctx, tx, &r); err == nil {
			err = mayPin(ctx, tx, &r)
		}
		return err
	})
	if err != nil {
		return Pin{}, err
	}
	drafted := len(files) > atOnce
	for first := true; len(files) > atOnce && err == nil; first = false {
		if err = s.draft(ctx, r, files[:atOnce], first); err == nil {
			files = files[atOnce:]
		}
	}
	if err == nil {
		err = s.publishPin(ctx, r, files, drafted, to)
	}
	if err != nil && drafted {
		s.clearSoon(ctx, r.ID)
	}
	if err != nil {
		return Pin{}, err
	}
	return s.Get(ctx, owner, r.ID)
}

// draft stores some files of a pin that is not there yet.
func (s *Service) draft(ctx context.Context, r row, files []fileRow, first bool) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.Accounts.Hold(ctx, tx, r.Account); errors.Is(err, account.ErrNotFound) {
			return file.ErrNotFound
		} else if err != nil {
			return err
		}
		ours, err := draft(ctx, tx, r.ID, r.Account, first, s.Now().Add(s.times.lease).UnixMilli())
		if err == nil && !ours {
			err = fmt.Errorf("draft of pin %s: %w", r.ID, errLost)
		}
		if err != nil {
			return err
		}
		return s.take(ctx, tx, r, files)
	})
}

// mayPin refuses one pin more. The caller of the last look holds the account.
func mayPin(ctx context.Context, tx *db.Tx, r *row) error {
	all, unfinished, err := count(ctx, tx, r.Account, r.Entry)
	switch {
	case err != nil:
		return err
	case all >= maxPins:
		return errTooMany
	case !r.Encrypt && unfinished > 0:
		return errAlready
	}
	return nil
}

// hold refuses a request whose session has ended while it ran. What is published stays so, and a large
// folder takes time. A call of the server's own has no session.
func (s *Service) hold(ctx context.Context, tx *db.Tx, owner account.ID) error {
	c := rest.CallerIn(ctx)
	if s.Hold == nil || c.Session == "" {
		return nil
	}
	return s.Hold(ctx, tx, owner, c.Session)
}

// publishPin stores a pin with the last of its files.
func (s *Service) publishPin(ctx context.Context, r row, files []fileRow, drafted bool, to []pinning.Named) error {
	owner, now := r.Account, r.CreatedAt
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.Accounts.Hold(ctx, tx, owner); errors.Is(err, account.ErrNotFound) {
			return file.ErrNotFound
		} else if err != nil {
			return err
		}
		if err := s.hold(ctx, tx, owner); err != nil {
			return err
		}
		if err := mayPin(ctx, tx, &r); err != nil {
			return err
		}
		if drafted {
			ours, err := endDraft(ctx, tx, r.ID)
			if err == nil && !ours {
				err = fmt.Errorf("draft of pin %s: %w", r.ID, errLost)
			}
			if err != nil {
				return err
			}
		}
		if err := insert(ctx, tx, r); err != nil {
			return err
		}
		if err := s.take(ctx, tx, r, files); err != nil {
			return err
		}
		for _, t := range to {
			if err := insertTarget(ctx, tx, targetRow{Pin: r.ID, Target: t.Name, State: Queued, Fetches: t.Fetches, SinceAt: now, NextAt: never}); err != nil {
				return err
			}
		}
		if err := s.roomFor(ctx, tx, owner); err != nil {
			return err
		}
		if err := s.Jobs.Enqueue(ctx, tx, buildJob, buildOrder{r.ID}, jobs.Key(r.ID)); err != nil {
			return err
		}
		return s.tell(ctx, tx, r)
	})
}

// roomFor refuses when the pins of an account, a new one included, are more than it may
// publish. The caller holds the account, so no two pins pass on the same room.
func (s *Service) roomFor(ctx context.Context, tx *db.Tx, owner account.ID) error {
	bytes, sent, err := sums(ctx, tx, owner)
	if err != nil {
		return err
	}
	use, err := s.Contents.Usage(ctx, tx, owner)
	if err != nil {
		return err
	}
	if s.PinTotal > 0 && sent > s.PinTotal || use.QuotaBytes > 0 && bytes > use.QuotaBytes {
		return errTotal
	}
	return nil
}

// look reads what the entry of a pin holds, and fills in the pin.
func (s *Service) look(ctx context.Context, tx *db.Tx, r *row) ([]fileRow, error) {
	name, kind, all, err := s.Files.Snapshot(ctx, tx, r.Account, r.Entry, file.SnapshotBounds{Entries: parcel.MaxFiles, Paths: maxPathSize})
	if errors.Is(err, file.ErrLongPaths) {
		err = errTooLarge.Because(err)
	}
	if err != nil {
		return nil, err
	}
	key, err := s.Accounts.DataKey(ctx, tx, r.Account)
	if err != nil {
		return nil, err
	}
	r.Kind, r.Size = kind, 0
	d := details{Name: name}
	if r.Encrypt {
		k := parcel.NewKey()
		d.Key = k[:]
	}
	plain, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	r.Details = key.Seal("pins", "details", r.place(), plain)
	var rows []fileRow
	for i, f := range all {
		row := fileRow{Ord: int64(i), Size: f.Size}
		if f.Kind == file.File {
			row.Object = &f.Object
			r.Size += f.Size
		}
		plain, err := json.Marshal(fileDetails{f.Path, f.SHA256, f.ModifiedAt})
		if err != nil {
			return nil, err
		}
		row.Details = key.Seal("pin_files", "details", row.place(r.ID), plain)
		rows = append(rows, row)
		if r.Size > s.PinMax {
			return nil, errTooLarge
		}
	}
	return rows, r.prove(key)
}

// take stores files of a pin, and a reference to the object of each.
func (s *Service) take(ctx context.Context, tx *db.Tx, r row, files []fileRow) error {
	var objects []string
	for _, f := range files {
		if f.Object != nil {
			objects = append(objects, *f.Object)
		}
	}
	if err := insertFiles(ctx, tx, r.ID, files); err != nil {
		return err
	}
	if err := s.Contents.Share(ctx, tx, r.Account, objects...); err != nil {
		return err
	}
	return s.Contents.CountFolders(ctx, tx, r.Account, len(files)-len(objects))
}

// tell announces a change of a pin to its owner's open pages.
func (s *Service) tell(ctx context.Context, tx *db.Tx, r row) error {
	return s.Feed.Tell(ctx, tx, r.Account, "pins", r.ID)
}

// dataKey opens the account's data key. An account that is gone has no pins.
func (s *Service) dataKey(ctx context.Context, q db.Querier, owner account.ID) (*keyring.DataKey, error) {
	key, err := s.Accounts.DataKey(ctx, q, owner)
	if errors.Is(err, account.ErrNotFound) {
		return nil, errNoPin
	}
	return key, err
}

// Get returns a pin of the owner's.
func (s *Service) Get(ctx context.Context, owner account.ID, id string) (Pin, error) {
	if uuid.Validate(id) != nil {
		return Pin{}, errNoPin
	}
	r, err := read(ctx, s.DB, owner, id)
	if err != nil {
		return Pin{}, err
	}
	key, err := s.dataKey(ctx, s.DB, owner)
	if err != nil {
		return Pin{}, err
	}
	shown, err := s.showAll(ctx, owner, key, []row{r})
	if err != nil {
		return Pin{}, err
	}
	return shown[0], nil
}
