// Package avatar is the picture of an account: chosen by its owner, kept in every size, public.
//
// # What it defends against
//
//   - Files that attack the decoder: package picture checks content and size before it decodes,
//     and the server stores what it encoded itself. Scripts, places and names of a photo go.
//   - A writer of the database: what is sealed in a row binds it to its id, account and time. A
//     row that was altered or moved to another account is no picture.
//   - Guessing: an address has 128 random bits and is new for each picture, so it tells
//     nothing about the account, and a cached address never shows another picture.
//   - Pictures that outlive their account: a row names every object before the object is
//     written. A job removes what a newer picture, a removal, a deletion or a crash left, and a
//     daily walk each object that no row names.
//     Coffer serves a picture only while it is an account's; a CDN may keep its copy.
//   - Costly requests: an account sends few pictures an hour, and the server takes few at
//     once. Picture bounds the decoding. A slow sender gives its place to the next one.
//   - A store that is away: a profile reads its picture's id from SQL, so sign-in does not
//     need the store.
//   - Browsers that run what they get: the media type is fixed, and a sandbox stands around it.
//
// # What is public
//
// The sizes lie in the blob store in the clear. Every caller with an address sees the picture,
// without a session, as long as the account keeps it.
package avatar

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"coffer/internal/account"
	"coffer/internal/blob"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/feed"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/limit"
	"coffer/internal/picture"
	"coffer/internal/seal"
)

// sizes are the sides of the stored squares in pixels, each half of the one before.
var sizes = []int{512, 256, 128, 64}

// folder is where pictures lie in the store, and below COFFER_AVATAR_CDN.
const folder = "avatars"

const (
	purgeJob   = "avatar.purge"
	orphansJob = "avatar.orphans"
	sweepEvery = 15 * time.Minute
	// writeTime bounds the writing of a picture. A row that is pending for much longer was
	// left by a crash.
	writeTime      = 5 * time.Minute
	abandonedAfter = time.Hour
	purgeBatch     = 100
)

var (
	errNotFound = fault.New(fault.NotFound, "not_found", "There is no such picture.")
	errTooLarge = fault.New(fault.TooLarge, "too_large", "The picture exceeds the server's size limit.")
	errBusy     = &fault.Error{Kind: fault.Unavailable, Code: "busy", RetryAfter: 5 * time.Second, Detail: "The server is busy with other pictures. Try again in a few seconds."}
)

// Config is what a Service needs. Limits, Rand and Now have defaults.
type Config struct {
	Settings
	DB       *db.DB
	Blobs    blob.Store
	Pictures *picture.Service
	Jobs     *jobs.Queue
	Limit    *limit.Limiter
	Accounts *account.Service
	Feed     *feed.Service
	BaseURL  string           // addresses of pictures start with it where no CDN serves them
	Now      func() time.Time // zero: time.Now
	Rand     io.Reader        // zero: crypto/rand
	Log      *slog.Logger     // zero: slog.Default()

	ChangeLimit limit.Rule // pictures that one account may send; zero: 60 in an hour
}

// Service is the room. It is safe for concurrent use.
type Service struct {
	Config
	base string // of every address
	gone blob.Removal

	mu      sync.Mutex
	running map[*arrival]bool
}

// New returns the room. Profiles show its pictures from then on.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	c.ChangeLimit = cmp.Or(c.ChangeLimit, limit.Rule{Name: "avatar", Limit: 60, Window: time.Hour})
	s := &Service{Config: c, base: strings.TrimRight(c.BaseURL, "/") + "/v1/" + folder, running: map[*arrival]bool{}}
	if c.CDN != "" {
		s.base = strings.TrimRight(c.CDN, "/") + "/" + folder
	}
	s.Accounts.ShowAvatars(s.read)
	s.Accounts.Keep("avatar", account.Keeper{Export: s.export, Forget: s.forget})
	s.Jobs.Handle(purgeJob, func(ctx context.Context, _ []byte) error { return s.purge(ctx) })
	s.Jobs.Every("avatar.sweep", sweepEvery, s.Sweep,
		jobs.Old{Table: "avatars", Rows: "(state = 'deleting' OR state = 'pending' AND created_at <= $1)", Age: abandonedAfter})
	s.Jobs.Every(orphansJob, 24*time.Hour, s.sweepOrphans)
	return s
}

