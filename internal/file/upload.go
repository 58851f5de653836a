package file

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"time"

	"coffer/internal/account"
	"coffer/internal/blob"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/keyring"
	"coffer/internal/seal"
)

// Upload is the files of one request on their way in. None of them is visible before
// [Upload.Publish], and then all are. Not safe for concurrent use.
type Upload struct {
	s       *Service
	owner   account.ID
	files   []stored
	held    int       // bytes of content in files
	touched time.Time // when the rows of files were last touched
	// session is who sends it; [Upload.Publish] refuses one that has ended meanwhile.
	session string
}

// stored is a file whose content is in the store, in SQL, or at hand to go there.
type stored struct {
	name, mediaType string
	blob            string
	wrapped         []byte // the content's key
	size            int64
	sum             [32]byte
	small           bool   // the content's place is SQL
	content         []byte // sealed, of a small one that has no row yet
}

// NewUpload begins an upload of the owner's. The caller ends it with [Upload.Publish] or
// [Upload.Abort].
func (s *Service) NewUpload(owner account.ID) *Upload {
	return &Upload{s: s, owner: owner, touched: s.Now()}
}

// CheckFolder refuses a parent that nothing can be put into, before bytes are read for
// nothing. [Upload.Publish] decides.
func (u *Upload) CheckFolder(ctx context.Context, parent string) error {
	_, err := u.s.folderFor(ctx, u.s.DB, u.owner, parent)
	return err
}

// Len returns how many files have been added.
func (u *Upload) Len() int { return len(u.files) }

// maxHeld is how many bytes of small contents an upload holds before they go to SQL.
const maxHeld = 64 << 10

// Add stores the content of one more file under a name that [cleanName] has passed. What is
// small stays with the upload until [Upload.Publish] writes it with its entry, in one
// transaction; or goes to SQL before, pending, when there is much of it.
func (u *Upload) Add(ctx context.Context, name, mediaType string, r io.Reader) error {
	u.touch(ctx)
	head, whole, err := readHead(r)
	if err != nil {
		return err
	}
	var random [16]byte
	rand.Read(random[:])
	f := stored{name: name, mediaType: mediaType, blob: hex.EncodeToString(random[:]), small: whole}
	key := make([]byte, seal.KeySize)
	rand.Read(key)
	if f.wrapped, err = u.s.Ring.Seal(ctx, keyring.Blob, key, blobAAD(f.blob, u.owner)); err != nil {
		giveBack(head)
		return err
	}
	if whole {
		plain := head[0].bytes()
		f.size, f.sum = int64(len(plain)), sha256.Sum256(plain)
		f.content, err = sealSmall(plain, key, contentAAD(f.blob))
		giveBack(head)
		if err != nil {
			return err
		}
		u.files = append(u.files, f)
		if u.held += len(f.content); u.held <= maxHeld {
			return nil
		}
		return u.flush(ctx)
	}
	// The row stands before the first byte: what a crash leaves in the store is known.
	if err := insertBlob(ctx, u.s.DB, u.owner, f, pending, u.s.Now()); err != nil {
		giveBack(head)
		return err
	}
	u.files = append(u.files, f)
	last := &u.files[len(u.files)-1]
	last.size, last.sum, err = u.s.storeContent(ctx, f.blob, key, head, r, func() { u.touch(ctx) })
	if errors.Is(err, blob.ErrMissing) {
		err = errAbandoned // its account went, or the sweep took it
	}
	return err
}

// sealSmall returns content as the store would hold it.
func sealSmall(plain, key, aad []byte) ([]byte, error) {
	out := bytes.NewBuffer(make([]byte, 0, seal.CipherSize(int64(len(plain)))))
	w, err := seal.NewWriter(out, key, aad)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}

// flush writes the small contents that are held, pending.
func (u *Upload) flush(ctx context.Context) error {
	if err := u.renew(ctx); err != nil {
		return err
	}
	now := u.s.Now()
	err := u.s.DB.Tx(ctx, func(tx *db.Tx) error { return insertSmall(ctx, tx, u.owner, u.unwritten(), pending, now) })
	if err != nil {
		return err
	}
	for i := range u.files {
		u.files[i].content = nil
	}
	u.held = 0
	return nil
}

// settle makes the objects live in the transaction that publishes their entries.
func (u *Upload) settle(ctx context.Context, tx *db.Tx) error {
	whole, err := settleBlobs(ctx, tx, u.pick(func(f stored) bool { return f.content == nil }))
	if err != nil {
		return err
	}
	if !whole {
		return errAbandoned
	}
	if err := u.renew(ctx); err != nil {
		return err
	}
	return insertSmall(ctx, tx, u.owner, u.unwritten(), live, u.s.Now())
}

// renew wraps the keys of small files that have no row yet under the key that is active now:
// a rotation's walk may have ended since they came in.
func (u *Upload) renew(ctx context.Context) (err error) {
	for i := range u.files {
		f := &u.files[i]
		if f.content == nil {
			continue
		}
		if f.wrapped, _, err = u.s.Ring.Renew(ctx, keyring.Blob, f.wrapped, blobAAD(f.blob, u.owner)); err != nil {
			return err
		}
	}
	return nil
}

func (u *Upload) pick(which func(stored) bool) (some []stored) {
	for _, f := range u.files {
		if which(f) {
			some = append(some, f)
		}
	}
	return some
}

