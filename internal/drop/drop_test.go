package drop

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/limit/limittest"
)

// Names are two of many plain words, which the rule for names allows.
func TestNameWords(t *testing.T) {
	for i, list := range nameWords {
		if len(list) < 512 {
			t.Errorf("list %d has %d words", i, len(list))
		}
		sorted := slices.Sorted(slices.Values(list))
		if len(slices.Compact(sorted)) != len(list) {
			t.Errorf("list %d has words twice", i)
		}
		for _, w := range list {
			if !validName("a-"+w) || len(w) > 10 {
				t.Errorf("%q is no word of a name", w)
			}
		}
	}
}

func TestLife(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		o, host := w.openDrop()
		if !validName(o.Name) || !host.Host || !host.Admitted || host.RID != host.HostRID || !o.Expires.Equal(w.Now().Add(w.DropTTL).Truncate(time.Second)) {
			t.Errorf("%+v, %+v", o, host)
		}
		guest := w.guest(o.Name, address(1))
		if guest.Host || guest.HostRID != host.RID {
			t.Errorf("%+v", guest)
		}
		f, err := w.Look(ctx, address(2), o.Name)
		if err != nil || f.Guests != 1 || f.Name != o.Name {
			t.Errorf("%+v, %v", f, err)
		}

		// Renamed and prolonged, the drop keeps its members, who know its former name.
		later := w.Now().Add(maxTTL).UTC()
		name := "new-name-7"
		got, until, err := w.Change(ctx, host, &name, &later)
		if err != nil || got != name || !until.Equal(later) {
			t.Errorf("%s %s %v", got, until, err)
		}
		if m := w.member(o.Name, o.Token); m.Name != name {
			t.Errorf("%+v", m)
		}
		if _, err := w.Look(ctx, address(2), o.Name); code(err) != "drop_not_found" {
			t.Errorf("the former name: %v", err)
		}
		too := later.Add(time.Second)
		for _, bad := range []struct {
			name  *string
			until *time.Time
		}{{ptr("ab"), nil}, {ptr("Upper-case"), nil}, {ptr("two--hyphens"), nil}, {ptr("under_score"), nil}, {nil, &too}, {nil, ptr(w.Now())}} {
			if _, _, err := w.Change(ctx, host, bad.name, bad.until); code(err) != "validation_failed" {
				t.Errorf("%v %v: %v", bad.name, bad.until, err)
			}
		}
		if _, _, err := w.Change(ctx, guest, &name, nil); code(err) != "not_host" {
			t.Errorf("a guest renames: %v", err)
		}
		if err := w.Close(ctx, guest); code(err) != "not_host" {
			t.Errorf("a guest closes: %v", err)
		}

		// A token works in its own drop alone.
		other, _ := w.openDrop()
		if _, err := w.Member(ctx, other.Name, o.Token); code(err) != "invalid_drop_token" {
			t.Errorf("a token of another drop: %v", err)
		}
		if _, err := w.Member(ctx, name, "x"); code(err) != "invalid_drop_token" {
			t.Errorf("a wrong token: %v", err)
		}
		if _, err := w.Member(ctx, "no-such-drop", "x"); code(err) != "drop_not_found" {
			t.Errorf("no drop: %v", err)
		}

		if err := w.Close(ctx, host); err != nil {
			t.Error(err)
		}
		if _, err := w.Member(ctx, name, o.Token); code(err) != "drop_not_found" {
			t.Errorf("after the end: %v", err)
		}
		if n := rows(t, d, "drop_members"); n != 1 {
			t.Errorf("%d members are left", n)
		}
	})
}

func ptr[T any](v T) *T { return &v }

