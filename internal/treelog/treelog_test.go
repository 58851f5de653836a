package treelog

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// stored is a tree whose tiles lie in memory. Stored tiles may be wider than a tree needs.
type stored map[[2]int64][]byte

func (s stored) tree(size int64) Tree {
	return Tree{size, func(level int, n int64) ([]byte, error) { return s[[2]int64{int64(level), n}], nil }}
}

func (s stored) put(tiles []Tile) {
	for _, t := range tiles {
		s[[2]int64{int64(t.Level), t.N}] = bytes.Clone(t.Hashes)
	}
}

// grow stores leaves behind a tree, some at a time.
func (s stored) grow(t testing.TB, size int64, leaves []Hash, at ...int) {
	t.Helper()
	for len(leaves) > 0 {
		step := len(leaves)
		if len(at) > 0 {
			step, at = min(at[0], step), at[1:]
		}
		g, err := Grow(s.tree(size))
		if err != nil {
			t.Fatal(err)
		}
		for _, leaf := range leaves[:step] {
			g.Add(leaf)
		}
		s.put(g.Take())
		size, leaves = g.Size(), leaves[step:]
	}
}

func fromHex(t testing.TB, words []string) []Hash {
	t.Helper()
	all := make([]Hash, len(words))
	for i, w := range words {
		b, err := hex.DecodeString(w)
		if err != nil || len(b) != HashSize {
			t.Fatalf("%q is no hash", w)
		}
		all[i] = Hash(b)
	}
	return all
}

