package keyring

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"coffer/internal/db"
)

// crashChild turns the test binary into a process that rotates and re-wraps until it is
// killed.
const crashChild = "COFFER_TEST_RING_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashChild); path != "" {
		if err := rotateForEver(path); err != nil {
			slog.Error("child", "err", err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func rotateForEver(path string) error {
	ctx := context.Background()
	d, err := db.Open(ctx, "sqlite:"+path, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer d.Close()
	// The clock jumps, so that retired keys become free and are destroyed too.
	c := newClock()
	c.ms.Store(time.Now().UnixMilli() * 2)
	r, err := Open(ctx, d, rootKey, config(c))
	if err != nil {
		return err
	}
	works := []Rewrap{vault{d, r}.rewrap()}
	for {
		if _, err := os.Stdout.Write([]byte{'.'}); err != nil {
			return err
		}
		c.ms.Store(max(c.ms.Load(), time.Now().UnixMilli()*2) + time.Hour.Milliseconds())
		if err := r.Maintain(ctx); err != nil {
			return err
		}
		for _, p := range []Purpose{Token, Session, Field, Pepper} {
			if _, err := r.Rotate(ctx, p); err != nil {
				return err
			}
		}
		if err := r.RewrapAll(ctx, works, nil); err != nil {
			return err
		}
		c.advance(time.Hour)
		if err := r.RewrapAll(ctx, works, nil); err != nil {
			return err
		}
		live, err := r.Live(ctx, Pepper)
		if err != nil {
			return err
		}
		for _, k := range live {
			if k.State == OpenOnly {
				if err := r.Destroy(ctx, Pepper, k.ID); err != nil && !errors.Is(err, ErrNeeded) {
					return err
				}
			}
		}
	}
}

// A process is killed many times during rotations, walks and destructions. Every value
// stays readable, and each purpose keeps its active key.
func TestKilledWhileRotating(t *testing.T) {
	kills := 20
	if testing.Short() {
		kills = 5
	}
	path := tempDB(t)
	c := newClock()
	d := reopen(t, path)
	v := newVault(t, d, open(t, d, c))
	first := active(t, v.r, Pepper).Seq
	for i := range kills {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), crashChild+"="+path)
		child.Stderr = os.Stderr
		turns, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		// The child is killed at a random moment of its work, not of its start. Otherwise a
		// slow machine would kill each child before it rotates. The first completes a turn.
		begun := make([]byte, 1)
		if i == 0 {
			begun = make([]byte, 2)
		}
		if _, err := io.ReadFull(turns, begun); err != nil {
			t.Fatalf("round %d: the child ended on its own: %v", i, err)
		}
		time.Sleep(time.Duration(rand.IntN(150)) * time.Millisecond)
		if err := child.Process.Kill(); err != nil { // SIGKILL
			t.Fatalf("round %d: %v", i, err)
		}
		err = child.Wait()
		if killed, ok := errors.AsType[*exec.ExitError](err); !ok || killed.Exited() {
			t.Fatalf("round %d: the child ended on its own: %v", i, err)
		}

		v.r = open(t, d, c)
		v.check(t)
		for _, p := range Purposes {
			active(t, v.r, p)
		}
	}
	if last := active(t, v.r, Pepper).Seq; last == first {
		t.Error("no rotation happened before the kills: the test proved nothing")
	}
	works := []Rewrap{v.rewrap()}
	if err := v.r.RewrapAll(t.Context(), works, nil); err != nil {
		t.Fatal(err)
	}
	if under := v.check(t); len(under) != 1 {
		t.Errorf("rows under %v after the last walk, want one key", under)
	}
}