func rows(t *testing.T, d *db.DB, table string) (n int) {
	t.Helper()
	if err := d.QueryRow(t.Context(), `SELECT COUNT(*) FROM `+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A drop ends when it expires, and when its host is away for the grace. Nothing of it stays.
func TestEnds(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d, func(c *Config) { c.DropTTL = time.Minute })
		for _, end := range []func(){
			func() { w.below.Advance(w.DropGrace) },
			func() { // the host stays connected to the end
				if _, err := d.Exec(ctx, `UPDATE drop_members SET seen_at = seen_at + 3600000`); err != nil {
					t.Fatal(err)
				}
				w.below.Advance(time.Minute)
			},
		} {
			o, host := w.openDrop()
			token, _, err := w.Join(ctx, address(1), o.Name)
			if err != nil {
				t.Fatal(err)
			}
			end()
			if _, err := w.Look(ctx, address(2), o.Name); code(err) != "drop_not_found" {
				t.Errorf("look: %v", err)
			}
			if _, _, err := w.Join(ctx, address(2), o.Name); code(err) != "drop_not_found" {
				t.Errorf("join: %v", err)
			}
			for _, secret := range []string{o.Token, token} {
				if _, err := w.Member(ctx, o.Name, secret); code(err) != "drop_not_found" {
					t.Errorf("member: %v", err)
				}
			}
			if _, err := w.Ask(ctx, host, request{FileID: host.RID + ".x"}); code(err) == "" {
				t.Error("a dead drop transfers")
			}
			// Its name is free at once.
			next, nextHost := w.openDrop()
			if name, _, err := w.Change(ctx, nextHost, &o.Name, nil); err != nil || name != o.Name {
				t.Errorf("its name for another: %s, %v", name, err)
			}
			if err := w.Close(ctx, w.member(o.Name, next.Token)); err != nil {
				t.Error(err)
			}
			if err := w.Prune(ctx); err != nil {
				t.Error(err)
			}
			for _, table := range []string{"drops", "drop_members", "drop_transfers"} {
				if n := rows(t, d, table); n != 0 {
					t.Errorf("%d %s are left", n, table)
				}
			}
		}
	})
}

// A host has one live drop. Its token opens the next and closes that one; no other token does.
func TestOneDropAHost(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		o, _ := w.openDrop()
		guest, _, err := w.Join(ctx, address(1), o.Name)
		if err != nil {
			t.Fatal(err)
		}
		for _, token := range []string{"", "nonsense", guest} {
			if _, err := w.Open(ctx, address(2), token); err != nil {
				t.Fatal(err)
			}
			w.member(o.Name, o.Token)
		}
		if _, err := w.Open(ctx, address(2), o.Token); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Member(ctx, o.Name, o.Token); code(err) != "drop_not_found" {
			t.Errorf("the former drop: %v", err)
		}
	})
}

// Of guests that want the last place at the same moment one gets it.
func TestRaceLastPlace(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, func(c *Config) { c.DropGuests = 3 })
		o, _ := w.openDrop()
		w.guest(o.Name, address(1))
		w.guest(o.Name, address(2))
		var n atomic.Int32
		var refused atomic.Int32
		won := limittest.AtOnce(12, func() error {
			_, _, err := w.Join(context.Background(), address(100+int(n.Add(1))), o.Name)
			if code(err) == "drop_full" {
				refused.Add(1)
			}
			return err
		})
		if won != 1 || refused.Load() != 11 {
			t.Errorf("%d joined, %d found it full", won, refused.Load())
		}
	})
}

