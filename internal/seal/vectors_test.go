package seal_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"testing"

	"coffer/internal/seal"
)

// webVectors are streams that the web app opens too. The plaintext's byte i is 7·i + (i >> 8),
// modulo 256; a header names salt and prefix, from which anybody makes the stream again.
type webVectors struct {
	AAD     string      `json:"aad"`
	Streams []webStream `json:"streams"`
	Keys    []webKey    `json:"keys"`
}

type webStream struct {
	By     string `json:"by"`
	Key    string `json:"key"`
	Header string `json:"header"`
	Size   int    `json:"size"`
	Sum    string `json:"sealed_sha256"`
}

// webKey is the key of one stream of a pin: HKDF-SHA256 with no salt.
type webKey struct {
	Pin   string `json:"pin"`
	Label string `json:"label"`
	Key   string `json:"key"`
}

const webFile = "../../testdata/vectors/pin-seal.json"

func sevens(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(7*i + i>>8)
	}
	return p
}

// TestWebVectors checks the streams that the web app's tests open.
// COFFER_WRITE_DOCS=1 writes them anew.
func TestWebVectors(t *testing.T) {
	if os.Getenv("COFFER_WRITE_DOCS") != "" {
		writeWebVectors(t)
	}
	raw, err := os.ReadFile(webFile)
	if err != nil {
		t.Fatal(err)
	}
	var v webVectors
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Streams) < 10 || len(v.Keys) < 2 {
		t.Fatalf("got %d streams and %d keys", len(v.Streams), len(v.Keys))
	}
	for _, s := range v.Streams {
		sealed := again(t, s, v.AAD)
		if sum := sha256.Sum256(sealed); hex.EncodeToString(sum[:]) != s.Sum {
			t.Errorf("%s, %d bytes: another stream", s.By, s.Size)
		}
		r, err := seal.NewReader(bytes.NewReader(sealed), unhex(t, s.Key), []byte(v.AAD))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, sevens(s.Size)) {
			t.Errorf("%s, %d bytes: opened %d bytes, error %v", s.By, s.Size, len(got), err)
		}
	}
	for _, k := range v.Keys {
		got, err := hkdf.Key(sha256.New, unhex(t, k.Pin), nil, v.AAD+" "+k.Label, seal.KeySize)
		if err != nil || hex.EncodeToString(got) != k.Key {
			t.Errorf("%s: got %x, error %v", k.Label, got, err)
		}
	}
}

// again makes a stream from its header, with the standard library alone.
func again(t *testing.T, s webStream, aad string) []byte {
	t.Helper()
	salted := unhex(t, s.Header)
	derived, err := hkdf.Key(sha256.New, unhex(t, s.Key), salted[:32], aad, 32)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	out := append([]byte{header}, salted...)
	plain := sevens(s.Size)
	for i, size := uint32(0), first; ; i, size = i+1, full {
		part := plain[:min(size, len(plain))]
		plain = plain[len(part):]
		nonce := binary.BigEndian.AppendUint32(bytes.Clone(salted[32:]), i)
		nonce = append(nonce, 0)
		if len(plain) == 0 {
			nonce[11] = 1
		}
		out = gcm.Seal(out, nonce, part, nil)
		if len(plain) == 0 {
			return out
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeWebVectors(t *testing.T) {
	t.Helper()
	v := webVectors{AAD: "coffer/pin/v1"}
	note := func(by string, size int, sealed []byte) {
		sum := sha256.Sum256(sealed)
		v.Streams = append(v.Streams, webStream{by, hex.EncodeToString(key), hex.EncodeToString(sealed[1:header]), size, hex.EncodeToString(sum[:])})
	}
	for _, n := range []int{0, 1, first - 1, first, first + 1, first + full, first + full + 1, first + 3*full + 1} {
		var ours, theirs bytes.Buffer
		w, err := seal.NewWriter(&ours, key, []byte(v.AAD))
		if err != nil {
			t.Fatal(err)
		}
		tw, err := tink(t).NewEncryptingWriter(&theirs, []byte(v.AAD))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range []io.WriteCloser{w, tw} {
			if _, err := w.Write(sevens(n)); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
		note("coffer", n, ours.Bytes())
		note("tink", n, theirs.Bytes())
	}
	for _, label := range []string{"file 0", "file 10", "manifest"} {
		k, err := hkdf.Key(sha256.New, key, nil, v.AAD+" "+label, seal.KeySize)
		if err != nil {
			t.Fatal(err)
		}
		v.Keys = append(v.Keys, webKey{hex.EncodeToString(key), label, hex.EncodeToString(k)})
	}
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(webFile, append(raw, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
