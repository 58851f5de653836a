package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/client"
)

// kept records a worker's acknowledged files and its requests without an answer.
type kept struct {
	mu    sync.Mutex
	acked map[string]int // name → size
	n     int
}

// count returns how many files were acknowledged.
func (k *kept) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.acked)
}

// sizeOf is the length of the named file; its bytes follow from the name too.
func sizeOf(name string) int { return int(digest([]byte(name))[0]) * 5_000 }

// set is three files stored in one request: all of them or none.
func set(id string) []client.Source {
	var files []client.Source
	for i := range 3 {
		name := fmt.Sprintf("set %s.%d", id, i)
		files = append(files, client.Source{Name: name, Content: bytes.NewReader(bytesOf(sizeOf(name), name))})
	}
	return files
}

// work stores sets and refreshes until ctx ends or the server dies.
func (k *kept) work(ctx context.Context, t *testing.T, c *client.Client, who int) {
	for ctx.Err() == nil {
		k.mu.Lock()
		k.n++
		id := fmt.Sprintf("%d-%d", who, k.n)
		k.mu.Unlock()
		files := set(id)
		stored, err := c.Upload(ctx, "", files...)
		var refused *client.Error
		if errors.As(err, &refused) {
			t.Errorf("upload: %v", err)
		}
		if err != nil {
			return
		}
		k.mu.Lock()
		for _, e := range stored {
			k.acked[e.Name] = int(e.Size)
		}
		k.mu.Unlock()
		if _, err := c.Refresh(ctx); errors.As(err, &refused) {
			t.Errorf("refresh: %v", err)
		} else if err != nil {
			return
		}
	}
}

// The server is killed repeatedly while people store files and refresh. Acknowledged files
// are there, no file is partial, and no session ends.
func TestKilled(t *testing.T) {
	t.Parallel()
	rounds := 3
	if os.Getenv("COFFER_TEST_LONG") == "1" {
		rounds = 30
	}
	each(t, func(t *testing.T, in setup) {
		s := start(t, in)
		p := s.member(t)
		const workers = 4
		var clients []*client.Client
		for range workers {
			clients = append(clients, p.signIn(t))
		}
		k := &kept{acked: map[string]int{}}
		for round := range rounds {
			ctx, cancel := context.WithCancel(t.Context())
			var all sync.WaitGroup
			for i, c := range clients {
				all.Go(func() { k.work(ctx, t, c, i) })
			}
			if round == 0 { // otherwise a slow machine would store nothing before each kill
				wait(t, "files are stored", func() bool { return k.count() > 0 })
			}
			time.Sleep(time.Duration(30+rand.IntN(250)) * time.Millisecond)
			s.kill()
			cancel()
			all.Wait()
			s.start()
			k.check(t, clients, round)
		}
		if len(k.acked) == 0 {
			t.Error("nothing was ever stored: the test sees nothing")
		}
	})
}

// check verifies all visible files after a restart.
func (k *kept) check(t *testing.T, clients []*client.Client, round int) {
	t.Helper()
	for i, c := range clients {
		if _, err := c.Refresh(t.Context()); err != nil {
			t.Fatalf("round %d: client %d was signed out: %v", round, i, err)
		}
	}
	visible := map[string]bool{}
	sets := map[string]int{}
	for e, err := range clients[0].Files(t.Context(), "", "name") {
		if err != nil {
			t.Fatal(err)
		}
		visible[e.Name] = true
		sets[e.Name[:strings.LastIndexByte(e.Name, '.')]]++
		if got := content(t, clients[0], e.ID); !bytes.Equal(got, bytesOf(sizeOf(e.Name), e.Name)) || e.SHA256 != digest(got) {
			t.Errorf("round %d: %s has %d bytes, want %d", round, e.Name, len(got), sizeOf(e.Name))
		}
	}
	for name := range k.acked {
		if !visible[name] {
			t.Errorf("round %d: %s was acknowledged and is not there", round, name)
		}
	}
	for id, n := range sets {
		if n != 3 {
			t.Errorf("round %d: %d files of %q, want all 3 or none", round, n, id)
		}
	}
	t.Logf("round %d: %d acknowledged, %d visible", round, len(k.acked), len(visible))
}

// Sign-ups and proofs survive too: a promised mail comes after the restart.
func TestKilledAfterSignUp(t *testing.T) {
	t.Parallel()
	if !thorough() {
		t.Skip("waits up to a minute for the lease of a job whose worker was killed: COFFER_TEST_LONG=1, or COFFER_TEST_REQUIRE=1 as in CI")
	}
	each(t, func(t *testing.T, in setup) {
		s := start(t, in)
		var joined []*person
		for range 5 {
			p := s.stranger()
			p.apply(t, p.client(t))
			joined = append(joined, p)
		}
		s.kill()
		s.start()
		for _, p := range joined {
			if err := p.prove(t, p.client(t), p.mail(t, "verify-email")); err != nil {
				t.Fatal(err)
			}
		}
		s.kill()
		s.start()
		for _, p := range joined {
			p.signIn(t)
		}
	})
}
