// Package upload takes resumable uploads by tus 1.0, whose bytes survive broken connections and killed servers.
//
// The protocol is that of tus.io with creation, creation-with-upload, creation-defer-length,
// termination, checksum and expiration. The handler of tusd drives it; tus.go is its store.
// Package content keeps the bytes, package file publishes what is complete.
//
// # What is promised, and how
//
//   - What is acknowledged is durable: an offset moves in the transaction that commits the
//     part which ends there.
//   - Owners only: every statement names the account. An upload of another account is absent,
//     word for word, for every verb.
//   - An offset has one writer. A new request asks the running one to end, within the process
//     or over [kv.Bus], and goes on after three seconds in any case. The fence of
//     content.Append keeps that right: the older writer commits nothing more.
//   - A whole upload becomes a file in one transaction, once. A request that finds it whole
//     and unpublished, after a crash, publishes it.
//   - Strict headers (headers.go): a number is digits and fits, a header stands once. The
//     server refuses with the header's name, and tusd sees only what was checked.
//   - Names are sealed under the account's data key until the upload is a file. The feed and
//     the log have none. An upload whose details do not open, or whose object has another length, is listed
//     as damaged. It takes no bytes and becomes no file, and its owner can end it.
//   - An upload that no request continues leaves with its bytes, within Settings.Keep and a sweep.
//     Its bytes count against the quota until then.
//
// # Limits
//
// An account has at most 1,000 unfinished uploads. Concatenation is not offered: the client
// sends one upload in order.
package upload

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	tus "github.com/tus/tusd/v2/pkg/handler"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/file"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/kv"
	"coffer/internal/seal"
)

// maxUnfinished bounds the uploads of one account.
const maxUnfinished = 1000

// Config is what the room needs.
type Config struct {
	Settings
	MaxSize  int64 // of one upload, in bytes
	DB       *db.DB
	Bus      kv.Bus
	Contents *content.Service
	Files    *file.Service
	Accounts *account.Service
	Jobs     *jobs.Queue
	Now      func() time.Time
	Log      *slog.Logger
}

// Service is the room. It is safe for concurrent use.
type Service struct {
	Config
	tus  *tus.UnroutedHandler
	node string // of this process

	mu      sync.Mutex
	running map[string]*running // by upload
	told    map[string]bool     // damaged uploads that the log names
	heard   <-chan struct{}     // closed when the subscription is lost; nil without one
	drained bool
}

// New returns the room and registers its jobs and what it keeps of accounts.
func New(c Config) (*Service, error) {
	var random [16]byte
	rand.Read(random[:])
	s := &Service{Config: c, node: hex.EncodeToString(random[:]), running: map[string]*running{}, told: map[string]bool{}}
	var err error
	if s.tus, err = newTus(s); err != nil {
		return nil, err
	}
	s.Accounts.Keep("upload", account.Keeper{Export: s.export, Empty: s.empty, Forget: deleteUploads})
	s.Jobs.Every("upload.sweep", sweepEvery, s.Sweep, jobs.Old{Table: "uploads", Rows: "expires_at <= $1"})
	return s, nil
}

// export adds what the server keeps of uploads that are no files yet. Their bytes are not in
// the archive: they may end in the middle of anything.
func (s *Service) export(ctx context.Context, owner account.ID, to *account.Archive) error {
	all, err := s.List(ctx, owner)
	if err != nil {
		return err
	}
	return to.Put("uploads.json", all)
}

// empty removes the uploads that are files: an account may have very many of them.
func (s *Service) empty(ctx context.Context, owner account.ID) error {
	return deleteFinished(ctx, s.DB, owner)
}

// The refusals that reach a client.
var (
	errNotFound  = fault.New(fault.NotFound, "not_found", "Upload not found.")
	errGone      = fault.New(fault.Gone, "upload_gone", "The upload waited too long for its next bytes, or is damaged. Begin it anew.")
	errOffset    = fault.New(fault.Conflict, "offset_mismatch", "The upload is at another offset. HEAD returns it.")
	errTakenOver = fault.New(fault.Conflict, "upload_taken_over", "Another request continues this upload. The server kept what arrived; HEAD returns the offset.")
	errChecksum  = fault.New(fault.Checksum, "checksum_mismatch", "The bytes do not have the checksum that came with them. The server stored none of them.")
	errTooLarge  = fault.New(fault.TooLarge, "too_large", "The upload exceeds its declared length or the server's size limit.")
	errTooMany   = fault.New(fault.Conflict, "too_many_uploads", "The account has 1,000 unfinished uploads. Finish or end one first.")
	errTooDeep   = fault.New(fault.Conflict, "too_deep", "Folders can be nested at most 64 levels deep.")
	errFolder    = fault.New(fault.Conflict, "folder_gone", "The upload is complete, and its folder is gone. It stays until it expires.")
	errDraining  = &fault.Error{Kind: fault.Unavailable, Code: "unavailable", RetryAfter: time.Second, Detail: fault.ErrUnavailable.Detail}
)

