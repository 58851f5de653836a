package dbtest

import (
	"bufio"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// workIn names the folder in which a process works until it is killed.
const workIn = "COFFER_TEST_WORK_IN"

// WorkIn returns the folder that a test is to work in until [Kill] ends its process; "" for
// the test on its own, which does nothing then.
func WorkIn() string { return os.Getenv(workIn) }

// Kill runs a test of this program in a process of its own and kills it at a random moment,
// ten times, or 200 with COFFER_TEST_LONG=1. The process prints lines of a word and an id of
// 32 characters for what it has done; note takes them. It returns how often it killed.
func Kill(t testing.TB, test, root string, note func(done, id string)) (rounds int) {
	t.Helper()
	if rounds = 10; os.Getenv("COFFER_TEST_LONG") == "1" {
		rounds = 200
	}
	noted := 0
	for range rounds {
		cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$")
		cmd.Env = append(os.Environ(), workIn+"="+root)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// The moment is a number of lines and a little more work, so that no clock decides it.
		lines, stop := bufio.NewReader(out), 1+rand.IntN(15)
		read := func() bool {
			line, err := lines.ReadString('\n')
			if done, id, ok := strings.Cut(strings.TrimSpace(line), " "); ok && err == nil && len(id) == 32 {
				note(done, id)
				noted++
			}
			return err == nil
		}
		for n := 0; n < stop && read(); n++ {
		}
		for i, end := 0, rand.IntN(10_000_000); i < end; i++ {
			_ = i
		}
		_ = cmd.Process.Kill()
		for read() {
		}
		_ = cmd.Wait()
	}
	if noted < rounds {
		t.Fatalf("%d lines in %d rounds: the killed process did not get to work", noted, rounds)
	}
	return rounds
}
