package file

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"coffer/internal/account"
	"coffer/internal/keyring"
)

// ordered is one entry in the order by name.
type ordered struct{ key, id string }

// nameKey puts folders before files, and either by name as people sort.
func nameKey(kind Kind, name string) string {
	if kind == Folder {
		return "0" + naturalKey(name)
	}
	return "1" + naturalKey(name)
}

func compareOrdered(a, b ordered) int {
	return cmp.Or(strings.Compare(a.key, b.key), strings.Compare(a.id, b.id))
}

func sorted(key *keyring.DataKey, parent string, names []named) []ordered {
	all := make([]ordered, len(names))
	for i, n := range names {
		name, err := openName(key, row{ID: n.id, Parent: parent, Kind: n.kind, NameIndex: n.index, Name: n.name})
		if err != nil {
			name = damagedName
		}
		all[i] = ordered{nameKey(n.kind, name), n.id}
	}
	slices.SortFunc(all, compareOrdered)
	return all
}

// slicePage returns the ids of up to limit entries behind the mark.
func slicePage(all []ordered, descending bool, after *mark, limit int) []string {
	from, to := 0, len(all)
	if after != nil {
		at, found := slices.BinarySearchFunc(all, ordered{string(after.value), after.id}, compareOrdered)
		if to = at; !descending {
			from, to = at, len(all)
			if found {
				from++
			}
		}
	}
	var ids []string
	if descending {
		for i := to - 1; i >= from && len(ids) < limit; i-- {
			ids = append(ids, all[i].id)
		}
		return ids
	}
	for _, o := range all[from:min(to, from+limit)] {
		ids = append(ids, o.id)
	}
	return ids
}

// maxOrdered bounds the names that are kept in order: about 30 MB when all are long.
const maxOrdered = 150_000

// orders keeps the orders by name that were used last. Each carries its folder's count of
// changes, so an order is never old; on another node neither. What this node changes, the
// order follows, so that a large folder is not read again for each file that arrives.
type orders struct {
	mu    sync.Mutex
	kept  []order // used last stands last
	total int
}

type order struct {
	owner   account.ID
	folder  string
	changes int64
	all     []ordered
}

func (o *orders) get(owner account.ID, folder string, changes int64) ([]ordered, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, k := range o.kept {
		if k.owner == owner && k.folder == folder {
			o.kept = append(slices.Delete(o.kept, i, i+1), k)
			return k.all, k.changes == changes
		}
	}
	return nil, false
}

func (o *orders) put(owner account.ID, folder string, changes int64, all []ordered) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drop(owner, folder)
	o.add(order{owner, folder, changes, all})
}

// drop forgets an order and returns it.
func (o *orders) drop(owner account.ID, folder string) (k order, ok bool) {
	i := slices.IndexFunc(o.kept, func(k order) bool { return k.owner == owner && k.folder == folder })
	if i < 0 {
		return k, false
	}
	k = o.kept[i]
	o.kept = slices.Delete(o.kept, i, i+1)
	o.total -= k.cost()
	return k, true
}

func (o *orders) add(k order) {
	if k.cost() > maxOrdered {
		return
	}
	o.kept = append(o.kept, k)
	for o.total += k.cost(); o.total > maxOrdered; {
		o.total -= o.kept[0].cost()
		o.kept = slices.Delete(o.kept, 0, 1)
	}
}

// cost counts entries; an empty folder costs something too.
func (k order) cost() int { return len(k.all) + 100 }

// edit is one change of a folder's children that is committed.
type edit struct {
	folder  string
	changes int64 // the folder's count behind it
	id      string
	key     string // of the entry's new name
	gone    bool   // the entry is not in the folder any more
}

// follow brings the orders that are kept up to the edits. An order that has missed a change,
// of another node or of a request that overtook this one, is left to be made again.
func (o *orders) follow(owner account.ID, edits []edit) {
	byFolder := map[string][]edit{}
	for _, e := range edits {
		byFolder[e.folder] = append(byFolder[e.folder], e)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for folder, edits := range byFolder {
		k, ok := o.drop(owner, folder)
		if !ok || k.changes+1 != edits[0].changes {
			continue
		}
		k.all = edited(k.all, edits)
		k.changes = edits[len(edits)-1].changes
		o.add(k)
	}
}

// edited returns the order behind the edits, which are of one folder and without a gap. The
// order before it stays as it is: another request may be reading it.
func edited(all []ordered, edits []edit) []ordered {
	last := make(map[string]edit, len(edits)) // of an entry counts
	for _, e := range edits {
		last[e.id] = e
	}
	now := make([]ordered, 0, len(all)+len(last))
	for _, a := range all {
		if _, ok := last[a.id]; !ok {
			now = append(now, a)
		}
	}
	for id, e := range last {
		if !e.gone {
			now = append(now, ordered{e.key, id})
		}
	}
	slices.SortFunc(now, compareOrdered)
	return now
}
