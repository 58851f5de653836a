package admin

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/keyring"
	"coffer/internal/seal"
)

// The log is rows that the server only adds to. Each has a MAC over its number, time and
// sealed entry and the MAC of the row before. One row more, the head, says where the log begins
// and ends, under a MAC of its own. The key of both is sealed under the ring's field key.
//
// So a writer of the database who changes, removes, adds or reorders rows is found by Verify.
// A writer who puts back the whole log of an earlier moment is not: the place to compare with
// is outside. Each row goes to the server's own log as well, and Verify returns the last number
// and MAC, for an operator to note.

// A row stays for keepFor however many rows follow: an admin who repeats acts pushes none out.
// After that it stays as long as it is one of the newest keepRows.
const (
	keepRows = 1_000_000
	keepFor  = 2 * 365 * 24 * time.Hour
)

// Entry is one row of the log.
type Entry struct {
	Seq     int64             `json:"-"`
	At      time.Time         `json:"-"`
	Action  string            `json:"action"`
	By      By                `json:"by"`
	Account account.ID        `json:"account,omitempty"` // the act was about this account
	Target  string            `json:"target,omitempty"`  // or about this link, drop, job, key …
	Data    map[string]string `json:"data,omitempty"`
}

// Record adds an act to the log, for acts that are no transaction of the database.
func (s *Service) Record(ctx context.Context, by By, e Entry) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error { return s.record(ctx, tx, by, e) })
}

// record adds an act to the log in the transaction that does it. The head stays locked until
// tx ends, so a caller does it last. A head that the server did not write so is noted in the log
// first: a new seal must not make an altered log a good one.
func (s *Service) record(ctx context.Context, tx *db.Tx, by By, e Entry) error {
	h, sound, err := s.holdHead(ctx, tx)
	if err != nil {
		return err
	}
	if !sound {
		s.Log.ErrorContext(ctx, "admin: the log was altered in the database; `coffer admin log verify` tells more")
		if err := s.add(ctx, tx, &h, Entry{Action: logDamaged}); err != nil {
			return err
		}
	}
	e.By = by
	if err := s.add(ctx, tx, &h, e); err != nil {
		return err
	}
	h.Seal = h.key.head(h.headRow)
	return updateHead(ctx, tx, h.headRow)
}

// logDamaged is the action that says that rows before this one were altered.
const logDamaged = "log.damaged"

// add adds a row behind the head.
func (s *Service) add(ctx context.Context, tx *db.Tx, h *head, e Entry) error {
	plain, err := json.Marshal(e)
	if err != nil {
		return err
	}
	r := logRow{Seq: h.Seq + 1, At: s.Now().UnixMilli()}
	r.Entry = h.key.entries.Seal(plain, entryAAD(r.Seq))
	r.MAC = h.key.row(r, h.MAC)
	if err := insertRow(ctx, tx, r); err != nil {
		return err
	}
	h.Seq, h.MAC = r.Seq, r.MAC
	s.Log.LogAttrs(ctx, slog.LevelInfo, "admin: an entry of the log", slog.String("action", e.Action), slog.Int64("seq", r.Seq), slog.String("mac", shown(r.MAC)))
	return nil
}

func shown(mac []byte) string { return base64.RawURLEncoding.EncodeToString(mac) }

// logKey is what the secret of the log becomes.
type logKey struct {
	entries *seal.Key
	mac     []byte
}

func newLogKey(secret []byte) logKey {
	return logKey{seal.NewKey(sum(secret, []byte("entries"))), sum(secret, []byte("mac"))}
}

func sum(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(seal.LP(parts...))
	return h.Sum(nil)
}

