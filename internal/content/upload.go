package content

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
	"time"

	"coffer/internal/account"
	"coffer/internal/blob"
	"coffer/internal/db"
	"coffer/internal/keyring"
	"coffer/internal/seal"
)

// Stored is an object as its caller records it.
type Stored struct {
	ID   string
	Size int64
	Sum  [32]byte // SHA-256 of the content
}

// Upload is the objects of one request on their way in. None of them is live before
// [Upload.Settle], and then all are. It belongs to one goroutine.
type Upload struct {
	s       *Service
	owner   account.ID
	objects []incoming
	held    int       // bytes of content in objects
	touched time.Time // when the rows of objects were last touched
	bounded bool      // left and free of reserve are set
	reserve
	// Stands refuses, inside a transaction that reserves, an account that is gone; nil takes
	// each for one that stands.
	Stands func(ctx context.Context, tx *db.Tx) error
}

// incoming is an object whose content is in the store, in SQL, or at hand to go there.
type incoming struct {
	Stored
	wrapped []byte // the content's key
	small   bool   // the content's place is SQL
	content []byte // sealed, of a small one that has no row yet
}

// NewUpload begins an upload of the owner's. The caller ends it with [Upload.Settle] or
// [Upload.Abort], and after a fault of [Upload.Store] with Abort.
func (s *Service) NewUpload(owner account.ID) *Upload {
	return &Upload{s: s, owner: owner, touched: s.Now()}
}

// maxHeld is how many bytes of small contents an upload holds before they go to SQL.
const maxHeld = 64 << 10

// Store takes the content of one more object. What is small stays with the upload until
// [Upload.Settle] writes it in the caller's transaction, or goes to SQL before, pending,
// when there is much of it. What exceeds the quota is refused as it comes in.
func (u *Upload) Store(ctx context.Context, r io.Reader) (Stored, error) {
	u.touch(ctx)
	if err := u.bound(ctx); err != nil {
		return Stored{}, err
	}
	r = within{r, ctx, u}
	head, whole, err := readHead(r)
	if err != nil {
		return Stored{}, err
	}
	o, key, err := u.s.newObject(ctx, u.owner, nil)
	if err != nil {
		giveBack(head)
		return Stored{}, err
	}
	if whole {
		plain := head[0].bytes()
		o.small, o.Size, o.Sum = true, int64(len(plain)), sha256.Sum256(plain)
		o.content, err = sealSmall(plain, key, contentAAD(o.ID))
		giveBack(head)
		if err != nil {
			return Stored{}, err
		}
		u.objects = append(u.objects, o)
		if u.held += len(o.content); u.held > maxHeld {
			err = u.flush(ctx)
		}
		return o.Stored, err
	}
	// The row stands before the first byte: what a crash leaves in the store is known.
	if err := insertPending(ctx, u.s.DB, u.owner, o, u.s.Now()); err != nil {
		giveBack(head)
		return Stored{}, err
	}
	u.objects = append(u.objects, o)
	if err := u.keepUp(ctx); err != nil {
		giveBack(head)
		return Stored{}, err
	}
	last := &u.objects[len(u.objects)-1]
	digest := sha256.New()
	to := place{o.ID, key, contentAAD(o.ID)}
	last.Size, err = u.s.storeContent(ctx, to, digest, head, r, func() { u.touch(ctx) })
	digest.Sum(last.Sum[:0])
	if errors.Is(err, blob.ErrMissing) {
		err = ErrExpired // its account went, or the sweep took it
	}
	return last.Stored, err
}

// newObject returns an object with a random id and a random key; parts is as in [keyAAD].
func (s *Service) newObject(ctx context.Context, owner account.ID, parts []byte) (o incoming, key []byte, err error) {
	o.ID = newID()
	key = make([]byte, seal.KeySize)
	rand.Read(key)
	o.wrapped, err = s.Ring.Seal(ctx, keyring.Blob, key, keyAAD(o.ID, owner, parts))
	return o, key, err
}

// bound reads once how much the quota leaves. What is reserved decides, and [Upload.Settle];
// this ends an upload at the first byte too many.
func (u *Upload) bound(ctx context.Context) error {
	if u.bounded {
		return nil
	}
	usage, err := u.s.Usage(ctx, u.s.DB, u.owner)
	u.bounded, u.left, u.free = err == nil, usage.Left(), usage.free()
	return err
}

// within is content until it exceeds what is left of the quota. What comes in is reserved
// before it is handed on.
type within struct {
	io.Reader
	ctx context.Context
	u   *Upload
}

