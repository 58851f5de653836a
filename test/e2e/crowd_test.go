package e2e

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// memory is a field of /proc/PID/status in bytes; VmHWM is the peak.
func (s *server) memory(t *testing.T, field string) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(field + `:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		t.Fatalf("no %s in %s", field, status)
	}
	kib, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// Two hundred concurrent sign-ins take the memory of a few hashes. The server refuses the
// excess and still answers other requests.
func TestCrowd(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc, which only Linux has")
	}
	// Half of the default memory and one of its three passes: enough to show whether two
	// hundred run at once.
	const hash = 32 << 20
	s := start(t, alone, fmt.Sprintf("COFFER_ARGON2_MEMORY=%d", hash>>10), "COFFER_ARGON2_TIME=1", "COFFER_LIMIT_SIGN_IN_ACCOUNT=1000/15m")
	p := s.member(t)
	p.signIn(t)
	var statuses sync.Map
	var all sync.WaitGroup
	gate := make(chan struct{})
	for range 200 {
		from := newAddress()
		all.Go(func() {
			<-gate
			a, err := s.try(t.Context(), from, "POST", "/v1/auth/sign-in", fmt.Sprintf(`{"identifier":%q,"password":%q}`, p.Email, p.Password))
			if err != nil {
				t.Error(err)
				return
			}
			n, _ := statuses.LoadOrStore(a.status, new(atomic.Int64))
			n.(*atomic.Int64).Add(1)
			if a.status != http.StatusCreated && a.header.Get("Retry-After") == "" {
				t.Errorf("%d without Retry-After: %s", a.status, a.body)
			}
		})
	}
	done := make(chan struct{})
	var healthy atomic.Int64
	var watch sync.WaitGroup
	watch.Go(func() {
		from := newAddress()
		for {
			select {
			case <-done:
				return
			case <-time.After(10 * time.Millisecond):
			}
			if a, err := s.try(t.Context(), from, "GET", "/healthz", ""); err != nil || a.status != http.StatusOK {
				t.Errorf("healthz meanwhile: %d, %v", a.status, err)
				return
			}
			healthy.Add(1)
		}
	})
	close(gate)
	all.Wait()
	close(done)
	watch.Wait()
	got := map[int]int64{}
	statuses.Range(func(status, n any) bool {
		got[status.(int)] = n.(*atomic.Int64).Load()
		return true
	})
	for status := range got {
		if status != http.StatusCreated && status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable {
			t.Errorf("answers %v", got)
		}
	}
	if got[http.StatusCreated] == 0 || healthy.Load() == 0 {
		t.Errorf("answers %v, healthy %d times", got, healthy.Load())
	}
	bound := int64(runtime.NumCPU())*hash + 100<<20
	peak := s.memory(t, "VmHWM") - s.memory(t, "RssFile") // the program's own file is no memory that sign-ins take
	t.Logf("answers %v, peak %d MiB of %d, healthy %d times", got, peak>>20, bound>>20, healthy.Load())
	if peak > bound {
		t.Errorf("peak %d MiB, want %d at most", peak>>20, bound>>20)
	}
}

// An upload and a download much larger than the server's memory limit.
func TestLargeFileInLittleMemory(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc, which only Linux has")
	}
	s := start(t, alone)
	c := s.member(t).signIn(t)
	before := s.memory(t, "VmHWM")
	const size = 192 << 20
	id := uploadPattern(t, c, size)
	downloadPattern(t, c, id, size)
	peak := s.memory(t, "VmHWM")
	t.Logf("peak %d MiB, %d before", peak>>20, before>>20)
	if grown := peak - before; grown > 64<<20 {
		t.Errorf("memory grew by %d MiB for a file of %d", grown>>20, size>>20)
	}
}