// The roots and proofs of RFC 6962's reference test.
func TestReferenceTree(t *testing.T) {
	b, err := os.ReadFile("../../testdata/vectors/rfc6962/tree.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Leaves, Roots []string
		Inclusion     []struct {
			N, Size int64
			Hashes  []string
		}
		Consistency []struct {
			From, To int64
			Hashes   []string
		}
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	roots, tiles := fromHex(t, v.Roots), stored{}
	var f Frontier
	for n := range int64(len(roots)) {
		if got := f.Root(); got != roots[n] {
			t.Errorf("the root of %d leaves is %x, want %x", n, got, roots[n])
		}
		if got, err := tiles.tree(n).Root(); err != nil || got != roots[n] {
			t.Errorf("the root of %d stored leaves is %x, %v, want %x", n, got, err, roots[n])
		}
		if n < int64(len(v.Leaves)) {
			leaf, err := hex.DecodeString(v.Leaves[n])
			if err != nil {
				t.Fatal(err)
			}
			f.Add(LeafHash(leaf))
			tiles.grow(t, n, []Hash{LeafHash(leaf)})
		}
	}
	for _, p := range v.Inclusion {
		leaf, _ := hex.DecodeString(v.Leaves[p.N])
		want := fromHex(t, p.Hashes)
		if got, err := tiles.tree(p.Size).Inclusion(p.N); err != nil || !slices.Equal(got, want) {
			t.Errorf("%d of %d: %v, %v", p.N, p.Size, got, err)
		}
		if err := checkInclusion(want, p.Size, roots[p.Size], p.N, LeafHash(leaf)); err != nil {
			t.Errorf("%d of %d: %v", p.N, p.Size, err)
		}
	}
	for _, p := range v.Consistency {
		want := fromHex(t, p.Hashes)
		if got, err := tiles.tree(p.To).Consistency(p.From); err != nil || !slices.Equal(got, want) {
			t.Errorf("%d to %d: %v, %v", p.From, p.To, got, err)
		}
		if err := CheckConsistency(want, p.To, roots[p.To], p.From, roots[p.From]); err != nil {
			t.Errorf("%d to %d: %v", p.From, p.To, err)
		}
	}
}

// checkInclusion returns nil when proof shows that leaf is entry n of the tree with a size
// and a root.
func checkInclusion(proof []Hash, size int64, root Hash, n int64, leaf Hash) error {
	if n < 0 || n >= size {
		return fmt.Errorf("%w: there is no entry %d in a tree of %d", ErrProof, n, size)
	}
	if err := tlog.CheckRecord(proof, size, root, n, leaf); err != nil {
		return fmt.Errorf("%w: %w", ErrProof, err)
	}
	return nil
}

func numbered(n int) []Hash {
	all := make([]Hash, n)
	for i := range all {
		all[i] = LeafHash(fmt.Append(nil, i))
	}
	return all
}

// A tree over tiles has the roots of one that was never stored, however it grew, also behind
// the third level of tiles. Its proofs hold, and hold for nothing else.
func TestTiles(t *testing.T) {
	leaves := numbered(TileWidth*TileWidth + TileWidth + 3)
	tiles := stored{}
	tiles.grow(t, 0, leaves, 1, 254, 1, 1, 255, 600, 20_000)
	sizes := map[int64]Hash{0: {}, 1: {}, 255: {}, 256: {}, 257: {}, 511: {}, 512: {}, 1112: {}, 65_535: {}, 65_536: {}, 65_537: {}, int64(len(leaves)): {}}
	var f Frontier
	for i := int64(0); i <= int64(len(leaves)); i++ {
		if _, wanted := sizes[i]; wanted {
			sizes[i] = f.Root()
		}
		if i < int64(len(leaves)) {
			f.Add(leaves[i])
		}
	}
	for size, root := range sizes {
		tree := tiles.tree(size)
		if got, err := tree.Root(); err != nil || got != root {
			t.Fatalf("the root of %d is %x, %v, want %x", size, got, err, root)
		}
		for from, old := range sizes {
			if from == 0 || from > size {
				continue
			}
			proof, err := tree.Consistency(from)
			if err != nil || CheckConsistency(proof, size, root, from, old) != nil {
				t.Errorf("%d to %d: %v", from, size, err)
			}
			old[0]++
			if CheckConsistency(proof, size, root, from, old) == nil {
				t.Errorf("%d to %d holds for another root", from, size)
			}
		}
		for _, n := range []int64{0, size / 2, size - 1} {
			if n < 0 || n >= size {
				continue
			}
			proof, err := tree.Inclusion(n)
			if err != nil || checkInclusion(proof, size, root, n, leaves[n]) != nil {
				t.Errorf("%d of %d: %v", n, size, err)
			}
			if checkInclusion(proof, size, root, n, LeafHash(nil)) == nil || size > 1 && checkInclusion(proof, size, root, (n+1)%size, leaves[n]) == nil {
				t.Errorf("%d of %d holds for another leaf or place", n, size)
			}
		}
	}
	last, err := tiles.tree(258).Leaves(1)
	if err != nil || !slices.Equal(last, leaves[256:258]) {
		t.Errorf("the last leaves of 258 are %v, %v", last, err)
	}
}

func TestTilesThatLackHashes(t *testing.T) {
	tiles := stored{}
	tiles.grow(t, 0, numbered(700))
	tiles[[2]int64{0, 2}] = tiles[[2]int64{0, 2}][:100*HashSize+5]
	if _, err := tiles.tree(700).Root(); !errors.Is(err, ErrTile) {
		t.Errorf("a root: %v", err)
	}
	if _, err := Grow(tiles.tree(700)); !errors.Is(err, ErrTile) {
		t.Errorf("growth: %v", err)
	}
	if _, err := tiles.tree(600).Inclusion(600); err == nil {
		t.Error("a proof of an entry that is not there")
	}
	if _, err := tiles.tree(600).Consistency(0); err == nil {
		t.Error("a proof of growth from nothing")
	}
	for _, p := range [][2]int64{{-1, 5}, {5, 5}, {0, 0}} {
		if !errors.Is(checkInclusion(nil, p[1], Hash{}, p[0], Hash{}), ErrProof) {
			t.Errorf("entry %d of %d", p[0], p[1])
		}
	}
	for _, p := range [][2]int64{{0, 5}, {6, 5}, {-1, -1}} {
		if !errors.Is(CheckConsistency(nil, p[1], Hash{}, p[0], Hash{}), ErrProof) {
			t.Errorf("%d to %d", p[0], p[1])
		}
	}
}

// seed is the fixed signing key of these tests.
func seed(n byte) ed25519.PrivateKey { return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, 32)) }