// Sixteen guests wait at most, four an address, a minute each.
func TestWaiting(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d, func(c *Config) { c.DropGrace = time.Hour })
		o, _ := w.openDrop()
		if won := limittest.AtOnce(8, func() error {
			_, _, err := w.Join(context.Background(), address(1), o.Name)
			if err != nil && code(err) != "join_pending" {
				t.Error(err)
			}
			return err
		}); won != 4 {
			t.Errorf("%d joins of one address wait", won)
		}
		for n := range 4 {
			if _, _, err := w.Join(ctx, netip.MustParseAddr(fmt.Sprintf("2001:db8::%d", 1+n)), o.Name); err != nil {
				t.Error(err)
			}
		}
		if _, _, err := w.Join(ctx, netip.MustParseAddr("2001:db8::2:1"), o.Name); code(err) != "join_pending" {
			t.Errorf("another address of a /64: %v", err)
		}
		for n := range 8 {
			if _, _, err := w.Join(ctx, address(2+n), o.Name); err != nil {
				t.Fatal(n, err)
			}
		}
		if _, _, err := w.Join(ctx, address(50), o.Name); code(err) != "join_pending" {
			t.Errorf("the seventeenth: %v", err)
		}
		if f, err := w.Look(ctx, address(51), o.Name); err != nil || f.Guests != 16 {
			t.Errorf("%+v %v", f, err)
		}
		w.below.Advance(joinTime)
		if f, err := w.Look(ctx, address(51), o.Name); err != nil || f.Guests != 0 {
			t.Errorf("after a minute: %+v %v", f, err)
		}
		_, rid, err := w.Join(ctx, address(1), o.Name)
		if err != nil {
			t.Error(err)
		}
		w.below.Advance(joinTime)
		if ok, err := admitGuest(ctx, d, w.member(o.Name, o.Token).Drop, rid, w.lateBefore()); ok || err != nil {
			t.Errorf("admitted late: %v %v", ok, err)
		}
	})
}

// After three rejected joins an address waits a quarter of an hour; others do not.
func TestRejected(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		o, host := w.openDrop()
		c := &socket{s: w.Service, m: host}
		c.admitted.Store(true)
		keep := func() { // the host stays
			if _, err := d.Exec(ctx, `UPDATE drop_members SET seen_at = $1 WHERE host`, w.Now().UnixMilli()); err != nil {
				t.Fatal(err)
			}
		}
		for n, why := range []string{"wrong", "full", "burnt", "wrong"} {
			_, rid, err := w.Join(ctx, address(1), o.Name)
			if err != nil {
				t.Fatal(n, err)
			}
			if err := c.refuse(ctx, rid, why); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := w.Join(ctx, address(1), o.Name); code(err) != "rate_limited" {
			t.Errorf("after three: %v", err)
		}
		if _, _, err := w.Join(ctx, address(2), o.Name); err != nil {
			t.Errorf("another address: %v", err)
		}
		w.below.Advance(rejectPause - time.Minute)
		keep()
		if _, _, err := w.Join(ctx, address(1), o.Name); code(err) != "rate_limited" {
			t.Errorf("after 14 minutes: %v", err)
		}
		w.below.Advance(rejectPause + time.Minute)
		keep()
		if _, _, err := w.Join(ctx, address(1), o.Name); err != nil {
			t.Errorf("after the pause: %v", err)
		}
	})
}

// Of two drops that want one name at the same moment one gets it.
func TestRaceRename(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		hosts := make(chan member, 8)
		for range cap(hosts) {
			_, m := w.openDrop()
			hosts <- m
		}
		name := "the-one-name"
		if won := limittest.AtOnce(cap(hosts), func() error {
			_, _, err := w.Change(context.Background(), <-hosts, &name, nil)
			if err != nil && code(err) != "name_taken" {
				t.Error(err)
			}
			return err
		}); won != 1 {
			t.Errorf("%d drops have the name", won)
		}
	})
}

// A ticket works once, for its own drop, and for half a minute.
func TestRaceTicket(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		o, host := w.openDrop()
		ticket, err := w.Ticket(ctx, host)
		if err != nil {
			t.Fatal(err)
		}
		if won := limittest.AtOnce(8, func() error {
			m, err := w.memberByTicket(context.Background(), o.Name, ticket)
			if err == nil && m != host {
				t.Errorf("%+v", m)
			}
			return err
		}); won != 1 {
			t.Errorf("a ticket worked %d times", won)
		}
		other, _ := w.openDrop()
		if ticket, err = w.Ticket(ctx, host); err != nil {
			t.Fatal(err)
		}
		if _, err := w.memberByTicket(ctx, other.Name, ticket); code(err) != "invalid_drop_token" {
			t.Errorf("in another drop: %v", err)
		}
	})
}

