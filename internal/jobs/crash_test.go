package jobs

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
)

// open replaces decryption in tests that do not concern it.
func open(_ context.Context, b []byte) ([]byte, error) { return b, nil }

// A process is killed repeatedly while its workers run. The next process runs the claimed
// jobs after their leases; no job is lost.
func TestKilledProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "coffer.db")
	d, err := db.Open(t.Context(), "sqlite:"+path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	rounds := 3
	if os.Getenv("COFFER_TEST_LONG") == "1" {
		rounds = 40
	}
	const each = 30
	now := time.Now()
	q := New(d, Config{Now: func() time.Time { return now }, Seal: open, Open: open})
	ran := map[string]int{}
	q.Handle("count", func(_ context.Context, payload []byte) error { ran[string(payload)]++; return nil })
	acknowledged, orphans := 0, 0
	for round := range rounds {
		now = time.Now()
		if err := d.Tx(t.Context(), func(tx *db.Tx) error {
			for i := range each {
				if err := q.Enqueue(t.Context(), tx, "count", round*each+i); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestWorkUntilKilled$")
		cmd.Env = append(os.Environ(), "COFFER_TEST_WORK_IN="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; n < 3+5*round%20 && lines.Scan(); n++ { // the moment depends on the work done, not on time
			if job, ok := strings.CutPrefix(lines.Text(), "ran "); ok {
				ran[job]++
				acknowledged++
			}
		}
		_ = cmd.Process.Kill()
		for lines.Scan() {
			if job, ok := strings.CutPrefix(lines.Text(), "ran "); ok {
				ran[job]++
			}
		}
		_ = cmd.Wait()
		var claimed int
		if err := d.QueryRow(t.Context(), `SELECT COUNT(*) FROM jobs WHERE claim IS NOT NULL`).Scan(&claimed); err != nil {
			t.Fatal(err)
		}
		orphans += claimed
		now = time.Now().Add(2 * time.Minute)
		for {
			worked, err := q.Step(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !worked {
				break
			}
		}
	}
	for i := range rounds * each {
		if ran[fmt.Sprint(i)] == 0 {
			t.Errorf("job %d is lost", i)
		}
	}
	if acknowledged == 0 || orphans == 0 {
		t.Errorf("%d jobs were done by processes that were killed, %d were theirs at the end: the test did not meet what it is about", acknowledged, orphans)
	}
}

// TestWorkUntilKilled is the other process of TestKilledProcesses; alone it does nothing.
func TestWorkUntilKilled(t *testing.T) {
	path := os.Getenv("COFFER_TEST_WORK_IN")
	if path == "" {
		return
	}
	d, err := db.Open(context.Background(), "sqlite:"+path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	q := New(d, Config{Seal: open, Open: open})
	q.Handle("count", func(_ context.Context, payload []byte) error {
		_, err := os.Stdout.WriteString("ran " + string(payload) + "\n")
		return err
	})
	_ = q.Run(context.Background()) // until killed
}
