package block_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/internal/block"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
	"coffer/internal/keyring"
)

// One address in every form, and the edges of networks.
func TestRefused(t *testing.T) {
	t.Parallel()
	g := newGround(t, dbtest.SQLite(t), nil)
	for _, one := range []string{"192.0.2.7", "198.51.100.0/25", "::ffff:203.0.113.8/125", "2001:db8::/48", "2001:db8:7::1", "10.0.0.0/8"} {
		g.order(t, block.Order{Network: network(t, one), Reason: one})
	}
	for a, want := range map[string]bool{
		"192.0.2.7": true, "::ffff:192.0.2.7": true, "::ffff:c000:207": true, "::ffff:192.0.2.7%eth0": true,
		"192.0.2.6": false, "192.0.2.8": false, "::ffff:192.0.2.8": false, "::192.0.2.7": false, "64:ff9b::192.0.2.7": false,
		"198.51.100.0": true, "198.51.100.127": true, "198.51.100.128": false, "198.51.99.255": false,
		"203.0.113.8": true, "203.0.113.15": true, "203.0.113.16": false, "203.0.113.7": false,
		"2001:db8::": true, "2001:db8:0:ffff:ffff:ffff:ffff:ffff": true, "2001:db8:0:1::1%en0": true, "2001:db8:1::": false, "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff": false,
		"2001:db8:7::1": true, "2001:db8:7::2": false,
		"10.0.0.0": true, "10.255.255.255": true, "11.0.0.0": false, "9.255.255.255": false,
	} {
		if got := refuses(g.Service, a); got != want {
			t.Errorf("%s: refused %v, want %v", a, got, want)
		}
	}
	if _, is := g.Refused(netip.Addr{}); is {
		t.Error("a client without an address is refused")
	}
}

func TestParseNetwork(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"192.0.2.7": "192.0.2.7/32", " 192.0.2.7/24 ": "192.0.2.0/24", "::ffff:192.0.2.7": "192.0.2.7/32", "::ffff:192.0.2.7/120": "192.0.2.0/24",
		"2001:DB8::1": "2001:db8::1/128", "2001:db8::1/64": "2001:db8::/64", "10.0.0.0/8": "10.0.0.0/8", "2001:db8::/16": "2001::/16",
		"0.0.0.0/0": "too_wide", "::/0": "too_wide", "::ffff:0:0/96": "too_wide", "::ffff:10.0.0.0/103": "too_wide", "::ffff:0:0/90": "too_wide", "10.0.0.0/7": "too_wide", "2000::/15": "too_wide",
		"fe80::1%eth0": "invalid_network", "fe80::%eth0/64": "invalid_network", "": "invalid_network", "192.0.2": "invalid_network", "192.0.2.256": "invalid_network",
		"192.0.2.7/33": "invalid_network", "192.0.2.7/-1": "invalid_network", "192.0.2.7/08": "invalid_network", "0x7f.1": "invalid_network", "192.0.2.07": "invalid_network",
		"1.2.3.4,5.6.7.8": "invalid_network", "example.org": "invalid_network", "2001:db8::1/129": "invalid_network",
	} {
		p, err := block.ParseNetwork(s)
		got := p.String()
		if err != nil {
			got = fault.Of(err).Fields[0].Code
		}
		if got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
}

// An admin's block ends at its time, is replaced by the next one of its network, and can be
// removed; another node hears of each change.
func TestByHand(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		g := newGround(t, d, nil)
		other := g.node(t, nil)
		hears := func(a string, want bool) {
			t.Helper()
			if err := other.Load(ctx); err != nil {
				t.Fatal(err)
			}
			if refuses(g.Service, a) != want || refuses(other, a) != want {
				t.Fatalf("%s: refused %v here and %v there, want %v", a, refuses(g.Service, a), refuses(other, a), want)
			}
		}
		n := network(t, "192.0.2.0/24")
		first := g.order(t, block.Order{Network: n, Reason: "a flood", ExpiresAt: g.Now().Add(time.Hour)})
		hears("192.0.2.9", true)
		if b, _ := other.Refused(addr("192.0.2.9")); b != first {
			t.Errorf("there it is %+v, here %+v", b, first)
		}
		g.Advance(time.Hour - time.Millisecond)
		hears("192.0.2.9", true)
		g.Advance(time.Millisecond)
		hears("192.0.2.9", false)
		g.Advance(-time.Minute) // a clock that steps back
		hears("192.0.2.9", true)
		g.Advance(2 * time.Minute)
		hears("192.0.2.9", false)

		second := g.order(t, block.Order{Network: n, Reason: "again"})
		hears("192.0.2.9", true)
		g.Advance(1000 * time.Hour)
		hears("192.0.2.9", true)
		all, next, err := other.List(ctx, nil, "", 10)
		if err != nil || next != "" || len(all) != 1 || all[0] != second {
			t.Fatalf("the list is %+v %q, %v; want %+v", all, next, err, second)
		}
		if err := g.Remove(ctx, first.ID, ""); fault.Of(err).Kind != fault.NotFound {
			t.Errorf("removing what was replaced: %v", err)
		}
		if err := other.Remove(ctx, second.ID, ""); err != nil {
			t.Fatal(err)
		}
		if err := g.Load(ctx); err != nil {
			t.Fatal(err)
		}
		hears("192.0.2.9", false)
		for _, id := range []string{second.ID, "", "x", "01890000-0000-7000-8000-000000000000", "\x00"} {
			if err := g.Remove(ctx, id, ""); fault.Of(err).Kind != fault.NotFound {
				t.Errorf("removing %q: %v", id, err)
			}
		}
		// A node that starts now reads the same list.
		g.order(t, block.Order{Network: network(t, "2001:db8::/32")})
		other = g.node(t, nil)
		hears("2001:db8:1::1", true)
		hears("192.0.2.9", false)
	})
}