// place is where the proof of a row opens.
func (p *record) place() string {
	return string(seal.LP([]byte(p.ID), []byte(p.Account), binary.BigEndian.AppendUint64(nil, uint64(p.CreatedAt))))
}

func (p *record) prove(key *keyring.DataKey) { p.Proof = key.Seal("avatars", "proof", p.place(), nil) }

// proven reports whether the server has written the row for its account.
func (p *record) proven(key *keyring.DataKey) bool {
	_, err := key.Open("avatars", "proof", p.place(), p.Proof)
	return err == nil
}

// pictureOf returns an account's picture; db.ErrNoRows where it has none.
func (s *Service) pictureOf(ctx context.Context, q db.Querier, key *keyring.DataKey, owner account.ID) (record, error) {
	p, err := readOf(ctx, q, owner)
	if err == nil && !p.proven(key) {
		s.Log.ErrorContext(ctx, "avatar: a picture was altered in the database and is shown to nobody", "account", owner, "avatar", p.ID)
		err = db.ErrNoRows
	}
	return p, err
}

// read is the picture of a profile.
func (s *Service) read(ctx context.Context, q db.Querier, key *keyring.DataKey, owner account.ID) (*account.Avatar, error) {
	p, err := s.pictureOf(ctx, q, key, owner)
	if errors.Is(err, db.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return s.shown(p.ID), nil
}

func (s *Service) shown(id string) *account.Avatar {
	a := &account.Avatar{ID: id, URLs: map[string]string{}}
	for _, n := range sizes {
		a.URLs[strconv.Itoa(n)] = s.base + "/" + id + "/" + strconv.Itoa(n) + ".webp"
	}
	return a
}

// Origin is where the pictures come from, as a browser's policy names it.
func (s *Service) Origin() string {
	scheme, rest, _ := strings.Cut(s.base, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

// Square is a part of the upright picture, in its pixels. The zero value is the largest one
// around the centre.
type Square struct{ X, Y, Side int }

// Set reads a picture from r and gives it to an account, in place of the one it has. If r has a
// method Cut, that ends a Read that waits.
func (s *Service) Set(ctx context.Context, owner account.ID, r io.Reader, part Square) (*account.Avatar, error) {
	if err := s.Limit.Take(ctx, s.ChangeLimit, string(owner)); err != nil {
		return nil, err
	}
	a, err := s.begin(ctx, owner, r)
	if err != nil {
		return nil, errors.Join(err, s.Limit.Refund(ctx, s.ChangeLimit, string(owner)))
	}
	defer s.end(a)
	data, err := s.receive(a)
	if err != nil {
		return nil, err
	}
	files, err := s.encode(ctx, data, part)
	if err != nil {
		return nil, err
	}
	return s.keep(ctx, owner, files)
}

// encode returns the picture in each of the sizes.
func (s *Service) encode(ctx context.Context, data []byte, part Square) (files [][]byte, err error) {
	err = s.Pictures.Work(ctx, picture.People, data, func(p *picture.Picture) error {
		square := p.Centre()
		if part != (Square{}) {
			var err error
			if square, err = p.Square(part.X, part.Y, part.Side); err != nil {
				return err
			}
		}
		for _, n := range sizes {
			square = square.Scale(n, n)
			b, err := square.WebP()
			if err != nil {
				return err
			}
			files = append(files, b)
		}
		return nil
	})
	return files, err
}

// keep stores the files, one for each of the sizes, and makes them the account's picture. The
// row comes first, then the files, then the change: a crash leaves a row that the sweep finds.
func (s *Service) keep(ctx context.Context, owner account.ID, files [][]byte) (*account.Avatar, error) {
	var random [16]byte
	if _, err := io.ReadFull(s.Rand, random[:]); err != nil {
		return nil, err
	}
	p := record{ID: hex.EncodeToString(random[:]), Account: owner, CreatedAt: s.Now().UnixMilli()}
	id := p.ID
	key, err := s.Accounts.DataKey(ctx, s.DB, owner)
	if err != nil {
		return nil, err
	}
	p.prove(key)
	ctx, cancel := context.WithTimeout(ctx, writeTime)
	defer cancel()
	if err := insertPending(ctx, s.DB, p); err != nil {
		return nil, err
	}
	err = s.write(ctx, id, files)
	if err == nil {
		err = s.DB.Tx(ctx, func(tx *db.Tx) error { return s.settle(ctx, tx, owner, id) })
	}
	if err != nil {
		s.giveUp(context.WithoutCancel(ctx), id)
		return nil, err
	}
	return s.shown(id), nil
}

func (s *Service) write(ctx context.Context, id string, files [][]byte) error {
	for i, n := range sizes {
		if _, err := s.Blobs.Put(ctx, place(id, n), bytes.NewReader(files[i])); err != nil {
			return err
		}
	}
	return nil
}

func place(id string, size int) string { return blob.Public(folder, id, strconv.Itoa(size)) }

func (s *Service) settle(ctx context.Context, tx *db.Tx, owner account.ID, id string) error {
	if _, err := s.Accounts.Hold(ctx, tx, owner); err != nil {
		return err
	}
	if err := s.drop(ctx, tx, owner); err != nil {
		return err
	}
	if ok, err := settle(ctx, tx, owner, id); err != nil || !ok {
		return cmp.Or(err, error(errBusy))
	}
	return s.changed(ctx, tx, owner)
}

// drop takes the account's picture away, and asks for its removal once tx has committed.
func (s *Service) drop(ctx context.Context, tx *db.Tx, owner account.ID) error {
	had, err := markLive(ctx, tx, owner)
	if err != nil || !had {
		return err
	}
	return s.Jobs.Enqueue(ctx, tx, purgeJob, struct{}{}, jobs.Key(purgeJob))
}

func (s *Service) changed(ctx context.Context, tx *db.Tx, owner account.ID) error {
	s.Accounts.AvatarChanged(tx, owner)
	return s.Feed.Tell(ctx, tx, owner, "account", "")
}

// giveUp marks a picture that no account took.
func (s *Service) giveUp(ctx context.Context, id string) {
	if err := markPending(ctx, s.DB, id); err != nil {
		s.Log.Warn("a picture waits for the sweep", "error", err)
	}
}

// Remove takes an account's picture away. Without one it changes nothing.
func (s *Service) Remove(ctx context.Context, owner account.ID) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.Accounts.Hold(ctx, tx, owner); err != nil {
			return err
		}
		if err := s.drop(ctx, tx, owner); err != nil {
			return err
		}
		return s.changed(ctx, tx, owner)
	})
}

