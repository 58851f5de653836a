package ipfs

import (
	"errors"
	"strings"
	"testing"
)

// Identifiers that the specification of UnixFS names.
const (
	emptyFolder   = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354"
	emptyFolderV0 = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"
	emptyFile     = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
)

func mustParse(t testing.TB, s string) CID {
	t.Helper()
	c, err := Parse(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return c
}

func TestEmptyBlocks(t *testing.T) {
	if got := Sum(Raw, nil).String(); got != emptyFile {
		t.Errorf("the empty file is %s, want %s", got, emptyFile)
	}
	if got := Sum(DagPB, []byte{0x0a, 2, 8, 1}).String(); got != emptyFolder {
		t.Errorf("the empty folder is %s, want %s", got, emptyFolder)
	}
}

func TestParse(t *testing.T) {
	want := mustParse(t, emptyFolder)
	forms := append([]string{emptyFolderV0, emptyFolder, "B" + strings.ToUpper(emptyFolder[1:])}, others...)
	for _, s := range forms {
		if got := mustParse(t, s); got != want {
			t.Errorf("%s is read as %s", s, got)
		}
	}
	if got := want.String(); got != emptyFolder {
		t.Errorf("written as %s", got)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{
		"", "b", "Q", "Qm", "/ipfs/" + emptyFolder,
		emptyFolder + "a", emptyFolder[:58], emptyFolder + "\n", "\n" + emptyFolder, emptyFolder[:30] + "\n" + emptyFolder[30:],
		emptyFolder[:58] + "5",                                        // bits behind the digest
		"b" + strings.ToUpper(emptyFolder[1:]),                        // a case that the base has not
		"B" + emptyFolder[1:],                                         //
		emptyFolderV0[:45] + "0",                                      // no digit of base58
		"z" + emptyFolderV0,                                           // version 0 has no base
		"z1" + others[0][1:],                                          // a zero before the number
		"u" + strings.Repeat("A", 48),                                 // an unknown base
		"f" + strings.Repeat("zz", 36),                                //
		"bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua", // dag-cbor
		"bafkqaaa",               // identity
		strings.Repeat("b", 1e6), //
	} {
		if got, err := Parse(s); !errors.Is(err, ErrCID) {
			t.Errorf("%.80q is read as %s, %v", s, got, err)
		}
	}
}

// others are emptyFolder in base58btc, base16 and base36.
var others = []string{
	"zdj7WbTaiJT1fgatdet9Ei9iDB5hdCxkbVyhyh8YTUnXMiwYi",
	"f0170122059948439065f29619ef41280cbb932be52c56d99c5966b65e0111239f098bbef",
	"F0170122059948439065F29619EF41280CBB932BE52C56D99C5966B65E0111239F098BBEF",
	"k2jmtxtlhjl3fhmgndf92e48by79ryjuvqp3y2qgehpao6v3lurvnmcv",
	"K2JMTXTLHJL3FHMGNDF92E48BY79RYJUVQP3Y2QGEHPAO6V3LURVNMCV",
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{emptyFile, emptyFolder, emptyFolderV0, "zdj7W", "k2jmtx", "f0170"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := Parse(s)
		if err != nil {
			return
		}
		if again, err := Parse(c.String()); err != nil || again != c {
			t.Errorf("%q is %s, which is read as %s, %v", s, c, again, err)
		}
		if again, n := prefixed(c.Bytes()); n != cidBytes || again != c {
			t.Errorf("%q is %x in binary, which is read as %s", s, c.Bytes(), again)
		}
	})
}
