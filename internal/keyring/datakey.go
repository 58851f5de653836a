package keyring

import (
	"context"
	"crypto/rand"
	"encoding/hex"

	"coffer/internal/seal"
)

// DataKey is one account's key. It is safe for concurrent use.
type DataKey struct {
	id    string // unchanged by re-wrapping, unlike the wrapping key's id
	field *seal.Key
	index []byte
}

// NewDataKey makes a data key for owner, and its wrapped form for storage. Deleting the
// wrapped form makes everything sealed by the key unreadable.
func (r *Ring) NewDataKey(ctx context.Context, owner string) (*DataKey, []byte, error) {
	plain := make([]byte, idSize+seal.KeySize)
	rand.Read(plain)
	wrapped, err := r.Seal(ctx, Field, plain, dataKeyAAD(owner))
	if err != nil {
		return nil, nil, err
	}
	return newDataKey(plain), wrapped, nil
}

// OpenDataKey returns the data key of owner from its wrapped form. It returns
// [seal.ErrOpen] when the form belongs to another owner.
func (r *Ring) OpenDataKey(ctx context.Context, owner string, wrapped []byte) (*DataKey, error) {
	plain, err := r.Open(ctx, Field, wrapped, dataKeyAAD(owner))
	if err != nil {
		return nil, err
	}
	if len(plain) != idSize+seal.KeySize {
		return nil, seal.ErrOpen
	}
	return newDataKey(plain), nil
}

// RenewDataKey is [Ring.Renew] for a wrapped data key.
func (r *Ring) RenewDataKey(ctx context.Context, owner string, wrapped []byte) (again []byte, changed bool, err error) {
	return r.Renew(ctx, Field, wrapped, dataKeyAAD(owner))
}

func newDataKey(plain []byte) *DataKey {
	secret := plain[idSize:]
	return &DataKey{
		id:    hex.EncodeToString(plain[:idSize]),
		field: seal.NewKey(derive(secret, "field")),
		index: derive(secret, "index"),
	}
}

func dataKeyAAD(owner string) []byte {
	return seal.LP([]byte("data-key"), []byte(owner))
}

// Seal seals one field. The result opens in this table, column and row only.
func (k *DataKey) Seal(table, column, row string, plaintext []byte) []byte {
	return k.field.Seal(plaintext, k.aad(table, column, row))
}

// Open returns what [DataKey.Seal] sealed for the same place, otherwise [seal.ErrOpen].
func (k *DataKey) Open(table, column, row string, sealed []byte) ([]byte, error) {
	return k.field.Open(sealed, k.aad(table, column, row))
}

func (k *DataKey) aad(table, column, row string) []byte {
	return seal.LP([]byte("coffer/field/v1"), []byte(table), []byte(column), []byte(row), []byte(k.id))
}

// Index returns the blind index of a canonical value among this account's rows. Equal names
// of two accounts have different indexes.
func (k *DataKey) Index(column, canonical string) []byte {
	return mac(k.index, []byte(column), []byte(canonical))
}
