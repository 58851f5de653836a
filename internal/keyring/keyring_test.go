package keyring

import (
	"bytes"
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/seal"
)

var rootKey = bytes.Repeat([]byte{42}, rootSize)

// clock is a manual clock.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC).UnixMilli())
	return c
}

func (c *clock) now() time.Time          { return time.UnixMilli(c.ms.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }

// config is the usual one. EdDSA keeps tests fast; RSA has its own test.
func config(c *clock) Config {
	return Config{Now: c.now, TokenAlg: "EdDSA", TokenTTL: 15 * time.Minute}
}

func tokenAlg(alg string) func(*Config) { return func(c *Config) { c.TokenAlg = alg } }

// open starts one node with the keys of every purpose.
func open(t testing.TB, d *db.DB, c *clock, change ...func(*Config)) *Ring {
	t.Helper()
	cfg := config(c)
	for _, fn := range change {
		fn(&cfg)
	}
	r, err := Open(context.Background(), d, rootKey, cfg)
	if err != nil {
		t.Fatal(err)
	}
	need(t, r, Purposes...)
	return r
}

func need(t testing.TB, r *Ring, purposes ...Purpose) {
	t.Helper()
	if err := r.Need(context.Background(), purposes...); err != nil {
		t.Fatal(err)
	}
}

func active(t testing.TB, r *Ring, p Purpose) Key {
	t.Helper()
	k, err := r.Active(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func rotate(t testing.TB, r *Ring, p Purpose) Key {
	t.Helper()
	k, err := r.Rotate(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// states lists p's live keys, newest first, as "kid state".
func states(t testing.TB, r *Ring, p Purpose) []string {
	t.Helper()
	live, err := r.Live(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, k := range live {
		out = append(out, k.ID+" "+string(k.State))
	}
	return out
}

func TestNeedMakesTheFirstKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		r, err := Open(t.Context(), d, rootKey, config(c))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]Purpose{}
		for i, p := range Purposes {
			c.advance(time.Millisecond)
			if err := r.Maintain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if made := r.keys.Load().purposes(); !slices.Equal(made, Purposes[:i]) {
				t.Fatalf("keys of %v before %s was needed", made, p)
			}
			if _, err := r.Active(t.Context(), p); !errors.Is(err, ErrNoKey) {
				t.Fatalf("%s has a key that no room needs: %v", p, err)
			}
			need(t, r, p)
			k := active(t, r, p)
			if other, ok := seen[string(k.Secret)]; ok {
				t.Errorf("%s and %s share a secret", p, other)
			}
			seen[string(k.Secret)] = p
			if k.State != Active || k.Purpose != p || !k.NotBefore.Equal(c.now()) {
				t.Errorf("%s: %+v", p, k)
			}
		}
		again := open(t, d, c)
		for _, p := range Purposes {
			if diff := cmp.Diff(active(t, r, p), active(t, again, p)); diff != "" {
				t.Errorf("%s changed by a restart: %s", p, diff)
			}
		}
	})
}

// Need makes one key, however often and from however many nodes it is called. Rotate makes
// a missing key too.
func TestNeedIsOne(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		const nodes = 8
		var start, wg sync.WaitGroup
		start.Add(nodes)
		for i := range nodes {
			r, err := Open(t.Context(), d, rootKey, config(c))
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				start.Done()
				start.Wait()
				for range 2 {
					if err := r.Need(t.Context(), Field, Token); err != nil {
						t.Errorf("node %d: %v", i, err)
					}
				}
			})
		}
		wg.Wait()
		r, err := Open(t.Context(), d, rootKey, config(c))
		if err != nil {
			t.Fatal(err)
		}
		count := map[string]int{}
		keys, err := r.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			count[string(k.Purpose)+" "+string(k.State)]++
		}
		if diff := cmp.Diff(map[string]int{"field active": 1, "token active": 1, "token pending": 1}, count); diff != "" {
			t.Errorf("keys: %s", diff)
		}
		if first := rotate(t, r, Pepper); first.Seq != 1 || first.State != Active {
			t.Errorf("rotating a purpose without a key: %+v", first)
		}
		for _, call := range []func() error{
			func() error { return r.Need(t.Context(), "shoes") },
			func() error { _, err := r.Rotate(t.Context(), "shoes"); return err },
		} {
			if err := call(); !errors.Is(err, ErrNoKey) {
				t.Errorf("a purpose that is none: %v", err)
			}
		}
	})
}

