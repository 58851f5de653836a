package file

import (
	"encoding/binary"
	"fmt"

	"coffer/internal/keyring"
	"coffer/internal/seal"
)

// A row that opens is a row that this server wrote. Everything that stands in clear in an
// entry's row is bound into what is sealed in it, so a writer of the database who moves,
// swaps or sets a value gets a row that does not open, never a wrong answer. The name binds
// what the tree needs: id, parent, kind and name_index. The details bind the rest: object,
// size and times. The object's own row is checked against the details when the two meet.

// errDamaged is a row and an object that do not belong together.
var errDamaged = fmt.Errorf("entry and object do not belong together: %w", seal.ErrOpen)

// nameRow is the place in which a name opens.
func nameRow(id, parent string, kind Kind, index []byte) string {
	return string(seal.LP([]byte(id), []byte(parent), []byte(kind), index))
}

// detailsRow is the place in which the details of a row open.
func (r *row) detailsRow() string {
	blob := ""
	if r.Blob != nil {
		blob = *r.Blob
	}
	numbers := binary.BigEndian.AppendUint64(nil, uint64(r.Size))
	numbers = binary.BigEndian.AppendUint64(numbers, uint64(r.CreatedAt))
	numbers = binary.BigEndian.AppendUint64(numbers, uint64(r.ModifiedAt))
	return string(seal.LP([]byte(r.ID), []byte(r.Kind), []byte(blob), numbers))
}

// details is what is sealed about a file beside its name; a folder's is empty.
type details struct {
	sum       [32]byte
	stored    int64 // when the content was stored, unix milliseconds
	mediaType string
}

// sealName seals a name into its row; parent, kind and name_index are set before.
func (r *row) sealName(key *keyring.DataKey, name string) {
	r.Name = key.Seal("files", "name", nameRow(r.ID, r.Parent, r.Kind, r.NameIndex), []byte(name))
}

// sealDetails seals the details into their row; everything that they bind is set before.
func (r *row) sealDetails(key *keyring.DataKey, d details) {
	var plain []byte
	if r.Kind == File {
		plain = append(binary.BigEndian.AppendUint64(d.sum[:], uint64(d.stored)), d.mediaType...)
	}
	r.Details = key.Seal("files", "details", r.detailsRow(), plain)
}

func openDetails(key *keyring.DataKey, r row) (d details, err error) {
	plain, err := key.Open("files", "details", r.detailsRow(), r.Details)
	if err != nil {
		return d, fmt.Errorf("open the details of entry %s: %w", r.ID, err)
	}
	if r.Kind == Folder {
		return d, nil
	}
	if len(plain) < len(d.sum)+8 || r.Blob == nil {
		return d, errDamaged
	}
	plain = plain[copy(d.sum[:], plain):]
	d.stored = int64(binary.BigEndian.Uint64(plain))
	d.mediaType = string(plain[8:])
	return d, nil
}
