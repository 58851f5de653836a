package treelog

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// The findings of an audit.
const (
	Edited    = "edited"
	Missing   = "missing"
	Inserted  = "inserted"
	Reordered = "reordered"
	Forked    = "forked"
	Unsigned  = "unsigned"
)

// Anchor is a checkpoint whose signature was checked, and where it came from.
type Anchor struct {
	Checkpoint
	From string
}

// Finding is one thing that is wrong with a ledger, with the entries From ≤ n < To.
type Finding struct {
	Kind     string
	From, To int64
	Text     string
}

// Report is what an audit says.
type Report struct {
	Entries int64 // that were read
	Signed  int64 // of them below the newest checkpoint that they lead to
	Held    int   // checkpoints that the entries lead to
	Open    int   // checkpoints that could not be compared
	Wrong   []Finding
}

const (
	// mostFindings bounds what a report keeps of one kind.
	mostFindings = 20
	// widest bounds the entries between two checkpoints among which an inserted one is sought.
	widest = 4096
)

// Audit compares a list of entries with checkpoints. Its memory does not grow with the list.
// The zero value compares with none.
type Audit struct {
	anchors []Anchor
	met     int    // anchors that were compared
	good    []bool // of them: the entries lead there
	failed  bool   // one of them is false
	tree    Frontier
	last    Entry
	broken  bool // the list itself is wrong: places from there on mean nothing
	wrong   []Finding
	count   map[string]int // findings of each kind

	due    string // entries before this time must be below a checkpoint
	frozen *Entry // the first that is not

	// Since the last checkpoint that held.
	base   *Frontier
	window []Entry
	full   bool
}

// NewAudit begins an audit.
func NewAudit(anchors []Anchor) *Audit {
	a := &Audit{anchors: slices.Clone(anchors), base: &Frontier{}, count: map[string]int{}}
	slices.SortStableFunc(a.anchors, func(x, y Anchor) int { return cmp.Compare(x.Size, y.Size) })
	return a
}

// Due makes an entry before a time a finding, if no checkpoint reaches it: the keeper signs no
// more, or hides what it has signed.
func (a *Audit) Due(before time.Time) { a.due = before.UTC().Format(TimeForm) }

// newest returns the size of the largest checkpoint.
func (a *Audit) newest() int64 {
	if len(a.anchors) == 0 {
		return 0
	}
	return a.anchors[len(a.anchors)-1].Size
}

// Add adds the next entry of the list, in the order in which the list has it.
func (a *Audit) Add(e Entry) {
	a.meet()
	if !a.broken {
		a.place(e)
	}
	if a.broken {
		a.late(e)
		a.tree.size++ // only counted
		a.last = e
		return
	}
	if a.frozen == nil && e.N >= a.newest() && e.Time < a.due {
		first := e
		a.frozen = &first
	}
	a.tree.Add(e.Leaf())
	a.last = e
	switch {
	case a.full:
	case len(a.window) > widest:
		a.window, a.full = nil, true
	default:
		a.window = append(a.window, e)
		a.full = a.failed // one entry behind the checkpoint is enough
	}
}

// place checks what the list shows by itself: numbers, form and times.
func (a *Audit) place(e Entry) {
	n := a.tree.size
	switch {
	case e.N > n:
		a.find(Missing, n, e.N, "the list goes from %s to entry %d", before(n), e.N)
		a.broken = true
	case e.N < n && n > 0 && e.N == a.last.N:
		a.find(Inserted, e.N, e.N+1, "the list has entry %d twice", e.N)
		a.broken = true
	case e.N < n:
		a.find(Reordered, e.N, e.N+1, "entry %d comes behind entry %d", e.N, a.last.N)
		a.broken = true
	case e.Check() != nil:
		a.find(Edited, n, n+1, "entry %d is not in the form of an entry", n)
		a.broken = true
	case n > 0 && e.Time < a.last.Time:
		a.find(Reordered, n-1, n+1, "entry %d is older than entry %d", n, n-1)
	}
}

