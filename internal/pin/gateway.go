package pin

import (
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"time"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/ipfs"
	"coffer/internal/keyring"
	"coffer/internal/seal"
)

// The gateway shows the blocks of pins that are at a provider and whose account is active. To
// a reader every other block, and every path that leads nowhere, is one that never was. It
// follows the Trustless Gateway Specification of IPFS: raw blocks and CAR streams, which the
// reader verifies, and nothing that a browser would render.

var errNoBlock = fault.New(fault.NotFound, "not_found", "The gateway has nothing there.")

// view is what one request of the gateway sees. It belongs to one goroutine.
type view struct {
	s      *Service
	makers map[string]*maker
	active map[account.ID]standing
	found  map[ipfs.CID]servedBlock // a folder may name one block ten thousand times
}

func (s *Service) newView() *view {
	return &view{s: s, makers: map[string]*maker{}, active: map[account.ID]standing{}, found: map[ipfs.CID]servedBlock{}}
}

// standing is whether an account was active when it was last asked for.
type standing struct {
	active bool
	asked  time.Time
}

// standingLasts is how long a stream may run on after its pin's account was stopped.
const standingLasts = time.Second

// maxMakers bounds what a view remembers of pins and blocks: a stream may lead through many.
const maxMakers = 16

// find returns a block that the gateway shows. Any block may be read raw. A leaf is never read
// as a node: its bytes are a user's, and could name a DAG without end.
func (v *view) find(ctx context.Context, c ipfs.CID) (servedBlock, error) {
	if b, known := v.found[c]; known {
		if shown, err := v.shows(ctx, b.Account); err != nil || shown {
			return b, err
		}
		delete(v.found, c)
	}
	const some = 20
	for after := ""; ; {
		all, err := readServed(ctx, v.s.DB, c.Digest[:], after, some)
		if err != nil {
			return servedBlock{}, err
		}
		for _, b := range all {
			after = b.Pin
			if c.Codec == ipfs.DagPB && b.CID.Codec != ipfs.DagPB {
				continue
			}
			shown, err := v.shows(ctx, b.Account)
			if err == nil && shown {
				_, err = v.maker(ctx, b.Pin)
				if errors.Is(err, errNoPin) || errors.Is(err, seal.ErrOpen) || errors.Is(err, keyring.ErrNoKey) { // gone meanwhile, or damaged
					continue
				}
			}
			if err != nil {
				return servedBlock{}, err
			}
			if shown {
				if len(v.found) >= maxMakers {
					clear(v.found)
				}
				v.found[c] = b
				return b, nil
			}
		}
		if len(all) < some {
			return servedBlock{}, errNoBlock
		}
	}
}

// shows reports whether an account is active. A stream asks again each second.
func (v *view) shows(ctx context.Context, owner account.ID) (bool, error) {
	now := v.s.Now()
	if last, known := v.active[owner]; known && now.Sub(last.asked) < standingLasts {
		return last.active, nil
	}
	st, err := v.s.Accounts.State(ctx, owner)
	if errors.Is(err, account.ErrNotFound) {
		err = nil
	}
	if err != nil {
		return false, err
	}
	v.active[owner] = standing{st.Status == account.Active, now}
	return st.Status == account.Active, nil
}

// maker returns the maker of a pin's blocks.
func (v *view) maker(ctx context.Context, pin string) (*maker, error) {
	if m := v.makers[pin]; m != nil {
		return m, nil
	}
	r, err := readByID(ctx, v.s.DB, pin)
	if err != nil {
		return nil, err
	}
	m, err := v.s.newMaker(ctx, r)
	if err != nil {
		return nil, err
	}
	if len(v.makers) >= maxMakers {
		clear(v.makers)
	}
	v.makers[pin] = m
	return m, nil
}

const (
	// smallBlock is what a reader who does not read may keep in memory.
	smallBlock = 64 << 10
	// heldBlocks bounds all larger blocks that wait for such readers: those without a file, which
	// cannot be read in parts. They are nodes of large folders, and long manifests.
	heldBlocks = 64 << 20
)

// piece is a block on its way to a reader. Its bytes have the digest that was asked for.
type piece struct {
	m    *maker
	b    blockRow
	data []byte // nil of a leaf that is not small: it is read as it is sent
	held int64
}

