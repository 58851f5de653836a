package search

import (
	"slices"
	"sync"

	"github.com/google/uuid"

	"coffer/internal/file"
)

// names is the index of an account's names: segments of up to maxSegment entries, and the
// tree of folders. A change of an entry goes into a new small segment, and small segments
// are merged, so that the work of a change does not grow with the account.
type names struct {
	tree tree

	mu       sync.RWMutex
	count    int64 // the tree's count up to which all changes are in
	segments []*segment
}

// tree is the folders of an account. An entry is there when the root leads to it: folders in
// the trash and below deleted ones are not, whatever their own rows say.
type tree struct {
	mu      sync.RWMutex
	folders []folder // the root first
	numbers map[uuid.UUID]int32
}

// folder is a folder and the number of the one above it.
type folder struct {
	id    uuid.UUID
	above int32
}

// nowhere is above a folder whose row has not come, or has gone.
const nowhere = -1

func newNames() *names {
	return &names{tree: tree{folders: []folder{{above: nowhere}}, numbers: map[uuid.UUID]int32{{}: 0}}}
}

// number returns the number of the folder with an id; the zero one is the root's.
func (t *tree) number(id uuid.UUID) int32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.add(id)
}

func (t *tree) add(id uuid.UUID) int32 {
	n, ok := t.numbers[id]
	if !ok {
		n = int32(len(t.folders))
		t.numbers[id] = n
		t.folders = append(t.folders, folder{id, nowhere})
	}
	return n
}

// put says which folder is above another.
func (t *tree) put(id uuid.UUID, above int32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.folders[t.add(id)].above = above
}

// known returns an entry whose folder is in a tree that nothing changes any more.
func (t *tree) known(n file.Named) (e entry, ok bool) {
	var up, zero uuid.UUID
	id, err := uuid.Parse(n.ID)
	if err == nil && n.Parent != "" {
		if up, err = uuid.Parse(n.Parent); up == zero {
			return e, false
		}
	}
	folder, ok := t.numbers[up]
	return entry{id, folder, n.ModifiedAt}, ok && err == nil && id != zero
}

func (t *tree) size() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return 80 * len(t.folders)
}

// below returns a function that reports whether a folder is a given one or below it.
func (t *tree) below(top int32) func(folder int32) bool {
	const unknown, yes, no = 0, 1, 2
	known := make([]byte, len(t.folders))
	known[0], known[top] = no, yes
	return func(folder int32) bool {
		var way [file.MaxDepth + 1]int32
		n := 0
		for folder != nowhere && known[folder] == unknown && n < len(way) {
			way[n] = folder
			n++
			folder = t.folders[folder].above
		}
		leads := byte(no)
		if folder != nowhere && known[folder] == yes {
			leads = yes
		}
		for _, f := range way[:n] {
			known[f] = leads
		}
		return leads == yes
	}
}

// find returns up to limit entries that are below a folder, have all words and stand behind
// after in the order of answers.
func (x *names) find(words []string, under uuid.UUID, after *entry, limit int) (found []entry) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	x.tree.mu.RLock()
	defer x.tree.mu.RUnlock()
	top, ok := x.tree.numbers[under]
	if !ok {
		return nil
	}
	below := x.tree.below(top)
	type source struct {
		*segment
		set   bitmap
		place int // of its best entry; -1 at its end
	}
	var sources []source
	step := func(s *source, from int) {
		for s.place = s.set.next(from); s.place >= 0 && !below(s.entries[s.place].folder); {
			s.place = s.set.next(s.place + 1)
		}
	}
	for _, g := range x.segments {
		s := source{segment: g, set: g.match(words)}
		from := 0
		if after != nil {
			i, there := slices.BinarySearchFunc(g.entries, *after, entry.compare)
			if from = i; there {
				from++
			}
		}
		if step(&s, from); s.place >= 0 {
			sources = append(sources, s)
		}
	}
	for len(found) < limit && len(sources) > 0 {
		best := 0
		for i := range sources {
			if sources[i].entries[sources[i].place].compare(sources[best].entries[sources[best].place]) < 0 {
				best = i
			}
		}
		s := &sources[best]
		found = append(found, s.entries[s.place])
		if step(s, s.place+1); s.place < 0 {
			sources = slices.Delete(sources, best, best+1)
		}
	}
	return found
}

// take adds segments that hold the changes up to a count. Entries that are in older segments
// leave those.
func (x *names) take(count int64, fresh []*segment) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.count = count
	for _, g := range fresh {
		for _, e := range g.entries {
			x.remove(e.id)
		}
	}
	x.segments = append(x.segments, fresh...)
	for i, g := range x.segments {
		if g.gaps() {
			x.segments[i] = merge(g)
		}
	}
	x.segments = slices.DeleteFunc(x.segments, func(g *segment) bool { return g.live == 0 })
	slices.SortStableFunc(x.segments, func(g, h *segment) int { return h.live - g.live })
	for n := len(x.segments); n >= 2; n-- {
		last, before := x.segments[n-1], x.segments[n-2]
		if last.live*2 < before.live || last.live+before.live > maxSegment || last.text+before.text > maxText {
			break
		}
		x.segments = append(x.segments[:n-2], merge(before, last))
	}
}

// remove marks an entry as gone wherever it is.
func (x *names) remove(id uuid.UUID) {
	for _, g := range x.segments {
		if place, ok := g.find(id); ok {
			g.remove(place)
		}
	}
}

// lose forgets entries, and what is below those that are folders. Their rows are gone, and a
// row that is gone does not come back.
func (x *names) lose(ids []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.tree.mu.Lock()
	defer x.tree.mu.Unlock()
	for _, id := range ids {
		u, err := uuid.Parse(id)
		if err != nil {
			continue
		}
		x.remove(u)
		if n, ok := x.tree.numbers[u]; ok && n > 0 {
			x.tree.folders[n].above = nowhere
		}
	}
}

func (x *names) upTo() int64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.count
}

func (x *names) size() (n int) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for _, g := range x.segments {
		n += g.size()
	}
	return n + x.tree.size()
}

// reader collects entries into segments. Several may collect for one index at once.
type reader struct {
	tree  *tree
	full  func(*segment) error // takes each segment
	built builder
	err   error

	lastParent string // most entries have the folder of the one before
	folder     int32
}

// add takes an entry.
func (r *reader) add(n file.Named) {
	e, ok := r.entry(n)
	if !ok || r.err != nil {
		return
	}
	r.built.add(e, n.Name)
	if len(r.built.entries) == maxSegment || len(r.built.text) > maxText-maxNameText {
		r.err = r.full(r.built.build())
	}
}

// entry returns what an index keeps of an entry, and puts a folder into the tree. The zero id
// is the root's alone, so a row that has it is left out.
func (r *reader) entry(n file.Named) (e entry, ok bool) {
	var zero uuid.UUID
	id, err := uuid.Parse(n.ID)
	if err != nil || id == zero {
		return e, false
	}
	if n.Parent != r.lastParent {
		var up uuid.UUID
		if n.Parent != "" {
			if up, err = uuid.Parse(n.Parent); err != nil || up == zero {
				return e, false
			}
		}
		r.lastParent, r.folder = n.Parent, r.tree.number(up)
	}
	if n.Kind == file.Folder {
		r.tree.put(id, r.folder)
	}
	return entry{id, r.folder, n.ModifiedAt}, true
}

// end takes the last segment.
func (r *reader) end() error {
	if r.err == nil && len(r.built.entries) > 0 {
		r.err = r.full(r.built.build())
	}
	return r.err
}