// late finds an entry that seemed to be missing behind its place.
func (a *Audit) late(e Entry) {
	for i, f := range a.wrong {
		if f.Kind == Missing && f.From <= e.N && e.N < f.To {
			a.wrong[i] = Finding{Reordered, e.N, e.N + 1, fmt.Sprintf("entry %d comes behind entry %d", e.N, a.last.N)}
		}
	}
}

func before(n int64) string {
	if n == 0 {
		return "its beginning"
	}
	return fmt.Sprintf("entry %d", n-1)
}

func (a *Audit) find(kind string, from, to int64, format string, args ...any) {
	if a.count[kind]++; a.count[kind] > mostFindings {
		return
	}
	a.wrong = append(a.wrong, Finding{kind, from, to, fmt.Sprintf(format, args...)})
}

// meet compares the checkpoints of the size that the list has now.
func (a *Audit) meet() {
	for ; !a.broken && a.met < len(a.anchors) && a.anchors[a.met].Size == a.tree.size; a.met++ {
		held := a.anchors[a.met].Root == a.tree.Root()
		a.good = append(a.good, held)
		a.failed = a.failed || !held
		if !a.failed {
			a.base, a.window, a.full = a.tree.clone(), nil, false
		}
	}
}

// End returns what was found.
func (a *Audit) End() Report {
	a.meet()
	r := Report{Entries: a.tree.size, Open: len(a.anchors) - a.met}
	for i, held := range a.good {
		if held {
			r.Held++
			r.Signed = a.anchors[i].Size
		}
	}
	a.forks()
	a.firstFailed()
	if a.frozen != nil {
		a.find(Unsigned, a.frozen.N, a.frozen.N+1, "entry %d is of %s, and no checkpoint covers it yet", a.frozen.N, a.frozen.Time)
	}
	r.Wrong = a.wrong
	return r
}

// forks finds checkpoints that cannot both be of one log: two of one size, or an earlier one
// that fails where a later one holds.
func (a *Audit) forks() {
	for i := 1; i < len(a.anchors); i++ {
		x, y := a.anchors[i-1], a.anchors[i]
		if x.Size == y.Size && x.Root != y.Root {
			a.find(Forked, 0, x.Size, "the checkpoints of %s and %s have %d entries and different roots, and both are signed", x.From, y.From, x.Size)
		}
	}
	lastHeld, from := lastHeld(a.good), int64(0)
	for i, held := range a.good {
		if held {
			from = a.anchors[i].Size
		}
		if !held && i < lastHeld && a.anchors[i].Size < a.anchors[lastHeld].Size {
			a.find(Forked, from, a.anchors[i].Size, "the checkpoint of %s at %d entries and that of %s at %d are both signed, and the second does not continue the first",
				a.anchors[i].From, a.anchors[i].Size, a.anchors[lastHeld].From, a.anchors[lastHeld].Size)
		}
	}
}

func lastHeld(good []bool) int {
	for i := len(good) - 1; i >= 0; i-- {
		if good[i] {
			return i
		}
	}
	return -1
}

// firstFailed says what the first checkpoint that fails for good means.
func (a *Audit) firstFailed() {
	lastHeld, from := lastHeld(a.good), int64(0)
	if lastHeld >= 0 {
		from = a.anchors[lastHeld].Size
	}
	newest := a.newest()
	short := newest - a.tree.size
	failed := lastHeld + 1
	if failed >= len(a.good) { // none of those that were compared
		if short > 0 && !a.broken {
			a.find(Missing, a.tree.size, newest, "a checkpoint of %s has %d entries, and the list %d", a.anchors[len(a.anchors)-1].From, newest, a.tree.size)
		}
		return
	}
	if at := a.anchors[failed]; at.Size > from {
		switch place, found := a.surplus(at); {
		case len(a.wrong) > 0 && slices.ContainsFunc(a.wrong, func(f Finding) bool { return f.Kind != Forked }):
			// The list says itself what is wrong.
		case short > 0:
			a.find(Missing, from, at.Size, "%d entries are missing, the first of them among %s; the rest was numbered again", short, span(from, at.Size))
		case found:
			a.find(Inserted, place, place+1, "without entry %d the list leads to the checkpoint of %s at %d entries", place, at.From, at.Size)
		default:
			a.find(Edited, from, at.Size, "%s do not lead to the checkpoint of %s at %d entries", span(from, at.Size), at.From, at.Size)
		}
	}
}

