package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/url"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the bare update on PostgreSQL
	_ "modernc.org/sqlite"             // the bare update on SQLite
)

const conns = 16

// start is P10: time from start to first answer on existing data, idle memory, size.
func (b *bench) start() ([]row, error) {
	p, _, err := b.world("start")
	if err != nil {
		return nil, err
	}
	p.stop()
	info, err := os.Stat(b.binary)
	if err != nil {
		return nil, err
	}
	// One start gives both figures, and the second row reuses the first row's.
	var idle, peerIdle []sample
	begin := func(launch func() (*process, time.Duration, error), into *[]sample) func() (sample, error) {
		return func() (sample, error) {
			p, took, err := launch()
			if err != nil {
				return sample{}, err
			}
			defer p.stop()
			time.Sleep(300 * time.Millisecond) // idle: the work of the start is done
			*into = append(*into, sample{value: float64(p.memory("VmRSS"))})
			return sample{value: float64(took.Microseconds()) / 1000}, nil
		}
	}
	again := func(from *[]sample) func() (sample, error) {
		return func() (sample, error) {
			one := (*from)[0]
			*from = (*from)[1:]
			return one, nil
		}
	}
	pocket := contender{name: "PocketBase"}
	resident := pocket
	base, err := b.peer("pocketbase")
	if err != nil {
		pocket.missing, resident.missing = err.Error(), err.Error()
	} else {
		pocket.run, resident.run = begin(func() (*process, time.Duration, error) { return b.pocketServer(base, "start-pb") }, &peerIdle), again(&peerIdle)
	}
	ours := begin(func() (*process, time.Duration, error) { return b.coffer("start") }, &idle)
	return []row{
		{id: "P10", work: "start to first answer, existing SQLite data", format: millis, ours: ours, beside: []contender{pocket}, must: []target{{text: "≤150 ms", most: 150}}},
		{id: "P10", work: "idle memory (VmRSS)", format: megabytes, ours: again(&idle), beside: []contender{resident}, must: []target{{text: "≤60 MB", most: 60e6}}},
		{id: "P10", work: "binary, stripped", format: megabytes, ours: func() (sample, error) { return sample{value: float64(info.Size())}, nil }, must: []target{{text: "≤60 MB", most: 60e6}}},
	}, nil
}

// account is P1: authenticated GET /v1/account against a bare handler with the same bytes.
func (b *bench) account() ([]row, error) {
	p, s, err := b.world("p1")
	if err != nil {
		return nil, err
	}
	var body json.RawMessage
	if err := p.call("GET", "/v1/account", "Bearer "+s.AccessToken, nil, &body); err != nil {
		return nil, err
	}
	if err := os.WriteFile(b.path("account.json"), body, 0o600); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	addr := freeAddr()
	bare, _, err := launch(addr, "/v1/account", nil, self, "bare", addr, b.path("account.json"))
	if err != nil {
		return nil, err
	}
	b.later(bare.kill)
	request := get("/v1/account", s.AccessToken)
	side := func(p *process, request []byte) func() (sample, error) {
		return func() (sample, error) { return b.rate(p, conns, 200, always(request), nil) }
	}
	pocket := contender{name: "PocketBase", note: "record view"}
	if pb, err := b.pocketBase(); err != nil {
		pocket.missing = err.Error()
	} else {
		pocket.run = side(pb.process, get("/api/collections/users/records/"+pb.id, pb.token))
	}
	before, err := b.beforeGuard("p1-before", func(p *process, s signedIn) func() (sample, error) { return side(p, get("/v1/account", s.AccessToken)) })
	if err != nil {
		return nil, err
	}
	return []row{{
		id: "P1", work: "authenticated GET /v1/account, 16 connections", per: "1,000 requests", format: perSecond, ours: side(p, request),
		beside: []contender{{name: "bare net/http", limit: true, run: side(bare, request)}, pocket, before},
		must: []target{{text: "≥50 % of bare net/http", of: []string{"bare net/http"}, ratio: 0.5}, {text: "≥2× PocketBase", of: []string{"PocketBase"}, ratio: 2},
			{text: "p99 ≤10 ms", p99: 10 * time.Millisecond}, {text: "≥95 % of before the guard", of: []string{unguarded}, ratio: 0.95}},
	}}, nil
}

// unguarded names the server as it was before the guard.
const unguarded = "before the guard"

