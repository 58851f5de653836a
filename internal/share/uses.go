package share

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/rest"
	"coffer/internal/seal"
)

// use is what is sealed of a line in a link's log.
type use struct {
	Action string `json:"action"`
	Path   string `json:"path"`
	Place  string `json:"place"`
	Device string `json:"device"`
	From   string `json:"from"`
}

// Use is a line of a link's log.
type Use struct {
	At     time.Time `json:"at"`
	Action string    `json:"action" enum:"download,archive,upload,unlock"`
	Path   string    `json:"path" doc:"Names below what is shared; empty for itself. For an upload, the names of the files that came in, one a line. After 4 KiB it ends in …"`
	Place  string    `json:"place" doc:"Place of the address, if the operator's database knows it."`
	Device string    `json:"device" doc:"Kind of client, such as Firefox on Linux."`
	From   string    `json:"from" doc:"What a sender of files calls himself."`
}

func (u *useRow) place() string {
	return string(seal.LP([]byte(u.ID), []byte(u.Share), binary.BigEndian.AppendUint64(nil, uint64(u.At))))
}

// note adds a line to a link's log. A link that was stopped meanwhile has none.
func (s *Service) note(ctx context.Context, v visit, u use, client rest.Client) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := lock(ctx, tx, v.Account, v.ID); err != nil {
			return gone(err)
		}
		_, err := s.noteIn(ctx, tx, v, u, client)
		return err
	})
}

// noteIn is note inside of tx, which has the link's row. It returns the line's id.
func (s *Service) noteIn(ctx context.Context, tx *db.Tx, v visit, u use, client rest.Client) (string, error) {
	u.Path = shorten(u.Path)
	u.Device, u.Place = s.Client(client)
	plain, err := json.Marshal(u)
	if err != nil {
		return "", err
	}
	r := useRow{ID: uuid.Must(uuid.NewV7()).String(), Share: v.ID, Account: v.Account, At: s.Now().UnixMilli()}
	r.Details = v.key.Seal("share_uses", "details", r.place(), plain)
	return r.ID, insertUse(ctx, tx, r, keepUses)
}

// maxUsePath is how many bytes a line keeps of a path or of names: the owner's quota does not
// count the log, and guests choose what is in it.
const maxUsePath = 4 << 10

// shorten keeps the beginning of a long path, or the first of many names, one a line.
func shorten(s string) string {
	if len(s) <= maxUsePath {
		return s
	}
	s = strings.ToValidUTF8(s[:maxUsePath], "")
	if end := strings.LastIndexByte(s, '\n'); end >= 0 {
		s = s[:end+1]
	}
	return s + "…"
}

func openUse(key *keyring.DataKey, r useRow) (Use, error) {
	var u use
	plain, err := key.Open("share_uses", "details", r.place(), r.Details)
	if err == nil {
		err = json.Unmarshal(plain, &u)
	}
	if err != nil {
		return Use{}, fmt.Errorf("open use %s: %w", r.ID, err)
	}
	return Use{At: time.UnixMilli(r.At).UTC(), Action: u.Action, Path: u.Path, Place: u.Place, Device: u.Device, From: u.From}, nil
}

// Uses returns one page of a link's log, the newest first, and the cursor of the next.
func (s *Service) Uses(ctx context.Context, owner account.ID, id, cursor string, limit int) (uses []Use, next string, err error) {
	l, key, err := s.find(ctx, owner, id)
	if err != nil {
		return nil, "", err
	}
	after, err := key.OpenMark("shares", "uses/"+l.ID, cursor)
	if err != nil {
		return nil, "", err
	}
	rows, err := readUses(ctx, s.DB, l.ID, after, s.Now().Add(-useTTL).UnixMilli(), limit+1)
	if err != nil {
		return nil, "", err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = key.SealMark("shares", "uses/"+l.ID, keyring.Mark{At: rows[limit-1].At, ID: rows[limit-1].ID})
	}
	uses = []Use{}
	for _, r := range rows {
		u, err := openUse(key, r)
		if err != nil {
			s.Log.ErrorContext(ctx, "share: a line of a log does not open", "account", owner, "share", l.ID, "error", err)
			continue
		}
		uses = append(uses, u)
	}
	return uses, next, nil
}