func number(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func entryAAD(seq int64) []byte { return seal.LP([]byte("admin_log"), []byte("entry"), number(seq)) }

// row is the MAC of a row that follows one with the MAC before.
func (k logKey) row(r logRow, before []byte) []byte {
	return sum(k.mac, []byte("row"), number(r.Seq), number(r.At), r.Entry, before)
}

// head is the MAC of the head.
func (k logKey) head(h headRow) []byte {
	return sum(k.mac, []byte("head"), number(h.Seq), h.MAC, number(h.BaseSeq), h.BaseMAC)
}

// head is the head with its key.
type head struct {
	headRow
	key logKey
}

var headAAD = seal.LP([]byte("admin_log_head"), []byte("secret"))

// openHead opens the key of a head, and says whether the head is as the server wrote it.
func (s *Service) openHead(ctx context.Context, r headRow) (head, bool, error) {
	secret, err := s.Ring.Open(ctx, keyring.Field, r.Secret, headAAD)
	if err != nil {
		return head{}, false, fmt.Errorf("open the key of the admin log: %w", err)
	}
	h := head{r, newLogKey(secret)}
	return h, hmac.Equal(h.key.head(r), r.Seal), nil
}

// holdHead locks the head until tx ends. The first call makes it. sound is false for one that
// is not as the server wrote it, or that was removed: the log goes on behind its last row,
// because an operator must be able to act.
func (s *Service) holdHead(ctx context.Context, tx *db.Tx) (h head, sound bool, err error) {
	last, err := lastRow(ctx, tx)
	if err != nil {
		return head{}, false, err
	}
	sound = true
	r, err := lockHead(ctx, tx)
	if err == nil {
		h, sound, err = s.openHead(ctx, r)
		if errors.Is(err, keyring.ErrNoKey) { // it may be newer than this node's ring
			if err = s.Ring.Refresh(ctx); err == nil {
				h, sound, err = s.openHead(ctx, r)
			}
		}
	}
	if gone := errors.Is(err, db.ErrNoRows); gone || errors.Is(err, seal.ErrOpen) || errors.Is(err, keyring.ErrNoKey) {
		if err := s.makeHead(ctx, tx, last); err != nil {
			return head{}, false, err
		}
		if r, err = lockHead(ctx, tx); err != nil {
			return head{}, false, err
		}
		sound = gone && last == 0
		h, _, err = s.openHead(ctx, r)
	}
	sound = sound && last <= h.Seq // else rows were added behind the end, or the head is an older one
	if err == nil && !sound && last >= h.Seq && last > 0 {
		h.Seq = last
		h.MAC, err = macOf(ctx, tx, last)
	}
	return h, sound, err
}

// makeHead begins the log behind the row with a number.
func (s *Service) makeHead(ctx context.Context, tx *db.Tx, last int64) error {
	secret := make([]byte, seal.KeySize)
	rand.Read(secret)
	sealed, err := s.Ring.Seal(ctx, keyring.Field, secret, headAAD)
	if err != nil {
		return err
	}
	if err := deleteHead(ctx, tx); err != nil {
		return err
	}
	h := headRow{Secret: sealed, Seq: last, MAC: []byte{}, BaseSeq: last, BaseMAC: []byte{}}
	h.Seal = newLogKey(secret).head(h)
	return insertHead(ctx, tx, h)
}

// Entries returns up to limit entries that are older than before, the newest first; 0 begins
// with the newest. An entry that does not open has the action "damaged".
func (s *Service) Entries(ctx context.Context, before int64, limit int) ([]Entry, error) {
	var all []Entry
	err := s.DB.Read(ctx, func(tx *db.Tx) error {
		all = nil
		r, err := readHead(ctx, tx)
		if errors.Is(err, db.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		h, _, err := s.openHead(ctx, r)
		if err != nil {
			return err
		}
		rows, err := rowsBefore(ctx, tx, before, limit)
		for _, r := range rows {
			all = append(all, h.key.open(r))
		}
		return err
	})
	return all, err
}

// damaged is the action of an entry that does not open.
const damaged = "damaged"

func (k logKey) open(r logRow) Entry {
	var e Entry
	plain, err := k.entries.Open(r.Entry, entryAAD(r.Seq))
	if err == nil {
		err = json.Unmarshal(plain, &e)
	}
	if err != nil {
		e = Entry{Action: damaged}
	}
	e.Seq, e.At = r.Seq, time.UnixMilli(r.At).UTC()
	return e
}

// Verified is what Verify found.
type Verified struct {
	First, Last int64 // numbers of the rows
	Rows        int64
	MAC         string   // of the last row, to note elsewhere
	Wrong       []string // nothing in a sound log
}

// mostWrong bounds what Verify tells.
const mostWrong = 20

// Verify checks every row of the log and its head.
func (s *Service) Verify(ctx context.Context) (v Verified, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		v = Verified{}
		wrong := func(format string, args ...any) {
			if len(v.Wrong) < mostWrong {
				v.Wrong = append(v.Wrong, fmt.Sprintf(format, args...))
			}
		}
		r, err := readHead(ctx, tx)
		if errors.Is(err, db.ErrNoRows) {
			last, err := lastRow(ctx, tx)
			if err == nil && last > 0 {
				wrong("the head is missing")
			}
			return err
		}
		if err != nil {
			return err
		}
		h, sound, err := s.openHead(ctx, r)
		if err != nil {
			return err
		}
		if !sound {
			wrong("the head was altered")
		}
		v.First, v.Last, v.MAC = h.BaseSeq+1, h.Seq, shown(h.MAC)
		seq, mac := int64(0), h.BaseMAC
		expect := h.BaseSeq + 1
		for {
			rows, err := rowsAfter(ctx, tx, seq, db.BatchRows)
			if err != nil {
				return err
			}
			for _, r := range rows {
				seq = r.Seq
				switch {
				case r.Seq <= h.BaseSeq:
					wrong("row %d stands before the beginning of the log", r.Seq)
					continue
				case r.Seq > h.Seq:
					wrong("row %d stands behind the end of the log", r.Seq)
					continue
				case r.Seq != expect:
					wrong("rows %d to %d are missing", expect, r.Seq-1)
				case !hmac.Equal(h.key.row(r, mac), r.MAC):
					wrong("row %d was altered, or the one before it", r.Seq)
				}
				switch h.key.open(r).Action {
				case damaged:
					wrong("row %d does not open", r.Seq)
				case logDamaged:
					wrong("row %d says that rows before it were altered", r.Seq)
				}
				v.Rows++
				expect, mac = r.Seq+1, r.MAC
			}
			if len(rows) < db.BatchRows {
				break
			}
		}
		if expect != h.Seq+1 {
			wrong("rows %d to %d are missing", expect, h.Seq)
		} else if !hmac.Equal(mac, h.MAC) {
			wrong("the last row is not the one that the head names")
		}
		return nil
	})
	return v, err
}