func TestDefaultTokenKeyIsRSA2048(t *testing.T) {
	var defaults Settings
	if err := kong.ApplyDefaults(&defaults); err != nil {
		t.Fatal(err)
	}
	k := active(t, open(t, dbtest.SQLite(t), newClock(), tokenAlg(defaults.TokenAlg)), Token)
	signer, err := k.Signer()
	if err != nil {
		t.Fatal(err)
	}
	if pub, ok := signer.Public().(*rsa.PublicKey); !ok || pub.N.BitLen() != 2048 || k.Alg != "RS256" {
		t.Errorf("%s %T", k.Alg, signer.Public())
	}
}

func TestTokenAlgorithms(t *testing.T) {
	for alg, want := range map[string]string{"RS256-3072": "*rsa.PrivateKey", "ES256": "*ecdsa.PrivateKey", "EdDSA": "ed25519.PrivateKey"} {
		r := open(t, dbtest.SQLite(t), newClock(), tokenAlg(alg))
		k := active(t, r, Token)
		signer, err := k.Signer()
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%T", signer); k.Alg != alg || got != want {
			t.Errorf("%s: key of %s is a %s, want %s", alg, k.Alg, got, want)
		}
	}
	if _, err := Open(t.Context(), dbtest.SQLite(t), rootKey, Config{TokenAlg: "HS256", TokenTTL: time.Minute}); err == nil {
		t.Error("HS256 is no signing algorithm of ours")
	}
}

func TestManyNodesAgreeOnAnEmptyDatabase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		const nodes = 12
		rings := make([]*Ring, nodes)
		var wg, ready sync.WaitGroup
		ready.Add(nodes)
		for i := range rings {
			wg.Go(func() {
				r, err := Open(t.Context(), d, rootKey, config(c))
				ready.Done()
				if err != nil {
					t.Error(err)
					return
				}
				rings[i] = r
				ready.Wait() // all nodes need their keys at the same moment
				if err := r.Need(t.Context(), Purposes...); err != nil {
					t.Errorf("node %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		if t.Failed() {
			return
		}
		for _, p := range Purposes {
			for i, r := range rings {
				if got, want := states(t, r, p), states(t, rings[0], p); !cmp.Equal(got, want) {
					t.Errorf("node %d: %s keys %v, node 0 has %v", i, p, got, want)
				}
			}
		}
		rows, err := allRows(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		if want := len(Purposes) + 1; len(rows) != want { // the pending token key
			t.Errorf("%d keys were made, want %d", len(rows), want)
		}
	})
}

// Two nodes have two root keys: the first decides, and the other does not start.
func TestTwoRootKeysOneRing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		var wg sync.WaitGroup
		var refused atomic.Int32
		for i := range 2 {
			wg.Go(func() {
				root := bytes.Repeat([]byte{byte(i)}, rootSize)
				if _, err := Open(t.Context(), d, root, config(c)); errors.Is(err, ErrRootKey) {
					refused.Add(1)
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if refused.Load() != 1 {
			t.Errorf("%d of 2 nodes refused, want 1", refused.Load())
		}
	})
}

func TestWrongRootKeyChangesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		open(t, d, c)
		before, err := allRows(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Open(t.Context(), d, bytes.Repeat([]byte{1}, rootSize), config(c))
		if !errors.Is(err, ErrRootKey) || !strings.Contains(err.Error(), "COFFER_ROOT_KEY") {
			t.Errorf("wrong root key: %v", err)
		}
		after, err := allRows(t.Context(), d)
		if err != nil {
			t.Fatal(err)
		}
		if len(before) == 0 || !cmp.Equal(before, after, cmp.AllowUnexported(row{})) {
			t.Error("a wrong root key changed the ring")
		}
	})
}

func TestSecretsAreSealedToTheirPlace(t *testing.T) {
	d := dbtest.SQLite(t)
	c := newClock()
	r := open(t, d, c)
	rows, err := liveRows(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if bytes.Contains(row.sealed, active(t, r, row.Purpose).Secret) {
			t.Errorf("%s key stands in clear", row.Purpose)
		}
	}
	for name, change := range map[string]string{
		"another purpose's secret": `UPDATE ring_keys SET secret = (SELECT secret FROM ring_keys WHERE purpose = 'blob') WHERE purpose = 'field'`,
		"another algorithm":        `UPDATE ring_keys SET alg = 'ES256' WHERE purpose = 'blob'`,
		"another name":             `UPDATE ring_keys SET kid = '0123456789abcdef' WHERE purpose = 'pepper'`,
	} {
		t.Run(name, func(t *testing.T) {
			d := dbtest.SQLite(t)
			open(t, d, c)
			if _, err := d.Exec(t.Context(), change); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(t.Context(), d, rootKey, config(c)); !errors.Is(err, seal.ErrOpen) {
				t.Errorf("the ring opened: %v", err)
			}
		})
	}
}

func TestOneActiveKeyIsTheDatabasesRule(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		open(t, d, newClock())
		_, err := d.Exec(t.Context(), `INSERT INTO ring_keys (purpose, kid, seq, alg, state, secret, created_at) SELECT purpose, 'x', 99, alg, state, secret, 0 FROM ring_keys WHERE purpose = 'field'`)
		if !db.IsUnique(err) {
			t.Errorf("a second active key: %v", err)
		}
	})
}

