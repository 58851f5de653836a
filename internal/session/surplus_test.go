package session_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"coffer/internal/db/dbtest"
)

// list returns the ids of the live sessions, the newest first.
func (b *browser) list() (ids []string) {
	b.w.t.Helper()
	got := b.w.is(b.as("GET", "/sessions?limit=200", nil), 200, "")
	for _, one := range got.Items {
		ids = append(ids, one.ID)
	}
	return ids
}

// One session more than the limit ends the one whose last use is the longest ago, with its
// record. The device that it was opened from stays remembered.
func TestSessionsMax(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id := w.below.Join("ada")
		var all []*browser
		for i := range 3 {
			b := w.browser()
			b.signIn("ada", fields{"remember_device": i == 0})
			all = append(all, b)
			w.below.Advance(time.Minute)
		}
		w.is(all[0].request(true, "POST", "/auth/refresh", "", nil), 201, "") // used: now the second is the oldest
		w.below.Advance(time.Minute)
		fourth := w.browser()
		fourth.signIn("ada")
		for i, want := range []bool{true, false, true} {
			if got := all[i].alive(all[i].access); got != want {
				t.Errorf("session %d alive: %v, want %v", i, got, want)
			}
		}
		if !fourth.alive(fourth.access) || len(fourth.list()) != 3 {
			t.Error("the new session")
		}
		w.below.RunJobs()
		if n := w.count(`SELECT COUNT(*) FROM devices WHERE account = $1`, string(id)); n != 1 {
			t.Errorf("%d remembered devices", n)
		}
		// A browser that signs in again replaces its own session, and ends no other.
		all[2].signIn("ada")
		for i, b := range []*browser{all[0], all[2], fourth} {
			if !b.alive(b.access) {
				t.Errorf("session %d ended, and a browser signed in again", i)
			}
		}
		// Another account's sessions do not count.
		w.below.Join("bob")
		w.browser().signIn("bob")
		if n := len(fourth.list()); n != 3 {
			t.Errorf("%d sessions", n)
		}
		// Sessions that are over do not count.
		w.below.Advance(25 * time.Hour)
		last := w.browser()
		last.signIn("ada")
		if n := len(last.list()); n != 1 {
			t.Errorf("%d sessions", n)
		}
	}, func(s *setup) { s.config.SessionsMax = 3 })
}

// Forty sign-ins at once leave exactly as many sessions as the limit says, and no record
// beside theirs.
func TestSessionsMaxAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id := w.below.Join("ada")
		var mu sync.Mutex
		alive := 0
		var all []*browser
		race(40, func(i int) string {
			b := w.from(fmt.Sprintf("client-%d/1", i%2), fmt.Sprintf("203.0.113.%d", i+1))
			b.signIn("ada")
			mu.Lock()
			defer mu.Unlock()
			all = append(all, b)
			return ""
		})
		for _, b := range all {
			if b.alive(b.access) {
				alive++
			}
		}
		if n := w.count(`SELECT COUNT(*) FROM sessions WHERE account = $1`, string(id)); n != 20 || alive != 20 {
			t.Errorf("%d rows, %d tokens work, want 20", n, alive)
		}
	})
}

// A process that dies after the commit leaves the record to a job.
func TestSessionsMaxRecordByJob(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), func(s *setup) { s.config.SessionsMax = 1 })
	w.below.Join("ada")
	b := w.browser()
	first := b.signIn("ada").SessionID
	record := w.count(`SELECT COUNT(*) FROM kv WHERE key = $1`, recordName(first))
	second := w.browser()
	second.signIn("ada")
	if n := w.count(`SELECT COUNT(*) FROM jobs WHERE kind = 'session.forget'`); record != 1 || n != 1 {
		t.Errorf("%d records, then %d jobs", record, n)
	}
	if n := w.count(`SELECT COUNT(*) FROM kv WHERE key = $1`, recordName(first)); n != 0 {
		t.Error("the record outlives the sign-in that ended its session")
	}
	w.below.RunJobs()
	if !second.alive(second.access) {
		t.Error("the job ended another session")
	}
}
