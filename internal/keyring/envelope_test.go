package keyring

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"coffer/internal/db/dbtest"
	"coffer/internal/seal"
)

func TestEnvelopeOpensInItsPlaceOnly(t *testing.T) {
	c := newClock()
	r := open(t, dbtest.SQLite(t), c)
	ctx := t.Context()
	sealed, err := r.Seal(ctx, Blob, []byte("secret"), []byte("blob-1"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.Open(ctx, Blob, sealed, []byte("blob-1")); err != nil || string(got) != "secret" {
		t.Fatalf("opened %q, %v", got, err)
	}
	if _, err := r.Open(ctx, Blob, sealed, []byte("blob-2")); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("other aad: %v", err)
	}
	if _, err := r.Open(ctx, Pepper, sealed, []byte("blob-1")); err == nil {
		t.Error("opened under another purpose")
	}
	for i := range sealed {
		altered := bytes.Clone(sealed)
		altered[i] ^= 1
		if _, err := r.Open(ctx, Blob, altered, []byte("blob-1")); err == nil {
			t.Errorf("byte %d altered and still opened", i)
		}
		if _, err := r.Open(ctx, Blob, sealed[:i], []byte("blob-1")); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("cut to %d bytes: %v", i, err)
		}
	}
	// The kid is bound in: an envelope with another live key's id does not open.
	old := bytes.Clone(sealed)
	next := rotate(t, r, Blob)
	id, _ := hex.DecodeString(next.ID)
	copy(old[1:], id)
	if _, err := r.Open(ctx, Blob, old, []byte("blob-1")); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("under another kid: %v", err)
	}
}

func TestRenew(t *testing.T) {
	c := newClock()
	r := open(t, dbtest.SQLite(t), c)
	ctx := t.Context()
	sealed, err := r.Seal(ctx, Pepper, []byte("hash"), []byte("a"))
	if err != nil {
		t.Fatal(err)
	}
	if again, changed, err := r.Renew(ctx, Pepper, sealed, []byte("a")); err != nil || changed || !bytes.Equal(again, sealed) {
		t.Errorf("under the active key: changed %t, %v", changed, err)
	}
	next := rotate(t, r, Pepper)
	again, changed, err := r.Renew(ctx, Pepper, sealed, []byte("a"))
	if err != nil || !changed {
		t.Fatalf("changed %t, %v", changed, err)
	}
	if kid, _ := EnvelopeKey(again); kid != next.ID {
		t.Errorf("renewed under %s, want %s", kid, next.ID)
	}
	if got, err := r.Open(ctx, Pepper, again, []byte("a")); err != nil || string(got) != "hash" {
		t.Errorf("opened %q, %v", got, err)
	}
	if _, _, err := r.Renew(ctx, Pepper, sealed, []byte("b")); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("renewed for another place: %v", err)
	}
}

func TestFieldsOpenInTheirPlaceOnly(t *testing.T) {
	r := open(t, dbtest.SQLite(t), newClock())
	ctx := t.Context()
	ada, wrapped, err := r.NewDataKey(ctx, "ada")
	if err != nil {
		t.Fatal(err)
	}
	bob, _, err := r.NewDataKey(ctx, "bob")
	if err != nil {
		t.Fatal(err)
	}
	sealed := ada.Seal("accounts", "email", "1", []byte("ada@example.org"))
	for _, tc := range []struct {
		name               string
		key                *DataKey
		table, column, row string
		opens              bool
	}{
		{"its own place", ada, "accounts", "email", "1", true},
		{"another row", ada, "accounts", "email", "2", false},
		{"another column", ada, "accounts", "first_name", "1", false},
		{"another table", ada, "sign_ups", "email", "1", false},
		{"another account", bob, "accounts", "email", "1", false},
		{"names run together", ada, "accountse", "mail", "1", false},
		{"another key id", &DataKey{id: bob.id, field: ada.field}, "accounts", "email", "1", false},
	} {
		got, err := tc.key.Open(tc.table, tc.column, tc.row, sealed)
		if opened := err == nil && string(got) == "ada@example.org"; opened != tc.opens || (err != nil && !errors.Is(err, seal.ErrOpen)) {
			t.Errorf("%s: %q, %v; want opens %t", tc.name, got, err, tc.opens)
		}
	}
	if _, err := r.OpenDataKey(ctx, "bob", wrapped); !errors.Is(err, seal.ErrOpen) {
		t.Errorf("ada's data key opened as bob's: %v", err)
	}
}

