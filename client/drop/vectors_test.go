package drop

import (
	"bytes"
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// vectorFile is the form of testdata/vectors/drop.json, which this end writes, and of
// drop-web.json, which the web end writes. Each end checks both. Values without another
// name are hex; names that are not ASCII are UTF-8. The content of a chunk is contentOf.
type vectorFile struct {
	About     string           `json:"about"`
	Joins     []joinVector     `json:"joins"`
	Messages  []messageVector  `json:"messages"`
	Transfers []transferVector `json:"transfers"`
}

type joinVector struct {
	Mode        mode     `json:"mode"`
	Name        string   `json:"name"`
	Secret      hexBytes `json:"secret"` // PRS
	Guest       hexBytes `json:"guest"`  // rid
	ScalarA     hexBytes `json:"scalar_a"`
	ScalarB     hexBytes `json:"scalar_b"`
	CI          hexBytes `json:"ci"`
	Generator   hexBytes `json:"generator"`
	Ya          hexBytes `json:"ya"`
	Yb          hexBytes `json:"yb"`
	ISK         hexBytes `json:"isk"`
	Transcript  hexBytes `json:"th"`
	TagGuest    hexBytes `json:"tag_guest"`
	TagHost     hexBytes `json:"tag_host"`
	AdmitKey    hexBytes `json:"k_admit"`
	Group       hexBytes `json:"group"`
	SealedGroup hexBytes `json:"sealed_group"`
}

type messageVector struct {
	Group  hexBytes `json:"group"`
	From   hexBytes `json:"from"`
	To     hexBytes `json:"to"`
	Key    hexBytes `json:"key"`
	N      uint64   `json:"n"`
	Nonce  hexBytes `json:"nonce"`
	Plain  string   `json:"plain"`
	Sealed string   `json:"sealed"` // b64, as in the body
}

type transferVector struct {
	Transfer hexBytes `json:"transfer"`
	FileID   string   `json:"file_id"`
	Receiver hexBytes `json:"receiver"`
	Sender   hexBytes `json:"sender"`
	Group    hexBytes `json:"group"`
	SecretR  hexBytes `json:"secret_r"` // scalars on P-521, 66 bytes
	SecretS  hexBytes `json:"secret_s"`
	JwkR     jwk      `json:"jwk_r"`
	JwkS     jwk      `json:"jwk_s"`
	Shared   hexBytes `json:"z"`
	Size     int64    `json:"size"`
	Chunk    int      `json:"chunk"`
	From     int64    `json:"from"`

	RequestN      uint64   `json:"request_n"`
	RequestNonce  hexBytes `json:"request_nonce"`
	RequestPlain  string   `json:"request_plain"`
	RequestSealed string   `json:"request_sealed"`
	AcceptN       uint64   `json:"accept_n"`
	AcceptNonce   hexBytes `json:"accept_nonce"`
	AcceptPlain   string   `json:"accept_plain"`
	AcceptSealed  string   `json:"accept_sealed"`

	Transcript hexBytes `json:"t"`
	FileKey    hexBytes `json:"file_key"`
	Prefix     hexBytes `json:"prefix"`
	AckKey     hexBytes `json:"ack_key"`

	// Chunks are the SHA-256 of each ciphertext, from From on; Small is the one ciphertext
	// of a small item.
	Chunks   []hexBytes `json:"chunks_sha256"`
	Small    hexBytes   `json:"small,omitempty"`
	Digests  []hexBytes `json:"digests"` // c_0, c_1, …
	Acked    int64      `json:"acked"`
	Ack      hexBytes   `json:"ack"`
	Done     hexBytes   `json:"done"`
	Verified hexBytes   `json:"verified"`
}

// contentOf is the content of the vectors: byte i is 7·i + (i >> 8), modulo 256.
func contentOf(off int64, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		at := off + int64(i)
		b[i] = byte(7*at + at>>8)
	}
	return b
}

