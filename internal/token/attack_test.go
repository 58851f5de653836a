package token_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"coffer/internal/db/dbtest"
	"coffer/internal/keyring"
	"coffer/internal/token"
	"coffer/internal/token/tokentest"
)

// publicKey is the public half of the key that signs tokens now.
func (w *world) publicKey() (kid string, public any) {
	w.t.Helper()
	key, err := w.Ring.Active(w.t.(*testing.T).Context(), keyring.Token)
	if err != nil {
		w.t.Fatal(err)
	}
	signer, err := key.Signer()
	if err != nil {
		w.t.Fatal(err)
	}
	return key.ID, signer.Public()
}

// attackers are the tokens that an attacker, or a careless library, might send in place of
// a good one. None needs the ring's key.
func (w *world) attackers(t *testing.T, good string) map[string]string {
	t.Helper()
	parts := strings.Split(good, ".")
	_, h, _ := tokentest.Parts(t, good)
	frame := func(header string) string { return b64.EncodeToString([]byte(header)) + "." + parts[1] }
	out := map[string]string{}
	for _, alg := range []string{"none", "None", "NONE", "nOnE", ""} {
		header := frame(`{"alg":"` + alg + `","kid":"` + h.Kid + `","typ":"` + h.Typ + `"}`)
		out["alg "+alg+", no signature"] = header + "."
		out["alg "+alg+", the old signature"] = header + "." + parts[2]
	}
	_, public := w.publicKey()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	for name, secret := range map[string][]byte{"PEM": block, "PEM without its last line end": block[:len(block)-1], "DER": der, "empty key": {}, "kid": []byte(h.Kid)} {
		text := frame(`{"alg":"HS256","kid":"` + h.Kid + `","typ":"` + h.Typ + `"}`)
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(text))
		out["HS256 with the public "+name] = text + "." + b64.EncodeToString(mac.Sum(nil))
	}
	for _, alg := range []string{"rs256", "RS256 ", "PS256", "RS384", "RS512", "ES256", "ES384", "EdDSA", "eddsa", "HS256", "RSA-OAEP", "dir"} {
		if alg != h.Alg {
			out["alg "+alg] = frame(`{"alg":"`+alg+`","kid":"`+h.Kid+`","typ":"`+h.Typ+`"}`) + "." + parts[2]
		}
	}
	for name, kid := range map[string]string{"none": "", "unknown": "0123456789abcdef", "a path": "../../../../dev/null", "SQL": `' OR 1=1 --`, "NUL": `a\u0000b`, "long": strings.Repeat("k", 2000)} {
		out["kid "+name] = frame(`{"alg":"`+h.Alg+`","kid":"`+kid+`","typ":"`+h.Typ+`"}`) + "." + parts[2]
	}
	mine := func(key any, alg jose.SignatureAlgorithm) string {
		// A token that is right in all but who signed it, its key carried along.
		s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{EmbedJWK: true}).
			WithType("coffer-at+jwt").WithHeader("kid", h.Kid))
		if err != nil {
			t.Fatal(err)
		}
		_, _, c := tokentest.Parts(t, good)
		signed, err := s.Sign(claimsOf(t, c))
		if err != nil {
			t.Fatal(err)
		}
		text, err := signed.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	out["an embedded jwk, RS256"], out["an embedded jwk, PS256"] = mine(rsaKey, jose.RS256), mine(rsaKey, jose.PS256)
	out["an embedded jwk, ES256"], out["an embedded jwk, EdDSA"] = mine(ecKey, jose.ES256), mine(edKey, jose.EdDSA)

	out["two parts"], out["one part"], out["four parts"] = parts[0]+"."+parts[1], parts[1], good+"."+parts[2]
	out["nothing"], out["only dots"], out["no header"], out["no claims"], out["no signature"] = "", "..", "."+parts[1]+"."+parts[2], parts[0]+".."+parts[2], parts[0]+"."+parts[1]+"."
	out["five parts"] = good + ".." // as a JWE has
	for name, junk := range map[string]string{"padding": "=", "a space": " ", "a line end": "\n", "CR LF": "\r\n", "a tab": "\t", "NUL": "\x00", "a plus": "+", "a slash": "/"} {
		for i := range parts {
			odd := []string{parts[0], parts[1], parts[2]}
			odd[i] = odd[i][:4] + junk + odd[i][4:]
			out[name+" inside part "+string(rune('1'+i))] = strings.Join(odd, ".")
			odd[i] = parts[i] + junk
			out[name+" after part "+string(rune('1'+i))] = strings.Join(odd, ".")
		}
	}
	out["another token after a comma"] = good + ", Bearer " + good
	out["a space before"] = " " + good
	out["more than 4 KiB"] = good + strings.Repeat("A", 4096)
	out["a huge header"] = b64.EncodeToString([]byte(`{"alg":"`+strings.Repeat("x", 3000)+`"}`)) + "." + parts[1] + "." + parts[2]
	general, err := json.Marshal(map[string]any{"payload": parts[1], "signatures": []any{map[string]any{"protected": parts[0], "signature": parts[2]}}})
	if err != nil {
		t.Fatal(err)
	}
	flat, err := json.Marshal(map[string]any{"payload": parts[1], "protected": parts[0], "signature": parts[2]})
	if err != nil {
		t.Fatal(err)
	}
	out["JSON serialisation"], out["flattened JSON serialisation"] = string(general), string(flat)
	return out
}

