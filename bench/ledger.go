package main

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"os/exec"
	"time"
)

// How many entries the ledger of P16 has.
const ledgerEntries = 1_000_000

// ledger is P16: entries are appended to a ledger, hashed and signed at the database, and verified
// over HTTP by a reader without it. An entry needs a pin, so the package's own benchmark appends.
func (b *bench) ledger() ([]row, error) {
	program, err := b.tests("ledger")
	if err != nil {
		return nil, err
	}
	k := &keeper{b: b, data: "p16"}
	p, _, err := b.coffer(k.data) // makes the database
	if err != nil {
		return nil, err
	}
	p.stop()
	if err := k.fill(); err != nil {
		return nil, err
	}
	raw := contender{name: "SHA-256 of as many blocks, one core", limit: true, run: sums}
	return []row{
		{
			id: "P16", work: "append 500000 entries to the ledger, 1,000 in each durable transaction", format: perSecond,
			ours: appends(program, "alone"), must: []target{{text: "≥100000/s", least: 100_000}},
		},
		{
			id: "P16", work: "the same, while each 100,000 are hashed and signed, and until all are", format: perSecond,
			ours: appends(program, "signed"), must: []target{{text: "≥100000/s", least: 100_000}},
		},
		{
			id: "P16", work: fmt.Sprintf("hash %d new entries of the ledger into its tree and sign a checkpoint, start of the program and all", ledgerEntries), per: "1,000,000 entries", format: perSecond,
			ours: k.sign, beside: []contender{raw}, must: []target{{text: "≥100000/s", least: 100_000}},
		},
		{
			id: "P16", work: fmt.Sprintf("`coffer ledger verify` of %d entries over HTTP", ledgerEntries), per: "1,000,000 entries", format: perSecond,
			ours: k.verify, beside: []contender{raw}, must: []target{{text: "≤10 s", least: ledgerEntries / 10}},
		},
	}, nil
}

// appends runs a benchmark of the package's tests.
func appends(program, name string) func() (sample, error) {
	return func() (sample, error) {
		rate, err := benchmark(program, "^BenchmarkAppend$/^"+name+"$", "entries/s", "-test.benchtime", "500000x")
		return sample{value: rate}, err
	}
}

// keeper is the ledger of one data folder.
type keeper struct {
	b    *bench
	data string
}

func (k *keeper) exec(statements ...string) error {
	d, err := sql.Open("sqlite", "file:"+k.b.path(k.data, "coffer.db"))
	if err != nil {
		return err
	}
	defer d.Close()
	for _, q := range statements {
		if _, err := d.Exec(q); err != nil {
			return err
		}
	}
	return nil
}

func (k *keeper) fill() error {
	return k.exec(
		fmt.Sprintf(`WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < %d)
			INSERT INTO ledger_entries (n, at, kind, cid, size, digest, commitment)
			SELECT n, 1800000000000 + n, 'pin', 'bafkreiabcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst', n, zeroblob(32), randomblob(32) FROM c`, ledgerEntries-1),
		fmt.Sprintf(`INSERT INTO ledger_state (id, size, last_at) VALUES (1, %d, 1900000000000)`, ledgerEntries))
}

// run runs a command of the program to its end.
func (k *keeper) run(args ...string) (sample, error) {
	cmd := exec.Command(k.b.binary, args...)
	cmd.Env = append(plainEnv(), "COFFER_DATA="+k.b.path(k.data), "COFFER_LOG_LEVEL=error")
	begin := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return sample{}, fmt.Errorf("coffer %v: %w: %s", args, err, out)
	}
	took := time.Since(begin)
	return sample{value: ledgerEntries / took.Seconds(), cpu: (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()}, nil
}

// sign signs the ledger as one of which nothing was hashed.
func (k *keeper) sign() (sample, error) {
	if err := k.exec(`DELETE FROM ledger_tiles`, `DELETE FROM ledger_checkpoints`, `DELETE FROM ledger_places`, `UPDATE ledger_state SET hashed = 0, signed = 0`); err != nil {
		return sample{}, err
	}
	return k.run("ledger", "checkpoint")
}

func (k *keeper) verify() (sample, error) {
	p, _, err := k.b.coffer(k.data, "COFFER_LIMIT_LEDGER=1000000/1s", "COFFER_LIMIT_LEDGER_PAGES=1000000/1s")
	if err != nil {
		return sample{}, err
	}
	defer p.stop()
	before := p.cpu()
	s, err := k.run("ledger", "verify", "--url", "http://"+p.addr)
	s.cpu = p.cpu() - before
	return s, err
}

// sums hashes what the tree of as many entries hashes at least: each leaf, and a node for it.
func sums() (sample, error) {
	leaf, node := make([]byte, 300), make([]byte, 65)
	begin := time.Now()
	for range ledgerEntries {
		sum := sha256.Sum256(leaf)
		copy(node, sum[:])
		sha256.Sum256(node)
	}
	return sample{value: ledgerEntries / time.Since(begin).Seconds()}, nil
}
