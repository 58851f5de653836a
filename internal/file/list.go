package file

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/keyring"
)

// List returns one page of a folder's children ("" = root) and the cursor of the next
// one, "" when there is none. sort is name, created, modified or size, with "-" before
// it for the other direction.
//
// Names are sealed, so SQL cannot sort by them: the order by name is made here from all
// names of the folder, and kept (order.go). The other orders are SQL's.
func (s *Service) List(ctx context.Context, owner account.ID, parent, sort, cursor string, limit int) (entries []Entry, next string, err error) {
	return s.listBelow(ctx, owner, "", parent, sort, cursor, limit)
}

// listBelow is [Service.List] of a folder that is below the top.
func (s *Service) listBelow(ctx context.Context, owner account.ID, top, parent, sort, cursor string, limit int) (entries []Entry, next string, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		key, err := s.dataKey(ctx, tx, owner)
		if err != nil {
			return err
		}
		if err := s.below(ctx, tx, owner, top, parent); err != nil {
			return err
		}
		if _, err := s.ancestors(ctx, tx, owner, parent); err != nil {
			return err
		}
		entries, next, err = s.list(ctx, tx, key, owner, parent, sort, cursor, limit)
		if err != nil {
			return err
		}
		return s.mark(ctx, tx, owner, pointers(entries)...)
	})
	return entries, next, err
}

// list is [Service.List] of a folder that is known to be there, without marks.
func (s *Service) list(ctx context.Context, tx *db.Tx, key *keyring.DataKey, owner account.ID, parent, sort, cursor string, limit int) (entries []Entry, next string, err error) {
	by := strings.TrimPrefix(sort, "-")
	descending := by != sort
	after, err := openCursor(key, parent, sort, cursor)
	if err != nil {
		return nil, "", err
	}
	var rows []row
	if by == "name" {
		rows, err = s.pageByName(ctx, tx, key, owner, parent, descending, after, limit+1)
	} else {
		column := map[string]string{"created": "created_at", "modified": "modified_at", "size": "size"}[by]
		rows, err = readPage(ctx, tx, owner, parent, column, descending, after == nil, after.number(), after.entry(), limit+1)
	}
	if err != nil {
		return nil, "", err
	}
	more := len(rows) > limit
	rows = rows[:min(limit, len(rows))]
	if entries = s.showAll(ctx, owner, key, rows); more {
		next = sealCursor(key, parent, sort, position(by, rows[limit-1], entries[limit-1]))
	}
	return entries, next, nil
}

// mark is a place in an order: the value that is sorted by, and the id that breaks ties.
type mark struct {
	value []byte
	id    string
}

// position returns where an entry stands in the order by a property.
func position(by string, r row, e Entry) *mark {
	switch by {
	case "name":
		return &mark{value: []byte(nameKey(e.Kind, e.Name)), id: r.ID}
	case "created":
		return numberMark(r.CreatedAt, r.ID)
	case "modified":
		return numberMark(r.ModifiedAt, r.ID)
	}
	return numberMark(r.Size, r.ID)
}

func numberMark(n int64, id string) *mark {
	return &mark{value: binary.BigEndian.AppendUint64(nil, uint64(n)), id: id}
}

func (m *mark) number() int64 {
	if m == nil || len(m.value) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(m.value))
}

func (m *mark) entry() string {
	if m == nil {
		return ""
	}
	return m.id
}

// sealCursor names the last entry of a page of a folder in an order.
func sealCursor(key *keyring.DataKey, parent, sort string, m *mark) string {
	place := append(binary.BigEndian.AppendUint16(nil, uint16(len(m.id))), m.id...)
	return key.SealCursor("files", parent+"/"+sort, append(place, m.value...))
}

// openCursor takes the place as sealCursor wrote it: only a holder of the account's key could write another.
func openCursor(key *keyring.DataKey, parent, sort, cursor string) (*mark, error) {
	place, err := key.OpenCursor("files", parent+"/"+sort, cursor)
	if err != nil || cursor == "" {
		return nil, err
	}
	n := 2 + int(binary.BigEndian.Uint16(place))
	return &mark{id: string(place[2:n]), value: place[n:]}, nil
}

// pageByName returns up to limit rows behind the mark in the order by name.
func (s *Service) pageByName(ctx context.Context, tx *db.Tx, key *keyring.DataKey, owner account.ID, parent string, descending bool, after *mark, limit int) ([]row, error) {
	changes, err := readChanges(ctx, tx, owner, parent)
	if err != nil {
		return nil, err
	}
	all, ok := s.orders.get(owner, parent, changes)
	if !ok {
		names, err := readNames(ctx, tx, owner, parent)
		if err != nil {
			return nil, err
		}
		all = sorted(key, parent, names)
		s.orders.put(owner, parent, changes, all)
	}
	page := slicePage(all, descending, after, limit)
	rows, err := readByID(ctx, tx, owner, page)
	if err != nil {
		return nil, err
	}
	rank := make(map[string]int, len(page))
	for i, id := range page {
		rank[id] = i
	}
	slices.SortFunc(rows, func(a, b row) int { return rank[a.ID] - rank[b.ID] })
	return rows, nil
}