const origin = "coffer.test/ledger"

func keyOf(private ed25519.PrivateKey, name string) Key {
	return Key{name, private.Public().(ed25519.PublicKey)}
}

func sign(t testing.TB, c Checkpoint, private ed25519.PrivateKey) []byte {
	t.Helper()
	b, err := c.Sign(private)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Another implementation opens our notes and keys, and we open its.
func TestNotesOfOthers(t *testing.T) {
	c := Checkpoint{origin, 123456789, LeafHash([]byte("root"))}
	key := keyOf(seed(1), origin)
	verifier, err := note.NewVerifier(key.String())
	if err != nil {
		t.Fatal(err)
	}
	if verifier.KeyHash() != key.ID() || verifier.Name() != origin {
		t.Errorf("the key has the id %08x, want %08x", key.ID(), verifier.KeyHash())
	}
	ours := sign(t, c, seed(1))
	n, err := note.Open(ours, note.VerifierList(verifier))
	if err != nil {
		t.Fatal(err)
	}
	if want := origin + "\n123456789\n" + c.Root.String() + "\n"; n.Text != want || len(n.Sigs) != 1 {
		t.Errorf("the text is %q, want %q", n.Text, want)
	}

	secret, public, err := note.GenerateKey(nil, origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	witness, _, err := note.GenerateKey(nil, "witness.example")
	if err != nil {
		t.Fatal(err)
	}
	second, err := note.NewSigner(witness)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := note.Sign(&note.Note{Text: n.Text}, second, signer)
	if err != nil {
		t.Fatal(err)
	}
	theirKey, err := ParseKey(public)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := OpenCheckpoint(theirs, []Key{key, theirKey}); err != nil || got != c {
		t.Errorf("their note: %v, %v", got, err)
	}
	// The key of Go's checksum database.
	if k, err := ParseKey("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"); err != nil || k.Name != "sum.golang.org" {
		t.Errorf("%v, %v", k, err)
	}
}

func TestRefusedCheckpoints(t *testing.T) {
	good := string(sign(t, Checkpoint{origin, 7, LeafHash(nil)}, seed(1)))
	keys := []Key{keyOf(seed(1), origin)}
	if _, err := OpenCheckpoint([]byte(good), keys); err != nil {
		t.Fatal(err)
	}
	signed := func(text string) string { // by the right key, whatever it says
		sig := append(binary.BigEndian.AppendUint32(nil, keys[0].ID()), ed25519.Sign(seed(1), []byte(text))...)
		return text + "\n" + mark + origin + " " + base64.StdEncoding.EncodeToString(sig) + "\n"
	}
	root := LeafHash(nil).String()
	if c, err := OpenCheckpoint([]byte(signed(origin+"\n7\n"+root+"\nan extension\n")), keys); err != nil || c.Size != 7 {
		t.Errorf("an extension: %v, %v", c, err)
	}
	text, line, _ := strings.Cut(good, "\n\n")
	for what, test := range map[string]struct {
		note string
		want error
	}{
		"nothing":             {"", ErrCheckpoint},
		"no signature":        {text + "\n\n", ErrCheckpoint},
		"no empty line":       {text + "\n" + line, ErrCheckpoint},
		"no end":              {strings.TrimSuffix(good, "\n"), ErrCheckpoint},
		"another size":        {strings.Replace(good, "\n7\n", "\n8\n", 1), ErrSignature},
		"another origin":      {strings.ReplaceAll(good, origin, "other.test/ledger"), ErrSignature},
		"another signer":      {string(sign(t, Checkpoint{origin, 7, LeafHash(nil)}, seed(2))), ErrSignature},
		"a broken signature":  {strings.Replace(good, line, line[:60]+"AAAA"+line[64:], 1), ErrSignature},
		"a hyphen":            {strings.Replace(good, "— ", "- ", 1), ErrCheckpoint},
		"a carriage return":   {strings.ReplaceAll(good, "\n", "\r\n"), ErrCheckpoint},
		"other UTF-8":         {good + "— x \xff\n", ErrCheckpoint},
		"a leading zero":      {signed(origin + "\n07\n" + root + "\n"), ErrCheckpoint},
		"a sign":              {signed(origin + "\n+7\n" + root + "\n"), ErrCheckpoint},
		"a negative size":     {signed(origin + "\n-7\n" + root + "\n"), ErrCheckpoint},
		"a short root":        {signed(origin + "\n7\nAAAA\n"), ErrCheckpoint},
		"two lines":           {signed(origin + "\n7\n"), ErrCheckpoint},
		"an empty extension":  {signed(origin + "\n7\n" + root + "\n\nx\n"), ErrCheckpoint},
		"too long":            {signed(origin + "\n7\n" + root + "\n" + strings.Repeat("x", longestNote) + "\n"), ErrCheckpoint},
		"too many signatures": {good + strings.Repeat("— x AAAAAAAA\n", mostSignatures), ErrCheckpoint},
	} {
		if c, err := OpenCheckpoint([]byte(test.note), keys); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, %v, want %v", what, c, err, test.want)
		}
	}
	if _, err := OpenCheckpoint([]byte(good), []Key{keyOf(seed(1), "other.test/ledger")}); !errors.Is(err, ErrSignature) {
		t.Errorf("a key of another name: %v", err)
	}
	if _, err := (Checkpoint{Origin: "two words"}).Sign(seed(1)); err == nil {
		t.Error("an origin with a space is signed")
	}
}

func TestRefusedKeys(t *testing.T) {
	good := keyOf(seed(1), origin).String()
	if k, err := ParseKey(good); err != nil || k.String() != good {
		t.Fatal(k, err)
	}
	name, rest, _ := strings.Cut(good, "+")
	id, key, _ := strings.Cut(rest, "+")
	for _, s := range []string{
		"", "x", name, name + "+" + id, "+" + rest, "a b+" + rest, "other" + good, name + "+" + strings.ToUpper(id) + "x+" + key, name + "+00000000+" + key,
		name + "+" + id + "+" + key[:len(key)-4], name + "+" + id + "+" + strings.Replace(key, "A", "B", 1), good + "\n", good + " ", good + "+x",
	} {
		if k, err := ParseKey(s); !errors.Is(err, ErrKey) {
			t.Errorf("%q: %v, %v", s, k, err)
		}
	}
}

func TestSplitNotes(t *testing.T) {
	one, two := sign(t, Checkpoint{origin, 1, LeafHash(nil)}, seed(1)), sign(t, Checkpoint{origin, 2, LeafHash(nil)}, seed(2))
	witnessed := append(bytes.Clone(two), "— witness.example AAAAAAAA\n"...)
	a, b := keyOf(seed(1), origin), keyOf(seed(2), origin)
	for what, file := range map[string]string{
		"as the server writes it": a.String() + "\n\n" + string(one) + "\n" + b.String() + "\n\n" + string(witnessed),
		"tight":                   a.String() + "\n" + string(one) + b.String() + "\n" + string(witnessed),
		"with remarks":            "# a remark\n" + a.String() + "\n\n" + string(one) + "# another\n\n#\n" + b.String() + "\n" + string(witnessed),
		"loose":                   "\n\n" + a.String() + "\n\n" + b.String() + "\n\n\n" + string(one) + "\n\n\n" + string(witnessed) + "\n\n",
	} {
		notes, keys, err := SplitNotes([]byte(file))
		if diff := cmp.Diff([][]byte{one, witnessed}, notes); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", what, err, diff)
		}
		if len(keys) != 2 || keys[0].String() != a.String() || keys[1].String() != b.String() {
			t.Errorf("%s: the keys %v", what, keys)
		}
	}
	if _, _, err := SplitNotes(one[:len(one)-120]); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("a torn note: %v", err)
	}
	if notes, keys, err := SplitNotes(nil); len(notes)+len(keys) > 0 || err != nil {
		t.Errorf("nothing: %v, %v, %v", notes, keys, err)
	}
}