// A receiver has eight transfers at most, and each stream one reader: the receiver that asked.
func TestRaceTransfers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		o, host := w.openDrop()
		guest, third := w.guest(o.Name, address(1)), w.guest(o.Name, address(2))
		r := request{FileID: host.RID + ".AAAAAAAAAAAAAAAAAAAAAA"}
		if _, err := w.Ask(ctx, guest, r); code(err) != "file_not_found" {
			t.Errorf("of a member that is away: %v", err)
		}
		if _, err := d.Exec(ctx, `UPDATE drop_members SET node = 'elsewhere'`); err != nil {
			t.Fatal(err)
		}
		ids := make(chan string, 20)
		if won := limittest.AtOnce(20, func() error {
			id, err := w.Ask(context.Background(), guest, r)
			if err == nil {
				ids <- id
			} else if code(err) != "too_many_transfers" {
				t.Error(err)
			}
			return err
		}); won != maxReceiving {
			t.Errorf("%d transfers at once", won)
		}
		if _, err := w.Ask(ctx, third, r); err != nil {
			t.Errorf("another receiver: %v", err)
		}
		id := <-ids
		if _, err := w.take(ctx, third, id); code(err) != "transfer_not_found" {
			t.Errorf("another's stream: %v", err)
		}
		if won := limittest.AtOnce(8, func() error {
			sender, err := w.take(context.Background(), guest, id)
			if err == nil && sender != host.RID || err != nil && code(err) != "transfer_taken" {
				t.Errorf("%s %v", sender, err)
			}
			return err
		}); won != 1 {
			t.Errorf("a stream was opened %d times", won)
		}
		// The server forgets a transfer that no stream takes within a minute.
		if err := insertNode(ctx, d, w.node, w.Now().UnixMilli()); err != nil {
			t.Fatal(err)
		}
		w.below.Advance(time.Minute + time.Millisecond)
		if err := w.Prune(ctx); err != nil {
			t.Error(err)
		}
		if n := rows(t, d, "drop_transfers"); n != 1 { // the one with a stream
			t.Errorf("%d transfers are left", n)
		}
		outside := guest
		outside.Admitted = false
		if _, err := w.Ask(ctx, outside, r); code(err) != "not_admitted" {
			t.Errorf("a guest outside: %v", err)
		}
	})
}

// A connected host keeps its drop for as long as its process gives signs of life.
func TestConnectedHost(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		o, host := w.openDrop()
		if err := w.register(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := connect(ctx, d, host.RID, w.node, w.Now().UnixMilli()); err != nil {
			t.Fatal(err)
		}
		for range 12 {
			w.below.Advance(w.DropGrace / 4)
			if err := w.sweep(ctx); err != nil {
				t.Fatal(err)
			}
		}
		w.below.Advance(w.DropGrace - time.Millisecond)
		w.member(o.Name, o.Token)
		w.below.Advance(time.Millisecond)
		if _, err := w.Member(ctx, o.Name, o.Token); code(err) != "drop_not_found" {
			t.Errorf("after the grace without a sign: %v", err)
		}
	})
}

