package client

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Sessions are opened with request proofs: the client signs each request of a session (RFC
// 9421) under a key that only it and the server can compute. So a stolen token alone is
// useless.

const (
	bindingNone  = "none"
	bindingProof = "proof"
	// codeProof refuses a signature. Its time may be wrong: each answer says the server's.
	codeProof = "invalid_proof"
)

// WithoutProofs opens sessions whose requests are not signed. Then whoever holds a token is
// the person.
func WithoutProofs() Option {
	return func(c *Client) { c.bare = true }
}

// signer signs the requests of one session.
type signer struct {
	session, origin string
	key             []byte
}

// newSigner derives K_proof: ECDH of the two keys, then HKDF-SHA-512.
func (c *Client) newSigner(s *Session, key *ecdh.PrivateKey) (signer, error) {
	issuer, err := issuerOf(s.AccessToken)
	if err != nil {
		return signer{}, err
	}
	sid, err := base64.RawURLEncoding.DecodeString(s.ID)
	if err != nil {
		return signer{}, fmt.Errorf("client: session id: %w", err)
	}
	remote, err := s.ServerPublicKey.public(key.Curve())
	if err != nil {
		return signer{}, err
	}
	z, err := key.ECDH(remote)
	if err != nil {
		return signer{}, err
	}
	prk, err := hkdf.Extract(sha512.New, z, sid)
	if err != nil {
		return signer{}, err
	}
	info := []byte("coffer/session/v1\x00")
	for _, part := range [][]byte{[]byte("proof"), []byte(issuer), []byte(suites[key.Curve()]), remote.Bytes(), key.PublicKey().Bytes()} {
		info = append(binary.BigEndian.AppendUint16(info, uint16(len(part))), part...)
	}
	proof, err := hkdf.Expand(sha512.New, prk, string(info), 32)
	return signer{s.ID, c.originFor(issuer), proof}, err
}

var suites = map[ecdh.Curve]string{
	ecdh.P521(): "P521-HKDF512-A256GCM", ecdh.P256(): "P256-HKDF512-A256GCM", ecdh.X25519(): "X25519-HKDF512-A256GCM",
}

// issuerOf reads the server's public address in an access token.
func issuerOf(token string) (string, error) {
	var claims struct {
		Issuer string `json:"iss"`
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", fmt.Errorf("client: the access token has %d parts", len(parts))
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(raw, &claims)
	}
	if err != nil {
		return "", fmt.Errorf("client: the access token: %w", err)
	}
	return claims.Issuer, nil
}

// originFor is the origin that proofs name: the server's address as this client has it. So a
// server in between cannot pass on what the client signs. At a loopback address, which a
// server also answers at, it is the public one.
func (c *Client) originFor(issuer string) string {
	u := c.base
	if public, err := url.Parse(issuer); err == nil && loopback(c.base.Hostname()) {
		u = public
	}
	host := strings.ToLower(u.Host)
	if port := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]; port != "" {
		host = strings.TrimSuffix(host, port)
	}
	return u.Scheme + "://" + host
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// sign adds the proof to a request. body is its JSON; nil for none, or for a stream.
func (c *Client) sign(req *http.Request, body []byte) {
	creds := c.Credentials()
	if creds.ProofKey == nil {
		return
	}
	// A proxy may serve the API below a path; the server does not see it.
	target := creds.Origin + strings.TrimPrefix(req.URL.RequestURI(), c.base.EscapedPath())
	created := c.now().Add(time.Duration(c.ahead.Load())).Unix()
	var covered, base strings.Builder
	cover := func(name, value string) {
		if covered.Len() > 0 {
			covered.WriteByte(' ')
		}
		fmt.Fprintf(&covered, "%q", name)
		fmt.Fprintf(&base, "%q: %s\n", name, value)
	}
	cover("@method", req.Method)
	cover("@target-uri", target)
	if token := req.Header.Get("Authorization"); token != "" {
		cover("authorization", token)
	}
	if body != nil {
		sum := sha256.Sum256(body)
		digest := "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
		req.Header.Set("Content-Digest", digest)
		cover("content-digest", digest)
	}
	params := fmt.Sprintf(`(%s);created=%d;nonce="%s";keyid="%s";alg="hmac-sha256"`, &covered, created, rand.Text(), creds.SessionID)
	fmt.Fprintf(&base, `"@signature-params": %s`, params)
	mac := hmac.New(sha256.New, creds.ProofKey)
	mac.Write([]byte(base.String()))
	req.Header.Set("Signature-Input", "proof="+params)
	req.Header.Set("Signature", "proof=:"+base64.StdEncoding.EncodeToString(mac.Sum(nil))+":")
}

// setClock learns how far the server's clock is ahead. Proofs bear the server's time, so a
// wrong clock of this machine refuses none.
func (c *Client) setClock(res *http.Response) {
	if date, err := http.ParseTime(res.Header.Get("Date")); err == nil {
		c.ahead.Store(int64(date.Sub(c.now())))
	}
}