// entry is the nth of the test ledger.
func entry(n int64) Entry {
	leaf := LeafHash(fmt.Appendf(nil, "commitment %d", n))
	e := Entry{
		N: n, Time: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC).Add(time.Duration(n) * 250 * time.Millisecond).Format(TimeForm),
		Kind: []string{Pin, Unpin, Fail}[n%3], CID: "bafkrei" + strings.Repeat("abcdefgh2345"[n%12:n%12+1], 52), Size: n * n,
		Digest: strings.Repeat("0", 64), Commitment: hex.EncodeToString(leaf[:]),
	}
	if n%4 == 0 {
		leaf = LeafHash(fmt.Appendf(nil, "digest %d", n))
		e.Digest = hex.EncodeToString(leaf[:])
	}
	return e
}

func TestEntry(t *testing.T) {
	for n := range int64(12) {
		e := entry(n)
		b := e.AppendTo(nil)
		if got, err := ParseEntry(b); err != nil || got != e {
			t.Errorf("%s: %v, %v", b, got, err)
		}
		// encoding/json writes the same: the canonical form holds no surprise.
		if other, err := json.Marshal(e); err != nil || string(other) != string(b) {
			t.Errorf("%s and %s, %v", b, other, err)
		}
	}
	good := string(entry(5).AppendTo(nil))
	for what, change := range map[string][2]string{
		"a space":           {`{"n"`, `{ "n"`},
		"a plus":            {`"n":5`, `"n":+5`},
		"a leading zero":    {`"n":5`, `"n":05`},
		"a fraction":        {`"n":5`, `"n":5.0`},
		"a negative number": {`"n":5`, `"n":-5`},
		"too large":         {`"n":5`, `"n":9223372036854775808`},
		"another order":     {`"n":5,"time":"2026-11-20T09:00:01.250Z"`, `"time":"2026-11-20T09:00:01.250Z","n":5`},
		"another name":      {`"n"`, `"N"`},
		"a further name":    {`{"n"`, `{"x":1,"n"`},
		"a name twice":      {`{"n":5`, `{"n":5,"n":5`},
		"another time":      {`01.250Z`, `01.25Z`},
		"another zone":      {`01.250Z`, `01.250+00:00`},
		"no such day":       {`11-20`, `11-31`},
		"an old time":       {`2026-`, `1926-`},
		"another kind":      {`"fail"`, `"find"`},
		"a long CID":        {`bafkrei`, `bafkreia`},
		"another base":      {`bafkrei`, `zafkrei`},
		"upper case":        {`bafkrei`, `bAFKREI`},
		"an escape":         {`bafkrei`, `\u0062afkrei`},
		"a negative size":   {`"size":25`, `"size":-25`},
		"a short digest":    {`"digest":"0`, `"digest":"`},
		"no hex":            {`"commitment":"`, `"commitment":"g`},
		"a tail":            {`"}`, `"} `},
		"null":              {`"n":5`, `"n":null`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if bad == good {
			t.Fatalf("%s changes nothing", what)
		}
		if e, err := ParseEntry([]byte(bad)); !errors.Is(err, ErrEntry) {
			t.Errorf("%s: %v, %v", what, e, err)
		}
	}
	e := entry(0)
	for kind, want := range map[string]bool{Pin: false, Unpin: true, Fail: true} {
		if e.Kind, e.CID = kind, ""; (e.Check() == nil) != want {
			t.Errorf("a %s without CID: %v", kind, e.Check())
		}
	}
}
