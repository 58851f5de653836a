package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"strconv"
	"time"

	"coffer/client"
)

// proofs is P2: P1's request in a session whose client signs each one. The load generator
// signs on the same cores.
func (b *bench) proofs() ([]row, error) {
	p, s, err := b.world("p2")
	if err != nil {
		return nil, err
	}
	c, err := client.New("http://" + p.addr)
	if err != nil {
		return nil, err
	}
	if _, _, err := c.SignIn(context.Background(), client.SignIn{Identifier: benchMail, Password: benchPassword}); err != nil {
		return nil, err
	}
	signers := make([]*signer, conns)
	for i := range signers {
		signers[i] = newSigner(c.Credentials(), i)
	}
	bare := get("/v1/account", s.AccessToken)
	const p1 = "P1, the same without proofs"
	return []row{{
		id: "P2", work: "authenticated GET /v1/account with request proofs, 16 connections", per: "1,000 requests", format: perSecond,
		ours: func() (sample, error) {
			return b.rate(p, conns, 200, func(i int) []byte { return signers[i].next() }, nil)
		},
		beside: []contender{{name: p1, run: func() (sample, error) { return b.rate(p, conns, 200, always(bare), nil) }}},
		must:   []target{{text: "≥80 % of P1", of: []string{p1}, ratio: 0.8}},
	}}, nil
}

// signer writes signed requests for one connection.
type signer struct {
	creds         client.Credentials
	mac           hash.Hash
	n             int
	nonce         []byte // the connection's; the number of the request follows
	base, request []byte
}

func newSigner(creds client.Credentials, conn int) *signer {
	return &signer{creds: creds, mac: hmac.New(sha256.New, creds.ProofKey), nonce: strconv.AppendInt(nil, time.Now().UnixNano()+int64(conn), 36)}
}

func (s *signer) next() []byte {
	s.n++
	const covered = `("@method" "@target-uri" "authorization")`
	s.base = append(s.base[:0], `"@method": GET`+"\n"+`"@target-uri": `...)
	s.base = append(s.base, s.creds.Origin...)
	s.base = append(s.base, "/v1/account\n\"authorization\": Bearer "...)
	s.base = append(s.base, s.creds.AccessToken...)
	s.base = append(s.base, "\n\"@signature-params\": "...)
	from := len(s.base)
	s.base = append(s.base, covered+";created="...)
	s.base = strconv.AppendInt(s.base, time.Now().Unix(), 10)
	s.base = append(s.base, `;nonce="`...)
	s.base = append(append(s.base, s.nonce...), '-')
	s.base = strconv.AppendInt(s.base, int64(s.n), 10)
	s.base = append(s.base, `";keyid="`...)
	s.base = append(s.base, s.creds.SessionID...)
	s.base = append(s.base, `";alg="hmac-sha256"`...)
	s.mac.Reset()
	s.mac.Write(s.base)
	s.request = append(s.request[:0], "GET /v1/account HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "...)
	s.request = append(s.request, s.creds.AccessToken...)
	s.request = append(s.request, "\r\nSignature-Input: p="...)
	s.request = append(s.request, s.base[from:]...)
	s.request = append(s.request, "\r\nSignature: p=:"...)
	s.request = base64.StdEncoding.AppendEncode(s.request, s.mac.Sum(nil))
	return append(s.request, ":\r\n\r\n"...)
}
