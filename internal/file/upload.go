package file

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"sync"
	"sync/atomic"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/keyring"
	"coffer/internal/seal"
)

// Upload is the files of one request on their way in. None of them is visible before
// [Upload.Publish], and then all are. Not safe for concurrent use.
type Upload struct {
	s     *Service
	owner account.ID
	files []stored
	// session is who sends it; [Upload.Publish] refuses one that has ended meanwhile.
	session string
}

// stored is a file whose content is in the store.
type stored struct {
	name, mediaType string
	blob            string
	size            int64
	sum             [32]byte
}

// NewUpload begins an upload of the owner's. The caller ends it with [Upload.Publish] or
// [Upload.Abort].
func (s *Service) NewUpload(owner account.ID) *Upload { return &Upload{s: s, owner: owner} }

// CheckFolder refuses a parent that nothing can be put into, before bytes are read for
// nothing. [Upload.Publish] decides.
func (u *Upload) CheckFolder(ctx context.Context, parent string) error {
	_, err := u.s.folderFor(ctx, u.s.DB, u.owner, parent)
	return err
}

// Len returns how many files have been added.
func (u *Upload) Len() int { return len(u.files) }

// Add stores the content of one more file under a name that [cleanName] has passed.
func (u *Upload) Add(ctx context.Context, name, mediaType string, r io.Reader) error {
	var random [16]byte
	rand.Read(random[:])
	f := stored{name: name, mediaType: mediaType, blob: hex.EncodeToString(random[:])}
	key := make([]byte, seal.KeySize)
	rand.Read(key)
	wrapped, err := u.s.Ring.Seal(ctx, keyring.Blob, key, blobAAD(f.blob, u.owner))
	if err != nil {
		return err
	}
	// The row stands before the first byte: what a crash leaves in the store is known.
	if err := insertBlob(ctx, u.s.DB, u.owner, f.blob, wrapped, u.s.Now()); err != nil {
		return err
	}
	u.files = append(u.files, f)
	last := &u.files[len(u.files)-1]
	last.size, last.sum, err = u.s.storeContent(ctx, f.blob, key, r)
	return err
}

// blobAAD binds a wrapped key to its object and its owner; the ring adds the key's id.
func blobAAD(blob string, owner account.ID) []byte {
	return seal.LP([]byte("blob"), []byte(blob), []byte(owner))
}

// contentAAD binds content to its object.
func contentAAD(blob string) []byte { return seal.LP([]byte("coffer/blob/v1"), []byte(blob)) }

// errAbandoned is an upload that the sweep has given up: it took more than a day.
var errAbandoned = fault.New(fault.Conflict, "upload_expired", "The upload took longer than a day and was given up.")

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
		whole, err := settleBlobs(ctx, c.tx, u.files)
		if err != nil {
			return err
		}
		if !whole {
			return errAbandoned
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
	for _, f := range u.files {
		if err := u.discard(ctx, f.blob); err != nil {
			u.s.Log.WarnContext(ctx, "an abandoned upload stays until the sweep", "error", err)
		}
	}
}

// discard removes one object unless it is live: after a lost answer to the commit the
// files may stand. Nobody else makes this object live, so the answer stays true; a row
// that is gone was swept, or went with its account, while the object was still coming in.
func (u *Upload) discard(ctx context.Context, blob string) error {
	live, err := doomUnlessLive(ctx, u.s.DB, blob)
	if err != nil || live {
		return err
	}
	return u.s.remove(ctx, blob)
}

// chunk is what the stages of an upload hand on. Two stages read each chunk.
type chunk struct {
	buf  [256 << 10]byte
	n    int
	left atomic.Int32 // stages that have not read it yet
}

// done gives a chunk back when the last stage is through with it.
func (c *chunk) done(free chan<- *chunk) {
	if c.left.Add(-1) == 0 {
		free <- c // never blocks: there are no more chunks than room
	}
}

// inFlight bounds the chunks of one upload: 4 MiB, whatever its length.
const inFlight = 16