// resigned are headers and claims that the ring's own key signed: only what they say can
// betray them.
func (w *world) resigned(t *testing.T, good, hostile string) map[string]string {
	t.Helper()
	_, h, c := tokentest.Parts(t, good)
	claims := string(claimsOf(t, c))
	header := `{"alg":"` + h.Alg + `","kid":"` + h.Kid + `","typ":"` + h.Typ + `"}`
	out := map[string]string{}
	put := func(name, header, claims string) {
		text, err := w.Forge(t.Context(), []byte(header), []byte(claims))
		if err != nil {
			t.Fatal(err)
		}
		out[name] = text
	}
	for name, member := range map[string]string{
		"jku": `"jku":"` + hostile + `"`, "x5u": `"x5u":"` + hostile + `"`, "jwk": `"jwk":{"kty":"oct","k":"AAAA"}`,
		"x5c": `"x5c":["AAAA"]`, "x5t": `"x5t":"AAAA"`, "crit": `"crit":["exp"]`, "b64": `"b64":false`,
		"crit and b64": `"crit":["b64"],"b64":false`, "cty": `"cty":"JWT"`, "zip": `"zip":"DEF"`, "enc": `"enc":"A256GCM"`,
		"alg twice": `"alg":"none"`, "kid twice": `"kid":"` + h.Kid + `"`, "typ twice": `"typ":"` + h.Typ + `"`,
		"ALG": `"ALG":"none"`, "an unknown name": `"x":1`, "an empty name": `"":1`,
	} {
		put("header with "+name, header[:len(header)-1]+","+member+"}", claims)
		put("header after "+name, "{"+member+","+header[1:], claims)
	}
	for _, typ := range []string{"", "JWT", "at+jwt", "COFFER-AT+JWT", "application/coffer-at+jwt", "coffer-rt+jwt", "coffer-at+jwt "} {
		put("typ "+typ, strings.Replace(header, `"typ":"`+h.Typ+`"`, `"typ":"`+typ+`"`, 1), claims)
	}
	for _, alg := range []string{"none", "HS256", "RS256", "rs256", "PS256", "ES256", "EdDSA", ""} {
		if alg != h.Alg {
			put("alg "+alg, strings.Replace(header, `"alg":"`+h.Alg+`"`, `"alg":"`+alg+`"`, 1), claims)
		}
	}
	put("no typ", `{"alg":"`+h.Alg+`","kid":"`+h.Kid+`"}`, claims)
	put("no alg", `{"kid":"`+h.Kid+`","typ":"`+h.Typ+`"}`, claims)
	put("no kid", `{"alg":"`+h.Alg+`","typ":"`+h.Typ+`"}`, claims)
	for name, bad := range map[string]string{"list": "[]", "text": `"x"`, "null": "null", "number": "1", "nothing": "", "two values": header + header, "bad UTF-8": `{"alg":"` + h.Alg + "\xff" + `"}`} {
		put("header is "+name, bad, claims)
		put("claims are "+name, header, bad)
	}
	alter := func(name, from, to string) {
		if !strings.Contains(claims, from) {
			t.Fatalf("no %s in %s", from, claims)
		}
		put(name, header, strings.Replace(claims, from, to, 1))
	}
	for name, iss := range map[string]string{"another": "https://evil.example", "with a slash": base + "/", "empty": "", "upper case": strings.ToUpper(base), "longer": base + ".evil.example"} {
		alter("iss "+name, `"iss":"`+base+`"`, `"iss":"`+iss+`"`)
		alter("aud "+name, `"aud":"`+base+`"`, `"aud":"`+iss+`"`)
	}
	alter("aud a list", `"aud":"`+base+`"`, `"aud":["`+base+`","x"]`)
	alter("iss null", `"iss":"`+base+`"`, `"iss":null`)
	alter("no iss", `"iss":"`+base+`",`, ``)
	alter("no aud", `"aud":"`+base+`",`, ``)
	number := func(n int64) string { b, _ := json.Marshal(n); return string(b) }
	now := w.Now().Unix()
	for name, exp := range map[string]string{"past": number(now - 1), "now": number(now), "zero": "0", "negative": "-1", "text": `"` + number(now+900) + `"`, "a fraction": number(now+900) + ".5", "far": "99999999999999999999", "later": number(now + 901), "null": "null"} {
		alter("exp "+name, `"exp":`+number(c.Exp), `"exp":`+exp)
	}
	for name, nbf := range map[string]string{"future": number(now + 60), "text": `"0"`, "huge": "9223372036854775807", "huger": "9223372036854775808"} {
		alter("nbf "+name, `"nbf":`+number(c.Nbf), `"nbf":`+nbf)
	}
	put("no exp", header, strings.Replace(claims, `"exp":`+number(c.Exp)+`,`, ``, 1))
	put("header of more than 4 KiB", header+strings.Repeat(" ", 2600), claims) // white space means nothing, its length does
	put("sid twice", header, `{"sid":"`+c.Sid+`",`+claims[1:])
	put("a claim more", header, `{"sub":"admin",`+claims[1:])
	put("EXP beside exp", header, `{"EXP":99999999999,`+claims[1:])
	return out
}

