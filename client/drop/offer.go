package drop

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"unicode/utf8"
)

// offered is an item of this member.
type offered struct {
	item Item
	said saidItem

	mu    sync.Mutex
	src   Source
	users int      // running transfers, and one while it is offered
	chain []digest // c_0, c_1, … as far as the content was read
}

// Offer offers items to all members, later ones too, in the order of sources. The
// member closes the sources: once withdrawn and no longer read, or at its end; on an error
// too. A member can offer 500 items.
func (m *Member) Offer(ctx context.Context, sources ...Source) ([]Item, error) {
	fresh := make([]*offered, 0, len(sources))
	fail := func(err error) ([]Item, error) {
		for _, s := range sources {
			_ = s.Close()
		}
		return nil, err
	}
	for _, s := range sources {
		o, err := m.newOffered(s)
		if err != nil {
			return fail(err)
		}
		fresh = append(fresh, o)
	}
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ctx.Err() != nil {
		return fail(m.Err())
	}
	if len(m.own)+len(fresh) > maxItems {
		return fail(fmt.Errorf("a member offers at most %d items; put the files into a folder", maxItems))
	}
	var items []Item
	var news []saidItem
	for _, o := range fresh {
		m.own = append(m.own, o)
		items, news = append(items, o.item), append(news, o.said)
	}
	for _, p := range m.people {
		if p.here {
			m.sayItems(p, news)
		}
	}
	return items, nil
}

func (m *Member) newOffered(s Source) (*offered, error) {
	info := s.Info()
	chunk := chunkFor(info.Size)
	switch {
	case info.Name == "" || len(info.Name) > maxName || !utf8.ValidString(info.Name):
		return nil, fmt.Errorf("the name %q cannot be offered", info.Name)
	case info.Kind != File && info.Kind != Folder:
		return nil, fmt.Errorf("%q is neither a file nor a folder", info.Name)
	case info.Size < 0 || info.Files < 0 || chunksOf(info.Size, chunk) > maxChunks:
		return nil, fmt.Errorf("%q is too large", info.Name)
	case len(info.Type) > maxType || !utf8.ValidString(info.Type):
		info.Type = ""
	}
	id := m.id.String() + "." + b64(random(16))
	return &offered{
		item:  Item{ID: id, Owner: m.id.String(), Name: info.Name, Kind: info.Kind, Size: info.Size, Files: info.Files, Type: info.Type, Chunk: chunk},
		said:  saidItem{ID: id, Name: info.Name, Kind: string(info.Kind), Size: info.Size, Type: info.Type, Files: info.Files, Chunk: chunk},
		src:   s,
		users: 1,
		chain: []digest{firstDigest(chunk)},
	}, nil
}

// Withdraw ends the offer of items. Transfers that run go on.
func (m *Member) Withdraw(ids ...string) {
	m.mu.Lock()
	var gone []*offered
	m.own = slices.DeleteFunc(m.own, func(o *offered) bool {
		if !slices.Contains(ids, o.item.ID) {
			return false
		}
		gone = append(gone, o)
		return true
	})
	var names []string
	for _, o := range gone {
		names = append(names, o.item.ID)
	}
	for part := range slices.Chunk(names, 400) {
		for _, p := range m.people {
			if p.here {
				m.say(p, said{K: "withdraw", IDs: part})
			}
		}
	}
	m.mu.Unlock()
	for _, o := range gone {
		o.drop()
	}
}

// Offers are this member's own items.
func (m *Member) Offers() []Item {
	m.mu.Lock()
	defer m.mu.Unlock()
	var items []Item
	for _, o := range m.own {
		items = append(items, o.item)
	}
	return items
}

// use takes a hold of the source, if it is still open.
func (o *offered) use() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.users == 0 {
		return false
	}
	o.users++
	return true
}

// drop gives a hold back; the last one closes the source.
func (o *offered) drop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.users--; o.users == 0 {
		_ = o.src.Close()
	}
}

// read fills buf with chunk i.
func (o *offered) read(buf []byte, i int64) error {
	n, err := o.src.ReadAt(buf, i*int64(o.item.Chunk))
	if n == len(buf) {
		return nil
	}
	if err == nil || err == io.EOF {
		return ErrChanged // shorter than it was
	}
	return fmt.Errorf("%w: %w", ErrChanged, err)
}

// digestAt is c_k if the content was read that far.
func (o *offered) digestAt(k int64) (digest, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if k < int64(len(o.chain)) {
		return o.chain[k], true
	}
	return digest{}, false
}

// extend notes c_k, if it is the next one.
func (o *offered) extend(k int64, d digest) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if k == int64(len(o.chain)) {
		o.chain = append(o.chain, d)
	}
}

// forget drops all digests, because the content is not what they say.
func (o *offered) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.chain = o.chain[:1]
}

// prefix is c_k. It reads what was not read before. Its work is kept even when the asker
// has given up, so the next try finds it done.
func (o *offered) prefix(ctx context.Context, k int64) (digest, error) {
	o.mu.Lock()
	known := int64(len(o.chain)) - 1
	o.mu.Unlock()
	if k <= known {
		d, _ := o.digestAt(k)
		return d, nil
	}
	buf := getBuffer(o.item.Chunk)
	defer putBuffer(buf)
	d, _ := o.digestAt(known)
	for i := known; i < k; i++ {
		if err := ctx.Err(); err != nil {
			return digest{}, err
		}
		plain := (*buf)[:o.length(i)]
		if err := o.read(plain, i); err != nil {
			return digest{}, err
		}
		d = d.next(plain)
		o.extend(i+1, d)
	}
	return d, nil
}

func (o *offered) count() int64 { return chunksOf(o.item.Size, o.item.Chunk) }

func (o *offered) length(i int64) int {
	return int(min(int64(o.item.Chunk), o.item.Size-i*int64(o.item.Chunk)))
}
