package pin

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"coffer/internal/db/dbtest"
	"coffer/internal/ipfs"
)

// boxo reads an archive with boxo and go-car: test/ipfs/ipfscheck checks every block, and names
// each file below the root with its length and its SHA-256.
func boxo(t *testing.T, archive []byte) []string {
	t.Helper()
	cmd := exec.Command(os.Getenv("COFFER_TEST_IPFSCHECK"), "car")
	var complaint bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(archive), &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("ipfscheck: %v: %s", err, &complaint)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// TestGatewayToOthers gives the gateway's archives to readers that are not ours.
func TestGatewayToOthers(t *testing.T) {
	if os.Getenv("COFFER_TEST_IPFSCHECK") == "" {
		if os.Getenv("COFFER_TEST_REQUIRE") == "1" {
			t.Fatal("COFFER_TEST_IPFSCHECK is not set, and COFFER_TEST_REQUIRE=1 forbids to skip")
		}
		t.Skip("COFFER_TEST_IPFSCHECK is not set: run make test, which builds what it names")
	}
	w := newWorld(t, dbtest.SQLite(t))
	check := func(id string, files map[string]string) {
		t.Helper()
		p := w.verified(id, `"encrypt":false,`+atKubo)
		a := w.do("", "GET", "/ipfs/"+*p.CID+"?format=car", "")
		if a.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", p.Name, a.StatusCode, a.body)
		}
		var want []string
		for name, content := range files {
			want = append(want, fmt.Sprintf("%q %d %x", name, len(content), sha256.Sum256([]byte(content))))
		}
		slices.Sort(want)
		got := boxo(t, a.body)
		if got[0] != "root "+*p.CID {
			t.Errorf("%s: the archive's root: %s, want %s", p.Name, got[0], *p.CID)
		}
		if got = slices.Sorted(slices.Values(got[1:])); !slices.Equal(got, want) {
			t.Errorf("%s: boxo reads %d files, want %d: %.500q", p.Name, len(got), len(want), got)
		}
	}

	id, files := w.tree()
	check(id, files)
	id, n, name := w.many()
	files = map[string]string{}
	for i := range n {
		files[name(i)] = fmt.Sprint("content ", i)
	}
	check(id, files)
	for _, size := range []int{0, 1, ipfs.ChunkSize - 1, ipfs.ChunkSize, ipfs.ChunkSize + 1, 2*ipfs.ChunkSize + 1} {
		content := pattern(size)
		check(w.upload(w.ada, "", fmt.Sprint(size), content), map[string]string{".": string(content)})
	}
}