// Members of a process that died count as away since its last sign of life. A drop whose host
// was there ends after the grace, and no sooner.
func TestLostNode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		o, host := w.openDrop()
		guest := w.guest(o.Name, address(1))
		if err := insertNode(ctx, d, "other", w.Now().UnixMilli()); err != nil {
			t.Fatal(err)
		}
		for _, rid := range []string{host.RID, guest.RID} {
			if n, err := connect(ctx, d, rid, "other", w.Now().UnixMilli()); n != 1 || err != nil {
				t.Fatal(n, err)
			}
		}
		w.below.Advance(3 * w.beatTime())
		if err := w.sweep(ctx); err != nil {
			t.Fatal(err)
		}
		here := func() (all []bool) {
			people, err := listPeople(ctx, d, host.Drop)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range people {
				all = append(all, p.Here)
			}
			return all
		}
		if diff := cmp.Diff([]bool{true, true}, here()); diff != "" {
			t.Errorf("too soon: %s", diff)
		}
		w.below.Advance(time.Millisecond)
		if err := w.sweep(ctx); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]bool{false, false}, here()); diff != "" {
			t.Errorf("too late: %s", diff)
		}
		w.below.Advance(w.DropGrace - 3*w.beatTime() - 2*time.Millisecond)
		w.member(o.Name, o.Token)
		w.below.Advance(time.Millisecond)
		if _, err := w.Member(ctx, o.Name, o.Token); code(err) != "drop_not_found" {
			t.Errorf("after the grace: %v", err)
		}
		// A member that has connected to another process stays.
		o, host = w.openDrop()
		if _, err := connect(ctx, d, host.RID, "other", w.Now().UnixMilli()); err != nil {
			t.Fatal(err)
		}
		n, err := connect(ctx, d, host.RID, w.node, w.Now().UnixMilli())
		if err != nil {
			t.Fatal(err)
		}
		if was, err := disconnect(ctx, d, host.RID, "other", n-1, w.Now().UnixMilli()); was || !errors.Is(err, db.ErrNoRows) {
			t.Errorf("an older connection took the newer with it: %v", err)
		}
	})
}

// A member gets tickets for each of its streams, and not as many as fill the memory.
func TestTicketsOfOneMember(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	_, host := w.openDrop()
	_, other := w.openDrop()
	for n := range mostTickets {
		if _, err := w.Ticket(t.Context(), host); err != nil {
			t.Fatal(n, err)
		}
	}
	if _, err := w.Ticket(t.Context(), host); code(err) != "rate_limited" {
		t.Errorf("one more: %v", err)
	}
	if _, err := w.Ticket(t.Context(), other); err != nil {
		t.Errorf("another member: %v", err)
	}
}

// A host that changes nothing writes nothing, and its changes count as looks do.
func TestChangesAreCounted(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	o, host := w.openDrop()
	if ran := dbtest.Ran(w.DB, func() {
		for _, same := range []struct {
			name  *string
			until *time.Time
		}{{nil, nil}, {&o.Name, nil}, {nil, &o.Expires}, {&o.Name, &o.Expires}} {
			name, until, err := w.Change(t.Context(), host, same.name, same.until)
			if err != nil || name != o.Name || !until.Equal(o.Expires) {
				t.Errorf("%s %s %v", name, until, err)
			}
		}
	}); len(ran) != 0 {
		t.Errorf("a change of nothing runs %q", ran)
	}
	for i := range w.ReadLimit.Limit + 1 {
		body := fmt.Sprintf(`{"expires_at":%q}`, o.Expires.Add(time.Duration(i)*time.Second).Format(time.RFC3339))
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, w.url+"/v1/drops/"+o.Name, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Drop "+o.Token)
		r.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		want := http.StatusOK
		if i == w.ReadLimit.Limit {
			want = http.StatusTooManyRequests
		}
		if res.StatusCode != want {
			t.Fatalf("change %d: %d, want %d", i+1, res.StatusCode, want)
		}
	}
}

// A request for one transfer too many writes nothing.
func TestRefusedTransferWritesNothing(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	o, host := w.openDrop()
	guest := w.guest(o.Name, address(1))
	if _, err := w.DB.Exec(t.Context(), `UPDATE drop_members SET node = 'elsewhere'`); err != nil {
		t.Fatal(err)
	}
	r := request{FileID: host.RID + ".AAAAAAAAAAAAAAAAAAAAAA"}
	for range maxReceiving {
		if _, err := w.Ask(t.Context(), guest, r); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range dbtest.Ran(w.DB, func() {
		if _, err := w.Ask(t.Context(), guest, r); code(err) != "too_many_transfers" {
			t.Error(err)
		}
	}) {
		if !strings.HasPrefix(strings.TrimSpace(q), "SELECT") {
			t.Errorf("it runs %s", q)
		}
	}
}
