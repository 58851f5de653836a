package file

import (
	"context"
	"fmt"
	"slices"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/keyring"
)

// naming gives entries of one request names that are free in their folder: the name that
// an entry wants, or that name with a number. It asks for many names in one statement, and
// for all entries of one name together.
type naming struct {
	key    *keyring.DataKey
	owner  account.ID
	parent string
	except string // an entry that takes no name from itself
	all    []*wanted
	bases  []*base
	byName map[string]*base
	out    map[string]bool // by index: given to an entry of this request, or refused
}

// wanted is an entry that wants a name.
type wanted struct {
	row  *row
	base *base
	name string // "" while it has none
}

// base is a name that entries want, and how far the search for its numbers has come.
type base struct {
	name    string
	kind    Kind
	open    []*wanted // have no name yet
	next    int       // the lowest number that may be free
	leaping bool      // a long run of taken numbers is searched, not walked
	leaps   int
}

func newNaming(key *keyring.DataKey, owner account.ID, parent string) *naming {
	return &naming{key: key, owner: owner, parent: parent, byName: map[string]*base{}, out: map[string]bool{}}
}

// want adds an entry. It gets the name itself when no other entry of the request has it.
func (n *naming) want(r *row, name string) *wanted {
	b := n.byName[string(r.Kind)+"/"+name]
	if b == nil {
		b = &base{name: name, kind: r.Kind, next: 1}
		n.byName[string(r.Kind)+"/"+name] = b
		n.bases = append(n.bases, b)
	}
	w := &wanted{row: r, base: b}
	n.all = append(n.all, w)
	if index := nameIndex(n.key, n.parent, name); !n.out[string(index)] {
		n.give(w, name, index)
	} else {
		b.open = append(b.open, w)
	}
	return w
}

func (n *naming) give(w *wanted, name string, index []byte) {
	w.name, w.row.NameIndex = name, index
	w.row.sealName(n.key, name)
	n.out[string(index)] = true
}

// refuse takes a name back that turned out to be taken.
func (n *naming) refuse(w *wanted) {
	w.name = ""
	w.base.open = append(w.base.open, w)
}

// check refuses every name that is taken.
func (n *naming) check(ctx context.Context, q db.Querier) error {
	var indexes [][]byte
	for _, w := range n.all {
		if w.name != "" {
			indexes = append(indexes, w.row.NameIndex)
		}
	}
	taken, err := readTaken(ctx, q, n.owner, n.parent, n.except, indexes)
	for _, w := range n.all {
		if w.name != "" && taken[string(w.row.NameIndex)] {
			n.refuse(w)
		}
	}
	return err
}

// candidate is a number that is asked for.
type candidate struct {
	number int
	name   string
	index  []byte
}

// find gives a name to each entry that has none. Each round asks for all bases together.
func (n *naming) find(ctx context.Context, q db.Querier) error {
	for {
		asked := map[*base][]candidate{}
		var indexes [][]byte
		for _, b := range n.bases {
			if len(b.open) == 0 {
				continue
			}
			for _, number := range b.numbers() {
				c := candidate{number: number, name: numbered(b.name, b.kind, number)}
				c.index = nameIndex(n.key, n.parent, c.name)
				asked[b] = append(asked[b], c)
				if !n.out[string(c.index)] {
					indexes = append(indexes, c.index)
				}
			}
		}
		if len(asked) == 0 {
			return nil
		}
		taken, err := readTaken(ctx, q, n.owner, n.parent, n.except, indexes)
		if err != nil {
			return err
		}
		for _, b := range n.bases {
			if all := asked[b]; all != nil {
				n.learn(b, all, func(c candidate) bool { return !n.out[string(c.index)] && !taken[string(c.index)] })
			}
		}
	}
}

// numbers returns what to ask for next, in ascending order: the next numbers, or steps that
// double.
func (b *base) numbers() (all []int) {
	if b.leaping {
		for far := 1; far <= 1<<20; far *= 2 {
			all = append(all, b.next+far-1)
		}
		return all
	}
	size := len(b.open) + 2
	if b.next == 1 {
		size = min(size, few) // there may be a run to leap over
	}
	for i := range size {
		all = append(all, b.next+i)
	}
	return all
}

// few is how many numbers are walked through before there is a leap.
const few = 16

// learn takes the answer to what [base.numbers] asked for.
func (n *naming) learn(b *base, all []candidate, free func(candidate) bool) {
	end := all[len(all)-1].number + 1
	if b.leaping {
		switch i := slices.IndexFunc(all, free); i {
		case -1:
			b.next = end
		default: // the run ends between two of the steps, whose distance halves each time
			if i > 0 {
				b.next = all[i-1].number + 1
			}
			b.leaping = all[i].number-b.next > max(few, len(b.open))
		}
		return
	}
	last := false
	for _, c := range all {
		if len(b.open) == 0 {
			return
		}
		if last = free(c); last {
			n.give(b.open[0], c.name, c.index)
			b.open, b.next = b.open[1:], c.number+1
		}
	}
	b.next = end
	if len(b.open) > 0 && !last {
		// In a run with many holes each leap begins further away, so that the search ends.
		b.next += 1<<max(0, b.leaps-few/2) - 1
		b.leaping = true
		b.leaps++
	}
}

// maxRounds is how often names may turn out to be taken behind the account's lock, where
// the first answer is the last. More often is a broken index.
const maxRounds = 8

// insert stores the entries of n, whose height and all else but the names is set.
func (c *changing) insert(ctx context.Context, n *naming) error {
	changes, err := touchFolder(ctx, c.tx, c.owner, n.parent)
	if err != nil {
		return err
	}
	todo := n.all
	for range maxRounds {
		if err := n.find(ctx, c.tx); err != nil {
			return err
		}
		rows := make([]*row, len(todo))
		for i, w := range todo {
			w.row.Change = c.count
			rows[i] = w.row
		}
		stored, err := insertRows(ctx, c.tx, c.owner, rows)
		if err != nil {
			return err
		}
		var lost []*wanted
		for _, w := range todo {
			if !stored[w.row.ID] {
				n.refuse(w)
				lost = append(lost, w)
				continue
			}
			c.edits = append(c.edits, edit{folder: n.parent, changes: changes, id: w.row.ID, key: nameKey(w.row.Kind, w.name)})
		}
		if todo = lost; len(todo) == 0 {
			return nil
		}
	}
	return fmt.Errorf("internal error: file: no free name among %d in folder %q", len(n.all), n.parent)
}

// rename gives an entry that is stored another name, in the folder that r says.
func (c *changing) rename(ctx context.Context, r *row, name string) error {
	changes, err := touchFolder(ctx, c.tx, c.owner, r.Parent)
	if err != nil {
		return err
	}
	n := newNaming(c.key, c.owner, r.Parent)
	n.except = r.ID
	w := n.want(r, name)
	for range maxRounds {
		if err := n.find(ctx, c.tx); err != nil {
			return err
		}
		r.Change = c.count
		done, err := moveRow(ctx, c.tx, c.owner, r)
		if err != nil {
			return err
		}
		if done {
			c.edits = append(c.edits, edit{folder: r.Parent, changes: changes, id: r.ID, key: nameKey(r.Kind, w.name)})
			return nil
		}
		n.refuse(w)
	}
	return fmt.Errorf("internal error: file: no free name in folder %q", r.Parent)
}