// errLength says that an object's row has another length than its upload.
var errLength = errors.New("the object's length is not the one that was declared")

// details is what is sealed about an upload.
type details struct {
	Name      string `json:"name"`
	MediaType string `json:"media_type"`
	Parent    string `json:"parent"`
	Replace   bool   `json:"replace"`
	Metadata  string `json:"metadata"` // the header as the client sent it; HEAD repeats it
	// Length is the declared one, -1 while it is unknown. With another one in the object's row the
	// upload is damaged: it would become a file that lacks its end. nil: an older server made it.
	Length *int64 `json:"length,omitempty"`
}

// place is where the details of a row open.
func (r *row) place() string {
	return string(seal.LP([]byte(r.ID), []byte(r.Blob), fmt.Append(nil, r.CreatedAt)))
}

func (r *row) sealDetails(key *keyring.DataKey, d details) error {
	plain, err := json.Marshal(d)
	if err == nil {
		r.Details = key.Seal("uploads", "details", r.place(), plain)
	}
	return err
}

func (r *row) openDetails(key *keyring.DataKey) (d details, err error) {
	plain, err := key.Open("uploads", "details", r.place(), r.Details)
	if err == nil {
		err = json.Unmarshal(plain, &d)
	}
	if err != nil {
		return details{}, fmt.Errorf("open the details of upload %s: %w", r.ID, err)
	}
	return d, nil
}

// Upload is an upload as its owner sees it.
type Upload struct {
	ID        string    `json:"id" doc:"UUIDv7; the upload is at /v1/uploads/{id}."`
	Name      string    `json:"name" doc:"Of the file that it becomes; taken names are numbered then."`
	Parent    *string   `json:"parent" doc:"Id of the folder; null at the root."`
	Size      *int64    `json:"size" doc:"Declared length in bytes; null while it is unknown."`
	Offset    int64     `json:"offset" doc:"Bytes that the server has."`
	Replace   bool      `json:"replace" doc:"The content replaces that of a file with this name."`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at" doc:"When the server removes it, unless bytes arrive before."`
	File      string    `json:"file,omitempty" doc:"Id of the file that it has become; absent while it is unfinished."`
	Damaged   bool      `json:"damaged,omitzero" doc:"What the server stored of the name, the place or the length was altered. The upload takes no bytes; end it."`
}

// state is an upload with what its object knows.
type state struct {
	row
	details
	offset, length int64 // length is -1 while unknown
	damaged        bool  // the details do not open, or name another length
}

func (st *state) whole() bool { return st.length >= 0 && st.offset == st.length }

func (st *state) shown() Upload {
	u := Upload{
		ID: st.ID, Name: st.Name, Offset: st.offset, Replace: st.Replace, File: st.File, Damaged: st.damaged,
		CreatedAt: time.UnixMilli(st.CreatedAt).UTC(), ExpiresAt: time.UnixMilli(st.ExpiresAt).UTC(),
	}
	if st.Parent != "" {
		u.Parent = &st.Parent
	}
	if st.length >= 0 {
		u.Size = &st.length
	}
	return u
}

// read returns one upload; errNotFound, or errGone between its end and the sweep.
func (s *Service) read(ctx context.Context, owner account.ID, id string) (*state, error) {
	if uuid.Validate(id) != nil {
		return nil, errNotFound
	}
	var st *state
	err := s.DB.Read(ctx, func(tx *db.Tx) error {
		r, err := readUpload(ctx, tx, owner, id)
		if errors.Is(err, db.ErrNoRows) {
			return errNotFound
		}
		if err != nil {
			return err
		}
		key, err := s.dataKey(ctx, tx, owner)
		if err != nil {
			return err
		}
		st, err = s.open(ctx, tx, key, r)
		return err
	})
	if err == nil && st.ExpiresAt <= s.Now().UnixMilli() {
		err = errGone
	}
	return st, err
}

