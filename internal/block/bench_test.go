package block_test

import (
	"net/netip"
	"testing"

	"coffer/internal/block"
	"coffer/internal/db/dbtest"
	"coffer/internal/rest"
)

// An ordinary request pays for the question at the door, and for the note of its caller.
func BenchmarkRefused(b *testing.B) {
	for name, fill := range map[string]func(g *ground){
		"empty": func(*ground) {},
		"hundred": func(g *ground) {
			for i := range 100 {
				g.order(b, block.Order{Network: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 32)})
			}
			g.order(b, block.Order{Network: network(b, "198.51.100.0/24")})
			g.order(b, block.Order{Network: network(b, "2001:db8::/32")})
			g.offence(b, "2001:db9::1")
		},
	} {
		g := newGround(b, dbtest.SQLite(b), nil)
		fill(g)
		for _, a := range []string{"192.0.2.7", "2001:dba::7"} {
			b.Run(name+" "+a, func(b *testing.B) {
				b.ReportAllocs()
				from := addr(a)
				for b.Loop() {
					if _, is := g.Refused(from); is {
						b.Fatal("refused")
					}
				}
			})
		}
	}
	b.Run("seen", func(b *testing.B) {
		g := newGround(b, dbtest.SQLite(b), nil)
		b.ReportAllocs()
		for b.Loop() {
			g.Seen(b.Context(), addr("192.0.2.7"), rest.Caller{Account: "01890000-0000-7000-8000-000000000000", Role: "user"})
		}
	})
}
