package block_test

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"coffer/internal/block"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/keyring"
	"coffer/internal/rest"
)

func (g *ground) offence(t testing.TB, a string) {
	t.Helper()
	if err := g.Offence(t.Context(), addr(a), "calls over the limits"); err != nil {
		t.Fatal(err)
	}
}

// lasts returns how long an address is refused from now on.
func (g *ground) lasts(t testing.TB, a string) time.Duration {
	t.Helper()
	b, is := g.Refused(addr(a))
	if !is {
		return 0
	}
	return b.ExpiresAt.Sub(g.Now())
}

// Each block lasts four times as long as the one before, a week at most; after a calm month
// the first one comes again.
func TestGrows(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		g := newGround(t, d, nil)
		const a = "192.0.2.7"
		for i, want := range []time.Duration{
			15 * time.Minute, time.Hour, 4 * time.Hour, 16 * time.Hour, 64 * time.Hour, 7 * 24 * time.Hour, 7 * 24 * time.Hour,
		} {
			g.offence(t, a)
			g.offence(t, "::ffff:"+a) // while it runs: counts for nothing
			if got := g.lasts(t, a); got != want {
				t.Fatalf("block %d lasts %s, want %s", i+1, got, want)
			}
			g.Advance(want)
			if got := g.lasts(t, a); got != 0 {
				t.Fatalf("block %d goes on for %s", i+1, got)
			}
			g.Advance(24 * time.Hour)
			if err := g.Prune(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		g.Advance(29 * 24 * time.Hour)
		g.offence(t, a)
		if got := g.lasts(t, a); got != 15*time.Minute {
			t.Errorf("after a calm month it lasts %s", got)
		}
		// An admin's pardon begins anew too.
		g.Advance(time.Hour)
		g.offence(t, a)
		b, _ := g.Refused(addr(a))
		if b.ExpiresAt.Sub(g.Now()) != time.Hour {
			t.Fatalf("%+v", b)
		}
		if err := g.Remove(t.Context(), b.ID, ""); err != nil || refuses(g.Service, a) {
			t.Fatalf("%v", err)
		}
		g.offence(t, a)
		if got := g.lasts(t, a); got != 15*time.Minute {
			t.Errorf("after a pardon it lasts %s", got)
		}
	})
}

// Of offences at once on two nodes one counts.
func TestOffencesAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		g := newGround(t, d, nil)
		other := g.node(t, nil)
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				if err := []*block.Service{g.Service, other}[i%2].Offence(t.Context(), addr("192.0.2.7"), "spraying"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got := g.lasts(t, "192.0.2.7"); got != 15*time.Minute {
			t.Errorf("it lasts %s", got)
		}
	})
}

// An automatic block hits an IPv4 address or a /64, and no address that must be spared.
func TestSpared(t *testing.T) {
	t.Parallel()
	g := newGround(t, dbtest.SQLite(t), func(c *block.Config) {
		c.Proxies = []netip.Prefix{netip.MustParsePrefix("198.51.100.1/32"), netip.MustParsePrefix("2001:db8:5:6::1/128")}
	})
	for _, a := range []string{
		"127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.1.1", "fe80::1", "fc00::1", "0.0.0.0", "::", "224.0.0.1", "::ffff:127.0.0.1",
		"198.51.100.1", "2001:db8:5:6::1", "2001:db8:5:6::2", // a proxy, and what shares its /64
	} {
		g.offence(t, a)
		if refuses(g.Service, a) {
			t.Errorf("%s is blocked", a)
		}
	}
	if err := g.Offence(t.Context(), netip.Addr{}, "x"); err != nil {
		t.Error(err)
	}
	g.offence(t, "2001:db8:1:2:3:4:5:6%eth0")
	for a, want := range map[string]bool{"2001:db8:1:2::": true, "2001:db8:1:2:ffff::9": true, "2001:db8:1:3::": false} {
		if refuses(g.Service, a) != want {
			t.Errorf("%s: refused %v", a, !want)
		}
	}
	private := g.node(t, func(c *block.Config) { c.Private = true })
	if err := private.Offence(t.Context(), addr("127.0.0.9"), "x"); err != nil || !refuses(private, "127.0.0.9") {
		t.Errorf("with the setting a private address is not blocked: %v", err)
	}
	off := g.node(t, func(c *block.Config) { c.Automatic = false })
	if err := off.Offence(t.Context(), addr("192.0.2.99"), "x"); err != nil || refuses(off, "192.0.2.99") {
		t.Errorf("without automatic blocks an address is blocked: %v", err)
	}
}