// prepare makes a block that the gateway shows. A leaf is read for its digest, and again when it is
// sent: its object never changes, and each part of it authenticates. The caller closes the piece.
func (v *view) prepare(ctx context.Context, c ipfs.CID) (*piece, error) {
	b, err := v.find(ctx, c)
	if err != nil {
		return nil, err
	}
	m, err := v.maker(ctx, b.Pin)
	if errors.Is(err, errNoPin) {
		return nil, errNoBlock
	}
	if err != nil {
		return nil, err
	}
	p := &piece{m: m, b: b.blockRow}
	if b.Length > smallBlock {
		if b.Ord >= 0 {
			return p, m.checkLeaf(ctx, b.blockRow)
		}
		if v.s.held.Add(b.Length) > heldBlocks {
			v.s.held.Add(-b.Length)
			return nil, errBusy
		}
		p.held = b.Length
	}
	if p.data, err = m.block(ctx, b.blockRow); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *piece) close() {
	p.m.s.held.Add(-p.held)
	p.held = 0
}

// send writes the bytes of a block.
func (p *piece) send(ctx context.Context, w io.Writer) error {
	if p.data == nil {
		return p.m.copyLeaf(ctx, w, p.b)
	}
	_, err := w.Write(p.data)
	return err
}

// node makes a block, and returns the bytes of one that names others.
func (v *view) node(ctx context.Context, c ipfs.CID) ([]byte, error) {
	p, err := v.prepare(ctx, c)
	if err != nil {
		return nil, err
	}
	p.close()
	return p.data, nil
}

// maxShards is how many blocks of one folder a name may lead through.
const maxShards = 8

// resolve follows names from a root. passed are the blocks on the way, without the last.
func (v *view) resolve(ctx context.Context, root ipfs.CID, names []string) (end ipfs.CID, passed []ipfs.CID, err error) {
	end = root
	for _, name := range names {
		more := true
		for depth := 0; more; depth++ {
			if end.Codec != ipfs.DagPB || depth >= maxShards {
				return end, nil, errNoBlock
			}
			data, err := v.node(ctx, end)
			if err != nil {
				return end, nil, err
			}
			link, further, err := ipfs.Lookup(data, name, depth)
			if err != nil {
				return end, nil, errNoBlock.Because(err)
			}
			passed = append(passed, end)
			end, more = link.CID, further
		}
	}
	return end, passed, nil
}

// The scopes of a CAR: how much below the end of a path is sent.
const (
	scopeBlock  = "block"
	scopeEntity = "entity"
	scopeAll    = "all"
)

// span is a range of bytes of a file, both ends inclusive. A negative number counts from the
// end of the file.
type span struct {
	from, to int64
	open     bool // to the end
}

// within returns the range in a file of so many bytes; false when nothing of the file is in it.
func (p span) within(size int64) (from, to int64, some bool) {
	from, to = p.from, p.to
	if from < 0 {
		from = max(0, size+from)
	}
	if to < 0 {
		to = size + to
	}
	if p.open || to >= size {
		to = size - 1
	}
	return from, to, from <= to
}

// sending is a CAR on its way. Both sets are nil where a block is sent each time that it occurs.
type sending struct {
	v    *view
	car  *ipfs.CARWriter
	seen map[ipfs.CID]bool
	done map[ipfs.CID]bool // sent with all below that the scope wants
}

// sendCAR writes a CAR: first the blocks on the way, then what the scope says, depth first.
func (v *view) sendCAR(ctx context.Context, w io.Writer, root ipfs.CID, passed []ipfs.CID, end ipfs.CID, scope string, part span, dups bool) error {
	car, err := ipfs.WriteCAR(w, root)
	if err != nil {
		return err
	}
	out := &sending{v: v, car: car}
	if !dups {
		out.seen, out.done = map[ipfs.CID]bool{}, map[ipfs.CID]bool{}
	}
	for _, c := range passed {
		if _, err := out.put(ctx, c); err != nil {
			return err
		}
	}
	switch scope {
	case scopeBlock:
		_, err = out.put(ctx, end)
	case scopeEntity:
		err = out.entity(ctx, end, part)
	default:
		err = out.all(ctx, end)
	}
	return err
}

