package e2e

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"hash"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/client"
)

var b64 = base64.RawURLEncoding

// forger makes forged tokens from a valid one.
type forger struct {
	t                      *testing.T
	token                  string
	head, claims, sig      string
	header, payload        map[string]any
	public                 *rsa.PublicKey // verifies valid tokens
	own                    *rsa.PrivateKey
	jwk                    map[string]string
	listener               string
	first, second, thirdly []byte // the decoded parts
}

func newForger(t *testing.T, token string, keys []client.JWK, listener string) *forger {
	f := &forger{t: t, token: token, listener: listener}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("the access token has %d parts", len(parts))
	}
	f.head, f.claims, f.sig = parts[0], parts[1], parts[2]
	for i, part := range parts {
		b, err := b64.DecodeString(part)
		if err != nil {
			t.Fatal(err)
		}
		*[]*[]byte{&f.first, &f.second, &f.thirdly}[i] = b
	}
	f.header, f.payload = f.decode(f.first), f.decode(f.second)
	for _, k := range keys {
		if k.KeyID != f.header["kid"] {
			continue
		}
		n, _ := b64.DecodeString(k.N)
		e, _ := b64.DecodeString(k.E)
		f.public = &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	}
	if f.public == nil || f.header["alg"] != "RS256" {
		t.Fatalf("JWKS does not show the key %v of %v", f.header["kid"], f.header["alg"])
	}
	sum := sha256.Sum256([]byte(f.head + "." + f.claims))
	if err := rsa.VerifyPKCS1v15(f.public, crypto.SHA256, sum[:], f.thirdly); err != nil {
		t.Fatalf("the key in JWKS did not sign the token: %v", err)
	}
	var err error
	if f.own, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	f.jwk = map[string]string{"kty": "RSA", "kid": fmt.Sprint(f.header["kid"]), "n": b64.EncodeToString(f.own.N.Bytes()), "e": "AQAB"}
	return f
}

func (f *forger) decode(b []byte) map[string]any {
	f.t.Helper()
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		f.t.Fatal(err)
	}
	return m
}

// with returns the JSON of m with changes in pairs; nil removes a name.
func (f *forger) with(m map[string]any, changes ...any) string {
	f.t.Helper()
	c := map[string]any{}
	for name, v := range m {
		c[name] = v
	}
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == nil {
			delete(c, changes[i].(string))
			continue
		}
		c[changes[i].(string)] = changes[i+1]
	}
	raw, err := json.Marshal(c)
	if err != nil {
		f.t.Fatal(err)
	}
	return b64.EncodeToString(raw)
}

// signed signs two parts with the forger's key.
func (f *forger) signed(head, claims string) string {
	text := head + "." + claims
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, f.own, crypto.SHA256, sum[:])
	if err != nil {
		f.t.Fatal(err)
	}
	return text + "." + b64.EncodeToString(sig)
}

func (f *forger) mac(alg string, h func() hash.Hash, key []byte) string {
	text := f.with(f.header, "alg", alg) + "." + f.claims
	m := hmac.New(h, key)
	m.Write([]byte(text))
	return text + "." + b64.EncodeToString(m.Sum(nil))
}