// unwritten returns the small files whose content has no row yet.
func (u *Upload) unwritten() []stored { return u.pick(func(f stored) bool { return f.content != nil }) }

// touchEvery is how often a running upload says that it lives; see abandonedAfter.
const touchEvery = 5 * time.Minute

// touch keeps the sweep from the rows of an upload that takes long.
func (u *Upload) touch(ctx context.Context) {
	now := u.s.Now()
	if now.Sub(u.touched) < touchEvery {
		return
	}
	u.touched = now
	for ids := range slices.Chunk(u.rows(), sweepBatch) {
		if err := touchBlobs(ctx, u.s.DB, ids, now); err != nil {
			u.s.Log.WarnContext(ctx, "a running upload could not be touched", "error", err)
			return // there is time for several more tries
		}
	}
}

// rows returns the ids of the objects that have a row.
func (u *Upload) rows() (ids []string) {
	for _, f := range u.files {
		if f.content == nil {
			ids = append(ids, f.blob)
		}
	}
	return ids
}

// blobAAD binds a wrapped key to its object and its owner; the ring adds the key's id.
func blobAAD(blob string, owner account.ID) []byte {
	return seal.LP([]byte("blob"), []byte(blob), []byte(owner))
}

// contentAAD binds content to its object.
func contentAAD(blob string) []byte { return seal.LP([]byte("coffer/blob/v1"), []byte(blob)) }

// errAbandoned is an upload that the sweep has given up.
var errAbandoned = fault.New(fault.Conflict, "upload_expired", "The upload stood still for too long and was given up.")

// Publish makes every file appear in parent ("" = root), taken names numbered.
func (u *Upload) Publish(ctx context.Context, parent string) (entries []Entry, err error) {
	var n *naming
	if len(u.files) > fewFiles {
		// Others may write while names are looked for and sealed. Those that are taken
		// meanwhile are looked for again behind the lock.
		err := u.s.DB.Read(ctx, func(tx *db.Tx) error {
			key, err := u.s.dataKey(ctx, tx, u.owner)
			if err != nil {
				return err
			}
			n = u.naming(key, parent)
			if err := n.check(ctx, tx); err != nil {
				return err
			}
			return n.find(ctx, tx)
		})
		if err != nil {
			return nil, err
		}
	}
	err = u.s.changeNames(ctx, u.owner, func(c *changing) error {
		if err := u.hold(ctx, c.tx); err != nil {
			return err
		}
		up, err := u.s.folderFor(ctx, c.tx, u.owner, parent)
		if err != nil {
			return err
		}
		if n == nil {
			n = u.naming(c.key, parent)
		}
		if err := u.settle(ctx, c.tx); err != nil {
			return err
		}
		if err := c.insert(ctx, n); err != nil {
			return err
		}
		return c.raise(ctx, up, 1)
	})
	if err != nil {
		return nil, err
	}
	entries = make([]Entry, len(n.all))
	for i, w := range n.all {
		entries[i] = u.s.show(ctx, u.owner, n.key, *w.row)
	}
	return entries, nil
}

// fewFiles are named behind the lock: that takes no longer than asking beforehand.
const fewFiles = 16

// naming returns the entries that the files become, with the names that they want.
func (u *Upload) naming(key *keyring.DataKey, parent string) *naming {
	n := newNaming(key, u.owner, parent)
	now := u.s.Now().UnixMilli()
	for i := range u.files {
		f := &u.files[i]
		r := &row{ID: newID(), Parent: parent, Kind: File, Blob: &f.blob, Size: f.size, Height: 1, CreatedAt: now, ModifiedAt: now}
		r.sealDetails(key, details{f.sum, now, f.mediaType})
		n.want(r, f.name)
	}
	return n
}

// hold keeps the session that sends the upload from ending before tx has, or refuses.
func (u *Upload) hold(ctx context.Context, tx *db.Tx) error {
	if u.s.Hold == nil {
		return nil
	}
	return u.s.Hold(ctx, tx, u.owner, u.session)
}

// Abort removes what is not published. What it cannot remove just now, the sweep does.
func (u *Upload) Abort(ctx context.Context) {
	ctx = context.WithoutCancel(ctx) // the client is often gone
	small := make(map[string]bool, len(u.files))
	for _, f := range u.files {
		small[f.blob] = f.small
	}
	for ids := range slices.Chunk(u.rows(), smallBatch) {
		if err := u.s.discard(ctx, ids, small); err != nil {
			u.s.Log.WarnContext(ctx, "an abandoned upload stays until the sweep", "error", err)
		}
	}
}

// discard removes objects unless they are live: after a lost answer to the commit the files
// may stand. Only this upload makes its objects live, so the answer stays true. A row that is
// gone was swept, or went with its account, while the object was still coming in.
func (s *Service) discard(ctx context.Context, ids []string, small map[string]bool) error {
	if err := doomPending(ctx, s.DB, ids); err != nil {
		return err
	}
	standing, err := readLive(ctx, s.DB, ids)
	if err != nil {
		return err
	}
	var inStore, inSQL []string
	for _, id := range ids {
		switch {
		case standing[id]:
		case small[id]:
			inSQL = append(inSQL, id)
		default:
			inStore = append(inStore, id)
		}
	}
	return errors.Join(s.remove(ctx, inStore, inSQL)...)
}