func TestHotPathAsksNoDatabase(t *testing.T) {
	c := newClock()
	r := open(t, dbtest.SQLite(t), c)
	var reads int
	reload := r.reload
	r.reload = func(ctx context.Context) ([]row, error) { reads++; return reload(ctx) }
	use := func() {
		if _, err := r.Index(t.Context(), "account.email", "a@example.org"); err != nil {
			t.Fatal(err)
		}
		active(t, r, Token)
	}
	for range 1000 {
		use()
	}
	if reads != 0 {
		t.Errorf("%d reads in 1000 calls, want none", reads)
	}
	c.advance(RefreshEvery)
	use()
	use()
	if reads != 1 {
		t.Errorf("%d reads when a refresh was due, want 1", reads)
	}
}

func TestDatabaseAwayLeavesTheRing(t *testing.T) {
	c := newClock()
	r := open(t, dbtest.SQLite(t), c)
	want := active(t, r, Field)
	var reads int
	away := errors.New("away")
	r.reload = func(context.Context) ([]row, error) { reads++; return nil, away }
	c.advance(time.Hour)
	for range 100 {
		if got := active(t, r, Field); got.ID != want.ID {
			t.Fatalf("active = %s, want %s", got.ID, want.ID)
		}
	}
	if reads != 1 {
		t.Errorf("%d reads within a second, want 1", reads)
	}
	if _, err := r.Key(t.Context(), Field, "00112233aabbccdd"); !errors.Is(err, away) {
		t.Errorf("unknown kid without a database: %v, want the database's error", err)
	}
}

func TestUnknownKidsCannotFloodTheDatabase(t *testing.T) {
	c := newClock()
	r := open(t, dbtest.SQLite(t), c)
	var reads int
	reload := r.reload
	r.reload = func(ctx context.Context) ([]row, error) { reads++; return reload(ctx) }
	ask := func(kid string) {
		if _, err := r.Key(t.Context(), Token, kid); !errors.Is(err, ErrNoKey) {
			t.Fatalf("%q: %v", kid, err)
		}
	}
	for range 500 {
		ask(newID())
	}
	if reads != askBurst {
		t.Errorf("%d reads for 500 unknown kids, want %d", reads, askBurst)
	}
	c.advance(2 * time.Second)
	for range 500 {
		ask(newID())
	}
	if reads != askBurst+2 {
		t.Errorf("%d reads two seconds on, want %d", reads, askBurst+2)
	}
	reads = 0
	c.advance(20 * time.Second)
	for _, kid := range []string{"", "zz", "0123456789ABCDEF", "0123456789abcdef00", strings.Repeat("a", 5000)} {
		ask(kid)
	}
	if reads != 0 {
		t.Errorf("%d reads for what cannot be a kid, want none", reads)
	}
}

func TestListShowsNoSecrets(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		r := open(t, d, c)
		old := active(t, r, Session)
		rotate(t, r, Session)
		if err := r.ForceDestroy(t.Context(), Session, old.ID); err != nil {
			t.Fatal(err)
		}
		keys, err := r.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := len(keys), len(Purposes)+2; got != want { // the pending token key, the destroyed one
			t.Errorf("%d keys, want %d", got, want)
		}
		for _, k := range keys {
			if k.Secret != nil {
				t.Errorf("%s %s: the list holds a secret", k.Purpose, k.ID)
			}
			if k.ID == old.ID && (k.State != Destroyed || k.Destroyed.IsZero()) {
				t.Errorf("%+v, want destroyed", k)
			}
		}
	})
}

// reopen opens the file at path again, as a new process does.
func reopen(t testing.TB, path string) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), "sqlite:"+path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func tempDB(t testing.TB) string { return filepath.Join(t.TempDir(), "ring.db") }

// Key ids that strangers make up for tokens take no look from the ids that stand in rows: a key
// that another node has just made is found.
func TestUnknownKidsStarveNoOtherPurpose(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := newClock()
		r, other := open(t, d, c), open(t, d, c)
		need(t, r, Token, Field)
		for range 3 * askBurst {
			if _, err := r.Key(t.Context(), Token, newID()); !errors.Is(err, ErrNoKey) {
				t.Fatal(err)
			}
		}
		if err := other.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		made := rotate(t, other, Field)
		if got, err := r.Key(t.Context(), Field, made.ID); err != nil || got.ID != made.ID {
			t.Errorf("the other node's new key: %v, %v", got.ID, err)
		}
	})
}
