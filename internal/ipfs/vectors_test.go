package ipfs

import (
	"crypto/sha256"
	"io"
	"strings"
	"testing"

	"golang.org/x/crypto/chacha20"
)

// stream is the key stream of ChaCha20 under the hash of a seed, as the vectors of IPIP-499 take it.
type stream struct{ *chacha20.Cipher }

func newStream(t testing.TB, seed string) stream {
	t.Helper()
	key := sha256.Sum256([]byte(seed))
	c, err := chacha20.NewUnauthenticatedCipher(key[:], make([]byte, chacha20.NonceSize))
	if err != nil {
		t.Fatal(err)
	}
	return stream{c}
}

func (s stream) Read(p []byte) (int, error) {
	clear(p)
	s.XORKeyStream(p, p)
	return len(p), nil
}

// TestProfile is the vectors of IPIP-499 for unixfs-v1-2025. Kubo's tests say how their contents
// are made.
func TestProfile(t *testing.T) {
	for _, test := range []struct {
		name, seed string
		size       int64
		want       string
	}{
		{"a chunk", "chunk-v1-seed", ChunkSize, "bafkreiacndfy443ter6qr2tmbbdhadvxxheowwf75s6zehscklu6ezxmta"},
		{"a chunk and a byte", "chunk-v1-seed", ChunkSize + 1, "bafybeigmix7t42i6jacydtquhet7srwvgpizfg7gjbq7627d35mjomtu64"},
		{"a full node and a byte", "v1-2025-seed", MaxLinks*ChunkSize + 1, "bafybeibdsi225ugbkmpbdohnxioyab6jsqrmkts3twhpvfnzp77xtzpyhe"},
	} {
		var nodes []string
		n, err := File(io.LimitReader(newStream(t, test.seed), test.size), Sink{Node: func(b Block) error {
			nodes = append(nodes, b.CID.String())
			return nil
		}})
		if err != nil || n.CID.String() != test.want || n.Size != test.size {
			t.Errorf("%s: %s of %d bytes, %v, want %s", test.name, n.CID, n.Size, err, test.want)
		}
		// The vector of the file without that byte is the first node of the file with it.
		if full := "bafybeihmf37wcuvtx4hpu7he5zl5qaf2ineo2lqlfrapokkm5zzw7zyhvm"; test.size > MaxLinks*ChunkSize && (len(nodes) != 3 || nodes[0] != full) {
			t.Errorf("%s: nodes %v, want three that begin with %s", test.name, nodes, full)
		}
	}
	hello, err := File(strings.NewReader("hello world"), Sink{})
	if want := "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"; err != nil || hello.CID.String() != want {
		t.Errorf("hello world is %s, %v, want %s", hello.CID, err, want)
	}
	for _, test := range []struct {
		last int // length of the last name
		kind Kind
		want string
	}{
		{21, KindDirectory, "bafybeic3h7rwruealwxkacabdy45jivq2crwz6bufb5ljwupn36gicplx4"}, // 262144 bytes
		{22, KindShard, "bafybeiegvuterwurhdtkikfhbxcldohmxp566vpjdofhzmnhv6o4freidu"},
	} {
		blocks := shelf{}
		n, err := Dir(profileEntries(t, test.last), blocks.sink())
		if err != nil || n.CID.String() != test.want || n.Size != 4766 {
			t.Errorf("the folder is %s of %d bytes, %v, want %s", n.CID, n.Size, err, test.want)
		}
		if kind, _, _, _, err := Children(blocks[n.CID]); err != nil || kind != test.kind {
			t.Errorf("its kind is %d, %v, want %d", kind, err, test.kind)
		}
	}
}

// profileEntries are the files of the folders in the vectors: 4766 of one byte, with names of 11
// letters, the last name longer.
func profileEntries(t testing.TB, last int) []Entry {
	const letters = "abcdefghijklmnopqrstuvwxyz01234567890-_"
	names := newStream(t, "hamt-unixfs-v1-2025")
	x := Node{CID: Sum(Raw, []byte("x")), Size: 1, Total: 1}
	entries := make([]Entry, 4766)
	for i := range entries {
		name := make([]byte, 11)
		if i == len(entries)-1 {
			name = make([]byte, last)
		}
		if _, err := io.ReadFull(names, name); err != nil {
			t.Fatal(err)
		}
		for j, b := range name {
			name[j] = letters[int(b)%len(letters)]
		}
		entries[i] = Entry{string(name), x}
	}
	return entries
}

// TestMurmur3 is the first halves of published digests of MurmurHash3 x64 128.
func TestMurmur3(t *testing.T) {
	for s, want := range map[string]uint64{
		"":                          0,
		"hello":                     0xcbd8a7b341bd9b02,
		"hello, world":              0x342fac623a5ebc8e,
		"19 Jan 2038 at 3:14:07 AM": 0xb89e5988b737affc,
		"The quick brown fox jumps over the lazy dog.": 0xcd99481f9ee902c9,
	} {
		if got := murmur3(s); got != want {
			t.Errorf("%q: %x, want %x", s, got, want)
		}
	}
}
