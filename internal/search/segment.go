package search

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// maxSegment is the most entries of a segment, so that two bytes name one.
const maxSegment = 1 << 16

// maxText is the most bytes of words, each as often as a name has it, of a segment: what
// builds one takes several times as much. Names of 60 bytes fill maxSegment before.
// maxNameText is more than what one name has.
const (
	maxText     = 8 << 20
	maxNameText = 64 << 10
)

// entry is what an index keeps of an entry beside its words.
type entry struct {
	id       uuid.UUID
	folder   int32 // in the index's folders
	modified int64 // unix milliseconds
}

// compare puts entries in the order of answers: the one modified last first.
func (e entry) compare(o entry) int {
	return cmp.Or(cmp.Compare(o.modified, e.modified), bytes.Compare(o.id[:], e.id[:]))
}

// segment is an inverted index of up to maxSegment entries. It does not change, apart from
// gone. An entry is known by its place in the order of answers.
type segment struct {
	entries  []entry
	byID     []uint16 // places, in the order of ids
	gone     bitmap   // entries that changed or went
	live     int
	text     int      // bytes of words that it was built of
	terms    string   // all words, sorted
	ends     []uint32 // of each word in terms
	postings []uint16 // the entries that have a word, words in order
	from     []uint32 // of each word in postings, and one more
}

type bitmap []uint64

func newBitmap(n int) bitmap    { return make(bitmap, (n+63)/64) }
func (b bitmap) set(i int)      { b[i>>6] |= 1 << (i & 63) }
func (b bitmap) has(i int) bool { return b[i>>6]>>(i&63)&1 != 0 }
func (g *segment) count() int   { return len(g.ends) }
func (g *segment) gaps() bool   { return 2*g.live < len(g.entries) }
func (g *segment) size() (n int) {
	return 32*len(g.entries) + 2*len(g.byID) + 8*len(g.gone) + len(g.terms) + 4*len(g.ends) + 2*len(g.postings) + 4*len(g.from)
}

func (g *segment) term(i int) string {
	start := uint32(0)
	if i > 0 {
		start = g.ends[i-1]
	}
	return g.terms[start:g.ends[i]]
}

// find returns the place of an entry that has not gone.
func (g *segment) find(id uuid.UUID) (place int, ok bool) {
	i, ok := slices.BinarySearchFunc(g.byID, id, func(p uint16, id uuid.UUID) int { return bytes.Compare(g.entries[p].id[:], id[:]) })
	if !ok || g.gone.has(int(g.byID[i])) {
		return 0, false
	}
	return int(g.byID[i]), true
}

func (g *segment) remove(place int) {
	g.gone.set(place)
	g.live--
}

// match returns the entries that have all words, each as the prefix of one of theirs; nil
// when there are none.
func (g *segment) match(words []string) bitmap {
	var all bitmap
	for _, w := range words {
		low := g.lowest(func(term string) bool { return term >= w })
		high := low + g.lowestFrom(low, func(term string) bool { return !strings.HasPrefix(term, w) })
		if low == high {
			return nil
		}
		some := newBitmap(len(g.entries))
		for _, p := range g.postings[g.from[low]:g.from[high]] {
			some.set(int(p))
		}
		if all == nil {
			all = some
			continue
		}
		for i := range all {
			all[i] &= some[i]
		}
	}
	for i := range all {
		all[i] &^= g.gone[i]
	}
	return all
}

func (g *segment) lowest(is func(term string) bool) int { return g.lowestFrom(0, is) }

// lowestFrom returns how many terms from the first on are not so. The terms that are come last.
func (g *segment) lowestFrom(first int, is func(term string) bool) int {
	n, end := first, g.count()
	for n < end {
		if middle := (n + end) / 2; is(g.term(middle)) {
			end = middle
		} else {
			n = middle + 1
		}
	}
	return n - first
}