// TrimLog removes rows that are older than keepFor and that keepRows newer ones follow.
func (s *Service) TrimLog(ctx context.Context) error { return s.trimLog(ctx, keepRows) }

func (s *Service) trimLog(ctx context.Context, keep int64) error {
	for more := true; more; {
		err := s.DB.Tx(ctx, func(tx *db.Tx) error {
			more = false
			r, err := lockHead(ctx, tx)
			if errors.Is(err, db.ErrNoRows) {
				return nil
			}
			if err != nil {
				return err
			}
			h, sound, err := s.openHead(ctx, r)
			if err != nil || !sound || h.Seq-h.BaseSeq <= keep {
				return err // nothing goes from a log that is not sound
			}
			rows, err := rowsAfter(ctx, tx, h.BaseSeq, int(min(h.Seq-h.BaseSeq-keep, db.BatchRows)))
			if err != nil {
				return err
			}
			gone := h.old(rows, s.Now().Add(-keepFor))
			if gone == 0 {
				return nil
			}
			h.BaseSeq, h.BaseMAC, more = rows[gone-1].Seq, rows[gone-1].MAC, gone == db.BatchRows
			if err := deleteRows(ctx, tx, h.BaseSeq); err != nil {
				return err
			}
			h.Seal = h.key.head(h.headRow)
			return updateHead(ctx, tx, h.headRow)
		})
		if err != nil {
			return fmt.Errorf("trim the admin log: %w", err)
		}
	}
	return nil
}

// old counts the rows at the beginning of the log that are of end or before. It stops at a row
// that was altered or is missing: the removal of such a row would hide it from Verify.
func (h head) old(rows []logRow, end time.Time) int {
	mac := h.BaseMAC
	for i, r := range rows {
		if r.Seq != h.BaseSeq+int64(i)+1 || r.At > end.UnixMilli() || !hmac.Equal(h.key.row(r, mac), r.MAC) {
			return i
		}
		mac = r.MAC
	}
	return len(rows)
}

// rewrapLog seals the key of the log under the active key.
func (s *Service) rewrapLog(ctx context.Context, _ string, _ int, skip keyring.Skip) (string, int, error) {
	r, err := readHead(ctx, s.DB)
	if errors.Is(err, db.ErrNoRows) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, err
	}
	again, changed, err := s.Ring.Renew(ctx, keyring.Field, r.Secret, headAAD)
	if err != nil {
		return "", 1, skip(ctx, "admin_log_head.secret", "1", err)
	}
	if changed {
		err = swapSecret(ctx, s.DB, r.Secret, again)
	}
	return "", 1, err
}