// open completes a row with its details and its object's state.
func (s *Service) open(ctx context.Context, q db.Querier, key *keyring.DataKey, r row) (*state, error) {
	if r.File != "" {
		return s.state(ctx, key, r, content.Growing{Offset: r.Size, Length: r.Size}), nil
	}
	g, err := s.Contents.Growing(ctx, q, r.Account, r.Blob)
	if err != nil {
		return nil, ended(err)
	}
	return s.state(ctx, key, r, g), nil
}

func (s *Service) state(ctx context.Context, key *keyring.DataKey, r row, g content.Growing) *state {
	d, err := r.openDetails(key)
	if err == nil && r.File == "" && d.Length != nil && *d.Length != g.Length {
		err = errLength
	}
	if err != nil {
		s.tell(ctx, r, err)
		d = details{}
	}
	return &state{row: r, details: d, offset: g.Offset, length: g.Length, damaged: err != nil}
}

// maxTold bounds what is remembered of the log.
const maxTold = 1000

// tell names a damaged upload in the log, once: clients read lists again and again.
func (s *Service) tell(ctx context.Context, r row, err error) {
	s.mu.Lock()
	known := s.told[r.ID]
	if !known {
		if len(s.told) >= maxTold {
			clear(s.told)
		}
		s.told[r.ID] = true
	}
	s.mu.Unlock()
	if !known {
		s.Log.ErrorContext(ctx, "upload: an upload is damaged", "account", r.Account, "upload", r.ID, "error", err)
	}
}

// dataKey opens the account's data key. An account that is gone has no uploads.
func (s *Service) dataKey(ctx context.Context, q db.Querier, owner account.ID) (*keyring.DataKey, error) {
	key, err := s.Accounts.DataKey(ctx, q, owner)
	if errors.Is(err, account.ErrNotFound) {
		return nil, errNotFound
	}
	return key, err
}

// Get returns one upload.
func (s *Service) Get(ctx context.Context, owner account.ID, id string) (Upload, error) {
	st, err := s.read(ctx, owner, id)
	if err != nil {
		return Upload{}, err
	}
	return st.shown(), nil
}

// List returns the account's unfinished uploads, the newest first.
func (s *Service) List(ctx context.Context, owner account.ID) ([]Upload, error) {
	all := []Upload{}
	err := s.DB.Read(ctx, func(tx *db.Tx) error {
		all = all[:0]
		rows, err := readUnfinished(ctx, tx, owner, s.Now())
		if err != nil || len(rows) == 0 {
			return err
		}
		key, err := s.dataKey(ctx, tx, owner)
		if err != nil {
			return err
		}
		growing, err := s.Contents.AllGrowing(ctx, tx, owner)
		if err != nil {
			return err
		}
		for _, r := range rows {
			g, ok := growing[r.Blob]
			if !ok {
				continue // the object's sweep was faster than this room's
			}
			all = append(all, s.state(ctx, key, r, g).shown())
		}
		return nil
	})
	return all, err
}

// create begins an upload of length bytes; -1 is unknown.
func (s *Service) create(ctx context.Context, owner account.ID, d details, length int64) (st *state, err error) {
	now := s.Now()
	expires := now.Add(s.Keep)
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		key, err := s.dataKey(ctx, tx, owner)
		if err != nil {
			return err
		}
		r := row{ID: uuid.Must(uuid.NewV7()).String(), Account: owner, CreatedAt: now.UnixMilli(), ExpiresAt: expires.UnixMilli()}
		d.Length = &length
		if r.Blob, err = s.Contents.Grow(ctx, tx, owner, length, expires); err != nil {
			return err
		}
		if err := r.sealDetails(key, d); err != nil {
			return err
		}
		unfinished, err := s.Contents.CountGrowing(ctx, tx, owner)
		if err != nil {
			return err
		}
		if unfinished > maxUnfinished { // with this one
			return errTooMany
		}
		if err := insertUpload(ctx, tx, r); err != nil {
			return err
		}
		st = &state{row: r, details: d, length: length}
		return nil
	})
	return st, err
}

