package tokentest

import (
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"coffer/internal/token"
)

// ProofKey is K_proof of the session that a token belongs to, as its client derives it.
func ProofKey(t testing.TB, crv string, private *ecdh.PrivateKey, server *token.PublicKey, text string) []byte {
	t.Helper()
	_, _, c := Parts(t, text)
	remote, err := private.Curve().NewPublicKey(Point(t, server))
	if err != nil {
		t.Fatal(err)
	}
	z, err := private.ECDH(remote)
	if err != nil {
		t.Fatal(err)
	}
	return agreed("proof", crv, z, Decode(t, c.Sid), c.Iss, remote.Bytes(), private.PublicKey().Bytes())
}

// Proof is one request proof (protocols.md §3). A test spoils what it wants.
type Proof struct {
	Key           []byte
	Label         string
	Covered       []string
	Created       int64
	Nonce, KeyID  string
	Alg           string
	Params        string // instead of those four
	Method        string
	Target        string
	Authorization string
	Digest        string // value of Content-Digest
}

// NewProof is a good proof for a request: body is nil when it has no JSON.
func NewProof(key []byte, sid string, created int64, method, target, authorization string, body []byte) Proof {
	p := Proof{
		Key: key, Label: "proof", Covered: []string{"@method", "@target-uri"}, Created: created, Nonce: rand.Text(), KeyID: sid, Alg: "hmac-sha256",
		Method: method, Target: target, Authorization: authorization,
	}
	if authorization != "" {
		p.Covered = append(p.Covered, "authorization")
	}
	if body != nil {
		p.Covered, p.Digest = append(p.Covered, "content-digest"), Digest(body)
	}
	return p
}

// Digest is the value of Content-Digest for a body (RFC 9530).
func Digest(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

// Set signs r: it sets Signature-Input, Signature and, when covered, Content-Digest.
func (p Proof) Set(h http.Header) {
	if p.Digest != "" {
		h.Set("Content-Digest", p.Digest)
	}
	input, signature := p.Fields()
	h.Set("Signature-Input", input)
	h.Set("Signature", signature)
}

// Fields are the values of Signature-Input and Signature.
func (p Proof) Fields() (input, signature string) {
	values := map[string]string{"@method": p.Method, "@target-uri": p.Target, "authorization": p.Authorization, "content-digest": p.Digest}
	var base strings.Builder
	quoted := make([]string, len(p.Covered))
	for i, name := range p.Covered {
		fmt.Fprintf(&base, "%q: %s\n", name, values[name])
		quoted[i] = `"` + name + `"`
	}
	params := p.Params
	if params == "" {
		params = fmt.Sprintf(`;created=%d;nonce="%s";keyid="%s";alg="%s"`, p.Created, p.Nonce, p.KeyID, p.Alg)
	}
	params = "(" + strings.Join(quoted, " ") + ")" + params
	fmt.Fprintf(&base, `"@signature-params": %s`, params)
	mac := hmac.New(sha256.New, p.Key)
	mac.Write([]byte(base.String()))
	return p.Label + "=" + params, p.Label + "=:" + base64.StdEncoding.EncodeToString(mac.Sum(nil)) + ":"
}