// forget runs in the transaction that deletes the account. A picture on its way in finds the
// account gone.
func (s *Service) forget(ctx context.Context, tx *db.Tx, owner account.ID) error {
	return s.drop(ctx, tx, owner)
}

// Read returns a picture's bytes; code not_found when it is no account's.
func (s *Service) Read(ctx context.Context, id string, size int) ([]byte, error) {
	if b, err := hex.DecodeString(id); err != nil || len(b) != 16 || id != strings.ToLower(id) || !slices.Contains(sizes, size) {
		return nil, errNotFound
	}
	p, err := readByID(ctx, s.DB, id)
	if errors.Is(err, db.ErrNoRows) {
		return nil, errNotFound
	}
	if err != nil {
		return nil, err
	}
	key, err := s.Accounts.DataKey(ctx, s.DB, p.Account)
	if errors.Is(err, account.ErrNotFound) {
		return nil, errNotFound.Because(err)
	}
	if err != nil {
		return nil, err
	}
	if !p.proven(key) { // not logged, because a stranger may ask without end
		return nil, errNotFound
	}
	b, err := s.object(ctx, id, size)
	if errors.Is(err, blob.ErrMissing) {
		return nil, errNotFound.Because(err)
	}
	return b, err
}

func (s *Service) object(ctx context.Context, id string, size int) ([]byte, error) {
	body, _, err := s.Blobs.Get(ctx, place(id, size), 0, -1)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(body)
	return b, errors.Join(err, body.Close())
}

