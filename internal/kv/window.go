package kv

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"coffer/internal/db"
)

// Window is a sliding window of calls: those of this bucket, and a part of those of the last.
type Window struct {
	This, Last string  // keys of the two counters
	Part       float64 // of the last bucket's calls that still count; 0 to 1
	Limit      int
	TTL        time.Duration // of the counter of this bucket
}

// Counts are the calls of a window.
type Counts struct{ This, Last int64 }

// room returns how many calls this bucket may have.
func (w Window) room(last int64) int64 {
	return int64(math.Floor(float64(w.Limit) - float64(last)*w.Part))
}

// Windows counts calls in several windows in one step: all of them, or none when one has no
// room. [SQL] and [Redis] have it; for [Memory] a step costs nothing.
type Windows interface {
	// Count returns the calls of each window before this one, and whether all have room for
	// one more. With take it counts the call where all have. Calls at once never pass
	// together where only one may.
	Count(ctx context.Context, all []Window, take bool) (counts []Counts, room bool, err error)
	// Return takes a call back from each window: from this bucket, or else from the last.
	Return(ctx context.Context, all []Window) error
}

var (
	_ Windows = (*SQL)(nil)
	_ Windows = (*Redis)(nil)
)

func checkWindows(all []Window) error {
	for _, w := range all {
		if err := errors.Join(checkAdd(w.This, 1, w.TTL), checkKey(w.Last)); err != nil {
			return err
		}
	}
	return nil
}

// Count reads all windows with one statement. Where they have room, a second one counts, so a
// refused call writes nothing. Between the two others may have taken the room: then the
// second counts nothing.
func (s *SQL) Count(ctx context.Context, all []Window, take bool) ([]Counts, bool, error) {
	if err := before(ctx, checkWindows(all)); err != nil || len(all) == 0 {
		return nil, err == nil, err
	}
	counts, err := s.readCounts(ctx, all)
	if err != nil {
		return nil, false, sqlError(err)
	}
	for i, w := range all {
		if counts[i].This >= w.room(counts[i].Last) {
			return counts, false, nil
		}
	}
	if !take {
		return counts, true, nil
	}
	if len(all) == 1 {
		room, err := s.countOne(ctx, all[0], &counts[0])
		return counts, room, sqlError(err)
	}
	room, err := s.countAll(ctx, all, counts)
	return counts, room, sqlError(err)
}

