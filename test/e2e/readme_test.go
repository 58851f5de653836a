package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// ours reports whether a variable is one that the tests were given: the server refuses those
// that are no settings.
func ours(pair string) bool { return strings.HasPrefix(pair, "COFFER_") }

// TestReadme pastes the README's tour into a shell. In CI, which tests a fresh clone, the
// README's own command starts the server. Only its port and its data folder are others. The log
// says how long the first file took.
func TestReadme(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			if thorough() {
				t.Fatal(err)
			}
			t.Skipf("the tour needs %s", tool)
		}
	}
	began := time.Now()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) < 2 {
		t.Fatalf("%d blocks of commands in the README", len(blocks))
	}
	port := freePort(t)
	here := strings.NewReplacer("localhost:8420", fmt.Sprintf("127.0.0.1:%d", port))
	folder := t.TempDir()
	server := exec.Command(program, "serve")
	server.Dir, server.Env = folder, append(slices.DeleteFunc(os.Environ(), ours), fmt.Sprintf("COFFER_ADDR=127.0.0.1:%d", port))
	if thorough() {
		serve, _, _ := strings.Cut(blocks[0][1], "#")
		// The build has no deadline here; go run then builds nothing.
		if out, err := exec.Command("go", "build", "-o", os.DevNull, "coffer/cmd/coffer").CombinedOutput(); err != nil {
			t.Fatalf("build: %v\n%s", err, out)
		}
		env := append(server.Env, "COFFER_DATA="+filepath.Join(folder, "data"))
		server = exec.Command("bash", "-c", "exec "+serve)
		server.Dir, server.Env = "../..", env
	}
	end := inGroup(server)
	printed := &output{}
	server.Stdout, server.Stderr = printed, printed
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		end()
		_ = server.Wait()
	})
	wait(t, "the server that the README starts", func() bool {
		res, err := http.Get(here.Replace("http://localhost:8420/healthz"))
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	tour := exec.Command("bash", "-c", "set -e\n"+here.Replace(blocks[1][1]))
	tour.Dir = folder
	out, err := tour.CombinedOutput()
	if err != nil || strings.Count(string(out), `"name":"letter.txt"`) != 2 {
		t.Errorf("the tour: %v\n%s\n%s", err, out, printed)
	}
	t.Logf("from the first command to the first file: %s", time.Since(began).Round(time.Second/10))
	// A refused call shows its reason.
	again := exec.Command("bash", "-c", here.Replace(blocks[1][1][:strings.Index(blocks[1][1], "\n\n")])+"\ncall $API/auth/sign-in -d '{\"identifier\":\"grace\",\"password\":\"wrong\"}'")
	again.Dir = folder
	if out, err := again.CombinedOutput(); err == nil || !strings.Contains(string(out), "invalid_credentials") {
		t.Errorf("a wrong password: %v\n%s", err, out)
	}
}
