package tokentest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coffer/internal/token"
)

// Vector is one case of any of the Wycheproof files that are read here.
type Vector struct {
	ID      int `json:"tcId"`
	Comment string
	Flags   []string
	Result  string

	Public, Private json.RawMessage // points, or JWKs
	Shared          string
	Key, IV         string
	AAD, Msg        string
	CT, Tag         string
	JWS             any
}

// Group is cases with keys in common.
type Group struct {
	Comment, Type   string
	Public, Private json.RawMessage
	Tests           []Vector
}

// Vectors reads a file of Wycheproof.
func Vectors(t testing.TB, file string) []Group {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "test", "wycheproof", file))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ TestGroups []Group }
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	return doc.TestGroups
}

// Unhex reads hexadecimal.
func Unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Agreement is one ECDH vector as a server sees it.
func Agreement(t testing.TB, crv string, v Vector) (public *token.PublicKey, point, private []byte) {
	t.Helper()
	var k token.PublicKey
	if err := json.Unmarshal(v.Public, &k); err == nil {
		var own token.PublicKey
		if err := json.Unmarshal(v.Private, &own); err != nil {
			t.Fatal(err)
		}
		return &k, nil, Decode(t, own.D)
	}
	var encoded, secret string
	if json.Unmarshal(v.Public, &encoded) != nil || json.Unmarshal(v.Private, &secret) != nil {
		t.Fatalf("vector %d has no keys", v.ID)
	}
	point, private = Unhex(t, encoded), Unhex(t, secret)
	size := map[string]int{"P-521": 66, "P-256": 32, "X25519": 32}[crv]
	// Wycheproof writes private keys as integers of any length.
	private = append(make([]byte, max(0, size-len(private))), bytes.TrimLeft(private, "\x00")...)
	private = append(make([]byte, max(0, size-len(private))), private...)
	private = private[len(private)-size:]
	if crv == "X25519" {
		private = Unhex(t, secret)
	} else if len(point) != 1+2*size || point[0] != 4 {
		return nil, point, private
	}
	return JWK(crv, point), point, private
}

// Refused reports whether no server may take this vector's key: an invalid one, or for
// X25519 one that agrees on zero. A key of another of our curves is good by itself.
func Refused(crv string, public *token.PublicKey, v Vector) bool {
	if public != nil && public.Crv != crv {
		return Suites[public.Crv] == ""
	}
	return v.Result == "invalid" || crv == "X25519" && strings.Trim(v.Shared, "0") == ""
}

// AgreementFiles are the files of ECDH vectors, and their curves.
var AgreementFiles = map[string]string{
	"ecdh_secp521r1_webcrypto_test.json": "P-521", "ecdh_secp521r1_ecpoint_test.json": "P-521",
	"ecdh_secp256r1_webcrypto_test.json": "P-256", "ecdh_secp256r1_ecpoint_test.json": "P-256",
	"x25519_jwk_test.json": "X25519", "x25519_test.json": "X25519",
}

// InvalidKeys are public keys that no server may take: those of the vectors, and what else is
// no public key.
func InvalidKeys(t testing.TB) map[string]*token.PublicKey {
	t.Helper()
	bad := map[string]*token.PublicKey{}
	for file, crv := range AgreementFiles {
		for _, g := range Vectors(t, file) {
			for _, v := range g.Tests {
				public, point, _ := Agreement(t, crv, v)
				if Refused(crv, public, v) {
					if public == nil { // what a careless client makes of it
						public = &token.PublicKey{Kty: "EC", Crv: crv, X: b64.EncodeToString(point), Y: b64.EncodeToString(point)}
					}
					bad[file+" "+v.Comment+" "+strings.Join(v.Flags, " ")] = public
				}
			}
		}
	}
	private, good := KeyPair(t, "P-521")
	zero := b64.EncodeToString(make([]byte, 66))
	alter := func(name string, change func(*token.PublicKey)) {
		k := *good
		change(&k)
		bad[name] = &k
	}
	alter("a private key", func(k *token.PublicKey) { k.D = b64.EncodeToString(private.Bytes()) })
	alter("no crv", func(k *token.PublicKey) { k.Crv = "" })
	alter("another crv", func(k *token.PublicKey) { k.Crv = "P-256" })
	alter("P-384", func(k *token.PublicKey) { k.Crv = "P-384" })
	alter("kty OKP", func(k *token.PublicKey) { k.Kty = "OKP" })
	alter("kty lower case", func(k *token.PublicKey) { k.Kty = "ec" })
	alter("no y", func(k *token.PublicKey) { k.Y = "" })
	alter("x is y", func(k *token.PublicKey) { k.X = k.Y })
	alter("zero", func(k *token.PublicKey) { k.X, k.Y = zero, zero })
	alter("padding", func(k *token.PublicKey) { k.X += "=" })
	alter("a line end", func(k *token.PublicKey) { k.X = k.X[:10] + "\n" + k.X[10:] })
	alter("a leading zero", func(k *token.PublicKey) { k.X = b64.EncodeToString(append([]byte{0}, Decode(t, k.X)...)) })
	alter("trailing bits", func(k *token.PublicKey) { k.X = k.X[:len(k.X)-1] + "_" + k.X[len(k.X)-1:] })
	bad["nothing in it"] = &token.PublicKey{}
	_, x := KeyPair(t, "X25519")
	x.Y = x.X
	bad["X25519 with y"] = x
	if len(bad) < 60 {
		t.Errorf("only %d bad keys", len(bad))
	}
	return bad
}
