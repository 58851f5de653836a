package keyring

import (
	"encoding/base64"
	"encoding/binary"

	"coffer/internal/fault"
)

var errCursor = fault.InvalidField("query.cursor", "invalid_cursor", "The cursor does not belong to this list.")

// SealCursor returns the cursor of a page that ends at a place in the list's order. A place may hold a
// name, and cursors stand in URLs and so in logs: it is sealed. It opens for the same account, table and list only.
func (k *DataKey) SealCursor(table, list string, place []byte) string {
	return base64.RawURLEncoding.EncodeToString(k.Seal(table, "cursor", list, place))
}

// OpenCursor returns the place that [DataKey.SealCursor] sealed for the same list, and nil of the cursor "".
// Every other cursor is an invalid field.
func (k *DataKey) OpenCursor(table, list, cursor string) (place []byte, err error) {
	if cursor == "" {
		return nil, nil
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		place, err = k.Open(table, "cursor", list, sealed)
	}
	if err != nil {
		return nil, errCursor
	}
	return place, nil
}

// Mark is a place in an order by time, and by id among equal times.
type Mark struct {
	At int64
	ID string
}

// SealMark is [DataKey.SealCursor] of a mark.
func (k *DataKey) SealMark(table, list string, m Mark) string {
	return k.SealCursor(table, list, append(binary.BigEndian.AppendUint64(nil, uint64(m.At)), m.ID...))
}

// OpenMark is [DataKey.OpenCursor] of a mark; it returns nil of the cursor "".
func (k *DataKey) OpenMark(table, list, cursor string) (*Mark, error) {
	place, err := k.OpenCursor(table, list, cursor)
	if err != nil || cursor == "" {
		return nil, err
	}
	if len(place) < 8 {
		return nil, errCursor
	}
	return &Mark{int64(binary.BigEndian.Uint64(place)), string(place[8:])}, nil
}
