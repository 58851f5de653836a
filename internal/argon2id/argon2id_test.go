package argon2id

import (
	"bytes"
	"encoding/hex"
	"runtime"
	"testing"

	"golang.org/x/crypto/argon2"
)

// RFC 9106 §5.3, the vector with a secret and associated data.
func TestRFC9106(t *testing.T) {
	p := Params{MemoryKiB: 32, Time: 3, Threads: 4}
	part := func(n int, v byte) []byte { return bytes.Repeat([]byte{v}, n) }
	var m Memory
	defer m.Free()
	got, err := m.derive(prehash(p, 32, part(32, 1), part(16, 2), part(8, 3), part(12, 4)), p, 32)
	if err != nil {
		t.Fatal(err)
	}
	if want := "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"; hex.EncodeToString(got) != want {
		t.Errorf("the tag is %x, want %s", got, want)
	}
}

// agree compares a hash in used memory with that of x/crypto.
func agree(t *testing.T, m *Memory, password, salt []byte, p Params, size int) {
	t.Helper()
	got, err := m.Key(password, salt, p, size)
	if err != nil {
		t.Fatal(err)
	}
	if want := argon2.IDKey(password, salt, p.Time, p.MemoryKiB, p.Threads, uint32(size)); !bytes.Equal(got, want) {
		t.Errorf("%+v, password %x, salt %x, %d bytes:\n got %x\nwant %x", p, password, salt, size, got, want)
	}
}

// One memory serves hashes of every cost, one after the other: what the last one left
// changes nothing.
func TestAgreesWithXCrypto(t *testing.T) {
	var m Memory
	defer m.Free()
	salt := []byte("sixteen bytes ok")
	for _, kib := range []uint32{0, 1, 8, 31, 64, 127, 513, 1100, 64} {
		for _, passes := range []uint32{1, 2, 3} {
			for _, lanes := range []uint8{1, 2, 4, 7} {
				agree(t, &m, []byte("password"), salt, Params{kib, passes, lanes}, 32)
			}
		}
	}
	// The lengths at which the long hash of the RFC changes its shape.
	for _, size := range []int{4, 16, 31, 32, 33, 63, 64, 65, 95, 96, 97, 127, 128, 129, 200, 1024} {
		agree(t, &m, nil, salt, Params{64, 1, 1}, size)
	}
	agree(t, &m, bytes.Repeat([]byte("long"), 1000), nil, Params{64, 1, 1}, 32)
	m.Free()
	agree(t, &m, []byte("after the memory was given back"), salt, Params{64, 3, 1}, 32)
}

func TestAgreesAtDefaultCosts(t *testing.T) {
	var m Memory
	defer m.Free()
	agree(t, &m, []byte("correct horse battery staple"), []byte("0123456789abcdef"), Params{64 << 10, 1, 1}, 32)
}

// The memory of a hash is not on the heap of the collector, and no hash but the first
// takes any.
func TestMemoryIsKept(t *testing.T) {
	var m Memory
	defer m.Free()
	p := Params{4 << 10, 1, 1}
	hash := func() {
		if _, err := m.Key([]byte("password"), []byte("0123456789abcdef"), p, 32); err != nil {
			t.Fatal(err)
		}
	}
	hash()
	kept := &m.blocks[0]
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	hash()
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("a hash allocates %d bytes", n)
	}
	p.MemoryKiB = 1 << 10
	hash()
	if &m.blocks[0] != kept || len(m.blocks) != 4<<10 {
		t.Error("a smaller hash gave the memory up")
	}
}

func FuzzAgreesWithXCrypto(f *testing.F) {
	f.Add([]byte("password"), []byte("0123456789abcdef"), uint16(64), uint8(3), uint8(1), uint8(32))
	f.Add([]byte{}, []byte{}, uint16(0), uint8(1), uint8(4), uint8(100))
	m := new(Memory)
	f.Cleanup(m.Free)
	f.Fuzz(func(t *testing.T, password, salt []byte, kib uint16, passes, lanes, size uint8) {
		p := Params{uint32(kib) % 2048, uint32(passes)%4 + 1, lanes%8 + 1}
		agree(t, m, password, salt, p, int(size)+4)
	})
}

func BenchmarkKey(b *testing.B) {
	var m Memory
	defer m.Free()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Key([]byte("password"), []byte("0123456789abcdef"), Params{64 << 10, 3, 1}, 32); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkXCrypto(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		argon2.IDKey([]byte("password"), []byte("0123456789abcdef"), 3, 64<<10, 1, 32)
	}
}