// beforeGuard is the contender that shows what the guard costs: the server of a commit before
// it, with the same work.
func (b *bench) beforeGuard(data string, work func(p *process, s signedIn) func() (sample, error)) (contender, error) {
	c := contender{name: unguarded, note: "commit " + os.Getenv("BENCH_BEFORE")}
	if b.before == "" {
		c.missing = "no binary of it was given (-before)"
		return c, nil
	}
	p, s, err := b.worldOf(b.before, data)
	if err != nil {
		return c, fmt.Errorf("%s: %w", unguarded, err)
	}
	c.run = work(p, s)
	return c, nil
}

// signIn is P3: sign-in against raw argon2id, and 200 at once.
func (b *bench) signIn() ([]row, error) {
	p, _, err := b.world("p3")
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(map[string]any{"identifier": benchMail, "password": benchPassword, "refresh_in": "body"})
	if err != nil {
		return nil, err
	}
	request := post("/v1/auth/sign-in", body)
	signIns := func(p *process) func() (sample, error) {
		return func() (sample, error) { return b.rate(p, 2*runtime.NumCPU(), 201, always(request), nil) }
	}
	before, err := b.beforeGuard("p3-before", func(p *process, _ signedIn) func() (sample, error) { return signIns(p) })
	if err != nil {
		return nil, err
	}
	// The program's own code without a server: its package's benchmark.
	program, err := b.tests("argon")
	if err != nil {
		return nil, err
	}
	hashes := func(name string) func() (sample, error) {
		return func() (sample, error) {
			rate, err := benchmark(program, "^BenchmarkKey$/^"+name+"$", "hashes/s", "-test.benchtime", b.span.String())
			return sample{value: rate}, err
		}
	}
	const raw, library = "raw argon2id, all cores", "golang.org/x/crypto/argon2, all cores"
	bound := int64(runtime.NumCPU())*64<<20 + 100<<20
	return []row{
		{
			id: "P3", work: "sign-in with password, argon2id 64 MiB, 3 passes", per: "1,000 requests", format: perSecond,
			ours:   signIns(p),
			beside: []contender{{name: raw, limit: true, run: hashes("kept")}, {name: library, run: hashes("x-crypto")}, before},
			must:   []target{{text: "≥95 % of raw argon2id", of: []string{raw}, ratio: 0.95}, {text: "≥95 % of golang.org/x/crypto's", of: []string{library}, ratio: 0.95}, {text: "≥95 % of before the guard", of: []string{unguarded}, ratio: 0.95}},
		},
		{
			id: "P3", work: "200 sign-ins at once: memory at the peak, and p99 of /healthz meanwhile", format: megabytes,
			ours: func() (sample, error) { return b.crowd(p, request) },
			must: []target{{text: fmt.Sprintf("≤ cores × 64 MiB + 100 MiB = %s", megabytes(float64(bound))), most: float64(bound)}, {text: "p99 ≤200 ms", p99: 200 * time.Millisecond}},
		},
	}, nil
}

// crowd sends 200 sign-ins at once and watches memory and /healthz.
func (b *bench) crowd(p *process, request []byte) (sample, error) {
	if err := p.resetPeak(); err != nil {
		return sample{}, err
	}
	var health load
	var herr error
	var wg sync.WaitGroup
	wg.Go(func() {
		probe := get("/healthz", "")
		health, herr = drive(p.addr, 1, 3*time.Second, func(int) []byte { time.Sleep(5 * time.Millisecond); return probe }, nil)
	})
	got, err := drive(p.addr, 200, time.Millisecond, always(request), nil)
	wg.Wait()
	if err := errors.Join(err, herr); err != nil {
		return sample{}, err
	}
	for status := range got.statuses {
		if status != 201 && status != 429 && status != 503 {
			return sample{}, fmt.Errorf("200 at once: answers %v", got.statuses)
		}
	}
	return sample{value: float64(p.memory("VmHWM")), p99: health.p99}, health.only(200)
}

// allCores runs work on every core for a span and counts it.
func (b *bench) allCores(work func() error) (sample, error) {
	var n atomic.Int64
	errs := make([]error, runtime.NumCPU())
	begin := time.Now()
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			for errs[i] == nil && time.Since(begin) < b.span {
				errs[i] = work()
				n.Add(1)
			}
		})
	}
	wg.Wait()
	return sample{value: float64(n.Load()) / time.Since(begin).Seconds()}, errors.Join(errs...)
}

