package file

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/keyring"
)

// damagedName stands for a name that does not open.
const damagedName = "damaged"

func openName(key *keyring.DataKey, r row) (string, error) {
	name, err := key.Open("files", "name", nameRow(r.ID, r.Parent, r.Kind, r.NameIndex), r.Name)
	if err != nil {
		return damagedName, fmt.Errorf("open the name of entry %s: %w", r.ID, err)
	}
	return string(name), nil
}

// open returns the entry that a row holds. Where a value of the row is not the one that
// was sealed with it there is an error, too, and the entry is damaged: what of it does not
// open is left out.
func open(key *keyring.DataKey, r row) (Entry, error) {
	e := Entry{
		ID: r.ID, Kind: r.Kind, Size: r.Size, Thumbnail: r.Thumbnail,
		CreatedAt: time.UnixMilli(r.CreatedAt).UTC(), ModifiedAt: time.UnixMilli(r.ModifiedAt).UTC(),
	}
	if r.Parent != "" {
		e.Parent = &r.Parent
	}
	var nameErr error
	e.Name, nameErr = openName(key, r)
	d, detailsErr := openDetails(key, r)
	if r.Kind == File && detailsErr == nil {
		e.MediaType, e.SHA256 = d.mediaType, hex.EncodeToString(d.sum[:])
	} else if r.Kind == File {
		e.MediaType = content.UnknownType
	}
	err := errors.Join(nameErr, detailsErr)
	e.Damaged = err != nil
	return e, err
}

// show is open for a list or an answer: one bad row hides no other, and can be deleted.
func (s *Service) show(ctx context.Context, owner account.ID, key *keyring.DataKey, r row) Entry {
	e, err := open(key, r)
	if err != nil {
		s.reports.once("damaged "+r.ID, func() {
			s.Log.ErrorContext(ctx, "file: an entry does not open", "account", owner, "entry", r.ID, "error", err)
		})
	}
	return e
}

func (s *Service) showAll(ctx context.Context, owner account.ID, key *keyring.DataKey, rows []row) []Entry {
	entries := make([]Entry, len(rows))
	for i, r := range rows {
		entries[i] = s.show(ctx, owner, key, r)
	}
	return entries
}

// reports remembers what the log was told, so that a list that is read again and again
// does not fill it.
type reports struct {
	mu   sync.Mutex
	told map[string]bool
}

// maxReports bounds what is remembered.
const maxReports = 10_000

// once calls tell unless it did so for the same subject lately.
func (r *reports) once(subject string, tell func()) {
	r.mu.Lock()
	known := r.told[subject]
	if !known {
		if r.told == nil || len(r.told) >= maxReports {
			r.told = map[string]bool{}
		}
		r.told[subject] = true
	}
	r.mu.Unlock()
	if !known {
		tell()
	}
}