// An address where an admin was is not blocked for a day, on no node. One that several
// accounts use is blocked for 15 minutes each time.
func TestKnownAddresses(t *testing.T) {
	t.Parallel()
	g := newGround(t, dbtest.SQLite(t), nil)
	ctx := t.Context()
	other := g.node(t, nil)
	other.Seen(ctx, addr("192.0.2.1"), rest.Caller{Account: "boss", Role: "admin"})
	other.Seen(ctx, addr("2001:db8:1:1::1"), rest.Caller{Account: "boss", Role: "admin"})
	for _, who := range []string{"a", "b", "c", "a"} {
		other.Seen(ctx, addr("192.0.2.2"), rest.Caller{Account: who})
	}
	for range 9 { // one account, however often, makes no shared address
		other.Seen(ctx, addr("192.0.2.3"), rest.Caller{Account: "mallory"})
	}
	g.Advance(23 * time.Hour)
	for _, a := range []string{"192.0.2.1", "::ffff:192.0.2.1", "2001:db8:1:1::2"} {
		g.offence(t, a)
		if refuses(g.Service, a) {
			t.Errorf("%s of an admin is blocked", a)
		}
	}
	for range 3 {
		g.offence(t, "192.0.2.2")
		if got := g.lasts(t, "192.0.2.2"); got != 15*time.Minute {
			t.Errorf("a shared address is blocked for %s", got)
		}
		g.Advance(15 * time.Minute)
	}
	g.Advance(time.Hour) // more than a day since
	g.offence(t, "192.0.2.1")
	if got := g.lasts(t, "192.0.2.1"); got != 15*time.Minute {
		t.Errorf("after a day: %s", got)
	}
	g.offence(t, "192.0.2.3")
	g.Advance(15 * time.Minute)
	g.offence(t, "192.0.2.3")
	if got := g.lasts(t, "192.0.2.3"); got != time.Hour {
		t.Errorf("an address of one account: %s", got)
	}
}

// Sixteen /64 of one customer block the /48, so the table does not fill with one customer's.
func TestCrowded(t *testing.T) {
	t.Parallel()
	g := newGround(t, dbtest.SQLite(t), nil)
	for i := range 40 {
		g.offence(t, fmt.Sprintf("2001:db8:7:%x::1", i))
	}
	all, _, err := g.List(t.Context(), nil, "", 100)
	if err != nil || len(all) != 17 {
		t.Errorf("%d blocks, %v; want 16 and the one of the /48", len(all), err)
	}
	if !refuses(g.Service, "2001:db8:7:ffff::1") || refuses(g.Service, "2001:db8:8::1") {
		t.Error("the /48 is not blocked, or its neighbour is")
	}
	g.Advance(time.Hour)
	if err := g.Load(t.Context()); err != nil { // as each second
		t.Fatal(err)
	}
	g.offence(t, "2001:db8:7:1::1") // all have ended: one of them again
	if !refuses(g.Service, "2001:db8:7:1::1") || refuses(g.Service, "2001:db8:7:ffff::1") {
		t.Error("after an hour the /48 is blocked for one /64")
	}
}

// Where an admin was in another /64 of the customer, the /48 stays open.
func TestCrowdedAroundAnAdmin(t *testing.T) {
	t.Parallel()
	g := newGround(t, dbtest.SQLite(t), nil)
	g.Seen(t.Context(), addr("2001:db8:7:abcd::1"), rest.Caller{Account: "boss", Role: "admin"})
	for i := range 40 {
		g.offence(t, fmt.Sprintf("2001:db8:7:%x::1", i))
	}
	if refuses(g.Service, "2001:db8:7:abcd::1") || !refuses(g.Service, "2001:db8:7:27::1") {
		t.Error("the admin is blocked, or the fortieth network is not")
	}
}

// A node adds so many blocks at once, and then 20 a second: a flood from everywhere does not
// fill the table, and an admin's block is no part of it.
func TestPace(t *testing.T) {
	t.Parallel()
	g := newGround(t, dbtest.SQLite(t), nil)
	for i := range 1100 {
		g.offence(t, netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}).String())
	}
	count := func() int {
		all, _, err := g.List(t.Context(), nil, "", 10_000)
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	if n := count(); n != 1000 {
		t.Errorf("%d blocks at once, want 1000", n)
	}
	g.order(t, block.Order{Network: network(t, "203.0.113.9")})
	g.Advance(time.Second)
	for i := range 50 {
		g.offence(t, netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}).String())
	}
	if n := count(); n != 1021 {
		t.Errorf("%d blocks a second later, want 1021", n)
	}
}