// fixed are n bytes that depend on label alone.
func fixed(label string, n int) []byte {
	var out []byte
	for i := uint32(0); len(out) < n; i++ {
		sum := sha256.Sum256(binary.BigEndian.AppendUint32([]byte(label), i))
		out = append(out, sum[:]...)
	}
	return out[:n]
}

func fixedP521(t *testing.T, label string) *ecdh.PrivateKey {
	t.Helper()
	scalar := fixed(label, coordinate)
	scalar[0], scalar[1] = 0, scalar[1]&0x7f
	key, err := ecdh.P521().NewPrivateKey(scalar)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestVectors compares this end with drop.json. COFFER_WRITE_DOCS=1 writes the file.
func TestVectors(t *testing.T) {
	got := vectorFile{About: "Vectors of docs/drop-protocol.md, made by the Go end. Content: byte i is 7*i + (i >> 8), modulo 256."}
	for _, j := range []joinVector{
		{Mode: modeCode, Name: "red-fox", Secret: []byte("042137")},
		{Mode: modeKey, Name: "quiet-river-7", Secret: fixed("link key", 16)},
	} {
		got.Joins = append(got.Joins, makeJoin(t, j))
	}
	for i, plain := range []string{
		`{"k":"hello","device":"Ada’s laptop"}`,
		`{"k":"offer","items":[{"id":"AAAAAAAAAAAAAAAAAAAAAA.BBBBBBBBBBBBBBBBBBBBBQ","name":"Übung.txt","kind":"file","size":5,"type":"text/plain","files":0,"chunk":65536}]}`,
	} {
		v := messageVector{Group: fixed("group", 32), From: fixed("sender", 16), To: fixed("receiver", 16), N: 1796000000000000 + uint64(i), Nonce: fixed("nonce"+plain, 12), Plain: plain}
		v.Key = derive(v.Group, nil, string(lv([]byte(protocol+" message"), []byte(v.From), []byte(v.To))), 32)
		v.Sealed = newChannel(v.Group, rid(v.From), rid(v.To)).sealWith(v.Nonce, "message", v.N, []byte(plain))
		got.Messages = append(got.Messages, v)
	}
	for _, v := range []transferVector{
		{Size: 0, Chunk: minChunk},
		{Size: 5, Chunk: minChunk},
		{Size: minChunk, Chunk: minChunk},
		{Size: 3*minChunk + 1, Chunk: minChunk},
		{Size: 3*minChunk + 1, Chunk: minChunk, From: 2},
		{Size: 2 << 20, Chunk: maxChunk, From: 2},
	} {
		got.Transfers = append(got.Transfers, makeTransfer(t, v))
	}
	raw, err := json.MarshalIndent(got, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	raw = append(raw, '\n')
	name := filepath.Join("..", "..", "testdata", "vectors", "drop.json")
	if os.Getenv("COFFER_WRITE_DOCS") == "1" {
		if err := os.WriteFile(name, raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil || !bytes.Equal(raw, want) {
		t.Errorf("testdata/vectors/drop.json is not what this end computes (%v): run COFFER_WRITE_DOCS=1 go test ./client/drop", err)
	}
}

func makeJoin(t *testing.T, j joinVector) joinVector {
	t.Helper()
	j.Guest, j.ScalarA, j.ScalarB, j.Group = fixed("guest", 16), fixed("a"+string(j.Mode), 32), fixed("b"+string(j.Mode), 32), fixed("group", 32)
	j.CI = joinContext(j.Mode, j.Name)
	j.Generator = cpaceGenerator(j.Secret, j.CI, j.Guest)
	a, errA := cpaceFrom(x25519(t, j.ScalarA), j.Generator)
	b, errB := cpaceFrom(x25519(t, j.ScalarB), j.Generator)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	j.Ya, j.Yb = a.share, b.share
	isk, err := a.intermediateKey(j.Guest, j.Ya, []byte("guest"), j.Yb, []byte("host"), j.Yb)
	if err != nil {
		t.Fatal(err)
	}
	j.ISK = isk
	keys := newJoinKeys(isk, rid(j.Guest), j.Mode, j.Name, j.Ya, j.Yb)
	j.Transcript, j.TagGuest, j.TagHost, j.AdmitKey = keys.transcript, keys.guest, keys.host, keys.admit
	j.SealedGroup = keys.sealGroup(j.Group)
	return j
}

func makeTransfer(t *testing.T, v transferVector) transferVector {
	t.Helper()
	v.Transfer, v.Receiver, v.Sender, v.Group = fixed("transfer", 16), fixed("receiver", 16), fixed("sender", 16), fixed("group", 32)
	v.FileID = b64(v.Sender) + "." + b64(fixed("item", 16))
	r, s := fixedP521(t, "r"), fixedP521(t, "s")
	v.SecretR, v.SecretS, v.JwkR, v.JwkS = r.Bytes(), s.Bytes(), jwkOf(r.PublicKey()), jwkOf(s.PublicKey())
	z, err := r.ECDH(s.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	v.Shared = z
	pkR, pkS := r.PublicKey().Bytes(), s.PublicKey().Bytes()

	d := firstDigest(v.Chunk)
	v.Digests = []hexBytes{append([]byte{}, d[:]...)}
	count := chunksOf(v.Size, v.Chunk)
	terms := newTerms(v.Transfer, Item{ID: v.FileID, Size: v.Size, Chunk: v.Chunk}, rid(v.Receiver), rid(v.Sender), pkR, pkS, v.From)
	okm := derive(append(append([]byte{}, z...), v.Group...), terms.transcript(), protocol+" file", 39)
	keys := terms.keys(z, v.Group)
	v.Transcript, v.FileKey, v.Prefix, v.AckKey = terms.transcript(), okm[:32], okm[32:], keys.ack
	for i := range count {
		n := keys.stream.length(i)
		plain := make([]byte, n, n+overhead)
		copy(plain, contentOf(i*int64(v.Chunk), n))
		d = d.next(plain)
		v.Digests = append(v.Digests, append([]byte{}, d[:]...))
		if i < v.From {
			continue
		}
		sealed := keys.stream.seal(i, plain)
		sum := sha256.Sum256(sealed)
		v.Chunks = append(v.Chunks, sum[:])
		if len(sealed) < 64 {
			v.Small = append([]byte{}, sealed...)
		}
	}
	w, a := wanted{From: v.From}, agreed{Size: v.Size, Chunk: v.Chunk, From: v.From}
	if v.From > 0 {
		w.Digest, a.Digest = b64(v.Digests[v.From]), b64(v.Digests[v.From])
	}
	v.RequestPlain, v.AcceptPlain = marshal(t, w), marshal(t, a)
	v.RequestN, v.RequestNonce, v.AcceptN, v.AcceptNonce = 1796000000000007, fixed("request nonce", 12), 1796000000000009, fixed("accept nonce", 12)
	v.RequestSealed = newChannel(v.Group, rid(v.Receiver), rid(v.Sender)).sealWith(v.RequestNonce, "request", v.RequestN, []byte(v.RequestPlain), []byte(v.FileID), pkR)
	v.AcceptSealed = newChannel(v.Group, rid(v.Sender), rid(v.Receiver)).sealWith(v.AcceptNonce, "accept", v.AcceptN, []byte(v.AcceptPlain), v.Transfer, pkR, pkS)
	v.Acked = count
	v.Ack, v.Done, v.Verified = ackTag(keys.ack, count), doneTag(keys.ack, v.FileID, v.Size, d[:]), verifiedTag(keys.ack, d[:])
	return v
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestWebVectors recomputes what the web end wrote, from its inputs.
func TestWebVectors(t *testing.T) {
	var web vectorFile
	readJSON(t, &web, "testdata", "vectors", "drop-web.json")
	if len(web.Joins) == 0 || len(web.Messages) == 0 || len(web.Transfers) == 0 {
		t.Fatal("drop-web.json lacks a part")
	}
	for i, v := range web.Joins {
		checkJoin(t, i, v)
	}
	for i, v := range web.Messages {
		n, plain, err := newChannel(v.Group, rid(v.From), rid(v.To)).open("message", v.Sealed)
		if err != nil || n != v.N || string(plain) != v.Plain {
			t.Errorf("message %d: %d %q, %v", i, n, plain, err)
		}
	}
	for i, v := range web.Transfers {
		checkTransfer(t, i, v)
	}
}

func checkJoin(t *testing.T, i int, v joinVector) {
	t.Helper()
	a, err := cpaceFrom(x25519(t, v.ScalarA), cpaceGenerator(v.Secret, joinContext(v.Mode, v.Name), v.Guest))
	if err != nil || !bytes.Equal(a.share, v.Ya) {
		t.Fatalf("join %d: Ya %x, %v; want %x", i, a.share, err, v.Ya)
	}
	isk, err := a.intermediateKey(v.Guest, v.Ya, []byte("guest"), v.Yb, []byte("host"), v.Yb)
	if err != nil || !bytes.Equal(isk, v.ISK) {
		t.Fatalf("join %d: ISK %x, %v; want %x", i, isk, err, v.ISK)
	}
	keys := newJoinKeys(isk, rid(v.Guest), v.Mode, v.Name, v.Ya, v.Yb)
	group, err := keys.openGroup(v.SealedGroup)
	if err != nil || !bytes.Equal(group, v.Group) || !sameTag(keys.guest, v.TagGuest) || !sameTag(keys.host, v.TagHost) {
		t.Errorf("join %d: the tags or the group key differ (%v)", i, err)
	}
}

func checkTransfer(t *testing.T, i int, v transferVector) {
	t.Helper()
	pubR, pkR, errR := v.JwkR.point()
	_, pkS, errS := v.JwkS.point()
	if errR != nil || errS != nil {
		t.Fatal(errR, errS)
	}
	secret, err := ecdh.P521().NewPrivateKey(v.SecretS)
	if err != nil {
		t.Fatal(err)
	}
	z, err := secret.ECDH(pubR)
	if err != nil || !bytes.Equal(z, v.Shared) {
		t.Fatalf("transfer %d: Z %x, %v", i, z, err)
	}
	if _, plain, err := newChannel(v.Group, rid(v.Receiver), rid(v.Sender)).open("request", v.RequestSealed, []byte(v.FileID), pkR); err != nil || string(plain) != v.RequestPlain {
		t.Errorf("transfer %d: request %q, %v", i, plain, err)
	}
	if _, plain, err := newChannel(v.Group, rid(v.Sender), rid(v.Receiver)).open("accept", v.AcceptSealed, v.Transfer, pkR, pkS); err != nil || string(plain) != v.AcceptPlain {
		t.Errorf("transfer %d: accept %q, %v", i, plain, err)
	}
	terms := newTerms(v.Transfer, Item{ID: v.FileID, Size: v.Size, Chunk: v.Chunk}, rid(v.Receiver), rid(v.Sender), pkR, pkS, v.From)
	keys := terms.keys(z, v.Group)
	d := firstDigest(v.Chunk)
	for k := range chunksOf(v.Size, v.Chunk) {
		n := keys.stream.length(k)
		plain := make([]byte, n, n+overhead)
		copy(plain, contentOf(k*int64(v.Chunk), n))
		d = d.next(plain)
		if k < v.From {
			continue
		}
		if sum := sha256.Sum256(keys.stream.seal(k, plain)); !bytes.Equal(sum[:], v.Chunks[k-v.From]) {
			t.Errorf("transfer %d: chunk %d differs", i, k)
		}
	}
	if !sameTag(ackTag(keys.ack, v.Acked), v.Ack) || !sameTag(doneTag(keys.ack, v.FileID, v.Size, d[:]), v.Done) || !sameTag(verifiedTag(keys.ack, d[:]), v.Verified) {
		t.Errorf("transfer %d: a tag differs", i)
	}
}