var chunks = sync.Pool{New: func() any { return new(chunk) }}

// storeContent encrypts r into the object and returns its length and SHA-256. Reading,
// hashing, and encrypting with writing run beside each other, a few chunks apart.
func (s *Service) storeContent(ctx context.Context, blob string, key []byte, r io.Reader) (size int64, sum [32]byte, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	toHash, toSeal := make(chan *chunk, inFlight), make(chan *chunk, inFlight)
	free := make(chan *chunk, inFlight)
	digest := sha256.New()
	var wg sync.WaitGroup
	wg.Go(func() {
		for c := range toHash {
			digest.Write(c.buf[:c.n])
			c.done(free)
		}
	})
	var putErr error
	wg.Go(func() {
		src := &sealing{ctx: ctx, from: toSeal, free: free, key: key, aad: contentAAD(blob)}
		_, putErr = s.Blobs.Put(ctx, blob, src)
		if putErr != nil {
			cancel(putErr) // nobody takes chunks any more: the reading stage ends
		}
		src.end()
	})
	size, err = readChunks(ctx, r, free, toHash, toSeal)
	if err != nil {
		cancel(err) // before the channel closes: the object must not look complete
	}
	close(toHash)
	close(toSeal)
	wg.Wait()
	for range len(free) {
		chunks.Put(<-free)
	}
	digest.Sum(sum[:0])
	if err == nil { // else the store failed because the reading did
		err = putErr
	}
	return size, sum, err
}

// readChunks fills chunks from r until it ends, and returns how many bytes there were.
func readChunks(ctx context.Context, r io.Reader, free chan *chunk, outs ...chan<- *chunk) (size int64, err error) {
	for made := 0; ; {
		if made < inFlight && len(free) == 0 { // a short file needs one
			free <- chunks.Get().(*chunk)
			made++
		}
		var c *chunk
		select {
		case c = <-free:
		case <-ctx.Done():
		}
		if ctx.Err() != nil { // the store has given up: what comes is for nothing
			if c != nil {
				free <- c
			}
			return size, context.Cause(ctx)
		}
		c.n = 0
		for err = nil; c.n < len(c.buf) && err == nil; {
			var n int
			n, err = r.Read(c.buf[c.n:])
			c.n += n
		}
		size += int64(c.n)
		if err != nil && err != io.EOF {
			free <- c
			return size, err
		}
		c.left.Store(int32(len(outs)))
		for _, out := range outs {
			out <- c // never blocks: there are no more chunks than room
		}
		if err == io.EOF {
			return size, nil
		}
	}
}

// sealing is an object's ciphertext, made in the goroutine that stores it.
type sealing struct {
	ctx      context.Context
	from     chan *chunk
	free     chan<- *chunk
	key, aad []byte
	pipe     *io.PipeReader // for a store that reads
}

var _ io.WriterTo = (*sealing)(nil)

// WriteTo seals every chunk into w.
func (s *sealing) WriteTo(w io.Writer) (int64, error) {
	count := &countingWriter{w: w}
	sw, err := seal.NewWriter(count, s.key, s.aad)
	if err != nil {
		return 0, err
	}
	for c := range s.from {
		_, err := sw.Write(c.buf[:c.n])
		c.done(s.free)
		if err != nil {
			return count.n, err
		}
	}
	if s.ctx.Err() != nil { // the source broke: this is not its end
		return count.n, context.Cause(s.ctx)
	}
	err = sw.Close()
	return count.n, err
}

// Read is WriteTo for a store that reads.
func (s *sealing) Read(p []byte) (int, error) {
	if s.pipe == nil {
		r, w := io.Pipe()
		s.pipe = r
		go func() {
			_, err := s.WriteTo(w)
			w.CloseWithError(err)
		}()
	}
	return s.pipe.Read(p)
}

// end takes what is left, so that no stage waits for this one.
func (s *sealing) end() {
	if s.pipe != nil {
		s.pipe.CloseWithError(context.Canceled)
	}
	for c := range s.from {
		c.done(s.free)
	}
}

type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