// Refusals of limits and links that do not exist block an address: so many of them within
// the window, by the /64, and different links.
func TestAbuse(t *testing.T) {
	t.Parallel()
	g := newGround(t, dbtest.SQLite(t), nil)
	limited := func(a string, n int) {
		for range n {
			g.Answered(t.Context(), rest.Refusal{Addr: addr(a), Limited: true})
		}
	}
	token := func(a string, from, n int) {
		for i := range n {
			g.Answered(t.Context(), rest.Refusal{Addr: addr(a), Token: fmt.Sprint("token ", from+i)})
		}
	}
	limited("192.0.2.1", 4)
	g.Advance(15 * time.Minute)
	limited("192.0.2.1", 4)
	token("192.0.2.1", 0, 3)
	for range 100 {
		token("192.0.2.1", 0, 1) // the pictures of one link that has ended
	}
	g.Answered(t.Context(), rest.Refusal{Addr: addr("192.0.2.1")})
	if refuses(g.Service, "192.0.2.1") {
		t.Fatal("it is blocked too early")
	}
	limited("::ffff:192.0.2.1", 1)
	if b, is := g.Refused(addr("192.0.2.1")); !is || !b.Automatic || b.Reason != "calls over the limits" {
		t.Errorf("after five refusals: %+v %v", b, is)
	}
	for i := range 4 {
		token(fmt.Sprintf("2001:db8:1:1::%d", i), i, 1)
	}
	if b, is := g.Refused(addr("2001:db8:1:1::99")); !is || b.Reason != "links that do not exist" {
		t.Errorf("after four links: %+v %v", b, is)
	}
	// A clock that steps back begins a window, and blocks no one sooner.
	limited("192.0.2.3", 4)
	g.Advance(-time.Hour)
	limited("192.0.2.3", 4)
	if refuses(g.Service, "192.0.2.3") {
		t.Error("a step of the clock blocked an address")
	}
}

// Many new addresses do not push out the counter of one that has many refusals, and memory
// stays bounded.
func TestAbuseIsBounded(t *testing.T) {
	t.Parallel()
	g := newGround(t, dbtest.SQLite(t), nil)
	for range 4 {
		g.Answered(t.Context(), rest.Refusal{Addr: addr("192.0.2.1"), Limited: true})
	}
	for i := range 60_000 {
		a := netip.AddrFrom4([4]byte{20, byte(i >> 16), byte(i >> 8), byte(i)})
		g.Answered(t.Context(), rest.Refusal{Addr: a, Limited: true})
	}
	if n := g.Offenders(); n > 20_000 {
		t.Errorf("%d addresses are counted", n)
	}
	g.Answered(t.Context(), rest.Refusal{Addr: addr("192.0.2.1"), Limited: true})
	if !refuses(g.Service, "192.0.2.1") {
		t.Error("others pushed out its counter")
	}
}

// People of many addresses do not grow the memory of visitors. An admin's address that they
// push out of it stays spared.
func TestSeenIsBounded(t *testing.T) {
	t.Parallel()
	g := newGround(t, dbtest.SQLite(t), nil)
	g.Seen(t.Context(), addr("192.0.2.1"), rest.Caller{Account: "boss", Role: "admin"})
	for i := range 60_000 {
		a := netip.AddrFrom4([4]byte{20, byte(i >> 16), byte(i >> 8), byte(i)})
		g.Seen(t.Context(), a, rest.Caller{Account: "ada"})
	}
	if n := g.Visited(); n != 20_000 {
		t.Errorf("%d addresses are remembered, want 20,000", n)
	}
	g.offence(t, "192.0.2.1")
	if refuses(g.Service, "192.0.2.1") {
		t.Error("an admin's address is blocked")
	}
	g.offence(t, "20.0.0.1")
	if !refuses(g.Service, "20.0.0.1") {
		t.Error("another address is spared")
	}
}

// The rows of automatic blocks are bounded; those that end first give way, and an admin's
// stay.
func TestRowsAreBounded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		g := newGround(t, d, nil)
		g.order(t, block.Order{Network: network(t, "203.0.113.9"), ExpiresAt: g.Now().Add(time.Minute)})
		for i := range 10 {
			g.offence(t, fmt.Sprintf("192.0.2.%d", i))
			g.Advance(time.Second)
		}
		if err := g.PruneTo(t.Context(), 4); err != nil {
			t.Fatal(err)
		}
		fresh := g.node(t, nil)
		for i := range 10 {
			if a := fmt.Sprintf("192.0.2.%d", i); refuses(fresh, a) != (i >= 6) {
				t.Errorf("%s: refused %v", a, i < 6)
			}
		}
		if !refuses(fresh, "203.0.113.9") {
			t.Error("an admin's block gave way")
		}
		g.Advance(25 * time.Hour) // it has ended, a day ago
		if err := g.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := d.QueryRow(t.Context(), `SELECT COUNT(*) /* bounded: a test */ FROM blocks`).Scan(&n); err != nil || n != 4 {
			t.Errorf("%d rows, %v; want the 4 automatic ones", n, err)
		}
	})
}

// The marks of an admin's address outlive a rotation of the index key that names them.
func TestSparedAfterARotation(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		g := newGround(t, d, nil)
		const a = "192.0.2.7"
		g.Seen(t.Context(), addr(a), rest.Caller{Account: "boss", Role: "admin"})
		if _, err := g.Ground.Ring.Rotate(t.Context(), keyring.Index); err != nil {
			t.Fatal(err)
		}
		g.offence(t, a)
		if refuses(g.Service, a) {
			t.Error("an admin's address is blocked after a rotation")
		}
		g.offence(t, "192.0.2.8")
		if !refuses(g.Service, "192.0.2.8") {
			t.Error("another address is spared")
		}
	})
}