// put sends a block, unless it was sent before and is not to be sent again. Such a leaf is not
// even read: nothing is looked into there.
func (o *sending) put(ctx context.Context, c ipfs.CID) (data []byte, err error) {
	before := o.seen[c]
	if before && c.Codec != ipfs.DagPB {
		return nil, nil
	}
	p, err := o.v.prepare(ctx, c)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if before {
		return p.data, nil
	}
	if o.seen != nil {
		o.seen[c] = true
	}
	return p.data, o.car.PutFrom(c, p.b.Length, func(w io.Writer) error { return p.send(ctx, w) })
}

// ended notes that nothing below a block is left to send.
func (o *sending) ended(c ipfs.CID) {
	if o.done != nil {
		o.done[c] = true
	}
}

// all sends everything below a block.
func (o *sending) all(ctx context.Context, end ipfs.CID) error {
	for todo := []ipfs.CID{end}; len(todo) > 0; {
		c := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if o.seen[c] {
			continue // with all that is below it
		}
		data, err := o.put(ctx, c)
		if err != nil {
			return err
		}
		if c.Codec != ipfs.DagPB {
			continue
		}
		_, links, _, _, err := ipfs.Children(data)
		if err != nil {
			return err
		}
		next := o.toSend(links)
		slices.Reverse(next)
		todo = append(todo, next...)
	}
	return nil
}

// toSend returns what links lead to and is still to be sent, each once.
func (o *sending) toSend(links []ipfs.Link) (next []ipfs.CID) {
	known := map[ipfs.CID]bool{}
	for _, l := range links {
		if !o.seen[l.CID] && !known[l.CID] {
			next = append(next, l.CID)
		}
		if o.seen != nil {
			known[l.CID] = true
		}
	}
	return next
}

// entity sends the blocks that a reader of one file, or of one folder's names, needs.
func (o *sending) entity(ctx context.Context, end ipfs.CID, part span) error {
	data, err := o.put(ctx, end)
	if err != nil || end.Codec != ipfs.DagPB {
		return err
	}
	kind, links, sizes, inline, err := ipfs.Children(data)
	if err != nil || kind == ipfs.KindDirectory {
		return err
	}
	if kind == ipfs.KindShard {
		return o.shards(ctx, links, 1)
	}
	size := int64(len(inline))
	for _, n := range sizes {
		if n > math.MaxInt64-size {
			return errNoBlock
		}
		size += n
	}
	from, to, some := part.within(size)
	if !some {
		return nil
	}
	return o.parts(ctx, links, sizes, int64(len(inline)), from, to, 1)
}

// shards sends the other shards of a folder. depth is theirs.
func (o *sending) shards(ctx context.Context, links []ipfs.Link, depth int) error {
	const digits = 2 // of a link that leads to a shard
	for _, l := range links {
		if len(l.Name) != digits || o.done[l.CID] {
			continue
		}
		if depth >= maxShards {
			return errNoBlock
		}
		data, err := o.put(ctx, l.CID)
		if err != nil {
			return err
		}
		_, below, _, _, err := ipfs.Children(data)
		if err == nil {
			err = o.shards(ctx, below, depth+1)
		}
		if err != nil {
			return err
		}
		o.ended(l.CID)
	}
	return nil
}

// maxParts is how many levels the tree of a file has: each level has 1024 times the content.
const maxParts = 8

// parts sends what holds the bytes from from to to. at is where the first link begins, and
// depth how deep the links lead. A node that was sent for a part of it is looked into again.
func (o *sending) parts(ctx context.Context, links []ipfs.Link, sizes []int64, at, from, to int64, depth int) error {
	for i, l := range links {
		begin, end := at, at+sizes[i]
		at = end
		if end <= from || begin > to || sizes[i] == 0 || o.done[l.CID] {
			continue
		}
		if depth >= maxParts {
			return errNoBlock
		}
		data, err := o.put(ctx, l.CID)
		if err != nil {
			return err
		}
		if l.CID.Codec != ipfs.DagPB {
			continue
		}
		_, below, lengths, inline, err := ipfs.Children(data)
		if err == nil {
			err = o.parts(ctx, below, lengths, begin+int64(len(inline)), from, to, depth+1)
		}
		if err != nil {
			return err
		}
		if from <= begin && end-1 <= to {
			o.ended(l.CID)
		}
	}
	return nil
}
