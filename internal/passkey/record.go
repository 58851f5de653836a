package passkey

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"coffer/internal/keyring"
)

// place is what a record is bound to. A row whose id or date was changed by hand opens
// nothing: the date decides what a stopped recovery removes.
func place(r row) string { return r.ID + " " + strconv.FormatInt(r.Created, 10) }

func sealRecord(key *keyring.DataKey, r row, rec record) ([]byte, error) {
	plain, err := json.Marshal(rec)
	if err != nil {
		return nil, err
	}
	return key.Seal(line, "record", place(r), plain), nil
}

func openRecord(key *keyring.DataKey, r row) (record, error) {
	var rec record
	plain, err := key.Open(line, "record", place(r), r.Record)
	if err != nil {
		return rec, fmt.Errorf("open passkey %s: %w", r.ID, err)
	}
	return rec, json.Unmarshal(plain, &rec)
}

func sealName(key *keyring.DataKey, r row, name string) []byte {
	return key.Seal(line, "name", r.ID, []byte(name))
}

// open is openRecord, and tells the log of a row that was altered in the database.
func (s *Service) open(ctx context.Context, key *keyring.DataKey, r row) (record, error) {
	rec, err := openRecord(key, r)
	if altered(err) {
		s.Log.ErrorContext(ctx, "passkey: a passkey was altered in the database and counts for nothing", "account", string(r.Account), "passkey", r.ID)
	}
	return rec, err
}
