package ledger

import (
	"context"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/keyring"
	"coffer/internal/treelog"
)

// LedgerEntry is an entry as every caller sees it.
type LedgerEntry treelog.Entry

// OwnLedgerEntry is an entry as its owner sees it.
type OwnLedgerEntry struct {
	treelog.Entry
	InCheckpoint bool `json:"in_checkpoint" doc:"Whether a checkpoint covers it: its proof can be had."`
}

// LedgerKey is a verifier key.
type LedgerKey struct {
	Key   string     `json:"key" doc:"C2SP signed-note verifier key: name+id+base64."`
	Since time.Time  `json:"since"`
	Until *time.Time `json:"until,omitempty" doc:"When another key followed; absent for the one that signs. Its checkpoints stay valid."`
}

// LedgerProof shows that an entry is in a checkpoint.
type LedgerProof struct {
	N          int64    `json:"n"`
	Size       int64    `json:"size" doc:"Of the checkpoint's tree."`
	Entry      string   `json:"entry" doc:"The entry's canonical JSON: its UTF-8 bytes are the leaf."`
	LeafHash   string   `json:"leaf_hash" doc:"SHA-256 of 0x00 and the leaf, in hexadecimal."`
	Hashes     []string `json:"hashes" doc:"The audit path (RFC 6962 §2.1.1), the lowest first, in hexadecimal."`
	Checkpoint string   `json:"checkpoint" doc:"The signed note."`
}

// LedgerGrowth shows that one tree begins with another.
type LedgerGrowth struct {
	From   int64    `json:"from"`
	To     int64    `json:"to"`
	Hashes []string `json:"hashes" doc:"The consistency proof (RFC 6962 §2.1.2), in hexadecimal."`
}

// entries returns entries from a place on, that of the next page, and the number of all.
func (s *Service) entries(ctx context.Context, from int64, limit int) (all []LedgerEntry, next string, size int64, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		all, next = nil, ""
		st, err := readState(ctx, tx)
		if err != nil {
			return err
		}
		size = st.Size
		rows, err := readEntries(ctx, tx, from, limit+1)
		for _, r := range rows {
			if len(all) == limit {
				next = strconv.FormatInt(rows[limit-1].N+1, 10) // a hole stays one
				break
			}
			all = append(all, LedgerEntry(r.entry()))
		}
		return err
	})
	return all, next, size, err
}

// own returns an account's entries behind a cursor, the newest first.
func (s *Service) own(ctx context.Context, owner account.ID, cursor string, limit int) (all []OwnLedgerEntry, next string, err error) {
	before := int64(math.MaxInt64)
	if cursor != "" {
		if before, err = strconv.ParseInt(cursor, 10, 64); err != nil {
			return nil, "", fault.InvalidField("query.cursor", "invalid_cursor", "It is not the next_cursor of a page.")
		}
	}
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		all, next = nil, ""
		st, err := readState(ctx, tx)
		if err != nil {
			return err
		}
		rows, err := readOwn(ctx, tx, owner, before, limit+1)
		for i, r := range rows {
			if i == limit {
				next = strconv.FormatInt(rows[i-1].N, 10)
				break
			}
			all = append(all, OwnLedgerEntry{r.entry(), r.N < st.Signed})
		}
		return err
	})
	return all, next, err
}

// newest returns the newest checkpoint.
func (s *Service) newest(ctx context.Context) ([]byte, error) {
	c, err := newestCheckpoint(ctx, s.DB)
	return c.Note, err
}

// keys returns every verifier key, the newest first. The one that will sign next comes before
// its first checkpoint, if this process is the server that signs.
func (s *Service) keys(ctx context.Context) ([]LedgerKey, error) {
	rows, err := readKeys(ctx, s.DB)
	if err != nil {
		return nil, err
	}
	next, err := s.Ring.Active(ctx, keyring.Ledger)
	if err != nil {
		return nil, err
	}
	var all []LedgerKey
	word := s.verifier(next)
	if (len(rows) == 0 || s.signsHere(rows)) && !slices.ContainsFunc(rows, func(r keyRow) bool { return r.Key == word }) {
		all = append(all, LedgerKey{Key: word, Since: next.NotBefore.UTC()})
	}
	for _, r := range rows {
		k := LedgerKey{Key: r.Key, Since: time.UnixMilli(r.Since).UTC()}
		if r.Until != nil {
			until := time.UnixMilli(*r.Until).UTC()
			k.Until = &until
		}
		all = append(all, k)
	}
	return all, nil
}

// prove returns the proof that an entry is in the checkpoint of a size; 0 is the newest.
func (s *Service) prove(ctx context.Context, n, size int64) (p LedgerProof, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		r, err := readEntry(ctx, tx, n)
		if err != nil {
			return err
		}
		var c signed
		if size == 0 {
			c, err = newestCheckpoint(ctx, tx)
		} else {
			c, err = checkpointOf(ctx, tx, size)
		}
		if size == 0 && err == errNoCheckpoint || err == nil && n >= c.Size {
			return errNotYet
		}
		if err != nil {
			return err
		}
		hashes, err := s.tree(ctx, tx, c.Size).Inclusion(n)
		if err != nil {
			return err
		}
		entry := r.entry()
		leaf := entry.Leaf()
		p = LedgerProof{
			N: n, Size: c.Size, Entry: string(entry.AppendTo(nil)), LeafHash: hex.EncodeToString(leaf[:]), Hashes: written(hashes), Checkpoint: string(c.Note),
		}
		return nil
	})
	return p, err
}

// grow returns the proof that the tree of size to begins with that of size from.
func (s *Service) grow(ctx context.Context, from, to int64) (LedgerGrowth, error) {
	if from > to {
		return LedgerGrowth{}, fault.InvalidField("query.from", "too_large", "It must not be larger than to.")
	}
	g := LedgerGrowth{From: from, To: to}
	err := s.DB.Read(ctx, func(tx *db.Tx) error {
		st, err := readState(ctx, tx)
		if err != nil {
			return err
		}
		if to > st.Signed {
			return errNotYet
		}
		hashes, err := s.tree(ctx, tx, to).Consistency(from)
		g.Hashes = written(hashes)
		return err
	})
	return g, err
}

func written(hashes []treelog.Hash) []string {
	all := make([]string, len(hashes))
	for i, h := range hashes {
		all[i] = hex.EncodeToString(h[:])
	}
	return all
}

// export adds an account's entries to its archive.
func (s *Service) export(ctx context.Context, owner account.ID, to *account.Archive) error {
	return to.PutAll("ledger.json", func(yield func(any, error) bool) {
		for cursor := ""; ; {
			all, next, err := s.own(ctx, owner, cursor, batch)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, e := range all {
				if !yield(e, nil) {
					return
				}
			}
			if cursor = next; next == "" {
				return
			}
		}
	})
}
