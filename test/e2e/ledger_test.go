package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"coffer/client"
)

// coffer runs the built program, and returns its status and standard output.
func coffer(t *testing.T, args ...string) (status int, out string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	b, err := cmd.Output()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	if ended != nil {
		t.Logf("coffer %s: %s", args[0], ended.Stderr)
	}
	return cmd.ProcessState.ExitCode(), string(b)
}

// A ledger without entries, through the built server.
func TestEmptyLedger(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := start(t, in, "COFFER_LIMIT_LEDGER_PAGES=20/1h")
		from := newAddress()
		get := func(path string) answer { t.Helper(); return s.raw(t, from, http.MethodGet, "/v1"+path, "") }
		if a := get("/ledger"); a.status != 200 || strings.TrimSpace(a.body) != `{"items":[],"size":0}` {
			t.Errorf("%d %s", a.status, a.body)
		}
		for path, want := range map[string]string{
			"/ledger/checkpoint": "404 no_checkpoint", "/ledger/entries/0/proof": "404 not_found", "/ledger/entries/x/proof": "422 validation_failed",
			"/ledger/consistency?from=1&to=1": "409 not_yet_in_checkpoint", "/ledger/consistency?from=2&to=1": "422 validation_failed", "/account/ledger": "401 unauthenticated",
		} {
			a := get(path)
			status, code, _ := strings.Cut(want, " ")
			if fmt.Sprint(a.status) != status || !strings.Contains(a.body, `"`+code+`"`) {
				t.Errorf("%s: %d %s, want %s", path, a.status, a.body, want)
			}
		}
		p := s.member(t)
		c := p.signIn(t)
		keys, err := c.LedgerKeys(t.Context())
		if err != nil || len(keys) != 1 || !strings.HasPrefix(keys[0].Key, strings.Replace(s.url, "http://127.0.0.1", "localhost", 1)+"/ledger+") || keys[0].Until != nil {
			t.Errorf("the keys are %v, %v", keys, err)
		}
		for e, err := range c.OwnLedger(t.Context()) {
			t.Errorf("an entry of nothing: %v, %v", e, err)
		}
		if status, out := coffer(t, "ledger", "verify", "--url", s.url); status != 0 || !strings.Contains(out, "the ledger is empty") {
			t.Errorf("verify ends with %d: %s", status, out)
		}
		if status, out := coffer(t, "ledger", "verify", "--url", s.url, "--key", keys[0].Key); status != 2 {
			t.Errorf("verify of nothing with a key ends with %d: %s", status, out)
		}
		for range 20 {
			get("/ledger")
		}
		if a := get("/ledger"); a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" {
			t.Errorf("after many reads: %d %s", a.status, a.body)
		}
	})
}

// A reader keeps a checkpoint, a key and a copy. A writer of the database then changes an entry:
// the command names it, and the server signs no more.
func TestAlteredLedger(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := start(t, in, "COFFER_LEDGER_INTERVAL=1s")
		ctx := t.Context()
		q := s.database(t)
		exec := func(query string) {
			t.Helper()
			if _, err := q.ExecContext(ctx, query); err != nil {
				t.Fatal(err)
			}
		}
		zero := "X'" + strings.Repeat("00", 32) + "'"
		if s.setting("COFFER_DATABASE_URL") != "" {
			zero = `'\x` + strings.Repeat("00", 32) + "'"
		}
		grow := func(from, to int) {
			t.Helper()
			var rows []string
			for n := from; n < to; n++ {
				rows = append(rows, fmt.Sprintf("(%d, %d, 'pin', 'bafkrei%s', %d, %s, %s)", n, 1_800_000_000_000+n, strings.Repeat("a", 52), n, zero, zero))
			}
			exec(`INSERT INTO ledger_entries (n, at, kind, cid, size, digest, commitment) VALUES ` + strings.Join(rows, ", "))
			exec(fmt.Sprintf(`INSERT INTO ledger_state (id, size, last_at) VALUES (1, %d, 0) ON CONFLICT (id) DO UPDATE SET size = %d`, to, to))
		}
		c := s.client(t, newAddress())
		signed := func(size int) (note string) {
			t.Helper()
			wait(t, fmt.Sprintf("a checkpoint of %d entries", size), func() bool {
				b, err := c.LedgerCheckpoint(ctx)
				note = string(b)
				return err == nil && strings.Contains(note, fmt.Sprintf("/ledger\n%d\n", size))
			})
			return note
		}
		dir := t.TempDir()
		kept, copied := filepath.Join(dir, "kept.txt"), filepath.Join(dir, "entries.jsonl")
		grow(0, 300)
		note := signed(300)
		grow(300, 310)
		note += "\n" + signed(310)
		if err := os.WriteFile(kept, []byte(note), 0o600); err != nil {
			t.Fatal(err)
		}
		keys, err := c.LedgerKeys(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if status, out := coffer(t, "ledger", "export", "--url", s.url, copied); status != 0 || out != "310 entries\n" {
			t.Fatalf("export ends with %d: %s", status, out)
		}
		verify := func(args ...string) (int, string) {
			t.Helper()
			return coffer(t, append([]string{"ledger", "verify", "--url", s.url, "--checkpoint", kept, "--key", keys[0].Key}, args...)...)
		}
		if status, out := verify("--reference", copied); status != 0 || !strings.Contains(out, "310 entries lead to 3 of 3 checkpoints; the newest covers 310 of them") {
			t.Errorf("verify ends with %d: %s", status, out)
		}
		if status, out := coffer(t, "ledger", "verify", "--entries", copied, "--checkpoint", kept, "--key", keys[0].Key); status != 0 || !strings.Contains(out, "lead to 2 of 2") {
			t.Errorf("verify of a file ends with %d: %s", status, out)
		}
		proof, err := c.LedgerProof(ctx, 3, 300)
		if err != nil || proof.Size != 300 || !strings.HasPrefix(proof.Entry, `{"n":3,`) {
			t.Errorf("a proof: %+v, %v", proof, err)
		}
		growth, err := c.LedgerGrowth(ctx, 300, 310)
		if err != nil || len(growth.Hashes) == 0 {
			t.Errorf("growth: %+v, %v", growth, err)
		}
		if _, err := c.LedgerProof(ctx, 3, 299); client.Code(err) != "no_checkpoint" {
			t.Errorf("a proof for a size without a checkpoint: %v", err)
		}

		exec(`UPDATE ledger_entries SET size = 1 WHERE n = 304`)
		if status, out := verify(); status != 1 || !strings.Contains(out, "edited: the entries 300 to 309 do not lead to the checkpoint") {
			t.Errorf("verify ends with %d: %s", status, out)
		}
		if status, out := verify("--reference", copied); status != 1 || !strings.Contains(out, "edited: entry 304 is another one than in the copy") {
			t.Errorf("verify with a copy ends with %d: %s", status, out)
		}
		grow(310, 311)
		wait(t, "the server's refusal", func() bool { return strings.Contains(s.out.String(), "entry 304 was altered") })
		if b, err := c.LedgerCheckpoint(ctx); err != nil || !strings.Contains(string(b), "/ledger\n310\n") {
			t.Errorf("the server signed %s, %v", b, err)
		}
		if a := s.raw(t, newAddress(), http.MethodGet, "/readyz", ""); a.status != 200 {
			t.Errorf("the server is not ready: %d %s", a.status, a.body)
		}
		exec(`UPDATE ledger_entries SET size = 304 WHERE n = 304`)
		signed(311)
		if status, out := verify("--reference", copied); status != 0 {
			t.Errorf("after the repair verify ends with %d: %s", status, out)
		}
	})
}
