package argon

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/argon2"
)

// TestAgainstXCrypto compares hashes of every shape with those of golang.org/x/crypto/argon2, one after
// another in the same memory, so that what an earlier hash left there is seen if it matters.
func TestAgainstXCrypto(t *testing.T) {
	var m Memory
	defer m.Release()
	for memory := range uint32(66) {
		for time := uint32(1); time <= 3; time++ {
			for threads := uint8(1); threads <= 4; threads++ {
				compare(t, &m, []byte("correct horse battery"), []byte("0123456789abcdef"), Cost{memory, time, threads}, 32)
			}
		}
	}
	for n := uint32(4); n <= 200; n++ {
		compare(t, &m, nil, []byte("a salt"), Cost{32, 1, 1}, n)
	}
	// More than 128 addresses a segment, more lanes than a byte's half, and a long password.
	compare(t, &m, bytes.Repeat([]byte{'x'}, 1<<12), []byte("0123456789abcdef"), Cost{2048, 2, 1}, 32)
	compare(t, &m, []byte("x"), []byte("0123456789abcdef"), Cost{4096, 2, 200}, 32)
	compare(t, &m, []byte("x"), []byte("0123456789abcdef"), Cost{64 << 10, 3, 1}, 32)
}

func FuzzKey(f *testing.F) {
	f.Add([]byte("password"), []byte("somesalt"), uint16(64), uint8(2), uint8(3), uint8(32))
	f.Fuzz(func(t *testing.T, password, salt []byte, memory uint16, time, threads, n uint8) {
		var m Memory
		defer m.Release()
		compare(t, &m, password, salt, Cost{uint32(memory) % 1024, uint32(time)%4 + 1, threads%8 + 1}, uint32(n)+4)
	})
}

func compare(t *testing.T, m *Memory, password, salt []byte, c Cost, n uint32) {
	t.Helper()
	got, err := m.Key(password, salt, c, n)
	if err != nil {
		t.Error(err)
		return
	}
	if want := argon2.IDKey(password, salt, c.Time, c.Memory, c.Threads, n); !bytes.Equal(got, want) {
		t.Errorf("%d bytes at %+v: %x, want %x", n, c, got, want)
	}
}

// TestCompress compares the two ways to compute a block, also where the result takes the place of
// what it is made of.
func TestCompress(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 1000 {
		var a, b, old, z block
		for j := range words {
			a[j], b[j], old[j] = random.Uint64(), random.Uint64(), random.Uint64()
		}
		if i == 0 {
			a, b = block{}, block{}
			for j := range words {
				a[j] = ^uint64(0)
			}
		}
		for _, xor := range []bool{false, true} {
			want, got := old, old
			compressPlain(&want, &a, &b, &z, xor)
			compress(&got, &a, &b, &z, xor)
			if got != want {
				t.Fatalf("blocks %d, xor %t: they differ", i, xor)
			}
		}
		want, got := b, b
		compressPlain(&want, &a, &want, &z, false)
		compress(&got, &a, &got, &z, false)
		var apart block
		compressPlain(&apart, &a, &b, &z, false)
		if got != want || got != apart {
			t.Fatalf("blocks %d, in place: they differ", i)
		}
	}
}

// TestMemoryIsKept checks that hashes take turns in the same memory, that one of another size takes
// its place, and that Release leaves none.
func TestMemoryIsKept(t *testing.T) {
	var m Memory
	key := func(kib uint32) *byte {
		t.Helper()
		if _, err := m.Key([]byte("x"), []byte("0123456789abcdef"), Cost{kib, 1, 1}, 32); err != nil {
			t.Fatal(err)
		}
		if len(m.idle) != 1 || len(m.idle[0]) != int(kib)<<10 {
			t.Fatalf("after a hash of %d KiB: %d memories", kib, len(m.idle))
		}
		return &m.idle[0][0]
	}
	if first := key(64); first != key(64) {
		t.Error("the second hash took other memory")
	}
	key(128)
	m.Release()
	if len(m.idle) != 0 {
		t.Error("memory stays after Release")
	}
}

// TestMemoryIsGivenBack waits until the memory has had no hash for its time, which each hash begins anew.
func TestMemoryIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m Memory
		held := func() int {
			m.mu.Lock()
			defer m.mu.Unlock()
			return len(m.idle)
		}
		for range 2 {
			if _, err := m.Key([]byte("x"), []byte("0123456789abcdef"), Cost{64, 1, 1}, 32); err != nil {
				t.Fatal(err)
			}
			time.Sleep(keep - time.Second)
			if held() != 1 {
				t.Fatal("the memory is gone before its time")
			}
		}
		time.Sleep(2 * time.Second)
		if held() != 0 {
			t.Error("the memory stays after its time")
		}
	})
}

// TestManyAtOnce hashes with memories of two sizes at once, while others are released.
func TestManyAtOnce(t *testing.T) {
	var m Memory
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				compare(t, &m, []byte{byte(i)}, []byte("0123456789abcdef"), Cost{uint32(64 + i%2*64), 1, 1}, 32)
				if i == 0 {
					m.Release()
				}
			}
		})
	}
	wg.Wait()
	m.Release()
}

// BenchmarkKey hashes on all cores, as a server does whose people sign in: here, and in x/crypto.
func BenchmarkKey(b *testing.B) {
	password, salt, cost := []byte("password"), []byte("0123456789abcdef"), Cost{64 << 10, 3, 1}
	var m Memory
	defer m.Release()
	for name, key := range map[string]func() error{
		"kept":     func() error { _, err := m.Key(password, salt, cost, 32); return err },
		"x-crypto": func() error { argon2.IDKey(password, salt, cost.Time, cost.Memory, cost.Threads, 32); return nil },
	} {
		b.Run(name, func(b *testing.B) {
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if err := key(); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "hashes/s")
		})
	}
}

func BenchmarkCompress(b *testing.B) {
	var x, y, z, out block
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			compressPlain(&out, &x, &y, &z, true)
		}
	})
	b.Run("best", func(b *testing.B) {
		for b.Loop() {
			compress(&out, &x, &y, &z, true)
		}
	})
}