func (w within) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if w.u.came += int64(n); w.u.came > w.u.left {
		return 0, ErrQuota
	}
	if err := w.u.keepUp(w.ctx); err != nil {
		return 0, err
	}
	return n, err
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
	insert := func(tx *db.Tx) error { return insertSmall(ctx, tx, u.owner, u.unwritten(), pending, now) }
	if u.behind() {
		if err := u.hold(ctx, u.objects[len(u.objects)-1], insert); err != nil {
			return err
		}
	} else if err := u.s.DB.Tx(ctx, insert); err != nil {
		return err
	}
	for i := range u.objects {
		u.objects[i].content = nil
	}
	u.held = 0
	return nil
}

// Settle makes the objects live in the caller's transaction, which stores what refers to
// them. It refuses with [ErrExpired] when the sweep took one or the account is being deleted,
// and with [ErrQuota]; the caller then rolls back. The caller has seen in tx that the account
// exists.
//
// It locks its objects first and the account's usage after them, as the sweep does, which may take
// one of them meanwhile.
func (u *Upload) Settle(ctx context.Context, tx *db.Tx) error {
	whole, err := settle(ctx, tx, u.written())
	if err != nil {
		return err
	}
	if !whole {
		return ErrExpired
	}
	var total int64
	for _, o := range u.objects {
		total += o.Size
	}
	if err := u.s.charge(ctx, tx, u.owner, use{bytes: total, reserved: -u.reserved, files: int64(len(u.objects))}); err != nil {
		return err
	}
	if err := u.renew(ctx); err != nil {
		return err
	}
	return insertSmall(ctx, tx, u.owner, u.unwritten(), live, u.s.Now())
}

// renew wraps the keys of small objects that have no row yet under the key that is active
// now: a rotation's walk may have ended since they came in.
func (u *Upload) renew(ctx context.Context) (err error) {
	for i := range u.objects {
		o := &u.objects[i]
		if o.content == nil {
			continue
		}
		if o.wrapped, _, err = u.s.Ring.Renew(ctx, keyring.Blob, o.wrapped, keyAAD(o.ID, u.owner, nil)); err != nil {
			return err
		}
	}
	return nil
}

// written returns the objects that have a row, unwritten those whose content is at hand.
func (u *Upload) written() []incoming   { return u.pick(false) }
func (u *Upload) unwritten() []incoming { return u.pick(true) }

func (u *Upload) pick(atHand bool) (some []incoming) {
	for _, o := range u.objects {
		if (o.content != nil) == atHand {
			some = append(some, o)
		}
	}
	return some
}

// touchEvery is how often a running upload says that it lives; see abandonedAfter.
const touchEvery = 5 * time.Minute

// touch keeps the sweep from the rows of an upload that takes long.
func (u *Upload) touch(ctx context.Context) {
	now := u.s.Now()
	if now.Sub(u.touched) < touchEvery {
		return
	}
	u.touched = now
	if err := touchPending(ctx, u.s.DB, idsOf(u.written()), now); err != nil {
		u.s.Log.WarnContext(ctx, "a running upload could not be touched", "error", err) // there is time for several more tries
	}
}

func idsOf(objects []incoming) (ids []string) {
	for _, o := range objects {
		ids = append(ids, o.ID)
	}
	return ids
}

// Abort removes what is not live. What it cannot remove just now, the sweep does.
func (u *Upload) Abort(ctx context.Context) {
	ctx = context.WithoutCancel(ctx) // the client is often gone
	for objects := range slices.Chunk(u.written(), smallBatch) {
		if err := u.s.discard(ctx, objects); err != nil {
			u.s.Log.WarnContext(ctx, "an abandoned upload stays until the sweep", "error", err)
		}
	}
}

// discard removes objects unless they are live: after a lost answer to the commit they may
// be. Only this upload makes its objects live, so the answer stays true. A row that is gone
// was swept, or went with its account, while the object was still coming in.
func (s *Service) discard(ctx context.Context, objects []incoming) error {
	ids := idsOf(objects)
	if err := s.giveUpPending(ctx, func(tx *db.Tx) (given, error) { return markPending(ctx, tx, ids) }); err != nil {
		return err
	}
	standing, err := readLive(ctx, s.DB, ids)
	if err != nil {
		return err
	}
	var inStore, inSQL []string
	for _, o := range objects {
		switch {
		case standing[o.ID]:
		case o.small:
			inSQL = append(inSQL, o.ID)
		default:
			inStore = append(inStore, o.ID)
		}
	}
	failures, _ := s.remove(ctx, objectRows, inStore, inSQL)
	return errors.Join(failures...)
}
