package pin

import (
	"context"
	"errors"
	"io"
	"math"
	"slices"

	"coffer/internal/account"
	"coffer/internal/fault"
	"coffer/internal/ipfs"
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
	active map[account.ID]bool
	found  map[ipfs.CID]servedBlock // a folder may name one block ten thousand times
}

func (s *Service) newView() *view {
	return &view{s: s, makers: map[string]*maker{}, active: map[account.ID]bool{}, found: map[ipfs.CID]servedBlock{}}
}

// maxMakers bounds what a view remembers of pins and blocks: a stream may lead through many.
const maxMakers = 16

// find returns a block that the gateway shows. Any block may be read raw. A leaf is never read
// as a node: its bytes are a user's, and could name a DAG without end.
func (v *view) find(ctx context.Context, c ipfs.CID) (servedBlock, error) {
	if b, known := v.found[c]; known {
		return b, nil
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
			if err != nil {
				return servedBlock{}, err
			}
			if shown {
				b.CID.Codec = c.Codec
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

// shows reports whether an account is active. A stream asks once.
func (v *view) shows(ctx context.Context, owner account.ID) (bool, error) {
	if shown, known := v.active[owner]; known {
		return shown, nil
	}
	st, err := v.s.Accounts.State(ctx, owner)
	if errors.Is(err, account.ErrNotFound) {
		err = nil
	}
	if err == nil {
		v.active[owner] = st.Status == account.Active
	}
	return v.active[owner], err
}

// block returns the bytes of a block that the gateway shows. They have its digest.
func (v *view) block(ctx context.Context, c ipfs.CID) ([]byte, error) {
	b, err := v.find(ctx, c)
	if err != nil {
		return nil, err
	}
	m := v.makers[b.Pin]
	if m == nil {
		r, err := readByID(ctx, v.s.DB, b.Pin)
		if err == nil {
			m, err = v.s.newMaker(ctx, r)
		}
		if errors.Is(err, errNoPin) {
			return nil, errNoBlock
		}
		if err != nil {
			return nil, err
		}
		if len(v.makers) >= maxMakers {
			clear(v.makers)
		}
		v.makers[b.Pin] = m
	}
	return m.block(ctx, b.blockRow)
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
			data, err := v.block(ctx, end)
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
	if data, err = o.v.block(ctx, c); err != nil || before {
		return data, err
	}
	if o.seen != nil {
		o.seen[c] = true
	}
	return data, o.car.Put(ipfs.Block{CID: c, Data: data})
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
