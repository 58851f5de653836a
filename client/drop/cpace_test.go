package drop

import (
	"bytes"
	"crypto/ecdh"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"filippo.io/edwards25519/field"
)

type hexBytes []byte

func (h hexBytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

func readJSON(t testing.TB, into any, name ...string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, name...)...))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
}

func x25519(t *testing.T, secret []byte) *ecdh.PrivateKey {
	t.Helper()
	key, err := ecdh.X25519().NewPrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestCPaceDraft runs the vectors of draft-irtf-cfrg-cpace.
func TestCPaceDraft(t *testing.T) {
	var file struct {
		Points map[string]hexBytes `json:"X25519_points"`
	}
	readJSON(t, &file, "testdata", "vectors", "cpace_testvectors.json")
	var exact struct {
		Run map[string]hexBytes `json:"G_25519"` // encoding/json takes ya for Ya too
	}
	readJSON(t, &exact, "testdata", "vectors", "cpace_testvectors.json")
	v := exact.Run

	g := cpaceGenerator(v["PRS"], v["CI"], v["sid"])
	if !bytes.Equal(g, v["g"]) {
		t.Fatalf("generator %x, want %x", g, v["g"])
	}
	a, err := cpaceFrom(x25519(t, v["ya"]), g)
	if err != nil || !bytes.Equal(a.share, v["Ya"]) {
		t.Fatalf("Ya %x, %v; want %x", a.share, err, v["Ya"])
	}
	b, err := cpaceFrom(x25519(t, v["yb"]), g)
	if err != nil || !bytes.Equal(b.share, v["Yb"]) {
		t.Fatalf("Yb %x, %v; want %x", b.share, err, v["Yb"])
	}
	if k, err := scalarMult(a.secret, b.share); err != nil || !bytes.Equal(k, v["K"]) {
		t.Errorf("K %x, %v; want %x", k, err, v["K"])
	}
	for _, end := range []*cpace{a, b} {
		other := b.share
		if end == b {
			other = a.share
		}
		isk, err := end.intermediateKey(v["sid"], a.share, v["ADa"], b.share, v["ADb"], other)
		if err != nil || !bytes.Equal(isk, v["ISK_IR"]) {
			t.Errorf("ISK %x, %v; want %x", isk, err, v["ISK_IR"])
		}
	}

	if len(file.Points) != 12 {
		t.Errorf("%d invalid points, want 12", len(file.Points))
	}
	for name, y := range file.Points {
		if k, err := scalarMult(a.secret, y); !errors.Is(err, errPoint) {
			t.Errorf("%s: %x gave %x, %v; want a refusal", name, y, k, err)
		}
	}
	for _, y := range [][]byte{nil, make([]byte, 31), make([]byte, 33), append(slices.Clone(b.share), 0)} {
		if _, err := scalarMult(a.secret, y); !errors.Is(err, errPoint) {
			t.Errorf("a share of %d bytes: %v, want a refusal", len(y), err)
		}
	}
}

// TestCPaceDisagrees: ends that differ in anything that CPace binds have different keys.
func TestCPaceDisagrees(t *testing.T) {
	type end struct{ prs, ci, sid string }
	base := end{"123456", string(joinContext(modeCode, "red-fox")), "0123456789abcdef"}
	run := func(a, b end) bool {
		t.Helper()
		ca, err := newCPace([]byte(a.prs), []byte(a.ci), []byte(a.sid))
		if err != nil {
			t.Fatal(err)
		}
		cb, err := newCPace([]byte(b.prs), []byte(b.ci), []byte(b.sid))
		if err != nil {
			t.Fatal(err)
		}
		ka, errA := ca.intermediateKey([]byte(a.sid), ca.share, []byte("guest"), cb.share, []byte("host"), cb.share)
		kb, errB := cb.intermediateKey([]byte(b.sid), ca.share, []byte("guest"), cb.share, []byte("host"), ca.share)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		return bytes.Equal(ka, kb)
	}
	if !run(base, base) {
		t.Error("equal ends disagree")
	}
	for _, other := range []end{
		{"123457", base.ci, base.sid},
		{base.prs, string(joinContext(modeKey, "red-fox")), base.sid},
		{base.prs, string(joinContext(modeCode, "red-fix")), base.sid},
		{base.prs, base.ci, "0123456789abcdeF"},
	} {
		if run(base, other) {
			t.Errorf("%q agrees with %q", other, base)
		}
	}
}

// TestWycheproofX25519: what CPace multiplies is X25519, and refuses what it must.
func TestWycheproofX25519(t *testing.T) {
	var set struct {
		TestGroups []struct {
			Tests []struct {
				TcID                    int
				Flags                   []string
				Public, Private, Shared hexBytes
			}
		}
	}
	readJSON(t, &set, "test", "wycheproof", "x25519_test.json")
	var computed, refused int
	for _, v := range set.TestGroups[0].Tests {
		k, err := scalarMult(x25519(t, v.Private), v.Public)
		u, setErr := new(field.Element).SetBytes(v.Public)
		strange := setErr != nil || !bytes.Equal(u.Bytes(), v.Public) || slices.Contains(v.Flags, "ZeroSharedSecret")
		switch {
		case strange && err == nil:
			t.Errorf("%d: gave %x, want a refusal (%v)", v.TcID, k, v.Flags)
		case strange:
			refused++
		case err != nil || !bytes.Equal(k, v.Shared):
			t.Errorf("%d: %x, %v; want %x", v.TcID, k, err, v.Shared)
		default:
			computed++
		}
	}
	if computed < 400 || refused < 20 {
		t.Errorf("%d computed, %d refused: the set is smaller than it was", computed, refused)
	}
}

func TestLengths(t *testing.T) {
	long := bytes.Repeat([]byte{7}, 200)
	for _, c := range []struct {
		in   [][]byte
		want string
	}{
		{nil, ""},
		{[][]byte{{}}, "00"},
		{[][]byte{{1}, {2, 3}}, "0101020203"},
		{[][]byte{long}, "c801" + fmt.Sprintf("%x", long)},
	} {
		if got := hex.EncodeToString(lv(c.in...)); got != c.want {
			t.Errorf("lv(%x) = %s, want %s", c.in, got, c.want)
		}
	}
}