func (f *forger) pss() string {
	text := f.with(f.header, "alg", "PS256") + "." + f.claims
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPSS(rand.Reader, f.own, crypto.SHA256, sum[:], nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return text + "." + b64.EncodeToString(sig)
}

// inHeader returns tokens with one more header member: one with the old signature, one
// signed by the forger.
func (f *forger) inHeader(name string, value any) []string {
	head := f.with(f.header, name, value)
	return []string{head + "." + f.claims + "." + f.sig, f.signed(head, f.claims)}
}

// flipped changes one bit in the last byte of a part.
func (f *forger) flipped(part int) string {
	raw := [][]byte{bytes.Clone(f.first), bytes.Clone(f.second), bytes.Clone(f.thirdly)}
	raw[part][len(raw[part])-1] ^= 1
	return b64.EncodeToString(raw[0]) + "." + b64.EncodeToString(raw[1]) + "." + b64.EncodeToString(raw[2])
}

// spelled returns another text for the same bytes: it changes the last letter's spare bits.
func spelled(part string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	if len(part)%4 == 0 {
		return part + "A" // no spare bits: an invalid letter
	}
	last := strings.IndexByte(letters, part[len(part)-1])
	return part[:len(part)-1] + string(letters[last^1])
}

// forgeries are all tokens that must be refused, by name.
func (f *forger) forgeries() map[string][]string {
	all := map[string][]string{}
	for _, alg := range []string{"none", "None", "NONE", "nOnE", "", "rs256", "RS384", "RS512", "ES256", "EdDSA", "HS256", "A256GCM"} {
		head := f.with(f.header, "alg", alg)
		all["alg "+alg] = []string{head + "." + f.claims + ".", head + "." + f.claims + "." + f.sig, f.signed(head, f.claims)}
	}
	pkix, _ := x509.MarshalPKIXPublicKey(f.public)
	for name, key := range map[string][]byte{
		"SPKI": pkix, "PKCS #1": x509.MarshalPKCS1PublicKey(f.public), "modulus": f.public.N.Bytes(), "empty": {},
		"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix}), "old PEM": pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(f.public)}),
	} {
		all["HMAC with the public key, "+name] = []string{f.mac("HS256", sha256.New, key), f.mac("HS512", sha512.New, key), f.mac("RS256", sha256.New, key)}
	}
	all["PS256"] = []string{f.pss()}
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	edHead := f.with(f.header, "alg", "EdDSA") + "." + f.claims
	all["EdDSA"] = []string{edHead + "." + b64.EncodeToString(ed25519.Sign(ed, []byte(edHead)))}
	for name, value := range map[string]any{
		"jku": f.listener + "/jwks.json", "x5u": f.listener + "/cert.pem", "jwk": f.jwk, "x5c": []string{"MIIB"}, "x5t": "AAAA",
		"crit": []string{"exp"}, "b64": false, "zip": "DEF", "cty": "JWT", "enc": "A256GCM", "Alg": "none",
	} {
		all["header "+name] = f.inHeader(name, value)
	}
	all["crit and b64"] = []string{f.signed(f.with(f.header, "crit", []string{"b64"}, "b64", false), string(f.second))}
	for _, kid := range []any{"", "../../../../etc/passwd", "' OR 1=1 --", "AAAAAAAA", f.listener, 7, nil, []string{"a"}} {
		all[fmt.Sprintf("kid %v", kid)] = []string{f.with(f.header, "kid", kid) + "." + f.claims + "." + f.sig, f.signed(f.with(f.header, "kid", kid), f.claims)}
	}
	for _, typ := range []any{"JWT", "at+jwt", nil, "coffer-AT+jwt"} {
		all[fmt.Sprintf("typ %v", typ)] = []string{f.with(f.header, "typ", typ) + "." + f.claims + "." + f.sig, f.signed(f.with(f.header, "typ", typ), f.claims)}
	}
	for name, value := range map[string]any{
		"iss": "https://evil.example", "aud": []string{"a", "b"}, "exp": 99999999999, "nbf": 0, "iat": 0, "jti": "another", "sid": b64.EncodeToString(make([]byte, 16)),
		"k": "AAAA", "v": b64.EncodeToString(make([]byte, 12)), "data": b64.EncodeToString(make([]byte, 144)), "role": "admin",
	} {
		claims := f.with(f.payload, name, value)
		all["claim "+name] = []string{f.head + "." + claims + "." + f.sig, f.signed(f.head, claims), f.signed(f.head, f.with(f.payload, name, nil))}
	}
	all["own key"] = []string{f.signed(f.head, f.claims)}
	all["no signature"] = []string{f.head + "." + f.claims + ".", f.head + "." + f.claims}
	all["one bit"] = []string{f.flipped(0), f.flipped(1), f.flipped(2)}
	all["parts"] = []string{f.token + ".", f.token + "." + f.sig, "." + f.token, f.head, "", ".", "..", "...", f.claims + "." + f.head + "." + f.sig}
	all["padding"] = []string{
		f.head + "=." + f.claims + "." + f.sig, f.head + "." + f.claims + "=." + f.sig, f.token + "=", f.token + "==",
		base64.URLEncoding.EncodeToString(f.first) + "." + base64.URLEncoding.EncodeToString(f.second) + "." + base64.URLEncoding.EncodeToString(f.thirdly) + "=",
	}
	all["alphabet"] = []string{
		base64.RawStdEncoding.EncodeToString(f.first) + "." + base64.RawStdEncoding.EncodeToString(f.second) + "." + base64.RawStdEncoding.EncodeToString(f.thirdly) + "+/",
		f.head + "." + f.claims + "." + f.sig[:9] + "+" + f.sig[10:],
	}
	all["spelling"] = []string{spelled(f.head) + "." + f.claims + "." + f.sig, f.head + "." + spelled(f.claims) + "." + f.sig, f.head + "." + f.claims + "." + spelled(f.sig)}
	all["white space"] = []string{" " + f.token + "x", f.head + " ." + f.claims + "." + f.sig, f.head + ". " + f.claims + "." + f.sig, f.token[:20] + "\t" + f.token[20:]}
	all["long"] = []string{f.token + strings.Repeat("A", 4097), f.head + "." + f.claims + strings.Repeat("A", 4096) + "." + f.sig}
	all["JSON form"] = []string{
		fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, f.head, f.claims, f.sig),
		fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q,"signature":%q}]}`, f.claims, f.head, f.sig),
	}
	double := strings.Replace(string(f.first), `"alg"`, `"alg":"none","alg"`, 1)
	all["names twice"] = []string{b64.EncodeToString([]byte(double)) + "." + f.claims + "." + f.sig, b64.EncodeToString([]byte("\xef\xbb\xbf"+string(f.first))) + "." + f.claims + "." + f.sig}
	return all
}

// forgedTokens expects the same refusal for each, word for word. The server fetches no key
// from elsewhere.
func forgedTokens(t *testing.T, s *server) {
	var calls atomic.Int64
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { calls.Add(1); fmt.Fprint(w, `{"keys":[]}`) }))
	defer listener.Close()
	p := s.member(t)
	c := p.signIn(t, client.WithoutProofs()) // a proof would hide what a token alone opens
	keys, err := c.JWKS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	good := c.Credentials()
	f := newForger(t, good.AccessToken, keys, listener.URL)
	want := s.raw(t, p.from, "GET", "/v1/account", "").plain()
	if want.status != http.StatusUnauthorized || want.header.Get("WWW-Authenticate") != "Bearer" {
		t.Fatalf("without a token: %d %s", want.status, want.body)
	}
	refused := func(name string, header ...string) {
		t.Helper()
		got := s.raw(t, p.from, "GET", "/v1/account", "", header...).plain()
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(answer{})); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	n := 0
	for name, tokens := range f.forgeries() {
		for _, token := range tokens {
			refused(name, "Authorization", "Bearer "+token)
			n++
		}
	}
	if n < 100 {
		t.Errorf("only %d forgeries", n)
	}
	// Other secrets are no access tokens, and an access token counts only in one place.
	refused("refresh token", "Authorization", "Bearer "+good.RefreshToken)
	refused("twice", "Authorization", "Bearer "+good.AccessToken, "Authorization", "Bearer "+good.AccessToken)
	refused("two in one", "Authorization", "Bearer "+good.AccessToken+", Bearer "+good.AccessToken)
	refused("other schemes", "Authorization", "Attempt "+good.AccessToken)
	refused("basic", "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(p.Email+":"+p.Password)))
	refused("cookie", "Cookie", "__Host-coffer-refresh="+good.RefreshToken+"; access_token="+good.AccessToken)
	for _, query := range []string{"access_token", "token", "authorization"} {
		if a := s.raw(t, p.from, "GET", "/v1/account?"+query+"="+good.AccessToken, ""); a.status != http.StatusUnauthorized {
			t.Errorf("a token in the query: %d", a.status)
		}
	}
	// Another person's sealed payload in this token, and the reverse.
	q := s.member(t)
	theirs := newForger(t, q.signIn(t, client.WithoutProofs()).Credentials().AccessToken, keys, listener.URL)
	refused("payloads swapped", "Authorization", "Bearer "+f.head+"."+theirs.claims+"."+f.sig)

	if got := calls.Load(); got != 0 {
		t.Errorf("the server called an address from a token %d times", got)
	}
	if !p.accessWorks(t, good.AccessToken) {
		t.Error("the good token does not work any more")
	}
}

// invalidKeys sends invalid public keys (SP 800-56A §5.6.2.3) and expects one refusal for
// all.
func invalidKeys(t *testing.T, s *server) {
	p := s.member(t)
	keys := map[string]any{
		"empty":            map[string]any{},
		"no curve":         map[string]any{"kty": "EC"},
		"P-384":            jwk("P-384", make([]byte, 48), make([]byte, 48)),
		"short":            jwk("P-521", make([]byte, 65), make([]byte, 66)),
		"long":             jwk("P-521", make([]byte, 67), make([]byte, 66)),
		"compressed":       map[string]any{"kty": "EC", "crv": "P-521", "x": b64.EncodeToString(bytesOf(66, "x"))},
		"P-256 as P-521":   jwk("P-521", bytesOf(32, "x"), bytesOf(32, "y")),
		"P-256 random":     jwk("P-256", bytesOf(32, "x"), bytesOf(32, "y")),
		"X25519 with y":    map[string]any{"kty": "OKP", "crv": "X25519", "x": b64.EncodeToString(bytesOf(32, "x")), "y": "AAAA"},
		"X25519 short":     map[string]any{"kty": "OKP", "crv": "X25519", "x": b64.EncodeToString(bytesOf(31, "x"))},
		"Ed25519":          map[string]any{"kty": "OKP", "crv": "Ed25519", "x": b64.EncodeToString(bytesOf(32, "x"))},
		"RSA":              map[string]any{"kty": "RSA"},
		"padded base64url": map[string]any{"kty": "OKP", "crv": "X25519", "x": base64.URLEncoding.EncodeToString(bytesOf(32, "x"))},
		"a line break":     map[string]any{"kty": "OKP", "crv": "X25519", "x": b64.EncodeToString(bytesOf(32, "x")) + "\n"},
	}
	private, err := client.NewKey(client.P521)
	if err != nil {
		t.Fatal(err)
	}
	public, err := client.PublicJWK(private.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	keys["a private key"] = map[string]any{"kty": "EC", "crv": "P-521", "x": public.X, "y": public.Y, "d": b64.EncodeToString(private.Bytes())}
	// Points of small order: the agreement would be zero for any other key (RFC 7748 §6.1).
	for _, low := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000", "0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		x, _ := hex.DecodeString(low)
		keys["X25519 of low order "+low[:4]] = map[string]any{"kty": "OKP", "crv": "X25519", "x": b64.EncodeToString(x)}
	}
	wycheproofKeys(t, keys)
	if len(keys) < 60 {
		t.Errorf("only %d keys", len(keys))
	}
	var want *answer
	for name, key := range keys {
		body, err := json.Marshal(map[string]any{"identifier": p.Email, "password": p.Password, "refresh_in": "body", "public_key": key})
		if err != nil {
			t.Fatal(err)
		}
		got := s.raw(t, p.from, "POST", "/v1/auth/sign-in", string(body)).plain()
		if want == nil {
			want = &got
		}
		if got.status != http.StatusBadRequest || !strings.Contains(got.body, `"invalid_public_key"`) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		} else if diff := cmp.Diff(*want, got, cmp.AllowUnexported(answer{})); diff != "" {
			t.Errorf("%s is answered unlike the others:\n%s", name, diff)
		}
	}
	if n := len(names(t, p.signIn(t), "", "")); n != 0 {
		t.Errorf("%d files", n)
	}
}

func jwk(curve string, x, y []byte) map[string]any {
	return map[string]any{"kty": "EC", "crv": curve, "x": b64.EncodeToString(x), "y": b64.EncodeToString(y)}
}

// wycheproofKeys adds the invalid keys of https://github.com/C2SP/wycheproof.
func wycheproofKeys(t *testing.T, keys map[string]any) {
	t.Helper()
	var file struct {
		TestGroups []struct {
			Tests []struct {
				ID             int `json:"tcId"`
				Comment        string
				Result, Public json.RawMessage
			}
		}
	}
	load := func(name string) {
		raw, err := os.Open(filepath.Join("..", "wycheproof", name))
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		file.TestGroups = nil
		if err := json.NewDecoder(raw).Decode(&file); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"ecdh_secp521r1_ecpoint_test.json", "ecdh_secp256r1_ecpoint_test.json"} {
		load(name)
		curve, size := "P-521", 66
		if strings.Contains(name, "256") {
			curve, size = "P-256", 32
		}
		for _, g := range file.TestGroups {
			for _, v := range g.Tests {
				var text string
				if string(v.Result) == `"valid"` || json.Unmarshal(v.Public, &text) != nil {
					continue
				}
				point, _ := hex.DecodeString(text)
				if len(point) != 1+2*size {
					continue // no JWK can express it
				}
				keys[fmt.Sprintf("%s %d %s", name, v.ID, v.Comment)] = jwk(curve, point[1:1+size], point[1+size:])
			}
		}
	}
	for _, name := range []string{"ecdh_secp521r1_webcrypto_test.json", "ecdh_secp256r1_webcrypto_test.json"} {
		load(name)
		for _, g := range file.TestGroups {
			for _, v := range g.Tests {
				var key map[string]any
				if string(v.Result) == `"valid"` || json.Unmarshal(v.Public, &key) != nil {
					continue
				}
				// Valid keys of a curve that is wrong only for that private key.
				if strings.Contains(strings.ToLower(v.Comment), "secp256r1") || strings.Contains(strings.ToLower(v.Comment), "secp521r1") {
					continue
				}
				keys[fmt.Sprintf("%s %d %s", name, v.ID, v.Comment)] = key
			}
		}
	}
}