// refresh is P4: durable rotation. With ES256 keys the store dominates; with RS256 keys the
// signature alone takes a core about a millisecond.
func (b *bench) refresh() ([]row, error) {
	var rows []row
	for _, alg := range []string{"ES256", "RS256"} {
		r, err := b.refreshOn("SQLite", alg, 2500, nil, "sqlite",
			"file:"+b.path("bare"+alg+".db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)&_txlock=immediate", 1)
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
		postgres := os.Getenv("COFFER_TEST_POSTGRES_URL")
		if postgres == "" {
			log.Print("P4 on PostgreSQL is left out: COFFER_TEST_POSTGRES_URL is not set")
			continue
		}
		// A separate database, because a ring keeps its first algorithm.
		address, err := freshDatabase(postgres, "bench_"+strings.ToLower(alg))
		if err != nil {
			return nil, err
		}
		if r, err = b.refreshOn("PostgreSQL", alg, 2000, []string{"COFFER_DATABASE_URL=" + address}, "pgx", address, conns); err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// freshDatabase makes a database on the server of base and returns its address.
func freshDatabase(base, name string) (string, error) {
	d, err := sql.Open("pgx", base)
	if err != nil {
		return "", err
	}
	defer d.Close()
	for _, q := range []string{"DROP DATABASE IF EXISTS " + name, "CREATE DATABASE " + name} {
		if _, err := d.Exec(q); err != nil {
			return "", err
		}
	}
	u, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

func (b *bench) refreshOn(engine, alg string, floor float64, env []string, driver, dsn string, writers int) (row, error) {
	// A rotation does not depend on the grace, so the settings are the shipped ones.
	p, _, err := b.world("p4"+engine+alg, append(env, "COFFER_TOKEN_ALG="+alg)...)
	if err != nil {
		return row{}, err
	}
	tokens := make([]string, conns)
	for i := range tokens {
		s, err := p.signIn()
		if err != nil {
			return row{}, err
		}
		tokens[i] = s.RefreshToken
	}
	left := 1.0 // the cores' share left by the client in the last round
	r := row{
		id: "P4", work: "refresh with durable rotation, " + engine + ", " + alg + " keys, 16 connections", per: "1,000 requests", format: perSecond,
		ours: func() (sample, error) {
			begin, before := time.Now(), ownCPU()
			s, err := b.rate(p, conns, 201, func(i int) []byte {
				return post("/v1/auth/refresh", fmt.Appendf(nil, `{"refresh_token":%q}`, tokens[i]))
			}, func(i, _ int, body []byte) {
				var s signedIn
				if json.Unmarshal(body, &s) == nil {
					tokens[i] = s.RefreshToken
				}
			})
			left = 1 - (ownCPU()-before)/time.Since(begin).Seconds()/float64(runtime.NumCPU())
			return s, err
		},
	}
	if alg == "RS256" {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return row{}, err
		}
		const signing = "raw RS256 signing, cores that the client leaves"
		r.beside = []contender{{name: signing, limit: true, run: func() (sample, error) {
			s, err := b.allCores(func() error { return sign(key) })
			s.value *= left
			return s, err
		}}}
		r.must = []target{{text: "≥85 % of the raw signing rate", of: []string{signing}, ratio: 0.85}}
		return r, nil
	}
	// Not a limit: commits of several clients may share one disk sync.
	const bare = "bare durable update, 16 clients"
	r.beside = []contender{{name: bare, run: func() (sample, error) {
		rate, err := bareUpdates(driver, dsn, writers, b.span)
		return sample{value: rate}, err
	}}}
	r.must = []target{{text: "≥60 % of the bare update", of: []string{bare}, ratio: 0.6}, {text: fmt.Sprintf("≥%.0f/s", floor), least: floor}}
	return r, nil
}

func sign(key *rsa.PrivateKey) error {
	sum := sha256.Sum256([]byte("a token"))
	_, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	return err
}

// bareUpdates runs the same number of clients with one committed update at a time.
func bareUpdates(driver, dsn string, writers int, span time.Duration) (float64, error) {
	d, err := sql.Open(driver, dsn)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	d.SetMaxOpenConns(writers)
	for _, q := range []string{`DROP TABLE IF EXISTS bench_bare`, `CREATE TABLE bench_bare (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)`} {
		if _, err := d.Exec(q); err != nil {
			return 0, err
		}
	}
	for i := range conns {
		if _, err := d.Exec(`INSERT INTO bench_bare VALUES ($1, 0)`, i); err != nil {
			return 0, err
		}
	}
	var n atomic.Int64
	errs := make([]error, conns)
	begin := time.Now()
	var wg sync.WaitGroup
	for i := range conns {
		wg.Go(func() {
			for errs[i] == nil && time.Since(begin) < span {
				_, errs[i] = d.Exec(`UPDATE bench_bare SET n = n + 1 WHERE id = $1`, i)
				n.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(n.Load()) / time.Since(begin).Seconds(), errors.Join(errs...)
}
