package treelog

import (
	"bytes"
	"testing"
)

// BenchmarkVerify reads an export line by line and compares it with its checkpoint, as
// `coffer ledger verify` does. An operation is one entry.
func BenchmarkVerify(b *testing.B) {
	var lines [][]byte
	for _, e := range ledgerOf(4096) {
		lines = append(lines, e.AppendTo(nil))
	}
	b.ReportAllocs()
	audit := NewAudit(nil)
	for i := 0; b.Loop(); i++ {
		e, err := ParseEntry(lines[i%len(lines)])
		if err != nil {
			b.Fatal(err)
		}
		e.N = int64(i) // a list of any length from a few lines
		audit.Add(e)
	}
	if audit.End().Entries == 0 {
		b.Fatal("nothing was read")
	}
}

// BenchmarkGrowth hashes entries into tiles. An operation is one entry.
func BenchmarkGrowth(b *testing.B) {
	g, err := Grow(stored{}.tree(0))
	if err != nil {
		b.Fatal(err)
	}
	e, leaf := entry(7), bytes.NewBuffer(nil)
	for i := 0; b.Loop(); i++ {
		leaf.Reset()
		leaf.Write(e.AppendTo(leaf.AvailableBuffer()))
		g.Add(LeafHash(leaf.Bytes()))
		if i%4096 == 0 {
			g.Take()
		}
	}
}
