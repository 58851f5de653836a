package file

import (
	"context"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/keyring"
)

// Snapped is an entry of a [Service.Snapshot].
type Snapped struct {
	Path       string // names below the top, joined by slashes; of a top that is a file its name
	Kind       Kind
	Object     string // of package content; "" for a folder
	Size       int64
	SHA256     string // of the content, hexadecimal; "" for a folder
	ModifiedAt time.Time
}

// The refusals of a snapshot.
var (
	ErrTooManyEntries = fault.New(fault.Conflict, "too_many_entries", "This takes at most 10,000 files and folders at once.")
	ErrDamaged        = fault.New(fault.Conflict, "damaged", "A file or folder in it is damaged. Delete it first.")
	// ErrLongPaths is for the caller, which knows why paths are bounded.
	ErrLongPaths = errors.New("file: the paths of a snapshot are too long together")
)

// SnapshotBounds are the most that a snapshot may hold: the memory of one call.
type SnapshotBounds struct {
	Entries int
	Paths   int // bytes of all paths together
}

// Snapshot returns an entry of the owner's and everything below it, ordered by path, as it is
// at one moment: tx is a view of it that other writers do not change. Nothing of the top but
// its name and kind is in the list when it is a folder. A damaged entry refuses the whole, and
// so does one beyond the bounds, before the rest is read.
func (s *Service) Snapshot(ctx context.Context, tx *db.Tx, owner account.ID, id string, most SnapshotBounds) (name string, kind Kind, all []Snapped, err error) {
	r, err := s.row(ctx, tx, owner, id)
	if err != nil {
		return "", "", nil, err
	}
	key, err := s.dataKey(ctx, tx, owner)
	if err != nil {
		return "", "", nil, err
	}
	if name, err = openName(key, r); err != nil {
		return "", "", nil, ErrDamaged.Because(err)
	}
	if r.Kind == File {
		one, err := snap(key, r, name)
		return name, File, []Snapped{one}, err
	}
	level := map[string]string{r.ID: ""} // paths with a slash behind, by the id of the folder
	for len(level) > 0 {
		left := most.Entries - len(all)
		rows, err := readBelow(ctx, tx, owner, slices.Sorted(maps.Keys(level)), left+1)
		if err != nil {
			return "", "", nil, err
		}
		if len(rows) > left {
			return "", "", nil, ErrTooManyEntries
		}
		next := map[string]string{}
		for _, r := range rows {
			above, ok := level[r.Parent]
			own, err := openName(key, r)
			if err != nil || !ok {
				return "", "", nil, ErrDamaged.Because(err)
			}
			if most.Paths -= len(above) + len(own); most.Paths < 0 {
				return "", "", nil, ErrLongPaths
			}
			one, err := snap(key, r, above+own)
			if err != nil {
				return "", "", nil, err
			}
			all = append(all, one)
			if r.Kind == Folder {
				next[r.ID] = one.Path + "/"
			}
		}
		level = next
	}
	slices.SortFunc(all, func(a, b Snapped) int { return strings.Compare(a.Path, b.Path) })
	return name, Folder, all, nil
}

func snap(key *keyring.DataKey, r row, path string) (Snapped, error) {
	d, err := openDetails(key, r)
	if err == nil && r.Kind == File && r.Blob == nil {
		err = errors.New("a file without an object")
	}
	if err != nil {
		return Snapped{}, ErrDamaged.Because(err)
	}
	one := Snapped{Path: path, Kind: r.Kind, Size: r.Size, ModifiedAt: time.UnixMilli(r.ModifiedAt).UTC()}
	if r.Kind == File {
		one.Object, one.SHA256 = *r.Blob, hex.EncodeToString(d.sum[:])
	}
	return one, nil
}
