package db_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// A process is killed while its callers write in groups. Acknowledged changes are there,
// and every transaction is there whole or not at all.
func TestKilledInTheMiddleOfGroups(t *testing.T) {
	path := dbtest.SQLiteFile(t)
	d, err := db.Open(t.Context(), "sqlite:"+path, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	table(t, d)
	told := map[string]bool{}
	for round := range 3 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), writeToEnv+"="+path, fmt.Sprint("COFFER_TEST_ROUND=", round))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if n == 20+17*round { // the moment depends on the work done, not on time
				_ = cmd.Process.Kill()
			}
			if id, ok := strings.CutPrefix(lines.Text(), "told "); ok {
				told[id] = true
			}
		}
		_ = cmd.Wait()
	}
	there := map[string]bool{}
	for _, id := range ids(t, d) {
		there[id] = true
	}
	for id := range told {
		if !there[id] {
			t.Errorf("%s was acknowledged and is lost", id)
		}
	}
	for id := range there {
		if whole, _ := strings.CutSuffix(id, " too"); !there[whole] || !there[whole+" too"] {
			t.Errorf("%s is there by half", whole)
		}
	}
	if len(told) < 60 {
		t.Errorf("only %d were acknowledged", len(told))
	}
}

// writeToEnv names a database to which the test binary writes instead of testing.
const writeToEnv = "COFFER_TEST_WRITE_TO"

// writeUntilKilled is the process that TestKilledInTheMiddleOfGroups kills.
func writeUntilKilled(path string) error {
	ctx := context.Background()
	d, err := db.Open(ctx, "sqlite:"+path, quiet)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	for c := range 8 {
		wg.Go(func() {
			for i := range 10_000 {
				id := fmt.Sprintf("%s/%d/%d", os.Getenv("COFFER_TEST_ROUND"), c, i)
				if err := d.Tx(ctx, func(tx *db.Tx) error {
					if err := put(ctx, tx, id, 1); err != nil {
						return err
					}
					return put(ctx, tx, id+" too", 1)
				}); err != nil {
					fmt.Println("refused", id, err)
					return
				}
				fmt.Println("told", id)
			}
		})
	}
	wg.Wait()
	return d.Close()
}