// next returns the first place in the set from a place on, or -1.
func (b bitmap) next(place int) int {
	for i := place >> 6; i < len(b); i++ {
		rest := b[i]
		if i == place>>6 {
			rest &= ^uint64(0) << (place & 63)
		}
		if rest != 0 {
			return i<<6 + bits.TrailingZeros64(rest)
		}
	}
	return -1
}

// builder collects the entries of a segment.
type builder struct {
	entries []entry
	text    []byte   // the words of all entries, each behind its length
	ends    []uint32 // of each entry's words in text
	folded  []byte   // the last name
}

func (b *builder) add(e entry, name string) {
	b.folded = fold(b.folded[:0], name)
	split(b.folded, maxInner, b.word)
	b.end(e)
}

// word adds a word of the next entry. A name's 255 bytes grow when they are folded.
func (b *builder) word(w []byte) {
	w = w[:min(len(w), 255)]
	b.text = append(append(b.text, byte(len(w))), w...)
}

func (b *builder) end(e entry) {
	b.entries = append(b.entries, e)
	b.ends = append(b.ends, uint32(len(b.text)))
}

// build returns the segment and empties the builder.
func (b *builder) build() *segment {
	order := make([]int, len(b.entries))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return b.entries[i].compare(b.entries[j]) })
	g := &segment{entries: make([]entry, len(order)), byID: make([]uint16, len(order)), gone: newBitmap(len(order)), live: len(order), text: len(b.text)}
	// Words get numbers as they come, then their places in the sorted list.
	type word struct {
		text        string
		count, last uint32
	}
	type use struct {
		word  uint32
		place uint16
	}
	text := string(b.text)
	numbers := make(map[string]uint32, len(order))
	all := make([]word, 0, len(order))
	uses := make([]use, 0, 4*len(order))
	for place, i := range order {
		g.entries[place], g.byID[place] = b.entries[i], uint16(place)
		from := uint32(0)
		if i > 0 {
			from = b.ends[i-1]
		}
		for end := b.ends[i]; from < end; {
			w := text[from+1:][:text[from]]
			from += 1 + uint32(len(w))
			n, known := numbers[w]
			if !known {
				n = uint32(len(all))
				numbers[w] = n
				all = append(all, word{text: w})
			}
			if all[n].count > 0 && all[n].last == uint32(place) {
				continue // the name has it twice
			}
			all[n].count++
			all[n].last = uint32(place)
			uses = append(uses, use{n, uint16(place)})
		}
	}
	slices.SortFunc(g.byID, func(p, q uint16) int { return bytes.Compare(g.entries[p].id[:], g.entries[q].id[:]) })
	sorted := make([]uint32, len(all))
	for i := range sorted {
		sorted[i] = uint32(i)
	}
	slices.SortFunc(sorted, func(i, j uint32) int { return strings.Compare(all[i].text, all[j].text) })
	var terms strings.Builder
	g.ends, g.from = make([]uint32, len(all)), make([]uint32, len(all)+1)
	for i, n := range sorted {
		terms.WriteString(all[n].text)
		g.ends[i] = uint32(terms.Len())
		g.from[i+1] = g.from[i] + all[n].count
		all[n].last = g.from[i] // where its next use goes
	}
	g.terms = strings.Clone(terms.String())
	g.postings = make([]uint16, len(uses))
	for _, u := range uses {
		g.postings[all[u.word].last] = u.place
		all[u.word].last++
	}
	*b = builder{entries: b.entries[:0], text: b.text[:0], ends: b.ends[:0], folded: b.folded}
	return g
}

// merge returns one segment of what is left of some.
func merge(segments ...*segment) *segment {
	var b builder
	for _, g := range segments {
		uses := make([][]uint32, len(g.entries))
		for term := range g.count() {
			for _, p := range g.postings[g.from[term]:g.from[term+1]] {
				uses[p] = append(uses[p], uint32(term))
			}
		}
		for place, e := range g.entries {
			if g.gone.has(place) {
				continue
			}
			for _, term := range uses[place] {
				b.word([]byte(g.term(int(term))))
			}
			b.end(e)
		}
	}
	return b.build()
}
