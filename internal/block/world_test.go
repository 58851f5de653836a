package block_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"coffer/internal/block"
	"coffer/internal/db"
	"coffer/internal/jobs"
	"coffer/internal/limit"
	"coffer/internal/limit/limittest"
)

// ground is everything below the room, and a node of it.
type ground struct {
	*limittest.Ground
	*block.Service
}

func newGround(t testing.TB, d *db.DB, change func(*block.Config)) *ground {
	t.Helper()
	g := &ground{Ground: limittest.New(t, d, limittest.Setup{})}
	g.Service = g.node(t, change)
	return g
}

// node is another process on the same stores.
func (g *ground) node(t testing.TB, change func(*block.Config)) *block.Service {
	t.Helper()
	c := block.Config{
		Settings: block.Settings{Automatic: true, Refusals: limit.Rule{Limit: 5, Window: 15 * time.Minute}, Tokens: limit.Rule{Limit: 4, Window: 15 * time.Minute}},
		DB:       g.Ground.DB, Ring: g.Ground.Ring, KV: g.Ground.KV, Now: g.Ground.Now, Log: g.Ground.Log,
		Jobs: jobs.New(g.Ground.DB, jobs.Config{Seal: asItIs, Open: asItIs}), // each process has its own
	}
	if change != nil {
		change(&c)
	}
	s := block.New(c)
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func asItIs(_ context.Context, b []byte) ([]byte, error) { return b, nil }

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

func (g *ground) order(t testing.TB, o block.Order) block.Block {
	t.Helper()
	b, err := g.Add(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func network(t testing.TB, s string) netip.Prefix {
	t.Helper()
	p, err := block.ParseNetwork(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return p
}

func refuses(s *block.Service, a string) bool {
	_, is := s.Refused(addr(a))
	return is
}