// RFC 8725, ASVS 9.1 and 9.2: whatever is wrong with a token, the answer is one and the
// same (security.md rows 58 to 61).
func TestBadTokens(t *testing.T) {
	t.Parallel()
	var hits atomic.Int32
	collaborator := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	t.Cleanup(collaborator.Close)
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			w := newWorld(t, dbtest.SQLite(t), func(s *setup) { s.TokenAlg = alg })
			good := w.issue(w.below.Join("ada"), "P-256")
			bad := w.attackers(t, good.text)
			for name, text := range w.resigned(t, good.text, collaborator.URL) {
				bad["signed again: "+name] = text
				// Each check stands by itself: the payload, which is bound to all of this, is not
				// needed to see it. Only times are looked at later.
				if time := strings.HasPrefix(name, "exp ") || strings.HasPrefix(name, "nbf ") || name == "no exp"; !time {
					if err := w.Parse(t.Context(), text); !errors.Is(err, token.ErrToken) {
						t.Errorf("%s: %v from its form, signature and claims", name, err)
					}
				}
			}
			// What else a client holds is no access token.
			bad["a session id"], bad["a refresh token"] = good.keys.Session, "cr1."+strings.Repeat("A", 22)+"."+strings.Repeat("A", 43)
			none := w.get("")
			if none.Status != 401 || !strings.Contains(none.Raw, `"code":"unauthenticated"`) {
				t.Fatalf("no token: %d %s", none.Status, none.Raw)
			}
			want := refusal(none)
			for name, text := range bad {
				if got := w.get("Bearer " + text); got.Status != 401 || refusal(got) != want {
					t.Errorf("%s: %d %s", name, got.Status, got.Raw)
				}
			}
			for name, header := range map[string]string{
				"no scheme": good.text, "Basic": "Basic " + good.text, "Attempt": "Attempt " + good.text,
				"DPoP": "DPoP " + good.text, "no space": "Bearer" + good.text, "scheme alone": "Bearer", "scheme and space": "Bearer ",
			} {
				if got := w.get(header); got.Status != 401 || refusal(got) != want {
					t.Errorf("%s: %d %s", name, got.Status, got.Raw)
				}
			}
			for _, scheme := range []string{"Bearer ", "bearer ", "BEARER "} {
				if got := w.get(scheme + good.text); got.Status != 200 {
					t.Errorf("%q and the good token: %d", scheme, got.Status)
				}
			}
			if n := hits.Load(); n != 0 {
				t.Errorf("a token made the server call %d times", n)
			}
			t.Logf("%d bad tokens", len(bad))
		})
	}
}
