package account

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// imported was made by npm hash-wasm 4.13.0 from "imported from elsewhere", cost 4.
const imported = "$2a$04$./CgKyPTXlcGkYo5xL1s9uivlexQo90nRflH2v0Nn/Rmj6c3KvC/."

// setHash gives an account a hash that an import or an older version made.
func (w *world) setHash(id ID, hash string) {
	w.t.Helper()
	old, err := readPassword(w.t.Context(), w.DB, id)
	if err != nil {
		w.t.Fatal(err)
	}
	sealed, err := w.sealPassword(w.t.Context(), id, hash)
	if err != nil {
		w.t.Fatal(err)
	}
	if n, err := swapPassword(w.t.Context(), w.DB, id, old, sealed); err != nil || n != 1 {
		w.t.Fatalf("swapped %d, %v", n, err)
	}
}

func (w *world) storedHash(id ID) string {
	w.t.Helper()
	sealed, err := readPassword(w.t.Context(), w.DB, id)
	if err != nil {
		w.t.Fatal(err)
	}
	hash, err := w.openPassword(w.t.Context(), id, sealed)
	if err != nil {
		w.t.Fatal(err)
	}
	return hash
}

func TestOldHashesAreMadeAnew(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		id := w.join(person1("grace"))
		older, err := newHasher(Argon2Params{MemoryKiB: 32, Time: 2, Threads: 1}, 1, 1, rand.Reader).hash(ctx, goodPassword)
		if err != nil {
			t.Fatal(err)
		}
		for stored, password := range map[string]string{imported: "imported from elsewhere", older: goodPassword} {
			w.setHash(id, stored)
			if _, err := w.CheckPassword(ctx, "grace", password+"!"); !errors.Is(err, ErrCredentials) {
				t.Errorf("%.12s: wrong password: %v", stored, err)
			}
			if got := w.storedHash(id); got != stored {
				t.Errorf("%.12s: a wrong password made the hash anew", stored)
			}
			if _, err := w.CheckPassword(ctx, "grace", password); err != nil {
				t.Fatalf("%.12s: %v", stored, err)
			}
			if p, err := parsePHC(w.storedHash(id)); err != nil || p.Argon2Params != cheap {
				t.Errorf("%.12s: the hash is %+v, %v; want today's costs", stored, p.Argon2Params, err)
			}
			if err := w.CheckPasswordOf(ctx, id, password); err != nil {
				t.Errorf("%.12s: after the new hash: %v", stored, err)
			}
		}
	})
}

func TestCheckPasswordOf(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t))
	id := w.join(person1("grace"))
	if err := w.CheckPasswordOf(ctx, id, goodPassword); err != nil {
		t.Error(err)
	}
	for who, password := range map[ID]string{id: "another password", "nobody": goodPassword} {
		if err := w.CheckPasswordOf(ctx, who, password); !errors.Is(err, ErrCredentials) {
			t.Errorf("%s: %v, want ErrCredentials", who, err)
		}
	}
}

func TestPasswordsAreOneFormOfUnicode(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t))
	in := person1("zoe")
	in.Password = "e\u0301te\u0301 pluvieux sans fin"
	w.join(in)
	if _, err := w.CheckPassword(ctx, "zoe", "\u00e9t\u00e9 pluvieux sans fin"); err != nil {
		t.Errorf("the composed form: %v", err)
	}
}

func TestLongPasswordsAreNotHashed(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t))
	w.join(person1("grace"))
	before := w.hasher.done.Load()
	for _, identifier := range []string{"grace", "nobody"} {
		if _, err := w.CheckPassword(ctx, identifier, string(make([]byte, 1<<20))); code(err) != "validation_failed" {
			t.Errorf("%s: %v, want validation_failed", identifier, err)
		}
	}
	if got := w.hasher.done.Load() - before; got != 0 {
		t.Errorf("%d hashes for passwords over the limit", got)
	}
}

// The queue before the hasher is bounded: what finds it full is refused at once, what
// gives up leaves it.
func TestHasherQueue(t *testing.T) {
	h := newHasher(cheap, 1, 1, rand.Reader)
	if err := h.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	waits := make(chan error)
	go func() { waits <- h.enter(ctx) }()
	for h.waiting.Load() != 1 {
		select {
		case err := <-waits:
			t.Fatalf("did not wait: %v", err)
		default:
		}
	}
	over, stop := context.WithCancel(t.Context())
	stop() // what would wait all the same comes back with another error
	if _, err := h.hash(over, goodPassword); !errors.Is(err, ErrBusy) {
		t.Errorf("with the queue full: %v, want ErrBusy", err)
	}
	cancel()
	if err := <-waits; !errors.Is(err, context.Canceled) {
		t.Errorf("gave up: %v", err)
	}
	h.leave()
	if hash, err := h.hash(t.Context(), goodPassword); err != nil || hash == "" {
		t.Errorf("with a free slot: %v", err)
	}
	if n := h.waiting.Load(); n != 0 {
		t.Errorf("%d are waiting, want none", n)
	}
}

func BenchmarkHash(b *testing.B) {
	h := newHasher(defaultArgon2(b), 1, 1, rand.Reader)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.hash(b.Context(), goodPassword); err != nil {
			b.Fatal(err)
		}
	}
}