// setLength says the length of an upload that began without one, once.
func (s *Service) setLength(ctx context.Context, st *state, length int64) error {
	d := st.details
	d.Length = &length
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		key, err := s.dataKey(ctx, tx, st.Account)
		if err != nil {
			return err
		}
		r := st.row
		if err := r.sealDetails(key, d); err != nil {
			return err
		}
		if err := setDetails(ctx, tx, r); err != nil { // the upload before its object, as in expire
			return err
		}
		return s.Contents.SetLength(ctx, tx, st.Account, st.Blob, length)
	})
	if err == nil {
		st.details, st.length = d, length
	}
	return err
}

// finish makes a whole upload a file, once, and sets st.File. Of several requests that finish
// it, one does and the others learn its file.
func (s *Service) finish(ctx context.Context, st *state, session string) error {
	errDone := errors.New("the upload is finished")
	_, err := s.Files.Receive(ctx, st.Account, session, file.Arriving{
		Parent: st.Parent, Name: st.Name, MediaType: st.MediaType, Replace: st.Replace,
		Done: func(ctx context.Context, tx *db.Tx, e file.Entry) error {
			st.File = e.ID
			return setFile(ctx, tx, st.ID, e.ID, e.Size)
		},
	}, func(ctx context.Context, tx *db.Tx) (content.Stored, error) {
		unfinished, err := lockUnfinished(ctx, tx, st.Account, st.ID)
		if err != nil {
			return content.Stored{}, err
		}
		if !unfinished {
			return content.Stored{}, errDone
		}
		stored, err := s.Contents.SettleGrown(ctx, tx, st.Account, st.Blob)
		if err == nil && st.Length != nil && stored.Size != *st.Length {
			err = errGone.Because(errLength)
		}
		return stored, err
	})
	if err == nil {
		return nil
	}
	st.File = ""
	if errors.Is(err, errDone) {
		// A transaction of its own: the one that set the file may not be durable yet.
		return s.DB.Tx(ctx, func(tx *db.Tx) error {
			r, err := readUpload(ctx, tx, st.Account, st.ID)
			if errors.Is(err, db.ErrNoRows) {
				err = errNotFound
			}
			st.File = r.File
			return err
		})
	}
	err = ended(err)
	switch f := fault.Of(err); f.Kind {
	case fault.NotFound, fault.Invalid, fault.Conflict: // of the place
		return errFolder.Because(err)
	}
	return err
}

// end removes an upload; of a finished one the file stays.
func (s *Service) end(ctx context.Context, owner account.ID, r row) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		unfinished, err := deleteUpload(ctx, tx, owner, r.ID)
		if errors.Is(err, db.ErrNoRows) {
			return errNotFound
		}
		if err != nil || !unfinished {
			return err
		}
		return s.Contents.Abandon(ctx, tx, owner, r.Blob)
	})
}

// withdraw removes an upload whose maker never learned of it, unless another request has
// taken it over or made it a file.
func (s *Service) withdraw(ctx context.Context, st *state) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		deleted, err := deleteUnheard(ctx, tx, st.Account, st.ID, st.Turn)
		if err != nil || !deleted {
			return err
		}
		return s.Contents.Abandon(ctx, tx, st.Account, st.Blob)
	})
}

// ended translates what content says of an object that its own sweep has taken.
func ended(err error) error {
	if errors.Is(err, content.ErrExpired) {
		return errGone.Because(err)
	}
	return err
}

// sweepEvery is how long an expired upload may stay.
const sweepEvery = 5 * time.Minute

// Sweep removes expired uploads with their bytes. One that still receives bytes lives on. Those that
// cannot be removed hold up no other.
func (s *Service) Sweep(ctx context.Context) error {
	now := s.Now()
	return db.Walk(ctx, func(last *row, limit int) ([]row, error) {
		return readExpired(ctx, s.DB, now, last, limit)
	}, func(r row) error {
		if err := s.expire(ctx, r); err != nil {
			return fmt.Errorf("upload %s: %w", r.ID, err)
		}
		return nil
	})
}

func (s *Service) expire(ctx context.Context, r row) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if r.File == "" {
			// The upload before its object, as a request that finishes it takes them.
			if err := lockUpload(ctx, tx, r.ID); err != nil {
				return err
			}
			over, err := s.Contents.Expire(ctx, tx, r.Account, r.Blob)
			if err != nil {
				return err
			}
			if !over {
				g, err := s.Contents.Growing(ctx, tx, r.Account, r.Blob)
				if err != nil {
					return err
				}
				return prolong(ctx, tx, r.ID, g.Expires)
			}
		}
		_, err := deleteUpload(ctx, tx, r.Account, r.ID)
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		return err
	})
}