func TestAddRefuses(t *testing.T) {
	t.Parallel()
	g := newGround(t, dbtest.SQLite(t), func(c *block.Config) {
		c.Proxies = []netip.Prefix{netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("::ffff:192.0.2.1/128"), netip.MustParsePrefix("2001:db8:ffff::/64")}
	})
	for _, tt := range []struct{ network, from, want string }{
		{"198.51.100.7", "198.51.100.7", "would_block_you"},
		{"198.51.100.7", "::ffff:198.51.100.7", "would_block_you"},
		{"198.51.0.0/16", "198.51.100.7", "would_block_you"},
		{"198.51.100.0/24", "198.51.100.7", "would_block_you"},
		{"198.51.100.8", "198.51.100.7", ""},
		{"2001:db8:1:2::3", "2001:db8:1:2::3", "would_block_you"},
		{"2001:db8:1:2::3", "2001:db8:1:2:4::5", "would_block_you"}, // the same customer
		{"2001:db8:1:2::/64", "2001:db8:1:3::1", ""},
		{"2001:db8:1::/48", "2001:db8:1:3::1", "would_block_you"},
		{"172.20.1.1", "198.51.100.7", "covers_proxy"},
		{"192.0.2.0/24", "198.51.100.7", "covers_proxy"},
		{"192.0.2.1", "", "covers_proxy"},
		{"2001:db8::/32", "198.51.100.7", "covers_proxy"},
		{"192.0.2.2", "", ""},
	} {
		o := block.Order{Network: network(t, tt.network)}
		if tt.from != "" {
			o.From = addr(tt.from)
		}
		_, err := g.Add(t.Context(), o)
		got := ""
		if err != nil {
			got = fault.Of(err).Fields[0].Code
		}
		if got != tt.want {
			t.Errorf("%s from %s: %q, want %q", tt.network, tt.from, got, tt.want)
		}
	}
	for what, o := range map[string]block.Order{
		"no network": {}, "a time that has passed": {Network: network(t, "192.0.2.3"), ExpiresAt: g.Now()},
		"a reason of two lines": {Network: network(t, "192.0.2.3"), Reason: "a\nb"}, "an escape": {Network: network(t, "192.0.2.3"), Reason: "\x1b[2J"},
	} {
		if _, err := g.Add(t.Context(), o); fault.Of(err).Kind != fault.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	if refuses(g.Service, "192.0.2.3") {
		t.Error("an order that was refused blocks")
	}
}

// Twenty admins at once, and two who remove the same block: one of them does.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		g := newGround(t, d, nil)
		other := g.node(t, nil)
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				s := []*block.Service{g.Service, other}[i%2]
				if _, err := s.Add(t.Context(), block.Order{Network: network(t, fmt.Sprintf("192.0.2.%d", i/2))}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		list, _, err := other.List(t.Context(), nil, "", 100)
		if err != nil || len(list) != 10 {
			t.Fatalf("%d blocks, %v", len(list), err)
		}
		var mu sync.Mutex
		removed := 0
		for i := range 8 {
			all.Go(func() {
				s := []*block.Service{g.Service, other}[i%2]
				switch err := s.Remove(t.Context(), list[0].ID, ""); {
				case err == nil:
					mu.Lock()
					removed++
					mu.Unlock()
				case fault.Of(err).Kind != fault.NotFound:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if removed != 1 {
			t.Errorf("removed %d times", removed)
		}
	})
}

// The pages of the list hold every block once, and each sort alone.
func TestList(t *testing.T) {
	t.Parallel()
	g := newGround(t, dbtest.SQLite(t), nil)
	for i := range 5 {
		g.order(t, block.Order{Network: network(t, fmt.Sprintf("192.0.2.%d", i))})
		if err := g.Offence(t.Context(), addr(fmt.Sprintf("198.51.100.%d", i)), "spraying"); err != nil {
			t.Fatal(err)
		}
		g.Advance(time.Millisecond)
	}
	yes, no := true, false
	for _, tt := range []struct {
		automatic *bool
		want      int
	}{{nil, 10}, {&yes, 5}, {&no, 5}} {
		var got []string
		cursor, pages := "", 0
		for ; ; pages++ {
			page, next, err := g.List(t.Context(), tt.automatic, cursor, 3)
			if err != nil || len(page) > 3 {
				t.Fatalf("%d, %v", len(page), err)
			}
			for _, b := range page {
				got = append(got, b.ID)
				if tt.automatic != nil && b.Automatic != *tt.automatic {
					t.Errorf("%+v", b)
				}
			}
			if cursor = next; cursor == "" {
				break
			}
		}
		if !slices.IsSortedFunc(got, func(a, b string) int { return strings.Compare(b, a) }) || len(slices.Compact(got)) != tt.want {
			t.Errorf("%d of %d, or not in order", len(got), tt.want)
		}
	}
	if _, _, err := g.List(t.Context(), nil, "x", 3); fault.Of(err).Kind != fault.Invalid {
		t.Errorf("a made-up cursor: %v", err)
	}
}

// The listener of changes runs in the transaction: its error undoes the change.
func TestHeard(t *testing.T) {
	t.Parallel()
	var got []block.Change
	fail := false
	g := newGround(t, dbtest.SQLite(t), func(c *block.Config) {
		c.Heard = func(_ context.Context, _ *db.Tx, c block.Change) error {
			if fail {
				return errors.New("the log is away")
			}
			got = append(got, c)
			return nil
		}
	})
	b := g.order(t, block.Order{Network: network(t, "192.0.2.1"), By: "ada"})
	fail = true
	if err := g.Remove(t.Context(), b.ID, "bob"); err == nil || !refuses(g.Service, "192.0.2.1") {
		t.Errorf("%v, and refused %v", err, refuses(g.Service, "192.0.2.1"))
	}
	if _, err := g.Add(t.Context(), block.Order{Network: network(t, "192.0.2.2")}); err == nil || refuses(g.Service, "192.0.2.2") {
		t.Errorf("%v, and refused %v", err, refuses(g.Service, "192.0.2.2"))
	}
	fail = false
	if err := g.Remove(t.Context(), b.ID, "bob"); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || !got[0].Added || got[0].By != "ada" || got[0].Block != b || got[1].Added || got[1].By != "bob" || got[1].Block.Network != b.Network {
		t.Errorf("%+v", got)
	}
}

// The database holds no address; keys rotate, and the same network keeps one row.
func TestAtRest(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		g := newGround(t, d, nil)
		g.order(t, block.Order{Network: network(t, "192.0.2.77"), Reason: "canary-reason"})
		sealed := func() (rows int, all string) {
			t.Helper()
			found, err := d.Query(ctx, `SELECT subject, sealed FROM blocks /* bounded: a test */ ORDER BY id`)
			if err != nil {
				t.Fatal(err)
			}
			defer found.Close()
			for found.Next() {
				var a, b []byte
				if err := found.Scan(&a, &b); err != nil {
					t.Fatal(err)
				}
				rows++
				all += string(a) + string(b)
			}
			return rows, all
		}
		_, before := sealed()
		for _, secret := range []string{"192.0.2.77", "canary-reason"} {
			if strings.Contains(before, secret) {
				t.Errorf("the table holds %s", secret)
			}
		}
		for _, p := range []keyring.Purpose{keyring.Field, keyring.Index} {
			g.Advance(time.Hour)
			if _, err := g.Ground.Ring.Rotate(ctx, p); err != nil {
				t.Fatal(err)
			}
		}
		g.order(t, block.Order{Network: network(t, "192.0.2.78")})
		twice := g.order(t, block.Order{Network: network(t, "192.0.2.77"), Reason: "newer"}) // under the new index: a second row
		if err := g.Ground.Ring.RewrapAll(ctx, g.Ground.Ring.Rewraps(), nil); err != nil {
			t.Fatal(err)
		}
		rows, after := sealed()
		if rows != 2 || after == before {
			t.Errorf("%d rows after the walk, want 2", rows)
		}
		fresh := g.node(t, nil)
		if b, is := fresh.Refused(addr("192.0.2.77")); !is || b.ID != twice.ID || !refuses(fresh, "192.0.2.78") {
			t.Errorf("after the walk: %+v %v", b, is)
		}
	})
}