func span(from, to int64) string {
	if to == from+1 {
		return fmt.Sprintf("entry %d", from)
	}
	return fmt.Sprintf("the entries %d to %d", from, to-1)
}

// surplus seeks the one entry without which the list leads to a checkpoint.
func (a *Audit) surplus(at Anchor) (place int64, found bool) {
	width := int(at.Size - a.base.size)
	if len(a.window) <= width || width <= 0 {
		return 0, false
	}
	moved := make([]Hash, width+1)
	for i, e := range a.window[:width+1] {
		e.N--
		moved[i] = e.Leaf()
	}
	head := a.base.clone()
	for i := range width {
		tree := head.clone()
		for _, leaf := range moved[i+1:] {
			tree.Add(leaf)
		}
		if tree.Root() == at.Root {
			return a.base.size + int64(i), true
		}
		head.Add(a.window[i].Leaf())
	}
	return 0, false
}

// Comparison compares a list of entries with an earlier copy, and so names the very entries.
// It keeps a hash of each in memory.
type Comparison struct {
	copied []Hash
	places map[Hash]int64 // in the copy
	common []int64        // places in the copy, in the order of the list
	seen   map[Hash]bool
	other  map[int64]bool // numbers of entries that the copy does not have
}

// NewComparison begins without entries.
func NewComparison() *Comparison {
	return &Comparison{places: map[Hash]int64{}, seen: map[Hash]bool{}, other: map[int64]bool{}}
}

// content is the hash of an entry without its number.
func content(e Entry) Hash {
	e.N = 0
	return e.Leaf()
}

// Copied adds the next entry of the copy.
func (c *Comparison) Copied(e Entry) {
	h := content(e)
	c.places[h] = int64(len(c.copied))
	c.copied = append(c.copied, h)
}

// Add adds the next entry of the list. The copy is complete by then.
func (c *Comparison) Add(e Entry) {
	h := content(e)
	place, known := c.places[h]
	if !known || c.seen[h] {
		c.other[e.N] = true
		return
	}
	c.seen[h] = true
	c.common = append(c.common, place)
}

// End returns how the list differs from its copy. Entries behind the copy's end are new.
func (c *Comparison) End() (all []Finding) {
	count := map[string]int{}
	find := func(kind string, n int64, format string) {
		if count[kind]++; count[kind] > mostFindings {
			return
		}
		all = append(all, Finding{kind, n, n + 1, fmt.Sprintf(format, n)})
	}
	for i, h := range c.copied {
		n := int64(i)
		switch {
		case c.seen[h]:
		case c.other[n]:
			find(Edited, n, "entry %d is another one than in the copy")
			delete(c.other, n)
		default:
			find(Missing, n, "the copy has entry %d, and the list does not")
		}
	}
	for _, n := range slices.Sorted(maps.Keys(c.other)) {
		if n < int64(len(c.copied)) {
			find(Inserted, n, "the list has entry %d, and the copy does not")
		}
	}
	sorted := slices.Sorted(slices.Values(c.common))
	for i, n := range sorted {
		if c.common[i] != n {
			find(Reordered, n, "entry %d of the copy stands at another place")
		}
	}
	slices.SortStableFunc(all, func(x, y Finding) int { return cmp.Compare(x.From, y.From) })
	return all
}