func TestDataKeySurvivesRewrapping(t *testing.T) {
	r := open(t, dbtest.SQLite(t), newClock())
	ctx := t.Context()
	key, wrapped, err := r.NewDataKey(ctx, "ada")
	if err != nil {
		t.Fatal(err)
	}
	sealed := key.Seal("t", "c", "r", []byte("field"))
	index := key.Index("c", "name")
	rotate(t, r, Field)
	again, changed, err := r.RenewDataKey(ctx, "ada", wrapped)
	if err != nil || !changed {
		t.Fatalf("changed %t, %v", changed, err)
	}
	for name, w := range map[string][]byte{"old wrapping": wrapped, "new wrapping": again} {
		k, err := r.OpenDataKey(ctx, "ada", w)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := k.Open("t", "c", "r", sealed); err != nil || string(got) != "field" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if !bytes.Equal(k.Index("c", "name"), index) {
			t.Errorf("%s: the index changed", name)
		}
	}
	if bytes.Equal(key.Index("d", "name"), index) {
		t.Error("two columns share an index")
	}
}

func TestBlindIndexes(t *testing.T) {
	r := open(t, dbtest.SQLite(t), newClock())
	ctx := t.Context()
	index := func(column, value string) []byte {
		t.Helper()
		b, err := r.Index(ctx, column, value)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	indexes := func() [][]byte {
		t.Helper()
		b, err := r.Indexes(ctx, "account.email", "a@example.org")
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	before := index("account.email", "a@example.org")
	if !bytes.Equal(before, index("account.email", "a@example.org")) {
		t.Error("one value, two indexes")
	}
	if bytes.Equal(before, index("account.username", "a@example.org")) {
		t.Error("two columns share a key")
	}
	if got := indexes(); len(got) != 2 || !bytes.Equal(got[0], before) || !bytes.Equal(got[1], before) {
		t.Errorf("with one key: %x, want %x twice", got, before)
	}
	rotate(t, r, Index)
	after := index("account.email", "a@example.org")
	if got := indexes(); bytes.Equal(before, after) || len(got) != 2 || !bytes.Equal(got[0], after) || !bytes.Equal(got[1], before) {
		t.Errorf("with two keys: %x, want the new %x, then the old %x", got, after, before)
	}
}

func TestMACs(t *testing.T) {
	r := open(t, dbtest.SQLite(t), newClock())
	ctx := t.Context()
	a, err := r.MAC(ctx, Code, []byte("ab"), []byte("c"))
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := r.MAC(ctx, Code, []byte("a"), []byte("bc")); bytes.Equal(a, b) {
		t.Error("parts run together")
	}
	rotate(t, r, Code)
	sums, err := r.MACs(ctx, Code, []byte("ab"), []byte("c"))
	if err != nil {
		t.Fatal(err)
	}
	if len(sums) != 2 || !bytes.Equal(sums[1], a) || bytes.Equal(sums[0], a) {
		t.Errorf("MACs after a rotation: %x, want the old one %x second", sums, a)
	}
}

// vectors reads one file of test/wycheproof.
func vectors(t *testing.T, name string, into any) {
	t.Helper()
	b, err := os.Open(filepath.Join("..", "..", "test", "wycheproof", name))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := json.NewDecoder(b).Decode(into); err != nil {
		t.Fatal(err)
	}
}

type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

func TestWycheproofAESGCM(t *testing.T) {
	var set struct {
		TestGroups []struct {
			KeySize, IVSize, TagSize int
			Tests                    []struct {
				TcID                       int
				Key, IV, AAD, Msg, CT, Tag hexBytes
				Result                     string
			}
		}
	}
	vectors(t, "aes_gcm_test.json", &set)
	var ran int
	for _, g := range set.TestGroups {
		if g.KeySize != 256 || g.IVSize != 96 || g.TagSize != 128 {
			continue // no such key or nonce occurs in an envelope
		}
		for _, tc := range g.Tests {
			ran++
			sealed := bytes.Join([][]byte{{1}, tc.IV, tc.CT, tc.Tag}, nil)
			got, err := seal.Open(tc.Key, sealed, tc.AAD)
			if ok := err == nil && bytes.Equal(got, tc.Msg); ok != (tc.Result == "valid") {
				t.Errorf("%d: %x, %v, want %s", tc.TcID, got, err, tc.Result)
			}
		}
	}
	if ran < 50 {
		t.Errorf("only %d vectors ran", ran)
	}
}

func TestWycheproofHKDF(t *testing.T) {
	var set struct {
		TestGroups []struct {
			Tests []struct {
				TcID                 int
				IKM, Salt, Info, OKM hexBytes
				Size                 int
				Result               string
			}
		}
	}
	vectors(t, "hkdf_sha256_test.json", &set)
	var ran, ours int
	for _, g := range set.TestGroups {
		for _, tc := range g.Tests {
			ran++
			got, err := hkdf.Key(sha256.New, tc.IKM, tc.Salt, string(tc.Info), tc.Size)
			if ok := err == nil && bytes.Equal(got, tc.OKM); ok != (tc.Result == "valid") {
				t.Errorf("%d: %x, %v, want %s", tc.TcID, got, err, tc.Result)
			}
			if len(tc.Salt) > 0 || tc.Result != "valid" {
				continue
			}
			ours++ // a longer output begins with the shorter one
			n := min(seal.KeySize, len(tc.OKM))
			if got := hkdf256(tc.IKM, tc.Info)[:n]; !bytes.Equal(got, tc.OKM[:n]) {
				t.Errorf("%d: hkdf256 = %x, want %x", tc.TcID, got, tc.OKM[:n])
			}
		}
	}
	if ran < 50 || ours < 5 {
		t.Errorf("only %d vectors ran, %d of them on hkdf256", ran, ours)
	}
}

func TestDerivedKeysDiffer(t *testing.T) {
	secret := bytes.Repeat([]byte{1}, 32)
	seen := map[string]string{}
	for _, labels := range [][]string{{"seal"}, {"mac"}, {"index", "a"}, {"index", "b"}, {"inde", "xa"}, {"indexa"}, {}} {
		name := fmt.Sprintf("%q", labels)
		key := string(derive(secret, labels...))
		if other, ok := seen[key]; ok {
			t.Errorf("%s and %s derive one key", name, other)
		}
		seen[key] = name
	}
}

func FuzzOpen(f *testing.F) {
	r := open(f, dbtest.SQLite(f), newClock())
	ctx := f.Context()
	sealed, err := r.Seal(ctx, Blob, []byte("plain"), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed)
	f.Add([]byte{1})
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if plain, err := r.Open(ctx, Blob, b, nil); err == nil && !bytes.Equal(b, sealed) {
			t.Errorf("forged %x opens to %q", b, plain)
		}
	})
}

func BenchmarkIndex(b *testing.B) {
	r := open(b, dbtest.SQLite(b), newClock())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Index(b.Context(), "account.email", "somebody@example.org"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpenDataKey(b *testing.B) {
	r := open(b, dbtest.SQLite(b), newClock())
	_, wrapped, err := r.NewDataKey(b.Context(), "ada")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.OpenDataKey(b.Context(), "ada", wrapped); err != nil {
			b.Fatal(err)
		}
	}
}