func (s *SQL) readCounts(ctx context.Context, all []Window) ([]Counts, error) {
	keys := make([]string, 0, 2*len(all))
	for _, w := range all {
		keys = append(keys, column(w.This), column(w.Last))
	}
	places, args := db.List(keys, any(s.ms()))
	rows, err := s.db.Query(ctx, `SELECT key, number FROM kv WHERE key IN (`+places+`) AND expires_at > $1 AND number > 0`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	counts := make([]Counts, len(all))
	for rows.Next() {
		var key string
		var n int64
		if err := rows.Scan(&key, &n); err != nil {
			return nil, err
		}
		for i, w := range all {
			switch key {
			case column(w.This):
				counts[i].This = n
			case column(w.Last):
				counts[i].Last = n
			}
		}
	}
	return counts, rows.Err()
}

// The beginning and the end of the statement that counts; between them are the rows. $1 is now.
const (
	countRows = `INSERT INTO kv (key, number, expires_at) VALUES `
	countThem = ` ON CONFLICT (key) DO UPDATE SET
			number = CASE WHEN kv.expires_at > $1 THEN kv.number + 1 ELSE 1 END,
			expires_at = CASE WHEN kv.expires_at > $1 THEN kv.expires_at ELSE excluded.expires_at END, value = NULL
		WHERE (kv.number IS NOT NULL OR kv.expires_at <= $1)`
)

// countOne counts a call in one window, whose room the statement itself decides.
func (s *SQL) countOne(ctx context.Context, w Window, c *Counts) (bool, error) {
	now, room := s.ms(), w.room(c.Last)
	var n int64
	err := s.db.WriteRow(ctx, countRows+`($2, 1, $3)`+countThem+` AND (kv.number < $4 OR kv.expires_at <= $1) RETURNING number`,
		now, column(w.This), now+millis(w.TTL), room).Scan(&n)
	if errors.Is(err, db.ErrNoRows) {
		c.This = room
		return false, s.mustCount(ctx, w)
	}
	return err == nil, err
}

// mustCount says why a key does not count: it holds a value, or others took the room.
func (s *SQL) mustCount(ctx context.Context, w Window) error {
	var values int
	err := s.db.QueryRow(ctx, `SELECT COUNT(*) FROM kv WHERE key = $1 AND number IS NULL`, column(w.This)).Scan(&values)
	if err == nil && values > 0 {
		err = ErrNotCounter
	}
	return err
}

var errNoRoom = errors.New("internal error: no room")

// countAll counts a call in every window, or rolls back. The order of the keys is the same
// for all callers, so that none waits for one that waits for it.
func (s *SQL) countAll(ctx context.Context, all []Window, counts []Counts) (bool, error) {
	now := s.ms()
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(column(all[a].This), column(all[b].This)) })
	args := []any{now}
	var places strings.Builder
	for n, i := range order {
		if n > 0 {
			places.WriteString(", ")
		}
		fmt.Fprintf(&places, "($%d, 1, CAST($%d AS BIGINT))", len(args)+1, len(args)+2)
		args = append(args, column(all[i].This), now+millis(all[i].TTL))
	}
	err := s.db.Tx(ctx, func(tx *db.Tx) error {
		rows, err := tx.Query(ctx, countRows+places.String()+countThem+` RETURNING key, number`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		counted := 0
		for rows.Next() {
			var key string
			var n int64
			if err := rows.Scan(&key, &n); err != nil {
				return err
			}
			counted++
			for i, w := range all {
				if room := w.room(counts[i].Last); key == column(w.This) && n > room {
					counts[i].This = room
					return errNoRoom
				}
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		if counted < len(all) {
			return ErrNotCounter
		}
		return nil
	})
	if errors.Is(err, errNoRoom) {
		return false, nil
	}
	return err == nil, err
}

// Return takes calls back in one transaction: counters of one call go, others lose one. It
// holds the keys in the order of countAll, one statement each: a statement over several keys
// would hold them in an order of the engine's own, and wait for a caller that waits for it.
func (s *SQL) Return(ctx context.Context, all []Window) error {
	if err := before(ctx, checkWindows(all)); err != nil || len(all) == 0 {
		return err
	}
	all = slices.SortedFunc(slices.Values(all), func(a, b Window) int { return strings.Compare(column(a.This), column(b.This)) })
	return sqlError(s.db.Tx(ctx, func(tx *db.Tx) error {
		for _, w := range all {
			lowered, err := s.lower(ctx, tx, column(w.This))
			if err == nil && !lowered {
				_, err = s.lower(ctx, tx, column(w.Last))
			}
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

// lower takes one from a counter, and reports whether it had one to take. Another caller may have
// lowered it between the first statement and the second, which holds the row for the third.
func (s *SQL) lower(ctx context.Context, tx *db.Tx, key string) (bool, error) {
	now := s.ms()
	if n, err := tx.Exec(ctx, `DELETE FROM kv WHERE key = $1 AND expires_at > $2 AND number = 1`, key, now); err != nil || n == 1 {
		return n == 1, err
	}
	var left int64
	err := tx.QueryRow(ctx, `UPDATE kv SET number = number - 1 WHERE key = $1 AND expires_at > $2 AND number > 0 RETURNING number`, key, now).Scan(&left)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	if err == nil && left == 0 {
		_, err = tx.Exec(ctx, `DELETE FROM kv WHERE key = $1 AND number = 0`, key)
	}
	return err == nil, err
}

// countScript reads all windows, and counts where all have room: one round trip.
var countScript = rueidis.NewLuaScript(`
local out, new = {1}, {}
for i = 1, #KEYS / 2 do
	local this, last = redis.call('GET', KEYS[2*i-1]), redis.call('GET', KEYS[2*i])
	if this and string.sub(this, 1, 1) == 'v' or last and string.sub(last, 1, 1) == 'v' then return false end
	new[i] = not this
	this, last = math.max(0, tonumber(this or '0')), math.max(0, tonumber(last or '0'))
	if this >= math.floor(tonumber(ARGV[3*i-1]) - last * tonumber(ARGV[3*i])) then out[1] = 0 end
	out[2*i], out[2*i+1] = this, last
end
if out[1] == 1 and ARGV[1] == '1' then
	for i = 1, #KEYS / 2 do
		redis.call('INCR', KEYS[2*i-1])
		if new[i] then redis.call('PEXPIRE', KEYS[2*i-1], ARGV[3*i+1]) end
	end
end
return out`)

// returnScript takes a call back from each window.
var returnScript = rueidis.NewLuaScript(`
for i = 1, #KEYS / 2 do
	for j = 2*i-1, 2*i do
		local n = redis.call('GET', KEYS[j])
		if n and string.sub(n, 1, 1) ~= 'v' and tonumber(n) > 0 then
			if redis.call('DECR', KEYS[j]) == 0 then redis.call('DEL', KEYS[j]) end
			break
		end
	end
end
return 1`)

func windowKeys(all []Window) []string {
	keys := make([]string, 0, 2*len(all))
	for _, w := range all {
		keys = append(keys, space+w.This, space+w.Last)
	}
	return keys
}

// Count is one script.
func (r *Redis) Count(ctx context.Context, all []Window, take bool) ([]Counts, bool, error) {
	if err := before(ctx, checkWindows(all)); err != nil {
		return nil, false, err
	}
	args := []string{"0"}
	if take {
		args[0] = "1"
	}
	for _, w := range all {
		args = append(args, strconv.Itoa(w.Limit), strconv.FormatFloat(w.Part, 'g', -1, 64), strconv.FormatInt(life(w.TTL), 10))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, answerFor, ErrUnavailable)
	defer cancel()
	out, err := countScript.Exec(ctx, r.client, windowKeys(all), args).AsIntSlice()
	if rueidis.IsRedisNil(err) {
		return nil, false, ErrNotCounter
	}
	if err != nil {
		return nil, false, redisError(ctx, err)
	}
	counts := make([]Counts, len(all))
	for i := range counts {
		counts[i] = Counts{out[2*i+1], out[2*i+2]}
	}
	return counts, out[0] == 1, nil
}

// Return is one script.
func (r *Redis) Return(ctx context.Context, all []Window) error {
	if err := before(ctx, checkWindows(all)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, answerFor, ErrUnavailable)
	defer cancel()
	return redisError(ctx, returnScript.Exec(ctx, r.client, windowKeys(all), nil).Error())
}