// sweep removes lines that are too old, tickets that have expired, and links to entries that
// are deleted for good. It runs hourly.
func (s *Service) sweep(ctx context.Context) error {
	now := s.Now()
	if err := pruneUses(ctx, s.DB, now.Add(-useTTL).UnixMilli(), now.UnixMilli()); err != nil {
		return err
	}
	const batch = 200
	var failures []error
	for after := ""; ; {
		rows, err := readForSweep(ctx, s.DB, after, batch)
		if err != nil || len(rows) == 0 {
			return errors.Join(append(failures, err)...)
		}
		entries := map[account.ID][]string{}
		for _, r := range rows {
			entries[r.Account] = append(entries[r.Account], r.Entry)
		}
		for owner, ids := range entries { // one that fails holds up no other
			missing, err := s.Files.Missing(ctx, s.DB, owner, ids)
			if err == nil {
				err = s.removeOf(ctx, owner, rows, missing)
			}
			if errors.Is(err, db.ErrUnavailable) || ctx.Err() != nil {
				return errors.Join(append(failures, err)...)
			}
			if err != nil {
				failures = append(failures, fmt.Errorf("account %s: %w", owner, err))
			}
		}
		after = rows[len(rows)-1].ID
	}
}

// removeOf removes those of the links that lead to one of the entries.
func (s *Service) removeOf(ctx context.Context, owner account.ID, rows []row, entries []string) error {
	lost := map[string]bool{}
	for _, id := range entries {
		lost[id] = true
	}
	var failures []error
	for _, r := range rows {
		if r.Account != owner || !lost[r.Entry] {
			continue
		}
		err := s.DB.Tx(ctx, func(tx *db.Tx) error {
			_, err := s.remove(ctx, tx, r)
			return err
		})
		if err != nil {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// clearJob removes the log and the tickets of a link, whose id is the payload. The transaction that
// removes the link enqueues it: there may be more rows than one transaction should change.
const clearJob = "share.clear"

func (s *Service) clear(ctx context.Context, payload []byte) error {
	var id string
	if err := json.Unmarshal(payload, &id); err != nil {
		return jobs.Permanent(fmt.Errorf("%s: %w", clearJob, err))
	}
	return clearLink(ctx, s.DB, id)
}

// remove removes a link. Its log and its tickets are out of reach with it. It reports false when
// there is none.
func (s *Service) remove(ctx context.Context, tx *db.Tx, r row) (bool, error) {
	was, err := remove(ctx, tx, r.Account, r.ID)
	if err != nil || !was {
		return false, err
	}
	if err := s.Jobs.Enqueue(ctx, tx, clearJob, r.ID); err != nil {
		return false, err
	}
	return true, s.tell(ctx, tx, r)
}

func (s *Service) empty(ctx context.Context, owner account.ID) error { return empty(ctx, s.DB, owner) }

// export adds the owner's links and their logs to the archive. Hashes of passwords are not in it.
func (s *Service) export(ctx context.Context, owner account.ID, to *account.Archive) error {
	return to.PutAll("shares.json", func(yield func(any, error) bool) {
		for cursor := ""; ; {
			shares, next, err := s.List(ctx, owner, "", "", cursor, 200)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, sh := range shares {
				uses, err := s.allUses(ctx, owner, sh.ID)
				if !yield(exported{sh, uses}, err) || err != nil {
					return
				}
			}
			if cursor = next; cursor == "" {
				return
			}
		}
	})
}

// exported is a link in shares.json.
type exported struct {
	Share
	Uses []Use `json:"uses"`
}

func (s *Service) allUses(ctx context.Context, owner account.ID, id string) (all []Use, err error) {
	all = []Use{}
	for cursor := ""; ; {
		uses, next, err := s.Uses(ctx, owner, id, cursor, 200)
		if err != nil {
			return nil, err
		}
		all = append(all, uses...)
		if cursor = next; cursor == "" {
			return all, nil
		}
	}
}