// export adds the picture in its largest size.
func (s *Service) export(ctx context.Context, owner account.ID, to *account.Archive) error {
	key, err := s.Accounts.DataKey(ctx, s.DB, owner)
	if err != nil {
		return err
	}
	p, err := s.pictureOf(ctx, s.DB, key, owner)
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	at := time.UnixMilli(p.CreatedAt).UTC()
	if err := to.Put("avatar.json", map[string]any{"id": p.ID, "stored_at": at, "urls": s.shown(p.ID).URLs}); err != nil {
		return err
	}
	b, err := s.object(ctx, p.ID, sizes[0])
	if err != nil {
		return err
	}
	w, err := to.Stored("avatar.webp", at)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// Sweep removes the pictures that nothing refers to.
func (s *Service) Sweep(ctx context.Context) error {
	if err := markAbandoned(ctx, s.DB, s.Now().Add(-abandonedAfter)); err != nil {
		return err
	}
	return s.purge(ctx)
}

// sweepOrphans removes the objects of pictures that no row names. A power cut may bring back a picture
// whose row is gone, and a CDN would serve it for ever. It runs daily.
func (s *Service) sweepOrphans(ctx context.Context) error {
	now := s.Now()
	steady, err := s.Jobs.Steady(ctx, orphansJob, now, blob.OrphanGap)
	if err != nil {
		return err
	}
	return blob.RemoveOrphans(ctx, s.Blobs, folder, now, steady, func(ctx context.Context, objects []string) (map[string]bool, error) {
		ids := make([]string, len(objects))
		for i, object := range objects {
			ids[i] = path.Base(path.Dir(object)) // folder/id/size.webp
		}
		named, err := readNamed(ctx, s.DB, ids)
		known := map[string]bool{}
		for i, object := range objects {
			known[object] = named[ids[i]]
		}
		return known, err
	})
}

// purge removes marked pictures, the objects first: after a crash in between it is done
// again. Pictures that cannot be removed do not hold up the others.
func (s *Service) purge(ctx context.Context) error {
	var failures []error
	begun := s.gone.Begin()
	for after := begun; ; {
		ids, err := readMarked(ctx, s.DB, after, purgeBatch)
		if err != nil {
			return errors.Join(append(failures, err)...)
		}
		if len(ids) == 0 {
			if s.gone.Leave(""); begun == "" {
				return errors.Join(failures...)
			}
			begun, after = "", ""
			continue
		}
		for _, id := range ids {
			after = id
			err := s.remove(ctx, id)
			if err == nil {
				continue
			}
			failures = append(failures, err)
			if errors.Is(err, db.ErrUnavailable) || blob.Away(ctx, s.Blobs, len(failures)) != nil {
				return errors.Join(failures...)
			}
		}
		if len(failures) >= blob.MostRefused {
			s.gone.Leave(after)
			return errors.Join(failures...)
		}
	}
}

func (s *Service) remove(ctx context.Context, id string) error {
	for _, n := range sizes {
		if err := s.Blobs.Delete(ctx, place(id, n)); err != nil && !errors.Is(err, blob.ErrID) {
			return err
		}
	}
	return deleteMarked(ctx, s.DB, id)
}
